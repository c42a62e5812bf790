/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A set and a question that show a difference, made as small as still shows it. */
#ifndef LSMD_TESTS_ENGINE_SHRINK_H
#define LSMD_TESTS_ENGINE_SHRINK_H

#include "agent/policy/ask.h"
#include "agent/policy/policy.h"

/* Does the difference show? */
typedef bool shrink_test(const struct policy_set *set, const struct ask *ask, void *context);

/**
 * shrink() - leave out policies, rules, objects, programs and verbs as long as @test holds
 * @set: changed in place, the arrays it points to too; nothing is freed
 */
void shrink(struct policy_set *set, struct ask *ask, shrink_test *test, void *context);

#endif
