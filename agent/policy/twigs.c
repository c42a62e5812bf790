// SPDX-License-Identifier: LGPL-2.1-or-later
/* Literal names of an image, followed byte by byte. */
#include "agent/policy/twigs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/util/cleanup.h"
#include "agent/util/vec.h"

#define RECORDS(image, section, type) ((const type *)((const char *)(image) + (image)->section.off))

static unsigned int piece_len(const struct lsmd_node *node)
{
	return node->meta & 0xff;
}

static bool piece_continued(const struct lsmd_node *node)
{
	return node->meta & LSMD_PIECE_CONTINUED;
}

static const struct lsmd_node *node_find(const struct nodes_index *index, uint32_t id)
{
	return id < index->n_ids ? index->by_id[id] : NULL;
}

/* What holds where the node's component falls off the tree: what the directory that it is in says below it. */
static uint32_t node_base(const struct nodes_index *index, const struct lsmd_node *node)
{
	const struct lsmd_node *at = node;

	while (piece_continued(at)) {
		const struct lsmd_node *parent = node_find(index, at->parent);

		if (!parent)
			return 0;
		at = parent;
	}
	if (at->parent < LSMD_N_TREES)
		return index->image->root[at->parent].below;
	at = node_find(index, at->parent);
	return at ? at->below : 0;
}

/* One node's layers, of which some may stand twice. */
struct speakers {
	uint32_t *items;
	size_t n, capacity;
};

static int speakers_add(struct speakers *speakers, uint32_t layer)
{
	uint32_t *slot = vec_add(speakers);

	if (!slot)
		return -ENOMEM;
	*slot = layer;
	return 0;
}

/* The layers of a class that it does not have from @base. More than there are is never wrong. */
static int class_speakers(const struct lsmd_image_header *image, uint32_t id, uint32_t base, struct speakers *speakers)
{
	const struct lsmd_class *classes = RECORDS(image, classes, struct lsmd_class);
	const struct lsmd_cell *cells = RECORDS(image, cells, struct lsmd_cell);
	int r = 0;

	for (unsigned int i = 0; i <= LSMD_INHERIT_MAX && id && id != base && !r; i++) {
		const struct lsmd_class *class = &classes[id];

		if (class->layer != LSMD_CLASS_MANY)
			r = speakers_add(speakers, class->layer);
		for (uint32_t k = 0; class->layer == LSMD_CLASS_MANY && k < class->deny && !r; k++)
			r = speakers_add(speakers, cells[class->allow + k].layer);
		id = class->inherits;
	}
	return r;
}

static int node_speakers(const struct nodes_index *index, const struct lsmd_node *node, struct speakers *speakers)
{
	uint32_t base = node_base(index, node);
	int r;

	speakers->n = 0;
	r = class_speakers(index->image, node->exact, base, speakers);
	return r ? r : class_speakers(index->image, node->below, base, speakers);
}

/* Counts first, then numbers: the lists of all layers lie behind each other. */
static int index_fill(struct nodes_index *index, bool numbers, uint32_t *ends)
{
	struct speakers speakers = {};
	int r = 0;

	for (uint32_t id = 0; id < index->n_ids && !r; id++) {
		if (!index->by_id[id])
			continue;
		r = node_speakers(index, index->by_id[id], &speakers);
		for (size_t i = 0; i < speakers.n && !r; i++) {
			if (numbers)
				index->ids[ends[speakers.items[i]]] = id;
			ends[speakers.items[i]]++;
		}
	}
	free(speakers.items);
	return r;
}

static int index_lists(struct nodes_index *index)
{
	uint32_t n_layers = index->image->layers.n;
	_cleanup_free_ uint32_t *ends = calloc(n_layers + 1, sizeof(*ends));
	int r;

	index->first = calloc(n_layers + 1, sizeof(*index->first));
	if (!ends || !index->first)
		return -ENOMEM;
	r = index_fill(index, false, ends);
	if (r)
		return r;
	for (uint32_t i = 0; i < n_layers; i++) {
		index->first[i + 1] = index->first[i] + ends[i];
		ends[i] = index->first[i];
	}
	index->ids = calloc((size_t)index->first[n_layers] + 1, sizeof(*index->ids));
	return index->ids ? index_fill(index, true, ends) : -ENOMEM;
}

int nodes_index(const struct lsmd_image_header *image, struct nodes_index *ret)
{
	const struct lsmd_node *nodes = RECORDS(image, nodes, struct lsmd_node);
	struct nodes_index index = { .image = image, .n_ids = image->nodes.n + LSMD_N_TREES };
	int r;

	index.by_id = calloc(index.n_ids, sizeof(*index.by_id));
	index.stamps = calloc(index.n_ids, sizeof(*index.stamps));
	if (!index.by_id || !index.stamps) {
		nodes_index_clear(&index);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < image->nodes.n; i++)
		if (nodes[i].id && nodes[i].id < index.n_ids)
			index.by_id[nodes[i].id] = &nodes[i];
	r = index_lists(&index);
	if (r)
		nodes_index_clear(&index);
	else
		*ret = index;
	return r;
}

void nodes_index_clear(struct nodes_index *index)
{
	free(index->by_id);
	free(index->first);
	free(index->ids);
	free(index->stamps);
	*index = (struct nodes_index){};
}

static int piece_order(const struct lsmd_node *a, const struct lsmd_node *b)
{
	unsigned int a_len = piece_len(a), b_len = piece_len(b), len = a_len;
	int order;

	if (b_len < len)
		len = b_len;
	order = memcmp(a->name, b->name, len);
	return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int node_order(const struct lsmd_node *a, const struct lsmd_node *b)
{
	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	if (piece_continued(a) != piece_continued(b))
		return piece_continued(a) ? 1 : -1;
	return piece_order(a, b);
}

static int node_compare(const void *a, const void *b)
{
	return node_order(*(const struct lsmd_node *const *)a, *(const struct lsmd_node *const *)b);
}

/* The node and all above it that are not there yet. */
static int twigs_add(struct nodes_index *index, struct twigs *twigs, uint32_t id)
{
	while (id >= LSMD_N_TREES && id < index->n_ids && index->by_id[id] && index->stamps[id] != index->stamp) {
		const struct lsmd_node **slot = vec_add(twigs);

		if (!slot)
			return -ENOMEM;
		*slot = index->by_id[id];
		index->stamps[id] = index->stamp;
		id = index->by_id[id]->parent;
	}
	return 0;
}

static int twigs_close(struct twigs *twigs, int r)
{
	if (r) {
		twigs_clear(twigs);
		return r;
	}
	if (twigs->n)
		qsort(twigs->items, twigs->n, sizeof(*twigs->items), node_compare);
	return 0;
}

int twigs_make(struct nodes_index *index, const uint32_t *layers, size_t n_layers, struct twigs *ret)
{
	int r = 0;

	*ret = (struct twigs){ .image = index->image };
	index->stamp++;
	for (size_t i = 0; i < n_layers; i++)
		for (uint32_t k = index->first[layers[i]]; k < index->first[layers[i] + 1] && !r; k++)
			r = twigs_add(index, ret, index->ids[k]);
	return twigs_close(ret, r);
}

static uint32_t node_tree(const struct nodes_index *index, uint32_t id)
{
	while (id >= LSMD_N_TREES) {
		const struct lsmd_node *node = node_find(index, id);

		if (!node)
			return LSMD_TREE_NONE;
		id = node->parent;
	}
	return id;
}

int twigs_of_tree(struct nodes_index *index, enum lsmd_tree tree, struct twigs *ret)
{
	int r = 0;

	*ret = (struct twigs){ .image = index->image };
	index->stamp++;
	for (uint32_t id = LSMD_N_TREES; id < index->n_ids && !r; id++)
		if (index->by_id[id] && node_tree(index, id) == tree)
			r = twigs_add(index, ret, id);
	return twigs_close(ret, r);
}

void twigs_clear(struct twigs *twigs)
{
	free(twigs->items);
	*twigs = (struct twigs){};
}

/* The first of the nodes from @low on that is not before (@parent, @continued). */
static uint32_t children_bound(const struct twigs *twigs, uint32_t parent, bool continued)
{
	uint32_t low = 0, high = twigs->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct lsmd_node *node = twigs->items[middle];

		if (node->parent < parent || (node->parent == parent && piece_continued(node) < continued))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void twig_descend(const struct twigs *twigs, struct twig *twig, uint32_t parent, bool continued)
{
	twig->low = children_bound(twigs, parent, continued);
	twig->high = continued ? children_bound(twigs, parent + 1, false) : children_bound(twigs, parent, true);
	twig->depth = 0;
}

/* The piece that is whole here; the shortest of those that begin so stands first. NULL: none */
static const struct lsmd_node *twig_node(const struct twigs *twigs, const struct twig *twig)
{
	if (twig_off(twig) || !twig->depth || piece_len(twigs->items[twig->low]) != twig->depth)
		return NULL;
	return twigs->items[twig->low];
}

/* Off the tree only the class counts, so that equal states are equal. */
static struct twig twig_settle(struct twig twig)
{
	const struct twig off = { .below = twig.below };

	if (twig_off(&twig))
		return off;
	return twig;
}

struct twig twig_root(const struct twigs *twigs, enum lsmd_tree tree)
{
	struct twig twig = { .below = twigs->image->root[tree].below };

	twig_descend(twigs, &twig, tree, false);
	return twig;
}

/* At the end of a piece the component goes on in the pieces below it. */
static bool twig_enter(const struct twigs *twigs, struct twig *twig)
{
	const struct lsmd_node *node;

	if (twig->depth < LSMD_PIECE_LEN)
		return !twig_off(twig);
	node = twig_node(twigs, twig);
	if (node)
		twig_descend(twigs, twig, node->id, true);
	else
		twig->low = twig->high = 0;
	return !twig_off(twig);
}

static unsigned char piece_byte(const struct twigs *twigs, uint32_t at, uint32_t depth)
{
	return ((const unsigned char *)twigs->items[at]->name)[depth];
}

/* The first piece of the range whose byte at its depth is not below @byte. A piece that ends there stands before all. */
static uint32_t byte_bound(const struct twigs *twigs, const struct twig *twig, unsigned int byte)
{
	uint32_t low = twig->low, high = twig->high;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (piece_len(twigs->items[middle]) <= twig->depth || piece_byte(twigs, middle, twig->depth) < byte)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct twig twig_byte(const struct twigs *twigs, struct twig twig, unsigned char byte)
{
	uint32_t low;

	if (!twig_enter(twigs, &twig))
		return (struct twig){ .below = twig.below };
	low = byte_bound(twigs, &twig, byte);
	twig.high = byte_bound(twigs, &twig, byte + 1u);
	twig.low = low;
	twig.depth++;
	return twig_settle(twig);
}

struct twig twig_slash(const struct twigs *twigs, struct twig twig)
{
	const struct lsmd_node *node = twig_node(twigs, &twig);

	if (!node)
		return (struct twig){ .below = twig.below };
	twig.below = node->below;
	twig_descend(twigs, &twig, node->id, false);
	return twig_settle(twig);
}

uint32_t twig_class(const struct twigs *twigs, const struct twig *twig)
{
	const struct lsmd_node *node = twig_node(twigs, twig);

	return node ? node->exact : twig->below;
}

void twig_bytes(const struct twigs *twigs, struct twig twig, uint64_t bits[4])
{
	if (!twig_enter(twigs, &twig))
		return;
	twig.low = byte_bound(twigs, &twig, 0);
	while (twig.low < twig.high) {
		unsigned int byte = piece_byte(twigs, twig.low, twig.depth);

		bits[byte / 64] |= 1ull << byte % 64;
		twig.low = byte_bound(twigs, &twig, byte + 1);
	}
}

struct twig twig_pieces(const struct twigs *twigs, struct twig twig)
{
	if (!twig.depth)
		return twig;
	if (twig.depth < LSMD_PIECE_LEN || !twig_enter(twigs, &twig))
		twig.low = twig.high = 0;
	return twig;
}

struct twig twig_piece(const struct twigs *twigs, struct twig twig, const struct lsmd_node *piece)
{
	uint32_t low = twig.low, high = twig.high;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (piece_order(twigs->items[middle], piece) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == twig.high || piece_order(twigs->items[low], piece))
		return (struct twig){ .below = twig.below };
	return (struct twig){ .low = low, .high = low + 1, .below = twig.below, .depth = piece_len(piece) };
}
