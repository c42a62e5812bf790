// SPDX-License-Identifier: LGPL-2.1-or-later
/* The oracle as an engine, and the comparison of another engine's answer with its own. */
#include "tests/engine/engine.h"

#include <errno.h>
#include <string.h>

#include "agent/util/cleanup.h"
#include "tests/engine/naive-glob.h"
#include "tests/engine/print.h"

static int oracle_load(const struct policy_set *set, void **ret_state)
{
	*ret_state = (void *)set;
	return 0;
}

static int oracle_ask(void *state, const struct ask *ask, struct asked *ret)
{
	return naive_ask(state, ask, ret);
}

static void oracle_unload(void *state)
{
}

const struct engine engine_oracle = {
	.name = "oracle",
	.load = oracle_load,
	.ask = oracle_ask,
	.unload = oracle_unload,
};

/* The plain bytes that a pattern begins with; `whole` when it is a name, or all that is below a name. */
static size_t literal_bytes(const struct naive_glob *glob, bool *whole)
{
	size_t n = 0, rest;

	while (n < glob->n_tokens && glob->tokens[n].kind == TOKEN_BYTE)
		n++;
	*whole = n == glob->n_tokens;
	for (rest = n; rest < glob->n_tokens && glob->tokens[rest].kind == TOKEN_DIRS; rest++)
		;
	if (n == 0 || rest + 1 != glob->n_tokens || glob->tokens[rest].kind != TOKEN_SOME)
		return n;
	*whole = true;
	return n - 1; /* without the slash before the stars */
}

/* Is it a literal name that goes on where the directory's ends, below it or in the middle of a long component? */
static bool glob_goes_on(const struct naive_glob *glob, struct ask_bytes name)
{
	size_t len = name.len == 1 ? 0 : name.len; /* what is below "/" begins with '/' */
	size_t component = 0;
	bool whole;
	size_t n = literal_bytes(glob, &whole);

	if (!whole || n <= len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (glob->tokens[i].byte != (unsigned char)name.bytes[i])
			return false;
		component = name.bytes[i] == '/' ? 0 : component + 1;
	}
	return glob->tokens[len].byte == '/' || component % LSMD_PIECE_LEN == 0;
}

static int object_goes_on(const struct object *object, struct ask_bytes name)
{
	struct naive_globs globs = { 0 };
	int goes_on = 0;
	int r;

	if (object->kind != OBJECT_PATH && object->kind != OBJECT_UNIX)
		return 0;
	r = naive_globs_read(object->bytes, object->len, &globs);
	if (r)
		return r;
	for (size_t i = 0; i < globs.n_globs; i++)
		goes_on |= glob_goes_on(&globs.globs[i], name);
	naive_globs_free(&globs);
	return goes_on;
}

/* Does any literal name of the set go on below @name? 0, 1, or a negative error. */
static int set_goes_on(const struct policy_set *set, struct ask_bytes name)
{
	for (size_t i = 0; i < set->n_policies; i++)
		for (size_t j = 0; j < set->policies[i].n_rules; j++)
			for (size_t k = 0; k < set->policies[i].rules[j].n_objects; k++) {
				int r = object_goes_on(&set->policies[i].rules[j].objects[k], name);

				if (r)
					return r;
			}
	return 0;
}

static bool answer_same(const struct lsmd_answer *a, const struct lsmd_answer *b)
{
	return a->layer == b->layer && a->rule == b->rule && a->verdict == b->verdict && a->reason == b->reason &&
	       a->verb == b->verb && a->mode == b->mode;
}

/* One layer's answer, where it is not the same. */
static int answer_compare(const struct policy_set *set, const struct ask *ask, const struct lsmd_answer *oracle,
			  const struct lsmd_answer *other)
{
	const struct policy *policy = &set->policies[oracle->layer];
	enum naive_move move;
	int r;

	if (!ask->directory || oracle->layer != other->layer || oracle->mode != other->mode)
		return ENGINE_DIFFERS;
	r = naive_move(policy, ask->name, ask->other, &move);
	if (r)
		return r;
	if (move == NAIVE_MOVE_UNKNOWN)
		return ENGINE_UNKNOWN;
	if (oracle->verdict != LSMD_VERDICT_ALLOW || other->reason != LSMD_REASON_RENAME_WIDENS ||
	    other->verdict != LSMD_VERDICT_DENY || other->rule != NAIVE_RULE_NONE)
		return ENGINE_DIFFERS;
	r = set_goes_on(set, ask->name);
	if (r == 0)
		r = set_goes_on(set, ask->other);
	if (r)
		return r < 0 ? r : ENGINE_CAUTIOUS;
	r = naive_move_patterns(policy, ask->name, ask->other, &move);
	if (r)
		return r;
	return move == NAIVE_MOVE_KEEPS ? ENGINE_DIFFERS : ENGINE_CAUTIOUS;
}

static bool refused_follows(const struct asked *asked)
{
	bool refused = false;

	for (size_t i = 0; i < asked->n_layers; i++)
		if (asked->answers[i].verdict == LSMD_VERDICT_DENY && asked->answers[i].mode == LSMD_MODE_ENFORCE)
			refused = true;
	return refused == asked->refused;
}

int engine_compare(const struct policy_set *set, const struct ask *ask, int oracle_r, const struct asked *oracle,
		   int other_r, const struct asked *other)
{
	int worst = ENGINE_SAME;

	if (oracle_r != other_r)
		return ENGINE_DIFFERS;
	if (oracle_r)
		return ENGINE_SAME;
	if (oracle->n_layers != other->n_layers || !refused_follows(other))
		return ENGINE_DIFFERS;
	for (size_t i = 0; i < oracle->n_layers; i++) {
		int r;

		if (oracle->layers[i] != other->layers[i])
			return ENGINE_DIFFERS;
		if (answer_same(&oracle->answers[i], &other->answers[i]))
			continue;
		r = answer_compare(set, ask, &oracle->answers[i], &other->answers[i]);
		if (r < 0 || r == ENGINE_DIFFERS)
			return r;
		worst = r > worst ? r : worst;
	}
	return worst;
}

void asked_print(const struct policy_set *set, int r, const struct asked *asked, const char *indent, FILE *out)
{
	if (r == ASK_TOO_MANY_LAYERS) {
		fprintf(out, "%srefused: too many layers\n", indent);
		return;
	}
	if (r) {
		fprintf(out, "%serror: %s\n", indent, strerror(-r));
		return;
	}
	fprintf(out, "%s%s, %zu layers\n", indent, asked->refused ? "refused" : "not refused", asked->n_layers);
	for (size_t i = 0; i < asked->n_layers; i++) {
		uint32_t layer = asked->answers[i].layer;

		if (layer >= set->n_policies) {
			fprintf(out, "%s  layer %u, which is none\n", indent, layer);
			continue;
		}
		fprintf(out, "%s  %s: ", indent, set->policies[layer].name);
		answer_print(set, &asked->answers[i], out);
		fputc('\n', out);
	}
}
