/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random policies and questions, over few names, addresses and ports, so that rules meet each other and questions hit
 * them. The same seed gives the same sets and questions.
 */
#ifndef LSMD_TESTS_ENGINE_RANDOM_H
#define LSMD_TESTS_ENGINE_RANDOM_H

#include "agent/policy/ask.h"
#include "agent/policy/policy.h"

struct random_source {
	uint64_t state;
};

/** random_below() - a number in 0 … @n - 1 */
uint32_t random_below(struct random_source *random, uint32_t n);

/* Where sets and questions keep their bytes: taken in order, given back at once. Zero-initialise. */
struct random_pool {
	char *bytes;
	size_t used;
};

void random_pool_free(struct random_pool *pool);

/**
 * random_set() - a set of policies that the language can spell
 * @pool: emptied first; the set lives until the next one. Not for policy_set_free().
 */
void random_set(struct random_source *random, struct random_pool *pool, struct policy_set *ret);

/** random_ask() - one question; names are taken from the set's patterns more often than not. It lives in @pool. */
void random_ask(struct random_source *random, struct random_pool *pool, const struct policy_set *set, struct ask *ret);

/** random_pool_mark(), random_pool_back() - give back what was taken since */
size_t random_pool_mark(const struct random_pool *pool);
void random_pool_back(struct random_pool *pool, size_t mark);

#endif
