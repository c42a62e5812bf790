// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The swap: another image into the idle slot, one word flips, and the image before is freed when no decision can be reading
 * it any more. An image on trial leaves the one before in its slot, and a clock that every hook looks at goes back to it, unless
 * swap_settle() keeps the new one first.
 *
 * Decisions run under rcu_read_lock(); an update of an array-of-maps from user space returns only after a grace period
 * (maybe_wait_bpf_programs() in kernel/bpf/syscall.c), and that is what is waited for: once for the new image to be
 * seen by all, once after the flip before the old one goes.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "agent/kernel/side.h"
#include "agent/policy/image.h"
#include "agent/util/cleanup.h"

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static size_t value_bytes(const struct kernel *kernel)
{
	return (size_t)kernel->image_bytes + LSMD_IMAGE_SLACK;
}

/* image_map_write() - the image's bytes into a map, through a mapping that is gone afterwards */
static int image_map_write(const struct kernel *kernel, int fd, const struct lsmd_image_header *image, size_t size,
			   uint64_t generation)
{
	struct lsmd_image_header *mapped = mmap(NULL, value_bytes(kernel), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	int r;

	if (mapped == MAP_FAILED)
		return -errno;
	memcpy(mapped, image, size);
	mapped->generation = generation;
	r = image_verify(mapped, size); /* as the kernel will read it */
	munmap(mapped, value_bytes(kernel));
	return r ? -EIO : 0;
}

/* image_map_new() - a map that holds the image and that nobody can write from user space. Return: descriptor, -errno. */
static int image_map_new(const struct kernel *kernel, const struct lsmd_image_header *image, size_t size, uint64_t generation)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	_cleanup_close_ int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "lsmd_image", sizeof(uint32_t), value_bytes(kernel), 1,
						&options);
	int r;

	if (fd < 0)
		return -errno;
	r = image_map_write(kernel, fd, image, size, generation);
	if (r)
		return r;
	if (bpf_map_freeze(fd))
		return -errno;
	return TAKE_FD(fd);
}

void swap_forget(struct kernel *kernel)
{
	if (kernel->image)
		munmap(kernel->image, kernel->image_mapped);
	kernel->image = NULL;
	closep(&kernel->image_fd);
	kernel->image_fd = -1;
}

/* image_len() - bytes of the image in a map, in pages: more of the map would only count as the agent's memory. 0: errno says why */
static size_t image_len(int fd)
{
	size_t page = sysconf(_SC_PAGESIZE), size;
	struct lsmd_image_header *head = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);

	if (head == MAP_FAILED)
		return 0;
	size = head->size;
	munmap(head, page);
	return (size + page - 1) & ~(page - 1);
}

/* image_adopt() - the map is that of the image in force from now on; takes the descriptor */
static int image_adopt(struct kernel *kernel, int fd)
{
	size_t len = image_len(fd);
	void *mapped = len ? mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
	int r = mapped == MAP_FAILED ? -errno : 0;

	swap_forget(kernel);
	kernel->image_fd = fd;
	kernel->image = r ? NULL : mapped;
	kernel->image_mapped = len;
	return r;
}

static uint64_t boottime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

bool swap_on_trial(const struct kernel *kernel)
{
	return __atomic_load_n(&kernel->control->active, __ATOMIC_ACQUIRE) & LSMD_ACTIVE_TRIAL;
}

uint64_t swap_trial_left(const struct kernel *kernel)
{
	uint64_t now = boottime_ns(), end = kernel->control->deadline_ns;

	return now < end ? end - now : 0;
}

/* As control_active() of the programs reads it. */
uint64_t swap_generation(const struct kernel *kernel)
{
	uint64_t active = __atomic_load_n(&kernel->control->active, __ATOMIC_ACQUIRE);

	if (!(active & LSMD_ACTIVE_TRIAL))
		return active;
	return swap_trial_left(kernel) ? active & ~LSMD_ACTIVE_TRIAL : kernel->control->fallback;
}

/* The next one never used before that lies in the idle slot. */
static uint64_t generation_next(const struct kernel *kernel)
{
	uint64_t next = kernel->control->last + 1;

	return next + (kernel->control->active && !((next ^ kernel->control->active) & 1));
}

/* slot_open() - the map that holds @generation, by its id (CAP_SYS_ADMIN). Return: descriptor, -errno */
static int slot_open(struct kernel *kernel, uint64_t generation)
{
	uint32_t slot = generation & 1, id;
	int fd;

	if (bpf_map_lookup_elem(kernel->map_fds[SIDE_IMAGES], &slot, &id))
		return -errno;
	fd = bpf_map_get_fd_by_id(id);
	return fd < 0 ? -errno : fd;
}

int swap_open_active(struct kernel *kernel)
{
	uint64_t active = swap_generation(kernel);
	int fd, r;

	if (!active)
		return 0;
	fd = slot_open(kernel, active);
	r = fd < 0 ? fd : image_adopt(kernel, fd);
	if (r || !swap_on_trial(kernel) || active == kernel->control->fallback)
		return r;
	kernel->fallback_fd = slot_open(kernel, kernel->control->fallback);
	return kernel->fallback_fd < 0 ? kernel->fallback_fd : 0;
}

/* slot_set() - returns after a grace period */
static int slot_set(struct kernel *kernel, uint64_t generation, int fd)
{
	uint32_t slot = generation & 1;

	return bpf_map_update_elem(kernel->map_fds[SIDE_IMAGES], &slot, &fd, BPF_ANY) ? -errno : 0;
}

/* slot_clear() - nothing can be reading it: a failure to free it costs memory, no more */
static void slot_clear(struct kernel *kernel, uint64_t generation)
{
	uint32_t slot = generation & 1;

	bpf_map_delete_elem(kernel->map_fds[SIDE_IMAGES], &slot);
}

/* What is in force is put into its slot again, which waits. */
int swap_wait(struct kernel *kernel)
{
	return kernel->image ? slot_set(kernel, kernel->image->generation, kernel->image_fd) : 0;
}

int swap_end(struct kernel *kernel)
{
	uint64_t active = kernel->control->active;

	__atomic_store_n(&kernel->control->active, 0, __ATOMIC_SEQ_CST);
	return active ? slot_set(kernel, active, kernel->image_fd) : 0; /* for its grace period */
}

int swap_fill(struct kernel *kernel, const struct lsmd_image_header *image, size_t size, struct kernel_why *why)
{
	uint64_t next = generation_next(kernel);
	_cleanup_close_ int fd = image_map_new(kernel, image, size, next);
	int r = fd < 0 ? fd : slot_set(kernel, next, fd);

	if (r) {
		why_set(why, "cannot put the image into the kernel: %s", strerror(-r));
		return r;
	}
	kernel->control->last = next;
	return TAKE_FD(fd);
}

int swap_first(struct kernel *kernel, int fd)
{
	int r;

	files_ask(kernel);
	__atomic_store_n(&kernel->control->active, kernel->control->last, __ATOMIC_SEQ_CST);
	r = image_adopt(kernel, fd);
	files_check(kernel);
	return r;
}

int swap_image(struct kernel *kernel, const struct lsmd_image_header *image, size_t size, struct kernel_why *why,
	       struct kernel_times *times)
{
	uint64_t before = kernel->control->active, start = now_ns();
	int fd = swap_fill(kernel, image, size, why);
	int r;

	if (fd < 0)
		return fd;
	times->load_ns = now_ns() - start;
	start = now_ns();
	kernel->control->rejected = 0;
	files_ask(kernel);
	__atomic_store_n(&kernel->control->active, kernel->control->last, __ATOMIC_SEQ_CST);
	times->swap_ns = now_ns() - start;
	start = now_ns();
	r = image_adopt(kernel, fd);
	if (!swap_wait(kernel)) { /* else the slot stays: memory, no more */
		slot_clear(kernel, before);
		files_check(kernel);
	}
	times->grace_ns = now_ns() - start;
	return r;
}

/* The words beside `active` mean nothing until it says that there is a trial, and a grace period lies between. */
static void trial_write(struct lsmd_control *control, const struct lsmd_image_header *image, const struct kernel_trial *trial)
{
	control->fallback = control->active;
	control->trial = trial->kind;
	control->trial_key = trial->key;
	control->trial_sum = image->checksum;
	control->deadline_ns = boottime_ns() + trial->ns;
}

int swap_trial(struct kernel *kernel, const struct lsmd_image_header *image, size_t size, const struct kernel_trial *trial,
	       struct kernel_why *why, struct kernel_times *times)
{
	struct lsmd_control *control = kernel->control;
	uint64_t start = now_ns();
	int fd, r;

	trial_write(control, image, trial);
	fd = swap_fill(kernel, image, size, why);
	if (fd < 0)
		return fd;
	times->load_ns = now_ns() - start;
	start = now_ns();
	files_ask(kernel);
	__atomic_store_n(&control->active, control->last | LSMD_ACTIVE_TRIAL, __ATOMIC_SEQ_CST);
	times->swap_ns = now_ns() - start;
	kernel->fallback_fd = TAKE_FD(kernel->image_fd);
	r = image_adopt(kernel, fd);
	if (!swap_wait(kernel))
		files_check(kernel);
	return r;
}

/* trial_adopt() - what is in force from now on is the image that the agent looks at */
static int trial_adopt(struct kernel *kernel, uint64_t winner)
{
	int r = 0;

	if (kernel->image && kernel->image->generation != winner && kernel->fallback_fd >= 0)
		r = image_adopt(kernel, TAKE_FD(kernel->fallback_fd));
	closep(&kernel->fallback_fd);
	kernel->fallback_fd = -1;
	return r;
}

int swap_settle(struct kernel *kernel, bool keep)
{
	struct lsmd_control *control = kernel->control;
	uint64_t trial = control->active & ~LSMD_ACTIVE_TRIAL, winner = keep ? trial : control->fallback;
	int r;

	if (keep && !swap_trial_left(kernel))
		return KERNEL_TOO_LATE;
	/* Killed behind this line, the words say less than they could, and nothing wrong. */
	if (!keep && control->trial == LSMD_TRIAL_CONFIRM)
		control->rejected = control->trial_sum;
	files_ask(kernel);
	__atomic_store_n(&control->active, winner, __ATOMIC_SEQ_CST);
	control->trial = LSMD_TRIAL_NONE;
	r = trial_adopt(kernel, winner);
	if (!swap_wait(kernel)) {
		slot_clear(kernel, winner + 1); /* the other slot */
		files_check(kernel);
	}
	return r;
}
