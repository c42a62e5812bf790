// SPDX-License-Identifier: GPL-2.0-only
/*
 * `setattr`: mode, owner, times, extended attributes, ACLs and flags (MEANING.md 18).
 *
 * chmod, chown and the ioctls come with a path. The other calls come through hooks that are given a dentry and no mount: there the
 * object is named through every mount of its file system in the task's namespace (names.h).
 */
#include "attr.h"
#include "names.h"
#include "syscall.h"

SEC("lsm/path_chmod")
int BPF_PROG(lsmd_path_chmod, const struct path *path, unsigned short mode, int ret)
{
	return ret ?: attr_path(LSMD_HOOK_PATH_CHMOD, path->dentry, path->mnt);
}

SEC("lsm/path_chown")
int BPF_PROG(lsmd_path_chown, const struct path *path, unsigned int uid, unsigned int gid, int ret)
{
	return ret ?: attr_path(LSMD_HOOK_PATH_CHOWN, path->dentry, path->mnt);
}

/*
 * kernel_acts() - does the kernel act here in a name of its own, on what the caller did not name? So does overlayfs on the files of its
 * layers, with the credentials of who mounted it; the merged name was asked about before (MEANING.md 16). A task has foreign credentials
 * in no other call but io_uring's, which takes those that were registered with it: that is the task itself.
 */
static __always_inline int kernel_acts(struct task_struct *task)
{
	return task->cred != task->real_cred && !(task->flags & PF_IO_WORKER) &&
	       (syscall_read(task).nr & ~(u64)NR_X32) != NR_IO_URING_ENTER;
}

/* attr_dentry() - for a hook that gives no mount */
static __always_inline int attr_dentry(u32 hook, struct dentry *dentry)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct lsmd_scratch *s;
	int ret;

	if (kernel_acts(task))
		return 0;
	s = hook_enter(hook, LSMD_ACCESS_SETATTR, &ret);
	if (!s)
		return ret;
	if (dentry->d_sb->s_flags & SB_NOUSER) {
		scratch_release(s);
		return 0;
	}
	names_start(s, pointer_number(s, dentry), pointer_number(s, dentry->d_sb));
	return names_leave(s);
}

/* Of notify_change() only what utimes(2) asks for: chmod and chown came through a path, truncate is `write`. */
static __always_inline int attr_times(const struct iattr *attr, struct dentry *dentry)
{
	return attr->ia_valid & (ATTR_TIMES_SET | ATTR_TOUCH) ? attr_dentry(LSMD_HOOK_INODE_SETATTR, dentry) : 0;
}

SEC("lsm/inode_setattr")
int BPF_PROG(lsmd_inode_setattr, void *idmap, struct dentry *dentry, struct iattr *attr, int ret)
{
	return ret ?: attr_times(attr, dentry);
}

/* The same before 6.9. */
SEC("?lsm/inode_setattr")
int BPF_PROG(lsmd_inode_setattr_older, struct dentry *dentry, struct iattr *attr, int ret)
{
	return ret ?: attr_times(attr, dentry);
}

SEC("lsm/inode_setxattr")
int BPF_PROG(lsmd_inode_setxattr, void *idmap, struct dentry *dentry, const char *name, const void *value, unsigned long size,
	     int flags, int ret)
{
	return ret ?: attr_dentry(LSMD_HOOK_INODE_SETXATTR, dentry);
}

SEC("lsm/inode_removexattr")
int BPF_PROG(lsmd_inode_removexattr, void *idmap, struct dentry *dentry, const char *name, int ret)
{
	return ret ?: attr_dentry(LSMD_HOOK_INODE_REMOVEXATTR, dentry);
}

SEC("lsm/inode_set_acl")
int BPF_PROG(lsmd_inode_set_acl, void *idmap, struct dentry *dentry, const char *name, void *acl, int ret)
{
	return ret ?: attr_dentry(LSMD_HOOK_INODE_SET_ACL, dentry);
}

SEC("lsm/inode_remove_acl")
int BPF_PROG(lsmd_inode_remove_acl, void *idmap, struct dentry *dentry, const char *name, int ret)
{
	return ret ?: attr_dentry(LSMD_HOOK_INODE_REMOVE_ACL, dentry);
}

SEC("lsm/inode_file_setattr")
int BPF_PROG(lsmd_inode_file_setattr, struct dentry *dentry, void *attr, int ret)
{
	return ret ?: attr_dentry(LSMD_HOOK_INODE_FILE_SETATTR, dentry);
}
