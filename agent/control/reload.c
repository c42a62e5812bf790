// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reloads of the policies. */
#include "agent/control/reload.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "agent/control/changes.h"
#include "agent/control/trial.h"
#include "agent/util/cleanup.h"
#include "agent/util/log.h"

struct reloads {
	struct agent *agent;
	struct reload_options queue[RELOADS_MAX];
	size_t n; /* the first is at work */
	pthread_t thread;
	bool working;
	int done_fd;
	sd_event_source *done;
	/* Written by the thread, read after it said that it is done. */
	struct policy_options policies;
	struct seal_want want;
	uint32_t unmediated;
	struct intake intake;
	json_t *changes; /* NULL: nobody waits to hear them, or they could not be found out */
	int r;
};

/* What is in force changes only when this thread is done. */
static void changes_find(struct reloads *reloads)
{
	int r = changes_json(kernel_image(reloads->agent->kernel), reloads->intake.image, &reloads->changes);

	if (r)
		log_warning(r, "Cannot compare the policies with those in force");
}

static void *reload_work(void *data)
{
	struct reloads *reloads = data;
	uint64_t one = 1;

	reloads->r = intake_run(&reloads->policies, reloads->unmediated, &reloads->intake);
	if (!reloads->r && reloads->queue[0].client)
		changes_find(reloads);
	(void)!write(reloads->done_fd, &one, sizeof(one));
	return NULL;
}

static void reloading_say(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=Reading the policies",
		   (uint64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

static int reload_begin(struct reloads *reloads)
{
	sigset_t all, before;
	int r;

	reloading_say();
	agent_policies(reloads->agent, &reloads->want, &reloads->policies);
	reloads->policies.force |= reloads->queue[0].force;
	reloads->unmediated = kernel_unmediated(reloads->agent->kernel);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&reloads->thread, NULL, reload_work, reloads);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	reloads->working = !r;
	return -r;
}

static json_t *diagnostics_json(const struct intake *intake)
{
	static const struct policy_set none;
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int r = out ? diags_print_json(&intake->diags, intake->set ? intake->set : &none, out) : -ENOMEM;

	if (out && fclose(out))
		r = -EIO;
	return r ? NULL : json_loadb(text, len, 0, NULL);
}

static size_t set_rules(const struct policy_set *set)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n_policies; i++)
		n += set->policies[i].n_rules;
	return n;
}

static int reply_set_load(json_t *reply, const struct reload_options *options, const struct intake *intake)
{
	_cleanup_free_ char *text = intake_text(intake, options->colour);
	int r = json_object_set_new(reply, "errors", json_integer(intake->diags.n_errors));

	r |= json_object_set_new(reply, "warnings", json_integer(intake->diags.n_warnings));
	if (text)
		r |= json_object_set_new(reply, "diagnostics_text", json_string(text));
	if (options->json)
		r |= json_object_set_new(reply, "diagnostics", diagnostics_json(intake));
	if (intake->set && intake->image) {
		r |= json_object_set_new(reply, "n_policies", json_integer(intake->set->n_policies));
		r |= json_object_set_new(reply, "n_rules", json_integer(set_rules(intake->set)));
		r |= json_object_set_new(reply, "image_bytes", json_integer(intake->image_size));
		r |= json_object_set_new(reply, "set", json_sprintf("%016" PRIx64, (uint64_t)intake->image->set_hash));
	}
	return r ? -ENOMEM : 0;
}

static json_t *times_json(const struct intake *intake, const struct kernel_times *times)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "check_ns", (json_int_t)intake->check_ns, "compile_ns",
			 (json_int_t)intake->compile_ns, "load_ns", (json_int_t)times->load_ns, "swap_ns",
			 (json_int_t)times->swap_ns, "grace_ns", (json_int_t)times->grace_ns);
}

/* Checksums leave out the generation, so equal ones are the same set compiled by the same compiler. */
static bool set_is_in_force(struct agent *agent, const struct intake *intake)
{
	const struct lsmd_image_header *now = kernel_image(agent->kernel);

	return now && now->checksum == intake->image->checksum && now->size == intake->image->size;
}

/* The swap itself, beside trials. Return: as agent_swap(), or TRIAL_REFUSED */
static int reload_swap(struct agent *agent, const struct reload_options *options, const struct intake *intake, struct kernel_why *why,
		       struct kernel_times *times)
{
	const struct kernel_trial trial = { .kind = LSMD_TRIAL_CONFIRM, .ns = options->confirm_s * 1000000000ull };
	struct trial_aside aside;
	int r = trial_begin_reload(agent, options->confirm_s, &aside, why);
	bool on = r == TRIAL_ON;

	if (r && !on)
		return r;
	/* What is on trial is remembered once it is confirmed: what was before may come back. */
	r = options->confirm_s ? 0 : agent_remember(agent, &intake->set->stamp, why);
	if (!r)
		r = agent_swap(agent, intake->image, intake->image_size, options->confirm_s ? &trial : NULL, why, times);
	if (r)
		agent_forget(agent);
	else
		serial_keep(&agent->serial);
	if (on)
		trial_end_reload(agent, &aside);
	return r ? r : trial_watch(agent);
}

static const char *reload_decide(struct reloads *reloads, const struct reload_options *options,
				 struct kernel_times *times, struct kernel_why *why, int *ret)
{
	struct agent *agent = reloads->agent;
	struct kernel_trial trial;

	*ret = 0;
	if (reloads->r == INTAKE_REFUSED)
		return "refused";
	if (reloads->r) {
		*ret = reloads->r;
		return "failed";
	}
	/* What is on trial is not settled by being asked for again. */
	if (set_is_in_force(agent, &reloads->intake) && (options->dry_run || !kernel_trial(agent->kernel, &trial))) {
		/* The same policies may have been signed anew. */
		*ret = options->dry_run ? 0 : agent_remember(agent, &reloads->intake.set->stamp, why);
		serial_keep(&agent->serial);
		return *ret ? "failed" : "unchanged";
	}
	if (options->dry_run)
		return "dry-run";
	*ret = reload_swap(agent, options, &reloads->intake, why, times);
	return *ret ? "failed" : "swapped";
}

/* ", serial 7, signed with key a1b2c3d4e5f60718"; nothing where nobody signs */
static void signer_text(const struct policy_set *set, char *text, size_t size)
{
	*text = '\0';
	if (set && set->stamp.serial)
		snprintf(text, size, ", serial %" PRIu64 ", signed with key %s", set->stamp.serial, set->stamp.key);
}

static void outcome_log(struct agent *agent, const struct intake *intake, const char *outcome, int r,
			const struct kernel_why *why, const struct peer *peer)
{
	char who[96] = "a signal", signer[96];

	signer_text(intake->set, signer, sizeof(signer));
	if (peer && peer->loginuid != ~0u)
		snprintf(who, sizeof(who), "process %d of user %u, who logged in as user %u", peer->pid, peer->uid,
			 peer->loginuid);
	else if (peer)
		snprintf(who, sizeof(who), "process %d of user %u, of no login", peer->pid, peer->uid);
	if (!strcmp(outcome, "refused"))
		log_error(0,
			  "Reload asked by %s: the policies on disk are refused, errors: %zu; generation %" PRIu64
			  " stays in force",
			  who, intake->diags.n_errors, kernel_generation(agent->kernel));
	else if (!strcmp(outcome, "failed"))
		log_error(r < 0 ? r : 0, "Reload asked by %s failed, generation %" PRIu64 " stays in force: %s", who,
			  kernel_generation(agent->kernel), why->text);
	else if (!strcmp(outcome, "swapped"))
		log_notice("Reload asked by %s: %zu %s in force as generation %" PRIu64 ", set %016" PRIx64 "%s", who,
			   intake->set->n_policies, intake->set->n_policies == 1 ? "policy is" : "policies are",
			   kernel_generation(agent->kernel), (uint64_t)intake->image->set_hash, signer);
	else
		log_info("Reload asked by %s: %s", who, outcome);
}

static void diagnostics_log(const struct intake *intake)
{
	_cleanup_free_ char *text = intake_text(intake, false);

	if (text)
		log_message(intake->diags.n_errors ? LOG_ERR : LOG_WARNING, 0, "%s", text);
}

static json_t *reply_make(struct reloads *reloads, const struct reload_options *options, const char *outcome,
			  const struct kernel_times *times, json_t *changes)
{
	const struct intake *intake = &reloads->intake;
	json_t *reply = json_pack("{s:b, s:s, s:I, s:o, s:o*}", "ok", 1, "outcome", outcome, "generation",
				  (json_int_t)kernel_generation(reloads->agent->kernel), "times",
				  times_json(intake, times), "changes", changes);

	if (reply && reply_set_load(reply, options, intake)) {
		json_decref(reply);
		return NULL;
	}
	return reply;
}

static void reload_answer(struct reloads *reloads, const struct reload_options *options)
{
	struct agent *agent = reloads->agent;
	struct client *client = server_client(agent->server, options->client);
	struct kernel_times times = {};
	struct kernel_why why = {};
	json_t *changes = TAKE_PTR(reloads->changes);
	const char *outcome;
	int r;

	outcome = reload_decide(reloads, options, &times, &why, &r);
	agent_reloaded(agent, outcome, &reloads->intake, &times);
	outcome_log(agent, &reloads->intake, outcome, r, &why, client ? client_peer(client) : NULL);
	if (!client) {
		diagnostics_log(&reloads->intake);
		json_decref(changes);
	} else if (!strcmp(outcome, "failed")) {
		json_decref(changes);
		client_error(client, "the reload failed, the set in force stays: %s", r < 0 ? strerror(-r) : why.text);
	} else {
		client_reply(client, reply_make(reloads, options, outcome, &times, changes));
	}
	if (!strcmp(outcome, "refused") && !options->dry_run)
		agent_refused(agent);
	if (!strcmp(outcome, "swapped") || (!strcmp(outcome, "unchanged") && !options->dry_run))
		agent_adopt(agent, &reloads->intake, options->confirm_s);
}

/* The next that can be begun; whoever asked for one that cannot is told. */
static void reload_next(struct reloads *reloads)
{
	while (reloads->n) {
		int r = reload_begin(reloads);
		struct client *client;

		if (!r)
			return;
		log_error(r, "Cannot start a thread to reload in");
		client = server_client(reloads->agent->server, reloads->queue[0].client);
		if (client)
			client_error(client, "the agent cannot start a thread to reload in: %s", strerror(-r));
		memmove(&reloads->queue[0], &reloads->queue[1], --reloads->n * sizeof(reloads->queue[0]));
	}
}

static int reload_done(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct reloads *reloads = data;
	struct reload_options options = reloads->queue[0];
	uint64_t n;

	(void)!read(fd, &n, sizeof(n));
	pthread_join(reloads->thread, NULL);
	reloads->working = false;
	reload_answer(reloads, &options);
	intake_clear(&reloads->intake);
	memmove(&reloads->queue[0], &reloads->queue[1], --reloads->n * sizeof(reloads->queue[0]));
	malloc_trim(0);
	sd_notify(0, "READY=1");
	agent_say_status(reloads->agent);
	reload_next(reloads);
	return 0;
}

int reloads_new(struct agent *agent, struct reloads **ret)
{
	struct reloads *reloads = calloc(1, sizeof(*reloads));
	int r;

	if (!reloads)
		return -ENOMEM;
	reloads->agent = agent;
	reloads->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = reloads->done_fd < 0 ? -errno : 0;
	if (!r)
		r = sd_event_add_io(agent->event, &reloads->done, reloads->done_fd, EPOLLIN, reload_done, reloads);
	if (r < 0) {
		reloads_free(reloads);
		return r;
	}
	*ret = reloads;
	return 0;
}

void reloads_free(struct reloads *reloads)
{
	if (!reloads)
		return;
	if (reloads->working) {
		pthread_join(reloads->thread, NULL);
		json_decref(reloads->changes);
		intake_clear(&reloads->intake);
	}
	sd_event_source_disable_unref(reloads->done);
	if (reloads->done_fd >= 0)
		close(reloads->done_fd);
	free(reloads);
}

int reloads_add(struct reloads *reloads, const struct reload_options *options)
{
	int r;

	if (reloads->n == RELOADS_MAX)
		return -EBUSY;
	reloads->queue[reloads->n++] = *options;
	if (reloads->n > 1)
		return 0;
	r = reload_begin(reloads);
	if (r)
		reloads->n--;
	return r;
}
