/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lsmd guards itself (MEANING.md 26): its process, its control group, its socket, its pins, maps and programs. Whoever is held by a policy in
 * enforce mode may not touch them, whatever policies allow; with "protect" in the settings nobody may but the agent, its unit, and PID 1, which starts
 * and stops it.
 */
#ifndef LSMD_HOOK_GUARD_H
#define LSMD_HOOK_GUARD_H

#include "emit.h"

/* include/uapi/linux/magic.h */
#define BPF_FS_MAGIC 0xcafe4a11
#define CGROUP2_SUPER_MAGIC 0x63677270

/* guard_refuses() - something of lsmd's is about to be touched by the current task. Return: 0; -EPERM, and it is recorded. */
int guard_refuses(u32 hook, u32 wanted);

static __always_inline int guard_decide(u32 hook, u32 wanted)
{
	return hook_errno(guard_refuses(hook, wanted));
}

/* guard_everybody() - are tasks that no policy holds refused, too? */
static __always_inline int guard_everybody(void)
{
	struct lsmd_control *control = control_get();

	return control && control->protect;
}

/* guard_number() - has a process the agent's number? It can have been given again. */
static __always_inline int guard_number(struct lsmd_control *control, int tgid)
{
	return control && control->guard_tgid && tgid == (int)control->guard_tgid;
}

static __always_inline int guard_agent(struct lsmd_control *control, const struct task_struct *task)
{
	return guard_number(control, task->tgid) &&
	       kernel_plain(task)->group_leader->start_boottime / LSMD_CLOCK_TICK_NS == control->guard_start;
}

/* guard_task() - may the current task do something to @task? */
static __always_inline int guard_task(const struct task_struct *task, u32 hook, u32 wanted)
{
	return guard_agent(control_get(), task) ? guard_decide(hook, wanted) : 0;
}

/* guard_pins() - something on a bpf file system is about to change: all of it is guarded, our pins are among it */
static __always_inline int guard_pins(const struct super_block *sb, u32 hook, u32 wanted)
{
	return sb->s_magic == BPF_FS_MAGIC ? guard_decide(hook, wanted) : 0;
}

/* guard_group() - does a file whose name begins with @name, in control group @inode, stop or starve lsmd? Return: 1, 0 */
int guard_group(u64 inode, u64 name);

static __always_inline int guard_cgroup(u32 hook, const struct dentry *dentry)
{
	u64 name = 0;

	if (dentry->d_sb->s_magic != CGROUP2_SUPER_MAGIC)
		return 0;
	bpf_probe_read_kernel(&name, sizeof(name), dentry->d_name.name);
	return guard_group(dentry->d_parent->d_inode->i_ino, name) ? guard_decide(hook, LSMD_ACCESS_WRITE) : 0;
}

#endif
