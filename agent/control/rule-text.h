/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules as one line of text. */
#ifndef LSMD_CONTROL_RULE_TEXT_H
#define LSMD_CONTROL_RULE_TEXT_H

#include <stdint.h>

#include "agent/policy/policy.h"
#include "agent/util/buf.h"

/** verbs_add() - "read, write" */
void verbs_add(struct buf *out, uint32_t access);

/** object_text_add() - a rule's object as a policy writes it; untrusted bytes escaped */
void object_text_add(struct buf *out, const struct object *object);

/**
 * object_texts() - every name that the object stands for, braces written out, as object_text_add() does; others are one
 * @each: called with each; what it returns, if not 0, ends it and is returned
 * Return: 0, -ENOMEM
 */
int object_texts(const struct object *object, int (*each)(void *data, const char *text), void *data);

/** rule_text_add() - "deny read /etc/shadow (kill, silent)" for one object of a rule */
void rule_text_add(struct buf *out, const struct rule *rule, const struct object *object);

#endif
