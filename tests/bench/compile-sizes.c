// SPDX-License-Identifier: LGPL-2.1-or-later
/* Times of the compiler, from `compile`, which takes each size in a process of its own. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench.h"

static const struct {
	const char *name;
	unsigned int n;
} cases[PLAN_N_SIZES] = {
	{ "literal-1k", 1000 },
	{ "literal-100k", 100000 },
	{ "literal-1m", 1000000 },
};

static int line_read(const char *line, struct size_times *sizes)
{
	double check, build, verify, each, peak;
	unsigned int n, bytes, skipped[4];
	char name[32];

	if (sscanf(line, "%31s %u %lf %lf %lf %u %lf %u %u %u %u %lf", name, &n, &check, &build, &verify, &bytes, &each,
		   &skipped[0], &skipped[1], &skipped[2], &skipped[3], &peak) != 12)
		return 0;
	for (unsigned int i = 0; i < PLAN_N_SIZES; i++) {
		if (strcmp(cases[i].name, name))
			continue;
		sizes[i] = (struct size_times){ n, check, build, verify, bytes, peak, {} };
		return 1;
	}
	return 0;
}

int sizes_compile(struct size_times sizes[PLAN_N_SIZES])
{
	char command[512], self[256] = "", line[512], *slash;
	unsigned int found = 0;
	FILE *in;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return -errno;
	slash = strrchr(self, '/');
	*slash = '\0';
	snprintf(command, sizeof(command), "'%s/compile' %s %s %s", self, cases[0].name, cases[1].name, cases[2].name);
	in = popen(command, "r");
	if (!in)
		return -errno;
	while (fgets(line, sizeof(line), in))
		found += (unsigned int)line_read(line, sizes);
	if (pclose(in) || found != PLAN_N_SIZES) {
		fprintf(stderr, "bench: '%s' gave %u of %u sizes\n", command, found, PLAN_N_SIZES);
		return -EIO;
	}
	return 0;
}
