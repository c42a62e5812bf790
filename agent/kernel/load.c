// SPDX-License-Identifier: LGPL-2.1-or-later
/* Loading: choose the build that this kernel takes, size the maps, load, attach. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "agent/kernel/side.h"
#include "agent/util/cleanup.h"
#include "bpf/lsmd-cast.skel.h"
#include "bpf/lsmd-probe.skel.h"

static const char *const hook_names[] = {
#define X(constant, name) [LSMD_HOOK_##constant] = name,
	LSMD_HOOKS(X)
#undef X
};

/* libbpf explains itself through one callback for the process; its first warning names the cause and is kept for the caller. */
static char first_warning[256];

static int warning_keep(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_WARN && !first_warning[0])
		vsnprintf(first_warning, sizeof(first_warning), format, args);
	return 0;
}

static const char *warning_take(void)
{
	char *end = strchr(first_warning, '\n');

	if (end)
		*end = '\0';
	return first_warning[0] ? first_warning : "no details";
}

static uint64_t bytes_hash(uint64_t hash, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ at[i]) * 0x100000001b3ull; /* FNV-1a */
	return hash;
}

uint64_t programs_hash(void)
{
	size_t size;
	const void *bytes = lsmd_cast__elf_bytes(&size);
	uint64_t hash = bytes_hash(0xcbf29ce484222325ull, bytes, size);

	bytes = lsmd_probe__elf_bytes(&size);
	return bytes_hash(hash, bytes, size);
}

uint32_t image_class(size_t size)
{
	uint32_t class = LSMD_IMAGE_BYTES_MIN * 4;

	while (class < LSMD_IMAGE_BYTES_MAX && class / 4 < size)
		class *= 2;
	return size <= class ? class : 0;
}

static bool btf_has_function(const struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) >= 0;
}

static bool btf_has_hook(const struct btf *btf, const char *hook)
{
	char name[64];

	snprintf(name, sizeof(name), "bpf_lsm_%s", hook);
	return btf_has_function(btf, name);
}

static bool hook_optional(enum lsmd_hook hook)
{
#define X(constant) || hook == LSMD_HOOK_##constant
	return false LSMD_HOOKS_OPTIONAL(X);
#undef X
}

/* btf_hook_args() - how many arguments the kernel gives to a hook; -1: it has no such hook */
static int btf_hook_args(const struct btf *btf, const char *hook)
{
	const struct btf_type *function;
	char name[64];
	int id;

	snprintf(name, sizeof(name), "bpf_lsm_%s", hook);
	id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);
	function = id < 0 ? NULL : btf__type_by_id(btf, id);
	return function ? btf_vlen(btf__type_by_id(btf, function->type)) : -1;
}

static struct bpf_program *program_find(struct bpf_object *object, enum lsmd_hook hook, const char *suffix)
{
	char name[64];

	snprintf(name, sizeof(name), "lsmd_%s%s", hook_names[hook], suffix);
	return bpf_object__find_program_by_name(object, name);
}

/* A hook whose arguments changed has a second program, for older kernels, which is not loaded unless it was chosen. */
static struct bpf_program *hook_program(struct bpf_object *object, enum lsmd_hook hook)
{
	struct bpf_program *older = program_find(object, hook, "_older");

	return older && bpf_program__autoload(older) ? older : program_find(object, hook, "");
}

/* older_choose() - inode_setattr is given the idmap of a mount before its two other arguments since 6.9 */
static void older_choose(struct bpf_object *object, const struct btf *btf)
{
	if (btf_hook_args(btf, hook_names[LSMD_HOOK_INODE_SETATTR]) != 2)
		return;
	bpf_program__set_autoload(program_find(object, LSMD_HOOK_INODE_SETATTR, ""), false);
	bpf_program__set_autoload(program_find(object, LSMD_HOOK_INODE_SETATTR, "_older"), true);
}

/* hooks_choose() - leave out what this kernel lacks; a hook that must be there is named in @why */
static int hooks_choose(struct bpf_object *object, const struct btf *btf, struct kernel_why *why)
{
	older_choose(object, btf);
	for (enum lsmd_hook hook = 0; hook < LSMD_N_HOOKS; hook++) {
		struct bpf_program *program = hook_program(object, hook);

		if (!program)
			return -EINVAL;
		if (btf_has_hook(btf, hook_names[hook]))
			continue;
		if (!hook_optional(hook)) {
			why_set(why, "this kernel has no LSM hook '%s' for BPF programs", hook_names[hook]);
			return KERNEL_UNABLE;
		}
		bpf_program__set_autoload(program, false);
	}
	return 0;
}

/* mask_offset() - where in .rodata the setting lsmd_image_mask lies */
static int mask_offset(struct bpf_object *object, uint32_t *ret)
{
	const struct btf *btf = bpf_object__btf(object);
	int section = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	const struct btf_var_secinfo *var;
	const struct btf_type *type;

	if (section < 0)
		return section;
	type = btf__type_by_id(btf, section);
	var = btf_var_secinfos(type);
	for (int i = 0; i < btf_vlen(type); i++, var++) {
		const struct btf_type *named = btf__type_by_id(btf, var->type);

		if (!strcmp(btf__name_by_offset(btf, named->name_off), "lsmd_image_mask")) {
			*ret = var->offset;
			return 0;
		}
	}
	return -ENOENT;
}

/* sizes_set() - the size class, told to the programs as a constant and to the map of images as its inner size */
static int sizes_set(struct bpf_object *object, uint32_t image_bytes)
{
	uint32_t mask = image_bytes - 1, off;
	struct bpf_map *map, *inner;
	void *rodata = NULL;
	size_t size = 0;
	int r = mask_offset(object, &off);

	if (r)
		return r;
	bpf_object__for_each_map(map, object)
		if (strstr(bpf_map__name(map), ".rodata"))
			rodata = (void *)bpf_map__initial_value(map, &size); /* ours to change until it is loaded */
	if (!rodata || off + sizeof(mask) > size)
		return -EINVAL;
	memcpy((char *)rodata + off, &mask, sizeof(mask));
	inner = bpf_map__inner_map(bpf_object__find_map_by_name(object, side_map_name(SIDE_IMAGES)));
	if (!inner)
		return -EINVAL;
	return bpf_map__set_value_size(inner, image_bytes + LSMD_IMAGE_SLACK);
}

static struct bpf_object *object_open(const struct btf *btf)
{
	const void *bytes;
	size_t size;

	errno = -shared_register();
	if (errno)
		return NULL;
	if (btf_has_function(btf, "bpf_rdonly_cast"))
		bytes = lsmd_cast__elf_bytes(&size);
	else
		bytes = lsmd_probe__elf_bytes(&size);
	return bpf_object__open_mem(bytes, size, NULL);
}

static int fd_copy(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : copy;
}

/* maps_take() - descriptors of our own for what must outlive the object */
static int maps_take(struct kernel *kernel, struct bpf_object *object)
{
	for (enum side_map map = 0; map < SIDE_N_MAPS; map++) {
		kernel->map_fds[map] = fd_copy(bpf_object__find_map_fd_by_name(object, side_map_name(map)));
		if (kernel->map_fds[map] < 0)
			return kernel->map_fds[map];
	}
	kernel->label_tasks_fd = fd_copy(bpf_program__fd(bpf_object__find_program_by_name(object, "lsmd_label_tasks")));
	kernel->show_labels_fd = fd_copy(bpf_program__fd(bpf_object__find_program_by_name(object, "lsmd_show_labels")));
	kernel->check_files_fd = fd_copy(bpf_program__fd(bpf_object__find_program_by_name(object, "lsmd_check_files")));
	return kernel->label_tasks_fd < 0 || kernel->show_labels_fd < 0 || kernel->check_files_fd < 0 ? -EBADF : 0;
}

void attached_init(struct attached *attached)
{
	memset(attached, -1, sizeof(*attached));
}

void attached_close(struct attached *attached)
{
	for (int hook = 0; hook < LSMD_N_HOOKS; hook++) {
		closep(&attached->links[hook]);
		closep(&attached->programs[hook]);
	}
	for (int i = 0; i < LSMD_N_HOOKS * N_SHARED; i++)
		closep(&attached->shared[i / N_SHARED][i % N_SHARED]);
}

static int programs_take(struct bpf_object *object, struct attached *attached)
{
	for (enum lsmd_hook hook = 0; hook < LSMD_N_HOOKS; hook++) {
		struct bpf_program *program = hook_program(object, hook);

		if (!bpf_program__autoload(program))
			continue;
		attached->programs[hook] = fd_copy(bpf_program__fd(program));
		if (attached->programs[hook] < 0)
			return attached->programs[hook];
	}
	return 0;
}

/* The order of LSMD_HOOKS does not matter: no image is in force yet, or older programs still decide. */
int programs_attach(struct attached *attached, struct kernel_why *why)
{
	for (enum lsmd_hook hook = 0; hook < LSMD_N_HOOKS; hook++) {
		int r;

		if (attached->programs[hook] < 0)
			continue;
		attached->links[hook] = bpf_link_create(attached->programs[hook], 0, BPF_LSM_MAC, NULL);
		if (attached->links[hook] >= 0)
			continue;
		r = -errno;
		attached->links[hook] = -1;
		why_set(why, "cannot attach to LSM hook '%s': %s", hook_names[hook], strerror(-r));
		return r == -EBUSY || r == -EPERM || r == -E2BIG ? KERNEL_UNABLE : r;
	}
	return 0;
}

static int object_load(struct bpf_object *object, struct kernel_why *why)
{
	int r;

	first_warning[0] = '\0';
	r = bpf_object__load(object);
	if (!r)
		return 0;
	why_set(why, "the kernel refuses the programs (%s): %s", strerror(-r), warning_take());
	return r == -EPERM || r == -EINVAL || r == -EACCES || r == -E2BIG || r == -ENOTSUP ? KERNEL_UNABLE : r;
}

static void objectp(struct bpf_object **object)
{
	bpf_object__close(*object);
}

static void btfp(struct btf **btf)
{
	btf__free(*btf);
}

/* maps_share() - go on with maps of what runs */
static int maps_share(struct bpf_object *object, const struct kernel *running, struct kernel_why *why)
{
	for (enum side_map side = 0; side < SIDE_N_MAPS; side++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, side_map_name(side));
		enum side_share share = side_map_share(side);
		int r;

		if (share == SHARE_NEVER || (share == SHARE_BUILD && running->foreign))
			continue;
		r = running->foreign ? layout_same(object, map, running->map_fds[side]) : 1;
		if (!r) {
			why_set(why, "the programs that run keep '%s' in another layout, which this version cannot go on with",
				side_map_name(side));
			return KERNEL_FOREIGN_PINS;
		}
		if (r > 0)
			r = bpf_map__reuse_fd(map, running->map_fds[side]);
		if (r)
			return r;
	}
	return 0;
}

/* shared_load() - what the programs share, loaded and put into them */
static int shared_load(const struct btf *btf, const struct bpf_object *object, struct attached *attached, struct kernel_why *why)
{
	_cleanup_(objectp) struct bpf_object *shared = object_open(btf);
	int r = shared ? shared_prepare(shared, object, attached) : -errno;

	if (!r)
		r = object_load(shared, why);
	return r ? r : shared_put_all(shared, attached, why);
}

int programs_load(struct kernel *kernel, const struct kernel *running, struct attached *attached, struct kernel_why *why)
{
	_cleanup_(objectp) struct bpf_object *object = NULL;
	_cleanup_(btfp) struct btf *btf = NULL;
	int r;

	libbpf_set_print(warning_keep);
	btf = btf__load_vmlinux_btf();
	if (!btf) {
		why_set(why, "this kernel gives no BTF (/sys/kernel/btf/vmlinux): %s", strerror(errno));
		return KERNEL_UNABLE;
	}
	object = object_open(btf);
	if (!object)
		return -errno;
	r = hooks_choose(object, btf, why);
	if (!r)
		r = shared_choose(object, false);
	if (!r)
		r = sizes_set(object, kernel->image_bytes);
	if (!r && running)
		r = maps_share(object, running, why);
	if (!r)
		r = object_load(object, why);
	if (!r)
		r = maps_take(kernel, object);
	if (!r)
		r = programs_take(object, attached);
	return r ? r : shared_load(btf, object, attached, why);
}
