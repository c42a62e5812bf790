/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which files make a set. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/policy/collect.h"
#include "agent/util/cleanup.h"
#include "agent/util/vec.h"

/* Entries of one folder: more are no folder of policies. */
#define FOLDER_MAX 65536

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

void entries_free(struct entries *entries)
{
	size_t i;

	for (i = 0; i < entries->n; i++)
		free(entries->items[i].path);
	free(entries->items);
	*entries = (struct entries){};
}

static int entry_add(struct entries *entries, const char *path, unsigned rank, bool masked)
{
	_cleanup_free_ char *copy = strdup(path);
	struct entry *entry = copy ? vec_add(entries) : NULL;
	const char *slash;

	if (!entry)
		return -ENOMEM;
	slash = strrchr(copy, '/');
	*entry = (struct entry){ .path = copy, .name = slash ? slash + 1 : copy, .rank = rank, .masked = masked };
	copy = NULL;
	return 0;
}

static int refuse(struct files *files, struct diags *diags, const char *path, enum diag_level level, const char *code,
		  const char *message)
{
	struct place place = {};
	int r = files_add(files, path, &place.file);

	if (!r)
		diag_add(diags, level, code, place, NULL, "%s", message);
	return r;
}

static bool name_ends(const char *name, const char *ending)
{
	size_t len = strlen(name), n = strlen(ending);

	return len > n && !strcmp(name + len - n, ending);
}

/* A link to /dev/null takes away what has its name. */
static bool is_mask(int dir_fd, const char *name)
{
	char target[sizeof("/dev/null") + 1];
	ssize_t n = readlinkat(dir_fd, name, target, sizeof(target));

	return n == sizeof("/dev/null") - 1 && !memcmp(target, "/dev/null", n);
}

static int folder_read(DIR *dir, const char *path, unsigned rank, struct files *files, struct diags *diags,
		       struct entries *ret)
{
	struct dirent *found;
	size_t n = 0;
	int r;

	while (errno = 0, (found = readdir(dir))) {
		_cleanup_free_ char *full = NULL;

		if (found->d_name[0] == '.' || !name_ends(found->d_name, ".json"))
			continue;
		if (++n > FOLDER_MAX)
			return refuse(files, diags, path, DIAG_ERROR, "folder-size", "the folder holds too many files");
		if (asprintf(&full, "%s%s%s", path, name_ends(path, "/") ? "" : "/", found->d_name) < 0) {
			full = NULL;
			return -ENOMEM;
		}
		r = entry_add(ret, full, rank, is_mask(dirfd(dir), found->d_name));
		if (r)
			return r;
	}
	return errno ? refuse(files, diags, path, DIAG_ERROR, "file-read", strerror(errno)) : 0;
}

/* @must: a folder that is not there is an error, else it is empty. */
static int folder_list(const char *path, bool must, unsigned rank, struct files *files, struct diags *diags,
		       struct entries *ret)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
	__attribute__((cleanup(closedirp))) DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		return folder_read(dir, path, rank, files, diags, ret);
	if (fd >= 0)
		close(fd);
	if (fd < 0 && errno == ENOENT && !must)
		return 0;
	return refuse(files, diags, path, DIAG_ERROR, "file-read", strerror(errno));
}

static int entry_compare_path(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static int entry_compare_name(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (int)y->rank - (int)x->rank;
}

/* Of neighbours that are the same the first stays; then what is masked goes. */
static void entries_thin(struct entries *entries, bool by_name)
{
	size_t i, n = 0, kept = 0;

	for (i = 0; i < entries->n; i++) {
		struct entry *entry = &entries->items[i];
		bool same = n && !(by_name ? strcmp(entries->items[n - 1].name, entry->name) :
					     strcmp(entries->items[n - 1].path, entry->path));

		if (same)
			free(entry->path);
		else
			entries->items[n++] = *entry;
	}
	for (i = 0; i < n; i++) {
		if (entries->items[i].masked)
			free(entries->items[i].path);
		else
			entries->items[kept++] = entries->items[i];
	}
	entries->n = kept;
}

static void entries_sort(struct entries *entries, bool by_name)
{
	if (entries->n)
		qsort(entries->items, entries->n, sizeof(*entries->items), by_name ? entry_compare_name : entry_compare_path);
	entries_thin(entries, by_name);
}

static const char *vendor_dir(const struct policy_options *options)
{
	return options->vendor_dir ? options->vendor_dir : POLICY_VENDOR_DIR;
}

static const char *admin_dir(const struct policy_options *options)
{
	return options->admin_dir ? options->admin_dir : POLICY_ADMIN_DIR;
}

int policies_collect(const struct policy_options *options, struct files *files, struct diags *diags, struct entries *ret)
{
	struct stat st;
	size_t i;
	int r = 0;

	for (i = 0; i < options->n_paths && !r; i++) {
		if (stat(options->paths[i], &st) == 0 && S_ISDIR(st.st_mode))
			r = folder_list(options->paths[i], true, 0, files, diags, ret);
		else
			r = entry_add(ret, options->paths[i], 0, false);
	}
	if (!options->n_paths) {
		r = folder_list(vendor_dir(options), false, 0, files, diags, ret);
		if (!r)
			r = folder_list(admin_dir(options), false, 1, files, diags, ret);
	}
	entries_sort(ret, !options->n_paths);
	return r;
}

static int drop_ins_list(const char *dir, size_t dir_len, const char *name, unsigned rank, struct files *files,
			 struct diags *diags, struct entries *ret)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%.*s%s%s.d", (int)dir_len, dir, dir_len && dir[dir_len - 1] != '/' ? "/" : "", name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return folder_list(path, false, rank, files, diags, ret);
}

int drop_ins_collect(const struct policy_options *options, const struct entry *policy, struct files *files,
		     struct diags *diags, struct entries *ret)
{
	const char *dirs[] = { vendor_dir(options), admin_dir(options) };
	unsigned rank;
	int r = 0;

	if (options->n_paths) {
		r = drop_ins_list(policy->path, policy->name - policy->path, policy->name, 0, files, diags, ret);
	} else {
		for (rank = 0; rank < 2 && !r; rank++)
			r = drop_ins_list(dirs[rank], strlen(dirs[rank]), policy->name, rank, files, diags, ret);
	}
	entries_sort(ret, true);
	return r;
}
