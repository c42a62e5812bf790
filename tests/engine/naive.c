// SPDX-License-Identifier: LGPL-2.1-or-later
/* The oracle: who is held, and what each layer answers. Numbers in comments are statements of MEANING.md. */
#include "tests/engine/naive.h"

#include <errno.h>
#include <string.h>

#include "agent/util/cleanup.h"
#include "tests/engine/naive-glob.h"

#define CLASS_OF(constant, name, class) [LSMD_VERB_##constant] = LSMD_CLASS_##class,
static const enum lsmd_class_id verb_class[LSMD_N_VERBS] = { LSMD_VERBS(CLASS_OF) };
#undef CLASS_OF

/* What an object of a request is, apart from its name. */
struct thing {
	enum lsmd_object object;
	struct ask_bytes name;
	const struct lsmd_address *address;
	bool local; /* the address is the process's own */
};

/* Does a written pattern match the name? NAIVE_MATCH_*, or a negative error. */
static int pattern_match(const char *pattern, size_t len, struct ask_bytes name)
{
	struct naive_globs globs = { 0 };
	int match = NAIVE_MATCH_NO;
	int r;

	r = naive_globs_read(pattern, len, &globs);
	if (r)
		return r;
	for (size_t i = 0; i < globs.n_globs; i++) {
		if (!naive_glob_matches(&globs.globs[i], name.bytes, name.len))
			continue;
		if (globs.globs[i].names_device)
			match = NAIVE_MATCH_NAMED;
		else if (match == NAIVE_MATCH_NO)
			match = NAIVE_MATCH_WILD;
	}
	naive_globs_free(&globs);
	return match;
}

/* 22: a name means all that goes on with it, part by part. */
static bool name_within(const struct object *object, struct ask_bytes name)
{
	return object->len <= name.len && memcmp(object->bytes, name.bytes, object->len) == 0 &&
	       (object->len == name.len || name.bytes[object->len] == '/');
}

/*
 * 22: a process that asks for the unspecified address asks for all of them, so that a deny of any one refuses: all of both versions
 * for IPv6's, all of version 4 for IPv4's.
 */
static bool unspecified_denied(const struct object *object, const struct lsmd_address *address)
{
	bool starts_before = object->first_hi == 0 && object->first_lo <= 0xffffffffffff;
	bool ends_behind = object->last_hi > 0 || object->last_lo >= 0xffff00000000;

	if (address->hi || (address->lo && address->lo != 0xffff00000000))
		return false;
	if (address->lo && !(starts_before && ends_behind))
		return false;
	return (object->protos >> address->proto & 1) && address->port >= object->first_port &&
	       address->port <= object->last_port;
}

static bool address_within(const struct object *object, const struct lsmd_address *address)
{
	bool from = address->hi > object->first_hi ||
		    (address->hi == object->first_hi && address->lo >= object->first_lo);
	bool to = address->hi < object->last_hi ||
		  (address->hi == object->last_hi && address->lo <= object->last_lo);

	return from && to && (object->protos >> address->proto & 1) && address->port >= object->first_port &&
	       address->port <= object->last_port;
}

/* Does one object of a rule mean this thing? NAIVE_MATCH_*, or a negative error. */
static int object_match(const struct object *object, bool deny, const struct thing *thing)
{
	switch (object->kind) {
	case OBJECT_ALL:
		return NAIVE_MATCH_WILD;
	case OBJECT_NAME:
		if (thing->object != LSMD_OBJECT_NAME)
			return NAIVE_MATCH_NO;
		return name_within(object, thing->name) ? NAIVE_MATCH_WILD : NAIVE_MATCH_NO;
	case OBJECT_PATH:
	case OBJECT_UNIX:
		if (thing->object != LSMD_OBJECT_PATH)
			return NAIVE_MATCH_NO;
		return pattern_match(object->bytes, object->len, thing->name);
	case OBJECT_ABSTRACT:
		if (thing->object != LSMD_OBJECT_ABSTRACT)
			return NAIVE_MATCH_NO;
		return pattern_match(object->bytes, object->len, thing->name);
	case OBJECT_ANONYMOUS:
		return thing->object == LSMD_OBJECT_NONE ? NAIVE_MATCH_WILD : NAIVE_MATCH_NO;
	case OBJECT_INET:
		if (thing->object != LSMD_OBJECT_ADDRESS)
			return NAIVE_MATCH_NO;
		if (deny && thing->local && unspecified_denied(object, thing->address))
			return NAIVE_MATCH_WILD;
		return address_within(object, thing->address) ? NAIVE_MATCH_WILD : NAIVE_MATCH_NO;
	case OBJECT_UNIT:
		break; /* of subjects only */
	}
	return -EINVAL;
}

/* The best of a rule's objects. NAIVE_MATCH_*, or a negative error. */
static int rule_match(const struct rule *rule, const struct thing *thing)
{
	int best = NAIVE_MATCH_NO;

	for (size_t i = 0; i < rule->n_objects; i++) {
		int match = object_match(&rule->objects[i], rule->deny, thing);

		if (match < 0)
			return match;
		if (match > best)
			best = match;
	}
	return best;
}

/* 19: a rule gives a device's twin only where it names the node; a deny closes it however it matches. */
static uint32_t rule_access(const struct rule *rule, int match)
{
	if (!rule->deny && match != NAIVE_MATCH_NAMED)
		return rule->access;
	return rule->access | (access_device(rule->access) & LSMD_ACCESS_DEVICES);
}

void naive_rights_collect(const struct policy *policy, const int *matches, struct naive_rights *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct rule *rule = &policy->rules[i];
		uint32_t *numbers = rule->deny ? ret->deny : ret->allow;

		if (matches[i] == NAIVE_MATCH_NO)
			continue;
		for (unsigned int bit = 0; bit < 32; bit++)
			if ((rule_access(rule, matches[i]) >> bit & 1) && !numbers[bit])
				numbers[bit] = NAIVE_RULE_FIRST + i;
	}
}

static int rights_find(const struct policy *policy, const struct thing *thing, struct naive_rights *ret)
{
	_cleanup_free_ int *matches = calloc(policy->n_rules + 1, sizeof(*matches));

	if (!matches)
		return -ENOMEM;
	for (size_t i = 0; i < policy->n_rules; i++) {
		matches[i] = rule_match(&policy->rules[i], thing);
		if (matches[i] < 0)
			return matches[i];
	}
	naive_rights_collect(policy, matches, ret);
	return 0;
}

/* A device's twin has the default of its verb. */
static bool default_denies(const struct policy *policy, unsigned int bit)
{
	return policy->default_deny & access_plain(1u << bit);
}

/* 1: deny beats allow, allow beats the default. */
bool naive_rights_permit(const struct policy *policy, const struct naive_rights *rights, unsigned int bit)
{
	if (rights->deny[bit])
		return false;
	return rights->allow[bit] || !default_denies(policy, bit);
}

static void answer_set(struct lsmd_answer *answer, enum lsmd_verdict verdict, uint32_t rule, enum lsmd_reason reason,
		       uint8_t verb)
{
	answer->verdict = verdict;
	answer->rule = rule;
	answer->reason = reason;
	answer->verb = verb;
}

/* The bit that stands for a verb in an access: its own, its device twin's, or -1 where the verb is not wanted. */
static int wanted_bit(uint32_t wanted, unsigned int verb)
{
	uint32_t twin = access_device(1u << verb) & LSMD_ACCESS_DEVICES;

	if (wanted >> verb & 1)
		return verb;
	return wanted & twin ? __builtin_ctz(twin) : -1;
}

/* One object, all wanted verbs. @deny_only: the default counts as an allow (20: interpreters). */
static void access_answer(const struct policy *policy, const struct naive_rights *rights, uint32_t wanted,
			  bool deny_only, struct lsmd_answer *answer)
{
	unsigned int verb;
	int bit;

	for (verb = 0; verb < LSMD_N_VERBS; verb++) {
		bit = wanted_bit(wanted, verb);
		if (bit >= 0 && rights->deny[bit]) {
			answer_set(answer, LSMD_VERDICT_DENY, rights->deny[bit], LSMD_REASON_RULE, verb);
			return;
		}
	}
	for (verb = 0; verb < LSMD_N_VERBS && !deny_only; verb++) {
		bit = wanted_bit(wanted, verb);
		if (bit >= 0 && !naive_rights_permit(policy, rights, bit)) {
			answer_set(answer, LSMD_VERDICT_DENY, NAIVE_RULE_DEFAULT, LSMD_REASON_DEFAULT, verb);
			return;
		}
	}
	verb = __builtin_ctz(access_plain(wanted));
	bit = wanted_bit(wanted, verb);
	if (rights->allow[bit])
		answer_set(answer, LSMD_VERDICT_ALLOW, rights->allow[bit], LSMD_REASON_RULE, verb);
	else
		answer_set(answer, LSMD_VERDICT_ALLOW, NAIVE_RULE_DEFAULT, LSMD_REASON_DEFAULT, verb);
}

/* 4: could this policy refuse anything in the class? */
static bool class_can_deny(const struct policy *policy, enum lsmd_class_id class)
{
	for (unsigned int verb = 0; verb < LSMD_N_VERBS; verb++) {
		if (verb_class[verb] != class)
			continue;
		if (policy->default_deny >> verb & 1)
			return true;
		for (size_t i = 0; i < policy->n_rules; i++)
			if (policy->rules[i].deny && (policy->rules[i].access >> verb & 1))
				return true;
	}
	return false;
}

static void undecided_answer(const struct policy *policy, uint32_t wanted, enum lsmd_reason reason,
			     struct lsmd_answer *answer)
{
	uint32_t plain = access_plain(wanted);

	for (unsigned int verb = 0; verb < LSMD_N_VERBS; verb++)
		if ((plain >> verb & 1) && class_can_deny(policy, verb_class[verb])) {
			answer_set(answer, LSMD_VERDICT_DENY, NAIVE_RULE_NONE, reason, verb);
			return;
		}
	answer_set(answer, LSMD_VERDICT_ALLOW, NAIVE_RULE_NONE, reason, __builtin_ctz(plain));
}

/* Pieces of LSMD_PIECE_LEN bytes that a name takes. */
static size_t name_pieces(struct ask_bytes name)
{
	size_t pieces = 0;
	size_t component = 0;

	for (size_t i = 0; i < name.len; i++) {
		component = name.bytes[i] == '/' ? 0 : component + 1;
		if (component % LSMD_PIECE_LEN == 1)
			pieces++;
	}
	return pieces;
}

/*
 * 15: what may be done at the new name may be done at the old one. What a rule gives to device nodes matters only
 * where the object is one (@device).
 */
static bool rights_widen(const struct policy *policy, const struct naive_rights *from, const struct naive_rights *to,
			 bool device)
{
	for (unsigned int bit = 0; bit < 32; bit++) {
		if (!device && (1u << bit & LSMD_ACCESS_DEVICES))
			continue;
		if (naive_rights_permit(policy, to, bit) && !naive_rights_permit(policy, from, bit))
			return true;
	}
	return false;
}

/* 15: and all that lies below. An exchange moves both ways. 1: it widens, 0, or a negative error. */
static int move_widens(const struct policy *policy, const struct ask *ask, const struct naive_rights *from,
		       const struct naive_rights *to)
{
	bool device = ask->wanted & LSMD_ACCESS_DEVICES;
	enum naive_move move;
	int r;

	if (rights_widen(policy, from, to, device) || (ask->exchange && rights_widen(policy, to, from, device)))
		return 1;
	if (!ask->directory)
		return 0;
	r = naive_move(policy, ask->name, ask->other, &move);
	if (r)
		return r;
	return move != NAIVE_MOVE_KEEPS;
}

/* 15, 18: rename and link. The old name answers first, and what the new name loses is deleted. */
static int move_answer(const struct policy *policy, const struct ask *ask, const struct naive_rights *from,
		       struct lsmd_answer *answer)
{
	uint32_t wanted = ask->wanted & ~LSMD_ACCESS_DEVICES;
	struct thing other = { .object = ask->object, .name = ask->other, .address = &ask->address };
	struct naive_rights to;
	int r;

	access_answer(policy, from, wanted, false, answer);
	if (answer->verdict == LSMD_VERDICT_DENY)
		return 0;
	r = rights_find(policy, &other, &to);
	if (r)
		return r;
	access_answer(policy, &to, ask->replaces ? wanted | LSMD_ACCESS_DELETE : wanted, false, answer);
	if (answer->verdict == LSMD_VERDICT_DENY)
		return 0;
	r = move_widens(policy, ask, from, &to);
	if (r == 1)
		answer_set(answer, LSMD_VERDICT_DENY, NAIVE_RULE_NONE, LSMD_REASON_RENAME_WIDENS,
			   __builtin_ctz(wanted));
	return r < 0 ? r : 0;
}

/* 11: code without a name is undecided, unless rules about "anonymous" say all of it. */
static void anonymous_answer(const struct policy *policy, const struct naive_rights *rights, uint32_t wanted,
			     struct lsmd_answer *answer)
{
	bool denied = false, open = false;

	for (unsigned int verb = 0; verb < LSMD_N_VERBS; verb++)
		if (wanted >> verb & 1) {
			denied |= rights->deny[verb] != 0;
			open |= rights->allow[verb] == 0;
		}
	if (denied || !open)
		access_answer(policy, rights, wanted, false, answer);
	else
		undecided_answer(policy, wanted, LSMD_REASON_PATH_ANONYMOUS, answer);
}

static int layer_answer(const struct policy *policy, const struct ask *ask, struct lsmd_answer *answer)
{
	struct thing thing = { .object = ask->object, .name = ask->name, .address = &ask->address };
	struct naive_rights rights;
	int r;

	thing.local = ask->wanted & LSMD_ACCESS_LOCAL;
	answer->mode = policy->mode;
	if (ask->object == LSMD_OBJECT_PATH &&
	    (name_pieces(ask->name) > LSMD_PIECES_MAX || name_pieces(ask->other) > LSMD_PIECES_MAX)) {
		undecided_answer(policy, ask->other.len ? ask->wanted & ~LSMD_ACCESS_DEVICES : ask->wanted,
				 LSMD_REASON_PATH_TOO_DEEP, answer);
		return 0;
	}
	r = rights_find(policy, &thing, &rights);
	if (r)
		return r;
	if (ask->object == LSMD_OBJECT_NONE && (ask->wanted & LSMD_ACCESS_CODE)) {
		anonymous_answer(policy, &rights, ask->wanted, answer);
		return 0;
	}
	if (ask->other.len)
		return move_answer(policy, ask, &rights, answer);
	access_answer(policy, &rights, ask->wanted, ask->deny_only, answer);
	return 0;
}

/* Does any of the patterns match the name? 1, 0, or a negative error. */
static int any_match(const struct object *patterns, size_t n, struct ask_bytes name)
{
	for (size_t i = 0; i < n; i++) {
		int match = pattern_match(patterns[i].bytes, patterns[i].len, name);

		if (match)
			return match < 0 ? match : 1;
	}
	return 0;
}

/* 7: a subject matches any name of the program. */
static int exes_match(const struct policy *policy, const struct ask *ask)
{
	int match = 0;

	for (size_t i = 0; i < ask->n_programs && !match; i++)
		match = any_match(policy->exes, policy->n_exes, ask->programs[i]);
	return match;
}

/* A unit is a component of the path of the cgroup. */
static int units_match(const struct policy *policy, const struct ask *ask)
{
	const char *at = ask->cgroup.bytes, *end = at + ask->cgroup.len;
	int match = 0;

	while (at < end && !match) {
		const char *slash = memchr(at, '/', end - at);
		struct ask_bytes component = { at, (slash ? slash : end) - at };

		if (component.len)
			match = any_match(policy->units, policy->n_units, component);
		at += component.len + 1;
	}
	return match;
}

static int ids_match(const struct lsmd_ids *ids, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i].first <= id && id <= ids[i].last)
			return 1;
	return 0;
}

/*
 * 7: keys are joined by AND, the items of one by OR; what is not known of the process answers no key. `off` is loaded, checked,
 * idle. 1 held, 0 not, or a negative error.
 */
static int policy_holds(const struct policy *policy, const struct ask *ask)
{
	int match = policy->mode != LSMD_MODE_OFF;

	if (match > 0 && policy->n_exes)
		match = exes_match(policy, ask);
	if (match > 0 && policy->n_uids)
		match = ask->known & LSMD_SELECT_UID && ids_match(policy->uids, policy->n_uids, ask->uid);
	if (match > 0 && policy->n_gids)
		match = ask->known & LSMD_SELECT_GID && ids_match(policy->gids, policy->n_gids, ask->gid);
	if (match > 0 && policy->n_cgroups)
		match = ask->known & LSMD_SELECT_CGROUP ? any_match(policy->cgroups, policy->n_cgroups, ask->cgroup) : 0;
	if (match > 0 && policy->n_units)
		match = ask->known & LSMD_SELECT_UNIT ? units_match(policy, ask) : 0;
	return match;
}

static bool absolute(struct ask_bytes name)
{
	return name.len > 0 && name.bytes[0] == '/';
}

int naive_ask(const struct policy_set *set, const struct ask *ask, struct asked *ret)
{
	struct asked asked = { 0 };

	if (ask->object == LSMD_OBJECT_PATH && (!absolute(ask->name) || (ask->other.len && !absolute(ask->other))))
		return -EINVAL;
	for (size_t i = 0; i < set->n_policies; i++) {
		struct lsmd_answer *answer = &asked.answers[asked.n_layers];
		int r = policy_holds(&set->policies[i], ask);

		if (r < 0)
			return r;
		if (r == 0)
			continue;
		if (asked.n_layers == LSMD_LAYERS_MAX)
			return ASK_TOO_MANY_LAYERS;
		asked.layers[asked.n_layers++] = i;
		answer->layer = i;
		r = layer_answer(&set->policies[i], ask, answer);
		if (r)
			return r;
		/* 2: an audit layer never changes errno. */
		if (answer->verdict == LSMD_VERDICT_DENY && answer->mode == LSMD_MODE_ENFORCE)
			asked.refused = true;
	}
	*ret = asked;
	return 0;
}
