// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sums over an image: 64-bit words go in turn into four lanes, lane = rotate(lane ^ word * A, 31) * B, and the lanes are
 * folded into one number with as many bytes as went in. Four multiplies are under way at a time: some GB a second.
 * It finds accidents; who may write an image may also write its sum.
 */
#include "agent/policy/image.h"

#include <string.h>

#define SUM_A 0x9fb21c651e98df25ull
#define SUM_B 0x9e3779b97f4a7c15ull

struct image_sum {
	uint64_t lanes[4];
	uint64_t n; /* words */
};

static uint64_t rotate(uint64_t x, unsigned int by)
{
	return x << by | x >> (64 - by);
}

static void sum_words(struct image_sum *sum, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i += 8) {
		uint64_t *lane = &sum->lanes[sum->n++ & 3], word;

		memcpy(&word, (const char *)bytes + i, sizeof(word));
		*lane = rotate(*lane ^ word * SUM_A, 31) * SUM_B;
	}
}

static uint64_t sum_fold(const struct image_sum *sum)
{
	uint64_t h = sum->n * 8;

	for (int i = 0; i < 4; i++) {
		h = rotate(h ^ sum->lanes[i], 29) * SUM_B;
		h ^= h >> 32;
	}
	return h;
}

/* Everything in front of the counters, with the fields that are not part of it as 0. */
static uint64_t image_sum(const struct lsmd_image_header *image, struct lsmd_image_header *header, uint64_t seed)
{
	struct image_sum sum = { .lanes = { seed, seed + SUM_A, seed + SUM_B, ~seed } };

	header->checksum = 0;
	header->generation = 0;
	sum_words(&sum, header, sizeof(*header));
	sum_words(&sum, image + 1, image->counters.off - sizeof(*image));
	return sum_fold(&sum);
}

uint64_t image_checksum(const struct lsmd_image_header *image)
{
	struct lsmd_image_header header = *image;

	return image_sum(image, &header, 0);
}

uint64_t image_set_hash(const struct lsmd_image_header *image)
{
	struct lsmd_image_header header = *image;

	header.set_hash = 0;
	return image_sum(image, &header, 1);
}
