/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a process ran: the cgroup of an id, and the systemd unit of a cgroup. */
#ifndef LSMD_RECORD_UNIT_H
#define LSMD_RECORD_UNIT_H

#include <stddef.h>
#include <stdint.h>

enum {
	UNIT_NONE = 1, /* the path lies in no unit */
};

/**
 * unit_of_cgroup() - "/system.slice/nginx.service/worker" is in "nginx.service"
 * @ret: owned by the caller; untouched unless 0 is returned
 * Return: 0, UNIT_NONE, -ENOMEM. The innermost unit counts, so that user units are named and not user@1000.service; slices are
 * units only when nothing else is. systemd's escape ("_" before a name that the kernel would take for a file of its own) is undone.
 */
int unit_of_cgroup(const char *path, char **ret, size_t *ret_len);

struct cgroups;

/** cgroups_new() - resolver of ids, with a small memory of its answers. Return: 0, -errno where no cgroup2 is mounted */
int cgroups_new(struct cgroups **ret);
void cgroups_free(struct cgroups *cgroups);

/**
 * cgroups_path() - path of a cgroup below the mount, borrowed until the next call; NULL: it is gone, or may not be looked up
 * By file handle, which needs CAP_DAC_READ_SEARCH: ids are never used twice, so a process that has ended is still placed rightly.
 */
const char *cgroups_path(struct cgroups *cgroups, uint64_t id);

#endif
