// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * May these bytes be put before the kernel? Every offset, index and order that lsm/core relies on is checked, each in one pass
 * over its section: arrays that others point into must be laid out in the order of those who point, as the compiler
 * does, so that no byte is looked at twice however the indices are forged.
 */
#include "agent/policy/image.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/util/cleanup.h"
#include "lsm/abi/verdict.h"
#include "lsm/core/hash.h"

#define SECTION_ALIGN 64

/* Sections in their order, the size of a record, and how many there are at least. */
static const struct {
	size_t offset;
	size_t size;
	size_t n_min;
} sections[] = {
#define SECTION(name, type, n_min) \
	{ \
		offsetof(struct lsmd_image_header, name), sizeof(type), (n_min) \
	}
	SECTION(displace, lsmd_u32, 0),
	SECTION(nodes, struct lsmd_node, 0),
	SECTION(classes, struct lsmd_class, 1),
	SECTION(cells, struct lsmd_cell, 1),
	SECTION(rows, struct lsmd_row, 1),
	SECTION(layers, struct lsmd_layer, 0),
	SECTION(layer_keys, struct lsmd_layer_key, 0),
	SECTION(subjects, struct lsmd_subject, 0),
	SECTION(ids, struct lsmd_ids, 0),
	SECTION(bytemaps, lsmd_u8[256], 1),
	SECTION(states, struct lsmd_state, 1),
	SECTION(steps, struct lsmd_step, 256),
	SECTION(nets, struct lsmd_net_table, 1),
	SECTION(intervals, struct lsmd_interval, 0),
	SECTION(portsets, struct lsmd_portset, 1),
	SECTION(ports, struct lsmd_port, 0),
	SECTION(rules, struct lsmd_rule, 1),
	SECTION(notes, struct lsmd_note, 1),
	SECTION(strings, char, 1),
	SECTION(counters, lsmd_u64, 1),
#undef SECTION
};

#define N_SECTIONS (sizeof(sections) / sizeof(*sections))

/* The first record of a section. */
#define RECORDS(image, section, type) ((const type *)((const char *)(image) + (image)->section.off))

static bool sections_in_bounds(const struct lsmd_image_header *image, size_t size)
{
	uint64_t end = sizeof(*image);

	for (size_t i = 0; i < N_SECTIONS; i++) {
		const struct lsmd_section *section = (const void *)((const char *)image + sections[i].offset);

		if (section->off % SECTION_ALIGN || section->off < end || section->n < sections[i].n_min)
			return false;
		end = section->off + (uint64_t)section->n * sections[i].size;
		if (end > size)
			return false;
	}
	return true;
}

/* Numbers of records that belong together. */
static bool sections_agree(const struct lsmd_image_header *image)
{
	return !image->nodes.n == !image->displace.n && image->layer_keys.n == image->layers.n &&
	       image->subjects.n == image->layers.n && image->counters.n == image->rules.n && image->layers.n <= LSMD_POLICIES_MAX;
}

static bool class_valid(const struct lsmd_image_header *image, lsmd_u32 class)
{
	return class < image->classes.n;
}

static bool rule_valid(const struct lsmd_image_header *image, lsmd_u32 rule)
{
	if (rule & LSMD_RULE_ROW)
		return (rule & ~LSMD_RULE_ROW) < image->rows.n;
	return rule < image->rules.n;
}

static bool header_valid(const struct lsmd_image_header *image)
{
	for (unsigned int t = 0; t < LSMD_TREES_ROOM; t++)
		if (!class_valid(image, image->root[t].exact) || !class_valid(image, image->root[t].below))
			return false;
	return image->subject_dfa < image->states.n && image->subject_map < image->bytemaps.n &&
	       class_valid(image, image->subject_any);
}

/* What is the same in all empty slots: nothing but zeroes. */
static bool node_empty(const struct lsmd_node *node)
{
	static const struct lsmd_node empty;

	return !memcmp(node, &empty, sizeof(empty));
}

static bool node_found(const struct lsmd_image_header *image, lsmd_u32 slot, const struct lsmd_node *node)
{
	lsmd_u64 h = lsmd_hash(image->hash_key, node->parent, node->meta, node->name);
	lsmd_u32 bucket = lsmd_hash_bucket(h, image->displace.n);

	return lsmd_hash_slot(h, RECORDS(image, displace, lsmd_u32)[bucket], image->nodes.n) == slot;
}

static bool name_padded(const struct lsmd_node *node)
{
	size_t len = node->meta & 0xff;
	const char *bytes = (const char *)node->name;

	if (!len || len > LSMD_PIECE_LEN || node->meta & ~(0xffu | LSMD_PIECE_CONTINUED))
		return false;
	for (; len < LSMD_PIECE_LEN; len++)
		if (bytes[len])
			return false;
	return true;
}

/* Ids are all different and leave no gap; a parent's is below its child's. @seen, @parents: a bit an id. */
static bool node_valid(const struct lsmd_image_header *image, lsmd_u32 slot, lsmd_u32 n_ids, uint64_t *seen,
		       uint64_t *parents)
{
	const struct lsmd_node *node = &RECORDS(image, nodes, struct lsmd_node)[slot];

	if (!name_padded(node) || node->id < LSMD_N_TREES || node->id >= n_ids || !node->parent ||
	    node->parent >= node->id)
		return false;
	if (seen[node->id / 64] >> node->id % 64 & 1)
		return false;
	seen[node->id / 64] |= 1ull << node->id % 64;
	if (!(node->meta & LSMD_PIECE_CONTINUED))
		parents[node->parent / 64] |= 1ull << node->parent % 64;
	return class_valid(image, node->exact) && class_valid(image, node->below) && node_found(image, slot, node);
}

static lsmd_u32 nodes_count(const struct lsmd_image_header *image)
{
	const struct lsmd_node *nodes = RECORDS(image, nodes, struct lsmd_node);
	lsmd_u32 n = 0;

	for (lsmd_u32 i = 0; i < image->nodes.n; i++)
		n += !node_empty(&nodes[i]);
	return n;
}

static bool nodes_check(const struct lsmd_image_header *image, lsmd_u32 n_ids, uint64_t *seen, uint64_t *parents)
{
	const struct lsmd_node *nodes = RECORDS(image, nodes, struct lsmd_node);

	for (lsmd_u32 i = 0; i < image->nodes.n; i++)
		if (!node_empty(&nodes[i]) && !node_valid(image, i, n_ids, seen, parents))
			return false;
	for (lsmd_u32 i = 0; i < image->nodes.n; i++) {
		lsmd_u32 id = nodes[i].id;
		unsigned int flags = parents[id / 64] >> id % 64 & 1 ? LSMD_NODE_HAS_CHILDREN : 0;

		if (id && nodes[i].flags != flags)
			return false;
	}
	return true;
}

static int nodes_verify(const struct lsmd_image_header *image)
{
	lsmd_u32 n_ids = LSMD_N_TREES + nodes_count(image);
	_cleanup_free_ uint64_t *seen = calloc(n_ids / 64 + 1, sizeof(*seen));
	_cleanup_free_ uint64_t *parents = calloc(n_ids / 64 + 1, sizeof(*parents));

	if (!seen || !parents)
		return -ENOMEM;
	return nodes_check(image, n_ids, seen, parents) ? 0 : IMAGE_BAD_LAYOUT;
}

/* A class only inherits from one before it, so a chain ends; it may not be longer than a reader follows it. */
static bool chain_valid(const struct lsmd_class *classes, lsmd_u32 id)
{
	for (unsigned int i = 0; i <= LSMD_INHERIT_MAX; i++) {
		lsmd_u32 next = classes[id].inherits;

		if (!next)
			return true;
		if (next >= id)
			return false;
		id = next;
	}
	return false;
}

static bool cell_valid(const struct lsmd_image_header *image, lsmd_u32 layer, lsmd_u32 rule)
{
	return layer < image->layers.n && rule_valid(image, rule);
}

/* The cells of a class stand behind those of the classes before it, from @first on. */
static bool cells_valid(const struct lsmd_image_header *image, lsmd_u32 first, lsmd_u32 n)
{
	const struct lsmd_cell *cells = RECORDS(image, cells, struct lsmd_cell) + first;

	for (lsmd_u32 i = 0; i < n; i++)
		if (!cell_valid(image, cells[i].layer, cells[i].rule) || (i && cells[i].layer <= cells[i - 1].layer))
			return false;
	return true;
}

static bool classes_verify(const struct lsmd_image_header *image)
{
	const struct lsmd_class *classes = RECORDS(image, classes, struct lsmd_class);
	lsmd_u32 first = 1;

	if (classes[0].inherits)
		return false;
	for (lsmd_u32 i = 1; i < image->classes.n; i++) {
		const struct lsmd_class *class = &classes[i];

		if (!chain_valid(classes, i))
			return false;
		if (class->layer != LSMD_CLASS_MANY) {
			if (!cell_valid(image, class->layer, class->rule))
				return false;
			continue;
		}
		if (class->allow != first || class->deny > image->cells.n - first ||
		    !cells_valid(image, first, class->deny))
			return false;
		first += class->deny;
	}
	return true;
}

static bool rows_verify(const struct lsmd_image_header *image)
{
	const struct lsmd_row *rows = RECORDS(image, rows, struct lsmd_row);

	for (lsmd_u32 i = 0; i < image->rows.n; i++)
		for (unsigned int v = 0; v < 32; v++)
			if (rows[i].rule[v] >= image->rules.n)
				return false;
	return true;
}

/* The rule that each verb's default gives is one of the layer's pseudo rules. */
static bool default_valid(const struct lsmd_image_header *image, const struct lsmd_layer *layer)
{
	const struct lsmd_rule *rules = RECORDS(image, rules, struct lsmd_rule);
	const struct lsmd_row *rows = RECORDS(image, rows, struct lsmd_row);

	if (!(layer->default_rule & LSMD_RULE_ROW))
		return layer->default_rule == layer->first_rule;
	if ((layer->default_rule & ~LSMD_RULE_ROW) >= image->rows.n)
		return false;
	for (unsigned int v = 0; v < 32; v++) {
		lsmd_u32 rule = rows[layer->default_rule & ~LSMD_RULE_ROW].rule[v];

		if (rule < layer->first_rule || rule - layer->first_rule >= layer->n_rules || !(rules[rule].flags & LSMD_RULE_DEFAULT))
			return false;
	}
	return true;
}

/* Rule numbers of the layers follow each other from 1 on, and each begins with its default. */
static bool layers_verify(const struct lsmd_image_header *image)
{
	const struct lsmd_layer *layers = RECORDS(image, layers, struct lsmd_layer);
	const struct lsmd_rule *rules = RECORDS(image, rules, struct lsmd_rule);
	lsmd_u32 first = 1;

	for (lsmd_u32 i = 0; i < image->layers.n; i++) {
		const struct lsmd_layer *layer = &layers[i];

		if (layer->mode > LSMD_MODE_OFF || layer->dfa >= image->states.n ||
		    layer->bytemap >= image->bytemaps.n || layer->net >= image->nets.n ||
		    layer->name >= image->strings.n || layer->file >= image->strings.n)
			return false;
		if (layer->first_rule != first || !layer->n_rules || layer->n_rules > image->rules.n - first ||
		    !(rules[first].flags & LSMD_RULE_DEFAULT) || !default_valid(image, layer))
			return false;
		first += layer->n_rules;
	}
	return first == image->rules.n;
}

static bool keys_verify(const struct lsmd_image_header *image)
{
	const struct lsmd_layer *layers = RECORDS(image, layers, struct lsmd_layer);
	const struct lsmd_layer_key *keys = RECORDS(image, layer_keys, struct lsmd_layer_key);

	for (lsmd_u32 i = 0; i < image->layer_keys.n; i++)
		if (keys[i].layer >= image->layers.n || layers[keys[i].layer].key != keys[i].key ||
		    (i && keys[i].key <= keys[i - 1].key))
			return false;
	return true;
}

/* Ranges follow those of the subjects before, from @first on. */
static bool ids_valid(const struct lsmd_image_header *image, lsmd_u32 first, lsmd_u32 n)
{
	const struct lsmd_ids *ids = RECORDS(image, ids, struct lsmd_ids) + first;

	if (n > LSMD_IDS_MAX || n > image->ids.n - first)
		return false;
	for (lsmd_u32 i = 0; i < n; i++)
		if (ids[i].last < ids[i].first || (i && ids[i].first <= ids[i - 1].last))
			return false;
	return true;
}

static bool subjects_verify(const struct lsmd_image_header *image)
{
	const struct lsmd_subject *subjects = RECORDS(image, subjects, struct lsmd_subject);
	lsmd_u32 first = 0, selects = 0;

	for (lsmd_u32 i = 0; i < image->subjects.n; i++) {
		const struct lsmd_subject *subject = &subjects[i];

		if (subject->selects & ~LSMD_SELECT_ALL || subject->cgroup_dfa >= image->states.n ||
		    subject->unit_dfa >= image->states.n || subject->cgroup_map >= image->bytemaps.n ||
		    subject->unit_map >= image->bytemaps.n)
			return false;
		if (subject->uids != first || !ids_valid(image, first, subject->n_uids))
			return false;
		first += subject->n_uids;
		if (subject->gids != first || !ids_valid(image, first, subject->n_gids))
			return false;
		first += subject->n_gids;
		selects |= subject->selects;
	}
	return first == image->ids.n && selects == image->selects;
}

/* Any byte's column behind any state's base is a step; what leads out of the dead state leads back. */
static bool automata_verify(const struct lsmd_image_header *image)
{
	const struct lsmd_state *states = RECORDS(image, states, struct lsmd_state);
	const struct lsmd_step *steps = RECORDS(image, steps, struct lsmd_step);

	if (states[0].other || states[0].class || states[0].base)
		return false;
	for (lsmd_u32 i = 0; i < image->states.n; i++)
		if (states[i].base > image->steps.n - 256 || states[i].other >= image->states.n ||
		    !class_valid(image, states[i].class))
			return false;
	for (lsmd_u32 i = 0; i < image->steps.n; i++)
		if (steps[i].check >= image->states.n || steps[i].next >= image->states.n ||
		    (!steps[i].check && steps[i].next))
			return false;
	return true;
}

static bool ports_valid(const struct lsmd_image_header *image, const struct lsmd_port *ports, lsmd_u32 n)
{
	for (lsmd_u32 i = 0; i < n; i++)
		if (ports[i].last < ports[i].first || !rule_valid(image, ports[i].rule) ||
		    (i && ports[i].first <= ports[i - 1].last))
			return false;
	return true;
}

/* The ports of the sets follow each other. */
static bool portsets_verify(const struct lsmd_image_header *image)
{
	const struct lsmd_portset *sets = RECORDS(image, portsets, struct lsmd_portset);
	const struct lsmd_port *ports = RECORDS(image, ports, struct lsmd_port);
	lsmd_u32 first = 0;

	for (lsmd_u32 i = 0; i < image->portsets.n; i++) {
		if (sets[i].first != first || sets[i].n > image->ports.n - first || sets[i].n > UINT16_MAX + 1u ||
		    !ports_valid(image, ports + first, sets[i].n))
			return false;
		first += sets[i].n;
	}
	return true;
}

static bool intervals_valid(const struct lsmd_image_header *image, const struct lsmd_interval *intervals, lsmd_u32 n)
{
	if (n > LSMD_INTERVALS_MAX || (n && (intervals[0].hi || intervals[0].lo)))
		return false;
	for (lsmd_u32 i = 0; i < n; i++) {
		if (intervals[i].portset >= image->portsets.n)
			return false;
		if (i && (intervals[i].hi < intervals[i - 1].hi ||
			  (intervals[i].hi == intervals[i - 1].hi && intervals[i].lo <= intervals[i - 1].lo)))
			return false;
	}
	return true;
}

/* Does a protocol use the intervals of one before it? */
static bool proto_shared(const struct lsmd_net_table *net, unsigned int proto)
{
	for (unsigned int p = 0; p < proto; p++)
		if (net->proto[p].first == net->proto[proto].first && net->proto[p].n == net->proto[proto].n)
			return true;
	return false;
}

static bool nets_verify(const struct lsmd_image_header *image)
{
	const struct lsmd_net_table *nets = RECORDS(image, nets, struct lsmd_net_table);
	const struct lsmd_interval *intervals = RECORDS(image, intervals, struct lsmd_interval);
	lsmd_u32 first = 0;

	for (lsmd_u32 i = 0; i < image->nets.n; i++) {
		for (unsigned int p = 0; p < LSMD_N_PROTOS; p++) {
			lsmd_u32 n = nets[i].proto[p].n;

			if (!n || proto_shared(&nets[i], p))
				continue;
			if (nets[i].proto[p].first != first || n > image->intervals.n - first ||
			    !intervals_valid(image, intervals + first, n))
				return false;
			first += n;
		}
	}
	return true;
}

static bool legend_verify(const struct lsmd_image_header *image)
{
	const struct lsmd_rule *rules = RECORDS(image, rules, struct lsmd_rule);
	const struct lsmd_note *notes = RECORDS(image, notes, struct lsmd_note);
	const char *strings = RECORDS(image, strings, char);

	for (lsmd_u32 i = 0; i < image->rules.n; i++)
		if (rules[i].note >= image->notes.n)
			return false;
	for (lsmd_u32 i = 0; i < image->notes.n; i++)
		if (notes[i].file >= image->strings.n || notes[i].id >= image->strings.n ||
		    notes[i].reason >= image->strings.n)
			return false;
	return !strings[0] && !strings[image->strings.n - 1];
}

static int image_verify_layout(const struct lsmd_image_header *image)
{
	if (!header_valid(image) || !classes_verify(image) || !rows_verify(image) || !layers_verify(image) ||
	    !keys_verify(image) || !subjects_verify(image) || !automata_verify(image) || !portsets_verify(image) || !nets_verify(image) ||
	    !legend_verify(image))
		return IMAGE_BAD_LAYOUT;
	return nodes_verify(image);
}

int image_verify(const void *bytes, size_t size)
{
	const struct lsmd_image_header *image = bytes;

	if (size < sizeof(*image) || size > LSMD_IMAGE_BYTES_MAX || (uintptr_t)bytes % 8)
		return IMAGE_BAD_SIZE;
	if (image->magic != LSMD_IMAGE_MAGIC)
		return IMAGE_BAD_MAGIC;
	if (image->version != LSMD_IMAGE_VERSION)
		return IMAGE_BAD_VERSION;
	if (image->size != size)
		return IMAGE_BAD_SIZE;
	if (!sections_in_bounds(image, size) || !sections_agree(image))
		return IMAGE_BAD_LAYOUT;
	if (image->checksum != image_checksum(image))
		return IMAGE_BAD_CHECKSUM;
	return image_verify_layout(image);
}
