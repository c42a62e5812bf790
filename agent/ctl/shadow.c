// SPDX-License-Identifier: LGPL-2.1-or-later
/* A policy and its shadow, by records. */
#include "agent/ctl/shadow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/tally.h"
#include "agent/util/buf.h"
#include "agent/util/cleanup.h"

/* Lines of each kind; more are counted in one. */
#define LINES_MAX 20

static const char *const kind_keys[SHADOW_N_KINDS] = {
	[SHADOW_SAME] = "same",
	[SHADOW_ALLOWS] = "no_longer_refused",
	[SHADOW_REFUSES] = "newly_refused",
};

int shadow_init(struct shadow *shadow, const char *policy, const char *name)
{
	*shadow = (struct shadow){ .policy = policy, .name = name };
	for (size_t i = 0; i < SHADOW_N_KINDS; i++) {
		shadow->tallies[i] = json_object();
		if (!shadow->tallies[i])
			return -ENOMEM;
	}
	return 0;
}

void shadow_clear(struct shadow *shadow)
{
	for (size_t i = 0; i < SHADOW_N_KINDS; i++)
		json_decref(shadow->tallies[i]);
}

/* The layer of a record that is called @policy; NULL: it plainly allowed, or does not hold the process. */
static const json_t *layer_of(const json_t *event, const char *policy)
{
	const json_t *layers = json_object_get(event, "layers"), *layer;
	size_t i;

	json_array_foreach (layers, i, layer) {
		if (!strcmp(ctl_string(layer, "policy"), policy))
			return layer;
	}
	return NULL;
}

static const json_t *refusal_of(const json_t *event, const char *policy)
{
	const json_t *layer = layer_of(event, policy);

	return layer && !strcmp(ctl_string(layer, "verdict"), "deny") ? layer : NULL;
}

static void word_make(struct buf *word, const json_t *event, const json_t *layer)
{
	const char *place = ctl_string(layer, "rule"), *object = ctl_string(event, "object");

	buf_printf(word, "%s of %s by %s: ", ctl_string(layer, "verb"), *object ? object : "what has no name",
		   ctl_string(event, "program"));
	if (*place)
		buf_printf(word, "%s%s", place, ctl_true(layer, "default") ? " (default)" : "");
	else
		buf_add_string(word, ctl_string(layer, "reason"));
}

int shadow_event(void *data, json_t *event)
{
	struct shadow *shadow = data;
	const json_t *refused = refusal_of(event, shadow->policy), *would = refusal_of(event, shadow->name);
	enum shadow_kind kind = refused && would ? SHADOW_SAME : refused ? SHADOW_ALLOWS : SHADOW_REFUSES;
	_cleanup_buf_ struct buf word = {};

	if (shadow->generation == ctl_number(event, "generation") && layer_of(event, shadow->name))
		shadow->told += ctl_number(event, "repeats");
	if (!refused && !would)
		return 0;
	word_make(&word, event, refused ? refused : would);
	if (word.failed || tally_add(shadow->tallies[kind], word.bytes, ctl_number(event, "repeats")))
		return ctl_error(-ENOMEM, "cannot count");
	shadow->sums[kind] += ctl_number(event, "repeats");
	return 0;
}

void shadow_counted(struct shadow *shadow, const json_t *status)
{
	const json_t *rules = json_object_get(status, "rules"), *rule;
	size_t i;

	shadow->generation = ctl_number(status, "generation");
	json_array_foreach (rules, i, rule) {
		if (!strcmp(ctl_string(rule, "policy"), shadow->name))
			shadow->counted += ctl_number(rule, "decisions");
	}
}

uint64_t shadow_untold(const struct shadow *shadow)
{
	return shadow->counted > shadow->told ? shadow->counted - shadow->told : 0;
}

static void kind_print(const struct shadow *shadow, enum shadow_kind kind, const char *text, const char *on, const char *off)
{
	size_t n;
	_cleanup_free_ struct tally_word *words = tally_sort(shadow->tallies[kind], &n);

	printf("%s%llu decisions %s%s\n", shadow->sums[kind] ? on : "", (unsigned long long)shadow->sums[kind], text,
	       shadow->sums[kind] ? off : "");
	for (size_t i = 0; words && i < n && i < LINES_MAX; i++)
		printf("%9llu  %s\n", (unsigned long long)words[i].n, words[i].word);
	if (words && n > LINES_MAX)
		printf("           and %zu more lines\n", n - LINES_MAX);
}

void shadow_print(const struct shadow *shadow, bool colour)
{
	printf("%llu decisions are refused by both\n", (unsigned long long)shadow->sums[SHADOW_SAME]);
	kind_print(shadow, SHADOW_ALLOWS, "would be refused no longer", CTL_YELLOW(colour), CTL_PLAIN(colour));
	kind_print(shadow, SHADOW_REFUSES, "were allowed, and would be refused", CTL_RED(colour), CTL_PLAIN(colour));
	if (shadow_untold(shadow))
		printf("%llu would-be refusals of the shadow are in no record: dropped, or of rules with \"log\": false\n",
		       (unsigned long long)shadow_untold(shadow));
}

json_t *shadow_json(const struct shadow *shadow)
{
	json_t *object = json_pack("{s:s, s:s, s:I}", "policy", shadow->policy, "shadow", shadow->name, "untold",
				   (json_int_t)shadow_untold(shadow));

	for (size_t i = 0; i < SHADOW_N_KINDS; i++)
		json_object_set_new(object, kind_keys[i],
				    json_pack("{s:I, s:O}", "decisions", (json_int_t)shadow->sums[i], "kinds", shadow->tallies[i]));
	return object;
}
