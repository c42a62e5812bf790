/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frame of every hook: who acts, is anybody held, what is asked; then the verdict, its counters and its record.
 *
 *	s = hook_enter(LSMD_HOOK_X, wanted, &ret);
 *	if (!s)
 *		return ret;
 *	path_walk(s, &s->name, …);
 *	return hook_leave(s);
 */
#ifndef LSMD_HOOK_EMIT_H
#define LSMD_HOOK_EMIT_H

#include "label.h"

/* scratch_allowed() - request_allowed() of the scratch. Return: 1; 0: it may be otherwise. */
int scratch_allowed(struct lsmd_scratch *s);
/* scratch_allowed_alone() - the same for iterators */
int scratch_allowed_alone(struct lsmd_scratch *s);
/*
 * scratch_verdict() - decide by the answers of all layers of s->req, count, record, kill. @reason: not LSMD_REASON_NONE: a refusal of @wanted
 * that no layer gave. Return: 0, -EPERM.
 */
int scratch_verdict(struct lsmd_scratch *s, u32 wanted, u32 reason);

/*
 * hook_errno() - what a hook returns: -EPERM or 0 and nothing else, as a constant that the verifier sees on each path. 6.1 does
 * not check the range; newer kernels do, and lose it in arithmetic that the compiler would make of a plain "?:".
 */
static __always_inline int hook_errno(int refused)
{
	int ret = 0;

	if (refused)
		asm volatile("%0 = %1" : "=r"(ret) : "i"(-EPERM));
	return ret;
}

/* task_undecided() - no label: refused where any policy could refuse it */
static __always_inline int task_undecided(u64 active, u32 wanted)
{
	struct lsmd_view view;

	count_add(LSMD_COUNT_NO_LABEL, 1);
	if (view_open(&view, active) && !(view.image->undecided & wanted))
		return 0;
	count_add(LSMD_COUNT_REASON + LSMD_REASON_NO_LABEL, 1);
	denied_unsent(LSMD_COUNT_DENIED_NO_LABEL);
	return -EPERM;
}

/* label_undecided() - a label, but nothing to decide with */
static __always_inline int label_undecided(u32 undecided, u32 wanted, u32 reason)
{
	if (!(undecided & wanted))
		return 0;
	count_add(LSMD_COUNT_REASON + reason, 1);
	denied_unsent(LSMD_COUNT_DENIED_NO_SCRATCH);
	return -EPERM;
}

static __always_inline struct lsmd_label *label_current(void)
{
	struct lsmd_label *label = bpf_task_storage_get(&lsmd_labels, bpf_get_current_task_btf(), 0, 0);

	return label && label->state == LSMD_LABEL_GIVEN ? label : NULL;
}

/* request_start() - the part of a request that all hooks share */
static __always_inline void request_start(struct lsmd_scratch *s, struct lsmd_label *label, u64 active, u32 hook, u32 wanted)
{
	u64 i, n = label->n_layers;

	__builtin_memset(&s->req, 0, sizeof(s->req));
	s->req.image = active;
	s->req.hook = hook;
	s->req.wanted = wanted;
	s->req.object = LSMD_OBJECT_PATH;
	s->req.n_layers = n;
	s->home = label->home;
	for (i = LSMD_UNKNOWN(s->zero); i < LSMD_LAYERS_MAX && i < n; i++)
		s->req.layers[lsmd_hidden(i) & (LSMD_LAYERS_MAX - 1)] = label->layers[lsmd_hidden(i) & (LSMD_LAYERS_MAX - 1)];
	s->name.reason = LSMD_REASON_NONE;
	s->name.first = LSMD_PIECES_MAX;
	s->name.zero = 0;
}

/* label_fresh() - the label's layers are those of @active and of who the task is now. Return: 0; else what the hook returns is in *ret */
static __always_inline int label_fresh(struct lsmd_scratch *s, struct lsmd_label *label, u64 active, u32 wanted, int *ret)
{
	if (label->generation != active || !label_ids_same(label, bpf_get_current_task_btf())) {
		count_add(LSMD_COUNT_REFRESHED, 1);
		if (label_refresh(s, label, bpf_get_current_task_btf(), active)) {
			*ret = label_undecided(~0u, wanted, LSMD_REASON_NO_IMAGE);
			return 1;
		}
	}
	if (label->flags & LSMD_LABEL_OVERFLOW) {
		*ret = task_undecided(active, wanted);
		return 1;
	}
	return 0;
}

/*
 * label_leaves() - is there nothing to ask any layer? A move of a file is looked at by what all verbs may at its names, so that there is
 * something to ask wherever a layer holds the task.
 */
static __always_inline int label_leaves(const struct lsmd_label *label, u32 wanted)
{
	if (wanted & (LSMD_ACCESS_RENAME | LSMD_ACCESS_LINK))
		return !label->n_layers;
	return !(label->asks & wanted);
}

/* label_idle() - is the label that of @active, and does no layer of it ask for anything? Who the task is has not changed either, where it matters. */
static __always_inline int label_idle(const struct lsmd_label *label, u64 active)
{
	return label && label->generation == active && !label->asks && !(label->flags & (LSMD_LABEL_OVERFLOW | LSMD_LABEL_ASKS_IDS)) && !label->n_layers;
}

/* hook_held() - hook_enter() for who has the label, and the generation, already. @unheld: go on for tasks that nobody holds, too. */
static __always_inline struct lsmd_scratch *hook_held(struct lsmd_label *label, u64 active, u32 hook, u32 wanted, int unheld, int *ret)
{
	struct lsmd_scratch *s;
	int fresh;

	*ret = 0;
	if (!label) {
		*ret = task_undecided(active, wanted);
		return NULL;
	}
	fresh = label->generation == active && label_ids_same(label, bpf_get_current_task_btf());
	if (fresh && !unheld && !(label->flags & LSMD_LABEL_OVERFLOW) && label_leaves(label, wanted))
		return NULL; /* no policy holds this task, or has anything to say: the cheapest way out comes first */
	s = scratch_claim();
	if (!s) {
		*ret = label_undecided(fresh ? label->undecided : ~0u, wanted, LSMD_REASON_NO_SCRATCH);
		return NULL;
	}
	if (label_fresh(s, label, active, wanted, ret) || (!label->n_layers && !unheld)) {
		scratch_release(s);
		return NULL;
	}
	request_start(s, label, active, hook, wanted);
	return s;
}

static __always_inline struct lsmd_scratch *hook_begin(u32 hook, u32 wanted, int unheld, int *ret)
{
	u64 active = control_active(); /* read once; everything below is decided by this generation */

	*ret = 0;
	return active ? hook_held(label_current(), active, hook, wanted, unheld, ret) : NULL;
}

/*
 * hook_enter() - is the current task held by anybody? Return: scratch with s->req begun; or NULL, and *ret is what the hook returns.
 */
static __always_inline struct lsmd_scratch *hook_enter(u32 hook, u32 wanted, int *ret)
{
	return hook_begin(hook, wanted, 0, ret);
}

/* hook_verdict() - decide and record; the scratch stays claimed */
static __always_inline int hook_verdict(struct lsmd_scratch *s)
{
	s->looked = request_simple(&s->req) && s->name.reason == LSMD_REASON_NONE;
	if (s->looked && scratch_allowed(s))
		return 0;
	return hook_errno(scratch_verdict(s, 0, LSMD_REASON_NONE));
}

static __always_inline int hook_leave(struct lsmd_scratch *s)
{
	int ret = hook_verdict(s);

	scratch_release(s);
	return ret;
}

/* unnamed_decide() - a verb that takes no object */
static __always_inline int unnamed_decide(u32 hook, u32 wanted)
{
	struct lsmd_scratch *s;
	int ret;

	s = hook_enter(hook, wanted, &ret);
	if (!s)
		return ret;
	s->req.object = LSMD_OBJECT_NONE;
	return hook_leave(s);
}

#endif
