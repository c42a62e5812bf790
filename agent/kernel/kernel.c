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
#define X(constant, name, share) [SIDE_##constant] = name,
		SIDE_MAPS(X)
#undef X
	};

	return names[map];
}

enum side_share side_map_share(enum side_map map)
{
	static const enum side_share shares[] = {
#define X(constant, name, share) [SIDE_##constant] = share,
		SIDE_MAPS(X)
#undef X
	};

	return shares[map];
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
	kernel->fallback_fd = -1;
	kernel->label_tasks_fd = -1;
	kernel->show_labels_fd = -1;
	kernel->check_files_fd = -1;
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
	ring_buffer__free(kernel->notes);
	swap_forget(kernel);
	closep(&kernel->fallback_fd);
	if (kernel->control)
		munmap(kernel->control, page_size());
	if (kernel->tally)
		munmap(kernel->tally, page_size());
	for (enum side_map map = 0; map < SIDE_N_MAPS; map++)
		closep(&kernel->map_fds[map]);
	closep(&kernel->label_tasks_fd);
	closep(&kernel->show_labels_fd);
	closep(&kernel->check_files_fd);
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

int side_control(struct kernel *kernel)
{
	int r = page_map(kernel, SIDE_CONTROL, (void **)&kernel->control);

	return r || kernel->foreign ? r : page_map(kernel, SIDE_TALLY, (void **)&kernel->tally);
}

static int denial_read(void *data, void *bytes, size_t size)
{
	struct kernel *kernel = data;

	kernel->event_fn(kernel->event_data, bytes, size, true);
	return --kernel->event_room > 0 ? 0 : -ECANCELED;
}

static int note_read(void *data, void *bytes, size_t size)
{
	struct kernel *kernel = data;

	kernel->event_fn(kernel->event_data, bytes, size, false);
	return --kernel->event_room > 0 ? 0 : -ECANCELED;
}

int side_rings(struct kernel *kernel)
{
	kernel->rings = ring_buffer__new(kernel->map_fds[SIDE_DENIALS], denial_read, kernel, NULL);
	if (!kernel->rings)
		return -errno;
	kernel->notes = ring_buffer__new(kernel->map_fds[SIDE_NOTES], note_read, kernel, NULL);
	if (!kernel->notes)
		return -errno;
	return ring_buffer__add(kernel->rings, kernel->map_fds[SIDE_NOTES], note_read, kernel);
}

/* side_finish() - what is needed of maps that are there, loaded or taken over */
static int side_finish(struct kernel *kernel)
{
	int r = side_control(kernel);

	if (!r)
		r = swap_open_active(kernel);
	if (!r && !kernel->read_only && !kernel->foreign)
		r = side_rings(kernel);
	return r;
}

/*
 * side_start() - nothing is there yet. The programs are attached but hold nobody until the first image is in force; until it
 * is, everything goes when the descriptors do, but for the pins, which are taken back.
 */
static int side_start(struct kernel *kernel, const char *pins, const struct lsmd_image_header *image, size_t size,
		      struct kernel_why *why)
{
	_cleanup_(attached_close) struct attached attached;
	int r, fd;

	attached_init(&attached);
	kernel->image_bytes = image_class(size);
	if (!kernel->image_bytes) {
		why_set(why, "the policies take %zu bytes, more than the %u that a program can address", size,
			LSMD_IMAGE_BYTES_MAX);
		return KERNEL_UNABLE;
	}
	r = programs_load(kernel, NULL, &attached, why);
	if (!r)
		r = programs_attach(&attached, why);
	if (!r)
		r = label_all(kernel, why);
	if (!r)
		r = side_finish(kernel);
	if (r)
		return r;
	fd = swap_fill(kernel, image, size, why);
	if (fd < 0)
		return fd;
	r = pin_set(kernel, pins, &attached, why);
	if (!r)
		r = swap_first(kernel, fd);
	else
		close(fd);
	return r;
}

/* side_take_over() - what is in force goes on; programs of another build, or a damaged set, are replaced */
static int side_take_over(struct kernel *kernel, const char *pins, const struct lsmd_image_header *image, struct kernel_why *why)
{
	int r = side_finish(kernel);

	kernel->taken_over = true;
	if (!r)
		r = swap_wait(kernel);
	if (!r && kernel->foreign && swap_on_trial(kernel))
		r = swap_settle(kernel, false);
	if (!r && kernel->foreign)
		r = side_replace(kernel, pins, 0, image, why);
	if (r)
		return r;
	r = pin_tidy(kernel, pins);
	if (r >= 0)
		r = label_all(kernel, why);
	if (!r)
		files_check(kernel); /* the agent before may have been killed on its way to it */
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
	if (!r || r == KERNEL_FOREIGN_PINS) {
		r = side_take_over(kernel, pins, image, why);
	} else if (r == KERNEL_NOTHING_LOADED && image) {
		r = pin_tidy(kernel, pins);
		if (r >= 0)
			r = side_start(kernel, pins, image, size, why);
	}
	if (r)
		return r;
	*ret = TAKE_PTR(kernel);
	return 0;
}

const char *kernel_found(const struct kernel *kernel)
{
	return kernel->found;
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

/* image_fits() - have programs that an image of @size bytes fits */
static int image_fits(struct kernel *kernel, size_t size, struct kernel_why *why)
{
	_cleanup_free_ char *pins = NULL;

	if (size <= kernel->image_bytes)
		return 0;
	if (!image_class(size)) {
		why_set(why, "the policies take %zu bytes, more than the %u that a program can address", size,
			LSMD_IMAGE_BYTES_MAX);
		return KERNEL_UNABLE;
	}
	pins = strndup(kernel->set, strrchr(kernel->set, '/') - kernel->set);
	return pins ? side_replace(kernel, pins, size, NULL, why) : -ENOMEM;
}

int kernel_swap(struct kernel *kernel, const struct lsmd_image_header *image, size_t size, struct kernel_why *why,
		struct kernel_times *ret)
{
	int r = swap_on_trial(kernel) ? -EBUSY : image_fits(kernel, size, why);

	return r ? r : swap_image(kernel, image, size, why, ret);
}

int kernel_swap_trial(struct kernel *kernel, const struct lsmd_image_header *image, size_t size, const struct kernel_trial *trial,
		      struct kernel_why *why, struct kernel_times *ret)
{
	int r = swap_on_trial(kernel) ? -EBUSY : image_fits(kernel, size, why);

	return r ? r : swap_trial(kernel, image, size, trial, why, ret);
}

int kernel_settle(struct kernel *kernel, bool keep)
{
	return swap_settle(kernel, keep);
}

bool kernel_trial(const struct kernel *kernel, struct kernel_trial *ret)
{
	const struct lsmd_control *control = kernel->control;

	if (!swap_on_trial(kernel))
		return false;
	*ret = (struct kernel_trial){
		.kind = control->trial,
		.ns = swap_trial_left(kernel),
		.key = control->trial_key,
	};
	return true;
}

void kernel_guard(struct kernel *kernel, const struct kernel_agent *agent)
{
	struct lsmd_control *control = kernel->control;

	control->guard_cgroup = agent->groups[0];
	memcpy(control->guard_above, agent->groups + 1, sizeof(control->guard_above));
	control->guard_start = agent->start;
	control->guard_tgid = agent->tgid;
	control->protect = agent->protect;
}

uint64_t kernel_rejected(const struct kernel *kernel)
{
	return kernel->control->rejected;
}

const struct lsmd_image_header *kernel_image(const struct kernel *kernel)
{
	return kernel->image;
}

uint64_t kernel_generation(const struct kernel *kernel)
{
	return swap_generation(kernel);
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
	if (r && r != KERNEL_FOREIGN_PINS)
		return r;
	r = pin_tidy(kernel, pins);
	if (r >= 0)
		r = side_control(kernel);
	if (!r)
		r = swap_open_active(kernel);
	return r ? r : swap_end(kernel);
}

int kernel_unload(const char *pins)
{
	int r = kernel_release(pins);

	return r && r != KERNEL_NOTHING_LOADED ? r : pin_remove(pins);
}

int kernel_events_fd(const struct kernel *kernel)
{
	return ring_buffer__epoll_fd(kernel->rings);
}

/*
 * What a ring can hold at a time. Whoever is refused in a loop puts events in faster than they are read, and a reader that waits for an
 * empty ring would never come to anything else; what was there at the call is read, and the descriptor stays readable.
 */
#define EVENTS_A_READ ((int)(LSMD_RING_DENIALS_BYTES / sizeof(struct lsmd_event)) + 1)

int kernel_events_read(struct kernel *kernel, kernel_event_fn fn, void *data)
{
	int n;

	kernel->event_fn = fn;
	kernel->event_data = data;
	kernel->event_room = EVENTS_A_READ;
	n = ring_buffer__consume(kernel->rings);
	if (n != -ECANCELED)
		return n;
	/* The denials keep coming; the notes have their turn all the same. */
	kernel->event_room = EVENTS_A_READ;
	n = ring_buffer__consume(kernel->notes);
	return n < 0 && n != -ECANCELED ? n : EVENTS_A_READ;
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
