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

/* What folders are listed into, and who hears of what is wrong. */
struct listing {
	struct files *files;
	struct diags *diags;
	struct entries *entries;
	struct entries *drop_ins; /* folders NAME.json.d; NULL: not asked for */
};

static int refuse(struct listing *listing, const char *path, enum diag_level level, const char *code,
		  const char *message)
{
	struct place place = {};
	int r = files_add(listing->files, path, &place.file);

	if (!r)
		diag_add(listing->diags, level, code, place, NULL, "%s", message);
	return r;
}

static int name_list(struct listing *listing, DIR *dir, const char *path, const char *name, unsigned rank)
{
	_cleanup_free_ char *full = NULL;
	bool folder = name_ends(name, ".json.d") && listing->drop_ins;

	if (name[0] == '.' || (!folder && !name_ends(name, ".json")) || name_ends(name, ".test.json"))
		return 0;
	if (asprintf(&full, "%s%s%s", path, name_ends(path, "/") ? "" : "/", name) < 0) {
		full = NULL;
		return -ENOMEM;
	}
	return entry_add(folder ? listing->drop_ins : listing->entries, full, rank, is_mask(dirfd(dir), name));
}

static int folder_read(struct listing *listing, DIR *dir, const char *path, unsigned rank)
{
	struct dirent *found;
	size_t n = 0;
	int r;

	while (errno = 0, (found = readdir(dir))) {
		if (++n > FOLDER_MAX)
			return refuse(listing, path, DIAG_ERROR, "folder-size", "the folder holds too many files");
		r = name_list(listing, dir, path, found->d_name, rank);
		if (r)
			return r;
	}
	return errno ? refuse(listing, path, DIAG_ERROR, "file-read", strerror(errno)) : 0;
}

/* @must: a folder that is not there is an error, else it is empty. */
static int folder_list(struct listing *listing, const char *path, bool must, unsigned rank)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
	__attribute__((cleanup(closedirp))) DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		return folder_read(listing, dir, path, rank);
	if (fd >= 0) {
		close(fd);
		return -ENOMEM;
	}
	return errno == ENOENT && !must ? 0 : refuse(listing, path, DIAG_ERROR, "file-read", strerror(errno));
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
		bool same = n && !(by_name ? strcmp(entries->items[n - 1].name, entry->name)
					   : strcmp(entries->items[n - 1].path, entry->path));

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

static const char *vendor_dir(const struct policy_options *options)
{
	return options->vendor_dir ? options->vendor_dir : POLICY_VENDOR_DIR;
}

static const char *admin_dir(const struct policy_options *options)
{
	return options->admin_dir ? options->admin_dir : POLICY_ADMIN_DIR;
}

/* Is there an entry of this name, masked or not? @entries are sorted by it. */
static bool entries_have(const struct entries *entries, bool by_name, const char *name, size_t len)
{
	size_t low = 0, high = entries->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct entry *entry = &entries->items[middle];
		const char *other = by_name ? entry->name : entry->path;
		int order = strncmp(other, name, len);

		if (!order && !other[len])
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* Drop-ins of a policy that is nowhere add to nothing. */
static int drop_ins_alone(struct listing *listing, bool by_name)
{
	size_t i;
	int r = 0;

	for (i = 0; i < listing->drop_ins->n && !r; i++) {
		const struct entry *folder = &listing->drop_ins->items[i];
		const char *name = by_name ? folder->name : folder->path;

		if (!entries_have(listing->entries, by_name, name, strlen(name) - strlen(".d")))
			r = refuse(listing, folder->path, DIAG_WARNING, "drop-in-alone",
				   "there is no policy that these files would add to");
	}
	return r;
}

static void entries_order(struct entries *entries, bool by_name)
{
	if (entries->n)
		qsort(entries->items, entries->n, sizeof(*entries->items),
		      by_name ? entry_compare_name : entry_compare_path);
}

static int policies_list(struct listing *listing, const struct policy_options *options)
{
	struct stat st;
	size_t i;
	int r = 0;

	for (i = 0; i < options->n_paths && !r; i++) {
		if (stat(options->paths[i], &st) == 0 && S_ISDIR(st.st_mode))
			r = folder_list(listing, options->paths[i], true, 0);
		else
			r = entry_add(listing->entries, options->paths[i], 0, false);
	}
	if (options->n_paths || r)
		return r;
	r = folder_list(listing, vendor_dir(options), false, 0);
	return r ? r : folder_list(listing, admin_dir(options), false, 1);
}

int policies_collect(const struct policy_options *options, struct files *files, struct diags *diags,
		     struct entries *ret)
{
	struct entries drop_ins = {};
	struct listing listing = { files, diags, ret, &drop_ins };
	bool by_name = !options->n_paths;
	int r = policies_list(&listing, options);

	entries_order(ret, by_name);
	entries_order(&drop_ins, by_name);
	if (!r)
		r = drop_ins_alone(&listing, by_name);
	entries_free(&drop_ins);
	entries_thin(ret, by_name);
	return r;
}

static int drop_ins_list(struct listing *listing, const char *dir, size_t dir_len, const char *name, unsigned rank)
{
	const char *slash = dir_len && dir[dir_len - 1] != '/' ? "/" : "";
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%.*s%s%s.d", (int)dir_len, dir, slash, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return folder_list(listing, path, false, rank);
}

int drop_ins_collect(const struct policy_options *options, const struct entry *policy, struct files *files,
		     struct diags *diags, struct entries *ret)
{
	const char *dirs[] = { vendor_dir(options), admin_dir(options) };
	struct listing listing = { files, diags, ret, NULL };
	unsigned rank;
	int r = 0;

	if (options->n_paths)
		r = drop_ins_list(&listing, policy->path, policy->name - policy->path, policy->name, 0);
	for (rank = 0; rank < 2 && !r && !options->n_paths; rank++)
		r = drop_ins_list(&listing, dirs[rank], strlen(dirs[rank]), policy->name, rank);
	entries_order(ret, true);
	entries_thin(ret, true);
	return r;
}
