// SPDX-License-Identifier: LGPL-2.1-or-later
/* Untrusted bytes to text; see escape.h for the forms. */
#include "agent/record/escape.h"

#include "agent/policy/text.h"

/* visible_len() - bytes of the character at the start that may be shown as it is; 0: the first byte may not */
static size_t visible_len(const char *bytes, size_t len)
{
	size_t n = utf8_len(bytes, len);

	return n && code_visible(utf8_code(bytes, n)) ? n : 0;
}

bool escape_plain(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = visible_len(bytes + i, len - i);

		if (!n || bytes[i] == '\\' || bytes[i] == '"')
			return false;
		i += n;
	}
	return true;
}

void escape_text(struct buf *out, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = visible_len(bytes + i, len - i);

		if (n && (bytes[i] == '\\' || bytes[i] == '"'))
			buf_add_byte(out, '\\');
		if (n)
			buf_add(out, bytes + i, n);
		else
			buf_printf(out, "\\x%02x", (unsigned char)bytes[i]);
		i += n ? n : 1;
	}
}

void escape_quoted(struct buf *out, const char *bytes, size_t len)
{
	buf_add_byte(out, '"');
	escape_text(out, bytes, len);
	buf_add_byte(out, '"');
}

void escape_hex(struct buf *out, const char *bytes, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < len; i++) {
		buf_add_byte(out, digits[(unsigned char)bytes[i] >> 4]);
		buf_add_byte(out, digits[(unsigned char)bytes[i] & 15]);
	}
}

/*
 * Mirrors audit_string_contains_control() in kernel/audit.c, which the readers of audit's log are written for; and
 * "'", which ends the message of a user record.
 */
static bool audit_plain(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] == '"' || bytes[i] == '\'' || bytes[i] < 0x21 || bytes[i] > 0x7e)
			return false;
	return len > 0;
}

void escape_audit(struct buf *out, const char *name, const char *bytes, size_t len)
{
	buf_printf(out, " %s=", name);
	if (!audit_plain(bytes, len) && len) {
		escape_hex(out, bytes, len);
		return;
	}
	buf_add_byte(out, '"');
	buf_add(out, bytes, len);
	buf_add_byte(out, '"');
}

/* Beside spaces and quotes, '=' and the brackets of the verb list would start something of their own. */
static bool word_plain(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] == '=' || bytes[i] == '{' || bytes[i] == '}')
			return false;
	return audit_plain(bytes, len);
}

void escape_audit_word(struct buf *out, const char *name, const char *bytes, size_t len)
{
	buf_printf(out, " %s=", name);
	if (word_plain(bytes, len))
		buf_add(out, bytes, len);
	else if (len)
		escape_hex(out, bytes, len);
	else
		buf_add_byte(out, '?');
}
