// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sets, questions and answers as people write them. */
#include "tests/engine/print.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "tests/engine/naive.h"

#define NAME_OF(constant, name, class) name,
static const char *const verb_names[] = { LSMD_VERBS(NAME_OF) };
#undef NAME_OF
#define CLASS_OF(constant, name, class) LSMD_CLASS_##class,
static const enum lsmd_class_id verb_classes[] = { LSMD_VERBS(CLASS_OF) };
#undef CLASS_OF
#define REASON_OF(constant, name, text) name,
static const char *const reason_names[] = { LSMD_REASONS(REASON_OF) };
#undef REASON_OF

static const char *const class_words[] = { "file", "exec", "network", "capability", "process", "system" };
static const char *const mode_words[] = { "enforce", "audit", "off" };
static const char *const proto_words[] = { "tcp", "udp", "sctp", "dccp", "other" };

static void verbs_print(uint32_t access, const char *open, const char *between, const char *close, FILE *out)
{
	bool first = true;

	for (unsigned int verb = 0; verb < LSMD_N_VERBS; verb++)
		if (access >> verb & 1) {
			fprintf(out, "%s%s%s%s", first ? "" : between, open, verb_names[verb], close);
			first = false;
		}
}

/* ---- policies ---- */

/* A pattern inside of a JSON string: bytes that JSON cannot hold are written as the pattern's own escapes. */
static void pattern_print(const char *bytes, size_t len, FILE *out)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = bytes[i];

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			fprintf(out, "\\\\x%02x", c);
		else
			fputc(c, out);
	}
}

/* Bits of the prefix that an interval is. */
static unsigned int prefix_bits(const struct object *object)
{
	uint64_t hi = object->first_hi ^ object->last_hi, lo = object->first_lo ^ object->last_lo;

	if (hi)
		return __builtin_clzll(hi);
	return lo ? 64 + __builtin_clzll(lo) : 128;
}

static void address_print(uint64_t hi, uint64_t lo, FILE *out)
{
	uint8_t bytes[16];
	char text[INET6_ADDRSTRLEN];

	for (int i = 0; i < 8; i++) {
		bytes[i] = hi >> (56 - 8 * i);
		bytes[8 + i] = lo >> (56 - 8 * i);
	}
	if (hi == 0 && lo >> 32 == 0xffff)
		fprintf(out, "%s", inet_ntop(AF_INET, bytes + 12, text, sizeof(text)));
	else
		fprintf(out, "[%s]", inet_ntop(AF_INET6, bytes, text, sizeof(text)));
}

static void inet_print(const struct object *object, FILE *out)
{
	unsigned int bits = prefix_bits(object);
	bool v4 = object->first_hi == 0 && object->first_lo >> 32 == 0xffff && bits >= 96;

	if (object->protos == (1u << LSMD_N_PROTOS) - 1)
		fputc('*', out);
	else
		fprintf(out, "%s", proto_words[__builtin_ctz(object->protos)]);
	fputc(':', out);
	if (bits == 0) {
		fputc('*', out);
	} else {
		address_print(object->first_hi, object->first_lo, out);
		fprintf(out, "/%u", v4 ? bits - 96 : bits);
	}
	if (object->first_port == 0 && object->last_port == 65535)
		fprintf(out, ":*");
	else
		fprintf(out, ":%u-%u", object->first_port, object->last_port);
}

/* "/00000010/00000000" as "16:0" */
static void numbers_print(const char *path, size_t len, FILE *out)
{
	for (size_t at = 0; at + LSMD_NAME_DIGITS < len; at += LSMD_NAME_DIGITS + 1) {
		unsigned int number = 0;

		sscanf(path + at + 1, "%8x", &number);
		fprintf(out, "%s%u", at ? ":" : "", number);
	}
}

static void object_print(const struct object *object, FILE *out)
{
	fputc('"', out);
	if (object->kind == OBJECT_UNIX)
		fprintf(out, "unix:");
	if (object->kind == OBJECT_ABSTRACT)
		fprintf(out, "unix:@");
	if (object->kind == OBJECT_ALL)
		fputc('*', out);
	else if (object->kind == OBJECT_ANONYMOUS)
		fprintf(out, "anonymous");
	else if (object->kind == OBJECT_INET)
		inet_print(object, out);
	else if (object->kind == OBJECT_NAME)
		numbers_print(object->bytes, object->len, out);
	else
		pattern_print(object->bytes, object->len, out);
	fputc('"', out);
}

static void objects_print(const struct object *objects, size_t n, FILE *out)
{
	fputc('[', out);
	for (size_t i = 0; i < n; i++) {
		fprintf(out, "%s", i ? ", " : "");
		object_print(&objects[i], out);
	}
	fputc(']', out);
}

/* `write` stands for its group, so the members need not be written. */
static uint32_t verbs_written(uint32_t access)
{
	return access & LSMD_ACCESS_WRITE ? access & ~(LSMD_ACCESS_WRITE_GROUP & ~LSMD_ACCESS_WRITE) : access;
}

static void rule_print(const struct rule *rule, FILE *out)
{
	const char *key = rule->access & (LSMD_ACCESS_FILES | LSMD_ACCESS_CODE) ? "path" :
			  rule->access & LSMD_ACCESS_ADDRESSED			? "to" :
										  "name";

	fprintf(out, "    { \"%s\": [", rule->deny ? "deny" : "allow");
	verbs_print(verbs_written(rule->access), "\"", ", ", "\"", out);
	fprintf(out, "], \"%s\": ", key);
	objects_print(rule->objects, rule->n_objects, out);
	fprintf(out, "%s%s%s }", rule->log ? ", \"log\": true" : "", rule->silent ? ", \"log\": false" : "",
		rule->kill ? ", \"kill\": true" : "");
}

/* Every verb that may be denied is written by itself; the classes allow. Class and verb `exec` share their name. */
static void default_print(const struct policy *policy, FILE *out)
{
	fprintf(out, "  \"default\": { ");
	for (unsigned int class = 0; class < LSMD_N_CLASSES; class++) {
		bool deny = class == LSMD_CLASS_EXEC && policy->default_deny & LSMD_ACCESS_EXEC;

		fprintf(out, "%s\"%s\": \"%s\"", class ? ", " : "", class_words[class], deny ? "deny" : "allow");
		if (class == LSMD_CLASS_EXEC)
			fprintf(out, ", \"map\": \"%s\"", policy->default_deny & LSMD_ACCESS_MAP ? "deny" : "allow");
	}
	for (unsigned int verb = 0; verb < LSMD_N_VERBS; verb++) {
		bool deny = policy->default_deny >> verb & 1;

		/* The members of the group are always written: a default of `write` would speak for them. */
		if (verb_classes[verb] != LSMD_CLASS_EXEC && (deny || 1u << verb & LSMD_ACCESS_WRITE_GROUP))
			fprintf(out, ", \"%s\": \"%s\"", verb_names[verb], deny ? "deny" : "allow");
	}
	fprintf(out, " },\n");
}

static void ids_print(const struct lsmd_ids *ids, size_t n, FILE *out)
{
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s\"%u-%u\"", i ? ", " : "", ids[i].first, ids[i].last);
}

static void subject_print(const struct policy *policy, FILE *out)
{
	const struct {
		const char *key;
		const struct object *objects;
		size_t n;
	} patterns[] = {
		{ "exe", policy->exes, policy->n_exes },
		{ "unit", policy->units, policy->n_units },
		{ "cgroup", policy->cgroups, policy->n_cgroups },
	};
	const char *comma = "";

	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		if (!patterns[i].n)
			continue;
		fprintf(out, "%s\"%s\": ", comma, patterns[i].key);
		objects_print(patterns[i].objects, patterns[i].n, out);
		comma = ", ";
	}
	for (int group = 0; group < 2; group++) {
		size_t n = group ? policy->n_gids : policy->n_uids;

		if (!n)
			continue;
		fprintf(out, "%s\"%s\": [", comma, group ? "gid" : "uid");
		ids_print(group ? policy->gids : policy->uids, n, out);
		fputc(']', out);
		comma = ", ";
	}
}

void policy_print(const struct policy *policy, FILE *out)
{
	fprintf(out, "{\n  \"version\": 1,\n  \"name\": \"%s\",\n  \"subject\": { ", policy->name);
	subject_print(policy, out);
	fprintf(out, " },\n  \"mode\": \"%s\",\n", mode_words[policy->mode]);
	default_print(policy, out);
	fprintf(out, "  \"rules\": [\n");
	for (size_t i = 0; i < policy->n_rules; i++) {
		rule_print(&policy->rules[i], out);
		fprintf(out, "%s\n", i + 1 < policy->n_rules ? "," : "");
	}
	fprintf(out, "  ]\n}\n");
}

/* ---- questions ---- */

static void name_print(struct ask_bytes name, FILE *out)
{
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = name.bytes[i];

		if (c == '\\')
			fprintf(out, "\\\\");
		else if (c <= 0x20 || c >= 0x7f || c == '<' || c == '>' || c == ',')
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
}

static void access_print(const struct ask *ask, FILE *out)
{
	if (ask->exchange)
		fprintf(out, "exchange");
	else if (ask->replaces)
		fprintf(out, "rename-over");
	else if (ask->deny_only)
		fprintf(out, "interpret");
	else
		verbs_print(ask->other.len ? ask->wanted & ~LSMD_ACCESS_DEVICES : access_plain(ask->wanted), "", "+",
			    "", out);
}

static void ask_object_print(const struct ask *ask, FILE *out)
{
	const char *slash = ask->directory ? "/" : "";

	switch (ask->object) {
	case LSMD_OBJECT_NONE:
		fputc('-', out);
		return;
	case LSMD_OBJECT_ADDRESS:
		fprintf(out, "%s:", proto_words[ask->address.proto]);
		address_print(ask->address.hi, ask->address.lo, out);
		fprintf(out, ":%u", ask->address.port);
		return;
	case LSMD_OBJECT_NAME:
		fprintf(out, "name:");
		numbers_print(ask->name.bytes, ask->name.len, out);
		return;
	case LSMD_OBJECT_ABSTRACT:
		fprintf(out, "unix:@");
		name_print(ask->name, out);
		return;
	case LSMD_OBJECT_PATH:
		if (ask->wanted & LSMD_ACCESS_DEVICES)
			fprintf(out, "char:");
		name_print(ask->name, out);
		fprintf(out, "%s%s", slash, ask->other.len ? "->" : "");
		name_print(ask->other, out);
		fprintf(out, "%s", ask->other.len ? slash : "");
		return;
	}
}

void ask_print(const struct ask *ask, FILE *out)
{
	for (size_t i = 0; i < ask->n_programs; i++) {
		fprintf(out, "%s", i ? "," : "");
		name_print(ask->programs[i], out);
	}
	if (ask->known & LSMD_SELECT_UID)
		fprintf(out, ";uid=%u", ask->uid);
	if (ask->known & LSMD_SELECT_GID)
		fprintf(out, ";gid=%u", ask->gid);
	if (ask->known & LSMD_SELECT_GROUPS) {
		fprintf(out, ";cgroup=");
		name_print(ask->cgroup, out);
	}
	fprintf(out, "  ");
	access_print(ask, out);
	fprintf(out, "  ");
	ask_object_print(ask, out);
}

/* ---- answers ---- */

static const char *file_name(const struct policy_set *set, struct place place)
{
	const char *name = place.file < set->n_files ? set->files[place.file].name : "?";
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

void answer_by(const struct policy_set *set, const struct lsmd_answer *answer, char *out, size_t size)
{
	const struct policy *policy = &set->policies[answer->layer];
	struct place place = policy->place;

	if (answer->rule == NAIVE_RULE_NONE) {
		snprintf(out, size, "%s", reason_names[answer->reason]);
	} else if (answer->rule == NAIVE_RULE_DEFAULT) {
		snprintf(out, size, "%s:default", file_name(set, place));
	} else if (answer->rule - NAIVE_RULE_FIRST < policy->n_rules) {
		place = policy->rules[answer->rule - NAIVE_RULE_FIRST].place;
		snprintf(out, size, "%s:%u", file_name(set, place), place.line);
	} else {
		snprintf(out, size, "%s:rule-%u-does-not-exist", file_name(set, place), answer->rule);
	}
}

void answer_print(const struct policy_set *set, const struct lsmd_answer *answer, FILE *out)
{
	char by[256];

	answer_by(set, answer, by, sizeof(by));
	fprintf(out, "%s %s by %s (%s, %s)", mode_words[answer->mode],
		answer->verdict == LSMD_VERDICT_DENY ? "deny" : "allow", by,
		answer->verb < LSMD_N_VERBS ? verb_names[answer->verb] : "?",
		answer->reason < LSMD_N_REASONS ? reason_names[answer->reason] : "?");
}
