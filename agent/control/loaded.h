/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files behind a set as they were when it was loaded, and what has become of them since. */
#ifndef LSMD_CONTROL_LOADED_H
#define LSMD_CONTROL_LOADED_H

#include <jansson.h>

#include "agent/policy/set.h"

struct loaded;

/**
 * loaded_look() - the policy files that lie in the folders now, before a set is read from them
 * @options: borrowed for the call; its folders are looked at again by loaded_changes()
 * Return: 0, -ENOMEM
 */
int loaded_look(const struct policy_options *options, struct loaded **ret);

/** loaded_add() - what else the set was read from: abstractions. Return: 0, -ENOMEM */
int loaded_add(struct loaded *loaded, const struct policy_set *set);
void loaded_free(struct loaded *loaded);

/** loaded_stamp() - of the signature of the set that loaded_add() was given; serial 0: it had none. Borrowed */
const struct seal_stamp *loaded_stamp(const struct loaded *loaded);

/** loaded_n() - files in all */
size_t loaded_n(const struct loaded *loaded);

/**
 * loaded_changes() - {"changed": [paths], "new": […], "gone": […]}: what a reload would read otherwise
 * Return: new reference; NULL when memory ran out
 */
json_t *loaded_changes(const struct loaded *loaded);

#endif
