/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the layers of a domain say of one object, as masks; for the parts of image_diff() that look at many of them. */
#ifndef LSMD_POLICY_DIFFER_SAID_H
#define LSMD_POLICY_DIFFER_SAID_H

#include "agent/policy/view-user.h"
#include "lsm/core/decide.h"

/* Of all layers together: what is refused, what audit layers would refuse, what kills. */
struct differ_said {
	uint32_t refused, audit, kill;
};

/* The verbs of @denied whose rule kills. */
static inline uint32_t said_kills(const struct lsmd_view *view, const struct lsmd_said *said, uint32_t denied)
{
	uint32_t kills = 0;

	for (unsigned int bit = 0; bit < 32; bit++) {
		lsmd_u32 rule = denied >> bit & 1 ? said_rule(view, said, bit, 1) : 0;

		if (view_record(view, rules, struct lsmd_rule, rule)->flags & LSMD_RULE_KILL)
			kills |= 1u << bit;
	}
	return kills;
}

/** differ_said_add() - one layer's word. Return: the verbs that it allows in the end */
static inline uint32_t differ_said_add(struct differ_said *all, const struct lsmd_view *view, uint32_t id,
				       const struct lsmd_said *said)
{
	const struct lsmd_layer *layer = view_record(view, layers, struct lsmd_layer, id);
	uint32_t allowed = said_effective(layer, said);

	if (layer->mode == LSMD_MODE_ENFORCE) {
		all->refused |= ~allowed;
		all->kill |= said_kills(view, said, said->cell[0].deny | said->cell[1].deny);
	} else {
		all->audit |= ~allowed;
	}
	return allowed;
}

/** differ_said_differs() - the verbs whose answer is not the same */
static inline uint32_t differ_said_differs(const struct differ_said all[2])
{
	/* What is refused is refused, whatever an audit layer says of it. */
	return (all[0].refused ^ all[1].refused) | (all[0].kill ^ all[1].kill) |
	       ((all[0].audit & ~all[0].refused) ^ (all[1].audit & ~all[1].refused));
}

#endif
