/* SPDX-License-Identifier: GPL-2.0-only */
/* Every map, declared once; maps.bpf.c makes them. Also the settings that the agent fixes at load. */
#ifndef LSMD_HOOK_MAPS_H
#define LSMD_HOOK_MAPS_H

#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "lsm/abi/event.h"
#include "lsm/core/decide.h"
#include "lsm/core/subject.h"

/* Size class of images, minus one; a constant to the verifier. */
extern const volatile lsmd_u32 lsmd_image_mask;

/* What a walk saw at each step, to be seen again unchanged by the second pass. */
struct lsmd_step_seen {
	u64 dentry; /* or the mount, when it crossed one */
	u64 parent;
	u64 mountpoint; /* dentry, of a mount */
	u32 seq;        /* odd: a mount */
	u32 zero;
};

/* Where the search for all names of an object stands: names.h. */
struct lsmd_names {
	u64 dentry;
	u64 ns;
	u64 ns_root;
	u64 next; /* leads to the next mount */
	u64 end;  /* what leads to none */
	u32 reason; /* enum lsmd_reason: why it is not certain that all were seen; NONE: there was one, and all were */
	u32 zero;
};

/* For whom names of files are looked for: numbers. */
struct lsmd_user {
	u64 ns;
	u64 ns_root;  /* where a walk ends (a number, struct mount *) */
	u32 terminal; /* device number of the controlling terminal; 0: none */
	u32 away;     /* not in the mount namespace that is home */
	u64 dentry;   /* what it has open */
	u64 mount;
	u64 super;
	u64 sock;
};

#define LSMD_STEPS_MAX (LSMD_PIECES_MAX + 16)
#define LSMD_STEPS_FAST (LSMD_PIECES_FAST + 4)

/* Which ring an event goes to. */
enum record {
	RECORD_NONE,
	RECORD_NOTE,   /* an audit-mode refusal or a logged allow */
	RECORD_DENIAL,
};

/* Working memory of one decision, claimed by scratch.h. */
struct lsmd_scratch {
	u32 busy;
	u32 zero;
	u64 pointer; /* a pointer passes through here to become a number */
	struct lsmd_request req;
	struct lsmd_held held;
	struct lsmd_found found[2];
	struct lsmd_said said[2];
	struct lsmd_answer answers[LSMD_LAYERS_MAX];
	u32 n_answers; /* refusals and logged allows */
	u32 refused;   /* the call gets -EPERM */
	u32 record;    /* enum record */
	u32 kill;
	u32 looked;    /* found[0] is of this name */
	u32 at;        /* where a loop over names of programs is */
	u64 home;      /* mount namespace of the subject */
	u64 ns_root;   /* where the walk ends (a number, struct mount *) */
	u32 n_seen;
	u32 raw_len;
	struct lsmd_names names;
	struct lsmd_user user;
	struct lsmd_step_seen seen[LSMD_STEPS_MAX];
	u8 raw[256];   /* a long name, an address, the head of a dentry */
	struct lsmd_name name;
	struct lsmd_name other;
	struct lsmd_name program; /* of the label, for subjects and records */
	struct lsmd_who who;      /* the same */
	struct lsmd_label peer;   /* of another task */
	struct lsmd_event event;
	u8 bytes[3 * LSMD_PATH_MAX]; /* event.bytes */
};

/* An exec on its way: what its label will be when it can no longer fail. */
struct lsmd_exec {
	u64 generation;        /* of the image that decides it */
	u64 file;              /* of this round; two sets of programs see each round twice */
	u64 pointer;           /* a pointer passes through here to become a number */
	u32 rounds;
	u32 first;             /* look at this round's file */
	struct lsmd_label label; /* LSMD_LABEL_NONE: only its programs are known yet */
};

/* One image. The agent sets the size class before it loads the programs. */
struct lsmd_image_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(key_size, sizeof(u32));
	__uint(value_size, LSMD_IMAGE_BYTES_MIN + LSMD_IMAGE_SLACK);
};

/* Two slots; generation g lies in slot g & 1. */
struct lsmd_images_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(u32));
	__array(values, struct lsmd_image_map);
};

struct lsmd_control_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct lsmd_control);
};

struct lsmd_counts_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LSMD_N_COUNTS);
	__type(key, u32);
	__type(value, u64);
};

struct lsmd_tally_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct lsmd_tally);
};

struct lsmd_labels_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct lsmd_label);
};

struct lsmd_execs_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct lsmd_exec);
};

struct lsmd_pool_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LSMD_SCRATCH_SLOTS);
	__type(key, u32);
	__type(value, struct lsmd_scratch);
};

struct lsmd_denials_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, LSMD_RING_DENIALS_BYTES);
};

struct lsmd_notes_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, LSMD_RING_NOTES_BYTES);
};

extern struct lsmd_images_map lsmd_images SEC(".maps");
extern struct lsmd_control_map lsmd_control SEC(".maps");
extern struct lsmd_counts_map lsmd_counts SEC(".maps");
extern struct lsmd_tally_map lsmd_tally SEC(".maps");
extern struct lsmd_labels_map lsmd_labels SEC(".maps");
extern struct lsmd_execs_map lsmd_execs SEC(".maps");
extern struct lsmd_pool_map lsmd_pool SEC(".maps");
extern struct lsmd_denials_map lsmd_denials SEC(".maps");
extern struct lsmd_notes_map lsmd_notes SEC(".maps");

#endif
