// SPDX-License-Identifier: LGPL-2.1-or-later
/* Status as JSON. */
#include "agent/control/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/control/holders.h"
#include "agent/control/limits.h"
#include "agent/policy/image.h"
#include "agent/policy/names.h"
#include "agent/record/jsonl.h"
#include "agent/record/record.h"
#include "agent/util/buf.h"
#include "agent/util/cleanup.h"

static void holder_counts_clear(struct holder_counts *counts)
{
	free(counts->layers);
}

static int set_number(json_t *object, const char *key, uint64_t value)
{
	return json_object_set_new(object, key, json_integer(value)) ? -ENOMEM : 0;
}

static int set_list(json_t *object, const char *key, json_t **ret)
{
	*ret = json_array();
	return json_object_set_new(object, key, *ret) ? -ENOMEM : 0;
}

/* Without those that stand for the default. */
static uint32_t rules_count(const struct lsmd_image_header *image, const struct lsmd_layer *layer)
{
	const struct lsmd_rule *rules = (const void *)((const char *)image + image->rules.off);
	uint32_t n = layer->n_rules;

	while (n && rules[layer->first_rule + n - 1].flags & LSMD_RULE_DEFAULT)
		n--;
	return n ? n - 1 : 0;
}

static int policy_add(json_t *list, const struct lsmd_image_header *image, uint32_t i, uint64_t processes)
{
	const struct lsmd_layer *layer = (const struct lsmd_layer *)((const char *)image + image->layers.off) + i;
	const char *name = image_string(image, layer->name), *file = image_string(image, layer->file);
	json_t *policy =
		json_pack("{s:s, s:s, s:I, s:I}", "name", name, "mode", mode_name(layer->mode), "rules",
			  (json_int_t)rules_count(image, layer), "processes", (json_int_t)processes);
	int r = policy ? json_bytes(policy, "file", file, strlen(file)) : -ENOMEM;

	return json_array_append_new(list, policy) ? -ENOMEM : r;
}

static int policies_add(json_t *status, struct kernel *kernel, const struct lsmd_image_header *image)
{
	_cleanup_(holder_counts_clear) struct holder_counts counts = {};
	json_t *list;
	int r = holders_count(kernel, image, &counts);

	if (!r)
		r = set_list(status, "policies", &list);
	for (uint32_t i = 0; i < image->layers.n && !r; i++)
		r = policy_add(list, image, i, counts.layers[i]);
	if (r)
		return r;
	return json_object_set_new(status, "processes",
				   json_pack("{s:I, s:I, s:I}", "all", (json_int_t)counts.processes, "held",
					     (json_int_t)counts.held, "unknown", (json_int_t)counts.unknown))
		       ? -ENOMEM
		       : 0;
}

static int image_add(json_t *status, struct kernel *kernel)
{
	const struct lsmd_image_header *image = kernel_image(kernel);
	int r = json_object_set_new(status, "enforcing", json_boolean(image)) ? -ENOMEM : 0;

	if (r || !image)
		return r;
	r = set_number(status, "generation", kernel_generation(kernel));
	if (!r)
		r = json_object_set_new(status, "set", json_sprintf("%016llx", (unsigned long long)image->set_hash))
			    ? -ENOMEM
			    : 0;
	if (!r)
		r = set_number(status, "image_bytes", image->size);
	return r ? r : policies_add(status, kernel, image);
}

static int programs_add(json_t *status, const struct kernel_stats *stats)
{
	json_t *list;
	int r = set_list(status, "programs", &list);

	for (size_t i = 0; i < stats->n_programs && !r; i++) {
		const struct kernel_program *program = &stats->programs[i];

		r = json_array_append_new(list,
					  json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "hook", program->name, "id",
						    (json_int_t)program->id, "instructions", (json_int_t)program->insns,
						    "jited_bytes", (json_int_t)program->jited_bytes, "runs",
						    (json_int_t)program->runs, "run_ns", (json_int_t)program->run_ns))
			    ? -ENOMEM
			    : 0;
	}
	return r;
}

static int maps_add(json_t *status, const struct kernel_stats *stats)
{
	json_t *list;
	int r = set_list(status, "maps", &list);

	for (size_t i = 0; i < stats->n_maps && !r; i++)
		r = json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "name", stats->maps[i].name, "id",
							  (json_int_t)stats->maps[i].id, "bytes",
							  (json_int_t)stats->maps[i].bytes))
			    ? -ENOMEM
			    : 0;
	return r;
}

static int counters_add(json_t *status, const struct kernel_stats *stats)
{
	static const char *const names[] = {
#define X(constant, name) [LSMD_COUNT_##constant] = name,
		LSMD_COUNTS(X)
#undef X
	};
	json_t *counters = json_object(), *reasons = json_object();
	int r = 0;

	for (size_t i = 0; i < LSMD_COUNT_REASON && !r; i++)
		r = set_number(counters, names[i], stats->counts[i]);
	for (uint32_t i = 1; i < LSMD_N_REASONS && !r; i++)
		r = set_number(reasons, reason_name(i), stats->counts[LSMD_COUNT_REASON + i]);
	if (json_object_set_new(counters, "reasons", reasons))
		r = -ENOMEM;
	if (json_object_set_new(status, "counters", counters))
		r = -ENOMEM;
	return r;
}

/* Verbs that this kernel lacks: policies that need them are refused. */
static int unmediated_add(json_t *status, struct kernel *kernel)
{
	uint32_t here = kernel_unmediated(kernel);
	json_t *list;
	int r = set_list(status, "not_mediated", &list);

	for (uint32_t verb = 0; verb < LSMD_N_VERBS && !r; verb++) {
		if (here >> verb & 1)
			r = json_array_append_new(list, json_pack("{s:s, s:s}", "verb", verbs[verb].name, "class",
								  class_names[verbs[verb].class]))
				    ? -ENOMEM
				    : 0;
	}
	return r;
}

json_t *status_limits(void)
{
	static const struct {
		const char *key, *text;
	} limits[] = {
#define X(key, sentence) { key, sentence },
		LSMD_LIMITS(X)
#undef X
	};
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		json_t *item = json_pack("{s:s, s:s}", "limit", limits[i].key, "text", limits[i].text);

		if (json_array_append_new(list, item)) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* Numbers of one object, until one cannot be set. */
struct numbers {
	json_t *object;
	int r;
};

static void number(struct numbers *numbers, const char *key, uint64_t value)
{
	if (!numbers->r)
		numbers->r = set_number(numbers->object, key, value);
}

static int numbers_put(struct numbers *numbers, json_t *to, const char *key)
{
	int r = json_object_set_new(to, key, numbers->object) ? -ENOMEM : 0;

	return r ? r : numbers->r;
}

/* What a ring's decisions came to; an agent's own part is NULL where none runs, and what it held then is lost. */
static int stream_add(json_t *records, const char *key, const struct lsmd_tally_stream *tally, const uint64_t *held,
		      const uint64_t counts[2])
{
	uint64_t settled = tally->passed + tally->folded + tally->limited + tally->malformed + tally->lost + tally->orphaned;
	struct numbers stream = { .object = json_object() }, dropped = { .object = json_object() };
	uint64_t left = held ? 0 : tally->read - settled;
	int r;

	number(&stream, "recorded", tally->passed);
	number(&stream, "coalesced", tally->folded);
	number(&stream, "held", held ? *held : 0);
	number(&stream, "in_ring", counts[0] > tally->read ? counts[0] - tally->read : 0);
	number(&dropped, "ring_full", counts[1]);
	number(&dropped, "rate_limited", tally->limited);
	number(&dropped, "malformed", tally->malformed);
	number(&dropped, "no_memory", tally->lost);
	number(&dropped, "agent_ended", tally->orphaned + left);
	r = numbers_put(&dropped, stream.object, "dropped");
	return json_object_set_new(records, key, stream.object) ? -ENOMEM : r ? r : stream.r;
}

/* Refusals for which no event could be sent, or none is wanted. */
static int not_sent_add(json_t *stream, const uint64_t *counts)
{
	struct numbers numbers = { .object = json_object() };

	number(&numbers, "silenced_by_rule", counts[LSMD_COUNT_SILENCED]);
	number(&numbers, "no_label", counts[LSMD_COUNT_DENIED_NO_LABEL]);
	number(&numbers, "no_buffer", counts[LSMD_COUNT_DENIED_NO_SCRATCH]);
	number(&numbers, "no_storage", counts[LSMD_COUNT_DENIED_NO_STORAGE]);
	return numbers_put(&numbers, stream, "not_sent");
}

/* Decided, and what of it no other number says: decisions are counted one step after the other while this is read. */
static int decided_add(json_t *stream, uint64_t decided)
{
	const char *key, *inner_key;
	json_int_t known = 0;
	json_t *value, *inner;
	int r;

	json_object_foreach (stream, key, value) {
		known += json_integer_value(value);
		json_object_foreach (value, inner_key, inner)
			known += json_integer_value(inner);
	}
	r = set_number(stream, "decided", decided);
	return r ? r : set_number(stream, "being_counted", (json_int_t)decided - known);
}

static int records_add(json_t *status, struct kernel *kernel, const struct recorder *recorder, const struct kernel_stats *stats)
{
	const uint64_t denials[2] = { stats->counts[LSMD_COUNT_SENT], stats->counts[LSMD_COUNT_RING_FULL] },
		       notes[2] = { stats->counts[LSMD_COUNT_SENT_NOTES], stats->counts[LSMD_COUNT_RING_FULL_NOTES] };
	const struct lsmd_tally *tally = kernel_tally(kernel);
	json_t *records = json_object();
	uint64_t held[2];
	int r = json_object_set_new(status, "records", records) ? -ENOMEM : 0;

	if (recorder) {
		recorder_stream(recorder, true, &held[0]);
		recorder_stream(recorder, false, &held[1]);
	}
	if (!r)
		r = stream_add(records, "denials", &tally->denials, recorder ? &held[0] : NULL, denials);
	if (!r)
		r = stream_add(records, "notes", &tally->notes, recorder ? &held[1] : NULL, notes);
	if (!r)
		r = not_sent_add(json_object_get(records, "denials"), stats->counts);
	if (!r)
		r = decided_add(json_object_get(records, "denials"), stats->counts[LSMD_COUNT_DENIED]);
	return r ? r : decided_add(json_object_get(records, "notes"), stats->counts[LSMD_COUNT_NOTED]);
}

int status_kernel(struct kernel *kernel, const struct recorder *recorder, json_t **ret)
{
	_cleanup_(kernel_stats_clear) struct kernel_stats stats = {};
	json_t *status = json_object();
	int r = status ? kernel_stats(kernel, &stats) : -ENOMEM;

	if (!r)
		r = image_add(status, kernel);
	if (!r)
		r = programs_add(status, &stats);
	if (!r)
		r = maps_add(status, &stats);
	if (!r)
		r = counters_add(status, &stats);
	if (!r)
		r = records_add(status, kernel, recorder, &stats);
	if (!r)
		r = unmediated_add(status, kernel);
	if (!r && json_object_set_new(status, "limits", status_limits()))
		r = -ENOMEM;
	if (r) {
		json_decref(status);
		return r;
	}
	*ret = status;
	return 0;
}

static json_t *count_json(const struct lsmd_tally_count *count)
{
	return json_pack("{s:I, s:I}", "records", (json_int_t)count->records, "decisions",
			 (json_int_t)count->decisions);
}

static int sink_add(json_t *sinks, struct sink *sink)
{
	struct sink_counts counts;
	json_t *item;

	sink_counts(sink, &counts);
	item = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "sink", sink_name(sink), "given",
			 count_json(&counts.tally.given), "delivered", count_json(&counts.tally.delivered), "queued",
			 count_json(&counts.queued), "dropped_queue_full", count_json(&counts.tally.full),
			 "dropped_nobody_there", count_json(&counts.tally.absent), "dropped_refused",
			 count_json(&counts.tally.failed), "dropped_agent_ended", count_json(&counts.tally.orphaned));
	if (item && counts.last_error &&
	    json_object_set_new(item, "last_error", json_string(strerror(-counts.last_error)))) {
		json_decref(item);
		return -ENOMEM;
	}
	return json_array_append_new(sinks, item) ? -ENOMEM : 0;
}

/* FILE:LINE of a rule's text, and what it is called */
static int rule_add(json_t *list, const struct lsmd_image_header *image, uint32_t i, uint64_t decisions)
{
	const struct lsmd_layer *layers = (const void *)((const char *)image + image->layers.off);
	const struct lsmd_rule *rule = (const struct lsmd_rule *)((const char *)image + image->rules.off) + i;
	const struct lsmd_note *note = (const struct lsmd_note *)((const char *)image + image->notes.off) + rule->note;
	const struct lsmd_layer *layer = &layers[image_rule_layer(image, i)];
	json_t *item = json_pack("{s:s, s:I}", "policy", image_string(image, layer->name), "decisions", (json_int_t)decisions);
	_cleanup_buf_ struct buf place = {};
	int r;

	buf_printf(&place, "%s:%u", image_string(image, note->file ? note->file : layer->file), rule->line);
	r = !item || place.failed ? -ENOMEM : json_bytes(item, "rule", place.bytes, place.len);
	if (!r && note->id)
		r = json_bytes(item, "id", image_string(image, note->id), strlen(image_string(image, note->id)));
	if (!r && rule->flags & LSMD_RULE_DEFAULT)
		r = json_object_set_new(item, "default", json_true()) ? -ENOMEM : 0;
	if (json_array_append_new(list, item))
		return -ENOMEM;
	return r;
}

int status_rules(json_t *status, struct kernel *kernel)
{
	const struct lsmd_image_header *image = kernel_image(kernel);
	size_t n;
	const uint64_t *counts = kernel_rule_counts(kernel, &n);
	json_t *list;
	int r = set_list(status, "rules", &list);

	for (uint32_t i = 1; i < n && i < image->rules.n && !r; i++)
		if (counts[i] && json_array_size(list) < STATUS_RULES_MAX)
			r = rule_add(list, image, i, counts[i]);
	return r;
}

int status_sinks(json_t *status, const struct recorder *recorder)
{
	json_t *sinks;
	int r = set_list(json_object_get(status, "records"), "sinks", &sinks);

	for (size_t i = 0; i < recorder_n_sinks(recorder) && !r; i++)
		r = sink_add(sinks, recorder_sink(recorder, i));
	return r;
}
