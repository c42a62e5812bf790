// SPDX-License-Identifier: GPL-2.0-only
/*
 * lsm/core as a BPF program that attaches to nothing: it answers one question when it is run by
 * bpf(BPF_PROG_TEST_RUN), and so shows that what the verifier lets through gives the oracle's answers.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "tests/engine/bpf/work.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, ENGINE_IMAGE_BYTES + LSMD_IMAGE_SLACK);
} engine_image SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct engine_work);
} engine_work SEC(".maps");

/* There is one image here; its number must be right, as in the hooks. */
LSMD_INLINE int view_open(struct lsmd_view *view, lsmd_image_id image)
{
	__u32 key = 0;

	view->image = bpf_map_lookup_elem(&engine_image, &key);
	view->mask = ENGINE_IMAGE_BYTES - 1;
	return view->image && view->image->generation == image;
}

/* The answer of one layer that holds the program. Verified once, not once a layer. */
__noinline int work_layer(struct engine_work *work, __u32 i, __u32 reason)
{
	const struct lsmd_layer *layer;
	struct lsmd_answer *answer;
	struct lsmd_view view;
	__u32 id, how;

	if (!work || !view_open(&view, work->req.image))
		return 0;
	id = work->held.layers[i & (LSMD_LAYERS_MAX - 1)];
	layer = view_record(&view, layers, struct lsmd_layer, id);
	answer = &work->answers[work->n_answers & (LSMD_LAYERS_MAX - 1)];
	if (layer->mode == LSMD_MODE_OFF)
		return 1;
	how = LSMD_ANSWER_ALLOW_RULE | (work->req.deny_only ? LSMD_ANSWER_DENY_ONLY : 0);
	answer->layer = id;
	answer->mode = layer->mode;
	work->n_answers++;
	if (reason != LSMD_REASON_NONE)
		layer_unnamed(&view, work->req.image, id, layer, request_verbs(&work->req), reason, work->said, how, answer);
	else if (work->req.two)
		layer_decide_two(&view, &work->req, id, layer, &work->name, &work->other, &work->found[0],
				 &work->found[1], work->said, how, answer);
	else
		layer_decide_one(&view, &work->req, id, layer, &work->name, &work->found[0], work->said, how, answer);
	return 1;
}

/* What a hook asks first. */
__noinline int work_quick(struct engine_work *work, __u32 reason)
{
	__u32 i, n;

	if (!work)
		return 0;
	n = work->held.n;
	work->req.n_layers = n;
	for (i = LSMD_UNKNOWN(work->zero); i < LSMD_LAYERS_MAX && i < n; i++)
		work->req.layers[lsmd_hidden(i) & (LSMD_LAYERS_MAX - 1)] = work->held.layers[lsmd_hidden(i) & (LSMD_LAYERS_MAX - 1)];
	work->quick = reason == LSMD_REASON_NONE && request_simple(&work->req) &&
		      request_allowed(&work->req, &work->name, &work->found[0]);
	return 0;
}

__noinline int work_decide(struct engine_work *work)
{
	__u32 reason, i, n;

	if (!work)
		return 0;
	reason = request_reason(&work->req, &work->name, &work->other);
	if (reason == LSMD_REASON_NONE &&
	    !found_all(&work->req, &work->name, &work->other, &work->found[0], &work->found[1]))
		return 0;
	work_quick(work, reason);
	n = work->held.n;
	for (i = LSMD_UNKNOWN(work->zero); i < LSMD_LAYERS_MAX && i < n; i++)
		if (!work_layer(work, i, reason))
			return 0;
	return 1;
}

/* Who holds the process: the layers in work->held. */
__noinline int work_collect(struct engine_work *work)
{
	struct lsmd_view view;
	__u64 i;

	if (!work || !view_open(&view, work->req.image))
		return 0;
	for (i = LSMD_UNKNOWN(work->zero); i < LSMD_LABEL_PROGRAMS_MAX && i < work->n_programs; i++) {
		__u64 at = lsmd_hidden(i);

		if (at >= LSMD_LABEL_PROGRAMS_MAX)
			break;
		subject_collect(work->req.image, &work->programs[at], &work->who, &work->held);
	}
	subject_collect_any(&view, work->req.image, &work->who, &work->held);
	return 1;
}

SEC("syscall")
int engine_ask(void *context)
{
	struct engine_work *work;
	__u32 key = 0;

	work = bpf_map_lookup_elem(&engine_work, &key);
	if (!work)
		return 1;
	work->done = 0;
	work->n_answers = 0;
	work->held.n = 0;
	work->held.overflow = 0;
	if (!work_collect(work))
		return 1;
	if (work->held.overflow) {
		work->done = 2;
		return 0;
	}
	if (!work_decide(work))
		return 1;
	work->done = 1;
	return 0;
}
