/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that is given out piece by piece and freed all at once. */
#ifndef LSMD_UTIL_ARENA_H
#define LSMD_UTIL_ARENA_H

#include <stddef.h>

struct arena_chunk;

/* Zero-initialise. */
struct arena {
	struct arena_chunk *chunks;
	char *at;
	size_t left; /* bytes */
};

/** arena_alloc() - @size zeroed bytes, aligned to 16; NULL when memory ran out. @size 0 gives a valid pointer */
void *arena_alloc(struct arena *arena, size_t size);

/** arena_copy() - the @len bytes with a NUL behind them, not aligned; NULL when memory ran out */
char *arena_copy(struct arena *arena, const void *bytes, size_t len);

/** arena_free() - all of it; the arena may be used again */
void arena_free(struct arena *arena);

#endif
