/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can only be said of a whole policy, or of the whole set. */
#ifndef LSMD_POLICY_CHECK_H
#define LSMD_POLICY_CHECK_H

#include "agent/policy/set.h"

/**
 * set_check() - names and keys that two policies share, and all of the checks below
 * @set: sorted by name
 * Return: 0 (what was found is in the diags), -ENOMEM
 */
int set_check(const struct policy_set *set, const struct policy_options *options, struct diags *diags);

/** lockout_check() - a policy that would hold PID 1, login sessions, lsmd or lsmctl (MEANING.md 27). Return: the same */
int lockout_check(const struct policy *policy, bool force, struct diags *diags);

/**
 * overlap_check() - rules that allow nothing since the same is denied, that say again what is said, and what may be
 * both written and executed
 * Linear in rules and the depth of their names. Objects are compared as they are written; a directory also covers the
 * names that are written out below it.
 */
int overlap_check(const struct policy_set *set, const struct policy *policy, struct diags *diags);

/**
 * deputies_check() - rules that grant what makes another process act for the program: sockets of service managers, tables
 * of cron, keys of ssh, …
 */
int deputies_check(const struct policy *policy, struct diags *diags);

/* Names looked at by links_check() in all policies; the rest is not, and a warning says so. */
#define LINKS_LOOKS_MAX 200000

/**
 * links_check() - names that are symbolic links on this machine, or lie behind one: names are those after links
 * (MEANING.md 11), so such a rule would never fire
 */
int links_check(const struct policy_set *set, struct diags *diags);

#endif
