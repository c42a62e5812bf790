/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* May a text stand as a pattern? */
#include <string.h>

#include "agent/policy/pattern.h"

static int refuse(const struct spot *spot, size_t off, size_t len, const char *code, const char *mend, const char *message)
{
	diag_add(spot->diags, DIAG_ERROR, code, spot_place(spot, off, len), mend, "%s", message);
	return PATTERN_REFUSED;
}

size_t pattern_literal(const char *pattern, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (memchr("*?[]{}\\", pattern[i], 7))
			return i;
	}
	return len;
}

/* Components that no name has. @off is where the pattern begins in the text. */
static int components_check(const struct spot *spot, const char *pattern, size_t len, size_t off)
{
	const char *slash = pattern, *next;
	size_t n;

	for (; slash; slash = next) {
		next = memchr(slash + 1, '/', pattern + len - slash - 1);
		n = (next ? next : pattern + len) - slash - 1;
		if (!n && next)
			return refuse(spot, off + (slash - pattern), 2, "pattern-impossible", "write one '/'",
				      "no name has two slashes in a row: this would match nothing");
		if ((n == 1 && slash[1] == '.') || (n == 2 && slash[1] == '.' && slash[2] == '.'))
			return refuse(spot, off + (slash - pattern) + 1, n, "pattern-impossible",
				      "write the name without it", "names have no '.' and '..': this would match nothing");
	}
	return 0;
}

int pattern_check(const struct spot *spot, const struct text *text, size_t skip, bool abstract)
{
	const char *pattern = text->bytes + skip;
	size_t len = text->len - skip;

	if (!len)
		return refuse(spot, 0, text->len, "pattern-empty", NULL, "this names nothing");
	if (len > PATTERN_LEN_MAX)
		return refuse(spot, skip, len, "pattern-too-long", NULL, "no name is as long as this pattern");
	if (abstract)
		return 0;
	if (pattern[0] != '/')
		return refuse(spot, skip, len, "pattern-relative", "begin it with '/', or with a variable whose values do",
			      "a pattern names absolute paths");
	return components_check(spot, pattern, len, skip);
}
