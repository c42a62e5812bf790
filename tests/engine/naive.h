/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The oracle: what a set of policies answers, written from MEANING.md alone, slowly and plainly. It reads the checked
 * set and no image, and shares no code with lsm/core or with the compiler.
 */
#ifndef LSMD_TESTS_ENGINE_NAIVE_H
#define LSMD_TESTS_ENGINE_NAIVE_H

#include "agent/policy/ask.h"
#include "agent/policy/policy.h"

/* struct lsmd_answer.rule as the oracle numbers it, within the policy: no image is needed to compare. */
#define NAIVE_RULE_NONE 0    /* undecided: see the reason */
#define NAIVE_RULE_DEFAULT 1 /* the default */
#define NAIVE_RULE_FIRST 2   /* policy.rules[i] is NAIVE_RULE_FIRST + i */

/**
 * naive_ask() - the answer to one access
 * @set:  borrowed; answers[].layer and layers[] are indices into set->policies, ascending
 * @ask:  as for image_ask()
 * Return: 0, ASK_TOO_MANY_LAYERS, -EINVAL for a name that is not absolute or a pattern that cannot be read, -ENOMEM.
 *
 * An answer's verb is the lowest one of the access that decides it: the lowest that a rule denies; else the lowest that
 * nothing allows; for an allow the lowest wanted. Its rule is the first rule of the policy that gives that verb so.
 */
int naive_ask(const struct policy_set *set, const struct ask *ask, struct asked *ret);

/* What the rules of one policy say of one object, verb by verb; rule numbers as above, 0: no rule says it. */
struct naive_rights {
	uint32_t deny[32];
	uint32_t allow[32];
};

/* How a rule's best pattern matches a name. */
enum {
	NAIVE_MATCH_NO,
	NAIVE_MATCH_WILD,  /* with a wildcard or a trailing slash in the last component */
	NAIVE_MATCH_NAMED, /* the last component is spelled out */
};

/** naive_rights_collect() - rights from matches[i], NAIVE_MATCH_* of policy->rules[i] */
void naive_rights_collect(const struct policy *policy, const int *matches, struct naive_rights *ret);

/** naive_rights_permit() - may the verb (bit number, device twins included) be used? Deny, then allow, then default. */
bool naive_rights_permit(const struct policy *policy, const struct naive_rights *rights, unsigned int bit);

enum naive_move {
	NAIVE_MOVE_KEEPS,
	NAIVE_MOVE_DIFFERS,
	NAIVE_MOVE_UNKNOWN, /* more possibilities than were tried */
};

/**
 * naive_move() - do all names below a directory that is renamed keep their answers (MEANING.md 15)?
 * @ret: enum naive_move
 * Return: 0, -EINVAL, -ENOMEM. See naive-move.c for the method.
 */
int naive_move(const struct policy *policy, struct ask_bytes from, struct ask_bytes to, enum naive_move *ret);

/**
 * naive_move_patterns() - is there no pattern that tells the two apart, in whatever bytes follow them?
 *
 * More than the meaning asks: it takes in the two names themselves and longer names that only begin like them. Where
 * it is NAIVE_MOVE_KEEPS, nobody has a reason to doubt.
 */
int naive_move_patterns(const struct policy *policy, struct ask_bytes from, struct ask_bytes to, enum naive_move *ret);

#endif
