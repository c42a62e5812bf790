// SPDX-License-Identifier: LGPL-2.1-or-later
/* Differences in meaning, with names. */
#include "agent/control/changes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/control/explain.h"
#include "agent/control/rule-text.h"
#include "agent/policy/diff.h"
#include "agent/policy/image.h"
#include "agent/policy/named.h"
#include "agent/record/escape.h"
#include "agent/record/jsonl.h"
#include "agent/record/record.h"
#include "agent/util/cleanup.h"

/* A name asked for these alone is that of a socket. */
#define CHANGES_SOCKET_VERBS                                                                                   \
	(LSMD_ACCESS_CONNECT | LSMD_ACCESS_SEND | LSMD_ACCESS_BIND | LSMD_ACCESS_LISTEN | LSMD_ACCESS_ACCEPT)

struct teller {
	const struct lsmd_image_header *images[2];
	struct legend *legends[2];
	const struct diff *diff;
};

static const char *const answer_names[] = {
	[DIFF_ALLOW] = "allow", [DIFF_AUDIT] = "audit", [DIFF_DENY] = "deny", [DIFF_KILL] = "kill"
};

/* An address range as a rule would write it. */
static void range_text(struct buf *out, const struct diff_change *change)
{
	const struct object object = {
		.kind = OBJECT_INET,
		.protos = 1u << change->ask.address.proto,
		.first_hi = change->ask.address.hi,
		.first_lo = change->ask.address.lo,
		.last_hi = change->last.hi,
		.last_lo = change->last.lo,
		.first_port = change->ask.address.port,
		.last_port = change->last.port,
	};

	object_text_add(out, &object);
}

static void object_text(struct buf *out, const struct diff_change *change)
{
	if (change->ask.object == LSMD_OBJECT_ADDRESS) {
		range_text(out, change);
		return;
	}
	if (change->ask.object == LSMD_OBJECT_NAME) {
		named_text(out, (unsigned int)__builtin_ctz(change->ask.wanted), change->ask.name.bytes, change->ask.name.len);
		return;
	}
	if (change->ask.object == LSMD_OBJECT_ABSTRACT)
		buf_add_string(out, "unix:@");
	else if (change->ask.object == LSMD_OBJECT_PATH && !(change->ask.wanted & ~CHANGES_SOCKET_VERBS))
		buf_add_string(out, "unix:");
	escape_text(out, change->ask.name.bytes, change->ask.name.len);
}

static int text_set(json_t *json, const char *key, struct buf *text)
{
	return text->failed || json_object_set_new(json, key, json_string(text->bytes ? text->bytes : "")) ? -ENOMEM : 0;
}

/* Which rule gives one side's answer. */
static int side_by(const struct teller *teller, int side, const struct diff_change *change, json_t *json)
{
	const struct diff_domain *domain = &teller->diff->domains.items[change->domain];
	struct ask ask = change->ask;
	struct asked asked;
	int r, deciding;

	if (change->kind != DIFF_ACCESS)
		return 0;
	ask.layers = domain->layers[side].ids;
	ask.n_layers = domain->layers[side].n;
	r = image_ask(teller->images[side], &ask, &asked);
	if (r)
		return r < 0 ? r : 0;
	deciding = asked_deciding(&asked);
	if (deciding < 0)
		return 0;
	return json_object_set_new(json, "by", explain_layer(teller->legends[side], &asked.answers[deciding])) ? -ENOMEM : 0;
}

static int side_add(const struct teller *teller, int side, const struct diff_change *change, json_t *json)
{
	json_t *item = json_pack("{s:s}", "answer", answer_names[change->answers[side]]);
	int r = item ? side_by(teller, side, change, item) : -ENOMEM;

	return json_object_set_new(json, side ? "after" : "before", item) ? -ENOMEM : r;
}

static int change_fill(const struct teller *teller, const struct diff_change *change, json_t *json)
{
	_cleanup_buf_ struct buf object = {}, other = {};
	int r = 0;

	object_text(&object, change);
	escape_text(&other, change->ask.other.bytes, change->ask.other.len);
	if (change->kind == DIFF_ACCESS && (change->ask.object != LSMD_OBJECT_NONE))
		r = text_set(json, "object", &object);
	if (!r && change->ask.other.len)
		r = text_set(json, "other", &other);
	if (!r && change->ask.exchange && json_object_set_new(json, "exchange", json_true()))
		r = -ENOMEM;
	for (int s = 0; s < 2 && !r; s++)
		r = side_add(teller, s, change, json);
	return r;
}

static int change_add(const struct teller *teller, const struct diff_change *change, json_t *list)
{
	static const char *const kinds[] = {
		[DIFF_ACCESS] = "access", [DIFF_UNDECIDED] = "undecided", [DIFF_EXEC] = "exec"
	};
	json_t *json = json_pack("{s:s, s:s, s:b}", "verb", verb_name(__builtin_ctz(access_plain(change->ask.wanted))),
				 "what", kinds[change->kind], "device", !!(change->ask.wanted & LSMD_ACCESS_DEVICES));
	int r = json ? change_fill(teller, change, json) : -ENOMEM;

	return json_array_append_new(list, json) ? -ENOMEM : r;
}

static int layers_add(const struct teller *teller, int side, const struct diff_layers *layers, json_t *json)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < layers->n; i++) {
		const struct lsmd_layer *layer = legend_layer(teller->legends[side], layers->ids[i]);
		const char *name = layer ? legend_string(teller->legends[side], layer->name) : NULL;

		if (json_array_append_new(list, json_string(name ? name : "?")))
			break;
	}
	return json_array_size(list) != layers->n || json_object_set_new(json, side ? "after" : "before", list) ? -ENOMEM : 0;
}

static int domain_fill(const struct teller *teller, uint32_t id, json_t *json)
{
	const struct diff_domain *domain = &teller->diff->domains.items[id];
	json_t *changes = json_array();
	int r = json_object_set_new(json, "changes", changes) ? -ENOMEM : 0;

	if (!r && domain->program.len)
		r = json_bytes(json, "program", domain->program.bytes, domain->program.len);
	if (!r && domain->started && json_object_set_new(json, "started", json_true()))
		r = -ENOMEM;
	for (int s = 0; s < 2 && !r; s++)
		r = layers_add(teller, s, &domain->layers[s], json);
	for (size_t i = 0; i < teller->diff->changes.n && !r; i++)
		if (teller->diff->changes.items[i].domain == id)
			r = change_add(teller, &teller->diff->changes.items[i], changes);
	return r;
}

static int processes_add(const struct teller *teller, json_t *ret)
{
	const struct diff *diff = teller->diff;
	json_t *list = json_array();
	size_t n = 0;
	int r = json_object_set_new(ret, "processes", list) ? -ENOMEM : 0;

	for (size_t i = 0; i < diff->changes.n && !r; i++) {
		uint32_t id = diff->changes.items[i].domain;

		if ((i && diff->changes.items[i - 1].domain == id) || n++ >= CHANGES_PROCESSES_MAX)
			continue;
		if (json_array_append_new(list, json_object()))
			return -ENOMEM;
		r = domain_fill(teller, id, json_array_get(list, json_array_size(list) - 1));
	}
	return r || json_object_set_new(ret, "n_processes", json_integer(n)) ? -ENOMEM : 0;
}

static const char *layer_name(const struct teller *teller, int side, uint32_t i)
{
	const struct lsmd_image_header *image = teller->images[side];
	const struct lsmd_layer *layers = (const void *)((const char *)image + image->layers.off);

	return image_string(image, layers[i].name);
}

/* Both are sorted by name. */
static int policies_add(const struct teller *teller, json_t *ret)
{
	const uint32_t n[2] = { teller->images[0]->layers.n, teller->images[1]->layers.n };
	json_t *added = json_array(), *removed = json_array();
	int r = json_object_set_new(ret, "policies_added", added) | json_object_set_new(ret, "policies_removed", removed);

	for (uint32_t a = 0, b = 0; (a < n[0] || b < n[1]) && !r;) {
		int order = a == n[0] ? 1 : b == n[1] ? -1 : strcmp(layer_name(teller, 0, a), layer_name(teller, 1, b));

		if (order < 0)
			r = json_array_append_new(removed, json_string(layer_name(teller, 0, a)));
		if (order > 0)
			r = json_array_append_new(added, json_string(layer_name(teller, 1, b)));
		a += order <= 0;
		b += order >= 0;
	}
	return r ? -ENOMEM : 0;
}

static int diff_tell(const struct lsmd_image_header *before, const struct lsmd_image_header *after,
		     const struct diff *diff, json_t *json)
{
	struct teller teller = { .images = { before, after }, .diff = diff };
	int r = json_object_set_new(json, "same", json_boolean(!diff->changes.n && !diff->incomplete)) ? -ENOMEM : 0;

	if (diff->incomplete && json_object_set_new(json, "incomplete", json_string(diff->why)))
		r = -ENOMEM;
	for (int s = 0; s < 2 && !r; s++)
		r = legend_new(teller.images[s], &teller.legends[s]);
	if (!r)
		r = policies_add(&teller, json);
	if (!r)
		r = processes_add(&teller, json);
	for (int s = 0; s < 2; s++)
		legend_free(teller.legends[s]);
	return r;
}

int changes_json(const struct lsmd_image_header *before, const struct lsmd_image_header *after, json_t **ret)
{
	static const struct policy_set none;
	_cleanup_free_ struct lsmd_image_header *nothing = NULL;
	struct diags diags = {};
	struct diff diff = {};
	json_t *json;
	size_t size;
	int r = before ? 0 : image_build(&none, &diags, &nothing, &size);

	diags_clear(&diags);
	if (r)
		return r < 0 ? r : -EINVAL;
	before = before ? before : nothing;
	r = image_diff(before, after, &diff);
	if (r)
		return r;
	json = json_object();
	r = json ? diff_tell(before, after, &diff, json) : -ENOMEM;
	diff_clear(&diff);
	if (r)
		json_decref(json);
	else
		*ret = json;
	return r;
}
