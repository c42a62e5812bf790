// SPDX-License-Identifier: LGPL-2.1-or-later
/* The core in user space as an engine: the compiler's image, and lsm/core asked about it. */
#include "tests/engine/engine.h"

#include <errno.h>
#include <string.h>

#include "agent/policy/image.h"
#include "agent/util/cleanup.h"

struct core_state {
	const struct policy_set *set;
	struct lsmd_image_header *image;
	size_t size; /* bytes */
	uint32_t *policies; /* index into the set, by layer */
};

static void core_unload(void *state)
{
	struct core_state *core = state;

	if (!core)
		return;
	free(core->image);
	free(core->policies);
	free(core);
}

static const struct lsmd_layer *image_layer(const struct lsmd_image_header *image, uint32_t layer)
{
	return (const struct lsmd_layer *)((const char *)image + image->layers.off) + layer;
}

/* Which policy is which layer: by name, so that nothing is taken for granted about their order. */
static int core_map(struct core_state *core)
{
	core->policies = calloc(core->image->layers.n + 1, sizeof(*core->policies));
	if (!core->policies)
		return -ENOMEM;
	for (uint32_t i = 0; i < core->image->layers.n; i++) {
		const char *name = image_string(core->image, image_layer(core->image, i)->name);
		size_t j;

		for (j = 0; j < core->set->n_policies && strcmp(core->set->policies[j].name, name) != 0; j++)
			;
		core->policies[i] = j;
	}
	return 0;
}

static int core_build(struct core_state *core)
{
	struct diags diags = { 0 };
	int r;

	r = image_build(core->set, &diags, &core->image, &core->size);
	if (r)
		diags_print(&diags, core->set, stderr, false);
	diags_clear(&diags);
	if (r)
		return r < 0 ? r : -EBADMSG;
	r = image_verify(core->image, core->size);
	if (r) {
		fprintf(stderr, "image_verify() refuses what image_build() made: %d\n", r);
		return -EBADMSG;
	}
	return core_map(core);
}

static int core_load(const struct policy_set *set, void **ret_state)
{
	struct core_state *core = calloc(1, sizeof(*core));
	int r;

	if (!core)
		return -ENOMEM;
	core->set = set;
	r = core_build(core);
	if (r) {
		core_unload(core);
		return r;
	}
	*ret_state = core;
	return 0;
}

/* Numbers of the image to numbers of the oracle. What has none becomes a number that no oracle's answer has. */
static void answer_translate(const struct core_state *core, struct lsmd_answer *answer)
{
	const struct lsmd_layer *layer;

	if (answer->layer >= core->image->layers.n) {
		answer->layer = ~0u;
		return;
	}
	layer = image_layer(core->image, answer->layer);
	if (answer->rule)
		answer->rule = answer->rule >= layer->first_rule && answer->rule < layer->first_rule + layer->n_rules ?
				       answer->rule - layer->first_rule + NAIVE_RULE_DEFAULT :
				       ~0u;
	answer->layer = core->policies[answer->layer];
}

static int core_ask(void *state, const struct ask *ask, struct asked *ret)
{
	struct core_state *core = state;
	int r;

	r = image_ask(core->image, ask, ret);
	if (r)
		return r;
	for (size_t i = 0; i < ret->n_layers; i++) {
		answer_translate(core, &ret->answers[i]);
		ret->layers[i] = ret->answers[i].layer;
	}
	return 0;
}

const struct engine engine_core = {
	.name = "core in user space",
	.load = core_load,
	.ask = core_ask,
	.unload = core_unload,
};
