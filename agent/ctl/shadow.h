/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A policy and its shadow: what records say that both answered. */
#ifndef LSMD_CTL_SHADOW_H
#define LSMD_CTL_SHADOW_H

#include "agent/ctl/history.h"

/* Of decisions that either refused, or would have. */
enum shadow_kind {
	SHADOW_SAME, /* both */
	SHADOW_ALLOWS, /* the policy only: the shadow refuses it no longer */
	SHADOW_REFUSES, /* the shadow only: it would be refused from its promotion on */
	SHADOW_N_KINDS,
};

struct shadow {
	const char *policy, *name; /* of the policy, and of its shadow */
	uint64_t sums[SHADOW_N_KINDS]; /* decisions */
	json_t *tallies[SHADOW_N_KINDS]; /* "verb of object by program: place": decisions */
	int64_t generation; /* in force; 0: not known */
	uint64_t counted, told; /* what the shadow's rules decided in it: by the kernel's counters, and by records */
};

/** shadow_init() - @policy, @name: borrowed. Return: 0, -ENOMEM; shadow_clear() in any case */
int shadow_init(struct shadow *shadow, const char *policy, const char *name);
void shadow_clear(struct shadow *shadow);

/** shadow_event() - a history_fn: count one record. @data: struct shadow */
int shadow_event(void *data, json_t *event);

/** shadow_counted() - what the kernel counted for the rules of the shadow, from the agent's status; before any record is counted */
void shadow_counted(struct shadow *shadow, const json_t *status);

/** shadow_untold() - would-be refusals of the set in force that no record tells: dropped, or of rules with "log": false */
uint64_t shadow_untold(const struct shadow *shadow);

/** shadow_print() - what was counted, each with the line that decides */
void shadow_print(const struct shadow *shadow, bool colour);

/** shadow_json() - the same; new reference */
json_t *shadow_json(const struct shadow *shadow);

#endif
