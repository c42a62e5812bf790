// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * bench: what a decision costs on this machine, natively, without attaching anything.
 *
 *	bench [JSON MARKDOWN]
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench.h"

#define ROUNDS 31

static unsigned int rounds_wanted(void)
{
	const char *text = getenv("BENCH_ROUNDS");
	unsigned long n = text ? strtoul(text, NULL, 10) : ROUNDS;

	return n >= 1 && n <= BENCH_ROUNDS_MAX ? (unsigned int)n : ROUNDS;
}

int main(int argc, char **argv)
{
	struct plan *plan;
	int r;

	if (geteuid()) {
		fprintf(stderr, "bench: loading BPF programs needs root; run `make bench` as root\n");
		return 1;
	}
	plan = calloc(1, sizeof(*plan));
	if (!plan)
		return 1;
	plan->rounds = rounds_wanted();
	r = plan_run(plan);
	if (!r)
		r = report_write(plan, stdout, argc > 1 ? argv[1] : NULL, argc > 2 ? argv[2] : NULL);
	free(plan);
	return r ? 1 : 0;
}
