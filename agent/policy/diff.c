// SPDX-License-Identifier: LGPL-2.1-or-later
/* Differences between two images: who can be told apart, and then what each sort of process may do. */
#include "agent/policy/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/differ.h"
#include "agent/util/cleanup.h"
#include "agent/util/vec.h"

/* Parts of a numbered name, and bytes of its path. */
#define NUMBERS_MAX 3
#define NUMBERS_LEN_MAX (NUMBERS_MAX * (1 + LSMD_NAME_DIGITS))

#define RECORDS(image, section, type) ((const type *)((const char *)(image) + (image)->section.off))

static int layers_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void layers_add(struct diff_layers *layers, uint32_t id)
{
	for (uint32_t i = 0; i < layers->n; i++)
		if (layers->ids[i] == id)
			return;
	if (layers->n <= LSMD_LAYERS_MAX)
		layers->ids[layers->n++] = id;
}

/* All layers of a class and of those it inherits from. */
static void layers_of_class(const struct lsmd_image_header *image, uint32_t id, struct diff_layers *layers)
{
	const struct lsmd_class *classes = RECORDS(image, classes, struct lsmd_class);
	const struct lsmd_cell *cells = RECORDS(image, cells, struct lsmd_cell);

	for (unsigned int i = 0; i <= LSMD_INHERIT_MAX && id; i++) {
		const struct lsmd_class *class = &classes[id];

		if (class->layer != LSMD_CLASS_MANY)
			layers_add(layers, class->layer);
		for (uint32_t k = 0; class->layer == LSMD_CLASS_MANY && k < class->deny; k++)
			layers_add(layers, cells[class->allow + k].layer);
		id = class->inherits;
	}
}

/* ---- domains ---- */

struct sorter {
	struct diff *diff;
	const struct lsmd_image_header *images[2];
	struct dedupe known; /* of domains; number 0 stands for the next to come, so numbers are one more than indices */
};

static uint32_t domain_hash(const void *owner, uint32_t id)
{
	const struct diff_domain *domain = &((const struct diff *)owner)->domains.items[id - 1];
	uint32_t hash = 0;

	for (int s = 0; s < 2; s++)
		hash = hash_words(domain->layers[s].ids, domain->layers[s].n, hash + 1);
	return hash;
}

static bool domain_equal(const void *owner, uint32_t a, uint32_t b)
{
	const struct diff *diff = owner;
	const struct diff_domain *x = &diff->domains.items[a - 1], *y = &diff->domains.items[b - 1];

	return !memcmp(x->layers, y->layers, sizeof(x->layers));
}

static const struct dedupe_ops domain_ops = { domain_hash, domain_equal };

/* Return: 1: it was not known, 0, -ENOMEM */
static int domain_add(struct sorter *sorter, const struct diff_domain *domain)
{
	struct diff *diff = sorter->diff;
	struct diff_domain *slot;
	uint32_t id = diff->domains.n + 1, known;
	int r;

	if (diff->domains.n == DIFF_DOMAINS_MAX) {
		diff->incomplete = true;
		diff->why = "the policies hold more than 65536 sorts of processes; the rest was not compared";
		return 0;
	}
	slot = vec_add(&diff->domains);
	if (!slot)
		return -ENOMEM;
	*slot = *domain;
	r = dedupe_find(&sorter->known, &domain_ops, diff, id, &known);
	if (r || known != id) {
		diff->domains.n--;
		return r;
	}
	return 1;
}

/* What a program of the domain starts, where that is held by others. */
static int domain_started(struct sorter *sorter, const struct diff_domain *domain)
{
	struct diff_domain started = { .started = true };
	bool less = false;

	for (int s = 0; s < 2; s++) {
		const struct lsmd_layer *layers = RECORDS(sorter->images[s], layers, struct lsmd_layer);

		for (uint32_t i = 0; i < domain->layers[s].n; i++) {
			if (layers[domain->layers[s].ids[i]].flags & LSMD_LAYER_CHILDREN)
				layers_add(&started.layers[s], domain->layers[s].ids[i]);
			else
				less = true;
		}
	}
	started.program = domain->program;
	if (!less || (!started.layers[0].n && !started.layers[1].n))
		return 0;
	return domain_add(sorter, &started);
}

static int subject_visit(void *data, const struct walk *walk, const struct walk_name *name)
{
	struct sorter *sorter = data;
	struct diff_domain domain = {};
	size_t len = 0;
	int r;

	for (int s = 0; s < 2; s++) {
		const struct lsmd_image_header *image = sorter->images[s];
		const struct lsmd_state *states = RECORDS(image, states, struct lsmd_state);

		layers_of_class(image, name->class[s], &domain.layers[s]);
		if (image->subject_dfa && name->states[s][0])
			layers_of_class(image, states[name->states[s][0]].class, &domain.layers[s]);
		qsort(domain.layers[s].ids, domain.layers[s].n, sizeof(uint32_t), layers_compare);
	}
	if (name->len < 2 || (!domain.layers[0].n && !domain.layers[1].n))
		return 0;
	r = domain_add(sorter, &domain);
	if (r <= 0)
		return r;
	domain.program.bytes = walk_spell(walk, &sorter->diff->memory, &len);
	domain.program.len = len;
	if (!domain.program.bytes)
		return -ENOMEM;
	sorter->diff->domains.items[sorter->diff->domains.n - 1].program = domain.program;
	r = domain_started(sorter, &domain);
	return r < 0 ? r : 0;
}

static int domains_find(struct differ *differ)
{
	struct sorter sorter = { .diff = differ->diff, .images = { differ->images[0], differ->images[1] } };
	struct walk_automaton automata[2];
	struct walk_side sides[2];
	struct twigs twigs[2] = {};
	size_t looked;
	int r = 0;

	for (int s = 0; s < 2 && !r; s++) {
		automata[s] = (struct walk_automaton){ sorter.images[s]->subject_dfa, sorter.images[s]->subject_map };
		sides[s] = (struct walk_side){
			.image = sorter.images[s], .twigs = &twigs[s], .automata = &automata[s], .n = 1
		};
		r = twigs_of_tree(&differ->indices[s], LSMD_TREE_SUBJECT, &twigs[s]);
	}
	if (!r)
		r = walk_run(sides, LSMD_TREE_SUBJECT, WALK_STATES_MAX, subject_visit, &sorter, &looked);
	if (sorter.images[0]->selects | sorter.images[1]->selects)
		differ_give_up(differ, "who asks for a user, a group, a unit or a cgroup was compared by its programs only");
	if (r == WALK_TOO_LARGE) {
		differ_give_up(differ, "the subjects have too many forms; not all were compared");
		r = 0;
	}
	for (int s = 0; s < 2; s++)
		twigs_clear(&twigs[s]);
	dedupe_clear(&sorter.known);
	return r;
}

/* ---- what is found ---- */

void differ_give_up(struct differ *differ, const char *why)
{
	differ->diff->incomplete = true;
	differ->diff->why = why;
}

int diff_answer(const struct lsmd_image_header *image, const struct ask *ask, enum diff_answer *ret)
{
	const struct lsmd_rule *rules = RECORDS(image, rules, struct lsmd_rule);
	struct asked asked;
	int r = image_ask(image, ask, &asked);

	if (r)
		return r;
	*ret = asked.refused ? DIFF_DENY : DIFF_ALLOW;
	for (size_t i = 0; i < asked.n_layers; i++) {
		const struct lsmd_answer *answer = &asked.answers[i];

		if (answer->verdict != LSMD_VERDICT_DENY)
			continue;
		if (answer->mode == LSMD_MODE_AUDIT && *ret == DIFF_ALLOW)
			*ret = DIFF_AUDIT;
		if (answer->mode == LSMD_MODE_ENFORCE && rules[answer->rule].flags & LSMD_RULE_KILL)
			*ret = DIFF_KILL;
	}
	return 0;
}

static int change_add(struct differ *differ, const struct diff_change *change)
{
	struct diff_change *slot = vec_add(&differ->diff->changes);

	if (!slot)
		return -ENOMEM;
	*slot = *change;
	slot->domain = differ->domain;
	slot->ask.layers = NULL;
	slot->ask.n_layers = 0;
	return 0;
}

int differ_ask(struct differ *differ, const struct ask *ask, const struct lsmd_address *last)
{
	const struct diff_domain *domain = &differ->diff->domains.items[differ->domain];
	struct diff_change change = { .kind = DIFF_ACCESS, .ask = *ask };
	int r;

	if (last)
		change.last = *last;
	for (int s = 0; s < 2; s++) {
		change.ask.layers = domain->layers[s].ids;
		change.ask.n_layers = domain->layers[s].n;
		r = diff_answer(differ->images[s], &change.ask, &change.answers[s]);
		if (r)
			return r == -EINVAL ? 0 : r;
	}
	if (change.answers[0] == change.answers[1])
		return 0;
	r = change_add(differ, &change);
	return r ? r : 1;
}

/* ---- what is not asked by name ---- */

static enum diff_answer undecided_answer(const struct lsmd_image_header *image, const struct diff_layers *layers, uint32_t bit)
{
	const struct lsmd_layer *records = RECORDS(image, layers, struct lsmd_layer);
	enum diff_answer answer = DIFF_ALLOW;

	for (uint32_t i = 0; i < layers->n; i++) {
		const struct lsmd_layer *layer = &records[layers->ids[i]];

		if (!(layer->undecided & bit))
			continue;
		if (layer->mode == LSMD_MODE_ENFORCE)
			return DIFF_DENY;
		answer = DIFF_AUDIT;
	}
	return answer;
}

/* The masks are those of whole classes: one verb of each stands for it. */
static int undecided_compare(struct differ *differ)
{
#define X(constant, name, class) [LSMD_VERB_##constant] = LSMD_CLASS_##class,
	static const enum lsmd_class_id class_of[] = { LSMD_VERBS(X) };
#undef X
	const struct diff_domain *domain = &differ->diff->domains.items[differ->domain];
	uint32_t said = 0;
	int r = 0;

	for (unsigned int v = 0; v < LSMD_N_VERBS && !r; v++) {
		struct diff_change change = { .kind = DIFF_UNDECIDED, .ask = { .wanted = 1u << v } };

		for (int s = 0; s < 2; s++)
			change.answers[s] = undecided_answer(differ->images[s], &domain->layers[s], 1u << v);
		if (change.answers[0] == change.answers[1] || said >> class_of[v] & 1)
			continue;
		said |= 1u << class_of[v];
		r = change_add(differ, &change);
	}
	return r;
}

/* The path of a node in the tree of numbered names, from its end to its start. Return: parts, 0: not of that tree */
static size_t numbers_spell(const struct nodes_index *index, const struct lsmd_node *node, char path[NUMBERS_LEN_MAX])
{
	size_t parts = 0;

	for (; parts < NUMBERS_MAX && node; node = index->by_id[node->parent]) {
		char *at = path + NUMBERS_LEN_MAX - ++parts * (1 + LSMD_NAME_DIGITS);

		if ((node->meta & 0xff) != LSMD_NAME_DIGITS)
			return 0;
		at[0] = '/';
		memcpy(at + 1, node->name, LSMD_NAME_DIGITS);
		if (node->parent < LSMD_N_TREES)
			return node->parent == LSMD_TREE_NAME ? parts : 0;
	}
	return 0;
}

/* Names of one side with so many parts, for verbs that no shorter name has shown to differ. */
static int numbers_ask(struct differ *differ, const struct nodes_index *index, size_t parts, uint32_t *left)
{
	char path[NUMBERS_LEN_MAX];
	int r = 0;

	for (uint32_t id = LSMD_N_TREES; id < index->n_ids && r >= 0; id++) {
		size_t len = parts * (1 + LSMD_NAME_DIGITS);
		struct ask ask = { .object = LSMD_OBJECT_NAME, .name = { .len = len } };

		if (!index->by_id[id] || numbers_spell(index, index->by_id[id], path) != parts)
			continue;
		ask.name.bytes = arena_copy(&differ->diff->memory, path + NUMBERS_LEN_MAX - len, len);
		if (!ask.name.bytes)
			return -ENOMEM;
		for (unsigned int v = 0; v < LSMD_N_VERBS && r >= 0; v++) {
			ask.wanted = *left & 1u << v;
			r = ask.wanted ? differ_ask(differ, &ask, NULL) : 0;
			*left &= r > 0 ? ~ask.wanted : ~0u;
		}
	}
	return r < 0 ? r : 0;
}

/*
 * Verbs whose objects are numbered names, or nothing; and code without a name. A rule means a name and all that goes on with it, so that what holds for the names that
 * rules have holds for all.
 */
static int numbered_compare(struct differ *differ)
{
	uint32_t left = (((1u << LSMD_N_VERBS) - 1) & ~(DIFFER_NAMED | DIFFER_ADDRESSED)) | LSMD_ACCESS_CODE;
	int r = 0;

	for (unsigned int v = 0; v < LSMD_N_VERBS && r >= 0; v++) {
		const struct ask ask = { .wanted = left & 1u << v, .object = LSMD_OBJECT_NONE };

		r = ask.wanted ? differ_ask(differ, &ask, NULL) : 0;
		left &= r > 0 ? ~ask.wanted : ~0u;
	}
	left &= ~LSMD_ACCESS_CODE;
	for (size_t parts = 1; parts <= NUMBERS_MAX && r >= 0; parts++)
		for (int s = 0; s < 2 && r >= 0; s++)
			r = numbers_ask(differ, &differ->indices[s], parts, &left);
	return r < 0 ? r : 0;
}

/* Return: 1: one of both sides refuses the exec itself, 0, -ENOMEM */
static int overflow_compare(struct differ *differ)
{
	const struct diff_domain *domain = &differ->diff->domains.items[differ->domain];
	struct diff_change change = { .kind = DIFF_EXEC, .ask = { .wanted = LSMD_ACCESS_EXEC } };
	int r = 0;

	for (int s = 0; s < 2; s++)
		change.answers[s] = domain->layers[s].n > LSMD_LAYERS_MAX ? DIFF_DENY : DIFF_ALLOW;
	if (change.answers[0] != change.answers[1])
		r = change_add(differ, &change);
	return r ? r : change.answers[0] == DIFF_DENY || change.answers[1] == DIFF_DENY;
}

static int domain_compare(struct differ *differ)
{
	int r = overflow_compare(differ);

	if (r)
		return r < 0 ? r : 0;
	r = differ_names(differ);
	if (!r)
		r = differ_addresses(differ);
	if (!r)
		r = numbered_compare(differ);
	return r ? r : undecided_compare(differ);
}

/* A process whose label cannot be read is refused what any enforcing policy of the set could deny. */
static int unlabelled_compare(struct differ *differ)
{
	static const struct diff_domain nobody;
	struct diff_domain *domain = vec_add(&differ->diff->domains);
	int r = 0;

	if (!domain)
		return -ENOMEM;
	*domain = nobody;
	differ->domain = differ->diff->domains.n - 1;
	for (unsigned int v = 0; v < LSMD_N_VERBS && !r; v++) {
		struct diff_change change = { .kind = DIFF_UNDECIDED, .ask = { .wanted = 1u << v } };

		for (int s = 0; s < 2; s++)
			change.answers[s] = differ->images[s]->undecided & 1u << v ? DIFF_DENY : DIFF_ALLOW;
		if (change.answers[0] != change.answers[1])
			r = change_add(differ, &change);
	}
	return r;
}

int image_diff(const struct lsmd_image_header *before, const struct lsmd_image_header *after, struct diff *ret)
{
	struct differ differ = { .images = { before, after }, .diff = ret };
	int r = 0;

	for (int s = 0; s < 2 && !r; s++)
		r = nodes_index(differ.images[s], &differ.indices[s]);
	if (!r)
		r = domains_find(&differ);
	for (size_t i = 0, n = ret->domains.n; i < n && !r; i++) {
		differ.domain = i;
		r = domain_compare(&differ);
	}
	if (!r)
		r = unlabelled_compare(&differ);
	for (int s = 0; s < 2; s++)
		nodes_index_clear(&differ.indices[s]);
	if (r)
		diff_clear(ret);
	return r;
}

void diff_clear(struct diff *diff)
{
	free(diff->domains.items);
	free(diff->changes.items);
	arena_free(&diff->memory);
	*diff = (struct diff){};
}
