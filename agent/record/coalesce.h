/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Repeats folded together under load. The first few events of a kind in a window pass at once; what comes beyond is
 * counted, and one event stands for all of it when the window ends. A kind that overflowed its last window passes
 * nothing until a window stays below the burst, so a flood costs one record a window and a lone denial is never late.
 * Kinds are told apart by generation, answers (policy, rule, verb, reason), object and program.
 *
 * What one rule passes in a window is limited too, whatever its objects: beyond that one event stands as an example for all of the
 * rule's that came ("mixed"). Where several layers answered, it is their rules together: an example was answered by the same layers.
 *
 * No system call, no clock: the caller says what time it is.
 */
#ifndef LSMD_RECORD_COALESCE_H
#define LSMD_RECORD_COALESCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/record/siphash.h"
#include "agent/util/cleanup.h"
#include "lsm/abi/event.h"

#define COALESCE_WINDOW_NS 1000000000ull
#define COALESCE_BURST 4
/* Kinds watched at a time, and rules; a power of two. A kind that finds no room passes: the limit by rule still holds it. */
#define COALESCE_KINDS 1024
/* Bytes of events kept for the ends of windows, all together. */
#define COALESCE_BYTES_MAX (2u << 20)
/* Events of one rule that pass in a window, whatever their objects. */
#define COALESCE_RULE_MAX 100

enum {
	COALESCE_PASS,
	COALESCE_HELD, /* counted; coalesce_expire() hands one of its kind over */
	COALESCE_HELD_MIXED, /* counted; coalesce_expire() hands one of its rule over */
	COALESCE_LIMITED, /* neither passed nor held, for lack of room: drop it */
};

struct coalesce;

int coalesce_new(const struct siphash_key *key, struct coalesce **ret);
void coalesce_free(struct coalesce *coalesce);
DEFINE_CLEANUP(struct coalesce, coalesce_free)

/**
 * coalesce_event() - what to do with an event
 * @event: sound (record.h), borrowed for the call
 * @now_ns: any clock that does not go back
 * Return: COALESCE_*
 */
int coalesce_event(struct coalesce *coalesce, const struct lsmd_event *event, size_t size, uint64_t now_ns);

/* @mixed: the event is an example for @repeats of one rule; else all were of its kind */
typedef void (*coalesce_fn)(void *data, const struct lsmd_event *event, size_t size, uint64_t repeats, bool mixed);

/**
 * coalesce_expire() - hand over what was held in windows that ended by @now_ns; UINT64_MAX: all of it
 * Return: when the next window with something held ends; 0: nothing is held
 */
uint64_t coalesce_expire(struct coalesce *coalesce, uint64_t now_ns, coalesce_fn fn, void *data);

/** coalesce_held() - events counted and not yet handed over */
uint64_t coalesce_held(const struct coalesce *coalesce);

#endif
