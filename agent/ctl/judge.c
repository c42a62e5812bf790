// SPDX-License-Identifier: LGPL-2.1-or-later
/* Recorded accesses and other policies. */
#include "agent/ctl/judge.h"

#include <string.h>

#include "agent/control/explain.h"
#include "agent/policy/image.h"
#include "agent/policy/names.h"
#include "agent/util/buf.h"

int judge_load(const struct policy_options *options, bool colour, struct lsmd_image_header **ret)
{
	struct policy_set *set = NULL;
	struct diags diags = {};
	size_t size;
	int r = policy_set_load(options, &diags, &set);

	if (!r)
		r = image_build(set, &diags, ret, &size);
	if (r > 0 && set)
		diags_print(&diags, set, stderr, colour);
	if (r < 0)
		ctl_error(r, "cannot read the policies");
	else if (r)
		ctl_error(0, "the policies are refused");
	diags_clear(&diags);
	if (set)
		policy_set_free(set);
	return r ? CTL_FOUND : 0;
}

/* The value under @key, exactly, as the question takes it: {"name": …} or with "name_hex". */
static int bytes_put(json_t *object, const char *to, const json_t *event, const char *key)
{
	char from_hex[32], to_hex[32];
	json_t *plain = json_object_get(event, key), *hex;

	snprintf(from_hex, sizeof(from_hex), "%s_hex", key);
	snprintf(to_hex, sizeof(to_hex), "%s_hex", to);
	hex = json_object_get(event, from_hex);
	if (hex)
		json_object_set(object, to_hex, hex);
	return json_object_set(object, to, plain);
}

static const char *what_of(const json_t *event)
{
	const char *verb = ctl_string(event, "verb");
	int n = verb_find(verb, strlen(verb));

	if (n == LSMD_VERB_EXEC)
		return "exec";
	if (n == LSMD_VERB_CONNECT)
		return "connect";
	return n >= 0 && 1u << n & LSMD_ACCESS_FILES ? "open" : NULL;
}

static json_t *question_of(const json_t *event, const char *program)
{
	const char *what = what_of(event);
	json_t *question = json_object(), *name = json_object(), *access = json_object_get(event, "access");

	if (!what || !json_object_get(event, "object") || (!program && !json_object_get(event, "program"))) {
		json_decref(question);
		json_decref(name);
		return NULL;
	}
	if (program)
		json_object_set_new(name, "name", json_string(program));
	else
		bytes_put(name, "name", event, "program");
	json_object_set_new(question, "programs", json_pack("[o]", name));
	bytes_put(question, what, event, "object");
	if (!strcmp(what, "open") && json_array_size(access))
		json_object_set(question, "access", access);
	else if (!strcmp(what, "open"))
		json_object_set_new(question, "access", json_pack("[s]", ctl_string(event, "verb")));
	return question;
}

enum judgement judge_event(const struct lsmd_image_header *image, const json_t *event, const char *program, json_t **ret_layer)
{
	json_t *question = question_of(event, program), *answer = NULL;
	struct explain_why why;
	enum judgement judgement;
	int r = question ? explain_answer(image, NULL, question, &why, &answer) : EXPLAIN_REFUSED;

	json_decref(question);
	if (ret_layer)
		*ret_layer = NULL;
	if (r)
		return JUDGE_UNKNOWN;
	judgement = ctl_true(answer, "refused") ? JUDGE_REFUSED : JUDGE_ALLOWED;
	if (ret_layer) {
		json_int_t deciding = ctl_number(answer, "deciding");

		if (deciding >= 0)
			*ret_layer = json_incref(json_array_get(json_object_get(answer, "layers"), deciding));
	}
	json_decref(answer);
	return judgement;
}
