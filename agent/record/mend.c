// SPDX-License-Identifier: LGPL-2.1-or-later
/* From a refusal to the line of a policy that ends it. */
#include "agent/record/mend.h"

#include <string.h>

#include "agent/policy/names.h"
#include "agent/policy/text.h"
#include "agent/record/escape.h"
#include "agent/record/objname.h"

void pattern_add(struct buf *out, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = utf8_len(bytes + i, len - i);

		if (!n || !bytes[i]) {
			buf_add_byte(out, '?');
			i++;
			continue;
		}
		if (strchr("*?[]{}\\", bytes[i]) || (bytes[i] == '@' && i + 1 < len && bytes[i + 1] == '{'))
			buf_add_byte(out, '\\');
		buf_add(out, bytes + i, n);
		i += n;
	}
}

static void code_add(struct buf *out, uint32_t code)
{
	if (code >= 0x10000)
		buf_printf(out, "\\u%04x\\u%04x", 0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
	else
		buf_printf(out, "\\u%04x", code);
}

void json_quote(struct buf *out, const char *bytes, size_t len)
{
	buf_add_byte(out, '"');
	for (size_t i = 0; i < len;) {
		size_t n = utf8_len(bytes + i, len - i);
		uint32_t code = n ? utf8_code(bytes + i, n) : 0xfffd;

		if (!n || !code_visible(code)) {
			code_add(out, code);
		} else {
			if (bytes[i] == '"' || bytes[i] == '\\')
				buf_add_byte(out, '\\');
			buf_add(out, bytes + i, n);
		}
		i += n ? n : 1;
	}
	buf_add_byte(out, '"');
}

static void quoted_pattern_add(struct buf *out, const char *prefix, const char *bytes, size_t len)
{
	_cleanup_buf_ struct buf pattern = {};

	buf_add_string(&pattern, prefix);
	pattern_add(&pattern, bytes, len);
	json_quote(out, pattern.bytes, pattern.len);
}

/* The object as "path", "to" or "name" would hold it. */
static void object_value_add(struct buf *out, const struct record *record)
{
	_cleanup_buf_ struct buf name = {};

	object_add(&name, record);
	if (record->other.len) {
		buf_add_string(out, "[");
		quoted_pattern_add(out, "", record->object.bytes, record->object.len);
		buf_add_string(out, ", ");
		quoted_pattern_add(out, "", record->other.bytes, record->other.len);
		buf_add_string(out, "]");
	} else if (!name.len) {
		buf_add_string(out, "\"*\"");
	} else if (record->object_kind == LSMD_OBJECT_ABSTRACT) {
		quoted_pattern_add(out, "unix:@", record->object.bytes, record->object.len);
	} else if (record->object_kind == LSMD_OBJECT_PATH) {
		quoted_pattern_add(out, name.len > record->object.len ? "unix:" : "", record->object.bytes, record->object.len);
	} else {
		json_quote(out, name.bytes, name.len);
	}
}

void rule_add(struct buf *out, uint32_t verb, const struct record *record)
{
	static const char *const keys[] = { [VERB_PATH] = "path", [VERB_TO] = "to", [VERB_NAME] = "name" };

	buf_printf(out, "{ \"allow\": \"%s\", \"%s\": ", verb_name(verb), verb < LSMD_N_VERBS ? keys[verbs[verb].object] : "name");
	object_value_add(out, record);
	buf_add_string(out, " }");
}

static void file_add(struct buf *out, const struct record_layer *layer)
{
	if (layer->file)
		escape_text(out, layer->file, strlen(layer->file));
	else
		buf_add_string(out, "the policy");
}

static void layer_mend(struct buf *out, const struct record *record, const struct record_layer *layer)
{
	if (out->len)
		buf_add_byte(out, '\n');
	if (layer->reason == LSMD_REASON_DEFAULT) {
		buf_add_string(out, "add to ");
		file_add(out, layer);
		buf_add_string(out, ": ");
		rule_add(out, layer->verb, record);
	} else if (layer->reason == LSMD_REASON_RULE) {
		buf_add_string(out, "remove or narrow the deny at ");
		file_add(out, layer);
		buf_printf(out, ":%u; no allow beats it", layer->line);
	} else {
		buf_printf(out, "no rule can allow it: %s (lsmd-policy(5), UNDECIDED)", reason_text(layer->reason));
	}
}

void mend_add(struct buf *out, const struct record *record)
{
	if (!record->known)
		return;
	for (size_t i = 0; i < record->n_layers; i++)
		if (record->layers[i].verdict == LSMD_VERDICT_DENY)
			layer_mend(out, record, &record->layers[i]);
}
