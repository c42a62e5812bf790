/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* glob.c: what names a pattern stands for, and where a mistake stands. What a name then matches: test-dfa.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/glob.h"

/*
 * One name as text: "=" exact, "+" with all below, ">" below only; then its bytes, with wildcards in angle brackets:
 * <?>, <*>, <**>, <**'/'> for a double star with its slash, <set N>.
 */
static void name_print(const struct glob *glob, const struct glob_name *name, FILE *out)
{
	fputc("=+>"[name->form], out);
	for (uint32_t i = 0; i < name->n; i++) {
		unsigned int item =
			name->literal ? (unsigned char)glob->bytes[name->first + i] : glob->items[name->first + i];

		if (item < 256)
			fputc((int)item, out);
		else if (item == GLOB_ANY)
			fputs("<?>", out);
		else if (item == GLOB_STAR)
			fputs("<*>", out);
		else if (item == GLOB_DEEP)
			fputs("<**>", out);
		else if (item == GLOB_DEEP_SLASH)
			fputs("<**'/'>", out);
		else
			fprintf(out, "<set %u>", item - GLOB_SET);
	}
	if (name->last_literal)
		fputc('.', out);
}

/* All names of a pattern, joined by spaces; owned by the caller. */
static char *names_of(const char *pattern, size_t len, enum glob_kind kind)
{
	struct glob glob = {};
	struct glob_error error = {};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (glob_read(&glob, pattern, len, kind, &error))
		fprintf(out, "refused at %zu: %s", error.offset, error.message);
	for (size_t i = 0; i < glob.n_names && !error.message; i++) {
		if (i)
			fputc(' ', out);
		name_print(&glob, &glob.names[i], out);
	}
	fclose(out);
	glob_clear(&glob);
	return text;
}

static void expect(const char *pattern, enum glob_kind kind, const char *names)
{
	char *got = names_of(pattern, strlen(pattern), kind);

	if (strcmp(got, names))
		fail_msg("'%s' reads as '%s', not as '%s'", pattern, got, names);
	free(got);
}

static void literal_names_have_their_form(void **state)
{
	expect("/", GLOB_PATH, "+");
	expect("/a", GLOB_PATH, "=/a.");
	expect("/a/b.c", GLOB_PATH, "=/a/b.c.");
	expect("/a/b/", GLOB_PATH, "+/a/b");
	expect("/a/b/**", GLOB_PATH, ">/a/b");
	expect("/**", GLOB_PATH, ">");
	expect("/a/**/", GLOB_PATH, ">/a");
	expect("/a/**/**", GLOB_PATH, ">/a");
	expect("/...", GLOB_PATH, "=/....");
	expect("/.a/..b/a.", GLOB_PATH, "=/.a/..b/a..");
	expect("/a,b", GLOB_PATH, "=/a,b.");
	expect("/a]b!^-", GLOB_PATH, "=/a]b!^-.");
}

static void wildcards_are_items(void **state)
{
	expect("/a*", GLOB_PATH, "=/a<*>");
	expect("/*/b", GLOB_PATH, "=/<*>/b.");
	expect("/a?b", GLOB_PATH, "=/a<?>b");
	expect("/a/[0-9]x", GLOB_PATH, "=/a/<set 0>x");
	expect("/[a]/[b]/[a]", GLOB_PATH, "=/<set 0>/<set 1>/<set 0>");
	expect("/a**b", GLOB_PATH, "=/a<**>b");
	expect("/a**", GLOB_PATH, "=/a<**>");
	expect("/a/**b", GLOB_PATH, "=/a/<**>b");
	expect("/*/", GLOB_PATH, "+/<*>");
	expect("/*/**", GLOB_PATH, ">/<*>");
}

static void a_double_star_between_slashes_takes_its_slash(void **state)
{
	expect("/a/**/b", GLOB_PATH, "=/a/<**'/'>b.");
	expect("/**/b", GLOB_PATH, "=/<**'/'>b.");
	expect("/**/**/b", GLOB_PATH, "=/<**'/'><**'/'>b.");
	expect("/a\\/**\\x2fb", GLOB_PATH, "=/a/<**'/'>b.");
	expect("/a**/b", GLOB_PATH, "=/a<**>/b.");
	expect("/**/*/", GLOB_PATH, "+/<**'/'><*>");
}

static void escapes_give_bytes(void **state)
{
	expect("/\\*\\?\\[\\{\\}\\\\\\,", GLOB_PATH, "=/*?[{}\\,.");
	expect("/\\x41\\x2a\\xfF", GLOB_PATH, "=/A*\xff.");
	expect("/\\a\\ b", GLOB_PATH, "=/a b.");
	expect("/{a\\,b,c\\}}", GLOB_PATH, "=/a,b. =/c}.");
}

static void braces_are_written_out_in_order(void **state)
{
	expect("/{a,b}", GLOB_PATH, "=/a. =/b.");
	expect("/x{,y}", GLOB_PATH, "=/x. =/xy.");
	expect("/{a,b}/{c,d}", GLOB_PATH, "=/a/c. =/a/d. =/b/c. =/b/d.");
	expect("/{a,{b,c}d,e}f", GLOB_PATH, "=/af. =/bdf. =/cdf. =/ef.");
	expect("/{a}", GLOB_PATH, "=/a.");
	expect("/a{}", GLOB_PATH, "=/a.");
	expect("{/a,/b/*}/c", GLOB_PATH, "=/a/c. =/b/<*>/c.");
	expect("/{{{a}}}", GLOB_PATH, "=/a.");
}

static void each_alternative_has_its_own_end(void **state)
{
	expect("/d{/,/**,,/x,*}", GLOB_PATH, "+/d >/d =/d. =/d/x. =/d<*>");
	expect("/d{/,x}", GLOB_PATH, "+/d =/dx.");
	expect("/{null,tty*}", GLOB_PATH, "=/null. =/tty<*>");
	expect("/{*,a}*", GLOB_PATH, "> =/a<*>");
	expect("/a/{*,}*/b", GLOB_PATH, "=/a/<**'/'>b. =/a/<*>/b.");
}

static void abstract_names_are_plain_bytes(void **state)
{
	expect("a//b/../.", GLOB_ABSTRACT, "=a//b/../..");
	expect("", GLOB_ABSTRACT, "=.");
	expect("a/", GLOB_ABSTRACT, "+a");
	expect("a/**", GLOB_ABSTRACT, ">a");
	expect("**", GLOB_ABSTRACT, "=<**>");
	expect("/tmp/*-[0-9]", GLOB_ABSTRACT, "=/tmp/<*>-<set 0>");
	char *got = names_of("a\0b", 3, GLOB_ABSTRACT);

	assert_memory_equal(got, "=a\0b.", 5);
	free(got);
}

static void a_mistake_has_its_place(void **state)
{
	static const struct {
		const char *pattern;
		size_t offset;
		size_t len;
		const char *message;
	} mistakes[] = {
		{ "", 0, 0, "a pattern starts with '/'" },
		{ "a/b", 0, 1, "a pattern starts with '/'" },
		{ "*", 0, 1, "a pattern starts with '/'" },
		{ "/a//b", 3, 1, "an empty component" },
		{ "//", 0, 1, "an empty component" },
		{ "/a\\/", 2, 2, "an empty component" },
		{ "/a/./b", 3, 1, "a component '.'" },
		{ "/a/.", 3, 1, "a component '.'" },
		{ "/a/../b", 3, 2, "a component '..'" },
		{ "/a/{.,..}{.,b}", 4, 7, "a component '..'" },
		{ "/usr/{,local}/bin", 13, 1, "an empty component" },
		{ "/a/**//b", 6, 1, "an empty component" },
		{ "/a***", 2, 3, "more than two stars" },
		{ "/{*,a}**", 6, 2, "more than two stars" },
		{ "/a[b", 2, 1, "'[' is never closed" },
		{ "/a[]b", 2, 2, "these brackets name no byte" },
		{ "/a[!]b", 2, 3, "these brackets name no byte" },
		{ "/a[\\x00]", 2, 6, "these brackets match no byte" },
		{ "/a[b/c]", 4, 1, "brackets never match '/'" },
		{ "/a[z-a]", 3, 3, "the range runs backwards" },
		{ "/a{b", 2, 1, "'{' is never closed" },
		{ "/{a,{b,c}", 1, 1, "'{' is never closed" },
		{ "/a}b", 2, 1, "'}' closes nothing" },
		{ "/a\\", 2, 1, "the pattern ends in a backslash" },
		{ "/a\\x4", 2, 2, "'\\x' wants two hexadecimal digits" },
		{ "/a\\xg0", 2, 2, "'\\x' wants two hexadecimal digits" },
		{ "/a\\x00", 2, 4, "the name of a file never holds the byte 0" },
	};

	for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		struct glob_error error = {};
		int r = glob_check(mistakes[i].pattern, strlen(mistakes[i].pattern), GLOB_PATH, &error);

		if (r != GLOB_REFUSED)
			fail_msg("'%s' gives %d", mistakes[i].pattern, r);
		if (error.offset != mistakes[i].offset || error.len != mistakes[i].len ||
		    strncmp(error.message, mistakes[i].message, strlen(mistakes[i].message)))
			fail_msg("'%s': %zu+%zu '%s'", mistakes[i].pattern, error.offset, error.len, error.message);
		assert_non_null(error.mend);
		assert_int_equal(glob_check(mistakes[i].pattern, strlen(mistakes[i].pattern), GLOB_PATH, NULL), r);
	}
}

/* @before, then @n times @unit. */
static char *repeated(const char *before, const char *unit, size_t n)
{
	char *text = malloc(strlen(before) + n * strlen(unit) + 1), *at = stpcpy(text, before);

	while (n--)
		at = stpcpy(at, unit);
	return text;
}

static void expect_bound(const char *before, const char *unit, size_t n_good, enum glob_kind kind, const char *message)
{
	char *good = repeated(before, unit, n_good), *bad = repeated(before, unit, n_good + 1);
	struct glob_error error = {};

	assert_int_equal(glob_check(good, strlen(good), kind, &error), 0);
	assert_int_equal(glob_check(bad, strlen(bad), kind, &error), GLOB_REFUSED);
	if (!strstr(error.message, message))
		fail_msg("%s...: '%s'", before, error.message);
	free(good);
	free(bad);
}

static void bounds_are_kept_and_said(void **state)
{
	expect_bound("/", "a", 255, GLOB_PATH, "255 bytes");
	expect_bound("/*", "a", 255, GLOB_PATH, "255 bytes");
	expect_bound("", "/a", 64, GLOB_PATH, "64 components");
	expect_bound("", "/*", 64, GLOB_PATH, "64 components");
	expect_bound("/0123456789012345678901234567890123456789a", "/a", 62, GLOB_PATH, "64 components");
	expect_bound("", "a", 107, GLOB_ABSTRACT, "107 bytes");
	expect_bound("/a", "{b}", 64, GLOB_PATH, "64 groups");
	expect_bound("/", "{,b}", 12, GLOB_ABSTRACT, "too many names");
	expect_bound("", "[a]b", 107, GLOB_ABSTRACT, "107 bytes");
	expect_bound("/*/", "?", GLOB_LEN_MAX - 3, GLOB_PATH, "16384 bytes");
}

static void many_long_alternatives_stop_early(void **state)
{
	char *long_end = repeated("", "{a,b}[cd]", 12), *pattern = repeated(long_end, "?", 200);
	struct glob_error error = {};
	char *path = malloc(strlen(pattern) + 2);

	sprintf(path, "/%s", pattern);
	assert_int_equal(glob_check(path, strlen(path), GLOB_PATH, &error), 0);
	free(path);
	path = repeated("", "{a,b}", 11);
	pattern = realloc(pattern, strlen(path) + 15000);
	sprintf(pattern, "%s", path);
	memset(pattern + strlen(path), '?', 14000);
	pattern[strlen(path) + 14000] = '\0';
	assert_int_equal(glob_check(pattern, strlen(pattern), GLOB_ABSTRACT, &error), GLOB_REFUSED);
	assert_non_null(strstr(error.message, "too many names"));
	free(path);
	free(pattern);
	free(long_end);
}

/* Patterns without a special byte are read in one pass: they must mean what the long way makes of them. */
static void the_short_cut_agrees_with_the_long_way(void **state)
{
	static const char bytes[] = "ab./..//-,!^]\x80z";
	char pattern[64], braced[80];

	srandom(1);
	for (int i = 0; i < 200000; i++) {
		size_t n = (size_t)random() % 12;
		char *a, *b;

		pattern[0] = '/';
		for (size_t k = 1; k <= n; k++)
			pattern[k] = bytes[(size_t)random() % (sizeof(bytes) - 1)];
		pattern[n + 1] = '\0';
		snprintf(braced, sizeof(braced), "{}%s", pattern);
		a = names_of(pattern, n + 1, GLOB_PATH);
		b = names_of(braced, n + 3, GLOB_PATH);
		if (strncmp(a, "refused", 7) ? strcmp(a, b) : strncmp(b, "refused", 7))
			fail_msg("'%s': '%s', '%s'", pattern, a, b);
		free(a);
		free(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literal_names_have_their_form),
		cmocka_unit_test(wildcards_are_items),
		cmocka_unit_test(a_double_star_between_slashes_takes_its_slash),
		cmocka_unit_test(escapes_give_bytes),
		cmocka_unit_test(braces_are_written_out_in_order),
		cmocka_unit_test(each_alternative_has_its_own_end),
		cmocka_unit_test(abstract_names_are_plain_bytes),
		cmocka_unit_test(a_mistake_has_its_place),
		cmocka_unit_test(bounds_are_kept_and_said),
		cmocka_unit_test(many_long_alternatives_stop_early),
		cmocka_unit_test(the_short_cut_agrees_with_the_long_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
