/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tree of literal names of all layers while it is put together: names with what rules say of them, then classes. */
#ifndef LSMD_POLICY_TREE_H
#define LSMD_POLICY_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "agent/policy/class.h"
#include "lsm/abi/image.h"

/* To which names an entry applies. */
#define TREE_EXACT 1 /* the name itself */
#define TREE_BELOW 2 /* all names below it */

/* Zero-initialise, tree_init(), tree_clear(). */
struct tree {
	/*
	 * By id; the first LSMD_N_TREES are the roots. Until tree_close() `exact` and `below` are the last of a list of
	 * entries, 0 for none; afterwards they are classes.
	 */
	struct {
		struct lsmd_node *items;
		size_t n, capacity;
	} nodes;
	struct {
		struct entry *items; /* 0 is none */
		size_t n, capacity;
	} entries;
	struct {
		struct entry *items; /* of one name, while it is closed */
		size_t n, capacity;
	} scratch;
	uint32_t *index; /* ids by hash of (parent, piece), 0: empty; not for roots */
	size_t index_room;
	lsmd_u64 key[LSMD_HASH_KEYS];
	/* The name that was added last: neighbours in a policy share most of their components. */
	struct {
		char bytes[LSMD_PATH_MAX];
		size_t len;
		enum lsmd_tree root;
		uint16_t end[LSMD_PIECES_MAX]; /* of its components, in bytes from the start */
		uint32_t id[LSMD_PIECES_MAX];
		size_t n;
	} last;
};

enum {
	TREE_TOO_DEEP = 1, /* the name has more than LSMD_PIECES_MAX pieces */
	TREE_TOO_MANY, /* the nodes alone are larger than an image may be */
};

int tree_init(struct tree *tree);
void tree_clear(struct tree *tree);

/**
 * tree_add() - let a rule say something of a name
 * @name:  "/a/b" without a slash at the end, the root being empty; for LSMD_TREE_ABSTRACT the bytes of the name.
 * @where: TREE_EXACT, TREE_BELOW or both
 * @entry: copied. Entries come sorted by layer, over all calls.
 * Return: 0, TREE_TOO_DEEP, TREE_TOO_MANY, -ENOMEM
 */
int tree_add(struct tree *tree, enum lsmd_tree root, const char *name, size_t len, unsigned int where,
	     const struct entry *entry);

/**
 * tree_close() - classes for all names; nothing may be added any more
 * Return: 0, TREE_TOO_MANY, -ENOMEM. Every node then has both its classes, and `flags`.
 */
int tree_close(struct tree *tree, struct class_table *table);

#endif
