/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What rules, defaults and subjects mean. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/policy/ids.h"
#include "agent/policy/rule.h"
#include "agent/policy/schema.h"
#include "agent/policy/text.h"
#include "agent/util/buf.h"

#define WORD_MAX 64
#define REASON_MAX 500
#define SHOWN(len) ((int)((len) < WORD_MAX ? (len) : WORD_MAX))

static bool word_byte(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (!first && (c == '.' || c == '_' || c == '-'));
}

int word_read(struct doc *doc, uint32_t value, const char *what, struct arena *memory, struct diags *diags,
	      const char **ret)
{
	size_t len, i = 0;
	const char *text = doc_string(doc, value, &len);

	if (!text)
		return -ENOMEM;
	while (i < len && word_byte(text[i], i == 0))
		i++;
	if (!len || i < len || len > WORD_MAX) {
		diag_add(diags, DIAG_ERROR, "bad-word", doc_place(doc, value), NULL,
			 "%s is 1 to %d letters, digits, '.', '_' or '-', and begins with a letter or digit", what,
			 WORD_MAX);
		return RULE_REFUSED;
	}
	*ret = arena_copy(memory, text, len);
	return *ret ? 0 : -ENOMEM;
}

int sentence_read(struct doc *doc, uint32_t value, const char *what, size_t max, struct arena *memory,
		  struct diags *diags, const char **ret)
{
	size_t len, i, n = 0;
	const char *text = doc_string(doc, value, &len);

	if (!text)
		return -ENOMEM;
	for (i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	if (n > max) {
		diag_add(diags, DIAG_ERROR, "too-long", doc_place(doc, value), NULL,
			 "%s is at most %zu characters long", what, max);
		return RULE_REFUSED;
	}
	for (i = 0; i < len; i++) {
		if ((unsigned char)text[i] >= 0x20 && text[i] != 0x7f)
			continue;
		diag_add(diags, DIAG_ERROR, "control-character", doc_place(doc, value), NULL,
			 "%s is one line, without control characters", what);
		return RULE_REFUSED;
	}
	*ret = arena_copy(memory, text, len);
	return *ret ? 0 : -ENOMEM;
}

int mode_read(struct doc *doc, uint32_t value, struct diags *diags, enum lsmd_mode *ret)
{
	static const char *const modes[] = {
		[LSMD_MODE_ENFORCE] = "enforce",
		[LSMD_MODE_AUDIT] = "audit",
		[LSMD_MODE_OFF] = "off",
	};
	size_t len, i;
	const char *text = doc_string(doc, value, &len);

	if (!text)
		return -ENOMEM;
	for (i = 0; i < 3; i++) {
		if (strlen(modes[i]) != len || memcmp(modes[i], text, len))
			continue;
		*ret = i;
		return 0;
	}
	diag_add(diags, DIAG_ERROR, "unknown-mode", doc_place(doc, value), "enforce, audit or off",
		 "there is no mode '%.*s'", SHOWN(len), text);
	return RULE_REFUSED;
}

static void verb_unknown(struct doc *doc, uint32_t value, const char *text, size_t len, struct diags *diags)
{
	const char *near = verb_nearest(text, len, false);
	char mend[WORD_MAX];

	snprintf(mend, sizeof(mend), "did you mean '%s'?", near ? near : "");
	diag_add(diags, DIAG_ERROR, "unknown-verb", doc_place(doc, value), near ? mend : NULL,
		 "there is no verb '%.*s'", SHOWN(len), text);
}

/* The verbs of a rule: an access, and the verb whose kind of object it wants. */
struct wanted {
	uint32_t access;
	int first; /* verb; -1: none yet */
};

static const char *const object_keys[] = { [VERB_PATH] = "path", [VERB_TO] = "to", [VERB_NAME] = "name" };

static int verb_read(struct doc *doc, uint32_t value, struct diags *diags, struct wanted *wanted)
{
	size_t len;
	const char *text = doc_string(doc, value, &len);
	int verb = text ? verb_find(text, len) : -1;
	const struct verb *first;

	if (!text)
		return -ENOMEM;
	if (verb < 0) {
		verb_unknown(doc, value, text, len, diags);
		return RULE_REFUSED;
	}
	wanted->access |= verb_access(verb);
	if (wanted->first < 0)
		wanted->first = verb;
	first = &verbs[wanted->first];
	if (first->object == verbs[verb].object)
		return 0;
	diag_add(diags, DIAG_ERROR, "verb-object", doc_place(doc, value), "write two rules",
		 "'%s' takes '%s', and '%s' takes '%s'", first->name, object_keys[first->object], verbs[verb].name,
		 object_keys[verbs[verb].object]);
	return RULE_REFUSED;
}

static int verbs_read(struct doc *doc, uint32_t strings, struct diags *diags, struct wanted *wanted)
{
	uint32_t at = 0;
	int r, worst = 0;

	*wanted = (struct wanted){ .first = -1 };
	while ((at = strings_next(doc, strings, at))) {
		r = verb_read(doc, at, diags, wanted);
		if (r < 0)
			return r;
		if (r)
			worst = r;
	}
	return worst;
}

/* The one key for objects that the verbs take; every other is refused. Returns the value, 0: an error was added. */
static uint32_t object_key(struct doc *doc, uint32_t value, const uint32_t keys[N_RULE_KEYS], int verb,
			   struct diags *diags)
{
	static const enum rule_key rule_keys[] = {
		[VERB_PATH] = RULE_PATH, [VERB_TO] = RULE_TO, [VERB_NAME] = RULE_NAME
	};
	struct place place = doc_place(doc, value);
	const char *right = object_keys[verbs[verb].object];
	bool wrong = false;
	char mend[WORD_MAX];
	size_t i;

	for (i = 0; i < 3; i++) {
		if (i == verbs[verb].object || !keys[rule_keys[i]])
			continue;
		wrong = true;
		snprintf(mend, sizeof(mend), "write '%s'", right);
		diag_add(diags, DIAG_ERROR, "verb-object", doc_place(doc, keys[rule_keys[i]] - 1), mend,
			 "the verb '%s' takes '%s', not '%s'", verbs[verb].name, right, object_keys[i]);
	}
	if (wrong)
		return 0;
	place.len = 1;
	if (!keys[rule_keys[verbs[verb].object]])
		diag_add(diags, DIAG_ERROR, "missing-key", place,
			 verbs[verb].object == VERB_NAME ? "\"name\": \"*\"" : NULL,
			 "a rule with the verb '%s' needs '%s'", verbs[verb].name, right);
	return keys[rule_keys[verbs[verb].object]];
}

/* "log", "kill": which of them may stand in which rule. */
static int flags_read(struct doc *doc, const uint32_t keys[N_RULE_KEYS], struct diags *diags, struct rule *rule)
{
	bool log_said = keys[RULE_LOG], log = log_said && doc->values[keys[RULE_LOG]].truth;

	rule->log = !rule->deny && log;
	rule->silent = rule->deny && log_said && !log;
	rule->kill = keys[RULE_KILL] && doc->values[keys[RULE_KILL]].truth;
	if (!rule->kill || rule->deny)
		return 0;
	diag_add(diags, DIAG_ERROR, "kill-allow", doc_place(doc, keys[RULE_KILL]), "remove it, or write a deny",
		 "only a deny can kill");
	return RULE_REFUSED;
}

static int words_read(struct reader *reader, struct doc *doc, const uint32_t keys[N_RULE_KEYS], struct rule *rule)
{
	int r = 0, r_id = 0;

	if (keys[RULE_REASON])
		r = sentence_read(doc, keys[RULE_REASON], "a reason", REASON_MAX, reader->memory, reader->diags,
				  &rule->reason);
	if (keys[RULE_ID] && r >= 0)
		r_id = word_read(doc, keys[RULE_ID], "a rule's id", reader->memory, reader->diags, &rule->id);
	return r ? r : r_id;
}

static uint32_t decision_key(struct doc *doc, uint32_t value, const uint32_t keys[N_RULE_KEYS], struct diags *diags)
{
	struct place place = doc_place(doc, value);

	place.len = 1;
	if (keys[RULE_ALLOW] && keys[RULE_DENY]) {
		diag_add(diags, DIAG_ERROR, "allow-and-deny", doc_place(doc, keys[RULE_DENY] - 1), "write two rules",
			 "a rule has one of 'allow' and 'deny', not both");
		return 0;
	}
	if (!keys[RULE_ALLOW] && !keys[RULE_DENY])
		diag_add(diags, DIAG_ERROR, "missing-key", place, "\"allow\": \"read\"",
			 "a rule needs 'allow' or 'deny'");
	return keys[RULE_ALLOW] ? keys[RULE_ALLOW] : keys[RULE_DENY];
}

/* Reading and writing what has no name is not mediated (MEANING.md 11). */
static int anonymous_check(struct diags *diags, const struct rule *rule)
{
	if (!(rule->access & ~LSMD_ACCESS_CODE))
		return 0;
	for (size_t i = 0; i < rule->n_objects; i++)
		if (rule->objects[i].kind == OBJECT_ANONYMOUS) {
			diag_add(diags, DIAG_ERROR, "anonymous-verb", rule->objects[i].place,
				 "write a rule of its own for exec and map", "objects without a name are held by exec and map only");
			return RULE_REFUSED;
		}
	return 0;
}

int rule_read(struct reader *reader, struct doc *doc, uint32_t value, struct rule *ret)
{
	struct rule rule = { .place = doc_place(doc, value) };
	uint32_t keys[N_RULE_KEYS], decision, objects;
	struct wanted wanted;
	int r, worst = 0;

	if (!schema_rule(doc, value, reader->diags, keys))
		return RULE_REFUSED;
	decision = decision_key(doc, value, keys, reader->diags);
	if (!decision)
		return RULE_REFUSED;
	rule.deny = decision == keys[RULE_DENY];
	r = flags_read(doc, keys, reader->diags, &rule);
	worst = r ? r : worst;
	r = words_read(reader, doc, keys, &rule);
	worst = r ? r : worst;
	if (r < 0)
		return r;
	r = verbs_read(doc, decision, reader->diags, &wanted);
	if (r)
		return r;
	rule.access = wanted.access;
	objects = object_key(doc, value, keys, wanted.first, reader->diags);
	if (!objects)
		return RULE_REFUSED;
	r = objects_read(reader, doc, objects, (enum strings_kind)verbs[wanted.first].object, wanted.access, rule.deny, &rule.objects, &rule.n_objects);
	if (!r)
		r = anonymous_check(reader->diags, &rule);
	if (r)
		return r < 0 ? r : RULE_REFUSED;
	*ret = rule;
	return worst;
}

/* What a default says: each class, and verbs of their own. */
struct defaults {
	bool class_said[LSMD_N_CLASSES], class_deny[LSMD_N_CLASSES];
	uint32_t class_value[LSMD_N_CLASSES];
	uint32_t verb_value[LSMD_N_VERBS];
	uint32_t verb_said; /* verbs with a key of their own, a group not spelled out */
	uint32_t verb_deny;
};

static int answer_read(struct doc *doc, uint32_t value, struct diags *diags, bool *deny)
{
	const struct doc_value *v = &doc->values[value];
	size_t len = 0;
	const char *text = v->type == DOC_STRING ? doc_string(doc, value, &len) : "";

	if (!text)
		return -ENOMEM;
	*deny = len == 4 && !memcmp(text, "deny", 4);
	if (*deny || (len == 5 && !memcmp(text, "allow", 5)))
		return 0;
	diag_add(diags, DIAG_ERROR, "bad-default", doc_place(doc, value), NULL, "a default is \"allow\" or \"deny\"");
	return RULE_REFUSED;
}

static int default_unknown(struct doc *doc, uint32_t key, const char *word, size_t len, struct diags *diags)
{
	const char *near = verb_nearest(word, len, true);
	char mend[WORD_MAX];

	snprintf(mend, sizeof(mend),
		 near ? "did you mean '%s'?" : "file, exec, network, capability, process, system, or a verb", near);
	diag_add(diags, DIAG_ERROR, "unknown-key", doc_place(doc, key), mend, "there is no class or verb '%.*s'",
		 SHOWN(len), word);
	return RULE_REFUSED;
}

/* "exec" is a class and a verb: as a key it is the class. */
static int default_key(struct doc *doc, uint32_t key, struct diags *diags, struct defaults *defaults)
{
	size_t len;
	const char *word = doc_string(doc, key, &len);
	int class, verb, r;
	bool deny;

	if (!word)
		return -ENOMEM;
	class = class_find(word, len);
	verb = class < 0 ? verb_find(word, len) : -1;
	if (class < 0 && verb < 0)
		return default_unknown(doc, key, word, len, diags);
	r = answer_read(doc, key + 1, diags, &deny);
	if (class >= 0) {
		defaults->class_said[class] = true;
		defaults->class_value[class] = key + 1;
		defaults->class_deny[class] = deny;
	} else {
		defaults->verb_said |= 1u << verb;
		defaults->verb_value[verb] = key + 1;
		defaults->verb_deny |= deny ? 1u << verb : 0;
	}
	return r;
}

static int classes_missing(struct doc *doc, uint32_t value, const struct defaults *defaults, struct diags *diags)
{
	_cleanup_buf_ struct buf names = {}, mend = {};
	struct place place = doc_place(doc, value);
	int i;

	for (i = 0; i < LSMD_N_CLASSES; i++) {
		if (defaults->class_said[i])
			continue;
		buf_printf(&names, "%s%s", names.len ? ", " : "", class_names[i]);
		buf_printf(&mend, "%s\"%s\": \"allow\"", mend.len ? ", " : "add ", class_names[i]);
	}
	if (!names.len)
		return names.failed ? -ENOMEM : 0;
	place.len = 1;
	diag_add(diags, DIAG_ERROR, "default-incomplete", place, mend.bytes,
		 "'default' must say allow or deny for each class; missing: %s", names.bytes);
	return RULE_REFUSED;
}

/* Verb of its own beats the group that it is in, which beats the class. */
static uint32_t defaults_verbs(const struct defaults *defaults)
{
	uint32_t deny = 0, group = 0;
	int i;

	for (i = 0; i < LSMD_N_CLASSES; i++) {
		if (defaults->class_deny[i])
			deny |= class_access(i);
	}
	if (defaults->verb_said & LSMD_ACCESS_WRITE) {
		group = LSMD_ACCESS_WRITE_GROUP;
		deny = defaults->verb_deny & LSMD_ACCESS_WRITE ? deny | group : deny & ~group;
	}
	return (deny & ~defaults->verb_said) | defaults->verb_deny;
}

static int default_word(struct doc *doc, uint32_t value, struct diags *diags, uint32_t *ret)
{
	bool deny;
	int r = answer_read(doc, value, diags, &deny);

	if (!r)
		*ret = deny ? (1u << LSMD_N_VERBS) - 1 : 0;
	return r;
}

/* Where the answer of each verb stands, in the order of defaults_verbs(). */
static void defaults_places(struct doc *doc, const struct defaults *defaults, struct place *places)
{
	for (int class = 0; class < LSMD_N_CLASSES; class++)
		for (int verb = 0; verb < LSMD_N_VERBS; verb++)
			if (class_access(class) >> verb & 1 && defaults->class_said[class])
				places[verb] = doc_place(doc, defaults->class_value[class]);
	for (int verb = 0; verb < LSMD_N_VERBS; verb++)
		if (LSMD_ACCESS_WRITE_GROUP >> verb & 1 && defaults->verb_said & LSMD_ACCESS_WRITE)
			places[verb] = doc_place(doc, defaults->verb_value[LSMD_VERB_WRITE]);
	for (int verb = 0; verb < LSMD_N_VERBS; verb++)
		if (defaults->verb_said >> verb & 1)
			places[verb] = doc_place(doc, defaults->verb_value[verb]);
}

int default_read(struct doc *doc, uint32_t value, struct diags *diags, struct policy *policy)
{
	struct defaults defaults = {};
	uint32_t key = value + 1;
	int r, worst = 0;

	if (doc->values[value].type == DOC_STRING)
		return default_word(doc, value, diags, &policy->default_deny);
	for (; key < doc->values[value].end; key = doc->values[key + 1].end) {
		r = default_key(doc, key, diags, &defaults);
		if (r < 0)
			return r;
		worst = r ? r : worst;
	}
	r = classes_missing(doc, value, &defaults, diags);
	worst = r ? r : worst;
	policy->default_deny = defaults_verbs(&defaults);
	defaults_places(doc, &defaults, policy->default_places);
	return worst;
}

static int subject_ids(struct reader *reader, struct doc *doc, const uint32_t keys[N_SUBJECT_KEYS], struct policy *policy)
{
	int r = 0, r_groups = 0;

	if (keys[SUBJECT_UID])
		r = ids_read(reader, doc, keys[SUBJECT_UID], IDS_USERS, &policy->uids, &policy->n_uids);
	if (keys[SUBJECT_GID] && r >= 0)
		r_groups = ids_read(reader, doc, keys[SUBJECT_GID], IDS_GROUPS, &policy->gids, &policy->n_gids);
	if (r < 0 || r_groups < 0)
		return -ENOMEM;
	return r || r_groups ? RULE_REFUSED : 0;
}

int subject_read(struct reader *reader, struct doc *doc, uint32_t value, struct policy *policy)
{
	const struct {
		enum subject_key key;
		enum strings_kind kind;
		struct object **items;
		size_t *n;
	} patterns[] = {
		{ SUBJECT_EXE, STRINGS_PATH, &policy->exes, &policy->n_exes },
		{ SUBJECT_UNIT, STRINGS_UNIT, &policy->units, &policy->n_units },
		{ SUBJECT_CGROUP, STRINGS_PATH, &policy->cgroups, &policy->n_cgroups },
	};
	uint32_t keys[N_SUBJECT_KEYS];
	int r, worst = 0;
	size_t i;

	if (!schema_subject(doc, value, reader->diags, keys))
		return RULE_REFUSED;
	policy->subject_place = doc_place(doc, value);
	policy->children = !keys[SUBJECT_CHILDREN] || doc->values[keys[SUBJECT_CHILDREN]].truth;
	for (i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		if (!keys[patterns[i].key])
			continue;
		r = objects_read(reader, doc, keys[patterns[i].key], patterns[i].kind, 0, true, patterns[i].items,
				 patterns[i].n);
		if (r < 0)
			return r;
		worst = r ? RULE_REFUSED : worst;
	}
	r = subject_ids(reader, doc, keys, policy);
	return r ? r : worst;
}
