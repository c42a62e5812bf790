/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Abstractions: found by name, read once, followed in the order of inclusion. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/policy/rule.h"
#include "agent/policy/source.h"
#include "agent/util/buf.h"
#include "agent/util/cleanup.h"
#include "agent/util/vec.h"

/* Abstractions in use, all policies together. */
#define LIBRARY_MAX 4096

/* One inclusion: who includes, and who included that. */
struct inclusion {
	struct source *from;
	const struct inclusion *around;
	unsigned depth;
};

void library_begin(struct library *library)
{
	library->inclusion++;
}

void library_free(struct library *library)
{
	size_t i;

	for (i = 0; i < library->n; i++) {
		source_free(library->items[i]);
		free(library->items[i]);
	}
	free(library->items);
	library->items = NULL;
	library->n = library->capacity = 0;
}

/* Where the abstraction stands among the sorted ones, or would stand. */
static size_t library_index(const struct library *library, const char *name)
{
	size_t low = 0, high = library->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(library->items[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct source *library_find(const struct library *library, const char *name)
{
	size_t i = library_index(library, name);

	return i < library->n && !strcmp(library->items[i]->name, name) ? library->items[i] : NULL;
}

static int library_insert(struct library *library, struct source *source)
{
	size_t i = library_index(library, source->name);

	if (!vec_add(library))
		return -ENOMEM;
	memmove(&library->items[i + 1], &library->items[i], (library->n - 1 - i) * sizeof(*library->items));
	library->items[i] = source;
	return 0;
}

static int missing(struct library *library, struct doc *doc, uint32_t value, const char *name)
{
	_cleanup_buf_ struct buf dirs = {};
	size_t i;

	for (i = 0; i < library->n_dirs; i++)
		buf_printf(&dirs, "%s%s", i ? " and " : "", library->dirs[i]);
	diag_add(library->diags, DIAG_ERROR, "include-missing", doc_place(doc, value), NULL,
		 "there is no abstraction '%s': no %s.json in %s", name, name, dirs.bytes ? dirs.bytes : "any folder");
	return SOURCE_REFUSED;
}

/* The path of the first folder's file that is there, whatever it is; NULL in *ret: none. */
static int file_find(const struct library *library, const char *name, char **ret)
{
	struct stat st;
	size_t i;

	for (i = 0; i < library->n_dirs; i++) {
		_cleanup_free_ char *path = NULL;

		if (asprintf(&path, "%s/%s.json", library->dirs[i], name) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) < 0 && (errno == ENOENT || errno == ENOTDIR))
			continue;
		*ret = TAKE_PTR(path);
		return 0;
	}
	return 0;
}

static int library_read(struct library *library, struct doc *doc, uint32_t value, const char *name, struct source **ret)
{
	_cleanup_free_ struct source *source = calloc(1, sizeof(*source));
	_cleanup_free_ char *path = NULL;
	int r;

	if (!source)
		return -ENOMEM;
	if (library->n >= LIBRARY_MAX) {
		diag_add(library->diags, DIAG_ERROR, "include-count", doc_place(doc, value), NULL,
			 "more than %d abstractions in use", LIBRARY_MAX);
		return SOURCE_REFUSED;
	}
	r = file_find(library, name, &path);
	if (r)
		return r;
	if (!path)
		return missing(library, doc, value, name);
	r = source_read(library->files, path, FILE_ABSTRACTION, library->diags, source);
	if (r < 0)
		return r;
	/* One that cannot be read is kept too, so that it is not read again by the next policy. */
	source->name = strdup(name);
	if (!source->name || library_insert(library, source)) {
		source_free(source);
		return -ENOMEM;
	}
	*ret = TAKE_PTR(source);
	return 0;
}

/* "base -> names -> base" */
static void chain_write(const struct inclusion *inclusion, const struct source *first, struct buf *buf)
{
	if (inclusion->from != first && inclusion->around)
		chain_write(inclusion->around, first, buf);
	buf_printf(buf, "%s -> ", inclusion->from->name ? inclusion->from->name : "?");
}

static int cycle(struct library *library, const struct inclusion *inclusion, uint32_t value,
		 const struct source *source)
{
	_cleanup_buf_ struct buf chain = {};

	chain_write(inclusion, source, &chain);
	diag_add(library->diags, DIAG_ERROR, "include-cycle", doc_place(&inclusion->from->doc, value),
		 "remove one of them", "the abstraction '%s' includes itself: %s%s", source->name,
		 chain.bytes ? chain.bytes : "", source->name);
	return SOURCE_REFUSED;
}

static int from_include(struct library *library, const struct inclusion *inclusion, struct sources *ret);

static int source_include(struct library *library, const struct inclusion *inclusion, uint32_t value,
			  struct source *source, struct sources *ret)
{
	struct inclusion next = { .from = source, .around = inclusion, .depth = inclusion->depth + 1 };
	struct source **slot;
	int r;

	if (source->busy)
		return cycle(library, inclusion, value, source);
	if (source->seen == library->inclusion)
		return source->right ? 0 : SOURCE_REFUSED;
	if (next.depth > INCLUDE_DEPTH_MAX) {
		diag_add(library->diags, DIAG_ERROR, "include-depth", doc_place(&inclusion->from->doc, value), NULL,
			 "more than %d abstractions inside each other", INCLUDE_DEPTH_MAX);
		return SOURCE_REFUSED;
	}
	source->seen = library->inclusion;
	if (!source->right)
		return SOURCE_REFUSED;
	slot = vec_add(ret);
	if (!slot)
		return -ENOMEM;
	*slot = source;
	source->busy = true;
	r = from_include(library, &next, ret);
	source->busy = false;
	return r;
}

static int name_include(struct library *library, const struct inclusion *inclusion, uint32_t value, struct sources *ret)
{
	struct doc *doc = &inclusion->from->doc;
	struct arena memory = {};
	const char *name = NULL;
	struct source *source;
	int r;

	r = word_read(doc, value, "an abstraction's name", &memory, library->diags, &name);
	if (!r) {
		source = library_find(library, name);
		if (!source)
			r = library_read(library, doc, value, name, &source);
		if (!r)
			r = source_include(library, inclusion, value, source, ret);
	}
	arena_free(&memory);
	return r > 0 ? SOURCE_REFUSED : r;
}

static int from_include(struct library *library, const struct inclusion *inclusion, struct sources *ret)
{
	struct source *from = inclusion->from;
	uint32_t list = from->keys[POLICY_INCLUDE], at = 0;
	int r, worst = 0;

	while (list && (at = strings_next(&from->doc, list, at))) {
		r = name_include(library, inclusion, at, ret);
		if (r < 0)
			return r;
		worst = r ? r : worst;
	}
	return worst;
}

int library_include(struct library *library, struct source *from, struct sources *ret)
{
	struct inclusion inclusion = { .from = from };

	return from_include(library, &inclusion, ret);
}
