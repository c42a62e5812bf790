/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a reload changes, as text: policies and rules that come and go. A rule is told by its verbs, object and flags, not
 * by its line, so that a moved rule is no change. What changes in meaning is another question (`lsmctl diff`).
 */
#ifndef LSMD_CONTROL_CHANGES_H
#define LSMD_CONTROL_CHANGES_H

#include <jansson.h>

#include "agent/policy/policy.h"

/* Rules of one policy that are listed each way; what is more is counted. */
#define CHANGES_LISTED_MAX 50
/* Objects of all rules up to which a summary keeps their texts; of a larger set it keeps hashes and lines. */
#define SUMMARY_TEXTS_MAX 50000

struct summary;

/** summary_new() - of a set, borrowed for the call. Return: 0, -ENOMEM */
int summary_new(const struct policy_set *set, struct summary **ret);
void summary_free(struct summary *summary);

/**
 * changes_json() - {"policies_added": […], "policies_removed": […], "policies": [{"name", "changed", "added", "removed", …}]}
 * @before: NULL: not known (an earlier agent loaded what is in force): {"unknown": true}
 * Return: new reference; NULL when memory ran out
 */
json_t *changes_json(const struct summary *before, const struct summary *after);

#endif
