// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is done to other processes and to the kernel: signals, tracing, capabilities, modules, bpf, user namespaces. */
#include "tests/vm/probe/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/kcmp.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- signals. args: pid, signal ---- */

static int act_kill(char **args)
{
	return result_of(kill(atoi(args[0]), atoi(args[1])));
}

static int act_tgkill(char **args)
{
	return result_of(syscall(SYS_tgkill, atoi(args[0]), atoi(args[0]), atoi(args[1])));
}

static int act_sigqueue(char **args)
{
	return result_of(sigqueue(atoi(args[0]), atoi(args[1]), (union sigval){ .sival_int = 0 }));
}

static int act_pidfd_signal(char **args)
{
	int fd = before(syscall(SYS_pidfd_open, atoi(args[0]), 0), "pidfd_open");

	return result_of(syscall(SYS_pidfd_send_signal, fd, atoi(args[1]), NULL, 0));
}

/* args: signal */
static int act_kill_self(char **args)
{
	signal(atoi(args[0]), SIG_IGN);
	return result_of(kill(getpid(), atoi(args[0])));
}

/* A child that waits, and goes with its parent. */
static pid_t child_waiting(void)
{
	pid_t pid = before(fork(), "fork");

	if (pid)
		return pid;
	before(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "PR_SET_PDEATHSIG");
	for (;;)
		pause();
}

static int child_kill(pid_t pid, int signal)
{
	int status;

	if (kill(pid, signal))
		return -errno;
	before(waitpid(pid, &status, 0), "waitpid");
	return WIFSIGNALED(status) ? 0 : -EIO;
}

/* A child is held as we are. args: signal */
static int act_kill_child(char **args)
{
	return child_kill(child_waiting(), atoi(args[0]));
}

/* The same, of a child that has done nothing since a line came on standard input. */
static int act_kill_old_child(char **args)
{
	pid_t pid = child_waiting();
	char byte;

	before(write(STDOUT_FILENO, "ready\n", 6), "write");
	before(read(STDIN_FILENO, &byte, 1), "read");
	return child_kill(pid, atoi(args[0]));
}

/* The kernel is told to signal somebody when a socket is ready. */
static int owned_socket(void)
{
	int fds[2];

	before(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), "socketpair");
	return fds[0];
}

static int act_setown(char **args)
{
	return result_of(fcntl(owned_socket(), F_SETOWN, atoi(args[0])));
}

static int act_setown_ex(char **args)
{
	struct f_owner_ex owner = { .type = F_OWNER_PID, .pid = atoi(args[0]) };

	return result_of(fcntl(owned_socket(), F_SETOWN_EX, &owner));
}

static int act_fiosetown(char **args)
{
	int pid = atoi(args[0]);

	return result_of(ioctl(owned_socket(), 0x8901, &pid)); /* FIOSETOWN */
}

static int act_setown_self(char **args)
{
	int fd = owned_socket();

	before(fcntl(fd, F_SETSIG, SIGUSR1), "F_SETSIG of nobody's");
	if (fcntl(fd, F_SETOWN, getpid()) || fcntl(fd, F_SETSIG, SIGUSR2))
		return -errno;
	return result_of(fcntl(fd, F_SETFL, O_ASYNC));
}

enum later {
	LATER_SETSIG,
	LATER_FIOASYNC,
	LATER_ASYNC,
};

/* A child makes use of a file whose owner is its parent. */
static int later_foreign(enum later later)
{
	int fd = owned_socket(), on = 1, status;
	pid_t pid;

	before(fcntl(fd, F_SETOWN, getpid()), "F_SETOWN");
	pid = before(fork(), "fork");
	if (!pid && later == LATER_SETSIG)
		_exit(fcntl(fd, F_SETSIG, SIGKILL) ? errno : 0);
	if (!pid && later == LATER_FIOASYNC)
		_exit(ioctl(fd, FIOASYNC, &on) ? errno : 0);
	if (!pid)
		_exit(fcntl(fd, F_SETFL, O_ASYNC) ? errno : 0);
	before(waitpid(pid, &status, 0), "waitpid");
	return -WEXITSTATUS(status);
}

static int act_setsig(char **args)
{
	return later_foreign(LATER_SETSIG);
}

static int act_fioasync(char **args)
{
	return later_foreign(LATER_FIOASYNC);
}

static int act_async(char **args)
{
	return later_foreign(LATER_ASYNC);
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

/* ---- tracing. args: pid ---- */

static int act_attach(char **args)
{
	int pid = atoi(args[0]), status;

	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL))
		return -errno;
	before(waitpid(pid, &status, __WALL), "waitpid");
	return result_of(ptrace(PTRACE_DETACH, pid, NULL, NULL));
}

static int act_seize(char **args)
{
	return result_of(ptrace(PTRACE_SEIZE, atoi(args[0]), NULL, NULL));
}

static char shared; /* every copy of the probe has it at the same address */

static int act_vm_read(char **args)
{
	char byte;
	struct iovec own = { &byte, 1 }, other = { &shared, 1 };

	return result_of(process_vm_readv(atoi(args[0]), &own, 1, &other, 1, 0));
}

static int act_vm_write(char **args)
{
	struct iovec both = { &shared, 1 };

	return result_of(process_vm_writev(atoi(args[0]), &both, 1, &both, 1, 0));
}

static int proc_open(const char *pid, const char *name, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int act_proc_mem(char **args)
{
	int fd = proc_open(args[0], "mem", O_RDWR);

	return fd < 0 ? fd : 0;
}

static int act_environ(char **args)
{
	int fd = proc_open(args[0], "environ", O_RDONLY);
	char byte;

	return fd < 0 ? fd : result_of(read(fd, &byte, 1));
}

static int act_getfd(char **args)
{
	int fd = before(syscall(SYS_pidfd_open, atoi(args[0]), 0), "pidfd_open");

	return result_of(syscall(SYS_pidfd_getfd, fd, 0, 0));
}

static int act_kcmp(char **args)
{
	return result_of(syscall(SYS_kcmp, getpid(), atoi(args[0]), KCMP_FILES, 0, 0));
}

static int act_traceme(char **args)
{
	pid_t pid = before(fork(), "fork");
	int status;

	if (!pid)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? errno : 0);
	before(waitpid(pid, &status, __WALL), "waitpid");
	return -WEXITSTATUS(status);
}

/* ---- what another process is given. args: pid ---- */

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

/* ---- capabilities ---- */

/* args: file */
static int act_cap_chown(char **args)
{
	return result_of(chown(args[0], 12, 12));
}

/* args: port */
static int act_cap_port(char **args)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(atoi(args[0])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = before(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

	return result_of(bind(fd, (struct sockaddr *)&name, sizeof(name)));
}

static int act_cap_hostname(char **args)
{
	return result_of(sethostname(args[0], strlen(args[0])));
}

static int act_cap_nice(char **args)
{
	return result_of(setpriority(PRIO_PROCESS, 0, -1));
}

static int act_cap_setuid(char **args)
{
	return result_of(setresuid(12, 12, 12));
}

/* ---- modules, bpf, namespaces ---- */

static int act_module_delete(char **args)
{
	int r = result_of(syscall(SYS_delete_module, "lsmd_no_such_module", O_NONBLOCK));

	return r == -ENOENT ? 0 : r;
}

static int act_module_load(char **args)
{
	int fd = before(open("/dev/null", O_RDONLY | O_CLOEXEC), "/dev/null");
	int r = result_of(syscall(SYS_finit_module, fd, "", 0));

	return r == -EPERM ? r : 0; /* it is no module */
}

/* The older call. What is loaded is no module, which is said only after the call was let through. */
static int act_module_init(char **args)
{
	static const char bytes[4096];
	int r = result_of(syscall(SYS_init_module, bytes, sizeof(bytes), ""));

	return r == -EPERM ? r : 0;
}

/* The kernel asks for a module of this family; what the caller sees is the same, whether there is one or not. args: family */
static int act_module_request(char **args)
{
	close(socket(atoi(args[0]), SOCK_DGRAM | SOCK_CLOEXEC, 0));
	return 0;
}

static int act_bpf_map(char **args)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1 };

	return result_of(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
}

static int act_bpf_next(char **args)
{
	union bpf_attr attr = {};

	return result_of(syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &attr, sizeof(attr)));
}

/* args: id */
static int act_bpf_map_by_id(char **args)
{
	union bpf_attr attr = { .map_id = (uint32_t)atoi(args[0]) };

	return result_of(syscall(SYS_bpf, BPF_MAP_GET_FD_BY_ID, &attr, sizeof(attr)));
}

static int act_bpf_prog_by_id(char **args)
{
	union bpf_attr attr = { .prog_id = (uint32_t)atoi(args[0]) };

	return result_of(syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr)));
}

static int act_bpf_link_by_id(char **args)
{
	union bpf_attr attr = { .link_id = (uint32_t)atoi(args[0]) };

	return result_of(syscall(SYS_bpf, BPF_LINK_GET_FD_BY_ID, &attr, sizeof(attr)));
}

/* args: file */
static int act_bpf_pin(char **args)
{
	union bpf_attr attr = { .pathname = (uintptr_t)args[0] };

	return result_of(syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr)));
}

static int act_userns(char **args)
{
	return result_of(unshare(CLONE_NEWUSER));
}

/* In a child, since that is what a clone makes. */
static int clone_result(long pid)
{
	int status;

	if (!pid)
		_exit(0);
	if (pid < 0)
		return -errno;
	before(waitpid(pid, &status, __WALL), "waitpid");
	return 0;
}

static int act_userns_clone(char **args)
{
	return clone_result(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL));
}

static int act_mountns(char **args)
{
	return result_of(unshare(CLONE_NEWNS));
}

static int act_mountns_clone(char **args)
{
	return clone_result(syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL, NULL));
}

static int act_mountns_clone3(char **args)
{
	struct clone_args clone = { .flags = CLONE_NEWNS, .exit_signal = SIGCHLD };

	return clone_result(syscall(SYS_clone3, &clone, sizeof(clone)));
}

/* Our own again: there is nothing new in it, but the call is the same. */
static int act_mountns_enter(char **args)
{
	int fd = before(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), "/proc/self/ns/mnt");

	return result_of(setns(fd, 0));
}

static int act_utsns(char **args)
{
	return result_of(unshare(CLONE_NEWUTS));
}

/* A byte into what a terminal has to read. args: number of its descriptor */
static int act_terminal_type(char **args)
{
	return result_of(ioctl(atoi(args[0]), TIOCSTI, "x"));
}

/* ---- what the kernel does for its callers ---- */

/* A child ends by itself, and the kernel writes what is left of it where it stands. args: directory */
static int act_core(char **args)
{
	const struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	int status = 0;
	pid_t pid;

	before(chdir(args[0]), args[0]);
	before(setrlimit(RLIMIT_CORE, &limit), "RLIMIT_CORE");
	pid = before(fork(), "fork");
	if (!pid)
		abort();
	before(waitpid(pid, &status, 0), "waitpid");
	return WCOREDUMP(status) ? 0 : -EPERM; /* nobody is told why there is none */
}

/* The kernel appends a record to the file for each process that ends. */
static int act_account(char **args)
{
	return result_of(acct(args[0]));
}

static int act_account_off(char **args)
{
	return result_of(acct(NULL));
}

static int act_clock(char **args)
{
	struct timespec now;

	before(clock_gettime(CLOCK_REALTIME, &now), "clock_gettime");
	return result_of(clock_settime(CLOCK_REALTIME, &now));
}

const struct act system_acts[] = {
	{ "kill", 2, act_kill },
	{ "tgkill", 2, act_tgkill },
	{ "sigqueue", 2, act_sigqueue },
	{ "pidfd-signal", 2, act_pidfd_signal },
	{ "kill-self", 1, act_kill_self },
	{ "kill-child", 1, act_kill_child },
	{ "kill-old-child", 1, act_kill_old_child },
	{ "setown", 1, act_setown },
	{ "setown-ex", 1, act_setown_ex },
	{ "fiosetown", 1, act_fiosetown },
	{ "setown-self", 0, act_setown_self },
	{ "setsig", 0, act_setsig },
	{ "fioasync", 0, act_fioasync },
	{ "async", 0, act_async },
	{ "owner-signal", 2, act_owner_signal },
	{ "attach", 1, act_attach },
	{ "seize", 1, act_seize },
	{ "vm-read", 1, act_vm_read },
	{ "vm-write", 1, act_vm_write },
	{ "proc-mem", 1, act_proc_mem },
	{ "environ", 1, act_environ },
	{ "getfd-of", 1, act_getfd },
	{ "kcmp", 1, act_kcmp },
	{ "traceme", 0, act_traceme },
	{ "limit", 1, act_limit },
	{ "scheduler", 1, act_scheduler },
	{ "cap-chown", 1, act_cap_chown },
	{ "cap-port", 1, act_cap_port },
	{ "cap-hostname", 1, act_cap_hostname },
	{ "cap-nice", 0, act_cap_nice },
	{ "cap-setuid", 0, act_cap_setuid },
	{ "module-delete", 0, act_module_delete },
	{ "module-load", 0, act_module_load },
	{ "module-init", 0, act_module_init },
	{ "module-request", 1, act_module_request },
	{ "bpf-map", 0, act_bpf_map },
	{ "bpf-next", 0, act_bpf_next },
	{ "bpf-map-by-id", 1, act_bpf_map_by_id },
	{ "bpf-prog-by-id", 1, act_bpf_prog_by_id },
	{ "bpf-link-by-id", 1, act_bpf_link_by_id },
	{ "bpf-pin", 1, act_bpf_pin },
	{ "userns", 0, act_userns },
	{ "userns-clone", 0, act_userns_clone },
	{ "mountns", 0, act_mountns },
	{ "mountns-clone", 0, act_mountns_clone },
	{ "mountns-clone3", 0, act_mountns_clone3 },
	{ "mountns-enter", 0, act_mountns_enter },
	{ "utsns", 0, act_utsns },
	{ "terminal-type", 1, act_terminal_type },
	{ "core", 1, act_core },
	{ "account", 1, act_account },
	{ "account-off", 0, act_account_off },
	{ "clock", 0, act_clock },
	{},
};
