// SPDX-License-Identifier: LGPL-2.1-or-later
/* Recorded accesses and other policies. */
#include "agent/ctl/judge.h"

#include <errno.h>
#include <string.h>

#include "agent/control/explain.h"
#include "agent/policy/ask.h"
#include "agent/policy/image.h"
#include "agent/policy/named.h"
#include "agent/policy/names.h"
#include "agent/record/record.h"
#include "agent/util/cleanup.h"
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

/* The bytes that an ask points into. */
struct asking {
	struct ask ask;
	struct buf program, object, other;
	char path[NAMED_LEN_MAX];
};

static void asking_clear(struct asking *asking)
{
	buf_free(&asking->program);
	buf_free(&asking->object);
	buf_free(&asking->other);
}

static struct ask_bytes bytes_of(const struct buf *buf, size_t skip)
{
	return (struct ask_bytes){ .bytes = buf->bytes + skip, .len = buf->len - skip };
}

/* All that the call wanted; records of other makers may have the verb alone. */
static uint32_t access_of(const json_t *event)
{
	const json_t *list = json_object_get(event, "access"), *word;
	const char *alone = ctl_string(event, "verb");
	int verb = verb_find(alone, strlen(alone));
	uint32_t access = 0;
	size_t i;

	json_array_foreach (list, i, word) {
		int one = json_is_string(word) ? verb_find(json_string_value(word), json_string_length(word)) : -1;

		access |= one >= 0 ? 1u << one : 0;
	}
	return access ? access : verb >= 0 ? 1u << verb : 0;
}

/* Memory and files without a name that are run as code: rules for "anonymous" speak of them. */
bool judge_anonymous(const json_t *event)
{
	return !strcmp(ctl_string(event, "object_cut"), reason_name(LSMD_REASON_PATH_ANONYMOUS)) && access_of(event) &&
	       !(access_of(event) & ~LSMD_ACCESS_CODE);
}

static int path_read(struct asking *asking, size_t skip)
{
	if (asking->object.len <= skip || asking->object.bytes[skip] != '/')
		return -EINVAL;
	asking->ask.object = LSMD_OBJECT_PATH;
	asking->ask.name = bytes_of(&asking->object, skip);
	if (asking->other.len)
		asking->ask.other = bytes_of(&asking->other, 0);
	return 0;
}

/* What is not shown as a file's name: as policies write it (objname.h). */
static int object_read(struct asking *asking, const char *kind, bool anonymous)
{
	struct ask *ask = &asking->ask;
	const char *text = asking->object.bytes;
	struct explain_why why;

	if (!strcmp(kind, "file") && !anonymous)
		return path_read(asking, 0);
	if (!strcmp(kind, "unix"))
		return path_read(asking, strlen("unix:"));
	if (!strcmp(kind, "none") || anonymous) {
		ask->object = LSMD_OBJECT_NONE;
		return 0;
	}
	if (!asking->object.len)
		return -EINVAL;
	if (!strcmp(kind, "unix-abstract") && asking->object.len >= strlen("unix:@")) {
		ask->object = LSMD_OBJECT_ABSTRACT;
		ask->name = bytes_of(&asking->object, strlen("unix:@"));
		return 0;
	}
	if (!strcmp(kind, "address")) {
		ask->object = LSMD_OBJECT_ADDRESS;
		return explain_address(text, ask->wanted, &ask->address, &why);
	}
	ask->object = LSMD_OBJECT_NAME;
	ask->name.bytes = asking->path;
	return strcmp(kind, "name") ? -EINVAL : named_read(NULL, ask->wanted, text, asking->object.len, asking->path, &ask->name.len);
}

static int asking_read(struct asking *asking, const json_t *event, const char *program)
{
	int r = 0;

	asking->ask.wanted = access_of(event);
	if (program)
		buf_add_string(&asking->program, program);
	else
		r = explain_bytes(event, "program", &asking->program);
	asking->ask.programs[0] = bytes_of(&asking->program, 0);
	asking->ask.n_programs = 1;
	if (!r && json_object_get(event, "object"))
		r = explain_bytes(event, "object", &asking->object);
	if (!r && json_object_get(event, "object_new"))
		r = explain_bytes(event, "object_new", &asking->other);
	if (r || !asking->ask.wanted || asking->program.failed)
		return r ? r : -EINVAL;
	return object_read(asking, ctl_string(event, "object_kind"), judge_anonymous(event));
}

enum judgement judge_event(const struct lsmd_image_header *image, const json_t *event, const char *program, json_t **ret_layer)
{
	_cleanup_(asking_clear) struct asking asking = {};
	_cleanup_(legend_freep) struct legend *legend = NULL;
	struct asked asked;
	int r = asking_read(&asking, event, program), deciding;

	if (ret_layer)
		*ret_layer = NULL;
	if (!r)
		r = image_ask(image, &asking.ask, &asked);
	if (r)
		return JUDGE_UNKNOWN;
	deciding = asked_deciding(&asked);
	if (ret_layer && deciding >= 0 && !legend_new(image, &legend))
		*ret_layer = explain_layer(legend, &asked.answers[deciding]);
	return asked.refused ? JUDGE_REFUSED : JUDGE_ALLOWED;
}

static bool name_allowed(const struct lsmd_image_header *image, const struct asking *asking, const struct ask_bytes *name, int verb)
{
	struct ask ask = asking->ask;
	struct asked asked;

	ask.wanted = 1u << verb;
	ask.name = *name;
	ask.other = (struct ask_bytes){};
	return !image_ask(image, &ask, &asked) && !asked.refused;
}

uint32_t judge_widens(const struct lsmd_image_header *image, const json_t *event, const char *program)
{
	_cleanup_(asking_clear) struct asking asking = {};
	uint32_t access = 0;

	if (!json_object_get(event, "object_new") || asking_read(&asking, event, program))
		return 0;
	for (int verb = 0; verb < LSMD_N_VERBS; verb++)
		if (verbs[verb].object != VERB_NAME && name_allowed(image, &asking, &asking.ask.other, verb) &&
		    !name_allowed(image, &asking, &asking.ask.name, verb))
			access |= 1u << verb;
	return access;
}
