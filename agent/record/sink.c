// SPDX-License-Identifier: LGPL-2.1-or-later
/* One bounded queue and one thread for each place that records go to. */
#include "agent/record/sink.h"

#include <errno.h>
#include <stddef.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

struct sink {
	const struct sink_type *type;
	void *state; /* the thread's own */
	bool opened;
	pthread_t thread;
	pthread_mutex_t lock; /* all below */
	pthread_cond_t more; /* a record, or stop */
	pthread_cond_t ended;
	struct record *queue[SINK_QUEUE_RECORDS];
	size_t first, n, bytes;
	bool stop, done;
	struct lsmd_tally_sink *tally;
	struct lsmd_tally_count queued;
	int last_error;
};

static size_t record_bytes(const struct record *record)
{
	return sizeof(*record) + record->n_layers * sizeof(*record->layers) + record->object.len + record->other.len +
	       record->program.len + record->cgroup.len;
}

static void count(struct lsmd_tally_count *count, const struct record *record)
{
	count->records++;
	count->decisions += record->repeats;
}

static void uncount(struct lsmd_tally_count *count, const struct record *record)
{
	count->records--;
	count->decisions -= record->repeats;
}

/* The first record, still counted as queued while it is being sent; NULL: stop */
static struct record *sink_take(struct sink *sink)
{
	struct record *record = NULL;

	pthread_mutex_lock(&sink->lock);
	while (!sink->n && !sink->stop)
		pthread_cond_wait(&sink->more, &sink->lock);
	if (sink->n) {
		record = sink->queue[sink->first];
		sink->first = (sink->first + 1) % SINK_QUEUE_RECORDS;
		sink->n--;
		sink->bytes -= record_bytes(record);
	}
	pthread_mutex_unlock(&sink->lock);
	return record;
}

static void sink_settle(struct sink *sink, const struct record *record, int r)
{
	pthread_mutex_lock(&sink->lock);
	uncount(&sink->queued, record);
	if (r == 0)
		count(&sink->tally->delivered, record);
	else if (r == SINK_ABSENT)
		count(&sink->tally->absent, record);
	else
		count(&sink->tally->failed, record);
	sink->last_error = r < 0 ? r : 0;
	pthread_mutex_unlock(&sink->lock);
}

static int sink_send(struct sink *sink, const struct record *record)
{
	int r;

	if (!sink->opened) {
		r = sink->type->open(&sink->state);
		if (r)
			return r;
		sink->opened = true;
	}
	r = sink->type->send(sink->state, record);
	if (r < 0) {
		sink->type->close(sink->state);
		sink->opened = false;
	}
	return r;
}

static void *sink_run(void *data)
{
	struct sink *sink = data;
	struct record *record;

	while ((record = sink_take(sink))) {
		sink_settle(sink, record, sink_send(sink, record));
		record_unref(record);
	}
	if (sink->opened)
		sink->type->close(sink->state);
	pthread_mutex_lock(&sink->lock);
	sink->done = true;
	pthread_cond_signal(&sink->ended);
	pthread_mutex_unlock(&sink->lock);
	return NULL;
}

/* Signals are the event loop's. */
static int thread_start(pthread_t *thread, void *(*run)(void *), void *data)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(thread, NULL, run, data);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

static uint64_t settled(const struct lsmd_tally_sink *tally, size_t what)
{
	static const size_t counts[] = {
		offsetof(struct lsmd_tally_sink, delivered), offsetof(struct lsmd_tally_sink, full),
		offsetof(struct lsmd_tally_sink, absent),    offsetof(struct lsmd_tally_sink, failed),
		offsetof(struct lsmd_tally_sink, orphaned),
	};
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		sum += *(const lsmd_u64 *)((const char *)tally + counts[i] + what);
	return sum;
}

/* What waited when an earlier agent ended was lost with it. */
static void orphans_count(struct lsmd_tally_sink *tally)
{
	tally->orphaned.records +=
		tally->given.records - settled(tally, offsetof(struct lsmd_tally_count, records));
	tally->orphaned.decisions +=
		tally->given.decisions - settled(tally, offsetof(struct lsmd_tally_count, decisions));
}

int sink_start(const struct sink_type *type, struct lsmd_tally_sink *tally, struct sink **ret)
{
	struct sink *sink = calloc(1, sizeof(*sink));
	pthread_condattr_t monotonic;
	int r;

	if (!sink)
		return -ENOMEM;
	sink->type = type;
	sink->tally = tally;
	orphans_count(tally);
	pthread_mutex_init(&sink->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&sink->more, NULL);
	pthread_cond_init(&sink->ended, &monotonic);
	pthread_condattr_destroy(&monotonic);
	r = thread_start(&sink->thread, sink_run, sink);
	if (r) {
		free(sink);
		return r;
	}
	*ret = sink;
	return 0;
}

void sink_give(struct sink *sink, struct record *record)
{
	size_t bytes = record_bytes(record);

	pthread_mutex_lock(&sink->lock);
	count(&sink->tally->given, record);
	if (sink->n == SINK_QUEUE_RECORDS || sink->bytes + bytes > SINK_QUEUE_BYTES) {
		count(&sink->tally->full, record);
	} else {
		sink->queue[(sink->first + sink->n) % SINK_QUEUE_RECORDS] = record_ref(record);
		sink->n++;
		sink->bytes += bytes;
		count(&sink->queued, record);
		pthread_cond_signal(&sink->more);
	}
	pthread_mutex_unlock(&sink->lock);
}

void sink_counts(struct sink *sink, struct sink_counts *ret)
{
	pthread_mutex_lock(&sink->lock);
	*ret = (struct sink_counts){ .tally = *sink->tally, .queued = sink->queued, .last_error = sink->last_error };
	pthread_mutex_unlock(&sink->lock);
}

const char *sink_name(const struct sink *sink)
{
	return sink->type->name;
}

static void deadline_set(struct timespec *deadline, unsigned int timeout_ms)
{
	clock_gettime(CLOCK_MONOTONIC, deadline);
	deadline->tv_sec += timeout_ms / 1000;
	deadline->tv_nsec += (timeout_ms % 1000) * 1000000l;
	if (deadline->tv_nsec >= 1000000000l) {
		deadline->tv_sec++;
		deadline->tv_nsec -= 1000000000l;
	}
}

uint64_t sink_stop(struct sink *sink, unsigned int timeout_ms)
{
	struct timespec deadline;
	uint64_t left;
	bool done;

	if (!sink)
		return 0;
	deadline_set(&deadline, timeout_ms);
	pthread_mutex_lock(&sink->lock);
	sink->stop = true;
	pthread_cond_signal(&sink->more);
	while (!sink->done && !pthread_cond_timedwait(&sink->ended, &sink->lock, &deadline))
		;
	done = sink->done;
	left = sink->queued.decisions;
	pthread_mutex_unlock(&sink->lock);
	if (!done)
		return left;
	pthread_join(sink->thread, NULL);
	pthread_mutex_destroy(&sink->lock);
	pthread_cond_destroy(&sink->more);
	pthread_cond_destroy(&sink->ended);
	free(sink);
	return left;
}
