/* SPDX-License-Identifier: (GPL-2.0-only OR LGPL-2.1-or-later) */
/*
 * Names, and what an image says of them: the tree of literal names and the automata.
 */
#ifndef LSMD_CORE_PATH_H
#define LSMD_CORE_PATH_H

#include "hash.h"
#include "view.h"

/* Up to LSMD_PIECE_LEN bytes of one component, zero padded. */
struct lsmd_piece {
	lsmd_u64 w[LSMD_PIECE_WORDS];
	lsmd_u32 meta; /* bytes used, | LSMD_PIECE_CONTINUED */
	lsmd_u32 zero;
};

/*
 * A name, root first, in pieces[first .. LSMD_PIECES_MAX): a walk goes from the leaf up and so fills from
 * the end. first == LSMD_PIECES_MAX is the root itself.
 */
struct lsmd_name {
	lsmd_u32 first;
	lsmd_u32 tree;   /* enum lsmd_tree */
	lsmd_u32 reason; /* enum lsmd_reason: not LSMD_REASON_NONE when the name is not whole, and nothing may be matched */
	lsmd_u32 zero;   /* always 0, for LSMD_UNKNOWN() */
	struct lsmd_piece pieces[LSMD_PIECES_MAX];
};

/* name_piece() - piece @i */
LSMD_INLINE const struct lsmd_piece *name_piece(const struct lsmd_name *name, lsmd_u64 i)
{
	return &name->pieces[lsmd_hidden(i) & (LSMD_PIECES_MAX - 1)];
}

/* What the tree of literal names says. */
struct lsmd_found {
	lsmd_u32 class; /* of the name itself */
	lsmd_u32 below; /* of names below it that no node gives */
	lsmd_u32 leaf;  /* no literal name goes on below */
};

LSMD_INLINE const struct lsmd_node *path_node(const struct lsmd_view *view, lsmd_u32 parent,
					      const struct lsmd_piece *piece)
{
	const struct lsmd_image_header *image = view->image;
	lsmd_u64 h = lsmd_hash(image->hash_key, parent, piece->meta, piece->w);
	lsmd_u32 d = *view_record(view, displace, lsmd_u32, lsmd_hash_bucket(h, image->displace.n));

	return view_record(view, nodes, struct lsmd_node, lsmd_hash_slot(h, d, image->nodes.n));
}

/* path_node_differs() - 0 when @node is exactly @piece below @parent; without branches, which the verifier would multiply */
LSMD_INLINE lsmd_u64 path_node_differs(const struct lsmd_node *node, lsmd_u32 parent, const struct lsmd_piece *piece)
{
	return (node->parent ^ parent) | (node->meta ^ piece->meta) | (node->name[0] ^ piece->w[0]) |
	       (node->name[1] ^ piece->w[1]) | (node->name[2] ^ piece->w[2]) | (node->name[3] ^ piece->w[3]) |
	       (node->name[4] ^ piece->w[4]);
}

/* A name on its way down the tree. */
struct lsmd_path_walk {
	struct lsmd_view view;
	const struct lsmd_name *name;
	lsmd_u64 i;  /* of the next piece */
	lsmd_u64 id; /* of the node reached; 0: its last piece was asked, or the tree ends before */
	struct lsmd_found found;
};

/* path_step() - one piece: one hash, one displacement, one node */
LSMD_INLINE void path_step(struct lsmd_path_walk *walk)
{
	const struct lsmd_piece *piece = name_piece(walk->name, walk->i), *next = name_piece(walk->name, walk->i + 1);
	const struct lsmd_node *node = path_node(&walk->view, walk->id, piece);
	lsmd_u64 inside; /* all ones when the next piece is one of the same component */

	if (path_node_differs(node, walk->id, piece)) {
		walk->found.class = walk->found.below;
		walk->found.leaf = 1;
		walk->id = 0;
		return;
	}
	walk->i++;
	if (walk->i >= LSMD_PIECES_MAX) {
		walk->found.class = node->exact;
		walk->found.below = node->below;
		walk->found.leaf = !(node->flags & LSMD_NODE_HAS_CHILDREN);
		walk->id = 0;
		return;
	}
	/* No branch: the verifier would follow both ways in every round. */
	inside = 0ull - (next->meta / LSMD_PIECE_CONTINUED & 1);
	walk->found.below = (walk->found.below & inside) | (node->below & ~inside);
	walk->id = node->id;
}

static long path_round(lsmd_u32 round, void *state)
{
	struct lsmd_path_walk *walk = state;

	if (walk->i >= LSMD_PIECES_MAX || !walk->id)
		return 1;
	path_step(walk);
	return 0;
}

/* path_find_rest() - the pieces from @i on, below node @id. Return: 1; 0: there is no image. */
LSMD_GLOBAL int path_find_rest(lsmd_image_id image, const struct lsmd_name *name, struct lsmd_found *found, lsmd_u64 i, lsmd_u64 id)
{
	struct lsmd_path_walk walk = { .name = name, .i = i, .id = id };

	if (!name || !found || !view_open(&walk.view, image))
		return 0;
	walk.found.below = found->below;
	lsmd_repeat(LSMD_PIECES_MAX, path_round, &walk);
	found->class = walk.found.class;
	found->below = walk.found.below;
	found->leaf = walk.found.leaf;
	return 1;
}

/*
 * path_find() - walk the tree of literal names along @name
 * Return: 1; 0: there is no image.
 */
LSMD_GLOBAL int path_find(lsmd_image_id image, const struct lsmd_name *name, struct lsmd_found *found)
{
	struct lsmd_path_walk walk = { .name = name };
	lsmd_u64 round;

	if (!name || !found || !view_open(&walk.view, image))
		return 0;
	walk.i = name->first;
	walk.id = name->tree & (LSMD_TREES_ROOM - 1);
	walk.found.below = walk.view.image->root[walk.id].below;
	walk.found.class = walk.found.below;
	walk.found.leaf = walk.view.image->nodes.n == 0;
	if (walk.i >= LSMD_PIECES_MAX)
		walk.found.class = walk.view.image->root[walk.id].exact;
	if (walk.i >= LSMD_PIECES_MAX || walk.found.leaf)
		walk.id = 0;
	for (round = 0; round < LSMD_PIECES_FAST && walk.id; round++) {
		path_step(&walk);
		LSMD_ROUND(round);
	}
	*found = walk.found;
	return walk.id ? path_find_rest(image, name, found, walk.i, walk.id) : 1;
}

/* One step of an automaton. */
LSMD_INLINE lsmd_u32 dfa_step(const struct lsmd_view *view, lsmd_u32 bytemap, lsmd_u32 state, lsmd_u32 byte)
{
	const struct lsmd_state *from = view_record(view, states, struct lsmd_state, state);
	lsmd_u32 column = *(const lsmd_u8 *)view_at(view, view->image->bytemaps.off + (lsmd_u64)bytemap * 256 + (byte & 255));
	const struct lsmd_step *step = view_record(view, steps, struct lsmd_step, (lsmd_u64)from->base + column);

	return step->check == state ? step->next : from->other;
}

/* dfa_piece() - the state after @lead (0: none) and the bytes of one piece */
LSMD_GLOBAL lsmd_u32 dfa_piece(lsmd_image_id image, lsmd_u32 bytemap, lsmd_u32 state, const struct lsmd_piece *piece, lsmd_u64 lead)
{
	struct lsmd_view opened, *view = &opened;
	lsmd_u64 len, k;

	if (!piece || !view_open(view, image))
		return 0;
	if (lead)
		state = dfa_step(view, bytemap, state, lead);
	len = piece->meta & 0xff;
	for (k = LSMD_UNKNOWN(piece->zero); k < len && state;) {
		lsmd_u64 at = lsmd_hidden(k);

		if (at >= LSMD_PIECE_LEN)
			break;
		state = dfa_step(view, bytemap, state, ((const lsmd_u8 *)piece)[at]);
		k++;
		LSMD_ROUND(k);
	}
	return state;
}

/* A name on its way through an automaton. */
struct lsmd_dfa_walk {
	lsmd_image_id image;
	const struct lsmd_name *name;
	lsmd_u64 i; /* of the next piece */
	lsmd_u32 bytemap;
	lsmd_u32 state;
};

LSMD_INLINE void dfa_round(struct lsmd_dfa_walk *walk)
{
	const struct lsmd_piece *piece = name_piece(walk->name, walk->i);
	lsmd_u32 lead = walk->name->tree == LSMD_TREE_ABSTRACT ? '@' : '/';

	walk->state = dfa_piece(walk->image, walk->bytemap, walk->state, piece,
				piece->meta & LSMD_PIECE_CONTINUED ? 0 : lead);
	walk->i++;
}

static long dfa_repeat(lsmd_u32 round, void *state)
{
	struct lsmd_dfa_walk *walk = state;

	if (walk->i >= LSMD_PIECES_MAX || !walk->state)
		return 1;
	dfa_round(walk);
	return 0;
}

/* dfa_run() - the state after all bytes of @name; 0 as soon as nothing can match any more */
LSMD_GLOBAL lsmd_u32 dfa_run(lsmd_image_id image, lsmd_u32 start, lsmd_u32 bytemap, const struct lsmd_name *name)
{
	struct lsmd_dfa_walk walk = { image, name, 0, bytemap, start }, rest;
	struct lsmd_view opened, *view = &opened;
	lsmd_u64 round;

	if (!name || !view_open(view, image))
		return 0;
	walk.i = name->first;
	if (walk.i >= LSMD_PIECES_MAX)
		return dfa_step(view, bytemap, start, name->tree == LSMD_TREE_ABSTRACT ? '@' : '/');
	for (round = 0; round < LSMD_PIECES_FAST && walk.i < LSMD_PIECES_MAX && walk.state; round++) {
		dfa_round(&walk);
		LSMD_ROUND(round);
	}
	if (walk.i >= LSMD_PIECES_MAX || !walk.state)
		return walk.state;
	rest = walk;
	lsmd_repeat(LSMD_PIECES_MAX, dfa_repeat, &rest);
	return rest.state;
}

#endif
