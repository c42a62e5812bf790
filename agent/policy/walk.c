// SPDX-License-Identifier: LGPL-2.1-or-later
/* The product of two images' names. */
#include "agent/policy/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/dedupe.h"
#include "agent/policy/view-user.h"
#include "agent/util/cleanup.h"
#include "agent/util/vec.h"
#include "lsm/core/path.h"

/* Bytes of the longest name that can be asked for: every piece full, a slash before each. */
#define LEN_MAX (LSMD_PIECES_MAX * (LSMD_PIECE_LEN + 1))

/* What may stand next in a path: no component is empty, "." or "..". */
enum shape {
	SHAPE_SLASH, /* a component begins */
	SHAPE_DOT,
	SHAPE_DOTS,
	SHAPE_WORD, /* a name may end here */
};

struct state {
	struct twig twigs[2];
	uint32_t tuple; /* of the automata's states */
	uint32_t parent; /* the state that it came from by `byte` */
	uint32_t next; /* in the queue of its length */
	uint16_t len; /* of the name */
	uint8_t byte;
	uint8_t shape;
	const struct lsmd_node *piece; /* that was added at once, instead of `byte`; NULL: none */
};

struct walk {
	const struct walk_side *sides;
	enum lsmd_tree tree;
	size_t n_max;
	struct {
		struct state *items;
		size_t n, capacity;
	} states;
	struct dedupe met; /* of the states off both trees; number 0 is no state */
	/* Which bytes all automata take alike. */
	uint8_t columns[256];
	uint8_t bytes[256]; /* one of each column, the most readable */
	unsigned int n_columns;
	/* Tuples of states: tuple_len numbers each, then what follows by column, ~0 while not known. */
	size_t tuple_len;
	struct {
		uint32_t *items;
		size_t n, capacity;
	} tuples;
	size_t n_tuples;
	struct dedupe known_tuples;
	struct {
		uint32_t *items;
		size_t n, capacity;
	} follow;
	uint32_t queue[LEN_MAX + 2]; /* first state of a length, 0: none */
	uint32_t current;
};

/* ---- bytes that differ ---- */

/* Letters before digits before the rest that can be read. */
static unsigned int byte_rank(unsigned int byte)
{
	if (byte >= 'a' && byte <= 'z')
		return byte - 'a';
	if (byte >= '0' && byte <= '9')
		return 26 + byte - '0';
	if (byte >= 'A' && byte <= 'Z')
		return 36 + byte - 'A';
	return 62 + (byte > ' ' && byte < 0x7f ? byte : byte + 256);
}

static unsigned int byte_column(const struct walk_side *side, const struct walk_automaton *automaton, unsigned int byte)
{
	const uint8_t *bytemaps = (const uint8_t *)side->image + side->image->bytemaps.off;

	return bytemaps[automaton->bytemap * 256ull + byte];
}

static bool bytes_alike(const struct walk *walk, unsigned int a, unsigned int b)
{
	if (a == b)
		return true;
	if (!a || !b || a == '/' || b == '/' || a == '.' || b == '.')
		return false;
	for (int s = 0; s < 2; s++) {
		const struct walk_side *side = &walk->sides[s];

		for (size_t i = 0; i < side->n; i++)
			if (side->automata[i].start &&
			    byte_column(side, &side->automata[i], a) != byte_column(side, &side->automata[i], b))
				return false;
	}
	return true;
}

static void columns_make(struct walk *walk)
{
	for (unsigned int byte = 0; byte < 256; byte++) {
		unsigned int c = 0;

		while (c < walk->n_columns && !bytes_alike(walk, walk->bytes[c], byte))
			c++;
		if (c == walk->n_columns)
			walk->bytes[walk->n_columns++] = byte;
		else if (byte_rank(byte) < byte_rank(walk->bytes[c]))
			walk->bytes[c] = byte;
		walk->columns[byte] = c;
	}
}

/* ---- states of the automata ---- */

static uint32_t tuple_hash(const void *owner, uint32_t id)
{
	const struct walk *walk = owner;

	return hash_words(&walk->tuples.items[id * walk->tuple_len], walk->tuple_len, 0);
}

static bool tuple_equal(const void *owner, uint32_t a, uint32_t b)
{
	const struct walk *walk = owner;

	return !memcmp(&walk->tuples.items[a * walk->tuple_len], &walk->tuples.items[b * walk->tuple_len],
		       walk->tuple_len * sizeof(*walk->tuples.items));
}

static const struct dedupe_ops tuple_ops = { tuple_hash, tuple_equal };

/* Tuple 0 is where all automata are dead, and what is left when there is none. The new one's numbers lie behind the last. */
static int tuple_intern(struct walk *walk, uint32_t *ret)
{
	uint32_t id = walk->n_tuples;
	int r = dedupe_find(&walk->known_tuples, &tuple_ops, walk, id, ret);

	if (r || *ret != id)
		return r;
	r = vec_reserve(&walk->follow, (id + 1ull) * walk->n_columns);
	if (r)
		return r;
	memset(&walk->follow.items[(size_t)id * walk->n_columns], 0xff, walk->n_columns * sizeof(*walk->follow.items));
	walk->n_tuples++;
	return 0;
}

static int tuple_room(struct walk *walk)
{
	return vec_reserve(&walk->tuples, (walk->n_tuples + 1) * walk->tuple_len + 1);
}

static bool tuple_is_dead(const struct walk *walk, const uint32_t *tuple)
{
	for (size_t i = 0; i < walk->tuple_len; i++)
		if (tuple[i])
			return false;
	return true;
}

/* The states of the tuple behind the last, each taken from @from by @byte; ~0: the start, before any byte. */
static int tuple_take(struct walk *walk, uint32_t from, unsigned int byte, uint32_t *ret)
{
	uint32_t *to;
	size_t at = 0;
	int r = tuple_room(walk);

	if (r)
		return r;
	to = &walk->tuples.items[walk->n_tuples * walk->tuple_len];
	for (int s = 0; s < 2; s++) {
		const struct walk_side *side = &walk->sides[s];
		struct lsmd_view view;

		view_open(&view, (uintptr_t)side->image);
		for (size_t i = 0; i < side->n; i++, at++) {
			uint32_t state = from == ~0u ? side->automata[i].start
						     : walk->tuples.items[from * walk->tuple_len + at];

			to[at] = state ? dfa_step(&view, side->automata[i].bytemap, state, byte) : 0;
		}
	}
	if (tuple_is_dead(walk, to)) {
		*ret = 0;
		return 0;
	}
	return tuple_intern(walk, ret);
}

static int tuple_follow(struct walk *walk, uint32_t from, unsigned int byte, uint32_t *ret)
{
	size_t at = (size_t)from * walk->n_columns + walk->columns[byte];
	int r;

	if (!from) {
		*ret = 0;
		return 0;
	}
	*ret = walk->follow.items[at];
	if (*ret != ~0u)
		return 0;
	r = tuple_take(walk, from, byte, ret);
	if (!r)
		walk->follow.items[at] = *ret;
	return r;
}

/* ---- states of the walk ---- */

static uint32_t state_hash(const void *owner, uint32_t id)
{
	const struct state *state = &((const struct walk *)owner)->states.items[id];
	const uint32_t words[] = { state->twigs[0].below, state->twigs[1].below, state->tuple, state->shape };

	return hash_words(words, 4, 1);
}

static bool state_equal(const void *owner, uint32_t a, uint32_t b)
{
	const struct walk *walk = owner;
	const struct state *x = &walk->states.items[a], *y = &walk->states.items[b];

	return x->twigs[0].below == y->twigs[0].below && x->twigs[1].below == y->twigs[1].below &&
	       x->tuple == y->tuple && x->shape == y->shape;
}

static const struct dedupe_ops state_ops = { state_hash, state_equal };

static uint8_t shape_next(const struct walk *walk, uint8_t shape, unsigned int byte)
{
	if (walk->tree == LSMD_TREE_ABSTRACT)
		return SHAPE_WORD;
	if (byte == '/')
		return SHAPE_SLASH;
	if (byte == '.' && shape < SHAPE_DOTS)
		return shape + 1;
	return SHAPE_WORD;
}

/* May this byte stand here in a name that a walk gives? */
static bool byte_fits(const struct walk *walk, uint8_t shape, unsigned int byte)
{
	if (walk->tree == LSMD_TREE_ABSTRACT)
		return true;
	return byte && (byte != '/' || shape == SHAPE_WORD);
}

/* The state is put into the queue of its length, unless it is off the trees and was met; the walk goes by length, so it was shorter. */
static int state_queue(struct walk *walk, const struct state *state)
{
	uint32_t id = walk->states.n, known;
	struct state *slot;
	int r;

	if (state->len > LEN_MAX)
		return 0;
	if (id >= walk->n_max)
		return WALK_TOO_LARGE;
	slot = vec_add(&walk->states);
	if (!slot)
		return -ENOMEM;
	*slot = *state;
	if (twig_off(&state->twigs[0]) && twig_off(&state->twigs[1])) {
		r = dedupe_find(&walk->met, &state_ops, walk, id, &known);
		if (r || known != id) {
			walk->states.n--;
			return r;
		}
	}
	slot->next = walk->queue[state->len];
	walk->queue[state->len] = id;
	return 0;
}

static struct twig twig_next(const struct walk *walk, int side, struct twig twig, unsigned int byte)
{
	if (walk->tree != LSMD_TREE_ABSTRACT && byte == '/')
		return twig_slash(walk->sides[side].twigs, twig);
	return twig_byte(walk->sides[side].twigs, twig, byte);
}

static int state_step(struct walk *walk, uint32_t id, unsigned int byte)
{
	const struct state from = walk->states.items[id];
	struct state to = {
		.parent = id,
		.byte = byte,
		.len = from.len + 1,
		.shape = shape_next(walk, from.shape, byte),
	};
	int r;

	if (!byte_fits(walk, from.shape, byte))
		return 0;
	for (int s = 0; s < 2; s++)
		to.twigs[s] = twig_next(walk, s, from.twigs[s], byte);
	r = tuple_follow(walk, from.tuple, byte, &to.tuple);
	return r ? r : state_queue(walk, &to);
}

static bool bit_of(const uint64_t bits[4], unsigned int byte)
{
	return bits[byte / 64] >> byte % 64 & 1;
}

/* A byte of each column that leaves both trees: the most readable one that does. */
static unsigned int byte_off(const struct walk *walk, const uint64_t on[4], unsigned int column)
{
	unsigned int best = 256;

	if (!bit_of(on, walk->bytes[column]))
		return walk->bytes[column];
	for (unsigned int byte = 0; byte < 256; byte++)
		if (walk->columns[byte] == column && !bit_of(on, byte) && (best == 256 || byte_rank(byte) < byte_rank(best)))
			best = byte;
	return best;
}

/* Every byte that stays on a tree, and one of each column that does not. */
static int state_expand(struct walk *walk, uint32_t id)
{
	uint64_t on[4] = {};
	int r = 0;

	for (int s = 0; s < 2; s++)
		twig_bytes(walk->sides[s].twigs, walk->states.items[id].twigs[s], on);
	for (unsigned int byte = 0; byte < 256 && !r; byte++)
		if (bit_of(on, byte) && (byte != '/' || walk->tree == LSMD_TREE_ABSTRACT))
			r = state_step(walk, id, byte);
	for (unsigned int c = 0; c < walk->n_columns && !r; c++) {
		unsigned int byte = byte_off(walk, on, c);

		if (byte < 256)
			r = state_step(walk, id, byte);
	}
	return r;
}

/* One more piece of a literal name, where no automaton looks on any more. */
static int state_jump_to(struct walk *walk, uint32_t id, const struct lsmd_node *piece, const struct twig twigs[2])
{
	const struct state from = walk->states.items[id];
	struct state to = {
		.parent = id, .piece = piece, .len = from.len + (piece->meta & 0xff), .shape = SHAPE_WORD
	};

	for (int s = 0; s < 2; s++)
		to.twigs[s] = twig_piece(walk->sides[s].twigs, twigs[s], piece);
	return state_queue(walk, &to);
}

static int state_jump(struct walk *walk, uint32_t id)
{
	struct twig twigs[2];
	int r = 0;

	for (int s = 0; s < 2; s++)
		twigs[s] = twig_pieces(walk->sides[s].twigs, walk->states.items[id].twigs[s]);
	for (int s = 0; s < 2 && !r; s++) {
		for (uint32_t i = twigs[s].low; i < twigs[s].high && !r; i++) {
			const struct lsmd_node *piece = walk->sides[s].twigs->items[i];
			struct twig other = twigs[0];

			/* What both have was added by the first. */
			if (s)
				other = twig_piece(walk->sides[0].twigs, other, piece);
			if (!s || twig_off(&other))
				r = state_jump_to(walk, id, piece, twigs);
		}
	}
	return r;
}

/* Any byte with which a component begins that neither tree has; 256: there is none. */
static unsigned int byte_off_all(const struct walk *walk, const struct state *state)
{
	uint64_t on[4] = {};
	unsigned int best = 256;

	for (int s = 0; s < 2; s++)
		twig_bytes(walk->sides[s].twigs, state->twigs[s], on);
	for (unsigned int byte = 1; byte < 256; byte++)
		if (byte != '/' && byte != '.' && !bit_of(on, byte) && (best == 256 || byte_rank(byte) < byte_rank(best)))
			best = byte;
	return best;
}

/* The same without automata: whole pieces, and one name for all that the trees do not have. */
static int state_expand_literal(struct walk *walk, uint32_t id)
{
	const struct state *state = &walk->states.items[id];
	unsigned int off;
	int r;

	if (state->piece) {
		r = state_step(walk, id, '/');
		return r ? r : state_jump(walk, id);
	}
	off = byte_off_all(walk, state);
	if (state->shape != SHAPE_SLASH || off == 256)
		return state_expand(walk, id);
	r = state_step(walk, id, off);
	return r ? r : state_jump(walk, id);
}

/* The states of one length. Those of the same length cannot come from each other. */
static int length_walk(struct walk *walk, size_t len, int (*visit)(void *, const struct walk *, const struct walk_name *),
		       void *data)
{
	uint32_t id = walk->queue[len];
	int r = 0;

	for (; id && !r; id = walk->states.items[id].next) {
		const struct state *state = &walk->states.items[id];
		const uint32_t *tuple = &walk->tuples.items[state->tuple * walk->tuple_len];
		bool root = len == 1 && walk->tree != LSMD_TREE_ABSTRACT;

		walk->current = id;
		if (state->shape == SHAPE_WORD || root) {
			struct walk_name name = { .len = len, .states = { tuple, tuple + walk->sides[0].n } };

			for (int s = 0; s < 2; s++)
				name.class[s] = root ? walk->sides[s].image->root[walk->tree].exact
						     : twig_class(walk->sides[s].twigs, &state->twigs[s]);
			r = visit(data, walk, &name);
		}
		if (r)
			break;
		if (state->tuple || (twig_off(&state->twigs[0]) && twig_off(&state->twigs[1])))
			r = state_expand(walk, id);
		else
			r = state_expand_literal(walk, id);
	}
	return r;
}

/* The name of one byte: '/' or '@'. */
static int walk_begin(struct walk *walk)
{
	struct state first = { .len = 1, .shape = walk->tree == LSMD_TREE_ABSTRACT ? SHAPE_WORD : SHAPE_SLASH };
	int r;

	walk->tuple_len = walk->sides[0].n + walk->sides[1].n;
	columns_make(walk);
	/* State 0 is none, tuple 0 is dead. */
	r = !vec_add(&walk->states) ? -ENOMEM : tuple_room(walk);
	if (r)
		return r;
	walk->states.items[0] = (struct state){};
	memset(walk->tuples.items, 0, walk->tuple_len * sizeof(*walk->tuples.items));
	walk->n_tuples = 1;
	first.byte = walk->tree == LSMD_TREE_ABSTRACT ? '@' : '/';
	r = walk->tuple_len ? tuple_take(walk, ~0u, first.byte, &first.tuple) : 0;
	for (int s = 0; s < 2; s++)
		first.twigs[s] = twig_root(walk->sides[s].twigs, walk->tree);
	return r ? r : state_queue(walk, &first);
}

static void walk_clear(struct walk *walk)
{
	free(walk->states.items);
	free(walk->tuples.items);
	free(walk->follow.items);
	dedupe_clear(&walk->met);
	dedupe_clear(&walk->known_tuples);
	free(walk);
}

int walk_run(const struct walk_side sides[2], enum lsmd_tree tree, size_t n_max,
	     int (*visit)(void *data, const struct walk *walk, const struct walk_name *name), void *data, size_t *looked)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	int r;

	*looked = 0;
	if (!walk)
		return -ENOMEM;
	walk->sides = sides;
	walk->tree = tree;
	walk->n_max = n_max;
	r = walk_begin(walk);
	for (size_t len = 1; len <= LEN_MAX && !r; len++) {
		r = length_walk(walk, len, visit, data);
		if (!r)
			*looked = len;
	}
	walk_clear(walk);
	return r;
}

const char *walk_spell(const struct walk *walk, struct arena *memory, size_t *ret_len)
{
	const struct state *state = &walk->states.items[walk->current];
	size_t len = state->len, at = len;
	char *bytes = arena_alloc(memory, len + 1);

	if (!bytes)
		return NULL;
	for (; at; state = &walk->states.items[state->parent]) {
		size_t n = state->piece ? state->piece->meta & 0xff : 1;

		at -= n;
		memcpy(bytes + at, state->piece ? (const void *)state->piece->name : &state->byte, n);
	}
	*ret_len = len;
	return bytes;
}
