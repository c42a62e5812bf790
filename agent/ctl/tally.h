/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counts of words, and of what happened when, for summaries of records. */
#ifndef LSMD_CTL_TALLY_H
#define LSMD_CTL_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* Words with their counts: a JSON object of numbers. */

/** tally_add() - @n more of @word. Return: 0, -ENOMEM */
int tally_add(json_t *tally, const char *word, uint64_t n);

struct tally_word {
	const char *word; /* borrowed */
	uint64_t n;
};

/** tally_sort() - most frequent first, then by the word; free(). NULL: no memory, or no words */
struct tally_word *tally_sort(const json_t *tally, size_t *ret_n);

/* What happened when. Zero-initialise; free() the items. */
struct moments {
	struct moment {
		uint64_t time_us;
		uint64_t n;
		uint32_t series; /* the caller's */
	} *items;
	size_t n;
	size_t capacity;
};

/* A span of time cut into equal parts of a width that people count in. */
struct span {
	uint64_t start_us, width_us;
	size_t n; /* parts, at least 1 */
};

/** span_of() - the parts that cover all of @moments, at most @max of them */
struct span span_of(const struct moments *moments, size_t max);

/** span_part() - which part a time lies in */
size_t span_part(const struct span *span, uint64_t time_us);

#endif
