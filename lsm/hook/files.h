/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors that a task holds from before it was who it is: inherited over an exec, or opened before a swap (MEANING.md 23). They are looked
 * at then, once; whoever holds one that it could not open itself is marked (lsmd_label.files), and whoever is marked is asked at each use. So the mark
 * may be set too often, and costs time then, but never changes an answer; who reads or writes without it pays for one load.
 */
#ifndef LSMD_HOOK_FILES_H
#define LSMD_HOOK_FILES_H

#include "names.h"

#include <bpf/bpf_endian.h>

/* What an open may have asked for. */
#define FILES_ACCESS (LSMD_ACCESS_READ | LSMD_ACCESS_WRITE | LSMD_ACCESS_APPEND | LSMD_ACCESS_DEVICES)

/*
 * connection_set() - s->req := the question how a task could have come by a connection. @sk: struct sock *, as a number; @wanted: LSMD_ACCESS_CONNECT to
 * the peer, or _ACCEPT at the own address. Return: 1; 0: an unconnected socket, or none with addresses.
 */
int connection_set(struct lsmd_scratch *s, u64 sk, u32 wanted);

/*
 * files_foreign() - does a task hold a descriptor that its label does not let it open? @label: fresh, of @active; @files: its struct files_struct *, as a
 * number; s->user: of the task. Return: LSMD_HOLDS_* where it does, or it cannot be told; 0.
 */
u32 files_foreign(struct lsmd_scratch *s, struct lsmd_label *label, u64 active, u64 files);

/* opened_access() - the verbs of an open, by f_flags, f_mode and the type of the inode (S_IFMT); 0: not mediated here */
static __always_inline u32 opened_access(u32 flags, u32 mode, u32 type)
{
	u32 wanted = 0;

	if (flags & FMODE_EXEC)
		return 0; /* an open for execution is `exec` */
	if (mode & FMODE_READ || (flags & O_ACCMODE) == O_ACCMODE)
		wanted |= LSMD_ACCESS_READ;
	if (mode & FMODE_WRITE)
		wanted |= flags & O_APPEND ? LSMD_ACCESS_APPEND : LSMD_ACCESS_WRITE;
	if ((flags & O_ACCMODE) == O_ACCMODE)
		wanted |= LSMD_ACCESS_WRITE; /* for ioctls; asks for both permissions */
	if (flags & O_TRUNC && !(mode & FMODE_CREATED))
		wanted |= LSMD_ACCESS_WRITE;
	if (flags & O_TMPFILE_BIT)
		wanted |= LSMD_ACCESS_CREATE;
	return type == S_IFCHR || type == S_IFBLK ? access_device(wanted) : wanted;
}

/* files_asked() - may there be a marked label at all? LSMD_FILES_* */
static __always_inline u32 files_asked(void)
{
	struct lsmd_control *control = control_get();

	return control ? *(volatile lsmd_u32 *)&control->files : 0;
}

static __always_inline void files_mark(struct lsmd_label *label, u32 holds)
{
	struct lsmd_control *control = control_get();

	__sync_fetch_and_or(&label->files, holds);
	if (control && !(control->files & LSMD_FILES_SOME))
		__sync_fetch_and_or(&control->files, LSMD_FILES_SOME);
}

/* terminal_number() - device number of the controlling terminal of a task (include/linux/kdev_t.h); 0: it has none */
static __always_inline u32 terminal_number(struct task_struct *task)
{
	struct tty_struct *terminal = kernel_plain(task)->signal->tty;

	if (!terminal)
		return 0;
	return ((u32)terminal->driver->major << 20 | terminal->driver->minor_start) + terminal->index;
}

/* user_set() - s->user := whose names of files count */
static __always_inline void user_set(struct lsmd_scratch *s, struct task_struct *task)
{
	s->user.ns = pointer_number(s, kernel_plain(task)->nsproxy->mnt_ns);
	s->user.ns_root = pointer_number(s, kernel_plain(task)->nsproxy->mnt_ns->root);
	s->user.terminal = terminal_number(task);
	s->user.away = s->home != namespace_id(task);
}

/* Four bytes of a name, in memory order. */
#define NAME_BYTES(a, b, c, d) bpf_htonl((u32)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static __always_inline void piece_three(struct lsmd_piece *piece, u32 bytes)
{
	piece->w[0] = bytes;
	piece->w[1] = 0;
	piece->w[2] = 0;
	piece->w[3] = 0;
	piece->w[4] = 0;
	piece->meta = 3;
	piece->zero = 0;
}

/* name_terminal() - the controlling terminal is what opens by the name of /dev/tty, whatever other it has */
static __always_inline void name_terminal(struct lsmd_name *name)
{
	name_start(name);
	piece_three(&name->pieces[LSMD_PIECES_MAX - 2], NAME_BYTES('d', 'e', 'v', 0));
	piece_three(&name->pieces[LSMD_PIECES_MAX - 1], NAME_BYTES('t', 't', 'y', 0));
	name->first = LSMD_PIECES_MAX - 2;
	name->reason = LSMD_REASON_NONE;
}

/* mount_is_user() - does a mount (a number) lie in the namespace of s->user? What does not, has the names that its object has there. */
static __always_inline int mount_is_user(struct lsmd_scratch *s, u64 mount)
{
	u64 ns = 0;

	bpf_probe_read_kernel(&ns, sizeof(ns), (const void *)(mount + bpf_core_field_offset(struct mount, mnt_ns)));
	return ns == s->user.ns || ns == (u64)MNT_NS_INTERNAL;
}

/* held_elsewhere() - hook_leave() by all names that an object has in the namespace of the task, for one that was opened in another. Return: 0, -EPERM */
int held_elsewhere(struct lsmd_scratch *s, u64 dentry, u64 super);

/* held_leave() - hook_leave() for a file that the current task has open, whoever opened it */
static __always_inline int held_leave(struct lsmd_scratch *s, const struct file *file)
{
	struct vfsmount *mnt = kernel_plain(file)->f_path.mnt;
	u64 dentry = pointer_number(s, kernel_plain(file)->f_path.dentry), mount;

	if ((file->f_inode->i_mode & S_IFMT) == S_IFCHR && s->user.terminal && file->f_inode->i_rdev == s->user.terminal) {
		name_terminal(&s->name);
		return hook_leave(s);
	}
	mount = mount_here(pointer_number(s, mnt) - bpf_core_field_offset(struct mount, mnt), s->user.ns);
	if (!mount_is_user(s, mount))
		return hook_errno(held_elsewhere(s, dentry, pointer_number(s, kernel_plain(mnt)->mnt_sb)));
	name_start(&s->name);
	path_name(s, &s->name, dentry, mount, s->user.ns_root);
	if (s->name.reason == LSMD_REASON_PATH_ANONYMOUS) {
		scratch_release(s);
		return 0;
	}
	if (s->name.reason == LSMD_REASON_NONE && s->user.away)
		s->name.reason = LSMD_REASON_FOREIGN_NAMESPACE;
	return hook_leave(s);
}

/* connection_asked() - @wanted of a connection. Return: 0, -EPERM */
static __always_inline int connection_asked(struct lsmd_scratch *s, u64 sk, u32 wanted, int deny_only, int quiet)
{
	connection_set(s, sk, wanted);
	s->req.deny_only = deny_only;
	s->req.quiet = quiet;
	return hook_verdict(s);
}

/*
 * connection_decide() - a connection that another task made. @received: it is just coming; else it is used by a task that may be marked. The kernel does
 * not tell who began it: what `connect` does not allow, `accept` may, unless a rule denies the peer.
 */
static __always_inline int connection_decide(u32 hook, const struct sock *sk, int received)
{
	u32 family = sk->__sk_common.skc_family;
	u64 active = control_active(), number;
	struct lsmd_label *label;
	struct lsmd_scratch *s;
	int ret;

	if (!active || (family != AF_INET && family != AF_INET6))
		return 0;
	label = label_current();
	if (!received && label && !(label->files & LSMD_HOLDS_CONNECTIONS) && !(files_asked() & LSMD_FILES_ALL))
		return 0;
	s = hook_held(label, active, hook, LSMD_ACCESS_CONNECT, 0, &ret);
	if (!s)
		return ret;
	number = pointer_number(s, sk);
	if (connection_set(s, number, LSMD_ACCESS_CONNECT) && !scratch_allowed(s)) {
		ret = connection_asked(s, number, LSMD_ACCESS_CONNECT, 1, 0);
		if (!ret && connection_asked(s, number, LSMD_ACCESS_ACCEPT, 0, 1))
			ret = connection_asked(s, number, LSMD_ACCESS_CONNECT, 0, 0);
	}
	scratch_release(s);
	return hook_errno(ret);
}

/* used_access() - the verbs of one use of a file: @mask: MAY_*; 0: not mediated */
static __always_inline u32 used_access(const struct file *file, u32 mask)
{
	u32 flags = file->f_flags, type = file->f_inode ? file->f_inode->i_mode & S_IFMT : 0, wanted = 0;

	if (flags & FMODE_EXEC)
		return 0;
	if (mask & MAY_READ)
		wanted |= LSMD_ACCESS_READ;
	if (mask & MAY_WRITE)
		wanted |= flags & O_APPEND ? LSMD_ACCESS_APPEND : LSMD_ACCESS_WRITE;
	return type == S_IFCHR || type == S_IFBLK ? access_device(wanted) : wanted;
}

/* used_decide() - verbs on a file that is open, where the task is marked */
static __always_inline int used_decide(u32 hook, const struct file *file, u32 mask)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vfsmount *mnt = kernel_plain(file)->f_path.mnt;
	u32 wanted = used_access(file, mask);
	u64 active = control_active();
	struct lsmd_label *label;
	struct lsmd_scratch *s;
	int ret;

	if (!wanted || !active || !mnt || mnt->mnt_flags & MNT_INTERNAL)
		return 0;
	label = label_current();
	if (label && !(label->files & LSMD_HOLDS_FILES) && !(files_asked() & LSMD_FILES_ALL))
		return 0;
	s = hook_held(label, active, hook, wanted, 0, &ret);
	if (!s)
		return ret;
	user_set(s, task);
	return held_leave(s, file);
}

#endif
