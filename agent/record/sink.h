/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where records go, each place with a bounded queue and a thread of its own: audit's netlink can hold a sender for a minute
 * uninterruptibly, the journal's socket blocks, and neither may stall the agent or the other.
 *
 * Everything is counted, in records and in the decisions that they stand for (repeats included), in a tally that outlives the agent:
 * given = delivered + queued + full + absent + failed + orphaned, at any time.
 */
#ifndef LSMD_RECORD_SINK_H
#define LSMD_RECORD_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/record/record.h"

/* Records waiting for one sink, and the bytes that their names take: whichever comes first. */
#define SINK_QUEUE_RECORDS 4096
#define SINK_QUEUE_BYTES (4u << 20)

enum {
	SINK_ABSENT = 1, /* nobody is there to take it: no journal, or built without the library */
};

/* A kind of place. send() runs in the sink's thread; it may block. */
struct sink_type {
	const char *name;
	int (*open)(
		void **ret_state); /* in the thread that starts; 0, SINK_ABSENT, -errno: counted when sending, not fatal */
	int (*send)(void *state, const struct record *record); /* 0: accepted; SINK_ABSENT; -errno */
	void (*close)(void *state);
};

struct sink_counts {
	struct lsmd_tally_sink tally;
	struct lsmd_tally_count queued;
	int last_error; /* -errno of the last refusal; 0: none since the last delivery */
};

struct sink;

/**
 * sink_start() - thread and queue
 * @type: static
 * @tally: of earlier agents, gone on with; borrowed until the process ends
 * Return: 0, -errno
 */
int sink_start(const struct sink_type *type, struct lsmd_tally_sink *tally, struct sink **ret);

/** sink_give() - one record; takes a reference of its own; never waits */
void sink_give(struct sink *sink, struct record *record);

void sink_counts(struct sink *sink, struct sink_counts *ret);
const char *sink_name(const struct sink *sink);

/**
 * sink_stop() - deliver what is queued for at most @timeout_ms, then end
 * Return: decisions that were not delivered. When the place still holds the thread, the sink is left to it, since the
 * process is about to end.
 */
uint64_t sink_stop(struct sink *sink, unsigned int timeout_ms);

/* audit.c, or audit-fallback.c where there is no libaudit */
extern const struct sink_type sink_audit;
/* journal.c */
extern const struct sink_type sink_journal;

#endif
