/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Labels: which policies hold a task. Latched at exec, copied at fork, computed anew after a swap by the first hook that
 * sees a stale one. The long parts are global functions, verified once each: label.bpf.c.
 */
#ifndef LSMD_HOOK_LABEL_H
#define LSMD_HOOK_LABEL_H

#include "dpath.h"

/*
 * label_compute() - layers of @label in the image of @generation, from what it remembers. @keep: the layers that it has and that ask for ids
 * stay: setuid adds layers and drops none before an exec (MEANING.md 7). label_computed() is the same for iterators, in place: a call more, and the verifier would count too many inside each other. Return: 0, or -EPERM when there is no such image.
 */
typedef int label_compute_fn(struct lsmd_scratch *s, struct lsmd_label *label, u64 generation, u32 keep);
label_compute_fn label_compute;
static label_compute_fn label_computed;
/* programs_add() - remember s->name as one more program of an exec. Return: 0. */
int programs_add(struct lsmd_scratch *s, struct lsmd_programs *programs);
/* name_load() - @name := the name that starts at byte @at of @programs. Return: where the next starts; 0: there is none. */
u32 name_load(struct lsmd_name *name, struct lsmd_programs *programs, u32 at);
/* cgroup_remember() - remember the path of a cgroup, by its node (a number, struct kernfs_node *). Return: 0. */
int cgroup_remember(struct lsmd_scratch *s, struct lsmd_programs *programs, u64 node);
/* program_name() - s->program := name @index of @programs. Return: 1, or 0 when there is none. */
int program_name(struct lsmd_scratch *s, struct lsmd_programs *programs, u32 index);

static __always_inline struct lsmd_control *control_get(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&lsmd_control, &zero);
}

/*
 * control_active() - the generation in force. The word is read once; only while it says that the generation is on trial, the clock is
 * looked at. What stands beside the word changes only when no decision can be between the two reads (agent/kernel/swap.c).
 */
static __always_inline u64 control_active(void)
{
	struct lsmd_control *control = control_get();
	u64 active = control ? *(volatile lsmd_u64 *)&control->active : 0;

	if (!(active & LSMD_ACTIVE_TRIAL))
		return active;
	if (bpf_ktime_get_boot_ns() < control->deadline_ns)
		return active & ~LSMD_ACTIVE_TRIAL;
	return control->fallback;
}

/* control_standby() - do other programs, older ones, still decide and write the labels? Asked where @active is 0 only. */
static __always_inline int control_standby(u64 active)
{
	struct lsmd_control *control = control_get();

	return !active && control && *(volatile lsmd_u32 *)&control->standby;
}

LSMD_INLINE int view_open(struct lsmd_view *view, lsmd_image_id image)
{
	u32 slot = image & 1, zero = 0;
	void *map = bpf_map_lookup_elem(&lsmd_images, &slot);

	if (!map)
		return 0;
	view->image = bpf_map_lookup_elem(map, &zero);
	view->mask = lsmd_image_mask;
	return view->image && view->image->generation == image;
}

/*
 * task_ids() - the credentials that say who a task is: its own, which override_creds() does not touch. An io_uring worker keeps those it was
 * started with while it acts with the submitter's, so its process's count.
 */
static __always_inline const struct cred *task_ids(struct task_struct *task)
{
	struct task_struct *plain = kernel_plain(task);

	if (task->flags & PF_IO_WORKER)
		return plain->group_leader->real_cred;
	return plain->real_cred;
}

static __always_inline void label_take_ids(struct lsmd_label *label, const struct cred *cred)
{
	label->uid = cred->euid.val;
	label->gid = cred->egid.val;
}

/* label_ids_same() - is the task who its label was computed for, where that matters? Nothing else has to notice setuid and its like. */
static __always_inline int label_ids_same(const struct lsmd_label *label, struct task_struct *task)
{
	const struct cred *cred;

	if (!(label->flags & LSMD_LABEL_ASKS_IDS))
		return 1;
	cred = task_ids(task);
	return label->uid == cred->euid.val && label->gid == cred->egid.val;
}

/* label_refresh() - label_compute() for the label of @task, whose ids may have changed */
static __always_inline int label_refresh(struct lsmd_scratch *s, struct lsmd_label *label, struct task_struct *task, u64 generation)
{
	if (label->generation != generation && label_compute(s, label, generation, 0))
		return -EPERM;
	if (label_ids_same(label, task))
		return 0;
	label_take_ids(label, task_ids(task));
	return label_compute(s, label, generation, 1);
}

/* label_settled() - can the label of another task be read now? @exec_id: of which exec it is */
static __always_inline int label_settled(struct lsmd_label *label, u64 *exec_id, u64 *generation)
{
	*exec_id = *(volatile lsmd_u64 *)&label->exec_id;
	*generation = *(volatile lsmd_u64 *)&label->generation;
	return __sync_fetch_and_add(&label->state, 0) == LSMD_LABEL_GIVEN;
}

/*
 * label_copy() - s->peer := the label of another task. Only a task itself writes its label, so it is copied, and seen to be the same afterwards; what an
 * exec or a refresh just changes is not known. Return: 1; 0: it is not known.
 */
static __always_inline int label_copy(struct lsmd_scratch *s, struct lsmd_label *label)
{
	u64 exec_before, exec_after, before, after;

	if (!label || !label_settled(label, &exec_before, &before) || bpf_probe_read_kernel(&s->peer, sizeof(s->peer), label))
		return 0;
	return label_settled(label, &exec_after, &after) && exec_before == exec_after && before == after;
}

/* task_cgroup() - the node of the task's cgroup, as a number */
static __always_inline u64 task_cgroup(struct lsmd_scratch *s, struct task_struct *task)
{
	return pointer_number(s, task->cgroups->dfl_cgrp->kn);
}

#endif
