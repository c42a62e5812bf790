/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Engines that answer questions, each in its own way, and the comparison of their answers. All of them are asked the
 * same: struct ask in, struct asked out, rules numbered as the oracle does (naive.h), layers as indices into the set.
 */
#ifndef LSMD_TESTS_ENGINE_ENGINE_H
#define LSMD_TESTS_ENGINE_ENGINE_H

#include <stdio.h>

#include "tests/engine/naive.h"

struct engine {
	const char *name;
	/* Get ready for a set, which lives until unload(). 0, -EFBIG: too large for it, or an error: the run ends. */
	int (*load)(const struct policy_set *set, void **ret_state);
	/* 0, ASK_TOO_MANY_LAYERS, or a negative error that ends the run. */
	int (*ask)(void *state, const struct ask *ask, struct asked *ret);
	void (*unload)(void *state);
};

extern const struct engine engine_oracle;
extern const struct engine engine_core;   /* image and lsm/core, in user space */
extern const struct engine engine_bpf;    /* the same, as a BPF program: needs a kernel and root */
extern const struct engine engine_reread; /* printed as files and read by the agent; then the oracle */

enum engine_compared {
	ENGINE_SAME,
	ENGINE_CAUTIOUS, /* it refuses a move that could be allowed, and has a reason to be unsure */
	ENGINE_DIFFERS,
	ENGINE_UNKNOWN, /* the oracle itself gave up on a directory */
};

/**
 * engine_compare() - is the answer right?
 * @oracle: what the oracle says, with @oracle_r from naive_ask()
 * @other:  what the engine says, with @other_r
 * Return: enum engine_compared, or a negative error. Names, modes, verdicts, reasons, verbs and rules must be the same.
 *
 * The one difference that is allowed: a directory may be refused with rename-widens although everything below keeps its
 * answers,
 *  - when some pattern of the layer tells the two names apart, or what may follow them: then the automaton is in two
 *    states, or the tree of literal names says another thing, although all rules together give the same answers;
 *  - when some policy of the set names something below one of the two, or a longer component that begins with the same
 *    pieces: the tree of literal names is shared by all layers.
 */
int engine_compare(const struct policy_set *set, const struct ask *ask, int oracle_r, const struct asked *oracle,
		   int other_r, const struct asked *other);

/** asked_print() - one line a layer, each with @indent before it */
void asked_print(const struct policy_set *set, int r, const struct asked *asked, const char *indent, FILE *out);

/**
 * random_run() - random sets and questions, all engines but the first compared with the first
 * @n: questions; @seed: the same gives the same
 * Return: number of engines that failed, or a negative error. Prints TAP; @n_tests is counted on.
 */
int random_run(const struct engine *const *engines, size_t n_engines, unsigned long n, unsigned long seed,
	       unsigned int *n_tests);

/**
 * table_run() - the cases of one table
 * Return: number of cases that failed over all engines, or a negative error. Prints TAP; @n_tests is counted on.
 */
int table_run(const struct engine *const *engines, size_t n_engines, const char *path, unsigned int *n_tests);

/**
 * diff_run() - image_diff() of @n random pairs of sets, held against the core in user space
 * Return: 1 when something was wrong, or a negative error. Prints TAP; @n_tests is counted on.
 */
int diff_run(unsigned long n, unsigned long seed, unsigned int *n_tests);

#endif
