// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmctl status: what is in force, what it costs, what became of records, and what is not mediated. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/control/boot.h"
#include "agent/control/status.h"
#include "agent/ctl/ctl.h"
#include "agent/kernel/kernel.h"
#include "agent/record/escape.h"
#include "agent/util/units.h"

static const char usage[] =
	"usage: lsmctl status [OPTION]\n"
	"\n"
	"Shows whether the kernel enforces, which policies and on how many processes, files changed since they were loaded,\n"
	"programs, maps, counters, and what this version or kernel does not mediate. Where the agent is away, what the\n"
	"kernel itself can tell.\n"
	"\n"
	"  --json      the same as JSON\n"
	"  --help      this text\n"
	"\n"
	"Exit status: 0 the agent runs and the kernel enforces; 1 it does not; 2 usage; 3 the agent cannot be reached.\n";

#define REPLY_TIMEOUT_MS 20000

static int options_read(int argc, char **argv, bool *json)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int c, status = -1;

	while ((c = ctl_option(&ctl_status, argc, argv, options, &status)) != -1) {
		if (c != 'j')
			return status;
		*json = true;
	}
	return optind < argc ? ctl_usage_error(&ctl_status, "no argument is expected: '%s'", argv[optind]) : -1;
}

static uint64_t realtime_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000ull + now.tv_nsec / 1000;
}

static void title(const char *text, bool colour)
{
	printf("\n%s%s%s\n", CTL_BOLD(colour), text, CTL_PLAIN(colour));
}

/* What is in force for a time only. */
static void trial_print(const json_t *trial, bool colour)
{
	if (!json_is_object(trial))
		return;
	printf("%son trial%s, %lld s left: ", CTL_YELLOW(colour), CTL_PLAIN(colour), (long long)ctl_number(trial, "seconds_left"));
	if (!strcmp(ctl_string(trial, "kind"), "mode"))
		printf("policy %s is not in the mode of its file\n", ctl_string(trial, "policy"));
	else
		puts("the set before comes back unless 'lsmctl confirm' keeps this one");
}

/* Who signed what is in force, where somebody has to. */
static void signature_print(const json_t *signature, bool colour)
{
	if (!json_is_object(signature))
		return;
	if (ctl_number(signature, "serial"))
		printf("signed with key %s (%s), serial %lld\n", ctl_string(signature, "key"), ctl_string(signature, "key_file"),
		       (long long)ctl_number(signature, "serial"));
	else
		printf("%swho signed what is in force is not known%s: an earlier lsmd loaded it\n", CTL_YELLOW(colour), CTL_PLAIN(colour));
}

static void head_print(const json_t *status, bool colour)
{
	const json_t *agent = json_object_get(status, "agent");
	bool enforcing = ctl_true(status, "enforcing");
	json_int_t loaded_us = ctl_number(agent, "loaded_us");

	printf("%s%s%s", enforcing ? CTL_GREEN(colour) : CTL_RED(colour), enforcing ? "enforcing" : "NOT ENFORCING",
	       CTL_PLAIN(colour));
	if (enforcing)
		printf(", generation %lld, set %s, image %s", (long long)ctl_number(status, "generation"),
		       ctl_string(status, "set"), units_bytes(ctl_number(status, "image_bytes")).text);
	if (loaded_us)
		printf(", loaded %s", units_ago(loaded_us, realtime_us()).text);
	putchar('\n');
	trial_print(json_object_get(status, "trial"), colour);
	signature_print(json_object_get(status, "signature"), colour);
	if (agent)
		printf("agent: lsmd %s, process %lld, started %s\n", ctl_string(agent, "version"),
		       (long long)ctl_number(agent, "pid"),
		       units_ago(ctl_number(agent, "started_us"), realtime_us()).text);
	else
		printf("agent: %snot running%s; the kernel goes on as shown, but nothing reaches audit or the journal: "
		       "systemctl start lsmd\n",
		       CTL_RED(colour), CTL_PLAIN(colour));
}

static void policies_print(const json_t *status, bool colour)
{
	const json_t *list = json_object_get(status, "policies"), *processes = json_object_get(status, "processes");

	title("policies", colour);
	if (!json_array_size(list))
		puts("  none: nobody is held");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *policy = json_array_get(list, i);

		printf("  %-20s %-8s %4lld processes %6lld rules  %s%s\n", ctl_string(policy, "name"),
		       ctl_string(policy, "mode"), (long long)ctl_number(policy, "processes"),
		       (long long)ctl_number(policy, "rules"), ctl_string(policy, "file"),
		       ctl_number(policy, "processes") ? "" : "  (its subject matches no process now)");
	}
	printf("  %lld of %lld processes are held", (long long)ctl_number(processes, "held"),
	       (long long)ctl_number(processes, "all"));
	if (ctl_number(processes, "unknown"))
		printf("; %s%lld have no readable label%s", CTL_YELLOW(colour),
		       (long long)ctl_number(processes, "unknown"), CTL_PLAIN(colour));
	putchar('\n');
}

static size_t files_list(const json_t *files, const char *key, const char *text)
{
	const json_t *list = json_object_get(files, key);

	for (size_t i = 0; i < json_array_size(list); i++)
		printf("  %-8s %s\n", text, json_string_value(json_array_get(list, i)));
	return json_array_size(list);
}

static void files_print(const json_t *status, bool colour)
{
	const json_t *files = json_object_get(status, "files");
	size_t n;

	json_int_t refused_us = ctl_number(json_object_get(status, "agent"), "refused_us");

	title("files", colour);
	if (refused_us)
		printf("  %sthe policies on disk were refused %s%s: lsmctl check\n", CTL_RED(colour),
		       units_ago(refused_us, realtime_us()).text, CTL_PLAIN(colour));
	if (!json_is_object(files)) {
		puts("  whether files changed since the load is not known: the agent that loaded them is gone");
		return;
	}
	n = files_list(files, "changed", "changed") + files_list(files, "new", "new") +
	    files_list(files, "gone", "gone");
	puts(n ? "  these are not what is in force: lsmctl reload" : "  as they were loaded");
}

static void programs_print(const json_t *status, bool colour)
{
	const json_t *list = json_object_get(status, "programs");
	json_int_t runs = 0;

	title("programs", colour);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *program = json_array_get(list, i);
		json_int_t n = ctl_number(program, "runs");

		runs += n;
		printf("  %-24s %7lld instructions  %8s JIT", ctl_string(program, "hook"),
		       (long long)ctl_number(program, "instructions"),
		       units_bytes(ctl_number(program, "jited_bytes")).text);
		if (n)
			printf("  %10lld runs  %6.0f ns mean", (long long)n, (double)ctl_number(program, "run_ns") / n);
		putchar('\n');
	}
	if (!runs)
		puts("  runs are not counted (sysctl -w kernel.bpf_stats_enabled=1, at some cost)");
}

static void maps_print(const json_t *status, bool colour)
{
	const json_t *list = json_object_get(status, "maps");
	json_int_t bytes = 0;

	title("maps", colour);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *map = json_array_get(list, i);

		bytes += ctl_number(map, "bytes");
		printf("  %-24s %s\n", ctl_string(map, "name"), units_bytes(ctl_number(map, "bytes")).text);
	}
	printf("  %-24s %s\n", "together", units_bytes(bytes).text);
}

static void counters_print(const json_t *status, bool colour)
{
	json_t *counters = json_object_get(status, "counters"), *reasons = json_object_get(counters, "reasons"), *value;
	const char *key;

	title("decisions", colour);
	json_object_foreach (counters, key, value)
		if (json_integer_value(value) || !strcmp(key, "denied"))
			printf("  %-24s %lld\n", key, (long long)json_integer_value(value));
	json_object_foreach (reasons, key, value)
		if (json_integer_value(value))
			printf("  reason %-17s %lld\n", key, (long long)json_integer_value(value));
}

/* " + what N" for each number of an object that is not 0, with the words that the agent chose */
static void parts_print(const json_t *object, const char *before)
{
	json_t *value;
	const char *key;

	json_object_foreach ((json_t *)object, key, value) {
		if (!json_integer_value(value))
			continue;
		printf(" + %s", before);
		for (const char *c = key; *c; c++)
			putchar(*c == '_' ? ' ' : *c);
		printf(" %lld", (long long)json_integer_value(value));
	}
}

/* decided = recorded + coalesced + what was dropped, by reason; what never happened is left out. */
static void stream_print(const json_t *stream, const char *what)
{
	printf("  %s %lld = recorded %lld + coalesced %lld", what, (long long)ctl_number(stream, "decided"),
	       (long long)ctl_number(stream, "recorded"), (long long)ctl_number(stream, "coalesced"));
	if (ctl_number(stream, "held"))
		printf(" + held %lld", (long long)ctl_number(stream, "held"));
	if (ctl_number(stream, "in_ring"))
		printf(" + in the ring %lld", (long long)ctl_number(stream, "in_ring"));
	parts_print(json_object_get(stream, "dropped"), "dropped: ");
	parts_print(json_object_get(stream, "not_sent"), "not sent: ");
	if (ctl_number(stream, "being_counted"))
		printf(" + being counted %lld", (long long)ctl_number(stream, "being_counted"));
	putchar('\n');
}

static void sink_count_print(const json_t *sink, const char *key, const char *what)
{
	const json_t *count = json_object_get(sink, key);

	if (ctl_number(count, "records") || !strcmp(key, "given"))
		printf("%s %lld (%lld)", what, (long long)ctl_number(count, "records"), (long long)ctl_number(count, "decisions"));
}

static void sink_print(const json_t *sink)
{
	printf("  %-8s given", ctl_string(sink, "sink"));
	sink_count_print(sink, "given", "");
	sink_count_print(sink, "delivered", " = delivered");
	sink_count_print(sink, "queued", " + queued");
	sink_count_print(sink, "dropped_queue_full", " + dropped: queue full");
	sink_count_print(sink, "dropped_nobody_there", " + dropped: nobody there");
	sink_count_print(sink, "dropped_refused", " + dropped: refused");
	sink_count_print(sink, "dropped_agent_ended", " + dropped: agent ended");
	if (json_object_get(sink, "last_error"))
		printf("  (%s)", ctl_string(sink, "last_error"));
	putchar('\n');
}

static void records_print(const json_t *status, bool colour)
{
	const json_t *records = json_object_get(status, "records"), *sinks = json_object_get(records, "sinks");

	title("records", colour);
	stream_print(json_object_get(records, "denials"), "denied");
	stream_print(json_object_get(records, "notes"), "noted (audit mode, logged allows)");
	if (json_array_size(sinks))
		puts("  logs are given both kinds, a record for each decision recorded and one for many that were coalesced;\n"
		     "  in records, and (in decisions):");
	for (size_t i = 0; i < json_array_size(sinks); i++)
		sink_print(json_array_get(sinks, i));
}

static void limits_print(const json_t *status, bool colour)
{
	const json_t *verbs = json_object_get(status, "not_mediated"), *limits = json_object_get(status, "limits");

	title("not mediated", colour);
	if (json_array_size(verbs))
		fputs("  verbs, by this kernel:", stdout);
	for (size_t i = 0; i < json_array_size(verbs); i++)
		printf("%s %s", i ? "," : "", ctl_string(json_array_get(verbs, i), "verb"));
	if (json_array_size(verbs))
		puts("");
	for (size_t i = 0; i < json_array_size(limits); i++)
		printf("  %s\n", ctl_string(json_array_get(limits, i), "text"));
}

static void status_print(const json_t *status, bool colour)
{
	head_print(status, colour);
	if (ctl_true(status, "enforcing"))
		policies_print(status, colour);
	files_print(status, colour);
	programs_print(status, colour);
	maps_print(status, colour);
	counters_print(status, colour);
	records_print(status, colour);
	limits_print(status, colour);
}

/* What the kernel side tells without the agent. */
static int status_away(const struct ctl *ctl, json_t **ret)
{
	_cleanup_(kernel_freep) struct kernel *kernel = NULL;
	struct kernel_why why = {};
	int r;

	if (geteuid())
		return ctl_no_agent(ctl);
	r = kernel_attach(ctl->settings.pins, &why, &kernel);
	if (r == KERNEL_NOTHING_LOADED) {
		fputs("not enforcing: nothing is loaded\n", stdout);
		if (!boot_is_off(BOOT_CMDLINE))
			return ctl_no_agent(ctl);
		puts("lsmd=off is on the kernel command line: boot without it to have policies enforced");
		return CTL_NO_AGENT;
	}
	if (r) {
		ctl_error(r < 0 ? r : 0, "cannot read what is at %s%s%s", ctl->settings.pins, *why.text ? ": " : "",
			  why.text);
		return ctl_no_agent(ctl);
	}
	r = status_kernel(kernel, NULL, ret);
	return r ? ctl_error(r, "cannot read the kernel side") : 0;
}

static int status_run(struct ctl *ctl, int argc, char **argv)
{
	struct control control;
	bool json = false, away;
	json_t *answer;
	int status = options_read(argc, argv, &json);

	if (status >= 0)
		return status;
	status = ctl_ask(ctl, json_pack("{s:s}", "request", "status"), REPLY_TIMEOUT_MS, true, &control, &answer);
	away = status == CTL_NO_AGENT;
	if (!status)
		control_close(&control);
	if (away)
		status = status_away(ctl, &answer);
	if (status)
		return status;
	status = away ? CTL_NO_AGENT : ctl_true(answer, "enforcing") ? CTL_DONE : CTL_FOUND;
	if (json)
		return ctl_print_json(answer, true) ? CTL_FOUND : status;
	status_print(answer, ctl->colour_out);
	json_decref(answer);
	return status;
}

const struct ctl_command ctl_status = {
	.name = "status",
	.summary = "show what is in force, and what is not mediated",
	.usage = usage,
	.run = status_run,
};
