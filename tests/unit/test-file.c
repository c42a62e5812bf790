// SPDX-License-Identifier: LGPL-2.1-or-later
/* file.c: whole lines, rotated by size, and made anew when somebody takes the file away. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "agent/record/file.h"

static char dir[] = "/tmp/lsmd-test-file-XXXXXX", path[64];

static int setup(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/log/events.jsonl", dir);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static void write_one(const struct sink_type *type, void *state, int wanted)
{
	struct lsmd_event event = { .n_answers = 1, .object = LSMD_OBJECT_NONE };
	struct record *record;

	assert_int_equal(record_new(&event, sizeof(event), NULL, 1, 0, NULL, &record), 0);
	assert_int_equal(type->send(state, record), wanted);
	record_unref(record);
}

/* Lines of a file, each of them JSON; -1: no such file */
static int lines_of(const char *suffix)
{
	char name[128], line[8192];
	FILE *file;
	int n = 0;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	file = fopen(name, "r");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		json_t *object = json_loads(line, 0, NULL);

		assert_non_null(object);
		json_decref(object);
		assert_non_null(strchr(line, '\n'));
		n++;
	}
	fclose(file);
	return n;
}

static void files_are_turned_by_size(void **state)
{
	const struct file_settings settings = { .path = path, .bytes_max = 2000, .keep = 2 };
	const struct sink_type *type = file_sink(&settings);
	struct stat st;
	void *fd;
	int now, one, two;

	assert_int_equal(type->open(&fd), 0);
	for (int i = 0; i < 40; i++)
		write_one(type, fd, 0);
	now = lines_of("");
	one = lines_of(".1");
	two = lines_of(".2");
	assert_true(now > 0 && one > 1 && two == one);
	assert_int_equal(lines_of(".3"), -1);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size <= 2000);
	assert_int_equal(st.st_mode & 0777, 0640);
	type->close(fd);
}

static void a_file_taken_away_is_made_anew(void **state)
{
	const struct file_settings settings = { .path = path, .bytes_max = 100000, .keep = 2 };
	const struct sink_type *type = file_sink(&settings);
	void *fd;

	unlink(path);
	assert_int_equal(type->open(&fd), 0);
	write_one(type, fd, 0);
	unlink(path);
	write_one(type, fd, 0);
	write_one(type, fd, 0);
	assert_int_equal(lines_of(""), 2);
	type->close(fd);
}

/* A limit of file sizes stands for a full disk: it cuts a line, which is taken back. */
static void a_full_disk_leaves_whole_lines(void **state)
{
	const struct file_settings settings = { .path = path, .bytes_max = 100000, .keep = 2 };
	const struct sink_type *type = file_sink(&settings);
	struct rlimit before, limit;
	struct stat st;
	void *fd;

	unlink(path);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(type->open(&fd), 0);
	write_one(type, fd, 0);
	assert_int_equal(stat(path, &st), 0);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = st.st_size + 10;
	setrlimit(RLIMIT_FSIZE, &limit);
	write_one(type, fd, -ENOSPC);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(lines_of(""), 1);
	write_one(type, fd, 0);
	assert_int_equal(lines_of(""), 2);
	type->close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_turned_by_size),
		cmocka_unit_test(a_file_taken_away_is_made_anew),
		cmocka_unit_test(a_full_disk_leaves_whole_lines),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
