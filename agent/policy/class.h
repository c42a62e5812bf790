/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What rules say of one name, by layer: the classes, cells and rows of an image while it is put together. Equal content is
 * kept once.
 */
#ifndef LSMD_POLICY_CLASS_H
#define LSMD_POLICY_CLASS_H

#include <stddef.h>
#include <stdint.h>

#include "agent/policy/dedupe.h"
#include "lsm/abi/image.h"

/* What one rule says of a name or an address. */
struct entry {
	uint32_t next; /* index of the next entry for the same name; 0: last */
	uint32_t layer;
	uint32_t allow; /* access, device twins included */
	uint32_t deny;
	uint32_t rule; /* global number */
};

/* What several rules of one layer say together. rule[v] counts where allow or deny has the bit v. */
struct sum {
	uint32_t allow;
	uint32_t deny;
	uint32_t rule[32];
};

/* Zero-initialise, class_table_init(), class_table_clear(). Record 0 of each array is the empty one. */
struct class_table {
	struct {
		struct lsmd_class *items;
		size_t n, capacity;
	} classes;
	struct {
		uint8_t *items; /* how many classes each inherits from, one after the other */
		size_t n, capacity;
	} depths;
	struct {
		struct lsmd_cell *items;
		size_t n, capacity;
	} cells;
	struct {
		struct lsmd_row *items;
		size_t n, capacity;
	} rows;
	struct {
		struct lsmd_cell *items; /* of the class being made */
		size_t n, capacity;
	} scratch;
	struct dedupe known_classes;
	struct dedupe known_rows;
};

enum {
	CLASS_TOO_MANY = 1, /* the records alone are larger than an image may be */
};

int class_table_init(struct class_table *table);
void class_table_clear(struct class_table *table);

void sum_add(struct sum *sum, uint32_t allow, uint32_t deny, uint32_t rule);

/** sum_add_cell() - what a cell says, on top of the sum */
void sum_add_cell(const struct class_table *table, struct sum *sum, const struct lsmd_cell *cell);

/** row_intern() - a row of a rule for each bit of an access, as sum_rule() gives it. Return: 0, CLASS_TOO_MANY, -ENOMEM */
int row_intern(struct class_table *table, const uint32_t rules[32], uint32_t *ret);

/** sum_rule() - the `rule` of a class, cell or port: one rule, or a row. Return: 0, CLASS_TOO_MANY, -ENOMEM */
int sum_rule(struct class_table *table, const struct sum *sum, uint32_t *ret);

/**
 * class_make() - the class of a name
 * @base:     class of the directory above, 0: none. Its cells of layers that @entries name are merged in; the others are
 *            inherited.
 * @inherits: the longest chain the class may be at the head of, at most LSMD_INHERIT_MAX; beyond it all cells are copied
 * @entries:  at least one, sorted by layer; @next is not looked at
 * Return: 0, CLASS_TOO_MANY, -ENOMEM
 */
int class_make(struct class_table *table, uint32_t base, unsigned int inherits, const struct entry *entries, size_t n,
	       uint32_t *ret);

#endif
