// SPDX-License-Identifier: LGPL-2.1-or-later
/* Acts on what a file has beside its content: mode, owner, times, extended attributes, access lists, flags. */
#include "tests/vm/probe/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static int act_chmod(char **args)
{
	return result_of(chmod(args[0], 0777));
}

static int handle(const char *name)
{
	return before(open(name, O_PATH | O_CLOEXEC), name);
}

/* By a descriptor that only names the file: fchmodat2() where there is one, else its name under /proc. */
static int act_fchmod(char **args)
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", handle(args[0]));
	return result_of(chmod(link, 0777));
}

static int act_chown(char **args)
{
	return result_of(chown(args[0], 1000, 1000));
}

static int act_chown_handle(char **args)
{
	return result_of(fchownat(handle(args[0]), "", 1000, 1000, AT_EMPTY_PATH));
}

static int act_utimes(char **args)
{
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

	return result_of(utimensat(AT_FDCWD, args[0], times, 0));
}

static int act_setxattr(char **args)
{
	return result_of(setxattr(args[0], "user.lsmd", "x", 1, 0));
}

static int act_removexattr(char **args)
{
	return result_of(removexattr(args[0], "user.lsmd"));
}

/* include/uapi/linux/posix_acl_xattr.h: the owner and uid 1000 may read, nobody else. */
static int act_setacl(char **args)
{
	static const struct {
		uint32_t version;
		struct {
			uint16_t tag, perm;
			uint32_t id;
		} entries[5];
	} acl = { 2, { { 1, 6, ~0u }, { 2, 4, 1000 }, { 4, 4, ~0u }, { 0x10, 4, ~0u }, { 0x20, 0, ~0u } } };

	return result_of(setxattr(args[0], "system.posix_acl_access", &acl, sizeof(acl), 0));
}

static int act_removeacl(char **args)
{
	return result_of(removexattr(args[0], "system.posix_acl_access"));
}

/* One flag beside those that are there: ext4 takes away the others only from some files. */
static int act_setflags(char **args)
{
	int fd = open(args[0], O_RDONLY | O_CLOEXEC), flags = 0;

	if (fd < 0)
		return -errno;
	before(ioctl(fd, FS_IOC_GETFLAGS, &flags), "FS_IOC_GETFLAGS");
	flags |= FS_NODUMP_FL;
	return result_of(ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

const struct act attr_acts[] = {
	{ "chmod", 1, act_chmod },
	{ "fchmod", 1, act_fchmod },
	{ "chown", 1, act_chown },
	{ "chown-handle", 1, act_chown_handle },
	{ "utimes", 1, act_utimes },
	{ "setxattr", 1, act_setxattr },
	{ "removexattr", 1, act_removexattr },
	{ "setacl", 1, act_setacl },
	{ "removeacl", 1, act_removeacl },
	{ "setflags", 1, act_setflags },
	{},
};
