// SPDX-License-Identifier: LGPL-2.1-or-later
/* Summaries of sets, and what differs between two. */
#include "agent/control/changes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/control/rule-text.h"
#include "agent/record/escape.h"
#include "agent/record/record.h"
#include "agent/record/siphash.h"
#include "agent/util/arena.h"
#include "agent/util/cleanup.h"

struct entry {
	uint64_t hash;
	const char *text; /* NULL: the set is too large to keep it */
	uint32_t line;
};

struct policy_summary {
	const char *name;
	enum lsmd_mode mode;
	bool children;
	uint32_t default_deny;
	struct entry *entries; /* sorted by hash */
	size_t n;
};

struct summary {
	struct policy_summary *policies; /* sorted by name, as in the set */
	size_t n;
	struct arena memory;
	bool texts;
};

DEFINE_CLEANUP(struct summary, summary_free)

/* Texts are not secrets to each other: an unkeyed hash only sorts and compares lines of one administrator's files. */
static uint64_t text_hash(const struct buf *text)
{
	static const struct siphash_key key;
	struct siphash hash;

	siphash_start(&hash, &key);
	siphash_add(&hash, text->bytes, text->len);
	return siphash_end(&hash);
}

static int entry_compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static int entry_set(struct summary *summary, struct entry *entry, struct buf *text, uint32_t line)
{
	if (text->failed)
		return -ENOMEM;
	entry->hash = text_hash(text);
	entry->line = line;
	if (!summary->texts)
		return 0;
	entry->text = arena_copy(&summary->memory, text->bytes, text->len);
	return entry->text ? 0 : -ENOMEM;
}

static int entry_of_rule(struct summary *summary, struct entry *entry, const struct rule *rule,
			 const struct object *object)
{
	_cleanup_buf_ struct buf text = {};

	rule_text_add(&text, rule, object);
	return entry_set(summary, entry, &text, rule->place.line);
}

static int entry_of_exe(struct summary *summary, struct entry *entry, const struct object *exe)
{
	_cleanup_buf_ struct buf text = {};

	buf_add_string(&text, "subject exe ");
	object_text_add(&text, exe);
	return entry_set(summary, entry, &text, exe->place.line);
}

static size_t policy_entries(const struct policy *policy)
{
	size_t n = policy->n_exes;

	for (size_t i = 0; i < policy->n_rules; i++)
		n += policy->rules[i].n_objects;
	return n;
}

static int policy_summarise(struct summary *summary, const struct policy *policy, struct policy_summary *ret)
{
	int r = 0;

	ret->name = arena_copy(&summary->memory, policy->name, strlen(policy->name));
	ret->entries = arena_alloc(&summary->memory, policy_entries(policy) * sizeof(*ret->entries));
	if (!ret->name || !ret->entries)
		return -ENOMEM;
	ret->mode = policy->mode;
	ret->children = policy->children;
	ret->default_deny = policy->default_deny;
	for (size_t i = 0; i < policy->n_exes && !r; i++)
		r = entry_of_exe(summary, &ret->entries[ret->n++], &policy->exes[i]);
	for (size_t i = 0; i < policy->n_rules && !r; i++)
		for (size_t k = 0; k < policy->rules[i].n_objects && !r; k++)
			r = entry_of_rule(summary, &ret->entries[ret->n++], &policy->rules[i],
					  &policy->rules[i].objects[k]);
	qsort(ret->entries, ret->n, sizeof(*ret->entries), entry_compare);
	return r;
}

int summary_new(const struct policy_set *set, struct summary **ret)
{
	_cleanup_(summary_freep) struct summary *summary = calloc(1, sizeof(*summary));
	size_t n = 0;

	if (!summary)
		return -ENOMEM;
	for (size_t i = 0; i < set->n_policies; i++)
		n += policy_entries(&set->policies[i]);
	summary->texts = n <= SUMMARY_TEXTS_MAX;
	summary->policies = arena_alloc(&summary->memory, set->n_policies * sizeof(*summary->policies));
	if (!summary->policies)
		return -ENOMEM;
	for (; summary->n < set->n_policies; summary->n++) {
		int r = policy_summarise(summary, &set->policies[summary->n], &summary->policies[summary->n]);

		if (r)
			return r;
	}
	*ret = TAKE_PTR(summary);
	return 0;
}

void summary_free(struct summary *summary)
{
	if (!summary)
		return;
	arena_free(&summary->memory);
	free(summary);
}

struct side {
	json_t *list;
	size_t n;
};

static int side_add(struct side *side, const struct entry *entry)
{
	json_t *item;

	if (side->n++ >= CHANGES_LISTED_MAX)
		return 0;
	item = json_pack("{s:i, s:s*}", "line", (int)entry->line, "rule", entry->text);
	return json_array_append_new(side->list, item) ? -ENOMEM : 0;
}

/* Two sorted lists side by side; of equal lines that stand several times, the surplus is the change. */
static int entries_compare(const struct policy_summary *before, const struct policy_summary *after, struct side *added,
			   struct side *removed)
{
	size_t a = 0, b = 0;
	int r = 0;

	while (!r && (a < before->n || b < after->n)) {
		if (b == after->n || (a < before->n && before->entries[a].hash < after->entries[b].hash)) {
			r = side_add(removed, &before->entries[a++]);
		} else if (a == before->n || before->entries[a].hash > after->entries[b].hash) {
			r = side_add(added, &after->entries[b++]);
		} else {
			a++;
			b++;
		}
	}
	return r;
}

static int change_add(json_t *list, const char *what, const char *before, const char *after)
{
	json_t *text = json_sprintf("%s: %s -> %s", what, before, after);

	return json_array_append_new(list, text) ? -ENOMEM : 0;
}

static int defaults_compare(json_t *list, uint32_t before, uint32_t after)
{
	_cleanup_buf_ struct buf was = {}, is = {};

	verbs_add(&was, before);
	verbs_add(&is, after);
	if (was.failed || is.failed)
		return -ENOMEM;
	return change_add(list, "denied by default", was.len ? was.bytes : "nothing", is.len ? is.bytes : "nothing");
}

static int heads_compare(const struct policy_summary *before, const struct policy_summary *after, json_t *list)
{
	int r = 0;

	if (before->mode != after->mode)
		r = change_add(list, "mode", mode_name(before->mode), mode_name(after->mode));
	if (!r && before->children != after->children)
		r = change_add(list, "children", before->children ? "true" : "false",
			       after->children ? "true" : "false");
	if (!r && before->default_deny != after->default_deny)
		r = defaults_compare(list, before->default_deny, after->default_deny);
	return r;
}

/* One policy in both; NULL list item when nothing differs */
static int policies_compare(json_t *out, const struct policy_summary *before, const struct policy_summary *after)
{
	struct side added = { .list = json_array() }, removed = { .list = json_array() };
	json_t *heads = json_array(), *item;
	int r = added.list && removed.list && heads ? 0 : -ENOMEM;

	if (!r)
		r = heads_compare(before, after, heads);
	if (!r)
		r = entries_compare(before, after, &added, &removed);
	if (r || (!added.n && !removed.n && !json_array_size(heads))) {
		json_decref(added.list);
		json_decref(removed.list);
		json_decref(heads);
		return r;
	}
	item = json_pack("{s:s, s:o, s:o, s:o, s:I, s:I}", "name", after->name, "changed", heads, "added", added.list,
			 "removed", removed.list, "n_added", (json_int_t)added.n, "n_removed", (json_int_t)removed.n);
	return json_array_append_new(out, item) ? -ENOMEM : 0;
}

static int summaries_compare(const struct summary *before, const struct summary *after, json_t *added, json_t *removed,
			     json_t *changed)
{
	size_t a = 0, b = 0;
	int r = 0;

	while (!r && (a < before->n || b < after->n)) {
		int order = a == before->n  ? 1
			    : b == after->n ? -1
					    : strcmp(before->policies[a].name, after->policies[b].name);

		if (order < 0)
			r = json_array_append_new(removed, json_string(before->policies[a++].name));
		else if (order > 0)
			r = json_array_append_new(added, json_string(after->policies[b++].name));
		else
			r = policies_compare(changed, &before->policies[a++], &after->policies[b++]);
	}
	return r;
}

json_t *changes_json(const struct summary *before, const struct summary *after)
{
	json_t *added = json_array(), *removed = json_array(), *changed = json_array();
	json_t *ret = json_pack("{s:b, s:o, s:o, s:o}", "unknown", !before, "policies_added", added, "policies_removed",
				removed, "policies", changed);

	if (ret && before && summaries_compare(before, after, added, removed, changed)) {
		json_decref(ret);
		return NULL;
	}
	return ret;
}
