// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Holds all engines of this machine to the same answers: the case tables named as arguments, then random questions.
 * Prints TAP. Status 0: all passed; 1: not; 2: usage.
 */
#include "tests/engine/engine.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* The last one only where it is asked for. */
static const struct engine *const table_engines[] = { &engine_oracle, &engine_core, &engine_bpf };
static const struct engine *const random_engines[] = { &engine_oracle, &engine_core, &engine_reread, &engine_bpf };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct options {
	unsigned long cases;
	unsigned long diffs;
	unsigned long seed;
	bool bpf;
};

static void usage(FILE *out)
{
	fprintf(out, "usage: engine [--bpf] [--cases N] [--diffs N] [--seed S] [TABLE.cases...]\n"
		     "  --bpf      the core as a BPF program too: needs root, attaches nothing\n"
		     "  --cases N  random questions (0)\n"
		     "  --diffs N  random pairs of sets that image_diff() compares (0)\n"
		     "  --seed S   of the random questions (1)\n");
}

static int number_read(const char *text, unsigned long *ret)
{
	char *end;

	*ret = strtoul(text, &end, 10);
	return *text && !*end ? 0 : 2;
}

/* 0, or 2 after a word on usage. */
static int options_read(int argc, char **argv, struct options *ret)
{
	static const struct option options[] = {
		{ "bpf", no_argument, NULL, 'b' },
		{ "cases", required_argument, NULL, 'c' },
		{ "diffs", required_argument, NULL, 'd' },
		{ "seed", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option, r = 0;

	while (!r && (option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 'b') {
			ret->bpf = true;
		} else if (option == 'c') {
			r = number_read(optarg, &ret->cases);
		} else if (option == 'd') {
			r = number_read(optarg, &ret->diffs);
		} else if (option == 's') {
			r = number_read(optarg, &ret->seed);
		} else if (option == 'h') {
			usage(stdout);
			exit(0);
		} else {
			r = 2;
		}
	}
	if (r || (optind == argc && ret->cases + ret->diffs == 0)) {
		usage(stderr);
		return 2;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = { .seed = 1 };
	unsigned int n_tests = 0;
	int failed = 0;
	int r = options_read(argc, argv, &options);

	if (r)
		return r;
	for (int i = optind; i < argc && r >= 0; i++) {
		r = table_run(table_engines, COUNT(table_engines) - !options.bpf, argv[i], &n_tests);
		failed += r > 0 ? r : 0;
	}
	if (r >= 0 && options.cases) {
		r = random_run(random_engines, COUNT(random_engines) - !options.bpf, options.cases, options.seed,
			       &n_tests);
		failed += r > 0 ? r : 0;
	}
	if (r >= 0 && options.diffs) {
		r = diff_run(options.diffs, options.seed, &n_tests);
		failed += r > 0 ? r : 0;
	}
	if (r < 0) {
		printf("Bail out! %s\n", strerror(-r));
		return 1;
	}
	printf("1..%u\n# %u passed, %d failed\n", n_tests, n_tests - failed, failed);
	return failed ? 1 : 0;
}
