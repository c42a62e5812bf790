/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The answer to `lsmctl status`, as JSON: from the kernel side alone, and what only the agent can add. */
#ifndef LSMD_CONTROL_STATUS_H
#define LSMD_CONTROL_STATUS_H

#include <jansson.h>

#include "agent/kernel/kernel.h"
#include "agent/record/recorder.h"

/**
 * status_kernel() - what the kernel side tells anyone who may open its pins
 * @ret: new reference: "enforcing", "generation", "set", "policies", "processes", "programs", "maps", "counters",
 *       "not_mediated", "limits"
 * Return: 0, -errno
 */
int status_kernel(struct kernel *kernel, json_t **ret);

/** status_records() - put "records" into @status: what became of events. Return: 0, -ENOMEM */
int status_records(json_t *status, const struct recorder *recorder);

/** status_limits() - what this version does not decide, whatever the kernel: new reference; NULL when memory ran out */
json_t *status_limits(void);

#endif
