// SPDX-License-Identifier: LGPL-2.1-or-later
/* Status as metrics. Each family once, its samples together; what an answer lacks has no samples. */
#include "agent/record/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/util/cleanup.h"

struct metrics {
	struct buf *out;
	enum metrics_form form;
	const char *name; /* of the family */
	bool counter;
};

static void family(struct metrics *metrics, const char *name, const char *type, const char *help)
{
	metrics->name = name;
	metrics->counter = !strcmp(type, "counter");
	for (int i = 0; i < 2; i++)
		buf_printf(metrics->out, "# %s lsmd_%s%s %s\n", i ? "HELP" : "TYPE", name,
			   metrics->counter && metrics->form == METRICS_TEXT ? "_total" : "", i ? help : type);
}

/* Both formats escape alike in the values of labels. */
static void label_add(struct buf *out, const char *separator, const char *name, const char *value)
{
	buf_printf(out, "%s%s=\"", separator, name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			buf_add_byte(out, '\\');
		if (*value == '\n')
			buf_add_string(out, "\\n");
		else
			buf_add_byte(out, *value);
	}
	buf_add_byte(out, '"');
}

struct label {
	const char *name, *value; /* a NULL value: no such label */
};

static void sample(struct metrics *metrics, const struct label *labels, size_t n, double value)
{
	const char *separator = "{";

	buf_printf(metrics->out, "lsmd_%s%s", metrics->name, metrics->counter ? "_total" : "");
	for (size_t i = 0; i < n; i++) {
		if (!labels[i].value)
			continue;
		label_add(metrics->out, separator, labels[i].name, labels[i].value);
		separator = ",";
	}
	buf_printf(metrics->out, "%s %.17g\n", *separator == ',' ? "}" : "", value);
}

#define SAMPLE(metrics, value, ...)                                                         \
	sample(metrics, (const struct label[]){ __VA_ARGS__ },                              \
	       sizeof((const struct label[]){ __VA_ARGS__ }) / sizeof(struct label), value)

static double number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static const char *string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void gauge(struct metrics *metrics, const char *name, const char *help, double value)
{
	family(metrics, name, "gauge", help);
	SAMPLE(metrics, value, { NULL, NULL });
}

static void set_add(struct metrics *metrics, const json_t *status)
{
	const json_t *agent = json_object_get(status, "agent");

	gauge(metrics, "enforcing", "1: the kernel enforces policies.", json_is_true(json_object_get(status, "enforcing")));
	gauge(metrics, "generation", "Generation of the policy set in force.", number(status, "generation"));
	gauge(metrics, "image_bytes", "Size of the compiled policy set in force.", number(status, "image_bytes"));
	family(metrics, "set_info", "gauge", "The policy set in force, by its hash.");
	SAMPLE(metrics, 1, { "set", string(status, "set") }, { "version", string(agent, "version") });
	if (!agent)
		return;
	gauge(metrics, "agent_start_time_seconds", "When the agent started, since 1970.", number(agent, "started_us") / 1e6);
	gauge(metrics, "set_load_time_seconds", "When the set in force was loaded, since 1970.",
	      number(agent, "loaded_us") / 1e6);
	gauge(metrics, "set_refused", "1: the policies on disk were refused, and others are in force.",
	      number(agent, "refused_us") > 0);
}

static void policies_add(struct metrics *metrics, const json_t *status)
{
	const json_t *list = json_object_get(status, "policies"), *processes = json_object_get(status, "processes"), *policy;
	static const char *const states[] = { "all", "held", "unknown" };
	size_t i;

	family(metrics, "policy_processes", "gauge", "Processes that a policy holds.");
	json_array_foreach (list, i, policy) {
		SAMPLE(metrics, number(policy, "processes"), { "policy", string(policy, "name") }, { "mode", string(policy, "mode") });
	}
	family(metrics, "policy_rules", "gauge", "Rules of a policy.");
	json_array_foreach (list, i, policy) {
		SAMPLE(metrics, number(policy, "rules"), { "policy", string(policy, "name") }, { "mode", string(policy, "mode") });
	}
	family(metrics, "processes", "gauge", "Processes: all, held by any policy, without a readable label.");
	for (i = 0; i < sizeof(states) / sizeof(*states); i++)
		SAMPLE(metrics, number(processes, states[i]), { "state", states[i] });
}

static void rules_add(struct metrics *metrics, const json_t *status)
{
	json_t *rule;
	size_t i;

	family(metrics, "rule_decisions", "counter", "Decisions of a rule in this generation: refusals, would-be refusals, logged allows.");
	json_array_foreach (json_object_get(status, "rules"), i, rule) {
		SAMPLE(metrics, number(rule, "decisions"), { "policy", string(rule, "policy") }, { "rule", string(rule, "rule") },
		       { "id", string(rule, "id") });
	}
}

/* Every number of an object, but for the objects in it. */
static void object_add(struct metrics *metrics, const json_t *object, const char *label, struct label more, struct label most)
{
	json_t *value;
	const char *key;

	json_object_foreach ((json_t *)object, key, value) {
		if (json_is_integer(value))
			SAMPLE(metrics, json_integer_value(value), more, most, { label, key });
	}
}

static void counters_add(struct metrics *metrics, const json_t *status)
{
	const json_t *counters = json_object_get(status, "counters");
	const struct label none = {};

	family(metrics, "kernel", "counter", "What the kernel side counted, whether or not an event could be sent.");
	object_add(metrics, counters, "counter", none, none);
	family(metrics, "undecided", "counter", "Refusals by the reason that was given.");
	object_add(metrics, json_object_get(counters, "reasons"), "reason", none, none);
}

static const char *const streams[] = { "denials", "notes" };

static void streams_add(struct metrics *metrics, const json_t *records)
{
	static const char *const settled[] = { "decided", "recorded", "coalesced" }, *const pending[] = { "held", "in_ring" };

	family(metrics, "decisions", "counter", "Decisions that wanted a record, and what came of them.");
	for (size_t s = 0; s < 2; s++) {
		const json_t *stream = json_object_get(records, streams[s]);
		struct label name = { "stream", streams[s] };

		for (size_t i = 0; i < 3 && stream; i++)
			SAMPLE(metrics, number(stream, settled[i]), name, { "outcome", settled[i] });
		object_add(metrics, json_object_get(stream, "dropped"), "reason", name, (struct label){ "outcome", "dropped" });
		object_add(metrics, json_object_get(stream, "not_sent"), "reason", name, (struct label){ "outcome", "not_sent" });
	}
	family(metrics, "decisions_pending", "gauge", "Decisions whose records are on their way.");
	for (size_t s = 0; s < 2; s++)
		for (size_t i = 0; i < 2 && json_object_get(records, streams[s]); i++)
			SAMPLE(metrics, number(json_object_get(records, streams[s]), pending[i]), { "stream", streams[s] },
			       { "where", pending[i] });
}

static void sinks_add(struct metrics *metrics, const json_t *sinks)
{
	static const char *const outcomes[] = { "given", "delivered", "dropped_queue_full", "dropped_nobody_there",
						"dropped_refused", "dropped_agent_ended" };
	static const char *const units[][3] = {
		{ "sink_records", "records", "Records by log, and what came of them." },
		{ "sink_decisions", "decisions", "Decisions that these records stand for." },
	};
	json_t *sink;
	size_t i;

	for (size_t u = 0; u < 2; u++) {
		family(metrics, units[u][0], "counter", units[u][2]);
		json_array_foreach (sinks, i, sink) {
			for (size_t o = 0; o < sizeof(outcomes) / sizeof(*outcomes); o++)
				SAMPLE(metrics, number(json_object_get(sink, outcomes[o]), units[u][1]),
				       { "sink", string(sink, "sink") }, { "outcome", outcomes[o] });
		}
	}
	family(metrics, "sink_queued", "gauge", "Records that wait for a log.");
	json_array_foreach (sinks, i, sink) {
		SAMPLE(metrics, number(json_object_get(sink, "queued"), "records"), { "sink", string(sink, "sink") });
	}
}

static void programs_add(struct metrics *metrics, const json_t *programs)
{
	json_t *program;
	size_t i;

	family(metrics, "hook_runs", "counter", "Runs of a hook's program, where kernel.bpf_stats_enabled is set.");
	json_array_foreach (programs, i, program) {
		SAMPLE(metrics, number(program, "runs"), { "hook", string(program, "hook") });
	}
	family(metrics, "hook_seconds", "counter", "Time in a hook's program, where kernel.bpf_stats_enabled is set.");
	json_array_foreach (programs, i, program) {
		SAMPLE(metrics, number(program, "run_ns") / 1e9, { "hook", string(program, "hook") });
	}
	family(metrics, "hook_mean_nanoseconds", "gauge", "Mean time of a run.");
	json_array_foreach (programs, i, program) {
		if (number(program, "runs") > 0)
			SAMPLE(metrics, number(program, "run_ns") / number(program, "runs"), { "hook", string(program, "hook") });
	}
	family(metrics, "program_bytes", "gauge", "Compiled size of a hook's program.");
	json_array_foreach (programs, i, program) {
		SAMPLE(metrics, number(program, "jited_bytes"), { "hook", string(program, "hook") });
	}
}

static void maps_add(struct metrics *metrics, const json_t *maps)
{
	json_t *map;
	size_t i;

	family(metrics, "map_bytes", "gauge", "Memory of a map, as the kernel accounts for it.");
	json_array_foreach (maps, i, map) {
		SAMPLE(metrics, number(map, "bytes"), { "map", string(map, "name") });
	}
}

static void reloads_add(struct metrics *metrics, const json_t *reloads)
{
	json_t *value;
	const char *key;

	family(metrics, "reloads", "counter", "Reloads by outcome, of this agent.");
	object_add(metrics, json_object_get(reloads, "outcomes"), "outcome", (struct label){}, (struct label){});
	family(metrics, "reload_last_seconds", "gauge", "Time that each step of the last reload took.");
	json_object_foreach (json_object_get(reloads, "last_ns"), key, value) {
		SAMPLE(metrics, json_integer_value(value) / 1e9, { "step", key });
	}
}

void metrics_add(struct buf *out, const json_t *status, enum metrics_form form)
{
	struct metrics metrics = { .out = out, .form = form };
	const json_t *records = json_object_get(status, "records");

	set_add(&metrics, status);
	policies_add(&metrics, status);
	rules_add(&metrics, status);
	counters_add(&metrics, status);
	streams_add(&metrics, records);
	sinks_add(&metrics, json_object_get(records, "sinks"));
	programs_add(&metrics, json_object_get(status, "programs"));
	maps_add(&metrics, json_object_get(status, "maps"));
	reloads_add(&metrics, json_object_get(status, "reloads"));
	if (form == METRICS_OPEN)
		buf_add_string(out, "# EOF\n");
}

static int text_write(const char *path, const struct buf *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text->bytes, text->len);
	if (n < 0 || fchmod(fd, 0644))
		return -errno;
	return (size_t)n == text->len ? 0 : -ENOSPC;
}

int metrics_write(const char *path, const json_t *status)
{
	_cleanup_buf_ struct buf text = {}, unfinished = {};
	int r;

	metrics_add(&text, status, METRICS_TEXT);
	buf_printf(&unfinished, "%s.unfinished", path);
	if (text.failed || unfinished.failed)
		return -ENOMEM;
	r = text_write(unfinished.bytes, &text);
	if (!r && rename(unfinished.bytes, path))
		r = -errno;
	if (r)
		unlink(unfinished.bytes);
	return r;
}
