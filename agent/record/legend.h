/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the numbers in events mean: the names of the layers and the places of the rules of one generation. An image is
 * overwritten by the second swap after it, so what its last events need is copied before.
 */
#ifndef LSMD_RECORD_LEGEND_H
#define LSMD_RECORD_LEGEND_H

#include <stddef.h>
#include <stdint.h>

#include "agent/util/cleanup.h"
#include "lsm/abi/image.h"

struct legend;

/**
 * legend_new() - copy of the layers, rules, notes and strings of an image
 * @image: verified, borrowed for the call
 * Return: 0, -ENOMEM
 */
int legend_new(const struct lsmd_image_header *image, struct legend **ret);
void legend_free(struct legend *legend);
DEFINE_CLEANUP(struct legend, legend_free)

uint64_t legend_generation(const struct legend *legend);
uint64_t legend_set_hash(const struct legend *legend);

/* legend_*(): borrowed from the legend; NULL for a number that the image does not have. */
const struct lsmd_layer *legend_layer(const struct legend *legend, uint32_t layer);
const struct lsmd_rule *legend_rule(const struct legend *legend, uint32_t rule);
const struct lsmd_note *legend_note(const struct legend *legend, uint32_t note);
const char *legend_string(const struct legend *legend, uint32_t off);

#endif
