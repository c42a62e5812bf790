/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What verbs act on that have neither file nor address: "name" in a rule. A name is one to three parts joined by ':', each a word or a
 * number, from the wide to the narrow, and means all that goes on with it: "netlink" is every netlink socket, "netlink:route" those
 * of one protocol. In an image, and in what a hook asks, it is a path of numbers: "/00000010/00000000".
 */
#ifndef LSMD_POLICY_NAMED_H
#define LSMD_POLICY_NAMED_H

#include <stddef.h>
#include <stdint.h>

#include "agent/policy/object.h"
#include "agent/util/buf.h"

#define NAMED_PARTS_MAX 3
/* Bytes of the path: a slash and eight digits a part. */
#define NAMED_LEN_MAX (NAMED_PARTS_MAX * (1 + LSMD_NAME_DIGITS))

enum {
	NAMED_REFUSED = 1,
};

/**
 * named_read() - the path of a name
 * @spot:   for diagnostics; NULL: none are wanted
 * @access: verbs of the rule; a name other than "*", which is not read here, needs a single one
 * Return: 0, NAMED_REFUSED
 */
int named_read(const struct spot *spot, uint32_t access, const char *text, size_t len, char ret[NAMED_LEN_MAX],
	       size_t *ret_len);

/** named_text() - a path as a rule of @verb would write it: words where there are any */
void named_text(struct buf *out, unsigned int verb, const char *path, size_t len);

#endif
