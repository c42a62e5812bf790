// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * lsmd-live: the cases of a table on the kernel that runs. See live.h, and tests/vm/guest/50-cases.test for its use.
 *
 *   lsmd-live groups TABLE             the sets of policies that the table needs, one a line
 *   lsmd-live control TABLE [GROUP]    without any policy: each thing must happen
 *   lsmd-live enforce TABLE GROUP      with the group's policies loaded: what the table says must happen
 *
 * Prints "ok NAME …" or "not ok NAME …", NAME being TABLE:LINE:WAY. Status 0: all passed.
 */
#include "tests/engine/live.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/util/cleanup.h"

#define ACT_WORD "lsmd-live-act"
#define SUBJECT_SECONDS 20
#define LISTENER_FD 30 /* where a subject finds a socket that it inherits */
/* Status of a child that could not become who the case says: no errno is that large. */
#define EXIT_WHO 201

/* ---- the subject ---- */

static size_t hex_read(const char *text, char *out)
{
	size_t n = 0;
	unsigned int byte;

	for (; text[2 * n] && sscanf(text + 2 * n, "%2x", &byte) == 1; n++)
		out[n] = (char)byte;
	out[n] = '\0';
	return n;
}

/* WAY NAME OTHER ADDRESS, the last three as hexadecimal bytes. The status is the errno. */
static int subject_main(char **words)
{
	static char name[8192], other[8192];
	static struct sockaddr_storage address;
	const struct live_way *way = &live_ways[atoi(words[0])];
	char bytes[2 * sizeof(address)];
	struct live_task task = { .name = name, .other = other, .address = (void *)&address, .proto = way->proto };

	alarm(SUBJECT_SECONDS);
	task.listener = way->before == BEFORE_INHERITED ? LISTENER_FD : -1;
	task.name_len = hex_read(words[1], name);
	hex_read(words[2], other);
	task.address_len = hex_read(words[3], bytes);
	memcpy(&address, bytes, task.address_len);
	sscanf(name, "/%8x/%8x/%8x", &task.numbers[0], &task.numbers[1], &task.numbers[2]);
	return -way->act(&task);
}

/* ---- starting it ---- */

static char *hex_write(const char *bytes, size_t len)
{
	char *text = malloc(2 * len + 1);

	for (size_t i = 0; text && i < len; i++)
		sprintf(text + 2 * i, "%02x", (unsigned char)bytes[i]);
	if (text)
		text[2 * len] = '\0';
	return text;
}

/* The names of the program: a script and its interpreter, or a program. */
static int subject_make(const struct test_case *c)
{
	const char *program = c->ask.programs[c->ask.n_programs - 1].bytes;
	int r = live_program_make(program);

	if (r || c->ask.n_programs == 1)
		return r;
	return live_script_make(c->ask.programs[0].bytes, program);
}

static int status_wait(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_WHO)
		return -EPROTO;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

#define CGROUPS "/sys/fs/cgroup"

/* Into the cgroup, made where it is not there: every case with one names a leaf. */
static int cgroup_enter(const char *path)
{
	char name[PATH_MAX];
	size_t len = snprintf(name, sizeof(name), CGROUPS "%s/cgroup.procs", path);
	int fd;

	for (char *slash = name + strlen(CGROUPS) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(name, 0755) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	fd = len < sizeof(name) ? open(name, O_WRONLY | O_CLOEXEC) : -1;
	return fd >= 0 && write(fd, "0", 1) == 1 ? close(fd) : -errno;
}

/* The child becomes who the case says before it executes the program. */
static int who_become(const struct ask *ask)
{
	if (ask->known & LSMD_SELECT_GROUPS && cgroup_enter(ask->cgroup.bytes))
		return -errno;
	if (ask->known & LSMD_SELECT_GID && setresgid(ask->gid, ask->gid, ask->gid))
		return -errno;
	return ask->known & LSMD_SELECT_UID && setresuid(ask->uid, ask->uid, ask->uid) ? -errno : 0;
}

/* 0, or -errno of what the subject did, of its exec where that failed, -EINTR where it was killed. */
static int subject_run(const struct live_scene *scene, char *const argv[])
{
	char *environment[] = { NULL };
	pid_t pid = fork();

	if (pid == 0) {
		if (scene->way->before == BEFORE_INHERITED)
			dup2(scene->listener, LISTENER_FD);
		else if (scene->listener >= 0)
			close(scene->listener);
		if (scene->sent >= 0 && dup2(scene->sent, LIVE_SENT) < 0)
			_exit(errno);
		if (who_become(&scene->c->ask))
			_exit(EXIT_WHO);
		execve(argv[0], argv, environment);
		_exit(errno);
	}
	return pid < 0 ? -errno : status_wait(pid);
}

static int scene_act(const struct live_scene *scene)
{
	const struct test_case *c = scene->c;
	const char *place = LIVE_ROOT "/mnt"; /* of cases without an object */
	bool none = c->ask.object == LSMD_OBJECT_NONE;
	struct ask_bytes name = none ? (struct ask_bytes){ place, strlen(place) } : c->ask.name;
	_cleanup_free_ char *name_hex = hex_write(name.bytes, name.len);
	_cleanup_free_ char *other_hex = hex_write(c->ask.other.bytes, c->ask.other.len);
	_cleanup_free_ char *address_hex = hex_write((const char *)&c->address, c->address_len);
	char way[32];
	char *argv[] = { (char *)c->ask.programs[0].bytes, ACT_WORD, way, name_hex, other_hex, address_hex, NULL };

	if (!name_hex || !other_hex || !address_hex)
		return -ENOMEM;
	snprintf(way, sizeof(way), "%td", scene->way - live_ways);
	return subject_run(scene, argv);
}

/* ---- judging ---- */

struct tally {
	unsigned int passed;
	unsigned int failed;
};

static const char *result_name(int r)
{
	return r == 0 ? "done" : strerrorname_np(-r);
}

static void result_print(struct tally *tally, const struct test_case *c, const struct live_way *way, const char *wrong)
{
	const char *slash = strrchr(c->table, '/');

	printf("%sok %s:%u:%s %s %s - %s%s%s\n", wrong ? "not " : "", slash ? slash + 1 : c->table, c->line,
	       way ? way->name : "none", c->access, c->object, c->text, wrong ? ": " : "", wrong ? wrong : "");
	fflush(stdout);
	if (wrong)
		tally->failed++;
	else
		tally->passed++;
}

/* What is wrong with the result; NULL: nothing. */
static const char *judge(enum case_verdict wanted, int r, int happened, char *text, size_t size)
{
	int wanted_r = wanted == CASE_DENY ? -EPERM : 0;

	if (r != wanted_r) {
		snprintf(text, size, "wanted %s, got %s", result_name(wanted_r), result_name(r));
		return text;
	}
	if (happened < 0 && happened != -EAGAIN) {
		snprintf(text, size, "cannot see what happened: %s", result_name(happened));
		return text;
	}
	if (happened >= 0 && happened != (wanted_r == 0)) {
		snprintf(text, size, "%s, and yet it %s", result_name(r), happened ? "happened" : "did not happen");
		return text;
	}
	return NULL;
}

static void way_run(struct tally *tally, const struct test_case *c, const struct live_way *way, bool control)
{
	struct live_scene scene = { .c = c, .way = way, .listener = -1, .sent = -1 };
	const char *wrong = NULL;
	char text[256];
	int r;

	r = subject_make(c);
	if (!r)
		r = live_scene_make(&scene);
	if (r) {
		snprintf(text, sizeof(text), "cannot make the scene: %s", result_name(r));
		wrong = text;
	} else {
		r = scene_act(&scene);
		wrong = judge(control ? CASE_ALLOW : c->verdict, r, live_scene_happened(&scene), text, sizeof(text));
	}
	result_print(tally, c, way, wrong);
	r = live_scene_clear(&scene);
	if (r)
		result_print(tally, c, way, "what was made cannot be removed");
}

static bool way_fits(const struct live_way *way, const struct test_case *c)
{
	return strcmp(way->access, c->access) == 0 && (way->nodes >> c->node & 1) && way->object == c->ask.object &&
	       (c->ask.object != LSMD_OBJECT_ADDRESS || way->proto == c->ask.address.proto);
}

static void case_run(struct tally *tally, const struct test_case *c, bool control)
{
	bool any = false;

	for (size_t i = 0; i < n_live_ways; i++)
		if (way_fits(&live_ways[i], c)) {
			way_run(tally, c, &live_ways[i], control);
			any = true;
		}
	if (!any)
		result_print(tally, c, NULL, "no way is known to do this");
}

/* ---- the commands ---- */

static void groups_print(const struct case_table *table)
{
	for (size_t i = 0; i < table->n_cases; i++) {
		bool known = table->cases[i].no_live;

		for (size_t j = 0; j < i && !known; j++)
			known = !table->cases[j].no_live &&
				strcmp(table->cases[j].policies, table->cases[i].policies) == 0;
		if (!known)
			printf("%s\n", table->cases[i].policies);
	}
}

/* @group: NULL is all of them */
static int cases_run(const struct case_table *table, const char *group, bool control)
{
	struct tally tally = { 0 };
	struct live_scene nothing = { .listener = -1, .sent = -1 };

	if ((mkdir(LIVE_ROOT, 0755) && errno != EEXIST) || live_scene_clear(&nothing)) {
		fprintf(stderr, "cannot clear %s: %s\n", LIVE_ROOT, strerror(errno));
		return 1;
	}
	for (size_t i = 0; i < table->n_cases; i++)
		if (!table->cases[i].no_live && (!group || strcmp(table->cases[i].policies, group) == 0))
			case_run(&tally, &table->cases[i], control);
	printf("# %s: %u passed, %u failed\n", control ? "control" : group, tally.passed, tally.failed);
	return tally.failed || !tally.passed;
}

static int usage(void)
{
	fprintf(stderr, "usage: lsmd-live groups TABLE | control TABLE [GROUP] | enforce TABLE GROUP\n");
	return 2;
}

static int runner_main(int argc, char **argv)
{
	struct case_table table;
	int r;

	if (argc < 3)
		return usage();
	r = case_table_read(argv[2], stderr, &table);
	if (r) {
		fprintf(stderr, "cannot read '%s': %s\n", argv[2], strerror(-r));
		return 1;
	}
	if (strcmp(argv[1], "groups") == 0 && argc == 3)
		groups_print(&table);
	else if (strcmp(argv[1], "control") == 0 && argc <= 4)
		r = cases_run(&table, argc == 4 ? argv[3] : NULL, true);
	else if (strcmp(argv[1], "enforce") == 0 && argc == 4)
		r = cases_run(&table, argv[3], false);
	else
		r = usage();
	case_table_free(&table);
	return r;
}

/* A script's interpreter is given the script's name before what the script was given. */
int main(int argc, char **argv)
{
	for (int i = 1; i < argc && i <= 2; i++) {
		if (strcmp(argv[i], LIVE_START_WORD) == 0)
			return LIVE_STARTED;
		if (strcmp(argv[i], ACT_WORD) == 0 && argc == i + 5)
			return subject_main(argv + i + 1);
	}
	return runner_main(argc, argv);
}
