// SPDX-License-Identifier: LGPL-2.1-or-later
/* sink.c: nothing waits for a place that takes records, and each decision is counted once, wherever it went. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include <cmocka.h>

#include "agent/record/sink.h"

/* A place under the test's control. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t go;
	bool stuck;
	int answer, n_sent, n_opened;
} place = { .lock = PTHREAD_MUTEX_INITIALIZER, .go = PTHREAD_COND_INITIALIZER };

static int place_open(void **ret_state)
{
	place.n_opened++;
	*ret_state = &place;
	return 0;
}

static int place_send(void *state, const struct record *record)
{
	int r;

	pthread_mutex_lock(&place.lock);
	while (place.stuck)
		pthread_cond_wait(&place.go, &place.lock);
	place.n_sent++;
	r = place.answer;
	pthread_mutex_unlock(&place.lock);
	return r;
}

static void place_close(void *state)
{
}

static const struct sink_type place_type = { "test", place_open, place_send, place_close };

static struct lsmd_tally_sink tally;

static void place_set(bool stuck, int answer)
{
	pthread_mutex_lock(&place.lock);
	place.stuck = stuck;
	place.answer = answer;
	place.n_sent = place.n_opened = 0;
	pthread_cond_broadcast(&place.go);
	pthread_mutex_unlock(&place.lock);
}

static struct record *record_make(uint64_t repeats)
{
	struct lsmd_event event = { .n_answers = 1, .object = LSMD_OBJECT_NONE };
	struct record *record;

	assert_int_equal(record_new(&event, sizeof(event), NULL, repeats, 0, NULL, &record), 0);
	return record;
}

static void give(struct sink *sink, int n, uint64_t repeats)
{
	for (int i = 0; i < n; i++) {
		struct record *record = record_make(repeats);

		sink_give(sink, record);
		record_unref(record);
	}
}

static uint64_t decisions(const struct sink_counts *counts)
{
	return counts->tally.delivered.decisions + counts->queued.decisions + counts->tally.full.decisions +
	       counts->tally.absent.decisions + counts->tally.failed.decisions;
}

static void wait_empty(struct sink *sink, struct sink_counts *counts)
{
	for (int i = 0; i < 5000; i++) {
		sink_counts(sink, counts);
		if (!counts->queued.records)
			return;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	fail_msg("%llu records were never sent", (unsigned long long)counts->queued.records);
}

static void records_are_delivered(void **state)
{
	struct sink_counts counts;
	struct sink *sink;

	tally = (struct lsmd_tally_sink){};
	place_set(false, 0);
	assert_int_equal(sink_start(&place_type, &tally, &sink), 0);
	give(sink, 100, 3);
	wait_empty(sink, &counts);
	assert_int_equal(counts.tally.delivered.records, 100);
	assert_int_equal(counts.tally.delivered.decisions, 300);
	assert_int_equal(sink_stop(sink, 1000), 0);
	assert_int_equal(place.n_sent, 100);
}

static void a_stuck_place_stalls_nobody(void **state)
{
	struct sink_counts counts;
	struct timespec start, end;
	struct sink *sink;

	tally = (struct lsmd_tally_sink){};
	place_set(true, 0);
	assert_int_equal(sink_start(&place_type, &tally, &sink), 0);
	clock_gettime(CLOCK_MONOTONIC, &start);
	give(sink, 3 * SINK_QUEUE_RECORDS, 2);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_in_range(end.tv_sec - start.tv_sec, 0, 5);
	sink_counts(sink, &counts);
	assert_int_equal(counts.tally.delivered.records, 0);
	assert_int_equal(decisions(&counts), 6 * SINK_QUEUE_RECORDS);
	/* One more may be in the place's hands. */
	assert_in_range(counts.tally.full.records, 2 * SINK_QUEUE_RECORDS - 1, 2 * SINK_QUEUE_RECORDS);
	place_set(false, 0);
	wait_empty(sink, &counts);
	assert_int_equal(decisions(&counts), 6 * SINK_QUEUE_RECORDS);
	assert_int_equal(sink_stop(sink, 1000), 0);
}

static void refusals_are_counted_and_the_place_opened_again(void **state)
{
	struct sink_counts counts;
	struct sink *sink;

	tally = (struct lsmd_tally_sink){};
	place_set(false, -ECONNREFUSED);
	assert_int_equal(sink_start(&place_type, &tally, &sink), 0);
	give(sink, 5, 1);
	wait_empty(sink, &counts);
	assert_int_equal(counts.tally.failed.records, 5);
	assert_int_equal(counts.last_error, -ECONNREFUSED);
	assert_int_equal(place.n_opened, 5);
	place_set(false, SINK_ABSENT);
	give(sink, 7, 1);
	wait_empty(sink, &counts);
	assert_int_equal(counts.tally.absent.records, 7);
	assert_int_equal(decisions(&counts), 12);
	sink_stop(sink, 1000);
}

/* Ten that a killed agent had queued: its successor says that they were lost, and goes on counting. */
static void a_successor_goes_on_counting(void **state)
{
	struct sink_counts counts;
	struct sink *sink;

	tally = (struct lsmd_tally_sink){ .given = { 30, 60 }, .delivered = { 15, 30 }, .full = { 3, 6 }, .failed = { 2, 4 } };
	place_set(false, 0);
	assert_int_equal(sink_start(&place_type, &tally, &sink), 0);
	give(sink, 5, 1);
	wait_empty(sink, &counts);
	assert_int_equal(counts.tally.orphaned.records, 10);
	assert_int_equal(counts.tally.orphaned.decisions, 20);
	assert_int_equal(counts.tally.delivered.records, 20);
	assert_int_equal(counts.tally.given.decisions, decisions(&counts) + counts.tally.orphaned.decisions);
	sink_stop(sink, 1000);
}

/* A sink whose place never lets go is left to it, since the process ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:sink_start\nleak:record_make\n";
}

static void the_end_waits_no_longer_than_asked(void **state)
{
	struct timespec start, end;
	struct sink *sink;

	tally = (struct lsmd_tally_sink){};
	place_set(true, 0);
	assert_int_equal(sink_start(&place_type, &tally, &sink), 0);
	give(sink, 10, 1);
	clock_gettime(CLOCK_MONOTONIC, &start);
	assert_int_equal(sink_stop(sink, 100), 10);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_in_range(end.tv_sec - start.tv_sec, 0, 2);
	place_set(false, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_delivered),
		cmocka_unit_test(a_stuck_place_stalls_nobody),
		cmocka_unit_test(refusals_are_counted_and_the_place_opened_again),
		cmocka_unit_test(a_successor_goes_on_counting),
		cmocka_unit_test(the_end_waits_no_longer_than_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
