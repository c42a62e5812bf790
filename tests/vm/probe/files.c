// SPDX-License-Identifier: LGPL-2.1-or-later
/* Acts on names of files: every call that reads, makes, changes, removes or renames one. */
#include "tests/vm/probe/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- open ---- */

static int opened(int fd)
{
	int r = result_of(fd);

	if (fd >= 0)
		close(fd);
	return r;
}

static int open_as(const char *name, int flags)
{
	return opened(open(name, flags | O_NONBLOCK | O_CLOEXEC, 0644));
}

/* Opened and read: what is judged is the open; a swap may come between, and then the read is. */
static int opened_read(int fd)
{
	char byte;

	if (fd < 0)
		return -errno;
	if (read(fd, &byte, 1) < 0)
		return -errno;
	return opened(fd);
}

static int opened_write(int fd)
{
	if (fd < 0)
		return -errno;
	if (write(fd, "changed", 7) < 0)
		return -errno;
	return opened(fd);
}

static int act_read(char **args)
{
	return opened_read(open(args[0], O_RDONLY | O_CLOEXEC));
}

/* An open without I/O: FIFOs, devices */
static int act_open_read(char **args)
{
	return open_as(args[0], O_RDONLY);
}

static int act_open_write(char **args)
{
	return open_as(args[0], O_WRONLY);
}

static int act_open_append(char **args)
{
	return open_as(args[0], O_WRONLY | O_APPEND);
}

static int act_list(char **args)
{
	char entries[512];
	int fd = open(args[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	before(syscall(SYS_getdents64, fd, entries, sizeof(entries)), "getdents64");
	return opened(fd);
}

static int act_write(char **args)
{
	return opened_write(open(args[0], O_WRONLY | O_CLOEXEC));
}

static int act_read_write(char **args)
{
	return opened_write(open(args[0], O_RDWR | O_CLOEXEC));
}

/* The fourth access mode: neither read() nor write(), but ioctl(); both permissions are asked for. */
static int act_open_ioctl(char **args)
{
	return open_as(args[0], O_ACCMODE);
}

static int act_open_truncate(char **args)
{
	return open_as(args[0], O_WRONLY | O_TRUNC);
}

/* Reading only, and yet the content goes. */
static int act_read_truncate(char **args)
{
	return open_as(args[0], O_RDONLY | O_TRUNC);
}

static int act_creat(char **args)
{
	return opened(creat(args[0], 0644));
}

static int act_create_read(char **args)
{
	return open_as(args[0], O_RDONLY | O_CREAT);
}

static int act_create_excl(char **args)
{
	return opened_write(open(args[0], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
}

/* args: how to resolve, directory, name in it */
static int act_openat2(char **args)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC };
	int dir = before(open(args[1], O_PATH | O_DIRECTORY | O_CLOEXEC), args[1]);

	if (!strcmp(args[0], "in-root"))
		how.resolve = RESOLVE_IN_ROOT;
	else if (!strcmp(args[0], "beneath"))
		how.resolve = RESOLVE_BENEATH;
	else if (!strcmp(args[0], "no-links"))
		how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
	else if (!strcmp(args[0], "no-xdev"))
		how.resolve = RESOLVE_NO_XDEV;
	else if (!strcmp(args[0], "cached"))
		how.resolve = 0x20; /* RESOLVE_CACHED: what the name leads to is known already */
	return opened_read(syscall(SYS_openat2, dir, args[2], &how, sizeof(how)));
}

static int act_openat(char **args)
{
	int dir = before(open(args[0], O_PATH | O_DIRECTORY | O_CLOEXEC), args[0]);

	return opened_read(openat(dir, args[1], O_RDONLY | O_CLOEXEC));
}

/* ---- detours to an open ---- */

static int reopen(const char *folder, int fd, int flags)
{
	char link[96];

	snprintf(link, sizeof(link), "%s/%d", folder, fd);
	return open(link, flags | O_CLOEXEC);
}

static int act_reopen(char **args)
{
	return opened_read(reopen("/proc/self/fd", before(open(args[0], O_PATH), args[0]), O_RDONLY));
}

static int act_reopen_write(char **args)
{
	return opened_write(reopen("/proc/self/fd", before(open(args[0], O_PATH), args[0]), O_WRONLY));
}

static int act_reopen_dev_fd(char **args)
{
	return opened_read(reopen("/dev/fd", before(open(args[0], O_PATH), args[0]), O_RDONLY));
}

/* A descriptor that the process was started with. */
static int act_reopen_inherited(char **args)
{
	return opened_read(reopen("/proc/thread-self/fd", atoi(args[0]), O_RDONLY));
}

/* Through the open files of another process: args: pid, its descriptor */
static int act_reopen_foreign(char **args)
{
	char folder[64];

	snprintf(folder, sizeof(folder), "/proc/%s/fd", args[0]);
	return opened_read(reopen(folder, atoi(args[1]), O_RDONLY));
}

static int act_by_handle(char **args)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u = { .handle.handle_bytes = MAX_HANDLE_SZ };
	int mount_id, mount = before(open(args[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC), args[1]);

	before(name_to_handle_at(AT_FDCWD, args[0], &u.handle, &mount_id, 0), "name_to_handle_at");
	return opened_read(open_by_handle_at(mount, &u.handle, O_RDONLY | O_CLOEXEC));
}

/* args: directory, name in it */
static int act_read_cwd(char **args)
{
	char *name = NULL;

	before(chdir(args[0]), "chdir");
	before(asprintf(&name, "/proc/self/cwd/%s", args[1]), "asprintf");
	return opened_read(open(name, O_RDONLY | O_CLOEXEC));
}

static int act_read_root_link(char **args)
{
	char *name = NULL;

	before(asprintf(&name, "/proc/self/root%s", args[0]), "asprintf");
	return opened_read(open(name, O_RDONLY | O_CLOEXEC));
}

/* Through the root of another process: args: pid, name */
static int act_read_root_of(char **args)
{
	char *name = NULL;

	before(asprintf(&name, "/proc/%s/root%s", args[0], args[1]), "asprintf");
	return opened_read(open(name, O_RDONLY | O_CLOEXEC));
}

/* args: new root, name from there */
static int act_read_chroot(char **args)
{
	before(chroot(args[0]), "chroot");
	return opened_read(open(args[1], O_RDONLY | O_CLOEXEC));
}

/* Further down than a path of PATH_MAX reaches. args: start, number of directories, name of each, verb, leaf */
static int act_deep(char **args)
{
	char *const act[] = { args[3], args[4], NULL };

	before(chdir(args[0]), args[0]);
	for (int i = atoi(args[1]); i > 0; i--)
		before(chdir(args[2]), "chdir");
	return act_run((char **)act);
}

/* ---- change without an open ---- */

static int act_truncate(char **args)
{
	return result_of(truncate(args[0], 1));
}

static int act_unlink(char **args)
{
	return result_of(unlink(args[0]));
}

static int act_unlinkat(char **args)
{
	int dir = before(open(args[0], O_PATH | O_DIRECTORY | O_CLOEXEC), args[0]);

	return result_of(unlinkat(dir, args[1], 0));
}

static int act_rmdir(char **args)
{
	return result_of(rmdir(args[0]));
}

static int act_mkdir(char **args)
{
	return result_of(mkdir(args[0], 0755));
}

/* args: kind, name */
static int act_mknod(char **args)
{
	static const struct {
		const char *kind;
		mode_t mode;
		unsigned int major, minor;
	} kinds[] = {
		{ "file", S_IFREG, 0, 0 }, { "fifo", S_IFIFO, 0, 0 },  { "socket", S_IFSOCK, 0, 0 },
		{ "char", S_IFCHR, 1, 3 }, { "block", S_IFBLK, 7, 0 }, { "whiteout", S_IFCHR, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].kind, args[0]))
			return result_of(mknod(args[1], kinds[i].mode | 0644, makedev(kinds[i].major, kinds[i].minor)));
	errno = EINVAL;
	return before(-1, args[0]);
}

static int act_symlink(char **args)
{
	return result_of(symlink("nowhere", args[0]));
}

/* A socket's name is made by bind(). */
static int act_bind_name(char **args)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = before(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

	strncpy(name.sun_path, args[0], sizeof(name.sun_path) - 1);
	return result_of(bind(fd, (struct sockaddr *)&name, sizeof(name)));
}

static int act_tmpfile(char **args)
{
	return opened_write(open(args[0], O_WRONLY | O_TMPFILE | O_CLOEXEC, 0644));
}

/* An unnamed file that gets a name. args: directory, name */
static int act_tmpfile_link(char **args)
{
	int fd = before(open(args[0], O_WRONLY | O_TMPFILE | O_CLOEXEC, 0644), "O_TMPFILE");
	char link[96];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return result_of(linkat(AT_FDCWD, link, AT_FDCWD, args[1], AT_SYMLINK_FOLLOW));
}

/* ---- two names ---- */

static int act_link(char **args)
{
	return result_of(link(args[0], args[1]));
}

static int act_link_descriptor(char **args)
{
	int fd = before(open(args[0], O_PATH | O_CLOEXEC), args[0]);

	return result_of(linkat(fd, "", AT_FDCWD, args[1], AT_EMPTY_PATH));
}

/* By the name under /proc of a descriptor that only names the file. */
static int act_link_proc(char **args)
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/self/fd/%ld", before(open(args[0], O_PATH | O_CLOEXEC), args[0]));
	return result_of(linkat(AT_FDCWD, link, AT_FDCWD, args[1], AT_SYMLINK_FOLLOW));
}

static int act_rename(char **args)
{
	return result_of(rename(args[0], args[1]));
}

static int rename_as(char **args, unsigned int flags)
{
	return result_of(renameat2(AT_FDCWD, args[0], AT_FDCWD, args[1], flags));
}

static int act_exchange(char **args)
{
	return rename_as(args, RENAME_EXCHANGE);
}

static int act_noreplace(char **args)
{
	return rename_as(args, RENAME_NOREPLACE);
}

static int act_rename_whiteout(char **args)
{
	return rename_as(args, RENAME_WHITEOUT);
}

const struct act file_acts[] = {
	{ "read", 1, act_read },
	{ "open-read", 1, act_open_read },
	{ "open-write", 1, act_open_write },
	{ "open-append", 1, act_open_append },
	{ "open-ioctl", 1, act_open_ioctl },
	{ "list", 1, act_list },
	{ "write", 1, act_write },
	{ "read-write", 1, act_read_write },
	{ "open-truncate", 1, act_open_truncate },
	{ "read-truncate", 1, act_read_truncate },
	{ "creat", 1, act_creat },
	{ "create-read", 1, act_create_read },
	{ "create-excl", 1, act_create_excl },
	{ "openat2", 3, act_openat2 },
	{ "openat", 2, act_openat },
	{ "reopen", 1, act_reopen },
	{ "reopen-write", 1, act_reopen_write },
	{ "reopen-dev-fd", 1, act_reopen_dev_fd },
	{ "reopen-inherited", 1, act_reopen_inherited },
	{ "reopen-foreign", 2, act_reopen_foreign },
	{ "by-handle", 2, act_by_handle },
	{ "read-cwd", 2, act_read_cwd },
	{ "read-root-link", 1, act_read_root_link },
	{ "read-root-of", 2, act_read_root_of },
	{ "read-chroot", 2, act_read_chroot },
	{ "deep", 5, act_deep },
	{ "truncate", 1, act_truncate },
	{ "unlink", 1, act_unlink },
	{ "unlinkat", 2, act_unlinkat },
	{ "rmdir", 1, act_rmdir },
	{ "mkdir", 1, act_mkdir },
	{ "mknod", 2, act_mknod },
	{ "symlink", 1, act_symlink },
	{ "bind-name", 1, act_bind_name },
	{ "tmpfile", 1, act_tmpfile },
	{ "tmpfile-link", 2, act_tmpfile_link },
	{ "link", 2, act_link },
	{ "link-descriptor", 2, act_link_descriptor },
	{ "link-proc", 2, act_link_proc },
	{ "rename", 2, act_rename },
	{ "exchange", 2, act_exchange },
	{ "noreplace", 2, act_noreplace },
	{ "rename-whiteout", 2, act_rename_whiteout },
	{},
};
