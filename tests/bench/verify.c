// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * verify: what the verifier of the running kernel thinks of each program of an object, loaded by itself and never attached:
 * instructions processed, time, and the end of its log when it refuses.
 *
 *	verify OBJECT [PROGRAM]
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char log_text[8 << 20];

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN && getenv("VERIFY_DEBUG") ? vfprintf(stderr, format, args) : 0;
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - start->tv_sec) + (now.tv_nsec - start->tv_nsec) / 1e9;
}

static const char *log_tail(size_t bytes)
{
	size_t len = strlen(log_text);

	return log_text + (len > bytes ? len - bytes : 0);
}

/* Loads one program alone. Return: 0 when the verifier took it. */
static int verify_program(const char *path, const char *name, int log_level)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program;
	struct timespec start;
	const char *stats;
	int r;

	if (!object)
		return -1;
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, !strcmp(bpf_program__name(program), name));
	program = bpf_object__find_program_by_name(object, name);
	bpf_program__set_log_buf(program, log_text, sizeof(log_text));
	bpf_program__set_log_level(program, log_level);
	log_text[0] = '\0';
	clock_gettime(CLOCK_MONOTONIC, &start);
	r = bpf_object__load(object);
	stats = strstr(log_text, "processed ");
	printf("%-28s %-7s %7.3f s  %.*s\n", name, r ? "refused" : "ok", seconds_since(&start),
	       stats ? (int)strcspn(stats, "\n") : 0, stats ? stats : "");
	if (r || getenv("V_LOG"))
		printf("%s\n", log_tail(getenv("V_TAIL") ? atoi(getenv("V_TAIL")) : 4000));
	fflush(stdout);
	bpf_object__close(object);
	return r;
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	struct bpf_program *program;
	int failed = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: verify OBJECT [PROGRAM]\n");
		return 2;
	}
	libbpf_set_print(quiet);
	object = bpf_object__open_file(argv[1], NULL);
	if (!object) {
		fprintf(stderr, "verify: cannot open '%s'\n", argv[1]);
		return 1;
	}
	bpf_object__for_each_program(program, object) {
		const char *name = bpf_program__name(program);

		if (argc == 2 || !strcmp(argv[2], name))
			failed += !!verify_program(argv[1], name, getenv("V_LOG") ? atoi(getenv("V_LOG")) : argc == 2 ? 4 : 1);
	}
	bpf_object__close(object);
	return failed ? 1 : 0;
}
