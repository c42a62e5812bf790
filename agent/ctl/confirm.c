// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmctl confirm: keep a reload that was made with --confirm. */
#include "agent/ctl/ctl.h"

static const char usage[] =
	"usage: lsmctl confirm [OPTION]\n"
	"\n"
	"Keeps the policies of a reload that waits for it (lsmctl help reload). Without it the kernel goes back to those before when the time is over.\n"
	"\n"
	"  --help      this text\n"
	"\n"
	"Exit status: 0 kept; 1 no reload waits, or it was taken back already; 2 usage; 3 the agent cannot be reached.\n";

#define REPLY_TIMEOUT_MS 60000

static int options_read(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, {} };
	int status = -1;

	while (ctl_option(&ctl_confirm, argc, argv, options, &status) != -1)
		return status;
	return optind < argc ? ctl_usage_error(&ctl_confirm, "no argument is expected: '%s'", argv[optind]) : -1;
}

static int confirm_run(struct ctl *ctl, int argc, char **argv)
{
	int status = options_read(argc, argv);
	struct control control;
	json_t *reply;

	if (status >= 0)
		return status;
	status = ctl_ask(ctl, json_pack("{s:s}", "request", "confirm"), REPLY_TIMEOUT_MS, false, &control, &reply);
	if (status)
		return status;
	control_close(&control);
	printf("generation %lld stays in force\n", (long long)ctl_number(reply, "generation"));
	json_decref(reply);
	return CTL_DONE;
}

const struct ctl_command ctl_confirm = {
	.name = "confirm",
	.summary = "keep a reload that waits to be confirmed",
	.usage = usage,
	.run = confirm_run,
};
