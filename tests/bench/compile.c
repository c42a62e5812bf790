// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * compile: what a set costs on its way from JSON to a verified image: times, bytes, and the most memory that each run held, the
 * set and the files' text included. Each line is a process of its own.
 *
 *	compile [CASE…]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/policy/image.h"
#include "agent/policy/set.h"

struct bench {
	const char *name;
	unsigned int n; /* rules */
	void (*write)(FILE *out, unsigned int n);
	double limit_ms; /* check and compile, DESIGN.md; 0: none */
};

/* As administrators and tools write them: files and directories, a few in each directory. */
static void write_literal(FILE *out, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		fprintf(out, "%s{\"allow\":%s,\"path\":\"/srv/app%u/data%u/%s-%u%s\"}", i ? ",\n" : "",
			i % 2 ? "\"read\"" : "[\"read\",\"write\"]", i / 2000, i / 20, i % 2 ? "file" : "dir", i,
			i % 2 ? ".txt" : "/");
}

/* Each file overlaps a rule for its directory tree, so that the answer for each takes two rules. */
static void write_stacked(FILE *out, unsigned int n)
{
	fprintf(out, "{\"allow\":\"read\",\"path\":\"/srv/\"}");
	for (unsigned int i = 1; i < n; i++)
		fprintf(out, ",\n{\"allow\":\"write\",\"path\":\"/srv/app%u/data%u/file-%u\"}", i / 2000, i / 20, i);
}

static void write_wildcards(FILE *out, unsigned int n)
{
	static const char *const ends[] = { "*.log", "cache-?/", "**/*.so", "[0-9]*.conf", "{a,b}-*" };

	for (unsigned int i = 0; i < n; i++)
		fprintf(out, "%s{\"allow\":\"read\",\"path\":\"/home/*/project-%u/%s\"}", i ? ",\n" : "", i,
			ends[i % 5]);
}

/* One rule for many, as a person would write it; and a rule for each. */
static void write_deep(FILE *out, unsigned int n)
{
	fprintf(out, "{\"deny\":\"read\",\"path\":[");
	for (unsigned int i = 0; i < n; i++)
		fprintf(out, "%s\"/srv/**/secret-%u/\"", i ? ",\n" : "", i * 7919);
	fprintf(out, "]}");
}

static void write_deep_rules(FILE *out, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		fprintf(out, "%s{\"deny\":\"read\",\"path\":\"/srv/**/secret-%u/\"}", i ? ",\n" : "", i * 7919);
}

static void write_networks(FILE *out, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		fprintf(out, "%s{\"allow\":\"connect\",\"to\":\"tcp:10.%u.%u.%u/%u:%u\"}", i ? ",\n" : "", i >> 16,
			i >> 8 & 255, i & 255, 24 + i % 9, 443 + i % 3);
}

static const struct bench benches[] = {
	{ "literal-1k", 1000, write_literal, 20 },
	{ "literal-100k", 100000, write_literal, 1000 },
	{ "literal-1m", 1000000, write_literal, 12000 },
	{ "stacked-100k", 100000, write_stacked, 0 },
	{ "wildcards-1k", 1000, write_wildcards, 0 },
	{ "wildcards-10k", 10000, write_wildcards, 0 },
	{ "deep-10k", 10000, write_deep, 0 },
	{ "deep-rules-100", 100, write_deep_rules, 0 },
	{ "networks-1k", 1000, write_networks, 0 },
	{ "networks-100k", 100000, write_networks, 0 },
};

static double milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void bench_write(const struct bench *bench, const char *path)
{
	FILE *out = fopen(path, "w");

	if (!out) {
		perror(path);
		exit(2);
	}
	fprintf(out,
		"{\"version\":1,\"name\":\"bench\",\"subject\":{\"exe\":\"/opt/bench/program\"},\"mode\":\"enforce\","
		"\"default\":\"allow\",\"rules\":[\n");
	bench->write(out, bench->n);
	fprintf(out, "]}\n");
	fclose(out);
}

static int bench_print(const struct bench *bench, const struct lsmd_image_header *image, const double at[4])
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("%-14s %8u %9.1f %9.1f %9.1f %11u %7.1f %9u %8u %8u %8u %9ld%s\n", bench->name, bench->n, at[1] - at[0],
	       at[2] - at[1], at[3] - at[2], image->size, (double)image->size / bench->n, image->nodes.n,
	       image->rows.n - 1, image->states.n - 1, image->intervals.n, usage.ru_maxrss,
	       bench->limit_ms && at[2] - at[0] > bench->limit_ms ? "  over its limit" : "");
	return 0;
}

static int bench_run(const struct bench *bench, const char *path)
{
	const struct policy_options options = { .paths = &path, .n_paths = 1, .force = true, .text_drop = true };
	struct lsmd_image_header *image;
	struct policy_set *set = NULL;
	struct diags diags = {};
	double at[4];
	size_t size;
	int r;

	at[0] = milliseconds();
	r = policy_set_load(&options, &diags, &set);
	at[1] = milliseconds();
	if (!r)
		r = image_build(set, &diags, &image, &size);
	at[2] = milliseconds();
	if (!r)
		r = image_verify(image, size);
	at[3] = milliseconds();
	if (r) {
		diags_print(&diags, set, stderr, false);
		printf("%-14s failed: %d\n", bench->name, r);
		return 1;
	}
	return bench_print(bench, image, at);
}

/* In a child, so that the memory is that of this run alone. */
static int bench_fork(const struct bench *bench, const char *dir)
{
	char path[64];
	int status = 1;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/bench.json", dir);
	bench_write(bench, path);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		int r = bench_run(bench, path);

		fflush(stdout);
		_exit(r);
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
	unlink(path);
	return status ? 1 : 0;
}

static int chosen(const struct bench *bench, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], bench->name))
			return 1;
	return argc < 2;
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/lsmd-bench-XXXXXX";
	int failed = 0;

	if (!mkdtemp(dir)) {
		perror(dir);
		return 2;
	}
	printf("%-14s %8s %9s %9s %9s %11s %7s %9s %8s %8s %8s %9s\n", "case", "rules", "check ms", "build ms",
	       "verify ms", "bytes", "a rule", "nodes", "rows", "states", "ranges", "peak KiB");
	for (size_t i = 0; i < sizeof(benches) / sizeof(*benches); i++)
		if (chosen(&benches[i], argc, argv))
			failed |= bench_fork(&benches[i], dir);
	rmdir(dir);
	return failed;
}
