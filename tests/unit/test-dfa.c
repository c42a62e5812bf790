/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nfa.c, dfa.c, dfa-minimise.c, comb.c: an automaton says of every name what its patterns say one by one, has no state too many,
 * and refuses in time what would grow too large. The patterns one by one are the oracle's, read and matched by other code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/policy/dfa.h"
#include "agent/policy/glob.h"
/* The oracle's patterns are in no library; they have a function of the same name. */
#define glob_read naive_glob_read
#include "tests/engine/naive-glob.c"
#undef glob_read

/* One automaton over patterns; rule number i + 1 is pattern i, about few verbs, and every third denies. */
struct machine {
	struct class_table table;
	struct nfa nfa;
	struct dfa dfa;
	struct comb comb;
	uint32_t start, bytemap, costliest;
	uint8_t lead;
};

static void machine_open(struct machine *machine, enum glob_kind kind)
{
	*machine = (struct machine){ .lead = kind == GLOB_ABSTRACT ? '@' : 0 };
	assert_int_equal(class_table_init(&machine->table), 0);
	assert_int_equal(nfa_init(&machine->nfa), 0);
	assert_int_equal(comb_init(&machine->comb), 0);
}

static uint32_t verbs_of(uint32_t i)
{
	return i % 2 ? 1 : 3;
}

static void machine_add(struct machine *machine, const char *pattern, size_t len, uint32_t i)
{
	const struct entry entry = { .allow = i % 3 ? verbs_of(i) : 0, .deny = i % 3 ? 0 : verbs_of(i), .rule = i + 1 };
	struct glob glob = {};
	struct glob_error error;

	if (glob_read(&glob, pattern, len, machine->lead ? GLOB_ABSTRACT : GLOB_PATH, &error))
		fail_msg("'%s': %s", pattern, error.message);
	for (size_t n = 0; n < glob.n_names; n++)
		assert_int_equal(nfa_add(&machine->nfa, &glob, &glob.names[n], machine->lead, i, &entry), 0);
	glob_clear(&glob);
}

static int machine_build(struct machine *machine)
{
	int r = dfa_build(&machine->nfa, &machine->table, &machine->costliest, &machine->dfa);

	if (r)
		return r;
	assert_int_equal(comb_add(&machine->comb, &machine->dfa, &machine->start, &machine->bytemap), 0);
	assert_int_equal(comb_finish(&machine->comb), 0);
	return 0;
}

static void machine_close(struct machine *machine)
{
	class_table_clear(&machine->table);
	nfa_clear(&machine->nfa);
	dfa_clear(&machine->dfa);
	comb_clear(&machine->comb);
}

static int machine_of(struct machine *machine, enum glob_kind kind, const char *const *patterns, size_t n)
{
	machine_open(machine, kind);
	for (size_t i = 0; i < n; i++)
		machine_add(machine, patterns[i], strlen(patterns[i]), (uint32_t)i);
	return machine_build(machine);
}

/* One step through the comb, exactly as lsm/abi/image.h says. */
static uint32_t comb_step(const struct machine *machine, uint32_t state, uint8_t byte)
{
	const struct lsmd_state *from = &machine->comb.states.items[state];
	uint32_t column = machine->comb.bytemaps.items[machine->bytemap].columns[byte];
	const struct lsmd_step *step;

	assert_true(from->base + column < machine->comb.steps.n);
	step = &machine->comb.steps.items[from->base + column];
	return step->check == state ? step->next : from->other;
}

/* What the automaton says of a name: the same in its table and in the comb. */
static const struct lsmd_class *machine_class(const struct machine *machine, const char *name, size_t len)
{
	const struct dfa *dfa = &machine->dfa;
	uint32_t plain = 1, state = machine->start;

	for (size_t i = machine->lead ? 0 : 1; i <= len; i++) {
		uint8_t byte = machine->lead && !i ? machine->lead : (uint8_t)name[i - 1];

		plain = dfa->next[(size_t)plain * dfa->n_columns + dfa->bytemap[byte]];
		state = comb_step(machine, state, byte);
	}
	assert_int_equal(machine->comb.states.items[state].class, dfa->class[plain]);
	return &machine->table.classes.items[dfa->class[plain]];
}

/* Verbs that are denied, and those that are allowed and not denied. */
static uint32_t machine_says(const struct machine *machine, const char *name, size_t len)
{
	const struct lsmd_class *class = machine_class(machine, name, len);

	return class->allow | class->deny;
}

static bool naive_matches(const char *pattern, size_t pattern_len, const char *name, size_t len)
{
	struct naive_globs globs = {};
	bool matches = false;

	assert_int_equal(naive_globs_read(pattern, pattern_len, &globs), 0);
	for (size_t i = 0; i < globs.n_globs; i++)
		matches |= naive_glob_matches(&globs.globs[i], name, len);
	naive_globs_free(&globs);
	return matches;
}

/* The rule that decides a verb: the lowest that denies it, or else the lowest that allows it. 0: none. */
static uint32_t naive_rule(const char *const *patterns, size_t n, const char *name, size_t len, int verb, bool *denied)
{
	uint32_t allowed = 0;

	*denied = false;
	for (uint32_t i = 0; i < n; i++) {
		if (!(verbs_of(i) >> verb & 1) || !naive_matches(patterns[i], strlen(patterns[i]), name, len))
			continue;
		if (i % 3 == 0) {
			*denied = true;
			return i + 1;
		}
		if (!allowed)
			allowed = i + 1;
	}
	return allowed;
}

static void expect_name(const struct machine *machine, const char *const *patterns, size_t n, const char *name,
			size_t len)
{
	const struct lsmd_class *class = machine_class(machine, name, len);

	for (int v = 0; v < 2; v++) {
		bool denied;
		uint32_t wanted = naive_rule(patterns, n, name, len, v, &denied), got = 0;

		if ((class->allow | class->deny) >> v & 1)
			got = class->rule & LSMD_RULE_ROW
				      ? machine->table.rows.items[class->rule & ~LSMD_RULE_ROW].rule[v]
				      : class->rule;
		if (got == wanted && (class->deny >> v & 1) == denied)
			continue;
		for (size_t i = 0; i < n; i++)
			print_message("  %s\n", patterns[i]);
		fail_msg("'%.*s' (%zu bytes): verb %d by rule %u, not %u", (int)len, name, len, v, got, wanted);
	}
}

static void forms_match_what_they_say(void **state)
{
	static const struct {
		const char *pattern;
		const char *yes[6];
		const char *no[6];
	} cases[] = {
		{ "/a/*", { "/a/b", "/a/.b", "/a/" }, { "/a", "/a/b/c" } },
		{ "/*", { "/", "/a", "/.a" }, { "/a/b" } },
		{ "/a/**/b", { "/a/b", "/a/x/b", "/a/x/y/b" }, { "/a/xb", "/ab", "/a/b/c", "/a/bb" } },
		{ "/*/**", { "/a/b", "/a/b/c" }, { "/a", "/" } },
		{ "/a*/", { "/a", "/ab", "/ab/c", "/a/b/c/d" }, { "/b/a", "/" } },
		{ "/a**", { "/a", "/ab", "/a/b" }, { "/b" } },
		{ "/a/**b", { "/a/b", "/a/x/yb", "/a/xb" }, { "/a", "/a/bx" } },
		{ "/**.c", { "/.c", "/a.c", "/a/b.c" }, { "/a.cc", "/a.h" } },
		{ "/**/x/**/y", { "/x/y", "/a/x/y", "/x/b/y", "/a/x/b/c/y" }, { "/xy", "/x/ay", "/y" } },
		{ "/[!a-c]?", { "/dx", "/\xff\x01" }, { "/ax", "/d", "/d/" } },
		{ "/{a*,b/**}/", { "/a", "/ax/y", "/b/c" }, { "/b", "/c" } },
		{ "/*.*", { "/a.b", "/.", "/..." }, { "/ab" } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct machine machine;

		assert_int_equal(machine_of(&machine, GLOB_PATH, &cases[i].pattern, 1), 0);
		for (int k = 0; k < 6 && cases[i].yes[k]; k++) {
			if (!machine_says(&machine, cases[i].yes[k], strlen(cases[i].yes[k])))
				fail_msg("'%s' does not match '%s'", cases[i].pattern, cases[i].yes[k]);
			expect_name(&machine, &cases[i].pattern, 1, cases[i].yes[k], strlen(cases[i].yes[k]));
		}
		for (int k = 0; k < 6 && cases[i].no[k]; k++)
			if (machine_says(&machine, cases[i].no[k], strlen(cases[i].no[k])))
				fail_msg("'%s' matches '%s'", cases[i].pattern, cases[i].no[k]);
		machine_close(&machine);
	}
}

static size_t random_below(size_t n)
{
	return (size_t)random() % n;
}

/* A pattern of few different bytes, so that names meet it; mostly with wildcards. */
static void random_pattern(char *to, enum glob_kind kind)
{
	static const char *const parts[] = { "a",    "b",  "ab", "*",	   "**",    "?",      "[ab]", "[!a]", "{a,b}",
					     "{,a}", "*a", "b*", "{a,b*}", "\\x61", "{*,a?}", "a*b",  "**b",  "c" };
	char *at = to;

	if (kind == GLOB_ABSTRACT && random_below(2))
		at = stpcpy(at, parts[random_below(18)]);
	for (size_t n = 1 + random_below(4); n--;) {
		*at++ = '/';
		for (size_t k = 1 + random_below(2); k--;)
			at = stpcpy(at, parts[random_below(18)]);
	}
	strcpy(at, random_below(4) ? "" : random_below(2) ? "/" : "/**");
}

static size_t random_name(char *to, enum glob_kind kind)
{
	static const char bytes[] = "aabbc//\x01";
	size_t n = random_below(12), len = 0;

	if (kind == GLOB_PATH)
		to[len++] = '/';
	while (n--) {
		char byte = bytes[random_below(8)];

		if (kind == GLOB_PATH && byte == '/' && to[len - 1] == '/')
			continue;
		to[len++] = byte;
	}
	if (kind == GLOB_PATH && len > 1 && to[len - 1] == '/')
		len--;
	return len;
}

/* Return: 1 when the patterns are among the few that explode. */
static int random_round(enum glob_kind kind)
{
	char patterns[6][64], name[64];
	const char *list[6];
	size_t n = 0, n_wanted = 1 + random_below(6);
	struct machine machine;
	int r;

	while (n < n_wanted) {
		random_pattern(patterns[n], kind);
		list[n] = patterns[n];
		n += !glob_check(list[n], strlen(list[n]), kind, NULL);
	}
	r = machine_of(&machine, kind, list, n);
	for (int i = 0; !r && i < 200; i++) {
		size_t len = random_name(name, kind);

		expect_name(&machine, list, n, name, len);
	}
	machine_close(&machine);
	return r;
}

static void automata_agree_with_patterns_one_by_one(void **state)
{
	int n_exploded = 0;

	srandom(2);
	for (int i = 0; i < 1500; i++)
		n_exploded += random_round(i % 4 ? GLOB_PATH : GLOB_ABSTRACT);
	assert_in_range(n_exploded, 0, 15);
}

/*
 * Moore's refinement, the slow and plain way: states are equal until something tells them apart. Return: how many groups
 * of equal states there are.
 */
static uint32_t moore_groups(const struct dfa *dfa)
{
	uint32_t *group = calloc(dfa->n_states, sizeof(*group)), *next = calloc(dfa->n_states, sizeof(*next)), n = 0,
		 before;

	for (uint32_t s = 0; s < dfa->n_states; s++)
		group[s] = dfa->class[s];
	do {
		before = n;
		n = 0;
		for (uint32_t s = 0; s < dfa->n_states; s++) {
			uint32_t t = 0;

			for (; t < s; t++) {
				uint32_t c = 0;

				while (c < dfa->n_columns && group[dfa->next[s * dfa->n_columns + c]] ==
								     group[dfa->next[t * dfa->n_columns + c]])
					c++;
				if (c == dfa->n_columns && group[s] == group[t])
					break;
			}
			next[s] = t < s ? next[t] : n++;
		}
		memcpy(group, next, dfa->n_states * sizeof(*group));
	} while (n != before);
	free(group);
	free(next);
	return n;
}

static void no_state_and_no_column_is_too_many(void **state)
{
	srandom(3);
	for (int i = 0; i < 400; i++) {
		char patterns[4][64];
		const char *list[4];
		size_t n = 0;
		struct machine machine;

		while (n < 4) {
			random_pattern(patterns[n], GLOB_PATH);
			list[n] = patterns[n];
			n += !glob_check(list[n], strlen(list[n]), GLOB_PATH, NULL);
		}
		assert_int_equal(machine_of(&machine, GLOB_PATH, list, n), 0);
		assert_int_equal(moore_groups(&machine.dfa), machine.dfa.n_states);
		for (uint32_t c = 0; c < machine.dfa.n_columns; c++) {
			for (uint32_t d = 0; d < c; d++) {
				uint32_t s = 0;

				while (s < machine.dfa.n_states &&
				       machine.dfa.next[s * machine.dfa.n_columns + c] ==
					       machine.dfa.next[s * machine.dfa.n_columns + d])
					s++;
				assert_int_not_equal(s, machine.dfa.n_states);
			}
		}
		machine_close(&machine);
	}
}

/* The same language however it is written: the same numbers of everything. */
static void equal_patterns_give_equal_automata(void **state)
{
	static const char *const pairs[][2] = {
		{ "/a/{b,c}*", "/a/[bc]*" },	 { "/a/**/**/b", "/a/**/b" }, { "/*/", "/{*,*/**}" },
		{ "/{a?,b?}/", "/[ab]?{,/**}" }, { "/a{*,}*", "/a{**,*}" },   { "/x{/**/,/}y*", "/x/**/y*" },
		{ "/[a-cd-f]*", "/[a-f]*" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		struct machine a, b;

		assert_int_equal(machine_of(&a, GLOB_PATH, &pairs[i][0], 1), 0);
		assert_int_equal(machine_of(&b, GLOB_PATH, &pairs[i][1], 1), 0);
		assert_int_equal(a.dfa.n_states, b.dfa.n_states);
		assert_int_equal(a.dfa.n_columns, b.dfa.n_columns);
		assert_memory_equal(a.dfa.bytemap, b.dfa.bytemap, 256);
		assert_memory_equal(a.dfa.next, b.dfa.next, a.dfa.n_states * a.dfa.n_columns * sizeof(uint32_t));
		assert_int_equal(a.comb.steps.n, b.comb.steps.n);
		assert_memory_equal(a.comb.steps.items, b.comb.steps.items, a.comb.steps.n * sizeof(struct lsmd_step));
		machine_close(&a);
		machine_close(&b);
	}
}

/* Patterns below one double star share it: the automaton stays as large as the list of names. */
static void many_names_below_one_double_star_stay_small(void **state)
{
	struct machine machine;
	char pattern[64];
	size_t bytes = 0;

	machine_open(&machine, GLOB_PATH);
	for (uint32_t i = 0; i < 10000; i++) {
		sprintf(pattern, "/srv/**/secret-%u", i * 7919);
		bytes += strlen(pattern) - strlen("/srv/**/secret-");
		machine_add(&machine, pattern, strlen(pattern), i);
	}
	assert_true(machine.nfa.nodes.n < bytes);
	assert_int_equal(machine_build(&machine), 0);
	assert_true(machine.dfa.n_states < bytes);
	assert_int_equal(machine_class(&machine, "/srv/a/b/secret-7919", 20)->rule, 2);
	assert_int_equal(machine_says(&machine, "/srv/a/b/secret-7918", 20), 0);
	machine_close(&machine);
}

/* Directories below a double star: once inside one of them, only those of lower rules still matter. */
static void settled_names_are_not_remembered(void **state)
{
	struct machine machine;
	char pattern[64];

	machine_open(&machine, GLOB_PATH);
	for (uint32_t i = 0; i < 60; i++) {
		sprintf(pattern, "/**/dir-%u/", 100 + i);
		machine_add(&machine, pattern, strlen(pattern), i * 6);
	}
	assert_int_equal(machine_build(&machine), 0);
	assert_int_equal(machine_class(&machine, "/dir-130/dir-120/x", 18)->rule, 20 * 6 + 1);
	assert_int_equal(machine_class(&machine, "/dir-120/dir-130/x", 18)->rule, 20 * 6 + 1);
	machine_close(&machine);
}

static void an_explosion_names_its_pattern_in_time(void **state)
{
	struct machine machine;
	struct timespec before, after;
	char pattern[200] = "/**a";

	machine_open(&machine, GLOB_PATH);
	machine_add(&machine, "/etc/*.conf", 11, 0);
	machine_add(&machine, "/usr/**/lib*.so", 15, 1);
	for (int i = 0; i < 30; i++)
		strcat(pattern, "?");
	machine_add(&machine, pattern, strlen(pattern), 2);
	machine_add(&machine, "/home/*/x", 9, 3);
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(machine_build(&machine), DFA_TOO_LARGE);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_int_equal(machine.costliest, 2);
	assert_true(after.tv_sec - before.tv_sec < 30);
	machine_close(&machine);
}

static void several_automata_share_one_comb(void **state)
{
	static const char *const first[] = { "/a/*.c", "/b/**/x" }, *const second[] = { "/a/*.h", "/**/y?" };
	struct machine a, b;
	uint32_t start, bytemap;

	assert_int_equal(machine_of(&a, GLOB_PATH, first, 2), 0);
	assert_int_equal(machine_of(&b, GLOB_PATH, second, 2), 0);
	assert_int_equal(comb_add(&a.comb, &b.dfa, &start, &bytemap), 0);
	assert_int_equal(comb_add(&b.comb, &a.dfa, &start, &bytemap), 0);
	expect_name(&a, first, 2, "/a/x.c", 6);
	expect_name(&a, first, 2, "/b/c/d/x", 8);
	b.start = start;
	b.bytemap = bytemap;
	dfa_clear(&b.dfa);
	b.dfa = a.dfa;
	a.dfa = (struct dfa){};
	for (uint32_t c = 0; c < b.comb.steps.n; c++)
		assert_true(b.comb.steps.items[c].check || !b.comb.steps.items[c].next);
	class_table_clear(&b.table);
	b.table = a.table;
	a.table = (struct class_table){};
	expect_name(&b, first, 2, "/b/c/d/x", 8);
	expect_name(&b, first, 2, "/a/x.h", 6);
	machine_close(&a);
	machine_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_match_what_they_say),
		cmocka_unit_test(automata_agree_with_patterns_one_by_one),
		cmocka_unit_test(no_state_and_no_column_is_too_many),
		cmocka_unit_test(equal_patterns_give_equal_automata),
		cmocka_unit_test(many_names_below_one_double_star_stay_small),
		cmocka_unit_test(settled_names_are_not_remembered),
		cmocka_unit_test(an_explosion_names_its_pattern_in_time),
		cmocka_unit_test(several_automata_share_one_comb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
