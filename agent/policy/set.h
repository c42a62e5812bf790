/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From files and folders to a checked set of policies: what `lsmctl check`, `lsmctl reload` and the agent call.
 * A set is good or it is refused as a whole (MEANING.md 25).
 */
#ifndef LSMD_POLICY_SET_H
#define LSMD_POLICY_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/policy/diag.h"
#include "agent/policy/policy.h"

#define POLICY_VENDOR_DIR "/usr/share/lsmd/policies.d"
#define POLICY_ADMIN_DIR "/etc/lsmd/policies.d"

/* Where to look, and how closely. All zero is what the agent starts with. */
struct policy_options {
	/*
	 * Files, and folders of *.json (a folder's NAME.json.d/ *.json add rules to NAME.json). None: the two folders below,
	 * where a file of the same name in admin_dir replaces the vendor's, and a link to /dev/null masks it.
	 */
	const char *const *paths;
	size_t n_paths;
	const char *vendor_dir; /* NULL: POLICY_VENDOR_DIR; a folder that is not there is empty */
	const char *admin_dir; /* NULL: POLICY_ADMIN_DIR */
	/* Where abstractions are looked for; none: /etc/lsmd/abstractions, /usr/share/lsmd/abstractions. */
	const char *const *abstraction_dirs;
	size_t n_abstraction_dirs;
	const struct seal_want *want; /* who has to have signed the set; NULL: nobody */
	bool force; /* a set that holds PID 1, sshd, login, lsmd or lsmctl is only warned of */
	bool look; /* look at this machine's file system: names that are symbolic links are warned of */
	bool text_drop; /* do not keep the files' text after a set is made: messages then show no source lines */
};

enum {
	POLICY_SET_REFUSED = 1, /* why is in the diags */
};

/**
 * policy_set_load() - read, parse, expand and check
 * @diags: receives all that is wrong, errors and warnings, of all files; sorted
 * @ret:   owned by the caller, policy_set_free(). Written on 0 and on POLICY_SET_REFUSED; a refused set holds the names and
 *         texts of the files, for diags_print(), `refused` is set and it has no policies.
 * Return: 0, POLICY_SET_REFUSED, -ENOMEM. The same files give the same set, in whatever order they were named.
 */
int policy_set_load(const struct policy_options *options, struct diags *diags, struct policy_set **ret);

#endif
