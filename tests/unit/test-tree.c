/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tree.c, class.c, hash.c: what the tree says of any name in any layer is what the rules say one by one, through long components,
 * deep inheritance and many layers; every node has a slot of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/hash.h"
#include "agent/policy/tree.h"
#include "lsm/core/hash.h"

struct said {
	enum lsmd_tree root;
	char name[600];
	unsigned int where;
	struct entry entry;
};

struct grove {
	struct tree tree;
	struct class_table table;
	struct perfect_hash hash;
	struct lsmd_node *slots;
	struct said *said; /* all that was added */
	size_t n_said, room;
	uint32_t next_rule;
};

static void grove_open(struct grove *grove)
{
	*grove = (struct grove){ .next_rule = 1 };
	assert_int_equal(tree_init(&grove->tree), 0);
	assert_int_equal(class_table_init(&grove->table), 0);
}

static void grove_add(struct grove *grove, enum lsmd_tree root, const char *name, unsigned int where, uint32_t layer,
		      uint32_t allow, uint32_t deny)
{
	struct said *said;

	if (grove->n_said == grove->room) {
		grove->room = grove->room * 2 + 64;
		grove->said = realloc(grove->said, grove->room * sizeof(*said));
	}
	said = &grove->said[grove->n_said++];
	*said = (struct said){ .root = root, .where = where };
	said->entry = (struct entry){ .layer = layer, .allow = allow, .deny = deny, .rule = grove->next_rule++ };
	strcpy(said->name, name);
	assert_int_equal(tree_add(&grove->tree, root, name, strlen(name), where, &said->entry), 0);
}

static void grove_close(struct grove *grove)
{
	struct tree *tree = &grove->tree;

	assert_int_equal(tree_close(tree, &grove->table), 0);
	assert_int_equal(hash_build(tree->nodes.items + LSMD_N_TREES, tree->nodes.n - LSMD_N_TREES, &grove->hash), 0);
	grove->slots = calloc(grove->hash.n_slots + 1, sizeof(*grove->slots));
	for (size_t i = LSMD_N_TREES; i < tree->nodes.n; i++) {
		struct lsmd_node *slot = &grove->slots[grove->hash.slots[i - LSMD_N_TREES]];

		assert_int_equal(slot->id, 0);
		*slot = tree->nodes.items[i];
	}
}

static void grove_free(struct grove *grove)
{
	tree_clear(&grove->tree);
	class_table_clear(&grove->table);
	hash_clear(&grove->hash);
	free(grove->slots);
	free(grove->said);
}

static const struct lsmd_node *grove_find(const struct grove *grove, uint32_t parent, const char *bytes, size_t len,
					  bool continued)
{
	struct lsmd_node piece = { .parent = parent };
	lsmd_u64 h;
	const struct lsmd_node *node;

	if (!grove->hash.n_slots)
		return NULL;
	piece.meta = (lsmd_u16)(len | (continued ? LSMD_PIECE_CONTINUED : 0));
	memcpy(piece.name, bytes, len);
	h = lsmd_hash(grove->hash.key, parent, piece.meta, piece.name);
	node = &grove->slots[lsmd_hash_slot(h, grove->hash.displace[lsmd_hash_bucket(h, grove->hash.n_displace)],
					    grove->hash.n_slots)];
	return node->parent == parent && node->meta == piece.meta && !memcmp(node->name, piece.name, sizeof(piece.name))
		       ? node
		       : NULL;
}

/* The class of a name as image.h says: `below` counts once a component is whole. */
static uint32_t grove_class(const struct grove *grove, enum lsmd_tree root, const char *name)
{
	const struct lsmd_node *node = &grove->tree.nodes.items[root];
	uint32_t below = node->below, id = root;
	bool path = root != LSMD_TREE_ABSTRACT;

	for (const char *at = name; *at;) {
		size_t len = path ? strcspn(at + 1, "/") : strlen(at);

		at += path;
		for (size_t off = 0; off < len; off += LSMD_PIECE_LEN) {
			size_t n = len - off < LSMD_PIECE_LEN ? len - off : LSMD_PIECE_LEN;

			node = grove_find(grove, id, at + off, n, off > 0);
			if (!node)
				return below;
			id = node->id;
		}
		below = node->below;
		at += len;
	}
	return node->exact;
}

/* The first cell up the chain, in at most LSMD_INHERIT_MAX steps. */
static bool grove_cell(const struct grove *grove, uint32_t id, uint32_t layer, struct lsmd_cell *ret)
{
	for (unsigned int i = 0; i <= LSMD_INHERIT_MAX && id; i++) {
		const struct lsmd_class *class = &grove->table.classes.items[id];

		if (class->layer == layer) {
			*ret = (struct lsmd_cell){ layer, class->allow, class->deny, class->rule };
			return true;
		}
		for (uint32_t c = 0; class->layer == LSMD_CLASS_MANY && c < class->deny; c++) {
			*ret = grove->table.cells.items[class->allow + c];
			if (ret->layer == layer)
				return true;
			assert_true(!c || grove->table.cells.items[class->allow + c - 1].layer < ret->layer);
		}
		id = class->inherits;
	}
	*ret = (struct lsmd_cell){};
	return false;
}

static bool said_covers(const struct said *said, enum lsmd_tree root, const char *name)
{
	size_t len = strlen(said->name);

	if (said->root != root || strncmp(said->name, name, len))
		return false;
	return name[len] ? said->where & TREE_BELOW && root != LSMD_TREE_ABSTRACT && name[len] == '/'
			 : said->where & TREE_EXACT;
}

static void expect_layer(const struct grove *grove, enum lsmd_tree root, const char *name, uint32_t class,
			 uint32_t layer)
{
	uint32_t allow = 0, deny = 0, rule[32] = {};
	struct lsmd_cell cell;

	for (size_t i = 0; i < grove->n_said; i++) {
		const struct said *said = &grove->said[i];

		if (said->entry.layer != layer || !said_covers(said, root, name))
			continue;
		for (int v = 0; v < 32; v++) {
			bool denies = said->entry.deny >> v & 1, allows = said->entry.allow >> v & 1;

			if (denies ? !(deny >> v & 1) : allows && !((deny | allow) >> v & 1))
				rule[v] = said->entry.rule;
		}
		allow |= said->entry.allow;
		deny |= said->entry.deny;
	}
	grove_cell(grove, class, layer, &cell);
	if (cell.allow != allow || cell.deny != deny)
		fail_msg("'%s' layer %u: %#x %#x, not %#x %#x", name, layer, cell.allow, cell.deny, allow, deny);
	for (int v = 0; v < 32; v++) {
		uint32_t got = cell.rule & LSMD_RULE_ROW ? grove->table.rows.items[cell.rule & ~LSMD_RULE_ROW].rule[v]
			       : (allow | deny) >> v & 1 ? cell.rule
							 : 0;

		assert_int_equal(got, rule[v]);
	}
}

static void expect_name(const struct grove *grove, enum lsmd_tree root, const char *name, uint32_t n_layers)
{
	uint32_t class = grove_class(grove, root, name);

	for (uint32_t layer = 0; layer < n_layers; layer++)
		expect_layer(grove, root, name, class, layer);
}

static size_t random_below(size_t n)
{
	return (size_t)random() % n;
}

/* Few components, some of just under, just at and over one and two pieces, with common beginnings. */
static void random_name(char *to, size_t depth)
{
	static const size_t lens[] = { 1, 1, 1, 2, 39, 40, 41, 80, 81, 120 };

	*to = '\0';
	while (depth--) {
		size_t len = lens[random_below(10)];

		*to++ = '/';
		memset(to, 'a' + (int)random_below(2), len);
		if (!random_below(3))
			to[len - 1] = 'z';
		to += len;
		*to = '\0';
	}
}

static void random_round(uint32_t n_layers, size_t n_rules, size_t depth)
{
	struct grove grove;
	char name[600];

	grove_open(&grove);
	for (uint32_t layer = 0; layer < n_layers; layer++) {
		for (size_t i = 0; i < n_rules; i++) {
			uint32_t access = 1u << random_below(4) | 1u << random_below(32);

			random_name(name, random_below(random_below(3) ? 3 : depth));
			if (strlen(name) > 250)
				continue;
			grove_add(&grove, LSMD_TREE_OBJECT, name, 1 + (unsigned int)random_below(3), layer,
				  random_below(3) ? access : 0, random_below(3) ? 0 : access);
		}
	}
	grove_close(&grove);
	for (size_t i = 0; i < grove.n_said; i++)
		expect_name(&grove, LSMD_TREE_OBJECT, grove.said[i].name, n_layers);
	for (int i = 0; i < 100; i++) {
		random_name(name, random_below(3));
		if (grove.n_said && random_below(2))
			snprintf(name, sizeof(name), "%.150s/b", grove.said[random_below(grove.n_said)].name);
		expect_name(&grove, LSMD_TREE_OBJECT, name, n_layers);
	}
	grove_free(&grove);
}

static void the_tree_says_what_the_rules_say(void **state)
{
	srandom(4);
	for (int i = 0; i < 300; i++)
		random_round(1 + (uint32_t)random_below(6), random_below(12), 4);
	for (int i = 0; i < 100; i++)
		random_round(12, random_below(5), 4);
}

/* A component that begins like another one of 40 bytes is no name below it. */
static void a_longer_component_is_not_below_its_beginning(void **state)
{
	char forty[50] = "/d/0123456789012345678901234567890123456789";
	char longer[80], below[80];
	struct grove grove;

	sprintf(longer, "%sxyz", forty);
	sprintf(below, "%s/xyz", forty);
	grove_open(&grove);
	grove_add(&grove, LSMD_TREE_OBJECT, "/d", TREE_BELOW, 0, 1, 0);
	grove_add(&grove, LSMD_TREE_OBJECT, forty, TREE_EXACT | TREE_BELOW, 0, 2, 0);
	grove_add(&grove, LSMD_TREE_OBJECT, longer, TREE_EXACT, 0, 4, 0);
	grove_close(&grove);
	expect_name(&grove, LSMD_TREE_OBJECT, forty, 1);
	expect_name(&grove, LSMD_TREE_OBJECT, longer, 1);
	expect_name(&grove, LSMD_TREE_OBJECT, below, 1);
	longer[strlen(longer) - 1] = '!';
	expect_name(&grove, LSMD_TREE_OBJECT, longer, 1);
	/* Only d has names below it: what goes on behind 40 bytes is the same component. */
	for (uint32_t i = 0; i < grove.hash.n_slots; i++)
		if (grove.slots[i].id)
			assert_int_equal(grove.slots[i].flags, grove.slots[i].meta == 1 ? LSMD_NODE_HAS_CHILDREN : 0);
	grove_free(&grove);
}

/* One layer at each depth: longer than any chain may be. */
static void deep_inheritance_is_flattened(void **state)
{
	char name[300] = "";
	struct grove grove;

	grove_open(&grove);
	for (uint32_t layer = 0; layer < 40; layer++) {
		grove_add(&grove, LSMD_TREE_OBJECT, name, TREE_EXACT | TREE_BELOW, layer, 1u << layer % 32, 0);
		strcat(name, "/d");
	}
	grove_close(&grove);
	for (size_t i = 0; i < grove.n_said; i++)
		expect_name(&grove, LSMD_TREE_OBJECT, grove.said[i].name, 40);
	expect_name(&grove, LSMD_TREE_OBJECT, name, 40);
	for (size_t id = 1; id < grove.table.classes.n; id++)
		assert_in_range(grove.table.depths.items[id], 0, LSMD_INHERIT_MAX);
	grove_free(&grove);
}

static void abstract_names_are_one_component(void **state)
{
	struct grove grove;

	grove_open(&grove);
	grove_add(&grove, LSMD_TREE_ABSTRACT, "a/b", TREE_EXACT, 0, 1, 0);
	grove_add(&grove, LSMD_TREE_ABSTRACT, "/tmp/012345678901234567890123456789012345/x", TREE_EXACT, 0, 2, 0);
	grove_add(&grove, LSMD_TREE_ABSTRACT, "", TREE_EXACT | TREE_BELOW, 0, 4, 0);
	grove_close(&grove);
	assert_int_equal(grove.table.classes.items[grove_class(&grove, LSMD_TREE_ABSTRACT, "a/b")].allow, 5);
	assert_int_equal(grove.table.classes.items[grove_class(&grove, LSMD_TREE_ABSTRACT, "a/c")].allow, 4);
	assert_int_equal(grove.table.classes.items[grove_class(&grove, LSMD_TREE_ABSTRACT, grove.said[1].name)].allow,
			 6);
	assert_int_equal(grove_class(&grove, LSMD_TREE_OBJECT, "/a/b"), 0);
	grove_free(&grove);
}

/* Subjects are asked for all layers of a chain. */
static void a_chain_has_every_layer(void **state)
{
	struct grove grove;
	uint32_t seen = 0;

	grove_open(&grove);
	grove_add(&grove, LSMD_TREE_SUBJECT, "/usr", TREE_BELOW, 0, ~0u, 0);
	grove_add(&grove, LSMD_TREE_SUBJECT, "/usr/bin", TREE_BELOW, 1, ~0u, 0);
	grove_add(&grove, LSMD_TREE_SUBJECT, "/usr/bin/x", TREE_EXACT, 1, ~0u, 0);
	grove_add(&grove, LSMD_TREE_SUBJECT, "/usr/bin/x", TREE_EXACT, 2, ~0u, 0);
	grove_close(&grove);
	for (uint32_t id = grove_class(&grove, LSMD_TREE_SUBJECT, "/usr/bin/x"); id;) {
		const struct lsmd_class *class = &grove.table.classes.items[id];

		if (class->layer != LSMD_CLASS_MANY)
			seen |= 1u << class->layer;
		for (uint32_t c = 0; class->layer == LSMD_CLASS_MANY && c < class->deny; c++)
			seen |= 1u << grove.table.cells.items[class->allow + c].layer;
		id = class->inherits;
	}
	assert_int_equal(seen, 7);
	grove_free(&grove);
}

/* Files with the same rule in one directory share a class; so do names that no rule tells apart. */
static void equal_classes_are_kept_once(void **state)
{
	struct tree tree = {};
	struct class_table table = {};
	const struct entry entry = { .allow = 1, .rule = 1 };
	char name[32];

	assert_int_equal(tree_init(&tree), 0);
	assert_int_equal(class_table_init(&table), 0);
	for (int i = 0; i < 1000; i++) {
		sprintf(name, "/d/%d", i);
		assert_int_equal(tree_add(&tree, LSMD_TREE_OBJECT, name, strlen(name), TREE_EXACT, &entry), 0);
	}
	assert_int_equal(tree_close(&tree, &table), 0);
	assert_int_equal(table.classes.n, 2);
	assert_int_equal(tree.nodes.n, LSMD_N_TREES + 1001);
	tree_clear(&tree);
	class_table_clear(&table);
}

static void names_that_are_too_deep_are_refused(void **state)
{
	const struct entry entry = { .allow = 1, .rule = 1 };
	struct tree tree = {};
	char name[300] = "";

	assert_int_equal(tree_init(&tree), 0);
	for (int i = 0; i < LSMD_PIECES_MAX; i++)
		strcat(name, "/a");
	assert_int_equal(tree_add(&tree, LSMD_TREE_OBJECT, name, strlen(name), TREE_EXACT, &entry), 0);
	strcat(name, "/a");
	assert_int_equal(tree_add(&tree, LSMD_TREE_OBJECT, name, strlen(name), TREE_EXACT, &entry), TREE_TOO_DEEP);
	/* Behind what the name before left: nothing of it may be counted twice or forgotten. */
	assert_int_equal(tree_add(&tree, LSMD_TREE_OBJECT, name, strlen(name) - 2, TREE_EXACT, &entry), 0);
	memset(name + 2, 'b', 41);
	assert_int_equal(tree_add(&tree, LSMD_TREE_OBJECT, name, strlen(name), TREE_EXACT, &entry), 0);
	tree_clear(&tree);
}

static void expect_hash(size_t n, uint32_t (*name)(uint32_t))
{
	struct lsmd_node *nodes = calloc(n, sizeof(*nodes));
	struct perfect_hash hash;
	uint8_t *taken;

	for (size_t i = 0; i < n; i++) {
		nodes[i].parent = 1;
		nodes[i].meta = 16;
		nodes[i].name[0] = name((uint32_t)i);
		nodes[i].name[1] = (lsmd_u64)name((uint32_t)i) << 63;
	}
	assert_int_equal(hash_build(nodes, n, &hash), 0);
	assert_true(hash.n_slots >= n && hash.n_slots <= n * 1000 / 920 + 2);
	taken = calloc(hash.n_slots, 1);
	for (size_t i = 0; i < n; i++) {
		lsmd_u64 h = lsmd_hash(hash.key, nodes[i].parent, nodes[i].meta, nodes[i].name);
		uint32_t slot = lsmd_hash_slot(h, hash.displace[lsmd_hash_bucket(h, hash.n_displace)], hash.n_slots);

		assert_int_equal(slot, hash.slots[i]);
		assert_int_equal(taken[slot]++, 0);
	}
	free(taken);
	free(nodes);
	hash_clear(&hash);
}

static uint32_t counted(uint32_t i)
{
	return i;
}

static uint32_t spread(uint32_t i)
{
	return i << 16 | i >> 16;
}

static void the_hash_is_perfect_for_any_number(void **state)
{
	for (size_t n = 1; n < 400; n++)
		expect_hash(n, counted);
	expect_hash(50000, counted);
	expect_hash(200000, spread);
}

/* Flipped top bits in two words: the difference that a plain sum of products loses under every key. */
static void no_difference_cancels_under_every_key(void **state)
{
	struct lsmd_node nodes[20] = {};
	struct perfect_hash hash;
	int n = 0;

	for (int a = 0; a < LSMD_PIECE_WORDS; a++) {
		for (int b = a + 1; b < LSMD_PIECE_WORDS; b++) {
			nodes[n].name[a] = nodes[n].name[b] = 1ull << 63;
			nodes[n++].parent = 1;
		}
	}
	nodes[n++].parent = 1;
	assert_int_equal(hash_build(nodes, (size_t)n, &hash), 0);
	hash_clear(&hash);
	nodes[n++].parent = 1;
	assert_int_equal(hash_build(nodes, (size_t)n, &hash), HASH_IMPOSSIBLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tree_says_what_the_rules_say),
		cmocka_unit_test(a_longer_component_is_not_below_its_beginning),
		cmocka_unit_test(deep_inheritance_is_flattened),
		cmocka_unit_test(abstract_names_are_one_component),
		cmocka_unit_test(a_chain_has_every_layer),
		cmocka_unit_test(equal_classes_are_kept_once),
		cmocka_unit_test(names_that_are_too_deep_are_refused),
		cmocka_unit_test(the_hash_is_perfect_for_any_number),
		cmocka_unit_test(no_difference_cancels_under_every_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
