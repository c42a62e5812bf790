// SPDX-License-Identifier: LGPL-2.1-or-later
/* A record as a line of the audit log. */
#include "agent/record/audit-text.h"

#include <string.h>

#include "agent/record/escape.h"
#include "agent/record/objname.h"

/* A value that is cut says so: "path_len=4000" are the bytes it had. */
static void field_cut(struct buf *out, const char *name, const char *bytes, size_t len, size_t max)
{
	if (!bytes)
		return;
	escape_audit(out, name, bytes, len < max ? len : max);
	if (len > max)
		buf_printf(out, " %s_len=%zu", name, len);
}

static void field_name(struct buf *out, const char *name, const struct record_bytes *value)
{
	field_cut(out, name, value->bytes, value->len, AUDIT_NAME_MAX);
}

static void field_string(struct buf *out, const char *name, const char *value)
{
	field_cut(out, name, value, value ? strlen(value) : 0, AUDIT_WORD_MAX);
}

/* audit writes an unset loginuid or session as 4294967295; its tools print "unset" for it. */
static void fields_task(struct buf *out, const struct record *record)
{
	buf_printf(out, " opid=%u otid=%u oppid=%u ouid=%u oeuid=%u oauid=%u oses=%u", record->pid, record->tid,
		   record->ppid, record->uid, record->euid, record->loginuid, record->session);
}

static void field_place(struct buf *out, const char *name, const struct record_layer *layer)
{
	_cleanup_buf_ struct buf place = {};

	if (!layer->file)
		return;
	buf_add_string(&place, layer->file);
	if (layer->line)
		buf_printf(&place, ":%u", layer->line);
	if (!place.failed)
		field_cut(out, name, place.bytes, place.len, AUDIT_WORD_MAX);
}

static void fields_rule(struct buf *out, const struct record *record)
{
	const struct record_layer *layer = record_deciding(record);

	field_string(out, "policy", layer->policy);
	if (!layer->policy)
		buf_printf(out, " layer=%u", layer->layer);
	field_place(out, layer->is_default ? "default" : layer->line ? "rule" : "file", layer);
	field_string(out, "rule_id", layer->id);
	buf_printf(out, " reason=%s", reason_name(layer->reason));
	field_string(out, "info", layer->note);
	buf_printf(out, " policy_mode=%s", mode_name(layer->mode));
}

/* What each further layer said: "also=db:enforce:denied:/etc/lsmd/policies.d/db.json:9" */
static void fields_layers(struct buf *out, const struct record *record)
{
	for (size_t i = 0; i < record->n_layers; i++) {
		const struct record_layer *layer = &record->layers[i];
		_cleanup_buf_ struct buf text = {};

		if (i == record->deciding)
			continue;
		buf_printf(&text, "%s:%s:%s:%s:%s:%u", layer->policy ? layer->policy : "?", mode_name(layer->mode),
			   layer->verdict == LSMD_VERDICT_DENY ? "denied" : "allowed", reason_name(layer->reason),
			   layer->file ? layer->file : "?", layer->line);
		if (text.failed || out->len + 2 * text.len > AUDIT_TEXT_MAX - 200) {
			buf_printf(out, " layers=%zu", record->n_layers);
			return;
		}
		escape_audit(out, "also", text.bytes, text.len);
	}
}

static void fields_object(struct buf *out, const struct record *record)
{
	_cleanup_buf_ struct buf object = {};

	object_add(&object, record);
	if (record->object_kind == LSMD_OBJECT_PATH && record->object.len)
		field_name(out, "path", &record->object);
	else if (object.len)
		field_cut(out, record->object_kind == LSMD_OBJECT_ABSTRACT ? "path" : "obj", object.bytes, object.len,
			  AUDIT_NAME_MAX);
	field_name(out, "name", &record->other);
	if (record->path_reason != LSMD_REASON_NONE)
		buf_printf(out, " name_cut=%s", reason_name(record->path_reason));
}

static void head_add(struct buf *out, const struct record *record)
{
	const struct record_layer *layer = record_deciding(record);
	_cleanup_buf_ struct buf object = {};
	const char *class = object_kind_name(record);

	object_add(&object, record);
	buf_printf(out, "avc:  %s  { %s } for ", record->answer == RECORD_ALLOWED_LOGGED ? "granted" : "denied",
		   verb_name(layer->verb));
	escape_audit_word(out, "scontext", layer->policy ? layer->policy : "",
			  layer->policy ? strlen(layer->policy) : 0);
	escape_audit_word(out, "tcontext", object.bytes, object.len < AUDIT_WORD_MAX ? object.len : AUDIT_WORD_MAX);
	buf_printf(out, " tclass=%s", class);
}

void audit_text_add(struct buf *out, const struct record *record)
{
	head_add(out, record);
	field_name(out, "comm", &record->comm);
	field_name(out, "exe", &record->program);
	fields_object(out, record);
	fields_task(out, record);
	fields_rule(out, record);
	field_cut(out, "unit", record->unit.bytes, record->unit.len, AUDIT_WORD_MAX);
	buf_printf(out, " lsm_hook=%s event_time=%llu.%03u gen=%llu set=%016llx repeats=%llu permissive=%d",
		   hook_name(record->hook), (unsigned long long)(record->time_us / 1000000),
		   (unsigned int)(record->time_us / 1000 % 1000), (unsigned long long)record->generation,
		   (unsigned long long)record->set_hash, (unsigned long long)record->repeats,
		   record->answer != RECORD_DENIED);
	if (record->mixed)
		buf_add_string(out, " mixed=1");
	fields_layers(out, record);
}
