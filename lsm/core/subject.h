/* SPDX-License-Identifier: (GPL-2.0-only OR LGPL-2.1-or-later) */
/*
 * Who is held: the layers whose subject a process is (MEANING.md 7). A layer that asks for a program is proposed by the program's
 * name, through one tree and one automaton for all; the few that ask for none are proposed to everybody. What a layer asks
 * for beside the program is then looked up in tables of its own, so that it costs nothing where it was not proposed.
 */
#ifndef LSMD_CORE_SUBJECT_H
#define LSMD_CORE_SUBJECT_H

#include "path.h"

/* Who a process is, beside its programs. What is not known selects nothing. */
struct lsmd_who {
	lsmd_u32 known; /* LSMD_SELECT_* */
	lsmd_u32 uid;   /* effective, as the initial user namespace counts */
	lsmd_u32 gid;
	lsmd_u32 zero;  /* always 0, for LSMD_UNKNOWN() */
	struct lsmd_name cgroup; /* path in the v2 hierarchy, from its root */
};

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

/* ids_have() - is @id in one of @n ranges? @zero: 0. */
LSMD_GLOBAL int ids_have(lsmd_image_id image, lsmd_u32 first, lsmd_u32 n, lsmd_u32 id, lsmd_u64 zero)
{
	struct lsmd_view opened, *view = &opened;
	const struct lsmd_ids *at;
	lsmd_u64 i;

	if (!n || !view_open(view, image))
		return 0;
	/* The last range that does not start behind @id; one comparison a step. */
	for (i = zero; i < LSMD_IDS_STEPS && n > 1; i++) {
		lsmd_u32 half = n / 2;

		if (view_record(view, ids, struct lsmd_ids, (lsmd_u64)first + half)->first <= id)
			first += half;
		n -= half;
	}
	at = view_record(view, ids, struct lsmd_ids, first);
	return at->first <= id && id <= at->last;
}

/* state_accepts() - is there a class for names that end in this state? */
LSMD_INLINE int state_accepts(const struct lsmd_view *view, lsmd_u32 state)
{
	return state && view_record(view, states, struct lsmd_state, state)->class;
}

/* unit_among() - is any component of the path a name that the automaton takes? Return: 1, 0. */
LSMD_GLOBAL int unit_among(lsmd_image_id image, lsmd_u32 start, lsmd_u32 bytemap, const struct lsmd_name *path)
{
	struct lsmd_view opened, *view = &opened;
	lsmd_u32 state = 0;
	lsmd_u64 i;

	if (!path || !view_open(view, image))
		return 0;
	i = path->first;
	while (i < LSMD_PIECES_MAX) {
		const struct lsmd_piece *piece = name_piece(path, i);
		lsmd_u32 continued = piece->meta & LSMD_PIECE_CONTINUED;

		if (!continued && state_accepts(view, state))
			return 1;
		state = dfa_piece(image, bytemap, continued ? state : start, piece, continued ? 0 : '@');
		i++;
		LSMD_ROUND(i);
	}
	return state_accepts(view, state);
}

/* layer_selects() - does all hold that a layer asks of a process beside its program? Return: 1, 0. */
LSMD_INLINE int layer_selects(lsmd_image_id image, lsmd_u32 layer, const struct lsmd_who *who)
{
	struct lsmd_view opened, *view = &opened;
	const struct lsmd_subject *subject;

	if (!who || !view_open(view, image))
		return 0;
	subject = view_record(view, subjects, struct lsmd_subject, layer);
	if (!subject->selects)
		return 1;
	if (subject->selects & ~who->known)
		return 0;
	if (subject->selects & LSMD_SELECT_UID && !ids_have(image, subject->uids, subject->n_uids, who->uid, 0))
		return 0;
	if (subject->selects & LSMD_SELECT_GID && !ids_have(image, subject->gids, subject->n_gids, who->gid, 0))
		return 0;
	if (subject->selects & LSMD_SELECT_CGROUP &&
	    !state_accepts(view, dfa_run(image, subject->cgroup_dfa, subject->cgroup_map, &who->cgroup)))
		return 0;
	return !(subject->selects & LSMD_SELECT_UNIT) ||
	       unit_among(image, subject->unit_dfa, subject->unit_map, &who->cgroup);
}

/* class_layer() - layer number @index of a class and of those it inherits from; ~0: there are no more. @zero: 0. */
LSMD_GLOBAL lsmd_u32 class_layer(lsmd_image_id image, lsmd_u32 id, lsmd_u32 index, lsmd_u64 zero)
{
	struct lsmd_view opened, *view = &opened;
	lsmd_u64 i;

	if (!view_open(view, image))
		return ~0u;
	for (i = zero; i <= LSMD_INHERIT_MAX && id; i++) {
		const struct lsmd_class *class = view_record(view, classes, struct lsmd_class, id);
		lsmd_u32 n = class->layer == LSMD_CLASS_MANY ? class->deny : 1;

		if (index < n && class->layer != LSMD_CLASS_MANY)
			return class->layer;
		if (index < n)
			return view_record(view, cells, struct lsmd_cell, (lsmd_u64)class->allow + index)->layer;
		index -= n;
		id = class->inherits;
	}
	return ~0u;
}

/* The layers of a class on their way into a set. */
struct lsmd_held_walk {
	lsmd_image_id image;
	const struct lsmd_who *who;
	struct lsmd_held *held;
	lsmd_u64 id;
};

static long held_round(lsmd_u32 round, void *state)
{
	struct lsmd_held_walk *walk = state;
	lsmd_u32 layer = class_layer(walk->image, walk->id, round, 0);

	if (layer == ~0u)
		return 1;
	if (layer_selects(walk->image, layer, walk->who))
		held_add(walk->held, layer, 0);
	return 0;
}

/*
 * held_add_class() - the layers of a class that select @who. Not inline: 6.1 takes a bpf_loop() inside another loop for an endless one.
 * The verifier counts eight functions inside each other: there is room for one more between a hook and this.
 */
LSMD_GLOBAL int held_add_class(lsmd_image_id image, lsmd_u32 id, const struct lsmd_who *who, struct lsmd_held *held)
{
	struct lsmd_held_walk walk = { image, who, held, id };

	if (!who || !held)
		return 0;
	lsmd_repeat(LSMD_POLICIES_MAX, held_round, &walk);
	return 0;
}

/*
 * program_classes() - the classes of the layers that may hold who runs @name (tree: LSMD_TREE_SUBJECT, whole): by its literal name << 32 |
 * by wildcards; 0: none
 */
LSMD_GLOBAL lsmd_u64 program_classes(lsmd_image_id image, const struct lsmd_name *name)
{
	struct lsmd_view opened, *view = &opened;
	struct lsmd_found found = {};
	lsmd_u32 state = 0;

	if (!name || !view_open(view, image) || !path_find(image, name, &found))
		return 0;
	if (view->image->subject_dfa)
		state = dfa_run(image, view->image->subject_dfa, view->image->subject_map, name);
	return (lsmd_u64)found.class << 32 | (state ? view_record(view, states, struct lsmd_state, state)->class : 0);
}

/* subject_collect() - add the layers whose subject @who is when it runs @name to @held */
LSMD_INLINE void subject_collect(lsmd_image_id image, const struct lsmd_name *name, const struct lsmd_who *who,
				 struct lsmd_held *held)
{
	lsmd_u64 classes = program_classes(image, name);

	if (classes >> 32)
		held_add_class(image, classes >> 32, who, held);
	if ((lsmd_u32)classes)
		held_add_class(image, classes, who, held);
}

/* subject_collect_any() - the same for the layers that ask for no program */
LSMD_INLINE void subject_collect_any(const struct lsmd_view *view, lsmd_image_id image, const struct lsmd_who *who,
				     struct lsmd_held *held)
{
	if (view->image->subject_any)
		held_add_class(image, view->image->subject_any, who, held);
}

#endif
