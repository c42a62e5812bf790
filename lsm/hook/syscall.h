/* SPDX-License-Identifier: GPL-2.0-only */
/* The system call that a task is in, where a hook cannot tell what is done to the object that it is given. */
#ifndef LSMD_HOOK_SYSCALL_H
#define LSMD_HOOK_SYSCALL_H

#include "maps.h"

#if defined(__TARGET_ARCH_x86)
#define NR_WRITE 1
#define NR_PWRITE64 18
#define NR_WRITEV 20
#define NR_PWRITEV 296
#define NR_PWRITEV2 328
#elif defined(__TARGET_ARCH_arm64)
#define NR_WRITE 64
#define NR_PWRITE64 68
#define NR_WRITEV 66
#define NR_PWRITEV 70
#define NR_PWRITEV2 287
#endif
#define NR_IO_URING_ENTER 426 /* of 32-bit programs too */
#define NR_X32 0x40000000     /* beside the number, in calls of x32 */

struct syscall {
	u64 nr;
	u64 arg5; /* the sixth argument */
};

static __always_inline struct syscall syscall_read(struct task_struct *task)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

#if defined(__TARGET_ARCH_x86)
	return (struct syscall){ .nr = regs->orig_ax, .arg5 = regs->r9 };
#elif defined(__TARGET_ARCH_arm64)
	return (struct syscall){ .nr = regs->syscallno, .arg5 = regs->regs[5] };
#endif
}

#endif
