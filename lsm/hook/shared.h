/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions that the programs share. A global function is verified anew in every program that calls it, and these are most of each program.
 * So a hook's program has a stand-in of them only; the function itself is a program of its own (BPF_PROG_TYPE_EXT), which is verified once and which
 * the agent puts in the stand-in's place in all hooks' programs, before it attaches those: agent/kernel/load.c. At run time the stand-in is a jump.
 *
 * A stand-in in whose place nothing was put refuses. No call meets one, unless somebody takes the pins apart.
 *
 * With LSMD_WHOLE there are no stand-ins: for programs of other types that are loaded alone. Who cannot load extensions either defines
 * LSMD_SHARED_PROGRAM, and calls what stands behind it.
 */
#ifndef LSMD_HOOK_SHARED_H
#define LSMD_HOOK_SHARED_H

#ifndef LSMD_SHARED_PROGRAM
#define LSMD_SHARED_PROGRAM(function) SEC("shared/" #function)
#endif

/* LSMD_SHARED(function, what its stand-in returns, parameters…) { body } - returns int. Weak, or the compiler would see through the stand-in. */
#ifdef LSMD_WHOLE
#define LSMD_SHARED(function, standin, ...) __noinline int function(__VA_ARGS__)
#else
#define LSMD_SHARED(function, standin, ...)         \
	__weak __noinline int function(__VA_ARGS__) \
	{                                           \
		return (standin);                   \
	}                                           \
	LSMD_SHARED_PROGRAM(function)               \
	int function##_shared(__VA_ARGS__)
#endif

#endif
