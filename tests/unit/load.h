/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For tests: policies as text, loaded from files of a folder that goes when the test ends. */
#ifndef LSMD_TESTS_UNIT_LOAD_H
#define LSMD_TESTS_UNIT_LOAD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "agent/policy/set.h"
#include "agent/util/cleanup.h"

#define HEAD "{ \"version\": 1, \"name\": \"t\", \"subject\": { \"exe\": \"/usr/bin/t\" }, "
#define ALLOW "\"default\": \"allow\", "
#define RULES(rules) HEAD ALLOW "\"rules\": [" rules "] }"

/* A folder, its sub-folder "abs" for abstractions, and what the last load gave. */
struct load {
	char dir[32];
	char abs[40];
	struct policy_options options;
	struct diags diags;
	struct policy_set *set;
	double seconds;
};

/* Of the processor: bounds hold on a busy machine too. What could wait for ever is ended by alarm(). */
static inline double clock_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static inline int load_setup(void **state)
{
	struct load *load = calloc(1, sizeof(*load));

	strcpy(load->dir, "/tmp/lsmd-test-XXXXXX");
	if (!mkdtemp(load->dir))
		return -1;
	snprintf(load->abs, sizeof(load->abs), "%s/abs", load->dir);
	*state = load;
	return mkdir(load->abs, 0700);
}

static inline void load_clear(struct load *load)
{
	policy_set_free(load->set);
	load->set = NULL;
	diags_clear(&load->diags);
}

static inline int load_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static inline int load_teardown(void **state)
{
	struct load *load = *state;

	load_clear(load);
	nftw(load->dir, load_remove, 8, FTW_DEPTH | FTW_PHYS);
	free(load);
	return 0;
}

/* Path of a name in the folder; one of four that take turns. */
static inline const char *load_path(struct load *load, const char *name)
{
	static char paths[4][300];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, 300, "%s/%s", load->dir, name);
	return path;
}

static inline void load_write(struct load *load, const char *name, const char *text, size_t len)
{
	FILE *file = fopen(load_path(load, name), "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static inline int load_paths(struct load *load, const char *const *paths, size_t n)
{
	static const char *abs;
	double start = clock_seconds();
	int r;

	load_clear(load);
	abs = load->abs;
	load->options.paths = paths;
	load->options.n_paths = n;
	load->options.abstraction_dirs = &abs;
	load->options.n_abstraction_dirs = 1;
	r = policy_set_load(&load->options, &load->diags, &load->set);
	load->seconds = clock_seconds() - start;
	return r;
}

static inline int load_file(struct load *load, const char *name)
{
	const char *path = load_path(load, name);

	return load_paths(load, &path, 1);
}

static inline int load_bytes(struct load *load, const char *text, size_t len)
{
	load_write(load, "t.json", text, len);
	return load_file(load, "t.json");
}

/* The one policy of a text that must load. */
static inline const struct policy *load_good(struct load *load, const char *text)
{
	int r = load_bytes(load, text, strlen(text));

	if (r) {
		print_message("%s\n", text);
		diags_print(&load->diags, load->set, stdout, false);
	}
	assert_int_equal(r, 0);
	assert_int_equal(load->set->n_policies, 1);
	return &load->set->policies[0];
}

static inline bool load_said(const struct load *load, const char *code)
{
	size_t i;

	for (i = 0; i < load->diags.n_diags; i++) {
		if (!strcmp(load->diags.diags[i].code, code))
			return true;
	}
	return false;
}

/* A text that must be refused, with this among what is said. */
static inline void load_bad(struct load *load, const char *text, const char *code)
{
	int r = load_bytes(load, text, strlen(text));

	if (r != POLICY_SET_REFUSED || !load_said(load, code)) {
		print_message("%s\n", text);
		diags_print(&load->diags, load->set, stdout, false);
	}
	assert_int_equal(r, POLICY_SET_REFUSED);
	assert_true(load_said(load, code));
	assert_int_equal(load->set->n_policies, 0);
	assert_true(load->set->refused);
}

#endif
