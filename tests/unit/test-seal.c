// SPDX-License-Identifier: LGPL-2.1-or-later
/* seal.c and seal-load.c: what was signed is what is read, byte for byte, or the whole set is refused and the file is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/policy/seal.h"
#include "agent/policy/set.h"

#define POLICY(name) \
	"{ \"version\": 1, \"name\": \"" name "\", \"subject\": { \"exe\": \"/x/" name "\" }, \"default\": \"allow\", \"rules\": [ { \"deny\": \"read\", \"path\": \"/s\" } ] }"

static char dir[] = "/tmp/lsmd-test-seal-XXXXXX", admin[64], vendor[64], abstractions[64], seal_file[64];
static uint8_t secret[ED25519_KEY_BYTES], stranger[ED25519_KEY_BYTES];
static struct seal_key key;

static void path_write(const char *path, const void *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void text_write(const char *folder, const char *name, const char *text)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	path_write(path, text, strlen(text));
}

static struct seal_want want_of(uint64_t last)
{
	return (struct seal_want){ .file = seal_file, .keys = &key, .n_keys = 1, .last = { .serial = last } };
}

static int load(const struct seal_want *want, struct diags *diags, struct policy_set **ret)
{
	const char *const dirs[] = { abstractions };
	const struct policy_options options = {
		.vendor_dir = vendor, .admin_dir = admin, .abstraction_dirs = dirs, .n_abstraction_dirs = 1, .want = want
	};

	*diags = (struct diags){};
	return policy_set_load(&options, diags, ret);
}

/* The set as it lies there, sealed. */
static void set_sign(const uint8_t by[ED25519_KEY_BYTES], uint64_t serial)
{
	struct seal seal = { .stamp.serial = serial };
	struct policy_set *set = NULL;
	struct buf text = {};
	struct diags diags;

	assert_int_equal(load(NULL, &diags, &set), 0);
	for (size_t i = 0; i < set->n_files; i++)
		assert_int_equal(seal_file_add(&seal, set->files[i].name, set->files[i].text, set->files[i].len), 0);
	assert_int_equal(seal_write(&seal, by, &text), 0);
	path_write(seal_file, text.bytes, text.len);
	buf_free(&text);
	seal_clear(&seal);
	diags_clear(&diags);
	policy_set_free(set);
}

/* The one error that the set is refused for: its code, and the file that it is about. */
static void check_refused(const struct seal_want *want, const char *code, const char *file)
{
	struct policy_set *set = NULL;
	struct diags diags;

	assert_int_equal(load(want, &diags, &set), POLICY_SET_REFUSED);
	assert_true(set->refused);
	assert_int_equal(diags.n_errors, 1);
	assert_string_equal(diags.diags[0].code, code);
	assert_non_null(diags.diags[0].mend);
	if (!strstr(set->files[diags.diags[0].place.file].name, file))
		fail_msg("'%s' is about %s, not %s", code, set->files[diags.diags[0].place.file].name, file);
	diags_clear(&diags);
	policy_set_free(set);
}

static void check_taken(const struct seal_want *want, uint64_t serial)
{
	struct policy_set *set = NULL;
	struct diags diags;

	assert_int_equal(load(want, &diags, &set), 0);
	assert_int_equal(set->stamp.serial, serial);
	assert_string_equal(set->stamp.key, key.id);
	diags_clear(&diags);
	policy_set_free(set);
}

static int folder_make(char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s/%s", dir, name);
	return mkdir(path, 0700);
}

static int setup(void **state)
{
	uint8_t public[ED25519_KEY_BYTES];

	if (!mkdtemp(dir) || folder_make(admin, sizeof(admin), "p") || folder_make(vendor, sizeof(vendor), "v") ||
	    folder_make(abstractions, sizeof(abstractions), "a") || ed25519_new(secret) || ed25519_new(stranger) || ed25519_public(secret, public))
		return -1;
	snprintf(seal_file, sizeof(seal_file), "%s/sig", dir);
	memcpy(key.bytes, public, sizeof(public));
	return seal_key_id(public, key.id);
}

/* Every test begins with a whole set of three files, signed with number 7. */
static int begin(void **state)
{
	char command[512];

	snprintf(command, sizeof(command), "rm -rf %s/* %s/* %s/* %s", admin, vendor, abstractions, seal_file);
	if (system(command))
		return -1;
	text_write(vendor, "web.json", POLICY("vendors"));
	text_write(vendor, "base.json", "{ \"version\": 1, \"name\": \"b\", \"subject\": { \"exe\": \"/b\" }, \"default\": \"allow\", \"include\": \"names\" }");
	text_write(abstractions, "names.json", "{ \"version\": 1, \"rules\": [ { \"deny\": \"read\", \"path\": \"/n\" } ] }");
	set_sign(secret, 7);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void what_was_signed_is_taken(void **state)
{
	const struct seal_want want = want_of(0);

	check_taken(&want, 7);
}

static void nothing_is_taken_unsigned(void **state)
{
	const struct seal_want want = want_of(0);
	struct seal_want keyless = want;

	keyless.n_keys = 0;
	check_refused(&keyless, "signature-key", "/sig");
	unlink(seal_file);
	check_refused(&want, "signature-missing", "/sig");
	assert_int_equal(mkfifo(seal_file, 0600), 0);
	check_refused(&want, "signature-missing", "/sig");
	unlink(seal_file);
	assert_int_equal(symlink("/dev/zero", seal_file), 0);
	check_refused(&want, "signature-missing", "/sig");
	unlink(seal_file);
	path_write(seal_file, "", 0);
	check_refused(&want, "signature-form", "/sig");
	assert_int_equal(truncate(seal_file, (off_t)SEAL_BYTES_MAX + 1), 0);
	check_refused(&want, "signature-missing", "/sig");
}

static void a_file_that_was_altered_is_named(void **state)
{
	const struct seal_want want = want_of(0);

	text_write(vendor, "web.json", POLICY("vendorz")); /* of the same length */
	check_refused(&want, "file-altered", "/v/web.json");
	text_write(vendor, "web.json", "{"); /* never parsed, or it would be a second error */
	check_refused(&want, "file-altered", "/v/web.json");
	text_write(vendor, "web.json", POLICY("vendors"));
	text_write(abstractions, "names.json", "{ \"version\": 1, \"rules\": [ { \"deny\": \"read\", \"path\": \"/m\" } ] }");
	check_refused(&want, "file-altered", "/a/names.json");
}

static void a_file_that_was_added_is_named(void **state)
{
	const struct seal_want want = want_of(0);
	char folder[256];

	text_write(admin, "more.json", "no JSON at all");
	check_refused(&want, "file-unsigned", "/p/more.json");
	begin(state);
	snprintf(folder, sizeof(folder), "%s/web.json.d", admin);
	assert_int_equal(mkdir(folder, 0700), 0);
	text_write(folder, "x.json", "{ \"version\": 1, \"rules\": [ { \"allow\": \"read\", \"path\": \"/s\" } ] }");
	check_refused(&want, "file-unsigned", "/p/web.json.d/x.json");
	begin(state);
	text_write(admin, "web.json", POLICY("vendors")); /* the same bytes in the vendor's stead */
	check_refused(&want, "file-unsigned", "/p/web.json");
}

static void a_file_that_is_gone_is_named(void **state)
{
	const struct seal_want want = want_of(0);
	char path[512];

	snprintf(path, sizeof(path), "%s/web.json", vendor);
	assert_int_equal(unlink(path), 0);
	check_refused(&want, "file-missing", "/sig");
	begin(state);
	snprintf(path, sizeof(path), "%s/web.json", admin);
	assert_int_equal(symlink("/dev/null", path), 0); /* masked */
	check_refused(&want, "file-missing", "/sig");
}

static void older_sets_do_not_come_back(void **state)
{
	struct seal_want want = want_of(8);
	struct policy_set *set = NULL;
	struct diags diags;

	check_refused(&want, "serial-old", "/sig");
	want = want_of(6);
	check_taken(&want, 7);
	/* The same number with other files. */
	want = want_of(7);
	check_refused(&want, "serial-reused", "/sig");
	want = want_of(0);
	assert_int_equal(load(&want, &diags, &set), 0);
	want.last = set->stamp;
	diags_clear(&diags);
	policy_set_free(set);
	check_taken(&want, 7);
}

static void other_keys_sign_nothing(void **state)
{
	const struct seal_want want = want_of(0);
	char text[8192], id[SEAL_KEY_ID];
	uint8_t public[ED25519_KEY_BYTES];
	FILE *file;
	size_t len;

	set_sign(stranger, 9);
	check_refused(&want, "signature-key", "/sig");
	/* A stranger that calls itself by the name of the key. */
	file = fopen(seal_file, "r");
	len = fread(text, 1, sizeof(text), file);
	fclose(file);
	assert_int_equal(ed25519_public(stranger, public), 0);
	assert_int_equal(seal_key_id(public, id), 0);
	memcpy(memmem(text, len, id, strlen(id)), key.id, strlen(id));
	path_write(seal_file, text, len);
	check_refused(&want, "signature-wrong", "/sig");
}

/* No single byte can be changed, left out or added anywhere in a seal. */
static void a_seal_has_one_text(void **state)
{
	const struct seal_want want = want_of(0);
	char text[4096], changed[4096];
	FILE *file = fopen(seal_file, "r");
	size_t len = fread(text, 1, sizeof(text) - 1, file);
	struct seal seal;
	uint32_t line;

	fclose(file);
	for (size_t i = 0; i < len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			memcpy(changed, text, len);
			changed[i] ^= 1 << bit;
			if (seal_read(changed, len, &seal, &line))
				continue;
			if (!seal_verify(&seal, changed, want.keys, want.n_keys))
				fail_msg("bit %d of byte %zu of the seal can be changed", bit, i);
			seal_clear(&seal);
		}
	}
	for (size_t n = 0; n < len; n++)
		assert_int_equal(seal_read(text, n, &seal, &line), SEAL_MALFORMED);
	for (const char *more = "\n x0\r"; ; more++) {
		memcpy(changed, text, len);
		changed[len] = *more;
		assert_int_equal(seal_read(changed, len + 1, &seal, &line), SEAL_MALFORMED);
		/* In front of the newline that ends it. */
		changed[len - 1] = *more;
		changed[len] = '\n';
		assert_int_equal(seal_read(changed, len + 1, &seal, &line), SEAL_MALFORMED);
		if (!*more)
			break;
	}
}

static void names_that_a_line_cannot_hold_are_not_signed(void **state)
{
	struct seal seal = {};

	assert_int_equal(seal_file_add(&seal, "/a\nfile", "", 0), SEAL_MALFORMED);
	assert_int_equal(seal_file_add(&seal, "a", "", 0), SEAL_MALFORMED);
	assert_int_equal(seal_file_add(&seal, "/a b \xff", "", 0), 0);
	seal_clear(&seal);
}

/* RFC 8032, 7.1, test 3: what we call Ed25519 is what others call so. */
static void signatures_are_those_of_the_rfc(void **state)
{
	static const uint8_t seed[32] = { 0xc5, 0xaa, 0x8d, 0xf4, 0x3f, 0x9f, 0x83, 0x7b, 0xed, 0xb7, 0x44, 0x2f, 0x31, 0xdc, 0xb7, 0xb1,
					  0x66, 0xd3, 0x85, 0x35, 0x07, 0x6f, 0x09, 0x4b, 0x85, 0xce, 0x3a, 0x2e, 0x0b, 0x44, 0x58, 0xf7 };
	static const uint8_t wanted[8] = { 0x62, 0x91, 0xd6, 0x57, 0xde, 0xec, 0x24, 0x02 };
	uint8_t public[ED25519_KEY_BYTES], signature[ED25519_SIGNATURE_BYTES];

	assert_int_equal(ed25519_public(seed, public), 0);
	assert_int_equal(ed25519_sign(seed, "\xaf\x82", 2, signature), 0);
	assert_memory_equal(signature, wanted, sizeof(wanted));
	assert_int_equal(ed25519_verify(public, "\xaf\x82", 2, signature), 0);
	assert_int_equal(ed25519_verify(public, "\xaf\x83", 2, signature), ED25519_WRONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_was_signed_is_taken, begin),
		cmocka_unit_test_setup(nothing_is_taken_unsigned, begin),
		cmocka_unit_test_setup(a_file_that_was_altered_is_named, begin),
		cmocka_unit_test_setup(a_file_that_was_added_is_named, begin),
		cmocka_unit_test_setup(a_file_that_is_gone_is_named, begin),
		cmocka_unit_test_setup(older_sets_do_not_come_back, begin),
		cmocka_unit_test_setup(other_keys_sign_nothing, begin),
		cmocka_unit_test_setup(a_seal_has_one_text, begin),
		cmocka_unit_test(names_that_a_line_cannot_hold_are_not_signed),
		cmocka_unit_test(signatures_are_those_of_the_rfc),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
