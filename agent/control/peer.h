/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is at the other end of a control connection, as the kernel says, not as the client does. */
#ifndef LSMD_CONTROL_PEER_H
#define LSMD_CONTROL_PEER_H

#include <stdint.h>
#include <sys/types.h>

struct peer {
	pid_t pid;
	uid_t uid;
	uint32_t loginuid; /* ~0: unset or unknown */
	char comm[17]; /* for messages only: a process chooses it */
};

enum {
	PEER_NOT_ROOT = 1,
	PEER_FOREIGN_NAMESPACE, /* of another user namespace: its root is not ours */
	PEER_GONE, /* ended before it could be looked at */
};

/**
 * peer_check() - is it root of this machine?
 * Return: 0, one of PEER_*, -errno
 *
 * SO_PEERCRED gives the user id as this process's namespace sees it: root of a container with mapped ids is someone else already.
 * A container without mapping is seen by its uid_map, which anybody may read; its namespace link would need CAP_SYS_PTRACE.
 */
int peer_check(int fd, struct peer *ret);

const char *peer_refusal(int r);

#endif
