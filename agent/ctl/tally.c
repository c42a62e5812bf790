// SPDX-License-Identifier: LGPL-2.1-or-later
/* Counts for summaries. */
#include "agent/ctl/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int tally_add(json_t *tally, const char *word, uint64_t n)
{
	json_t *count = json_object_get(tally, word);

	if (count)
		return json_integer_set(count, json_integer_value(count) + n);
	return json_object_set_new(tally, word, json_integer(n)) ? -ENOMEM : 0;
}

static int word_order(const void *a, const void *b)
{
	const struct tally_word *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? 1 : -1;
	return strcmp(x->word, y->word);
}

struct tally_word *tally_sort(const json_t *tally, size_t *ret_n)
{
	size_t n = json_object_size(tally), at = 0;
	struct tally_word *words = n ? calloc(n, sizeof(*words)) : NULL;
	json_t *value;
	const char *key;

	*ret_n = 0;
	if (!words)
		return NULL;
	json_object_foreach ((json_t *)tally, key, value) {
		words[at++] = (struct tally_word){ .word = key, .n = json_integer_value(value) };
	}
	qsort(words, n, sizeof(*words), word_order);
	*ret_n = n;
	return words;
}

struct span span_of(const struct moments *moments, size_t max)
{
	static const uint32_t widths_s[] = { 1,	   2,	 5,	10,    30,    60,    120,    300,    600,
					     1800, 3600, 10800, 21600, 43200, 86400, 172800, 604800, 2592000 };
	uint64_t first = UINT64_MAX, last = 0;
	struct span span = { .n = 1, .width_us = 1000000 };

	for (size_t i = 0; i < moments->n; i++) {
		if (moments->items[i].time_us < first)
			first = moments->items[i].time_us;
		if (moments->items[i].time_us > last)
			last = moments->items[i].time_us;
	}
	if (!moments->n)
		return span;
	for (size_t i = 0; i < sizeof(widths_s) / sizeof(*widths_s); i++) {
		span.width_us = widths_s[i] * 1000000ull;
		span.start_us = first - first % span.width_us;
		span.n = (last - span.start_us) / span.width_us + 1;
		if (span.n <= max)
			return span;
	}
	/* Longer than anybody keeps records: parts of whatever width it takes. */
	span.start_us = first;
	span.width_us = (last - first) / max + 1;
	span.n = max;
	return span;
}

size_t span_part(const struct span *span, uint64_t time_us)
{
	size_t part = time_us > span->start_us ? (time_us - span->start_us) / span->width_us : 0;

	return part < span->n ? part : span->n - 1;
}
