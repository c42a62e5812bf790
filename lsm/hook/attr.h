/* SPDX-License-Identifier: GPL-2.0-only */
/* `setattr` of what comes with a path, and the ioctls that ask for it. */
#ifndef LSMD_HOOK_ATTR_H
#define LSMD_HOOK_ATTR_H

#include "emit.h"

static __always_inline int attr_path(u32 hook, struct dentry *dentry, struct vfsmount *mnt)
{
	struct lsmd_scratch *s;
	int ret;

	s = hook_enter(hook, LSMD_ACCESS_SETATTR, &ret);
	if (!s)
		return ret;
	path_walk(s, &s->name, dentry, mnt);
	if (s->name.reason == LSMD_REASON_PATH_ANONYMOUS) {
		scratch_release(s);
		return 0; /* what has no name is mediated as code only (MEANING.md 11) */
	}
	return hook_leave(s);
}

/*
 * Requests that change what chattr(1) shows, also on a descriptor that was opened for reading: include/uapi/linux/fs.h, fscrypt.h,
 * fsverity.h, msdos_fs.h; the second of a pair is that of 32-bit programs. What changes content (FICLONE and its like) needs a
 * descriptor that was opened for writing.
 */
#define FS_IOC_SETFLAGS 0x40086602
#define FS_IOC32_SETFLAGS 0x40046602
#define FS_IOC_SETVERSION 0x40087602
#define FS_IOC32_SETVERSION 0x40047602
#define EXT4_IOC_SETVERSION 0x40086604
#define EXT4_IOC32_SETVERSION 0x40046604
#define FS_IOC_FSSETXATTR 0x401c5820
#define FS_IOC_SET_ENCRYPTION_POLICY 0x800c6613
#define FS_IOC_ENABLE_VERITY 0x40806685
#define FAT_IOCTL_SET_ATTRIBUTES 0x40047211

static __always_inline int ioctl_sets(unsigned int cmd)
{
	switch (cmd) {
	case FS_IOC_SETFLAGS:
	case FS_IOC32_SETFLAGS:
	case FS_IOC_SETVERSION:
	case FS_IOC32_SETVERSION:
	case EXT4_IOC_SETVERSION:
	case EXT4_IOC32_SETVERSION:
	case FS_IOC_FSSETXATTR:
	case FS_IOC_SET_ENCRYPTION_POLICY:
	case FS_IOC_ENABLE_VERITY:
	case FAT_IOCTL_SET_ATTRIBUTES:
		return 1;
	}
	return 0;
}

#endif
