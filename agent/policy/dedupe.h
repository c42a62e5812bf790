/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of records by the records' content, so that equal ones are kept once. Number 0 is never in it. */
#ifndef LSMD_POLICY_DEDUPE_H
#define LSMD_POLICY_DEDUPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dedupe_ops {
	uint32_t (*hash)(const void *owner, uint32_t id);
	bool (*equal)(const void *owner, uint32_t a, uint32_t b);
};

/* Zero-initialise, dedupe_clear(). */
struct dedupe {
	uint32_t *slots; /* 0: empty */
	size_t n;
	size_t room; /* a power of two, or 0 */
};

/**
 * dedupe_find() - the number under which the content of record @id is known
 * @owner: handed to @ops
 * @ret:   an earlier record with that content, or @id, which is known from now on
 * Return: 0, -ENOMEM
 */
int dedupe_find(struct dedupe *known, const struct dedupe_ops *ops, const void *owner, uint32_t id, uint32_t *ret);

void dedupe_clear(struct dedupe *known);

/** hash_words() - of @n words */
uint32_t hash_words(const uint32_t *words, size_t n, uint32_t seed);

#endif
