/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Patterns as the front end needs them: is it one, what does it begin with, does it name this. Their form is glob.h's. */
#ifndef LSMD_POLICY_PATTERN_H
#define LSMD_POLICY_PATTERN_H

#include "agent/policy/glob.h"
#include "agent/policy/object.h"
#include "agent/util/buf.h"

enum {
	PATTERN_REFUSED = 1, /* why is in the diags */
};

/**
 * pattern_check() - a pattern over names
 * @text:     what was read at @spot; the pattern is what follows its first @skip bytes
 * @abstract: over abstract names of sockets
 * Return: 0, PATTERN_REFUSED, -ENOMEM
 */
int pattern_check(const struct spot *spot, const struct text *text, size_t skip, bool abstract);

/** pattern_literal() - bytes at the start of a pattern in which nothing is special: all of it when it is one name */
size_t pattern_literal(const char *pattern, size_t len);

/**
 * pattern_match() - does a pattern, checked before, name this file? For a few names: nothing is kept
 * Return: 1, 0, -ENOMEM
 */
int pattern_match(const char *pattern, size_t len, const char *name);

/** pattern_spell() - one name of a pattern, its braces written out, as a pattern again; bytes as they are */
void pattern_spell(const struct glob *glob, const struct glob_name *name, struct buf *out);

#endif
