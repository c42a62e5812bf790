// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmctl mode: a policy in another mode for a while. */
#include <string.h>

#include "agent/ctl/ctl.h"
#include "agent/util/units.h"
#include "lsm/abi/verdict.h"

static const char usage[] =
	"usage: lsmctl mode NAME enforce|audit|off [OPTION]...\n"
	"\n"
	"Breaks the glass: policy NAME is in another mode than its file says, for a while, and then goes back by itself, also\n"
	"when lsmd has ended meanwhile. Who asked is logged. The mode of its file ends it at once.\n"
	"\n"
	"  --for TIME  how long: 90s, 10m or 2h, at most a day (10m)\n"
	"  --help      this text\n"
	"\n"
	"Exit status: 0 done; 1 refused or failed; 2 usage; 3 the agent cannot be reached.\n";

#define REPLY_TIMEOUT_MS 60000
#define SECONDS_DEFAULT 600

struct mode {
	unsigned int seconds;
};

static int options_read(int argc, char **argv, struct mode *ret)
{
	static const struct option options[] = {
		{ "for", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int c, status = -1;

	ret->seconds = SECONDS_DEFAULT;
	while ((c = ctl_option(&ctl_mode, argc, argv, options, &status)) != -1) {
		if (c != 'f')
			return status;
		ret->seconds = units_seconds(optarg);
		if (!ret->seconds)
			return ctl_usage_error(&ctl_mode, "'%s' is no time such as 90s, 10m or 2h, of at most a day", optarg);
	}
	return argc - optind == 2 ? -1 : ctl_usage_error(&ctl_mode, "a policy and a mode are needed");
}

/* Return: enum lsmd_mode; -1: none of that name */
static int mode_of(const char *name)
{
	static const char *const modes[] = { [LSMD_MODE_ENFORCE] = "enforce", [LSMD_MODE_AUDIT] = "audit", [LSMD_MODE_OFF] = "off" };

	for (int mode = 0; mode <= LSMD_MODE_OFF; mode++)
		if (!strcmp(modes[mode], name))
			return mode;
	return -1;
}

static void answer_print(const json_t *reply, const char *policy, const char *mode)
{
	const json_t *trial = json_object_get(reply, "trial");

	if (json_is_object(trial))
		printf("policy %s is in mode %s for %lld s, then in that of its file\n", policy, mode,
		       (long long)ctl_number(trial, "seconds_left"));
	else
		printf("policy %s is in the mode of its file again\n", policy);
}

static int mode_run(struct ctl *ctl, int argc, char **argv)
{
	struct control control;
	struct mode options;
	json_t *reply;
	int status = options_read(argc, argv, &options), mode;

	if (status >= 0)
		return status;
	mode = mode_of(argv[optind + 1]);
	if (mode < 0)
		return ctl_usage_error(&ctl_mode, "there is no mode '%s'; enforce, audit or off", argv[optind + 1]);
	status = ctl_ask(ctl,
			 json_pack("{s:s, s:s, s:i, s:i}", "request", "mode", "policy", argv[optind], "mode", mode, "seconds",
				   (int)options.seconds),
			 REPLY_TIMEOUT_MS, false, &control, &reply);
	if (status)
		return status;
	control_close(&control);
	answer_print(reply, argv[optind], argv[optind + 1]);
	json_decref(reply);
	return CTL_DONE;
}

const struct ctl_command ctl_mode = {
	.name = "mode",
	.summary = "a policy in another mode for a while",
	.usage = usage,
	.run = mode_run,
};
