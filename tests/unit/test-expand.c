/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* expand.c and library.c: variables and includes. */
#include "tests/unit/load.h"

static void objects_are(const struct rule *rule, const char *const *names, size_t n)
{
	size_t i;

	assert_int_equal(rule->n_objects, n);
	for (i = 0; i < n; i++)
		assert_string_equal(rule->objects[i].bytes, names[i]);
}

#define OBJECTS_ARE(rule, ...) \
	objects_are(rule, (const char *const[]){ __VA_ARGS__ }, \
		    sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

#define VARIABLES(variables, path) \
	HEAD ALLOW "\"variables\": {" variables "}, \"rules\": [ { \"allow\": \"read\", \"path\": " path " } ] }"

static void every_value_of_every_variable_is_taken(void **state)
{
	const struct policy *policy =
		load_good(*state, VARIABLES("\"A\": [\"/a\", \"/b\"], \"B\": \"x\", \"C\": [\"1\", \"2\"]",
					    "[\"@{A}/@{B}@{C}\", \"/plain\"]"));

	OBJECTS_ARE(&policy->rules[0], "/a/x1", "/a/x2", "/b/x1", "/b/x2", "/plain");
	policy = load_good(*state, VARIABLES("\"A\": [\"/a\", \"/b\"]", "\"@{A}@{A}\""));
	OBJECTS_ARE(&policy->rules[0], "/a/a", "/a/b", "/b/a", "/b/b");
}

static void variables_hold_variables(void **state)
{
	const struct policy *policy = load_good(
		*state, VARIABLES("\"C\": \"@{A}/c\", \"A\": [\"@{B}\", \"/x\"], \"B\": \"/b\"", "\"@{C}@{B}\""));

	OBJECTS_ARE(&policy->rules[0], "/b/c/b", "/x/c/b");
	/* "/b/c/" and "/b" make an empty component. */
	load_bad(*state, VARIABLES("\"B\": \"/b\", \"C\": \"@{B}/c\"", "\"@{C}/@{B}\""), "bad-pattern");
}

static void a_backslash_keeps_a_variable_from_being_one(void **state)
{
	const struct policy *policy =
		load_good(*state, VARIABLES("\"A\": \"/a\"", "[\"/\\\\@{x}\", \"@{A}/\\\\\\\\@{A}\", \"/@x\"]"));

	OBJECTS_ARE(&policy->rules[0], "/\\@{x}", "/a/\\\\/a", "/@x");
}

static void long_chains_of_variables_end(void **state)
{
	char text[8192], *at = text;
	int i;

	at += sprintf(at, HEAD ALLOW "\"variables\": { \"V0\": \"/a\"");
	for (i = 1; i < 60; i++)
		at += sprintf(at, ", \"V%d\": \"@{V%d}\"", i, i - 1);
	sprintf(at, "}, \"rules\": [ { \"allow\": \"read\", \"path\": \"@{V59}\" } ] }");
	load_bad(*state, text, "expansion-too-large");
	sprintf(at, "}, \"rules\": [ { \"allow\": \"read\", \"path\": \"@{V20}\" } ] }");
	load_good(*state, text);
}

/* Each variable is ten of the one before: 10^9 values, asked for by 1,000 rules. */
static void bombs_of_variables_are_refused_in_time(void **state)
{
	struct load *load = *state;
	size_t room = 1 << 20;
	_cleanup_free_ char *text = malloc(room);
	char *at = text;
	int i, j;

	at += sprintf(at, HEAD ALLOW "\"variables\": { \"V0\": \"/0123456789\"");
	for (i = 1; i < 10; i++) {
		at += sprintf(at, ", \"V%d\": \"", i);
		for (j = 0; j < 10; j++)
			at += sprintf(at, "@{V%d}", i - 1);
		at += sprintf(at, "\"");
	}
	at += sprintf(at, "}, \"rules\": [");
	for (i = 0; i < 1000; i++)
		at += sprintf(at, "%s{ \"allow\": \"read\", \"path\": \"@{V9}\" }", i ? ", " : "");
	strcpy(at, "] }");
	load_bad(load, text, "expansion-too-large");
	assert_true(load->seconds < 5);
}

static void wide_bombs_are_refused_in_time(void **state)
{
	struct load *load = *state;
	_cleanup_free_ char *text = malloc(4 << 20);
	char *at = text;
	int i;

	at += sprintf(at, HEAD ALLOW "\"variables\": { \"A\": [\"/0\"");
	for (i = 1; i < 100; i++)
		at += sprintf(at, ", \"/%d\"", i);
	at += sprintf(at, "] }, \"rules\": [");
	/* 10,000 patterns each is the bound; 1,000 rules of them are more than a set may have. */
	for (i = 0; i < 1000; i++)
		at += sprintf(at, "%s{ \"allow\": \"read\", \"path\": \"@{A}@{A}/%d\" }", i ? ", " : "", i);
	strcpy(at, "] }");
	load_bad(load, text, "too-many-objects");
	assert_true(load->seconds < 10);
}

static void many_variables_are_found_quickly(void **state)
{
	struct load *load = *state;
	_cleanup_free_ char *text = malloc(16 << 20);
	char *at = text;
	int i;

	at += sprintf(at, HEAD ALLOW "\"variables\": { \"X\": \"/x\"");
	for (i = 0; i < 50000; i++)
		at += sprintf(at, ", \"V%d\": \"/v%d\"", i, i);
	at += sprintf(at, "}, \"rules\": [");
	for (i = 0; i < 50000; i++)
		at += sprintf(at, "%s{ \"allow\": \"read\", \"path\": \"@{V%d}\" }", i ? ", " : "", 49999 - i);
	strcpy(at, "] }");
	load_good(load, text);
	assert_true(load->seconds < 5);
	OBJECTS_ARE(&load->set->policies[0].rules[7], "/v49992");
}

static void part_write(struct load *load, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "abs/%s.json", name);
	load_write(load, path, text, strlen(text));
}

#define PART(rest) "{ \"version\": 1, " rest " }"
#define READS(path) "\"rules\": [ { \"allow\": \"read\", \"path\": \"" path "\" } ]"

static void included_rules_come_after_the_own_each_file_once(void **state)
{
	struct load *load = *state;
	const struct policy *policy;

	part_write(load, "a", PART("\"include\": [\"b\"], " READS("/a")));
	part_write(load, "b", PART(READS("/b@{X}") ", \"variables\": { \"X\": \"/x\" }"));
	part_write(load, "c", PART("\"include\": [\"a\", \"b\"], " READS("/c")));
	policy = load_good(load, HEAD ALLOW "\"include\": [\"c\", \"a\"], " READS("/own@{X}") "}");
	assert_int_equal(policy->n_rules, 4);
	OBJECTS_ARE(&policy->rules[0], "/own/x");
	OBJECTS_ARE(&policy->rules[1], "/c");
	OBJECTS_ARE(&policy->rules[2], "/a");
	OBJECTS_ARE(&policy->rules[3], "/b/x");
	assert_string_equal(load->set->files[policy->rules[3].place.file].name + strlen(load->abs), "/b.json");
}

static void the_policy_decides_a_variable_that_its_includes_define(void **state)
{
	struct load *load = *state;
	const struct policy *policy;

	part_write(load, "a", PART(READS("@{X}") ", \"variables\": { \"X\": \"/a\" }"));
	policy = load_good(load, HEAD ALLOW "\"include\": \"a\", \"variables\": { \"X\": \"/own\" } }");
	OBJECTS_ARE(&policy->rules[0], "/own");
}

static void one_abstraction_serves_policies_with_other_variables(void **state)
{
	struct load *load = *state;
	const char *paths[2];
	static const char one[] = "{ \"version\": 1, \"name\": \"%s\", \"subject\": { \"exe\": \"/usr/bin/%s\" },"
				  " \"default\": \"allow\", \"include\": \"a\", \"variables\": { \"X\": \"/%s\" } }";
	char text[300];

	part_write(load, "a", PART(READS("@{X}")));
	sprintf(text, one, "p", "p", "p");
	load_write(load, "p.json", text, strlen(text));
	sprintf(text, one, "q", "q", "q");
	load_write(load, "q.json", text, strlen(text));
	paths[0] = load_path(load, "q.json");
	paths[1] = load_path(load, "p.json");
	assert_int_equal(load_paths(load, paths, 2), 0);
	OBJECTS_ARE(&load->set->policies[0].rules[0], "/p");
	OBJECTS_ARE(&load->set->policies[1].rules[0], "/q");
	assert_int_equal(load->set->n_files, 3);
}

static void include_cycles_end_and_name_the_chain(void **state)
{
	struct load *load = *state;
	size_t i;
	bool chain = false;

	part_write(load, "a", PART("\"include\": \"b\""));
	part_write(load, "b", PART("\"include\": \"c\""));
	part_write(load, "c", PART("\"include\": \"a\""));
	load_bad(load, HEAD ALLOW "\"include\": \"b\" }", "include-cycle");
	for (i = 0; i < load->diags.n_diags; i++)
		chain |= !!strstr(load->diags.diags[i].message, "b -> c -> a -> b");
	assert_true(chain);
}

static void abstractions_are_no_policies_and_no_links(void **state)
{
	struct load *load = *state;

	part_write(load, "p", HEAD ALLOW "\"rules\": [] }");
	load_bad(load, HEAD ALLOW "\"include\": \"p\" }", "misplaced-key");
	assert_int_equal(symlink("p.json", load_path(load, "abs/l.json")), 0);
	load_bad(load, HEAD ALLOW "\"include\": \"l\" }", "file-link");
	load_bad(load, HEAD ALLOW "\"include\": \"none\" }", "include-missing");
	load_bad(load, HEAD ALLOW "\"include\": \"../t\" }", "bad-word");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, load_setup, load_teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_value_of_every_variable_is_taken),
		TEST(variables_hold_variables),
		TEST(a_backslash_keeps_a_variable_from_being_one),
		TEST(long_chains_of_variables_end),
		TEST(bombs_of_variables_are_refused_in_time),
		TEST(wide_bombs_are_refused_in_time),
		TEST(many_variables_are_found_quickly),
		TEST(included_rules_come_after_the_own_each_file_once),
		TEST(the_policy_decides_a_variable_that_its_includes_define),
		TEST(one_abstraction_serves_policies_with_other_variables),
		TEST(include_cycles_end_and_name_the_chain),
		TEST(abstractions_are_no_policies_and_no_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
