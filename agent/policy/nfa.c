// SPDX-License-Identifier: LGPL-2.1-or-later
/* Items of names to nodes of a trie. Stars are nodes that are reached without a byte and that stay. */
#include "agent/policy/nfa.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/util/vec.h"

/* Of one automaton: what the subset construction can still look at in a second or two. */
#define NODES_MAX (1u << 21)
#define SETS_MAX (1u << 14)

static uint32_t set_hash(const void *owner, uint32_t id)
{
	const struct nfa *nfa = owner;
	uint32_t words[8];

	memcpy(words, nfa->sets.items[id].bits, sizeof(words));
	return hash_words(words, 8, 0);
}

static bool set_equal(const void *owner, uint32_t a, uint32_t b)
{
	const struct nfa *nfa = owner;

	return !memcmp(&nfa->sets.items[a], &nfa->sets.items[b], sizeof(struct glob_set));
}

static const struct dedupe_ops set_ops = { set_hash, set_equal };

int nfa_init(struct nfa *nfa)
{
	for (int i = 0; i < 2; i++) {
		struct nfa_node *node = vec_add(&nfa->nodes);

		if (!node)
			return -ENOMEM;
		*node = (struct nfa_node){};
	}
	if (!vec_add(&nfa->edges) || !vec_add(&nfa->sets) || !vec_add(&nfa->entries))
		return -ENOMEM;
	return 0;
}

void nfa_clear(struct nfa *nfa)
{
	free(nfa->nodes.items);
	free(nfa->edges.items);
	free(nfa->sets.items);
	free(nfa->entries.items);
	dedupe_clear(&nfa->known_sets);
	*nfa = (struct nfa){};
}

static int set_intern(struct nfa *nfa, const struct glob_set *set, uint16_t *item)
{
	struct glob_set *to = vec_add(&nfa->sets);
	uint32_t id = (uint32_t)nfa->sets.n - 1, known;
	int r;

	if (!to)
		return -ENOMEM;
	*to = *set;
	r = dedupe_find(&nfa->known_sets, &set_ops, nfa, id, &known);
	if (r)
		return r;
	if (known != id)
		nfa->sets.n--;
	if (known >= SETS_MAX)
		return NFA_TOO_LARGE;
	*item = (uint16_t)(GLOB_SET + known);
	return 0;
}

static int node_new(struct nfa *nfa, uint32_t from, enum nfa_loop loop, uint32_t owner, uint32_t *ret)
{
	struct nfa_node *node;

	if (nfa->nodes.n >= NODES_MAX)
		return NFA_TOO_LARGE;
	node = vec_add(&nfa->nodes);
	if (!node)
		return -ENOMEM;
	*node = (struct nfa_node){
		.loop = loop,
		.behind_loop = loop != NFA_LOOP_NONE || nfa->nodes.items[from].behind_loop,
		.owner = owner,
	};
	*ret = (uint32_t)nfa->nodes.n - 1;
	return 0;
}

/* The node behind a byte or a set of bytes. */
static int step_byte(struct nfa *nfa, uint32_t from, uint16_t item, uint32_t owner, uint32_t *to)
{
	struct nfa_edge *edge;
	uint32_t at;
	int r;

	for (at = nfa->nodes.items[from].edges; at; at = nfa->edges.items[at].next) {
		if (nfa->edges.items[at].item == item) {
			*to = nfa->edges.items[at].to;
			return 0;
		}
	}
	r = node_new(nfa, from, NFA_LOOP_NONE, owner, to);
	if (r)
		return r;
	edge = vec_add(&nfa->edges);
	if (!edge)
		return -ENOMEM;
	*edge = (struct nfa_edge){ nfa->nodes.items[from].edges, *to, item };
	nfa->nodes.items[from].edges = (uint32_t)nfa->edges.n - 1;
	return 0;
}

/* The node behind a star. */
static int step_star(struct nfa *nfa, uint32_t from, enum nfa_loop loop, uint32_t owner, uint32_t *to)
{
	uint32_t known = loop == NFA_LOOP_ALL ? nfa->nodes.items[from].deep : nfa->nodes.items[from].star;
	int r = known ? 0 : node_new(nfa, from, loop, owner, &known);

	if (r)
		return r;
	if (loop == NFA_LOOP_ALL)
		nfa->nodes.items[from].deep = known;
	else
		nfa->nodes.items[from].star = known;
	*to = known;
	return 0;
}

/* "**" and the slash behind it, or nothing. From a node behind a slash nothing else goes on with "**" and a slash. */
static int step_deep_slash(struct nfa *nfa, uint32_t from, uint32_t owner, uint32_t *to)
{
	uint32_t deep;
	int r = step_star(nfa, from, NFA_LOOP_ALL, owner, &deep);

	if (!r)
		r = step_byte(nfa, deep, '/', owner, to);
	if (!r)
		nfa->nodes.items[from].skip = *to;
	return r;
}

static int step(struct nfa *nfa, const struct glob *glob, uint32_t from, uint16_t item, uint32_t owner, uint32_t *to)
{
	int r;

	switch (item) {
	case GLOB_STAR:
		return step_star(nfa, from, NFA_LOOP_NAME, owner, to);
	case GLOB_DEEP:
		return step_star(nfa, from, NFA_LOOP_ALL, owner, to);
	case GLOB_DEEP_SLASH:
		return step_deep_slash(nfa, from, owner, to);
	}
	if (item >= GLOB_SET) {
		r = set_intern(nfa, &glob->sets[item - GLOB_SET], &item);
		if (r)
			return r;
	}
	return step_byte(nfa, from, item, owner, to);
}

static int node_accept(struct nfa *nfa, uint32_t node, const struct entry *entry)
{
	struct entry *to = vec_add(&nfa->entries);

	if (!to)
		return -ENOMEM;
	*to = *entry;
	to->next = nfa->nodes.items[node].accepts;
	nfa->nodes.items[node].accepts = (uint32_t)nfa->entries.n - 1;
	return 0;
}

/* What follows a slash. No name of a file but "/" ends in one: only there, and for other names, it matters if a byte must follow. */
static int accept_behind_slash(struct nfa *nfa, uint32_t at, bool more, uint32_t owner, const struct entry *entry)
{
	int r = step_byte(nfa, at, '/', owner, &at);

	if (!r && more)
		r = step_byte(nfa, at, NFA_ANY_BYTE, owner, &at);
	if (!r)
		r = step_star(nfa, at, NFA_LOOP_ALL, owner, &at);
	return r ? r : node_accept(nfa, at, entry);
}

int nfa_add(struct nfa *nfa, const struct glob *glob, const struct glob_name *name, uint8_t lead, uint32_t owner,
	    const struct entry *entry)
{
	uint32_t at = NFA_START;
	int r = lead ? step_byte(nfa, at, lead, owner, &at) : 0;

	for (uint32_t i = 0; !r && i < name->n; i++) {
		uint16_t item = name->literal ? (uint8_t)glob->bytes[name->first + i] : glob->items[name->first + i];

		r = step(nfa, glob, at, item, owner, &at);
	}
	if (!r && name->form != GLOB_BELOW)
		r = node_accept(nfa, at, entry);
	if (!r && name->form != GLOB_EXACT)
		r = accept_behind_slash(nfa, at, name->form == GLOB_BELOW && (lead || !name->n), owner, entry);
	return r;
}
