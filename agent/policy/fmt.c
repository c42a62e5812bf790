// SPDX-License-Identifier: LGPL-2.1-or-later
/* Documents written down in their canonical form. */
#include "agent/policy/fmt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/text.h"
#include "agent/util/cleanup.h"

/* Where an object stands, and so the order of its keys. */
enum part {
	PART_FILE,
	PART_SUBJECT,
	PART_RULE, /* of "rules" and "cases" */
	PART_OTHER, /* "default", "variables": as they are written */
	N_PARTS,
};

#define KEYS_MAX 24
static const char *const orders[N_PARTS][KEYS_MAX] = {
	[PART_FILE] = { "$schema", "version", "name", "description", "subject", "mode", "default", "include", "variables",
			"policies", "exe", "rules", "cases" },
	[PART_SUBJECT] = { "exe", "unit", "cgroup", "uid", "gid", "children" },
	[PART_RULE] = { "exe", "uid", "gid", "unit", "cgroup", "allow", "deny", "audit", "path", "new", "interpreter", "device",
			"to", "name", "owner", "then", "log", "kill", "by", "id", "reason", "description" },
};

struct writer {
	struct doc *doc;
	struct buf *out;
	bool failed;
};

static unsigned int key_rank(struct writer *writer, enum part part, uint32_t key)
{
	size_t len;
	const char *word = doc_string(writer->doc, key, &len);

	for (unsigned int i = 0; word && i < KEYS_MAX && orders[part][i]; i++)
		if (strlen(orders[part][i]) == len && !memcmp(orders[part][i], word, len))
			return i;
	writer->failed |= !word;
	return KEYS_MAX;
}

struct member {
	unsigned int rank;
	uint32_t key;
};

static int member_compare(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return (x->key > y->key) - (x->key < y->key);
}

/* The members of an object in their order; NULL: no memory */
static struct member *members_sorted(struct writer *writer, enum part part, uint32_t object)
{
	const struct doc_value *values = writer->doc->values;
	struct member *members = calloc(values[object].n + 1ul, sizeof(*members));
	size_t n = 0;

	for (uint32_t key = object + 1; members && key < values[object].end; key = values[key + 1].end)
		members[n++] = (struct member){ key_rank(writer, part, key), key };
	if (n)
		qsort(members, n, sizeof(*members), member_compare);
	writer->failed |= !members;
	return members;
}

static void string_write(struct writer *writer, uint32_t value)
{
	size_t len;
	const char *text = doc_string(writer->doc, value, &len);

	if (!text) {
		writer->failed = true;
		return;
	}
	buf_add_byte(writer->out, '"');
	for (size_t i = 0; i < len;) {
		size_t n = utf8_len(text + i, len - i);
		uint32_t code = n ? utf8_code(text + i, n) : (unsigned char)text[i];

		if (code == '"' || code == '\\')
			buf_printf(writer->out, "\\%c", (char)code);
		else if (code_visible(code) && n)
			buf_add(writer->out, text + i, n);
		else if (code < 0x10000)
			buf_printf(writer->out, "\\u%04x", code);
		else
			buf_printf(writer->out, "\\u%04x\\u%04x", 0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
		i += n ? n : 1;
	}
	buf_add_byte(writer->out, '"');
}

static enum part part_below(struct writer *writer, enum part part, uint32_t key)
{
	size_t len;
	const char *word = doc_string(writer->doc, key, &len);

	if (part != PART_FILE || !word)
		return PART_OTHER;
	if (len == 7 && !memcmp(word, "subject", 7))
		return PART_SUBJECT;
	return len == 5 && (!memcmp(word, "rules", 5) || !memcmp(word, "cases", 5)) ? PART_RULE : PART_OTHER;
}

/* A list of one string says what the string alone would, but in "rules" and "cases". */
static uint32_t value_bare(const struct writer *writer, uint32_t value)
{
	const struct doc_value *values = writer->doc->values;

	if (values[value].type == DOC_ARRAY && values[value].n == 1 && values[value + 1].type == DOC_STRING)
		return value + 1;
	return value;
}

static void inline_write(struct writer *writer, enum part part, uint32_t value);

static void object_inline(struct writer *writer, enum part part, uint32_t value)
{
	struct member *members = members_sorted(writer, part, value);
	const uint32_t n = writer->doc->values[value].n;

	buf_add_string(writer->out, n ? "{ " : "{");
	for (uint32_t i = 0; members && i < n; i++) {
		buf_add_string(writer->out, i ? ", " : "");
		string_write(writer, members[i].key);
		buf_add_string(writer->out, ": ");
		inline_write(writer, part_below(writer, part, members[i].key), value_bare(writer, members[i].key + 1));
	}
	buf_add_string(writer->out, n ? " }" : "}");
	free(members);
}

/* On one line. The depth of documents is bounded, and with it this recursion. */
static void inline_write(struct writer *writer, enum part part, uint32_t value)
{
	const struct doc_value *v = &writer->doc->values[value];
	bool first = true;

	switch ((enum doc_type)v->type) {
	case DOC_OBJECT:
		object_inline(writer, part, value);
		break;
	case DOC_ARRAY:
		buf_add_byte(writer->out, '[');
		for (uint32_t at = value + 1; at < v->end; at = writer->doc->values[at].end, first = false) {
			buf_add_string(writer->out, first ? "" : ", ");
			inline_write(writer, part, at);
		}
		buf_add_byte(writer->out, ']');
		break;
	case DOC_STRING:
	case DOC_KEY:
		string_write(writer, value);
		break;
	default:
		buf_add(writer->out, writer->doc->text + v->off, v->len);
	}
}

static void indent(struct writer *writer, unsigned int depth)
{
	buf_printf(writer->out, "\n%*s", (int)(2 * depth), "");
}

/* Columns that the last line has. */
static size_t column_now(const struct writer *writer)
{
	const char *newline = writer->out->len ? memrchr(writer->out->bytes, '\n', writer->out->len) : NULL;

	return writer->out->len - (newline ? newline + 1 - writer->out->bytes : 0);
}

static void value_write(struct writer *writer, enum part part, uint32_t value, unsigned int depth);

static void object_broken(struct writer *writer, enum part part, uint32_t value, unsigned int depth)
{
	struct member *members = members_sorted(writer, part, value);
	const uint32_t n = writer->doc->values[value].n;

	buf_add_byte(writer->out, '{');
	for (uint32_t i = 0; members && i < n; i++) {
		indent(writer, depth + 1);
		string_write(writer, members[i].key);
		buf_add_string(writer->out, ": ");
		value_write(writer, part_below(writer, part, members[i].key), value_bare(writer, members[i].key + 1),
			    depth + 1);
		buf_add_string(writer->out, i + 1 < n ? "," : "");
	}
	indent(writer, depth);
	buf_add_byte(writer->out, '}');
	free(members);
}

static void array_broken(struct writer *writer, enum part part, uint32_t value, unsigned int depth)
{
	const struct doc_value *values = writer->doc->values;

	buf_add_byte(writer->out, '[');
	for (uint32_t at = value + 1; at < values[value].end; at = values[at].end) {
		indent(writer, depth + 1);
		if (part == PART_RULE)
			inline_write(writer, part, at);
		else
			value_write(writer, part, at, depth + 1);
		buf_add_string(writer->out, values[at].end < values[value].end ? "," : "");
	}
	indent(writer, depth);
	buf_add_byte(writer->out, ']');
}

/* The whole file and lists of rules are always broken; what else fits stands on the line. */
static void value_write(struct writer *writer, enum part part, uint32_t value, unsigned int depth)
{
	const struct doc_value *v = &writer->doc->values[value];
	bool array = v->type == DOC_ARRAY, whole = part == PART_FILE || (part == PART_RULE && array);
	size_t len = writer->out->len, column = column_now(writer);

	if (!whole || !v->n || (!array && v->type != DOC_OBJECT)) {
		inline_write(writer, part, value);
		/* A comma may follow. */
		if (!v->n || (!array && v->type != DOC_OBJECT) || column + writer->out->len - len < FMT_COLUMNS)
			return;
		writer->out->len = len;
	}
	if (array)
		array_broken(writer, part, value, depth);
	else
		object_broken(writer, part, value, depth);
}

int fmt_write(struct doc *doc, struct buf *out)
{
	struct writer writer = { .doc = doc, .out = out };

	value_write(&writer, doc->values[0].type == DOC_OBJECT ? PART_FILE : PART_OTHER, 0, 0);
	buf_add_byte(out, '\n');
	return writer.failed || out->failed ? -ENOMEM : 0;
}
