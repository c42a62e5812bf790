/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* May a text stand as a pattern? Its form is glob.h's; here is what could never match, or means another thing. */
#ifndef LSMD_POLICY_PATTERN_H
#define LSMD_POLICY_PATTERN_H

#include "agent/policy/object.h"

enum {
	PATTERN_REFUSED = 1, /* why is in the diags */
};

/**
 * pattern_check() - a pattern over names
 * @text:     what was read at @spot; the pattern is what follows its first @skip bytes
 * @abstract: over abstract names of sockets: these need not be absolute
 * Return: 0, PATTERN_REFUSED
 */
int pattern_check(const struct spot *spot, const struct text *text, size_t skip, bool abstract);

/** pattern_literal() - bytes at the start of a pattern in which nothing is special: all of it when it is one name */
size_t pattern_literal(const char *pattern, size_t len);

#endif
