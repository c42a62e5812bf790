// SPDX-License-Identifier: LGPL-2.1-or-later
/* recorder.c: every event is counted once, whichever agent read it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/record/recorder.h"

static struct lsmd_tally tally;
static uint64_t n_heard;

static void heard(void *data, struct record *record)
{
	n_heard++;
}

static struct recorder *agent_start(void)
{
	struct recorder *recorder;

	assert_int_equal(recorder_new(heard, NULL, &tally, &recorder), 0);
	return recorder;
}

/* An event that nothing else is like: its time says which. */
static void event_give(struct recorder *recorder, uint64_t time_ns, uint32_t rule)
{
	struct lsmd_event event = { .time_ns = time_ns, .pid = 7, .n_answers = 1, .refused = 1, .object = LSMD_OBJECT_NONE };

	event.answers[0] = (struct lsmd_answer){ .rule = rule, .verdict = LSMD_VERDICT_DENY, .reason = LSMD_REASON_RULE };
	recorder_event(recorder, &event, sizeof(event), true);
}

static uint64_t settled(const struct lsmd_tally_stream *stream)
{
	return stream->passed + stream->folded + stream->limited + stream->malformed + stream->lost + stream->orphaned;
}

static int setup(void **state)
{
	tally = (struct lsmd_tally){};
	n_heard = 0;
	return 0;
}

static void what_is_read_is_settled(void **state)
{
	struct recorder *recorder = agent_start();
	uint64_t held;

	for (int i = 0; i < 5000; i++)
		event_give(recorder, 100 + i, 1 + i % 50);
	recorder_event(recorder, &(struct lsmd_event){}, 8, true);
	recorder_event(recorder, &(struct lsmd_event){}, sizeof(struct lsmd_event), true);
	recorder_stream(recorder, true, &held);
	assert_int_equal(tally.denials.read, 5002);
	assert_int_equal(settled(&tally.denials) + held, 5002);
	assert_int_equal(tally.denials.malformed, 2);
	assert_true(held > 0);
	recorder_free(recorder, 0);
	assert_int_equal(settled(&tally.denials), 5002);
}

static bool learning;
static uint64_t n_learned;

static bool wants(void *data)
{
	return learning;
}

static void learned(void *data, struct record *record)
{
	n_learned++;
}

/* One rule and a port each: what is folded by rule reaches who learns, one by one, and nobody else. */
static void a_learner_misses_nothing(void **state)
{
	struct recorder *recorder = agent_start();
	struct lsmd_event event = { .pid = 7, .n_answers = 1, .object = LSMD_OBJECT_ADDRESS };

	recorder_set_learner(recorder, wants, learned);
	for (uint16_t port = 1; port <= 2000; port++) {
		learning = port > 1000;
		event.time_ns = event.address.port = port;
		recorder_event(recorder, &event, sizeof(event), false);
		assert_true(learning || !n_learned);
	}
	assert_int_equal(n_learned + n_heard, 1000 + COALESCE_RULE_MAX);
	recorder_free(recorder, 0);
	assert_int_equal(settled(&tally.notes), 2000);
}

/* As if killed with some held: nothing of its memory is there any more but the tally. */
static void what_a_killed_agent_held_is_lost(void **state)
{
	struct recorder *recorder = agent_start();
	uint64_t held, passed;
	struct lsmd_tally at_death;

	for (int i = 0; i < 100; i++)
		event_give(recorder, 100 + i, 1);
	recorder_stream(recorder, true, &held);
	assert_true(held > 0);
	passed = tally.denials.passed;
	at_death = tally;
	recorder_free(recorder, 0);
	tally = at_death;
	recorder = agent_start();
	assert_int_equal(tally.denials.orphaned, held);
	event_give(recorder, 500, 1);
	assert_int_equal(tally.denials.read, 101);
	assert_int_equal(tally.denials.passed, passed + 1);
	recorder_free(recorder, 0);
	assert_int_equal(settled(&tally.denials), 101);
}

/* Killed at any step of counting an event that the ring still has: the successor counts it exactly once in all. */
static void an_event_in_two_agents_hands_is_counted_once(void **state)
{
	for (int steps = 0; steps <= 4; steps++) {
		struct lsmd_tally_stream *stream = &tally.denials;
		struct recorder *recorder;

		tally = (struct lsmd_tally){};
		recorder = agent_start();
		event_give(recorder, 100, 1);
		event_give(recorder, 101, 1);
		recorder_free(recorder, 0);
		if (steps > 0)
			stream->at_read = stream->read + 1;
		if (steps > 1)
			stream->at_ns = 102;
		if (steps > 2)
			stream->at_tid = 7;
		if (steps > 3)
			stream->read++;
		recorder = agent_start();
		event_give(recorder, 102, 1);
		event_give(recorder, 103, 1);
		recorder_free(recorder, 0);
		assert_int_equal(stream->read, 4);
		assert_int_equal(settled(stream), 4);
		assert_int_equal(stream->orphaned, steps > 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_read_is_settled, setup),
		cmocka_unit_test_setup(a_learner_misses_nothing, setup),
		cmocka_unit_test_setup(what_a_killed_agent_held_is_lost, setup),
		cmocka_unit_test_setup(an_event_in_two_agents_hands_is_counted_once, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
