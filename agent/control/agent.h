/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The running agent: the kernel side it holds, the set in force, records, clients. main.c makes one, in this order:
 * agent_new(), agent_enforce(), privileges dropped, agent_serve(), the event loop, agent_free(). One thread, but for the
 * sinks and for compiling.
 */
#ifndef LSMD_CONTROL_AGENT_H
#define LSMD_CONTROL_AGENT_H

#include <systemd/sd-event.h>

#include "agent/control/intake.h"
#include "agent/control/serial.h"
#include "agent/control/server.h"
#include "agent/control/settings.h"
#include "agent/kernel/kernel.h"
#include "agent/record/recorder.h"
#include "agent/util/log.h"

struct pump;
struct reloads;

struct agent {
	const struct settings *settings; /* borrowed */
	sd_event *event;
	int lock_fd;
	struct kernel *kernel;
	struct recorder *recorder;
	struct pump *pump;
	struct server *server;
	struct reloads *reloads;
	struct intake intake; /* between agent_enforce() and agent_serve(): what was read from disk */
	/* Of the set in force; NULL where an earlier agent loaded it. */
	struct loaded *loaded;
	struct loaded *before; /* of the set that takes the place of one on trial; NULL while none is */
	sd_event_source *trial; /* fires when the trial that is on ends; NULL: none is */
	uint64_t loaded_us; /* wall clock of the last swap by this agent; 0: none */
	uint64_t started_us; /* wall clock */
	uint64_t refused_us; /* wall clock when the policies on disk were last refused; 0: they are what is in force */
	struct serial serial; /* of the last signed set that was in force for good; of no use where nobody needs to sign */
	struct log_limit refusals;
	json_t *reloads_told; /* "outcomes" and "last_ns" of reloads, for metrics */
	sd_event_source *metrics; /* when the metrics file is due */
};

enum {
	AGENT_REFUSED = 1, /* why was logged; nothing was changed */
	AGENT_UNABLE, /* this kernel cannot do it: why was logged */
};

/** agent_new() - and take the lock that makes it the only one. Return: 0, AGENT_REFUSED (another runs), -errno */
int agent_new(const struct settings *settings, sd_event *event, struct agent **ret);

/**
 * agent_enforce() - read, check and compile the policies, then have the kernel enforce them
 * A broken set, or one that this kernel cannot hold to, is refused before anything changes; where an earlier agent left an image in
 * force, that goes on and the agent starts with it, saying so.
 * Return: 0, AGENT_REFUSED, AGENT_UNABLE, -errno
 */
int agent_enforce(struct agent *agent);

/**
 * agent_serve() - start sinks and ring reader; after a takeover, put what is on disk in force; listen
 * Return: 0, AGENT_REFUSED, -errno
 */
int agent_serve(struct agent *agent);

/**
 * agent_swap() - put an image in force and settle what follows from it
 * @trial: for a time only; NULL: for good
 * Return: 0, KERNEL_UNABLE (see @why), -errno; then the image before stays
 */
int agent_swap(struct agent *agent, const struct lsmd_image_header *image, size_t size, const struct kernel_trial *trial,
	       struct kernel_why *why, struct kernel_times *times);

/** agent_settle() - end the trial: @keep what is on trial, or go back. Return: 0, KERNEL_TOO_LATE, -errno */
int agent_settle(struct agent *agent, bool keep);

/** agent_policies() - where the policies lie, and who has to have signed them. @want is written too and has to outlive @ret */
void agent_policies(struct agent *agent, struct seal_want *want, struct policy_options *ret);

/**
 * agent_remember() - the serial number of a set that is about to be in force for good, where sets have to be signed
 * @stamp: NULL: nobody knows who signed it
 * Return: 0; SERIAL_REFUSED (see @why): it may not be put in force
 */
int agent_remember(struct agent *agent, const struct seal_stamp *stamp, struct kernel_why *why);

/** agent_forget() - what agent_remember() was told of is not in force after all */
void agent_forget(struct agent *agent);

/** agent_adopt() - remember the files and rules of the set now in force; takes them out of @intake. @trial: and those before */
void agent_adopt(struct agent *agent, struct intake *intake, bool trial);

/** agent_refused() - remember that the policies on disk are not what is in force, and may not be */
void agent_refused(struct agent *agent);

/** agent_status() - the whole of `lsmctl status`; @rules: and what each rule decided. Return: 0, -errno */
int agent_status(struct agent *agent, bool rules, json_t **ret);

/** agent_reloaded() - count a reload and how long its steps took */
void agent_reloaded(struct agent *agent, const char *outcome, const struct intake *intake, const struct kernel_times *times);

/** agent_say_status() - STATUS= for systemd: what is in force */
void agent_say_status(struct agent *agent);

/** agent_free() - stop; what is pinned goes on enforcing */
void agent_free(struct agent *agent);
DEFINE_CLEANUP(struct agent, agent_free)

#endif
