// SPDX-License-Identifier: LGPL-2.1-or-later
/* Files to open: one of each kind at each depth, with names as they are in life (one of depth 8 has 61 bytes). */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/util/cleanup.h"
#include "tests/bench/bench.h"

const unsigned int scene_depths[SCENE_N_DEPTHS] = { 3, 5, 8, 20 };

static const char *const kind_names[SCENE_N_KINDS] = {
	[SCENE_HIT] = "hit.conf",     [SCENE_MISS] = "miss.conf", [SCENE_DENY] = "deny.conf",
	[SCENE_QUIET] = "quiet.conf", [SCENE_WILD] = "wild.log",
};

static int file_make(char **ret, const char *dir, const char *name)
{
	_cleanup_close_ int fd = -1;

	if (asprintf(ret, "%s/%s", dir, name) < 0)
		return -ENOMEM;
	fd = open(*ret, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : 0;
}

/* depth_make() - /tmp/lsmd-bench-x/a0003/…/hit.conf: depth counts components, the file's own included */
static int depth_make(struct scene *scene, unsigned int i)
{
	char dir[512];
	size_t len = (size_t)snprintf(dir, sizeof(dir), "%s", scene->dir);
	int r = 0;

	for (unsigned int d = 3; d < scene_depths[i]; d++) {
		len += (size_t)snprintf(dir + len, sizeof(dir) - len, "/%c%04u", 'a' + (int)i, d);
		if (mkdir(dir, 0755) && errno != EEXIST)
			return -errno;
	}
	for (unsigned int kind = 0; kind < SCENE_N_KINDS && !r; kind++)
		r = file_make(&scene->names[i][kind], dir, kind_names[kind]);
	return r;
}

/* mounts_above() - mount points on the way up, by the numbers of mounts */
static unsigned int mounts_above(const char *name)
{
	_cleanup_free_ char *path = strdup(name);
	unsigned long long last = 0;
	unsigned int n = 0;

	while (path && *path) {
		char *slash = strrchr(path, '/');
		struct statx at;

		if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &at) == 0) {
			n += last && at.stx_mnt_id != last;
			last = at.stx_mnt_id;
		}
		if (!slash || !slash[1])
			break;
		slash[slash == path] = '\0';
	}
	return n;
}

int scene_make(struct scene *scene)
{
	int r = 0;

	snprintf(scene->dir, sizeof(scene->dir), "/tmp/lsmd-bench-XXXXXX");
	if (!mkdtemp(scene->dir))
		return -errno;
	for (unsigned int i = 0; i < SCENE_N_DEPTHS && !r; i++)
		r = depth_make(scene, i);
	scene->mounts = mounts_above(scene->dir);
	return r;
}

static int entry_remove(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	return remove(path);
}

void scene_remove(struct scene *scene)
{
	if (scene->dir[0])
		nftw(scene->dir, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
	for (unsigned int i = 0; i < SCENE_N_DEPTHS; i++)
		for (unsigned int kind = 0; kind < SCENE_N_KINDS; kind++)
			free(scene->names[i][kind]);
}
