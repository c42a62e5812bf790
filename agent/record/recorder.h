/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way of an event in the agent: counted, folded or passed (coalesce.h), given its names (legend.h, record.h), and
 * handed to every sink and listener. One thread calls all of this.
 *
 * The arithmetic, in decisions: read = passed + folded + held + limited + malformed + lost;
 * and for each sink passed + folded = delivered + queued + dropped (sink.h).
 */
#ifndef LSMD_RECORD_RECORDER_H
#define LSMD_RECORD_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/record/coalesce.h"
#include "agent/record/record.h"
#include "agent/record/sink.h"

/* Records kept for those who ask later (`lsmctl events --last`). */
#define RECORDER_RECENT 256

struct recorder;

/* One of each for denials, one for notes (audit-mode and logged allows), in decisions. */
struct recorder_counts {
	uint64_t read; /* events taken from the ring */
	uint64_t passed; /* one record each */
	uint64_t folded; /* in records with a repeat count */
	uint64_t held; /* to be folded when their window ends */
	uint64_t limited; /* dropped: the rule had its share of the window */
	uint64_t malformed; /* dropped: not as this version lays events out */
	uint64_t lost; /* dropped: no memory for the record */
};

typedef void (*recorder_fn)(void *data, struct record *record);

/** recorder_new() - @listener: called for every record; borrowed for the call. Return: 0, -errno */
int recorder_new(recorder_fn listener, void *data, struct recorder **ret);

/** recorder_add_sink() - start one. Return: 0, -errno */
int recorder_add_sink(struct recorder *recorder, const struct sink_type *type);

/**
 * recorder_free() - what is held is folded, sinks are stopped, each given @timeout_ms
 * Return: decisions that sinks did not deliver, summed over the sinks
 */
uint64_t recorder_free(struct recorder *recorder, unsigned int timeout_ms);

/**
 * recorder_set_image() - the image in force from now on, borrowed for the call
 * What was held for the generation before is folded first. The names of the generation before are kept until recorder_settle().
 * Return: 0, -ENOMEM (records of the new generation will have numbers for names)
 */
int recorder_set_image(struct recorder *recorder, const struct lsmd_image_header *image);

/** recorder_settle() - the ring holds no event of an earlier generation any more */
void recorder_settle(struct recorder *recorder);

/** recorder_event() - one event; @denial tells the ring it came from */
void recorder_event(struct recorder *recorder, const struct lsmd_event *event, size_t size, bool denial);

/** recorder_expire() - fold what is due. Return: CLOCK_BOOTTIME, ns, when to call again; 0: nothing is held */
uint64_t recorder_expire(struct recorder *recorder);

void recorder_counts(const struct recorder *recorder, bool denials, struct recorder_counts *ret);

size_t recorder_n_sinks(const struct recorder *recorder);
struct sink *recorder_sink(const struct recorder *recorder, size_t i);

/** recorder_recent() - the last @n records, oldest first, to @fn */
void recorder_recent(const struct recorder *recorder, size_t n, recorder_fn fn, void *data);

#endif
