/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The minimal automaton of a set of names with wildcards, and the comb in which the automata of an image lie.
 *
 * Subset construction over columns of bytes that no pattern tells apart, then Hopcroft, "An n log n algorithm for
 * minimizing states in a finite automaton" (1971), then states numbered as they are met from the start on.
 */
#ifndef LSMD_POLICY_DFA_H
#define LSMD_POLICY_DFA_H

#include <stddef.h>
#include <stdint.h>

#include "agent/policy/class.h"
#include "agent/policy/nfa.h"
#include "lsm/abi/image.h"

/* Of one automaton, before it is made minimal. They bound its memory to about 300 MiB and its time to seconds. */
#define DFA_STATES_MAX 200000
#define DFA_CELLS_MAX (1u << 24) /* states * columns */
#define DFA_MEMBERS_MAX (1u << 24) /* nodes of all sets together */
#define DFA_WORK_MAX (1u << 29) /* nodes looked at */

/* State 0 is dead, state 1 the start. Zero-initialise, dfa_clear(). */
struct dfa {
	uint32_t *next; /* [state * n_columns + column] */
	uint32_t *class; /* of names that end in the state */
	uint32_t n_states;
	uint32_t n_columns;
	uint8_t bytemap[256]; /* byte -> column */
};

enum {
	DFA_TOO_LARGE = 1,
};

/**
 * dfa_build() - the automaton of all names of @nfa
 * @table:    receives the classes of accepting states
 * @costliest: on DFA_TOO_LARGE the number of the pattern whose stars stand in most sets of the states made so far
 * @ret:      dfa_clear()
 * Return: 0, DFA_TOO_LARGE (its classes too may be what is too many), -ENOMEM
 */
int dfa_build(const struct nfa *nfa, struct class_table *table, uint32_t *costliest, struct dfa *ret);

void dfa_clear(struct dfa *dfa);

/** dfa_minimise() - make equal states one, unused columns none; the start stays 1. Return: 0, -ENOMEM */
int dfa_minimise(struct dfa *dfa);

/* The states, steps and byte maps of an image while it is put together. Zero-initialise, comb_init(), comb_clear(). */
struct comb {
	struct {
		struct lsmd_state *items;
		size_t n, capacity;
	} states;
	struct {
		struct lsmd_step *items;
		size_t n, capacity;
	} steps;
	struct {
		uint32_t *
			items; /* free steps in a ring: [2 * i] the one before, [2 * i + 1] the one behind; head at 0 */
		size_t n, capacity;
	} ring;
	struct {
		struct bytemap {
			uint8_t columns[256];
		} * items;
		size_t n, capacity;
	} bytemaps;
	struct dedupe known_bytemaps;
};

int comb_init(struct comb *comb);
void comb_clear(struct comb *comb);

enum {
	COMB_TOO_LARGE = 1, /* larger than an image may be */
};

/** comb_add() - lay an automaton in. @start, @bytemap: what a layer keeps of it. Return: 0, COMB_TOO_LARGE, -ENOMEM */
int comb_add(struct comb *comb, const struct dfa *dfa, uint32_t *start, uint32_t *bytemap);

/** comb_finish() - free steps at the end, so that base + any column of a byte stays inside. Return: 0, -ENOMEM */
int comb_finish(struct comb *comb);

#endif
