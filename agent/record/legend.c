// SPDX-License-Identifier: LGPL-2.1-or-later
/* Names and places of one generation. Numbers come from the kernel side and are checked all the same. */
#include "agent/record/legend.h"

#include <errno.h>
#include <string.h>

struct section {
	void *records;
	size_t n;
};

struct legend {
	uint64_t generation;
	uint64_t set_hash;
	struct section layers, rules, notes, strings;
};

static int section_copy(const struct lsmd_image_header *image, const struct lsmd_section *from, size_t size,
			struct section *to)
{
	to->records = malloc((size_t)from->n * size + 1);
	if (!to->records)
		return -ENOMEM;
	memcpy(to->records, (const char *)image + from->off, (size_t)from->n * size);
	to->n = from->n;
	return 0;
}

int legend_new(const struct lsmd_image_header *image, struct legend **ret)
{
	_cleanup_(legend_freep) struct legend *legend = calloc(1, sizeof(*legend));
	int r;

	if (!legend)
		return -ENOMEM;
	legend->generation = image->generation;
	legend->set_hash = image->set_hash;
	r = section_copy(image, &image->layers, sizeof(struct lsmd_layer), &legend->layers);
	if (!r)
		r = section_copy(image, &image->rules, sizeof(struct lsmd_rule), &legend->rules);
	if (!r)
		r = section_copy(image, &image->notes, sizeof(struct lsmd_note), &legend->notes);
	if (!r)
		r = section_copy(image, &image->strings, 1, &legend->strings);
	if (r)
		return r;
	((char *)legend->strings.records)[legend->strings.n] = '\0';
	*ret = TAKE_PTR(legend);
	return 0;
}

void legend_free(struct legend *legend)
{
	if (!legend)
		return;
	free(legend->layers.records);
	free(legend->rules.records);
	free(legend->notes.records);
	free(legend->strings.records);
	free(legend);
}

uint64_t legend_generation(const struct legend *legend)
{
	return legend->generation;
}

uint64_t legend_set_hash(const struct legend *legend)
{
	return legend->set_hash;
}

static const void *section_at(const struct section *section, uint32_t i, size_t size)
{
	return i < section->n ? (const char *)section->records + i * size : NULL;
}

const struct lsmd_layer *legend_layer(const struct legend *legend, uint32_t layer)
{
	return section_at(&legend->layers, layer, sizeof(struct lsmd_layer));
}

/* Rule 0 and note 0 stand for none. */
const struct lsmd_rule *legend_rule(const struct legend *legend, uint32_t rule)
{
	return rule ? section_at(&legend->rules, rule, sizeof(struct lsmd_rule)) : NULL;
}

const struct lsmd_note *legend_note(const struct legend *legend, uint32_t note)
{
	return section_at(&legend->notes, note, sizeof(struct lsmd_note));
}

const char *legend_string(const struct legend *legend, uint32_t off)
{
	return off ? section_at(&legend->strings, off, 1) : NULL;
}
