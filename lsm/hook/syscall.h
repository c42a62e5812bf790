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
#define NR_UNSHARE 272
#define NR_KEXEC_LOAD 246
#define NR_KEXEC_FILE_LOAD 320
#define NR_SETNS 308
#define NR_COMPAT_UNSHARE 310
#define NR_COMPAT_KEXEC_LOAD 283
#define NR_COMPAT_KEXEC_FILE_LOAD 0 /* there is none */
#define NR_COMPAT_SETNS 346
#elif defined(__TARGET_ARCH_arm64)
#define NR_WRITE 64
#define NR_PWRITE64 68
#define NR_WRITEV 66
#define NR_PWRITEV 70
#define NR_PWRITEV2 287
#define NR_UNSHARE 97
#define NR_KEXEC_LOAD 104
#define NR_KEXEC_FILE_LOAD 294
#define NR_SETNS 268
#define NR_COMPAT_UNSHARE 337
#define NR_COMPAT_KEXEC_LOAD 347
#define NR_COMPAT_KEXEC_FILE_LOAD 401
#define NR_COMPAT_SETNS 375
#endif
#define NR_OPEN_TREE 428      /* the same everywhere, as this and what follows */
#define NR_FSMOUNT 432
#define NR_MOUNT_SETATTR 442
#define NR_OPEN_TREE_ATTR 467 /* since 6.15 */
#define NR_IO_URING_ENTER 426 /* of 32-bit programs too */
#define NR_X32 0x40000000     /* beside the number, in calls of x32 */
#define NR_X32_KEXEC_LOAD 528 /* which has some numbers of its own */

struct syscall {
	u64 nr;
	u64 arg0;
	u64 arg1;
	u64 arg2;
	u64 arg5; /* the sixth argument */
	u32 compat; /* of a 32-bit program: numbers and arguments are others */
};

static __always_inline struct syscall syscall_read(struct task_struct *task)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

#if defined(__TARGET_ARCH_x86)
	u32 compat = task->thread_info.status & TS_COMPAT;

	return (struct syscall){
		.nr = regs->orig_ax,
		.arg0 = compat ? regs->bx : regs->di,
		.arg1 = compat ? regs->cx : regs->si,
		.arg2 = regs->dx,
		.arg5 = regs->r9,
		.compat = compat,
	};
#elif defined(__TARGET_ARCH_arm64)
	return (struct syscall){
		.nr = regs->syscallno,
		.arg0 = regs->orig_x0,
		.arg1 = regs->regs[1],
		.arg2 = regs->regs[2],
		.arg5 = regs->regs[5],
		.compat = !!(task->thread_info.flags & TIF_32BIT),
	};
#endif
}

/* syscall_is() - @compat: its number for 32-bit programs; x32 has those of 64 bits, and a bit beside them */
static __always_inline int syscall_is(const struct syscall *call, u64 nr, u64 compat)
{
	return call->compat ? call->nr == compat : (call->nr & ~(u64)NR_X32) == nr;
}

#endif
