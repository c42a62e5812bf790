/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of this room share: the maps, and how the kernel side is pinned. */
#ifndef LSMD_KERNEL_SIDE_H
#define LSMD_KERNEL_SIDE_H

#include <bpf/libbpf.h>

#include "agent/kernel/kernel.h"

/* SIDE_MAPS(X): X(CONSTANT, "map name in lsm/hook/maps.h") */
#define SIDE_MAPS(X)              \
	X(IMAGES, "lsmd_images")  \
	X(CONTROL, "lsmd_control") \
	X(COUNTS, "lsmd_counts")  \
	X(TALLY, "lsmd_tally")    \
	X(LABELS, "lsmd_labels")  \
	X(EXECS, "lsmd_execs")    \
	X(POOL, "lsmd_pool")      \
	X(DENIALS, "lsmd_denials") \
	X(NOTES, "lsmd_notes")

enum side_map {
#define X(constant, name) SIDE_##constant,
	SIDE_MAPS(X)
#undef X
	SIDE_N_MAPS,
};

struct kernel {
	int map_fds[SIDE_N_MAPS];
	int label_tasks_fd; /* iterator programs */
	int show_labels_fd;
	char *set;          /* directory of the pinned set */
	uint32_t image_bytes; /* size class */
	bool taken_over;
	bool read_only;
	struct lsmd_control *control;
	struct lsmd_tally *tally;
	int image_fd;                    /* map of the image in force; -1: none */
	struct lsmd_image_header *image; /* the same, mapped; NULL: none */
	size_t image_mapped;             /* bytes */
	struct ring_buffer *rings;
	kernel_event_fn event_fn; /* of the call that is reading */
	void *event_data;
};

struct kernel *side_new(void);
const char *side_map_name(enum side_map map);

/* why_set() - printf-like; what a person is told about a refusal */
void why_set(struct kernel_why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* load.c */

/** programs_hash() - of the objects built into this agent: programs pinned by another build are not taken over */
uint64_t programs_hash(void);

/* Descriptors of what is attached, by hook; -1 where this kernel lacks an optional one. */
struct attached {
	int links[LSMD_N_HOOKS];
	int programs[LSMD_N_HOOKS];
};

/**
 * programs_load() - load and attach everything, nothing pinned, no image in force
 * @kernel:   receives the maps and the iterators
 * @attached: descriptors owned by the caller
 */
int programs_load(struct kernel *kernel, struct attached *attached, struct kernel_why *why);

/** image_class() - size class for an image of @size bytes, with room to grow; 0: too large for any */
uint32_t image_class(size_t size);

/* pin.c */

/** pin_set() - pin all of it under @pins, whole or not at all; sets kernel->set */
int pin_set(struct kernel *kernel, const char *pins, const struct attached *attached, struct kernel_why *why);

/** pin_open() - open what is pinned. Return: 0, KERNEL_NOTHING_LOADED, KERNEL_FOREIGN_PINS, -errno. */
int pin_open(struct kernel *kernel, const char *pins, struct kernel_why *why);

/** pin_program_open() - the pinned program of hook @hook; -ENOENT where there is none. By pin, for which CAP_BPF is enough. */
int pin_program_open(const struct kernel *kernel, enum lsmd_hook hook);

/** pin_remove() - unpin every set. Return: 0, KERNEL_NOTHING_LOADED, -errno. */
int pin_remove(const char *pins);

/* swap.c */

/** swap_image() - fill the idle slot and flip; the slot before is freed after a grace period */
int swap_image(struct kernel *kernel, const struct lsmd_image_header *image, size_t size, struct kernel_why *why,
	       struct kernel_times *times);

/** swap_open_active() - open and map the image in force, by its id (CAP_SYS_ADMIN); nothing when none is */
int swap_open_active(struct kernel *kernel);

/** swap_end() - no image is in force from now on, and no decision reads one any more */
int swap_end(struct kernel *kernel);

/** swap_forget() - let go of the image in force */
void swap_forget(struct kernel *kernel);

/* label.c */

/** label_all() - label every task that has no label, until a pass finds none. Return: 0, -errno. */
int label_all(struct kernel *kernel, struct kernel_why *why);

#endif
