/* SPDX-License-Identifier: (GPL-2.0-only OR LGPL-2.1-or-later) */
/*
 * The only differences between the two builds of lsm/core: for the BPF machine, whose verifier must be able to follow
 * every bound, and for user space.
 */
#ifndef LSMD_CORE_PORT_H
#define LSMD_CORE_PORT_H

#include "lsm/abi/image.h"

#define LSMD_INLINE static inline __attribute__((always_inline))

/*
 * An image's handle: its generation in the kernel, its address in user space. Functions with loops take it, and open a view of
 * their own, because the verifier checks them alone, once, and would not believe a pointer that was handed over.
 */
typedef lsmd_u64 lsmd_image_id;

#ifdef __bpf__

/* The compiler may not know this value: what stands after it (a mask, a bound) cannot be optimised away. */
#define LSMD_OPAQUE(x) asm volatile("" : "+r"(x))

/*
 * Counters of loops are 64 bits wide: 6.1 forgets what it knows of a number when 32 bits of it are spilled to the stack. One that starts * from here is an unknown number to the verifier: the second round then lies inside the range of the first and is pruned,
 * where a constant start would make it follow every round.
 */
#define LSMD_UNKNOWN(memory) (*(const volatile lsmd_u32 *)&(memory))

/*
 * This value is in a register here. 6.1's verifier calls a loop endless when it finds the same registers again, and
 * does not look at a counter that was spilled to the stack.
 */
#define LSMD_KEEP(x) asm volatile("" : : "r"(x))

/*
 * The end of a round, behind the last change of its counter: a jump. 6.1 takes a back edge from a jump only, and the compiler likes
 * to lay a loop out so that its end falls through into its head.
 */
#define LSMD_ROUND(counter) asm volatile("goto +0" : "+r"(counter))

/* Verified alone: a number that it is called with is an unknown number. */
#define LSMD_GLOBAL __attribute__((noinline))

#else

#define LSMD_OPAQUE(x) ((void)0)
#define LSMD_UNKNOWN(memory) (memory)
#define LSMD_KEEP(x) ((void)0)
#define LSMD_ROUND(counter) ((void)0)
#define LSMD_GLOBAL static inline

#endif

/*
 * lsmd_repeat() - @n rounds, or until one gives 1. For what goes on where a loop ends that the verifier follows round by round:
 * bpf_loop() is verified once, and slower.
 */
#ifdef __bpf__
#define lsmd_repeat(n, round, state) ((void)bpf_loop(n, round, state, 0))
#else
LSMD_INLINE void lsmd_repeat(lsmd_u32 n, long (*round)(lsmd_u32 i, void *state), void *state)
{
	for (lsmd_u32 i = 0; i < n && i < LSMD_POLICIES_MAX; i++)
		if (round(i, state))
			return;
}
#endif

/*
 * lsmd_hidden() - an index that the compiler cannot follow: it would step a pointer along instead, which looks different to the
 * verifier in every round of a loop. The caller masks it.
 */
LSMD_INLINE lsmd_u64 lsmd_hidden(lsmd_u64 i)
{
	LSMD_OPAQUE(i);
	return i;
}

#endif
