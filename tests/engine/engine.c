// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Holds all engines of this machine to the same answers: the case tables named as arguments, then random questions.
 * Prints TAP. Status 0: all passed; 1: not; 2: usage.
 */
#include "tests/engine/engine.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const struct engine *const table_engines[] = { &engine_oracle, &engine_core };
static const struct engine *const random_engines[] = { &engine_oracle, &engine_core, &engine_reread };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void usage(FILE *out)
{
	fprintf(out, "usage: engine [--cases N] [--seed S] [TABLE.cases...]\n"
		     "  --cases N  random questions (0)\n"
		     "  --seed S   of the random questions (1)\n");
}

static int number_read(const char *text, unsigned long *ret)
{
	char *end;

	*ret = strtoul(text, &end, 10);
	return *text && !*end ? 0 : 2;
}

/* 0, or 2 after a word on usage. */
static int options_read(int argc, char **argv, unsigned long *cases, unsigned long *seed)
{
	static const struct option options[] = {
		{ "cases", required_argument, NULL, 'c' },
		{ "seed", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option, r = 0;

	while (!r && (option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 'c') {
			r = number_read(optarg, cases);
		} else if (option == 's') {
			r = number_read(optarg, seed);
		} else if (option == 'h') {
			usage(stdout);
			exit(0);
		} else {
			r = 2;
		}
	}
	if (r || (optind == argc && *cases == 0)) {
		usage(stderr);
		return 2;
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long cases = 0, seed = 1;
	unsigned int n_tests = 0;
	int failed = 0;
	int r = options_read(argc, argv, &cases, &seed);

	if (r)
		return r;
	for (int i = optind; i < argc && r >= 0; i++) {
		r = table_run(table_engines, COUNT(table_engines), argv[i], &n_tests);
		failed += r > 0 ? r : 0;
	}
	if (r >= 0 && cases) {
		r = random_run(random_engines, COUNT(random_engines), cases, seed, &n_tests);
		failed += r > 0 ? r : 0;
	}
	if (r < 0) {
		printf("Bail out! %s\n", strerror(-r));
		return 1;
	}
	printf("1..%u\n# %u passed, %d failed\n", n_tests, n_tests - failed, failed);
	return failed ? 1 : 0;
}
