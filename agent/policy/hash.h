/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The perfect hash of the tree of literal names (lsm/core/hash.h): the search for keys and displacements. */
#ifndef LSMD_POLICY_HASH_H
#define LSMD_POLICY_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "lsm/abi/image.h"

struct perfect_hash {
	lsmd_u64 key[LSMD_HASH_KEYS];
	uint32_t *displace; /* n_displace of them */
	uint32_t *slots; /* slots[i]: where nodes[i] goes, below n_slots */
	uint32_t n_displace;
	uint32_t n_slots;
};

enum {
	HASH_IMPOSSIBLE = 1, /* no attempt succeeded: two nodes are equal */
};

/** hash_keys() - the multipliers of an attempt (lsm/abi/image.h) */
void hash_keys(unsigned int attempt, lsmd_u64 key[LSMD_HASH_KEYS]);

/**
 * hash_build() - a slot of its own for each node
 * @nodes: @n of them, all different in (parent, meta, name)
 * @ret:   hash_clear(); empty, without arrays, when @n is 0
 * Return: 0, HASH_IMPOSSIBLE, -ENOMEM. About 4 nodes a bucket, 93 slots of 100 taken.
 */
int hash_build(const struct lsmd_node *nodes, size_t n, struct perfect_hash *ret);

void hash_clear(struct perfect_hash *hash);

#endif
