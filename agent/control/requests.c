// SPDX-License-Identifier: LGPL-2.1-or-later
/* Requests of the control socket. */
#include "agent/control/requests.h"

#include <string.h>

#include "agent/control/agent.h"
#include "agent/control/explain.h"
#include "agent/control/reload.h"
#include "agent/control/trial.h"
#include "agent/record/jsonl.h"
#include "agent/util/log.h"

static void request_ping(struct agent *agent, struct client *client, const json_t *request)
{
	client_reply(client, json_pack("{s:b, s:s, s:i}", "ok", 1, "version", LSMD_VERSION, "pid", (int)getpid()));
}

static void request_status(struct agent *agent, struct client *client, const json_t *request)
{
	json_t *status;
	int r = agent_status(agent, json_is_true(json_object_get(request, "rules")), &status);

	if (r)
		client_error(client, "the agent cannot tell its status: %s", strerror(-r));
	else
		client_reply(client, status);
}

static void request_reload(struct agent *agent, struct client *client, const json_t *request)
{
	json_int_t confirm = json_integer_value(json_object_get(request, "confirm"));
	const struct reload_options options = {
		.client = client_id(client),
		.dry_run = json_is_true(json_object_get(request, "dry_run")),
		.force = json_is_true(json_object_get(request, "force")),
		.colour = json_is_true(json_object_get(request, "colour")),
		.json = json_is_true(json_object_get(request, "json")),
		.confirm_s = confirm,
	};
	int r;

	if (confirm < 0 || confirm > TRIAL_SECONDS_MAX) {
		client_error(client, "a reload can wait to be confirmed for at most %d s", TRIAL_SECONDS_MAX);
		return;
	}
	r = reloads_add(agent->reloads, &options);
	if (r)
		client_error(client, "the reload cannot be begun: %s",
			     r == -EBUSY ? "too many are waiting" : strerror(-r));
}

/* Who asked, for the log: breaking the glass is on record. */
static void asked_log(const struct client *client, const char *what)
{
	const struct peer *peer = client_peer(client);

	if (peer->loginuid != ~0u)
		log_notice("%s, asked by process %d of user %u, who logged in as user %u", what, peer->pid, peer->uid, peer->loginuid);
	else
		log_notice("%s, asked by process %d of user %u, of no login", what, peer->pid, peer->uid);
}

static void trial_reply(struct agent *agent, struct client *client, int r, const struct kernel_why *why, const char *what)
{
	if (r == TRIAL_REFUSED) {
		client_error(client, "%s", why->text);
	} else if (r) {
		client_error(client, "it cannot be done: %s", r < 0 ? strerror(-r) : why->text);
	} else {
		asked_log(client, what);
		client_reply(client, json_pack("{s:b, s:I, s:o}", "ok", 1, "generation", (json_int_t)kernel_generation(agent->kernel), "trial",
					       trial_json(agent)));
	}
}

static void request_confirm(struct agent *agent, struct client *client, const json_t *request)
{
	struct kernel_why why = {};
	int r = trial_confirm(agent, &why);

	trial_reply(agent, client, r, &why, "The reload is confirmed");
}

static void request_mode(struct agent *agent, struct client *client, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "policy"));
	json_int_t mode = json_integer_value(json_object_get(request, "mode"));
	json_int_t seconds = json_integer_value(json_object_get(request, "seconds"));
	struct kernel_why why = {};
	char what[256];
	int r;

	if (!name || mode < 0 || mode > LSMD_MODE_OFF || seconds < 1 || seconds > TRIAL_SECONDS_MAX) {
		client_error(client, "a policy, a mode and 1 to %d seconds are needed", TRIAL_SECONDS_MAX);
		return;
	}
	r = trial_mode(agent, name, mode, seconds, &why);
	snprintf(what, sizeof(what), "Policy '%s' is in mode '%s' for at most %lld s", name, mode_name(mode), (long long)seconds);
	trial_reply(agent, client, r, &why, what);
}

static json_t *event_message(struct record *record)
{
	json_t *event = record_json(record);

	return event ? json_pack("{s:b, s:o}", "ok", 1, "event", event) : NULL;
}

static void event_send(void *data, struct record *record)
{
	struct client *client = data;
	json_t *message;

	if (!client_id(client))
		return;
	message = event_message(record);
	if (message)
		client_reply(client, message);
}

/* The last ones first, then {"ok": true, "live": …}, then, to a follower, events as they come. */
static void request_events(struct agent *agent, struct client *client, const json_t *request)
{
	const json_t *last = json_object_get(request, "last");
	bool follow = json_is_true(json_object_get(request, "follow"));
	json_int_t n = json_is_integer(last) ? json_integer_value(last) : 0;

	if (n > 0)
		recorder_recent(agent->recorder, n, event_send, client);
	if (!client_id(client))
		return;
	if (follow)
		client_follow(client, json_is_true(json_object_get(request, "learn")));
	client_reply(client, json_pack("{s:b, s:b}", "ok", 1, "live", follow));
}

static void explain_reply(struct client *client, int r, const struct explain_why *why, json_t *answer)
{
	if (r == EXPLAIN_REFUSED)
		client_error(client, "%s", why->text);
	else if (r)
		client_error(client, "the agent cannot answer: %s", strerror(-r));
	else
		client_reply(client, answer);
}

static void request_explain(struct agent *agent, struct client *client, const json_t *request)
{
	struct explain_why why = {};
	json_t *answer = NULL;
	int r = explain_answer(kernel_image(agent->kernel), agent->kernel, request, &why, &answer);

	explain_reply(client, r, &why, answer);
}

static void request_explain_pid(struct agent *agent, struct client *client, const json_t *request)
{
	const json_t *pid = json_object_get(request, "pid");
	struct explain_why why = {};
	json_t *answer = NULL;
	int r;

	if (!json_is_integer(pid) || json_integer_value(pid) <= 0) {
		client_error(client, "no process is named");
		return;
	}
	r = explain_label(kernel_image(agent->kernel), agent->kernel, json_integer_value(pid), &why, &answer);
	explain_reply(client, r, &why, answer);
}

static const struct {
	const char *name;
	void (*fn)(struct agent *agent, struct client *client, const json_t *request);
	bool needs_image;
} requests[] = {
	{ "ping", request_ping, false },      { "status", request_status, false },
	{ "reload", request_reload, false },  { "events", request_events, false },
	{ "explain", request_explain, true }, { "explain-pid", request_explain_pid, true },
	{ "confirm", request_confirm, true }, { "mode", request_mode, true },
};

/* Audit layers change no guard (MEANING 2). */
static bool holders_enforce(const struct lsmd_image_header *image, const struct holders *holders)
{
	const struct lsmd_layer *layers = (const void *)((const char *)image + image->layers.off);

	for (size_t i = 0; i < holders->n; i++)
		if (layers[holders->layers[i]].mode == LSMD_MODE_ENFORCE)
			return true;
	return holders->overflow || holders->unknown;
}

/* A held process may not talk to the agent (MEANING 26), whatever it wants: root inside a policy is not the administrator. */
static bool peer_is_held(struct agent *agent, const struct peer *peer)
{
	const struct lsmd_image_header *image = kernel_image(agent->kernel);
	struct kernel_task task;
	struct holders holders;
	int r;

	if (!image || !image->layers.n)
		return false;
	r = holders_of(agent->kernel, image, peer->pid, &task, &holders);
	return r || holders_enforce(image, &holders);
}

void request_handle(void *data, struct client *client, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "request"));
	struct agent *agent = data;

	if (peer_is_held(agent, client_peer(client))) {
		log_limited(
			&agent->refusals, 0,
			"Process %d of user %u is held by a policy, or its label cannot be read: its request is refused",
			client_peer(client)->pid, client_peer(client)->uid);
		client_error(client, "a process that a policy holds may not ask the agent");
		return;
	}
	for (size_t i = 0; name && i < sizeof(requests) / sizeof(*requests); i++) {
		if (strcmp(requests[i].name, name))
			continue;
		if (requests[i].needs_image && !kernel_image(agent->kernel))
			client_error(client, "no policies are in force");
		else
			requests[i].fn(agent, client, request);
		return;
	}
	client_error(client, "the agent does not know this request");
}
