/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A record: what users read of one decision, with every name resolved. Made from an event of the kernel side and the legend
 * of the event's generation; shared by all sinks, never changed once made.
 */
#ifndef LSMD_RECORD_RECORD_H
#define LSMD_RECORD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/record/legend.h"
#include "lsm/abi/event.h"
#include "lsm/abi/verdict.h"

enum record_answer {
	RECORD_DENIED,
	RECORD_ALLOWED_AUDIT, /* an audit-mode layer would have refused; every enforcing one allowed */
	RECORD_ALLOWED_LOGGED, /* an allow rule with "log": true */
};

/* Bytes as the kernel side gave them: any value, NUL included; a NUL stands behind. */
struct record_bytes {
	char *bytes; /* NULL: none */
	size_t len;
};

/* The answer of one layer. Strings are NULL where there is nothing to say or nothing known. */
struct record_layer {
	uint32_t layer;
	uint32_t rule;
	uint8_t verdict, reason, verb, mode; /* as in struct lsmd_answer */
	char *policy;
	char *file;
	uint32_t line; /* 0: no place */
	bool is_default; /* the place is that of the policy's default */
	char *id;
	char *note; /* the rule's "reason" */
};

struct record {
	unsigned int refs;
	uint64_t time_us; /* wall clock */
	uint64_t generation;
	uint64_t set_hash;
	uint64_t repeats; /* decisions that this record stands for, at least 1 */
	bool mixed; /* of one rule, whatever their objects and programs; what is told is one example */
	enum record_answer answer;
	bool known; /* the event's generation was at hand; else layers have numbers only */
	size_t deciding; /* index into layers of the one that the record is named after */
	struct record_layer *layers; /* that did not plainly allow, at least one */
	size_t n_layers;
	uint32_t wanted; /* access */
	enum lsmd_hook hook;
	enum lsmd_object object_kind;
	enum lsmd_reason path_reason; /* why the name is not whole; NONE: it is */
	struct record_bytes object;
	struct record_bytes other; /* new name of a rename or link */
	struct record_bytes program;
	struct record_bytes comm;
	struct record_bytes cgroup; /* path below the cgroup file system; NULL: gone before it was read */
	struct record_bytes unit; /* systemd unit by that path */
	struct lsmd_address address;
	uint32_t pid, tid, ppid, uid, euid, loginuid, session; /* loginuid, session: ~0 is unset */
};

enum {
	RECORD_MALFORMED = 1, /* the event's lengths do not fit its size, or its numbers are unknown */
};

/* Difference of the wall clock and CLOCK_BOOTTIME, nanoseconds; taken once for a batch of events. */
int64_t record_clock_offset_ns(void);

/**
 * record_new() - an event with its names
 * @event: borrowed, @size bytes
 * @legend: of the event's generation, borrowed; NULL: none is at hand
 * @repeats: decisions that the record stands for
 * @cgroup: path, borrowed; NULL: not known
 * Return: 0, RECORD_MALFORMED, -ENOMEM. One reference is the caller's.
 */
int record_new(const struct lsmd_event *event, size_t size, const struct legend *legend, uint64_t repeats,
	       int64_t clock_offset_ns, const char *cgroup, struct record **ret);

struct record *record_ref(struct record *record);
void record_unref(struct record *record);
DEFINE_CLEANUP(struct record, record_unref)

/** event_sound() - do the event's lengths and numbers hold? */
bool event_sound(const struct lsmd_event *event, size_t size);

const struct record_layer *record_deciding(const struct record *record);

/* Names, all static: "denied", "allowed (audit)", "allowed (logged)"; of a verb, reason, mode, hook, object kind. */
const char *answer_name(enum record_answer answer);
const char *verb_name(uint32_t verb);
const char *reason_name(uint32_t reason);
const char *reason_text(uint32_t reason);
const char *mode_name(uint32_t mode);
const char *hook_name(uint32_t hook);
const char *object_kind_name(const struct record *record);

#endif
