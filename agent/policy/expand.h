/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Variables: "@{NAME}" in a pattern stands for each value of NAME, so a pattern becomes several. Values may hold variables;
 * each occurrence takes every value, whatever the others take. A backslash before '@' keeps it as it is. HOME is built in (homes.h).
 */
#ifndef LSMD_POLICY_EXPAND_H
#define LSMD_POLICY_EXPAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/policy/json.h"
#include "agent/util/arena.h"

/* What one string may become: patterns, and bytes of all of them. */
#define EXPAND_PATTERNS_MAX 10000
#define EXPAND_BYTES_MAX (4u << 20)

struct text {
	const char *bytes;
	size_t len;
};

struct texts {
	struct text *items;
	size_t n;
	size_t capacity;
};

enum variable_state {
	VARIABLE_FRESH,
	VARIABLE_BUSY, /* being expanded: met again, it contains itself */
	VARIABLE_DONE,
	VARIABLE_BROKEN, /* said already */
};

struct variable {
	const char *name;
	size_t name_len;
	struct doc *doc; /* borrowed */
	uint32_t key; /* value key + 1 are its strings */
	uint32_t rank; /* of two with one name the lower rank stands */
	enum variable_state state;
	struct texts values; /* once done */
};

/* The variables of one policy. Zero-initialise but for diags. */
struct variables {
	struct diags *diags;
	struct variable *items; /* sorted by name once sealed */
	size_t n;
	size_t capacity;
	struct variable home; /* HOME, once it was asked for */
	struct arena memory; /* of expanded values */
	size_t memory_bytes;
	struct arena scratch; /* of patterns; thrown away now and then */
	size_t scratch_bytes;
};

enum {
	EXPAND_REFUSED = 1, /* why is in the diags */
};

/**
 * variables_add() - those of one file
 * @doc:    borrowed until variables_free()
 * @object: the value of "variables"
 * @own:    definitions of the policy and its drop-ins stand before those of what is included; among each of these, two
 *          of one name may not differ
 * Return: 0, EXPAND_REFUSED, -ENOMEM
 */
int variables_add(struct variables *variables, struct doc *doc, uint32_t object, bool own);

/** variables_seal() - after the last addition, before the first expansion. Return: as above */
int variables_seal(struct variables *variables);

/**
 * variables_expand() - every pattern that a string stands for
 * @value:    a string of @doc
 * @ret:      room that is used again: emptied, then filled; texts are borrowed until the next call
 * @verbatim: whether the only text is the string itself, so that offsets in it are offsets in the file
 * Return: 0, EXPAND_REFUSED, -ENOMEM
 */
int variables_expand(struct variables *variables, struct doc *doc, uint32_t value, struct texts *ret, bool *verbatim);

void variables_free(struct variables *variables);

#endif
