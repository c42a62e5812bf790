/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which files make a set: folders listed, the administrator's over the vendor's, drop-ins to what they add to. */
#ifndef LSMD_POLICY_COLLECT_H
#define LSMD_POLICY_COLLECT_H

#include "agent/policy/set.h"
#include "agent/policy/source.h"

/* A file that a folder holds, or that was named. */
struct entry {
	char *path;
	const char *name; /* its last component, inside path */
	unsigned rank; /* of two with one name the higher one stands */
	bool masked;
};

struct entries {
	struct entry *items;
	size_t n;
	size_t capacity;
};

/**
 * policies_collect() - the policy files of a set, sorted, each once, masked ones left out
 * @files: receives a name for each folder or file that is wrong
 * Return: 0 (what is wrong is in the diags), -ENOMEM
 */
int policies_collect(const struct policy_options *options, struct files *files, struct diags *diags,
		     struct entries *ret);

/** drop_ins_collect() - those of one policy, sorted by name. Return: as above */
int drop_ins_collect(const struct policy_options *options, const struct entry *policy, struct files *files,
		     struct diags *diags, struct entries *ret);

void entries_free(struct entries *entries);

#endif
