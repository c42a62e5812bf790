// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Hash and displace (Belazzougui, Botelho, Dietzfelbinger, ESA 2009): buckets are placed from the fullest to the emptiest;
 * for each, displacements are tried until all its keys fall on free slots.
 */
#include "agent/policy/hash.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/util/cleanup.h"
#include "lsm/core/hash.h"

#define KEYS_PER_BUCKET 4
/* Per mille of the slots that are taken. */
#define LOAD 930
/* Other keys are tried when a bucket finds no place. The expected number of tries of the last bucket is 1000 / (1000 - LOAD). */
#define DISPLACEMENTS_MAX 65536
#define ATTEMPTS_MAX 64
/* A bucket this full cannot be: the mean is 4. */
#define BUCKET_MAX 64

struct placing {
	const struct lsmd_node *nodes;
	size_t n;
	lsmd_u64 *hashes; /* of each node */
	uint32_t *order; /* nodes by bucket */
	uint32_t *start; /* n_displace + 1: where a bucket begins in `order` */
	uint64_t *taken; /* a bit a slot */
	struct perfect_hash *hash;
};

/* Sebastiano Vigna's splitmix64, output number @n of the seed 0. */
static lsmd_u64 splitmix64(lsmd_u64 n)
{
	lsmd_u64 z = (n + 1) * 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

void hash_keys(unsigned int attempt, lsmd_u64 key[LSMD_HASH_KEYS])
{
	for (unsigned int i = 0; i < LSMD_HASH_KEYS; i++)
		key[i] = splitmix64((lsmd_u64)attempt * 8 + i) | 1;
}

/* Displacement number @n: odd, and spread over all 32 bits from the first one on. */
static uint32_t displacement(uint32_t n)
{
	n = (n + 1) * 0x9e3779b9;
	n = (n ^ n >> 16) * 0x85ebca6b;
	return (n ^ n >> 13) | 1;
}

/* Sort the nodes by bucket; counting sort. */
static void fill_buckets(struct placing *placing)
{
	uint32_t n_displace = placing->hash->n_displace;

	memset(placing->start, 0, (n_displace + 1) * sizeof(*placing->start));
	for (size_t i = 0; i < placing->n; i++) {
		const struct lsmd_node *node = &placing->nodes[i];

		placing->hashes[i] = lsmd_hash(placing->hash->key, node->parent, node->meta, node->name);
		placing->start[lsmd_hash_bucket(placing->hashes[i], n_displace)]++;
	}
	for (uint32_t b = 1; b <= n_displace; b++)
		placing->start[b] += placing->start[b - 1];
	for (size_t i = placing->n; i-- > 0;)
		placing->order[--placing->start[lsmd_hash_bucket(placing->hashes[i], n_displace)]] = (uint32_t)i;
}

static bool slot_claim(struct placing *placing, uint32_t slot)
{
	uint64_t bit = 1ull << slot % 64;

	if (placing->taken[slot / 64] & bit)
		return false;
	placing->taken[slot / 64] |= bit;
	return true;
}

static bool bucket_try(struct placing *placing, const uint32_t *keys, uint32_t n, uint32_t displace)
{
	uint32_t n_slots = placing->hash->n_slots;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t slot = lsmd_hash_slot(placing->hashes[keys[i]], displace, n_slots);

		if (slot_claim(placing, slot)) {
			placing->hash->slots[keys[i]] = slot;
			continue;
		}
		while (i-- > 0) {
			slot = placing->hash->slots[keys[i]];
			placing->taken[slot / 64] &= ~(1ull << slot % 64);
		}
		return false;
	}
	return true;
}

static bool bucket_place(struct placing *placing, uint32_t bucket)
{
	const uint32_t *keys = &placing->order[placing->start[bucket]];
	uint32_t n = placing->start[bucket + 1] - placing->start[bucket];

	for (uint32_t i = 0; i < DISPLACEMENTS_MAX; i++) {
		uint32_t displace = displacement(i);

		if (bucket_try(placing, keys, n, displace)) {
			placing->hash->displace[bucket] = displace;
			return true;
		}
	}
	return false;
}

/* All buckets, from those with most keys to those with one; an empty one keeps displacement 1. */
static bool buckets_place(struct placing *placing, uint32_t *by_size)
{
	uint32_t n_displace = placing->hash->n_displace, n_of[BUCKET_MAX + 1] = {}, at = 0;

	for (uint32_t b = 0; b < n_displace; b++) {
		uint32_t n = placing->start[b + 1] - placing->start[b];

		if (n > BUCKET_MAX)
			return false;
		placing->hash->displace[b] = 1;
		n_of[n]++;
	}
	for (uint32_t n = BUCKET_MAX + 1; n-- > 0;) {
		uint32_t count = n_of[n];

		n_of[n] = at;
		at += count;
	}
	for (uint32_t b = 0; b < n_displace; b++)
		by_size[n_of[placing->start[b + 1] - placing->start[b]]++] = b;
	for (uint32_t i = 0; i < n_displace; i++) {
		if (placing->start[by_size[i] + 1] == placing->start[by_size[i]])
			break;
		if (!bucket_place(placing, by_size[i]))
			return false;
	}
	return true;
}

static int attempts(struct placing *placing, uint32_t *by_size)
{
	for (unsigned int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
		hash_keys(attempt, placing->hash->key);
		memset(placing->taken, 0, (placing->hash->n_slots + 63) / 64 * sizeof(*placing->taken));
		fill_buckets(placing);
		if (buckets_place(placing, by_size))
			return 0;
	}
	return HASH_IMPOSSIBLE;
}

static int hash_place(const struct lsmd_node *nodes, size_t n, struct perfect_hash *hash)
{
	_cleanup_free_ lsmd_u64 *hashes = malloc(n * sizeof(*hashes));
	_cleanup_free_ uint32_t *order = malloc(n * sizeof(*order));
	_cleanup_free_ uint32_t *start = malloc((hash->n_displace + 1) * sizeof(*start));
	_cleanup_free_ uint32_t *by_size = malloc(hash->n_displace * sizeof(*by_size));
	_cleanup_free_ uint64_t *taken = malloc((hash->n_slots + 63) / 64 * sizeof(*taken));
	struct placing placing = {
		.nodes = nodes,
		.n = n,
		.hashes = hashes,
		.order = order,
		.start = start,
		.taken = taken,
		.hash = hash,
	};

	if (!hashes || !order || !start || !by_size || !taken)
		return -ENOMEM;
	return attempts(&placing, by_size);
}

int hash_build(const struct lsmd_node *nodes, size_t n, struct perfect_hash *ret)
{
	struct perfect_hash hash = {};
	int r;

	hash_keys(0, hash.key);
	if (n) {
		hash.n_displace = (uint32_t)(n / KEYS_PER_BUCKET + 1);
		hash.n_slots = (uint32_t)(n * 1000 / LOAD + 1);
		hash.displace = malloc(hash.n_displace * sizeof(*hash.displace));
		hash.slots = malloc(n * sizeof(*hash.slots));
		r = hash.displace && hash.slots ? hash_place(nodes, n, &hash) : -ENOMEM;
		if (r) {
			hash_clear(&hash);
			return r;
		}
	}
	*ret = hash;
	return 0;
}

void hash_clear(struct perfect_hash *hash)
{
	free(hash->displace);
	free(hash->slots);
	*hash = (struct perfect_hash){};
}
