// SPDX-License-Identifier: LGPL-2.1-or-later
/* Time, and what many samples of it say. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "tests/bench/bench.h"

uint64_t time_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

long preemptions(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nivcsw;
}

int processor_pin(void)
{
	cpu_set_t set;
	int last = -1;

	if (sched_getaffinity(0, sizeof(set), &set))
		return -errno;
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			last = i;
	CPU_ZERO(&set);
	CPU_SET(last, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : last;
}

void series_add(struct series *series, double sample)
{
	if (series->n < BENCH_ROUNDS_MAX)
		series->samples[series->n++] = sample;
}

static int sample_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double series_quantile(const struct series *series, double quantile)
{
	double sorted[BENCH_ROUNDS_MAX];

	if (!series->n)
		return 0;
	memcpy(sorted, series->samples, series->n * sizeof(*sorted));
	qsort(sorted, series->n, sizeof(*sorted), sample_compare);
	return sorted[(size_t)(quantile * (double)(series->n - 1) + 0.5)];
}
