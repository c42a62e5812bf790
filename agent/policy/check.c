/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can only be said of the whole set. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/check.h"
#include "agent/util/cleanup.h"

static void names_check(const struct policy_set *set, struct diags *diags)
{
	size_t i;

	for (i = 1; i < set->n_policies; i++) {
		const struct policy *first = &set->policies[i - 1], *again = &set->policies[i];

		if (strcmp(first->name, again->name))
			continue;
		diag_add(diags, DIAG_ERROR, "duplicate-name", again->place, "give one of them another name, or try one in audit mode beside the other",
			 "two policies have the name '%s'; the other one is %s", again->name,
			 set->files[first->place.file].name);
	}
}

struct keyed {
	uint64_t key;
	const struct policy *policy;
};

static int keyed_compare(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return strcmp(x->policy->name, y->policy->name);
}

/* Labels remember the key, not the name. */
static int keys_check(const struct policy_set *set, struct diags *diags)
{
	_cleanup_free_ struct keyed *keys = calloc(set->n_policies + 1, sizeof(*keys));
	size_t i;

	if (!keys)
		return -ENOMEM;
	for (i = 0; i < set->n_policies; i++)
		keys[i] = (struct keyed){ lsmd_policy_key(set->policies[i].name), &set->policies[i] };
	if (set->n_policies)
		qsort(keys, set->n_policies, sizeof(*keys), keyed_compare);
	for (i = 1; i < set->n_policies; i++) {
		if (keys[i].key != keys[i - 1].key || !strcmp(keys[i].policy->name, keys[i - 1].policy->name))
			continue;
		diag_add(diags, DIAG_ERROR, "key-collision", keys[i].policy->place, "give one of them another name",
			 "the names '%s' and '%s' share the key that labels remember", keys[i - 1].policy->name,
			 keys[i].policy->name);
	}
	return 0;
}

int set_check(const struct policy_set *set, const struct policy_options *options, struct diags *diags)
{
	size_t i;
	int r;

	names_check(set, diags);
	r = keys_check(set, diags);
	for (i = 0; i < set->n_policies && !r; i++) {
		r = lockout_check(&set->policies[i], options->force, diags);
		if (!r)
			r = overlap_check(set, &set->policies[i], diags);
		if (!r)
			r = deputies_check(&set->policies[i], diags);
	}
	return !r && options->look ? links_check(set, diags) : r;
}
