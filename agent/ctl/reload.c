// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmctl reload: have the agent read the policies anew. */
#include <string.h>

#include "agent/ctl/ctl.h"
#include "agent/util/units.h"

static const char usage[] =
	"usage: lsmctl reload [OPTION]...\n"
	"\n"
	"The agent reads, checks and compiles the policies on disk and puts them in force in one step; what is answered otherwise\n"
	"from then on is printed, as 'lsmctl diff' does. One wrong policy, and the set in force stays as it is.\n"
	"\n"
	"  --dry-run   all but the last step\n"
	"  --confirm TIME\n"
	"              go back to the set before, by itself, unless 'lsmctl confirm' comes within TIME (60s, 5m)\n"
	"  --force     also policies that would lock this machine's administrators out\n"
	"  --json      the outcome as JSON\n"
	"  --help      this text\n"
	"\n"
	"Exit status: 0 done; 1 refused or failed; 2 usage; 3 the agent cannot be reached.\n";

/* A million rules take seconds, several reloads wait for each other. */
#define RELOAD_TIMEOUT_MS 300000

struct reload {
	bool dry_run, force, json;
	unsigned int confirm_s;
};

static int options_read(int argc, char **argv, struct reload *reload)
{
	static const struct option options[] = {
		{ "dry-run", no_argument, NULL, 'n' },
		{ "confirm", required_argument, NULL, 'c' },
		{ "force", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int c, status = -1;

	while ((c = ctl_option(&ctl_reload, argc, argv, options, &status)) != -1) {
		switch (c) {
		case 'n':
			reload->dry_run = true;
			break;
		case 'c':
			reload->confirm_s = units_seconds(optarg);
			if (!reload->confirm_s)
				return ctl_usage_error(&ctl_reload, "'%s' is no time such as 60s or 5m, of at most a day", optarg);
			break;
		case 'f':
			reload->force = true;
			break;
		case 'j':
			reload->json = true;
			break;
		default:
			return status;
		}
	}
	return optind < argc ? ctl_usage_error(&ctl_reload, "no argument is expected: '%s'", argv[optind]) : -1;
}

static void times_print(const json_t *times)
{
	static const struct {
		const char *key, *text;
	} steps[] = {
		{ "check_ns", "read and check" },
		{ "compile_ns", "compile" },
		{ "load_ns", "load" },
		{ "swap_ns", "swap" },
		{ "grace_ns", "grace" },
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		printf("%s%s %s", i ? ", " : "", steps[i].text, units_time(ctl_number(times, steps[i].key)).text);
	putchar('\n');
}

static int outcome_print(const struct ctl *ctl, const json_t *reply)
{
	const char *outcome = ctl_string(reply, "outcome");

	fputs(ctl_string(reply, "diagnostics_text"), stderr);
	if (!strcmp(outcome, "refused")) {
		fflush(stderr);
		printf("%srefused%s: errors: %lld; generation %lld stays in force\n", CTL_RED(ctl->colour_out),
		       CTL_PLAIN(ctl->colour_out), (long long)ctl_number(reply, "errors"),
		       (long long)ctl_number(reply, "generation"));
		return CTL_FOUND;
	}
	if (json_object_get(reply, "changes"))
		ctl_print_changes(json_object_get(reply, "changes"), ctl->colour_out);
	if (!strcmp(outcome, "unchanged"))
		printf("unchanged: generation %lld is what the policies on disk say",
		       (long long)ctl_number(reply, "generation"));
	else if (!strcmp(outcome, "dry-run"))
		printf("dry run: generation %lld stays in force; a reload would put in its place",
		       (long long)ctl_number(reply, "generation"));
	else
		printf("generation %lld is in force", (long long)ctl_number(reply, "generation"));
	printf(": %lld %s, %lld rules, image %s\n", (long long)ctl_number(reply, "n_policies"),
	       ctl_number(reply, "n_policies") == 1 ? "policy" : "policies", (long long)ctl_number(reply, "n_rules"),
	       units_bytes(ctl_number(reply, "image_bytes")).text);
	times_print(json_object_get(reply, "times"));
	return CTL_DONE;
}

static int reload_run(struct ctl *ctl, int argc, char **argv)
{
	struct reload reload = {};
	struct control control;
	json_t *reply;
	int status = options_read(argc, argv, &reload);

	if (status >= 0)
		return status;
	status = ctl_ask(ctl,
			 json_pack("{s:s, s:b, s:b, s:b, s:b, s:i}", "request", "reload", "dry_run", reload.dry_run, "force",
				   reload.force, "json", reload.json, "colour", ctl->colour_err, "confirm", (int)reload.confirm_s),
			 RELOAD_TIMEOUT_MS, false, &control, &reply);
	if (status)
		return status;
	control_close(&control);
	if (!reload.json) {
		status = outcome_print(ctl, reply);
		if (reload.confirm_s && !strcmp(ctl_string(reply, "outcome"), "swapped"))
			printf("for %u s only: run 'lsmctl confirm' to keep it, or what was in force before comes back\n",
			       reload.confirm_s);
		json_decref(reply);
		return status;
	}
	status = strcmp(ctl_string(reply, "outcome"), "refused") ? CTL_DONE : CTL_FOUND;
	json_object_del(reply, "diagnostics_text");
	return ctl_print_json(reply, true) ? CTL_FOUND : status;
}

const struct ctl_command ctl_reload = {
	.name = "reload",
	.summary = "put the policies on disk in force, and print what changes",
	.usage = usage,
	.run = reload_run,
};
