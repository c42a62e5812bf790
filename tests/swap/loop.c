// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * lsmd-swap: what the swap tests run in a guest, linked statically.
 *
 *	once KIND ARG...   do one thing: "ok", "refused" (EPERM), or "failed"
 *	loop KIND ARG...   the same until SIGTERM, then say how often it was allowed, refused, and failed otherwise
 *	reload N A B TO    ask the agent for N reloads, the files of A and B in turns in the folder TO; says how long they took
 *
 * KIND: open PATH | exec PATH | exchange A B | connect PATH | udp PORT | fork PATH (each in a child of a child, which opens)
 *       kill PID | ptrace PID | nice PID | unlink PATH | umount PATH | mount PATH | map ID | pin PATH | write PATH
 * Called as "interp" it does nothing, well.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONTROL_SOCKET "/run/lsmd/control.sock"

static volatile sig_atomic_t ended;

static void end(int signal)
{
	ended = 1;
}

/* Each kind gives 0 or an errno. */
static int act_open(char **args)
{
	int fd = open(args[0], O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* The child shares our memory until it executes, so that it can say why it could not. */
static int act_exec(char **args)
{
	char *const argv[] = { args[0], NULL };
	volatile int failed = 0;
	pid_t pid = vfork();
	int status;

	if (!pid) {
		execv(args[0], argv);
		failed = errno;
		_exit(1);
	}
	if (pid < 0)
		return errno;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return failed ? failed : status ? ECHILD : 0;
}

static int act_exchange(char **args)
{
	return syscall(SYS_renameat2, AT_FDCWD, args[0], AT_FDCWD, args[1], 2 /* RENAME_EXCHANGE */) ? errno : 0;
}

static int act_connect(char **args)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r;

	strncpy(to.sun_path, args[0], sizeof(to.sun_path) - 1);
	r = connect(fd, (struct sockaddr *)&to, sizeof(to)) ? errno : 0;
	close(fd);
	return r == EAGAIN ? 0 : r; /* a full backlog comes behind the decision */
}

static int act_udp(char **args)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(atoi(args[0])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r = connect(fd, (struct sockaddr *)&to, sizeof(to)) ? errno : 0;

	close(fd);
	return r;
}

static int child_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

static int act_fork(char **args)
{
	pid_t pid = fork();

	if (!pid) {
		pid_t below = fork();

		if (!below)
			_exit(act_open(args));
		_exit(below < 0 ? errno : child_status(below));
	}
	return pid < 0 ? errno : child_status(pid);
}

/* What a held process may not do to lsmd: kinds of "once". */
static int act_kill(char **args)
{
	return kill(atoi(args[0]), SIGCONT) ? errno : 0;
}

static int act_ptrace(char **args)
{
	pid_t pid = atoi(args[0]);
	int r = ptrace(PTRACE_SEIZE, pid, NULL, NULL) ? errno : 0;

	if (!r)
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return r;
}

static int act_nice(char **args)
{
	return setpriority(PRIO_PROCESS, atoi(args[0]), 1) ? errno : 0;
}

static int act_unlink(char **args)
{
	return unlink(args[0]) ? errno : 0;
}

static int act_umount(char **args)
{
	return umount2(args[0], MNT_DETACH) ? errno : 0;
}

static int act_mount(char **args)
{
	return mount("none", args[0], "tmpfs", 0, NULL) ? errno : 0;
}

/* Opened for writing, and nothing written. */
static int act_write(char **args)
{
	int fd = open(args[0], O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* The map with this id, as bpftool finds it. */
static int act_map(char **args)
{
	union bpf_attr attr = { .map_id = atoi(args[0]) };
	int fd = syscall(SYS_bpf, BPF_MAP_GET_FD_BY_ID, &attr, sizeof(attr));

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int act_pin(char **args)
{
	union bpf_attr attr = { .pathname = (uintptr_t)args[0] };
	int fd = syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr));

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static const struct {
	const char *name;
	int (*act)(char **args);
} kinds[] = {
	{ "open", act_open }, { "exec", act_exec }, { "exchange", act_exchange },
	{ "connect", act_connect }, { "udp", act_udp }, { "fork", act_fork },
	{ "kill", act_kill }, { "ptrace", act_ptrace }, { "nice", act_nice }, { "unlink", act_unlink },
	{ "umount", act_umount }, { "mount", act_mount }, { "map", act_map }, { "write", act_write }, { "pin", act_pin },
};

typedef int (*act_fn)(char **args);

static act_fn act_find(const char *kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].name, kind))
			return kinds[i].act;
	return NULL;
}

static int once(act_fn act, char **args)
{
	int r = act(args);

	puts(!r ? "ok" : r == EPERM ? "refused" : "failed");
	return 0;
}

static int loop(act_fn act, char **args)
{
	struct sigaction action = { .sa_handler = end };
	unsigned long allowed = 0, refused = 0, other = 0;
	int r, last = 0;

	sigaction(SIGTERM, &action, NULL);
	while (!ended) {
		r = act(args);
		allowed += !r;
		refused += r == EPERM;
		other += r && r != EPERM;
		last = r && r != EPERM ? r : last;
	}
	printf("%lu %lu %lu %s\n", allowed, refused, other, last ? strerror(last) : "-");
	return 0;
}

/* A file of policies in the place of another. */
static int place_file(const char *from, const char *to)
{
	char next[4200], bytes[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	ssize_t n;

	snprintf(next, sizeof(next), "%s.next", to);
	out = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		if (write(out, bytes, n) != n)
			n = -1;
	close(in);
	close(out);
	return n < 0 || rename(next, to) ? -1 : 0;
}

/* All files of one folder in another. */
static int place(const char *from, const char *to)
{
	DIR *dir = opendir(from);
	struct dirent *entry;
	char source[4096], target[4096];
	int r = dir ? 0 : -1;

	while (!r && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(source, sizeof(source), "%s/%s", from, entry->d_name);
		snprintf(target, sizeof(target), "%s/%s", to, entry->d_name);
		r = place_file(source, target);
	}
	if (dir)
		closedir(dir);
	return r;
}

/* One reload asked of the agent. Return: 0 swapped */
static int reload_ask(int fd)
{
	static const char request[] = "{\"request\": \"reload\"}";
	static char reply[1 << 20];
	uint32_t len = strlen(request), have = 0;
	ssize_t n;

	if (write(fd, &len, sizeof(len)) != sizeof(len) || write(fd, request, len) != (ssize_t)len)
		return -1;
	if (recv(fd, &len, sizeof(len), MSG_WAITALL) != sizeof(len) || len >= sizeof(reply))
		return -1;
	for (; have < len; have += n)
		if ((n = read(fd, reply + have, len - have)) <= 0)
			return -1;
	reply[len] = '\0';
	if (strstr(reply, "\"swapped\""))
		return 0;
	fprintf(stderr, "%s\n", reply);
	return -1;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static int reload(long n, const char *a, const char *b, const char *to)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = CONTROL_SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	double start = now();
	long i;

	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		perror(CONTROL_SOCKET);
		return 1;
	}
	for (i = 0; i < n; i++)
		if (place(i & 1 ? b : a, to) || reload_ask(fd))
			break;
	printf("%ld reloads in %.1f s\n", i, now() - start);
	return i < n;
}

int main(int argc, char **argv)
{
	if (!strcmp(basename(argv[0]), "interp"))
		return 0;
	if (argc >= 4 && !strcmp(argv[1], "once") && act_find(argv[2]))
		return once(act_find(argv[2]), argv + 3);
	if (argc >= 4 && !strcmp(argv[1], "loop") && act_find(argv[2]))
		return loop(act_find(argv[2]), argv + 3);
	if (argc == 6 && !strcmp(argv[1], "reload"))
		return reload(atol(argv[2]), argv[3], argv[4], argv[5]);
	fputs("usage: lsmd-swap once|loop KIND ARG... | reload N A B TO\n", stderr);
	return 2;
}
