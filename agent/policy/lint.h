/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can only be said of a policy once it is compiled: asked of every name that its rules tell apart (walk.h). */
#ifndef LSMD_POLICY_LINT_H
#define LSMD_POLICY_LINT_H

#include "agent/policy/diag.h"
#include "agent/policy/policy.h"
#include "lsm/abi/image.h"

/* Of one policy; larger ones are not looked at. */
#define LINT_RULES_MAX 5000
#define LINT_STATES_MAX 100000

/**
 * image_lint() - rules that decide no access whatever, since others deny or say all of it; names that may be both written and executed
 * where patterns meet. What set_check() found already is not said again.
 * @set, @image: the one was made from the other
 * Return: 0 (what was found is in the diags), -ENOMEM
 */
int image_lint(const struct policy_set *set, const struct lsmd_image_header *image, struct diags *diags);

#endif
