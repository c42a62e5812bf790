// SPDX-License-Identifier: LGPL-2.1-or-later
/* Tables to one block of bytes, sections in the order of the header. */
#include "agent/policy/image.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/compile.h"
#include "agent/util/cleanup.h"

#define SECTION_ALIGN 64

/* A section before it has a place: where its bytes come from, NULL when it is made in place. */
struct part {
	size_t offset; /* of the struct lsmd_section in the header */
	void *items; /* address of the pointer to them, whatever its type */
	size_t n;
	size_t size; /* of one record */
};

#define PART(section, items, n, type) \
	{ \
		offsetof(struct lsmd_image_header, section), (items), (n), sizeof(type) \
	}
#define PART_VEC(section, vec, type) PART(section, &(vec).items, (vec).n, type)

static struct lsmd_section *part_section(struct lsmd_image_header *header, const struct part *part)
{
	return (struct lsmd_section *)((char *)header + part->offset);
}

static size_t align_up(size_t n)
{
	return (n + SECTION_ALIGN - 1) / SECTION_ALIGN * SECTION_ALIGN;
}

/* Offsets and numbers of all sections into the header. Return: size of the image, which may be too large. */
static size_t parts_place(struct lsmd_image_header *header, const struct part *parts, size_t n_parts)
{
	size_t at = align_up(sizeof(*header));

	for (size_t i = 0; i < n_parts; i++) {
		struct lsmd_section *section = part_section(header, &parts[i]);

		section->off = (lsmd_u32)at;
		section->n = (lsmd_u32)parts[i].n;
		at = align_up(at + parts[i].n * parts[i].size);
		if (at > LSMD_IMAGE_BYTES_MAX)
			return at;
	}
	return at;
}

/* What was copied is freed at once: the tables of a large set and its image are never in memory side by side. */
static void items_free(void *items)
{
	void *at;

	memcpy(&at, items, sizeof(at));
	memset(items, 0, sizeof(at));
	free(at);
}

static void items_copy(void *to, const void *items, size_t size)
{
	const void *at;

	memcpy(&at, items, sizeof(at));
	if (size)
		memcpy(to, at, size);
}

/* The section of a part, and zeroes up to where the next one begins. */
static void part_write(struct lsmd_image_header *image, const struct part *part)
{
	struct lsmd_section *section = part_section(image, part);
	char *to = (char *)image + section->off;
	size_t size = part->n * part->size, copied = part->items ? size : 0;

	if (part->items) {
		items_copy(to, part->items, size);
		items_free(part->items);
	}
	memset(to + copied, 0, align_up(size) - copied);
}

static void nodes_write(struct lsmd_image_header *image, struct compiler *compiler)
{
	struct lsmd_node *nodes = (void *)((char *)image + image->nodes.off);
	const struct lsmd_node *from = compiler->tree.nodes.items + LSMD_N_TREES;
	size_t n = compiler->tree.nodes.n - LSMD_N_TREES;

	for (size_t i = 0; i < n; i++)
		nodes[compiler->hash.slots[i]] = from[i];
	items_free(&compiler->tree.nodes.items);
	items_free(&compiler->hash.slots);
}

static int compare_keys(const void *a, const void *b)
{
	const struct lsmd_layer_key *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->layer < y->layer ? -1 : x->layer > y->layer;
}

static struct lsmd_layer_key *keys_write(struct lsmd_image_header *image)
{
	const struct lsmd_layer *layers = (void *)((char *)image + image->layers.off);
	struct lsmd_layer_key *keys = (void *)((char *)image + image->layer_keys.off);

	for (lsmd_u32 i = 0; i < image->layers.n; i++)
		keys[i] = (struct lsmd_layer_key){ .key = layers[i].key, .layer = i };
	qsort(keys, image->layers.n, sizeof(*keys), compare_keys);
	return keys;
}

/* Two names with one key: as good as impossible, and labels could not tell them apart. */
static int keys_check(const struct compiler *compiler, const struct lsmd_layer_key *keys, size_t n)
{
	const struct policy *policies = compiler->set->policies;
	int r = 0;

	for (size_t i = 1; i < n; i++) {
		if (keys[i].key != keys[i - 1].key)
			continue;
		diag_add(compiler->diags, DIAG_ERROR, "key-collision", policies[keys[i].layer].place,
			 "give one of them another name", "the names '%s' and '%s' share the key that labels remember",
			 policies[keys[i - 1].layer].name, policies[keys[i].layer].name);
		r = IMAGE_REFUSED;
	}
	return r;
}

static void header_fill(struct lsmd_image_header *header, const struct compiler *compiler)
{
	header->magic = LSMD_IMAGE_MAGIC;
	header->version = LSMD_IMAGE_VERSION;
	header->undecided = compiler->undecided;
	header->subject_dfa = compiler->subject_dfa;
	header->subject_map = compiler->subject_map;
	header->subject_any = compiler->subject_any;
	header->selects = compiler->selects;
	memcpy(header->hash_key, compiler->hash.key, sizeof(header->hash_key));
	for (unsigned int t = 0; t < LSMD_N_TREES; t++)
		header->root[t] = (struct lsmd_root){
			.exact = compiler->tree.nodes.items[t].exact,
			.below = compiler->tree.nodes.items[t].below,
		};
}

static int image_alloc(const struct compiler *compiler, const struct lsmd_image_header *header, size_t size,
		       struct lsmd_image_header **ret)
{
	struct lsmd_image_header *image;

	if (size > LSMD_IMAGE_BYTES_MAX) {
		diag_add(compiler->diags, DIAG_ERROR, "image-too-large", (struct place){},
			 "name directories with a '/' at the end instead of the files in them",
			 "the policies need more than the 256 MiB that an image may have");
		return IMAGE_REFUSED;
	}
	image = aligned_alloc(SECTION_ALIGN, size);
	if (!image)
		return -ENOMEM;
	memset(image, 0, align_up(sizeof(*image)));
	*image = *header;
	image->size = (lsmd_u32)size;
	*ret = image;
	return 0;
}

/* The nodes come first: they are most of the bytes, and are copied while the rest is still small. */
static int image_lay_out(struct compiler *c, struct lsmd_image_header **ret, size_t *ret_size)
{
	const struct part parts[] = {
		PART(displace, &c->hash.displace, c->hash.n_displace, lsmd_u32),
		PART(nodes, NULL, c->hash.n_slots, struct lsmd_node),
		PART_VEC(classes, c->classes.classes, struct lsmd_class),
		PART_VEC(cells, c->classes.cells, struct lsmd_cell),
		PART_VEC(rows, c->classes.rows, struct lsmd_row),
		PART_VEC(layers, c->layers, struct lsmd_layer),
		PART(layer_keys, NULL, c->layers.n, struct lsmd_layer_key),
		PART_VEC(subjects, c->subjects_made, struct lsmd_subject),
		PART_VEC(ids, c->ids, struct lsmd_ids),
		PART_VEC(bytemaps, c->comb.bytemaps, struct bytemap),
		PART_VEC(states, c->comb.states, struct lsmd_state),
		PART_VEC(steps, c->comb.steps, struct lsmd_step),
		PART_VEC(nets, c->addr.nets, struct lsmd_net_table),
		PART_VEC(intervals, c->addr.intervals, struct lsmd_interval),
		PART_VEC(portsets, c->addr.portsets, struct lsmd_portset),
		PART_VEC(ports, c->addr.ports, struct lsmd_port),
		PART_VEC(rules, c->rulebook.rules, struct lsmd_rule),
		PART_VEC(notes, c->rulebook.notes, struct lsmd_note),
		PART_VEC(strings, c->rulebook.strings, char),
		PART(counters, NULL, c->rulebook.rules.n, lsmd_u64),
	};
	const size_t n_parts = sizeof(parts) / sizeof(*parts);
	_cleanup_free_ struct lsmd_image_header *image = NULL;
	struct lsmd_image_header header = {};
	size_t size = parts_place(&header, parts, n_parts);
	int r;

	header_fill(&header, c);
	r = image_alloc(c, &header, size, &image);
	if (r)
		return r;
	for (size_t i = 0; i < n_parts; i++) {
		part_write(image, &parts[i]);
		if (parts[i].offset == offsetof(struct lsmd_image_header, nodes))
			nodes_write(image, c);
	}
	r = keys_check(c, keys_write(image), image->layers.n);
	if (r)
		return r;
	image->set_hash = image_set_hash(image);
	image->checksum = image_checksum(image);
	*ret = TAKE_PTR(image);
	*ret_size = size;
	return 0;
}

int image_build(const struct policy_set *set, struct diags *diags, struct lsmd_image_header **ret, size_t *ret_size)
{
	_cleanup_free_ struct compiler *compiler = calloc(1, sizeof(*compiler));
	int r;

	if (!compiler)
		return -ENOMEM;
	r = compile_set(compiler, set, diags);
	if (!r)
		r = image_lay_out(compiler, ret, ret_size);
	compiler_clear(compiler);
	return r > 0 ? IMAGE_REFUSED : r;
}

const char *image_string(const struct lsmd_image_header *image, uint32_t off)
{
	return (const char *)image + image->strings.off + (off < image->strings.n ? off : 0);
}

uint32_t image_rule_layer(const struct lsmd_image_header *image, uint32_t rule)
{
	const struct lsmd_layer *layers = (const void *)((const char *)image + image->layers.off);
	uint32_t low = 0, high = image->layers.n;

	/* low: the first layer whose rules start behind this one. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (layers[middle].first_rule <= rule)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}
