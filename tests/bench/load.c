// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the verifier takes for the bodies of all hooks, loaded together as the agent loads them. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "agent/util/cleanup.h"
#include "lsm/abi/event.h"
#include "tests/bench/bench.h"
#include "tests/bench/load.skel.h"

#define LOADS 5

static const char *const hook_names[] = {
#define X(constant, name) [LSMD_HOOK_##constant] = name,
	LSMD_HOOKS(X)
#undef X
};

static struct bpf_program *body_program(const struct lsmd_load *skel, enum lsmd_hook hook)
{
	char name[64];

	snprintf(name, sizeof(name), "load_%s", hook_names[hook]);
	return bpf_object__find_program_by_name(skel->obj, name);
}

/* bodies_choose() - every hook must have its body here: a new one that is forgotten would make the sum too small */
static int bodies_choose(struct lsmd_load *skel)
{
	struct bpf_program *program;

	bpf_object__for_each_program (program, skel->obj)
		bpf_program__set_autoload(program, !strcmp(bpf_program__section_name(program), "iter/task"));
	for (enum lsmd_hook hook = 0; hook < LSMD_N_HOOKS; hook++) {
		program = body_program(skel, hook);
		if (!program) {
			fprintf(stderr, "bench: load.bpf.c lacks hook '%s'\n", hook_names[hook]);
			return -ENOENT;
		}
		bpf_program__set_autoload(program, true);
	}
	return 0;
}

static int program_insns(const struct bpf_program *program, unsigned int *ret)
{
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
		return -errno;
	*ret = info.verified_insns;
	return 0;
}

static int insns_sum(const struct lsmd_load *skel, struct load_times *times)
{
	unsigned int insns = 0;
	int r = 0;

	times->n = LSMD_N_HOOKS;
	times->insns = 0;
	times->insns_max = 0;
	for (enum lsmd_hook hook = 0; hook < LSMD_N_HOOKS && !r; hook++) {
		r = program_insns(body_program(skel, hook), &insns);
		times->insns += insns;
		if (insns <= times->insns_max)
			continue;
		times->insns_max = insns;
		snprintf(times->largest, sizeof(times->largest), "%s", hook_names[hook]);
	}
	return r;
}

static int load_once(struct load_times *times, struct series *series)
{
	struct lsmd_load *skel = lsmd_load__open();
	uint64_t start;
	int r;

	if (!skel)
		return -errno;
	r = bodies_choose(skel);
	start = time_ns();
	if (!r)
		r = lsmd_load__load(skel);
	series_add(series, (double)(time_ns() - start) / 1e6);
	if (!r)
		r = insns_sum(skel, times);
	lsmd_load__destroy(skel);
	return r;
}

int load_measure(struct load_times *times)
{
	struct series series = {};
	int r = 0;

	for (int i = 0; i < LOADS && !r; i++)
		r = load_once(times, &series);
	times->all_ms = series_quantile(&series, 0.5);
	if (r)
		fprintf(stderr, "bench: this kernel does not take the bodies of all hooks: %s\n", strerror(-r));
	return r;
}
