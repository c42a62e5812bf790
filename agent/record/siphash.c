// SPDX-License-Identifier: LGPL-2.1-or-later
/* SipHash-2-4, from the paper's description. */
#include "agent/record/siphash.h"

static uint64_t rotate(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static void rounds(uint64_t v[4], int n)
{
	while (n--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

void siphash_start(struct siphash *state, const struct siphash_key *key)
{
	*state = (struct siphash){
		.v = {
			key->k[0] ^ 0x736f6d6570736575ull,
			key->k[1] ^ 0x646f72616e646f6dull,
			key->k[0] ^ 0x6c7967656e657261ull,
			key->k[1] ^ 0x7465646279746573ull,
		},
	};
}

static void word_add(struct siphash *state, uint64_t word)
{
	state->v[3] ^= word;
	rounds(state->v, 2);
	state->v[0] ^= word;
}

void siphash_add(struct siphash *state, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < len; i++) {
		state->tail |= (uint64_t)at[i] << (state->len % 8 * 8);
		if (++state->len % 8 == 0) {
			word_add(state, state->tail);
			state->tail = 0;
		}
	}
}

uint64_t siphash_end(struct siphash *state)
{
	word_add(state, state->tail | (uint64_t)state->len << 56);
	state->v[2] ^= 0xff;
	rounds(state->v, 4);
	return state->v[0] ^ state->v[1] ^ state->v[2] ^ state->v[3];
}
