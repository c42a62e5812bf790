/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON text to a document in which every value knows its place: a strict scanner that keeps offsets and copies nothing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/json.h"
#include "agent/policy/text.h"
#include "agent/util/cleanup.h"
#include "agent/util/vec.h"

/* Up to so many keys are compared each with each; more are sorted. */
#define FEW_KEYS 12

struct scanner {
	struct doc *doc;
	struct diags *diags;
	const unsigned char *text;
	size_t at;
	size_t len;
	size_t capacity;
	unsigned depth;
	bool keys_twice; /* the form is right, and still it is refused */
};

static int value_read(struct scanner *scanner);

/* Where a byte is, counted from the start: for the one mistake that ends the reading. */
static struct place text_place(const struct scanner *scanner, size_t off, size_t len)
{
	struct place place = { .file = scanner->doc->file, .line = 1, .len = len };
	size_t i, line_off = 0;

	for (i = 0; i < off; i++) {
		if (scanner->text[i] == '\n') {
			place.line++;
			line_off = i + 1;
		}
	}
	place.column = off - line_off + 1;
	return place;
}

#define refuse(scanner, off, len, mend, ...) \
	(diag_add((scanner)->diags, DIAG_ERROR, "syntax", text_place(scanner, off, len), mend, __VA_ARGS__), \
	 DOC_REFUSED)

static int refuse_byte(struct scanner *scanner, const char *wanted)
{
	unsigned char byte;

	if (scanner->at >= scanner->len)
		return refuse(scanner, scanner->len, 1, NULL, "the file ends where %s should stand", wanted);
	byte = scanner->text[scanner->at];
	if (byte == '/' || byte == '#')
		return refuse(scanner, scanner->at, 1, "say it in \"description\" or \"reason\"",
			      "JSON has no comments; %s should stand here", wanted);
	if (byte == '\'')
		return refuse(scanner, scanner->at, 1, "use double quotes: \"", "%s should stand here, not '%c'",
			      wanted, byte);
	if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z')
		return refuse(scanner, scanner->at, 1,
			      "strings and keys stand in double quotes; other words are true, false, null",
			      "%s should stand here, not '%c'", wanted, byte);
	if (byte > 0x20 && byte < 0x7f)
		return refuse(scanner, scanner->at, 1, NULL, "%s should stand here, not '%c'", wanted, byte);
	return refuse(scanner, scanner->at, 1, NULL, "%s should stand here, not byte 0x%02x", wanted, byte);
}

static void space_skip(struct scanner *scanner)
{
	while (scanner->at < scanner->len) {
		unsigned char byte = scanner->text[scanner->at];

		if (byte != ' ' && byte != '\n' && byte != '\t' && byte != '\r')
			break;
		scanner->at++;
	}
}

/* Pointers to values do not outlive the next call. */
static int value_add(struct scanner *scanner, enum doc_type type, uint32_t *ret)
{
	struct doc *doc = scanner->doc;
	void *items = doc->values;
	int r;

	if (doc->n_values >= DOC_VALUES_MAX)
		return refuse(scanner, scanner->at, 1, "split the file", "more than %u values in one file",
			      DOC_VALUES_MAX);
	r = vec_room(&items, &scanner->capacity, doc->n_values + 1, sizeof(*doc->values));
	doc->values = items;
	if (r)
		return r;
	*ret = doc->n_values++;
	doc->values[*ret] = (struct doc_value){ .off = scanner->at, .type = type };
	return 0;
}

static void value_end(struct scanner *scanner, uint32_t value)
{
	struct doc_value *v = &scanner->doc->values[value];

	v->len = scanner->at - v->off;
	v->end = scanner->doc->n_values;
}

static int hex4(const unsigned char *digits)
{
	int value = 0, i;

	for (i = 0; i < 4; i++) {
		unsigned char c = digits[i];

		if (c >= '0' && c <= '9')
			value = value * 16 + c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = value * 16 + (c | 0x20) - 'a' + 10;
		else
			return -1;
	}
	return value;
}

/* \uXXXX at @at, a pair for what lies beyond the first plane. Returns its bytes in the text, 0: not one. */
static size_t unicode_read(const unsigned char *text, size_t at, size_t len, uint32_t *ret)
{
	int high, low;

	if (len - at < 6)
		return 0;
	high = hex4(text + at + 2);
	if (high < 0 || (high >= 0xdc00 && high < 0xe000))
		return 0;
	*ret = high;
	if (high < 0xd800 || high >= 0xe000)
		return 6;
	if (len - at < 12 || text[at + 6] != '\\' || text[at + 7] != 'u')
		return 0;
	low = hex4(text + at + 8);
	if (low < 0xdc00 || low >= 0xe000)
		return 0;
	*ret = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	return 12;
}

static int escape_skip(struct scanner *scanner)
{
	unsigned char c = scanner->at + 1 < scanner->len ? scanner->text[scanner->at + 1] : 0;
	uint32_t code;
	size_t n;

	if (c && strchr("\"\\/bfnrt", c)) {
		scanner->at += 2;
		return 0;
	}
	if (c != 'u')
		return refuse(scanner, scanner->at, 2, "write a backslash in a pattern as \\\\",
			      "JSON has no such escape");
	n = unicode_read(scanner->text, scanner->at, scanner->len, &code);
	if (!n)
		return refuse(scanner, scanner->at, 6, "bytes that are no UTF-8 are written \\\\xHH in a pattern",
			      "\\u needs four hexadecimal digits that name a character");
	if (!code)
		return refuse(scanner, scanner->at, 6, NULL, "a name cannot hold a NUL");
	scanner->at += n;
	return 0;
}

/* Skips what stands for itself, eight bytes at a time: no quote, backslash, control byte, or byte beyond ASCII. */
static size_t plain_skip(const unsigned char *text, size_t at, size_t len)
{
	const uint64_t ones = 0x0101010101010101u, highs = ones * 0x80;
	uint64_t word;

	for (; len - at >= 8; at += 8) {
		memcpy(&word, text + at, 8);
		if ((word | (word - ones * 0x20) | ((word ^ ones * '"') - ones) | ((word ^ ones * '\\') - ones)) &
		    highs)
			break;
	}
	while (at < len && text[at] >= 0x20 && text[at] < 0x80 && text[at] != '"' && text[at] != '\\')
		at++;
	return at;
}

static int string_skip(struct scanner *scanner, uint32_t value)
{
	size_t start = scanner->at++, n;
	int r;

	for (;;) {
		scanner->at = plain_skip(scanner->text, scanner->at, scanner->len);
		if (scanner->at >= scanner->len)
			return refuse(scanner, start, 1, NULL, "the file ends inside this string");
		if (scanner->text[scanner->at] == '"') {
			scanner->at++;
			return 0;
		}
		if (scanner->text[scanner->at] == '\\') {
			scanner->doc->values[value].escaped = 1;
			r = escape_skip(scanner);
			if (r)
				return r;
			continue;
		}
		if (scanner->text[scanner->at] == '\n')
			return refuse(scanner, start, scanner->at - start, NULL,
				      "this string does not end on its line");
		if (scanner->text[scanner->at] < 0x20)
			return refuse(scanner, scanner->at, 1,
				      scanner->text[scanner->at] ? "write it as \\u00HH" : NULL,
				      "control byte 0x%02x in a string", scanner->text[scanner->at]);
		n = utf8_len((const char *)scanner->text + scanner->at, scanner->len - scanner->at);
		if (!n)
			return refuse(scanner, scanner->at, 1, "write the byte as \\\\xHH in a pattern",
				      "byte 0x%02x is not valid UTF-8 here", scanner->text[scanner->at]);
		scanner->at += n;
	}
}

static int string_read(struct scanner *scanner, enum doc_type type)
{
	uint32_t value;
	int r = value_add(scanner, type, &value);

	if (!r)
		r = string_skip(scanner, value);
	if (!r)
		value_end(scanner, value);
	return r;
}

static size_t digits_skip(struct scanner *scanner)
{
	size_t start = scanner->at;

	while (scanner->at < scanner->len && scanner->text[scanner->at] >= '0' && scanner->text[scanner->at] <= '9')
		scanner->at++;
	return scanner->at - start;
}

static bool byte_skip(struct scanner *scanner, char a, char b)
{
	if (scanner->at >= scanner->len || (scanner->text[scanner->at] != a && scanner->text[scanner->at] != b))
		return false;
	scanner->at++;
	return true;
}

static int number_read(struct scanner *scanner)
{
	size_t start = scanner->at, first, n;
	uint32_t value;
	int r = value_add(scanner, DOC_NUMBER, &value);

	if (r)
		return r;
	byte_skip(scanner, '-', '-');
	first = scanner->at;
	n = digits_skip(scanner);
	if (!n)
		return refuse_byte(scanner, "a digit");
	if (n > 1 && scanner->text[first] == '0')
		return refuse(scanner, start, scanner->at - start, NULL, "a number does not begin with 0");
	if (byte_skip(scanner, '.', '.') && !digits_skip(scanner))
		return refuse_byte(scanner, "a digit");
	if (byte_skip(scanner, 'e', 'E')) {
		byte_skip(scanner, '+', '-');
		if (!digits_skip(scanner))
			return refuse_byte(scanner, "a digit");
	}
	value_end(scanner, value);
	return 0;
}

static int word_read(struct scanner *scanner)
{
	static const struct {
		const char *word;
		enum doc_type type;
		bool truth;
	} words[] = { { "true", DOC_BOOLEAN, true }, { "false", DOC_BOOLEAN, false }, { "null", DOC_NULL, false } };
	size_t i, n;
	uint32_t value;
	int r;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		n = strlen(words[i].word);
		if (scanner->len - scanner->at < n || memcmp(scanner->text + scanner->at, words[i].word, n))
			continue;
		r = value_add(scanner, words[i].type, &value);
		if (r)
			return r;
		scanner->doc->values[value].truth = words[i].truth;
		scanner->at += n;
		value_end(scanner, value);
		return 0;
	}
	return refuse_byte(scanner, "a value");
}

struct key {
	const char *bytes;
	size_t len;
	uint32_t value;
};

static int key_compare(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	size_t shorter = x->len < y->len ? x->len : y->len;
	int order = memcmp(x->bytes, y->bytes, shorter);

	if (order)
		return order;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return x->value < y->value ? -1 : 1;
}

static void key_twice(struct scanner *scanner, const struct key *first, const struct key *again)
{
	struct place place = doc_place(scanner->doc, first->value);

	scanner->keys_twice = true;
	diag_add(scanner->diags, DIAG_ERROR, "duplicate-key", doc_place(scanner->doc, again->value), "keep one of them",
		 "the key '%.*s' stands twice in this object, first at line %u",
		 (int)(again->len < 64 ? again->len : 64), again->bytes, place.line);
}

static void keys_compare(struct scanner *scanner, struct key *keys, size_t n)
{
	size_t i, j;

	if (n > FEW_KEYS) {
		qsort(keys, n, sizeof(*keys), key_compare);
		for (i = 1; i < n; i++) {
			if (keys[i].len == keys[i - 1].len && !memcmp(keys[i].bytes, keys[i - 1].bytes, keys[i].len))
				key_twice(scanner, &keys[i - 1], &keys[i]);
		}
		return;
	}
	for (i = 1; i < n; i++) {
		for (j = 0; j < i; j++) {
			if (keys[i].len == keys[j].len && !memcmp(keys[i].bytes, keys[j].bytes, keys[i].len)) {
				key_twice(scanner, &keys[j], &keys[i]);
				break;
			}
		}
	}
}

static int keys_check(struct scanner *scanner, uint32_t object)
{
	struct doc *doc = scanner->doc;
	size_t n = doc->values[object].n, i = 0;
	_cleanup_free_ struct key *many = NULL;
	struct key few[FEW_KEYS], *keys = few;
	uint32_t v;

	if (n < 2)
		return 0;
	if (n > FEW_KEYS) {
		keys = many = calloc(n, sizeof(*keys));
		if (!keys)
			return -ENOMEM;
	}
	for (v = object + 1; i < n; v = doc->values[v + 1].end) {
		keys[i].value = v;
		keys[i].bytes = doc_string(doc, v, &keys[i].len);
		if (!keys[i++].bytes)
			return -ENOMEM;
	}
	keys_compare(scanner, keys, n);
	return 0;
}

static int member_read(struct scanner *scanner)
{
	int r;

	if (scanner->at >= scanner->len || scanner->text[scanner->at] != '"')
		return refuse_byte(scanner, "a key in double quotes");
	r = string_read(scanner, DOC_KEY);
	if (r)
		return r;
	space_skip(scanner);
	if (!byte_skip(scanner, ':', ':'))
		return refuse_byte(scanner, "':'");
	space_skip(scanner);
	return value_read(scanner);
}

/* After an item: 1 when another follows, 0 at the end. */
static int item_next(struct scanner *scanner, char close)
{
	size_t comma;

	space_skip(scanner);
	if (byte_skip(scanner, close, close))
		return 0;
	comma = scanner->at;
	if (!byte_skip(scanner, ',', ','))
		return -refuse_byte(scanner, close == ']' ? "',' or ']'" : "',' or '}'");
	space_skip(scanner);
	if (scanner->at < scanner->len && scanner->text[scanner->at] == (unsigned char)close)
		return -refuse(scanner, comma, 1, "remove the comma", "a comma stands before '%c'", close);
	return 1;
}

static int items_read(struct scanner *scanner, uint32_t value, char close)
{
	uint32_t n = 0;
	int more, r;

	space_skip(scanner);
	if (!byte_skip(scanner, close, close)) {
		do {
			r = close == '}' ? member_read(scanner) : value_read(scanner);
			if (r)
				return r;
			n++;
			more = item_next(scanner, close);
			if (more < 0)
				return DOC_REFUSED;
		} while (more);
	}
	scanner->doc->values[value].n = n;
	value_end(scanner, value);
	return close == '}' ? keys_check(scanner, value) : 0;
}

static int container_read(struct scanner *scanner, enum doc_type type)
{
	uint32_t value;
	int r;

	if (scanner->depth >= DOC_DEPTH_MAX)
		return refuse(scanner, scanner->at, 1, NULL, "more than %d lists and objects inside each other",
			      DOC_DEPTH_MAX);
	r = value_add(scanner, type, &value);
	if (r)
		return r;
	scanner->depth++;
	scanner->at++;
	r = items_read(scanner, value, type == DOC_OBJECT ? '}' : ']');
	scanner->depth--;
	return r;
}

static int value_read(struct scanner *scanner)
{
	unsigned char byte = scanner->at < scanner->len ? scanner->text[scanner->at] : 0;

	switch (byte) {
	case '{':
		return container_read(scanner, DOC_OBJECT);
	case '[':
		return container_read(scanner, DOC_ARRAY);
	case '"':
		return string_read(scanner, DOC_STRING);
	case '-':
	case '0' ... '9':
		return number_read(scanner);
	default:
		return word_read(scanner);
	}
}

static int text_read(struct scanner *scanner)
{
	int r;

	if (scanner->len > DOC_BYTES_MAX)
		return refuse(scanner, 0, 1, NULL, "the text is longer than %u bytes", DOC_BYTES_MAX);
	if (scanner->len >= 3 && !memcmp(scanner->text, "\xef\xbb\xbf", 3))
		return refuse(scanner, 0, 1, "save the file as UTF-8 without it",
			      "the file begins with a byte order mark");
	space_skip(scanner);
	if (scanner->at == scanner->len)
		return refuse(scanner, 0, 1, NULL, "the file is empty");
	r = value_read(scanner);
	if (r)
		return r;
	space_skip(scanner);
	if (scanner->at < scanner->len)
		return refuse_byte(scanner, "the end of the file");
	return scanner->keys_twice ? DOC_REFUSED : 0;
}

int doc_parse(const char *text, size_t len, uint32_t file, struct diags *diags, struct doc *ret)
{
	struct doc doc = { .text = text, .len = len, .file = file, .at_line = 1 };
	struct scanner scanner = { .doc = &doc, .diags = diags, .text = (const unsigned char *)text, .len = len };
	int r = text_read(&scanner);

	if (r) {
		doc_free(&doc);
		return r;
	}
	*ret = doc;
	return 0;
}

void doc_free(struct doc *doc)
{
	free(doc->values);
	arena_free(&doc->strings);
	*doc = (struct doc){};
}

/* The text was read once already: every escape in it is whole. */
static size_t string_unescape(const char *text, size_t len, char *out)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	size_t at = 0, n = 0;
	uint32_t code = 0;
	const char *known;

	while (at < len) {
		if (text[at] != '\\') {
			out[n++] = text[at++];
		} else if (text[at + 1] == 'u') {
			at += unicode_read((const unsigned char *)text, at, len, &code);
			n += utf8_put(code, out + n);
		} else {
			known = strchr(from, text[at + 1]);
			out[n++] = known ? to[known - from] : text[at + 1];
			at += 2;
		}
	}
	return n;
}

const char *doc_string(struct doc *doc, uint32_t value, size_t *ret_len)
{
	const struct doc_value *v = &doc->values[value];
	const char *text = doc->text + v->off + 1;
	size_t len = v->len - 2;
	char *out;

	*ret_len = len;
	if (!v->escaped)
		return text;
	out = arena_alloc(&doc->strings, len);
	if (out)
		*ret_len = string_unescape(text, len, out);
	return out;
}

static void cursor_move(struct doc *doc, uint32_t off)
{
	const char *found;

	while (off < doc->at_line_off) {
		doc->at_line--;
		found = doc->at_line_off > 1 ? memrchr(doc->text, '\n', doc->at_line_off - 1) : NULL;
		doc->at_line_off = found ? found + 1 - doc->text : 0;
		doc->at_off = doc->at_line_off;
	}
	while (off > doc->at_off) {
		found = memchr(doc->text + doc->at_off, '\n', off - doc->at_off);
		if (!found)
			break;
		doc->at_line++;
		doc->at_line_off = doc->at_off = found + 1 - doc->text;
	}
	doc->at_off = off;
}

static struct place off_place(struct doc *doc, uint32_t off, uint32_t len)
{
	cursor_move(doc, off);
	return (struct place){
		.file = doc->file, .line = doc->at_line, .column = off - doc->at_line_off + 1, .len = len
	};
}

struct place doc_place(struct doc *doc, uint32_t value)
{
	return off_place(doc, doc->values[value].off, doc->values[value].len);
}

/* Bytes of the text that spell the first @off bytes of an escaped string's value. */
static size_t spelled_len(const char *text, size_t len, size_t off)
{
	size_t at = 0, n = 0;
	uint32_t code = 0;
	char bytes[4];

	while (at < len && n < off) {
		if (text[at] != '\\') {
			at++;
			n++;
		} else if (text[at + 1] == 'u') {
			at += unicode_read((const unsigned char *)text, at, len, &code);
			n += utf8_put(code, bytes);
		} else {
			at += 2;
			n++;
		}
	}
	return at;
}

struct place doc_place_inside(struct doc *doc, uint32_t value, size_t off, size_t len)
{
	const struct doc_value *v = &doc->values[value];
	const char *text = doc->text + v->off + 1;
	size_t first = off, last = off + len;

	if (v->escaped) {
		first = spelled_len(text, v->len - 2, off);
		last = spelled_len(text, v->len - 2, off + len);
	}
	if (last > v->len - 1)
		return doc_place(doc, value);
	return off_place(doc, v->off + 1 + first, last - first);
}

const char *doc_type_name(enum doc_type type)
{
	static const char *const names[] = {
		[DOC_NULL] = "null",	   [DOC_BOOLEAN] = "true or false", [DOC_NUMBER] = "a number",
		[DOC_STRING] = "a string", [DOC_ARRAY] = "a list",	    [DOC_OBJECT] = "an object",
		[DOC_KEY] = "a key",
	};

	return names[type];
}
