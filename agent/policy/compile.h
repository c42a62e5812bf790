/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a checked set of policies to the tables of an image, not yet laid out: what image.c writes down. */
#ifndef LSMD_POLICY_COMPILE_H
#define LSMD_POLICY_COMPILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/policy/addr.h"
#include "agent/policy/class.h"
#include "agent/policy/dfa.h"
#include "agent/policy/diag.h"
#include "agent/policy/glob.h"
#include "agent/policy/hash.h"
#include "agent/policy/nfa.h"
#include "agent/policy/policy.h"
#include "agent/policy/rulebook.h"
#include "agent/policy/tree.h"

/* The patterns with wildcards of one layer's objects, or of all subjects. */
struct automaton {
	struct nfa nfa;
	struct {
		const struct object **items; /* the patterns, by the number that nfa.h calls their owner */
		size_t n, capacity;
	} owners;
	bool full; /* refused already */
};

/* Zero-initialise, compile_set(), compiler_clear(). */
struct compiler {
	const struct policy_set *set;
	struct diags *diags;
	bool refused;
	unsigned int n_costly; /* automata that were refused */
	struct class_table classes;
	struct tree tree;
	struct comb comb;
	struct addr addr;
	struct rulebook rulebook;
	struct perfect_hash hash; /* of tree.nodes from LSMD_N_TREES on */
	struct {
		struct lsmd_layer *items; /* in the order of the set */
		size_t n, capacity;
	} layers;
	struct {
		struct lsmd_subject *items; /* one a layer */
		size_t n, capacity;
	} subjects_made;
	struct {
		struct lsmd_ids *items;
		size_t n, capacity;
	} ids;
	struct {
		struct entry *items; /* of the layers that ask for no program */
		size_t n, capacity;
	} anybody;
	uint32_t subject_dfa;
	uint32_t subject_map;
	uint32_t subject_any; /* class */
	uint32_t selects; /* or of all subjects */
	uint32_t undecided;
	struct glob glob; /* the pattern being read */
	struct automaton names; /* of the layer being compiled */
	struct automaton subjects;
	struct automaton selectors; /* units or cgroups of the layer being compiled */
};

enum {
	COMPILE_REFUSED = 1, /* why is in the diags */
};

/** compile_set() - all of it. Return: 0, COMPILE_REFUSED, -ENOMEM */
int compile_set(struct compiler *compiler, const struct policy_set *set, struct diags *diags);

void compiler_clear(struct compiler *compiler);

#endif
