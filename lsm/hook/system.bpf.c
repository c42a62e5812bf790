// SPDX-License-Identifier: GPL-2.0-only
/* What is asked of the kernel itself: capabilities, modules, bpf, user namespaces. */
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
	       (syscall_is(&call, NR_UNSHARE, NR_COMPAT_UNSHARE) && call.arg0 & CLONE_NEWNS);
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
	return call_mounts(cap) ? unnamed_decide(LSMD_HOOK_CAPABLE, LSMD_ACCESS_MOUNT) : 0;
}

SEC("lsm/kernel_module_request")
int BPF_PROG(lsmd_kernel_module_request, char *kmod_name, int ret)
{
	return ret ?: one_decide(LSMD_HOOK_KERNEL_MODULE_REQUEST, LSMD_ACCESS_MODULE, LSMD_MODULE_REQUEST, 0);
}

/* Newer kernels give one argument more: what an earlier program answered cannot be read here. It allowed it, or this one would not run. */
SEC("lsm/bpf")
int BPF_PROG(lsmd_bpf, int cmd, union bpf_attr *attr, unsigned int size)
{
	return one_decide(LSMD_HOOK_BPF, LSMD_ACCESS_BPF, cmd, 0);
}

SEC("lsm/userns_create")
int BPF_PROG(lsmd_userns_create, const struct cred *cred, int ret)
{
	return ret ?: unnamed_decide(LSMD_HOOK_USERNS_CREATE, LSMD_ACCESS_USERNS);
}
