// SPDX-License-Identifier: LGPL-2.1-or-later
/* Acts on the tree of mounts. */
#include "tests/vm/probe/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int act_mount(char **args)
{
	return result_of(mount("none", args[0], "tmpfs", 0, NULL));
}

/* args: old, new */
static int act_bind(char **args)
{
	return result_of(mount(args[0], args[1], NULL, MS_BIND, NULL));
}

/* args: lower, where */
static int act_overlay(char **args)
{
	char *options = NULL;

	before(asprintf(&options, "lowerdir=%s:/etc", args[0]), "asprintf");
	return result_of(mount("overlay", args[1], "overlay", MS_RDONLY, options));
}

static int act_move(char **args)
{
	return result_of(mount(args[0], args[1], NULL, MS_MOVE, NULL));
}

static int act_remount(char **args)
{
	return result_of(mount("none", args[0], NULL, MS_REMOUNT | MS_RDONLY, NULL));
}

/* The newer way, without a hook of its own. */
static int act_mount_setattr(char **args)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	return result_of(syscall(442, AT_FDCWD, args[0], 0, &attr, sizeof(attr)));
}

static int act_propagation(char **args)
{
	return result_of(mount("none", args[0], NULL, MS_SHARED, NULL));
}

static int act_umount(char **args)
{
	return result_of(umount2(args[0], MNT_DETACH));
}

static int attach(int tree, const char *at)
{
	return result_of(syscall(SYS_move_mount, tree, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH));
}

static int detached_new(void)
{
	int context = before(syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC), "fsopen");

	before(syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0), "fsconfig");
	return before(syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0), "fsmount");
}

static int act_fsmount(char **args)
{
	return attach(detached_new(), args[0]);
}

static int tree_open(const char *name)
{
	return before(syscall(SYS_open_tree, AT_FDCWD, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), "open_tree");
}

/* args: old, new */
static int act_open_tree(char **args)
{
	return attach(tree_open(args[0]), args[1]);
}

/* A copy of a mount that is attached nowhere, and a name in it. args: old, name relative to it */
static int act_read_detached(char **args)
{
	int fd = openat(tree_open(args[0]), args[1], O_RDONLY | O_CLOEXEC);
	char byte;

	if (fd < 0)
		return -errno;
	before(read(fd, &byte, 1), "read");
	return 0;
}

/* args: new root, where the old one goes */
static int act_pivot(char **args)
{
	return result_of(syscall(SYS_pivot_root, args[0], args[1]));
}

/* Mount namespaces made in other ways than unshare(CLONE_NEWNS). include/uapi/linux/mount.h, sched.h since 7.0 */
#define OPEN_TREE_NAMESPACE 2
#define FSMOUNT_NAMESPACE   2
#define UNSHARE_EMPTY_MNTNS 0x00100000
#define CLONE_EMPTY_MNTNS   (1ULL << 37)

static int act_open_tree_namespace(char **args)
{
	return result_of(syscall(SYS_open_tree, AT_FDCWD, args[0], OPEN_TREE_NAMESPACE | OPEN_TREE_CLOEXEC));
}

static int act_fsmount_namespace(char **args)
{
	int context = before(syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC), "fsopen");

	before(syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0), "fsconfig");
	return result_of(syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC | FSMOUNT_NAMESPACE, 0));
}

static int act_mountns_empty(char **args)
{
	return result_of(syscall(SYS_unshare, UNSHARE_EMPTY_MNTNS));
}

static int act_mountns_empty_clone(char **args)
{
	struct clone_args clone = { .flags = CLONE_EMPTY_MNTNS, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &clone, sizeof(clone));

	if (!pid)
		_exit(0);
	if (pid < 0)
		return -errno;
	before(waitpid(pid, NULL, __WALL), "waitpid");
	return 0;
}

const struct act mount_acts[] = {
	{ "mount", 1, act_mount },
	{ "bind", 2, act_bind },
	{ "overlay", 2, act_overlay },
	{ "move", 2, act_move },
	{ "remount", 1, act_remount },
	{ "mount-setattr", 1, act_mount_setattr },
	{ "propagation", 1, act_propagation },
	{ "umount", 1, act_umount },
	{ "fsmount", 1, act_fsmount },
	{ "open-tree", 2, act_open_tree },
	{ "open-tree-namespace", 1, act_open_tree_namespace },
	{ "fsmount-namespace", 0, act_fsmount_namespace },
	{ "mountns-empty", 0, act_mountns_empty },
	{ "mountns-empty-clone", 0, act_mountns_empty_clone },
	{ "read-detached", 2, act_read_detached },
	{ "pivot", 2, act_pivot },
	{},
};
