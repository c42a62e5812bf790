/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * compile.c and all below it, with memory that runs out at every single allocation, one after the other: the answer is -ENOMEM or
 * the very same image, never one that holds less.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/image.h"
#include "tests/unit/good-set.h"

#ifndef __SANITIZE_ADDRESS__

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

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

void *aligned_alloc(size_t alignment, size_t size)
{
	return fails() ? NULL : __libc_memalign(alignment, size);
}

/* Builds with allocation number @at failing. Return: is there an allocation of that number? */
static bool build_failing(const struct lsmd_image_header *wanted, size_t wanted_size, long at)
{
	struct lsmd_image_header *image = NULL;
	struct diags diags = {};
	size_t size = 0;
	int r;

	failed = false;
	left = at;
	r = image_build(&good, &diags, &image, &size);
	left = -1;
	if (r && r != -ENOMEM)
		fail_msg("allocation %ld: %d", at, r);
	if (!r) {
		assert_int_equal(size, wanted_size);
		assert_memory_equal(image, wanted, size);
	}
	assert_true(r ? failed && !image : true);
	assert_int_equal(diags.n_diags, 0);
	free(image);
	return failed;
}

static void memory_that_runs_out_gives_no_other_image(void **state)
{
	struct lsmd_image_header *wanted;
	struct diags diags = {};
	size_t size;
	long at = 0;

	assert_int_equal(image_build(&good, &diags, &wanted, &size), 0);
	while (build_failing(wanted, size, at))
		at++;
	/* A set with every kind of object needs some hundred; fewer, and the failing would not have worked. */
	assert_true(at > 100);
	free(wanted);
}

#else

static void memory_that_runs_out_gives_no_other_image(void **state)
{
	skip();
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_that_runs_out_gives_no_other_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
