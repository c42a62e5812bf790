/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets, questions and answers as people write them: what a difference between two engines is shown with. */
#ifndef LSMD_TESTS_ENGINE_PRINT_H
#define LSMD_TESTS_ENGINE_PRINT_H

#include <stdio.h>

#include "agent/policy/ask.h"
#include "agent/policy/policy.h"

/** policy_print() - as a policy file; reading it again gives a policy of the same meaning */
void policy_print(const struct policy *policy, FILE *out);

/** ask_print() - columns "subject access object" of a case table; a question that no table can ask has words behind */
void ask_print(const struct ask *ask, FILE *out);

/** answer_print() - one layer's; @answer numbers rules as the oracle does */
void answer_print(const struct policy_set *set, const struct lsmd_answer *answer, FILE *out);

/**
 * answer_by() - what stands in the column "by" for one layer's answer: FILE:LINE, FILE:default, or a reason
 * @out: where it is put, NUL-terminated; as much as fits into @size bytes
 */
void answer_by(const struct policy_set *set, const struct lsmd_answer *answer, char *out, size_t size);

#endif
