// SPDX-License-Identifier: LGPL-2.1-or-later
/* Messages of the programs about themselves, to standard error. */
#include "agent/util/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/util/buf.h"

static const char *log_program;
static bool log_journal;

/* systemd names the device and inode of the stream it connected; a redirected stderr no longer has them. */
static bool stream_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!stream || sscanf(stream, "%llu:%llu", &dev, &ino) != 2 || fstat(STDERR_FILENO, &st))
		return false;
	return st.st_dev == dev && st.st_ino == ino;
}

void log_open(const char *program)
{
	log_program = program;
	log_journal = stream_is_journal();
}

static void line_start(struct buf *out, int level)
{
	if (log_journal)
		buf_printf(out, "<%d>", level);
	else if (log_program)
		buf_printf(out, "%s: ", log_program);
	if (log_journal)
		return;
	if (level <= LOG_ERR)
		buf_add_string(out, "error: ");
	else if (level == LOG_WARNING)
		buf_add_string(out, "warning: ");
}

static void lines_add(struct buf *out, int level, const char *text)
{
	for (;;) {
		size_t len = strcspn(text, "\n");

		line_start(out, level);
		buf_add(out, text, len);
		buf_add_byte(out, '\n');
		if (!text[len] || !text[len + 1])
			return;
		text += len + 1;
	}
}

static void message_write(int level, int r, unsigned long long held, const char *format, va_list args)
{
	_cleanup_buf_ struct buf out = {};
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	lines_add(&out, level, text ? text : format);
	free(text);
	if (r < 0 && out.len) {
		out.len--;
		buf_printf(&out, ": %s\n", strerror(-r));
	}
	if (held && out.len) {
		out.len--;
		buf_printf(&out, " (and %llu like it before)\n", held);
	}
	if (!out.failed)
		fwrite(out.bytes, 1, out.len, stderr);
}

int log_message(int level, int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message_write(level, r, 0, format, args);
	va_end(args);
	return r;
}

void log_limited(struct log_limit *limit, int r, const char *format, ...)
{
	struct timespec now;
	va_list args;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (limit->last_s == (unsigned long long)now.tv_sec) {
		limit->held++;
		return;
	}
	va_start(args, format);
	message_write(LOG_WARNING, r, limit->held, format, args);
	va_end(args);
	*limit = (struct log_limit){ .last_s = now.tv_sec };
}
