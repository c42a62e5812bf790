/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel side as the agent sees it: programs, maps, pins, the image in force. The files of this room are the only
 * callers of libbpf.
 */
#ifndef LSMD_KERNEL_KERNEL_H
#define LSMD_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lsm/abi/event.h"
#include "lsm/abi/image.h"

struct kernel;

enum {
	KERNEL_UNABLE = 1,       /* this kernel refuses or lacks something: `why` says what, in a person's words */
	KERNEL_FOREIGN_PINS,     /* what is in force is of a version that this agent cannot take over; it goes on as it is */
	KERNEL_NOTHING_LOADED,
	KERNEL_TOO_LATE,         /* the trial has ended by the clock */
};

struct kernel_why {
	char text[512];
};

/**
 * kernel_open() - have this kernel enforce, whatever is there: load, attach, label, or take over what an earlier agent left
 * @pins: directory on a bpf file system, such as "/sys/fs/bpf/lsmd"; made if absent
 * @image, @size: first image to be put in force when nothing is there (NULL: none, and then KERNEL_NOTHING_LOADED); when an image is
 *          taken over it stays in force, under this agent's own programs where those there are of another build, and the caller swaps
 * @ret:  owned by the caller, kernel_free()
 * Return: 0, KERNEL_UNABLE, KERNEL_FOREIGN_PINS, KERNEL_NOTHING_LOADED, -errno. On anything but 0 nothing new is attached or pinned.
 */
int kernel_open(const char *pins, const struct lsmd_image_header *image, size_t size, struct kernel_why *why,
		struct kernel **ret);

/** kernel_attach() - open what is pinned for reading only (lsmctl status without the agent, unload) */
int kernel_attach(const char *pins, struct kernel_why *why, struct kernel **ret);

/** kernel_free() - let go; what is pinned goes on enforcing */
void kernel_free(struct kernel *kernel);
static inline void kernel_freep(struct kernel **kernel)
{
	kernel_free(*kernel);
}

/** kernel_found() - what an agent before this one left half done and kernel_open() brought to an end, for the log; "": nothing */
const char *kernel_found(const struct kernel *kernel);

/** kernel_taken_over() - did kernel_open() find an enforcing kernel side? */
bool kernel_taken_over(const struct kernel *kernel);

struct kernel_times {
	uint64_t load_ns;   /* image into the idle slot, verified as the kernel reads it */
	uint64_t swap_ns;   /* the flip */
	uint64_t grace_ns;  /* until the old image could be freed */
};

/**
 * kernel_swap() - put another image in force
 * @image: verified, borrowed; its generation is set in the kernel's copy. One that outgrows the programs has larger ones loaded first.
 * Return: 0, KERNEL_UNABLE, -errno; on failure the image in force stays.
 */
int kernel_swap(struct kernel *kernel, const struct lsmd_image_header *image, size_t size, struct kernel_why *why,
		struct kernel_times *ret);

/*
 * A trial: the image is in force for a time only, then the kernel goes back to the one before, also when no agent is there any more.
 * The clock is CLOCK_BOOTTIME, and the hooks look at it.
 */
struct kernel_trial {
	enum lsmd_trial kind;
	uint64_t ns;  /* of kernel_swap_trial(): from the swap on; of kernel_trial(): that are left, 0 when it is over */
	uint64_t key; /* of LSMD_TRIAL_MODE: key of the policy */
};

/** kernel_swap_trial() - as kernel_swap(), for a time; no other trial may be on */
int kernel_swap_trial(struct kernel *kernel, const struct lsmd_image_header *image, size_t size, const struct kernel_trial *trial,
		      struct kernel_why *why, struct kernel_times *ret);

/** kernel_trial() - is one on, or over by the clock and not settled yet? */
bool kernel_trial(const struct kernel *kernel, struct kernel_trial *ret);

/** kernel_settle() - end the trial: @keep its image for good, or go back now. Return: 0, KERNEL_TOO_LATE, -errno */
int kernel_settle(struct kernel *kernel, bool keep);

/** kernel_rejected() - checksum of the image that was on trial and that nobody confirmed; 0: none. Any other swap forgets it. */
uint64_t kernel_rejected(const struct kernel *kernel);

/* Who the agent is, for the guard (lsm/hook/guard.h). All 0: nobody. */
struct kernel_agent {
	uint32_t tgid;
	uint64_t start; /* when its process began: clock ticks since boot, as in /proc/PID/stat */
	uint64_t groups[1 + LSMD_GUARD_ABOVE_MAX]; /* ids of the control group of its unit and of those above it; 0: no more */
	bool protect;   /* from everyone */
};

void kernel_guard(struct kernel *kernel, const struct kernel_agent *agent);

/** kernel_image() - the image in force, as the kernel reads it; borrowed until the next swap. NULL: none. */
const struct lsmd_image_header *kernel_image(const struct kernel *kernel);
uint64_t kernel_generation(const struct kernel *kernel);

/** kernel_unload() - end enforcement: detach and unpin everything. Return: 0, KERNEL_NOTHING_LOADED, -errno. */
int kernel_unload(const char *pins);

/* Events. The descriptor polls readable; @denial tells the ring. The event is borrowed for the call. */
typedef void (*kernel_event_fn)(void *data, const struct lsmd_event *event, size_t size, bool denial);
int kernel_events_fd(const struct kernel *kernel);
/** kernel_events_read() - hand over all that is there. Return: number of events, -errno. */
int kernel_events_read(struct kernel *kernel, kernel_event_fn fn, void *data);

struct kernel_program {
	char name[64];      /* of the hook */
	uint32_t id;
	uint32_t insns;     /* translated */
	uint32_t jited_bytes;
	uint64_t runs;      /* 0 unless kernel.bpf_stats_enabled */
	uint64_t run_ns;
};

struct kernel_map {
	char name[64];
	uint32_t id;
	uint64_t bytes;     /* as the kernel accounts for it */
};

struct kernel_stats {
	uint64_t generation;
	uint64_t counts[LSMD_N_COUNTS]; /* summed over processors */
	struct kernel_program *programs;
	size_t n_programs;
	struct kernel_map *maps;
	size_t n_maps;
};

int kernel_stats(struct kernel *kernel, struct kernel_stats *ret);
void kernel_stats_clear(struct kernel_stats *stats);

/** kernel_rule_counts() - lsmd_u64 a rule of the image in force; borrowed until the next swap */
const uint64_t *kernel_rule_counts(const struct kernel *kernel, size_t *ret_n);

/**
 * kernel_tally() - what agents did with events, the ones before this one too; mapped memory, borrowed until kernel_free(), for
 * reading only after kernel_attach()
 */
struct lsmd_tally *kernel_tally(const struct kernel *kernel);

/* One labelled process (thread group leaders only). */
struct kernel_task {
	uint32_t pid;
	bool labelled;
	struct lsmd_label label;
};
typedef int (*kernel_task_fn)(void *data, const struct kernel_task *task);

/** kernel_tasks() - the label of every task, by the iterator; @fn returns non-zero to stop */
int kernel_tasks(struct kernel *kernel, kernel_task_fn fn, void *data);

/* Verbs that the running programs do not mediate on this kernel: access bits; 0 normally. */
uint32_t kernel_unmediated(const struct kernel *kernel);

/* probe.c: what this kernel can do, without changing anything. */
struct probe_line {
	bool ok;
	bool fatal;      /* lsmd cannot run without it */
	char what[64];   /* "bpf among the active LSMs" */
	char found[160]; /* "lockdown,capability,landlock,yama,apparmor,bpf" */
	char mend[256];  /* empty when ok */
};
#define PROBE_LINES_MAX 24
struct probe {
	struct probe_line lines[PROBE_LINES_MAX];
	size_t n;
	bool able;       /* nothing fatal */
};
int kernel_probe(struct probe *ret);

#endif
