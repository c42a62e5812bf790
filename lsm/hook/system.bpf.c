// SPDX-License-Identifier: GPL-2.0-only
/* What is asked of the kernel itself: capabilities, modules, bpf, user namespaces, and what a kernel can be locked down against. */
#include "guard.h"
#include "named.h"
#include "syscall.h"

/* one_decide() - one verb on what one number names */
static __always_inline int one_decide(u32 hook, u32 wanted, u32 number, int quiet)
{
	const struct numbers numbers = { .n = 1, .a = number };
	struct lsmd_scratch *s;
	int ret;

	s = hook_enter(hook, wanted, &ret);
	if (!s)
		return ret;
	name_numbers(s, &numbers);
	s->req.quiet = quiet;
	return hook_leave(s);
}

/* include/linux/security.h, include/uapi/linux/capability.h */
#define CAP_OPT_NOAUDIT 2
#define CAP_SYS_MODULE 16
#define CAP_SYS_CHROOT 18
#define CAP_SYS_ADMIN 21
#define CAP_SYS_BOOT 22

/* Flags of 7.0 and later by which a mount namespace is made without CLONE_NEWNS; before, they are refused, or ask for no capability. */
#define UNSHARE_EMPTY_MNTNS 0x00100000
#define OPEN_TREE_NAMESPACE 2
#define FSMOUNT_NAMESPACE 2

/*
 * call_mounts() - is this capability asked for by a call that changes mounts and has no other hook? setns(2) asks for CAP_SYS_CHROOT when it
 * enters a mount namespace and for no other sort. A clone(2) with CLONE_NEWNS is asked about by task_alloc.
 */
static __always_inline int call_mounts(int cap)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct syscall call;

	if ((cap != CAP_SYS_ADMIN && cap != CAP_SYS_CHROOT) || task->flags & (PF_IO_WORKER | PF_KTHREAD))
		return 0;
	call = syscall_read(task);
	if (cap == CAP_SYS_CHROOT)
		return syscall_is(&call, NR_SETNS, NR_COMPAT_SETNS);
	return syscall_is(&call, NR_MOUNT_SETATTR, NR_MOUNT_SETATTR) || syscall_is(&call, NR_OPEN_TREE_ATTR, NR_OPEN_TREE_ATTR) ||
	       (syscall_is(&call, NR_UNSHARE, NR_COMPAT_UNSHARE) && call.arg0 & (CLONE_NEWNS | UNSHARE_EMPTY_MNTNS)) ||
	       (syscall_is(&call, NR_OPEN_TREE, NR_OPEN_TREE) && call.arg2 & OPEN_TREE_NAMESPACE) ||
	       (syscall_is(&call, NR_FSMOUNT, NR_FSMOUNT) && call.arg1 & FSMOUNT_NAMESPACE);
}

/* call_boots() - is this capability asked for by a call that loads another kernel? No hook sees all of them, and each asks for CAP_SYS_BOOT first. */
static __always_inline int call_boots(int cap)
{
	struct syscall call;

	if (cap != CAP_SYS_BOOT)
		return 0;
	call = syscall_read(bpf_get_current_task_btf());
	return syscall_is(&call, NR_KEXEC_LOAD, NR_COMPAT_KEXEC_LOAD) || syscall_is(&call, NR_KEXEC_FILE_LOAD, NR_COMPAT_KEXEC_FILE_LOAD) ||
	       (!call.compat && call.nr == (NR_X32 | NR_X32_KEXEC_LOAD));
}

/*
 * capable_own() - does the task use a capability of its own? Not where the kernel asks about another's credentials, or acts on its behalf with
 * some of its own (overlayfs with those of who mounted it). Through io_uring a task can put on others itself.
 */
static __always_inline int capable_own(const struct cred *cred)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (cred != task->cred)
		return 0;
	if (cred == task->real_cred || task->flags & PF_IO_WORKER)
		return 1;
	return syscall_read(task).nr == NR_IO_URING_ENTER;
}

/*
 * Asked once the task is known to have the capability. There is no hook for removing a module, and none that sees all ways of loading one:
 * each of them asks for CAP_SYS_MODULE first, and for nothing else.
 */
SEC("lsm/capable")
int BPF_PROG(lsmd_capable, const struct cred *cred, struct user_namespace *ns, int cap, unsigned int opts, int ret)
{
	int quiet = !!(opts & CAP_OPT_NOAUDIT);

	if (ret)
		return ret;
	if (!capable_own(cred))
		return 0;
	if (one_decide(LSMD_HOOK_CAPABLE, LSMD_ACCESS_CAPABILITY, cap, quiet))
		return -EPERM;
	if (cap == CAP_SYS_MODULE)
		return one_decide(LSMD_HOOK_CAPABLE, LSMD_ACCESS_MODULE, LSMD_MODULE_LOAD, quiet);
	if (call_boots(cap))
		return one_decide(LSMD_HOOK_CAPABLE, LSMD_ACCESS_LOCKDOWN, LSMD_LOCKDOWN_KEXEC, quiet);
	return call_mounts(cap) ? unnamed_decide(LSMD_HOOK_CAPABLE, LSMD_ACCESS_MOUNT) : 0;
}

SEC("lsm/kernel_module_request")
int BPF_PROG(lsmd_kernel_module_request, char *kmod_name, int ret)
{
	return ret ?: one_decide(LSMD_HOOK_KERNEL_MODULE_REQUEST, LSMD_ACCESS_MODULE, LSMD_MODULE_REQUEST, 0);
}

/* enum bpf_cmd: the two by which somebody else's link is had. No hook sees which link it is, so that who may not have ours gets none. */
#define BPF_CMD_OBJ_GET 7
#define BPF_CMD_LINK_GET_FD_BY_ID 30

/* Newer kernels give one argument more: what an earlier program answered cannot be read here. It allowed it, or this one would not run. */
SEC("lsm/bpf")
int BPF_PROG(lsmd_bpf, int cmd, union bpf_attr *attr, unsigned int size)
{
	if ((cmd == BPF_CMD_OBJ_GET || cmd == BPF_CMD_LINK_GET_FD_BY_ID) && guard_decide(LSMD_HOOK_BPF, LSMD_ACCESS_BPF))
		return -EPERM;
	return one_decide(LSMD_HOOK_BPF, LSMD_ACCESS_BPF, cmd, 0);
}

/* Asked wherever a locked down kernel would refuse. What is asked for has numbers that differ from kernel to kernel. */
SEC("lsm/locked_down")
int BPF_PROG(lsmd_locked_down, int what, int ret)
{
	return ret ?: one_decide(LSMD_HOOK_LOCKED_DOWN, LSMD_ACCESS_LOCKDOWN, LSMD_LOCKDOWN_KERNEL, 0);
}

/* Later kernels give one argument less; what an earlier program answered cannot be read here. It allowed it, or this one would not run. */
SEC("lsm/perf_event_open")
int BPF_PROG(lsmd_perf_event_open, u64 attr, int type)
{
	return one_decide(LSMD_HOOK_PERF_EVENT_OPEN, LSMD_ACCESS_LOCKDOWN, LSMD_LOCKDOWN_PERF, 0);
}

SEC("lsm/userns_create")
int BPF_PROG(lsmd_userns_create, const struct cred *cred, int ret)
{
	return ret ?: unnamed_decide(LSMD_HOOK_USERNS_CREATE, LSMD_ACCESS_USERNS);
}
