// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmd: arguments, privileges, readiness, event loop. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "agent/control/agent.h"
#include "agent/control/boot.h"
#include "agent/control/reload.h"
#include "agent/util/cleanup.h"
#include "agent/util/log.h"
#include "agent/util/privilege.h"

#define EXIT_USAGE 2
/* Nothing that trying again would change: the unit does not restart for it. */
#define EXIT_REFUSED 6 /* NOTCONFIGURED of the LSB, as the service manager prints it */

/*
 * What the agent needs once the kernel enforces; what loading needs beyond that goes away before a thread or a client
 * is there.
 */
static const int kept_capabilities[] = {
	CAP_BPF, /* maps of the next image, and putting them into their slots */
	CAP_PERFMON, /* loading larger programs, when a set outgrows those that run */
	CAP_NET_ADMIN, /* the same: an extension program could extend one of the network's, so the kernel asks for it */
	CAP_AUDIT_WRITE, /* USER_AVC records */
	CAP_DAC_READ_SEARCH, /* open_by_handle_at(): the cgroup of a process that may have ended */
};

static const char usage[] =
	"usage: lsmd [OPTION]...\n"
	"\n"
	"Has the kernel enforce the policies of /etc/lsmd/policies.d, and records what they refuse.\n"
	"\n"
	"  --settings FILE   read FILE instead of /etc/lsmd/lsmd.json\n"
	"  --foreground      accepted for scripts: lsmd never goes to the background by itself\n"
	"  --help            this text\n"
	"  --version         the version\n"
	"\n"
	"lsmd is started by the service manager: systemctl enable --now lsmd. 'lsmctl' talks to it.\n"
	"Signals: SIGHUP reloads the policies; SIGTERM ends lsmd, the kernel goes on enforcing ('lsmctl unload' ends that).\n"
	"\n"
	"Exit status: 0 ended by a signal, or off (lsmd=off); 1 failed; 2 usage; 6 refused to start: the policies are wrong, the kernel cannot\n"
	"enforce them, or another lsmd runs.\n";

struct arguments {
	const char *settings;
};

enum {
	ARGUMENTS_DONE = 1, /* what was asked for was printed */
	ARGUMENTS_WRONG,
};

static int arguments_read(int argc, char **argv, struct arguments *ret)
{
	static const struct option options[] = {
		{ "settings", required_argument, NULL, 's' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			ret->settings = optarg;
			break;
		case 'f':
			break;
		case 'h':
			fputs(usage, stdout);
			return ARGUMENTS_DONE;
		case 'v':
			puts("lsmd " LSMD_VERSION);
			return ARGUMENTS_DONE;
		default:
			fputs("Try 'lsmd --help'.\n", stderr);
			return ARGUMENTS_WRONG;
		}
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "lsmd: no argument is expected: '%s'\nTry 'lsmd --help'.\n", argv[optind]);
	return ARGUMENTS_WRONG;
}

static int privileges_check(void)
{
	if (geteuid()) {
		log_error(
			0,
			"lsmd must run as root: it loads programs into the kernel. Start it with 'systemctl start lsmd' or sudo");
		return -EPERM;
	}
	if (!privilege_have(CAP_BPF) && !privilege_have(CAP_SYS_ADMIN)) {
		log_error(0, "lsmd lacks CAP_BPF: it runs in a container or a unit that takes it away");
		return -EPERM;
	}
	return 0;
}

/* No core dumps (they would hold policies and events), room for descriptors, and memory of maps where it is still counted. */
static void limits_set(void)
{
	const struct rlimit none = {}, files = { 4096, 4096 }, all = { RLIM_INFINITY, RLIM_INFINITY };

	if (setrlimit(RLIMIT_CORE, &none))
		log_warning(-errno, "Cannot forbid core dumps");
	if (setrlimit(RLIMIT_NOFILE, &files))
		log_warning(-errno, "Cannot set the limit of open files");
	/* Kernels before 5.11 count maps here; later ones by cgroup, and do not need it. */
	(void)setrlimit(RLIMIT_MEMLOCK, &all);
}

static int reload_asked(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
	const struct reload_options options = {};
	struct agent *agent = data;
	int r = reloads_add(agent->reloads, &options);

	if (r)
		log_error(r, "Cannot reload for a signal");
	return 0;
}

static int end_asked(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
	sd_notify(0, "STOPPING=1");
	log_notice(
		"Ending for signal %u. The kernel goes on enforcing the policies in force; 'lsmctl unload' ends that",
		info->ssi_signo);
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int signals_block(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	signal(SIGPIPE, SIG_IGN);
	return sigprocmask(SIG_BLOCK, &set, NULL) ? -errno : 0;
}

static int signals_add(sd_event *event, struct agent *agent)
{
	int r = sd_event_add_signal(event, NULL, SIGHUP, reload_asked, agent);

	if (r >= 0)
		r = sd_event_add_signal(event, NULL, SIGTERM, end_asked, agent);
	if (r >= 0)
		r = sd_event_add_signal(event, NULL, SIGINT, end_asked, agent);
	if (r >= 0)
		r = sd_event_set_watchdog(event, true);
	return r < 0 ? log_error(r, "Cannot watch for signals") : 0;
}

static void ready_say(struct agent *agent)
{
	log_notice("lsmd " LSMD_VERSION " is ready: the kernel enforces generation %llu",
		   (unsigned long long)kernel_generation(agent->kernel));
	sd_notify(0, "READY=1");
	agent_say_status(agent);
}

static int agent_run(const struct settings *settings)
{
	_cleanup_(sd_event_unrefp) sd_event *event = NULL;
	_cleanup_(agent_freep) struct agent *agent = NULL;
	int r = sd_event_default(&event);

	if (r < 0)
		return log_error(r, "Cannot make an event loop");
	r = signals_block();
	if (!r)
		r = agent_new(settings, event, &agent);
	if (!r)
		r = agent_enforce(agent);
	if (r)
		return r;
	r = privilege_drop(kept_capabilities, sizeof(kept_capabilities) / sizeof(*kept_capabilities));
	if (r)
		return log_error(r, "Cannot give up privileges");
	r = agent_serve(agent);
	if (!r)
		r = signals_add(event, agent);
	if (r) {
		log_notice("The kernel goes on enforcing generation %llu all the same",
			   (unsigned long long)kernel_generation(agent->kernel));
		return r;
	}
	ready_say(agent);
	r = sd_event_loop(event);
	return r < 0 ? log_error(r, "The event loop ended; the kernel goes on enforcing") : r;
}

/* Ready, and at an end: what is ordered behind the service goes on, and the service manager does not try again. */
static int off_say(void)
{
	log_warning(0, "lsmd=off is on the kernel command line: nothing is loaded, and no policy is enforced until the machine is booted without it");
	sd_notify(0, "READY=1\nSTATUS=Off by the kernel command line (lsmd=off): nothing is enforced");
	return EXIT_SUCCESS;
}

static void settings_freep(struct settings *settings)
{
	settings_clear(settings);
}

int main(int argc, char **argv)
{
	_cleanup_(settings_freep) struct settings settings = {};
	struct arguments arguments = {};
	int r = arguments_read(argc, argv, &arguments);

	if (r)
		return r == ARGUMENTS_DONE ? EXIT_SUCCESS : EXIT_USAGE;
	log_open("lsmd");
	if (boot_is_off(BOOT_CMDLINE))
		return off_say();
	if (privileges_check())
		return EXIT_FAILURE;
	r = settings_read(arguments.settings, stderr, false, &settings);
	if (!r)
		r = settings_keys(&settings, stderr);
	if (r < 0)
		log_error(r, "Cannot read the settings %s", arguments.settings ? arguments.settings : SETTINGS_FILE);
	if (r)
		return r > 0 ? EXIT_REFUSED : EXIT_FAILURE;
	limits_set();
	r = agent_run(&settings);
	return r > 0 ? EXIT_REFUSED : r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
