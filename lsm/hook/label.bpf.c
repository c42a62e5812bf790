// SPDX-License-Identifier: GPL-2.0-only
/* What becomes of labels: remembering names, and computing layers from the names that were remembered. */
#include "label.h"

/* Five words, wherever they lie; what stands behind a piece is overwritten by the next or is slack. */
static __always_inline void words_copy(void *to, const void *from)
{
	((u64 *)to)[0] = ((const u64 *)from)[0];
	((u64 *)to)[1] = ((const u64 *)from)[1];
	((u64 *)to)[2] = ((const u64 *)from)[2];
	((u64 *)to)[3] = ((const u64 *)from)[3];
	((u64 *)to)[4] = ((const u64 *)from)[4];
}

__noinline int programs_add(struct lsmd_scratch *s, struct lsmd_programs *programs)
{
	u64 i, at;

	if (!s || !programs)
		return 0;
	at = programs->len;
	if (programs->n >= LSMD_LABEL_PROGRAMS_MAX || at >= LSMD_LABEL_NAMES_MAX || s->name.first > LSMD_PIECES_MAX) {
		programs->unknown = 1;
		return 0;
	}
	programs->bytes[at] = LSMD_PIECES_MAX - s->name.first;
	at++;
	for (i = s->name.first; i < LSMD_PIECES_MAX; i++) {
		const struct lsmd_piece *piece = name_piece(&s->name, i);
		u64 len = piece->meta & 0x3f;

		LSMD_OPAQUE(at);
		if (at + len + 1 > LSMD_LABEL_NAMES_MAX || at >= LSMD_LABEL_NAMES_MAX) {
			programs->unknown = 1;
			return 0;
		}
		programs->bytes[at] = len | (piece->meta & LSMD_PIECE_CONTINUED ? LSMD_PROGRAM_CONTINUED : 0);
		words_copy(&programs->bytes[at + 1], piece->w);
		at += len + 1;
	}
	programs->len = at;
	programs->n++;
	return 0;
}

/* piece_load() - one remembered piece back into a name. Return: where the next one starts; 0: nothing sensible there. */
__noinline u32 piece_load(struct lsmd_piece *piece, struct lsmd_programs *programs, u32 at)
{
	u64 w[LSMD_PIECE_WORDS];
	u32 meta, len;

	if (!piece || !programs || at >= LSMD_LABEL_NAMES_MAX)
		return 0;
	meta = programs->bytes[at];
	len = meta & 0x3f;
	words_copy(w, &programs->bytes[at + 1]);
	piece->w[0] = NAME_WORD(w, len, 0);
	piece->w[1] = NAME_WORD(w, len, 1);
	piece->w[2] = NAME_WORD(w, len, 2);
	piece->w[3] = NAME_WORD(w, len, 3);
	piece->w[4] = NAME_WORD(w, len, 4);
	piece->meta = len | (meta & LSMD_PROGRAM_CONTINUED ? LSMD_PIECE_CONTINUED : 0);
	return at + len + 1;
}

/* program_load() - @name := the name that starts at byte @at. Return: where the next one starts; 0: nothing sensible there */
__noinline u32 program_load(struct lsmd_name *name, struct lsmd_programs *programs, u32 at)
{
	u64 n, i;

	if (!name || !programs || at >= LSMD_LABEL_NAMES_MAX)
		return 0;
	n = programs->bytes[at];
	at++;
	if (n > LSMD_PIECES_MAX)
		return 0;
	name->first = LSMD_PIECES_MAX - n;
	name->tree = LSMD_TREE_SUBJECT;
	name->reason = LSMD_REASON_NONE;
	name->zero = 0;
	for (i = LSMD_PIECES_MAX - n; i < LSMD_PIECES_MAX && at; i++)
		at = piece_load((struct lsmd_piece *)name_piece(name, i), programs, at);
	return at;
}

__noinline int program_name(struct lsmd_scratch *s, struct lsmd_programs *programs, u32 index)
{
	u32 at = 0;
	u64 i;

	if (!s || !programs)
		return 0;
	for (i = LSMD_UNKNOWN(s->zero); i < LSMD_LABEL_PROGRAMS_MAX && i < programs->n; i++) {
		at = program_load(&s->program, programs, at);
		if (!at)
			return 0;
		if (i == index)
			return 1;
	}
	return 0;
}

/* key_layer() - the layer of a policy's key, by binary search; ~0: the set has no such policy */
__noinline u32 key_layer(lsmd_image_id image, u64 key, u64 zero)
{
	struct lsmd_view opened, *view = &opened;
	const struct lsmd_layer_key *at;
	u32 first = 0, n;
	u64 i;

	if (!view_open(view, image))
		return ~0u;
	n = view->image->layer_keys.n;
	for (i = zero; i < LSMD_LAYER_STEPS && n > 1; i++) {
		u32 half = n / 2;

		if (view_record(view, layer_keys, struct lsmd_layer_key, (u64)first + half)->key <= key)
			first += half;
		n -= half;
	}
	at = view_record(view, layer_keys, struct lsmd_layer_key, first);
	return n && at->key == key ? at->layer : ~0u;
}

/* held_inherit() - the layers of the policies handed down, by key: same name stays, removed goes (MEANING.md 8) */
__noinline int held_inherit(struct lsmd_scratch *s, struct lsmd_label *label, lsmd_image_id image)
{
	u64 i, n;

	if (!s || !label)
		return 0;
	n = label->n_inherited;
	for (i = LSMD_UNKNOWN(s->zero); i < LSMD_LAYERS_MAX && i < n; i++) {
		u64 key = label->inherited[lsmd_hidden(i) & (LSMD_LAYERS_MAX - 1)];
		u32 layer = key_layer(image, key, 0);

		if (layer != ~0u)
			held_add(&s->held, layer, 0);
	}
	return 0;
}

/*
 * inherited_keep() - policies that this set does not have hold nobody, but what is known of them is handed on as long as there is
 * room: a set on trial that goes back finds its labels as they were
 */
__noinline int inherited_keep(struct lsmd_scratch *s, struct lsmd_label *label, lsmd_image_id image)
{
	u64 i, n;

	if (!s || !label)
		return 0;
	n = label->n_inherited;
	for (i = LSMD_UNKNOWN(s->zero); i < LSMD_LAYERS_MAX && i < n; i++) {
		u64 key = label->inherited[lsmd_hidden(i) & (LSMD_LAYERS_MAX - 1)];
		u64 to = label->n_handed;

		if (key_layer(image, key, 0) != ~0u || to >= LSMD_LAYERS_MAX)
			continue;
		label->handed[to & (LSMD_LAYERS_MAX - 1)] = key;
		label->n_handed = to + 1;
		label->n_kept++;
	}
	return 0;
}

/* label_add_layer() - one more layer holds the task */
__noinline int label_add_layer(struct lsmd_label *label, u32 id, lsmd_image_id image)
{
	struct lsmd_view opened, *view = &opened;
	const struct lsmd_layer *layer;

	if (!label || !view_open(view, image))
		return 0;
	layer = view_record(view, layers, struct lsmd_layer, id);
	if (layer->mode == LSMD_MODE_ENFORCE)
		label->undecided |= layer->undecided;
	if (layer->flags & LSMD_LAYER_CHILDREN) {
		label->handed[label->n_handed & (LSMD_LAYERS_MAX - 1)] = layer->key;
		label->n_handed++;
	}
	label->layers[label->n_layers & (LSMD_LAYERS_MAX - 1)] = id;
	label->n_layers++;
	return 0;
}

/* label_set_layers() - what was collected is what the label says from now on */
static __always_inline void label_set_layers(struct lsmd_scratch *s, struct lsmd_label *label, lsmd_image_id image)
{
	u64 i;

	label->n_layers = 0;
	label->n_handed = 0;
	label->n_kept = 0;
	label->undecided = 0;
	for (i = LSMD_UNKNOWN(s->zero); i < LSMD_LAYERS_MAX && i < s->held.n; i++)
		label_add_layer(label, s->held.layers[lsmd_hidden(i) & (LSMD_LAYERS_MAX - 1)], image);
	if (s->held.overflow || label->programs.unknown)
		label->flags |= LSMD_LABEL_OVERFLOW;
	else
		label->flags &= ~LSMD_LABEL_OVERFLOW;
}

__noinline int label_refresh(struct lsmd_scratch *s, struct lsmd_label *label, u64 generation)
{
	struct lsmd_view view;
	u32 at = 0;
	u64 i;

	if (!s || !label || !view_open(&view, generation))
		return -EPERM;
	s->held.n = 0;
	s->held.overflow = 0;
	for (i = LSMD_UNKNOWN(s->zero); i < LSMD_LABEL_PROGRAMS_MAX && i < label->programs.n; i++) {
		at = program_load(&s->program, &label->programs, at);
		if (!at)
			break;
		subject_collect(generation, &s->program, &s->held);
	}
	held_inherit(s, label, generation);
	label_set_layers(s, label, generation);
	inherited_keep(s, label, generation);
	label->generation = generation;
	return 0;
}
