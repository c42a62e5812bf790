// SPDX-License-Identifier: LGPL-2.1-or-later
/* escape.c: no byte of a name forges anything, and every form gives the name back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/record/escape.h"

static void check_text(const char *bytes, size_t len, const char *wanted)
{
	_cleanup_buf_ struct buf out = {};

	escape_text(&out, bytes, len);
	assert_false(out.failed);
	assert_string_equal(out.bytes ? out.bytes : "", wanted);
}

static void text_shows_what_is_visible(void **state)
{
	check_text("", 0, "");
	check_text("/etc/passwd", 11, "/etc/passwd");
	check_text("/srv/münchen", 13, "/srv/münchen");
	check_text("a b", 3, "a b");
}

static void text_hides_what_could_forge(void **state)
{
	check_text("a\nb", 3, "a\\x0ab");
	check_text("a\0b", 3, "a\\x00b");
	check_text("\x1b[31m", 5, "\\x1b[31m");
	check_text("\xff\xfe", 2, "\\xff\\xfe");
	check_text("\\x41", 4, "\\\\x41");
	check_text("\"", 1, "\\\"");
	check_text("\xe2\x80\xae", 3, "\\xe2\\x80\\xae"); /* turns the direction of writing */
	check_text("\xed\xa0\x80", 3, "\\xed\\xa0\\x80"); /* a surrogate */
	check_text("\xc0\x80", 2, "\\xc0\\x80"); /* NUL, spelled too long */
}

static size_t text_undo(const char *text, char *out)
{
	char *start = out;

	while (*text) {
		if (*text != '\\') {
			*out++ = *text++;
		} else if (text[1] == 'x') {
			*out++ = strtoul((char[]){ text[2], text[3], 0 }, NULL, 16);
			text += 4;
		} else {
			*out++ = text[1];
			text += 2;
		}
	}
	return out - start;
}

static void text_gives_any_bytes_back(void **state)
{
	char bytes[64], back[64];

	srand(1);
	for (int i = 0; i < 100000; i++) {
		_cleanup_buf_ struct buf out = {};
		size_t len = rand() % sizeof(bytes);

		for (size_t k = 0; k < len; k++)
			bytes[k] = rand() % 3 ? rand() : "\\\"x0\n\xe2\x80"[rand() % 7];
		escape_text(&out, bytes, len);
		if (!len)
			continue;
		assert_null(strpbrk(out.bytes, "\n\r\t\033"));
		assert_int_equal(text_undo(out.bytes, back), len);
		assert_memory_equal(back, bytes, len);
	}
}

static void plain_is_what_needs_no_escape(void **state)
{
	char bytes[32];

	srand(2);
	for (int i = 0; i < 100000; i++) {
		_cleanup_buf_ struct buf out = {};
		size_t len = 1 + rand() % (sizeof(bytes) - 1);

		for (size_t k = 0; k < len; k++)
			bytes[k] = rand() % 2 ? 'a' + rand() % 26 : rand();
		escape_text(&out, bytes, len);
		assert_int_equal(escape_plain(bytes, len), out.len == len && !memcmp(out.bytes, bytes, len));
	}
}

static void check_audit(const char *bytes, size_t len, const char *wanted)
{
	_cleanup_buf_ struct buf out = {};

	escape_audit(&out, "path", bytes, len);
	assert_string_equal(out.bytes, wanted);
}

static void audit_quotes_or_digits(void **state)
{
	check_audit("/etc/passwd", 11, " path=\"/etc/passwd\"");
	check_audit("", 0, " path=\"\"");
	check_audit("a b", 3, " path=612062");
	check_audit("a\"", 2, " path=6122");
	check_audit("a'", 2, " path=6127");
	check_audit("a\n", 2, " path=610A");
	check_audit("\xc3\xbc", 2, " path=C3BC");
	check_audit("a\0b", 3, " path=610062");
}

/* Whatever the bytes, the value is one word or one quoted word: nothing after it can be taken for a field of ours. */
static void audit_values_hold_together(void **state)
{
	char bytes[32];

	srand(3);
	for (int i = 0; i < 100000; i++) {
		_cleanup_buf_ struct buf out = {};
		size_t len = 1 + rand() % (sizeof(bytes) - 1);

		for (size_t k = 0; k < len; k++)
			bytes[k] = rand() % 2 ? rand() : " \"'=\n{}a"[rand() % 8];
		escape_audit(&out, "n", bytes, len);
		assert_memory_equal(out.bytes, " n=", 3);
		assert_null(strpbrk(out.bytes + 3, " '\n\t"));
		if (out.bytes[3] == '"')
			assert_ptr_equal(strchr(out.bytes + 4, '"'), out.bytes + out.len - 1);
		else
			assert_int_equal(strspn(out.bytes + 3, "0123456789ABCDEF"), 2 * len);
	}
}

static void audit_words_are_never_empty(void **state)
{
	_cleanup_buf_ struct buf out = {};

	escape_audit_word(&out, "a", "", 0);
	escape_audit_word(&out, "b", "web", 3);
	escape_audit_word(&out, "c", "x=1", 3);
	assert_string_equal(out.bytes, " a=? b=web c=783D31");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_shows_what_is_visible),  cmocka_unit_test(text_hides_what_could_forge),
		cmocka_unit_test(text_gives_any_bytes_back),   cmocka_unit_test(plain_is_what_needs_no_escape),
		cmocka_unit_test(audit_quotes_or_digits),      cmocka_unit_test(audit_values_hold_together),
		cmocka_unit_test(audit_words_are_never_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
