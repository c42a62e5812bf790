/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can only be said of a whole policy, or of the whole set. */
#ifndef LSMD_POLICY_CHECK_H
#define LSMD_POLICY_CHECK_H

#include "agent/policy/set.h"

/**
 * set_check() - names and keys that two policies share, lock-outs, rules that do nothing or too much
 * @set: sorted by name
 * Return: 0 (what was found is in the diags), -ENOMEM
 */
int set_check(const struct policy_set *set, const struct policy_options *options, struct diags *diags);

#endif
