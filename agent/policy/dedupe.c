// SPDX-License-Identifier: LGPL-2.1-or-later
/* An open-addressing table of numbers; what they number belongs to the caller. */
#include "agent/policy/dedupe.h"

#include <errno.h>
#include <stdlib.h>

/* The mixing step of MurmurHash2 (Austin Appleby), a word at a time. */
uint32_t hash_words(const uint32_t *words, size_t n, uint32_t seed)
{
	uint64_t h = seed ^ 0x9e3779b97f4a7c15ull;

	for (size_t i = 0; i < n; i++) {
		h = (h ^ words[i]) * 0xc6a4a7935bd1e995ull;
		h ^= h >> 47;
	}
	return (uint32_t)(h ^ h >> 32);
}

static int dedupe_grow(struct dedupe *known, const struct dedupe_ops *ops, const void *owner)
{
	size_t room = known->room ? known->room * 2 : 64;
	uint32_t *slots = calloc(room, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < known->room; i++) {
		size_t at;

		if (!known->slots[i])
			continue;
		at = ops->hash(owner, known->slots[i]) & (room - 1);
		while (slots[at])
			at = (at + 1) & (room - 1);
		slots[at] = known->slots[i];
	}
	free(known->slots);
	known->slots = slots;
	known->room = room;
	return 0;
}

int dedupe_find(struct dedupe *known, const struct dedupe_ops *ops, const void *owner, uint32_t id, uint32_t *ret)
{
	size_t at;

	if (known->n * 4 >= known->room * 3) {
		int r = dedupe_grow(known, ops, owner);

		if (r)
			return r;
	}
	for (at = ops->hash(owner, id) & (known->room - 1); known->slots[at]; at = (at + 1) & (known->room - 1)) {
		if (ops->equal(owner, known->slots[at], id)) {
			*ret = known->slots[at];
			return 0;
		}
	}
	known->slots[at] = id;
	known->n++;
	*ret = id;
	return 0;
}

void dedupe_clear(struct dedupe *known)
{
	free(known->slots);
	*known = (struct dedupe){};
}
