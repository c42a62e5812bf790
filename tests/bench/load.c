// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the verifier takes for the bodies of all hooks, loaded together as the agent loads them. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "agent/kernel/side.h"
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

/* All bodies: of the hooks, and of what they share. */
#define BODIES (LSMD_N_HOOKS + N_SHARED)

static const char *body_name(int body)
{
	return body < LSMD_N_HOOKS ? hook_names[body] : shared_name(body - LSMD_N_HOOKS);
}

static struct bpf_program *body_program(const struct lsmd_load *skel, int body)
{
	char name[64];

	snprintf(name, sizeof(name), "load_%s", body_name(body));
	return bpf_object__find_program_by_name(skel->obj, name);
}

/* bodies_choose() - every hook must have its body here: a new one that is forgotten would make the sum too small */
static int bodies_choose(struct lsmd_load *skel)
{
	struct bpf_program *program;

	bpf_object__for_each_program (program, skel->obj)
		bpf_program__set_autoload(program, !strcmp(bpf_program__section_name(program), "iter/task"));
	for (int body = 0; body < BODIES; body++) {
		program = body_program(skel, body);
		if (!program) {
			fprintf(stderr, "bench: load.bpf.c lacks '%s'\n", body_name(body));
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

	times->n = BODIES;
	times->insns = 0;
	times->insns_max = 0;
	for (int body = 0; body < BODIES && !r; body++) {
		r = program_insns(body_program(skel, body), &insns);
		times->insns += insns;
		if (insns <= times->insns_max)
			continue;
		times->insns_max = insns;
		snprintf(times->largest, sizeof(times->largest), "%s", body_name(body));
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
