/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* diag.c, text.c: what is printed, in order, in bounds, and never what a file would make a terminal do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "agent/policy/diag.h"
#include "agent/policy/text.h"
#include "agent/util/cleanup.h"

#define TEXT "first line\n\t{ \"a\xc3\xa9\": \x1b[31m }\n\nlast"

static struct policy_file files[] = {
	{ .name = "a.json", .text = TEXT, .len = sizeof(TEXT) - 1 },
	{ .name = "b\n\x1b[31m.json", .text = NULL },
};
static const struct policy_set set = { .files = files, .n_files = 2 };

static char *diags_text(const struct diags *diags, bool colour)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	diags_print(diags, &set, out, colour);
	fclose(out);
	return text;
}

static void printed(struct diags *diags, const char *expected)
{
	_cleanup_free_ char *text = diags_text(diags, false);

	assert_string_equal(text, expected);
	diags_clear(diags);
}

static void a_message_has_place_cause_caret_and_mend(void **state)
{
	struct diags diags = {};

	diag_add(&diags, DIAG_ERROR, "x", (struct place){ 0, 1, 7, 4 }, "shorten it", "the %s is long", "line");
	printed(&diags, "a.json:1:7: error: the line is long\n"
			"    1 | first line\n"
			"      |       ^~~~\n"
			"mend: shorten it\n");
	diag_add(&diags, DIAG_WARNING, "x", (struct place){ .file = 1 }, NULL, "nowhere in it");
	printed(&diags, "b\\x0a\\x1b[31m.json: warning: nowhere in it\n");
	diag_add(&diags, DIAG_WARNING, "x", (struct place){ .file = UINT32_MAX }, NULL, "in no file");
	printed(&diags, "warning: in no file\n");
}

/* A tab is one column, so is a character of two bytes; a control byte is shown as '?'. */
static void carets_stand_under_what_they_mean(void **state)
{
	struct diags diags = {};

	diag_add(&diags, DIAG_ERROR, "x", (struct place){ 0, 2, 10, 1 }, NULL, "here");
	printed(&diags, "a.json:2:10: error: here\n"
			"    2 |  { \"a\xc3\xa9\": ?[31m }\n"
			"      |         ^\n");
	diag_add(&diags, DIAG_ERROR, "x", (struct place){ 0, 2, 4, 100 }, NULL, "to the end");
	printed(&diags, "a.json:2:4: error: to the end\n"
			"    2 |  { \"a\xc3\xa9\": ?[31m }\n"
			"      |    ^~~~~~~~~~~~~\n");
	diag_add(&diags, DIAG_ERROR, "x", (struct place){ 0, 3, 1, 1 }, NULL, "an empty line");
	printed(&diags, "a.json:3:1: error: an empty line\n"
			"    3 | \n"
			"      | ^\n");
	diag_add(&diags, DIAG_ERROR, "x", (struct place){ 0, 4, 5, 1 }, NULL, "behind the end");
	printed(&diags, "a.json:4:5: error: behind the end\n"
			"    4 | last\n"
			"      |     ^\n");
	diag_add(&diags, DIAG_ERROR, "x", (struct place){ 0, 9, 1, 1 }, NULL, "no such line");
	printed(&diags, "a.json:9:1: error: no such line\n");
}

static void messages_come_in_the_order_of_the_text_and_once(void **state)
{
	struct diags diags = {};

	diag_add(&diags, DIAG_ERROR, "x", (struct place){ 1, 1, 1, 1 }, NULL, "four");
	diag_add(&diags, DIAG_ERROR, "x", (struct place){ 0, 3, 1, 1 }, NULL, "three");
	diag_add(&diags, DIAG_WARNING, "x", (struct place){ 0, 1, 2, 1 }, NULL, "two");
	diag_add(&diags, DIAG_ERROR, "x", (struct place){ 0, 1, 1, 1 }, NULL, "one");
	diag_add(&diags, DIAG_ERROR, "x", (struct place){ 0, 1, 1, 1 }, NULL, "one");
	diags_sort(&diags);
	assert_int_equal(diags.n_diags, 4);
	assert_int_equal(diags.n_errors, 3);
	assert_int_equal(diags.n_warnings, 1);
	assert_string_equal(diags.diags[0].message, "one");
	assert_string_equal(diags.diags[1].message, "two");
	assert_string_equal(diags.diags[2].message, "three");
	assert_string_equal(diags.diags[3].message, "four");
	/* Room is taken by powers of two: what sorting dropped must not confuse it. */
	diag_add(&diags, DIAG_ERROR, "x", (struct place){ 1, 2, 1, 1 }, NULL, "five");
	diag_add(&diags, DIAG_ERROR, "x", (struct place){ 1, 2, 1, 1 }, NULL, "six");
	assert_int_equal(diags.n_diags, 6);
	diags_clear(&diags);
}

static void no_message_speaks_to_the_terminal(void **state)
{
	static const char evil[] = "a\nb\r\x1b[2J\x7f\xc2\x9b\x31m\xff\xe2\x80\xae\xe2\x80\xa8\xf3\xa0\x81\x81\xc3\xa9";
	struct diags diags = {};
	_cleanup_free_ char *text = NULL;
	const char *at;

	diag_add(&diags, DIAG_ERROR, "x", (struct place){ .file = 1 }, evil, "'%s'", evil);
	text = diags_text(&diags, false);
	for (at = text; *at; at++)
		assert_true((unsigned char)*at >= 0x20 || (*at == '\n' && (!at[1] || !strncmp(at + 1, "mend: ", 6))));
	assert_null(strstr(text, "\x7f"));
	assert_null(strstr(text, "\xff"));
	assert_null(strstr(text, "\xc2\x9b"));
	assert_null(strstr(text, "\xe2\x80\xae"));
	assert_null(strstr(text, "\xe2\x80\xa8"));
	assert_null(strstr(text, "\xf3\xa0\x81\x81"));
	assert_non_null(strstr(text, "a\\x0ab\\x0d\\x1b[2J\\x7f\\xc2\\x9b1m\\xff\\xe2\\x80\\xae"));
	assert_non_null(strstr(text, "\xc3\xa9"));
	diags_clear(&diags);
}

static void long_words_are_cut(void **state)
{
	size_t len = 10 << 20;
	_cleanup_free_ char *word = malloc(len);
	_cleanup_free_ char *text = NULL;
	struct diags diags = {};

	memset(word, 'x', len - 1);
	word[len - 1] = '\0';
	diag_add(&diags, DIAG_ERROR, "x", (struct place){ .file = 1 }, word, "'%s'", word);
	text = diags_text(&diags, false);
	assert_true(strlen(text) < 5000);
	diags_clear(&diags);
}

static void what_is_beyond_the_bound_is_counted(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct diags diags = {};
	uint32_t i;

	for (i = 1; i <= 5000; i++)
		diag_add(&diags, DIAG_WARNING, "x", (struct place){ .file = 1, .line = i }, NULL, "warning %u", i);
	for (i = 1; i <= 101; i++)
		diag_add(&diags, DIAG_ERROR, "x", (struct place){ .file = 1, .line = 9000 + i }, NULL, "error %u", i);
	assert_int_equal(diags.n_warnings, 5000);
	assert_true(diags.n_diags < 1200);
	text = diags_text(&diags, false);
	assert_non_null(strstr(text, "warning 100\n"));
	assert_null(strstr(text, "warning 101\n"));
	assert_non_null(strstr(text, "error 100\n"));
	assert_non_null(strstr(text, "and 1 more error\nand 4900 more warnings\n"));
	diags_clear(&diags);
}

static void colours_are_only_added(void **state)
{
	_cleanup_free_ char *plain = NULL, *colour = NULL;
	struct diags diags = {};
	char *at, *out;

	diag_add(&diags, DIAG_ERROR, "x", (struct place){ 0, 1, 7, 4 }, "shorten it", "the line is long");
	plain = diags_text(&diags, false);
	colour = diags_text(&diags, true);
	for (at = out = colour; *at;) {
		if (*at == '\033')
			at = strchr(at, 'm') + 1;
		else
			*out++ = *at++;
	}
	*out = '\0';
	assert_string_equal(colour, plain);
	diags_clear(&diags);
}

static void editors_get_json(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct diags diags = {};
	size_t len;
	FILE *out = open_memstream(&text, &len);
	json_t *json;

	diag_add(&diags, DIAG_WARNING, "b", (struct place){ 1, 2, 3, 4 }, NULL, "later \xff\"");
	diag_add(&diags, DIAG_ERROR, "a", (struct place){ 0, 1, 7, 4 }, "shorten it", "sooner");
	assert_int_equal(diags_print_json(&diags, &set, out), 0);
	fclose(out);
	json = json_loads(text, 0, NULL);
	assert_int_equal(json_array_size(json), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(json, 0), "message")), "sooner");
	assert_string_equal(json_string_value(json_object_get(json_array_get(json, 0), "mend")), "shorten it");
	assert_string_equal(json_string_value(json_object_get(json_array_get(json, 0), "code")), "a");
	assert_string_equal(json_string_value(json_object_get(json_array_get(json, 0), "level")), "error");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(json, 0), "column")), 7);
	assert_string_equal(json_string_value(json_object_get(json_array_get(json, 1), "file")),
			    "b\\x0a\\x1b[31m.json");
	assert_string_equal(json_string_value(json_object_get(json_array_get(json, 1), "message")), "later \\xff\"");
	json_decref(json);
	diags_clear(&diags);
}

static void utf8_is_what_rfc_3629_says(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{ "a", 1 },
		{ "\xc3\xa9", 2 },
		{ "\xe2\x82\xac", 3 },
		{ "\xf0\x9f\x98\x80", 4 },
		{ "\xf4\x8f\xbf\xbf", 4 },
		{ "\x80", 0 },
		{ "\xc1\xbf", 0 },
		{ "\xe0\x9f\xbf", 0 },
		{ "\xed\xa0\x80", 0 },
		{ "\xf0\x8f\xbf\xbf", 0 },
		{ "\xf4\x90\x80\x80", 0 },
		{ "\xf5\x80\x80\x80", 0 },
		{ "\xe2\x82", 0 },
		{ "\xc3", 0 },
		{ "\xc3\x28", 0 },
	};
	char bytes[4];
	uint32_t code;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(utf8_len(cases[i].bytes, strlen(cases[i].bytes)), cases[i].len);
	for (code = 1; code < 0x110000; code++) {
		size_t len = utf8_put(code, bytes);

		if (code >= 0xd800 && code < 0xe000)
			continue;
		if (utf8_len(bytes, len) != len || utf8_code(bytes, len) != code)
			fail_msg("U+%04x", code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_has_place_cause_caret_and_mend),
		cmocka_unit_test(carets_stand_under_what_they_mean),
		cmocka_unit_test(messages_come_in_the_order_of_the_text_and_once),
		cmocka_unit_test(no_message_speaks_to_the_terminal),
		cmocka_unit_test(long_words_are_cut),
		cmocka_unit_test(what_is_beyond_the_bound_is_counted),
		cmocka_unit_test(colours_are_only_added),
		cmocka_unit_test(editors_get_json),
		cmocka_unit_test(utf8_is_what_rfc_3629_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
