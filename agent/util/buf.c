/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes that are put together piece by piece. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "agent/util/buf.h"

static bool buf_room(struct buf *buf, size_t more)
{
	size_t wanted = buf->capacity + buf->capacity / 2;
	char *grown;

	if (buf->failed || more >= SIZE_MAX / 2 - buf->len) {
		buf->failed = true;
		return false;
	}
	if (buf->len + more + 1 <= buf->capacity)
		return true;
	if (wanted < buf->len + more + 1)
		wanted = buf->len + more + 1;
	if (wanted < 64)
		wanted = 64;
	grown = realloc(buf->bytes, wanted);
	if (!grown) {
		buf->failed = true;
		return false;
	}
	buf->bytes = grown;
	buf->capacity = wanted;
	return true;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
	if (!buf_room(buf, len))
		return;
	if (len)
		memcpy(buf->bytes + buf->len, bytes, len);
	buf->len += len;
	buf->bytes[buf->len] = '\0';
}

void buf_add_string(struct buf *buf, const char *string)
{
	buf_add(buf, string, strlen(string));
}

void buf_add_byte(struct buf *buf, char byte)
{
	buf_add(buf, &byte, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args, again;
	int n;

	va_start(args, format);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, args);
	if (n < 0)
		buf->failed = true;
	else if (buf_room(buf, n)) {
		vsnprintf(buf->bytes + buf->len, (size_t)n + 1, format, again);
		buf->len += n;
	}
	va_end(again);
	va_end(args);
}

void buf_free(struct buf *buf)
{
	free(buf->bytes);
	*buf = (struct buf){};
}
