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
#include <unistd.h>

#include "agent/kernel/side.h"
#include "agent/util/cleanup.h"

#define SET_PREFIX "set-"
#define SET_UNFINISHED "unfinished"
#define LINK_PREFIX "link-"
#define SHARED_PREFIX "shared-"

/* Long for what links_remove() waits for: callbacks of a grace period, and a program that runs. */
#define LINKS_WAIT_US 400000

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

/* pin_shared() - the links that put what is shared into one hook's program */
static int pin_shared(const struct kernel *kernel, const char *dir, enum lsmd_hook hook, const struct attached *attached)
{
	int r = 0;

	for (enum shared function = 0; !r && function < N_SHARED; function++) {
		char name[128];

		if (attached->shared[hook][function] < 0)
			continue;
		snprintf(name, sizeof(name), "%s-%s", hook_names[hook], shared_name(function));
		r = pin_one(attached->shared[hook][function], dir, SHARED_PREFIX, name);
		kernel->control->n_links += !r;
	}
	return r;
}

static int pin_all(const struct kernel *kernel, const char *dir, const struct attached *attached)
{
	int r = 0;

	kernel->control->n_links = 0;
	for (enum side_map map = 0; !r && map < SIDE_N_MAPS; map++)
		r = pin_one(kernel->map_fds[map], dir, "", side_map_name(map));
	if (!r)
		r = pin_one(kernel->label_tasks_fd, dir, "", "lsmd_label_tasks");
	if (!r)
		r = pin_one(kernel->show_labels_fd, dir, "", "lsmd_show_labels");
	if (!r)
		r = pin_one(kernel->check_files_fd, dir, "", "lsmd_check_files");
	for (enum lsmd_hook hook = 0; !r && hook < LSMD_N_HOOKS; hook++) {
		if (attached->links[hook] < 0)
			continue;
		r = pin_one(attached->programs[hook], dir, "program-", hook_names[hook]);
		if (!r)
			r = pin_one(attached->links[hook], dir, LINK_PREFIX, hook_names[hook]);
		kernel->control->n_links += !r;
		if (!r)
			r = pin_shared(kernel, dir, hook, attached);
	}
	return r;
}

/*
 * How a directory of pins goes: links first, which detaches (links_remove()), and the control word last, which says what is in force until
 * then.
 */
enum {
	REMOVE_OTHERS,
	REMOVE_ALL,
	N_REMOVES,
};

static bool remove_now(const char *name, int pass)
{
	return name[0] != '.' && (pass == REMOVE_ALL || strcmp(name, side_map_name(SIDE_CONTROL)));
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

/* links_unpin() - the pins go, and @fds keep the links. Return: 0, -errno */
static int links_unpin(const char *set, DIR *dir, int fds[LSMD_N_HOOKS], size_t *n)
{
	struct dirent *entry;
	int r = 0;

	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, LINK_PREFIX, strlen(LINK_PREFIX)))
			continue;
		if (*n < LSMD_N_HOOKS)
			fds[(*n)++] = object_get(set, "", entry->d_name);
		if (unlinkat(dirfd(dir), entry->d_name, 0) < 0 && errno != ENOENT)
			r = -errno;
	}
	return r;
}

/*
 * links_remove() - detach; what the programs share stays in them until none of them can be running. The kernel lets go of a pin some time after its
 * file went, and would detach in some thread of its own, seconds later where many go, and nobody could wait for it; so the links are kept until then
 * by descriptors, and to close the last one of a link detaches it. Should the kernel take longer, what still runs meets stand-ins, and refuses.
 */
static int links_remove(const char *set, DIR *dir)
{
	int fds[LSMD_N_HOOKS];
	size_t n = 0;
	int r = links_unpin(set, dir, fds, &n);

	if (!n)
		return r;
	usleep(LINKS_WAIT_US);
	for (size_t i = 0; i < n; i++)
		closep(&fds[i]);
	usleep(LINKS_WAIT_US);
	return r;
}

/* set_remove() - a directory of pins and all in it */
static int set_remove(const char *path)
{
	_cleanup_(closedirp) DIR *dir = opendir(path);
	struct dirent *entry;
	int r;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	r = links_remove(path, dir);
	for (int pass = REMOVE_OTHERS; pass < N_REMOVES; pass++) {
		rewinddir(dir);
		while ((entry = readdir(dir)))
			if (remove_now(entry->d_name, pass) && unlinkat(dirfd(dir), entry->d_name, 0) < 0 && errno != ENOENT)
				r = -errno;
	}
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
	    asprintf(&set, "%s/" SET_PREFIX "%" PRIu32 "-%016" PRIx64, pins, kernel->epoch, programs_hash()) < 0)
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

/* map_get() - Return: 0; KERNEL_FOREIGN_PINS, another build's, which may lack it; -errno */
static int map_get(struct kernel *kernel, enum side_map map)
{
	kernel->map_fds[map] = object_get(kernel->set, "", side_map_name(map));
	if (kernel->map_fds[map] >= 0)
		return 0;
	return kernel->foreign && side_map_share(map) != SHARE_ALWAYS ? 0 : kernel->map_fds[map];
}

/* iterators_get() - those of other programs are of no use */
static int iterators_get(struct kernel *kernel)
{
	if (kernel->foreign)
		return 0;
	kernel->label_tasks_fd = object_get(kernel->set, "", "lsmd_label_tasks");
	kernel->show_labels_fd = object_get(kernel->set, "", "lsmd_show_labels");
	kernel->check_files_fd = object_get(kernel->set, "", "lsmd_check_files");
	return kernel->label_tasks_fd < 0 || kernel->show_labels_fd < 0 || kernel->check_files_fd < 0 ? -ENOENT : 0;
}

static int set_open(struct kernel *kernel)
{
	int r = 0;

	for (enum side_map map = 0; !r && map < SIDE_N_MAPS; map++)
		r = map_get(kernel, map);
	if (!r)
		r = iterators_get(kernel);
	return r ? r : inner_size(kernel);
}

/* shared_links() - how many of the links that put what is shared into one program are pinned */
static uint32_t shared_links(const struct kernel *kernel, enum lsmd_hook hook)
{
	uint32_t n = 0;

	for (enum shared function = 0; function < N_SHARED; function++) {
		_cleanup_close_ int link = -1;
		char name[128];

		snprintf(name, sizeof(name), "%s-%s", hook_names[hook], shared_name(function));
		link = object_get(kernel->set, SHARED_PREFIX, name);
		n += link >= 0;
	}
	return n;
}

/* links_whole() - are all links still pinned? */
static bool links_whole(const struct kernel *kernel, const struct lsmd_control *words)
{
	uint32_t n = 0;

	for (enum lsmd_hook hook = 0; hook < LSMD_N_HOOKS; hook++) {
		_cleanup_close_ int link = object_get(kernel->set, LINK_PREFIX, hook_names[hook]);

		n += link >= 0;
		n += shared_links(kernel, hook);
	}
	return n == words->n_links;
}

/* words_read() - the control word of a pinned set, as much of it as this agent knows. Return: 0, -errno */
static int words_read(const char *set, struct lsmd_control *ret)
{
	_cleanup_close_ int fd = object_get(set, "", side_map_name(SIDE_CONTROL));
	_cleanup_free_ void *value = NULL;
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info), zero = 0;

	*ret = (struct lsmd_control){};
	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	value = malloc(info.value_size);
	if (!value)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &zero, value))
		return -errno;
	memcpy(ret, value, info.value_size < sizeof(*ret) ? info.value_size : sizeof(*ret));
	return 0;
}

static bool entry_is_set(const char *name)
{
	return !strncmp(name, SET_PREFIX, strlen(SET_PREFIX)) || !strcmp(name, SET_UNFINISHED);
}

/*
 * set_consider() - take the directory when it is in force and has a higher number than the one taken before. One that lost its
 * control word decides what it decided before, but nobody can tell what: it is not taken.
 */
static int set_consider(struct kernel *kernel, const char *pins, const char *name, struct lsmd_control *words)
{
	_cleanup_free_ char *set = NULL;
	struct lsmd_control control;
	unsigned long epoch = strtoul(name + strlen(SET_PREFIX), NULL, 10);
	int r;

	if (strncmp(name, SET_PREFIX, strlen(SET_PREFIX)) || (kernel->set && epoch < kernel->epoch))
		return 0;
	if (asprintf(&set, "%s/%s", pins, name) < 0)
		return -ENOMEM;
	r = words_read(set, &control);
	if (r == -ENOENT || (!r && !control.active))
		return 0;
	if (r)
		return r;
	free(kernel->set);
	kernel->set = TAKE_PTR(set);
	kernel->epoch = epoch;
	*words = control;
	return 0;
}

/* set_find() - the set in force. Return: 0, KERNEL_NOTHING_LOADED, -errno. */
static int set_find(struct kernel *kernel, const char *pins, struct lsmd_control *words)
{
	_cleanup_(closedirp) DIR *dir = opendir(pins);
	struct dirent *entry;
	size_t n = 0;
	int r = 0;

	if (!dir)
		return errno == ENOENT ? KERNEL_NOTHING_LOADED : -errno;
	while (!r && (entry = readdir(dir))) {
		n += entry_is_set(entry->d_name);
		r = set_consider(kernel, pins, entry->d_name, words);
	}
	if (r)
		return r;
	if (kernel->set && n > 1)
		snprintf(kernel->found, sizeof(kernel->found),
			 "an lsmd before this one was cut off while it replaced its programs: set %" PRIu32
			 " is in force, whole, and what else was pinned goes", kernel->epoch);
	else if (!kernel->set && n)
		snprintf(kernel->found, sizeof(kernel->found),
			 "an lsmd or 'lsmctl unload' before this one was cut off while no policies were in force: its pins go");
	return kernel->set ? 0 : KERNEL_NOTHING_LOADED;
}

int pin_open(struct kernel *kernel, const char *pins, struct kernel_why *why)
{
	struct lsmd_control words = {};
	char ours[32];
	int r = set_find(kernel, pins, &words);

	if (r)
		return r;
	snprintf(ours, sizeof(ours), "-%016" PRIx64, programs_hash());
	kernel->foreign = strcmp(strrchr(kernel->set, '-'), ours);
	if (kernel->foreign) {
		why_set(why, "'%s' was pinned by another build", kernel->set);
	} else if (!links_whole(kernel, &words)) {
		kernel->foreign = true;
		why_set(why, "somebody removed pins from '%s'", kernel->set);
		snprintf(kernel->found, sizeof(kernel->found), "somebody removed pins from '%s': its programs are replaced", kernel->set);
	}
	r = set_open(kernel);
	if (r)
		why_set(why, "cannot open what is pinned in '%s': %s; it goes on enforcing as it does. 'lsmctl unload' removes it", kernel->set,
			r < 0 ? strerror(-r) : "it holds no image");
	return r ? r : kernel->foreign ? KERNEL_FOREIGN_PINS : 0;
}

/* entry_remove() - one set, finished or not */
static int entry_remove(const char *pins, const char *name)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/%s", pins, name) < 0)
		return -ENOMEM;
	return set_remove(path);
}

int pin_tidy(const struct kernel *kernel, const char *pins)
{
	const char *kept = kernel->set ? strrchr(kernel->set, '/') + 1 : "";
	_cleanup_(closedirp) DIR *dir = opendir(pins);
	struct dirent *entry;
	int n = 0, r = 0, one;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir))) {
		if (!entry_is_set(entry->d_name) || !strcmp(entry->d_name, kept))
			continue;
		n++;
		one = entry_remove(pins, entry->d_name);
		if (one)
			r = one;
	}
	return r ? r : n;
}

int pin_remove(const char *pins)
{
	const struct kernel none = {};
	int n = pin_tidy(&none, pins);

	if (n < 0)
		return n;
	if (rmdir(pins) < 0 && errno != ENOTEMPTY && errno != ENOENT)
		return -errno;
	return n ? 0 : KERNEL_NOTHING_LOADED;
}
