// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the runner makes before a case, looks at behind it, and removes. All below LIVE_ROOT. */
#include "tests/engine/live.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "agent/util/cleanup.h"

#define CONTENT "as it was\n"
#define PROGRAMS LIVE_ROOT "/bin"
#define MOUNT_POINT LIVE_ROOT "/mnt"

/* The folders above a name. */
static int folders_make(const char *name)
{
	_cleanup_free_ char *path = strdup(name);

	if (!path)
		return -ENOMEM;
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

static int file_make(const char *name, const char *content, mode_t mode)
{
	_cleanup_close_ int fd = -1;
	int r = folders_make(name);

	if (r)
		return r;
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	return write(fd, content, strlen(content)) == (ssize_t)strlen(content) ? 0 : -EIO;
}

int live_script_make(const char *path, const char *interpreter)
{
	_cleanup_free_ char *line = NULL;

	if (asprintf(&line, "#!%s\n", interpreter) < 0) {
		line = NULL;
		return -ENOMEM;
	}
	return file_make(path, line, 0755);
}

int live_program_make(const char *path)
{
	_cleanup_close_ int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int to = -1;
	ssize_t n;
	int r = folders_make(path);

	if (r || from < 0)
		return r ? r : -errno;
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (to < 0)
		return errno == EEXIST ? 0 : -errno;
	while ((n = sendfile(to, from, NULL, 1 << 20)) > 0)
		;
	return n < 0 ? -errno : 0;
}

/* One object of the case's kind. */
static int object_make(enum case_node node, const char *name)
{
	int r = folders_make(name);

	if (r)
		return r;
	switch (node) {
	case CASE_DIRECTORY:
		return mkdir(name, 0755) && errno != EEXIST ? -errno : 0;
	case CASE_CHAR:
		return mknod(name, S_IFCHR | 0600, makedev(1, 3)) ? -errno : 0;
	case CASE_BLOCK:
		return mknod(name, S_IFBLK | 0600, makedev(7, 0)) ? -errno : 0;
	case CASE_FILE:
	case CASE_SCRIPT:
		return file_make(name, CONTENT, 0644);
	}
	return -EINVAL;
}

static int program_scene_make(const struct test_case *c)
{
	int r;

	if (c->node != CASE_SCRIPT)
		return live_program_make(c->ask.name.bytes);
	r = live_program_make(c->interpreter.bytes);
	return r ? r : live_script_make(c->ask.name.bytes, c->interpreter.bytes);
}

/* Where a subject that names the address arrives: the normalised one. */
static socklen_t inet_address(const struct lsmd_address *address, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (address->hi == 0 && address->lo >> 32 == 0xffff) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(address->port);
		v4->sin_addr.s_addr = htonl(address->lo);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(address->port);
	for (int i = 0; i < 8; i++) {
		v6->sin6_addr.s6_addr[i] = address->hi >> (56 - 8 * i);
		v6->sin6_addr.s6_addr[8 + i] = address->lo >> (56 - 8 * i);
	}
	return sizeof(*v6);
}

static int listener_make(struct live_scene *scene)
{
	const struct test_case *c = scene->c;
	struct sockaddr_storage address = c->address;
	socklen_t len = c->address_len;
	int type = scene->way->proto, one = 1;

	if (c->ask.object == LSMD_OBJECT_ADDRESS) {
		len = inet_address(&c->ask.address, &address);
		type = scene->way->proto == LSMD_PROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
	}
	if (c->ask.object == LSMD_OBJECT_PATH) {
		int r = folders_make(c->ask.name.bytes);

		if (r)
			return r;
	}
	scene->listener = socket(address.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (scene->listener < 0 || setsockopt(scene->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		return -errno;
	if (bind(scene->listener, (struct sockaddr *)&address, len))
		return -errno;
	return type != SOCK_DGRAM && listen(scene->listener, 4) ? -errno : 0;
}

static int mount_scene_make(bool mounted)
{
	if (folders_make(MOUNT_POINT "/"))
		return -errno;
	return mounted && mount("none", MOUNT_POINT, "tmpfs", 0, NULL) ? -errno : 0;
}

static int descriptor_send(int to, int fd)
{
	char byte = 'x', control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec part = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	return sendmsg(to, &message, 0) == 1 ? 0 : -errno;
}

/* The object, opened by the runner, waits in a socket for the subject. */
static int sent_make(struct live_scene *scene, int flags)
{
	const struct test_case *c = scene->c;
	_cleanup_close_ int fd = -1, near = -1;
	int r = object_make(c->node, c->ask.name.bytes), ends[2];

	if (r)
		return r;
	fd = open(c->ask.name.bytes, flags | O_CLOEXEC);
	if (fd < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	near = ends[0];
	scene->sent = ends[1];
	return descriptor_send(near, fd);
}

static int before_make(struct live_scene *scene)
{
	const struct test_case *c = scene->c;
	int r = 0;

	switch (scene->way->before) {
	case BEFORE_NOTHING:
		return c->ask.object == LSMD_OBJECT_PATH ? folders_make(c->ask.name.bytes) : 0;
	case BEFORE_OBJECT:
		r = object_make(c->node, c->ask.name.bytes);
		return r || !c->ask.other.len ? r : folders_make(c->ask.other.bytes);
	case BEFORE_BOTH:
		r = object_make(c->node, c->ask.name.bytes);
		return r ? r : object_make(c->node, c->ask.other.bytes);
	case BEFORE_SENT_READER:
		return sent_make(scene, O_RDONLY);
	case BEFORE_SENT_WRITER:
		return sent_make(scene, O_WRONLY);
	case BEFORE_SENT_APPENDER:
		return sent_make(scene, O_WRONLY | O_APPEND);
	case BEFORE_XATTR:
		r = object_make(c->node, c->ask.name.bytes);
		return r ? r : lsetxattr(c->ask.name.bytes, "user.lsmd-test", "x", 1, 0) ? -errno : 0;
	case BEFORE_PROGRAM:
		return program_scene_make(c);
	case BEFORE_LISTENER:
	case BEFORE_INHERITED:
		return listener_make(scene);
	case BEFORE_MOUNT_POINT:
		return mount_scene_make(false);
	case BEFORE_MOUNT:
		return mount_scene_make(true);
	}
	return -EINVAL;
}

int live_scene_make(struct live_scene *scene)
{
	struct stat st;
	int r;

	scene->listener = -1;
	scene->sent = -1;
	r = before_make(scene);
	if (!r && scene->way->after == AFTER_MOVED) {
		if (lstat(scene->c->ask.name.bytes, &st))
			return -errno;
		scene->inode = st.st_ino;
	}
	return r;
}

static int content_changed(const char *name)
{
	char content[64] = { 0 };
	_cleanup_close_ int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, content, sizeof(content) - 1) < 0)
		return -errno;
	return strcmp(content, CONTENT) != 0;
}

/* The flags of a file that may be opened; others have none that a way sets. */
static int flags_set(const char *name)
{
	_cleanup_close_ int fd = open(name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	int flags = 0;

	return fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_NODUMP_FL);
}

/* What ways change them to is never what they were made with. */
static int attributes_changed(const char *name)
{
	ssize_t xattrs = llistxattr(name, NULL, 0);
	struct stat st;

	if (lstat(name, &st) || (xattrs < 0 && errno != ENOTSUP))
		return -errno;
	return (st.st_mode & 07777) == 0611 || st.st_uid == 1 || st.st_mtime == 1 || xattrs > 0 || flags_set(name);
}

static int xattr_gone(const char *name)
{
	ssize_t n = llistxattr(name, NULL, 0);

	return n < 0 ? -errno : n == 0;
}

static int exists(const char *name)
{
	struct stat st;

	if (lstat(name, &st) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

static int moved(const struct live_scene *scene)
{
	struct stat st;

	if (lstat(scene->c->ask.other.bytes, &st))
		return errno == ENOENT ? 0 : -errno;
	return st.st_ino == scene->inode;
}

static int connected(int listener)
{
	struct pollfd poll_fd = { .fd = listener, .events = POLLIN };

	return poll(&poll_fd, 1, 20) == 1;
}

static int mounted(void)
{
	_cleanup_fclose_ FILE *mounts = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	if (!mounts)
		return -errno;
	while (getline(&line, &size, mounts) > 0)
		if (strstr(line, " " MOUNT_POINT " "))
			return 1;
	return 0;
}

static int negate(int r)
{
	return r < 0 ? r : !r;
}

int live_scene_happened(const struct live_scene *scene)
{
	const struct ask *ask = &scene->c->ask;

	switch (scene->way->after) {
	case AFTER_NOTHING:
		return -EAGAIN;
	case AFTER_CHANGED:
		return content_changed(ask->name.bytes);
	case AFTER_ATTRIBUTES:
		return attributes_changed(ask->name.bytes);
	case AFTER_NO_XATTR:
		return xattr_gone(ask->name.bytes);
	case AFTER_EXISTS:
		return exists(ask->name.bytes);
	case AFTER_GONE:
		return negate(exists(ask->name.bytes));
	case AFTER_MOVED:
		return moved(scene);
	case AFTER_OTHER:
		return exists(ask->other.bytes);
	case AFTER_CONNECTED:
		return connected(scene->listener);
	case AFTER_MOUNTED:
		return mounted();
	case AFTER_UNMOUNTED:
		return negate(mounted());
	}
	return -EINVAL;
}

static int entry_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
	size_t n = strlen(PROGRAMS);

	if (at->level == 0 || (strncmp(path, PROGRAMS, n) == 0 && (path[n] == '\0' || path[n] == '/')))
		return 0;
	return type == FTW_DP ? rmdir(path) : unlink(path);
}

int live_scene_clear(struct live_scene *scene)
{
	if (scene->listener >= 0)
		close(scene->listener);
	scene->listener = -1;
	if (scene->sent >= 0)
		close(scene->sent);
	scene->sent = -1;
	while (umount2(MOUNT_POINT, MNT_DETACH) == 0)
		;
	return nftw(LIVE_ROOT, entry_remove, 64, FTW_DEPTH | FTW_PHYS) ? -errno : 0;
}
