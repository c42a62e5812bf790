// SPDX-License-Identifier: LGPL-2.1-or-later
/* coalesce.c: a lone denial passes at once, a flood folds, and every event is counted once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/record/coalesce.c"

#define SECOND 1000000000ull

struct sample {
	struct lsmd_event event;
	char bytes[64];
};

static size_t sample_make(struct sample *sample, uint32_t rule, const char *object)
{
	*sample = (struct sample){ .event = { .generation = 1, .n_answers = 1, .refused = 1 } };
	sample->event.object = LSMD_OBJECT_PATH;
	sample->event.answers[0].rule = rule;
	sample->event.object_len = strlen(object);
	memcpy(sample->event.bytes, object, strlen(object));
	return sizeof(sample->event) + strlen(object);
}

struct folded {
	uint64_t calls, repeats, mixed;
};

static void fold(void *data, const struct lsmd_event *event, size_t size, uint64_t repeats, bool mixed)
{
	struct folded *folded = data;

	folded->calls++;
	folded->repeats += repeats;
	folded->mixed += mixed;
	assert_true(size >= sizeof(*event));
}

static int setup(void **state)
{
	static const struct siphash_key key = { { 1, 2 } };

	return coalesce_new(&key, (struct coalesce **)state);
}

static int teardown(void **state)
{
	coalesce_free(*state);
	return 0;
}

/* The vector of the paper's appendix: key 00…0f, message 00…0e. */
static void siphash_is_the_papers(void **state)
{
	const struct siphash_key key = { { 0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull } };
	unsigned char message[15];
	struct siphash hash;

	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = i;
	siphash_start(&hash, &key);
	siphash_add(&hash, message, 7);
	siphash_add(&hash, message + 7, 8);
	assert_true(siphash_end(&hash) == 0xa129ca6149be45e5ull);
}

static void lone_events_pass_at_once(void **state)
{
	struct folded folded = {};
	struct sample sample;
	size_t size = sample_make(&sample, 1, "/a");

	for (uint64_t i = 1; i < 100; i++)
		assert_int_equal(coalesce_event(*state, &sample.event, size, i * SECOND), COALESCE_PASS);
	assert_int_equal(coalesce_expire(*state, UINT64_MAX, fold, &folded), 0);
	assert_int_equal(folded.calls, 0);
}

static void floods_fold_into_one_a_window(void **state)
{
	struct folded folded = {};
	struct sample sample;
	size_t size = sample_make(&sample, 1, "/a"), passed = 0;
	uint64_t now = SECOND;

	/* 10,000 events in one second, then as many in the next. */
	for (int i = 0; i < 20000; i++, now += SECOND / 10000) {
		passed += coalesce_event(*state, &sample.event, size, now) == COALESCE_PASS;
		coalesce_expire(*state, now, fold, &folded);
	}
	assert_int_equal(passed, COALESCE_BURST);
	assert_in_range(folded.calls, 1, 2);
	coalesce_expire(*state, UINT64_MAX, fold, &folded);
	assert_int_equal(passed + folded.repeats, 20000);
	assert_int_equal(coalesce_held(*state), 0);
}

static void a_quiet_window_ends_the_flood(void **state)
{
	struct folded folded = {};
	struct sample sample;
	size_t size = sample_make(&sample, 1, "/a");

	for (int i = 0; i < 100; i++)
		coalesce_event(*state, &sample.event, size, SECOND);
	coalesce_expire(*state, 2 * SECOND, fold, &folded);
	assert_int_equal(coalesce_event(*state, &sample.event, size, 2 * SECOND + 1), COALESCE_HELD);
	coalesce_expire(*state, 3 * SECOND, fold, &folded);
	assert_int_equal(coalesce_event(*state, &sample.event, size, 5 * SECOND), COALESCE_PASS);
}

static void kinds_do_not_mix(void **state)
{
	struct sample sample;
	size_t size;

	for (int i = 0; i < 100; i++) {
		size = sample_make(&sample, 1, "/a");
		coalesce_event(*state, &sample.event, size, SECOND);
	}
	size = sample_make(&sample, 1, "/b");
	assert_int_equal(coalesce_event(*state, &sample.event, size, SECOND), COALESCE_PASS);
	size = sample_make(&sample, 2, "/a");
	assert_int_equal(coalesce_event(*state, &sample.event, size, SECOND), COALESCE_PASS);
	size = sample_make(&sample, 1, "/a");
	sample.event.generation = 2;
	assert_int_equal(coalesce_event(*state, &sample.event, size, SECOND), COALESCE_PASS);
}

static void one_rule_has_a_share_of_the_window(void **state)
{
	size_t passed = 0, mixed = 0, size;
	struct folded folded = {};
	struct sample sample;
	char name[32];

	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "/%d", i);
		size = sample_make(&sample, 1, name);
		switch (coalesce_event(*state, &sample.event, size, SECOND)) {
		case COALESCE_PASS:
			passed++;
			break;
		case COALESCE_HELD_MIXED:
			mixed++;
			break;
		}
	}
	assert_int_equal(passed, COALESCE_RULE_MAX);
	assert_int_equal(passed + mixed, 5000);
	size = sample_make(&sample, 2, "/other");
	assert_int_equal(coalesce_event(*state, &sample.event, size, SECOND), COALESCE_PASS);
	coalesce_expire(*state, 2 * SECOND, fold, &folded);
	assert_int_equal(folded.calls, 1);
	assert_int_equal(folded.mixed, 1);
	assert_int_equal(folded.repeats, mixed);
	size = sample_make(&sample, 1, "/later");
	assert_int_equal(coalesce_event(*state, &sample.event, size, 3 * SECOND), COALESCE_PASS);
}

/* What one layer alone refused is no example of what two did, and the other way round. */
static void an_example_was_answered_by_the_same_layers(void **state)
{
	struct folded folded = {};
	struct sample sample;
	size_t held[2] = {}, size;
	char name[32];

	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "/%d", i);
		size = sample_make(&sample, 1, name);
		sample.event.n_answers = 1 + i % 2;
		sample.event.answers[1].layer = 1;
		sample.event.answers[1].rule = 7;
		held[i % 2] += coalesce_event(*state, &sample.event, size, SECOND) == COALESCE_HELD_MIXED;
	}
	assert_int_equal(held[0], 500 - COALESCE_RULE_MAX);
	assert_int_equal(held[1], 500 - COALESCE_RULE_MAX);
	coalesce_expire(*state, 2 * SECOND, fold, &folded);
	assert_int_equal(folded.mixed, 2);
	assert_int_equal(folded.repeats, held[0] + held[1]);
}

/* More rules at a time than are watched: their events are dropped, and said to be. */
static void a_rule_without_room_is_limited(void **state)
{
	size_t limited = 0, size;
	struct sample sample;

	for (uint32_t rule = 1; rule <= 2 * COALESCE_KINDS; rule++) {
		size = sample_make(&sample, rule, "/a");
		limited += coalesce_event(*state, &sample.event, size, SECOND) == COALESCE_LIMITED;
	}
	assert_in_range(limited, COALESCE_KINDS, 2 * COALESCE_KINDS);
}

/* passed + held + limited = given, whatever comes, and what is held is handed over once. */
static void everything_is_counted_once(void **state)
{
	uint64_t now = SECOND, passed = 0, limited = 0, given = 200000;
	struct folded folded = {};
	struct sample sample;
	char name[32];

	srand(7);
	for (uint64_t i = 0; i < given; i++) {
		size_t size;

		snprintf(name, sizeof(name), "/%d", rand() % (i % 50000 < 25000 ? 8 : 4000));
		size = sample_make(&sample, 1 + rand() % 3, name);
		now += rand() % (SECOND / 2000);
		switch (coalesce_event(*state, &sample.event, size, now)) {
		case COALESCE_PASS:
			passed++;
			break;
		case COALESCE_LIMITED:
			limited++;
			break;
		}
		if (rand() % 100 == 0)
			coalesce_expire(*state, now, fold, &folded);
		assert_int_equal(passed + limited + folded.repeats + coalesce_held(*state), i + 1);
	}
	coalesce_expire(*state, UINT64_MAX, fold, &folded);
	assert_int_equal(passed + limited + folded.repeats, given);
	assert_true(passed > 0 && folded.mixed > 0 && folded.calls > folded.mixed);
	assert_int_equal(((struct coalesce *)*state)->bytes, 0);
}

static void the_time_of_the_next_end_is_told(void **state)
{
	struct folded folded = {};
	struct sample sample;
	size_t size = sample_make(&sample, 1, "/a");

	for (int i = 0; i <= COALESCE_BURST; i++)
		coalesce_event(*state, &sample.event, size, 5 * SECOND);
	assert_true(coalesce_expire(*state, 5 * SECOND, fold, &folded) == 6 * SECOND);
	assert_int_equal(folded.calls, 0);
	assert_true(coalesce_expire(*state, 6 * SECOND, fold, &folded) == 0);
	assert_int_equal(folded.repeats, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_is_the_papers),
		cmocka_unit_test_setup_teardown(lone_events_pass_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(floods_fold_into_one_a_window, setup, teardown),
		cmocka_unit_test_setup_teardown(a_quiet_window_ends_the_flood, setup, teardown),
		cmocka_unit_test_setup_teardown(kinds_do_not_mix, setup, teardown),
		cmocka_unit_test_setup_teardown(one_rule_has_a_share_of_the_window, setup, teardown),
		cmocka_unit_test_setup_teardown(an_example_was_answered_by_the_same_layers, setup, teardown),
		cmocka_unit_test_setup_teardown(a_rule_without_room_is_limited, setup, teardown),
		cmocka_unit_test_setup_teardown(everything_is_counted_once, setup, teardown),
		cmocka_unit_test_setup_teardown(the_time_of_the_next_end_is_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
