/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of this room share: the maps, and how the kernel side is pinned. */
#ifndef LSMD_KERNEL_SIDE_H
#define LSMD_KERNEL_SIDE_H

#include <bpf/libbpf.h>

#include "agent/kernel/kernel.h"

/* What becomes of a map when other programs take the place of those that run. */
enum side_share {
	SHARE_NEVER,  /* the new programs have one of their own */
	SHARE_BUILD,  /* they go on with it where they are of the same build */
	SHARE_ALWAYS, /* they go on with it; where its layout is another, they cannot take over */
};

/* SIDE_MAPS(X): X(CONSTANT, "map name in lsm/hook/maps.h", enum side_share) */
#define SIDE_MAPS(X)                             \
	X(IMAGES, "lsmd_images", SHARE_NEVER)    \
	X(CONTROL, "lsmd_control", SHARE_NEVER)  \
	X(COUNTS, "lsmd_counts", SHARE_BUILD)    \
	X(TALLY, "lsmd_tally", SHARE_BUILD)      \
	X(LABELS, "lsmd_labels", SHARE_ALWAYS)   \
	X(EXECS, "lsmd_execs", SHARE_ALWAYS)     \
	X(POOL, "lsmd_pool", SHARE_BUILD)        \
	X(DENIALS, "lsmd_denials", SHARE_BUILD)  \
	X(NOTES, "lsmd_notes", SHARE_BUILD)

enum side_map {
#define X(constant, name, share) SIDE_##constant,
	SIDE_MAPS(X)
#undef X
	SIDE_N_MAPS,
};

struct kernel {
	int map_fds[SIDE_N_MAPS];
	int label_tasks_fd; /* iterator programs */
	int show_labels_fd;
	int check_files_fd;
	char *set;          /* directory of the pinned set */
	uint32_t epoch;     /* its number: the highest one that is in force counts */
	bool foreign;       /* of another build, or damaged: side_replace() it */
	char found[256];    /* what the last agent left half done, in a person's words; "": nothing */
	uint32_t image_bytes; /* size class */
	bool taken_over;
	bool read_only;
	struct lsmd_control *control;
	struct lsmd_tally *tally;
	int image_fd;                    /* map of the image in force; -1: none */
	int fallback_fd;                 /* of the one that takes its place when a trial ends; -1: none */
	struct lsmd_image_header *image; /* the same, mapped; NULL: none */
	size_t image_mapped;             /* bytes */
	struct ring_buffer *rings; /* both: to wait, and to read */
	struct ring_buffer *notes; /* the second alone */
	int event_room;            /* events that this call still reads */
	kernel_event_fn event_fn; /* of the call that is reading */
	void *event_data;
};

struct kernel *side_new(void);
const char *side_map_name(enum side_map map);
enum side_share side_map_share(enum side_map map);

/** side_control() - map the words that programs and agent share, and what agents hand on to their successors. Return: 0, -errno */
int side_control(struct kernel *kernel);

/** side_rings() - read from the rings. Return: 0, -errno */
int side_rings(struct kernel *kernel);

/* replace.c */

/**
 * side_replace() - other programs in the place of those that run, without a gap: attached beside them, then those go
 * @kernel: what runs, opened whole; what has taken its place afterwards
 * @room:   bytes of an image that must fit
 * @fresh:  what they begin with where the image in force is of an older layout; NULL: none
 * Return: 0, KERNEL_FOREIGN_PINS (labels or image of a layout that this agent does not know), KERNEL_UNABLE, -errno; on anything but 0
 * what ran goes on alone.
 */
int side_replace(struct kernel *kernel, const char *pins, size_t room, const struct lsmd_image_header *fresh, struct kernel_why *why);

/* why_set() - printf-like; what a person is told about a refusal */
void why_set(struct kernel_why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* load.c */

/** programs_hash() - of the objects built into this agent: programs pinned by another build are not taken over */
uint64_t programs_hash(void);

/* SHARED_FUNCTIONS(X): X(CONSTANT, "name in lsm/hook") - each LSMD_SHARED() */
#define SHARED_FUNCTIONS(X)                   \
	X(ALLOWED, "scratch_allowed")         \
	X(VERDICT, "scratch_verdict")         \
	X(LABEL_COMPUTE, "label_compute")     \
	X(PATH_NAME, "path_name")

enum shared {
#define X(constant, name) SHARED_##constant,
	SHARED_FUNCTIONS(X)
#undef X
	N_SHARED,
};

/* Descriptors of what is attached, by hook; -1 where this kernel lacks an optional one. */
struct attached {
	int links[LSMD_N_HOOKS];
	int programs[LSMD_N_HOOKS];
	int shared[LSMD_N_HOOKS][N_SHARED]; /* links; -1 where a program has no such stand-in */
	int standin_ids[N_SHARED];          /* in the BTF of the programs */
};

void attached_init(struct attached *attached);
void attached_close(struct attached *attached);

/**
 * programs_load() - load everything, nothing attached or pinned, no image in force
 * @kernel:   receives the maps and the iterators
 * @running:  what runs and is to be replaced: its maps are shared as SIDE_MAPS says; NULL: nothing
 * @attached: receives the programs; descriptors owned by the caller
 * Return: 0, KERNEL_UNABLE, KERNEL_FOREIGN_PINS (a map that must be shared has another layout), -errno
 */
int programs_load(struct kernel *kernel, const struct kernel *running, struct attached *attached, struct kernel_why *why);

/* shared.c */

const char *shared_name(enum shared function);

/** shared_register() - tell libbpf of the section that they stand in; before an object is opened. Return: 0, -errno */
int shared_register(void);

/** shared_choose() - of an object that is not loaded yet, load the shared functions only, or all but those. Return: 0, -EINVAL */
int shared_choose(struct bpf_object *object, bool shared);

/** shared_prepare() - @shared, the same object once more, will load the shared functions for the programs of @object, which are loaded */
int shared_prepare(struct bpf_object *shared, const struct bpf_object *object, struct attached *attached);

/** shared_put_all() - the loaded functions into all programs that have their stand-ins, before any of those is attached. Return: 0, -errno */
int shared_put_all(const struct bpf_object *shared, struct attached *attached, struct kernel_why *why);

/* load.c again */

/** programs_attach() - all of them. Return: 0, KERNEL_UNABLE, -errno */
int programs_attach(struct attached *attached, struct kernel_why *why);

/* layout.c */

/**
 * layout_same() - does the value of the map behind @fd look as that of @map, member by member? Asks the BTF of both
 * (CAP_SYS_ADMIN). Return: 1, 0, -errno
 */
int layout_same(const struct bpf_object *object, const struct bpf_map *map, int fd);

/** image_class() - size class for an image of @size bytes, with room to grow; 0: too large for any */
uint32_t image_class(size_t size);

/* pin.c */

/** pin_set() - pin all of it under @pins as set number kernel->epoch, whole or not at all; sets kernel->set */
int pin_set(struct kernel *kernel, const char *pins, const struct attached *attached, struct kernel_why *why);

/**
 * pin_open() - open the set in force: the one with the highest number whose word `active` is not 0
 * Return: 0; KERNEL_NOTHING_LOADED, whatever is pinned decides nothing; KERNEL_FOREIGN_PINS, it is of another build or damaged
 * (kernel->foreign; what is known of it is open); -errno.
 */
int pin_open(struct kernel *kernel, const char *pins, struct kernel_why *why);

/** pin_tidy() - unpin all sets but kernel->set. Return: how many there were, -errno */
int pin_tidy(const struct kernel *kernel, const char *pins);

/** pin_program_open() - the pinned program of hook @hook; -ENOENT where there is none. By pin, for which CAP_BPF is enough. */
int pin_program_open(const struct kernel *kernel, enum lsmd_hook hook);

/** pin_remove() - unpin every set, and the directory. Return: 0, KERNEL_NOTHING_LOADED, -errno. */
int pin_remove(const char *pins);

/* swap.c */

/** swap_fill() - an image into the slot of the next generation, verified as the kernel reads it. Return: its map's descriptor, -errno */
int swap_fill(struct kernel *kernel, const struct lsmd_image_header *image, size_t size, struct kernel_why *why);

/** swap_first() - what swap_fill() gave is in force from now on, in programs that held no image before; takes @fd. Return: 0, -errno */
int swap_first(struct kernel *kernel, int fd);

/** swap_image() - fill the idle slot and flip; the slot before is freed after a grace period */
int swap_image(struct kernel *kernel, const struct lsmd_image_header *image, size_t size, struct kernel_why *why,
	       struct kernel_times *times);

/** swap_open_active() - open and map the image in force, by its id (CAP_SYS_ADMIN); nothing when none is */
int swap_open_active(struct kernel *kernel);

/**
 * swap_wait() - until no decision reads what was in force before: an agent that follows one that was killed may find a slot that
 * decisions are still on their way to
 */
int swap_wait(struct kernel *kernel);

bool swap_on_trial(const struct kernel *kernel);

/** swap_generation() - the generation in force, as the programs read it */
uint64_t swap_generation(const struct kernel *kernel);

/** swap_trial_left() - nanoseconds until the trial ends; 0: it has */
uint64_t swap_trial_left(const struct kernel *kernel);

/** swap_trial() - as swap_image(), but in force until the trial ends only; no other may be on. Return: 0, -errno */
int swap_trial(struct kernel *kernel, const struct lsmd_image_header *image, size_t size, const struct kernel_trial *trial,
	       struct kernel_why *why, struct kernel_times *times);

/** swap_settle() - end the trial that is on: @keep the image for good, or go back. Return: 0, KERNEL_TOO_LATE, -errno */
int swap_settle(struct kernel *kernel, bool keep);

/** swap_end() - no image is in force from now on, and no decision reads one any more */
int swap_end(struct kernel *kernel);

/** swap_forget() - let go of the image in force */
void swap_forget(struct kernel *kernel);

/* label.c */

/** label_all() - label every task that has no label, until a pass finds none. Return: 0, -errno. */
int label_all(struct kernel *kernel, struct kernel_why *why);

/** files_ask() - before other policies come in force: whatever any task has open is asked for at each use from now on */
void files_ask(struct kernel *kernel);

/**
 * files_check() - look at what tasks have open, and ask on only those who may not have it (MEANING.md 23). Where that fails all go on being
 * asked, which costs time and changes no answer.
 */
void files_check(struct kernel *kernel);

#endif
