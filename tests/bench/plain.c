// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * open() and close() as they are and under Landlock, each in a process of its own, since Landlock cannot be taken off again. The
 * processes do what they are asked for through a pipe and answer with the time it took.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/util/cleanup.h"
#include "tests/bench/bench.h"

#define LOOPS 2000
#define GETPPID_LOOPS 20000

static const struct landlock_kind {
	unsigned int n_rules;
	bool top;
} landlock_kinds[PLAIN_N] = {
	[PLAIN_LANDLOCK_10_FILE] = { 10, false },
	[PLAIN_LANDLOCK_10_TOP] = { 10, true },
	[PLAIN_LANDLOCK_100_FILE] = { 100, false },
	[PLAIN_LANDLOCK_100_TOP] = { 100, true },
};

static int rule_add(int ruleset, const char *path)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = { .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE, .parent_fd = fd };

	if (fd < 0)
		return -errno;
	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) ? -errno : 0;
}

/* fillers_add() - rules for folders that nobody asks for, up to @n in all */
static int fillers_add(int ruleset, const struct scene *scene, unsigned int have, unsigned int n)
{
	char dir[128];
	int r = 0;

	snprintf(dir, sizeof(dir), "%s/landlock", scene->dir);
	if (mkdir(dir, 0755) && errno != EEXIST)
		return -errno;
	for (unsigned int i = have; i < n && !r; i++) {
		snprintf(dir, sizeof(dir), "%s/landlock/%u", scene->dir, i);
		if (mkdir(dir, 0755) && errno != EEXIST)
			return -errno;
		r = rule_add(ruleset, dir);
	}
	return r;
}

static int landlock_restrict(const struct scene *scene, const struct landlock_kind *kind)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs =
						      LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE };
	_cleanup_close_ int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	unsigned int have = kind->top ? 1 : SCENE_N_DEPTHS;
	int r = 0;

	if (ruleset < 0)
		return -errno;
	if (kind->top)
		r = rule_add(ruleset, "/tmp");
	else
		for (unsigned int i = 0; i < SCENE_N_DEPTHS && !r; i++)
			r = rule_add(ruleset, scene->names[i][SCENE_HIT]);
	if (!r)
		r = fillers_add(ruleset, scene, have, kind->n_rules);
	if (!r && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_landlock_restrict_self, ruleset, 0)))
		r = -errno;
	return r;
}

/* opens_time() - Return: ns of one open and close; -1 when one failed or the processor was taken away ten times */
static double opens_time(const char *name)
{
	for (int try = 0; try < 10; try++) {
		long before = preemptions();
		uint64_t start = time_ns();

		for (int i = 0; i < LOOPS; i++) {
			int fd = open(name, O_RDONLY | O_CLOEXEC);

			if (fd < 0)
				return -1;
			close(fd);
		}
		start = time_ns() - start;
		if (preemptions() == before || try == 9)
			return (double)start / LOOPS;
	}
	return -1;
}

/* One byte in: the depth's index. One double out. Ends with the pipe. */
static void process_serve(const struct scene *scene, const struct landlock_kind *kind, int request, int answer)
{
	int r = kind->n_rules ? landlock_restrict(scene, kind) : 0;
	unsigned char depth;

	while (read(request, &depth, 1) == 1) {
		double ns = r ? -1 : opens_time(scene->names[depth % SCENE_N_DEPTHS][SCENE_HIT]);

		if (write(answer, &ns, sizeof(ns)) != sizeof(ns))
			break;
	}
}

static int process_start(const struct scene *scene, const struct landlock_kind *kind, struct plain_process *process)
{
	int request[2], answer[2];

	if (pipe2(request, O_CLOEXEC))
		return -errno;
	if (pipe2(answer, O_CLOEXEC))
		return -errno;
	process->pid = fork();
	if (process->pid < 0)
		return -errno;
	if (!process->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(request[1]);
		process_serve(scene, kind, request[0], answer[1]);
		_exit(0);
	}
	close(request[0]);
	close(answer[1]);
	process->request = request[1];
	process->answer = answer[0];
	return 0;
}

int plain_start(const struct scene *scene, struct plain_process processes[PLAIN_N])
{
	int r = 0;

	for (enum plain plain = 0; plain < PLAIN_N && !r; plain++)
		r = process_start(scene, &landlock_kinds[plain], &processes[plain]);
	if (r)
		fprintf(stderr, "bench: cannot start the processes to compare with: %s\n", strerror(-r));
	return r;
}

void plain_stop(struct plain_process processes[PLAIN_N])
{
	for (enum plain plain = 0; plain < PLAIN_N; plain++) {
		if (processes[plain].pid <= 0)
			continue;
		kill(processes[plain].pid, SIGKILL);
		waitpid(processes[plain].pid, NULL, 0);
		close(processes[plain].request);
		close(processes[plain].answer);
	}
}

double plain_open(const struct plain_process *process, unsigned int depth)
{
	unsigned char byte = (unsigned char)depth;
	double ns = -1;

	if (write(process->request, &byte, 1) != 1 || read(process->answer, &ns, sizeof(ns)) != sizeof(ns))
		return -1;
	return ns;
}

double plain_getppid(void)
{
	uint64_t start = time_ns();

	for (int i = 0; i < GETPPID_LOOPS; i++)
		syscall(SYS_getppid);
	return (double)(time_ns() - start) / GETPPID_LOOPS;
}
