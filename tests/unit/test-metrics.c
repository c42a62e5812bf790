// SPDX-License-Identifier: LGPL-2.1-or-later
/* metrics.c: parsers that other people wrote read what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/record/metrics.h"

static const char status_text[] =
	"{ \"enforcing\": true, \"generation\": 7, \"set\": \"00ff\", \"image_bytes\": 4096,"
	"  \"agent\": { \"version\": \"1\", \"started_us\": 1500000, \"loaded_us\": 2500000, \"refused_us\": 0 },"
	"  \"policies\": [ { \"name\": \"web\", \"mode\": \"enforce\", \"processes\": 3, \"rules\": 9 } ],"
	"  \"processes\": { \"all\": 80, \"held\": 3, \"unknown\": 0 },"
	"  \"rules\": [ { \"policy\": \"web\", \"rule\": \"/p/a\\\\x0ab\\\"c.json:3\", \"id\": \"x\", \"decisions\": 12 },"
	"    { \"policy\": \"web\", \"rule\": \"/p/web.json:4\", \"decisions\": 5 } ],"
	"  \"counters\": { \"denied\": 17, \"sent\": 17, \"reasons\": { \"rule\": 17 } },"
	"  \"records\": { \"denials\": { \"decided\": 17, \"recorded\": 4, \"coalesced\": 12, \"held\": 1, \"in_ring\": 0,"
	"      \"dropped\": { \"ring_full\": 0 }, \"not_sent\": { \"no_label\": 0 }, \"being_counted\": 0 },"
	"    \"sinks\": [ { \"sink\": \"audit\", \"given\": { \"records\": 5, \"decisions\": 16 },"
	"      \"delivered\": { \"records\": 5, \"decisions\": 16 }, \"queued\": { \"records\": 0, \"decisions\": 0 } } ] },"
	"  \"programs\": [ { \"hook\": \"file_open\", \"runs\": 4, \"run_ns\": 1000, \"jited_bytes\": 99 },"
	"    { \"hook\": \"task_alloc\", \"runs\": 0, \"run_ns\": 0, \"jited_bytes\": 9 } ],"
	"  \"maps\": [ { \"name\": \"lsmd_pool\", \"bytes\": 640 } ],"
	"  \"reloads\": { \"outcomes\": { \"swapped\": 2 }, \"last_ns\": { \"swap\": 1500 } } }";

static void parse(enum metrics_form form, const char *program)
{
	json_t *status = json_loads(status_text, 0, NULL);
	char name[] = "/tmp/lsmd-test-metrics-XXXXXX", command[4096];
	_cleanup_buf_ struct buf text = {};
	int fd = mkstemp(name), answer;

	assert_non_null(status);
	if (system("/usr/bin/python3 -c 'import prometheus_client' 2> /dev/null")) {
		json_decref(status);
		skip();
	}
	metrics_add(&text, status, form);
	json_decref(status);
	assert_int_equal(write(fd, text.bytes, text.len), (int)text.len);
	close(fd);
	snprintf(command, sizeof(command), "/usr/bin/python3 -c '%s' < %s", program, name);
	answer = system(command);
	unlink(name);
	assert_int_equal(answer, 0);
}

#define CHECKS                                                                                                            \
	"found = {(s.name, tuple(sorted(s.labels.items()))): s.value for f in families for s in f.samples}\n"             \
	"assert found[\"lsmd_enforcing\", ()] == 1\n"                                                                      \
	"assert found[\"lsmd_rule_decisions_total\", ((\"id\", \"x\"), (\"policy\", \"web\"), "                            \
	"(\"rule\", \"/p/a\\\\x0ab\\\"c.json:3\"))] == 12\n"                                                               \
	"assert found[\"lsmd_rule_decisions_total\", ((\"policy\", \"web\"), (\"rule\", \"/p/web.json:4\"))] == 5\n"       \
	"assert found[\"lsmd_hook_mean_nanoseconds\", ((\"hook\", \"file_open\"),)] == 250\n"                              \
	"assert found[\"lsmd_hook_seconds_total\", ((\"hook\", \"file_open\"),)] == 1e-6\n"                                \
	"assert found[\"lsmd_decisions_total\", ((\"outcome\", \"coalesced\"), (\"stream\", \"denials\"))] == 12\n"        \
	"assert found[\"lsmd_sink_decisions_total\", ((\"outcome\", \"given\"), (\"sink\", \"audit\"))] == 16\n"           \
	"assert found[\"lsmd_reload_last_seconds\", ((\"step\", \"swap\"),)] == 1.5e-6\n"                                  \
	"assert found[\"lsmd_set_info\", ((\"set\", \"00ff\"), (\"version\", \"1\"))] == 1\n"                              \
	"assert len({f.name for f in families}) == len(families) > 20, len(families)\n"

static void openmetrics_is_read(void **state)
{
	parse(METRICS_OPEN, "import sys\nfrom prometheus_client.openmetrics.parser import text_string_to_metric_families as parse\n"
			    "families = list(parse(sys.stdin.read()))\n" CHECKS);
}

static void the_text_format_is_read(void **state)
{
	parse(METRICS_TEXT, "import sys\nfrom prometheus_client.parser import text_string_to_metric_families as parse\n"
			    "families = list(parse(sys.stdin.read()))\n" CHECKS
			    "assert {f.type for f in families} == {\"counter\", \"gauge\"}\n");
}

static void files_are_whole_or_absent(void **state)
{
	json_t *status = json_loads(status_text, 0, NULL);
	char name[] = "/tmp/lsmd-test-metrics-XXXXXX", line[128] = "";
	FILE *file;

	close(mkstemp(name));
	assert_int_equal(metrics_write(name, status), 0);
	assert_true(metrics_write("/nonexistent/lsmd.prom", status) < 0);
	json_decref(status);
	file = fopen(name, "r");
	assert_non_null(fgets(line, sizeof(line), file));
	assert_string_equal(line, "# TYPE lsmd_enforcing gauge\n");
	fclose(file);
	unlink(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openmetrics_is_read),
		cmocka_unit_test(the_text_format_is_read),
		cmocka_unit_test(files_are_whole_or_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
