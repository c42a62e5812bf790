// SPDX-License-Identifier: LGPL-2.1-or-later
/* Names of files and of sockets whose answers differ. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/differ-said.h"
#include "agent/policy/differ.h"
#include "agent/util/cleanup.h"
#include "agent/util/vec.h"

/* Names of one tree, and the verbs that are asked of them. */
static const struct differ_tree {
	enum lsmd_tree tree;
	enum lsmd_object object;
	uint32_t verbs;
} trees[] = {
	{ LSMD_TREE_OBJECT, LSMD_OBJECT_PATH, DIFFER_NAMED | DIFFER_ADDRESSED },
	{ LSMD_TREE_ABSTRACT, LSMD_OBJECT_ABSTRACT, DIFFER_ADDRESSED },
};

/* Names of which every layer of both sides says the same, by the shortest. For questions with two names. */
struct kind {
	uint32_t allowed; /* index: what each layer allows, those of before first */
	const char *bytes;
	size_t len;
};

struct seeker {
	struct differ *differ;
	const struct diff_domain *domain;
	const struct differ_tree *tree;
	uint32_t found; /* verbs that have their witness */
	size_t found_len[32]; /* bytes of these */
	struct {
		struct kind *items;
		size_t n, capacity;
	} kinds;
	struct {
		uint32_t *items;
		size_t n, capacity;
	} allowed;
	struct dedupe known;
	size_t n_layers; /* of both sides */
	bool kinds_full;
};

static uint32_t kind_hash(const void *owner, uint32_t id)
{
	const struct seeker *seeker = owner;

	return hash_words(&seeker->allowed.items[id * seeker->n_layers], seeker->n_layers, 0);
}

static bool kind_equal(const void *owner, uint32_t a, uint32_t b)
{
	const struct seeker *seeker = owner;

	return !memcmp(&seeker->allowed.items[a * seeker->n_layers], &seeker->allowed.items[b * seeker->n_layers],
		       seeker->n_layers * sizeof(uint32_t));
}

static const struct dedupe_ops kind_ops = { kind_hash, kind_equal };

/* What the layers of one side say of the name. @allowed: one a layer */
static void side_said(const struct seeker *seeker, int side, const struct walk_name *name, struct differ_said *all,
		      uint32_t *allowed)
{
	const struct lsmd_image_header *image = seeker->differ->images[side];
	const struct diff_layers *layers = &seeker->domain->layers[side];
	struct lsmd_view view;

	view_open(&view, (uintptr_t)image);
	for (uint32_t i = 0; i < layers->n; i++) {
		struct lsmd_said said = { .state = name->states[side][i] };

		class_find((uintptr_t)image, name->class[side], layers->ids[i], &said.cell[0], 0);
		if (said.state)
			class_find((uintptr_t)image, view_record(&view, states, struct lsmd_state, said.state)->class,
				   layers->ids[i], &said.cell[1], 0);
		allowed[i] = differ_said_add(all, &view, layers->ids[i], &said);
	}
}

/* Room for the masks of one more kind, behind those that are known. Kind 0 is none. */
static uint32_t *kind_room(struct seeker *seeker)
{
	size_t at = (seeker->kinds.n + 1) * seeker->n_layers;

	return vec_reserve(&seeker->allowed, at + seeker->n_layers + 1) ? NULL : &seeker->allowed.items[at];
}

static int kind_add(struct seeker *seeker, const struct walk *walk)
{
	uint32_t id = seeker->kinds.n + 1, known;
	struct kind *kind;
	int r;

	if (seeker->kinds_full || !seeker->n_layers)
		return 0;
	r = dedupe_find(&seeker->known, &kind_ops, seeker, id, &known);
	if (r || known != id)
		return r;
	if (id > DIFF_PAIRS_MAX) {
		seeker->kinds_full = true;
		return 0;
	}
	kind = vec_add(&seeker->kinds);
	if (!kind)
		return -ENOMEM;
	kind->bytes = walk_spell(walk, &seeker->differ->diff->memory, &kind->len);
	return kind->bytes ? 0 : -ENOMEM;
}

/* Rename and link are asked with a second name: the same one, which never widens. */
static int verb_ask(struct seeker *seeker, unsigned int bit, const char *bytes, size_t len)
{
	const size_t lead = seeker->tree->tree == LSMD_TREE_ABSTRACT;
	struct ask ask = {
		.wanted = 1u << bit,
		.object = seeker->tree->object,
		.name = { .bytes = bytes + lead, .len = len - lead },
	};

	return differ_ask(seeker->differ, &ask, NULL);
}

static int name_visit(void *data, const struct walk *walk, const struct walk_name *name)
{
	struct seeker *seeker = data;
	struct differ_said all[2] = {};
	uint32_t differs, *allowed = kind_room(seeker);
	const char *bytes = NULL;
	size_t len = 0;
	int r = 0;

	if (!allowed)
		return -ENOMEM;
	for (int s = 0; s < 2; s++)
		side_said(seeker, s, name, &all[s], allowed + (s ? seeker->domain->layers[0].n : 0));
	differs = differ_said_differs(all) & seeker->tree->verbs & ~seeker->found;
	for (unsigned int bit = 0; bit < 32 && r >= 0; bit++) {
		if (!(differs >> bit & 1))
			continue;
		if (access_plain(1u << bit) != 1u << bit && differs & access_plain(1u << bit)) {
			seeker->found |= 1u << bit; /* the plain verb differs here too, and is told */
			continue;
		}
		bytes = bytes ? bytes : walk_spell(walk, &seeker->differ->diff->memory, &len);
		r = bytes ? verb_ask(seeker, bit, bytes, len) : -ENOMEM;
		if (r > 0) {
			seeker->found |= 1u << bit;
			seeker->found_len[bit] = len;
		}
	}
	if (r < 0)
		return r;
	/* The root itself is never moved. */
	return seeker->tree->tree == LSMD_TREE_OBJECT && name->len > 1 ? kind_add(seeker, walk) : 0;
}

/* What lsm/core refuses of two names, from the masks of their kinds (layer_decide_two()). */
static enum diff_answer two_answer(const struct seeker *seeker, int side, const struct ask *ask, uint32_t from, uint32_t to)
{
	const struct diff_layers *layers = &seeker->domain->layers[side];
	const uint32_t *a = &seeker->allowed.items[from * seeker->n_layers];
	const uint32_t *b = &seeker->allowed.items[to * seeker->n_layers];
	const size_t skip = side ? seeker->domain->layers[0].n : 0;
	const struct lsmd_image_header *image = seeker->differ->images[side];
	enum diff_answer answer = DIFF_ALLOW;

	for (uint32_t i = 0; i < layers->n; i++) {
		const struct lsmd_layer *records = (const void *)((const char *)image + image->layers.off);
		uint32_t x = a[skip + i], y = b[skip + i];
		uint32_t refused = (ask->wanted & ~(x & y)) | (y & ~x & ~LSMD_ACCESS_DEVICES);

		if (ask->exchange)
			refused |= x & ~y & ~LSMD_ACCESS_DEVICES;
		if (refused && records[layers->ids[i]].mode == LSMD_MODE_ENFORCE)
			return DIFF_DENY;
		answer = refused ? DIFF_AUDIT : answer;
	}
	return answer;
}

/* The shortest two names whose answer differs, for one way of asking; nothing where one name alone is as short. */
static int two_compare(struct seeker *seeker, const struct ask *how)
{
	const unsigned int bit = __builtin_ctz(how->wanted);
	const size_t bound = seeker->found & how->wanted ? seeker->found_len[bit] : SIZE_MAX;
	const struct kind *best[2] = {};
	int r;

	for (uint32_t i = 0; i < seeker->kinds.n; i++)
		for (uint32_t k = 0; k < seeker->kinds.n; k++) {
			const struct kind *from = &seeker->kinds.items[i], *to = &seeker->kinds.items[k];

			if (i == k)
				continue;
			if (from->len + to->len >= (best[0] ? best[0]->len + best[1]->len : bound))
				continue;
			if (two_answer(seeker, 0, how, i + 1, k + 1) == two_answer(seeker, 1, how, i + 1, k + 1))
				continue;
			best[0] = from;
			best[1] = to;
		}
	if (best[0]) {
		struct ask ask = *how;

		ask.name = (struct ask_bytes){ .bytes = best[0]->bytes, .len = best[0]->len };
		ask.other = (struct ask_bytes){ .bytes = best[1]->bytes, .len = best[1]->len };
		r = differ_ask(seeker->differ, &ask, NULL);
		return r < 0 ? r : 0;
	}
	return 0;
}

static int two_all(struct seeker *seeker)
{
	const struct ask ways[] = {
		{ .wanted = LSMD_ACCESS_RENAME, .object = LSMD_OBJECT_PATH },
		{ .wanted = LSMD_ACCESS_RENAME, .object = LSMD_OBJECT_PATH, .exchange = true },
		{ .wanted = LSMD_ACCESS_LINK, .object = LSMD_OBJECT_PATH },
	};
	int r = 0;

	if (seeker->kinds_full)
		differ_give_up(seeker->differ,
			       "renames and links were not compared: the names are of more than 1024 kinds");
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways) && !r && !seeker->kinds_full; i++)
		r = two_compare(seeker, &ways[i]);
	return r;
}

static int tree_compare(struct seeker *seeker, const struct twigs twigs[2])
{
	struct walk_automaton automata[2][LSMD_LAYERS_MAX];
	struct walk_side sides[2];
	size_t looked;
	int r;

	for (int s = 0; s < 2; s++) {
		const struct lsmd_image_header *image = seeker->differ->images[s];
		const struct lsmd_layer *layers = (const void *)((const char *)image + image->layers.off);
		const struct diff_layers *held = &seeker->domain->layers[s];

		for (uint32_t i = 0; i < held->n; i++)
			automata[s][i] = (struct walk_automaton){ layers[held->ids[i]].dfa,
								  layers[held->ids[i]].bytemap };
		sides[s] = (struct walk_side){
			.image = image, .twigs = &twigs[s], .automata = automata[s], .n = held->n
		};
	}
	r = walk_run(sides, seeker->tree->tree, WALK_STATES_MAX, name_visit, seeker, &looked);
	if (r != WALK_TOO_LARGE)
		return r;
	differ_give_up(seeker->differ, "the names of some processes have too many forms; longer ones were not compared");
	return 0;
}

int differ_names(struct differ *differ)
{
	const struct diff_domain *domain = &differ->diff->domains.items[differ->domain];
	struct twigs twigs[2] = {};
	int r = 0;

	for (int s = 0; s < 2 && !r; s++)
		r = twigs_make(&differ->indices[s], domain->layers[s].ids, domain->layers[s].n, &twigs[s]);
	for (size_t i = 0; i < sizeof(trees) / sizeof(*trees) && !r; i++) {
		struct seeker seeker = {
			.differ = differ,
			.domain = domain,
			.tree = &trees[i],
			.n_layers = domain->layers[0].n + domain->layers[1].n,
		};

		r = tree_compare(&seeker, twigs);
		if (!r && trees[i].tree == LSMD_TREE_OBJECT)
			r = two_all(&seeker);
		free(seeker.kinds.items);
		free(seeker.allowed.items);
		dedupe_clear(&seeker.known);
	}
	for (int s = 0; s < 2; s++)
		twigs_clear(&twigs[s]);
	return r;
}
