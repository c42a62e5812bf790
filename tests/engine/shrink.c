// SPDX-License-Identifier: LGPL-2.1-or-later
/* Leaving out one thing after the other; whatever makes the difference vanish is put back. */
#include "tests/engine/shrink.h"

#include <stdlib.h>
#include <string.h>

#include "agent/util/cleanup.h"

struct shrinking {
	struct policy_set *set;
	struct ask *ask;
	shrink_test *test;
	void *context;
};

static bool still_shows(const struct shrinking *s)
{
	return s->test(s->set, s->ask, s->context);
}

/* Each item of an array in turn, the last first. At least @least stay. True when some were left out. */
static bool array_shrink(const struct shrinking *s, void *items, size_t *n, size_t size, size_t least)
{
	_cleanup_free_ char *kept = malloc(size);
	bool changed = false;

	for (size_t i = *n; kept && i > 0 && *n > least; i--) {
		char *at = (char *)items + (i - 1) * size;
		size_t behind = (*n - i) * size;

		memcpy(kept, at, size);
		memmove(at, at + size, behind);
		--*n;
		if (still_shows(s)) {
			changed = true;
			continue;
		}
		++*n;
		memmove(at + size, at, behind);
		memcpy(at, kept, size);
	}
	return changed;
}

static bool policy_shrink(const struct shrinking *s, struct policy *policy)
{
	bool changed = array_shrink(s, policy->rules, &policy->n_rules, sizeof(*policy->rules), 0);

	changed |= array_shrink(s, policy->exes, &policy->n_exes, sizeof(*policy->exes), policy->n_exes ? 1 : 0);
	changed |= array_shrink(s, policy->units, &policy->n_units, sizeof(*policy->units), !policy->n_exes);
	changed |= array_shrink(s, policy->cgroups, &policy->n_cgroups, sizeof(*policy->cgroups), !policy->n_exes);
	changed |= array_shrink(s, policy->uids, &policy->n_uids, sizeof(*policy->uids), !policy->n_exes);
	changed |= array_shrink(s, policy->gids, &policy->n_gids, sizeof(*policy->gids), !policy->n_exes);
	for (size_t i = 0; i < policy->n_rules; i++) {
		struct rule *rule = &policy->rules[i];

		changed |= array_shrink(s, rule->objects, &rule->n_objects, sizeof(*rule->objects), 1);
	}
	return changed;
}

/* Bits of a mask, as long as some stay. */
static bool mask_shrink(const struct shrinking *s, uint32_t *mask, bool empty)
{
	bool changed = false;

	for (unsigned int bit = 0; bit < 32; bit++) {
		uint32_t less = *mask & ~(1u << bit);
		uint32_t kept = *mask;

		if (less == kept || (!less && !empty))
			continue;
		*mask = less;
		if (still_shows(s))
			changed = true;
		else
			*mask = kept;
	}
	return changed;
}

static bool masks_shrink(const struct shrinking *s)
{
	/* Of two names the one verb stays, and a device stays one. */
	bool changed = s->ask->other.len == 0 && mask_shrink(s, &s->ask->wanted, false);

	for (size_t i = 0; i < s->set->n_policies; i++)
		changed |= mask_shrink(s, &s->set->policies[i].default_deny, true);
	return changed;
}

void shrink(struct policy_set *set, struct ask *ask, shrink_test *test, void *context)
{
	const struct shrinking s = { set, ask, test, context };
	bool changed = true;

	while (changed) {
		changed = array_shrink(&s, set->policies, &set->n_policies, sizeof(*set->policies), 1);
		changed |= array_shrink(&s, ask->programs, &ask->n_programs, sizeof(*ask->programs), 1);
		for (size_t i = 0; i < set->n_policies; i++)
			changed |= policy_shrink(&s, &set->policies[i]);
		changed |= masks_shrink(&s);
	}
}
