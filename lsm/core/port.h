/* SPDX-License-Identifier: (GPL-2.0-only OR LGPL-2.1-or-later) */
/*
 * The only differences between the two builds of lsm/core: for the BPF machine, whose verifier must be able to follow
 * every bound, and for user space.
 */
#ifndef LSMD_CORE_PORT_H
#define LSMD_CORE_PORT_H

#include "lsm/abi/image.h"

#define LSMD_INLINE static inline __attribute__((always_inline))

#ifdef __bpf__

/* The compiler may not know this value: what stands after it (a mask, a bound) cannot be optimised away. */
#define LSMD_OPAQUE(x) asm volatile("" : "+r"(x))

/*
 * A loop counter that starts from here is an unknown number to the verifier: the second round then lies inside
 * the range of the first and is pruned, where a constant start would make it follow every round.
 */
#define LSMD_UNKNOWN(memory) (*(const volatile lsmd_u32 *)&(memory))

#else

#define LSMD_OPAQUE(x) ((void)0)
#define LSMD_UNKNOWN(memory) (memory)

#endif

#endif
