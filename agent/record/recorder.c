// SPDX-License-Identifier: LGPL-2.1-or-later
/* Events to records to sinks; see recorder.h for the arithmetic. */
#include "agent/record/recorder.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "agent/record/unit.h"

/* One for each ring: a flood of notes does not use up what denials may pass. */
struct stream {
	struct recorder *recorder;
	struct coalesce *coalesce;
	struct lsmd_tally_stream *tally;
	bool begun; /* an event was read by this agent */
};

struct recorder {
	recorder_fn listener;
	void *listener_data;
	bool (*learner_wants)(void *data);
	recorder_fn learner;
	struct stream denials, notes;
	struct legend *legend; /* of the image in force */
	struct legend *before; /* of the one before, until recorder_settle() */
	struct cgroups *cgroups;
	struct lsmd_tally *tally;
	struct sink *sinks[LSMD_TALLY_SINKS];
	size_t n_sinks;
	struct record *recent[RECORDER_RECENT];
	size_t n_recent; /* ever */
	uint64_t now_ns; /* latest time of an event, CLOCK_BOOTTIME */
};

static uint64_t boottime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static uint64_t stream_settled(const struct lsmd_tally_stream *tally)
{
	return tally->passed + tally->folded + tally->limited + tally->malformed + tally->lost + tally->orphaned;
}

/* What an earlier agent had read and not settled when it ended is lost with it. */
static int stream_open(struct stream *stream, struct recorder *recorder, struct lsmd_tally_stream *tally,
		       const struct siphash_key *key)
{
	stream->recorder = recorder;
	stream->tally = tally;
	tally->orphaned += tally->read - stream_settled(tally);
	return coalesce_new(key, &stream->coalesce);
}

int recorder_new(recorder_fn listener, void *data, struct lsmd_tally *tally, struct recorder **ret)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));
	struct siphash_key key;
	int r;

	if (!recorder)
		return -ENOMEM;
	recorder->listener = listener;
	recorder->listener_data = data;
	recorder->tally = tally;
	r = getrandom(&key, sizeof(key), 0) == sizeof(key) ? 0 : -EIO;
	if (!r)
		r = stream_open(&recorder->denials, recorder, &tally->denials, &key);
	if (!r)
		r = stream_open(&recorder->notes, recorder, &tally->notes, &key);
	if (r) {
		recorder_free(recorder, 0);
		return r;
	}
	/* Records go without a cgroup where there is no cgroup2. */
	if (cgroups_new(&recorder->cgroups))
		recorder->cgroups = NULL;
	*ret = recorder;
	return 0;
}

int recorder_add_sink(struct recorder *recorder, const struct sink_type *type)
{
	int r;

	if (recorder->n_sinks == LSMD_TALLY_SINKS)
		return -ENOSPC;
	r = sink_start(type, &recorder->tally->sinks[recorder->n_sinks], &recorder->sinks[recorder->n_sinks]);
	if (!r)
		recorder->n_sinks++;
	return r;
}

static const struct legend *legend_find(const struct recorder *recorder, uint64_t generation)
{
	if (recorder->legend && legend_generation(recorder->legend) == generation)
		return recorder->legend;
	if (recorder->before && legend_generation(recorder->before) == generation)
		return recorder->before;
	return NULL;
}

static void recent_add(struct recorder *recorder, struct record *record)
{
	struct record **slot = &recorder->recent[recorder->n_recent++ % RECORDER_RECENT];

	record_unref(*slot);
	*slot = record_ref(record);
}

void recorder_set_learner(struct recorder *recorder, bool (*wants)(void *data), recorder_fn fn)
{
	recorder->learner_wants = wants;
	recorder->learner = fn;
}

/* What nobody else is told by itself */
static void record_learn(struct recorder *recorder, const struct lsmd_event *event, size_t size)
{
	_cleanup_(record_unrefp) struct record *record = NULL;

	if (recorder->learner && recorder->learner_wants(recorder->listener_data) &&
	    !record_new(event, size, legend_find(recorder, event->generation), 1, record_clock_offset_ns(), NULL, &record))
		recorder->learner(recorder->listener_data, record);
}

/* One record out of an event that stands for @repeats decisions. */
static int record_out(struct recorder *recorder, const struct lsmd_event *event, size_t size, uint64_t repeats, bool mixed)
{
	_cleanup_(record_unrefp) struct record *record = NULL;
	int r = record_new(event, size, legend_find(recorder, event->generation), repeats, record_clock_offset_ns(),
			   cgroups_path(recorder->cgroups, event->cgroup_id), &record);

	if (r)
		return r;
	record->mixed = mixed;
	recent_add(recorder, record);
	for (size_t i = 0; i < recorder->n_sinks; i++)
		sink_give(recorder->sinks[i], record);
	recorder->listener(recorder->listener_data, record);
	return 0;
}

static void stream_fold(void *data, const struct lsmd_event *event, size_t size, uint64_t repeats, bool mixed)
{
	struct stream *stream = data;

	if (record_out(stream->recorder, event, size, repeats, mixed))
		stream->tally->lost += repeats;
	else
		stream->tally->folded += repeats;
}

/*
 * stream_read() - count an event as read. An agent may have been killed after it did, and before the ring knew: then its successor
 * finds the same event at the head of the ring. Return: false: it was counted already.
 */
static bool stream_read(struct stream *stream, const struct lsmd_event *event)
{
	struct lsmd_tally_stream *tally = stream->tally;
	bool again = !stream->begun && tally->at_ns == event->time_ns && tally->at_tid == event->pid &&
		     tally->at_read == tally->read;

	stream->begun = true;
	if (again)
		return false;
	__atomic_store_n(&tally->at_read, tally->read + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&tally->at_ns, event->time_ns, __ATOMIC_RELEASE);
	__atomic_store_n(&tally->at_tid, event->pid, __ATOMIC_RELEASE);
	__atomic_store_n(&tally->read, tally->read + 1, __ATOMIC_RELEASE);
	return true;
}

void recorder_event(struct recorder *recorder, const struct lsmd_event *event, size_t size, bool denial)
{
	struct stream *stream = denial ? &recorder->denials : &recorder->notes;

	if (size < sizeof(*event)) {
		stream->tally->read++;
		stream->tally->malformed++;
		return;
	}
	if (!stream_read(stream, event))
		return;
	if (!event_sound(event, size)) {
		stream->tally->malformed++;
		return;
	}
	/* The time of the last event is now, near enough: where the clock is no TSC, asking for it costs more than all the rest. */
	if (event->time_ns > recorder->now_ns)
		recorder->now_ns = event->time_ns;
	switch (coalesce_event(stream->coalesce, event, size, recorder->now_ns)) {
	case COALESCE_PASS:
		if (record_out(recorder, event, size, 1, false))
			stream->tally->lost++;
		else
			stream->tally->passed++;
		break;
	case COALESCE_HELD_MIXED:
		record_learn(recorder, event, size);
		break;
	case COALESCE_LIMITED:
		stream->tally->limited++;
		record_learn(recorder, event, size);
		break;
	}
}

static uint64_t streams_expire(struct recorder *recorder, uint64_t now_ns)
{
	uint64_t a = coalesce_expire(recorder->denials.coalesce, now_ns, stream_fold, &recorder->denials);
	uint64_t b = coalesce_expire(recorder->notes.coalesce, now_ns, stream_fold, &recorder->notes);

	if (!a || !b)
		return a + b;
	return a < b ? a : b;
}

uint64_t recorder_expire(struct recorder *recorder)
{
	return streams_expire(recorder, boottime_ns());
}

int recorder_set_image(struct recorder *recorder, const struct lsmd_image_header *image)
{
	struct legend *legend = NULL;
	int r = legend_new(image, &legend);

	streams_expire(recorder, UINT64_MAX);
	legend_free(recorder->before);
	recorder->before = recorder->legend;
	recorder->legend = legend;
	return r;
}

void recorder_settle(struct recorder *recorder)
{
	/* Held events of the generation before keep its names until they are folded. */
	streams_expire(recorder, UINT64_MAX);
	legend_free(recorder->before);
	recorder->before = NULL;
}

const struct lsmd_tally_stream *recorder_stream(const struct recorder *recorder, bool denials, uint64_t *held)
{
	const struct stream *stream = denials ? &recorder->denials : &recorder->notes;

	*held = coalesce_held(stream->coalesce);
	return stream->tally;
}

size_t recorder_n_sinks(const struct recorder *recorder)
{
	return recorder->n_sinks;
}

struct sink *recorder_sink(const struct recorder *recorder, size_t i)
{
	return recorder->sinks[i];
}

void recorder_recent(const struct recorder *recorder, size_t n, recorder_fn fn, void *data)
{
	size_t end = recorder->n_recent, kept = end < RECORDER_RECENT ? end : RECORDER_RECENT;

	if (n > kept)
		n = kept;
	for (size_t i = end - n; i < end; i++)
		fn(data, recorder->recent[i % RECORDER_RECENT]);
}

uint64_t recorder_free(struct recorder *recorder, unsigned int timeout_ms)
{
	uint64_t left = 0;

	if (!recorder)
		return 0;
	if (recorder->denials.coalesce && recorder->notes.coalesce)
		streams_expire(recorder, UINT64_MAX);
	for (size_t i = 0; i < recorder->n_sinks; i++)
		left += sink_stop(recorder->sinks[i], timeout_ms);
	for (size_t i = 0; i < RECORDER_RECENT; i++)
		record_unref(recorder->recent[i]);
	coalesce_free(recorder->denials.coalesce);
	coalesce_free(recorder->notes.coalesce);
	legend_free(recorder->legend);
	legend_free(recorder->before);
	cgroups_free(recorder->cgroups);
	free(recorder);
	return left;
}
