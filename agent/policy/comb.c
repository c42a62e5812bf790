// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Automata laid into each other like combs (Tarjan and Yao, "Storing a sparse table", 1979): a state keeps its commonest
 * target in itself and the others as steps at base + column, where `check` says whose step it is.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/dfa.h"
#include "agent/util/cleanup.h"
#include "agent/util/vec.h"

/* Free steps that are tried for a state before it goes to the end. */
#define TRIES_MAX 256
#define STATES_MAX (LSMD_IMAGE_BYTES_MAX / sizeof(struct lsmd_state))
#define STEPS_MAX (LSMD_IMAGE_BYTES_MAX / sizeof(struct lsmd_step))

/* A state waiting for its place. */
struct tooth {
	uint32_t state; /* of the automaton */
	uint32_t other; /* its commonest target */
	uint32_t n; /* columns that lead elsewhere */
};

static uint32_t bytemap_hash(const void *owner, uint32_t id)
{
	const struct comb *comb = owner;
	uint32_t words[64];

	memcpy(words, comb->bytemaps.items[id].columns, sizeof(words));
	return hash_words(words, 64, 0);
}

static bool bytemap_equal(const void *owner, uint32_t a, uint32_t b)
{
	const struct comb *comb = owner;

	return !memcmp(&comb->bytemaps.items[a], &comb->bytemaps.items[b], sizeof(struct bytemap));
}

static const struct dedupe_ops bytemap_ops = { bytemap_hash, bytemap_equal };

/* The ring: entry 0 is its head, entry i + 1 stands for step i. A taken step is in no ring and points to itself. */
static uint32_t ring_before(const struct comb *comb, uint32_t i)
{
	return comb->ring.items[2 * i];
}

static uint32_t ring_behind(const struct comb *comb, uint32_t i)
{
	return comb->ring.items[2 * i + 1];
}

static bool step_free(const struct comb *comb, uint32_t step)
{
	return ring_behind(comb, step + 1) != step + 1;
}

static void step_take(struct comb *comb, uint32_t step)
{
	uint32_t i = step + 1, before = ring_before(comb, i), behind = ring_behind(comb, i);

	comb->ring.items[2 * before + 1] = behind;
	comb->ring.items[2 * behind] = before;
	comb->ring.items[2 * i] = comb->ring.items[2 * i + 1] = i;
}

static int steps_grow(struct comb *comb, size_t n)
{
	while (comb->steps.n < n) {
		struct lsmd_step *step = vec_add(&comb->steps);
		uint32_t i = (uint32_t)comb->steps.n, last = ring_before(comb, 0);
		uint32_t *before = vec_add(&comb->ring), *behind = before ? vec_add(&comb->ring) : NULL;

		if (!step || !behind)
			return -ENOMEM;
		*step = (struct lsmd_step){};
		comb->ring.items[2 * i] = last;
		comb->ring.items[2 * i + 1] = 0;
		comb->ring.items[2 * last + 1] = i;
		comb->ring.items[0] = i;
	}
	return 0;
}

int comb_init(struct comb *comb)
{
	struct lsmd_state *dead = vec_add(&comb->states);
	struct bytemap *none = vec_add(&comb->bytemaps);

	if (!dead || !none || !vec_add(&comb->ring) || !vec_add(&comb->ring))
		return -ENOMEM;
	*dead = (struct lsmd_state){};
	*none = (struct bytemap){};
	comb->ring.items[0] = comb->ring.items[1] = 0;
	return 0;
}

void comb_clear(struct comb *comb)
{
	free(comb->states.items);
	free(comb->steps.items);
	free(comb->ring.items);
	free(comb->bytemaps.items);
	dedupe_clear(&comb->known_bytemaps);
	*comb = (struct comb){};
}

static int bytemap_add(struct comb *comb, const uint8_t columns[256], uint32_t *ret)
{
	struct bytemap *map = vec_add(&comb->bytemaps);
	uint32_t id = (uint32_t)comb->bytemaps.n - 1;
	int r;

	if (!map)
		return -ENOMEM;
	memcpy(map->columns, columns, sizeof(map->columns));
	r = dedupe_find(&comb->known_bytemaps, &bytemap_ops, comb, id, ret);
	if (!r && *ret != id)
		comb->bytemaps.n--;
	return r;
}

static int compare_numbers(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The commonest target of a row, the lowest of equally common ones, and how many columns lead elsewhere. */
static void tooth_make(const uint32_t *row, uint32_t n_columns, struct tooth *tooth)
{
	uint32_t sorted[256], best = 0;

	memcpy(sorted, row, n_columns * sizeof(*row));
	qsort(sorted, n_columns, sizeof(*sorted), compare_numbers);
	for (uint32_t i = 0; i < n_columns;) {
		uint32_t start = i;

		for (; i < n_columns && sorted[i] == sorted[start]; i++)
			;
		if (i - start > best) {
			best = i - start;
			tooth->other = sorted[start];
		}
	}
	tooth->n = n_columns - best;
}

/* Widest first: they are the hardest to place. */
static int compare_teeth(const void *a, const void *b)
{
	const struct tooth *x = a, *y = b;

	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	return x->state < y->state ? -1 : x->state > y->state;
}

static bool row_fits(const struct comb *comb, const uint32_t *row, uint32_t n_columns, uint32_t other, uint32_t base)
{
	for (uint32_t c = 0; c < n_columns; c++)
		if (row[c] != other && base + c < comb->steps.n && !step_free(comb, base + c))
			return false;
	return true;
}

/* The first base at which all steps of a row are free. */
static uint32_t row_base(const struct comb *comb, const uint32_t *row, uint32_t n_columns, uint32_t other)
{
	uint32_t first = 0, at = ring_behind(comb, 0);

	while (first < n_columns && row[first] == other)
		first++;
	if (first == n_columns)
		return 0;
	for (uint32_t tries = 0; at && tries < TRIES_MAX; tries++, at = ring_behind(comb, at)) {
		uint32_t step = at - 1;

		if (step >= first && row_fits(comb, row, n_columns, other, step - first))
			return step - first;
	}
	return (uint32_t)comb->steps.n;
}

/* Lay one state in. The states of the automaton have the numbers from @offset + 1 on; the dead one is shared. */
static int tooth_place(struct comb *comb, const struct dfa *dfa, const struct tooth *tooth, uint32_t offset)
{
	const uint32_t *row = &dfa->next[(size_t)tooth->state * dfa->n_columns];
	uint32_t base = row_base(comb, row, dfa->n_columns, tooth->other), id = tooth->state + offset;

	comb->states.items[id] = (struct lsmd_state){
		.base = base,
		.other = tooth->other ? tooth->other + offset : 0,
		.class = dfa->class[tooth->state],
	};
	for (uint32_t c = 0; c < dfa->n_columns; c++) {
		int r;

		if (row[c] == tooth->other)
			continue;
		r = steps_grow(comb, (size_t)base + c + 1);
		if (r)
			return r;
		step_take(comb, base + c);
		comb->steps.items[base + c] = (struct lsmd_step){ id, row[c] ? row[c] + offset : 0 };
	}
	return 0;
}

static int states_grow(struct comb *comb, size_t n)
{
	void *items = comb->states.items;
	int r;

	if (comb->states.n + n > STATES_MAX)
		return COMB_TOO_LARGE;
	r = vec_room(&items, &comb->states.capacity, comb->states.n + n, sizeof(struct lsmd_state));
	comb->states.items = items;
	if (!r)
		comb->states.n += n;
	return r;
}

int comb_add(struct comb *comb, const struct dfa *dfa, uint32_t *start, uint32_t *bytemap)
{
	uint32_t offset = (uint32_t)comb->states.n - 1, n = dfa->n_states - 1;
	_cleanup_free_ struct tooth *teeth = calloc(n, sizeof(*teeth));
	int r;

	if (!teeth)
		return -ENOMEM;
	r = states_grow(comb, n);
	if (!r)
		r = bytemap_add(comb, dfa->bytemap, bytemap);
	if (r)
		return r;
	for (uint32_t i = 0; i < n; i++) {
		teeth[i].state = i + 1;
		tooth_make(&dfa->next[(size_t)(i + 1) * dfa->n_columns], dfa->n_columns, &teeth[i]);
	}
	qsort(teeth, n, sizeof(*teeth), compare_teeth);
	for (uint32_t i = 0; i < n; i++) {
		r = tooth_place(comb, dfa, &teeth[i], offset);
		if (r)
			return r;
		if (comb->steps.n > STEPS_MAX)
			return COMB_TOO_LARGE;
	}
	*start = offset + 1;
	return 0;
}

int comb_finish(struct comb *comb)
{
	return steps_grow(comb, comb->steps.n + 256);
}
