// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mounting, which renames everything below: refused as one verb without objects (MEANING.md 15). fsmount() and open_tree() make
 * detached mounts, in which nothing has a name; what attaches them is move_mount. mount_setattr() and new mount namespaces: system.bpf.c, exec.bpf.c.
 */
#include "guard.h"

static __always_inline int mount_decide(u32 hook)
{
	return unnamed_decide(hook, LSMD_ACCESS_MOUNT);
}

SEC("lsm/sb_mount")
int BPF_PROG(lsmd_sb_mount, const char *dev_name, const struct path *path, const char *type, unsigned long flags, void *data,
	     int ret)
{
	if (ret)
		return ret;
	return guard_pins(path->dentry->d_sb, LSMD_HOOK_SB_MOUNT, LSMD_ACCESS_MOUNT) ?: mount_decide(LSMD_HOOK_SB_MOUNT);
}

SEC("lsm/sb_remount")
int BPF_PROG(lsmd_sb_remount, struct super_block *sb, void *options, int ret)
{
	return ret ?: mount_decide(LSMD_HOOK_SB_REMOUNT);
}

SEC("lsm/sb_umount")
int BPF_PROG(lsmd_sb_umount, struct vfsmount *mnt, int flags, int ret)
{
	if (ret)
		return ret;
	return guard_pins(mnt->mnt_sb, LSMD_HOOK_SB_UMOUNT, LSMD_ACCESS_MOUNT) ?: mount_decide(LSMD_HOOK_SB_UMOUNT);
}

SEC("lsm/move_mount")
int BPF_PROG(lsmd_move_mount, const struct path *from_path, const struct path *to_path, int ret)
{
	if (ret)
		return ret;
	return guard_pins(from_path->dentry->d_sb, LSMD_HOOK_MOVE_MOUNT, LSMD_ACCESS_MOUNT) ?:
	       guard_pins(to_path->dentry->d_sb, LSMD_HOOK_MOVE_MOUNT, LSMD_ACCESS_MOUNT) ?:
		       mount_decide(LSMD_HOOK_MOVE_MOUNT);
}

SEC("lsm/sb_pivotroot")
int BPF_PROG(lsmd_sb_pivotroot, const struct path *old_path, const struct path *new_path, int ret)
{
	return ret ?: mount_decide(LSMD_HOOK_SB_PIVOTROOT);
}
