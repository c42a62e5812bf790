/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nfa.c: names that begin alike share their nodes, and stars stand where they should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "agent/policy/nfa.h"

static void nfa_take(struct nfa *nfa, const char *pattern, uint8_t lead, uint32_t owner)
{
	const struct entry entry = { .allow = 1, .rule = owner + 1 };
	struct glob glob = {};

	if (!nfa->nodes.n)
		assert_int_equal(nfa_init(nfa), 0);
	assert_int_equal(glob_read(&glob, pattern, strlen(pattern), lead ? GLOB_ABSTRACT : GLOB_PATH, NULL), 0);
	for (size_t i = 0; i < glob.n_names; i++)
		assert_int_equal(nfa_add(nfa, &glob, &glob.names[i], lead, owner, &entry), 0);
	glob_clear(&glob);
}

/* The node behind a byte or set from @node; 0 for none. */
static uint32_t behind(const struct nfa *nfa, uint32_t node, unsigned int item)
{
	for (uint32_t e = nfa->nodes.items[node].edges; e; e = nfa->edges.items[e].next)
		if (nfa->edges.items[e].item == item)
			return nfa->edges.items[e].to;
	return 0;
}

static void names_that_begin_alike_share_nodes(void **state)
{
	struct nfa nfa = {};
	size_t n;

	nfa_take(&nfa, "/srv/**/a*b", 0, 0);
	n = nfa.nodes.n;
	nfa_take(&nfa, "/srv/**/a*b", 0, 1);
	assert_int_equal(nfa.nodes.n, n);
	nfa_take(&nfa, "/srv/**/a*c", 0, 2);
	assert_int_equal(nfa.nodes.n, n + 1);
	nfa_take(&nfa, "/srv/**", 0, 3);
	assert_int_equal(nfa.nodes.n, n + 1);
	nfa_clear(&nfa);
}

static void a_double_star_with_its_slash_may_be_nothing(void **state)
{
	struct nfa nfa = {};
	const struct nfa_node *root, *deep;
	uint32_t slash;

	nfa_take(&nfa, "/**/b", 0, 0);
	slash = behind(&nfa, NFA_START, '/');
	root = &nfa.nodes.items[slash];
	deep = &nfa.nodes.items[root->deep];
	assert_int_equal(root->loop, NFA_LOOP_NONE);
	assert_int_equal(deep->loop, NFA_LOOP_ALL);
	assert_true(deep->behind_loop && !root->behind_loop);
	assert_int_not_equal(root->skip, 0);
	assert_int_equal(behind(&nfa, root->deep, '/'), root->skip);
	assert_true(nfa.nodes.items[behind(&nfa, root->skip, 'b')].accepts);
	nfa_clear(&nfa);
}

static void equal_sets_are_one_edge(void **state)
{
	struct nfa nfa = {};

	nfa_take(&nfa, "/[ab]x", 0, 0);
	nfa_take(&nfa, "/[b-ba]y", 0, 1);
	nfa_take(&nfa, "/[!\\x01-`c-\\xff]z", 0, 2);
	assert_int_equal(nfa.sets.n, 2);
	assert_int_equal(nfa.nodes.n, 2 + 2 + 3);
	nfa_clear(&nfa);
}

static void forms_accept_what_they_stand_for(void **state)
{
	struct nfa nfa = {};
	uint32_t star, slash;

	nfa_take(&nfa, "x*/", '@', 0);
	star = nfa.nodes.items[behind(&nfa, behind(&nfa, NFA_START, '@'), 'x')].star;
	slash = behind(&nfa, star, '/');
	assert_true(nfa.nodes.items[star].accepts);
	assert_false(nfa.nodes.items[slash].accepts);
	assert_true(nfa.nodes.items[nfa.nodes.items[slash].deep].accepts);
	nfa_clear(&nfa);
	nfa_take(&nfa, "x*/**", '@', 0);
	star = nfa.nodes.items[behind(&nfa, behind(&nfa, NFA_START, '@'), 'x')].star;
	slash = behind(&nfa, star, '/');
	assert_false(nfa.nodes.items[star].accepts);
	assert_int_equal(nfa.nodes.items[slash].deep, 0);
	assert_int_not_equal(behind(&nfa, slash, NFA_ANY_BYTE), 0);
	nfa_clear(&nfa);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_begin_alike_share_nodes),
		cmocka_unit_test(a_double_star_with_its_slash_may_be_nothing),
		cmocka_unit_test(equal_sets_are_one_edge),
		cmocka_unit_test(forms_accept_what_they_stand_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
