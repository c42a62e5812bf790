// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The swap: another image into the idle slot, one word flips, and the image before is freed when no decision can be reading
 * it any more.
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

int swap_open_active(struct kernel *kernel)
{
	uint64_t active = __atomic_load_n(&kernel->control->active, __ATOMIC_ACQUIRE);
	uint32_t slot = active & 1, id;
	int fd;

	if (!active)
		return 0;
	if (bpf_map_lookup_elem(kernel->map_fds[SIDE_IMAGES], &slot, &id))
		return -errno;
	fd = bpf_map_get_fd_by_id(id);
	return fd < 0 ? -errno : image_adopt(kernel, fd);
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

int swap_end(struct kernel *kernel)
{
	uint64_t active = kernel->control->active;

	__atomic_store_n(&kernel->control->active, 0, __ATOMIC_SEQ_CST);
	return active ? slot_set(kernel, active, kernel->image_fd) : 0; /* for its grace period */
}

int swap_image(struct kernel *kernel, const struct lsmd_image_header *image, size_t size, struct kernel_why *why,
	       struct kernel_times *times)
{
	uint64_t active = kernel->control->active, next = active + 1, start = now_ns();
	_cleanup_close_ int fd = -1;
	int r;

	if (size > kernel->image_bytes) {
		why_set(why, "the policies take %zu bytes, and the programs were loaded for %u; 'lsmctl unload' and start lsmd again",
			size, kernel->image_bytes);
		return KERNEL_UNABLE;
	}
	fd = image_map_new(kernel, image, size, next);
	if (fd < 0) {
		why_set(why, "cannot put the image into the kernel: %s", strerror(-fd));
		return fd;
	}
	r = slot_set(kernel, next, fd);
	if (r)
		return r;
	times->load_ns = now_ns() - start;
	start = now_ns();
	__atomic_store_n(&kernel->control->active, next, __ATOMIC_SEQ_CST);
	times->swap_ns = now_ns() - start;
	start = now_ns();
	r = slot_set(kernel, next, fd); /* for its grace period: decisions of the generation before are over */
	if (!r)
		slot_clear(kernel, active);
	times->grace_ns = now_ns() - start;
	return image_adopt(kernel, TAKE_FD(fd));
}
