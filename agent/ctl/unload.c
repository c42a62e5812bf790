// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmctl unload: the one way to end enforcement on purpose. */
#include <errno.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "agent/ctl/ctl.h"
#include "agent/kernel/kernel.h"
#include "agent/record/message-id.h"

static const char usage[] =
	"usage: lsmctl unload [OPTION]\n"
	"\n"
	"Detaches and removes everything that lsmd put into the kernel: from then on no policy holds anyone. lsmd must have\n"
	"been stopped before ('systemctl stop lsmd'), or it would hold on to its programs. The journal records it.\n"
	"\n"
	"  --help      this text\n"
	"\n"
	"Exit status: 0 enforcement has ended; 1 nothing was loaded, or it could not be done; 2 usage.\n";

static int options_read(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, {} };
	int status = -1;

	while (ctl_option(&ctl_unload, argc, argv, options, &status) != -1)
		return status;
	return optind < argc ? ctl_usage_error(&ctl_unload, "no argument is expected: '%s'", argv[optind]) : -1;
}

static int agent_is_away(const struct ctl *ctl)
{
	struct control control;
	int r = control_open(&control, ctl->settings.socket);

	control_close(&control);
	if (r == CONTROL_NO_AGENT)
		return 0;
	if (r)
		return ctl_error(r < 0 ? r : 0, "cannot tell whether lsmd runs");
	return ctl_error(0, "lsmd is running and holds its programs; stop it first: systemctl stop lsmd");
}

static int unload_run(struct ctl *ctl, int argc, char **argv)
{
	int status = options_read(argc, argv), r;

	if (status >= 0)
		return status;
	if (geteuid())
		return ctl_error(0, "only root may end enforcement; try it with sudo");
	status = ctl_settings(ctl);
	if (!status)
		status = agent_is_away(ctl);
	if (status)
		return status;
	r = kernel_unload(ctl->settings.pins);
	if (r == KERNEL_NOTHING_LOADED)
		return ctl_error(0, "nothing is loaded: there is nothing at %s", ctl->settings.pins);
	if (r)
		return ctl_error(r < 0 ? r : -EIO, "cannot end enforcement; what is at %s may be incomplete",
				 ctl->settings.pins);
	sd_journal_send("MESSAGE=Enforcement ended by lsmctl unload", "MESSAGE_ID=" LSMD_MESSAGE_UNLOADED,
			"PRIORITY=%d", LOG_NOTICE, "SYSLOG_IDENTIFIER=lsmctl", NULL);
	puts("Enforcement has ended: no policy holds any process.");
	return CTL_DONE;
}

const struct ctl_command ctl_unload = {
	.name = "unload",
	.summary = "end enforcement on purpose",
	.usage = usage,
	.run = unload_run,
};
