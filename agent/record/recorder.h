/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way of an event in the agent: counted, folded or passed (coalesce.h), given its names (legend.h, record.h), and
 * handed to every sink and listener. One thread calls all of this.
 *
 * The arithmetic, in decisions: read = passed + folded + held + limited + malformed + lost + orphaned;
 * and for each sink given = delivered + queued + dropped (sink.h). All of it lies in a tally (event.h) that outlives the agent.
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

typedef void (*recorder_fn)(void *data, struct record *record);

/**
 * recorder_new() - @listener: called for every record; borrowed for the call
 * @tally: of earlier agents, gone on with; borrowed until recorder_free()
 * Return: 0, -errno
 */
int recorder_new(recorder_fn listener, void *data, struct lsmd_tally *tally, struct recorder **ret);

/**
 * recorder_set_learner() - who learns from records needs each of them: what is folded by rule goes one by one to @fn, where somebody
 * @wants it, with the data of the listener
 */
void recorder_set_learner(struct recorder *recorder, bool (*wants)(void *data), recorder_fn fn);

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

/** recorder_stream() - the tally of denials or of notes; @held: decisions to be folded when their window ends */
const struct lsmd_tally_stream *recorder_stream(const struct recorder *recorder, bool denials, uint64_t *held);

size_t recorder_n_sinks(const struct recorder *recorder);
struct sink *recorder_sink(const struct recorder *recorder, size_t i);

/** recorder_recent() - the last @n records, oldest first, to @fn */
void recorder_recent(const struct recorder *recorder, size_t n, recorder_fn fn, void *data);

#endif
