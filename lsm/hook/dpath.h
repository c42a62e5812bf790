/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Name an object: our own walk from a dentry up to the root of the process's mount namespace, one for every hook and
 * kernel. bpf_d_path() is slower than the whole decision, follows chroot, and is not to be had in half the hooks.
 *
 * The walk is consistent: d_move() and its like bump d_seq of every dentry they touch, so when all (dentry, d_seq, parent,
 * mount) seen on the way up are found unchanged by a second pass, the name was true at the instant between the two.
 *
 * Mirrors prepend_path() in fs/d_path.c, but ends only at the namespace's root: chroot renames nothing, and what hangs below
 * a detached mount has no name.
 *
 * The walk is a function of plain numbers (dpath.bpf.c) that all programs share: shared.h.
 */
#ifndef LSMD_HOOK_DPATH_H
#define LSMD_HOOK_DPATH_H

#include "scratch.h"

enum walk {
	WALK_DONE,
	WALK_RACED,
	WALK_FAILED, /* name->reason says why */
};

/*
 * path_name() - walk from a dentry of a mount (numbers: struct dentry *, struct mount *) to the root mount @ns_root until nothing races, a few
 * times; name->reason says how it went. path_name_alone() is the same for iterators, which are no hooks and share nothing. Return: nothing that matters.
 */
typedef int path_name_fn(struct lsmd_scratch *s, struct lsmd_name *name, u64 dentry, u64 mount, u64 ns_root);
path_name_fn path_name, path_name_alone;
/*
 * mount_here() - the mount of the current task's namespace that a mount (a number, struct mount *) of another one was copied from, as
 * services with private folders have them; @mount itself where there is none
 */
u64 mount_here(u64 mount, u64 ns);
/*
 * pieces_long() - the @len bytes at @bytes as one component in front of name->first, from its last piece to its first.
 * Return: how many pieces; 0 when it cannot be read or does not fit.
 */
int pieces_long(struct lsmd_name *name, u64 bytes, u32 len);

/* The word holding bytes at.. of a name of len bytes, without what stands behind its end. */
#define NAME_WORD(words, len, k)                                                                                \
	((len) >= 8 * ((k) + 1) ? (words)[k] :                                                                  \
	 (len) > 8 * (k)	? (words)[k] & (~0ull >> (8 * (8 * ((k) + 1) - (len)) & 63)) : 0)

/* pointer_number() - a pointer as a number; the verifier refuses arithmetic on it until it went through memory */
static __always_inline u64 pointer_number(struct lsmd_scratch *s, const void *pointer)
{
	*(const void *volatile *)&s->pointer = pointer;
	return *(volatile u64 *)&s->pointer;
}

/* namespace_id() - a number of the task's mount namespace that is never given twice; 0: it has none (it is exiting) */
static __always_inline u64 namespace_id(struct task_struct *task)
{
	struct mnt_namespace *ns = kernel_plain(task)->nsproxy->mnt_ns;

	if (bpf_core_field_exists(struct mnt_namespace___seq, seq))
		return ((struct mnt_namespace___seq *)ns)->seq;
	if (bpf_core_field_exists(struct ns_common___id, ns_id))
		return ((struct ns_common___id *)&ns->ns)->ns_id;
	return ns->ns.inum;
}

static __always_inline void name_start(struct lsmd_name *name)
{
	name->zero = 0;
	name->tree = LSMD_TREE_OBJECT;
	name->first = LSMD_PIECES_MAX;
	name->reason = LSMD_REASON_HELPER_FAILED;
}

static __always_inline void path_walk_mount(struct lsmd_scratch *s, struct lsmd_name *name, u64 dentry, u64 mount,
					    struct task_struct *task, path_name_fn *walk)
{
	walk(s, name, dentry, mount, pointer_number(s, kernel_plain(task)->nsproxy->mnt_ns->root));
}

/* path_home() - away from home nothing can be decided by name (MEANING.md 13) */
static __always_inline void path_home(struct lsmd_scratch *s, struct lsmd_name *name, struct task_struct *task)
{
	if (name->reason == LSMD_REASON_NONE && s->home != namespace_id(task))
		name->reason = LSMD_REASON_FOREIGN_NAMESPACE;
}

/* path_walk_as() - name an object by its dentry and mount, as the mount namespace of @task sees it */
static __always_inline void path_walk_as(struct lsmd_scratch *s, struct lsmd_name *name, const struct dentry *dentry,
					 struct vfsmount *mnt, struct task_struct *task, path_name_fn *walk)
{
	u64 mount = pointer_number(s, mnt) - bpf_core_field_offset(struct mount, mnt);

	name_start(name);
	if (!mnt || !dentry || mnt->mnt_flags & MNT_INTERNAL)
		name->reason = LSMD_REASON_PATH_ANONYMOUS;
	else
		path_walk_mount(s, name, pointer_number(s, dentry), mount, task, walk);
}

/* path_walk() - the same for the task that acts */
static __always_inline void path_walk(struct lsmd_scratch *s, struct lsmd_name *name, const struct dentry *dentry,
				      struct vfsmount *mnt)
{
	struct task_struct *task = bpf_get_current_task_btf();

	path_walk_as(s, name, dentry, mnt, task, path_name);
	path_home(s, name, task);
}

/* path_walk_peer() - the same for what another task named, maybe through a copy of a mount that is in this namespace too */
static __always_inline void path_walk_peer(struct lsmd_scratch *s, struct lsmd_name *name, const struct dentry *dentry,
					   struct vfsmount *mnt)
{
	u64 mount = pointer_number(s, mnt) - bpf_core_field_offset(struct mount, mnt);
	struct task_struct *task = bpf_get_current_task_btf();

	name_start(name);
	mount = mount_here(mount, pointer_number(s, kernel_plain(task)->nsproxy->mnt_ns));
	path_walk_mount(s, name, pointer_number(s, dentry), mount, task, path_name);
	path_home(s, name, task);
}

#endif
