/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All names with wildcards of one automaton, as a trie of items: names that begin alike share their nodes, so a set of
 * patterns below one double star stays small. Node 0 is none, node 1 the start.
 */
#ifndef LSMD_POLICY_NFA_H
#define LSMD_POLICY_NFA_H

#include <stddef.h>
#include <stdint.h>

#include "agent/policy/class.h"
#include "agent/policy/dedupe.h"
#include "agent/policy/glob.h"

#define NFA_START 1
#define NFA_ANY_BYTE 260 /* an item of edges: any byte, '/' too */

enum nfa_loop {
	NFA_LOOP_NONE,
	NFA_LOOP_NAME, /* stays on every byte but '/' */
	NFA_LOOP_ALL, /* stays on every byte */
};

struct nfa_node {
	uint32_t star; /* reached without a byte: the nodes behind '*', behind '**', */
	uint32_t deep;
	uint32_t skip; /* and behind a double star with its slash that stands for nothing */
	uint32_t edges; /* first edge; 0: none */
	uint32_t accepts; /* last entry of a name that ends here; 0: none */
	uint32_t owner; /* number of the pattern that made the node */
	uint8_t loop; /* enum nfa_loop */
	uint8_t behind_loop; /* some node on the way here has a loop */
};

struct nfa_edge {
	uint32_t next;
	uint32_t to;
	uint16_t item; /* byte, GLOB_ANY, NFA_ANY_BYTE, or GLOB_SET + index into sets */
};

/* Zero-initialise, nfa_init(), nfa_clear(). */
struct nfa {
	struct {
		struct nfa_node *items;
		size_t n, capacity;
	} nodes;
	struct {
		struct nfa_edge *items;
		size_t n, capacity;
	} edges;
	struct {
		struct glob_set *items; /* 0 is unused */
		size_t n, capacity;
	} sets;
	struct dedupe known_sets;
	struct {
		struct entry *items; /* 0 is none */
		size_t n, capacity;
	} entries;
};

enum {
	NFA_TOO_LARGE = 1, /* more nodes or sets than any automaton could be made of */
};

int nfa_init(struct nfa *nfa);
void nfa_clear(struct nfa *nfa);

/**
 * nfa_add() - one name with wildcards
 * @glob, @name: the name; literal names with a form are taken too
 * @lead:  a byte that goes before it ('@' for abstract names); 0 for names of files
 * @owner: number of the pattern, for messages
 * @entry: what the rule says; copied
 * Return: 0, NFA_TOO_LARGE, -ENOMEM
 */
int nfa_add(struct nfa *nfa, const struct glob *glob, const struct glob_name *name, uint8_t lead, uint32_t owner,
	    const struct entry *entry);

#endif
