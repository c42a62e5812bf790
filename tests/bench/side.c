// SPDX-License-Identifier: LGPL-2.1-or-later
/* The kernel side of the bench: bench.bpf.c loaded, this process labelled, images put in force. Nothing is attached or pinned. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "agent/kernel/side.h"
#include "agent/util/cleanup.h"
#include "tests/bench/bench.h"
#include "tests/bench/bench.skel.h"

static const char *const program_names[PROGRAM_N] = {
	[PROGRAM_EMPTY] = "bench_empty",       [PROGRAM_FILE_OPEN] = "bench_file_open",
	[PROGRAM_LABEL] = "bench_label",       [PROGRAM_CLAIM] = "bench_claim",
	[PROGRAM_ENTER] = "bench_enter_leave", [PROGRAM_WALK] = "bench_walk",
	[PROGRAM_FIND] = "bench_find",	       [PROGRAM_EMPTY_SOCKET] = "bench_empty_socket",
	[PROGRAM_CONNECT] = "bench_connect",   [PROGRAM_USE] = "bench_use",
};

struct side {
	struct lsmd_bench *skel;
	struct ring_buffer *ring;
	struct kernel *kernel; /* as the agent sees it */
	size_t value_bytes;
	uint64_t generation; /* last one given */
	int links[PROGRAM_N];
	int maps[PLAN_IMAGES_MAX];
	uint64_t generations[PLAN_IMAGES_MAX];
	int n_maps;
};

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

static int event_drop(void *data, void *bytes, size_t size)
{
	return 0;
}

/* programs_choose() - the iterators of this bench and the one that labels; the LSM programs stay out */
static void programs_choose(struct lsmd_bench *skel)
{
	struct bpf_program *program;

	bpf_object__for_each_program (program, skel->obj) {
		const char *name = bpf_program__name(program);

		bpf_program__set_autoload(program, !strncmp(name, "bench_", 6) || !strcmp(name, "lsmd_label_tasks") ||
							    !strcmp(name, "lsmd_check_files"));
	}
}

/* image_bytes_round() - the size class, as the agent chooses it but for the room to grow */
static size_t image_bytes_round(size_t bytes)
{
	size_t class = LSMD_IMAGE_BYTES_MIN;

	while (class < bytes && class < LSMD_IMAGE_BYTES_MAX)
		class *= 2;
	return class;
}

/* iterate() - read an iterator over the tasks (or files) of this process to its end. Return: ns, -errno */
static int64_t iterate(int link)
{
	_cleanup_close_ int fd = bpf_iter_create(link);
	uint64_t start;
	char bytes[64];
	ssize_t n;

	if (fd < 0)
		return -errno;
	start = time_ns();
	do
		n = read(fd, bytes, sizeof(bytes));
	while (n > 0);
	return n < 0 ? -errno : (int64_t)(time_ns() - start);
}

/* link_self() - an iterator that sees this process only. Return: descriptor, -errno */
static int link_self(const struct bpf_program *program)
{
	union bpf_iter_link_info info = { .task.pid = (uint32_t)getpid() };
	LIBBPF_OPTS(bpf_link_create_opts, options, .iter_info = &info, .iter_info_len = sizeof(info));
	int fd = bpf_link_create(bpf_program__fd(program), 0, BPF_TRACE_ITER, &options);

	return fd < 0 ? -errno : fd;
}

static int links_open(struct side *side)
{
	for (enum program p = 0; p < PROGRAM_N; p++) {
		side->links[p] = link_self(bpf_object__find_program_by_name(side->skel->obj, program_names[p]));
		if (side->links[p] < 0)
			return side->links[p];
	}
	return 0;
}

/* self_label() - the agent's own iterator, told to look at this process alone */
static int self_label(struct side *side)
{
	_cleanup_close_ int link = link_self(side->skel->progs.lsmd_label_tasks);
	int64_t r = link < 0 ? link : iterate(link);

	return r < 0 ? (int)r : 0;
}

static int kernel_fill(struct side *side)
{
	struct kernel *kernel = side_new();
	void *mapped;

	if (!kernel)
		return -ENOMEM;
	side->kernel = kernel;
	kernel->image_bytes = (uint32_t)(side->value_bytes - LSMD_IMAGE_SLACK);
	kernel->map_fds[SIDE_IMAGES] = dup(bpf_map__fd(side->skel->maps.lsmd_images));
	mapped = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
		      bpf_map__fd(side->skel->maps.lsmd_control), 0);
	if (mapped == MAP_FAILED)
		return -errno;
	kernel->control = mapped;
	kernel->check_files_fd = dup(bpf_program__fd(side->skel->progs.lsmd_check_files));
	return 0;
}

static int side_load(struct side *side, size_t image_bytes)
{
	size_t class = image_bytes_round(image_bytes);
	struct bpf_map *inner;

	side->value_bytes = class + LSMD_IMAGE_SLACK;
	side->skel = lsmd_bench__open();
	if (!side->skel)
		return -errno;
	side->skel->rodata->lsmd_image_mask = (uint32_t) class - 1;
	side->skel->rodata->bench_first_fd = BENCH_FIRST_FD;
	inner = bpf_map__inner_map(side->skel->maps.lsmd_images);
	programs_choose(side->skel);
	return bpf_map__set_value_size(inner, (uint32_t)side->value_bytes) ?: lsmd_bench__load(side->skel);
}

static int side_prepare(struct side *side, size_t image_bytes)
{
	int r = side_load(side, image_bytes);

	if (!r)
		r = links_open(side);
	if (!r)
		r = kernel_fill(side);
	if (!r)
		r = self_label(side);
	if (r)
		return r;
	side->ring = ring_buffer__new(bpf_map__fd(side->skel->maps.lsmd_denials), event_drop, NULL, NULL);
	return side->ring ? 0 : -errno;
}

int side_open(size_t image_bytes, struct side **ret)
{
	struct side *side = calloc(1, sizeof(*side));
	int r;

	if (!side)
		return -ENOMEM;
	memset(side->links, -1, sizeof(side->links));
	libbpf_set_print(quiet);
	r = side_prepare(side, image_bytes);
	if (r) {
		fprintf(stderr,
			"bench: this kernel does not take the programs as iterators (%s). Needed: root, CONFIG_DEBUG_INFO_BTF, "
			"iter/task_file programs and bpf_rdonly_cast() (Linux 6.2 or later)\n",
			strerror(-r));
		side_close(side);
		return r;
	}
	*ret = side;
	return 0;
}

void side_close(struct side *side)
{
	if (!side)
		return;
	ring_buffer__free(side->ring);
	for (enum program p = 0; p < PROGRAM_N; p++)
		closep(&side->links[p]);
	for (int i = 0; i < side->n_maps; i++)
		closep(&side->maps[i]);
	kernel_free(side->kernel);
	lsmd_bench__destroy(side->skel);
	free(side);
}

static int image_write(const struct side *side, int fd, const struct lsmd_image_header *image, size_t size)
{
	struct lsmd_image_header *to = mmap(NULL, side->value_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (to == MAP_FAILED)
		return -errno;
	memcpy(to, image, size);
	to->generation = side->generation;
	munmap(to, side->value_bytes);
	return bpf_map_freeze(fd) ? -errno : 0;
}

/* All of them take turns in slot 0, so generations are even. */
int side_add(struct side *side, const struct lsmd_image_header *image, size_t size)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	_cleanup_close_ int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "lsmd_image", sizeof(uint32_t),
						(uint32_t)side->value_bytes, 1, &options);
	int r;

	if (fd < 0)
		return -errno;
	side->generation = (side->generation | 1) + 1;
	r = image_write(side, fd, image, size);
	if (r)
		return r;
	side->generations[side->n_maps] = side->generation;
	side->maps[side->n_maps] = TAKE_FD(fd);
	return side->n_maps++;
}

int side_use(struct side *side, int image)
{
	uint32_t slot = 0;

	if (bpf_map_update_elem(side->kernel->map_fds[SIDE_IMAGES], &slot, &side->maps[image], BPF_ANY))
		return -errno;
	__atomic_store_n(&side->kernel->control->active, side->generations[image], __ATOMIC_SEQ_CST);
	side->kernel->control->files = 0; /* nobody holds what it may not open, as on most machines; this process does */
	return 0;
}

int side_swap(struct side *side, const struct lsmd_image_header *image, size_t size, struct side_times *times)
{
	struct kernel_times taken = {};
	struct kernel_why why = {};
	int r = swap_image(side->kernel, image, size, &why, &taken);

	if (r) {
		fprintf(stderr, "bench: %s\n", why.text);
		return r;
	}
	side->generation = side->kernel->control->active;
	times->load_ms = (double)taken.load_ns / 1e6;
	times->swap_us = (double)taken.swap_ns / 1e3;
	times->grace_ms = (double)taken.grace_ns / 1e6;
	return 0;
}

void side_address(struct side *side, const void *address, uint32_t len)
{
	memcpy(side->skel->bss->bench_address, address, len);
	side->skel->bss->bench_address_len = len;
}

int64_t side_run(struct side *side, enum program program, uint64_t *runs, uint64_t *refused)
{
	int64_t ns;

	side->skel->bss->bench_runs = 0;
	side->skel->bss->bench_refused = 0;
	ns = iterate(side->links[program]);
	*runs = side->skel->bss->bench_runs;
	*refused = side->skel->bss->bench_refused;
	ring_buffer__consume(side->ring);
	return ns;
}
