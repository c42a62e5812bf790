/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the agent may do once it runs: only what its work needs, for good. */
#ifndef LSMD_UTIL_PRIVILEGE_H
#define LSMD_UTIL_PRIVILEGE_H

#include <stdbool.h>

/** privilege_have() - is the capability (CAP_ of linux/capability.h) effective? */
bool privilege_have(int capability);

/**
 * privilege_drop() - keep the named capabilities, permitted and effective, and no others; empty the inheritable, ambient and
 * bounding sets; set no_new_privs
 * Of the calling thread: call it before any other is started, they inherit it.
 * Return: 0, -errno
 */
int privilege_drop(const int *keep, int n_keep);

#endif
