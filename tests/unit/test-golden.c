/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tests/golden: policies good and bad, and to the letter what is said of them. FOLDER/NAME.json is loaded by itself, what
 * diags_print() writes is held against FOLDER/NAME.expected (absent: nothing is said), and the verdict against the
 * folder: all in good/ must load, all others must not. `test-golden FILE…` prints and exits 1 when one is refused;
 * `UPDATE=1 test-golden` writes the expected files anew, to be read before they are committed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "agent/policy/set.h"
#include "agent/util/cleanup.h"
#include "agent/util/fd.h"

#define GOLDEN "tests/golden"

static int file_check(const char *path, FILE *out)
{
	static const char *const abstractions = "abstractions";
	struct policy_options options = {
		.paths = &path,
		.n_paths = 1,
		.abstraction_dirs = &abstractions,
		.n_abstraction_dirs = 1,
	};
	struct diags diags = {};
	struct policy_set *set = NULL;
	int r = policy_set_load(&options, &diags, &set);

	if (r >= 0)
		diags_print(&diags, set, out, false);
	policy_set_free(set);
	diags_clear(&diags);
	return r;
}

/* The same name with another ending; static. */
static const char *expected_name(const char *path)
{
	static char name[512];

	snprintf(name, sizeof(name), "%.*s.expected", (int)(strlen(path) - strlen(".json")), path);
	return name;
}

static void expected_write(const char *path, const char *said)
{
	FILE *file;

	if (!*said) {
		unlink(expected_name(path));
		return;
	}
	file = fopen(expected_name(path), "we");
	assert_non_null(file);
	fputs(said, file);
	assert_int_equal(fclose(file), 0);
}

static bool expected_same(const char *path, const char *said)
{
	_cleanup_free_ char *expected = NULL;
	size_t len;

	if (file_read(AT_FDCWD, expected_name(path), 1 << 20, &expected, &len))
		return !*said;
	if (!strcmp(expected, said))
		return true;
	print_message("%s: expected\n%sbut was\n%s", path, expected, said);
	return false;
}

static bool golden_check(const char *path, bool good)
{
	_cleanup_free_ char *said = NULL;
	size_t len;
	FILE *out = open_memstream(&said, &len);
	int r;

	assert_non_null(out);
	r = file_check(path, out);
	fclose(out);
	if (r != (good ? 0 : POLICY_SET_REFUSED)) {
		print_message("%s: the verdict is %d\n%s", path, r, said);
		return false;
	}
	if (getenv("UPDATE"))
		expected_write(path, said);
	return expected_same(path, said);
}

static void folder_check(const char *folder, bool good)
{
	struct dirent **found;
	int n = scandir(folder, &found, NULL, alphasort), i, wrong = 0, checked = 0;
	char path[400];

	assert_true(n > 0);
	for (i = 0; i < n; i++) {
		size_t len = strlen(found[i]->d_name);

		if (len > 5 && !strcmp(found[i]->d_name + len - 5, ".json")) {
			snprintf(path, sizeof(path), "%s/%s", folder, found[i]->d_name);
			wrong += !golden_check(path, good);
			checked++;
		}
		free(found[i]);
	}
	free(found);
	assert_true(checked > 10);
	assert_int_equal(wrong, 0);
}

static void what_is_no_json_is_refused_with_its_place(void **state)
{
	folder_check("syntax", false);
}

static void what_has_not_the_form_of_a_policy_is_refused(void **state)
{
	folder_check("form", false);
}

static void what_means_nothing_or_too_much_is_refused(void **state)
{
	folder_check("meaning", false);
}

static void good_policies_load_and_warnings_are_to_the_letter(void **state)
{
	folder_check("good", true);
}

static void schema_and_reader_are_of_one_mind(void **state)
{
	int status = system("./schema-agrees");

	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int files_check(int argc, char **argv)
{
	int i, r, worst = 0;

	for (i = 1; i < argc; i++) {
		r = file_check(argv[i], stdout);
		if (r)
			worst = 1;
	}
	return worst;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_json_is_refused_with_its_place),
		cmocka_unit_test(what_has_not_the_form_of_a_policy_is_refused),
		cmocka_unit_test(what_means_nothing_or_too_much_is_refused),
		cmocka_unit_test(good_policies_load_and_warnings_are_to_the_letter),
		cmocka_unit_test(schema_and_reader_are_of_one_mind),
	};

	if (argc > 1)
		return files_check(argc, argv);
	if (chdir(GOLDEN) < 0) {
		perror(GOLDEN);
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
