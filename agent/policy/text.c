/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes as people see them: nothing in a file may speak to a terminal or forge a line. */
#include <stdio.h>
#include <string.h>

#include "agent/policy/text.h"

size_t utf8_len(const char *bytes, size_t len)
{
	const unsigned char *b = (const unsigned char *)bytes;
	size_t n, i;

	if (!len)
		return 0;
	if (b[0] < 0x80)
		return 1;
	n = b[0] >= 0xc2 && b[0] < 0xe0 ? 2 : b[0] >= 0xe0 && b[0] < 0xf0 ? 3 : b[0] >= 0xf0 && b[0] < 0xf5 ? 4 : 0;
	if (!n || len < n)
		return 0;
	for (i = 1; i < n; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return 0;
	}
	/* Spelled longer than needed, a surrogate, or beyond U+10FFFF. */
	if ((b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] >= 0xa0) || (b[0] == 0xf0 && b[1] < 0x90) ||
	    (b[0] == 0xf4 && b[1] >= 0x90))
		return 0;
	return n;
}

uint32_t utf8_code(const char *bytes, size_t len)
{
	static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t code = (unsigned char)bytes[0] & masks[len];
	size_t i;

	for (i = 1; i < len; i++)
		code = code << 6 | ((unsigned char)bytes[i] & 0x3f);
	return code;
}

size_t utf8_put(uint32_t code, char *out)
{
	if (code < 0x80) {
		out[0] = code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = 0xc0 | code >> 6;
		out[1] = 0x80 | (code & 0x3f);
		return 2;
	}
	if (code < 0x10000) {
		out[0] = 0xe0 | code >> 12;
		out[1] = 0x80 | (code >> 6 & 0x3f);
		out[2] = 0x80 | (code & 0x3f);
		return 3;
	}
	out[0] = 0xf0 | code >> 18;
	out[1] = 0x80 | (code >> 12 & 0x3f);
	out[2] = 0x80 | (code >> 6 & 0x3f);
	out[3] = 0x80 | (code & 0x3f);
	return 4;
}

bool code_visible(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{ 0x0, 0x1f },	    { 0x7f, 0x9f },	{ 0xad, 0xad },	      { 0x61c, 0x61c },	  { 0x180e, 0x180e },
		{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },   { 0xfdd0, 0xfdef }, { 0xfeff, 0xfeff },
		{ 0xfff0, 0xfffb }, { 0xfffe, 0xffff }, { 0xe0000, 0xe0fff },
	};
	size_t i;

	for (i = 0; i < sizeof(hidden) / sizeof(*hidden); i++) {
		if (code >= hidden[i].first && code <= hidden[i].last)
			return false;
	}
	return (code & 0xfffe) != 0xfffe;
}

void text_add(struct buf *buf, const char *bytes, size_t len, size_t max)
{
	char escape[5];
	size_t at = 0, n, i;

	while (at < len) {
		n = utf8_len(bytes + at, len - at);
		if (at + (n ? n : 1) > max) {
			buf_add_string(buf, "…");
			return;
		}
		if (n && code_visible(utf8_code(bytes + at, n))) {
			buf_add(buf, bytes + at, n);
			at += n;
			continue;
		}
		for (i = 0; i < (n ? n : 1); i++, at++) {
			snprintf(escape, sizeof(escape), "\\x%02x", (unsigned char)bytes[at]);
			buf_add(buf, escape, 4);
		}
	}
}
