/* SPDX-License-Identifier: (GPL-2.0-only OR LGPL-2.1-or-later) */
/*
 * Bounded reads inside an image; the only place that masks an offset. An image that image_verify() passed never
 * needs the mask: it is there so that no byte pattern whatever leads a reader out of bounds.
 */
#ifndef LSMD_CORE_VIEW_H
#define LSMD_CORE_VIEW_H

#include "port.h"

/*
 * image: mask + 1 + LSMD_IMAGE_SLACK bytes are readable from here on the kernel side. In user space only
 * verified images are read, and the mask is LSMD_VIEW_VERIFIED.
 */
#define LSMD_VIEW_VERIFIED 0xffffffffu

struct lsmd_view {
	const struct lsmd_image_header *image;
	lsmd_u32 mask;
};

/*
 * view_open() - 0 when there is no such image, or it is not of that generation. Each build brings its own: lsm/hook/label.h,
 * agent/policy/ask.c.
 */
LSMD_INLINE int view_open(struct lsmd_view *view, lsmd_image_id image);

LSMD_INLINE const void *view_at(const struct lsmd_view *view, lsmd_u64 off)
{
	LSMD_OPAQUE(off);
	off &= view->mask;
	LSMD_OPAQUE(off);
	return (const char *)view->image + off;
}

/* view_counter() - counter of a rule, the one thing that is written; the mask keeps it aligned, as an atomic add must be */
LSMD_INLINE lsmd_u64 *view_counter(const struct lsmd_view *view, lsmd_u32 rule)
{
	lsmd_u64 off = view->image->counters.off + (lsmd_u64)rule * sizeof(lsmd_u64);

	LSMD_OPAQUE(off);
	off &= view->mask & ~7ull;
	LSMD_OPAQUE(off);
	return (lsmd_u64 *)((char *)view->image + off);
}

/* view_record() - record @index of a section, by its size; an index past its end reads some other bytes of the image */
#define view_record(view, section, type, index) \
	((const type *)view_at((view), (lsmd_u64)(view)->image->section.off + (lsmd_u64)(index) * sizeof(type)))

#endif
