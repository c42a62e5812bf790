/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decisions about what has neither file nor address: its name is a path of numbers (lsm/abi/access.h). Unlike names of files these are
 * made from what a hook is given, and nothing can race with them.
 */
#ifndef LSMD_HOOK_NAMED_H
#define LSMD_HOOK_NAMED_H

#include "emit.h"

#include <bpf/bpf_endian.h>

/* number_digits() - a number as eight hexadecimal digits in memory order: nibbles apart, then each to its letter, without branches */
static __always_inline u64 number_digits(u32 number)
{
	u64 nibbles = bpf_ntohl(number);

	nibbles = (nibbles | nibbles << 16) & 0x0000ffff0000ffffull;
	nibbles = (nibbles | nibbles << 8) & 0x00ff00ff00ff00ffull;
	nibbles = (nibbles >> 4 & 0x000f000f000f000full) | (nibbles & 0x000f000f000f000full) << 8;
	return nibbles + 0x3030303030303030ull + ((nibbles + 0x0606060606060606ull) >> 4 & 0x0101010101010101ull) * ('a' - '9' - 1);
}

_Static_assert(LSMD_NAME_DIGITS == 8, "number_digits() makes one word");

static __always_inline void number_piece(struct lsmd_piece *piece, u32 number)
{
	piece->w[0] = number_digits(number);
	piece->w[1] = 0;
	piece->w[2] = 0;
	piece->w[3] = 0;
	piece->w[4] = 0;
	piece->meta = LSMD_NAME_DIGITS;
	piece->zero = 0;
}

/* A name of one to three numbers. */
struct numbers {
	u32 n;
	u32 a, b, c;
};

/* name_numbers() - s->name := @numbers, the first of them outermost */
static __always_inline void name_numbers(struct lsmd_scratch *s, const struct numbers *numbers)
{
	struct lsmd_piece *last = &s->name.pieces[LSMD_PIECES_MAX - 1];

	s->req.object = LSMD_OBJECT_NAME;
	s->name.tree = LSMD_TREE_NAME;
	s->name.reason = LSMD_REASON_NONE;
	if (numbers->n == 1) {
		number_piece(last, numbers->a);
	} else if (numbers->n == 2) {
		number_piece(last - 1, numbers->a);
		number_piece(last, numbers->b);
	} else {
		number_piece(last - 2, numbers->a);
		number_piece(last - 1, numbers->b);
		number_piece(last, numbers->c);
	}
	s->name.first = LSMD_PIECES_MAX - numbers->n;
}

/* named_decide() - one verb on what @numbers name */
static __always_inline int named_decide(u32 hook, u32 wanted, const struct numbers *numbers)
{
	struct lsmd_scratch *s;
	int ret;

	s = hook_enter(hook, wanted, &ret);
	if (!s)
		return ret;
	name_numbers(s, numbers);
	return hook_leave(s);
}

#endif
