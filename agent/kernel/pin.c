// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Pins: what makes enforcement outlive the agent. One directory a set of programs, named by the hash of their build,
 * made under another name and renamed when it is whole.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "agent/kernel/side.h"
#include "agent/util/cleanup.h"

#define SET_PREFIX "set-"
#define SET_UNFINISHED "unfinished"

static const char *const hook_names[] = {
#define X(constant, name) [LSMD_HOOK_##constant] = name,
	LSMD_HOOKS(X)
#undef X
};

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* pins_make() - the directory, on a bpf file system */
static int pins_make(const char *pins, struct kernel_why *why)
{
	struct statfs fs;

	if (mkdir(pins, 0700) < 0 && errno != EEXIST) {
		int r = -errno;

		why_set(why, "cannot make '%s': %s", pins, strerror(-r));
		return r;
	}
	if (statfs(pins, &fs) < 0)
		return -errno;
	if (fs.f_type != BPF_FS_MAGIC) {
		why_set(why, "'%s' does not lie on a bpf file system (mount -t bpf bpf /sys/fs/bpf)", pins);
		return KERNEL_UNABLE;
	}
	return 0;
}

static int pin_one(int fd, const char *dir, const char *prefix, const char *name)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/%s%s", dir, prefix, name) < 0)
		return -ENOMEM;
	return bpf_obj_pin(fd, path) ? -errno : 0;
}

static int pin_all(const struct kernel *kernel, const char *dir, const struct attached *attached)
{
	int r = 0;

	for (enum side_map map = 0; !r && map < SIDE_N_MAPS; map++)
		r = pin_one(kernel->map_fds[map], dir, "", side_map_name(map));
	if (!r)
		r = pin_one(kernel->label_tasks_fd, dir, "", "lsmd_label_tasks");
	if (!r)
		r = pin_one(kernel->show_labels_fd, dir, "", "lsmd_show_labels");
	for (enum lsmd_hook hook = 0; !r && hook < LSMD_N_HOOKS; hook++) {
		if (attached->links[hook] < 0)
			continue;
		r = pin_one(attached->programs[hook], dir, "program-", hook_names[hook]);
		if (!r)
			r = pin_one(attached->links[hook], dir, "link-", hook_names[hook]);
	}
	return r;
}

/* set_remove() - a directory of pins and all in it */
static int set_remove(const char *path)
{
	_cleanup_(closedirp) DIR *dir = opendir(path);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && unlinkat(dirfd(dir), entry->d_name, 0) < 0)
			r = -errno;
	if (rmdir(path) < 0)
		r = -errno;
	return r;
}

int pin_set(struct kernel *kernel, const char *pins, const struct attached *attached, struct kernel_why *why)
{
	_cleanup_free_ char *unfinished = NULL, *set = NULL;
	int r = pins_make(pins, why);

	if (r)
		return r;
	if (asprintf(&unfinished, "%s/" SET_UNFINISHED, pins) < 0 ||
	    asprintf(&set, "%s/" SET_PREFIX "%016" PRIx64, pins, programs_hash()) < 0)
		return -ENOMEM;
	r = set_remove(unfinished);
	if (!r && mkdir(unfinished, 0700) < 0)
		r = -errno;
	if (!r)
		r = pin_all(kernel, unfinished, attached);
	if (!r && rename(unfinished, set) < 0)
		r = -errno;
	if (r) {
		why_set(why, "cannot pin under '%s': %s", pins, strerror(-r));
		set_remove(unfinished);
		return r;
	}
	kernel->set = TAKE_PTR(set);
	return 0;
}

/* set_find() - the pinned set's directory. Return: 0, KERNEL_NOTHING_LOADED, -errno. */
static int set_find(const char *pins, char **ret)
{
	_cleanup_(closedirp) DIR *dir = opendir(pins);
	struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? KERNEL_NOTHING_LOADED : -errno;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, SET_PREFIX, strlen(SET_PREFIX)))
			continue;
		return asprintf(ret, "%s/%s", pins, entry->d_name) < 0 ? -ENOMEM : 0;
	}
	return KERNEL_NOTHING_LOADED;
}

static int object_get(const char *set, const char *prefix, const char *name)
{
	_cleanup_free_ char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/%s%s", set, prefix, name) < 0)
		return -ENOMEM;
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

int pin_program_open(const struct kernel *kernel, enum lsmd_hook hook)
{
	return object_get(kernel->set, "program-", hook_names[hook]);
}

/* inner_size() - the size class that the pinned programs were loaded for */
static int inner_size(struct kernel *kernel)
{
	_cleanup_close_ int image = -1;
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info), id;

	for (uint32_t slot = 0; slot < 2; slot++) {
		if (bpf_map_lookup_elem(kernel->map_fds[SIDE_IMAGES], &slot, &id))
			continue;
		image = bpf_map_get_fd_by_id(id);
		if (image < 0 || bpf_obj_get_info_by_fd(image, &info, &len))
			return -errno;
		kernel->image_bytes = info.value_size - LSMD_IMAGE_SLACK;
		return 0;
	}
	return KERNEL_NOTHING_LOADED;
}

static int set_open(struct kernel *kernel)
{
	for (enum side_map map = 0; map < SIDE_N_MAPS; map++) {
		kernel->map_fds[map] = object_get(kernel->set, "", side_map_name(map));
		if (kernel->map_fds[map] < 0)
			return kernel->map_fds[map];
	}
	kernel->label_tasks_fd = object_get(kernel->set, "", "lsmd_label_tasks");
	kernel->show_labels_fd = object_get(kernel->set, "", "lsmd_show_labels");
	if (kernel->label_tasks_fd < 0)
		return kernel->label_tasks_fd;
	if (kernel->show_labels_fd < 0)
		return kernel->show_labels_fd;
	return inner_size(kernel);
}

int pin_open(struct kernel *kernel, const char *pins, struct kernel_why *why)
{
	char ours[32];
	int r = set_find(pins, &kernel->set);

	if (r)
		return r;
	snprintf(ours, sizeof(ours), "/" SET_PREFIX "%016" PRIx64, programs_hash());
	if (strcmp(strrchr(kernel->set, '/'), ours)) {
		why_set(why, "'%s' was pinned by another build; it goes on enforcing. End it with that build's 'lsmctl unload', "
			     "or reboot, before this one starts", kernel->set);
		return KERNEL_FOREIGN_PINS;
	}
	r = set_open(kernel);
	if (r < 0)
		why_set(why, "cannot open what is pinned in '%s': %s", kernel->set, strerror(-r));
	return r;
}

/* entry_remove() - one set, finished or not */
static int entry_remove(const char *pins, const char *name)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/%s", pins, name) < 0)
		return -ENOMEM;
	return set_remove(path);
}

int pin_remove(const char *pins)
{
	_cleanup_(closedirp) DIR *dir = opendir(pins);
	struct dirent *entry;
	int n = 0, r = 0, one;

	if (!dir)
		return errno == ENOENT ? KERNEL_NOTHING_LOADED : -errno;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, SET_PREFIX, strlen(SET_PREFIX)) && strcmp(entry->d_name, SET_UNFINISHED))
			continue;
		n++;
		one = entry_remove(pins, entry->d_name);
		if (one)
			r = one;
	}
	if (!r && rmdir(pins) < 0 && errno != ENOTEMPTY)
		r = -errno;
	return r ? r : n ? 0 : KERNEL_NOTHING_LOADED;
}
