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

LSMD_INLINE void held_add(struct lsmd_held *held, lsmd_u32 layer, lsmd_u32 zero)
{
	lsmd_u32 i;

	for (i = LSMD_UNKNOWN(zero); i < LSMD_LAYERS_MAX && i < held->n; i++)
		if (held->layers[i] == layer)
			return;
	i = held->n;
	if (i >= LSMD_LAYERS_MAX) {
		held->overflow = 1;
		return;
	}
	held->layers[i] = layer;
	held->n = i + 1;
}

/* held_add_class() - all layers of a subject class; more than fit are an overflow and end the loop */
LSMD_INLINE void held_add_class(const struct lsmd_view *view, const struct lsmd_class *class, struct lsmd_held *held,
				lsmd_u32 zero)
{
	lsmd_u32 first = class->allow, n = class->deny, i;

	if (class->layer != LSMD_CLASS_MANY) {
		held_add(held, class->layer, zero);
		return;
	}
	for (i = LSMD_UNKNOWN(zero); i <= LSMD_LAYERS_MAX && i < n; i++)
		held_add(held, view_record(view, cells, struct lsmd_cell, (lsmd_u64)first + i)->layer, zero);
	if (n > LSMD_LAYERS_MAX)
		held->overflow = 1;
}

LSMD_INLINE void held_add_chain(const struct lsmd_view *view, lsmd_u32 id, struct lsmd_held *held, lsmd_u32 zero)
{
	lsmd_u32 i;

	for (i = LSMD_UNKNOWN(zero); i <= LSMD_INHERIT_MAX && id; i++) {
		const struct lsmd_class *class = view_record(view, classes, struct lsmd_class, id);

		held_add_class(view, class, held, zero);
		id = class->inherits;
	}
}

/* subject_collect() - add the layers whose subject is @name (tree: LSMD_TREE_SUBJECT, whole) to @held */
LSMD_INLINE void subject_collect(const struct lsmd_view *view, const struct lsmd_name *name, struct lsmd_held *held)
{
	struct lsmd_found found = {};
	lsmd_u32 state = view->image->subject_dfa;

	path_find(view, name, &found);
	held_add_chain(view, found.class, held, name->zero);
	if (!state)
		return;
	state = dfa_run(view, state, view->image->subject_map, name);
	if (state)
		held_add_chain(view, view_record(view, states, struct lsmd_state, state)->class, held, name->zero);
}

#endif
