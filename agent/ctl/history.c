// SPDX-License-Identifier: LGPL-2.1-or-later
/* Records of the past. */
#include "agent/ctl/history.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/record/recorder.h"
#include "agent/util/buf.h"
#include "agent/util/cleanup.h"

#define REPLY_TIMEOUT_MS 10000

static int since_duration(const char *text, uint64_t *ret_s)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	char *end;
	unsigned long long n;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	n = strtoull(text, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (*end == units[i].unit && !end[1] && n < 1u << 20) {
			*ret_s = n * units[i].seconds;
			return 0;
		}
	return -EINVAL;
}

static int since_read(const char *text, uint64_t *ret_us)
{
	static const char *const forms[] = { "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d" };
	uint64_t seconds;

	if (!since_duration(text, &seconds)) {
		*ret_us = ((uint64_t)time(NULL) - seconds) * 1000000;
		return 0;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *end = strptime(text, forms[i], &tm);

		if (end && !*end) {
			*ret_us = (uint64_t)mktime(&tm) * 1000000;
			return 0;
		}
	}
	return -EINVAL;
}

int filter_option(const struct ctl_command *command, struct filter *filter, int c, const char *value)
{
	switch (c) {
	case 'P':
		filter->policy = value;
		return -1;
	case 'V':
		filter->verb = value;
		return -1;
	case 'R':
		filter->program = value;
		return -1;
	case 'A':
		filter->answer = value;
		if (strcmp(value, "denied") && strcmp(value, "audit") && strcmp(value, "logged"))
			return ctl_usage_error(command, "--answer takes denied, audit or logged, not '%s'", value);
		return -1;
	case 'S':
		if (since_read(value, &filter->since_us))
			return ctl_usage_error(command, "--since takes 30s, 10m, 2h, 7d or a date, not '%s'", value);
		return -1;
	}
	return -2;
}

static bool program_match(const char *pattern, const char *program)
{
	const char *last = strrchr(program, '/');

	return !fnmatch(pattern, strchr(pattern, '/') || !last ? program : last + 1, 0);
}

/* Of a record that several policies answered each of them counts. */
static bool policy_match(const char *policy, const json_t *event)
{
	const json_t *layers = json_object_get(event, "layers"), *layer;
	size_t i;

	json_array_foreach (layers, i, layer) {
		if (!strcmp(ctl_string(layer, "policy"), policy))
			return true;
	}
	return !strcmp(ctl_string(event, "policy"), policy);
}

bool filter_match(const struct filter *filter, const json_t *event)
{
	if (filter->since_us && (uint64_t)ctl_number(event, "time_us") < filter->since_us)
		return false;
	if (filter->policy && !policy_match(filter->policy, event))
		return false;
	if (filter->verb && strcmp(ctl_string(event, "verb"), filter->verb))
		return false;
	if (filter->program && !program_match(filter->program, ctl_string(event, "program")))
		return false;
	return !filter->answer || strstr(ctl_string(event, "answer"), filter->answer);
}

struct reading {
	const struct filter *filter;
	history_fn fn;
	void *data;
	struct history *history;
};

static int event_take(struct reading *reading, json_t *event)
{
	if (!json_is_integer(json_object_get(event, "time_us")) || !json_is_string(json_object_get(event, "answer"))) {
		reading->history->n_wrong++;
		return 0;
	}
	if (!filter_match(reading->filter, event))
		return 0;
	reading->history->n_records++;
	return reading->fn(reading->data, event);
}

static int lines_read(FILE *file, struct reading *reading)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	int r = 0;

	while (!r && getline(&line, &size, file) > 0) {
		json_t *event = json_loads(line, 0, NULL);

		if (event)
			r = event_take(reading, event);
		else
			reading->history->n_wrong++;
		json_decref(event);
	}
	return r ? r : ferror(file) ? ctl_error(-errno, "cannot read records") : 0;
}

/* Return: 0; -ENOENT; an exit status after saying why */
static int file_read_records(const char *path, struct reading *reading)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");

	if (!file && errno == ENOENT)
		return -ENOENT;
	if (!file)
		return ctl_error(-errno, "cannot read %s", path);
	return lines_read(file, reading);
}

/* The events file and those before it. Return: 0; -ENOENT: none is there; an exit status */
static int files_read(const struct settings *settings, struct reading *reading)
{
	bool found = false;

	for (uint64_t i = settings->events_file_keep + 1; i-- > 0;) {
		_cleanup_buf_ struct buf path = {};
		int r;

		buf_add_string(&path, settings->events_file);
		if (i)
			buf_printf(&path, ".%llu", (unsigned long long)i);
		if (path.failed)
			return ctl_error(-ENOMEM, "cannot read records");
		r = file_read_records(path.bytes, reading);
		if (r && r != -ENOENT)
			return r;
		found |= !r;
	}
	return found ? 0 : -ENOENT;
}

static int agent_read(struct ctl *ctl, struct reading *reading)
{
	struct control control;
	json_t *message;
	int r = ctl_ask(ctl, json_pack("{s:s, s:i}", "request", "events", "last", RECORDER_RECENT), REPLY_TIMEOUT_MS, false,
			&control, &message);

	reading->history->from_agent = true;
	while (!r) {
		json_t *event = json_object_get(message, "event");
		bool end = json_object_get(message, "live");

		if (event)
			r = event_take(reading, event);
		json_decref(message);
		if (r || end)
			break;
		if (control_receive(&control, REPLY_TIMEOUT_MS, &message))
			r = ctl_error(0, "cannot read from the agent");
	}
	if (r != CTL_NO_AGENT)
		control_close(&control);
	return r;
}

int history_read(struct ctl *ctl, const char *from, const struct filter *filter, history_fn fn, void *data, struct history *ret)
{
	struct reading reading = { .filter = filter, .fn = fn, .data = data, .history = ret };
	int r;

	*ret = (struct history){};
	if (from && !strcmp(from, "-"))
		return lines_read(stdin, &reading);
	if (from) {
		r = file_read_records(from, &reading);
		return r == -ENOENT ? ctl_error(r, "cannot read %s", from) : r;
	}
	r = ctl_settings(ctl);
	if (r)
		return r;
	r = ctl->settings.events_file && strcmp(ctl->settings.events_file, "-") ? files_read(&ctl->settings, &reading) : -ENOENT;
	return r == -ENOENT ? agent_read(ctl, &reading) : r;
}

const char *event_time(uint64_t time_us, char text[32])
{
	time_t seconds = time_us / 1000000;
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(text, 32, "%F %T", &tm);
	return text;
}
