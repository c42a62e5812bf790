// SPDX-License-Identifier: LGPL-2.1-or-later
/* A record as one line for people. */
#include "agent/record/sentence.h"

#include <string.h>

#include "agent/record/escape.h"
#include "agent/record/objname.h"

/* What stands for a name that could not be had; NULL where the verb takes no object. */
static const char *nameless(const struct record *record)
{
	if (record->object_kind != LSMD_OBJECT_PATH)
		return NULL;
	if (record->path_reason == LSMD_REASON_PATH_ANONYMOUS || record->path_reason == LSMD_REASON_NONE)
		return "an object without a name";
	return "an object whose name could not be read";
}

void record_act(struct buf *out, const struct record *record)
{
	_cleanup_buf_ struct buf object = {};

	object_add(&object, record);
	buf_add_string(out, verb_name(record_deciding(record)->verb));
	if (object.len) {
		buf_add_string(out, " of ");
		escape_quoted(out, object.bytes, object.len);
	} else if (nameless(record)) {
		buf_printf(out, " of %s", nameless(record));
	}
	if (record->other.len) {
		buf_add_string(out, " as ");
		escape_quoted(out, record->other.bytes, record->other.len);
	}
}

static void rule_part(struct buf *out, const struct record *record)
{
	const struct record_layer *layer = record_deciding(record);

	if (!record->known) {
		buf_printf(out, ": a rule of generation %llu, whose policies are no longer known",
			   (unsigned long long)record->generation);
		return;
	}
	buf_add_string(out, ": policy ");
	escape_text(out, layer->policy ? layer->policy : "?", layer->policy ? strlen(layer->policy) : 1);
	if (layer->reason != LSMD_REASON_RULE && layer->reason != LSMD_REASON_DEFAULT) {
		buf_printf(out, ", %s", reason_text(layer->reason));
		return;
	}
	buf_add_string(out, layer->is_default ? ", default at " : ", rule at ");
	escape_text(out, layer->file ? layer->file : "?", layer->file ? strlen(layer->file) : 1);
	buf_printf(out, ":%u", layer->line);
	if (layer->note) {
		buf_add_string(out, " (");
		escape_text(out, layer->note, strlen(layer->note));
		buf_add_byte(out, ')');
	}
}

void record_sentence(struct buf *out, const struct record *record)
{
	buf_printf(out, "%s ", answer_name(record->answer));
	record_act(out, record);
	buf_add_string(out, record->answer == RECORD_DENIED ? " to " : " by ");
	escape_quoted(out, record->program.len ? record->program.bytes : record->comm.bytes,
		      record->program.len ? record->program.len : record->comm.len);
	buf_printf(out, " (pid %u, uid %u)", record->pid, record->uid);
	rule_part(out, record);
	if (record->repeats > 1 && record->mixed)
		buf_printf(out, ", and %llu more like this", (unsigned long long)record->repeats - 1);
	else if (record->repeats > 1)
		buf_printf(out, ", %llu times", (unsigned long long)record->repeats);
}
