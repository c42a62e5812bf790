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
	check_refused("{ \"signed_by\": \"/k.pub\" }", "1:16: error: 'signed_by' is a list of at most 16 paths");
	check_refused("{ \"signed_by\": [\"k.pub\"] }", "1:17: error: 'signed_by' is not an absolute path");
	check_refused("{ \"signature\": false }", "1:16: error: 'signature' is a path");
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

static void text_write(const char *text, mode_t mode)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(name, mode), 0);
}

static void check_key_refused(bool secret, const char *why)
{
	uint8_t key[ED25519_KEY_BYTES];
	char said[4096] = "";
	FILE *out = fmemopen(said, sizeof(said), "w");

	assert_int_equal(key_file_read(name, secret, out, key), SETTINGS_REFUSED);
	fclose(out);
	if (!strstr(said, why) || !strstr(said, "\nmend: "))
		fail_msg("'%s' and a mend not in: %s", why, said);
}

static void keys_are_read_from_files_that_nobody_else_can_change(void **state)
{
	uint8_t key[ED25519_KEY_BYTES] = "a private key of thirty-two byte", again[ED25519_KEY_BYTES], public[ED25519_KEY_BYTES];
	char *secret_pem, *public_pem, twice[1024];

	assert_int_equal(ed25519_public(key, public), 0);
	assert_int_equal(ed25519_write(key, true, &secret_pem), 0);
	assert_int_equal(ed25519_write(public, false, &public_pem), 0);
	text_write(secret_pem, 0600);
	assert_int_equal(key_file_read(name, true, stderr, again), 0);
	assert_memory_equal(again, key, sizeof(key));
	check_key_refused(false, "holds the private half");
	text_write(secret_pem, 0640);
	check_key_refused(true, "others than its owner may read this private key");
	text_write(public_pem, 0644);
	assert_int_equal(key_file_read(name, false, stderr, again), 0);
	assert_memory_equal(again, public, sizeof(key));
	text_write(public_pem, 0664);
	check_key_refused(false, "others than its owner may write it");
	text_write(public_pem, 0646);
	check_key_refused(false, "others than its owner may write it");
	text_write(public_pem, 0600);
	check_key_refused(true, "holds the public half");
	snprintf(twice, sizeof(twice), "%s%s", public_pem, public_pem);
	text_write(twice, 0644);
	check_key_refused(false, "more than one key");
	text_write("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n", 0644);
	check_key_refused(false, "no public key in PEM");
	/* A key of X25519, which is as long. */
	text_write("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEAR6rsitMaujYHvt9G2l48b3t7VUz3F2QiT0JbU3maUl4=\n-----END PUBLIC KEY-----\n", 0644);
	check_key_refused(false, "another algorithm");
	assert_int_equal(truncate(name, 1 << 20), 0);
	check_key_refused(false, "too large");
	unlink(name);
	check_key_refused(false, "No such file");
	assert_int_equal(mkfifo(name, 0600), 0);
	check_key_refused(false, "no regular file");
	unlink(name);
	assert_int_equal(symlink("/dev/zero", name), 0);
	check_key_refused(false, "symbolic link");
	unlink(name);
	free(secret_pem);
	free(public_pem);
}

/* The agent that would forget to read its keys takes nothing. */
static void who_signs_is_asked_for_where_a_key_is_named(void **state)
{
	struct settings settings;
	struct seal_want want;
	char said[1024] = "";

	assert_int_equal(read_text("{}", &settings, said, sizeof(said)), 0);
	assert_false(settings_want(&settings, &want));
	assert_string_equal(settings.signature, SETTINGS_SIGNATURE);
	assert_string_equal(settings.serial_file, SETTINGS_SERIAL_FILE);
	settings_clear(&settings);
	assert_int_equal(read_text("{ \"signed_by\": [\"/no/such.pub\"], \"signature\": \"/x/sig\" }", &settings, said, sizeof(said)), 0);
	assert_true(settings_want(&settings, &want));
	assert_int_equal(want.n_keys, 0);
	assert_string_equal(want.file, "/x/sig");
	assert_int_equal(settings_keys(&settings, stdout), SETTINGS_REFUSED);
	settings_clear(&settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_is_taken),
		cmocka_unit_test(what_is_not_said_is_default),
		cmocka_unit_test(wrong_settings_are_refused),
		cmocka_unit_test(files_that_are_none_are_refused),
		cmocka_unit_test(keys_are_read_from_files_that_nobody_else_can_change),
		cmocka_unit_test(who_signs_is_asked_for_where_a_key_is_named),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
