// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmctl events: the agent's records, the last ones or as they come. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/ctl/history.h"
#include "agent/record/recorder.h"

static const char usage[] =
	"usage: lsmctl events [OPTION]...\n"
	"\n"
	"Prints what the policies refused, would have refused in audit mode, or were told to log: the last 20 records the\n"
	"agent keeps, or those that come. auditd and the journal have all of them.\n"
	"\n"
	"  --follow    go on with new ones as they come\n"
	"  --last N    the last N, at most 256; with --follow none, unless it is given\n"
	FILTER_HELP
	"  --columns   time, answer, policy, verb, object, program, process, rule and how often, each in its column\n"
	"  --json      one JSON object a line\n"
	"  --help      this text\n"
	"\n"
	"Exit status: 0 done; 2 usage; 3 the agent cannot be reached, or ended.\n";

#define LAST_DEFAULT 20
#define REPLY_TIMEOUT_MS 10000

struct events {
	bool follow, json, columns;
	struct filter filter;
	long last; /* -1: not given */
};

static int last_read(const char *text, long *ret)
{
	char *end;

	errno = 0;
	*ret = strtol(text, &end, 10);
	if (errno || end == text || *end || *ret < 0 || *ret > RECORDER_RECENT)
		return ctl_usage_error(&ctl_events, "--last takes a number from 0 to %d, not '%s'", RECORDER_RECENT,
				       text);
	return -1;
}

static int options_read(int argc, char **argv, struct events *events)
{
	static const struct option options[] = {
		FILTER_OPTIONS,
		{ "columns", no_argument, NULL, 'c' },
		{ "follow", no_argument, NULL, 'f' },
		{ "last", required_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int c, status = -1;

	while ((c = ctl_option(&ctl_events, argc, argv, options, &status)) != -1) {
		switch (c) {
		case 'f':
			events->follow = true;
			break;
		case 'l':
			status = last_read(optarg, &events->last);
			if (status >= 0)
				return status;
			break;
		case 'j':
			events->json = true;
			break;
		case 'c':
			events->columns = true;
			break;
		case '?':
		case 'h':
			return status;
		default:
			status = filter_option(&ctl_events, &events->filter, c, optarg);
			if (status >= 0)
				return status;
		}
	}
	if (events->last < 0)
		events->last = events->follow ? 0 : LAST_DEFAULT;
	return optind < argc ? ctl_usage_error(&ctl_events, "no argument is expected: '%s'", argv[optind]) : -1;
}

/* What is longer than its column pushes the others on: nothing is cut off. */
static void event_columns(const json_t *event, bool colour)
{
	const char *answer = ctl_string(event, "answer"), *rule = ctl_string(event, "rule");
	json_int_t repeats = ctl_number(event, "repeats");
	char text[32], times[48] = "";

	if (repeats > 1 && ctl_true(event, "mixed"))
		snprintf(times, sizeof(times), ", and %lld more like this", (long long)repeats - 1);
	else if (repeats > 1)
		snprintf(times, sizeof(times), ", %lld times", (long long)repeats);
	printf("%s  %s%-16s%s  %-12s  %-8s  %-40s  %-24s  %7lld  %s%s\n", event_time(ctl_number(event, "time_us"), text),
	       strcmp(answer, "denied") ? CTL_YELLOW(colour) : CTL_RED(colour), answer, CTL_PLAIN(colour),
	       ctl_string(event, "policy"), ctl_string(event, "verb"),
	       *ctl_string(event, "object") ? ctl_string(event, "object") : "-", ctl_string(event, "program"),
	       (long long)ctl_number(event, "pid"), *rule ? rule : ctl_string(event, "reason"), times);
}

/* "12:31:02.014 denied read of …": the agent escaped the sentence */
static void event_print(const json_t *event, bool colour)
{
	json_int_t time_us = ctl_number(event, "time_us");
	const char *answer = ctl_string(event, "answer"), *message = ctl_string(event, "message");
	time_t seconds = time_us / 1000000;
	size_t len = strlen(answer);
	char text[32];
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%F %T", &tm);
	if (strncmp(answer, message, len))
		len = 0;
	printf("%s.%03d %s%.*s%s%s\n", text, (int)(time_us / 1000 % 1000),
	       strcmp(answer, "denied") ? CTL_YELLOW(colour) : CTL_RED(colour), (int)len, message, CTL_PLAIN(colour),
	       message + len);
}

static int message_print(const struct ctl *ctl, const struct events *events, const json_t *message)
{
	json_t *event = json_object_get(message, "event");

	if (json_object_get(message, "missed")) {
		fprintf(stderr, "lsmctl: %lld records were not shown, since they were not read fast enough\n",
			(long long)ctl_number(message, "missed"));
		return CTL_DONE;
	}
	if (!event || !filter_match(&events->filter, event))
		return CTL_DONE;
	if (events->json)
		return ctl_print_json(json_incref(event), false);
	if (events->columns)
		event_columns(event, ctl->colour_out);
	else
		event_print(event, ctl->colour_out);
	return fflush(stdout) ? CTL_FOUND : CTL_DONE;
}

/* Until the agent has said that the kept ones are all told, or for ever. */
static int messages_read(const struct ctl *ctl, const struct events *events, struct control *control, json_t *message)
{
	bool told = false;
	int r = 0, status;

	for (;;) {
		status = message_print(ctl, events, message);
		told |= json_object_get(message, "live") != NULL;
		json_decref(message);
		if (status || (told && !events->follow))
			return status;
		r = control_receive(control, told ? -1 : REPLY_TIMEOUT_MS, &message);
		if (r)
			break;
	}
	ctl_error(r < 0 ? r : 0, r == CONTROL_ENDED ? "the agent ended" : "cannot read from the agent");
	return CTL_NO_AGENT;
}

static int events_run(struct ctl *ctl, int argc, char **argv)
{
	struct events events = { .last = -1 };
	struct control control;
	json_t *message;
	int status = options_read(argc, argv, &events);

	if (status >= 0)
		return status;
	status = ctl_ask(
		ctl,
		json_pack("{s:s, s:b, s:i}", "request", "events", "follow", events.follow, "last", (int)events.last),
		REPLY_TIMEOUT_MS, false, &control, &message);
	if (status)
		return status;
	status = messages_read(ctl, &events, &control, message);
	control_close(&control);
	return status;
}

const struct ctl_command ctl_events = {
	.name = "events",
	.summary = "print what was refused, lately or as it happens",
	.usage = usage,
	.run = events_run,
};
