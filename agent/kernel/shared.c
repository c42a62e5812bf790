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

/* The programs that the functions are loaded for, by function; libbpf has callbacks without data of their own. */
static struct {
	int program;
	int standin;
} targets[N_SHARED];

/*
 * target_tell() - which function of which program is replaced. libbpf would ask the kernel for the program's BTF by number, which a running agent
 * may not (CAP_SYS_ADMIN), and knows it: it is that of the object.
 */
static int target_tell(struct bpf_program *program, struct bpf_prog_load_opts *opts, long cookie)
{
	for (enum shared function = 0; function < N_SHARED; function++) {
		char name[64];

		snprintf(name, sizeof(name), "%s_shared", shared_name(function));
		if (strcmp(bpf_program__name(program), name))
			continue;
		opts->attach_prog_fd = targets[function].program;
		opts->attach_btf_id = targets[function].standin;
		return 0;
	}
	return -EINVAL;
}

int shared_register(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = target_tell);
	static int handler;

	if (handler <= 0)
		handler = libbpf_register_prog_handler("shared+", BPF_PROG_TYPE_EXT, 0, &opts);
	return handler < 0 ? handler : 0;
}

int shared_prepare(struct bpf_object *shared, const struct bpf_object *object, struct attached *attached)
{
	int r = shared_choose(shared, true);

	if (!r)
		r = maps_reuse(shared, object);
	for (enum shared function = 0; !r && function < N_SHARED; function++) {
		targets[function].standin = standin_id(object, function);
		if (targets[function].standin < 0)
			return targets[function].standin;
		attached->standin_ids[function] = targets[function].standin;
		targets[function].program = standin_first(attached, targets[function].standin);
		r = targets[function].program < 0 ? targets[function].program : 0;
	}
	return r;
}

/* shared_put() - in the place of the stand-in of one program. @ret: the link; -1 where it has no stand-in. Return: 0, -errno */
static int shared_put(int function, int program, uint32_t id, int *ret)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .target_btf_id = id);
	int has = program_has(program, id);

	*ret = -1;
	if (has <= 0)
		return has;
	*ret = bpf_link_create(function, program, 0, &opts);
	return *ret < 0 ? -errno : 0;
}

int shared_put_all(const struct bpf_object *shared, struct attached *attached, struct kernel_why *why)
{
	for (enum lsmd_hook hook = 0; hook < LSMD_N_HOOKS; hook++)
		for (enum shared function = 0; attached->programs[hook] >= 0 && function < N_SHARED; function++) {
			int r = shared_put(bpf_program__fd(shared_program(shared, function)), attached->programs[hook],
					   attached->standin_ids[function], &attached->shared[hook][function]);

			if (!r)
				continue;
			why_set(why, "cannot put '%s' into a program: %s", shared_name(function), strerror(-r));
			return r;
		}
	return 0;
}
