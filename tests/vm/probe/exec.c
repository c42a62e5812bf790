// SPDX-License-Identifier: LGPL-2.1-or-later
/* Wrappers that execute a program, another probe as a rule, with the act for it in the other arguments. */
#include "tests/vm/probe/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char *environment[] = { NULL };

static int act_exec(char **args)
{
	return result_of(execve(args[0], args, environment));
}

/* From another working directory. args: directory, program, arguments */
static int act_exec_from(char **args)
{
	before(chdir(args[0]), args[0]);
	return result_of(execve(args[1], args + 1, environment));
}

/* With one word of environment. args: NAME=VALUE, program, arguments */
static int act_exec_with(char **args)
{
	char *words[] = { args[0], NULL };

	return result_of(execve(args[1], args + 1, words));
}

/* With a file as standard input, which it opens itself. args: file, program, arguments */
static int act_exec_stdin(char **args)
{
	int fd = open(args[0], O_RDONLY);

	if (fd < 0)
		return -errno;
	before(dup2(fd, STDIN_FILENO), "dup2");
	return result_of(execve(args[1], args + 1, environment));
}

/* The name that a program sees is not what it is. args: argv[0], program, act */
static int act_exec_named(char **args)
{
	char *program = args[1];

	args[1] = args[0];
	return result_of(execve(program, args + 1, environment));
}

static int exec_descriptor(int fd, char **args)
{
	return result_of(syscall(SYS_execveat, fd, "", args, environment, AT_EMPTY_PATH));
}

static int act_exec_descriptor(char **args)
{
	return exec_descriptor(before(open(args[0], O_PATH | O_CLOEXEC), args[0]), args);
}

/* A descriptor that it was started with. args: its number, act */
static int act_exec_inherited(char **args)
{
	return exec_descriptor(atoi(args[0]), args);
}

/* By the name under /proc of an open descriptor. */
static int act_exec_proc(char **args)
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/self/fd/%ld", before(open(args[0], O_PATH), args[0]));
	return result_of(execve(link, args, environment));
}

static void copy(int from, int to)
{
	while (before(sendfile(to, from, NULL, 1 << 20), "sendfile") > 0)
		;
}

/* A program that lies in memory. args: program to copy, act */
static int act_exec_memory(char **args)
{
	int from = before(open(args[0], O_RDONLY | O_CLOEXEC), args[0]);
	int fd = before(memfd_create("program", MFD_CLOEXEC), "memfd_create");

	copy(from, fd);
	return exec_descriptor(fd, args);
}

/* A program in a file without a name. args: directory, program to copy, act */
static int act_exec_tmpfile(char **args)
{
	int from = before(open(args[1], O_RDONLY | O_CLOEXEC), args[1]);
	int fd = before(open(args[0], O_RDWR | O_TMPFILE | O_CLOEXEC, 0755), "O_TMPFILE");
	char link[64];
	int again;

	copy(from, fd);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	again = before(open(link, O_PATH | O_CLOEXEC), link);
	close(fd);
	return exec_descriptor(again, args + 1);
}

static int child_wait(pid_t pid)
{
	int status = 0;

	before(pid, "fork");
	before(waitpid(pid, &status, 0), "waitpid");
	if (WIFEXITED(status))
		return -WEXITSTATUS(status);
	errno = ECHILD;
	return before(-1, "the child");
}

static int act_vfork(char **args)
{
	pid_t pid = vfork();

	if (!pid) {
		execve(args[0], args, environment);
		_exit(errno);
	}
	return child_wait(pid);
}

const struct act exec_acts[] = {
	{ "exec", 1, act_exec },
	{ "exec-from", 2, act_exec_from },
	{ "exec-with", 2, act_exec_with },
	{ "exec-stdin", 2, act_exec_stdin },
	{ "exec-named", 2, act_exec_named },
	{ "exec-descriptor", 1, act_exec_descriptor },
	{ "exec-inherited", 1, act_exec_inherited },
	{ "exec-proc", 1, act_exec_proc },
	{ "exec-memory", 1, act_exec_memory },
	{ "exec-tmpfile", 2, act_exec_tmpfile },
	{ "vfork", 1, act_vfork },
	{},
};
