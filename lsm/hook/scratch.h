/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Working memory of a decision. LSM programs have no recursion guard and can be preempted half way, so bare per-CPU memory
 * could be overwritten between walk and match; a slot is claimed instead.
 */
#ifndef LSMD_HOOK_SCRATCH_H
#define LSMD_HOOK_SCRATCH_H

#include "maps.h"
#include "shared.h"

/* Slots tried first by one processor: neighbours share none until there are more than 16 of them. */
#define LSMD_SCRATCH_STRIDE 8

/* Atomic: a program that is preempted half way and one that runs then on the same processor would lose one of their counts. */
static __always_inline void count_add(u32 count, u64 n)
{
	u64 *value = bpf_map_lookup_elem(&lsmd_counts, &count);

	if (value)
		__sync_fetch_and_add(value, n);
}

/* denied_unsent() - a refusal that no event can tell of; @count says why */
static __always_inline void denied_unsent(u32 count)
{
	count_add(LSMD_COUNT_DENIED, 1);
	count_add(count, 1);
}

/* scratch_try() - claim one slot. Return: 1, 0 */
static __always_inline int scratch_try(struct lsmd_scratch *s)
{
	return s && !s->busy && !__sync_val_compare_and_swap(&s->busy, 0, 1);
}

static __always_inline struct lsmd_scratch *scratch_slot(u32 slot)
{
	return bpf_map_lookup_elem(&lsmd_pool, &slot);
}

/* scratch_search() - claim one of the slots behind @start, the number of the first: that is seldom needed. Return: its number; ~0: all were taken */
u32 scratch_search(u32 start);

/* scratch_claim() - a slot of our own, or NULL when those tried are taken: undecided, LSMD_REASON_NO_SCRATCH */
static __always_inline struct lsmd_scratch *scratch_claim(void)
{
	u32 start = bpf_get_smp_processor_id() * LSMD_SCRATCH_STRIDE & (LSMD_SCRATCH_SLOTS - 1);
	struct lsmd_scratch *s = scratch_slot(start);

	if (scratch_try(s))
		return s;
	start = scratch_search(start);
	return start < LSMD_SCRATCH_SLOTS ? scratch_slot(start) : NULL;
}

static __always_inline void scratch_release(struct lsmd_scratch *s)
{
#ifdef __TARGET_ARCH_x86
	*(volatile u32 *)&s->busy = 0; /* stores are not reordered with older ones here */
#else
	__sync_lock_test_and_set(&s->busy, 0);
#endif
}

#endif
