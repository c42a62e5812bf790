// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Cases written as JSON. Each reads like the rule that it holds to its word, with names instead of patterns; every verb at every
 * object is one case, spelled as the columns of a table.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/cases.h"
#include "agent/policy/named.h"
#include "agent/policy/names.h"
#include "agent/policy/source.h"
#include "agent/util/buf.h"
#include "agent/util/cleanup.h"

/* Cases of one file, every verb at every object. */
#define CASES_MAX 100000

struct case_reader {
	struct doc *doc;
	struct diags *diags;
	const char *policies; /* as in a table */
	const char *exe; /* of cases that name none; "" : they must */
	struct case_table *table;
	size_t room;
};

static int refuse(const struct case_reader *reader, uint32_t value, const char *mend, const char *message)
{
	diag_add(reader->diags, DIAG_ERROR, "bad-case", doc_place(reader->doc, value), mend, "%s", message);
	return SOURCE_REFUSED;
}

/* Strings as one column: joined by ',', and what would end a name written as a byte. */
static int column_read(const struct case_reader *reader, uint32_t strings, struct buf *ret)
{
	uint32_t at = 0;

	while ((at = strings_next(reader->doc, strings, at))) {
		size_t len;
		const char *text = doc_string(reader->doc, at, &len);

		if (!text)
			return -ENOMEM;
		if (ret->len)
			buf_add_byte(ret, ',');
		for (size_t i = 0; i < len; i++) {
			if (text[i] == ',' || text[i] == ';')
				buf_printf(ret, "\\x%02x", text[i]);
			else
				buf_add_byte(ret, text[i]);
		}
	}
	return ret->failed ? -ENOMEM : 0;
}

static int column_take(struct buf *buf, char **ret)
{
	*ret = buf->failed ? NULL : strdup(buf->bytes ? buf->bytes : "");
	return *ret ? 0 : -ENOMEM;
}

/* "netlink:route" as a table spells it: by its numbers. What is no name of the verb stays as it is, and is refused. */
static void name_column(int verb, const char *text, size_t len, struct buf *column)
{
	char path[NAMED_LEN_MAX];
	size_t path_len;

	if (len == 1 && *text == '*') {
		buf_add_byte(column, '-');
		return;
	}
	if (named_read(NULL, 1u << verb, text, len, path, &path_len)) {
		buf_add(column, text, len);
		return;
	}
	for (size_t at = 0; at < path_len; at += 1 + LSMD_NAME_DIGITS) {
		char digits[LSMD_NAME_DIGITS + 1] = {};

		memcpy(digits, path + at + 1, LSMD_NAME_DIGITS);
		buf_printf(column, "%s:%lu", at ? "" : "name", strtoul(digits, NULL, 16));
	}
}

/* The object as a table spells it. */
static int object_column(const struct case_reader *reader, const uint32_t keys[N_CASE_KEYS], int verb, uint32_t object,
			 char **ret)
{
	const uint32_t second = keys[CASE_KEY_NEW] ? keys[CASE_KEY_NEW] : keys[CASE_KEY_INTERPRETER];
	_cleanup_buf_ struct buf column = {};
	size_t len, other_len = 0;
	const char *text = doc_string(reader->doc, object, &len);
	const char *other = second ? doc_string(reader->doc, second, &other_len) : "";

	if (!text || !other)
		return -ENOMEM;
	if (keys[CASE_KEY_INTERPRETER])
		buf_add_string(&column, "script:");
	if (keys[CASE_KEY_DEVICE] && reader->doc->values[keys[CASE_KEY_DEVICE]].truth)
		buf_add_string(&column, "char:");
	if (verbs[verb].object == VERB_NAME)
		name_column(verb, text, len, &column);
	else
		buf_add(&column, text, len);
	if (second)
		buf_add_string(&column, "->");
	buf_add(&column, other, other_len);
	return column_take(&column, ret);
}

/* The list that a table's lines lie in; grows by doubling. */
static struct test_case *case_add(struct case_reader *reader)
{
	struct case_table *table = reader->table;
	struct test_case *more;

	if (table->n_cases == reader->room) {
		size_t room = reader->room ? reader->room * 2 : 16;

		more = reallocarray(table->cases, room, sizeof(*more));
		if (!more)
			return NULL;
		table->cases = more;
		reader->room = room;
	}
	more = &table->cases[table->n_cases++];
	memset(more, 0, sizeof(*more));
	more->table = table->name;
	return more;
}

static int case_words(const struct case_reader *reader, const uint32_t keys[N_CASE_KEYS], struct test_case *c)
{
	_cleanup_buf_ struct buf exe = {}, by = {}, text = {};
	const char *description;
	size_t len;
	int r = 0;

	if (keys[CASE_KEY_EXE])
		r = column_read(reader, keys[CASE_KEY_EXE], &exe);
	else
		buf_add_string(&exe, reader->exe);
	if (!r && keys[CASE_KEY_BY])
		r = column_read(reader, keys[CASE_KEY_BY], &by);
	if (!r && keys[CASE_KEY_DESCRIPTION]) {
		description = doc_string(reader->doc, keys[CASE_KEY_DESCRIPTION], &len);
		r = description ? 0 : -ENOMEM;
		buf_add(&text, description, r ? 0 : len);
	}
	if (!r)
		r = column_take(&exe, &c->subject);
	if (!r && keys[CASE_KEY_BY])
		r = column_take(&by, &c->by);
	if (!r && keys[CASE_KEY_DESCRIPTION])
		r = column_take(&text, &c->text);
	return r;
}

static int case_make(struct case_reader *reader, const uint32_t keys[N_CASE_KEYS], enum case_verdict verdict,
		     int verb_number, uint32_t verb, uint32_t object)
{
	struct test_case *c;
	size_t len;
	const char *word = doc_string(reader->doc, verb, &len);
	int r;

	if (reader->table->n_cases == CASES_MAX)
		return refuse(reader, object, "split the file", "the file asks for more than 100000 accesses");
	c = case_add(reader);
	if (!c || !word)
		return -ENOMEM;
	c->verdict = verdict;
	c->line = doc_place(reader->doc, object).line;
	c->policies = strdup(reader->policies);
	c->access = strndup(word, len);
	r = c->policies && c->access ? case_words(reader, keys, c) : -ENOMEM;
	if (!r)
		r = object_column(reader, keys, verb_number, object, &c->object);
	if (!r)
		r = case_fill(c);
	if (!r && (!c->ask.n_programs || !c->ask.programs[0].len || c->ask.programs[0].bytes[0] != '/'))
		return refuse(reader, object, NULL, "a program is named by its absolute path");
	return r != -EINVAL ? r : refuse(reader, object, NULL,
					 "this cannot be asked: no program or object is spelled so");
}

/* A verb of the language that this version holds, or one of the words of tables: rename-over, exchange, interpret. */
static int verb_check(const struct case_reader *reader, uint32_t value, int *verb)
{
	size_t len;
	const char *word = doc_string(reader->doc, value, &len), *near;
	char mend[64];

	if (!word)
		return -ENOMEM;
	*verb = verb_find(word, len);
	if ((len == 11 && !memcmp(word, "rename-over", 11)) || (len == 8 && !memcmp(word, "exchange", 8)))
		*verb = LSMD_VERB_RENAME;
	if (len == 9 && !memcmp(word, "interpret", 9))
		*verb = LSMD_VERB_EXEC;
	if (*verb >= 0)
		return 0;
	near = verb_nearest(word, len, false);
	snprintf(mend, sizeof(mend), "did you mean '%s'?", near ? near : "");
	return refuse(reader, value, near ? mend : NULL, "there is no such verb");
}

/* Which of "path", "to" and "name" the verb takes; 0: an error was added. */
static uint32_t objects_of(const struct case_reader *reader, uint32_t value, const uint32_t keys[N_CASE_KEYS], int verb)
{
	static const enum case_key by_object[] = {
		[VERB_PATH] = CASE_KEY_PATH, [VERB_TO] = CASE_KEY_TO, [VERB_NAME] = CASE_KEY_NAME
	};
	const uint32_t objects = keys[by_object[verbs[verb].object]];
	const bool two = verb == LSMD_VERB_RENAME || verb == LSMD_VERB_LINK;

	if (!objects)
		refuse(reader, value, "\"path\" for files, \"to\" for the network, \"name\" for the rest",
		       "the case names no object that its verb acts on");
	else if (!!keys[CASE_KEY_NEW] != two)
		refuse(reader, value, NULL, two ? "the verb needs the other name: \"new\"" : "the verb has no other name");
	else
		return objects;
	return 0;
}

static int case_verbs(struct case_reader *reader, uint32_t value, const uint32_t keys[N_CASE_KEYS],
		      enum case_verdict verdict, uint32_t decision)
{
	uint32_t at = 0;
	int verb, r = 0;

	while (!r && (at = strings_next(reader->doc, decision, at))) {
		uint32_t objects, object = 0;

		r = verb_check(reader, at, &verb);
		if (r)
			break;
		objects = objects_of(reader, value, keys, verb);
		if (!objects)
			return SOURCE_REFUSED;
		while (!r && (object = strings_next(reader->doc, objects, object)))
			r = case_make(reader, keys, verdict, verb, at, object);
	}
	return r;
}

static int case_json(struct case_reader *reader, uint32_t value)
{
	static const enum case_key decisions[] = {
		[CASE_ALLOW] = CASE_KEY_ALLOW, [CASE_DENY] = CASE_KEY_DENY, [CASE_AUDIT] = CASE_KEY_AUDIT
	};
	uint32_t keys[N_CASE_KEYS], decision = 0;
	enum case_verdict verdict = CASE_ALLOW;
	unsigned int n = 0;

	if (!schema_case(reader->doc, value, reader->diags, keys))
		return SOURCE_REFUSED;
	for (size_t i = 0; i < sizeof(decisions) / sizeof(*decisions); i++) {
		if (!keys[decisions[i]])
			continue;
		verdict = i;
		decision = keys[decisions[i]];
		n++;
	}
	if (n != 1)
		return refuse(reader, value, "{ \"deny\": \"read\", \"path\": \"/etc/shadow\" }",
			      "a case has one of 'allow', 'deny' and 'audit'");
	if (!keys[CASE_KEY_EXE] && !*reader->exe)
		return refuse(reader, value, "write \"exe\" here, or once beside \"cases\"",
			      "whose access this is does not stand here");
	return case_verbs(reader, value, keys, verdict, decision);
}

/* All cases are looked at, whatever is wrong with the first. */
static int cases_json(struct case_reader *reader, uint32_t list)
{
	const struct doc *doc = reader->doc;
	int r, worst = 0;

	for (uint32_t at = list + 1; at < doc->values[list].end; at = doc->values[at].end) {
		r = case_json(reader, at);
		if (r < 0)
			return r;
		worst = r ? r : worst;
	}
	return worst;
}

int case_json_read(struct files *files, const char *path, struct diags *diags, struct case_table *ret)
{
	__attribute__((cleanup(source_free))) struct source source = {};
	_cleanup_buf_ struct buf policies = {}, exe = {};
	struct case_table table = { .name = strdup(path) };
	struct case_reader reader = { .doc = &source.doc, .diags = diags, .table = &table };
	int r = table.name ? source_read(files, path, FILE_TEST, diags, &source) : -ENOMEM;

	if (!r && !source.right)
		r = SOURCE_REFUSED;
	if (!r && source.keys[TEST_POLICIES])
		r = column_read(&reader, source.keys[TEST_POLICIES], &policies);
	if (!r && source.keys[TEST_EXE])
		r = column_read(&reader, source.keys[TEST_EXE], &exe);
	reader.policies = policies.bytes ? policies.bytes : "";
	reader.exe = exe.bytes ? exe.bytes : "";
	if (!r)
		r = cases_json(&reader, source.keys[TEST_CASES]);
	if (r) {
		case_table_free(&table);
		return r;
	}
	*ret = table;
	return 0;
}
