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

/* name_pack() - @name into the bytes from @at on. Return: where they end; 0: they would go beyond @end. */
__noinline u32 name_pack(const struct lsmd_name *name, struct lsmd_programs *programs, u32 from, u32 end)
{
	u64 i, at = from;

	if (!name || !programs || at >= LSMD_LABEL_BYTES_MAX || end > LSMD_LABEL_BYTES_MAX || name->first > LSMD_PIECES_MAX)
		return 0;
	programs->bytes[at] = LSMD_PIECES_MAX - name->first;
	at++;
	for (i = name->first; i < LSMD_PIECES_MAX; i++) {
		const struct lsmd_piece *piece = name_piece(name, i);
		u64 len = piece->meta & 0x3f;

		LSMD_OPAQUE(at);
		if (at + len + 1 > end || at >= LSMD_LABEL_BYTES_MAX)
			return 0;
		LSMD_OPAQUE(at); /* what follows counts from the number that was compared */
		programs->bytes[at] = len | (piece->meta & LSMD_PIECE_CONTINUED ? LSMD_PROGRAM_CONTINUED : 0);
		words_copy(&programs->bytes[at + 1], piece->w);
		at += len + 1;
	}
	return at;
}

__noinline int programs_add(struct lsmd_scratch *s, struct lsmd_programs *programs)
{
	u32 end = 0;

	if (!s || !programs)
		return 0;
	if (programs->n < LSMD_LABEL_PROGRAMS_MAX)
		end = name_pack(&s->name, programs, programs->len, LSMD_LABEL_NAMES_MAX);
	if (!end) {
		programs->unknown |= LSMD_UNKNOWN_PROGRAM;
		return 0;
	}
	programs->len = end;
	programs->n++;
	return 0;
}

/* piece_load() - one remembered piece back into a name. Return: where the next one starts; 0: nothing sensible there. */
__noinline u32 piece_load(struct lsmd_piece *piece, struct lsmd_programs *programs, u32 at)
{
	u64 w[LSMD_PIECE_WORDS];
	u32 meta, len;

	if (!piece || !programs || at >= LSMD_LABEL_BYTES_MAX)
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

/* name_load() - @name := the one that starts at byte @at. Return: where the next one starts; 0: nothing sensible there */
__noinline u32 name_load(struct lsmd_name *name, struct lsmd_programs *programs, u32 at)
{
	u64 n, i;

	if (!name || !programs || at >= LSMD_LABEL_BYTES_MAX)
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
		at = name_load(&s->program, programs, at);
		if (!at)
			return 0;
		if (i == index)
			return 1;
	}
	return 0;
}

/* node_field() - a pointer member of a node of kernfs, as a number */
static __always_inline u64 node_field(u64 node, u32 offset)
{
	u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (void *)(node + offset));
	return value;
}

static __always_inline u64 node_parent(u64 node)
{
	if (bpf_core_field_exists(struct kernfs_node___rcu, __parent))
		return node_field(node, bpf_core_field_offset(struct kernfs_node___rcu, __parent));
	return node_field(node, bpf_core_field_offset(struct kernfs_node, parent));
}

/*
 * cgroup_path() - s->who.cgroup := the path of a node (a number, struct kernfs_node *) from the root of its hierarchy. A cgroup of the
 * v2 hierarchy is never renamed, so one pass is enough. Return: 1; 0: it cannot be read or has too many pieces.
 */
__noinline int cgroup_path(struct lsmd_scratch *s, u64 node)
{
	u64 i;

	if (!s)
		return 0;
	s->who.cgroup.first = LSMD_PIECES_MAX;
	s->who.cgroup.tree = LSMD_TREE_SUBJECT;
	s->who.cgroup.zero = 0;
	for (i = LSMD_UNKNOWN(s->zero); i < LSMD_PIECES_MAX && node; i++) {
		u64 parent = node_parent(node);
		long len;

		if (!parent)
			return 1;
		len = bpf_probe_read_kernel_str(s->raw, sizeof(s->raw), (void *)node_field(node, bpf_core_field_offset(struct kernfs_node, name)));
		if (len <= 1 || !pieces_long(&s->who.cgroup, node_field(node, bpf_core_field_offset(struct kernfs_node, name)), len - 1))
			return 0;
		node = parent;
	}
	return 0;
}

__noinline int cgroup_remember(struct lsmd_scratch *s, struct lsmd_programs *programs, u64 node)
{
	if (!s || !programs)
		return 0;
	if (!cgroup_path(s, node) || !name_pack(&s->who.cgroup, programs, LSMD_LABEL_NAMES_MAX, LSMD_LABEL_BYTES_MAX))
		programs->unknown |= LSMD_UNKNOWN_CGROUP;
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
	if (layer->mode == LSMD_MODE_ENFORCE) {
		label->undecided |= layer->undecided;
		label->n_enforced++;
	}
	label->asks |= layer->flags & LSMD_LAYER_LOGS_ALLOW ? ~0u : layer->undecided;
	if (layer->flags & LSMD_LAYER_CHILDREN) {
		label->handed[label->n_handed & (LSMD_LAYERS_MAX - 1)] = layer->key;
		label->n_handed++;
	}
	label->layers[label->n_layers & (LSMD_LAYERS_MAX - 1)] = id;
	label->n_layers++;
	return 0;
}

/* label_uncertain() - is there more to be asked for than is known of the task? */
static __always_inline int label_uncertain(const struct lsmd_view *view, u32 unknown)
{
	if (unknown & LSMD_UNKNOWN_PROGRAM)
		return 1;
	return unknown & LSMD_UNKNOWN_CGROUP && view->image->selects & LSMD_SELECT_GROUPS;
}

/* label_set_layers() - what was collected is what the label says from now on */
static __always_inline void label_set_layers(struct lsmd_scratch *s, struct lsmd_label *label, const struct lsmd_view *view, lsmd_image_id image)
{
	u64 i;

	label->n_layers = 0;
	label->n_handed = 0;
	label->n_kept = 0;
	label->undecided = 0;
	label->asks = 0;
	label->n_enforced = 0;
	i = LSMD_UNKNOWN(s->zero);
	while (i < LSMD_LAYERS_MAX && i < s->held.n) {
		label_add_layer(label, s->held.layers[lsmd_hidden(i) & (LSMD_LAYERS_MAX - 1)], image);
		i++;
		LSMD_ROUND(i);
	}
	label->flags &= ~(LSMD_LABEL_OVERFLOW | LSMD_LABEL_ASKS_IDS);
	if (s->held.overflow || label_uncertain(view, label->programs.unknown))
		label->flags |= LSMD_LABEL_OVERFLOW;
	if (view->image->selects & LSMD_SELECT_IDS)
		label->flags |= LSMD_LABEL_ASKS_IDS;
}

/* who_load() - s->who := what a label remembers beside programs */
__noinline int who_load(struct lsmd_scratch *s, struct lsmd_label *label)
{
	if (!s || !label)
		return 0;
	s->who.known = LSMD_SELECT_IDS;
	s->who.uid = label->uid;
	s->who.gid = label->gid;
	s->who.zero = 0;
	if (!(label->programs.unknown & LSMD_UNKNOWN_CGROUP) && name_load(&s->who.cgroup, &label->programs, LSMD_LABEL_NAMES_MAX))
		s->who.known |= LSMD_SELECT_GROUPS;
	return 0;
}

/* key_room() - where one more key can stand: behind the others, or in the place of a policy that the set does not have */
static __always_inline u64 key_room(const struct lsmd_label *label, lsmd_image_id image, u64 zero)
{
	u64 i, n = label->n_inherited;

	for (i = zero; i < LSMD_LAYERS_MAX && i < n && n >= LSMD_LAYERS_MAX; i++)
		if (key_layer(image, label->inherited[lsmd_hidden(i) & (LSMD_LAYERS_MAX - 1)], 0) == ~0u)
			return i;
	return n;
}

/* key_keep() - the policy of @key holds the task on, whoever it will be. Return: 0. */
__noinline int key_keep(struct lsmd_label *label, u64 key, lsmd_image_id image, u64 zero)
{
	u64 i, n;

	if (!label)
		return 0;
	n = label->n_inherited;
	for (i = zero; i < LSMD_LAYERS_MAX && i < n; i++)
		if (label->inherited[lsmd_hidden(i) & (LSMD_LAYERS_MAX - 1)] == key)
			return 0;
	i = key_room(label, image, zero);
	if (i >= LSMD_LAYERS_MAX)
		return 0; /* more layers than a task can carry: the label says so */
	label->inherited[lsmd_hidden(i) & (LSMD_LAYERS_MAX - 1)] = key;
	if (i == n)
		label->n_inherited = n + 1;
	return 0;
}

/* label_keep() - the layers that ask for ids stay. Return: 0. */
__noinline int label_keep(struct lsmd_scratch *s, struct lsmd_label *label, u64 image)
{
	struct lsmd_view opened, *view = &opened;
	u64 i;

	if (!s || !label || !view_open(view, image))
		return 0;
	for (i = LSMD_UNKNOWN(s->zero); i < LSMD_LAYERS_MAX && i < label->n_layers; i++) {
		u32 id = label->layers[lsmd_hidden(i) & (LSMD_LAYERS_MAX - 1)];

		if (view_record(view, subjects, struct lsmd_subject, id)->selects & LSMD_SELECT_IDS)
			key_keep(label, view_record(view, layers, struct lsmd_layer, id)->key, image, 0);
	}
	return 0;
}

static __always_inline int label_computed(struct lsmd_scratch *s, struct lsmd_label *label, u64 generation, u32 keep)
{
	struct lsmd_view view;
	u32 at = 0;
	u64 i;

	if (!s || !label || !view_open(&view, generation))
		return -EPERM;
	if (keep)
		label_keep(s, label, generation);
	s->held.n = 0;
	s->held.overflow = 0;
	__sync_lock_test_and_set(&label->generation, 0); /* others may look on: label_copy() */
	who_load(s, label);
	i = LSMD_UNKNOWN(s->zero);
	while (i < LSMD_LABEL_PROGRAMS_MAX && i < label->programs.n) {
		at = name_load(&s->program, &label->programs, at);
		if (!at)
			break;
		subject_collect(generation, &s->program, &s->who, &s->held);
		i++;
		LSMD_ROUND(i);
	}
	subject_collect_any(&view, generation, &s->who, &s->held);
	held_inherit(s, label, generation);
	label_set_layers(s, label, &view, generation);
	inherited_keep(s, label, generation);
	__sync_lock_test_and_set(&label->generation, generation);
	return 0;
}

LSMD_SHARED(label_compute, -EPERM, struct lsmd_scratch *s, struct lsmd_label *label, u64 generation, u32 keep)
{
	return label_computed(s, label, generation, keep);
}
