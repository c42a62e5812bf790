/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The agent's numbers as metrics: `lsmctl metrics`, and the file for a collector of text files. */
#ifndef LSMD_RECORD_METRICS_H
#define LSMD_RECORD_METRICS_H

#include <jansson.h>

#include "agent/util/buf.h"

enum metrics_form {
	METRICS_OPEN, /* OpenMetrics 1.0 */
	METRICS_TEXT, /* Prometheus text format 0.0.4, which differs in the names of counters and has no end */
};

/** metrics_add() - @status: the answer to "status" with "rules" (agent/control/status.h), borrowed */
void metrics_add(struct buf *out, const json_t *status, enum metrics_form form);

/** metrics_write() - text format to @path, whole or not at all. Return: 0, -errno */
int metrics_write(const char *path, const json_t *status);

#endif
