// SPDX-License-Identifier: LGPL-2.1-or-later
/* The kernel side as a whole: open, take over, events, end. */
#include "agent/kernel/kernel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include "agent/kernel/side.h"
#include "agent/util/cleanup.h"

const char *side_map_name(enum side_map map)
{
	static const char *const names[] = {
#define X(constant, name) [SIDE_##constant] = name,
		SIDE_MAPS(X)
#undef X
	};

	return names[map];
}

void why_set(struct kernel_why *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
}

struct kernel *side_new(void)
{
	struct kernel *kernel = calloc(1, sizeof(*kernel));

	if (!kernel)
		return NULL;
	for (enum side_map map = 0; map < SIDE_N_MAPS; map++)
		kernel->map_fds[map] = -1;
	kernel->image_fd = -1;
	kernel->label_tasks_fd = -1;
	kernel->show_labels_fd = -1;
	return kernel;
}

static long page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

void kernel_free(struct kernel *kernel)
{
	if (!kernel)
		return;
	ring_buffer__free(kernel->rings);
	swap_forget(kernel);
	if (kernel->control)
		munmap(kernel->control, page_size());
	if (kernel->tally)
		munmap(kernel->tally, page_size());
	for (enum side_map map = 0; map < SIDE_N_MAPS; map++)
		closep(&kernel->map_fds[map]);
	closep(&kernel->label_tasks_fd);
	closep(&kernel->show_labels_fd);
	free(kernel->set);
	free(kernel);
}

static int page_map(const struct kernel *kernel, enum side_map map, void **ret)
{
	int prot = kernel->read_only ? PROT_READ : PROT_READ | PROT_WRITE;
	void *mapped = mmap(NULL, page_size(), prot, MAP_SHARED, kernel->map_fds[map], 0);

	if (mapped == MAP_FAILED)
		return -errno;
	*ret = mapped;
	return 0;
}

/* control_map() - the word that programs and agent share, and what agents hand on to their successors */
static int control_map(struct kernel *kernel)
{
	int r = page_map(kernel, SIDE_CONTROL, (void **)&kernel->control);

	return r ? r : page_map(kernel, SIDE_TALLY, (void **)&kernel->tally);
}

static int denial_read(void *data, void *bytes, size_t size)
{
	struct kernel *kernel = data;

	kernel->event_fn(kernel->event_data, bytes, size, true);
	return 0;
}

static int note_read(void *data, void *bytes, size_t size)
{
	struct kernel *kernel = data;

	kernel->event_fn(kernel->event_data, bytes, size, false);
	return 0;
}

static int rings_open(struct kernel *kernel)
{
	kernel->rings = ring_buffer__new(kernel->map_fds[SIDE_DENIALS], denial_read, kernel, NULL);
	if (!kernel->rings)
		return -errno;
	return ring_buffer__add(kernel->rings, kernel->map_fds[SIDE_NOTES], note_read, kernel);
}

/* side_finish() - what is needed of maps that are there, loaded or taken over */
static int side_finish(struct kernel *kernel)
{
	int r = control_map(kernel);

	if (!r)
		r = swap_open_active(kernel);
	if (!r && !kernel->read_only)
		r = rings_open(kernel);
	return r;
}

static void attached_close(struct attached *attached)
{
	for (int hook = 0; hook < LSMD_N_HOOKS; hook++) {
		closep(&attached->links[hook]);
		closep(&attached->programs[hook]);
	}
}

/*
 * side_start() - nothing is there yet. The programs are attached but hold nobody until the first image is in force; until it
 * is, everything goes when the descriptors do, but for the pins, which are taken back.
 */
static int side_start(struct kernel *kernel, const char *pins, const struct lsmd_image_header *image, size_t size,
		      struct kernel_why *why)
{
	_cleanup_(attached_close) struct attached attached;
	struct kernel_times times;
	int r;

	memset(&attached, -1, sizeof(attached));
	kernel->image_bytes = image_class(size);
	if (!kernel->image_bytes) {
		why_set(why, "the policies take %zu bytes, more than the %u that a program can address", size,
			LSMD_IMAGE_BYTES_MAX);
		return KERNEL_UNABLE;
	}
	r = programs_load(kernel, &attached, why);
	if (!r)
		r = label_all(kernel, why);
	if (!r)
		r = side_finish(kernel);
	if (!r)
		r = pin_set(kernel, pins, &attached, why);
	if (r)
		return r;
	r = swap_image(kernel, image, size, why, &times);
	if (r)
		pin_remove(pins);
	return r;
}

int kernel_open(const char *pins, const struct lsmd_image_header *image, size_t size, struct kernel_why *why,
		struct kernel **ret)
{
	_cleanup_(kernel_freep) struct kernel *kernel = side_new();
	int r;

	if (!kernel)
		return -ENOMEM;
	r = pin_open(kernel, pins, why);
	if (!r) {
		kernel->taken_over = true;
		r = side_finish(kernel);
		if (!r)
			r = label_all(kernel, why);
	} else if (r == KERNEL_NOTHING_LOADED) {
		r = side_start(kernel, pins, image, size, why);
	}
	if (r)
		return r;
	*ret = TAKE_PTR(kernel);
	return 0;
}

int kernel_attach(const char *pins, struct kernel_why *why, struct kernel **ret)
{
	_cleanup_(kernel_freep) struct kernel *kernel = side_new();
	int r;

	if (!kernel)
		return -ENOMEM;
	kernel->read_only = true;
	kernel->taken_over = true;
	r = pin_open(kernel, pins, why);
	if (!r)
		r = side_finish(kernel);
	if (r)
		return r;
	*ret = TAKE_PTR(kernel);
	return 0;
}

bool kernel_taken_over(const struct kernel *kernel)
{
	return kernel->taken_over;
}

int kernel_swap(struct kernel *kernel, const struct lsmd_image_header *image, size_t size, struct kernel_why *why,
		struct kernel_times *ret)
{
	return swap_image(kernel, image, size, why, ret);
}

const struct lsmd_image_header *kernel_image(const struct kernel *kernel)
{
	return kernel->image;
}

uint64_t kernel_generation(const struct kernel *kernel)
{
	return __atomic_load_n(&kernel->control->active, __ATOMIC_ACQUIRE);
}

/*
 * kernel_release() - nobody is held any more, before the programs go one by one: without task_alloc new tasks would have no label, and
 * be undecided in the hooks that are still there
 */
static int kernel_release(const char *pins)
{
	_cleanup_(kernel_freep) struct kernel *kernel = side_new();
	struct kernel_why why;
	int r;

	if (!kernel)
		return -ENOMEM;
	r = pin_open(kernel, pins, &why);
	if (!r)
		r = control_map(kernel);
	if (!r)
		r = swap_open_active(kernel);
	return r ? r : swap_end(kernel);
}

int kernel_unload(const char *pins)
{
	int r = kernel_release(pins);

	/* Programs of another build, or half a set, can only be taken away. */
	if (r && r != KERNEL_FOREIGN_PINS && r != KERNEL_NOTHING_LOADED)
		return r;
	return pin_remove(pins);
}

int kernel_events_fd(const struct kernel *kernel)
{
	return ring_buffer__epoll_fd(kernel->rings);
}

int kernel_events_read(struct kernel *kernel, kernel_event_fn fn, void *data)
{
	kernel->event_fn = fn;
	kernel->event_data = data;
	return ring_buffer__consume(kernel->rings);
}

const uint64_t *kernel_rule_counts(const struct kernel *kernel, size_t *ret_n)
{
	if (!kernel->image) {
		*ret_n = 0;
		return NULL;
	}
	*ret_n = kernel->image->counters.n;
	return (const uint64_t *)((const char *)kernel->image + kernel->image->counters.off);
}

struct lsmd_tally *kernel_tally(const struct kernel *kernel)
{
	return kernel->tally;
}

uint32_t kernel_unmediated(const struct kernel *kernel)
{
	return 0; /* every hook of lsm/abi/event.h is there, or programs_load() refused this kernel */
}
