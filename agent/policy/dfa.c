// SPDX-License-Identifier: LGPL-2.1-or-later
/* From sets of nodes to states: columns of bytes, then the subset construction. dfa-minimise.c and comb.c go on. */
#include "agent/policy/dfa.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/util/cleanup.h"
#include "agent/util/vec.h"

struct members {
	uint32_t *items;
	size_t n, capacity;
};

/* One subset: where its sorted nodes stand in builder.members. */
struct subset {
	uint32_t first;
	uint32_t n;
};

/* What rules say together, roughly: of one layer, or MANY_LAYERS. */
#define MANY_LAYERS 0xffffffffu

struct hull {
	uint32_t allow;
	uint32_t deny;
	uint32_t layer;
	uint32_t first_rule; /* lowest and highest number */
	uint32_t last_rule;
};

struct builder {
	const struct nfa *nfa;
	struct class_table *table;
	struct members closures; /* of node v: [closure_at[v], closure_at[v + 1]) */
	uint32_t *closure_at;
	struct members members;
	struct {
		struct subset *items;
		size_t n, capacity;
	} subsets;
	struct dedupe known;
	struct members next; /* the transitions, n_columns a state */
	struct members class;
	uint32_t n_columns;
	uint8_t bytemap[256];
	uint32_t slash; /* column */
	struct members by_column[256]; /* where a state's own bytes lead */
	struct members everywhere; /* where every byte leads */
	struct members names; /* where every byte but '/' leads: the former included */
	struct members merged;
	struct {
		struct entry *items;
		size_t n, capacity;
	} accepts;
	struct hull *said; /* at each node */
	struct hull *to_say; /* at each node and at all that can be reached from it */
	uint32_t *seen_in; /* of each node: states made so far that it is in */
	uint64_t work;
};

static int members_add(struct members *members, const uint32_t *items, size_t n)
{
	void *to = members->items;
	int r = vec_room(&to, &members->capacity, members->n + n, sizeof(*items));

	members->items = to;
	if (r)
		return r;
	if (n)
		memcpy(&members->items[members->n], items, n * sizeof(*items));
	members->n += n;
	return 0;
}

static int compare_numbers(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Short lists, often nearly sorted, are sorted by insertion. */
static void members_sort(struct members *members)
{
	uint32_t *items = members->items;
	size_t kept = 0;

	if (members->n > 24) {
		qsort(items, members->n, sizeof(*items), compare_numbers);
	} else {
		for (size_t i = 1; i < members->n; i++) {
			uint32_t item = items[i];
			size_t at = i;

			for (; at && items[at - 1] > item; at--)
				items[at] = items[at - 1];
			items[at] = item;
		}
	}
	for (size_t i = 0; i < members->n; i++)
		if (!kept || items[kept - 1] != items[i])
			items[kept++] = items[i];
	members->n = kept;
}

/* Bytes that some edge names have a column of their own; the others are parted by the sets they are in. */
static void columns_split(uint16_t column[256], uint32_t *n, const struct glob_set *set)
{
	uint16_t other[256] = {};
	uint32_t before = *n;

	for (uint32_t b = 0; b < 256; b++) {
		if (!(set->bits[b / 64] >> b % 64 & 1))
			continue;
		if (!other[column[b]])
			other[column[b]] = (uint16_t)(*n)++;
		column[b] = other[column[b]];
	}
	/* A column all of whose bytes moved is empty now: close the gap, in the order of the bytes. */
	if (*n > before) {
		uint16_t renamed[512];
		uint32_t used = 0;

		memset(renamed, 0xff, sizeof(renamed));
		for (uint32_t b = 0; b < 256; b++) {
			if (renamed[column[b]] == 0xffff)
				renamed[column[b]] = (uint16_t)used++;
			column[b] = renamed[column[b]];
		}
		*n = used;
	}
}

static void columns_make(struct builder *builder)
{
	uint16_t column[256] = {};
	bool single[256] = { ['/'] = true };
	uint32_t n = 1;

	for (size_t e = 1; e < builder->nfa->edges.n; e++)
		if (builder->nfa->edges.items[e].item < 256)
			single[builder->nfa->edges.items[e].item] = true;
	for (uint32_t b = 0; b < 256; b++) {
		struct glob_set set = {};

		if (!single[b])
			continue;
		set.bits[b / 64] = 1ull << b % 64;
		columns_split(column, &n, &set);
	}
	for (size_t s = 1; s < builder->nfa->sets.n; s++)
		columns_split(column, &n, &builder->nfa->sets.items[s]);
	for (uint32_t b = 0; b < 256; b++)
		builder->bytemap[b] = (uint8_t)column[b];
	builder->n_columns = n;
	builder->slash = column['/'];
}

/* A node matters in a set when a byte goes on from it or a name may end there. */
static bool node_matters(const struct nfa_node *node)
{
	return node->edges || node->accepts || node->loop != NFA_LOOP_NONE;
}

static int closure_visit(struct builder *builder, uint32_t v)
{
	while (v) {
		const struct nfa_node *node = &builder->nfa->nodes.items[v];
		int r = node_matters(node) ? members_add(&builder->closures, &v, 1) : 0;

		if (!r && node->star)
			r = closure_visit(builder, node->star);
		if (!r && node->deep)
			r = closure_visit(builder, node->deep);
		if (r)
			return r;
		v = node->skip;
	}
	return 0;
}

static int closures_make(struct builder *builder)
{
	size_t n = builder->nfa->nodes.n;

	builder->closure_at = malloc((n + 1) * sizeof(*builder->closure_at));
	builder->seen_in = calloc(n, sizeof(*builder->seen_in));
	if (!builder->closure_at || !builder->seen_in)
		return -ENOMEM;
	for (size_t v = 0; v < n; v++) {
		int r;

		builder->closure_at[v] = (uint32_t)builder->closures.n;
		r = closure_visit(builder, (uint32_t)v);
		if (r)
			return r;
		if (builder->closures.n > DFA_MEMBERS_MAX)
			return DFA_TOO_LARGE;
	}
	builder->closure_at[n] = (uint32_t)builder->closures.n;
	return 0;
}

static bool hull_empty(const struct hull *hull)
{
	return !(hull->allow | hull->deny);
}

static void hull_add(struct hull *hull, const struct hull *more)
{
	if (hull_empty(more))
		return;
	if (hull_empty(hull)) {
		*hull = *more;
		return;
	}
	hull->allow |= more->allow;
	hull->deny |= more->deny;
	if (hull->layer != more->layer)
		hull->layer = MANY_LAYERS;
	if (hull->first_rule > more->first_rule)
		hull->first_rule = more->first_rule;
	if (hull->last_rule < more->last_rule)
		hull->last_rule = more->last_rule;
}

static void node_hulls(struct builder *builder, uint32_t v)
{
	const struct nfa *nfa = builder->nfa;
	const struct nfa_node *node = &nfa->nodes.items[v];
	struct hull *said = &builder->said[v], *to_say = &builder->to_say[v];

	for (uint32_t at = node->accepts; at; at = nfa->entries.items[at].next) {
		const struct entry *entry = &nfa->entries.items[at];

		hull_add(said, &(struct hull){ entry->allow, entry->deny, entry->layer, entry->rule, entry->rule });
	}
	*to_say = *said;
	for (uint32_t e = node->edges; e; e = nfa->edges.items[e].next)
		hull_add(to_say, &builder->to_say[nfa->edges.items[e].to]);
	hull_add(to_say, &builder->to_say[node->star]);
	hull_add(to_say, &builder->to_say[node->deep]);
	hull_add(to_say, &builder->to_say[node->skip]);
}

/* Whatever goes on from a node has a higher number than it, so that from the last to the first each is known in time. */
static int hulls_make(struct builder *builder)
{
	size_t n = builder->nfa->nodes.n;

	builder->said = calloc(n, sizeof(*builder->said));
	builder->to_say = calloc(n, sizeof(*builder->to_say));
	if (!builder->said || !builder->to_say)
		return -ENOMEM;
	for (size_t v = n; v-- > 1;)
		node_hulls(builder, (uint32_t)v);
	return 0;
}

/* A node that stays on every byte and accepts: what it says holds from here on, whatever follows. */
static bool node_settled(const struct nfa_node *node)
{
	return node->loop == NFA_LOOP_ALL && node->accepts;
}

/*
 * Is all that can still be said from node @x on said by the settled node @y already, by a deny where x allows or by rules of
 * lower numbers? Then x changes nothing, and sets without it do not remember which of many patterns a name went through.
 * Of two settled nodes that say the same by one rule, the lower one stays.
 */
static bool node_idle(const struct builder *builder, uint32_t x, uint32_t y)
{
	const struct hull *open = &builder->to_say[x], *settled = &builder->said[y];

	if (settled->layer == MANY_LAYERS || open->layer != settled->layer || open->deny & ~settled->deny ||
	    open->allow & ~(settled->deny | settled->allow))
		return false;
	if (!open->deny && !(open->allow & ~settled->deny))
		return true;
	if (open->first_rule != settled->last_rule)
		return open->first_rule > settled->last_rule;
	return y < x || !node_settled(&builder->nfa->nodes.items[x]);
}

static int add_closure(struct builder *builder, struct members *to, uint32_t v)
{
	uint32_t first = builder->closure_at[v], n = builder->closure_at[v + 1] - first;

	builder->work += n;
	return members_add(to, &builder->closures.items[first], n);
}

static uint32_t subset_hash(const void *owner, uint32_t id)
{
	const struct builder *builder = owner;
	const struct subset *subset = &builder->subsets.items[id];

	return hash_words(&builder->members.items[subset->first], subset->n, 0);
}

static bool subset_equal(const void *owner, uint32_t a, uint32_t b)
{
	const struct builder *builder = owner;
	const struct subset *x = &builder->subsets.items[a], *y = &builder->subsets.items[b];

	return x->n == y->n &&
	       !memcmp(&builder->members.items[x->first], &builder->members.items[y->first], x->n * sizeof(uint32_t));
}

static const struct dedupe_ops subset_ops = { subset_hash, subset_equal };

static bool builder_exhausted(const struct builder *builder)
{
	return builder->subsets.n > DFA_STATES_MAX || builder->members.n > DFA_MEMBERS_MAX ||
	       (uint64_t)builder->subsets.n * builder->n_columns > DFA_CELLS_MAX || builder->work > DFA_WORK_MAX;
}

/* Settled nodes that others are compared with: more would be rules about different verbs. */
#define SETTLED_MAX 8

/* Add the nodes of a sorted set that matter to builder->members. */
static int members_add_open(struct builder *builder, const struct members *set)
{
	uint32_t settled[SETTLED_MAX], n_settled = 0;

	for (size_t i = 0; i < set->n && n_settled < SETTLED_MAX; i++)
		if (node_settled(&builder->nfa->nodes.items[set->items[i]]))
			settled[n_settled++] = set->items[i];
	if (!n_settled)
		return members_add(&builder->members, set->items, set->n);
	builder->work += set->n * n_settled;
	for (size_t i = 0; i < set->n; i++) {
		uint32_t k = 0;
		int r;

		while (k < n_settled && !node_idle(builder, set->items[i], settled[k]))
			k++;
		r = k < n_settled ? 0 : members_add(&builder->members, &set->items[i], 1);
		if (r)
			return r;
	}
	return 0;
}

/* The state of a sorted set; the empty one is dead. */
static int subset_intern(struct builder *builder, const struct members *set, uint32_t *ret)
{
	uint32_t first = (uint32_t)builder->members.n, id;
	struct subset *subset;
	int r;

	builder->work += set->n + 1;
	*ret = 0;
	if (!set->n)
		return 0;
	r = members_add_open(builder, set);
	if (r)
		return r;
	subset = vec_add(&builder->subsets);
	if (!subset)
		return -ENOMEM;
	*subset = (struct subset){ first, (uint32_t)builder->members.n - first };
	id = (uint32_t)builder->subsets.n - 1;
	r = dedupe_find(&builder->known, &subset_ops, builder, id, ret);
	if (r)
		return r;
	if (*ret != id) {
		builder->subsets.n--;
		builder->members.n = first;
		return 0;
	}
	for (size_t i = first; i < builder->members.n; i++)
		builder->seen_in[builder->members.items[i]]++;
	return builder_exhausted(builder) ? DFA_TOO_LARGE : 0;
}

static int follow_set(struct builder *builder, const struct glob_set *set, uint32_t to)
{
	uint64_t done[4] = {};

	for (uint32_t b = 0; b < 256; b++) {
		uint32_t column = builder->bytemap[b];
		int r;

		if (!(set->bits[b / 64] >> b % 64 & 1) || done[column / 64] >> column % 64 & 1)
			continue;
		done[column / 64] |= 1ull << column % 64;
		r = add_closure(builder, &builder->by_column[column], to);
		if (r)
			return r;
	}
	return 0;
}

static int follow_edge(struct builder *builder, const struct nfa_edge *edge)
{
	if (edge->item < 256)
		return add_closure(builder, &builder->by_column[builder->bytemap[edge->item]], edge->to);
	if (edge->item == GLOB_ANY)
		return add_closure(builder, &builder->names, edge->to);
	if (edge->item == NFA_ANY_BYTE)
		return add_closure(builder, &builder->everywhere, edge->to);
	return follow_set(builder, &builder->nfa->sets.items[edge->item - GLOB_SET], edge->to);
}

/* Where each byte leads from all nodes of a set. */
static int follow_subset(struct builder *builder, struct subset subset)
{
	for (uint32_t i = 0; i < subset.n; i++) {
		uint32_t v = builder->members.items[subset.first + i];
		const struct nfa_node *node = &builder->nfa->nodes.items[v];
		int r = 0;

		if (node->loop != NFA_LOOP_NONE)
			r = add_closure(builder, node->loop == NFA_LOOP_ALL ? &builder->everywhere : &builder->names,
					v);
		for (uint32_t e = node->edges; !r && e; e = builder->nfa->edges.items[e].next)
			r = follow_edge(builder, &builder->nfa->edges.items[e]);
		if (r)
			return r;
	}
	return 0;
}

/* Two sorted lists to one, into builder->merged. */
static int merge(struct builder *builder, const struct members *a, const struct members *b)
{
	struct members *to = &builder->merged;
	void *items = to->items;
	size_t i = 0, j = 0;
	int r = vec_room(&items, &to->capacity, a->n + b->n + 1, sizeof(uint32_t));

	to->items = items;
	to->n = 0;
	builder->work += a->n + b->n;
	if (r)
		return r;
	while (i < a->n && j < b->n) {
		uint32_t x = a->items[i], y = b->items[j];

		to->items[to->n++] = x < y ? x : y;
		i += x <= y;
		j += y <= x;
	}
	for (; i < a->n; i++)
		to->items[to->n++] = a->items[i];
	for (; j < b->n; j++)
		to->items[to->n++] = b->items[j];
	return 0;
}

static void follow_reset(struct builder *builder)
{
	builder->everywhere.n = builder->names.n = 0;
	for (uint32_t c = 0; c < builder->n_columns; c++)
		builder->by_column[c].n = 0;
}

/* One row of transitions, from what follow_subset() gathered. Columns without bytes of their own share one target. */
static int row_make(struct builder *builder)
{
	uint32_t shared = ~0u, target;
	int r;

	members_sort(&builder->everywhere);
	r = members_add(&builder->names, builder->everywhere.items, builder->everywhere.n);
	if (r)
		return r;
	members_sort(&builder->names);
	for (uint32_t c = 0; c < builder->n_columns; c++) {
		struct members *own = &builder->by_column[c];
		const struct members *all = c == builder->slash ? &builder->everywhere : &builder->names;

		if (own->n || c == builder->slash) {
			members_sort(own);
			r = merge(builder, all, own);
			if (!r)
				r = subset_intern(builder, &builder->merged, &target);
		} else if (shared == ~0u) {
			r = subset_intern(builder, all, &shared);
			target = shared;
		} else {
			target = shared;
		}
		if (!r)
			r = members_add(&builder->next, &target, 1);
		if (r)
			return r;
	}
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->layer != y->layer)
		return x->layer < y->layer ? -1 : 1;
	return x->rule < y->rule ? -1 : x->rule > y->rule;
}

/* What holds for names that end in any of the nodes of a set. */
static int subset_class(struct builder *builder, struct subset subset, uint32_t *ret)
{
	const struct nfa *nfa = builder->nfa;

	builder->accepts.n = 0;
	*ret = 0;
	for (uint32_t i = 0; i < subset.n; i++) {
		uint32_t v = builder->members.items[subset.first + i];

		for (uint32_t at = nfa->nodes.items[v].accepts; at; at = nfa->entries.items[at].next) {
			struct entry *to = vec_add(&builder->accepts);

			if (!to)
				return -ENOMEM;
			*to = nfa->entries.items[at];
		}
	}
	if (!builder->accepts.n)
		return 0;
	builder->work += builder->accepts.n;
	qsort(builder->accepts.items, builder->accepts.n, sizeof(struct entry), compare_entries);
	return class_make(builder->table, 0, LSMD_INHERIT_MAX, builder->accepts.items, builder->accepts.n, ret);
}

static int state_make(struct builder *builder, uint32_t state)
{
	struct subset subset = builder->subsets.items[state];
	uint32_t class;
	int r;

	follow_reset(builder);
	r = follow_subset(builder, subset);
	if (!r)
		r = row_make(builder);
	if (!r)
		r = subset_class(builder, subset, &class);
	return r ? r : members_add(&builder->class, &class, 1);
}

/* State 0 and the start, then whatever is reached, in the order in which it is reached. */
static int states_make(struct builder *builder)
{
	uint32_t start;
	int r = 0;

	if (!vec_add(&builder->subsets))
		return -ENOMEM;
	builder->subsets.items[0] = (struct subset){};
	for (uint32_t c = 0; !r && c < builder->n_columns; c++)
		r = members_add(&builder->next, &(uint32_t){ 0 }, 1);
	if (!r)
		r = members_add(&builder->class, &(uint32_t){ 0 }, 1);
	follow_reset(builder);
	if (!r)
		r = add_closure(builder, &builder->names, NFA_START);
	if (r)
		return r;
	members_sort(&builder->names);
	r = subset_intern(builder, &builder->names, &start);
	for (uint32_t state = 1; !r && state < builder->subsets.n; state++)
		r = state_make(builder, state);
	return r;
}

/* Of the patterns with stars, the one whose nodes behind a star are in most sets. */
static uint32_t costliest_pattern(const struct builder *builder)
{
	uint32_t n_owners = 0, best = 0;
	uint64_t *cost;

	for (size_t v = 1; v < builder->nfa->nodes.n; v++)
		if (builder->nfa->nodes.items[v].owner >= n_owners)
			n_owners = builder->nfa->nodes.items[v].owner + 1;
	cost = calloc(n_owners + 1, sizeof(*cost));
	if (!cost)
		return 0;
	for (size_t v = 1; v < builder->nfa->nodes.n; v++) {
		const struct nfa_node *node = &builder->nfa->nodes.items[v];

		if (node->behind_loop && builder->seen_in)
			cost[node->owner] += builder->seen_in[v];
	}
	for (uint32_t i = 1; i < n_owners; i++)
		if (cost[i] > cost[best])
			best = i;
	free(cost);
	return best;
}

static void builder_clear(struct builder *builder)
{
	free(builder->closures.items);
	free(builder->closure_at);
	free(builder->members.items);
	free(builder->subsets.items);
	dedupe_clear(&builder->known);
	free(builder->next.items);
	free(builder->class.items);
	for (int c = 0; c < 256; c++)
		free(builder->by_column[c].items);
	free(builder->everywhere.items);
	free(builder->names.items);
	free(builder->merged.items);
	free(builder->accepts.items);
	free(builder->said);
	free(builder->to_say);
	free(builder->seen_in);
	free(builder);
}

DEFINE_CLEANUP(struct builder, builder_clear)

int dfa_build(const struct nfa *nfa, struct class_table *table, uint32_t *costliest, struct dfa *ret)
{
	_cleanup_(builder_clearp) struct builder *builder = calloc(1, sizeof(*builder));
	struct dfa dfa = {};
	int r;

	if (!builder)
		return -ENOMEM;
	builder->nfa = nfa;
	builder->table = table;
	columns_make(builder);
	r = hulls_make(builder);
	if (!r)
		r = closures_make(builder);
	if (!r)
		r = states_make(builder);
	if (r) {
		*costliest = costliest_pattern(builder);
		return r < 0 ? r : DFA_TOO_LARGE;
	}
	dfa.next = TAKE_PTR(builder->next.items);
	dfa.class = TAKE_PTR(builder->class.items);
	dfa.n_states = (uint32_t)builder->subsets.n;
	dfa.n_columns = builder->n_columns;
	memcpy(dfa.bytemap, builder->bytemap, sizeof(dfa.bytemap));
	builder_clear(TAKE_PTR(builder));
	r = dfa_minimise(&dfa);
	if (r)
		dfa_clear(&dfa);
	else
		*ret = dfa;
	return r;
}

void dfa_clear(struct dfa *dfa)
{
	free(dfa->next);
	free(dfa->class);
	*dfa = (struct dfa){};
}
