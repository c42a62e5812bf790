// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sums of rules to classes; equal ones are found by their content. */
#include "agent/policy/class.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/util/vec.h"

/* Records are numbered with 31 bits at most, and an image would not hold as many. */
#define CELLS_MAX (LSMD_IMAGE_BYTES_MAX / sizeof(struct lsmd_cell))
#define ROWS_MAX (LSMD_IMAGE_BYTES_MAX / sizeof(struct lsmd_row))
#define CLASSES_MAX (LSMD_IMAGE_BYTES_MAX / sizeof(struct lsmd_class))

static uint32_t class_hash(const void *owner, uint32_t id)
{
	const struct class_table *table = owner;
	const struct lsmd_class *class = &table->classes.items[id];

	if (class->layer == LSMD_CLASS_MANY)
		return hash_words((const uint32_t *)&table->cells.items[class->allow],
				  class->deny * (sizeof(struct lsmd_cell) / 4), class->inherits);
	return hash_words(&class->layer, 4, class->inherits);
}

static uint32_t row_hash(const void *owner, uint32_t id)
{
	const struct class_table *table = owner;

	return hash_words(table->rows.items[id].rule, 32, 0);
}

static bool class_equal(const void *owner, uint32_t a, uint32_t b)
{
	const struct class_table *table = owner;
	const struct lsmd_class *x = &table->classes.items[a], *y = &table->classes.items[b];

	if (x->inherits != y->inherits || x->layer != y->layer)
		return false;
	if (x->layer != LSMD_CLASS_MANY)
		return x->allow == y->allow && x->deny == y->deny && x->rule == y->rule;
	return x->deny == y->deny && !memcmp(&table->cells.items[x->allow], &table->cells.items[y->allow],
					     x->deny * sizeof(struct lsmd_cell));
}

static bool row_equal(const void *owner, uint32_t a, uint32_t b)
{
	const struct class_table *table = owner;

	return !memcmp(&table->rows.items[a], &table->rows.items[b], sizeof(struct lsmd_row));
}

static const struct dedupe_ops class_ops = { class_hash, class_equal };
static const struct dedupe_ops row_ops = { row_hash, row_equal };

int class_table_init(struct class_table *table)
{
	if (!vec_add(&table->classes) || !vec_add(&table->depths) || !vec_add(&table->cells) || !vec_add(&table->rows))
		return -ENOMEM;
	table->classes.items[0] = (struct lsmd_class){};
	table->depths.items[0] = 0;
	table->cells.items[0] = (struct lsmd_cell){};
	table->rows.items[0] = (struct lsmd_row){};
	return 0;
}

void class_table_clear(struct class_table *table)
{
	free(table->classes.items);
	free(table->depths.items);
	free(table->cells.items);
	free(table->rows.items);
	free(table->scratch.items);
	dedupe_clear(&table->known_classes);
	dedupe_clear(&table->known_rows);
	*table = (struct class_table){};
}

void sum_add(struct sum *sum, uint32_t allow, uint32_t deny, uint32_t rule)
{
	uint32_t bits;

	for (bits = deny; bits; bits &= bits - 1) {
		int v = __builtin_ctz(bits);

		if (!(sum->deny >> v & 1) || rule < sum->rule[v])
			sum->rule[v] = rule;
	}
	for (bits = allow & ~(sum->deny | deny); bits; bits &= bits - 1) {
		int v = __builtin_ctz(bits);

		if (!(sum->allow >> v & 1) || rule < sum->rule[v])
			sum->rule[v] = rule;
	}
	sum->allow |= allow;
	sum->deny |= deny;
}

void sum_add_cell(const struct class_table *table, struct sum *sum, const struct lsmd_cell *cell)
{
	const struct lsmd_row *row;

	if (!(cell->rule & LSMD_RULE_ROW)) {
		sum_add(sum, cell->allow, cell->deny, cell->rule);
		return;
	}
	row = &table->rows.items[cell->rule & ~LSMD_RULE_ROW];
	for (uint32_t bits = cell->allow | cell->deny; bits; bits &= bits - 1) {
		int v = __builtin_ctz(bits);

		sum_add(sum, cell->allow & 1u << v, cell->deny & 1u << v, row->rule[v]);
	}
}

int row_intern(struct class_table *table, const uint32_t rules[32], uint32_t *ret)
{
	struct lsmd_row *row = vec_add(&table->rows);
	uint32_t id = (uint32_t)table->rows.n - 1;
	int r;

	if (!row)
		return -ENOMEM;
	if (id >= ROWS_MAX)
		return CLASS_TOO_MANY;
	memcpy(row->rule, rules, sizeof(row->rule));
	r = dedupe_find(&table->known_rows, &row_ops, table, id, ret);
	if (!r && *ret != id)
		table->rows.n--;
	*ret |= LSMD_RULE_ROW;
	return r;
}

static int row_make(struct class_table *table, const struct sum *sum, uint32_t *ret)
{
	uint32_t rules[32] = {};

	for (uint32_t bits = sum->allow | sum->deny; bits; bits &= bits - 1)
		rules[__builtin_ctz(bits)] = sum->rule[__builtin_ctz(bits)];
	return row_intern(table, rules, ret);
}

int sum_rule(struct class_table *table, const struct sum *sum, uint32_t *ret)
{
	uint32_t bits = sum->allow | sum->deny, rule;

	*ret = 0;
	if (!bits)
		return 0;
	rule = sum->rule[__builtin_ctz(bits)];
	for (; bits; bits &= bits - 1)
		if (sum->rule[__builtin_ctz(bits)] != rule)
			return row_make(table, sum, ret);
	*ret = rule;
	return 0;
}

/* The cells of one class alone. */
static const struct lsmd_cell *class_cells(const struct class_table *table, uint32_t id, struct lsmd_cell *one,
					   size_t *n)
{
	const struct lsmd_class *class = &table->classes.items[id];

	if (class->layer == LSMD_CLASS_MANY) {
		*n = class->deny;
		return &table->cells.items[class->allow];
	}
	*one = (struct lsmd_cell){ class->layer, class->allow, class->deny, class->rule };
	*n = 1;
	return one;
}

static const struct lsmd_cell *cells_find(const struct lsmd_cell *cells, size_t n, uint32_t layer)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (cells[middle].layer == layer)
			return &cells[middle];
		if (cells[middle].layer < layer)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* The whole of what a class says of a layer: its own cell, or the first one up the chain. */
static bool class_find(const struct class_table *table, uint32_t id, uint32_t layer, struct lsmd_cell *ret)
{
	for (; id; id = table->classes.items[id].inherits) {
		struct lsmd_cell one;
		size_t n;
		const struct lsmd_cell *cells = class_cells(table, id, &one, &n);
		const struct lsmd_cell *cell = cells_find(cells, n, layer);

		if (cell) {
			*ret = *cell;
			return true;
		}
	}
	return false;
}

static int scratch_add(struct class_table *table, const struct lsmd_cell *cell)
{
	struct lsmd_cell *to = vec_add(&table->scratch);

	if (!to)
		return -ENOMEM;
	*to = *cell;
	return 0;
}

/* One cell a layer that @entries name, with what @base says of the layer. */
static int scratch_fill(struct class_table *table, uint32_t base, const struct entry *entries, size_t n)
{
	table->scratch.n = 0;
	for (size_t i = 0; i < n;) {
		struct lsmd_cell cell = { .layer = entries[i].layer };
		struct sum sum = {};
		int r;

		for (; i < n && entries[i].layer == cell.layer; i++)
			sum_add(&sum, entries[i].allow, entries[i].deny, entries[i].rule);
		if (class_find(table, base, cell.layer, &cell))
			sum_add_cell(table, &sum, &cell);
		cell.allow = sum.allow;
		cell.deny = sum.deny;
		r = sum_rule(table, &sum, &cell.rule);
		if (!r)
			r = scratch_add(table, &cell);
		if (r)
			return r;
	}
	return 0;
}

/* The nearest class up the chain that says something of a layer that the scratch cells do not. */
static uint32_t scratch_base(const struct class_table *table, uint32_t base, size_t n_own)
{
	for (; base; base = table->classes.items[base].inherits) {
		struct lsmd_cell one;
		size_t n;
		const struct lsmd_cell *cells = class_cells(table, base, &one, &n);

		if (n > n_own)
			return base;
		for (size_t i = 0; i < n; i++)
			if (!cells_find(table->scratch.items, n_own, cells[i].layer))
				return base;
	}
	return 0;
}

static int compare_layers(const void *a, const void *b)
{
	const struct lsmd_cell *x = a, *y = b;

	return x->layer < y->layer ? -1 : x->layer > y->layer;
}

/* Copy all cells that would have been inherited. Each class of the chain is merged in sorted order, nearest first. */
static int scratch_flatten(struct class_table *table, uint32_t base)
{
	for (; base; base = table->classes.items[base].inherits) {
		struct lsmd_cell one;
		size_t n, n_own = table->scratch.n;
		const struct lsmd_cell *cells = class_cells(table, base, &one, &n);

		for (size_t i = 0; i < n; i++) {
			if (cells_find(table->scratch.items, n_own, cells[i].layer))
				continue;
			if (scratch_add(table, &cells[i]))
				return -ENOMEM;
		}
		if (table->scratch.n > n_own)
			qsort(table->scratch.items, table->scratch.n, sizeof(*cells), compare_layers);
	}
	return 0;
}

static int class_set_cells(struct class_table *table, struct lsmd_class *class)
{
	size_t n = table->scratch.n;
	void *items = table->cells.items;
	int r;

	if (n == 1) {
		const struct lsmd_cell *cell = table->scratch.items;

		*class = (struct lsmd_class){ class->inherits, cell->layer, cell->allow, cell->deny, cell->rule };
		return 0;
	}
	if (table->cells.n + n > CELLS_MAX)
		return CLASS_TOO_MANY;
	r = vec_room(&items, &table->cells.capacity, table->cells.n + n, sizeof(struct lsmd_cell));
	table->cells.items = items;
	if (r)
		return r;
	memcpy(&table->cells.items[table->cells.n], table->scratch.items, n * sizeof(struct lsmd_cell));
	*class = (struct lsmd_class){ class->inherits, LSMD_CLASS_MANY, (uint32_t)table->cells.n, (uint32_t)n, 0 };
	table->cells.n += n;
	return 0;
}

/* The scratch cells as a class: a new one, or the one that is known. */
static int scratch_intern(struct class_table *table, uint32_t inherits, uint32_t *ret)
{
	size_t n_cells = table->cells.n;
	struct lsmd_class *class = vec_add(&table->classes);
	uint32_t id = (uint32_t)table->classes.n - 1;
	uint8_t *depth;
	int r;

	if (!class)
		return -ENOMEM;
	if (id >= CLASSES_MAX)
		return CLASS_TOO_MANY;
	class->inherits = inherits;
	r = class_set_cells(table, class);
	if (!r)
		r = dedupe_find(&table->known_classes, &class_ops, table, id, ret);
	if (r)
		return r;
	if (*ret != id) {
		table->classes.n--;
		table->cells.n = n_cells;
		return 0;
	}
	depth = vec_add(&table->depths);
	if (!depth)
		return -ENOMEM;
	*depth = inherits ? table->depths.items[inherits] + 1 : 0;
	return 0;
}

int class_make(struct class_table *table, uint32_t base, unsigned int inherits, const struct entry *entries, size_t n,
	       uint32_t *ret)
{
	int r = scratch_fill(table, base, entries, n);

	if (r)
		return r;
	base = scratch_base(table, base, table->scratch.n);
	if (base && table->depths.items[base] + 1u > inherits) {
		r = scratch_flatten(table, base);
		if (r)
			return r;
		base = 0;
	}
	return scratch_intern(table, base, ret);
}
