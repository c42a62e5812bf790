/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes that are put together piece by piece. */
#ifndef LSMD_UTIL_BUF_H
#define LSMD_UTIL_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/* Zero-initialise. bytes is NUL-terminated after the first addition, NULL before; len does not count the NUL. */
struct buf {
	char *bytes;
	size_t len;
	size_t capacity;
	bool failed; /* memory ran out: what was added since is lost, so ask once at the end */
};

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_string(struct buf *buf, const char *string);
void buf_add_byte(struct buf *buf, char byte);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_free(struct buf *buf);

#define _cleanup_buf_ __attribute__((cleanup(buf_free)))

#endif
