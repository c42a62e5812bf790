/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules of one policy that meet: allowed and denied, said twice, written and executed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/check.h"
#include "agent/policy/names.h"
#include "agent/policy/pattern.h"
#include "agent/util/cleanup.h"

/* What all rules of a policy say of one object as it is written. */
struct entry {
	const struct object *object; /* the first that is so; NULL: a free place */
	uint64_t hash;
	uint32_t allow, deny; /* access, of all rules together */
	const struct rule *allow_rule; /* the first of each */
	const struct rule *deny_rule;
	const struct rule *write_rule; /* the first that allows writing */
	const struct rule *exec_rule;
};

struct table {
	struct entry *entries;
	size_t mask;
	/* What directories say, whichever: names below are only looked up when it could matter. */
	uint32_t dir_allow, dir_deny;
};

static uint64_t bytes_hash(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *b = bytes;
	uint64_t word;

	for (; len >= 8; len -= 8, b += 8) {
		memcpy(&word, b, 8);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 29;
	}
	for (; len; len--, b++)
		hash = (hash ^ *b) * 0x100000001b3ull;
	return hash ^ hash >> 32;
}

static uint64_t object_hash(const struct object *object)
{
	uint64_t numbers[] = {
		object->kind,	 object->protos,  object->first_hi,   object->first_lo,
		object->last_hi, object->last_lo, object->first_port, object->last_port,
	};

	if (object->kind != OBJECT_INET)
		return bytes_hash(object->kind, object->bytes, object->len);
	return bytes_hash(0, numbers, sizeof(numbers));
}

static bool object_same(const struct object *a, const struct object *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind != OBJECT_INET)
		return a->len == b->len && (!a->len || !memcmp(a->bytes, b->bytes, a->len));
	return a->protos == b->protos && a->first_hi == b->first_hi && a->first_lo == b->first_lo &&
	       a->last_hi == b->last_hi && a->last_lo == b->last_lo && a->first_port == b->first_port &&
	       a->last_port == b->last_port;
}

/* Its entry, or the free place where it would stand. */
static struct entry *table_find(const struct table *table, const struct object *object)
{
	uint64_t hash = object_hash(object);
	size_t i = hash & table->mask;

	while (table->entries[i].object &&
	       (table->entries[i].hash != hash || !object_same(table->entries[i].object, object)))
		i = (i + 1) & table->mask;
	table->entries[i].hash = hash;
	return &table->entries[i];
}

static int table_new(const struct policy *policy, struct table *table)
{
	size_t n = 0, i, size = 16;

	for (i = 0; i < policy->n_rules; i++)
		n += policy->rules[i].n_objects;
	while (size < n + n / 2)
		size *= 2;
	*table = (struct table){ .entries = calloc(size, sizeof(*table->entries)), .mask = size - 1 };
	return table->entries ? 0 : -ENOMEM;
}

static const char *verb_of(uint32_t access)
{
	return verbs[__builtin_ctz(access)].name;
}

/* A rule that adds nothing to an earlier one; one that is named, explained or logged is there for a reason. */
static void twice_check(const struct policy_set *set, const struct entry *entry, const struct rule *rule,
			const struct object *object, struct diags *diags)
{
	const struct rule *first = rule->deny ? entry->deny_rule : entry->allow_rule;
	uint32_t said = rule->deny ? entry->deny : entry->allow;

	if (!first || (said & rule->access) != rule->access || first->place.file != rule->place.file)
		return;
	if (rule->id || rule->reason || rule->log || rule->silent || rule->kill)
		return;
	diag_add(diags, DIAG_WARNING, "duplicate-rule", object->place, "remove it from one of the rules",
		 "this is %s already at %s:%u:%u", rule->deny ? "denied" : "allowed",
		 set->files[first->place.file].name, first->place.line, first->place.column);
}

static void entry_fill(struct entry *entry, const struct rule *rule, const struct object *object)
{
	if (!entry->object)
		entry->object = object;
	if (rule->deny) {
		entry->deny |= rule->access;
		entry->deny_rule = entry->deny_rule ? entry->deny_rule : rule;
		return;
	}
	entry->allow |= rule->access;
	entry->allow_rule = entry->allow_rule ? entry->allow_rule : rule;
	if (rule->access & LSMD_ACCESS_WRITE_GROUP && !entry->write_rule)
		entry->write_rule = rule;
	if (rule->access & LSMD_ACCESS_EXEC && !entry->exec_rule)
		entry->exec_rule = rule;
}

static void table_fill(const struct policy_set *set, const struct policy *policy, struct table *table,
		       struct diags *diags)
{
	size_t i, j;

	for (i = 0; i < policy->n_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		for (j = 0; j < rule->n_objects; j++) {
			const struct object *object = &rule->objects[j];
			struct entry *entry = table_find(table, object);

			twice_check(set, entry, rule, object, diags);
			entry_fill(entry, rule, object);
			if (object->len && object->bytes[object->len - 1] == '/')
				*(rule->deny ? &table->dir_deny : &table->dir_allow) |= rule->access;
		}
	}
}

/* Goes through the object's own entry, then those of the directories that its name is written below. */
static const struct entry *cover_next(const struct table *table, const struct object *object, size_t *at)
{
	struct object above = *object;
	const struct entry *entry;

	if (object->kind != OBJECT_PATH && object->kind != OBJECT_UNIX)
		*at = 0;
	while (*at) {
		above.len = (*at)--;
		if (above.len != object->len && object->bytes[above.len - 1] != '/')
			continue;
		entry = table_find(table, &above);
		if (entry->object)
			return entry;
	}
	return NULL;
}

/* Where cover_next() begins: the whole object, then what is literal of it. */
static size_t cover_first(const struct object *object)
{
	return pattern_literal(object->bytes, object->len);
}

static const struct rule *denied_by(const struct table *table, const struct object *object, uint32_t access)
{
	const struct entry *entry = table_find(table, object);
	size_t at;

	if (entry->object && (entry->deny & access) == access)
		return entry->deny_rule;
	if ((table->dir_deny & access) != access)
		return NULL;
	for (at = cover_first(object); (entry = cover_next(table, object, &at));) {
		if ((entry->deny & access) == access && entry->deny_rule &&
		    (entry->deny_rule->access & access) == access)
			return entry->deny_rule;
	}
	return NULL;
}

/* An allow of which every object is denied. A deny in another file may be meant to take away from an included one. */
static void dead_check(const struct policy_set *set, const struct table *table, const struct rule *rule,
		       struct diags *diags)
{
	const struct rule *deny = NULL;
	char mend[100];
	size_t i;

	for (i = 0; i < rule->n_objects; i++) {
		deny = denied_by(table, &rule->objects[i], rule->access);
		if (!deny || deny->place.file != rule->place.file)
			return;
	}
	if (!deny)
		return;
	snprintf(mend, sizeof(mend), "remove the rule, or narrow the deny at line %u", deny->place.line);
	diag_add(diags, DIAG_WARNING, "dead-rule", rule->objects[0].place, mend,
		 "this rule allows nothing: '%s' is denied here at %s:%u:%u", verb_of(rule->access),
		 set->files[deny->place.file].name, deny->place.line, deny->place.column);
}

static void write_exec_warn(const struct policy_set *set, const struct object *object, const struct rule *write,
			    const struct rule *exec, struct diags *diags)
{
	const struct place *other =
		&(object->place.file == write->place.file && object->place.line == write->place.line ? exec : write)
			 ->place;

	diag_add(diags, DIAG_WARNING, "write-and-exec", object->place, "allow writing elsewhere, or deny 'exec' there",
		 "the program may execute what it may write: see %s:%u:%u", set->files[other->file].name, other->line,
		 other->column);
}

/* What may be executed here, and written here or through a directory above; or the other way round. */
static void write_exec_check(const struct policy_set *set, const struct table *table, const struct rule *rule,
			     const struct object *object, struct diags *diags)
{
	const struct entry *own = table_find(table, object), *entry;
	const struct rule *write = NULL, *exec = NULL;
	size_t at = own->object == object ? cover_first(object) : 0;

	if (own->object != object)
		return; /* said at the first */
	if (own->allow & LSMD_ACCESS_EXEC && own->allow & LSMD_ACCESS_WRITE_GROUP) {
		write_exec_warn(set, object, own->write_rule, own->exec_rule, diags);
		return;
	}
	if (!(rule->access & LSMD_ACCESS_EXEC ? table->dir_allow & LSMD_ACCESS_WRITE_GROUP
					      : table->dir_allow & LSMD_ACCESS_EXEC))
		return;
	while ((entry = cover_next(table, object, &at))) {
		write = write ? write : entry->write_rule;
		exec = exec ? exec : entry->exec_rule;
	}
	write = own->write_rule ? own->write_rule : write;
	exec = own->exec_rule ? own->exec_rule : exec;
	if (write && exec && (own->write_rule || own->exec_rule))
		write_exec_warn(set, object, write, exec, diags);
}

int overlap_check(const struct policy_set *set, const struct policy *policy, struct diags *diags)
{
	_cleanup_free_ struct entry *entries = NULL;
	struct table table;
	size_t i, j;
	int r = table_new(policy, &table);

	if (r)
		return r;
	entries = table.entries;
	table_fill(set, policy, &table, diags);
	for (i = 0; i < policy->n_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->deny)
			continue;
		dead_check(set, &table, rule, diags);
		if (!(rule->access & (LSMD_ACCESS_EXEC | LSMD_ACCESS_WRITE_GROUP)))
			continue;
		for (j = 0; j < rule->n_objects; j++)
			write_exec_check(set, &table, rule, &rule->objects[j], diags);
	}
	return 0;
}
