/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an image keeps so that a verdict can be explained: rules with their places, notes, strings. */
#ifndef LSMD_POLICY_RULEBOOK_H
#define LSMD_POLICY_RULEBOOK_H

#include <stddef.h>
#include <stdint.h>

#include "agent/policy/dedupe.h"
#include "agent/policy/policy.h"
#include "lsm/abi/image.h"

/* Zero-initialise, rulebook_init(), rulebook_clear(). Record 0 of each is the empty one. */
struct rulebook {
	struct {
		struct lsmd_rule *items;
		size_t n, capacity;
	} rules;
	struct {
		struct lsmd_note *items;
		size_t n, capacity;
	} notes;
	struct {
		char *items;
		size_t n, capacity;
	} strings;
	uint32_t *files; /* strings offset of each file of the set */
	struct dedupe known_notes;
	struct dedupe known_strings;
};

enum {
	RULEBOOK_TOO_LARGE = 1, /* larger than an image may be */
};

int rulebook_init(struct rulebook *rulebook, const struct policy_set *set);
void rulebook_clear(struct rulebook *rulebook);

/** rulebook_string() - offset of a string; 0 for NULL and the empty one. Return: 0, RULEBOOK_TOO_LARGE, -ENOMEM */
int rulebook_string(struct rulebook *rulebook, const char *string, uint32_t *ret);

/**
 * rulebook_add() - the rules of a policy, the pseudo rule of its default first; behind them one more for each place in the default that
 * decides some verbs
 * @first: number of the first one
 * @by_verb: for each bit of an access (device twins too) the pseudo rule of its default
 * Return: 0, RULEBOOK_TOO_LARGE, -ENOMEM
 */
int rulebook_add(struct rulebook *rulebook, const struct policy *policy, uint32_t *first, uint32_t by_verb[32]);

#endif
