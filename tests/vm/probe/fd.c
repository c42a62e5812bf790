// SPDX-License-Identifier: LGPL-2.1-or-later
/* Acts on descriptors that came from elsewhere, and from one descriptor to another. */
#include "tests/vm/probe/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int read_one(int fd)
{
	char byte;

	return result_of(pread(fd, &byte, 1, 0));
}

/* args: number of a descriptor that it was started with */
static int act_read_inherited(char **args)
{
	return read_one(atoi(args[0]));
}

static int act_write_inherited(char **args)
{
	return result_of(pwrite(atoi(args[0]), "changed", 7, 0));
}

static int act_map_inherited(char **args)
{
	void *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, atoi(args[0]), 0);

	return at == MAP_FAILED ? -errno : 0;
}

static int act_list_inherited(char **args)
{
	char room[4096];

	return result_of(syscall(SYS_getdents64, atoi(args[0]), room, sizeof(room)));
}

static int act_send_inherited(char **args)
{
	return result_of(send(atoi(args[0]), "x", 1, MSG_NOSIGNAL));
}

/* args: number of a terminal's descriptor, and "own" where it is to control the process first */
static int act_write_terminal(char **args)
{
	int fd = atoi(args[0]);

	if (!strcmp(args[1], "own") && setsid() > 0)
		before(ioctl(fd, TIOCSCTTY, 0), "TIOCSCTTY");
	return result_of(write(fd, "terminal\n", 9));
}

/* A descriptor out of a message; -EPERM where none came with it: the kernel leaves out what it refuses. */
static int received(int from)
{
	char byte, room[CMSG_SPACE(sizeof(int))];
	struct iovec vector = { &byte, 1 };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
	struct cmsghdr *head;
	int fd;

	if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) < 0)
		return -errno;
	head = CMSG_FIRSTHDR(&message);
	if (!head || head->cmsg_type != SCM_RIGHTS || head->cmsg_len < CMSG_LEN(sizeof(int)))
		return -EPERM;
	memcpy(&fd, CMSG_DATA(head), sizeof(fd));
	return fd;
}

/* args: socket */
static int act_receive_read(char **args)
{
	int fd = received(atoi(args[0]));

	return fd < 0 ? fd : read_one(fd);
}

/* A socket out of a message, and a byte sent over it. args: socket */
static int act_receive_send(char **args)
{
	int fd = received(atoi(args[0]));

	return fd < 0 ? fd : result_of(send(fd, "x", 1, MSG_NOSIGNAL));
}

/* args: pid, its descriptor */
static int act_getfd(char **args)
{
	int pid = before(syscall(SYS_pidfd_open, atoi(args[0]), 0), "pidfd_open");
	int fd = syscall(SYS_pidfd_getfd, pid, atoi(args[1]), 0);

	return fd < 0 ? -errno : read_one(fd);
}

/* ---- from one to the other; args: to, from ---- */

static int ends(char **args, int *from)
{
	*from = before(open(args[1], O_RDONLY | O_CLOEXEC), args[1]);
	return open(args[0], O_WRONLY | O_CLOEXEC);
}

static int act_copy_range(char **args)
{
	int from, to = ends(args, &from);

	return to < 0 ? -errno : result_of(copy_file_range(from, NULL, to, NULL, 4, 0));
}

static int act_sendfile(char **args)
{
	int from, to = ends(args, &from);

	return to < 0 ? -errno : result_of(sendfile(to, from, NULL, 4));
}

static int act_splice(char **args)
{
	int from, to = ends(args, &from), pipes[2];

	if (to < 0)
		return -errno;
	before(pipe(pipes), "pipe");
	before(splice(from, NULL, pipes[1], NULL, 4, 0), "splice into a pipe");
	return result_of(splice(pipes[0], NULL, to, NULL, 4, 0));
}

/* No file system here can do it: what is judged is whether the open before it is let through. */
static int act_clone(char **args)
{
	int from, to = ends(args, &from);

	if (to < 0)
		return -errno;
	return !ioctl(to, FICLONE, from) || errno == EOPNOTSUPP ? 0 : -errno;
}

static int act_fallocate(char **args)
{
	int fd = open(args[0], O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : result_of(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 8192));
}

/* Open already when it is asked. args: file */
static int act_hold_read(char **args)
{
	int fd = before(open(args[0], O_RDONLY | O_CLOEXEC), args[0]);
	char byte;

	before(write(STDOUT_FILENO, "ready\n", 6), "write");
	while (read(STDIN_FILENO, &byte, 1) == 1)
		if (byte == '\n')
			dprintf(STDOUT_FILENO, "%d\n", -read_one(fd));
	return 0;
}

const struct act fd_acts[] = {
	{ "read-inherited", 1, act_read_inherited },
	{ "write-inherited", 1, act_write_inherited },
	{ "map-inherited", 1, act_map_inherited },
	{ "list-inherited", 1, act_list_inherited },
	{ "send-inherited", 1, act_send_inherited },
	{ "write-terminal", 2, act_write_terminal },
	{ "receive-read", 1, act_receive_read },
	{ "receive-send", 1, act_receive_send },
	{ "getfd", 2, act_getfd },
	{ "copy-range", 2, act_copy_range },
	{ "sendfile", 2, act_sendfile },
	{ "splice", 2, act_splice },
	{ "clone", 2, act_clone },
	{ "fallocate", 1, act_fallocate },
	{ "hold-read", 1, act_hold_read },
	{},
};
