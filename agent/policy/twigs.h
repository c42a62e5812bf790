/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The literal names of an image as bytes: of the tree in which they lie those nodes that some layers say something of, sorted, so that a
 * name can be followed byte by byte. What no node gives falls back on the directory above, as path_find() does.
 */
#ifndef LSMD_POLICY_TWIGS_H
#define LSMD_POLICY_TWIGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lsm/abi/image.h"

/* The nodes of an image by number, and by the layers that speak there. Zero-initialise, nodes_index(), nodes_index_clear(). */
struct nodes_index {
	const struct lsmd_image_header *image;
	const struct lsmd_node **by_id; /* NULL: none */
	uint32_t n_ids;
	uint32_t *first; /* [layer]: its first in `ids`; one more entry than there are layers */
	uint32_t *ids;
	uint32_t *stamps; /* [id]: the last twigs it was put into */
	uint32_t stamp;
};

/** nodes_index() - @image: verified, borrowed. Return: 0, -ENOMEM. Linear in nodes and what is said of them */
int nodes_index(const struct lsmd_image_header *image, struct nodes_index *ret);
void nodes_index_clear(struct nodes_index *index);

/* Zero-initialise, twigs_make() or twigs_of_tree(), twigs_clear(). */
struct twigs {
	const struct lsmd_image_header *image;
	const struct lsmd_node **items; /* by parent, whole components before continued ones, bytes */
	size_t n, capacity;
};

/** twigs_make() - all names of which one of @layers says more than the directory above does. Return: 0, -ENOMEM */
int twigs_make(struct nodes_index *index, const uint32_t *layers, size_t n_layers, struct twigs *ret);

/** twigs_of_tree() - all names of one tree. Return: 0, -ENOMEM */
int twigs_of_tree(struct nodes_index *index, enum lsmd_tree tree, struct twigs *ret);
void twigs_clear(struct twigs *twigs);

/* Where a name stands. Off the tree (low == high) only `below` counts. */
struct twig {
	uint32_t low, high; /* pieces that begin with the bytes since the last piece */
	uint32_t below; /* class of names that end or go on off the tree */
	uint32_t depth; /* bytes since the last piece began */
};

/** twig_root() - behind the '/' of the root, or the '@' of an abstract name */
struct twig twig_root(const struct twigs *twigs, enum lsmd_tree tree);

/** twig_byte() - one more byte of a component */
struct twig twig_byte(const struct twigs *twigs, struct twig twig, unsigned char byte);

/** twig_slash() - the component is over, another begins */
struct twig twig_slash(const struct twigs *twigs, struct twig twig);

/** twig_class() - class of the name that ends here, which is not the root */
uint32_t twig_class(const struct twigs *twigs, const struct twig *twig);

/** twig_bytes() - set the bit of every byte with which a name stays on the tree */
void twig_bytes(const struct twigs *twigs, struct twig twig, uint64_t bits[4]);

/** twig_pieces() - where a piece may begin: all that may, of a component, or to go on with one that is full. Else off */
struct twig twig_pieces(const struct twigs *twigs, struct twig twig);

/** twig_piece() - behind a whole piece, and no longer one, from where twig_pieces() was */
struct twig twig_piece(const struct twigs *twigs, struct twig twig, const struct lsmd_node *piece);

static inline bool twig_off(const struct twig *twig)
{
	return twig->low == twig->high;
}

#endif
