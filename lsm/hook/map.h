/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `map`: what becomes code in a process without being executed (MEANING.md 11, 20): files mapped with PROT_EXEC, and memory that a process
 * can have written itself, which has no name.
 */
#ifndef LSMD_HOOK_MAP_H
#define LSMD_HOOK_MAP_H

#include "emit.h"

#define MAP_NAMED 1   /* the file itself becomes code */
#define MAP_CHANGED 2 /* its pages can be, or were, written in memory alone: that is anonymous code, whatever the file is */

/* map_by_exec() - the kernel maps the program that an exec runs: that was `exec` */
static __always_inline int map_by_exec(const struct file *file)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct mm_struct *mm = task->mm;

	return BPF_CORE_READ_BITFIELD(task, in_execve) && mm && file == mm->exe_file;
}

/* map_changes() - what an mprotect to PROT_EXEC makes code; 0: nothing that is not code already */
static __always_inline u32 map_changes(const struct vm_area_struct *vma, unsigned long prot)
{
	unsigned long flags = vma->vm_flags;
	u32 what = flags & VM_EXEC ? 0 : MAP_NAMED;

	if (prot & PROT_WRITE && !(flags & VM_SHARED) && (what || !(flags & VM_WRITE)))
		what |= MAP_CHANGED;
	/* A private mapping has an anon_vma once a page of it was written. */
	if (what && !(flags & VM_SHARED) && vma->anon_vma)
		what |= MAP_CHANGED;
	return what;
}

/* map_decide() - @file: NULL is anonymous memory; so is a file that has no name */
static __always_inline int map_decide(u32 hook, const struct file *file, u32 what)
{
	struct lsmd_scratch *s;
	int ret;

	s = hook_enter(hook, LSMD_ACCESS_MAP, &ret);
	if (!s)
		return ret;
	name_start(&s->name);
	s->name.reason = LSMD_REASON_PATH_ANONYMOUS;
	/* As a number too: before 7.2 verifiers hold a hook's argument to be never NULL, and take the first comparison out. */
	if (file && pointer_number(s, file) && what & MAP_NAMED)
		path_walk(s, &s->name, kernel_plain(file)->f_path.dentry, kernel_plain(file)->f_path.mnt);
	ret = hook_verdict(s);
	if (!ret && what & MAP_CHANGED && s->name.reason != LSMD_REASON_PATH_ANONYMOUS) {
		s->name.reason = LSMD_REASON_PATH_ANONYMOUS;
		ret = hook_verdict(s);
	}
	scratch_release(s);
	return hook_errno(ret);
}

#endif
