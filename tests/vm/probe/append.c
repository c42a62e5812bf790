// SPDX-License-Identifier: LGPL-2.1-or-later
/* Acts on a file that was opened for appending: what adds to it, and what would change what is there. */
#include "tests/vm/probe/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/falloc.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define RWF_NOAPPEND_BIT 0x20 /* since 6.9 */

static int append_open(const char *name, int mode)
{
	return before(open(name, mode | O_APPEND | O_CLOEXEC), name);
}

/* The open is judged too. */
static int act_plain(char **args)
{
	int fd = open(args[0], O_WRONLY | O_APPEND | O_CLOEXEC);

	return fd < 0 ? -errno : result_of(write(fd, "changed", 7));
}

static int act_vector(char **args)
{
	struct iovec vector = { "changed", 7 };

	return result_of(writev(append_open(args[0], O_WRONLY), &vector, 1));
}

/* On Linux this appends, whatever the offset. */
static int act_pwrite(char **args)
{
	return result_of(pwrite(append_open(args[0], O_WRONLY), "changed", 7, 0));
}

static int act_pwritev2(char **args)
{
	struct iovec vector = { "changed", 7 };

	return result_of(pwritev2(append_open(args[0], O_WRONLY), &vector, 1, -1, 0));
}

static int act_noappend(char **args)
{
	struct iovec vector = { "changed", 7 };

	return result_of(pwritev2(append_open(args[0], O_WRONLY), &vector, 1, 0, RWF_NOAPPEND_BIT));
}

static int act_setfl(char **args)
{
	int fd = append_open(args[0], O_WRONLY);

	if (fcntl(fd, F_SETFL, 0))
		return -errno;
	return result_of(pwrite(fd, "changed", 7, 0));
}

/* Through a second descriptor of the same open file. */
static int act_setfl_dup(char **args)
{
	int fd = append_open(args[0], O_WRONLY);

	if (fcntl(before(dup(fd), "dup"), F_SETFL, O_NONBLOCK))
		return -errno;
	return result_of(pwrite(fd, "changed", 7, 0));
}

/* Other flags may change. */
static int act_setfl_keep(char **args)
{
	int fd = append_open(args[0], O_WRONLY);

	return result_of(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
}

static int act_ftruncate(char **args)
{
	return result_of(ftruncate(append_open(args[0], O_WRONLY), 1));
}

static int fallocate_as(char **args, int mode, off_t len)
{
	return result_of(fallocate(append_open(args[0], O_WRONLY), mode, 0, len));
}

static int act_punch(char **args)
{
	return fallocate_as(args, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4);
}

static int act_zero(char **args)
{
	return fallocate_as(args, FALLOC_FL_ZERO_RANGE, 4);
}

static int act_allocate(char **args)
{
	return fallocate_as(args, 0, 8192);
}

static int act_map(char **args)
{
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, append_open(args[0], O_RDWR), 0);

	if (at == MAP_FAILED)
		return -errno;
	at[0] = 'X';
	return result_of(msync(at, 4096, MS_SYNC));
}

/* Mapped for reading, and made writable afterwards. */
static int act_protect(char **args)
{
	char *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, append_open(args[0], O_RDWR), 0);

	before(at == MAP_FAILED ? -1 : 0, "mmap");
	if (mprotect(at, 4096, PROT_READ | PROT_WRITE))
		return -errno;
	at[0] = 'X';
	return 0;
}

/* A private mapping changes nothing in the file. */
static int act_map_private(char **args)
{
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, append_open(args[0], O_RDWR), 0);

	if (at == MAP_FAILED)
		return -errno;
	at[0] = 'X';
	return 0;
}

static int act_aio(char **args)
{
	struct iocb cb = { .aio_lio_opcode = IOCB_CMD_PWRITE,
			   .aio_fildes = append_open(args[0], O_WRONLY),
			   .aio_buf = (uintptr_t) "changed",
			   .aio_nbytes = 7,
			   .aio_rw_flags = RWF_NOAPPEND_BIT };
	struct iocb *list[] = { &cb };
	struct io_event done;
	aio_context_t context = 0;

	before(syscall(SYS_io_setup, 1, &context), "io_setup");
	if (syscall(SYS_io_submit, context, 1, list) < 0)
		return -errno;
	before(syscall(SYS_io_getevents, context, 1, 1, &done, NULL), "io_getevents");
	return done.res < 0 ? done.res : 0;
}

/* fs/ext4/ext4.h */
struct move_extent {
	uint32_t reserved;
	uint32_t donor_fd;
	uint64_t orig_start, donor_start, len, moved_len;
};
#define EXT4_IOC_MOVE_EXT _IOWR('f', 15, struct move_extent)

/* ext4 exchanges blocks of two files. args: append-only file, a file whose content it gets */
static int act_move_extents(char **args)
{
	int donor = append_open(args[0], O_RDWR), orig = before(open(args[1], O_RDWR | O_CLOEXEC), args[1]);
	struct move_extent move = { .donor_fd = donor, .len = 1 };

	return result_of(ioctl(orig, EXT4_IOC_MOVE_EXT, &move));
}

const struct act append_acts[] = {
	{ "append", 1, act_plain },
	{ "append-vector", 1, act_vector },
	{ "append-pwrite", 1, act_pwrite },
	{ "append-pwritev2", 1, act_pwritev2 },
	{ "append-noappend", 1, act_noappend },
	{ "append-setfl", 1, act_setfl },
	{ "append-setfl-dup", 1, act_setfl_dup },
	{ "append-setfl-keep", 1, act_setfl_keep },
	{ "append-ftruncate", 1, act_ftruncate },
	{ "append-punch", 1, act_punch },
	{ "append-zero", 1, act_zero },
	{ "append-allocate", 1, act_allocate },
	{ "append-map", 1, act_map },
	{ "append-protect", 1, act_protect },
	{ "append-map-private", 1, act_map_private },
	{ "append-aio", 1, act_aio },
	{ "append-move-extents", 2, act_move_extents },
	{},
};
