/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All names of one object, for hooks that are given a dentry and no mount: it is named through every mount of its file system in the
 * task's namespace, and each of those names must be allowed.
 */
#ifndef LSMD_HOOK_NAMES_H
#define LSMD_HOOK_NAMES_H

#include "emit.h"

/* Names of one object that are looked at before the answer is undecided. */
#define LSMD_NAMES_MAX 64

/* names_next() - s->name := the next name of the object of s->names. Return: 1; 0: there is none, and s->names.reason says why. */
int names_next(struct lsmd_scratch *s);
/* names_start() - @dentry: struct dentry *, @sb: its superblock; both numbers. Return: 0. */
int names_start(struct lsmd_scratch *s, u64 dentry, u64 sb);

/* names_leave() - hook_leave() for an object that has been given to names_start() */
static __always_inline int names_leave(struct lsmd_scratch *s)
{
	int ret = 0;
	u64 i;

	for (i = LSMD_UNKNOWN(s->zero); i < LSMD_NAMES_MAX && !ret; i++) {
		if (!names_next(s))
			break;
		ret = hook_verdict(s);
	}
	if (!ret && (i >= LSMD_NAMES_MAX || s->names.reason != LSMD_REASON_NONE)) {
		s->name.reason = i >= LSMD_NAMES_MAX ? LSMD_REASON_NAMES_MANY : s->names.reason;
		ret = hook_verdict(s);
	}
	scratch_release(s);
	return hook_errno(ret);
}

#endif
