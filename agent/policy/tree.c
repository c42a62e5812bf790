// SPDX-License-Identifier: LGPL-2.1-or-later
/* Literal names as a tree of pieces. Nodes are numbered as they come, so a parent's number is below its children's. */
#include "agent/policy/tree.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/hash.h"
#include "agent/util/vec.h"
#include "lsm/core/hash.h"

#define NODES_MAX (LSMD_IMAGE_BYTES_MAX / sizeof(struct lsmd_node))

int tree_init(struct tree *tree)
{
	void *items = NULL;
	int r = vec_room(&items, &tree->nodes.capacity, LSMD_N_TREES, sizeof(struct lsmd_node));

	tree->nodes.items = items;
	if (r || !vec_add(&tree->entries))
		return -ENOMEM;
	tree->entries.items[0] = (struct entry){};
	for (uint32_t t = 0; t < LSMD_N_TREES; t++)
		tree->nodes.items[t] = (struct lsmd_node){ .id = t };
	tree->nodes.n = LSMD_N_TREES;
	hash_keys(0, tree->key);
	return 0;
}

void tree_clear(struct tree *tree)
{
	free(tree->nodes.items);
	free(tree->entries.items);
	free(tree->scratch.items);
	free(tree->index);
	tree->nodes.items = NULL;
	tree->entries.items = NULL;
	tree->scratch.items = NULL;
	tree->index = NULL;
}

static size_t index_at(const struct tree *tree, const struct lsmd_node *node)
{
	return lsmd_hash(tree->key, node->parent, node->meta, node->name) & (tree->index_room - 1);
}

static int index_grow(struct tree *tree)
{
	size_t room = tree->index_room ? tree->index_room * 2 : 256;
	uint32_t *index = calloc(room, sizeof(*index));

	if (!index)
		return -ENOMEM;
	free(tree->index);
	tree->index = index;
	tree->index_room = room;
	for (size_t id = LSMD_N_TREES; id < tree->nodes.n; id++) {
		size_t at = index_at(tree, &tree->nodes.items[id]);

		while (index[at])
			at = (at + 1) & (room - 1);
		index[at] = (uint32_t)id;
	}
	return 0;
}

static bool node_equal(const struct lsmd_node *a, const struct lsmd_node *b)
{
	return a->parent == b->parent && a->meta == b->meta && !memcmp(a->name, b->name, sizeof(a->name));
}

static int node_new(struct tree *tree, size_t at, const struct lsmd_node *piece, uint32_t *ret)
{
	struct lsmd_node *node, *parent;

	if (tree->nodes.n >= NODES_MAX)
		return TREE_TOO_MANY;
	node = vec_add(&tree->nodes);
	if (!node)
		return -ENOMEM;
	*node = *piece;
	node->id = (uint32_t)tree->nodes.n - 1;
	tree->index[at] = node->id;
	parent = &tree->nodes.items[piece->parent];
	if (!(piece->meta & LSMD_PIECE_CONTINUED))
		parent->flags |= LSMD_NODE_HAS_CHILDREN;
	*ret = node->id;
	return 0;
}

/* The node of a piece below @parent, made if there is none yet. */
static int node_find(struct tree *tree, uint32_t parent, const char *bytes, size_t len, bool continued, uint32_t *ret)
{
	struct lsmd_node piece = { .parent = parent };
	size_t at;

	piece.meta = (lsmd_u16)(len | (continued ? LSMD_PIECE_CONTINUED : 0));
	memcpy(piece.name, bytes, len);
	if (tree->nodes.n * 2 > tree->index_room) {
		int r = index_grow(tree);

		if (r)
			return r;
	}
	for (at = index_at(tree, &piece); tree->index[at]; at = (at + 1) & (tree->index_room - 1)) {
		if (node_equal(&tree->nodes.items[tree->index[at]], &piece)) {
			*ret = tree->index[at];
			return 0;
		}
	}
	return node_new(tree, at, &piece, ret);
}

/* One component as a chain of pieces; counts them in @n_pieces. */
static int component_find(struct tree *tree, uint32_t *id, const char *bytes, size_t len, size_t *n_pieces)
{
	for (size_t at = 0; at < len; at += LSMD_PIECE_LEN) {
		size_t n = len - at < LSMD_PIECE_LEN ? len - at : LSMD_PIECE_LEN;
		int r;

		if (++*n_pieces > LSMD_PIECES_MAX)
			return TREE_TOO_DEEP;
		r = node_find(tree, *id, bytes + at, n, at > 0, id);
		if (r)
			return r;
	}
	return 0;
}

static size_t common_prefix(const char *a, const char *b, size_t len)
{
	size_t i = 0;

	for (; i < len && a[i] == b[i]; i++)
		;
	return i;
}

/* Keep those components of the name added last that @name begins with. Return: bytes of @name that they are. */
static size_t last_keep(struct tree *tree, enum lsmd_tree root, const char *name, size_t len, uint32_t *id)
{
	size_t common = 0;

	if (tree->last.root == root)
		common = common_prefix(tree->last.bytes, name, len < tree->last.len ? len : tree->last.len);
	else
		tree->last.n = 0;
	tree->last.root = root;
	while (tree->last.n) {
		size_t end = tree->last.end[tree->last.n - 1];

		if (end <= common && (end == len || name[end] == '/')) {
			*id = tree->last.id[tree->last.n - 1];
			return end;
		}
		tree->last.n--;
	}
	return 0;
}

static size_t last_pieces(const struct tree *tree)
{
	size_t n = 0, start = 0;

	for (size_t i = 0; i < tree->last.n; i++) {
		n += (tree->last.end[i] - start - 1 + LSMD_PIECE_LEN - 1) / LSMD_PIECE_LEN;
		start = tree->last.end[i];
	}
	return n;
}

static int path_find(struct tree *tree, enum lsmd_tree root, const char *name, size_t len, uint32_t *id)
{
	size_t at, pieces;

	if (len > LSMD_PATH_MAX)
		return TREE_TOO_DEEP;
	at = last_keep(tree, root, name, len, id);
	pieces = last_pieces(tree);
	memcpy(tree->last.bytes + at, name + at, len - at);
	tree->last.len = len;
	while (at < len) {
		const char *slash = memchr(name + at + 1, '/', len - at - 1);
		size_t end = slash ? (size_t)(slash - name) : len;
		int r = tree->last.n < LSMD_PIECES_MAX ? component_find(tree, id, name + at + 1, end - at - 1, &pieces)
						       : TREE_TOO_DEEP;

		if (r)
			return r;
		tree->last.end[tree->last.n] = (uint16_t)end;
		tree->last.id[tree->last.n++] = *id;
		at = end;
	}
	return 0;
}

static int list_add(struct tree *tree, uint32_t *list, const struct entry *entry)
{
	struct entry *to = vec_add(&tree->entries);

	if (!to)
		return -ENOMEM;
	*to = *entry;
	to->next = *list;
	*list = (uint32_t)tree->entries.n - 1;
	return 0;
}

int tree_add(struct tree *tree, enum lsmd_tree root, const char *name, size_t len, unsigned int where,
	     const struct entry *entry)
{
	uint32_t id = root;
	size_t n_pieces = 0;
	int r = 0;

	if (root == LSMD_TREE_ABSTRACT)
		r = component_find(tree, &id, name, len, &n_pieces);
	else
		r = path_find(tree, root, name, len, &id);
	if (!r && where & TREE_EXACT)
		r = list_add(tree, &tree->nodes.items[id].exact, entry);
	if (!r && where & TREE_BELOW)
		r = list_add(tree, &tree->nodes.items[id].below, entry);
	return r;
}

/* The entries of a list in the order in which they were added. */
static int scratch_list(struct tree *tree, uint32_t list)
{
	struct entry *items;

	tree->scratch.n = 0;
	for (; list; list = tree->entries.items[list].next) {
		struct entry *to = vec_add(&tree->scratch);

		if (!to)
			return -ENOMEM;
		*to = tree->entries.items[list];
	}
	items = tree->scratch.items;
	for (size_t i = 0, j = tree->scratch.n; i + 1 < j; i++) {
		struct entry swap = items[i];

		items[i] = items[--j];
		items[j] = swap;
	}
	return 0;
}

/* A list of entries becomes a class. */
static int list_close(struct tree *tree, struct class_table *table, uint32_t base, unsigned int inherits,
		      uint32_t *list)
{
	int r;

	if (!*list) {
		*list = base;
		return 0;
	}
	r = scratch_list(tree, *list);
	if (!r)
		r = class_make(table, base, inherits, tree->scratch.items, tree->scratch.n, list);
	return r == CLASS_TOO_MANY ? TREE_TOO_MANY : r;
}

/* What holds for the component that the node ends, as its directory says. */
static uint32_t node_base(const struct tree *tree, const struct lsmd_node *node)
{
	while (node->meta & LSMD_PIECE_CONTINUED)
		node = &tree->nodes.items[node->parent];
	return tree->nodes.items[node->parent].below;
}

/*
 * What is inherited is always some `below`: keeping these one step shorter than the longest chain leaves room for `exact`,
 * so that not every file of a directory has to copy its cells.
 */
int tree_close(struct tree *tree, struct class_table *table)
{
	for (size_t id = 0; id < tree->nodes.n; id++) {
		struct lsmd_node *node = &tree->nodes.items[id];
		uint32_t base = id < LSMD_N_TREES ? 0 : node_base(tree, node);
		int r = list_close(tree, table, base, LSMD_INHERIT_MAX, &node->exact);

		if (!r)
			r = list_close(tree, table, base, LSMD_INHERIT_MAX - 1, &node->below);
		if (r)
			return r;
	}
	free(tree->entries.items);
	free(tree->index);
	tree->entries.items = NULL;
	tree->index = NULL;
	return 0;
}
