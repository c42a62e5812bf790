/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The answer to `lsmctl status`, as JSON: from the kernel side alone, and what only the agent can add. */
#ifndef LSMD_CONTROL_STATUS_H
#define LSMD_CONTROL_STATUS_H

#include <jansson.h>

#include "agent/kernel/kernel.h"
#include "agent/record/recorder.h"

/**
 * status_kernel() - what the kernel side tells anyone who may open its pins
 * @recorder: the running agent's; NULL: none runs
 * @ret: new reference: "enforcing", "generation", "set", "policies", "processes", "programs", "maps", "counters", "records",
 *       "not_mediated", "limits"
 * Return: 0, -errno
 */
int status_kernel(struct kernel *kernel, const struct recorder *recorder, json_t **ret);

/* Rules that decided anything, told at most. */
#define STATUS_RULES_MAX 10000

/** status_rules() - put "rules" into @status: those of the image in force that decided anything. Return: 0, -ENOMEM */
int status_rules(json_t *status, struct kernel *kernel);

/** status_sinks() - put "sinks" into the "records" of @status: what became of records. Return: 0, -ENOMEM */
int status_sinks(json_t *status, const struct recorder *recorder);

/** status_limits() - what this version does not decide, whatever the kernel: new reference; NULL when memory ran out */
json_t *status_limits(void);

#endif
