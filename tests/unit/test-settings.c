// SPDX-License-Identifier: LGPL-2.1-or-later
/* settings.c: what is not known is refused with its place; what is not said is as documented. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/control/settings.h"

static char dir[] = "/tmp/lsmd-test-settings-XXXXXX", name[64];

static int setup(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	snprintf(name, sizeof(name), "%s/lsmd.json", dir);
	return 0;
}

static int teardown(void **state)
{
	unlink(name);
	return rmdir(dir);
}

static int read_text(const char *text, struct settings *settings, char *said, size_t size)
{
	FILE *file = fopen(name, "w"), *out;
	int r;

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	out = fmemopen(said, size, "w");
	r = settings_read(name, out, false, settings);
	fclose(out);
	return r;
}

static void check_refused(const char *text, const char *place)
{
	struct settings settings;
	char said[4096] = "", wanted[256];

	assert_int_equal(read_text(text, &settings, said, sizeof(said)), SETTINGS_REFUSED);
	snprintf(wanted, sizeof(wanted), "%s:%s", name, place);
	if (!strstr(said, wanted))
		fail_msg("'%s' not in: %s", wanted, said);
	settings_clear(&settings);
}

static void what_is_said_is_taken(void **state)
{
	struct policy_options options;
	struct settings settings;
	char said[256] = "";

	assert_int_equal(
		read_text("{ \"$schema\": \"x\", \"vendor_policies\": \"/v\", \"policies\": \"/p\", \"pins\": \"/b\","
			  " \"abstractions\": [\"/a\", \"/c\"], \"socket\": \"/s\", \"force\": true,"
			  " \"events_file\": \"-\", \"events_file_mib\": 3, \"events_file_keep\": 0, \"metrics_file\": \"/m\" }",
			  &settings, said, sizeof(said)),
		0);
	settings_policies(&settings, &options);
	assert_string_equal(options.vendor_dir, "/v");
	assert_string_equal(options.admin_dir, "/p");
	assert_int_equal(options.n_abstraction_dirs, 2);
	assert_string_equal(options.abstraction_dirs[1], "/c");
	assert_true(options.force);
	assert_string_equal(settings.pins, "/b");
	assert_string_equal(settings.socket, "/s");
	assert_string_equal(settings.events_file, "-");
	assert_int_equal(settings.events_file_mib, 3);
	assert_int_equal(settings.events_file_keep, 0);
	assert_string_equal(settings.metrics_file, "/m");
	settings_clear(&settings);
	assert_int_equal(read_text("{ \"events_file\": false }", &settings, said, sizeof(said)), 0);
	assert_null(settings.events_file);
	settings_clear(&settings);
}

static void what_is_not_said_is_default(void **state)
{
	struct settings settings;
	char said[256] = "";

	assert_int_equal(read_text("{}", &settings, said, sizeof(said)), 0);
	assert_string_equal(settings.pins, SETTINGS_PINS);
	assert_string_equal(settings.socket, SETTINGS_SOCKET);
	assert_null(settings.admin_dir);
	assert_string_equal(settings.events_file, SETTINGS_EVENTS_FILE);
	assert_null(settings.metrics_file);
	assert_false(settings.force);
	settings_clear(&settings);
}

static void wrong_settings_are_refused(void **state)
{
	check_refused("{ \"polices\": \"/p\" }", "1:3: error: no setting 'polices'; did you mean 'policies'?");
	check_refused("{ \"xyzzyxyzzy\": 1 }", "1:3: error: no setting 'xyzzyxyzzy'");
	check_refused("{ \"pins\": \"b\" }", "1:11: error: 'pins' is not an absolute path");
	check_refused("{ \"socket\": 7 }", "1:13: error: 'socket' is a path, not a number");
	check_refused("{ \"events_file_mib\": 0 }", "1:22: error: 'events_file_mib' is a whole number from 1 to 1048576");
	check_refused("{ \"events_file_mib\": 1.5 }", "1:22: error: 'events_file_mib' is a whole number");
	check_refused("{ \"events_file_keep\": \"3\" }", "1:23: error: 'events_file_keep' is a whole number from 0 to 1000");
	check_refused("{ \"metrics_file\": true }", "1:19: error: 'metrics_file' is a path");
	check_refused("{ \"force\": \"yes\" }", "1:12: error: 'force' is true or false, not a string");
	check_refused("{ \"abstractions\": \"/a\" }", "1:19: error: 'abstractions' is a list");
	check_refused("[]", "1:1: error: the settings are an object, not a list");
	check_refused("{ \"pins\": \"/a\", \"pins\": \"/b\" }", "1:17: error:");
	check_refused("{", "1:");
	check_refused("", "1:");
}

static void files_that_are_none_are_refused(void **state)
{
	struct settings settings;
	char said[1024] = "";
	FILE *out = fmemopen(said, sizeof(said), "w");

	unlink(name);
	assert_int_equal(settings_read(name, out, false, &settings), -ENOENT);
	settings_clear(&settings);
	assert_int_equal(mkfifo(name, 0600), 0);
	assert_int_equal(settings_read(name, out, false, &settings), SETTINGS_REFUSED);
	settings_clear(&settings);
	unlink(name);
	assert_int_equal(symlink("/dev/zero", name), 0);
	assert_int_equal(settings_read(name, out, false, &settings), SETTINGS_REFUSED);
	settings_clear(&settings);
	unlink(name);
	fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_is_taken),
		cmocka_unit_test(what_is_not_said_is_default),
		cmocka_unit_test(wrong_settings_are_refused),
		cmocka_unit_test(files_that_are_none_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
