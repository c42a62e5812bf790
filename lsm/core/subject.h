/* SPDX-License-Identifier: (GPL-2.0-only OR LGPL-2.1-or-later) */
/* Who is held: the layers whose subject matches the name of a program (MEANING.md 7). */
#ifndef LSMD_CORE_SUBJECT_H
#define LSMD_CORE_SUBJECT_H

#include "path.h"

/* A set of layers, in the order found. */
struct lsmd_held {
	lsmd_u32 n;
	lsmd_u32 overflow; /* there was one more than LSMD_LAYERS_MAX */
	lsmd_u32 layers[LSMD_LAYERS_MAX];
};

/* held_add() - @zero: 0. Return: 0. */
LSMD_GLOBAL int held_add(struct lsmd_held *held, lsmd_u32 layer, lsmd_u64 zero)
{
	lsmd_u64 i;

	if (!held)
		return 0;
	for (i = zero; i < LSMD_LAYERS_MAX && i < held->n; i++)
		if (held->layers[lsmd_hidden(i) & (LSMD_LAYERS_MAX - 1)] == layer)
			return 0;
	i = held->n;
	if (i >= LSMD_LAYERS_MAX) {
		held->overflow = 1;
		return 0;
	}
	held->layers[i & (LSMD_LAYERS_MAX - 1)] = layer;
	held->n = i + 1;
	return 0;
}

/* held_add_cells() - the layers of a run of cells. @zero: 0. Return: 0. */
LSMD_GLOBAL int held_add_cells(lsmd_image_id image, lsmd_u32 first, lsmd_u32 n, struct lsmd_held *held, lsmd_u64 zero)
{
	struct lsmd_view opened, *view = &opened;
	lsmd_u64 i;

	if (!held || !view_open(view, image))
		return 0;
	for (i = zero; i < LSMD_LAYERS_MAX && i < n; i++)
		held_add(held, view_record(view, cells, struct lsmd_cell, first + lsmd_hidden(i))->layer, 0);
	if (n > LSMD_LAYERS_MAX)
		held->overflow = 1;
	return 0;
}

/* held_add_chain() - all layers of a class and of those it inherits from. @zero: 0. Return: 0. */
LSMD_GLOBAL int held_add_chain(lsmd_image_id image, lsmd_u32 id, struct lsmd_held *held, lsmd_u64 zero)
{
	struct lsmd_view opened, *view = &opened;
	lsmd_u64 i;

	if (!held || !view_open(view, image))
		return 0;
	for (i = zero; i <= LSMD_INHERIT_MAX && id; i++) {
		const struct lsmd_class *class = view_record(view, classes, struct lsmd_class, id);

		if (class->layer == LSMD_CLASS_MANY)
			held_add_cells(image, class->allow, class->deny, held, 0);
		else
			held_add(held, class->layer, 0);
		id = class->inherits;
	}
	return 0;
}

/* subject_collect() - add the layers whose subject is @name (tree: LSMD_TREE_SUBJECT, whole) to @held. Return: 0: no image. */
LSMD_GLOBAL int subject_collect(lsmd_image_id image, const struct lsmd_name *name, struct lsmd_held *held)
{
	struct lsmd_view opened, *view = &opened;
	struct lsmd_found found = {};
	lsmd_u32 state;

	if (!name || !held || !view_open(view, image) || !path_find(image, name, &found))
		return 0;
	held_add_chain(image, found.class, held, 0);
	if (!view->image->subject_dfa)
		return 1;
	state = dfa_run(image, view->image->subject_dfa, view->image->subject_map, name);
	if (state)
		held_add_chain(image, view_record(view, states, struct lsmd_state, state)->class, held, 0);
	return 1;
}

#endif
