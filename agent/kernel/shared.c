// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The functions that all hooks' programs share (lsm/hook/shared.h): extension programs, each loaded once, for the first program that has a stand-in of
 * it, and put in the stand-in's place in every program that has one. The kernel compares the types of both each time. A link each.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#include "agent/kernel/side.h"
#include "agent/util/cleanup.h"

/* Functions of one program, at most; it has some fifty. */
#define FUNCTIONS_MAX 512

const char *shared_name(enum shared function)
{
	static const char *const names[] = {
#define X(constant, name) [SHARED_##constant] = name,
		SHARED_FUNCTIONS(X)
#undef X
	};

	return names[function];
}

static struct bpf_program *shared_program(const struct bpf_object *object, enum shared function)
{
	char name[64];

	snprintf(name, sizeof(name), "%s_shared", shared_name(function));
	return bpf_object__find_program_by_name(object, name);
}

int shared_choose(struct bpf_object *object, bool shared)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object) {
		bool is = bpf_program__type(program) == BPF_PROG_TYPE_EXT;

		if (is != shared)
			bpf_program__set_autoload(program, false);
	}
	for (enum shared function = 0; function < N_SHARED; function++)
		if (!shared_program(object, function))
			return -EINVAL;
	return 0;
}

/* program_has() - is the function with @id, in the BTF of its object, part of a loaded program? Return: 1, 0, -errno */
static int program_has(int program, uint32_t id)
{
	struct bpf_func_info functions[FUNCTIONS_MAX];
	struct bpf_prog_info info = {
		.func_info = (uintptr_t)functions,
		.func_info_rec_size = sizeof(functions[0]),
		.nr_func_info = FUNCTIONS_MAX,
	};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(program, &info, &len))
		return -errno;
	if (info.func_info_rec_size != sizeof(functions[0]) || info.nr_func_info > FUNCTIONS_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < info.nr_func_info; i++)
		if (functions[i].type_id == id)
			return 1;
	return 0;
}

static int standin_id(const struct bpf_object *object, enum shared function)
{
	return btf__find_by_name_kind(bpf_object__btf(object), shared_name(function), BTF_KIND_FUNC);
}

/* standin_first() - the program that the function is verified for */
static int standin_first(const struct attached *attached, int id)
{
	for (enum lsmd_hook hook = 0; hook < LSMD_N_HOOKS; hook++) {
		int has = attached->programs[hook] < 0 ? 0 : program_has(attached->programs[hook], id);

		if (has)
			return has < 0 ? has : attached->programs[hook];
	}
	return -ENOENT;
}

/* maps_reuse() - the shared functions read and write the maps of the programs, their constants among them */
static int maps_reuse(struct bpf_object *shared, const struct bpf_object *object)
{
	struct bpf_map *map;
	int r = 0;

	bpf_object__for_each_map(map, shared) {
		int fd = bpf_object__find_map_fd_by_name(object, bpf_map__name(map));

		r = fd < 0 ? fd : bpf_map__reuse_fd(map, fd);
		if (r)
			return r;
	}
	return 0;
}

int shared_prepare(struct bpf_object *shared, const struct bpf_object *object, struct attached *attached)
{
	int r = shared_choose(shared, true);

	if (!r)
		r = maps_reuse(shared, object);
	for (enum shared function = 0; !r && function < N_SHARED; function++) {
		int id = standin_id(object, function), first = id < 0 ? id : standin_first(attached, id);

		attached->standin_ids[function] = id;
		r = first < 0 ? first : bpf_program__set_attach_target(shared_program(shared, function), first, shared_name(function));
	}
	return r;
}

/* shared_put() - in the place of the stand-in of one program. Return: the link's descriptor, -1 where it has no stand-in, -errno */
static int shared_put(int function, int program, uint32_t id)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .target_btf_id = id);
	int has = program_has(program, id), link;

	if (has <= 0)
		return has < 0 ? has : -1;
	link = bpf_link_create(function, program, 0, &opts);
	return link < 0 ? -errno : link;
}

int shared_put_all(const struct bpf_object *shared, struct attached *attached, struct kernel_why *why)
{
	for (enum lsmd_hook hook = 0; hook < LSMD_N_HOOKS; hook++)
		for (enum shared function = 0; attached->programs[hook] >= 0 && function < N_SHARED; function++) {
			int link = shared_put(bpf_program__fd(shared_program(shared, function)), attached->programs[hook],
					      attached->standin_ids[function]);

			attached->shared[hook][function] = link < 0 ? -1 : link;
			if (link >= -1)
				continue;
			why_set(why, "cannot put '%s' into a program: %s", shared_name(function), strerror(-link));
			return link;
		}
	return 0;
}
