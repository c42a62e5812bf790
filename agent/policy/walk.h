/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All names that two images tell apart, shortest first: the product of their literal names and automata, walked byte by byte. A state is
 * where a name stands in both trees and in which states the automata are; off both trees equal states are met once, on a tree every
 * state has one name. So there are at most as many as bytes in the literal names of both, and for each class that falls back on a
 * directory as many as the automata have together (their product).
 */
#ifndef LSMD_POLICY_WALK_H
#define LSMD_POLICY_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/policy/twigs.h"
#include "agent/util/arena.h"

/* States of one walk: about 64 bytes each. Beyond them the walk ends, and says up to which length all names were looked at. */
#define WALK_STATES_MAX (1u << 22)

struct walk_automaton {
	uint32_t start; /* 0: none */
	uint32_t bytemap;
};

/* One image's part. */
struct walk_side {
	const struct lsmd_image_header *image;
	const struct twigs *twigs;
	const struct walk_automaton *automata;
	size_t n;
};

/* A name that was reached. */
struct walk_name {
	size_t len; /* bytes, the '/' of a path included, the '@' of an abstract name too */
	uint32_t class[2]; /* from the literal names */
	const uint32_t *states[2]; /* of each automaton */
};

struct walk;

enum {
	WALK_ENOUGH = 1, /* given back by the visitor: no more names are wanted */
	WALK_TOO_LARGE,
};

/**
 * walk_run() - visit a name of every state, shortest first
 * @tree:  whose names: LSMD_TREE_OBJECT, SUBJECT (paths that a walk could give) or ABSTRACT
 * @visit: 0: go on; WALK_ENOUGH or a negative error ends the walk. May call walk_spell() for the name
 * @n_max: states, at most WALK_STATES_MAX
 * @looked: bytes up to which every name was looked at; with WALK_TOO_LARGE less than all
 * Return: 0, WALK_ENOUGH, WALK_TOO_LARGE, -ENOMEM, or the error of @visit
 */
int walk_run(const struct walk_side sides[2], enum lsmd_tree tree, size_t n_max,
	     int (*visit)(void *data, const struct walk *walk, const struct walk_name *name), void *data, size_t *looked);

/** walk_spell() - the bytes of the name that is visited; NUL-terminated, in @memory. NULL: no memory */
const char *walk_spell(const struct walk *walk, struct arena *memory, size_t *ret_len);

#endif
