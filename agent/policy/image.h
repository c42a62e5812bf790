/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The last pass of the compiler, and the reader of what it wrote. Layout: lsm/abi/image.h. The same set gives the same
 * bytes on every run.
 */
#ifndef LSMD_POLICY_IMAGE_H
#define LSMD_POLICY_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "agent/policy/diag.h"
#include "agent/policy/policy.h"
#include "lsm/abi/image.h"

enum {
	IMAGE_REFUSED = 1, /* the policies cannot be compiled: why is in the diags */
};

/**
 * image_build() - compile a checked set
 * @set:   borrowed; a set of no policies gives an image that holds nobody
 * @diags: receives an error for each pattern whose automaton grows too large, each key that two names share, …
 * @ret:   owned by the caller, free(); 64-byte aligned; *ret_size bytes, checksummed, generation 0
 * Return: 0, IMAGE_REFUSED, -ENOMEM.
 */
int image_build(const struct policy_set *set, struct diags *diags, struct lsmd_image_header **ret, size_t *ret_size);

enum {
	IMAGE_BAD_MAGIC = 1,
	IMAGE_BAD_VERSION,
	IMAGE_BAD_SIZE,
	IMAGE_BAD_CHECKSUM,
	IMAGE_BAD_LAYOUT, /* an offset, index or order that the kernel side relies on does not hold */
};

/**
 * image_verify() - may these bytes be put before the kernel?
 * @bytes: borrowed, aligned to 8, @size bytes; nothing is read beyond
 * Return: 0, one of IMAGE_BAD_*, or -ENOMEM. Checks the checksum and then every index and order that lsm/core relies on, so that
 * bytes that pass are read in bounds and in bounded time by every reader.
 */
int image_verify(const void *bytes, size_t size);

/** image_checksum() - 64-bit checksum over all but the fields `checksum` and `generation` and the section `counters` */
uint64_t image_checksum(const struct lsmd_image_header *image);

/** image_set_hash() - the same, the field `set_hash` left out too: what the field says, a name for the set in records */
uint64_t image_set_hash(const struct lsmd_image_header *image);

/** image_string() - a string of a verified image */
const char *image_string(const struct lsmd_image_header *image, uint32_t off);

/** image_rule_layer() - index of the layer that a rule number belongs to; ~0u for rule 0 */
uint32_t image_rule_layer(const struct lsmd_image_header *image, uint32_t rule);

#endif
