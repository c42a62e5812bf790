// SPDX-License-Identifier: LGPL-2.1-or-later
/* Peer credentials of a control connection. */
#include "agent/control/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/util/cleanup.h"

static int proc_read(pid_t pid, const char *name, char *text, size_t size)
{
	_cleanup_close_ int fd = -1;
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

/* The initial namespace maps every id to itself, in one line. */
static int namespace_check(pid_t pid)
{
	unsigned long inside, outside, n;
	char text[256];
	int r = proc_read(pid, "uid_map", text, sizeof(text));

	if (r == -ENOENT || r == -ESRCH)
		return PEER_GONE;
	if (r)
		return r;
	if (sscanf(text, "%lu %lu %lu", &inside, &outside, &n) != 3)
		return PEER_FOREIGN_NAMESPACE;
	return inside == 0 && outside == 0 && n == 4294967295ul ? 0 : PEER_FOREIGN_NAMESPACE;
}

int peer_check(int fd, struct peer *ret)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	char text[32];

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return -errno;
	*ret = (struct peer){ .pid = cred.pid, .uid = cred.uid, .loginuid = ~0u };
	if (!proc_read(cred.pid, "comm", text, sizeof(text)))
		snprintf(ret->comm, sizeof(ret->comm), "%.16s", text);
	if (!proc_read(cred.pid, "loginuid", text, sizeof(text)))
		ret->loginuid = strtoul(text, NULL, 10);
	if (cred.uid != 0)
		return PEER_NOT_ROOT;
	return cred.pid > 0 ? namespace_check(cred.pid) : PEER_FOREIGN_NAMESPACE;
}

const char *peer_refusal(int r)
{
	switch (r) {
	case PEER_NOT_ROOT:
		return "only root may ask the agent";
	case PEER_FOREIGN_NAMESPACE:
		return "root of another user namespace may not ask the agent";
	case PEER_GONE:
		return "the process that connected is gone";
	}
	return "the agent cannot tell who asks";
}
