// SPDX-License-Identifier: GPL-2.0-only
/* Looking at the descriptors of a task: see files.h. */
#include "files.h"

__noinline int held_elsewhere(struct lsmd_scratch *s, u64 dentry, u64 super)
{
	if (!s)
		return -EPERM;
	names_start(s, dentry, super);
	return names_leave(s);
}

/* Descriptors that are looked at, at most; a table with room for more is foreign. */
#define FILES_MAX 65536

#define HOLDS_ALL (LSMD_HOLDS_FILES | LSMD_HOLDS_CONNECTIONS)

/* include/uapi/linux/magic.h */
#define ANON_INODE_FS_MAGIC 0x09041934

/* The walk along a table of descriptors. */
struct files_walk {
	struct lsmd_scratch *s;
	u64 table; /* struct file **, as a number */
	u64 foreign; /* LSMD_HOLDS_* */
};

static __always_inline u64 number_at(u64 address)
{
	u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (const void *)address);
	return value;
}

static __always_inline u32 word_at(u64 address)
{
	u32 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (const void *)address);
	return value;
}

#define NUMBER_OF(type, object, member) number_at((object) + bpf_core_field_offset(type, member))
#define WORD_OF(type, object, member) word_at((object) + bpf_core_field_offset(type, member))

/* file_rings() - is it an io_uring? Files that are registered with one are in no table. By the name that all of them have: "[io_uring]" */
static __always_inline int file_rings(u64 dentry)
{
	u64 super = NUMBER_OF(struct dentry, dentry, d_sb);

	if (NUMBER_OF(struct super_block, super, s_magic) != ANON_INODE_FS_MAGIC)
		return 0;
	return word_at(NUMBER_OF(struct dentry, dentry, d_name.name)) == NAME_BYTES('[', 'i', 'o', '_');
}

enum opened {
	OPENED_FREE,    /* nothing to ask */
	OPENED_NAMED,   /* s->req and s->name say what to ask */
	OPENED_UNNAMED, /* s->req says what; the name is that of s->user.dentry and s->user.mount */
	OPENED_ELSEWHERE, /* the same in another mount namespace: all names that s->user.dentry of s->user.super has in this one */
	OPENED_SOCKET,  /* one with addresses, maybe; s->user.sock */
	OPENED_FOREIGN, /* whatever the answer would be, it cannot be had here */
};

/* file_opened() - what s->user would have to be allowed in order to open a file (struct file *, as a number). Return: enum opened */
__noinline int file_opened(struct lsmd_scratch *s, u64 file)
{
	u64 mnt = NUMBER_OF(struct file, file, f_path.mnt), inode = NUMBER_OF(struct file, file, f_inode);
	u32 type = WORD_OF(struct inode, inode, i_mode) & S_IFMT;

	if (!s)
		return OPENED_FOREIGN;
	if (!mnt)
		return OPENED_FREE;
	s->user.dentry = NUMBER_OF(struct file, file, f_path.dentry);
	s->user.sock = type == S_IFSOCK ? NUMBER_OF(struct socket, NUMBER_OF(struct file, file, private_data), sk) : 0;
	if (s->user.sock)
		return OPENED_SOCKET;
	if (WORD_OF(struct vfsmount, mnt, mnt_flags) & MNT_INTERNAL)
		return file_rings(s->user.dentry) ? OPENED_FOREIGN : OPENED_FREE;
	s->req.object = LSMD_OBJECT_PATH;
	s->req.wanted = opened_access(WORD_OF(struct file, file, f_flags), WORD_OF(struct file, file, f_mode), type) & FILES_ACCESS;
	if (!s->req.wanted)
		return OPENED_FREE;
	if (type == S_IFCHR && s->user.terminal && WORD_OF(struct inode, inode, i_rdev) == s->user.terminal) {
		name_terminal(&s->name);
		return OPENED_NAMED;
	}
	name_start(&s->name);
	s->user.mount = mount_here(mnt - bpf_core_field_offset(struct mount, mnt), s->user.ns);
	if (s->user.away)
		return OPENED_FOREIGN;
	s->user.super = NUMBER_OF(struct vfsmount, mnt, mnt_sb);
	return mount_is_user(s, s->user.mount) ? OPENED_UNNAMED : OPENED_ELSEWHERE;
}

/* elsewhere_allowed() - is s->req allowed by every name that s->user.dentry has here? Return: 1; 0: it may be otherwise */
__noinline int elsewhere_allowed(struct lsmd_scratch *s)
{
	u64 i;

	if (!s)
		return 0;
	names_start(s, s->user.dentry, s->user.super);
	for (i = LSMD_UNKNOWN(s->zero); i < LSMD_NAMES_MAX; i++) {
		if (!names_next(s))
			return s->names.reason == LSMD_REASON_NONE;
		if (s->name.reason != LSMD_REASON_NONE || !scratch_allowed(s))
			return 0;
	}
	return 0;
}

/*
 * file_foreign() - might s->req be refused to open a file, or to make a connection? What can be is done by functions that have returned, since the stack
 * of 6.1 has no room for all of it at once. @names: look for those in this mount namespace of what was opened in another; iterators cannot. Return: LSMD_HOLDS_*, 0
 */
static __always_inline u32 file_foreign(struct lsmd_scratch *s, u64 file, path_name_fn *walk, int (*allowed)(struct lsmd_scratch *), int names)
{
	int opened = file ? file_opened(s, file) : OPENED_FREE;

	if (opened == OPENED_SOCKET)
		return connection_set(s, s->user.sock, LSMD_ACCESS_CONNECT) && !allowed(s) ? LSMD_HOLDS_CONNECTIONS : 0;
	if (opened == OPENED_UNNAMED) {
		walk(s, &s->name, s->user.dentry, s->user.mount, s->user.ns_root);
		opened = s->name.reason == LSMD_REASON_NONE ? OPENED_NAMED :
			 s->name.reason == LSMD_REASON_PATH_ANONYMOUS ? OPENED_FREE : OPENED_FOREIGN;
	}
	if (opened == OPENED_ELSEWHERE && !(names && elsewhere_allowed(s)))
		opened = OPENED_FOREIGN;
	return opened == OPENED_FOREIGN || (opened == OPENED_NAMED && !allowed(s)) ? LSMD_HOLDS_FILES : 0;
}

static long files_round(u32 fd, struct files_walk *walk)
{
	walk->foreign |= file_foreign(walk->s, number_at(walk->table + 8 * (u64)fd), path_name, scratch_allowed, 1);
	return walk->foreign == HOLDS_ALL;
}

static long files_round_alone(u32 fd, struct files_walk *walk)
{
	walk->foreign |= file_foreign(walk->s, number_at(walk->table + 8 * (u64)fd), path_name_alone, scratch_allowed_alone, 0);
	return walk->foreign == HOLDS_ALL;
}

/* files_begin() - Return: how many descriptors to look at; FILES_MAX + 1: too many, or what they would be held to is not known */
static __always_inline u32 files_begin(struct lsmd_scratch *s, struct lsmd_label *label, u64 active, u64 files, struct files_walk *walk)
{
	u64 table = NUMBER_OF(struct files_struct, files, fdt);
	u32 n = WORD_OF(struct fdtable, table, max_fds);

	if (label->flags & LSMD_LABEL_OVERFLOW)
		return FILES_MAX + 1;
	if (!(label->asks & (FILES_ACCESS | LSMD_ACCESS_CONNECT)))
		return 0;
	request_start(s, label, active, LSMD_HOOK_FILE_PERMISSION, 0);
	walk->table = NUMBER_OF(struct fdtable, table, fd);
	return n;
}

__noinline u32 files_foreign(struct lsmd_scratch *s, struct lsmd_label *label, u64 active, u64 files)
{
	struct files_walk walk = { .s = s };
	u32 n;

	if (!s || !label)
		return HOLDS_ALL;
	n = files_begin(s, label, active, files, &walk);
	if (n > FILES_MAX)
		return HOLDS_ALL;
	bpf_loop(n, files_round, &walk, 0);
	return walk.foreign;
}

/* task_foreign() - files_foreign() of a task that is looked at; one whose label just changes is taken for the worst */
static __always_inline u32 task_foreign(struct lsmd_scratch *s, struct lsmd_label *label, struct task_struct *task, u64 active)
{
	struct files_walk walk = { .s = s };
	u32 n;

	if (!label_copy(s, label) || (s->peer.generation != active && label_computed(s, &s->peer, active, 0)) || !label_ids_same(&s->peer, task))
		return HOLDS_ALL;
	s->home = s->peer.home;
	user_set(s, task);
	n = files_begin(s, &s->peer, active, pointer_number(s, kernel_plain(task)->files), &walk);
	if (n > FILES_MAX)
		return HOLDS_ALL;
	bpf_loop(n, files_round_alone, &walk, 0);
	return walk.foreign;
}

/*
 * After a swap, whoever holds descriptors that the new set does not let it open. The agent runs it until a pass marks nobody: a child that is made
 * meanwhile has its parent's label.
 */
SEC("iter/task")
int lsmd_check_files(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	u64 active = control_active();
	struct lsmd_label *label;
	struct lsmd_scratch *s;
	u32 pid, foreign, known;

	if (!task || !active || task->flags & PF_KTHREAD)
		return 0;
	label = bpf_task_storage_get(&lsmd_labels, task, 0, 0);
	if (!label)
		return 0;
	s = scratch_claim();
	foreign = s ? task_foreign(s, label, task, active) : HOLDS_ALL;
	if (s)
		scratch_release(s);
	known = label->files;
	if (foreign | known)
		files_mark(label, foreign | known); /* where programs are new, what they ask first is not set yet */
	if (!(foreign & ~known))
		return 0;
	pid = task->pid;
	bpf_seq_write(ctx->meta->seq, &pid, sizeof(pid));
	return 0;
}
