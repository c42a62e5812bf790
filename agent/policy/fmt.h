/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one way to write a policy file down: two spaces a level, keys in the order of lsmd-policy(5), a value on one line where it fits
 * into FMT_COLUMNS, else one member or item a line. Rules are a line each, however long. Lists keep their order; a list of one string where
 * a string may stand is that string. The values stay what they are.
 */
#ifndef LSMD_POLICY_FMT_H
#define LSMD_POLICY_FMT_H

#include "agent/policy/json.h"
#include "agent/util/buf.h"

#define FMT_COLUMNS 120

/** fmt_write() - a whole document, with a newline at the end. Return: 0, -ENOMEM. Writing what was written changes nothing */
int fmt_write(struct doc *doc, struct buf *out);

#endif
