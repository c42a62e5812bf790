/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* json.c: every value at its place, jansson's verdict on whatever bytes, and hostile texts in bounded time. */
#include <glob.h>
#include <jansson.h>

#include "agent/policy/json.h"
#include "tests/unit/load.h"

static int text_parse(const char *text, size_t len, struct doc *doc, struct diags *diags)
{
	*doc = (struct doc){};
	*diags = (struct diags){};
	return doc_parse(text, len, 0, diags, doc);
}

static void places_are_line_and_column_in_bytes(void **state)
{
	static const char text[] = "{\n  \"a\": [1, \"\xc3\xa9\", {\"b\": true}],\n\n\t\"c\": null\n}";
	static const struct {
		enum doc_type type;
		uint32_t line, column, len;
	} values[] = {
		{ DOC_OBJECT, 1, 1, 44 }, { DOC_KEY, 2, 3, 3 },	     { DOC_ARRAY, 2, 8, 22 }, { DOC_NUMBER, 2, 9, 1 },
		{ DOC_STRING, 2, 12, 4 }, { DOC_OBJECT, 2, 18, 11 }, { DOC_KEY, 2, 19, 3 },   { DOC_BOOLEAN, 2, 24, 4 },
		{ DOC_KEY, 4, 2, 3 },	  { DOC_NULL, 4, 7, 4 },
	};
	struct diags diags;
	struct doc doc;
	uint32_t i;

	assert_int_equal(text_parse(text, sizeof(text) - 1, &doc, &diags), 0);
	assert_int_equal(doc.n_values, sizeof(values) / sizeof(*values));
	assert_int_equal(doc.values[2].n, 3);
	assert_int_equal(doc.values[2].end, 8);
	for (i = 0; i < 2 * doc.n_values; i++) {
		/* Forward, then backward: the cursor goes both ways. */
		uint32_t v = i < doc.n_values ? i : 2 * doc.n_values - 1 - i;
		struct place place = doc_place(&doc, v);

		assert_int_equal(doc.values[v].type, values[v].type);
		assert_int_equal(place.line, values[v].line);
		assert_int_equal(place.column, values[v].column);
		if (v)
			assert_int_equal(place.len, values[v].len);
	}
	doc_free(&doc);
}

static void strings_have_the_value_that_their_escapes_spell(void **state)
{
	static const char text[] = "\"a\\n\\\"\\\\\\/\\b\\f\\r\\t\\u0041\\u00e9\\u20ac\\ud83d\\ude00z\"";
	static const char value[] = "a\n\"\\/\b\f\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";
	struct diags diags;
	struct doc doc;
	const char *string;
	size_t len;

	assert_int_equal(text_parse(text, sizeof(text) - 1, &doc, &diags), 0);
	string = doc_string(&doc, 0, &len);
	assert_int_equal(len, sizeof(value) - 1);
	assert_memory_equal(string, value, len);
	/* 'z' is the last byte of the value, and the one before the closing quote in the text. */
	assert_int_equal(doc_place_inside(&doc, 0, len - 1, 1).column, sizeof(text) - 2);
	/* The euro sign: three bytes of the value, six of the text. */
	assert_int_equal(doc_place_inside(&doc, 0, 12, 3).len, 6);
	doc_free(&doc);
}

/* jansson takes texts for more than one thing in these, and so is no judge. */
static bool jansson_differs(const json_error_t *error)
{
	enum json_error_code code = json_error_code(error);

	/* Numbers beyond its range are errors to it; here they are kept as they are written. */
	return code == json_error_numeric_overflow;
}

static bool jansson_takes(const char *text, size_t len, bool *ret_unsure)
{
	json_error_t error;
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);

	*ret_unsure = !json && jansson_differs(&error);
	json_decref(json);
	return json;
}

static uint64_t random_next(uint64_t *seed)
{
	uint64_t z = (*seed += 0x9e3779b97f4a7c15ull);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static size_t text_mutate(char *text, size_t len, size_t room, uint64_t *seed)
{
	static const char pieces[][8] = { "\"",	     "\\",	"{",	"}",	    "[",       "]",   ",",  ":",
					  "\\u0041", "\\u0000", "\xff", "\xc3\xa9", "1e5",     "-0",  "01", "true",
					  "null",    " ",	"\n",	"\\ud800",  "\"a\":1", "\x01" };
	unsigned n = 1 + random_next(seed) % 4;

	while (n--) {
		size_t at = random_next(seed) % (len + 1), cut, piece_len;
		const char *piece = pieces[random_next(seed) % (sizeof(pieces) / sizeof(*pieces))];

		piece_len = strlen(piece);
		cut = random_next(seed) % 4;
		cut = cut > len - at ? len - at : cut;
		if (len - cut + piece_len > room)
			continue;
		memmove(text + at + piece_len, text + at + cut, len - at - cut);
		memcpy(text + at, piece, piece_len);
		len = len - cut + piece_len;
	}
	return len;
}

static void verdict_compare(const char *text, size_t len, size_t *ret_taken)
{
	struct diags diags;
	struct doc doc;
	bool unsure, takes = jansson_takes(text, len, &unsure);
	int r = text_parse(text, len, &doc, &diags);

	assert_true(r >= 0);
	/* jansson goes deeper. */
	unsure |= diags.n_diags && strstr(diags.diags[0].message, "inside each other");
	if (!unsure && takes != (r == 0)) {
		print_message("%.*s\n", (int)len, text);
		if (diags.n_diags)
			print_message("%s\n", diags.diags[0].message);
	}
	if (!unsure)
		assert_int_equal(takes, r == 0);
	assert_true(r == 0 || diags.n_errors > 0);
	if (!r) {
		assert_int_equal(doc.values[0].end, doc.n_values);
		doc_free(&doc);
		++*ret_taken;
	}
	diags_clear(&diags);
}

static void jansson_is_of_the_same_mind(void **state)
{
	static char text[1 << 16], mutant[1 << 16];
	glob_t found;
	uint64_t seed = 1;
	size_t taken = 0, i, n;

	assert_int_equal(glob("tests/golden/[fgms]*/*.json", 0, NULL, &found), 0);
	for (i = 0; i < found.gl_pathc; i++) {
		FILE *file = fopen(found.gl_pathv[i], "re");
		size_t len = fread(text, 1, sizeof(text), file);
		int round;

		fclose(file);
		verdict_compare(text, len, &taken);
		for (round = 0; round < 200; round++) {
			memcpy(mutant, text, len);
			n = text_mutate(mutant, len, sizeof(mutant), &seed);
			verdict_compare(mutant, n, &taken);
		}
	}
	globfree(&found);
	/* A share of the mutants must be good JSON, or little was compared. */
	assert_true(taken > 2000);
}

static char *text_repeat(const char *open, const char *piece, size_t n, const char *close, size_t *ret_len)
{
	size_t piece_len = strlen(piece), at = strlen(open), i;
	char *text = malloc(at + n * piece_len + strlen(close) + 1);

	memcpy(text, open, at);
	for (i = 0; i < n; i++, at += piece_len)
		memcpy(text + at, piece, piece_len);
	strcpy(text + at, close);
	*ret_len = at + strlen(close);
	return text;
}

/* Parses a hostile text in at most @seconds_max. */
static void hostile(const char *open, const char *piece, size_t n, const char *close, int verdict, double seconds_max)
{
	size_t len;
	_cleanup_free_ char *text = text_repeat(open, piece, n, close, &len);
	double start = clock_seconds();
	struct diags diags;
	struct doc doc;

	assert_int_equal(text_parse(text, len, &doc, &diags), verdict);
	assert_true(clock_seconds() - start < seconds_max);
	assert_true(diags.n_diags <= 2000);
	diags_clear(&diags);
	doc_free(&doc);
}

static void hostile_texts_end_in_bounded_time(void **state)
{
	hostile("", "[", 10000000, "", DOC_REFUSED, 3);
	hostile("", "{\"a\":", 10000000, "", DOC_REFUSED, 3);
	hostile("\"", "x", 10 << 20, "\"", 0, 3);
	hostile("\"", "\\u0041", 2000000, "\"", 0, 3);
	hostile("\"", "x", 10 << 20, "", DOC_REFUSED, 3);
	hostile("[1", ",1", DOC_VALUES_MAX + 10, "]", DOC_REFUSED, 10);
	hostile("{\"b\":1", ",\"a\":1", 1000000, "}", DOC_REFUSED, 10);
	hostile("{\"b\":1", ",\"\\u0061\":1", 200000, "}", DOC_REFUSED, 10);
	hostile("", "\n", 20000000, "x", DOC_REFUSED, 5);
	hostile("[", " ", 20000000, "]", 0, 5);
	hostile("", "9", 10000000, "", 0, 3);
}

static void many_keys_of_one_object_are_found_twice(void **state)
{
	size_t len = 0, i;
	char *text = malloc(1 << 20);
	struct diags diags;
	struct doc doc;

	len += sprintf(text, "{");
	for (i = 0; i < 20000; i++)
		len += sprintf(text + len, "\"key%zu\": %zu,\n", i, i);
	sprintf(text + len, "\"key777\": 0}");
	assert_int_equal(text_parse(text, strlen(text), &doc, &diags), DOC_REFUSED);
	assert_int_equal(diags.n_errors, 1);
	assert_string_equal(diags.diags[0].code, "duplicate-key");
	assert_int_equal(diags.diags[0].place.line, 20001);
	strcpy(text + len, "\"last\": 0}");
	diags_clear(&diags);
	assert_int_equal(text_parse(text, strlen(text), &doc, &diags), 0);
	doc_free(&doc);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_line_and_column_in_bytes),
		cmocka_unit_test(strings_have_the_value_that_their_escapes_spell),
		cmocka_unit_test(jansson_is_of_the_same_mind),
		cmocka_unit_test(hostile_texts_end_in_bounded_time),
		cmocka_unit_test(many_keys_of_one_object_are_found_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
