// SPDX-License-Identifier: LGPL-2.1-or-later
/* An event of the kernel side to a record that users read. */
#include "agent/record/record.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "agent/policy/names.h"
#include "agent/record/unit.h"
#include "lsm/abi/access.h"

#define NS_PER_S 1000000000ll

int64_t record_clock_offset_ns(void)
{
	struct timespec real, boot;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return (real.tv_sec - boot.tv_sec) * NS_PER_S + (real.tv_nsec - boot.tv_nsec);
}

bool event_sound(const struct lsmd_event *event, size_t size)
{
	if (size < sizeof(*event) || event->n_answers == 0 || event->n_answers > LSMD_LAYERS_MAX)
		return false;
	if (event->hook >= LSMD_N_HOOKS || event->object >= LSMD_N_OBJECTS)
		return false;
	for (size_t i = 0; i < event->n_answers; i++)
		if (event->answers[i].verb >= LSMD_N_VERBS || event->answers[i].reason >= LSMD_N_REASONS)
			return false;
	return sizeof(*event) + (size_t)event->object_len + event->other_len + event->program_len <= size;
}

static int bytes_copy(struct record_bytes *to, const void *bytes, size_t len)
{
	to->bytes = malloc(len + 1);
	if (!to->bytes)
		return -ENOMEM;
	memcpy(to->bytes, bytes, len);
	to->bytes[len] = '\0';
	to->len = len;
	return 0;
}

static int string_copy(char **to, const char *string)
{
	if (!string)
		return 0;
	*to = strdup(string);
	return *to ? 0 : -ENOMEM;
}

static int layer_names(const struct legend *legend, struct record_layer *layer)
{
	const struct lsmd_layer *of = legend_layer(legend, layer->layer);
	const struct lsmd_rule *rule = legend_rule(legend, layer->rule);
	const struct lsmd_note *note = rule ? legend_note(legend, rule->note) : NULL;
	int r;

	if (!of)
		return 0;
	r = string_copy(&layer->policy, legend_string(legend, of->name));
	if (!r)
		r = string_copy(&layer->file, legend_string(legend, note && note->file ? note->file : of->file));
	if (!r && note && !(rule->flags & LSMD_RULE_DEFAULT))
		r = string_copy(&layer->id, legend_string(legend, note->id));
	if (!r && note && !(rule->flags & LSMD_RULE_DEFAULT))
		r = string_copy(&layer->note, legend_string(legend, note->reason));
	layer->line = rule ? rule->line : 0;
	layer->is_default = rule && rule->flags & LSMD_RULE_DEFAULT;
	return r;
}

static int record_set_layers(struct record *record, const struct lsmd_event *event, const struct legend *legend)
{
	record->layers = calloc(event->n_answers, sizeof(*record->layers));
	if (!record->layers)
		return -ENOMEM;
	record->n_layers = event->n_answers;
	for (size_t i = 0; i < record->n_layers; i++) {
		const struct lsmd_answer *answer = &event->answers[i];
		struct record_layer *layer = &record->layers[i];
		int r;

		layer->layer = answer->layer;
		layer->rule = answer->rule;
		layer->verdict = answer->verdict;
		layer->reason = answer->reason;
		layer->verb = answer->verb;
		layer->mode = answer->mode;
		r = legend ? layer_names(legend, layer) : 0;
		if (r)
			return r;
	}
	return 0;
}

/* The layer that the record is named after: of the first that refused, else would have refused, else was logged. */
static void record_set_answer(struct record *record, bool refused)
{
	size_t n = record->n_layers, first[3] = { n, n, n };

	for (size_t i = 0; i < n; i++) {
		const struct record_layer *layer = &record->layers[i];
		enum record_answer answer = RECORD_ALLOWED_LOGGED;

		if (layer->verdict == LSMD_VERDICT_DENY)
			answer = layer->mode == LSMD_MODE_AUDIT ? RECORD_ALLOWED_AUDIT : RECORD_DENIED;
		if (first[answer] == n)
			first[answer] = i;
	}
	if (refused)
		record->answer = RECORD_DENIED;
	else
		record->answer = first[RECORD_ALLOWED_AUDIT] < n ? RECORD_ALLOWED_AUDIT : RECORD_ALLOWED_LOGGED;
	record->deciding = first[record->answer] < n ? first[record->answer] : 0;
}

static void record_set_task(struct record *record, const struct lsmd_event *event)
{
	record->pid = event->tgid;
	record->tid = event->pid;
	record->ppid = event->ppid;
	record->uid = event->uid;
	record->euid = event->euid;
	record->loginuid = event->loginuid;
	record->session = event->session;
}

static int record_set_bytes(struct record *record, const struct lsmd_event *event, const char *cgroup)
{
	const lsmd_u8 *at = event->bytes;
	int r = 0;

	if (object_named(event->object))
		r = bytes_copy(&record->object, at, event->object_len);
	if (!r && event->other_len)
		r = bytes_copy(&record->other, at + event->object_len, event->other_len);
	if (!r && event->program_len)
		r = bytes_copy(&record->program, at + event->object_len + event->other_len, event->program_len);
	if (!r)
		r = bytes_copy(&record->comm, event->comm, strnlen(event->comm, sizeof(event->comm)));
	if (!r && cgroup)
		r = bytes_copy(&record->cgroup, cgroup, strlen(cgroup));
	if (!r && cgroup)
		r = unit_of_cgroup(cgroup, &record->unit.bytes, &record->unit.len);
	return r < 0 ? r : 0;
}

int record_new(const struct lsmd_event *event, size_t size, const struct legend *legend, uint64_t repeats,
	       int64_t clock_offset_ns, const char *cgroup, struct record **ret)
{
	_cleanup_(record_unrefp) struct record *record = NULL;
	int r;

	if (!event_sound(event, size))
		return RECORD_MALFORMED;
	record = calloc(1, sizeof(*record));
	if (!record)
		return -ENOMEM;
	record->refs = 1;
	record->time_us = (event->time_ns + clock_offset_ns) / 1000;
	record->generation = event->generation;
	record->known = legend;
	record->set_hash = legend ? legend_set_hash(legend) : 0;
	record->repeats = repeats;
	record->wanted = event->wanted;
	record->hook = event->hook;
	record->object_kind = event->object;
	record->path_reason = event->path_reason < LSMD_N_REASONS ? event->path_reason : LSMD_REASON_NONE;
	record->address = event->address;
	record_set_task(record, event);
	r = record_set_layers(record, event, legend);
	if (!r)
		r = record_set_bytes(record, event, cgroup);
	if (r)
		return r;
	record_set_answer(record, event->refused);
	*ret = TAKE_PTR(record);
	return 0;
}

struct record *record_ref(struct record *record)
{
	__atomic_add_fetch(&record->refs, 1, __ATOMIC_RELAXED);
	return record;
}

static void layer_clear(struct record_layer *layer)
{
	free(layer->policy);
	free(layer->file);
	free(layer->id);
	free(layer->note);
}

void record_unref(struct record *record)
{
	if (!record || __atomic_sub_fetch(&record->refs, 1, __ATOMIC_ACQ_REL))
		return;
	for (size_t i = 0; i < record->n_layers; i++)
		layer_clear(&record->layers[i]);
	free(record->layers);
	free(record->object.bytes);
	free(record->other.bytes);
	free(record->program.bytes);
	free(record->comm.bytes);
	free(record->cgroup.bytes);
	free(record->unit.bytes);
	free(record);
}

const struct record_layer *record_deciding(const struct record *record)
{
	return &record->layers[record->deciding];
}

const char *answer_name(enum record_answer answer)
{
	static const char *const names[] = {
		[RECORD_DENIED] = "denied",
		[RECORD_ALLOWED_AUDIT] = "allowed (audit)",
		[RECORD_ALLOWED_LOGGED] = "allowed (logged)",
	};

	return names[answer];
}

const char *verb_name(uint32_t verb)
{
	return verb < LSMD_N_VERBS ? verbs[verb].name : "unknown";
}

const char *reason_name(uint32_t reason)
{
	static const char *const names[] = {
#define X(constant, name, text) name,
		LSMD_REASONS(X)
#undef X
	};

	return reason < LSMD_N_REASONS ? names[reason] : "unknown";
}

const char *reason_text(uint32_t reason)
{
	static const char *const texts[] = {
#define X(constant, name, text) text,
		LSMD_REASONS(X)
#undef X
	};

	return reason < LSMD_N_REASONS ? texts[reason] : "a reason that this version does not know";
}

const char *mode_name(uint32_t mode)
{
	static const char *const names[] = {
		[LSMD_MODE_ENFORCE] = "enforce",
		[LSMD_MODE_AUDIT] = "audit",
		[LSMD_MODE_OFF] = "off",
	};

	return mode <= LSMD_MODE_OFF ? names[mode] : "unknown";
}

const char *hook_name(uint32_t hook)
{
	static const char *const names[] = {
#define X(constant, name) name,
		LSMD_HOOKS(X)
#undef X
	};

	return hook < LSMD_N_HOOKS ? names[hook] : "unknown";
}

const char *object_kind_name(const struct record *record)
{
	static const char *const names[] = {
		[LSMD_OBJECT_NONE] = "none",
		[LSMD_OBJECT_PATH] = "file",
		[LSMD_OBJECT_ADDRESS] = "address",
		[LSMD_OBJECT_ABSTRACT] = "unix-abstract",
		[LSMD_OBJECT_NAME] = "name",
	};
	uint32_t verb = record_deciding(record)->verb;

	if (record->object_kind == LSMD_OBJECT_PATH && verb >= LSMD_VERB_CONNECT && verb <= LSMD_VERB_SOCKET)
		return "unix";
	return names[record->object_kind];
}
