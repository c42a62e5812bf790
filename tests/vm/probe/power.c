// SPDX-License-Identifier: LGPL-2.1-or-later
/* Acts of privilege: on other processes, and on the kernel itself. */
#include "tests/vm/probe/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- another process; args: pid ---- */

static int act_kill(char **args)
{
	return result_of(kill(atoi(args[0]), atoi(args[1])));
}

static int act_tgkill(char **args)
{
	return result_of(syscall(SYS_tgkill, atoi(args[0]), atoi(args[0]), atoi(args[1])));
}

static int act_queue(char **args)
{
	return result_of(sigqueue(atoi(args[0]), atoi(args[1]), (union sigval){ .sival_int = 1 }));
}

static int process(const char *pid)
{
	return before(syscall(SYS_pidfd_open, atoi(pid), 0), "pidfd_open");
}

static int act_pidfd_signal(char **args)
{
	return result_of(syscall(SYS_pidfd_send_signal, process(args[0]), atoi(args[1]), NULL, 0));
}

/*
 * The kernel sends the signal when there is something to read. Nothing is told to us when it does not; the caller looks. args: pid,
 * signal
 */
static int act_owner_signal(char **args)
{
	int ends[2];

	before(pipe(ends), "pipe");
	before(fcntl(ends[0], F_SETSIG, atoi(args[1])), "F_SETSIG");
	before(fcntl(ends[0], F_SETFL, O_ASYNC), "O_ASYNC");
	if (fcntl(ends[0], F_SETOWN, atoi(args[0])))
		return -errno;
	return result_of(write(ends[1], "x", 1));
}

static int act_attach(char **args)
{
	int pid = atoi(args[0]);

	if (ptrace(PTRACE_ATTACH, pid, 0, 0))
		return -errno;
	before(waitpid(pid, NULL, __WALL), "waitpid");
	before(ptrace(PTRACE_DETACH, pid, 0, 0), "PTRACE_DETACH");
	return 0;
}

static int act_seize(char **args)
{
	return result_of(ptrace(PTRACE_SEIZE, atoi(args[0]), 0, 0));
}

/* One's own child, held like oneself, offers itself. */
static int act_traceme(char **args)
{
	return result_of(ptrace(PTRACE_TRACEME, 0, 0, 0));
}

/* args: pid, address in hexadecimal */
static int act_vm_write(char **args)
{
	struct iovec ours = { "X", 1 }, theirs = { (void *)strtoul(args[1], NULL, 16), 1 };

	return result_of(process_vm_writev(atoi(args[0]), &ours, 1, &theirs, 1, 0));
}

static int act_vm_read(char **args)
{
	char byte;
	struct iovec ours = { &byte, 1 }, theirs = { (void *)strtoul(args[1], NULL, 16), 1 };

	return result_of(process_vm_readv(atoi(args[0]), &ours, 1, &theirs, 1, 0));
}

static int act_proc_mem(char **args)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "/proc/%s/mem", args[0]);
	fd = open(name, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : result_of(pwrite(fd, "X", 1, strtoul(args[1], NULL, 16)));
}

static int act_limit(char **args)
{
	struct rlimit limit;

	return result_of(prlimit(atoi(args[0]), RLIMIT_NOFILE, NULL, &limit)) ?:
	       result_of(prlimit(atoi(args[0]), RLIMIT_NOFILE, &limit, NULL));
}

static int act_scheduler(char **args)
{
	const struct sched_param param = { 0 };

	return result_of(sched_setscheduler(atoi(args[0]), SCHED_IDLE, &param));
}

/* ---- terminals ---- */

/* A byte into what a terminal has to read. args: terminal */
static int act_terminal_type(char **args)
{
	int fd = before(open(args[0], O_RDWR | O_NOCTTY | O_CLOEXEC), args[0]);

	return result_of(ioctl(fd, TIOCSTI, "x"));
}

/* ---- the kernel ---- */

/* Not a module: ENOEXEC says that it was let through to be looked at. */
static int act_module(char **args)
{
	static const char bytes[4096];

	return syscall(SYS_init_module, bytes, sizeof(bytes), "") && errno != ENOEXEC ? -errno : 0;
}

static int act_module_file(char **args)
{
	int fd = before(open(args[0], O_RDONLY | O_CLOEXEC), args[0]);

	return syscall(SYS_finit_module, fd, "", 0) && errno != ENOEXEC ? -errno : 0;
}

static int act_module_remove(char **args)
{
	return syscall(SYS_delete_module, args[0], O_NONBLOCK) && errno != ENOENT ? -errno : 0;
}

static int bpf_call(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int act_bpf_map(char **args)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1 };

	return result_of(bpf_call(BPF_MAP_CREATE, &attr));
}

static int act_bpf_map_by_id(char **args)
{
	union bpf_attr attr = { .map_id = (uint32_t)atoi(args[0]) };

	return result_of(bpf_call(BPF_MAP_GET_FD_BY_ID, &attr));
}

static int act_bpf_link_by_id(char **args)
{
	union bpf_attr attr = { .link_id = (uint32_t)atoi(args[0]) };

	return result_of(bpf_call(BPF_LINK_GET_FD_BY_ID, &attr));
}

static int act_bpf_pin(char **args)
{
	union bpf_attr attr = { .pathname = (uintptr_t)args[0] };

	return result_of(bpf_call(BPF_OBJ_GET, &attr));
}

static int act_userns(char **args)
{
	return result_of(unshare(CLONE_NEWUSER));
}

static int act_userns_clone(char **args)
{
	pid_t pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

	if (!pid)
		_exit(0);
	if (pid < 0)
		return -errno;
	before(waitpid(pid, NULL, 0), "waitpid");
	return 0;
}

static int act_host_name(char **args)
{
	return result_of(sethostname("lsmd-test", 9));
}

static int act_clock(char **args)
{
	struct timespec now;

	before(clock_gettime(CLOCK_REALTIME, &now), "clock_gettime");
	return result_of(clock_settime(CLOCK_REALTIME, &now));
}

static int act_mount_namespace_only(char **args)
{
	return result_of(unshare(CLONE_NEWNS));
}

const struct act power_acts[] = {
	{ "kill", 2, act_kill },
	{ "tgkill", 2, act_tgkill },
	{ "sigqueue", 2, act_queue },
	{ "pidfd-signal", 2, act_pidfd_signal },
	{ "owner-signal", 2, act_owner_signal },
	{ "attach", 1, act_attach },
	{ "seize", 1, act_seize },
	{ "traceme", 0, act_traceme },
	{ "vm-write", 2, act_vm_write },
	{ "vm-read", 2, act_vm_read },
	{ "proc-mem", 2, act_proc_mem },
	{ "limit", 1, act_limit },
	{ "scheduler", 1, act_scheduler },
	{ "terminal-type", 1, act_terminal_type },
	{ "module", 0, act_module },
	{ "module-file", 1, act_module_file },
	{ "module-remove", 1, act_module_remove },
	{ "bpf-map", 0, act_bpf_map },
	{ "bpf-map-by-id", 1, act_bpf_map_by_id },
	{ "bpf-link-by-id", 1, act_bpf_link_by_id },
	{ "bpf-pin", 1, act_bpf_pin },
	{ "userns", 0, act_userns },
	{ "userns-clone", 0, act_userns_clone },
	{ "host-name", 0, act_host_name },
	{ "clock", 0, act_clock },
	{ "unshare-mounts", 0, act_mount_namespace_only },
	{},
};
