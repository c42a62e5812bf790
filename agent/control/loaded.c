// SPDX-License-Identifier: LGPL-2.1-or-later
/* Files of a set and their state; told apart by inode, size and both times, not by content. */
#include "agent/control/loaded.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/record/jsonl.h"
#include "agent/util/buf.h"
#include "agent/util/cleanup.h"
#include "agent/util/vec.h"

struct file_state {
	char *path;
	struct stat st; /* st_ino 0: it could not be looked at */
};

struct loaded {
	struct file_state *items; /* sorted by path */
	size_t n, capacity;
	char *dirs[2]; /* of policies; looked at again later */
	struct seal_stamp stamp;
};

DEFINE_CLEANUP(struct loaded, loaded_free)

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int state_compare(const void *a, const void *b)
{
	return strcmp(((const struct file_state *)a)->path, ((const struct file_state *)b)->path);
}

static int file_add(struct loaded *loaded, const char *path)
{
	struct file_state *state = vec_add(loaded);

	if (!state)
		return -ENOMEM;
	*state = (struct file_state){ .path = strdup(path) };
	if (!state->path)
		return -ENOMEM;
	if (lstat(path, &state->st))
		state->st = (struct stat){};
	return 0;
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t len = strlen(name), n = strlen(suffix);

	return len > n && !strcmp(name + len - n, suffix);
}

/* Names that a set is read from: *.json, and those in NAME.json.d. */
static int dir_add(struct loaded *loaded, const char *path, bool drop_ins)
{
	_cleanup_(closedirp) DIR *dir = opendir(path);
	struct dirent *entry;
	int r = 0;

	while (dir && !r && (entry = readdir(dir))) {
		_cleanup_buf_ struct buf name = {};

		if (entry->d_name[0] == '.')
			continue;
		buf_printf(&name, "%s/%s", path, entry->d_name);
		if (name.failed)
			return -ENOMEM;
		if (has_suffix(entry->d_name, ".json"))
			r = file_add(loaded, name.bytes);
		else if (drop_ins && has_suffix(entry->d_name, ".json.d"))
			r = dir_add(loaded, name.bytes, false);
	}
	return r;
}

static int dirs_add(struct loaded *loaded)
{
	int r = 0;

	for (size_t i = 0; i < 2 && !r; i++)
		r = dir_add(loaded, loaded->dirs[i], true);
	qsort(loaded->items, loaded->n, sizeof(*loaded->items), state_compare);
	return r;
}

int loaded_look(const struct policy_options *options, struct loaded **ret)
{
	_cleanup_(loaded_freep) struct loaded *loaded = calloc(1, sizeof(*loaded));
	int r;

	if (!loaded)
		return -ENOMEM;
	loaded->dirs[0] = strdup(options->vendor_dir ? options->vendor_dir : POLICY_VENDOR_DIR);
	loaded->dirs[1] = strdup(options->admin_dir ? options->admin_dir : POLICY_ADMIN_DIR);
	if (!loaded->dirs[0] || !loaded->dirs[1])
		return -ENOMEM;
	r = dirs_add(loaded);
	if (r)
		return r;
	*ret = TAKE_PTR(loaded);
	return 0;
}

static const struct file_state *file_find(const struct loaded *loaded, const char *path)
{
	const struct file_state key = { .path = (char *)path };

	return loaded->n ? bsearch(&key, loaded->items, loaded->n, sizeof(key), state_compare) : NULL;
}

int loaded_add(struct loaded *loaded, const struct policy_set *set)
{
	struct loaded more = {};
	int r = 0;

	loaded->stamp = set->stamp;
	for (size_t i = 0; i < set->n_files && !r; i++)
		if (!file_find(loaded, set->files[i].name))
			r = file_add(&more, set->files[i].name);
	for (size_t i = 0; i < more.n; i++) {
		struct file_state *state = r ? NULL : vec_add(loaded);

		if (state) {
			*state = more.items[i];
		} else {
			r = -ENOMEM;
			free(more.items[i].path);
		}
	}
	free(more.items);
	qsort(loaded->items, loaded->n, sizeof(*loaded->items), state_compare);
	return r;
}

void loaded_free(struct loaded *loaded)
{
	if (!loaded)
		return;
	for (size_t i = 0; i < loaded->n; i++)
		free(loaded->items[i].path);
	free(loaded->items);
	free(loaded->dirs[0]);
	free(loaded->dirs[1]);
	free(loaded);
}

const struct seal_stamp *loaded_stamp(const struct loaded *loaded)
{
	return &loaded->stamp;
}

size_t loaded_n(const struct loaded *loaded)
{
	return loaded->n;
}

static bool time_same(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool state_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       time_same(&a->st_mtim, &b->st_mtim) && time_same(&a->st_ctim, &b->st_ctim);
}

static int path_append(json_t *list, const char *path)
{
	json_t *item = json_object();
	int r = item ? json_bytes(item, "path", path, strlen(path)) : -ENOMEM;

	if (!r)
		r = json_array_append(list, json_object_get(item, "path")) ? -ENOMEM : 0;
	json_decref(item);
	return r;
}

static int known_compare(const struct loaded *loaded, json_t *changed, json_t *gone)
{
	int r = 0;

	for (size_t i = 0; i < loaded->n && !r; i++) {
		const struct file_state *file = &loaded->items[i];
		struct stat now;

		if (lstat(file->path, &now))
			r = file->st.st_ino ? path_append(gone, file->path) : 0;
		else if (!state_same(&now, &file->st))
			r = path_append(changed, file->path);
	}
	return r;
}

static int new_find(const struct loaded *loaded, json_t *list)
{
	struct loaded now = { .dirs = { loaded->dirs[0], loaded->dirs[1] } };
	int r = dirs_add(&now);

	for (size_t i = 0; i < now.n; i++) {
		if (!r && !file_find(loaded, now.items[i].path))
			r = path_append(list, now.items[i].path);
		free(now.items[i].path);
	}
	free(now.items);
	return r;
}

json_t *loaded_changes(const struct loaded *loaded)
{
	json_t *changed = json_array(), *new = json_array(), *gone = json_array();
	json_t *ret = json_pack("{s:o, s:o, s:o}", "changed", changed, "new", new, "gone", gone);

	if (ret && (known_compare(loaded, changed, gone) || new_find(loaded, new))) {
		json_decref(ret);
		return NULL;
	}
	return ret;
}
