/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SipHash-2-4 (Aumasson, Bernstein, 2012): 64 bits under a secret key, so that nobody who chooses names can make two of them
 * fall together.
 */
#ifndef LSMD_RECORD_SIPHASH_H
#define LSMD_RECORD_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k[2];
};

/* Hashing piece by piece. Pieces run together: hash lengths too where they could be mixed up. */
struct siphash {
	uint64_t v[4];
	uint64_t tail;
	size_t len;
};

void siphash_start(struct siphash *state, const struct siphash_key *key);
void siphash_add(struct siphash *state, const void *bytes, size_t len);
uint64_t siphash_end(struct siphash *state);

#endif
