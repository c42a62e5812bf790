// SPDX-License-Identifier: LGPL-2.1-or-later
/* The ways: what the subject does, one function each: 0, or -errno of the call that the hooks may refuse. */
#include "tests/engine/live.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/kcmp.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/* A device node whose driver is not there was opened as far as any policy is concerned. */
static int opened(int fd)
{
	return fd >= 0 || errno == ENXIO || errno == ENODEV || errno == ENOMEDIUM ? 0 : -errno;
}

static int open_flags(const char *name, int flags)
{
	int fd = open(name, flags | O_NONBLOCK | O_CLOEXEC, 0644);
	int r = opened(fd);

	close(fd);
	return r;
}

/* ---- read ---- */

/* What was opened must also be readable. */
static int opened_read(int fd)
{
	char byte;
	int r = opened(fd);

	if (r || fd < 0)
		return r;
	r = read(fd, &byte, 1) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static int act_read(const struct live_task *task)
{
	return opened_read(open(task->name, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

static int act_read_openat2(const struct live_task *task)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS };

	return opened_read(syscall(SYS_openat2, AT_FDCWD, task->name, &how, sizeof(how)));
}

/* A descriptor that can only name the file, opened again through /proc. */
static int act_read_by_descriptor(const struct live_task *task)
{
	int fd = open(task->name, O_PATH | O_CLOEXEC);
	char link[64];

	if (fd < 0)
		return -errno;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return opened_read(open(link, O_RDONLY | O_CLOEXEC));
}

/* The same name by a detour: the folder first, then the last component; or through ".." and the root link. */
static int act_read_relative(const struct live_task *task)
{
	const char *slash = strrchr(task->name, '/');
	char *folder = strndup(task->name, slash - task->name + 1);
	int dir = folder ? open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	free(folder);
	if (dir < 0)
		return -errno;
	return opened_read(openat(dir, slash + 1, O_RDONLY | O_CLOEXEC));
}

static int act_read_by_root_link(const struct live_task *task)
{
	char *name = NULL;

	if (asprintf(&name, "/proc/self/root/srv/..%s", task->name) < 0)
		return -ENOMEM;
	return opened_read(open(name, O_RDONLY | O_CLOEXEC));
}

static int act_list(const struct live_task *task)
{
	char entries[512];
	int fd = open(task->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return syscall(SYS_getdents64, fd, entries, sizeof(entries)) < 0 ? -errno : 0;
}

/* What the runner has opened and sent; -EPERM where the message came and the descriptor did not. */
static int received(void)
{
	char byte, control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec part = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control),
	};
	const struct cmsghdr *head;
	int fd;

	if (recvmsg(LIVE_SENT, &message, MSG_CMSG_CLOEXEC) != 1)
		return -errno;
	head = CMSG_FIRSTHDR(&message);
	if (!head || head->cmsg_type != SCM_RIGHTS || head->cmsg_len < CMSG_LEN(sizeof(fd)))
		return message.msg_flags & MSG_CTRUNC ? -EPERM : -EBADMSG;
	memcpy(&fd, CMSG_DATA(head), sizeof(fd));
	return fd;
}

static int act_read_received(const struct live_task *task)
{
	int fd = received();

	return fd < 0 ? fd : opened_read(fd);
}

static int act_list_received(const struct live_task *task)
{
	int fd = received();
	char entries[512];

	if (fd < 0)
		return fd;
	return syscall(SYS_getdents64, fd, entries, sizeof(entries)) < 0 ? -errno : 0;
}

/* ---- write ---- */

static int opened_write(int fd)
{
	if (fd < 0)
		return opened(fd);
	return write(fd, "changed", 7) < 0 ? -errno : 0;
}

static int act_write_received(const struct live_task *task)
{
	int fd = received();

	return fd < 0 ? fd : opened_write(fd);
}

static int act_write(const struct live_task *task)
{
	return opened_write(open(task->name, O_WRONLY | O_NONBLOCK | O_CLOEXEC));
}

static int act_write_truncating(const struct live_task *task)
{
	return opened_write(open(task->name, O_WRONLY | O_TRUNC | O_CLOEXEC));
}

static int act_truncate(const struct live_task *task)
{
	return truncate(task->name, 1) ? -errno : 0;
}

static int act_write_by_descriptor(const struct live_task *task)
{
	int fd = open(task->name, O_PATH | O_CLOEXEC);
	char link[64];

	if (fd < 0)
		return -errno;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return opened_write(open(link, O_WRONLY | O_CLOEXEC));
}

static int act_read_write(const struct live_task *task)
{
	return opened_write(open(task->name, O_RDWR | O_NONBLOCK | O_CLOEXEC));
}

static int act_append(const struct live_task *task)
{
	return opened_write(open(task->name, O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC));
}

/* ---- create, delete ---- */

static int act_create_write(const struct live_task *task)
{
	return opened_write(open(task->name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

static int act_create_read(const struct live_task *task)
{
	return open_flags(task->name, O_RDONLY | O_CREAT);
}

static int act_create_append(const struct live_task *task)
{
	return opened_write(open(task->name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
}

static int act_mknod(const struct live_task *task)
{
	return mknod(task->name, S_IFREG | 0644, 0) ? -errno : 0;
}

static int act_mkfifo(const struct live_task *task)
{
	return mknod(task->name, S_IFIFO | 0644, 0) ? -errno : 0;
}

static int act_symlink(const struct live_task *task)
{
	return symlink("nowhere", task->name) ? -errno : 0;
}

static int act_mkdir(const struct live_task *task)
{
	return mkdir(task->name, 0755) ? -errno : 0;
}

static int act_mknod_char(const struct live_task *task)
{
	return mknod(task->name, S_IFCHR | 0600, makedev(1, 3)) ? -errno : 0;
}

static int act_mknod_block(const struct live_task *task)
{
	return mknod(task->name, S_IFBLK | 0600, makedev(7, 0)) ? -errno : 0;
}

static int act_unlink(const struct live_task *task)
{
	return unlink(task->name) ? -errno : 0;
}

static int act_rmdir(const struct live_task *task)
{
	return rmdir(task->name) ? -errno : 0;
}

/* ---- rename, link ---- */

static int act_rename(const struct live_task *task)
{
	return rename(task->name, task->other) ? -errno : 0;
}

static int act_rename_noreplace(const struct live_task *task)
{
	return renameat2(AT_FDCWD, task->name, AT_FDCWD, task->other, RENAME_NOREPLACE) ? -errno : 0;
}

static int act_exchange(const struct live_task *task)
{
	return renameat2(AT_FDCWD, task->name, AT_FDCWD, task->other, RENAME_EXCHANGE) ? -errno : 0;
}

static int act_link(const struct live_task *task)
{
	return link(task->name, task->other) ? -errno : 0;
}

static int act_link_by_descriptor(const struct live_task *task)
{
	int fd = open(task->name, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return linkat(fd, "", AT_FDCWD, task->other, AT_EMPTY_PATH) ? -errno : 0;
}

/* ---- setattr ---- */

#define ATTR_NAME "user.lsmd-test"

/* An ACL of one named user beside the three that a mode is: linux/posix_acl_xattr.h, little-endian. */
static const unsigned char acl[] = {
	2, 0, 0, 0,
	1, 0, 6, 0, 255, 255, 255, 255,
	2, 0, 4, 0, 1,   0,   0,   0,
	4, 0, 4, 0, 255, 255, 255, 255,
	16, 0, 4, 0, 255, 255, 255, 255,
	32, 0, 4, 0, 255, 255, 255, 255,
};

/* "/proc/self/fd/N" of a descriptor that only names the file. */
static int link_of(const struct live_task *task, char *link, size_t size)
{
	int fd = open(task->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	snprintf(link, size, "/proc/self/fd/%d", fd);
	return 0;
}

static int act_chmod(const struct live_task *task)
{
	return chmod(task->name, 0611) ? -errno : 0;
}

static int act_chmod_by_descriptor(const struct live_task *task)
{
	char link[64];
	int r = link_of(task, link, sizeof(link));

	return r ? r : chmod(link, 0611) ? -errno : 0;
}

static int act_chown(const struct live_task *task)
{
	return chown(task->name, 1, 1) ? -errno : 0;
}

static int act_lchown(const struct live_task *task)
{
	return lchown(task->name, 1, -1) ? -errno : 0;
}

static const struct timespec long_ago[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

static int act_utimes(const struct live_task *task)
{
	return utimensat(AT_FDCWD, task->name, long_ago, 0) ? -errno : 0;
}

static int act_utimes_by_descriptor(const struct live_task *task)
{
	char link[64];
	int r = link_of(task, link, sizeof(link));

	return r ? r : utimensat(AT_FDCWD, link, long_ago, 0) ? -errno : 0;
}

/* "Now" is another request to the kernel than a time. */
static int act_touch(const struct live_task *task)
{
	return utimensat(AT_FDCWD, task->name, NULL, 0) ? -errno : 0;
}

static int act_setxattr(const struct live_task *task)
{
	return setxattr(task->name, ATTR_NAME, "x", 1, 0) ? -errno : 0;
}

static int act_setxattr_by_descriptor(const struct live_task *task)
{
	char link[64];
	int r = link_of(task, link, sizeof(link));

	return r ? r : setxattr(link, ATTR_NAME, "x", 1, 0) ? -errno : 0;
}

static int act_removexattr(const struct live_task *task)
{
	return removexattr(task->name, ATTR_NAME) ? -errno : 0;
}

static int act_setfacl(const struct live_task *task)
{
	return setxattr(task->name, "system.posix_acl_access", acl, sizeof(acl), 0) ? -errno : 0;
}

/* Flags are set through a descriptor that was opened for reading; one beside those that are there, since ext4 takes the others away only from some files. */
static int act_setflags(const struct live_task *task)
{
	int fd = open(task->name, O_RDONLY | O_CLOEXEC), flags = 0;

	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags))
		return -errno;
	flags |= FS_NODUMP_FL;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) ? -errno : 0;
}

static int act_fssetxattr(const struct live_task *task)
{
	int fd = open(task->name, O_RDONLY | O_CLOEXEC);
	struct fsxattr attributes = { .fsx_xflags = FS_XFLAG_NODUMP };

	if (fd < 0)
		return -errno;
	return ioctl(fd, FS_IOC_FSSETXATTR, &attributes) ? -errno : 0;
}

/* As in linux/fs.h since 6.17; before, the ioctl is all there is. */
#define NR_FILE_SETATTR 469

struct file_attributes {
	__u64 xflags;
	__u32 extsize, nextents, projid, cowextsize;
};

static int act_file_setattr(const struct live_task *task)
{
	struct file_attributes attributes = { .xflags = FS_XFLAG_NODUMP };
	int fd = open(task->name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (syscall(NR_FILE_SETATTR, fd, "", &attributes, sizeof(attributes), AT_EMPTY_PATH) == 0)
		return 0;
	return errno == ENOSYS ? act_fssetxattr(task) : -errno;
}

static int act_fchmod(const struct live_task *task)
{
	int fd = open(task->name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return fchmod(fd, 0611) ? -errno : 0;
}

static int act_fsetxattr(const struct live_task *task)
{
	int fd = open(task->name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return fsetxattr(fd, ATTR_NAME, "x", 1, 0) ? -errno : 0;
}

static int act_futimens(const struct live_task *task)
{
	int fd = open(task->name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return futimens(fd, long_ago) ? -errno : 0;
}

/* ---- exec ---- */

/* The child's status is LIVE_STARTED where the program ran, else the errno of exec. */
static int child_wait(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == LIVE_STARTED)
		return 0;
	return WIFEXITED(status) && WEXITSTATUS(status) ? -WEXITSTATUS(status) : -EIO;
}

static int act_exec(const struct live_task *task)
{
	char *argv[] = { (char *)task->name, LIVE_START_WORD, NULL };
	char *environment[] = { NULL };
	pid_t pid = fork();

	if (pid == 0) {
		execve(task->name, argv, environment);
		_exit(errno);
	}
	return child_wait(pid);
}

static int act_exec_by_descriptor(const struct live_task *task)
{
	char *argv[] = { (char *)task->name, LIVE_START_WORD, NULL };
	char *environment[] = { NULL };
	pid_t pid = fork();

	if (pid == 0) {
		int fd = open(task->name, O_PATH);

		if (fd >= 0)
			syscall(SYS_execveat, fd, "", argv, environment, AT_EMPTY_PATH);
		_exit(errno);
	}
	return child_wait(pid);
}

/* ---- map ---- */

#define PAGE 4096

static int mapped(void *memory)
{
	return memory == MAP_FAILED ? -errno : 0;
}

static int file_map(const struct live_task *task, int prot, int flags)
{
	int fd = open(task->name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : mapped(mmap(NULL, PAGE, prot, flags, fd, 0));
}

static int act_map(const struct live_task *task)
{
	return file_map(task, PROT_READ | PROT_EXEC, MAP_PRIVATE);
}

static int act_map_shared(const struct live_task *task)
{
	return file_map(task, PROT_READ | PROT_EXEC, MAP_SHARED);
}

/* Whoever has this personality gets PROT_EXEC without asking for it. */
static int act_map_implied(const struct live_task *task)
{
	if (personality(READ_IMPLIES_EXEC) < 0)
		return -errno;
	return file_map(task, PROT_READ, MAP_PRIVATE);
}

static int act_map_later(const struct live_task *task)
{
	int fd = open(task->name, O_RDONLY | O_CLOEXEC);
	void *memory = fd < 0 ? MAP_FAILED : mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	return mprotect(memory, PAGE, PROT_READ | PROT_EXEC) ? -errno : 0;
}

static int act_anonymous(const struct live_task *task)
{
	return mapped(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

/* Written first, run then: what injected code does. */
static int act_anonymous_later(const struct live_task *task)
{
	char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -errno;
	memory[0] = (char)0xc3;
	return mprotect(memory, PAGE, PROT_READ | PROT_EXEC) ? -errno : 0;
}

static int act_anonymous_implied(const struct live_task *task)
{
	if (personality(READ_IMPLIES_EXEC) < 0)
		return -errno;
	return mapped(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static int act_memfd_map(const struct live_task *task)
{
	int fd = memfd_create("code", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, PAGE))
		return -errno;
	return mapped(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0));
}

/* The pages of our own program, which may be mapped, changed in memory. */
static int act_changed_map(const struct live_task *task)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char *memory = fd < 0 ? MAP_FAILED : mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	memory[0] = (char)0xc3;
	return mprotect(memory, PAGE, PROT_READ | PROT_EXEC) ? -errno : 0;
}

static int act_writable_map(const struct live_task *task)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : mapped(mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, fd, 0));
}

/* A file without a name, executed. */
static int act_exec_memfd(const struct live_task *task)
{
	char *argv[] = { "memfd", LIVE_START_WORD, NULL };
	char *environment[] = { NULL };
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to = memfd_create("program", MFD_CLOEXEC);
	pid_t pid;

	if (from < 0 || to < 0)
		return -errno;
	while (sendfile(to, from, NULL, 1 << 20) > 0)
		;
	pid = fork();
	if (pid == 0) {
		syscall(SYS_execveat, to, "", argv, environment, AT_EMPTY_PATH);
		_exit(errno);
	}
	return child_wait(pid);
}

/* ---- connect ---- */

static int act_connect(const struct live_task *task)
{
	int type = task->proto == LSMD_PROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
	int fd = socket(task->address->sa_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	return connect(fd, task->address, task->address_len) ? -errno : 0;
}

/* A name given to send on a stream socket connects it, and no hook for connect runs. */
static int act_connect_send(const struct live_task *task)
{
	int fd = socket(task->address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	return sendto(fd, "x", 1, MSG_FASTOPEN, task->address, task->address_len) == 1 ? 0 : -errno;
}

static int unix_connect(const struct live_task *task, int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	return connect(fd, task->address, task->address_len) ? -errno : 0;
}

static int act_connect_stream(const struct live_task *task)
{
	return unix_connect(task, SOCK_STREAM);
}

static int act_connect_dgram(const struct live_task *task)
{
	return unix_connect(task, SOCK_DGRAM);
}

static int act_connect_packet(const struct live_task *task)
{
	return unix_connect(task, SOCK_SEQPACKET);
}

/* ---- send, bind, listen, accept, socket ---- */

static int socket_of(const struct live_task *task, int type)
{
	int fd = socket(task->address->sa_family, type | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

static int inet_type(const struct live_task *task)
{
	return task->proto == LSMD_PROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
}

static int act_sendto(const struct live_task *task)
{
	int fd = socket_of(task, SOCK_DGRAM);

	if (fd < 0)
		return fd;
	return sendto(fd, "x", 1, 0, task->address, task->address_len) == 1 ? 0 : -errno;
}

/* Many messages in one call; the address is looked at for the first. */
static int act_sendmmsg(const struct live_task *task)
{
	struct iovec bytes = { .iov_base = "x", .iov_len = 1 };
	struct mmsghdr messages[2] = {};
	int fd = socket_of(task, SOCK_DGRAM);

	if (fd < 0)
		return fd;
	for (int i = 0; i < 2; i++)
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = (void *)task->address,
			.msg_namelen = task->address_len,
			.msg_iov = &bytes,
			.msg_iovlen = 1,
		};
	return sendmmsg(fd, messages, 2, 0) > 0 ? 0 : -errno;
}

/* IPv4 is also sent to when the address has no family. */
static int act_sendto_unspec(const struct live_task *task)
{
	struct sockaddr_storage address = {};
	int fd = socket_of(task, SOCK_DGRAM);

	if (fd < 0)
		return fd;
	memcpy(&address, task->address, task->address_len);
	if (address.ss_family == AF_INET)
		address.ss_family = AF_UNSPEC;
	return sendto(fd, "x", 1, 0, (struct sockaddr *)&address, task->address_len) == 1 ? 0 : -errno;
}

static int bound(const struct live_task *task, int type)
{
	int fd = socket_of(task, type), one = 1;

	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return bind(fd, task->address, task->address_len) ? -errno : fd;
}

static int act_bind_inet(const struct live_task *task)
{
	int r = bound(task, inet_type(task));

	return r < 0 ? r : 0;
}

static int act_bind_stream(const struct live_task *task)
{
	int r = bound(task, SOCK_STREAM);

	return r < 0 ? r : 0;
}

static int act_bind_dgram(const struct live_task *task)
{
	int r = bound(task, SOCK_DGRAM);

	return r < 0 ? r : 0;
}

/* Port 0 is what a socket has that was never bound. */
static int listening(const struct live_task *task)
{
	const struct sockaddr_in *address = (const struct sockaddr_in *)task->address;
	bool unbound = task->address->sa_family != AF_UNIX && !address->sin_port;
	int fd = unbound ? socket_of(task, SOCK_STREAM) : bound(task, SOCK_STREAM);

	if (fd < 0)
		return fd;
	return listen(fd, 1) ? -errno : fd;
}

static int act_listen(const struct live_task *task)
{
	int r = listening(task);

	return r < 0 ? r : 0;
}

/* MPTCP is TCP. */
static int act_listen_mptcp(const struct live_task *task)
{
	int fd = socket(task->address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	const struct sockaddr_in *address = (const struct sockaddr_in *)task->address;

	if (fd < 0)
		return -errno;
	if (address->sin_port && bind(fd, task->address, task->address_len))
		return -errno;
	return listen(fd, 1) ? -errno : 0;
}

/* Nobody comes: what counts is being allowed to wait. A socket that somebody else made listen is decided here too. */
static int act_accept(const struct live_task *task)
{
	int fd = task->listener, flags;

	if (fd < 0)
		return -EBADF;
	flags = fcntl(fd, F_GETFL);
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	return accept(fd, NULL, NULL) < 0 && errno != EAGAIN ? -errno : 0;
}

/* A family that this kernel does not have, or that an owner may not use (EACCES, of echo requests), was asked for behind every policy. */
static int act_socket(const struct live_task *task)
{
	int family = task->numbers[0], type = SOCK_RAW, protocol = 0, fd;

	if (family == AF_NETLINK) {
		protocol = task->numbers[1];
	} else {
		type = task->numbers[1];
		protocol = task->numbers[2];
	}
	fd = socket(family, type | SOCK_CLOEXEC, protocol);
	if (fd >= 0 || errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT || errno == ESOCKTNOSUPPORT || errno == ENODEV ||
	    errno == EACCES)
		return 0;
	return -errno;
}

/* ---- other processes and the kernel itself ---- */

/* To the runner, which no policy holds and which ignores what the tables send. */
static int act_signal(const struct live_task *task)
{
	return kill(getppid(), task->numbers[0]) ? -errno : 0;
}

static int act_pidfd_signal(const struct live_task *task)
{
	int fd = syscall(SYS_pidfd_open, getppid(), 0);

	return fd < 0 || syscall(SYS_pidfd_send_signal, fd, task->numbers[0], NULL, 0) ? -errno : 0;
}

static int act_ptrace(const struct live_task *task)
{
	int fd = syscall(SYS_pidfd_open, getppid(), 0);

	switch (task->numbers[0]) {
	case LSMD_PTRACE_TRACE:
		return fd < 0 || syscall(SYS_pidfd_getfd, fd, 0, 0) < 0 ? -errno : 0;
	case LSMD_PTRACE_ADJUST:
		return setpriority(PRIO_PROCESS, getppid(), 0) ? -errno : 0;
	default:
		return syscall(SYS_kcmp, getpid(), getppid(), KCMP_FILES, 0, 0) < 0 ? -errno : 0;
	}
}

static int act_ptrace_others(const struct live_task *task)
{
	const struct sched_param param = {};
	struct rlimit limit;
	void *list;
	size_t size;

	switch (task->numbers[0]) {
	case LSMD_PTRACE_TRACE:
		return ptrace(PTRACE_SEIZE, getppid(), 0, 0) || ptrace(PTRACE_DETACH, getppid(), 0, 0) ? (errno == ESRCH ? 0 : -errno) : 0;
	case LSMD_PTRACE_ADJUST:
		if (sched_setscheduler(getppid(), SCHED_OTHER, &param))
			return -errno;
		getrlimit(RLIMIT_NOFILE, &limit);
		return prlimit(getppid(), RLIMIT_NOFILE, &limit, NULL) ? -errno : 0;
	default:
		return syscall(SYS_get_robust_list, getppid(), &list, &size) ? -errno : 0;
	}
}

static int act_capability(const struct live_task *task)
{
	char name[65] = "";

	switch (task->numbers[0]) {
	case CAP_CHOWN:
		return fchown(memfd_create("lsmd-test", MFD_CLOEXEC), 12, 12) ? -errno : 0;
	case CAP_SETUID:
		return setresuid(12, 12, 12) ? -errno : 0;
	case CAP_SYS_CHROOT:
		return chroot("/") ? -errno : 0;
	case CAP_SYS_ADMIN:
		gethostname(name, sizeof(name) - 1);
		return sethostname(name, strlen(name)) ? -errno : 0;
	default:
		return -ENOSYS;
	}
}

/* refused_alone() - only a refusal counts: that what is asked for makes no sense is found out behind it */
static int refused_alone(long result)
{
	return result < 0 && errno == EPERM ? -EPERM : 0;
}

static int act_module(const struct live_task *task)
{
	return refused_alone(syscall(SYS_delete_module, "lsmd_no_such_module", O_NONBLOCK));
}

static int act_bpf(const struct live_task *task)
{
	union bpf_attr attr = {};

	return refused_alone(syscall(SYS_bpf, task->numbers[0], &attr, sizeof(attr)));
}

static int act_userns(const struct live_task *task)
{
	return unshare(CLONE_NEWUSER) ? -errno : 0;
}

static int act_lockdown(const struct live_task *task)
{
	struct perf_event_attr counter = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(counter), .config = PERF_COUNT_SW_CPU_CLOCK };
	int fd;

	switch (task->numbers[0]) {
	case LSMD_LOCKDOWN_KEXEC:
		return syscall(SYS_kexec_load, 0, 0, NULL, 0) && errno != ENOSYS ? -errno : 0; /* takes back what was loaded: nothing */
	case LSMD_LOCKDOWN_PERF:
		return syscall(SYS_perf_event_open, &counter, 0, -1, -1, 0) < 0 ? -errno : 0;
	default:
		fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
		return ioctl(fd, TIOCSTI, "x") ? -errno : 0;
	}
}

/* ---- mount ---- */

static int act_mount(const struct live_task *task)
{
	return mount("none", task->name, "tmpfs", 0, NULL) ? -errno : 0;
}

static int act_bind(const struct live_task *task)
{
	return mount(task->name, task->name, NULL, MS_BIND, NULL) ? -errno : 0;
}

static int act_remount(const struct live_task *task)
{
	return mount("none", task->name, NULL, MS_REMOUNT | MS_RDONLY, NULL) ? -errno : 0;
}

static int act_unmount(const struct live_task *task)
{
	return umount2(task->name, 0) ? -errno : 0;
}

/* The newer calls: only the last one touches the tree. */
static int act_move_mount(const struct live_task *task)
{
	int context = syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	int detached;

	if (context < 0 || syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	detached = syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	if (detached < 0)
		return -errno;
	return syscall(SYS_move_mount, detached, "", AT_FDCWD, task->name, MOVE_MOUNT_F_EMPTY_PATH) ? -errno : 0;
}

#define FILE_NODE (1u << CASE_FILE)
#define DIR_NODE (1u << CASE_DIRECTORY)
#define DEVICE_NODES (1u << CASE_CHAR | 1u << CASE_BLOCK)
#define PATH LSMD_OBJECT_PATH
#define ADDRESS LSMD_OBJECT_ADDRESS
#define ABSTRACT LSMD_OBJECT_ABSTRACT

const struct live_way live_ways[] = {
	{ "open", "read", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_NOTHING, act_read },
	{ "openat2", "read", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_NOTHING, act_read_openat2 },
	{ "descriptor", "read", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_NOTHING, act_read_by_descriptor },
	{ "relative", "read", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_NOTHING, act_read_relative },
	{ "root-link", "read", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_NOTHING, act_read_by_root_link },
	{ "received", "read", FILE_NODE, PATH, 0, BEFORE_SENT_READER, AFTER_NOTHING, act_read_received },
	{ "received", "read", DIR_NODE, PATH, 0, BEFORE_SENT_READER, AFTER_NOTHING, act_list_received },
	{ "list", "read", DIR_NODE, PATH, 0, BEFORE_OBJECT, AFTER_NOTHING, act_list },
	{ "node", "read", DEVICE_NODES, PATH, 0, BEFORE_OBJECT, AFTER_NOTHING, act_read },
	{ "open", "write", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_CHANGED, act_write },
	{ "received", "write", FILE_NODE, PATH, 0, BEFORE_SENT_WRITER, AFTER_CHANGED, act_write_received },
	{ "open-trunc", "write", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_CHANGED, act_write_truncating },
	{ "truncate", "write", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_CHANGED, act_truncate },
	{ "descriptor", "write", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_CHANGED, act_write_by_descriptor },
	{ "node", "write", DEVICE_NODES, PATH, 0, BEFORE_OBJECT, AFTER_NOTHING, act_write },
	{ "open", "read+write", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_CHANGED, act_read_write },
	{ "node", "read+write", DEVICE_NODES, PATH, 0, BEFORE_OBJECT, AFTER_NOTHING, act_read_write },
	{ "received", "append", FILE_NODE, PATH, 0, BEFORE_SENT_APPENDER, AFTER_CHANGED, act_write_received },
	{ "open", "append", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_CHANGED, act_append },
	{ "node", "append", DEVICE_NODES, PATH, 0, BEFORE_OBJECT, AFTER_NOTHING, act_append },
	{ "mknod", "create", FILE_NODE, PATH, 0, BEFORE_NOTHING, AFTER_EXISTS, act_mknod },
	{ "mkfifo", "create", FILE_NODE, PATH, 0, BEFORE_NOTHING, AFTER_EXISTS, act_mkfifo },
	{ "symlink", "create", FILE_NODE, PATH, 0, BEFORE_NOTHING, AFTER_EXISTS, act_symlink },
	{ "mkdir", "create", DIR_NODE, PATH, 0, BEFORE_NOTHING, AFTER_EXISTS, act_mkdir },
	{ "mknod", "create", 1u << CASE_CHAR, PATH, 0, BEFORE_NOTHING, AFTER_EXISTS, act_mknod_char },
	{ "mknod", "create", 1u << CASE_BLOCK, PATH, 0, BEFORE_NOTHING, AFTER_EXISTS, act_mknod_block },
	{ "open", "create+write", FILE_NODE, PATH, 0, BEFORE_NOTHING, AFTER_NOTHING, act_create_write },
	{ "open", "create+read", FILE_NODE, PATH, 0, BEFORE_NOTHING, AFTER_NOTHING, act_create_read },
	{ "open", "create+append", FILE_NODE, PATH, 0, BEFORE_NOTHING, AFTER_NOTHING, act_create_append },
	{ "unlink", "delete", FILE_NODE | DEVICE_NODES, PATH, 0, BEFORE_OBJECT, AFTER_GONE, act_unlink },
	{ "rmdir", "delete", DIR_NODE, PATH, 0, BEFORE_OBJECT, AFTER_GONE, act_rmdir },
	{ "rename", "rename", FILE_NODE | DIR_NODE | DEVICE_NODES, PATH, 0, BEFORE_OBJECT, AFTER_MOVED, act_rename },
	{ "noreplace", "rename", FILE_NODE | DIR_NODE, PATH, 0, BEFORE_OBJECT, AFTER_MOVED, act_rename_noreplace },
	{ "rename", "rename-over", FILE_NODE | DIR_NODE, PATH, 0, BEFORE_BOTH, AFTER_MOVED, act_rename },
	{ "exchange", "exchange", FILE_NODE | DIR_NODE, PATH, 0, BEFORE_BOTH, AFTER_MOVED, act_exchange },
	{ "link", "link", FILE_NODE | DEVICE_NODES, PATH, 0, BEFORE_OBJECT, AFTER_OTHER, act_link },
	{ "descriptor", "link", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_OTHER, act_link_by_descriptor },
	{ "chmod", "setattr", FILE_NODE | DIR_NODE | DEVICE_NODES, PATH, 0, BEFORE_OBJECT, AFTER_ATTRIBUTES, act_chmod },
	{ "chmod-descriptor", "setattr", FILE_NODE | DIR_NODE, PATH, 0, BEFORE_OBJECT, AFTER_ATTRIBUTES, act_chmod_by_descriptor },
	{ "chown", "setattr", FILE_NODE | DIR_NODE | DEVICE_NODES, PATH, 0, BEFORE_OBJECT, AFTER_ATTRIBUTES, act_chown },
	{ "lchown", "setattr", FILE_NODE | DIR_NODE, PATH, 0, BEFORE_OBJECT, AFTER_ATTRIBUTES, act_lchown },
	{ "utimes", "setattr", FILE_NODE | DIR_NODE | DEVICE_NODES, PATH, 0, BEFORE_OBJECT, AFTER_ATTRIBUTES, act_utimes },
	{ "utimes-descriptor", "setattr", FILE_NODE | DIR_NODE, PATH, 0, BEFORE_OBJECT, AFTER_ATTRIBUTES, act_utimes_by_descriptor },
	{ "touch", "setattr", FILE_NODE | DIR_NODE, PATH, 0, BEFORE_OBJECT, AFTER_NOTHING, act_touch },
	{ "setxattr", "setattr", FILE_NODE | DIR_NODE, PATH, 0, BEFORE_OBJECT, AFTER_ATTRIBUTES, act_setxattr },
	{ "setxattr-descriptor", "setattr", FILE_NODE | DIR_NODE, PATH, 0, BEFORE_OBJECT, AFTER_ATTRIBUTES, act_setxattr_by_descriptor },
	{ "removexattr", "setattr", FILE_NODE | DIR_NODE, PATH, 0, BEFORE_XATTR, AFTER_NO_XATTR, act_removexattr },
	{ "setfacl", "setattr", FILE_NODE | DIR_NODE, PATH, 0, BEFORE_OBJECT, AFTER_ATTRIBUTES, act_setfacl },
	{ "setflags", "read+setattr", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_ATTRIBUTES, act_setflags },
	{ "fssetxattr", "read+setattr", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_ATTRIBUTES, act_fssetxattr },
	{ "file_setattr", "read+setattr", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_ATTRIBUTES, act_file_setattr },
	{ "fchmod", "read+setattr", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_ATTRIBUTES, act_fchmod },
	{ "fsetxattr", "read+setattr", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_ATTRIBUTES, act_fsetxattr },
	{ "futimens", "read+setattr", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_ATTRIBUTES, act_futimens },
	{ "execve", "exec", FILE_NODE | 1u << CASE_SCRIPT, PATH, 0, BEFORE_PROGRAM, AFTER_NOTHING, act_exec },
	{ "execveat", "exec", FILE_NODE, PATH, 0, BEFORE_PROGRAM, AFTER_NOTHING, act_exec_by_descriptor },
	{ "memfd", "exec", FILE_NODE, LSMD_OBJECT_NONE, 0, BEFORE_NOTHING, AFTER_NOTHING, act_exec_memfd },
	{ "mmap", "read+map", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_NOTHING, act_map },
	{ "shared", "read+map", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_NOTHING, act_map_shared },
	{ "implied", "read+map", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_NOTHING, act_map_implied },
	{ "mprotect", "read+map", FILE_NODE, PATH, 0, BEFORE_OBJECT, AFTER_NOTHING, act_map_later },
	{ "mmap", "map", FILE_NODE, LSMD_OBJECT_NONE, 0, BEFORE_NOTHING, AFTER_NOTHING, act_anonymous },
	{ "mprotect", "map", FILE_NODE, LSMD_OBJECT_NONE, 0, BEFORE_NOTHING, AFTER_NOTHING, act_anonymous_later },
	{ "implied", "map", FILE_NODE, LSMD_OBJECT_NONE, 0, BEFORE_NOTHING, AFTER_NOTHING, act_anonymous_implied },
	{ "memfd", "map", FILE_NODE, LSMD_OBJECT_NONE, 0, BEFORE_NOTHING, AFTER_NOTHING, act_memfd_map },
	{ "changed-file", "map", FILE_NODE, LSMD_OBJECT_NONE, 0, BEFORE_NOTHING, AFTER_NOTHING, act_changed_map },
	{ "writable-file", "map", FILE_NODE, LSMD_OBJECT_NONE, 0, BEFORE_NOTHING, AFTER_NOTHING, act_writable_map },
	{ "connect", "connect", FILE_NODE, ADDRESS, LSMD_PROTO_TCP, BEFORE_LISTENER, AFTER_CONNECTED, act_connect },
	{ "send", "connect", FILE_NODE, ADDRESS, LSMD_PROTO_TCP, BEFORE_LISTENER, AFTER_CONNECTED, act_connect_send },
	{ "connect", "connect", FILE_NODE, ADDRESS, LSMD_PROTO_UDP, BEFORE_NOTHING, AFTER_NOTHING, act_connect },
	{ "stream", "connect", FILE_NODE, PATH, SOCK_STREAM, BEFORE_LISTENER, AFTER_CONNECTED, act_connect_stream },
	{ "datagram", "connect", FILE_NODE, PATH, SOCK_DGRAM, BEFORE_LISTENER, AFTER_NOTHING, act_connect_dgram },
	{ "packets", "connect", FILE_NODE, PATH, SOCK_SEQPACKET, BEFORE_LISTENER, AFTER_CONNECTED, act_connect_packet },
	{ "stream", "connect", FILE_NODE, ABSTRACT, SOCK_STREAM, BEFORE_LISTENER, AFTER_CONNECTED, act_connect_stream },
	{ "datagram", "connect", FILE_NODE, ABSTRACT, SOCK_DGRAM, BEFORE_LISTENER, AFTER_NOTHING, act_connect_dgram },
	{ "sendto", "send", FILE_NODE, ADDRESS, LSMD_PROTO_UDP, BEFORE_LISTENER, AFTER_CONNECTED, act_sendto },
	{ "sendmmsg", "send", FILE_NODE, ADDRESS, LSMD_PROTO_UDP, BEFORE_LISTENER, AFTER_CONNECTED, act_sendmmsg },
	{ "unspec", "send", FILE_NODE, ADDRESS, LSMD_PROTO_UDP, BEFORE_LISTENER, AFTER_CONNECTED, act_sendto_unspec },
	{ "datagram", "send", FILE_NODE, PATH, SOCK_DGRAM, BEFORE_LISTENER, AFTER_CONNECTED, act_sendto },
	{ "datagram", "send", FILE_NODE, ABSTRACT, SOCK_DGRAM, BEFORE_LISTENER, AFTER_CONNECTED, act_sendto },
	{ "bind", "bind", FILE_NODE, ADDRESS, LSMD_PROTO_TCP, BEFORE_NOTHING, AFTER_NOTHING, act_bind_inet },
	{ "bind", "bind", FILE_NODE, ADDRESS, LSMD_PROTO_UDP, BEFORE_NOTHING, AFTER_NOTHING, act_bind_inet },
	{ "stream", "bind", FILE_NODE, PATH, 0, BEFORE_NOTHING, AFTER_EXISTS, act_bind_stream },
	{ "datagram", "bind", FILE_NODE, PATH, 0, BEFORE_NOTHING, AFTER_EXISTS, act_bind_dgram },
	{ "stream", "bind", FILE_NODE, ABSTRACT, 0, BEFORE_NOTHING, AFTER_NOTHING, act_bind_stream },
	{ "listen", "listen", FILE_NODE, ADDRESS, LSMD_PROTO_TCP, BEFORE_NOTHING, AFTER_NOTHING, act_listen },
	{ "mptcp", "listen", FILE_NODE, ADDRESS, LSMD_PROTO_TCP, BEFORE_NOTHING, AFTER_NOTHING, act_listen_mptcp },
	{ "stream", "listen", FILE_NODE, PATH, 0, BEFORE_NOTHING, AFTER_NOTHING, act_listen },
	{ "stream", "listen", FILE_NODE, ABSTRACT, 0, BEFORE_NOTHING, AFTER_NOTHING, act_listen },
	{ "inherited", "accept", FILE_NODE, ADDRESS, LSMD_PROTO_TCP, BEFORE_INHERITED, AFTER_NOTHING, act_accept },
	{ "inherited", "accept", FILE_NODE, PATH, SOCK_STREAM, BEFORE_INHERITED, AFTER_NOTHING, act_accept },
	{ "socket", "socket", FILE_NODE, LSMD_OBJECT_NAME, 0, BEFORE_NOTHING, AFTER_NOTHING, act_socket },
	{ "kill", "signal", FILE_NODE, LSMD_OBJECT_NAME, 0, BEFORE_NOTHING, AFTER_NOTHING, act_signal },
	{ "pidfd", "signal", FILE_NODE, LSMD_OBJECT_NAME, 0, BEFORE_NOTHING, AFTER_NOTHING, act_pidfd_signal },
	{ "proc", "ptrace", FILE_NODE, LSMD_OBJECT_NAME, 0, BEFORE_NOTHING, AFTER_NOTHING, act_ptrace },
	{ "others", "ptrace", FILE_NODE, LSMD_OBJECT_NAME, 0, BEFORE_NOTHING, AFTER_NOTHING, act_ptrace_others },
	{ "lockdown", "lockdown", FILE_NODE, LSMD_OBJECT_NAME, 0, BEFORE_NOTHING, AFTER_NOTHING, act_lockdown },
	{ "use", "capability", FILE_NODE, LSMD_OBJECT_NAME, 0, BEFORE_NOTHING, AFTER_NOTHING, act_capability },
	{ "delete", "module", FILE_NODE, LSMD_OBJECT_NAME, 0, BEFORE_NOTHING, AFTER_NOTHING, act_module },
	{ "call", "bpf", FILE_NODE, LSMD_OBJECT_NAME, 0, BEFORE_NOTHING, AFTER_NOTHING, act_bpf },
	{ "unshare", "userns", FILE_NODE, LSMD_OBJECT_NONE, 0, BEFORE_NOTHING, AFTER_NOTHING, act_userns },
	{ "mount", "mount", FILE_NODE, LSMD_OBJECT_NONE, 0, BEFORE_MOUNT_POINT, AFTER_MOUNTED, act_mount },
	{ "bind", "mount", FILE_NODE, LSMD_OBJECT_NONE, 0, BEFORE_MOUNT_POINT, AFTER_MOUNTED, act_bind },
	{ "move_mount", "mount", FILE_NODE, LSMD_OBJECT_NONE, 0, BEFORE_MOUNT_POINT, AFTER_MOUNTED, act_move_mount },
	{ "remount", "mount", FILE_NODE, LSMD_OBJECT_NONE, 0, BEFORE_MOUNT, AFTER_NOTHING, act_remount },
	{ "umount", "mount", FILE_NODE, LSMD_OBJECT_NONE, 0, BEFORE_MOUNT, AFTER_UNMOUNTED, act_unmount },
};

const size_t n_live_ways = sizeof(live_ways) / sizeof(live_ways[0]);
