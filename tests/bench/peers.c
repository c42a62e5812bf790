// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The same path rules through AppArmor's parser and through our compiler: text to bytes that the kernel would be given, nothing loaded.
 * Each in a process of its own, whose processor time is what counts: a busy machine stretches only the other one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/policy/image.h"
#include "agent/policy/set.h"
#include "tests/bench/bench.h"

#define PARSER "/usr/sbin/apparmor_parser"
#define ABI "/etc/apparmor.d/abi/3.0"

static const unsigned int counts[PEERS_N] = { 1000, 10000 };

/* Half files, two in five directories, one in ten with a wildcard. */
static void rule_write(FILE *out, unsigned int i, bool ours)
{
	const char *const end = i % 10 == 9 ? "cache-%u-*.dat" : i % 2 ? "file-%u.txt" : ours ? "dir-%u/" : "dir-%u/{,**}";
	const bool writes = i % 2 == 0;

	fprintf(out, ours ? "%s{\"allow\":%s,\"path\":\"/srv/app%u/data%u/" : "%s%s/srv/app%u/data%u/", i && ours ? ",\n" : "",
		!ours ? "  " : writes ? "[\"read\",\"write\"]" : "\"read\"", i / 2000, i / 20);
	fprintf(out, end, i);
	if (ours)
		fputs("\"}", out);
	else
		fprintf(out, " %s,\n", writes ? "rw" : "r");
}

static int rules_write(const char *path, unsigned int n, bool ours)
{
	FILE *out = fopen(path, "we");

	if (!out)
		return -errno;
	fputs(ours ? "{\"version\":1,\"name\":\"bench\",\"subject\":{\"exe\":\"/opt/bench/program\"},\"default\":\"allow\",\"rules\":["
		   : "abi <abi/3.0>,\nprofile bench /opt/bench/program {\n",
	      out);
	for (unsigned int i = 0; i < n; i++)
		rule_write(out, i, ours);
	fputs(ours ? "]}\n" : "}\n", out);
	return fclose(out) ? -errno : 0;
}

static int ours_compile(const char *path)
{
	const struct policy_options options = { .paths = &path, .n_paths = 1, .force = true, .text_drop = true };
	struct lsmd_image_header *image = NULL;
	struct policy_set *set = NULL;
	struct diags diags = {};
	size_t size;

	return policy_set_load(&options, &diags, &set) || image_build(set, &diags, &image, &size) || image_verify(image, size);
}

static void theirs_compile(const char *path)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	execl(PARSER, PARSER, "-Q", "-K", "-S", "-M", ABI, path, (char *)NULL);
	_exit(127);
}

static double time_ms(const struct timeval *time)
{
	return (double)time->tv_sec * 1e3 + (double)time->tv_usec / 1e3;
}

/* Processor time of a child that compiles the file. */
static int child_time(const char *path, bool ours, double *cpu_ms, double *peak_kib)
{
	struct rusage usage;
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		if (!ours)
			theirs_compile(path);
		_exit(ours_compile(path));
	}
	if (wait4(pid, &status, 0, &usage) < 0)
		return -errno;
	*cpu_ms = time_ms(&usage.ru_utime) + time_ms(&usage.ru_stime);
	*peak_kib = usage.ru_maxrss;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

static int peer_measure(unsigned int n, const char *dir, struct peer_times *ret)
{
	char path[64];
	int r = 0;

	ret->n = n;
	for (int ours = 1; ours >= 0 && !r; ours--) {
		snprintf(path, sizeof(path), "%s/%s", dir, ours ? "bench.json" : "bench.profile");
		r = rules_write(path, n, ours);
		if (!r)
			r = child_time(path, ours, &ret->cpu_ms[ours], &ret->peak_kib[ours]);
		unlink(path);
	}
	return r;
}

int peers_measure(struct peer_times peers[PEERS_N], const char **skipped)
{
	char dir[] = "/tmp/lsmd-bench-XXXXXX";
	int r = 0;

	*skipped = access(PARSER, X_OK) ? PARSER " is not installed (Debian: apparmor)" : access(ABI, R_OK) ? ABI " is missing" : NULL;
	if (*skipped)
		return 0;
	if (!mkdtemp(dir))
		return -errno;
	for (unsigned int i = 0; i < PEERS_N && !r; i++)
		r = peer_measure(counts[i], dir, &peers[i]);
	rmdir(dir);
	if (r)
		fprintf(stderr, "bench: the comparison with AppArmor's parser failed: %s\n", strerror(-r));
	return r;
}
