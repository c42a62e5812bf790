/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that is freed all at once: chunks in a list, the newest one is cut from the front. */
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/util/arena.h"

#define CHUNK_BYTES (256u << 10)
/* A piece of at least this size gets a chunk of its own, so that little is left over. */
#define LARGE_BYTES (CHUNK_BYTES / 4)

struct arena_chunk {
	struct arena_chunk *next;
	alignas(16) char bytes[];
};

static struct arena_chunk *chunk_new(size_t size)
{
	if (size > SIZE_MAX - sizeof(struct arena_chunk))
		return NULL;
	return calloc(1, sizeof(struct arena_chunk) + size);
}

/* Its own chunk goes behind the first, which may still have room. */
static void *large_alloc(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = chunk_new(size);

	if (!chunk)
		return NULL;
	if (arena->chunks) {
		chunk->next = arena->chunks->next;
		arena->chunks->next = chunk;
	} else {
		arena->chunks = chunk;
	}
	return chunk->bytes;
}

static void *piece_alloc(struct arena *arena, size_t size, size_t align)
{
	size_t pad = -(uintptr_t)arena->at & (align - 1);
	struct arena_chunk *chunk;
	void *piece;

	if (size >= LARGE_BYTES)
		return large_alloc(arena, size);
	if (arena->left < size + pad) {
		chunk = chunk_new(CHUNK_BYTES);
		if (!chunk)
			return NULL;
		chunk->next = arena->chunks;
		arena->chunks = chunk;
		arena->at = chunk->bytes;
		arena->left = CHUNK_BYTES;
		pad = 0;
	}
	piece = arena->at + pad;
	arena->at += size + pad;
	arena->left -= size + pad;
	return piece;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	return piece_alloc(arena, size ? size : 1, 16);
}

char *arena_copy(struct arena *arena, const void *bytes, size_t len)
{
	char *copy = piece_alloc(arena, len + 1, 1);

	if (copy && len)
		memcpy(copy, bytes, len);
	return copy;
}

void arena_free(struct arena *arena)
{
	struct arena_chunk *chunk, *next;

	for (chunk = arena->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	*arena = (struct arena){};
}
