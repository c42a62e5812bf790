// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Hopcroft's partition refinement. The dead state is a block of its own and never splits another: it is the one block that the
 * algorithm may leave out of its work list, since every other state can still accept something.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/dfa.h"
#include "agent/util/cleanup.h"

struct block {
	uint32_t first; /* in partition.states */
	uint32_t n;
	uint32_t marked; /* the first of them */
	bool waiting; /* on the work list */
};

struct partition {
	uint32_t *states; /* by block */
	uint32_t *place; /* of each state in `states` */
	uint32_t *block_of;
	struct block *blocks;
	uint32_t n_blocks;
	uint32_t *waiting; /* blocks */
	uint32_t n_waiting;
	uint32_t *touched; /* blocks with marked states */
	uint32_t n_touched;
	uint32_t *splitter; /* states of the block being worked with */
	uint32_t *from_at; /* [column * (n_states + 1) + state]: first of the states that lead there */
	uint32_t *from;
};

static void partition_clear(struct partition *p)
{
	free(p->states);
	free(p->place);
	free(p->block_of);
	free(p->blocks);
	free(p->waiting);
	free(p->touched);
	free(p->splitter);
	free(p->from_at);
	free(p->from);
}

static int partition_alloc(struct partition *p, const struct dfa *dfa)
{
	size_t n = dfa->n_states, k = dfa->n_columns;

	p->states = malloc(n * sizeof(*p->states));
	p->place = malloc(n * sizeof(*p->place));
	p->block_of = malloc(n * sizeof(*p->block_of));
	p->blocks = calloc(n, sizeof(*p->blocks));
	p->waiting = malloc(n * sizeof(*p->waiting));
	p->touched = malloc(n * sizeof(*p->touched));
	p->splitter = malloc(n * sizeof(*p->splitter));
	p->from_at = calloc(k * (n + 1) + 1, sizeof(*p->from_at));
	p->from = malloc(k * n * sizeof(*p->from));
	if (!p->states || !p->place || !p->block_of || !p->blocks || !p->waiting || !p->touched || !p->splitter ||
	    !p->from_at || !p->from)
		return -ENOMEM;
	return 0;
}

/* The states that lead to each state, by column; the dead state is not asked for. */
static void partition_invert(struct partition *p, const struct dfa *dfa)
{
	size_t n = dfa->n_states, k = dfa->n_columns;

	for (size_t s = 0; s < n; s++)
		for (size_t c = 0; c < k; c++)
			p->from_at[c * (n + 1) + dfa->next[s * k + c]]++;
	for (size_t i = 0, at = 0; i < k * (n + 1); i++) {
		if (i % (n + 1) == 0)
			p->from_at[i] = 0;
		at += p->from_at[i];
		p->from_at[i] = (uint32_t)at;
	}
	for (size_t s = n; s-- > 0;) {
		for (size_t c = k; c-- > 0;) {
			size_t to = dfa->next[s * k + c];

			if (to)
				p->from[--p->from_at[c * (n + 1) + to]] = (uint32_t)s;
		}
	}
}

static void block_wait(struct partition *p, uint32_t b)
{
	p->blocks[b].waiting = true;
	p->waiting[p->n_waiting++] = b;
}

/* Block 0 is the dead state; then one block a class. */
static int partition_start(struct partition *p, const struct dfa *dfa)
{
	_cleanup_free_ uint32_t *block_of_class = NULL;
	uint32_t n = dfa->n_states, n_classes = 0;

	for (uint32_t s = 0; s < n; s++)
		if (dfa->class[s] >= n_classes)
			n_classes = dfa->class[s] + 1;
	block_of_class = calloc(n_classes, sizeof(*block_of_class));
	if (!block_of_class)
		return -ENOMEM;
	p->n_blocks = 1;
	for (uint32_t s = 0; s < n; s++) {
		uint32_t *b = &block_of_class[dfa->class[s]];

		if (s && !*b)
			*b = p->n_blocks++;
		p->block_of[s] = s ? *b : 0;
		p->blocks[p->block_of[s]].n++;
	}
	for (uint32_t b = 0, at = 0; b < p->n_blocks; b++) {
		p->blocks[b].first = at;
		at += p->blocks[b].n;
		p->blocks[b].n = 0;
		if (b)
			block_wait(p, b);
	}
	for (uint32_t s = 0; s < n; s++) {
		struct block *block = &p->blocks[p->block_of[s]];

		p->place[s] = block->first + block->n++;
		p->states[p->place[s]] = s;
	}
	return 0;
}

/* Move a state to the front of its block. */
static void state_mark(struct partition *p, uint32_t s)
{
	struct block *block = &p->blocks[p->block_of[s]];
	uint32_t to = block->first + block->marked, other = p->states[to];

	if (!block->marked)
		p->touched[p->n_touched++] = p->block_of[s];
	p->states[p->place[s]] = other;
	p->place[other] = p->place[s];
	p->states[to] = s;
	p->place[s] = to;
	block->marked++;
}

/* The smaller part of a block with marked and other states becomes a block of its own, and has to split others. */
static void block_split(struct partition *p, uint32_t b)
{
	struct block *block = &p->blocks[b], *part = &p->blocks[p->n_blocks];
	uint32_t marked = block->marked;

	block->marked = 0;
	if (marked == block->n)
		return;
	if (marked <= block->n - marked) {
		*part = (struct block){ .first = block->first, .n = marked };
		block->first += marked;
		block->n -= marked;
	} else {
		*part = (struct block){ .first = block->first + marked, .n = block->n - marked };
		block->n = marked;
	}
	for (uint32_t i = 0; i < part->n; i++)
		p->block_of[p->states[part->first + i]] = p->n_blocks;
	block_wait(p, p->n_blocks++);
}

static void partition_refine(struct partition *p, const struct dfa *dfa)
{
	size_t n = dfa->n_states;

	while (p->n_waiting) {
		struct block *block = &p->blocks[p->waiting[--p->n_waiting]];
		uint32_t n_splitter = block->n;

		block->waiting = false;
		memcpy(p->splitter, &p->states[block->first], n_splitter * sizeof(*p->splitter));
		for (size_t c = 0; c < dfa->n_columns; c++) {
			const uint32_t *at = &p->from_at[c * (n + 1)];

			p->n_touched = 0;
			for (uint32_t i = 0; i < n_splitter; i++)
				for (uint32_t f = at[p->splitter[i]]; f < at[p->splitter[i] + 1]; f++)
					state_mark(p, p->from[f]);
			for (uint32_t i = 0; i < p->n_touched; i++)
				block_split(p, p->touched[i]);
		}
	}
}

/* Blocks by number, as they are met from the start on. */
static uint32_t partition_number(const struct partition *p, const struct dfa *dfa, uint32_t *number, uint32_t *order)
{
	uint32_t n = 1;

	memset(number, 0, p->n_blocks * sizeof(*number));
	number[p->block_of[1]] = n;
	order[n++] = p->block_of[1];
	for (uint32_t i = 1; i < n; i++) {
		uint32_t s = p->states[p->blocks[order[i]].first];

		for (uint32_t c = 0; c < dfa->n_columns; c++) {
			uint32_t b = p->block_of[dfa->next[(size_t)s * dfa->n_columns + c]];

			if (!b || number[b])
				continue;
			number[b] = n;
			order[n++] = b;
		}
	}
	return n;
}

/* The automaton of the blocks, in place of the one of the states: rows move towards the front only after they were read. */
static int dfa_take_blocks(struct dfa *dfa, const struct partition *p)
{
	_cleanup_free_ uint32_t *number = malloc(p->n_blocks * sizeof(*number));
	_cleanup_free_ uint32_t *order = malloc((p->n_blocks + 1) * sizeof(*order));
	uint32_t k = dfa->n_columns, n;
	uint32_t *next, *class;

	if (!number || !order)
		return -ENOMEM;
	order[0] = 0;
	n = partition_number(p, dfa, number, order);
	next = calloc((size_t)n * k, sizeof(*next));
	class = calloc(n, sizeof(*class));
	if (!next || !class) {
		free(next);
		free(class);
		return -ENOMEM;
	}
	for (uint32_t i = 1; i < n; i++) {
		uint32_t s = p->states[p->blocks[order[i]].first];

		class[i] = dfa->class[s];
		for (uint32_t c = 0; c < k; c++)
			next[(size_t)i * k + c] = number[p->block_of[dfa->next[(size_t)s * k + c]]];
	}
	free(dfa->next);
	free(dfa->class);
	dfa->next = next;
	dfa->class = class;
	dfa->n_states = n;
	return 0;
}

static bool columns_equal(const struct dfa *dfa, uint32_t a, uint32_t b)
{
	for (size_t s = 0; s < dfa->n_states; s++)
		if (dfa->next[s * dfa->n_columns + a] != dfa->next[s * dfa->n_columns + b])
			return false;
	return true;
}

/* Which earlier column each column equals, or itself. */
static void columns_compare(const struct dfa *dfa, uint32_t same[256])
{
	uint64_t hash[256] = {};
	uint32_t k = dfa->n_columns;

	for (size_t s = 0; s < dfa->n_states; s++)
		for (uint32_t c = 0; c < k; c++)
			hash[c] = (hash[c] ^ dfa->next[s * k + c]) * 0x9e3779b97f4a7c15ull + (hash[c] >> 29);
	for (uint32_t c = 0; c < k; c++) {
		for (same[c] = 0; same[c] < c; same[c]++)
			if (hash[same[c]] == hash[c] && columns_equal(dfa, same[c], c))
				break;
	}
}

/* Bytes that the minimal automaton does not tell apart share a column. */
static void columns_join(struct dfa *dfa)
{
	uint32_t same[256], number[256], n = 0, k = dfa->n_columns;

	columns_compare(dfa, same);
	for (uint32_t c = 0; c < k; c++)
		number[c] = same[c] == c ? n++ : number[same[c]];
	for (uint32_t b = 0; b < 256; b++)
		dfa->bytemap[b] = (uint8_t)number[dfa->bytemap[b]];
	for (size_t s = 0; s < dfa->n_states; s++)
		for (uint32_t c = 0; c < k; c++)
			if (same[c] == c)
				dfa->next[s * n + number[c]] = dfa->next[s * k + c];
	dfa->n_columns = n;
}

int dfa_minimise(struct dfa *dfa)
{
	_cleanup_(partition_clear) struct partition partition = {};
	int r = partition_alloc(&partition, dfa);

	if (r)
		return r;
	partition_invert(&partition, dfa);
	r = partition_start(&partition, dfa);
	if (r)
		return r;
	partition_refine(&partition, dfa);
	r = dfa_take_blocks(dfa, &partition);
	if (!r)
		columns_join(dfa);
	return r;
}
