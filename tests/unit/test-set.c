/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* set.c, collect.c, source.c: which files make a set, and files that are no files. */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/unit/load.h"

static void policy_write(struct load *load, const char *file, const char *name, const char *rest)
{
	char text[1000];

	snprintf(
		text, sizeof(text),
		"{ \"version\": 1, \"name\": \"%s\", \"subject\": { \"exe\": \"/usr/bin/t\" }, \"default\": \"allow\"%s }",
		name, rest);
	load_write(load, file, text, strlen(text));
}

static void part_write(struct load *load, const char *file, const char *path)
{
	char text[200];

	snprintf(text, sizeof(text), "{ \"version\": 1, \"rules\": [ { \"allow\": \"read\", \"path\": \"%s\" } ] }",
		 path);
	load_write(load, file, text, strlen(text));
}

static void folder_make(struct load *load, const char *name)
{
	assert_int_equal(mkdir(load_path(load, name), 0700), 0);
}

/* The names of the set, in its order. */
static void set_is(struct load *load, const char *names)
{
	char found[1000] = "";
	size_t i;

	for (i = 0; i < load->set->n_policies; i++) {
		strcat(found, i ? " " : "");
		strcat(found, load->set->policies[i].name);
	}
	assert_string_equal(found, names);
}

static int two_folders_load(struct load *load)
{
	static char vendor[100], admin[100];

	strcpy(vendor, load_path(load, "vendor"));
	strcpy(admin, load_path(load, "admin"));
	load->options.vendor_dir = vendor;
	load->options.admin_dir = admin;
	return load_paths(load, NULL, 0);
}

static void the_administrator_replaces_masks_and_adds(void **state)
{
	struct load *load = *state;

	folder_make(load, "vendor");
	folder_make(load, "admin");
	policy_write(load, "vendor/a.json", "vendor-a", "");
	policy_write(load, "vendor/b.json", "vendor-b", "");
	policy_write(load, "vendor/c.json", "vendor-c", "");
	policy_write(load, "admin/b.json", "admin-b", "");
	policy_write(load, "admin/d.json", "admin-d", "");
	policy_write(load, "admin/.hidden.json", "hidden", "");
	policy_write(load, "admin/e.json.dpkg-new", "unfinished", "");
	assert_int_equal(symlink("/dev/null", load_path(load, "admin/c.json")), 0);
	assert_int_equal(two_folders_load(load), 0);
	set_is(load, "admin-b admin-d vendor-a");
	folder_make(load, "vendor/a.json.d");
	folder_make(load, "admin/a.json.d");
	part_write(load, "vendor/a.json.d/10.json", "/vendor10");
	part_write(load, "vendor/a.json.d/20.json", "/vendor20");
	part_write(load, "vendor/a.json.d/30.json", "/vendor30");
	part_write(load, "admin/a.json.d/15.json", "/admin15");
	part_write(load, "admin/a.json.d/20.json", "/admin20");
	assert_int_equal(symlink("/dev/null", load_path(load, "admin/a.json.d/30.json")), 0);
	assert_int_equal(two_folders_load(load), 0);
	assert_int_equal(load->set->policies[2].n_rules, 3);
	assert_string_equal(load->set->policies[2].rules[0].objects[0].bytes, "/vendor10");
	assert_string_equal(load->set->policies[2].rules[1].objects[0].bytes, "/admin15");
	assert_string_equal(load->set->policies[2].rules[2].objects[0].bytes, "/admin20");
}

static void drop_ins_without_a_policy_are_said(void **state)
{
	struct load *load = *state;

	folder_make(load, "vendor");
	folder_make(load, "admin");
	policy_write(load, "vendor/a.json", "a", "");
	policy_write(load, "vendor/aa.json", "aa", "");
	folder_make(load, "admin/a.json.d");
	assert_int_equal(two_folders_load(load), 0);
	assert_int_equal(load->diags.n_warnings, 0);
	folder_make(load, "admin/a.d");
	folder_make(load, "admin/ab.json.d");
	assert_int_equal(two_folders_load(load), 0);
	assert_int_equal(load->diags.n_warnings, 1);
	assert_true(load_said(load, "drop-in-alone"));
	assert_int_equal(load_file(load, "admin"), 0);
	assert_int_equal(load->diags.n_warnings, 2);
}

static void folders_that_are_not_there_are_empty_unless_they_were_named(void **state)
{
	struct load *load = *state;

	assert_int_equal(two_folders_load(load), 0);
	assert_int_equal(load->set->n_policies, 0);
	assert_false(load->set->refused);
	assert_int_equal(load_file(load, "absent"), POLICY_SET_REFUSED);
	assert_true(load_said(load, "file-read"));
}

static void the_order_of_naming_files_does_not_matter(void **state)
{
	struct load *load = *state;
	const char *paths[3] = { load_path(load, "z.json"), load_path(load, "a.json"), load_path(load, "f") };
	const char *other[5] = { paths[2], paths[1], paths[0], paths[1], paths[0] };

	folder_make(load, "f");
	policy_write(load, "a.json", "one", "");
	policy_write(load, "z.json", "three", "");
	policy_write(load, "f/f.json", "two", "");
	assert_int_equal(load_paths(load, paths, 3), 0);
	set_is(load, "one three two");
	assert_string_equal(load->set->files[0].name + strlen(load->dir), "/a.json");
	assert_int_equal(load_paths(load, other, 5), 0);
	set_is(load, "one three two");
	assert_int_equal(load->set->n_files, 3);
	assert_string_equal(load->set->files[0].name + strlen(load->dir), "/a.json");
}

static void one_bad_file_refuses_the_set_and_all_errors_are_said(void **state)
{
	struct load *load = *state;
	const char *paths[3];

	policy_write(load, "a.json", "a", ", \"mode\": \"on\"");
	policy_write(load, "b.json", "b", "");
	load_write(load, "c.json", "{ \"version\": }", 14);
	paths[0] = load_path(load, "a.json");
	paths[1] = load_path(load, "b.json");
	paths[2] = load_path(load, "c.json");
	assert_int_equal(load_paths(load, paths, 3), POLICY_SET_REFUSED);
	assert_true(load_said(load, "unknown-mode"));
	assert_true(load_said(load, "syntax"));
	assert_int_equal(load->set->n_policies, 0);
	assert_int_equal(load->set->n_files, 3);
	assert_true(load->set->refused);
}

static void refused(struct load *load, const char *name, const char *code)
{
	alarm(60);
	assert_int_equal(load_file(load, name), POLICY_SET_REFUSED);
	alarm(0);
	assert_true(load_said(load, code));
	assert_true(load->seconds < 1);
}

static void what_is_no_regular_file_is_refused_at_once(void **state)
{
	struct load *load = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(mkfifo(load_path(load, "fifo.json"), 0600), 0);
	refused(load, "fifo.json", "file-kind");
	policy_write(load, "real.json", "real", "");
	assert_int_equal(symlink("real.json", load_path(load, "link.json")), 0);
	refused(load, "link.json", "file-link");
	assert_int_equal(symlink("link2.json", load_path(load, "link2.json")), 0);
	refused(load, "link2.json", "file-link");
	strcpy(address.sun_path, load_path(load, "socket.json"));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	refused(load, "socket.json", "file-kind");
	if (mknod(load_path(load, "zero.json"), S_IFCHR | 0600, 1 << 8 | 5) == 0)
		refused(load, "zero.json", "file-kind");
}

static void a_folder_of_such_files_is_refused_too(void **state)
{
	struct load *load = *state;

	folder_make(load, "f");
	folder_make(load, "f/folder.json");
	assert_int_equal(mkfifo(load_path(load, "f/fifo.json"), 0600), 0);
	assert_int_equal(load_file(load, "f"), POLICY_SET_REFUSED);
	assert_int_equal(load->diags.n_errors, 2);
}

static void files_beyond_the_bound_are_not_read(void **state)
{
	struct load *load = *state;

	load_write(load, "large.json", "{", 1);
	assert_int_equal(truncate(load_path(load, "large.json"), 1ll << 30), 0);
	refused(load, "large.json", "file-size");
	/* Within the bound: zero bytes are no JSON, and the first of them ends the reading. */
	assert_int_equal(truncate(load_path(load, "large.json"), 64ll << 20), 0);
	refused(load, "large.json", "syntax");
}

static void a_file_without_end_is_refused(void **state)
{
	struct load *load = *state;
	size_t len = 10 << 20;
	_cleanup_free_ char *text = malloc(len);

	memset(text, 'x', len);
	memcpy(text, "{ \"name\": \"", 11);
	load_write(load, "t.json", text, len);
	refused(load, "t.json", "syntax");
	memcpy(text + len - 2, "\"}", 2);
	load_write(load, "t.json", text, len);
	refused(load, "t.json", "bad-word");
}

static void a_set_of_many_errors_says_so_in_bounds(void **state)
{
	struct load *load = *state;
	size_t n = 200000, i, out_len;
	_cleanup_free_ char *text = malloc(n * 50 + 1000), *out = NULL;
	char *at = text + sprintf(text, HEAD ALLOW "\"rules\": [ 0");
	FILE *stream = open_memstream(&out, &out_len);

	for (i = 1; i < n; i++)
		at += sprintf(at, ",\n{ \"alow\": \"read\", \"path\": \"x\" }");
	strcpy(at, "] }");
	load_bad(load, text, "unknown-key");
	assert_int_equal(load->diags.n_errors, n);
	diags_print(&load->diags, load->set, stream, false);
	fclose(stream);
	assert_non_null(strstr(out, "and 199900 more errors\n"));
	assert_true(out_len < 50000);
	assert_true(load->seconds < 3);
}

/* Each name of a service is asked for once, and so many only. */
static void names_of_services_are_not_asked_for_without_end(void **state)
{
	struct load *load = *state;
	size_t n = 100000, i;
	_cleanup_free_ char *text = malloc(n * 80 + 1000);
	char *at;

	at = text + sprintf(text, HEAD ALLOW "\"rules\": [ {\"allow\":\"connect\",\"to\":\"*:*:https\"}");
	for (i = 1; i < n; i++)
		at += sprintf(at, ",\n{\"allow\":\"connect\",\"to\":\"tcp:10.%zu.%zu.0/24:https\"}", i >> 8 & 255,
			      i & 255);
	strcpy(at, "] }");
	load_good(load, text);
	assert_int_equal(load->set->policies[0].rules[n - 1].objects[0].first_port, 443);
	assert_true(load->seconds < 3);
	at = text + sprintf(text, HEAD ALLOW "\"rules\": [ {\"allow\":\"connect\",\"to\":\"*:*:https\"}");
	for (i = 1; i < n; i++)
		at += sprintf(at, ",\n{\"allow\":\"connect\",\"to\":\"tcp:*:x%zu\"}", i);
	strcpy(at, "] }");
	load_bad(load, text, "too-many-services");
	assert_true(load->seconds < 5);
}

/* An abstraction of 100,000 rules in 100 policies: more than a set may hold, and not ten million rules of memory. */
static void abstractions_do_not_multiply_without_end(void **state)
{
	struct load *load = *state;
	size_t n = 100000, i;
	_cleanup_free_ char *text = malloc(n * 60 + 1000);
	char *at = text + sprintf(text, "{ \"version\": 1, \"rules\": [ {\"allow\":\"read\",\"path\":\"/a\"}");
	char name[40];

	for (i = 1; i < n; i++)
		at += sprintf(at, ",\n{\"allow\":\"read\",\"path\":\"/a/%zu\"}", i);
	strcpy(at, "] }");
	load_write(load, "abs/many.json", text, strlen(text));
	folder_make(load, "f");
	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "f/%zu.json", i);
		policy_write(load, name, name + 2, ", \"include\": \"many\"");
	}
	assert_int_equal(load_file(load, "f"), POLICY_SET_REFUSED);
	assert_true(load_said(load, "too-many-objects"));
	/* One a policy: the rules of those beyond the bound are not read at all. */
	assert_true(load->diags.n_errors <= 100);
	assert_true(load->seconds < 20);
}

static void keys_are_of_names(void **state)
{
	/* Test vectors of FNV-1a, 64 bits. */
	assert_true(lsmd_policy_key("") == 0xcbf29ce484222325ull);
	assert_true(lsmd_policy_key("a") == 0xaf63dc4c8601ec8cull);
	assert_true(lsmd_policy_key("foobar") == 0x85944171f73967e8ull);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, load_setup, load_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_administrator_replaces_masks_and_adds),
		TEST(drop_ins_without_a_policy_are_said),
		TEST(folders_that_are_not_there_are_empty_unless_they_were_named),
		TEST(the_order_of_naming_files_does_not_matter),
		TEST(one_bad_file_refuses_the_set_and_all_errors_are_said),
		TEST(what_is_no_regular_file_is_refused_at_once),
		TEST(a_folder_of_such_files_is_refused_too),
		TEST(files_beyond_the_bound_are_not_read),
		TEST(a_file_without_end_is_refused),
		TEST(a_set_of_many_errors_says_so_in_bounds),
		TEST(names_of_services_are_not_asked_for_without_end),
		TEST(abstractions_do_not_multiply_without_end),
		TEST(keys_are_of_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
