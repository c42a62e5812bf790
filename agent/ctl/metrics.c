// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmctl metrics: the agent's numbers for a monitoring system. */
#include "agent/record/metrics.h"

#include "agent/ctl/ctl.h"

static const char usage[] =
	"usage: lsmctl metrics [OPTION]\n"
	"\n"
	"Prints what the agent and the kernel side count, as OpenMetrics: decisions by policy and rule, what became of\n"
	"records, runs and time of each hook, reloads, sizes, the set in force.\n"
	"\n"
	"  --help      this text\n"
	"\n"
	"Exit status: 0 done; 1 it cannot be had; 2 usage; 3 the agent cannot be reached.\n";

#define REPLY_TIMEOUT_MS 20000

static int metrics_run(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, {} };
	_cleanup_buf_ struct buf text = {};
	struct control control;
	int status = -1;
	json_t *answer;

	while (ctl_option(&ctl_metrics, argc, argv, options, &status) != -1)
		return status;
	if (optind < argc)
		return ctl_usage_error(&ctl_metrics, "no argument is expected: '%s'", argv[optind]);
	status = ctl_ask(ctl, json_pack("{s:s, s:b}", "request", "status", "rules", 1), REPLY_TIMEOUT_MS, false, &control,
			 &answer);
	if (status)
		return status;
	control_close(&control);
	metrics_add(&text, answer, METRICS_OPEN);
	json_decref(answer);
	if (text.failed)
		return ctl_error(0, "out of memory");
	return fwrite(text.bytes, 1, text.len, stdout) == text.len ? CTL_DONE : ctl_error(0, "cannot write to standard output");
}

const struct ctl_command ctl_metrics = {
	.name = "metrics",
	.summary = "print the agent's numbers as OpenMetrics",
	.usage = usage,
	.run = metrics_run,
};
