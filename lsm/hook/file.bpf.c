// SPDX-License-Identifier: GPL-2.0-only
/* Files: what is opened, made, removed, renamed, linked and truncated, and what keeps an append-only file append-only. */
#include "attr.h"
#include "files.h"
#include "guard.h"
#include "named.h"
#include "map.h"
#include "syscall.h"

static __always_inline int inode_is_device(const struct inode *inode)
{
	u32 type = inode ? inode->i_mode & S_IFMT : 0;

	return type == S_IFCHR || type == S_IFBLK;
}

/* file_access() - the verbs of an open; 0: not mediated here */
static __always_inline u32 file_access(const struct file *file)
{
	const struct inode *inode = file->f_inode;

	return opened_access(file->f_flags, file->f_mode, inode ? inode->i_mode & S_IFMT : 0);
}

SEC("lsm/file_open")
int BPF_PROG(lsmd_file_open, struct file *file, int ret)
{
	u64 active = control_active();
	struct lsmd_label *label;
	struct lsmd_scratch *s;
	u32 wanted;

	if (ret || !active)
		return ret; /* never soften an earlier refusal */
	label = label_current();
	if (label_idle(label, active) && !guard_everybody())
		return 0; /* most opens of a machine: not even what is asked is looked at */
	wanted = file_access(file);
	if (!wanted)
		return 0;
	if (wanted != LSMD_ACCESS_READ && guard_cgroup(LSMD_HOOK_FILE_OPEN, file->f_path.dentry))
		return -EPERM;
	s = hook_held(label, active, LSMD_HOOK_FILE_OPEN, wanted, 0, &ret);
	if (!s)
		return ret;
	path_walk(s, &s->name, kernel_plain(file)->f_path.dentry, kernel_plain(file)->f_path.mnt);
	if (s->name.reason == LSMD_REASON_PATH_ANONYMOUS) {
		scratch_release(s);
		return 0; /* reading and writing what has no name is not mediated (MEANING.md 11) */
	}
	return hook_leave(s);
}

/* file_decide() - one verb on a file that is open already */
static __always_inline int file_decide(u32 hook, const struct file *file, u32 wanted)
{
	struct lsmd_scratch *s;
	int ret;

	s = hook_enter(hook, wanted, &ret);
	if (!s)
		return ret;
	path_walk(s, &s->name, kernel_plain(file)->f_path.dentry, kernel_plain(file)->f_path.mnt);
	if (s->name.reason == LSMD_REASON_PATH_ANONYMOUS) {
		scratch_release(s);
		return 0;
	}
	return hook_leave(s);
}

/*
 * receive_decide() - verbs on a file that another task opened. What has no name (pipes, sockets, memfds) is received as it could be made.
 */
static __always_inline int receive_decide(const struct file *file, u32 wanted)
{
	struct vfsmount *mnt = kernel_plain(file)->f_path.mnt;
	struct lsmd_scratch *s;
	int ret;

	if (!mnt || mnt->mnt_flags & MNT_INTERNAL)
		return 0;
	s = hook_enter(LSMD_HOOK_FILE_RECEIVE, wanted, &ret);
	if (!s)
		return ret;
	user_set(s, bpf_get_current_task_btf());
	return held_leave(s, file);
}

/*
 * A descriptor that comes from another task (SCM_RIGHTS, pidfd_getfd(2), an answer to seccomp's listener) is asked for like an open of the
 * same kind (MEANING.md 23); what the open may have created or truncated is done.
 */
SEC("lsm/file_receive")
int BPF_PROG(lsmd_file_receive, struct file *file, int ret)
{
	struct socket *sock;
	u32 wanted;

	if (ret)
		return ret;
	sock = bpf_sock_from_file((struct file *)file);
	if (sock && sock->sk)
		return connection_decide(LSMD_HOOK_FILE_RECEIVE, sock->sk, 1);
	wanted = file_access(file) & ~LSMD_ACCESS_CREATE;
	return wanted ? receive_decide(file, wanted) : 0;
}

/*
 * An append-only descriptor stays one (MEANING.md 18). Only system calls that honour O_APPEND pass as `append`; fallocate,
 * pwritev2 with flags this build does not know (RWF_NOAPPEND), io_uring, aio and 32-bit calls all come through the same
 * hook and cannot be told apart by it, so they want `write`.
 */
#define RWF_KNOWN 0x1f /* RWF_HIPRI, DSYNC, SYNC, NOWAIT, APPEND */

static __always_inline int syscall_appends(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct syscall call = syscall_read(task);

	if (task->flags & (PF_IO_WORKER | PF_KTHREAD) || call.compat)
		return 0;
	if (call.nr == NR_PWRITEV2)
		return !(call.arg5 & ~RWF_KNOWN);
	return call.nr == NR_WRITE || call.nr == NR_PWRITE64 || call.nr == NR_WRITEV || call.nr == NR_PWRITEV;
}

/* append_only_enter() - may this open file be append-only for the task? Then the question is `write` on its name. */
static __always_inline int append_decide(u32 hook, const struct file *file)
{
	struct lsmd_scratch *s;
	int ret;

	s = hook_enter(hook, LSMD_ACCESS_WRITE, &ret);
	if (!s)
		return ret;
	path_walk(s, &s->name, kernel_plain(file)->f_path.dentry, kernel_plain(file)->f_path.mnt);
	if (s->name.reason == LSMD_REASON_PATH_ANONYMOUS || inode_is_device(file->f_inode)) {
		scratch_release(s);
		return 0;
	}
	return hook_leave(s);
}

SEC("lsm/file_permission")
int BPF_PROG(lsmd_file_permission, struct file *file, int mask, int ret)
{
	if (ret)
		return ret;
	if (mask & MAY_WRITE && file->f_flags & O_APPEND && !syscall_appends())
		ret = append_decide(LSMD_HOOK_FILE_PERMISSION, file);
	return ret || !files_asked() ? ret : used_decide(LSMD_HOOK_FILE_PERMISSION, file, mask);
}

/* pid_number() - the number of a process where it was made: what it calls itself */
static __always_inline u32 pid_number(struct task_struct *task)
{
	u64 pid = 0; /* struct pid *, as a number */
	u32 level = 0, nr = 0;

	bpf_probe_read_kernel(&pid, sizeof(pid), &task->thread_pid);
	bpf_probe_read_kernel(&level, sizeof(level), (void *)(pid + bpf_core_field_offset(struct pid, level)));
	pid += bpf_core_field_offset(struct pid, numbers) + level * bpf_core_type_size(struct upid);
	bpf_probe_read_kernel(&nr, sizeof(nr), (void *)pid);
	return nr;
}

/* owner_known() - is who will be signalled for a file nobody but the process itself? */
static __always_inline int owner_known(const struct file *file)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const struct fown_struct *owner;
	const struct pid *pid;

	if (bpf_core_field_exists(struct file___owner, f_owner)) {
		owner = ((struct file___owner *)file)->f_owner;
		pid = owner ? owner->pid : NULL;
	} else {
		owner = &((struct file___owned *)file)->f_owner;
		pid = owner->pid;
	}
	if (!pid)
		return 1;
	return owner->pid_type <= PIDTYPE_TGID && (pid == task->thread_pid || pid == task->group_leader->thread_pid);
}

/* later_decide() - F_SETOWN and its like have the kernel signal somebody later, when nobody can tell who asked */
static __always_inline int later_decide(u32 hook)
{
	struct lsmd_scratch *s;
	int ret;

	s = hook_enter(hook, LSMD_ACCESS_SIGNAL, &ret);
	if (!s)
		return ret;
	s->req.object = LSMD_OBJECT_NONE;
	s->name.reason = LSMD_REASON_SIGNAL_LATER;
	return hook_leave(s);
}

/* fcntl_later() - would somebody else be signalled after this? */
static __always_inline int fcntl_later(const struct file *file, unsigned int cmd, u32 arg)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (cmd == F_SETOWN)
		return arg && arg != pid_number(task) && arg != pid_number(task->group_leader);
	if (cmd == F_SETOWN_EX)
		return 1; /* who, stands in memory that the process may change until the kernel reads it */
	if (cmd == F_SETSIG || (cmd == F_SETFL && arg & FASYNC && !(file->f_flags & FASYNC)))
		return !owner_known(file);
	return 0;
}

SEC("lsm/file_fcntl")
int BPF_PROG(lsmd_file_fcntl, struct file *file, unsigned int cmd, unsigned long arg, int ret)
{
	if (ret)
		return ret;
	if (fcntl_later(file, cmd, arg) && later_decide(LSMD_HOOK_FILE_FCNTL))
		return -EPERM;
	if (cmd != F_SETFL || !(file->f_flags & O_APPEND) || arg & O_APPEND || !(file->f_mode & FMODE_WRITE))
		return 0;
	return append_decide(LSMD_HOOK_FILE_FCNTL, file);
}

/* Of an ioctl command (asm-generic/ioctl.h): the letter of the family that it belongs to, and its number there. */
#define IOCTL_TYPE(cmd) ((cmd) >> 8 & 0xff)
#define IOCTL_TYPE_NR(cmd) ((cmd) & 0xffff)

/*
 * ioctl_takes_donor() - commands that exchange what is in a file with what is in another one, which they name by a descriptor in memory of
 * the process: a hook cannot know which, since the process may change it until the kernel reads it. That the donor was opened for
 * appending alone stops none of them. EXT4_IOC_MOVE_EXT, F2FS_IOC_MOVE_RANGE, XFS_IOC_SWAPEXT, _EXCHANGE_RANGE, _COMMIT_RANGE.
 */
static __always_inline int ioctl_takes_donor(unsigned int cmd)
{
	u32 command = IOCTL_TYPE_NR(cmd);

	return command == ('f' << 8 | 15) || command == (0xf5 << 8 | 9) || command == ('X' << 8 | 109) ||
	       command == ('X' << 8 | 129) || command == ('X' << 8 | 131);
}

/* ioctl_keeps() - what asks only: terminals' and descriptors' own ('T': isatty(), FIONREAD, FIOCLEX), FIGETBSZ, flags read */
static __always_inline int ioctl_keeps(unsigned int cmd)
{
	return IOCTL_TYPE(cmd) == 'T' || cmd == 2 || IOCTL_TYPE_NR(cmd) == ('f' << 8 | 1) || IOCTL_TYPE_NR(cmd) == ('X' << 8 | 31) ||
	       IOCTL_TYPE_NR(cmd) == ('f' << 8 | 11);
}

static __always_inline int ioctl_decide(u32 hook, const struct file *file, unsigned int cmd)
{
	const struct numbers terminal = { .n = 1, .a = LSMD_LOCKDOWN_TERMINAL };
	struct lsmd_scratch *s;
	int ret;

	if (ioctl_sets(cmd))
		return attr_path(hook, kernel_plain(file)->f_path.dentry, kernel_plain(file)->f_path.mnt);
	if (cmd == FIOSETOWN || cmd == SIOCSPGRP || (cmd == FIOASYNC && !owner_known(file)))
		return later_decide(hook);
	if (cmd == TIOCSTI || cmd == TIOCLINUX)
		return named_decide(hook, LSMD_ACCESS_LOCKDOWN, &terminal);
	if (!ioctl_takes_donor(cmd))
		return file->f_flags & O_APPEND && file->f_mode & FMODE_WRITE && !ioctl_keeps(cmd) ? append_decide(hook, file) : 0;
	s = hook_enter(hook, LSMD_ACCESS_WRITE, &ret);
	if (!s)
		return ret;
	s->name.reason = LSMD_REASON_SYSCALL_UNKNOWN;
	return hook_leave(s);
}

/* ioctl_used() - what a command may do: all that the file was opened for */
static __always_inline u32 ioctl_used(const struct file *file)
{
	return (file->f_mode & FMODE_READ ? MAY_READ : 0) | (file->f_mode & FMODE_WRITE ? MAY_WRITE : 0);
}

SEC("lsm/file_ioctl")
int BPF_PROG(lsmd_file_ioctl, struct file *file, unsigned int cmd, unsigned long arg, int ret)
{
	if (!ret && files_asked() && !ioctl_keeps(cmd))
		ret = used_decide(LSMD_HOOK_FILE_IOCTL, file, ioctl_used(file));
	return ret ?: ioctl_decide(LSMD_HOOK_FILE_IOCTL, file, cmd);
}

/* Since 6.8; before, ioctls of 32-bit programs come through file_ioctl. */
SEC("lsm/file_ioctl_compat")
int BPF_PROG(lsmd_file_ioctl_compat, struct file *file, unsigned int cmd, unsigned long arg, int ret)
{
	if (!ret && files_asked() && !ioctl_keeps(cmd))
		ret = used_decide(LSMD_HOOK_FILE_IOCTL_COMPAT, file, ioctl_used(file));
	return ret ?: ioctl_decide(LSMD_HOOK_FILE_IOCTL_COMPAT, file, cmd);
}

static __always_inline int mapping_is_shared(unsigned long flags)
{
	return (flags & MAP_TYPE) == MAP_SHARED || (flags & MAP_TYPE) == MAP_SHARED_VALIDATE;
}

/* file_given() - through a helper, beside a comparison: before 7.2 verifiers hold the argument to be never NULL and take that out; later ones want it */
static __always_inline int file_given(const struct file *file)
{
	u32 flags;

	return !bpf_probe_read_kernel(&flags, sizeof(flags), &file->f_flags);
}

SEC("lsm/mmap_file")
int BPF_PROG(lsmd_mmap_file, struct file *file, unsigned long reqprot, unsigned long prot, unsigned long flags, int ret)
{
	if (!ret && file && prot & PROT_WRITE && mapping_is_shared(flags) && file->f_flags & O_APPEND)
		ret = append_decide(LSMD_HOOK_MMAP_FILE, file);
	if (!ret && file && files_asked() && file_given(file))
		ret = used_decide(LSMD_HOOK_MMAP_FILE, file, MAY_READ | (mapping_is_shared(flags) && file->f_mode & FMODE_WRITE ? MAY_WRITE : 0));
	if (ret || !((reqprot | prot) & PROT_EXEC) || map_by_exec(file))
		return ret;
	return map_decide(LSMD_HOOK_MMAP_FILE, file, MAP_NAMED | (prot & PROT_WRITE && !mapping_is_shared(flags) ? MAP_CHANGED : 0));
}

SEC("lsm/file_mprotect")
int BPF_PROG(lsmd_file_mprotect, struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot, int ret)
{
	struct file *file = vma->vm_file;
	u32 what;

	if (!ret && file && prot & PROT_WRITE && vma->vm_flags & VM_SHARED && file->f_flags & O_APPEND)
		ret = append_decide(LSMD_HOOK_FILE_MPROTECT, file);
	if (ret || !((reqprot | prot) & PROT_EXEC))
		return ret;
	what = map_changes(vma, prot);
	return what ? map_decide(LSMD_HOOK_FILE_MPROTECT, file, what) : 0;
}

/* Since 6.2; before, ftruncate comes through path_truncate. */
SEC("lsm/file_truncate")
int BPF_PROG(lsmd_file_truncate, struct file *file, int ret)
{
	if (ret)
		return ret;
	return file_decide(LSMD_HOOK_FILE_TRUNCATE, file, LSMD_ACCESS_WRITE);
}

/* path_decide() - one verb on a dentry of a directory or a path */
static __always_inline int path_decide(u32 hook, struct dentry *dentry, struct vfsmount *mnt, u32 wanted)
{
	struct lsmd_scratch *s;
	int ret;

	s = hook_enter(hook, wanted, &ret);
	if (!s)
		return ret;
	path_walk(s, &s->name, dentry, mnt);
	return hook_leave(s);
}

SEC("lsm/path_truncate")
int BPF_PROG(lsmd_path_truncate, const struct path *path, int ret)
{
	struct lsmd_scratch *s;

	if (ret)
		return ret;
	s = hook_enter(LSMD_HOOK_PATH_TRUNCATE, LSMD_ACCESS_WRITE, &ret);
	if (!s)
		return ret;
	path_walk(s, &s->name, path->dentry, path->mnt);
	if (s->name.reason == LSMD_REASON_PATH_ANONYMOUS) {
		scratch_release(s);
		return 0; /* ftruncate of a memfd, on 6.1 */
	}
	return hook_leave(s);
}

SEC("lsm/path_unlink")
int BPF_PROG(lsmd_path_unlink, const struct path *dir, struct dentry *dentry, int ret)
{
	if (ret)
		return ret;
	return guard_pins(dentry->d_sb, LSMD_HOOK_PATH_UNLINK, LSMD_ACCESS_DELETE) ?:
		       path_decide(LSMD_HOOK_PATH_UNLINK, dentry, dir->mnt, LSMD_ACCESS_DELETE);
}

SEC("lsm/path_rmdir")
int BPF_PROG(lsmd_path_rmdir, const struct path *dir, struct dentry *dentry, int ret)
{
	if (ret)
		return ret;
	return guard_pins(dentry->d_sb, LSMD_HOOK_PATH_RMDIR, LSMD_ACCESS_DELETE) ?:
		       path_decide(LSMD_HOOK_PATH_RMDIR, dentry, dir->mnt, LSMD_ACCESS_DELETE);
}

SEC("lsm/path_mkdir")
int BPF_PROG(lsmd_path_mkdir, const struct path *dir, struct dentry *dentry, unsigned short mode, int ret)
{
	return ret ?: path_decide(LSMD_HOOK_PATH_MKDIR, dentry, dir->mnt, LSMD_ACCESS_CREATE);
}

SEC("lsm/path_mknod")
int BPF_PROG(lsmd_path_mknod, const struct path *dir, struct dentry *dentry, unsigned short mode, unsigned int dev, int ret)
{
	u32 type = mode & S_IFMT, wanted = LSMD_ACCESS_CREATE;

	if (type == S_IFCHR || type == S_IFBLK)
		wanted = access_device(wanted);
	if (type == S_IFSOCK)
		wanted |= LSMD_ACCESS_BIND; /* a unix socket is being bound to the name */
	return ret ?: path_decide(LSMD_HOOK_PATH_MKNOD, dentry, dir->mnt, wanted);
}

SEC("lsm/path_symlink")
int BPF_PROG(lsmd_path_symlink, const struct path *dir, struct dentry *dentry, const char *old_name, int ret)
{
	return ret ?: path_decide(LSMD_HOOK_PATH_SYMLINK, dentry, dir->mnt, LSMD_ACCESS_CREATE);
}

/* two_devices() - twins beside the verb, where the object is a device node: they count for what may not widen */
static __always_inline u32 two_wanted(const struct dentry *dentry, u32 verb)
{
	return inode_is_device(dentry->d_inode) ? verb | LSMD_ACCESS_DEVICES : verb;
}

SEC("lsm/path_link")
int BPF_PROG(lsmd_path_link, struct dentry *old_dentry, const struct path *new_dir, struct dentry *new_dentry, int ret)
{
	struct lsmd_scratch *s;

	if (ret)
		return ret;
	s = hook_enter(LSMD_HOOK_PATH_LINK, two_wanted(old_dentry, LSMD_ACCESS_LINK), &ret);
	if (!s)
		return ret;
	s->req.two = 1;
	path_walk(s, &s->name, old_dentry, new_dir->mnt); /* linkat() refuses to cross mounts */
	path_walk(s, &s->other, new_dentry, new_dir->mnt);
	return hook_leave(s);
}

static __always_inline int dentry_is_directory(const struct dentry *dentry)
{
	const struct inode *inode = dentry->d_inode;

	return inode && (inode->i_mode & S_IFMT) == S_IFDIR;
}

/*
 * dentry_exists() - is there a file by this name? Through a number: some verifiers before 6.16 hold d_inode of a hook's argument
 * to be never NULL (BTF_TYPE_SAFE_TRUSTED in kernel/bpf/verifier.c), and take the comparison with NULL out.
 */
static __always_inline int dentry_exists(struct lsmd_scratch *s, const struct dentry *dentry)
{
	return pointer_number(s, dentry->d_inode) != 0;
}

SEC("lsm/path_rename")
int BPF_PROG(lsmd_path_rename, const struct path *old_dir, struct dentry *old_dentry, const struct path *new_dir,
	     struct dentry *new_dentry, unsigned int flags, int ret)
{
	struct lsmd_scratch *s;

	if (ret)
		return ret;
	if (guard_pins(old_dentry->d_sb, LSMD_HOOK_PATH_RENAME, LSMD_ACCESS_RENAME))
		return -EPERM;
	s = hook_enter(LSMD_HOOK_PATH_RENAME, two_wanted(old_dentry, LSMD_ACCESS_RENAME), &ret);
	if (!s)
		return ret;
	s->req.two = 1;
	s->req.exchange = !!(flags & RENAME_EXCHANGE);
	s->req.directory = dentry_is_directory(old_dentry) || (s->req.exchange && dentry_is_directory(new_dentry));
	s->req.replaces = dentry_exists(s, new_dentry) && !s->req.exchange;
	path_walk(s, &s->name, old_dentry, old_dir->mnt);
	path_walk(s, &s->other, new_dentry, new_dir->mnt);
	return hook_leave(s);
}
