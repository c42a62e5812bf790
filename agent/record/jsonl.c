// SPDX-License-Identifier: LGPL-2.1-or-later
/* A record as a JSON object: events of the control socket, lines for shippers. */
#include "agent/record/jsonl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/record/escape.h"
#include "agent/record/mend.h"
#include "agent/record/objname.h"
#include "agent/record/sentence.h"
#include "lsm/abi/access.h"

static int json_buf(json_t *object, const char *key, const char *suffix, const struct buf *text)
{
	_cleanup_buf_ struct buf name = {};

	buf_printf(&name, "%s%s", key, suffix);
	if (name.failed || text->failed)
		return -ENOMEM;
	return json_object_set_new(object, name.bytes, json_stringn(text->bytes ? text->bytes : "", text->len))
		       ? -ENOMEM
		       : 0;
}

int json_bytes(json_t *object, const char *key, const char *bytes, size_t len)
{
	_cleanup_buf_ struct buf text = {}, hex = {};
	int r;

	if (escape_plain(bytes, len)) {
		buf_add(&text, bytes, len);
		return json_buf(object, key, "", &text);
	}
	escape_text(&text, bytes, len);
	escape_hex(&hex, bytes, len);
	r = json_buf(object, key, "", &text);
	return r ? r : json_buf(object, key, "_hex", &hex);
}

static int json_string_at(json_t *object, const char *key, const char *value)
{
	return value ? json_bytes(object, key, value, strlen(value)) : 0;
}

static int json_number(json_t *object, const char *key, uint64_t value)
{
	return json_object_set_new(object, key, json_integer(value)) ? -ENOMEM : 0;
}

static int json_record_bytes(json_t *object, const char *key, const struct record_bytes *value)
{
	return value->bytes ? json_bytes(object, key, value->bytes, value->len) : 0;
}

/* "2026-11-21T07:34:08.014500Z" */
static int json_time(json_t *object, uint64_t time_us)
{
	time_t seconds = time_us / 1000000;
	char day[32], text[64];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%06uZ", day, (unsigned int)(time_us % 1000000));
	if (json_number(object, "time_us", time_us))
		return -ENOMEM;
	return json_string_at(object, "time", text);
}

static int json_place(json_t *object, const struct record_layer *layer)
{
	_cleanup_buf_ struct buf place = {};

	if (!layer->file)
		return 0;
	buf_add_string(&place, layer->file);
	if (layer->line)
		buf_printf(&place, ":%u", layer->line);
	return place.failed ? -ENOMEM : json_bytes(object, layer->line ? "rule" : "file", place.bytes, place.len);
}

static int layer_fill(json_t *object, const struct record_layer *layer)
{
	int r = json_string_at(object, "policy", layer->policy);

	if (!r)
		r = json_number(object, "layer", layer->layer);
	if (!r)
		r = json_string_at(object, "mode", mode_name(layer->mode));
	if (!r)
		r = json_string_at(object, "verdict", layer->verdict == LSMD_VERDICT_DENY ? "deny" : "allow");
	if (!r)
		r = json_string_at(object, "verb", verb_name(layer->verb));
	if (!r)
		r = json_string_at(object, "reason", reason_name(layer->reason));
	if (!r)
		r = json_place(object, layer);
	if (!r && layer->is_default)
		r = json_object_set_new(object, "default", json_true()) ? -ENOMEM : 0;
	if (!r)
		r = json_string_at(object, "rule_id", layer->id);
	return r ? r : json_string_at(object, "note", layer->note);
}

static int json_layers(json_t *object, const struct record *record)
{
	json_t *layers = json_array();

	if (json_object_set_new(object, "layers", layers))
		return -ENOMEM;
	for (size_t i = 0; i < record->n_layers; i++) {
		json_t *layer = json_object();

		if (json_array_append_new(layers, layer) || layer_fill(layer, &record->layers[i]))
			return -ENOMEM;
	}
	return 0;
}

/* ~0 is the kernel's "unset": null, so that nobody counts with it. */
static int json_id(json_t *object, const char *key, uint32_t id)
{
	return json_object_set_new(object, key, id == ~0u ? json_null() : json_integer(id)) ? -ENOMEM : 0;
}

static int json_task(json_t *object, const struct record *record)
{
	int r = json_record_bytes(object, "program", &record->program);

	if (!r)
		r = json_record_bytes(object, "comm", &record->comm);
	if (!r)
		r = json_number(object, "pid", record->pid);
	if (!r)
		r = json_number(object, "tid", record->tid);
	if (!r)
		r = json_number(object, "ppid", record->ppid);
	if (!r)
		r = json_id(object, "uid", record->uid);
	if (!r)
		r = json_id(object, "euid", record->euid);
	if (!r)
		r = json_id(object, "loginuid", record->loginuid);
	if (!r)
		r = json_id(object, "session", record->session);
	if (!r)
		r = json_record_bytes(object, "cgroup", &record->cgroup);
	return r ? r : json_record_bytes(object, "unit", &record->unit);
}

/* All that the call wanted; "verb" is the one that decided. */
static int json_access(json_t *object, uint32_t wanted)
{
	json_t *list = json_array();

	if (json_object_set_new(object, "access", list))
		return -ENOMEM;
	for (uint32_t verb = 0; verb < LSMD_N_VERBS; verb++)
		if (access_plain(wanted) >> verb & 1 && json_array_append_new(list, json_string(verb_name(verb))))
			return -ENOMEM;
	return 0;
}

static int json_object_names(json_t *object, const struct record *record)
{
	_cleanup_buf_ struct buf name = {};
	int r = json_string_at(object, "object_kind", object_kind_name(record));

	object_add(&name, record);
	if (name.failed)
		return -ENOMEM;
	if (!r && name.len)
		r = json_bytes(object, "object", name.bytes, name.len);
	if (!r)
		r = json_record_bytes(object, "object_new", &record->other);
	if (!r && record->path_reason != LSMD_REASON_NONE)
		r = json_string_at(object, "object_cut", reason_name(record->path_reason));
	return r;
}

static int json_set(json_t *object, const struct record *record)
{
	_cleanup_buf_ struct buf set = {}, sentence = {}, mend = {};
	int r = json_number(object, "generation", record->generation);

	buf_printf(&set, "%016llx", (unsigned long long)record->set_hash);
	record_sentence(&sentence, record);
	mend_add(&mend, record);
	if (set.failed || sentence.failed || mend.failed)
		return -ENOMEM;
	if (!r && record->known)
		r = json_buf(object, "set", "", &set);
	if (!r)
		r = json_number(object, "repeats", record->repeats);
	if (!r && record->mixed)
		r = json_object_set_new(object, "mixed", json_true()) ? -ENOMEM : 0;
	if (!r && mend.len)
		r = json_buf(object, "mend", "", &mend);
	return r ? r : json_buf(object, "message", "", &sentence);
}

static int record_fill(json_t *object, const struct record *record)
{
	int r = json_time(object, record->time_us);

	if (!r)
		r = json_string_at(object, "answer", answer_name(record->answer));
	if (!r)
		r = layer_fill(object, record_deciding(record));
	if (!r)
		r = json_access(object, record->wanted);
	if (!r)
		r = json_string_at(object, "hook", hook_name(record->hook));
	if (!r)
		r = json_object_names(object, record);
	if (!r)
		r = json_task(object, record);
	if (!r)
		r = json_set(object, record);
	return r ? r : json_layers(object, record);
}

json_t *record_json(const struct record *record)
{
	json_t *object = json_object();

	if (object && record_fill(object, record)) {
		json_decref(object);
		return NULL;
	}
	return object;
}
