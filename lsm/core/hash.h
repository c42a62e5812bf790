/* SPDX-License-Identifier: (GPL-2.0-only OR LGPL-2.1-or-later) */
/*
 * The perfect hash of the tree of literal names: (parent node, piece of name) -> slot of the node table. Same code in
 * the kernel, in the compiler that searches the displacements, and in the verifier that finds every node again.
 *
 * Hash and displace (Belazzougui, Botelho, Dietzfelbinger, "Hash, displace, and compress", ESA 2009): the high half of
 * the hash names a bucket, the bucket's displacement sends each of its keys to a slot of its own. A lookup is one load of
 * a displacement, one load of a node and an exact comparison; there is nothing to probe.
 */
#ifndef LSMD_CORE_HASH_H
#define LSMD_CORE_HASH_H

#include "../abi/image.h"

#define LSMD_HASH_INLINE static inline __attribute__((always_inline))

/*
 * One word of a key. The product comes first and depends on the image's keys; folding its high half back, by another
 * distance for each word, keeps a plain sum of products from having differences that cancel under every key (bit 63 of
 * two words). A zero word gives zero.
 */
LSMD_HASH_INLINE lsmd_u64 lsmd_hash_word(lsmd_u64 word, lsmd_u64 key, unsigned int fold)
{
	lsmd_u64 product = word * key;

	return product ^ product >> fold;
}

/**
 * lsmd_hash() - 64 bits of a piece of name below a parent
 * @key:    hash_key of the image's header, odd numbers
 * @parent: id of the parent node
 * @meta:   bytes used, | LSMD_PIECE_CONTINUED, as in struct lsmd_node
 * @w:      the piece's bytes in memory order, zero padded
 *
 * Six independent multiplies, one more at the end.
 */
LSMD_HASH_INLINE lsmd_u64 lsmd_hash(const lsmd_u64 key[LSMD_HASH_KEYS], lsmd_u32 parent, lsmd_u32 meta,
				    const lsmd_u64 w[LSMD_PIECE_WORDS])
{
	lsmd_u64 h = lsmd_hash_word((lsmd_u64)meta << 32 | parent, key[5], 31);

	h += lsmd_hash_word(w[0], key[0], 32);
	h += lsmd_hash_word(w[1], key[1], 29);
	h += lsmd_hash_word(w[2], key[2], 27);
	h += lsmd_hash_word(w[3], key[3], 33);
	h += lsmd_hash_word(w[4], key[4], 35);
	h *= key[6];
	return h ^ h >> 32;
}

/** lsmd_hash_bucket() - index into `displace`, below @n_displace (which is at least 1) */
LSMD_HASH_INLINE lsmd_u32 lsmd_hash_bucket(lsmd_u64 h, lsmd_u32 n_displace)
{
	return (h >> 32) * n_displace >> 32;
}

/**
 * lsmd_hash_slot() - index into `nodes`, below @n_nodes (which is at least 1)
 * @displacement: of the bucket; an odd multiplier, so that two keys of one bucket part under most of them
 */
LSMD_HASH_INLINE lsmd_u32 lsmd_hash_slot(lsmd_u64 h, lsmd_u32 displacement, lsmd_u32 n_nodes)
{
	lsmd_u32 mixed = (lsmd_u32)h * displacement;

	return (lsmd_u64)mixed * n_nodes >> 32;
}

_Static_assert(LSMD_PIECE_WORDS == 5 && LSMD_HASH_KEYS == 7, "lsmd_hash() is written out for five words and seven keys");

#endif
