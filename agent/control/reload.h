/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reloads of the policies, one after the other. Reading and compiling happen in a thread, so that events and clients go on;
 * the swap itself in the agent's own.
 */
#ifndef LSMD_CONTROL_RELOAD_H
#define LSMD_CONTROL_RELOAD_H

#include <stdbool.h>

#include "agent/control/agent.h"

/* Reloads waiting behind the one at work. */
#define RELOADS_MAX 16

struct reload_options {
	uint64_t client; /* server_client(); 0: nobody, the outcome goes to the log only */
	bool dry_run; /* all but the swap */
	bool force;
	bool colour; /* of the text of diagnostics */
	bool json; /* diagnostics as JSON too */
	unsigned int confirm_s; /* go back to the set before unless somebody confirms within so many seconds; 0: for good */
};

int reloads_new(struct agent *agent, struct reloads **ret);

/** reloads_free() - waits for the one at work, which changes nothing any more */
void reloads_free(struct reloads *reloads);

/** reloads_add() - Return: 0, -EBUSY (too many are waiting), -errno */
int reloads_add(struct reloads *reloads, const struct reload_options *options);

#endif
