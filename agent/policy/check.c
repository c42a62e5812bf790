/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can only be said of a whole policy, or of the whole set. */
#include "agent/policy/check.h"

static void names_check(const struct policy_set *set, struct diags *diags)
{
	size_t i;

	for (i = 1; i < set->n_policies; i++) {
		const struct policy *first = &set->policies[i - 1], *again = &set->policies[i];

		if (__builtin_strcmp(first->name, again->name))
			continue;
		diag_add(diags, DIAG_ERROR, "duplicate-name", again->place, "give one of them another name",
			 "two policies have the name '%s': the other one is %s", again->name,
			 set->files[first->place.file].name);
	}
}

int set_check(const struct policy_set *set, const struct policy_options *options, struct diags *diags)
{
	names_check(set, diags);
	return 0;
}
