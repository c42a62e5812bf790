// SPDX-License-Identifier: LGPL-2.1-or-later
/* Numbers of the kernel side: counters, programs, maps. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "agent/kernel/side.h"
#include "agent/util/cleanup.h"

static const char *const hook_names[] = {
#define X(constant, name) [LSMD_HOOK_##constant] = name,
	LSMD_HOOKS(X)
#undef X
};

static int counts_sum(const struct kernel *kernel, uint64_t *ret)
{
	int n_cpus = libbpf_num_possible_cpus();
	_cleanup_free_ uint64_t *values = NULL;

	if (n_cpus < 0)
		return n_cpus;
	values = calloc(n_cpus, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (uint32_t count = 0; count < LSMD_N_COUNTS; count++) {
		if (bpf_map_lookup_elem(kernel->map_fds[SIDE_COUNTS], &count, values))
			return -errno;
		ret[count] = 0;
		for (int cpu = 0; cpu < n_cpus; cpu++)
			ret[count] += values[cpu];
	}
	return 0;
}

/* program_describe() - Return: 0, -ENOENT where this kernel has no such hook, -errno */
static int program_describe(const struct kernel *kernel, enum lsmd_hook hook, struct kernel_program *ret)
{
	_cleanup_close_ int program = pin_program_open(kernel, hook);
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	if (program < 0)
		return program;
	if (bpf_obj_get_info_by_fd(program, &info, &len))
		return -errno;
	snprintf(ret->name, sizeof(ret->name), "%s", hook_names[hook]);
	ret->id = info.id;
	ret->insns = info.xlated_prog_len / 8;
	ret->jited_bytes = info.jited_prog_len;
	ret->runs = info.run_cnt;
	ret->run_ns = info.run_time_ns;
	return 0;
}

static int programs_list(const struct kernel *kernel, struct kernel_stats *ret)
{
	ret->programs = calloc(LSMD_N_HOOKS, sizeof(*ret->programs));
	if (!ret->programs)
		return -ENOMEM;
	for (enum lsmd_hook hook = 0; hook < LSMD_N_HOOKS; hook++) {
		int r = program_describe(kernel, hook, &ret->programs[ret->n_programs]);

		if (!r)
			ret->n_programs++;
		else if (r != -ENOENT)
			return r;
	}
	return 0;
}

/* fd_memory() - what the kernel accounts for a map, from its fdinfo; 0 where it does not say */
static uint64_t fd_memory(int fd)
{
	_cleanup_fclose_ FILE *info = NULL;
	unsigned long long bytes = 0;
	char path[64], line[128];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "re");
	while (info && fgets(line, sizeof(line), info))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	return bytes;
}

static int map_describe(int fd, struct kernel_map *ret)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	snprintf(ret->name, sizeof(ret->name), "%s", info.name);
	ret->id = info.id;
	ret->bytes = fd_memory(fd);
	return 0;
}

static int maps_list(const struct kernel *kernel, struct kernel_stats *ret)
{
	ret->maps = calloc(SIDE_N_MAPS + 1, sizeof(*ret->maps));
	if (!ret->maps)
		return -ENOMEM;
	for (enum side_map map = 0; map < SIDE_N_MAPS; map++) {
		int r = map_describe(kernel->map_fds[map], &ret->maps[ret->n_maps]);

		if (r)
			return r;
		ret->n_maps++;
	}
	if (kernel->image_fd >= 0) {
		int r = map_describe(kernel->image_fd, &ret->maps[ret->n_maps]);

		if (r)
			return r;
		ret->n_maps++;
	}
	return 0;
}

int kernel_stats(struct kernel *kernel, struct kernel_stats *ret)
{
	struct kernel_stats stats = { .generation = kernel_generation(kernel) };
	int r = counts_sum(kernel, stats.counts);

	if (!r)
		r = programs_list(kernel, &stats);
	if (!r)
		r = maps_list(kernel, &stats);
	if (r) {
		kernel_stats_clear(&stats);
		return r;
	}
	*ret = stats;
	return 0;
}

void kernel_stats_clear(struct kernel_stats *stats)
{
	free(stats->programs);
	free(stats->maps);
	memset(stats, 0, sizeof(*stats));
}
