// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Other programs in the place of those that run: a new version of lsmd, a set of policies that outgrew the programs' size class, or a
 * set that somebody damaged. An LSM link takes no other program, so the new ones are attached beside the old.
 *
 *  1. The new programs are loaded. Labels stay where they are: both sets read and write the same maps, so that the new programs know
 *     every task from their first instant. `standby` keeps them from deciding and labelling.
 *  2. The image in force is copied for them; they are attached, and pinned under the next number. Nothing has changed yet.
 *  3. One word flips: `active` of the new set. From here on both sets decide, by the same policies, and either can refuse.
 *  4. The old set is unpinned, which detaches it. A call that was in the old programs' trampoline goes on to their end.
 *
 * At no time is a call decided by neither: the old programs decide until they are gone from the trampoline, and never stand by. Killed
 * before 3, the next start finds the new set with `active` 0 and drops it; behind 3, it drops the old one (pin_open(), pin_tidy()).
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "agent/kernel/side.h"
#include "agent/policy/image.h"
#include "agent/util/cleanup.h"

/* What the words of @running say goes on in @next, which stands by. */
static int words_begin(struct kernel *next, const struct kernel *running)
{
	int r = side_control(next);

	if (r)
		return r;
	next->control->last = running->control->last;
	next->control->rejected = running->control->rejected;
	next->control->standby = 1;
	next->control->protect = running->control->protect;
	next->control->guard_cgroup = running->control->guard_cgroup;
	memcpy(next->control->guard_above, running->control->guard_above, sizeof(next->control->guard_above));
	next->control->guard_start = running->control->guard_start;
	next->control->guard_tgid = running->control->guard_tgid;
	next->epoch = running->epoch + 1;
	return 0;
}

static int next_load(struct kernel *next, const struct kernel *running, struct attached *attached, struct kernel_why *why)
{
	int r = programs_load(next, running, attached, why);

	return r ? r : words_begin(next, running);
}

/* next_attach() - beside what runs, and begin */
static int next_attach(struct kernel *next, const struct lsmd_image_header *image, const char *pins, struct attached *attached,
		       struct kernel_why *why)
{
	_cleanup_close_ int fd = swap_fill(next, image, image->size, why);
	int r = fd < 0 ? fd : programs_attach(attached, why);

	if (!r)
		r = pin_set(next, pins, attached, why);
	return r ? r : swap_first(next, TAKE_FD(fd));
}

/*
 * image_choose() - what the new programs begin with: the image in force; where that is of an older layout, @fresh. One of a newer
 * layout means a downgrade, which would have to guess what is in force.
 */
static int image_choose(const struct kernel *running, const struct lsmd_image_header *fresh, const struct lsmd_image_header **ret,
			struct kernel_why *why)
{
	const struct lsmd_image_header *image = running->image;

	*ret = image;
	if (image->version == LSMD_IMAGE_VERSION && !image_verify(image, image->size))
		return 0;
	*ret = fresh;
	if (fresh && image->version < LSMD_IMAGE_VERSION)
		return 0;
	why_set(why, "the policies in force are compiled in a layout that this version does not know (%u; its own is %u)",
		image->version, LSMD_IMAGE_VERSION);
	return KERNEL_FOREIGN_PINS;
}

/* next_become() - @kernel is @next from now on. Rings and tally that are the same go on being used where they were. */
static int next_become(struct kernel *kernel, struct kernel *next)
{
	struct kernel before = *kernel;
	bool same_rings = !kernel->foreign;

	*kernel = *next;
	kernel->taken_over = before.taken_over;
	kernel->event_fn = before.event_fn;
	kernel->event_data = before.event_data;
	memcpy(kernel->found, before.found, sizeof(kernel->found));
	if (same_rings) {
		kernel->rings = before.rings;
		before.rings = NULL;
		kernel->notes = before.notes;
		before.notes = NULL;
		kernel->tally = before.tally;
		before.tally = next->tally;
	}
	*next = before;
	return same_rings ? 0 : side_rings(kernel);
}

int side_replace(struct kernel *kernel, const char *pins, size_t room, const struct lsmd_image_header *fresh, struct kernel_why *why)
{
	_cleanup_(kernel_freep) struct kernel *next = side_new();
	_cleanup_(attached_close) struct attached attached;
	const struct lsmd_image_header *image;
	int r = next ? image_choose(kernel, fresh, &image, why) : -ENOMEM;

	attached_init(&attached);
	if (r)
		return r;
	next->image_bytes = image_class(image->size > room ? image->size : room);
	r = next_load(next, kernel, &attached, why);
	if (!r)
		r = next_attach(next, image, pins, &attached, why);
	if (!r)
		r = next_become(kernel, next);
	if (r)
		return r;
	r = pin_tidy(kernel, pins);
	return r < 0 ? r : 0; /* how many went does not matter */
}
