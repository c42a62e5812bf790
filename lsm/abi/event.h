/* SPDX-License-Identifier: (GPL-2.0-only OR LGPL-2.1-or-later) */
/*
 * What the kernel side tells the agent: events through the two rings, labels of tasks, counters, and the word
 * that says which image is in force.
 */
#ifndef LSMD_ABI_EVENT_H
#define LSMD_ABI_EVENT_H

#include "image.h"

/* LSMD_HOOKS(X): X(CONSTANT, "lsm hook"). A program is named lsmd_ and the hook. */
#define LSMD_HOOKS(X)                                   \
	X(FILE_OPEN, "file_open")                       \
	X(FILE_RECEIVE, "file_receive")                 \
	X(FILE_PERMISSION, "file_permission")           \
	X(FILE_FCNTL, "file_fcntl")                     \
	X(FILE_MPROTECT, "file_mprotect")               \
	X(MMAP_FILE, "mmap_file")                       \
	X(FILE_TRUNCATE, "file_truncate")               \
	X(PATH_TRUNCATE, "path_truncate")               \
	X(PATH_UNLINK, "path_unlink")                   \
	X(PATH_RMDIR, "path_rmdir")                     \
	X(PATH_MKDIR, "path_mkdir")                     \
	X(PATH_MKNOD, "path_mknod")                     \
	X(PATH_SYMLINK, "path_symlink")                 \
	X(PATH_LINK, "path_link")                       \
	X(PATH_RENAME, "path_rename")                   \
	X(PATH_CHMOD, "path_chmod")                     \
	X(PATH_CHOWN, "path_chown")                     \
	X(INODE_SETATTR, "inode_setattr")               \
	X(INODE_SETXATTR, "inode_setxattr")             \
	X(INODE_REMOVEXATTR, "inode_removexattr")       \
	X(INODE_SET_ACL, "inode_set_acl")               \
	X(INODE_REMOVE_ACL, "inode_remove_acl")         \
	X(INODE_FILE_SETATTR, "inode_file_setattr")     \
	X(FILE_IOCTL, "file_ioctl")                     \
	X(FILE_IOCTL_COMPAT, "file_ioctl_compat")       \
	X(BPRM_CREDS_FOR_EXEC, "bprm_creds_for_exec")   \
	X(BPRM_CHECK_SECURITY, "bprm_check_security")   \
	X(BPRM_CREDS_FROM_FILE, "bprm_creds_from_file") \
	X(BPRM_COMMITTED_CREDS, "bprm_committed_creds") \
	X(TASK_ALLOC, "task_alloc")                     \
	X(TASK_KILL, "task_kill")                       \
	X(PTRACE_ACCESS_CHECK, "ptrace_access_check")   \
	X(PTRACE_TRACEME, "ptrace_traceme")             \
	X(TASK_SETNICE, "task_setnice")                 \
	X(TASK_SETIOPRIO, "task_setioprio")             \
	X(TASK_SETSCHEDULER, "task_setscheduler")       \
	X(TASK_SETRLIMIT, "task_setrlimit")             \
	X(TASK_MOVEMEMORY, "task_movememory")           \
	X(FILE_SEND_SIGIOTASK, "file_send_sigiotask")   \
	X(CAPABLE, "capable")                           \
	X(KERNEL_MODULE_REQUEST, "kernel_module_request") \
	X(BPF, "bpf")                                   \
	X(BPF_MAP, "bpf_map")                           \
	X(BPF_PROG, "bpf_prog")                         \
	X(USERNS_CREATE, "userns_create")               \
	X(LOCKED_DOWN, "locked_down")                   \
	X(PERF_EVENT_OPEN, "perf_event_open")           \
	X(SOCKET_CREATE, "socket_create")               \
	X(SOCKET_BIND, "socket_bind")                   \
	X(SOCKET_CONNECT, "socket_connect")             \
	X(SOCKET_LISTEN, "socket_listen")               \
	X(SOCKET_ACCEPT, "socket_accept")               \
	X(SOCKET_SENDMSG, "socket_sendmsg")             \
	X(SOCKET_RECVMSG, "socket_recvmsg")             \
	X(SCTP_BIND_CONNECT, "sctp_bind_connect")       \
	X(UNIX_STREAM_CONNECT, "unix_stream_connect")   \
	X(UNIX_MAY_SEND, "unix_may_send")               \
	X(SB_MOUNT, "sb_mount")                         \
	X(SB_REMOUNT, "sb_remount")                     \
	X(SB_UMOUNT, "sb_umount")                       \
	X(MOVE_MOUNT, "move_mount")                     \
	X(SB_PIVOTROOT, "sb_pivotroot")

/* Hooks that came later than the oldest supported kernel, where another one did the same before. */
#define LSMD_HOOKS_OPTIONAL(X)                                                                                  \
	X(FILE_TRUNCATE)      /* since 6.2; path_truncate saw ftruncate */                                      \
	X(INODE_SET_ACL)      /* since 6.2; ACLs came through inode_setxattr */                                 \
	X(INODE_REMOVE_ACL)   /* since 6.2; through inode_removexattr */                                        \
	X(INODE_FILE_SETATTR) /* since 6.17, as file_setattr(2); flags were set by ioctl only */                \
	X(FILE_IOCTL_COMPAT)  /* since 6.8; file_ioctl saw the calls of 32-bit programs */

enum lsmd_hook {
#define X(constant, name) LSMD_HOOK_##constant,
	LSMD_HOOKS(X)
#undef X
	LSMD_N_HOOKS,
};

enum lsmd_object {
	LSMD_OBJECT_NONE,     /* the verb takes none (mount) */
	LSMD_OBJECT_PATH,     /* bytes[]: a name */
	LSMD_OBJECT_ADDRESS,  /* address */
	LSMD_OBJECT_ABSTRACT, /* bytes[]: an abstract unix name, without the leading NUL; may hold any byte */
	LSMD_OBJECT_NAME,     /* bytes[]: what the verb acts on, as components of LSMD_NAME_DIGITS digits */
};

#define LSMD_N_OBJECTS (LSMD_OBJECT_NAME + 1)

/* object_named() - has the object a name in one of the trees? */
static inline int object_named(unsigned int object)
{
	return object == LSMD_OBJECT_PATH || object == LSMD_OBJECT_ABSTRACT || object == LSMD_OBJECT_NAME;
}

/* An internet address as decided on: normalised (MEANING.md 21). */
struct lsmd_address {
	lsmd_u64 hi;
	lsmd_u64 lo;
	lsmd_u16 port;   /* host order */
	lsmd_u16 proto;  /* enum lsmd_proto */
	lsmd_u16 family; /* AF_ of the address as it was given */
	lsmd_u16 zero;
};

/* One layer's answer where it is not a plain allow. */
struct lsmd_answer {
	lsmd_u32 layer;
	lsmd_u32 rule;   /* 0: undecided, see reason; a default gives the layer's pseudo rule */
	lsmd_u8 verdict; /* enum lsmd_verdict */
	lsmd_u8 reason;  /* enum lsmd_reason */
	lsmd_u8 verb;    /* the first verb it answers so, enum lsmd_verb */
	lsmd_u8 mode;    /* enum lsmd_mode */
};

/*
 * One decision worth a record. Of variable size: bytes[] holds, one after the other, object_len bytes of the object's name,
 * other_len of the second one (new name of a rename or link), program_len of the program's.
 */
struct lsmd_event {
	lsmd_u64 time_ns;    /* CLOCK_BOOTTIME */
	lsmd_u64 generation; /* of the image that answered; 0: none could be read */
	lsmd_u64 cgroup_id;
	lsmd_u32 wanted;     /* access */
	lsmd_u32 pid;        /* task, in the initial pid namespace */
	lsmd_u32 tgid;
	lsmd_u32 ppid;
	lsmd_u32 uid;
	lsmd_u32 euid;
	lsmd_u32 loginuid;   /* ~0: unset */
	lsmd_u32 session;
	lsmd_u16 hook;       /* enum lsmd_hook */
	lsmd_u8 object;      /* enum lsmd_object */
	lsmd_u8 n_answers;
	lsmd_u8 refused;     /* the call got -EPERM */
	lsmd_u8 path_reason; /* enum lsmd_reason when the name is not whole */
	lsmd_u16 object_len;
	lsmd_u16 other_len;
	lsmd_u16 program_len;
	lsmd_u32 zero;
	struct lsmd_address address;
	char comm[16];
	struct lsmd_answer answers[LSMD_LAYERS_MAX];
	lsmd_u8 bytes[];
};

/* Bytes of the longest event: two names and a program. */
#define LSMD_EVENT_MAX (sizeof(struct lsmd_event) + 3 * LSMD_PATH_MAX)

/*
 * The names that labels remember: those of the programs of one exec, one behind the other, and from LSMD_LABEL_NAMES_MAX on the path
 * of the cgroup at that moment. Each name: a byte with the number of its pieces, then each piece: a byte with its
 * length, | 0x80 when it goes on in the middle of a component, and its bytes.
 */
#define LSMD_PROGRAM_CONTINUED 0x80
/* Bytes that a copy of whole words may touch behind a piece. */
#define LSMD_PROGRAM_SLACK 48
#define LSMD_LABEL_BYTES_MAX (LSMD_LABEL_NAMES_MAX + LSMD_LABEL_CGROUP_MAX)

/* lsmd_programs.unknown: what could not be remembered. A policy that would have to ask for it is undecided. */
#define LSMD_UNKNOWN_PROGRAM 1
#define LSMD_UNKNOWN_CGROUP 2

struct lsmd_programs {
	lsmd_u16 n;       /* names of programs */
	lsmd_u16 len;     /* bytes that they use */
	lsmd_u32 unknown;
	lsmd_u8 bytes[LSMD_LABEL_BYTES_MAX + LSMD_PROGRAM_SLACK];
};

/* lsmd_label.state */
enum lsmd_label_state {
	LSMD_LABEL_NONE,
	LSMD_LABEL_CLAIMED, /* the iterator is writing it */
	LSMD_LABEL_GIVEN,
	LSMD_LABEL_CHANGING, /* an exec is writing it */
};

#define LSMD_LABEL_SENDING 1    /* flags: between socket_sendmsg and unix_may_send, a name was given */
#define LSMD_LABEL_OVERFLOW 2   /* a swap or setuid put more layers on the task than it can carry, or who it is is not known: undecided */
#define LSMD_LABEL_ASKS_IDS 4   /* the set has subjects that ask for ids: a task that changed its own is looked at anew */

/* lsmd_label.files */
#define LSMD_HOLDS_FILES 1
#define LSMD_HOLDS_CONNECTIONS 2

/* What a hook keeps on a task (MEANING.md 7, 8). Written by the task itself, but for the first by the iterator. */
struct lsmd_label {
	lsmd_u64 generation; /* for which layers[] holds; 0: compute it anew */
	lsmd_u64 home;       /* mount namespace in which the task was first held */
	lsmd_u64 exec_id;    /* self_exec_id of the exec that gave it: two sets of programs give one label once */
	lsmd_u32 state;
	lsmd_u32 flags;
	lsmd_u16 n_layers;
	lsmd_u16 n_inherited;
	lsmd_u16 n_handed;
	lsmd_u16 n_kept;     /* of handed[], at its end: policies that the set does not have */
	lsmd_u32 uid;        /* effective ids, as the initial user namespace counts: of the exec, or the last that ASKS_IDS noticed */
	lsmd_u32 gid;
	lsmd_u32 asks;       /* verbs that a layer could refuse or record: no other need be asked for */
	lsmd_u32 n_enforced; /* of the layers, those in enforce mode: the guard is theirs (MEANING.md 2, 26) */
	lsmd_u32 files;      /* LSMD_HOLDS_*: what it holds open and may not open by itself: each use is asked for (MEANING.md 23) */
	lsmd_u32 undecided;  /* or of the layers' undecided masks: what is refused when no image can be asked */
	lsmd_u32 layers[LSMD_LAYERS_MAX];    /* indices into the image of that generation; own ones first */
	lsmd_u64 inherited[LSMD_LAYERS_MAX]; /* keys of policies that were handed down to this task, or held it under earlier ids */
	lsmd_u64 handed[LSMD_LAYERS_MAX];    /* keys of those it hands down to what it executes */
	struct lsmd_programs programs;
};

/*
 * Flag of lsmd_control.active: the generation is on trial, in force until deadline_ns only; from then on fallback is. Hooks look at
 * the clock themselves, so that a trial ends without the agent.
 */
#define LSMD_ACTIVE_TRIAL (1ull << 63)

/* lsmd_control.trial: why a generation is on trial */
enum lsmd_trial {
	LSMD_TRIAL_NONE,
	LSMD_TRIAL_CONFIRM, /* lsmctl reload --confirm */
	LSMD_TRIAL_MODE,    /* lsmctl mode --for */
};

/*
 * The words shared by the agent and every program; one map value, mapped by both. Those before `standby` mean the same in every
 * version: an agent reads and settles them for programs that it does not know otherwise.
 */
struct lsmd_control {
	lsmd_u64 active;      /* generation in force; its image lies in slot (active & 1). 0: none, nothing is held */
	lsmd_u64 fallback;    /* generation that takes the place of one on trial; lies in the other slot */
	lsmd_u64 deadline_ns; /* CLOCK_BOOTTIME, of the trial */
	lsmd_u64 last;        /* highest generation that was ever used, here or by programs before these */
	lsmd_u64 rejected;    /* checksum of the image that nobody confirmed; 0: none. A start leaves it out of force */
	lsmd_u64 trial_sum;   /* checksum of the image on trial */
	lsmd_u64 trial_key;   /* of LSMD_TRIAL_MODE: key of the policy */
	lsmd_u32 trial;       /* enum lsmd_trial */
	lsmd_u32 n_links;     /* that were pinned: fewer of them, and the set is damaged */
	lsmd_u32 standby;     /* while active is 0: another set of programs decides, labels are its to write */
	lsmd_u32 protect;     /* the guard (lsm/hook/guard.h) is for everyone, not only for who is held */
	lsmd_u64 guard_cgroup; /* id of the control group of the agent's unit; 0: it has none */
	lsmd_u64 guard_above[LSMD_GUARD_ABOVE_MAX]; /* and of those above it; 0: no more */
	lsmd_u64 guard_start; /* when the agent's process began, in clock ticks since boot: its number may be given again */
	lsmd_u32 guard_tgid;  /* the agent's process; 0: none */
	lsmd_u32 files;       /* LSMD_FILES_*: while it is 0, nobody who reads or writes looks at its label */
};

#define LSMD_FILES_SOME 1 /* there is, or was, a label with `files` set */
#define LSMD_FILES_ALL 2  /* as if all were: the agent has not looked yet at what tasks hold open since a swap */

/* One of the clock ticks that /proc/PID/stat counts in: USER_HZ is 100 everywhere that BPF runs. */
#define LSMD_CLOCK_TICK_NS 10000000

/*
 * Per-processor counters by place, always counted, whether or not an event could be sent. denied = sent + ring-full + silenced +
 * denied-no-scratch + denied-no-label + denied-no-storage; noted = sent-notes + ring-full-notes.
 */
#define LSMD_COUNTS(X)                                                                 \
	X(DENIED, "denied")                  /* decisions that gave -EPERM */          \
	X(WOULD_DENY, "would-deny")          /* audit-mode layers that would have */   \
	X(ALLOWED_LOGGED, "allowed-logged")  /* uses of an allow rule with a record */ \
	X(SENT, "sent")                      /* events put into the denial ring */     \
	X(SENT_NOTES, "sent-notes")          /* events put into the note ring */       \
	X(SILENCED, "silenced")              /* denied, not sent because the rule says so */ \
	X(RING_FULL, "ring-full")            /* denied, not sent, denial ring full */  \
	X(NOTED, "noted")                    /* decisions for the note ring */         \
	X(RING_FULL_NOTES, "ring-full-notes") /* of those not sent, ring full */       \
	X(DENIED_NO_SCRATCH, "denied-no-scratch") /* denied, not sent, no buffer to build it in */ \
	X(DENIED_NO_LABEL, "denied-no-label") /* denied, not sent, nobody to name */   \
	X(DENIED_NO_STORAGE, "denied-no-storage") /* fork or exec denied: no storage for the label */ \
	X(KILLED, "killed")                  /* processes that a rule ended */         \
	X(LABELLED, "labelled")              /* labels given by exec */                \
	X(REFRESHED, "refreshed")            /* labels computed anew after a swap */   \
	X(NO_LABEL, "no-label")              /* a task without a readable label was met */ \
	X(WALK_RETRIED, "walk-retried")      /* a name changed while it was read */

enum lsmd_count {
#define X(constant, name) LSMD_COUNT_##constant,
	LSMD_COUNTS(X)
#undef X
	/* then one a reason: LSMD_COUNT_REASON + enum lsmd_reason, layers that refused for it */
	LSMD_COUNT_REASON,
	LSMD_N_COUNTS = LSMD_COUNT_REASON + 32,
};

/*
 * What agents did with the events of one ring, in decisions. It lies in a pinned map that the kernel side never looks at, so that the
 * agent after one that was killed goes on counting: what is missing between `read` and the rest then was lost with it.
 */
struct lsmd_tally_stream {
	lsmd_u64 read;      /* taken from the ring */
	lsmd_u64 passed;    /* one record each */
	lsmd_u64 folded;    /* in records with a repeat count */
	lsmd_u64 limited;   /* dropped: the rule had its share of the window, and no room to fold it */
	lsmd_u64 malformed; /* dropped: not as this version lays events out */
	lsmd_u64 lost;      /* dropped: no memory for the record */
	lsmd_u64 orphaned;  /* dropped: an agent that ended had it */
	/* The event being read, written before `read` is: a successor that finds it at the head of the ring knows whether it was counted. */
	lsmd_u64 at_read;   /* what `read` is once it is counted */
	lsmd_u64 at_ns;
	lsmd_u64 at_tid;
};

/* Records, and the decisions that they stand for. */
struct lsmd_tally_count {
	lsmd_u64 records;
	lsmd_u64 decisions;
};

/* What one sink did with the records of both rings; given = delivered + full + absent + failed + orphaned + queued. */
struct lsmd_tally_sink {
	struct lsmd_tally_count given;
	struct lsmd_tally_count delivered;
	struct lsmd_tally_count full;     /* dropped: the queue was full */
	struct lsmd_tally_count absent;   /* dropped: nobody there */
	struct lsmd_tally_count failed;   /* dropped: the place refused */
	struct lsmd_tally_count orphaned; /* dropped, or delivered and not counted: an agent that ended had it */
};

#define LSMD_TALLY_SINKS 4

struct lsmd_tally {
	struct lsmd_tally_stream denials;
	struct lsmd_tally_stream notes;
	struct lsmd_tally_sink sinks[LSMD_TALLY_SINKS];
};

_Static_assert(sizeof(struct lsmd_tally) <= 4096, "one page is mapped");
_Static_assert(sizeof(struct lsmd_answer) == 12, "layout");
_Static_assert(sizeof(struct lsmd_label) % 8 == 0, "layout");
_Static_assert(sizeof(struct lsmd_label) <= 2048, "task storage of 7.2 holds 8,100 bytes, and every fork copies a label");
_Static_assert(sizeof(struct lsmd_event) % 8 == 0, "layout");

#endif
