/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Trials: a set that goes back to the one before unless somebody confirms it, and a policy in another mode for a while. The clock is the
 * kernel side's (agent/kernel/kernel.h); the agent settles and says what the hooks did by themselves.
 */
#ifndef LSMD_CONTROL_TRIAL_H
#define LSMD_CONTROL_TRIAL_H

#include "agent/control/agent.h"

/* Seconds that a trial may last. */
#define TRIAL_SECONDS_MAX 86400

/** trial_watch() - settle the trial that is on when its time has come; nothing when none is. Return: 0, -errno */
int trial_watch(struct agent *agent);

/**
 * trial_resume() - what an agent before this one left on trial: settle it where its time is over, else watch it
 * Return: 0, TRIAL_ON (it goes on: what is on disk does not take its place), -errno
 */
enum {
	TRIAL_ON = 1,
	TRIAL_REFUSED, /* @why says it */
};
int trial_resume(struct agent *agent);

/** trial_confirm() - keep the set on trial. Return: 0, TRIAL_REFUSED, -errno */
int trial_confirm(struct agent *agent, struct kernel_why *why);

/**
 * trial_mode() - policy @name in mode @mode (enum lsmd_mode) for @seconds; in the mode of its file: ends that trial
 * Return: 0, TRIAL_REFUSED, -errno
 */
int trial_mode(struct agent *agent, const char *name, int mode, unsigned int seconds, struct kernel_why *why);

/**
 * trial_begin_reload() - may another set be put in force? A mode for a while stands aside and is remembered in @ret
 * Return: 0, TRIAL_ON (@ret to be put back by trial_end_reload()), TRIAL_REFUSED, -errno
 */
struct trial_aside {
	struct kernel_trial trial;
	int mode;
};
int trial_begin_reload(struct agent *agent, bool confirm, struct trial_aside *ret, struct kernel_why *why);
void trial_end_reload(struct agent *agent, const struct trial_aside *aside);

/** trial_json() - what `lsmctl status` shows of it; JSON null: none is on */
json_t *trial_json(struct agent *agent);

#endif
