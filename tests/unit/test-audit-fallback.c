// SPDX-License-Identifier: LGPL-2.1-or-later
/* audit-fallback.c: a build without libaudit counts what it could not deliver. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "agent/record/sink.h"
#define sink_audit sink_audit_fallback
#define audit_daemon audit_daemon_fallback
extern int audit_daemon_fallback(void);
extern const struct sink_type sink_audit_fallback;
#include "agent/record/audit-fallback.c"

static void nobody_is_there(void **state)
{
	struct lsmd_event event = { .n_answers = 1, .object = LSMD_OBJECT_NONE };
	struct lsmd_tally_sink tally = {};
	struct record *record;
	struct sink *sink;

	assert_int_equal(record_new(&event, sizeof(event), NULL, 3, 0, NULL, &record), 0);
	assert_int_equal(sink_start(&sink_audit_fallback, &tally, &sink), 0);
	sink_give(sink, record);
	record_unref(record);
	assert_int_equal(sink_stop(sink, 5000), 0);
	assert_int_equal(tally.given.decisions, 3);
	assert_int_equal(tally.absent.decisions, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(nobody_is_there) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
