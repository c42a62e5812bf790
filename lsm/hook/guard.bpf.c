// SPDX-License-Identifier: GPL-2.0-only
/* The guard of lsmd's own: see guard.h. Hooks that other files have ask it there. */
#include "guard.h"

#include <bpf/bpf_endian.h>

/* guard_trusted() - the agent itself, PID 1, and the kernel's own threads */
static __always_inline int guard_trusted(struct lsmd_control *control)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return task->tgid == 1 || guard_agent(control, task) || task->flags & PF_KTHREAD;
}

/* guard_unit() - a task of the agent's unit that no policy holds: one that is held could have moved there */
static __always_inline int guard_unit(struct lsmd_control *control, const struct lsmd_label *label)
{
	return !label->n_layers && control->guard_cgroup && bpf_get_current_cgroup_id() == control->guard_cgroup;
}

/* guard_report() - recorded without a layer, like all that no policy gave */
static __always_inline void guard_report(struct lsmd_scratch *s, u64 active, u32 hook, u32 wanted)
{
	__builtin_memset(&s->req, 0, sizeof(s->req));
	s->req.image = active;
	s->req.hook = hook;
	s->req.wanted = wanted;
	s->req.object = LSMD_OBJECT_NONE;
	s->name.reason = LSMD_REASON_NONE;
	scratch_verdict(s, wanted, LSMD_REASON_GUARDED);
}

__noinline int guard_refuses(u32 hook, u32 wanted)
{
	struct lsmd_control *control = control_get();
	struct lsmd_label *label = label_current();
	u64 active = control_active();
	struct lsmd_scratch *s;
	int ret = 0;

	if (!control || !active || guard_trusted(control))
		return 0;
	if (!label) {
		count_add(LSMD_COUNT_NO_LABEL, 1);
		denied_unsent(LSMD_COUNT_DENIED_NO_LABEL);
		return -EPERM;
	}
	s = scratch_claim();
	if (!s)
		return label_undecided(~0u, wanted, LSMD_REASON_NO_SCRATCH);
	if (label_fresh(s, label, active, ~0u, &ret)) {
		scratch_release(s);
		if (!ret)
			denied_unsent(LSMD_COUNT_DENIED_NO_LABEL); /* it could be held: never free */
		return -EPERM;
	}
	/* With "protect", root still gives orders by lsmctl. */
	ret = label->n_enforced || (control->protect && wanted != LSMD_ACCESS_CONNECT && !guard_unit(control, label));
	if (ret)
		guard_report(s, active, hook, wanted);
	scratch_release(s);
	return ret;
}

/*
 * Where every process of a group is killed, stopped or starved at once. The files that say who is in a group, and which controllers there are, are
 * everybody's above the unit: cgroup.procs, cgroup.threads, cgroup.type, cgroup.subtree_control.
 */
__noinline int guard_group(u64 inode, u64 name)
{
	struct lsmd_control *control = control_get();
	u32 last = bpf_ntohl(name >> 32) & 0xffff, above = 0;
	u64 i;

	if (!control || !control->guard_cgroup)
		return 0;
	if (inode == control->guard_cgroup)
		return 1;
	for (i = 0; i < LSMD_GUARD_ABOVE_MAX; i++)
		above |= inode == control->guard_above[i];
	return above && last != ('.' << 8 | 'p') && last != ('.' << 8 | 't') && last != ('.' << 8 | 's');
}

#define LSMD_NAME_HEAD 0x646d736cu /* "lsmd" */

/* guard_name() - does a map or program carry one of our names? One that somebody else gave such a name is guarded too. */
static __always_inline int guard_name(const char *name, u32 hook)
{
	return *(const u32 *)name == LSMD_NAME_HEAD ? guard_decide(hook, LSMD_ACCESS_BPF) : 0;
}

/* A descriptor of a map is made: created, by its pin, or by its id. */
SEC("lsm/bpf_map")
int BPF_PROG(lsmd_bpf_map, struct bpf_map *map, unsigned int mode, int ret)
{
	return ret ?: guard_name(map->name, LSMD_HOOK_BPF_MAP);
}

SEC("lsm/bpf_prog")
int BPF_PROG(lsmd_bpf_prog, struct bpf_prog *prog, int ret)
{
	return ret ?: guard_name(prog->aux->name, LSMD_HOOK_BPF_PROG);
}

/*
 * The agent asks nobody for signals of descriptors: whoever is about to send one to it was told to by somebody's F_SETOWN. The caller is whoever came
 * by, so there is nobody to record.
 */
SEC("lsm/file_send_sigiotask")
int BPF_PROG(lsmd_file_send_sigiotask, struct task_struct *tsk, struct fown_struct *fown, int sig, int ret)
{
	return ret ?: hook_errno(guard_agent(control_get(), tsk));
}
