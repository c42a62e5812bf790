// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Records to the journal, one field for each fact. Values are handed over with their lengths, so that no byte of a name
 * starts a field or a line; journalctl shows such values as blobs, and exactly.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <syslog.h>
#define SD_JOURNAL_SUPPRESS_LOCATION /* which line of ours wrote a record says nothing to anyone */
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "agent/record/escape.h"
#include "agent/record/mend.h"
#include "agent/record/message-id.h"
#include "agent/record/objname.h"
#include "agent/record/sink.h"
#include "agent/record/sentence.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
/* Ten and more fields of a record, and one for each layer. */
#define FIELDS_MAX 64

struct fields {
	struct buf text[FIELDS_MAX];
	size_t n;
};

static struct buf *field_new(struct fields *fields, const char *name)
{
	struct buf *text = &fields->text[fields->n < FIELDS_MAX ? fields->n++ : FIELDS_MAX - 1];

	buf_add_string(text, name);
	buf_add_byte(text, '=');
	return text;
}

static void field_bytes(struct fields *fields, const char *name, const struct record_bytes *value)
{
	if (value->bytes)
		buf_add(field_new(fields, name), value->bytes, value->len);
}

static void field_string(struct fields *fields, const char *name, const char *value)
{
	if (value)
		buf_add_string(field_new(fields, name), value);
}

/* The same for the catalog, whose text has to hold up on a terminal: journalctl puts fields into it as they are. */
static void field_shown(struct fields *fields, const char *name, const char *bytes, size_t len)
{
	if (bytes)
		escape_text(field_new(fields, name), bytes, len);
}

static void field_number(struct fields *fields, const char *name, unsigned long long value)
{
	buf_printf(field_new(fields, name), "%llu", value);
}

static void fields_task(struct fields *fields, const struct record *record)
{
	field_bytes(fields, "LSMD_PROGRAM", &record->program);
	field_shown(fields, "LSMD_PROGRAM_TEXT", record->program.bytes, record->program.len);
	field_bytes(fields, "LSMD_COMM", &record->comm);
	field_number(fields, "LSMD_PID", record->pid);
	field_number(fields, "LSMD_TID", record->tid);
	field_number(fields, "LSMD_PPID", record->ppid);
	field_number(fields, "LSMD_UID", record->uid);
	field_number(fields, "LSMD_EUID", record->euid);
	if (record->loginuid != ~0u)
		field_number(fields, "LSMD_LOGINUID", record->loginuid);
	if (record->session != ~0u)
		field_number(fields, "LSMD_SESSION", record->session);
	field_bytes(fields, "LSMD_CGROUP", &record->cgroup);
	field_bytes(fields, "LSMD_UNIT", &record->unit);
	/* journalctl --unit=X also shows what root wrote about X. */
	field_bytes(fields, "OBJECT_SYSTEMD_UNIT", &record->unit);
}

static void field_place(struct fields *fields, const char *name, const struct record_layer *layer)
{
	struct buf *text;

	if (!layer->file)
		return;
	text = field_new(fields, name);
	escape_text(text, layer->file, strlen(layer->file));
	if (layer->line)
		buf_printf(text, ":%u", layer->line);
}

static void fields_rule(struct fields *fields, const struct record *record)
{
	const struct record_layer *layer = record_deciding(record);
	struct buf *why;

	field_string(fields, "LSMD_POLICY", layer->policy);
	field_place(fields, "LSMD_RULE", layer);
	field_string(fields, "LSMD_RULE_KIND", layer->is_default ? "default" : layer->rule ? "rule" : "undecided");
	field_string(fields, "LSMD_RULE_ID", layer->id);
	field_string(fields, "LSMD_NOTE", layer->note);
	field_string(fields, "LSMD_MODE", mode_name(layer->mode));
	field_string(fields, "LSMD_VERB", verb_name(layer->verb));
	field_string(fields, "LSMD_REASON", reason_name(layer->reason));
	why = field_new(fields, "LSMD_REASON_TEXT");
	buf_add_string(why, reason_text(layer->reason));
	if (layer->note) {
		buf_add_string(why, ": ");
		escape_text(why, layer->note, strlen(layer->note));
	}
	if (record->answer != RECORD_ALLOWED_LOGGED)
		mend_add(field_new(fields, "LSMD_MEND"), record);
}

/* LSMD_LAYER= stands once for each layer that did not plainly allow; a field of the journal may have many values. */
static void fields_layers(struct fields *fields, const struct record *record)
{
	for (size_t i = 0; i < record->n_layers; i++) {
		const struct record_layer *layer = &record->layers[i];

		buf_printf(field_new(fields, "LSMD_LAYER"), "%s %s %s %s %s:%u", layer->policy ? layer->policy : "?",
			   mode_name(layer->mode), layer->verdict == LSMD_VERDICT_DENY ? "deny" : "allow",
			   reason_name(layer->reason), layer->file ? layer->file : "?", layer->line);
	}
}

static void fields_object(struct fields *fields, const struct record *record)
{
	_cleanup_buf_ struct buf object = {};

	object_add(&object, record);
	field_string(fields, "LSMD_OBJECT_KIND", object_kind_name(record));
	if (object.len)
		buf_add(field_new(fields, "LSMD_OBJECT"), object.bytes, object.len);
	field_bytes(fields, "LSMD_OBJECT_OTHER", &record->other);
	if (record->path_reason != LSMD_REASON_NONE)
		field_string(fields, "LSMD_OBJECT_CUT", reason_name(record->path_reason));
}

static void fields_head(struct fields *fields, const struct record *record)
{
	static const char *const ids[] = {
		[RECORD_DENIED] = LSMD_MESSAGE_DENIED,
		[RECORD_ALLOWED_AUDIT] = LSMD_MESSAGE_WOULD_DENY,
		[RECORD_ALLOWED_LOGGED] = LSMD_MESSAGE_LOGGED,
	};

	field_string(fields, "MESSAGE_ID", ids[record->answer]);
	field_number(fields, "PRIORITY", record->answer == RECORD_DENIED ? LOG_WARNING : LOG_NOTICE);
	field_string(fields, "SYSLOG_IDENTIFIER", "lsmd");
	field_string(fields, "LSMD_ANSWER", answer_name(record->answer));
	record_sentence(field_new(fields, "MESSAGE"), record);
	record_act(field_new(fields, "LSMD_ACT"), record);
	field_number(fields, "LSMD_TIME_USEC", record->time_us);
	field_number(fields, "LSMD_REPEATS", record->repeats);
	if (record->mixed)
		field_string(fields, "LSMD_MIXED", "1");
	field_number(fields, "LSMD_GENERATION", record->generation);
	buf_printf(field_new(fields, "LSMD_SET"), "%016llx", (unsigned long long)record->set_hash);
	field_string(fields, "LSMD_HOOK", hook_name(record->hook));
}

static int fields_send(struct fields *fields)
{
	struct iovec iov[FIELDS_MAX];

	for (size_t i = 0; i < fields->n; i++) {
		if (fields->text[i].failed)
			return -ENOMEM;
		iov[i].iov_base = fields->text[i].bytes;
		iov[i].iov_len = fields->text[i].len;
	}
	return sd_journal_sendv(iov, fields->n);
}

static int journal_open(void **ret_state)
{
	*ret_state = NULL;
	return 0;
}

/* libsystemd answers success when there is no journal: whether there is one must be asked first. */
static int journal_send(void *state, const struct record *record)
{
	struct fields fields = {};
	int r;

	if (access(JOURNAL_SOCKET, F_OK))
		return SINK_ABSENT;
	fields_head(&fields, record);
	fields_rule(&fields, record);
	fields_object(&fields, record);
	fields_task(&fields, record);
	fields_layers(&fields, record);
	r = fields_send(&fields);
	for (size_t i = 0; i < fields.n; i++)
		buf_free(&fields.text[i]);
	return r < 0 ? r : 0;
}

static void journal_close(void *state)
{
}

const struct sink_type sink_journal = {
	.name = "journal",
	.open = journal_open,
	.send = journal_send,
	.close = journal_close,
};
