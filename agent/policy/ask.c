// SPDX-License-Identifier: LGPL-2.1-or-later
/* Questions to a verified image, answered by the same lsm/core that the kernel side is built from. */
#include "agent/policy/ask.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/view-user.h"
#include "agent/util/cleanup.h"
#include "lsm/core/decide.h"
#include "lsm/core/subject.h"

static bool name_push(struct lsmd_name *name, const char *bytes, size_t len, bool continued)
{
	struct lsmd_piece *piece;

	if (!name->first)
		return false;
	piece = &name->pieces[--name->first];
	memset(piece, 0, sizeof(*piece));
	memcpy(piece->w, bytes, len);
	piece->meta = (lsmd_u32)len | (continued ? LSMD_PIECE_CONTINUED : 0);
	return true;
}

/* One component, from its last piece to its first: names are filled from the end. */
static bool name_push_component(struct lsmd_name *name, const char *bytes, size_t len)
{
	size_t at = len ? (len - 1) / LSMD_PIECE_LEN * LSMD_PIECE_LEN : 0;

	for (;; at -= LSMD_PIECE_LEN) {
		if (!name_push(name, bytes + at, len - at < LSMD_PIECE_LEN ? len - at : LSMD_PIECE_LEN, at > 0))
			return false;
		if (!at)
			return true;
	}
}

/* name_set_path() - "/a/b" as a walk would have left it */
static int name_set_path(struct lsmd_name *name, const char *bytes, size_t len)
{
	size_t end = len;

	if (!len || bytes[0] != '/')
		return -EINVAL;
	name->first = LSMD_PIECES_MAX;
	name->reason = LSMD_REASON_NONE;
	name->zero = 0;
	while (end > 0) {
		size_t start = end;

		while (start > 0 && bytes[start - 1] != '/')
			start--;
		if (start < end && end - start > LSMD_NAME_MAX)
			name->reason = LSMD_REASON_PATH_TOO_LONG;
		else if (start < end && !name_push_component(name, bytes + start, end - start))
			name->reason = LSMD_REASON_PATH_TOO_DEEP;
		if (name->reason != LSMD_REASON_NONE)
			return 0;
		end = start ? start - 1 : 0;
	}
	return 0;
}

static int name_set(struct lsmd_name *name, enum lsmd_object object, const struct ask_bytes *bytes)
{
	memset(name, 0, offsetof(struct lsmd_name, pieces));
	name->first = LSMD_PIECES_MAX;
	name->tree = object == LSMD_OBJECT_ABSTRACT ? LSMD_TREE_ABSTRACT :
		     object == LSMD_OBJECT_NAME	    ? LSMD_TREE_NAME :
						      LSMD_TREE_OBJECT;
	if (object == LSMD_OBJECT_PATH || object == LSMD_OBJECT_NAME)
		return name_set_path(name, bytes->bytes, bytes->len);
	if (object == LSMD_OBJECT_ABSTRACT && bytes->len > LSMD_ABSTRACT_MAX)
		return -EINVAL;
	if (object == LSMD_OBJECT_ABSTRACT && bytes->len)
		name_push_component(name, bytes->bytes, bytes->len);
	return 0;
}

static int who_set(struct lsmd_who *who, const struct ask *ask)
{
	int r = 0;

	memset(who, 0, offsetof(struct lsmd_who, cgroup));
	who->known = ask->known;
	who->uid = ask->uid;
	who->gid = ask->gid;
	if (ask->known & LSMD_SELECT_GROUPS)
		r = name_set(&who->cgroup, LSMD_OBJECT_PATH, &ask->cgroup);
	if (!r && ask->known & LSMD_SELECT_GROUPS && who->cgroup.reason != LSMD_REASON_NONE)
		r = -EINVAL;
	return r;
}

static int ask_layers(lsmd_image_id image, const struct ask *ask, struct lsmd_name *name, struct lsmd_held *held)
{
	_cleanup_free_ struct lsmd_who *who = malloc(sizeof(*who));
	struct lsmd_view view;
	int r = who ? who_set(who, ask) : -ENOMEM;

	if (r)
		return r;
	view_open(&view, image);
	for (size_t i = 0; i < ask->n_layers; i++)
		held_add(held, ask->layers[i], 0);
	if (!ask->layers)
		subject_collect_any(&view, image, who, held);
	for (size_t i = 0; i < ask->n_programs && !ask->layers; i++) {
		r = name_set(name, LSMD_OBJECT_PATH, &ask->programs[i]);
		if (r)
			return r;
		name->tree = LSMD_TREE_SUBJECT;
		if (name->reason == LSMD_REASON_NONE)
			subject_collect(image, name, who, held);
	}
	return held->overflow ? ASK_TOO_MANY_LAYERS : 0;
}

/* `off` layers may be handed down by labels, so that they can be turned on again, but answer nothing. */
static void asked_set_layers(const struct lsmd_view *view, const struct lsmd_held *held, struct asked *asked)
{
	for (lsmd_u32 i = 0; i < held->n; i++) {
		const struct lsmd_layer *layer = view_record(view, layers, struct lsmd_layer, held->layers[i]);

		if (layer->mode != LSMD_MODE_OFF)
			asked->layers[asked->n_layers++] = held->layers[i];
	}
}

static void ask_layer(const struct lsmd_view *view, const struct lsmd_request *req, const struct lsmd_name *name,
		      const struct lsmd_name *other, const struct lsmd_found found[2], lsmd_u32 id,
		      struct lsmd_answer *answer)
{
	const struct lsmd_layer *layer = view_record(view, layers, struct lsmd_layer, id);
	lsmd_u32 reason = request_reason(req, name, other);
	struct lsmd_said said[2];
	lsmd_u32 how = LSMD_ANSWER_ALLOW_RULE | (req->deny_only ? LSMD_ANSWER_DENY_ONLY : 0);

	if (reason != LSMD_REASON_NONE)
		layer_unnamed(view, req->image, id, layer, request_verbs(req), reason, said, how, answer);
	else if (req->two)
		layer_decide_two(view, req, id, layer, name, other, &found[0], &found[1], said, how, answer);
	else
		layer_decide_one(view, req, id, layer, name, &found[0], said, how, answer);
	answer->layer = id;
	answer->mode = layer->mode;
}

static void ask_all(const struct lsmd_view *view, struct lsmd_request *req, const struct lsmd_name *name,
		    const struct lsmd_name *other, struct asked *asked)
{
	struct lsmd_found found[2] = {};

	req->n_layers = (lsmd_u32)asked->n_layers;
	memcpy(req->layers, asked->layers, sizeof(req->layers));
	if (request_reason(req, name, other) == LSMD_REASON_NONE) {
		found_all(req, name, other, &found[0], &found[1]);
		asked->quick = request_simple(req) && request_allowed(req, name, &found[0]);
	}
	for (size_t i = 0; i < asked->n_layers; i++) {
		struct lsmd_answer *answer = &asked->answers[i];

		ask_layer(view, req, name, other, found, asked->layers[i], answer);
		if (answer->verdict == LSMD_VERDICT_DENY && answer->mode == LSMD_MODE_ENFORCE)
			asked->refused = true;
	}
}

int image_ask(const struct lsmd_image_header *image, const struct ask *ask, struct asked *ret)
{
	const struct lsmd_view view = { .image = image, .mask = LSMD_VIEW_VERIFIED };
	struct lsmd_request req = {
		.image = (uintptr_t)image,
		.wanted = ask->wanted,
		.object = ask->object,
		.directory = ask->directory,
		.two = ask->other.len > 0,
		.replaces = ask->replaces,
		.exchange = ask->exchange,
		.deny_only = ask->deny_only,
		.address = ask->address,
	};
	_cleanup_free_ struct lsmd_name *names = calloc(2, sizeof(*names));
	struct lsmd_held held = {};
	struct asked asked = {};
	int r;

	if (!names)
		return -ENOMEM;
	r = ask_layers(req.image, ask, &names[0], &held);
	if (r)
		return r;
	r = name_set(&names[0], ask->object, &ask->name);
	if (!r && req.two)
		r = name_set(&names[1], ask->object, &ask->other);
	if (r)
		return r;
	if (ask->object == LSMD_OBJECT_NONE && ask->wanted & LSMD_ACCESS_CODE)
		names[0].reason = LSMD_REASON_PATH_ANONYMOUS;
	asked_set_layers(&view, &held, &asked);
	ask_all(&view, &req, &names[0], &names[1], &asked);
	*ret = asked;
	return 0;
}
