/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of image_diff() share; nobody else includes it. */
#ifndef LSMD_POLICY_DIFFER_H
#define LSMD_POLICY_DIFFER_H

#include "agent/policy/dedupe.h"
#include "agent/policy/diff.h"
#include "agent/policy/walk.h"
#include "lsm/abi/access.h"

#define DIFFER_ADDRESSED \
	(LSMD_ACCESS_CONNECT | LSMD_ACCESS_SEND | LSMD_ACCESS_BIND | LSMD_ACCESS_LISTEN | LSMD_ACCESS_ACCEPT)
/* Verbs that act on names of files. */
#define DIFFER_NAMED (LSMD_ACCESS_FILES | LSMD_ACCESS_DEVICES | LSMD_ACCESS_EXEC | LSMD_ACCESS_MAP)

struct differ {
	const struct lsmd_image_header *images[2]; /* before, after */
	struct nodes_index indices[2];
	struct diff *diff;
	uint32_t domain; /* that is being compared */
};

/** differ_give_up() - say that not everything was looked at */
void differ_give_up(struct differ *differ, const char *why);

/**
 * differ_ask() - ask lsm/core on both sides; a difference is added to the diff
 * @last: of an address, the end of the range
 * Return: 1: they differ, 0: they do not, or it cannot be asked, -ENOMEM
 */
int differ_ask(struct differ *differ, const struct ask *ask, const struct lsmd_address *last);

/** differ_names(), differ_addresses() - of the domain: names of files and sockets; internet addresses. Return: 0, -ENOMEM */
int differ_names(struct differ *differ);
int differ_addresses(struct differ *differ);

#endif
