/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory that runs out at every single allocation of a load, one after the other: the answer is -ENOMEM or the right one,
 * never a set that holds less than was written.
 */
#include "tests/unit/load.h"

#ifndef __SANITIZE_ADDRESS__

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static long left = -1; /* allocations until one fails; negative: none does */
static bool failed;

static bool fails(void)
{
	if (left < 0 || left-- > 0)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

void *reallocarray(void *old, size_t n, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, n * size);
}

static const char good[] =
	HEAD "\"default\": { \"file\": \"deny\", \"setattr\": \"allow\", \"exec\": \"allow\", \"network\": \"allow\","
	     " \"capability\": \"allow\", \"process\": \"allow\", \"system\": \"allow\" },\n"
	     "\"include\": \"part\", \"variables\": { \"A\": [\"/a\", \"@{B}/x\"], \"B\": \"/b\" }, \"rules\": [\n"
	     "{ \"allow\": \"read\", \"path\": [\"@{A}/\", \"/\\u0041{b,c}\"], \"id\": \"x\", \"reason\": \"why\" },\n"
	     "{ \"deny\": \"read\", \"path\": \"/a/\" }, { \"allow\": \"read\", \"path\": \"/a/b\" },\n"
	     "{ \"allow\": \"connect\", \"to\": [\"*\", \"tcp:10.0.0.1/8:80-90\", \"unix:@x\"] } ] }";
static const char part[] =
	"{ \"version\": 1, \"include\": \"other\", \"rules\": [ { \"deny\": \"exec\", \"path\": \"/part\" } ] }";
static const char other[] = "{ \"version\": 1, \"variables\": { \"C\": \"/c\" } }";
static const char bad[] =
	HEAD ALLOW "\"include\": \"none\", \"nam\": 1, \"rules\": [ { \"alow\": \"read\" },"
		   " { \"allow\": \"read\", \"path\": \"@{X}//\" }, { \"allow\": \"raed\", \"path\": \"a\" } ] }";

static size_t objects_count(const struct policy_set *set)
{
	size_t i, j, n = 0;

	for (i = 0; i < set->n_policies; i++) {
		for (j = 0; j < set->policies[i].n_rules; j++)
			n += 1 + set->policies[i].rules[j].n_objects;
	}
	return n;
}

/* Loads t.json with allocation number @at failing. */
static int load_failing(struct load *load, long at)
{
	const char *path = load_path(load, "t.json");
	int r;

	load_clear(load);
	failed = false;
	left = at;
	r = load_paths(load, &path, 1);
	left = -1;
	return r;
}

static long all_fail(struct load *load, int verdict, size_t n_objects, size_t n_errors)
{
	long at, refused = 0;

	for (at = 0;; at++) {
		int r = load_failing(load, at);

		if (!failed)
			break;
		refused += r == -ENOMEM;
		if (r == -ENOMEM)
			continue;
		assert_int_equal(r, verdict);
		if (r == 0)
			assert_int_equal(objects_count(load->set), n_objects);
		else
			assert_int_equal(load->diags.n_errors, n_errors);
	}
	print_message("%ld allocations failed one by one, %ld loads ended with it\n", at, refused);
	return refused;
}

static void no_allocation_that_fails_changes_what_a_set_says(void **state)
{
	struct load *load = *state;
	size_t n_objects;

	load_write(load, "t.json", good, strlen(good));
	load_write(load, "abs/part.json", part, strlen(part));
	load_write(load, "abs/other.json", other, strlen(other));
	assert_int_equal(load_file(load, "t.json"), 0);
	assert_int_equal(load->set->policies[0].n_rules, 5);
	n_objects = objects_count(load->set);
	load->options.look = true;
	assert_true(all_fail(load, 0, n_objects, 0) > 20);
}

static void no_allocation_that_fails_hides_an_error(void **state)
{
	struct load *load = *state;
	size_t n_errors;

	load_write(load, "t.json", bad, strlen(bad));
	assert_int_equal(load_file(load, "t.json"), POLICY_SET_REFUSED);
	n_errors = load->diags.n_errors;
	assert_true(n_errors > 3);
	assert_true(all_fail(load, POLICY_SET_REFUSED, 0, n_errors) > 20);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, load_setup, load_teardown)
	const struct CMUnitTest tests[] = {
		TEST(no_allocation_that_fails_changes_what_a_set_says),
		TEST(no_allocation_that_fails_hides_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void skipped(void **state)
{
	print_message("skipped: the sanitizer has allocations of its own\n");
	skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(skipped) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
