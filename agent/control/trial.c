// SPDX-License-Identifier: LGPL-2.1-or-later
/* Trials of sets and modes. */
#include "agent/control/trial.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/policy/image.h"
#include "agent/util/cleanup.h"
#include "agent/util/log.h"

#define NS_A_SECOND 1000000000ull

static const struct lsmd_layer *image_layers(const struct lsmd_image_header *image)
{
	return (const void *)((const char *)image + image->layers.off);
}

static const struct lsmd_layer *layer_by_key(const struct lsmd_image_header *image, uint64_t key)
{
	for (uint32_t i = 0; image && i < image->layers.n; i++)
		if (image_layers(image)[i].key == key)
			return &image_layers(image)[i];
	return NULL;
}

static const char *key_name(const struct lsmd_image_header *image, uint64_t key)
{
	const struct lsmd_layer *layer = layer_by_key(image, key);

	return layer ? image_string(image, layer->name) : "that is gone";
}

static unsigned int seconds_of(uint64_t ns)
{
	return (ns + NS_A_SECOND - 1) / NS_A_SECOND;
}

static void settled_say(const struct agent *agent, const struct kernel_trial *trial)
{
	uint64_t generation = kernel_generation(agent->kernel);

	if (trial->kind == LSMD_TRIAL_MODE)
		log_notice("Policy '%s' is in the mode of its file again: its time is over, generation %" PRIu64 " is in force",
			   key_name(kernel_image(agent->kernel), trial->key), generation);
	else
		log_warning(0, "Nobody confirmed the reload in time: generation %" PRIu64 " is in force again, and the policies on disk are not",
			    generation);
}

/* What the agent knows of the set that was in force before is true again. */
static void before_restore(struct agent *agent)
{
	if (!agent->before)
		return;
	loaded_free(agent->loaded);
	agent->loaded = TAKE_PTR(agent->before);
}

/* The trial that is on comes to its end: back to what was before. */
static int trial_settle(struct agent *agent)
{
	struct kernel_trial trial;
	int r;

	if (!kernel_trial(agent->kernel, &trial))
		return 0;
	sd_event_source_disable_unref(agent->trial);
	agent->trial = NULL;
	r = agent_settle(agent, false);
	if (r)
		return log_error(r, "Cannot settle what was on trial; the kernel has gone back by itself");
	if (trial.kind == LSMD_TRIAL_CONFIRM) {
		before_restore(agent);
		agent_refused(agent);
	}
	settled_say(agent, &trial);
	agent_say_status(agent);
	return 0;
}

static int trial_over(sd_event_source *source, uint64_t time_us, void *data)
{
	trial_settle(data);
	return 0;
}

int trial_watch(struct agent *agent)
{
	struct kernel_trial trial;
	int r;

	if (!kernel_trial(agent->kernel, &trial))
		return 0;
	sd_event_source_disable_unref(agent->trial);
	agent->trial = NULL;
	/* A moment behind the deadline, so that the hooks have gone back already. */
	r = sd_event_add_time_relative(agent->event, &agent->trial, CLOCK_BOOTTIME, trial.ns / 1000 + 1000, 1000, trial_over, agent);
	return r < 0 ? log_error(r, "Cannot watch the trial; the kernel ends it by itself") : 0;
}

int trial_resume(struct agent *agent)
{
	struct kernel_trial trial;
	int r;

	if (!kernel_trial(agent->kernel, &trial))
		return 0;
	if (!trial.ns)
		return trial_settle(agent);
	log_notice("Generation %" PRIu64 " is on trial for %u s more: the policies on disk are not looked at before",
		   kernel_generation(agent->kernel), seconds_of(trial.ns));
	r = trial_watch(agent);
	return r < 0 ? r : TRIAL_ON;
}

int trial_confirm(struct agent *agent, struct kernel_why *why)
{
	struct kernel_trial trial;
	int r;

	if (!kernel_trial(agent->kernel, &trial) || trial.kind != LSMD_TRIAL_CONFIRM) {
		snprintf(why->text, sizeof(why->text), "no reload waits to be confirmed%s",
			 kernel_rejected(agent->kernel) ? ": the last one was taken back, since nobody confirmed it in time" : "");
		return TRIAL_REFUSED;
	}
	/* Killed between the two, what goes back by itself cannot be loaded again: never the other way round. */
	r = agent_remember(agent, agent->loaded ? loaded_stamp(agent->loaded) : NULL, why);
	if (r)
		return TRIAL_REFUSED;
	r = agent_settle(agent, true);
	if (r)
		agent_forget(agent);
	else
		serial_keep(&agent->serial);
	if (r == KERNEL_TOO_LATE) {
		snprintf(why->text, sizeof(why->text), "it is too late: the reload has been taken back");
		trial_settle(agent);
		return TRIAL_REFUSED;
	}
	if (r)
		return r;
	sd_event_source_disable_unref(agent->trial);
	agent->trial = NULL;
	loaded_free(agent->before);
	agent->before = NULL;
	agent_say_status(agent);
	return 0;
}

/* The image in force with one layer in another mode; owned by the caller. Return: 0, TRIAL_REFUSED, -errno */
static int image_with_mode(const struct lsmd_image_header *image, uint64_t key, int mode, struct lsmd_image_header **ret)
{
	struct lsmd_image_header *copy = aligned_alloc(64, (image->size + 63) & ~63u);
	struct lsmd_layer *layers;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, image, image->size);
	memset((char *)copy + copy->counters.off, 0, copy->counters.n * sizeof(uint64_t));
	layers = (struct lsmd_layer *)image_layers(copy);
	copy->undecided = 0;
	copy->generation = 0;
	for (uint32_t i = 0; i < copy->layers.n; i++) {
		if (layers[i].key == key)
			layers[i].mode = mode;
		if (layers[i].mode == LSMD_MODE_ENFORCE)
			copy->undecided |= layers[i].undecided;
	}
	copy->set_hash = image_set_hash(copy);
	copy->checksum = image_checksum(copy);
	*ret = copy;
	return 0;
}

static int mode_swap(struct agent *agent, uint64_t key, int mode, uint64_t ns, struct kernel_why *why)
{
	const struct kernel_trial trial = { .kind = LSMD_TRIAL_MODE, .ns = ns, .key = key };
	_cleanup_free_ struct lsmd_image_header *image = NULL;
	struct kernel_times times;
	int r = image_with_mode(kernel_image(agent->kernel), key, mode, &image);

	if (!r)
		r = agent_swap(agent, image, image->size, &trial, why, &times);
	return r ? r : trial_watch(agent);
}

/* The mode of a policy is part of what was signed: it may be held harder than that, and not less. */
static bool mode_is_weaker(const struct agent *agent, const struct lsmd_layer *layer, int mode)
{
	return agent->settings->n_signed_by && (uint32_t)mode > layer->mode;
}

/* What cannot be done, in a person's words. Return: 0, TRIAL_REFUSED */
static int mode_check(struct agent *agent, const char *name, const struct kernel_trial *on, bool is_on, struct kernel_why *why)
{
	uint64_t key = lsmd_policy_key(name);
	const struct lsmd_layer *layer = layer_by_key(kernel_image(agent->kernel), key);

	if (!layer)
		snprintf(why->text, sizeof(why->text), "no policy '%s' is in force", name);
	else if (is_on && on->kind == LSMD_TRIAL_CONFIRM)
		snprintf(why->text, sizeof(why->text), "a reload waits for 'lsmctl confirm' for %u s more", seconds_of(on->ns));
	else if (is_on && on->key != key)
		snprintf(why->text, sizeof(why->text), "policy '%s' is in another mode for %u s more; one at a time",
			 key_name(kernel_image(agent->kernel), on->key), seconds_of(on->ns));
	else if (layer->mode == LSMD_MODE_OFF && !is_on)
		snprintf(why->text, sizeof(why->text),
			 "policy '%s' is off in its file, and nobody is known to be held by it: change the file", name);
	else
		return 0;
	return TRIAL_REFUSED;
}

int trial_mode(struct agent *agent, const char *name, int mode, unsigned int seconds, struct kernel_why *why)
{
	struct kernel_trial on = {};
	bool is_on = kernel_trial(agent->kernel, &on);
	const struct lsmd_layer *layer;
	int r = mode_check(agent, name, &on, is_on, why);

	if (!r && is_on)
		r = trial_settle(agent);
	if (r)
		return r;
	layer = layer_by_key(kernel_image(agent->kernel), lsmd_policy_key(name));
	if (layer && layer->mode == (uint32_t)mode && is_on)
		return 0;
	if (layer && layer->mode == (uint32_t)mode) {
		snprintf(why->text, sizeof(why->text), "policy '%s' is in that mode by its file", name);
		return TRIAL_REFUSED;
	}
	if (layer && mode_is_weaker(agent, layer, mode)) {
		snprintf(why->text, sizeof(why->text),
			 "policies are signed here (\"signed_by\" in lsmd.json), and the mode of '%s' with them: sign a set in which it is another", name);
		return TRIAL_REFUSED;
	}
	return mode_swap(agent, lsmd_policy_key(name), mode, seconds * NS_A_SECOND, why);
}

int trial_begin_reload(struct agent *agent, bool confirm, struct trial_aside *ret, struct kernel_why *why)
{
	const struct lsmd_image_header *image = kernel_image(agent->kernel);
	int r;

	*ret = (struct trial_aside){};
	if (!kernel_trial(agent->kernel, &ret->trial))
		return 0;
	if (ret->trial.kind == LSMD_TRIAL_CONFIRM)
		snprintf(why->text, sizeof(why->text),
			 "a reload waits for 'lsmctl confirm' for %u s more; confirm it, or wait until it is taken back",
			 seconds_of(ret->trial.ns));
	else if (confirm)
		snprintf(why->text, sizeof(why->text), "policy '%s' is in another mode for %u s more; end that first (lsmctl mode)",
			 key_name(image, ret->trial.key), seconds_of(ret->trial.ns));
	if (ret->trial.ns && (ret->trial.kind == LSMD_TRIAL_CONFIRM || confirm))
		return TRIAL_REFUSED;
	if (layer_by_key(image, ret->trial.key))
		ret->mode = layer_by_key(image, ret->trial.key)->mode;
	r = trial_settle(agent);
	return r ? r : ret->trial.ns && ret->trial.kind == LSMD_TRIAL_MODE ? TRIAL_ON : 0;
}

void trial_end_reload(struct agent *agent, const struct trial_aside *aside)
{
	const struct lsmd_layer *layer = layer_by_key(kernel_image(agent->kernel), aside->trial.key);
	struct kernel_why why = {};
	int r;

	if (!layer || layer->mode == LSMD_MODE_OFF) {
		log_notice("The policy that was in another mode for a while is not in the new set, or off: its time is over");
		return;
	}
	if (mode_is_weaker(agent, layer, aside->mode)) {
		log_notice("The new set is signed: the policy that was in another mode for a while is in that of its file again");
		return;
	}
	r = mode_swap(agent, aside->trial.key, aside->mode, aside->trial.ns, &why);
	if (r)
		log_error(r < 0 ? r : 0, "Policy '%s' is in the mode of its file again: %s", key_name(kernel_image(agent->kernel), aside->trial.key),
			  why.text);
}

json_t *trial_json(struct agent *agent)
{
	static const char *const kinds[] = { [LSMD_TRIAL_NONE] = "none", [LSMD_TRIAL_CONFIRM] = "confirm", [LSMD_TRIAL_MODE] = "mode" };
	struct kernel_trial trial;

	if (!kernel_trial(agent->kernel, &trial) || trial.kind > LSMD_TRIAL_MODE)
		return json_null();
	if (trial.kind == LSMD_TRIAL_CONFIRM)
		return json_pack("{s:s, s:I}", "kind", kinds[trial.kind], "seconds_left", (json_int_t)seconds_of(trial.ns));
	return json_pack("{s:s, s:I, s:s}", "kind", kinds[trial.kind], "seconds_left", (json_int_t)seconds_of(trial.ns), "policy",
			 key_name(kernel_image(agent->kernel), trial.key));
}
