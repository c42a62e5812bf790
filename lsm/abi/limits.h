/* SPDX-License-Identifier: (GPL-2.0-only OR LGPL-2.1-or-later) */
/* Every bound that the kernel side and the agent share: its unit, its reason, its proof. */
#ifndef LSMD_ABI_LIMITS_H
#define LSMD_ABI_LIMITS_H

/* Layers that may hold one process (MEANING.md 3); the exec that would make one more is refused. */
#define LSMD_LAYERS_MAX 16

/* Policies in one image. */
#define LSMD_POLICIES_MAX 65536

/*
 * A name is walked as pieces of LSMD_PIECE_LEN bytes: a component of up to 40 bytes is one piece, a longer
 * one is several. 40 bytes are five machine words, and what struct dentry keeps inline since 6.12.
 */
#define LSMD_PIECE_WORDS 5
#define LSMD_PIECE_LEN (LSMD_PIECE_WORDS * 8)

/* Pieces of one name; deeper or longer names are undecided (reason path-too-deep). A power of two: it is masked with. */
#define LSMD_PIECES_MAX 64

/*
 * Pieces that loops take which the verifier follows round by round; it pays for each, in every program. The seldom longer names go on
 * through bpf_loop(), which is verified once and costs more to run.
 */
#define LSMD_PIECES_FAST 20

/* Bytes of one component: NAME_MAX of Linux. */
#define LSMD_NAME_MAX 255
/* Pieces that one component can take: 255 / 40, rounded up. */
#define LSMD_NAME_PIECES ((LSMD_NAME_MAX + LSMD_PIECE_LEN - 1) / LSMD_PIECE_LEN)

/* Bytes of a whole name as it is written into an event: 64 pieces, a slash before each, rounded up. */
#define LSMD_PATH_MAX 4096

/* Tries of one walk that a rename or a mount races with, before the answer is undecided. */
#define LSMD_WALK_TRIES 4

/* Bytes of the names that a label remembers for the program it was latched for (script, interpreters), all together. */
#define LSMD_LABEL_NAMES_MAX 768
/* Bytes of the path of a cgroup that a label remembers; a longer one is unknown. The deepest of systemd and Kubernetes take half of it. */
#define LSMD_LABEL_CGROUP_MAX 512
/* Programs of one exec: the script and the interpreters; fs/exec.c gives up after five rewrites. */
#define LSMD_LABEL_PROGRAMS_MAX 6

/* Ranges of user or group numbers of one policy: 2^16, a search of so many steps. */
#define LSMD_IDS_STEPS 17
#define LSMD_IDS_MAX (1u << (LSMD_IDS_STEPS - 1))
/* Steps up a chain of inherited classes; the compiler flattens a class whose chain would grow longer. */
#define LSMD_INHERIT_MAX 8

/* Steps of a binary search: 2^20 address intervals, 2^16 layers, 2^16 ports. */
#define LSMD_SEARCH_STEPS 21
#define LSMD_INTERVALS_MAX (1u << (LSMD_SEARCH_STEPS - 1))
#define LSMD_LAYER_STEPS 17
#define LSMD_PORT_STEPS 17

/*
 * An image is one value of an array map; the size class is chosen at load. Offsets are masked with
 * size - 1, and LSMD_IMAGE_SLACK bytes stand behind, so that no masked read leaves the value.
 * The verifier limits a variable offset to 512 MiB, hence the largest class.
 */
#define LSMD_IMAGE_BYTES_MIN (1u << 20)
#define LSMD_IMAGE_BYTES_MAX (1u << 28)
#define LSMD_IMAGE_SLACK 4096

/* Scratch slots; claimed one by one, tried from the own processor's on, at most so many tries. */
#define LSMD_SCRATCH_SLOTS 256
#define LSMD_SCRATCH_TRIES 16

/* Bytes of the two rings: denials; audit-mode and logged allows. */
#define LSMD_RING_DENIALS_BYTES (1u << 20)
#define LSMD_RING_NOTES_BYTES (1u << 19)

/* Longest abstract unix address, in bytes after the leading NUL. */
#define LSMD_ABSTRACT_MAX 107

_Static_assert((LSMD_PIECES_MAX & (LSMD_PIECES_MAX - 1)) == 0, "path.h masks with LSMD_PIECES_MAX - 1");
_Static_assert((LSMD_SCRATCH_SLOTS & (LSMD_SCRATCH_SLOTS - 1)) == 0, "scratch.h masks with LSMD_SCRATCH_SLOTS - 1");
_Static_assert((LSMD_IMAGE_BYTES_MIN & (LSMD_IMAGE_BYTES_MIN - 1)) == 0, "view.h masks with the image size - 1");
_Static_assert(LSMD_PIECES_MAX * (LSMD_PIECE_LEN + 1) <= LSMD_PATH_MAX, "every walked name fits an event");

/* Control groups above that of the agent's unit. */
#define LSMD_GUARD_ABOVE_MAX 8

#endif
