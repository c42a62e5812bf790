// SPDX-License-Identifier: LGPL-2.1-or-later
/* Cgroup ids to paths, and paths to units. */
#include "agent/record/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "agent/util/cleanup.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUP2_MAGIC 0x63677270
/* kernfs handles: fs/kernfs/mount.c, FILEID_KERNFS of include/linux/exportfs.h; the id alone, eight bytes. */
#define HANDLE_KERNFS 0xfe
/* Paths remembered; a machine has more cgroups, but few that are refused something at one time. */
#define CGROUPS_MAX 64

struct cgroups {
	int root; /* of the file system */
	size_t root_len; /* bytes of its path */
	size_t next;
	struct {
		uint64_t id;
		char *path;
	} known[CGROUPS_MAX];
};

static bool has_suffix(const char *name, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len > n && !memcmp(name + len - n, suffix, n);
}

/* 2: names a unit with processes of its own; 1: a slice; 0: none */
static int unit_rank(const char *name, size_t len)
{
	static const char *const suffixes[] = { ".service", ".scope", ".socket", ".mount", ".swap" };

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (has_suffix(name, len, suffixes[i]))
			return 2;
	return has_suffix(name, len, ".slice") ? 1 : 0;
}

int unit_of_cgroup(const char *path, char **ret, size_t *ret_len)
{
	const char *best = NULL;
	size_t best_len = 0;
	int best_rank = 1;

	while (*path) {
		size_t len = strcspn(path, "/");
		const char *name = path;
		int rank;

		if (len && *name == '_') {
			name++;
			len--;
		}
		rank = unit_rank(name, len);
		if (rank >= best_rank) {
			best = name;
			best_len = len;
			best_rank = rank;
		}
		path = name + len;
		if (*path)
			path++;
	}
	if (!best)
		return UNIT_NONE;
	*ret = strndup(best, best_len);
	if (!*ret)
		return -ENOMEM;
	*ret_len = best_len;
	return 0;
}

int cgroups_new(struct cgroups **ret)
{
	static const char *const roots[] = { CGROUP_ROOT, CGROUP_ROOT "/unified" };
	_cleanup_free_ struct cgroups *cgroups = calloc(1, sizeof(*cgroups));

	if (!cgroups)
		return -ENOMEM;
	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++) {
		_cleanup_close_ int fd = open(roots[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct statfs fs;

		if (fd < 0 || fstatfs(fd, &fs) || fs.f_type != CGROUP2_MAGIC)
			continue;
		cgroups->root = TAKE_FD(fd);
		cgroups->root_len = strlen(roots[i]);
		*ret = TAKE_PTR(cgroups);
		return 0;
	}
	return -ENOENT;
}

void cgroups_free(struct cgroups *cgroups)
{
	if (!cgroups)
		return;
	for (size_t i = 0; i < CGROUPS_MAX; i++)
		free(cgroups->known[i].path);
	close(cgroups->root);
	free(cgroups);
}

static char *path_of_fd(int fd, size_t skip)
{
	char link[64], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0 || (size_t)n < skip)
		return NULL;
	path[n] = '\0';
	return strdup(path[skip] ? path + skip : "/");
}

static char *path_look_up(const struct cgroups *cgroups, uint64_t id)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(id)];
	} u = { .handle = { .handle_bytes = sizeof(id), .handle_type = HANDLE_KERNFS } };
	_cleanup_close_ int fd = -1;

	memcpy(u.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(cgroups->root, &u.handle, O_PATH | O_CLOEXEC);
	return fd < 0 ? NULL : path_of_fd(fd, cgroups->root_len);
}

const char *cgroups_path(struct cgroups *cgroups, uint64_t id)
{
	size_t at;

	if (!cgroups || !id)
		return NULL;
	for (size_t i = 0; i < CGROUPS_MAX; i++)
		if (cgroups->known[i].id == id && cgroups->known[i].path)
			return cgroups->known[i].path;
	at = cgroups->next++ % CGROUPS_MAX;
	free(cgroups->known[at].path);
	cgroups->known[at].path = path_look_up(cgroups, id);
	cgroups->known[at].id = id;
	return cgroups->known[at].path;
}
