// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process does to others: signals, tracing. Nobody asks what it does to itself; a process that every policy of the caller holds as well
 * is refused by a rule only, not by a default: it has no right that the caller has not.
 */
#include "guard.h"
#include "named.h"

/* label_has_layer() - @zero: 0. Return: 1, 0 */
__noinline int label_has_layer(struct lsmd_label *label, u32 layer, u64 zero)
{
	u64 i;

	if (!label)
		return 0;
	for (i = zero; i < LSMD_LAYERS_MAX && i < label->n_layers; i++)
		if (label->layers[lsmd_hidden(i) & (LSMD_LAYERS_MAX - 1)] == layer)
			return 1;
	return 0;
}

/* label_within() - do all layers of s->req hold the task of @label too? */
__noinline int label_within(struct lsmd_scratch *s, struct lsmd_label *label)
{
	u64 i;

	if (!s || !label || label->flags & LSMD_LABEL_OVERFLOW)
		return 0;
	for (i = LSMD_UNKNOWN(s->zero); i < LSMD_LAYERS_MAX && i < s->req.n_layers; i++)
		if (!label_has_layer(label, s->req.layers[lsmd_hidden(i) & (LSMD_LAYERS_MAX - 1)], 0))
			return 0;
	return 1;
}

/* label_peek() - s->peer := the label of another task as it is for @active, which that task may not have found out yet. Return: 1; 0: it is not known. */
static __always_inline int label_peek(struct lsmd_scratch *s, struct task_struct *task, u64 active)
{
	return label_copy(s, bpf_task_storage_get(&lsmd_labels, task, 0, 0)) && !label_refresh(s, &s->peer, task, active);
}

/* task_decide() - one verb on another task */
static __always_inline int task_decide(u32 hook, u32 wanted, struct task_struct *target, u32 number, int quiet)
{
	const struct numbers numbers = { .n = 1, .a = number };
	struct lsmd_scratch *s;
	int ret;

	if (target->tgid == bpf_get_current_task_btf()->tgid)
		return 0;
	if (guard_task(target, hook, wanted))
		return -EPERM;
	s = hook_enter(hook, wanted, &ret);
	if (!s)
		return ret;
	s->req.deny_only = label_peek(s, target, s->req.image) && label_within(s, &s->peer);
	name_numbers(s, &numbers);
	s->req.quiet = quiet;
	return hook_leave(s);
}

/*
 * All signals that a process sends; not those of the kernel itself. Signal 0 asks only whether the process is there. With credentials beside it,
 * the signal is one that a USB device sends to whom it serves, from an interrupt: nobody here asked for it.
 */
SEC("lsm/task_kill")
int BPF_PROG(lsmd_task_kill, struct task_struct *p, struct kernel_siginfo *info, int sig, const struct cred *cred, int ret)
{
	kuid_t uid;

	if (ret)
		return ret;
	/* Newer verifiers take no argument of a hook for NULL, and drop a plain comparison. */
	if (!sig || !bpf_probe_read_kernel(&uid, sizeof(uid), &cred->uid))
		return 0;
	return task_decide(LSMD_HOOK_TASK_KILL, LSMD_ACCESS_SIGNAL, p, sig, 0);
}

/* include/linux/ptrace.h */
#define PTRACE_MODE_ATTACH 2
#define PTRACE_MODE_NOAUDIT 4

/* ptrace(2), process_vm_readv(2) and its like, pidfd_getfd(2), kcmp(2), and what /proc/PID shows to few. */
SEC("lsm/ptrace_access_check")
int BPF_PROG(lsmd_ptrace_access_check, struct task_struct *child, unsigned int mode, int ret)
{
	if (ret)
		return ret;
	return task_decide(LSMD_HOOK_PTRACE_ACCESS_CHECK, LSMD_ACCESS_PTRACE, child,
			   mode & PTRACE_MODE_ATTACH ? LSMD_PTRACE_TRACE : LSMD_PTRACE_READ, !!(mode & PTRACE_MODE_NOAUDIT));
}

/* adjust_decide() - what a process is given, changed by another */
static __always_inline int adjust_decide(u32 hook, struct task_struct *target)
{
	return task_decide(hook, LSMD_ACCESS_PTRACE, target, LSMD_PTRACE_ADJUST, 0);
}

SEC("lsm/task_setnice")
int BPF_PROG(lsmd_task_setnice, struct task_struct *p, int nice, int ret)
{
	return ret ?: adjust_decide(LSMD_HOOK_TASK_SETNICE, p);
}

SEC("lsm/task_setioprio")
int BPF_PROG(lsmd_task_setioprio, struct task_struct *p, int ioprio, int ret)
{
	return ret ?: adjust_decide(LSMD_HOOK_TASK_SETIOPRIO, p);
}

/* Processors that it may run on, too. */
SEC("lsm/task_setscheduler")
int BPF_PROG(lsmd_task_setscheduler, struct task_struct *p, int ret)
{
	return ret ?: adjust_decide(LSMD_HOOK_TASK_SETSCHEDULER, p);
}

SEC("lsm/task_setrlimit")
int BPF_PROG(lsmd_task_setrlimit, struct task_struct *p, unsigned int resource, struct rlimit *new_rlim, int ret)
{
	return ret ?: adjust_decide(LSMD_HOOK_TASK_SETRLIMIT, p);
}

SEC("lsm/task_movememory")
int BPF_PROG(lsmd_task_movememory, struct task_struct *p, int ret)
{
	return ret ?: adjust_decide(LSMD_HOOK_TASK_MOVEMEMORY, p);
}

/*
 * traceme_decide() - a process lets its parent trace it: what the parent wins is the rights of its child, so its policies are asked, and it is
 * the child that is refused and recorded
 */
static __always_inline int traceme_decide(struct task_struct *parent)
{
	const struct numbers numbers = { .n = 1, .a = LSMD_PTRACE_TRACE };
	struct task_struct *task = bpf_get_current_task_btf();
	struct lsmd_label *own = label_current();
	u64 active = control_active();
	struct lsmd_scratch *s;

	if (!active)
		return 0;
	s = scratch_claim();
	if (!s)
		return label_undecided(~0u, LSMD_ACCESS_PTRACE, LSMD_REASON_NO_SCRATCH);
	if (!label_peek(s, parent, active) || s->peer.flags & LSMD_LABEL_OVERFLOW) {
		scratch_release(s);
		return task_undecided(active, LSMD_ACCESS_PTRACE);
	}
	request_start(s, &s->peer, active, LSMD_HOOK_PTRACE_TRACEME, LSMD_ACCESS_PTRACE);
	s->req.deny_only = own && !label_refresh(s, own, task, active) && label_within(s, own);
	name_numbers(s, &numbers);
	return hook_leave(s);
}

SEC("lsm/ptrace_traceme")
int BPF_PROG(lsmd_ptrace_traceme, struct task_struct *parent, int ret)
{
	return ret ?: traceme_decide(parent);
}
