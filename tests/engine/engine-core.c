// SPDX-License-Identifier: LGPL-2.1-or-later
/* The core in user space as an engine: the compiler's image, and lsm/core asked about it. */
#include "tests/engine/engine-core.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "agent/policy/image.h"
#include "agent/util/cleanup.h"

void core_image_clear(struct core_image *core)
{
	free(core->image);
	free(core->policies);
	*core = (struct core_image){ 0 };
}

static const struct lsmd_layer *image_layer(const struct lsmd_image_header *image, uint32_t layer)
{
	return (const struct lsmd_layer *)((const char *)image + image->layers.off) + layer;
}

/* Which policy is which layer: by name, so that nothing is taken for granted about their order. */
static int core_map(struct core_image *core)
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

static int core_build(struct core_image *core)
{
	struct diags diags = { 0 };
	int r;

	r = image_build(core->set, &diags, &core->image, &core->size);
	if (r)
		diags_print(&diags, core->set, stderr, false);
	diags_clear(&diags);
	if (r)
		return r < 0 ? r : -EFBIG;
	r = image_verify(core->image, core->size);
	if (r) {
		fprintf(stderr, "image_verify() refuses what image_build() made: %d\n", r);
		return -EBADMSG;
	}
	return core_map(core);
}

int core_image_make(const struct policy_set *set, struct core_image *ret)
{
	struct core_image core = { .set = set };
	int r = core_build(&core);

	if (r) {
		core_image_clear(&core);
		return r;
	}
	*ret = core;
	return 0;
}

/* Is @rule the pseudo rule of what the policy's default says of @verb? */
static bool default_right(const struct policy *policy, const struct lsmd_rule *rule, unsigned int verb)
{
	const struct place *place = &policy->default_places[verb];

	return rule->line == (place->line ? place->line : policy->default_place.line);
}

/* Numbers of the image to numbers of the oracle. What has none becomes a number that no oracle's answer has. */
static void answer_translate(const struct core_image *core, struct lsmd_answer *answer)
{
	const struct lsmd_rule *rules = (const void *)((const char *)core->image + core->image->rules.off);
	const struct lsmd_layer *layer;

	if (answer->layer >= core->image->layers.n) {
		answer->layer = ~0u;
		return;
	}
	layer = image_layer(core->image, answer->layer);
	/* The oracle knows one default a policy. */
	if (answer->rule && rules[answer->rule].flags & LSMD_RULE_DEFAULT)
		answer->rule = default_right(&core->set->policies[core->policies[answer->layer]], &rules[answer->rule], answer->verb) ?
				       NAIVE_RULE_DEFAULT :
				       ~0u;
	else if (answer->rule)
		answer->rule = answer->rule >= layer->first_rule && answer->rule < layer->first_rule + layer->n_rules ?
				       answer->rule - layer->first_rule + NAIVE_RULE_DEFAULT :
				       ~0u;
	answer->layer = core->policies[answer->layer];
}

/* The core answers layers in the order in which it found them, which means nothing. */
static int answer_order(const void *a, const void *b)
{
	const struct lsmd_answer *x = a, *y = b;

	return x->layer < y->layer ? -1 : x->layer > y->layer;
}

static bool asked_denied(const struct asked *asked)
{
	for (size_t i = 0; i < asked->n_layers; i++)
		if (asked->answers[i].verdict == LSMD_VERDICT_DENY)
			return true;
	return false;
}

/* Every layer allows by its rules or its default, and none wants a record: request_allowed() has no reason to doubt. */
static bool asked_plainly_allowed(const struct core_image *core, const struct ask *ask, const struct asked *asked)
{
	bool unnamed = ask->object == LSMD_OBJECT_NONE && ask->wanted & LSMD_ACCESS_CODE;

	if (!asked->n_layers || ask->other.len || ask->deny_only || unnamed)
		return false;
	for (size_t i = 0; i < asked->n_layers; i++) {
		const struct lsmd_answer *answer = &asked->answers[i];

		if (answer->verdict == LSMD_VERDICT_DENY || answer->reason > LSMD_REASON_DEFAULT ||
		    image_layer(core->image, answer->layer)->flags & LSMD_LAYER_LOGS_ALLOW)
			return false;
	}
	return true;
}

int core_image_translate(const struct core_image *core, struct asked *asked)
{
	if (asked->quick && asked_denied(asked)) {
		fprintf(stderr, "request_allowed() allows what a layer refuses\n");
		return -EBADMSG;
	}
	for (size_t i = 0; i < asked->n_layers; i++)
		answer_translate(core, &asked->answers[i]);
	qsort(asked->answers, asked->n_layers, sizeof(asked->answers[0]), answer_order);
	for (size_t i = 0; i < asked->n_layers; i++)
		asked->layers[i] = asked->answers[i].layer;
	return 0;
}

static void core_unload(void *state)
{
	core_image_clear(state);
	free(state);
}

static int core_load(const struct policy_set *set, void **ret_state)
{
	struct core_image *core = calloc(1, sizeof(*core));
	int r;

	if (!core)
		return -ENOMEM;
	r = core_image_make(set, core);
	if (r) {
		free(core);
		return r;
	}
	*ret_state = core;
	return 0;
}

static int core_ask(void *state, const struct ask *ask, struct asked *ret)
{
	struct core_image *core = state;
	int r;

	r = image_ask(core->image, ask, ret);
	if (r)
		return r;
	if (!ret->quick && asked_plainly_allowed(core, ask, ret)) {
		fprintf(stderr, "request_allowed() doubts what every layer allows\n");
		return -EBADMSG;
	}
	return core_image_translate(core, ret);
}

const struct engine engine_core = {
	.name = "core in user space",
	.load = core_load,
	.ask = core_ask,
	.unload = core_unload,
};
