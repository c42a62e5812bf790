// SPDX-License-Identifier: LGPL-2.1-or-later
/* Acts through io_uring: by the caller itself, by one of its workers, and by the thread that polls a ring. */
#include "tests/vm/probe/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct ring {
	int fd;
	unsigned int flags;
	struct io_uring_params params;
	char *queues; /* both: IORING_FEAT_SINGLE_MMAP */
	struct io_uring_sqe *entries;
};

static void *ring_map(int fd, size_t size, off_t offset)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);

	before(at == MAP_FAILED ? -1 : 0, "mmap of a ring");
	return at;
}

static void ring_queues(struct ring *ring)
{
	const struct io_uring_params *p = &ring->params;
	size_t sq, cq;

	sq = p->sq_off.array + p->sq_entries * sizeof(uint32_t);
	cq = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);
	ring->queues = ring_map(ring->fd, sq > cq ? sq : cq, IORING_OFF_SQ_RING);
	ring->entries = ring_map(ring->fd, p->sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
}

static void ring_open(struct ring *ring, unsigned int flags)
{
	memset(ring, 0, sizeof(*ring));
	ring->flags = flags;
	ring->params.flags = flags;
	ring->fd = before(syscall(SYS_io_uring_setup, 1, &ring->params), "io_uring_setup");
	ring_queues(ring);
}

static unsigned int *ring_word(struct ring *ring, unsigned int offset)
{
	return (unsigned int *)(ring->queues + offset);
}

/* Two minutes at the most: a processor that is emulated is slow, one that hangs is a failure. */
static void ring_wait(struct ring *ring)
{
	const struct io_cqring_offsets *off = &ring->params.cq_off;

	for (int i = 0; i < 120000; i++) {
		if (__atomic_load_n(ring_word(ring, off->tail), __ATOMIC_ACQUIRE) != *ring_word(ring, off->head))
			return;
		usleep(1000);
	}
	errno = ETIMEDOUT;
	before(-1, "io_uring");
}

/* ring_do() - one operation. Return: its result */
static int ring_do(struct ring *ring, const struct io_uring_sqe *entry)
{
	const struct io_sqring_offsets *off = &ring->params.sq_off;
	const struct io_uring_cqe *done;
	unsigned int enter = ring->flags & IORING_SETUP_SQPOLL ? IORING_ENTER_SQ_WAKEUP : IORING_ENTER_GETEVENTS;

	ring->entries[0] = *entry;
	*ring_word(ring, off->array) = 0;
	__atomic_store_n(ring_word(ring, off->tail), *ring_word(ring, off->tail) + 1, __ATOMIC_RELEASE);
	before(syscall(SYS_io_uring_enter, ring->fd, 1, 0, enter, NULL, 0), "io_uring_enter");
	ring_wait(ring);
	done = (const struct io_uring_cqe *)(ring->queues + ring->params.cq_off.cqes);
	return done->res;
}

static int entry_file(struct io_uring_sqe *entry, char **args)
{
	entry->fd = AT_FDCWD;
	entry->addr = (uintptr_t)args[1];
	if (!strcmp(args[0], "read"))
		entry->opcode = IORING_OP_OPENAT;
	else if (!strcmp(args[0], "unlink"))
		entry->opcode = IORING_OP_UNLINKAT;
	else if (!strcmp(args[0], "mkdir"))
		entry->opcode = IORING_OP_MKDIRAT;
	else
		return 0;
	return 1;
}

static int entry_two(struct io_uring_sqe *entry, char **args)
{
	if (!strcmp(args[0], "rename"))
		entry->opcode = IORING_OP_RENAMEAT;
	else if (!strcmp(args[0], "link"))
		entry->opcode = IORING_OP_LINKAT;
	else
		return 0;
	entry->fd = AT_FDCWD;
	entry->addr = (uintptr_t)args[1];
	entry->len = (uint32_t)AT_FDCWD;
	entry->addr2 = (uintptr_t)args[2];
	return 1;
}

/* args: "connect", address, port */
static int entry_connect(struct io_uring_sqe *entry, char **args, struct sockaddr_in *aim)
{
	if (strcmp(args[0], "connect"))
		return 0;
	*aim = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(atoi(args[2])) };
	before(inet_pton(AF_INET, args[1], &aim->sin_addr) - 1, args[1]);
	entry->opcode = IORING_OP_CONNECT;
	entry->fd = before(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
	entry->addr = (uintptr_t)aim;
	entry->off = sizeof(*aim);
	return 1;
}

/* args: "send", address, port: a datagram without connecting */
static int entry_send(struct io_uring_sqe *entry, char **args, struct sockaddr_in *aim)
{
	static struct iovec vector = { "x", 1 };
	static struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };

	if (strcmp(args[0], "send"))
		return 0;
	*aim = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(atoi(args[2])) };
	before(inet_pton(AF_INET, args[1], &aim->sin_addr) - 1, args[1]);
	message.msg_name = aim;
	message.msg_namelen = sizeof(*aim);
	entry->opcode = IORING_OP_SENDMSG;
	entry->fd = before(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
	entry->addr = (uintptr_t)&message;
	entry->len = 1;
	return 1;
}

/* args: "append", file: written at its beginning, without O_APPEND's help */
static int entry_append(struct io_uring_sqe *entry, char **args)
{
	if (strcmp(args[0], "append"))
		return 0;
	entry->opcode = IORING_OP_WRITE;
	entry->fd = before(open(args[1], O_WRONLY | O_APPEND | O_CLOEXEC), args[1]);
	entry->addr = (uintptr_t) "changed";
	entry->len = 7;
	entry->rw_flags = 0x20; /* RWF_NOAPPEND */
	return 1;
}

static int uring(char **args, unsigned int setup, unsigned int flags)
{
	struct io_uring_sqe entry = { .flags = flags };
	struct sockaddr_in aim;
	struct ring ring;
	int r;

	ring_open(&ring, setup);
	if (!entry_file(&entry, args) && !entry_two(&entry, args) && !entry_connect(&entry, args, &aim) &&
	    !entry_send(&entry, args, &aim) && !entry_append(&entry, args)) {
		errno = EINVAL;
		before(-1, args[0]);
	}
	r = ring_do(&ring, &entry);
	return r < 0 ? r : 0;
}

static int act_uring(char **args)
{
	return uring(args, 0, 0);
}

static int act_uring_worker(char **args)
{
	return uring(args, 0, IOSQE_ASYNC);
}

static int act_uring_poll(char **args)
{
	return uring(args, IORING_SETUP_SQPOLL, 0);
}

#define HANDED_RING 9
#define HANDED_PARAMS 8

/* args: a file, a program, and an act of that: it is executed with a ring that the file is registered with, and no descriptor of the file */
static int act_ring_hand_over(char **args)
{
	int file = before(open(args[0], O_RDONLY | O_CLOEXEC), args[0]);
	int params = before(memfd_create("params", 0), "memfd_create");
	struct ring ring;

	ring_open(&ring, 0);
	before(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, &file, 1), "io_uring_register");
	before(pwrite(params, &ring.params, sizeof(ring.params), 0), "write");
	before(dup2(params, HANDED_PARAMS), "dup2");
	before(dup2(ring.fd, HANDED_RING), "dup2");
	return result_of(execv(args[1], args + 1));
}

/* What was registered by act_ring_hand_over() is read. */
static int act_ring_handed(char **args)
{
	struct io_uring_sqe entry = { .opcode = IORING_OP_READ, .flags = IOSQE_FIXED_FILE, .fd = 0, .len = 1 };
	struct ring ring = { .fd = HANDED_RING };
	char byte;
	int r;

	(void)args;
	before(pread(HANDED_PARAMS, &ring.params, sizeof(ring.params), 0), "read");
	ring_queues(&ring);
	entry.addr = (uintptr_t)&byte;
	r = ring_do(&ring, &entry);
	return r < 0 ? r : 0;
}

const struct act uring_acts[] = {
	{ "ring-hand-over", 3, act_ring_hand_over },
	{ "ring-handed", 0, act_ring_handed },
	{ "uring", 2, act_uring },
	{ "uring-worker", 2, act_uring_worker },
	{ "uring-poll", 2, act_uring_poll },
	{},
};
