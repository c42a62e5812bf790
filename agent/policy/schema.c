/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys of a policy file, as tables. */
#include <string.h>

#include "agent/policy/names.h"
#include "agent/policy/schema.h"

enum {
	IS_STRING = 1 << DOC_STRING,
	IS_NUMBER = 1 << DOC_NUMBER,
	IS_BOOLEAN = 1 << DOC_BOOLEAN,
	IS_OBJECT = 1 << DOC_OBJECT,
	IS_ARRAY = 1 << DOC_ARRAY,
	IS_STRINGS = 1 << 16, /* a string, or a list of at least one */
	IS_IDS = 1 << 17, /* the same, and numbers beside strings */
};

/* Keys of the language that this version does not hold are known, so that they are not taken for a slip. */
enum key_is {
	KEY_OPTIONAL,
	KEY_REQUIRED,
	KEY_LATER,
};

struct key {
	const char *name;
	enum key_is is;
	uint32_t types;
	const char *example; /* of a key that must stand */
};

struct shape {
	const char *what;
	const struct key *keys;
	size_t n_known; /* of these the values are given to the caller */
	size_t n_keys;
};

#define VERSION_EXAMPLE "\"version\": 1"
#define DEFAULT_EXAMPLE "\"default\": \"allow\", or an object that says allow or deny for each class"

static const struct key policy_keys[] = {
	[POLICY_SCHEMA] = { "$schema", KEY_OPTIONAL, IS_STRING },
	[POLICY_VERSION] = { "version", KEY_REQUIRED, IS_NUMBER, VERSION_EXAMPLE },
	[POLICY_NAME] = { "name", KEY_REQUIRED, IS_STRING, "\"name\": \"web\"" },
	[POLICY_DESCRIPTION] = { "description", KEY_OPTIONAL, IS_STRING },
	[POLICY_SUBJECT] = { "subject", KEY_REQUIRED, IS_OBJECT, "\"subject\": { \"exe\": \"/usr/sbin/nginx\" }" },
	[POLICY_MODE] = { "mode", KEY_OPTIONAL, IS_STRING },
	[POLICY_DEFAULT] = { "default", KEY_REQUIRED, IS_STRING | IS_OBJECT, DEFAULT_EXAMPLE },
	[POLICY_INCLUDE] = { "include", KEY_OPTIONAL, IS_STRINGS },
	[POLICY_VARIABLES] = { "variables", KEY_OPTIONAL, IS_OBJECT },
	[POLICY_RULES] = { "rules", KEY_OPTIONAL, IS_ARRAY },
};

/* Fewer keys than a policy, the same numbers: a key without a name is none. */
static const struct key part_keys[] = {
	[POLICY_SCHEMA] = { "$schema", KEY_OPTIONAL, IS_STRING },
	[POLICY_VERSION] = { "version", KEY_REQUIRED, IS_NUMBER, VERSION_EXAMPLE },
	[POLICY_DESCRIPTION] = { "description", KEY_OPTIONAL, IS_STRING },
	[POLICY_INCLUDE] = { "include", KEY_OPTIONAL, IS_STRINGS },
	[POLICY_VARIABLES] = { "variables", KEY_OPTIONAL, IS_OBJECT },
	[POLICY_RULES] = { "rules", KEY_OPTIONAL, IS_ARRAY },
};

static const struct key test_keys[] = {
	[TEST_SCHEMA] = { "$schema", KEY_OPTIONAL, IS_STRING },
	[TEST_VERSION] = { "version", KEY_REQUIRED, IS_NUMBER, VERSION_EXAMPLE },
	[TEST_DESCRIPTION] = { "description", KEY_OPTIONAL, IS_STRING },
	[TEST_POLICIES] = { "policies", KEY_OPTIONAL, IS_STRINGS },
	[TEST_EXE] = { "exe", KEY_OPTIONAL, IS_STRINGS },
	[TEST_CASES] = { "cases", KEY_REQUIRED, IS_ARRAY, "\"cases\": [{ \"deny\": \"read\", \"path\": \"/etc/shadow\" }]" },
};
_Static_assert((int)TEST_VERSION == (int)POLICY_VERSION, "version_check() looks for one of them");

static const struct key case_keys[] = {
	[CASE_KEY_ALLOW] = { "allow", KEY_OPTIONAL, IS_STRINGS },
	[CASE_KEY_DENY] = { "deny", KEY_OPTIONAL, IS_STRINGS },
	[CASE_KEY_AUDIT] = { "audit", KEY_OPTIONAL, IS_STRINGS },
	[CASE_KEY_EXE] = { "exe", KEY_OPTIONAL, IS_STRINGS },
	[CASE_KEY_PATH] = { "path", KEY_OPTIONAL, IS_STRINGS },
	[CASE_KEY_NEW] = { "new", KEY_OPTIONAL, IS_STRING },
	[CASE_KEY_INTERPRETER] = { "interpreter", KEY_OPTIONAL, IS_STRING },
	[CASE_KEY_DEVICE] = { "device", KEY_OPTIONAL, IS_BOOLEAN },
	[CASE_KEY_TO] = { "to", KEY_OPTIONAL, IS_STRINGS },
	[CASE_KEY_NAME] = { "name", KEY_OPTIONAL, IS_STRINGS },
	[CASE_KEY_BY] = { "by", KEY_OPTIONAL, IS_STRINGS },
	[CASE_KEY_DESCRIPTION] = { "description", KEY_OPTIONAL, IS_STRING },
};

static const struct key subject_keys[] = {
	[SUBJECT_EXE] = { "exe", KEY_OPTIONAL, IS_STRINGS },
	[SUBJECT_UNIT] = { "unit", KEY_OPTIONAL, IS_STRINGS },
	[SUBJECT_CGROUP] = { "cgroup", KEY_OPTIONAL, IS_STRINGS },
	[SUBJECT_UID] = { "uid", KEY_OPTIONAL, IS_IDS },
	[SUBJECT_GID] = { "gid", KEY_OPTIONAL, IS_IDS },
	[SUBJECT_CHILDREN] = { "children", KEY_OPTIONAL, IS_BOOLEAN },
};

static const struct key rule_keys[] = {
	[RULE_ALLOW] = { "allow", KEY_OPTIONAL, IS_STRINGS },
	[RULE_DENY] = { "deny", KEY_OPTIONAL, IS_STRINGS },
	[RULE_PATH] = { "path", KEY_OPTIONAL, IS_STRINGS },
	[RULE_TO] = { "to", KEY_OPTIONAL, IS_STRINGS },
	[RULE_NAME] = { "name", KEY_OPTIONAL, IS_STRINGS },
	[RULE_LOG] = { "log", KEY_OPTIONAL, IS_BOOLEAN },
	[RULE_KILL] = { "kill", KEY_OPTIONAL, IS_BOOLEAN },
	[RULE_REASON] = { "reason", KEY_OPTIONAL, IS_STRING },
	[RULE_ID] = { "id", KEY_OPTIONAL, IS_STRING },
	{ "then", KEY_LATER },
	{ "owner", KEY_LATER },
};

#define SHAPE(what, keys, n_known) \
	{ \
		what, keys, n_known, sizeof(keys) / sizeof(*(keys)) \
	}

static const struct shape policy_shapes[] = {
	[FILE_POLICY] = SHAPE("a policy", policy_keys, N_POLICY_KEYS),
	[FILE_ABSTRACTION] = SHAPE("an abstraction", part_keys, N_POLICY_KEYS),
	[FILE_DROP_IN] = SHAPE("a drop-in", part_keys, N_POLICY_KEYS),
	[FILE_TEST] = SHAPE("a test", test_keys, N_TEST_KEYS),
};
static const struct shape subject_shape = SHAPE("'subject'", subject_keys, N_SUBJECT_KEYS);
static const struct shape rule_shape = SHAPE("a rule", rule_keys, N_RULE_KEYS);
static const struct shape case_shape = SHAPE("a case", case_keys, N_CASE_KEYS);

uint32_t strings_next(const struct doc *doc, uint32_t value, uint32_t at)
{
	uint32_t next;

	if (doc->values[value].type == DOC_STRING)
		return at ? 0 : value;
	next = at ? doc->values[at].end : value + 1;
	return next < doc->values[value].end ? next : 0;
}

static const struct key *key_find(const struct shape *shape, const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < shape->n_keys; i++) {
		const char *name = shape->keys[i].name;

		if (name && !strncmp(name, word, len) && !name[len])
			return &shape->keys[i];
	}
	return NULL;
}

#define WORD_MAX 64
#define SHOWN(len) ((int)((len) < WORD_MAX ? (len) : WORD_MAX))

static void key_unknown(struct doc *doc, uint32_t value, const struct shape *shape, const char *word, size_t len,
			struct diags *diags)
{
	const char *names[24] = {}, *near;
	char mend[WORD_MAX + 32];
	size_t i, n = 0;

	for (i = 0; i < shape->n_keys && n < 24; i++) {
		if (shape->keys[i].is != KEY_LATER)
			names[n++] = shape->keys[i].name;
	}
	near = word_nearest(word, len, names, n);
	snprintf(mend, sizeof(mend), near ? "did you mean '%s'?" : "remove it", near);
	diag_add(diags, DIAG_ERROR, "unknown-key", doc_place(doc, value), mend, "%s has no key '%.*s'", shape->what,
		 SHOWN(len), word);
}

/* A key is right, but in an object of another kind. */
static bool key_elsewhere(struct doc *doc, uint32_t value, const struct shape *shape, const char *word, size_t len,
			  struct diags *diags)
{
	if (shape->keys != part_keys || !key_find(&policy_shapes[FILE_POLICY], word, len))
		return false;
	diag_add(diags, DIAG_ERROR, "misplaced-key", doc_place(doc, value), "move it to the policy",
		 "%s has no '%.*s': it holds 'rules', 'variables' and 'include' only", shape->what, SHOWN(len), word);
	return true;
}

static bool strings_check(struct doc *doc, uint32_t value, const char *name, struct diags *diags)
{
	const struct doc_value *v = &doc->values[value];
	bool right = true;
	uint32_t at = 0;

	if (v->type == DOC_ARRAY && !v->n) {
		diag_add(diags, DIAG_ERROR, "empty-list", doc_place(doc, value), NULL, "the list of '%s' is empty",
			 name);
		return false;
	}
	while ((at = strings_next(doc, value, at))) {
		if (doc->values[at].type != DOC_STRING) {
			diag_add(diags, DIAG_ERROR, "wrong-type", doc_place(doc, at), NULL,
				 "the list of '%s' holds strings, not %s", name, doc_type_name(doc->values[at].type));
			right = false;
		}
	}
	return right;
}

/* A list of strings and numbers, or one of them. */
static bool ids_check(struct doc *doc, uint32_t value, const char *name, struct diags *diags)
{
	const struct doc_value *v = &doc->values[value];
	bool right = true;
	uint32_t at = value + 1;

	if (v->type != DOC_ARRAY)
		return true;
	if (!v->n) {
		diag_add(diags, DIAG_ERROR, "empty-list", doc_place(doc, value), NULL, "the list of '%s' is empty",
			 name);
		return false;
	}
	for (; at < v->end; at = doc->values[at].end) {
		if (1u << doc->values[at].type & (IS_STRING | IS_NUMBER))
			continue;
		diag_add(diags, DIAG_ERROR, "wrong-type", doc_place(doc, at), NULL,
			 "the list of '%s' holds names and numbers, not %s", name, doc_type_name(doc->values[at].type));
		right = false;
	}
	return right;
}

static const char *types_name(uint32_t types)
{
	switch (types) {
	case IS_IDS:
		return "a name, a number, a range or a list of them";
	case IS_STRINGS:
		return "a string or a list of strings";
	case IS_STRING | IS_OBJECT:
		return "a string or an object";
	case IS_STRING:
		return "a string";
	case IS_NUMBER:
		return "a number";
	case IS_BOOLEAN:
		return "true or false";
	case IS_OBJECT:
		return "an object";
	default:
		return "a list";
	}
}

static bool type_check(struct doc *doc, uint32_t value, const struct key *key, struct diags *diags)
{
	uint32_t is = 1u << doc->values[value].type;

	if (key->types == IS_STRINGS && (is & (IS_STRING | IS_ARRAY)))
		return strings_check(doc, value, key->name, diags);
	if (key->types == IS_IDS && (is & (IS_STRING | IS_NUMBER | IS_ARRAY)))
		return ids_check(doc, value, key->name, diags);
	if (key->types & is)
		return true;
	diag_add(diags, DIAG_ERROR, "wrong-type", doc_place(doc, value), NULL, "'%s' is %s, not %s", key->name,
		 types_name(key->types), doc_type_name(doc->values[value].type));
	return false;
}

static bool key_read(struct doc *doc, uint32_t at, const struct shape *shape, struct diags *diags, uint32_t *keys,
		     uint32_t *stands)
{
	size_t len;
	const char *word = doc_string(doc, at, &len);
	const struct key *key = word ? key_find(shape, word, len) : NULL;

	if (!word) {
		diags->out_of_memory = true;
		return false;
	}
	if (!key) {
		if (!key_elsewhere(doc, at, shape, word, len, diags))
			key_unknown(doc, at, shape, word, len, diags);
		return false;
	}
	if (key->is == KEY_LATER) {
		diag_add(diags, DIAG_ERROR, "later-key", doc_place(doc, at), "remove it: it would not be held",
			 "'%s' is a word of the language that this version of lsmd does not hold yet", key->name);
		return false;
	}
	*stands |= 1u << (key - shape->keys);
	if (!type_check(doc, at + 1, key, diags))
		return false;
	keys[key - shape->keys] = at + 1;
	return true;
}

static bool object_read(struct doc *doc, uint32_t value, const struct shape *shape, struct diags *diags, uint32_t *keys)
{
	uint32_t at = value + 1, stands = 0;
	struct place place = doc_place(doc, value);
	bool right = true;
	size_t i;

	memset(keys, 0, shape->n_known * sizeof(*keys));
	if (doc->values[value].type != DOC_OBJECT) {
		diag_add(diags, DIAG_ERROR, "wrong-type", doc_place(doc, value), NULL, "%s is an object, not %s",
			 shape->what, doc_type_name(doc->values[value].type));
		return false;
	}
	for (; at < doc->values[value].end; at = doc->values[at + 1].end)
		right &= key_read(doc, at, shape, diags, keys, &stands);
	place.len = 1;
	for (i = 0; i < shape->n_keys; i++) {
		if (shape->keys[i].is != KEY_REQUIRED || stands & 1u << i)
			continue;
		diag_add(diags, DIAG_ERROR, "missing-key", place, shape->keys[i].example, "%s needs '%s'", shape->what,
			 shape->keys[i].name);
		right = false;
	}
	return right;
}

static bool version_check(struct doc *doc, uint32_t value, struct diags *diags)
{
	const struct doc_value *v = &doc->values[value];

	if (!value || (v->len == 1 && doc->text[v->off] == '1'))
		return true;
	diag_add(diags, DIAG_ERROR, "version", doc_place(doc, value), VERSION_EXAMPLE,
		 "this version of lsmd reads version 1 of the language only");
	return false;
}

bool schema_policy(struct doc *doc, enum file_kind kind, struct diags *diags, uint32_t keys[N_POLICY_KEYS])
{
	bool right = object_read(doc, 0, &policy_shapes[kind], diags, keys);

	return version_check(doc, keys[POLICY_VERSION], diags) && right;
}

bool schema_subject(struct doc *doc, uint32_t value, struct diags *diags, uint32_t keys[N_SUBJECT_KEYS])
{
	struct place place = doc_place(doc, value);

	if (!object_read(doc, value, &subject_shape, diags, keys))
		return false;
	if (keys[SUBJECT_EXE] || keys[SUBJECT_UNIT] || keys[SUBJECT_CGROUP] || keys[SUBJECT_UID] || keys[SUBJECT_GID])
		return true;
	place.len = 1;
	diag_add(diags, DIAG_ERROR, "missing-key", place, "\"exe\": \"/usr/sbin/nginx\"",
		 "'subject' needs 'exe', 'unit', 'cgroup', 'uid' or 'gid'");
	return false;
}

bool schema_rule(struct doc *doc, uint32_t value, struct diags *diags, uint32_t keys[N_RULE_KEYS])
{
	return object_read(doc, value, &rule_shape, diags, keys);
}

bool schema_case(struct doc *doc, uint32_t value, struct diags *diags, uint32_t keys[N_CASE_KEYS])
{
	return object_read(doc, value, &case_shape, diags, keys);
}
