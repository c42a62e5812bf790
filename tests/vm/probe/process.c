// SPDX-License-Identifier: LGPL-2.1-or-later
/* Wrappers: the process becomes another one, or looks like one, and then does the act that the other arguments name. */
#include "tests/vm/probe/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What a child's status says of its act. */
static int status_result(int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) < PROBE_BEFORE)
		return -WEXITSTATUS(status);
	errno = ECHILD;
	return before(-1, "the child");
}

static int child_result(pid_t pid)
{
	int status = 0;

	before(pid, "fork");
	before(waitpid(pid, &status, __WALL), "waitpid");
	return status_result(status);
}

static int act_fork(char **args)
{
	pid_t pid = fork();

	if (!pid)
		_exit(-act_run(args));
	return child_result(pid);
}

/* The grandchild's parent is gone when it acts; it becomes ours, so that its status reaches us, by an exec too. */
static int act_orphan(char **args)
{
	pid_t first;
	int status = 0;

	before(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "PR_SET_CHILD_SUBREAPER");
	first = fork();
	if (!first) {
		pid_t parent = getpid();

		if (fork())
			_exit(0);
		before(setsid(), "setsid");
		while (getppid() == parent)
			sched_yield();
		_exit(-act_run(args));
	}
	child_result(first);
	before(waitpid(-1, &status, __WALL), "waitpid");
	return status_result(status);
}

struct thread_run {
	char **args;
	int result;
};

static void *thread_start(void *data)
{
	struct thread_run *run = data;

	run->result = act_run(run->args);
	return NULL;
}

/* "thread exec …" executes from a thread that is not the first. */
static int act_thread(char **args)
{
	struct thread_run run = { .args = args };
	pthread_t thread;

	errno = pthread_create(&thread, NULL, thread_start, &run);
	before(errno ? -1 : 0, "pthread_create");
	pthread_join(thread, NULL);
	return run.result;
}

static int clone_as(unsigned long flags, char **args)
{
	pid_t pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);

	if (!pid)
		_exit(-act_run(args));
	return child_result(pid);
}

/* A sibling instead of a child: our parent, another probe, waits for both. */
static int act_clone_parent(char **args)
{
	int ends[2], result = ECHILD;
	pid_t pid;

	before(pipe(ends), "pipe");
	pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
	if (!before(pid, "clone")) {
		result = act_run(args);
		before(write(ends[1], &result, sizeof(result)), "write");
		_exit(0);
	}
	before(read(ends[0], &result, sizeof(result)) == sizeof(result) ? 0 : -1, "the sibling");
	return result;
}

static int act_setsid(char **args)
{
	pid_t pid = fork();

	if (!pid) {
		before(setsid(), "setsid");
		_exit(-act_run(args));
	}
	return child_result(pid);
}

static int act_pid_namespace(char **args)
{
	return clone_as(CLONE_NEWPID, args);
}

static int unshare_then(int flags, char **args)
{
	if (unshare(flags))
		return -errno;
	return act_run(args);
}

static int act_mount_namespace(char **args)
{
	return unshare_then(CLONE_NEWNS, args);
}

static int act_user_namespace(char **args)
{
	return unshare_then(CLONE_NEWUSER, args);
}

static int act_user_mount_namespace(char **args)
{
	return unshare_then(CLONE_NEWUSER | CLONE_NEWNS, args);
}

static int act_cgroup_namespace(char **args)
{
	return unshare_then(CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC, args);
}

/* Into the mount namespace of another process. args: pid, act */
static int act_enter(char **args)
{
	int pid = before(syscall(SYS_pidfd_open, atoi(args[0]), 0), "pidfd_open");

	if (setns(pid, CLONE_NEWNS))
		return -errno;
	return act_run(args + 1);
}

/* args: user, act */
static int act_setuid(char **args)
{
	before(setgid(atoi(args[0])), "setgid");
	before(setuid(atoi(args[0])), "setuid");
	return act_run(args + 1);
}

static int act_no_new_privs(char **args)
{
	before(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
	return act_run(args);
}

/* args: name, act */
static int act_comm(char **args)
{
	before(prctl(PR_SET_NAME, args[0]), "PR_SET_NAME");
	return act_run(args + 1);
}

/* One mapping of our own program: the same bytes in anonymous memory, moved over it. */
static void mapping_replace(uintptr_t start, size_t size, int prot)
{
	void *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	before(copy == MAP_FAILED ? -1 : 0, "mmap");
	memcpy(copy, (void *)start, size);
	before(mprotect(copy, size, prot), "mprotect");
	before(mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)start) == MAP_FAILED ? -1 : 0, "mremap");
}

static int mapping_prot(const char *letters)
{
	return (letters[0] == 'r' ? PROT_READ : 0) | (letters[1] == 'w' ? PROT_WRITE : 0) |
	       (letters[2] == 'x' ? PROT_EXEC : 0);
}

/* All mappings of the file of inode @inode. */
static void mappings_replace(unsigned long inode)
{
	static char text[65536];
	int fd = before(open("/proc/self/maps", O_RDONLY | O_CLOEXEC), "/proc/self/maps");
	size_t len = 0;
	ssize_t n;

	while ((n = before(read(fd, text + len, sizeof(text) - 1 - len), "read")) > 0)
		len += n;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		unsigned long start, end, found;
		char letters[8];

		if (sscanf(line, "%lx-%lx %7s %*s %*s %lu", &start, &end, letters, &found) == 4 && found == inode)
			mapping_replace(start, end - start, mapping_prot(letters));
	}
}

/* /proc/self/exe becomes another file. args: our own inode number, file, act */
static int act_change_exe(char **args)
{
	int fd = before(open(args[1], O_RDONLY | O_CLOEXEC), args[1]);

	mappings_replace(strtoul(args[0], NULL, 10));
	before(prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, fd, 0, 0), "PR_SET_MM_EXE_FILE");
	return act_run(args + 2);
}

/*
 * Says that it is there, waits for a line on standard input, and then does the act; again for every line, each result on
 * a line of its own. A program that runs before the agent, or before a policy.
 */
static int act_wait(char **args)
{
	char byte;

	before(write(STDOUT_FILENO, "ready\n", 6), "write");
	while (read(STDIN_FILENO, &byte, 1) == 1)
		if (byte == '\n')
			dprintf(STDOUT_FILENO, "%d\n", -act_run(args));
	return 0;
}

/* The act again and again. args: times, errno expected; what else is seen is counted and said. */
static int act_repeat(char **args)
{
	int expected = atoi(args[1]), n = atoi(args[0]), others = 0, r;

	for (int i = 0; i < n; i++) {
		r = -act_run(args + 2);
		if (r != expected && !others++)
			dprintf(STDERR_FILENO, "probe: errno %d the first time\n", r);
	}
	if (others)
		dprintf(STDERR_FILENO, "probe: %d of %d were otherwise\n", others, n);
	return others ? -EIO : 0;
}

static volatile sig_atomic_t ended;

static void end(int signal)
{
	ended = 1;
}

/* Until SIGTERM: how often each of two results came. args: errno, errno, act; "n n" on standard output; others end it. */
static int act_until_term(char **args)
{
	int first = atoi(args[0]), second = atoi(args[1]);
	unsigned long n[2] = {};

	signal(SIGTERM, end);
	before(write(STDOUT_FILENO, "ready\n", 6), "write");
	while (!ended) {
		int r = -act_run(args + 2);

		if (r != first && r != second) {
			dprintf(STDERR_FILENO, "probe: errno %d after %lu and %lu\n", r, n[0], n[1]);
			return -r ?: -EIO;
		}
		n[r != first]++;
	}
	dprintf(STDOUT_FILENO, "%lu %lu\n", n[0], n[1]);
	return 0;
}

/* Children without end, until SIGTERM. */
static int act_fork_storm(char **args)
{
	signal(SIGTERM, end);
	before(write(STDOUT_FILENO, "ready\n", 6), "write");
	while (!ended) {
		pid_t pid = fork();

		if (!pid) {
			pid = fork();
			if (pid > 0)
				waitpid(pid, NULL, 0);
			_exit(0);
		}
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
	return 0;
}

/* Two names are exchanged until SIGTERM. args: name, name */
static int act_exchange_storm(char **args)
{
	signal(SIGTERM, end);
	before(write(STDOUT_FILENO, "ready\n", 6), "write");
	while (!ended)
		before(renameat2(AT_FDCWD, args[0], AT_FDCWD, args[1], RENAME_EXCHANGE), "RENAME_EXCHANGE");
	return 0;
}

/*
 * Opens that must never succeed: the file is there by one name or the other all the time. args: times, name.
 * Return: 0 when one did, else the first errno that is not ENOENT.
 */
static int act_ever(char **args)
{
	int n = atoi(args[0]), seen = ENOENT;
	time_t end = time(NULL) + 20;

	/* On a busy machine all of them may be over before the other process had its turn. */
	while (n-- > 0 || (seen == ENOENT && time(NULL) < end)) {
		int fd = open(args[1], O_RDONLY | O_CLOEXEC);

		if (fd >= 0)
			return 0;
		if (seen == ENOENT)
			seen = errno;
	}
	return -seen;
}

static int act_true(char **args)
{
	return 0;
}

/* Says that it is there, and is there until a signal ends it. */
static int act_sleep(char **args)
{
	before(write(STDOUT_FILENO, "ready\n", 6), "write");
	while (pause() < 0 && !ended)
		;
	return 0;
}

const struct act process_acts[] = {
	{ "true", 0, act_true },
	{ "sleep", 0, act_sleep },
	{ "fork", 1, act_fork },
	{ "orphan", 1, act_orphan },
	{ "thread", 1, act_thread },
	{ "clone-parent", 1, act_clone_parent },
	{ "setsid", 1, act_setsid },
	{ "pid-namespace", 1, act_pid_namespace },
	{ "mount-namespace", 1, act_mount_namespace },
	{ "user-namespace", 1, act_user_namespace },
	{ "user-mount-namespace", 1, act_user_mount_namespace },
	{ "cgroup-namespace", 1, act_cgroup_namespace },
	{ "enter", 2, act_enter },
	{ "setuid", 2, act_setuid },
	{ "no-new-privs", 1, act_no_new_privs },
	{ "comm", 2, act_comm },
	{ "change-exe", 3, act_change_exe },
	{ "wait", 1, act_wait },
	{ "repeat", 3, act_repeat },
	{ "until-term", 3, act_until_term },
	{ "exchange-storm", 2, act_exchange_storm },
	{ "ever", 2, act_ever },
	{ "fork-storm", 0, act_fork_storm },
	{},
};
