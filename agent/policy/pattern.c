/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Patterns as the front end needs them. */
#include <errno.h>
#include <string.h>

#include "agent/policy/glob.h"
#include "agent/policy/pattern.h"
#include "agent/util/buf.h"

/* Bytes of a name that pattern_match() takes. */
#define MATCH_LEN_MAX 62

size_t pattern_literal(const char *pattern, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (memchr("*?[]{}\\", pattern[i], 7))
			return i;
	}
	return len;
}

/* What to write in a file is JSON, where a backslash is written twice. */
static void mend_spell(const char *mend, struct buf *buf)
{
	for (; *mend; mend++) {
		if (*mend == '\\')
			buf_add_byte(buf, '\\');
		buf_add_byte(buf, *mend);
	}
}

int pattern_check(const struct spot *spot, const struct text *text, size_t skip, bool abstract)
{
	_cleanup_buf_ struct buf mend = {};
	struct glob_error error = {};
	int r = glob_check(text->bytes + skip, text->len - skip, abstract ? GLOB_ABSTRACT : GLOB_PATH, &error);

	if (r <= 0)
		return r;
	if (error.mend)
		mend_spell(error.mend, &mend);
	diag_add(spot->diags, DIAG_ERROR, "bad-pattern", spot_place(spot, skip + error.offset, error.len), mend.bytes,
		 "%s", error.message);
	return PATTERN_REFUSED;
}

/* Bit p of a set of ends: the items so far can match the first p bytes of the name. */
static uint64_t ends_run(const char *name, size_t len, uint64_t ends, bool slashes)
{
	size_t p;

	for (p = 0; p < len; p++) {
		if (ends >> p & 1 && (slashes || name[p] != '/'))
			ends |= 1ull << (p + 1);
	}
	return ends;
}

static bool item_takes(const struct glob *glob, uint16_t item, unsigned char byte)
{
	if (item == GLOB_ANY)
		return byte != '/';
	if (item >= GLOB_SET)
		return glob->sets[item - GLOB_SET].bits[byte / 64] >> byte % 64 & 1;
	return item == byte;
}

static uint64_t ends_step(const struct glob *glob, uint16_t item, const char *name, size_t len, uint64_t ends)
{
	uint64_t next = 0, deep;
	size_t p;

	switch (item) {
	case GLOB_STAR:
		return ends_run(name, len, ends, false);
	case GLOB_DEEP:
		return ends_run(name, len, ends, true);
	case GLOB_DEEP_SLASH:
		deep = ends_run(name, len, ends, true);
		for (p = 0; p < len; p++)
			next |= deep >> p & 1 && name[p] == '/' ? 1ull << (p + 1) : 0;
		return next | ends;
	default:
		for (p = 0; p < len; p++)
			next |= ends >> p & 1 && item_takes(glob, item, name[p]) ? 1ull << (p + 1) : 0;
		return next;
	}
}

static uint64_t name_ends(const struct glob *glob, const struct glob_name *pattern, const char *name, size_t len)
{
	uint64_t ends = 1;
	uint32_t i;

	if (!pattern->n)
		return ends; /* the root, before the slash */
	if (pattern->literal) {
		bool begins = pattern->n <= len && !memcmp(glob->bytes + pattern->first, name, pattern->n);

		return begins ? 1ull << pattern->n : 0;
	}
	for (i = 0; i < pattern->n && ends; i++)
		ends = ends_step(glob, glob->items[pattern->first + i], name, len, ends);
	return ends;
}

static bool name_match(const struct glob *glob, const struct glob_name *pattern, const char *name, size_t len)
{
	uint64_t ends = name_ends(glob, pattern, name, len);
	size_t p;

	if (ends >> len & 1 && pattern->form != GLOB_BELOW)
		return true;
	for (p = 0; p < len && pattern->form != GLOB_EXACT; p++) {
		if (ends >> p & 1 && name[p] == '/' && (pattern->form == GLOB_SUBTREE || p + 1 < len))
			return true;
	}
	return false;
}

int pattern_match(const char *pattern, size_t len, const char *name)
{
	struct glob glob = {};
	size_t name_len = strlen(name), i;
	int r = name_len > MATCH_LEN_MAX ? -EINVAL : glob_read(&glob, pattern, len, GLOB_PATH, NULL);
	bool matches = false;

	for (i = 0; i < glob.n_names && !r; i++)
		matches |= name_match(&glob, &glob.names[i], name, name_len);
	glob_clear(&glob);
	return r ? (r < 0 ? r : -EINVAL) : matches;
}

/* A byte that stands for itself. */
static void byte_spell(unsigned char byte, struct buf *out)
{
	if (memchr("*?[]{}\\", byte, 7))
		buf_add_byte(out, '\\');
	buf_add_byte(out, byte);
}

/* Of a range the first and the last; those that could not be read are numbers. */
static void end_spell(unsigned int byte, struct buf *out)
{
	if (byte <= ' ' || byte >= 0x7f)
		buf_printf(out, "\\x%02x", byte);
	else if (memchr("!^-]\\", (int)byte, 5))
		buf_printf(out, "\\%c", byte);
	else
		buf_add_byte(out, byte);
}

static bool set_has(const struct glob_set *set, unsigned int byte)
{
	return byte < 256 && set->bits[byte / 64] >> byte % 64 & 1;
}

static void set_spell(const struct glob_set *set, struct buf *out)
{
	unsigned int first, last;

	buf_add_byte(out, '[');
	for (first = 0; first < 256; first = last + 1) {
		last = first;
		if (!set_has(set, first))
			continue;
		while (set_has(set, last + 1))
			last++;
		end_spell(first, out);
		if (last > first + 1)
			buf_add_byte(out, '-');
		if (last > first)
			end_spell(last, out);
	}
	buf_add_byte(out, ']');
}

static void item_spell(const struct glob *glob, uint16_t item, struct buf *out)
{
	if (item < GLOB_ANY)
		byte_spell(item, out);
	else if (item >= GLOB_SET)
		set_spell(&glob->sets[item - GLOB_SET], out);
	else
		buf_add_string(out, item == GLOB_ANY ? "?" : item == GLOB_STAR ? "*" : item == GLOB_DEEP ? "**" : "**/");
}

void pattern_spell(const struct glob *glob, const struct glob_name *name, struct buf *out)
{
	uint32_t i;

	for (i = 0; i < name->n; i++) {
		if (name->literal)
			byte_spell(glob->bytes[name->first + i], out);
		else
			item_spell(glob, glob->items[name->first + i], out);
	}
	if (name->form == GLOB_SUBTREE || (name->form == GLOB_EXACT && !name->n))
		buf_add_byte(out, '/');
	else if (name->form == GLOB_BELOW)
		buf_add_string(out, "/**");
}
