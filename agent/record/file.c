// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Records as JSON lines. A line is there whole or not at all: what a full disk cut off is taken back. Directory and file are made
 * where they are missing, also when somebody removes them later.
 */
#include "agent/record/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/record/jsonl.h"
#include "agent/util/buf.h"
#include "agent/util/cleanup.h"

static struct file_settings set; /* before the sink's thread starts, and never again */

static bool to_stdout(void)
{
	return !strcmp(set.path, "-");
}

static int directory_make(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	return mkdir(dirname(copy), 0750) && errno != EEXIST ? -errno : 0;
}

static int file_open(void **ret_state)
{
	int fd = STDOUT_FILENO, r;

	if (!to_stdout()) {
		r = directory_make(set.path);
		if (r)
			return r;
		fd = open(set.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	}
	if (fd < 0)
		return -errno;
	*ret_state = (void *)(intptr_t)fd;
	return 0;
}

static void file_close(void *state)
{
	if (!to_stdout())
		close((int)(intptr_t)state);
}

/* PATH.1 becomes PATH.2, and so on; the oldest goes. */
static int files_turn(void)
{
	_cleanup_buf_ struct buf from = {}, to = {};

	for (unsigned int i = set.keep; i > 0; i--) {
		from.len = to.len = 0;
		buf_printf(&to, "%s.%u", set.path, i);
		if (i > 1)
			buf_printf(&from, "%s.%u", set.path, i - 1);
		else
			buf_add_string(&from, set.path);
		if (from.failed || to.failed)
			return -ENOMEM;
		if (rename(from.bytes, to.bytes) && errno != ENOENT)
			return -errno;
	}
	return set.keep || !unlink(set.path) ? 0 : -errno;
}

/* The descriptor to write to: another one where the file is full or was taken away. */
static int file_turn(int fd, size_t len, off_t *ret_size)
{
	struct stat st;
	void *fresh;
	int r;

	if (fstat(fd, &st))
		return -errno;
	*ret_size = st.st_size;
	if (st.st_nlink && (!st.st_size || (uint64_t)st.st_size + len <= set.bytes_max))
		return 0;
	r = st.st_nlink ? files_turn() : 0;
	if (!r)
		r = file_open(&fresh);
	if (r)
		return r;
	/* The sink keeps its number. */
	r = dup3((int)(intptr_t)fresh, fd, O_CLOEXEC) < 0 ? -errno : 0;
	close((int)(intptr_t)fresh);
	*ret_size = 0;
	return r;
}

static int line_write(int fd, const char *bytes, size_t len, off_t size)
{
	ssize_t n = write(fd, bytes, len);

	if (n == (ssize_t)len)
		return 0;
	if (n < 0)
		return -errno;
	if (!to_stdout() && ftruncate(fd, size))
		return -errno;
	return -ENOSPC;
}

static int file_send(void *state, const struct record *record)
{
	json_t *object = record_json(record);
	_cleanup_free_ char *line = NULL;
	off_t size = 0;
	size_t len;
	int r = 0;

	if (object)
		line = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (!line)
		return -ENOMEM;
	len = strlen(line);
	line[len++] = '\n'; /* where the NUL was */
	if (!to_stdout())
		r = file_turn((int)(intptr_t)state, len, &size);
	return r ? r : line_write((int)(intptr_t)state, line, len, size);
}

const struct sink_type *file_sink(const struct file_settings *settings)
{
	static const struct sink_type type = {
		.name = "file",
		.open = file_open,
		.send = file_send,
		.close = file_close,
	};

	set = *settings;
	return &type;
}
