/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Users and groups of a subject: names, numbers and ranges to sorted, disjoint ranges of numbers. */
#ifndef LSMD_POLICY_IDS_H
#define LSMD_POLICY_IDS_H

#include "agent/policy/object.h"

enum ids_kind {
	IDS_USERS,
	IDS_GROUPS,
};

enum {
	IDS_REFUSED = 1, /* why is in the diags */
};

/* Names that one policy may ask the machine about: each reads its list of users. */
#define IDS_ASKED_MAX 2000

/**
 * ids_read() - all that a string, a number, or a list of them names
 * @ret: in reader->memory
 * Return: 0, IDS_REFUSED, -ENOMEM. A name that the machine does not know is an error: the policy would hold fewer than it says.
 */
int ids_read(struct reader *reader, struct doc *doc, uint32_t value, enum ids_kind kind, struct lsmd_ids **ret, size_t *ret_n);

#endif
