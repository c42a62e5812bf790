/* SPDX-License-Identifier: (GPL-2.0-only OR LGPL-2.1-or-later) */
/*
 * Byte layout of the policy image: one flat, position-free block, little words in host order, that the
 * compiler writes once and that the kernel side, explain and the tests read through lsm/core/view.h.
 *
 * A section is an array of fixed-size records: {off, n} in the header, off in bytes from the start of the
 * image, aligned to 64. Record 0 of classes, cells, rows, rules, states and strings is reserved ("none").
 *
 * How a name is answered (lsm/core/path.h):
 *  - literal names of all layers lie in one tree. A node is found by (id of its parent, piece of name) through a
 *    perfect hash, then compared exactly. It gives two classes: `exact`, for a name that ends here, and
 *    `below`, for names that go on where the tree does not. Both already hold what the rules of the
 *    directories above say (through `inherits`), so only one class is asked.
 *  - names with wildcards are run through the automaton of each layer, whose accepting states give a class.
 *  - the class gives a layer's allowed and denied verbs; both sources are or-ed; deny beats allow beats default.
 */
#ifndef LSMD_ABI_IMAGE_H
#define LSMD_ABI_IMAGE_H

#include "limits.h"

/* C types that both builds know; BPF has no <stdint.h> of its own. */
typedef unsigned char lsmd_u8;
typedef unsigned short lsmd_u16;
typedef unsigned int lsmd_u32;
typedef unsigned long long lsmd_u64;

#define LSMD_IMAGE_MAGIC 0x3149444d534cull /* "LSMDI1" */
#ifndef LSMD_IMAGE_VERSION /* tests build agents of other versions */
#define LSMD_IMAGE_VERSION 3
#endif

struct lsmd_section {
	lsmd_u32 off; /* bytes */
	lsmd_u32 n;   /* records */
};

/* Trees of literal names. Node ids from LSMD_N_TREES on are ordinary nodes; id t is the root of tree t. */
enum lsmd_tree {
	LSMD_TREE_NONE,     /* id 0 is no node */
	LSMD_TREE_OBJECT,   /* names of files, sockets with a name included */
	LSMD_TREE_SUBJECT,  /* names of programs that policies hold; cells list the layers, allow = ~0 */
	LSMD_TREE_ABSTRACT, /* abstract unix names: one component, without the leading NUL */
	LSMD_TREE_NAME,     /* what verbs act on that have neither file nor address: components are numbers, see access.h */
	LSMD_N_TREES,
};

/* Room for roots: a power of two, so that any number is made a tree by a mask. */
#define LSMD_TREES_ROOM 8

struct lsmd_root {
	lsmd_u32 exact; /* class of the root itself */
	lsmd_u32 below; /* class of what no node names */
};

/*
 * Keys of the hash of (parent, piece): seven odd multipliers. The compiler takes attempt 0, 1, … until the
 * perfect hash exists; attempt a gives key[i] = splitmix64 output number a * 8 + i, made odd.
 */
#define LSMD_HASH_KEYS (LSMD_PIECE_WORDS + 2)

struct lsmd_image_header {
	lsmd_u64 magic;
	lsmd_u32 version;
	lsmd_u32 size;       /* bytes of the whole image, header included */
	lsmd_u64 checksum;   /* of all bytes but this field and the counters (agent/policy/image.h says which) */
	lsmd_u64 set_hash;   /* of the policies' meaning and places: names a policy set in records */
	lsmd_u64 generation; /* 0 as compiled; written by the agent when it is loaded */
	lsmd_u32 undecided;  /* or of all enforcing layers' undecided masks: what a task without a label is refused */
	lsmd_u32 flags;
	lsmd_u64 hash_key[LSMD_HASH_KEYS];
	struct lsmd_root root[LSMD_TREES_ROOM];
	lsmd_u32 subject_dfa; /* start state of the automaton over programs' names; 0: none */
	lsmd_u32 subject_map; /* its byte map: index into bytemaps */
	lsmd_u32 subject_any; /* class of the layers that ask for no program: their selectors decide alone */
	lsmd_u32 selects;     /* or of all subjects' selects */
	struct lsmd_section displace; /* lsmd_u32 each: displacement of a hash bucket */
	struct lsmd_section nodes;    /* struct lsmd_node, in the order of the perfect hash; empty slots are zero */
	struct lsmd_section classes;
	struct lsmd_section cells;
	struct lsmd_section rows;
	struct lsmd_section layers;
	struct lsmd_section layer_keys; /* struct lsmd_layer_key, sorted by key */
	struct lsmd_section subjects;   /* struct lsmd_subject, one a layer, same index */
	struct lsmd_section ids;        /* struct lsmd_ids: of the subjects, in their order */
	struct lsmd_section bytemaps;   /* 256 bytes each: byte -> column */
	struct lsmd_section states;
	struct lsmd_section steps;
	struct lsmd_section nets;       /* struct lsmd_net_table */
	struct lsmd_section intervals;
	struct lsmd_section portsets;
	struct lsmd_section ports;
	struct lsmd_section rules;
	struct lsmd_section notes;
	struct lsmd_section strings;    /* bytes; NUL-terminated */
	struct lsmd_section counters;   /* lsmd_u64 a rule, same index: refusals and logged allows; the kernel writes */
};

/* A piece of a name below a parent. A component of more than LSMD_PIECE_LEN bytes is a chain of pieces. */
#define LSMD_PIECE_CONTINUED 0x100 /* in meta: this piece goes on in the middle of a component */
#define LSMD_NODE_HAS_CHILDREN 1   /* in flags: some literal name goes on below */

struct lsmd_node {
	lsmd_u32 parent; /* id */
	lsmd_u32 id;
	lsmd_u16 meta;   /* bytes used in name (1..40), | LSMD_PIECE_CONTINUED */
	lsmd_u16 flags;
	lsmd_u32 exact;  /* class, always valid: what holds for the name that ends here */
	lsmd_u32 below;  /* class, always valid: what holds for names below that no node gives */
	lsmd_u32 zero;
	lsmd_u64 name[LSMD_PIECE_WORDS]; /* bytes in memory order, zero padded */
};

/*
 * What rules say of one name, by layer. The common class of one layer is kept in itself; LSMD_CLASS_MANY
 * in `layer` makes `allow` the first cell and `deny` the number of cells, sorted by layer.
 * A layer that is not in the class is looked for in `inherits` (0: none), at most LSMD_INHERIT_MAX times; the
 * cell found first is the whole answer (the compiler merged the same layer's cells of the classes above).
 */
#define LSMD_CLASS_MANY 0xffffffffu

struct lsmd_class {
	lsmd_u32 inherits;
	lsmd_u32 layer;
	lsmd_u32 allow; /* access that a rule allows */
	lsmd_u32 deny;  /* access that a rule denies; may overlap allow, and wins */
	lsmd_u32 rule;  /* the rule that decides all of it, or LSMD_RULE_ROW | index of a row */
};

struct lsmd_cell {
	lsmd_u32 layer;
	lsmd_u32 allow;
	lsmd_u32 deny;
	lsmd_u32 rule;
};

/*
 * rule[v], for each bit v of an access: the lowest-numbered rule that denies it where `deny` has the bit, else the
 * lowest-numbered that allows it, else 0.
 */
#define LSMD_RULE_ROW 0x80000000u

struct lsmd_row {
	lsmd_u32 rule[32];
};

/*
 * One policy. Rule numbers are global; first_rule is the layer's own pseudo rule: its default. Where places in the default decide some
 * verbs, each such place has a pseudo rule behind the last rule.
 */
#define LSMD_LAYER_CHILDREN 1  /* the layer stays on what the process executes */
#define LSMD_LAYER_LOGS_ALLOW 2 /* some allow rule wants a record */
#define LSMD_LAYER_APPEND_ONLY 4 /* somewhere `append` is allowed and `write` is not */

struct lsmd_layer {
	lsmd_u64 key;          /* lsmd_policy_key() of the policy's name: what labels remember */
	lsmd_u32 mode;         /* enum lsmd_mode */
	lsmd_u32 flags;
	lsmd_u32 default_deny; /* access that is refused when no rule speaks, device twins included */
	lsmd_u32 undecided;    /* access that is refused when it cannot be decided: whole classes (MEANING.md 4) */
	lsmd_u32 dfa;          /* start state; 0: no wildcards */
	lsmd_u32 bytemap;      /* index */
	lsmd_u32 net;          /* index of struct lsmd_net_table; 0: no address rules */
	lsmd_u32 first_rule;
	lsmd_u32 n_rules;      /* pseudo rules included */
	lsmd_u32 default_rule; /* the pseudo rule of every verb, or LSMD_RULE_ROW | index of a row */
	lsmd_u32 name;         /* strings offset */
	lsmd_u32 file;         /* strings offset: as shown to people */
	lsmd_u32 zero[2];
};

/*
 * What a layer asks of a process beside the name of its program (MEANING.md 7): all that `selects` says must hold. Automata are
 * the layer's own, literal names included; a unit is any component of the cgroup's path, run behind a leading '@'.
 */
#define LSMD_SELECT_UID 1
#define LSMD_SELECT_GID 2
#define LSMD_SELECT_CGROUP 4
#define LSMD_SELECT_UNIT 8
#define LSMD_SELECT_IDS (LSMD_SELECT_UID | LSMD_SELECT_GID)
#define LSMD_SELECT_GROUPS (LSMD_SELECT_CGROUP | LSMD_SELECT_UNIT) /* what the path of the cgroup answers */
#define LSMD_SELECT_ALL 15

struct lsmd_subject {
	lsmd_u32 selects;
	lsmd_u32 uids;   /* index into ids; sorted and disjoint */
	lsmd_u32 n_uids;
	lsmd_u32 gids;
	lsmd_u32 n_gids;
	lsmd_u32 cgroup_dfa; /* start state */
	lsmd_u32 cgroup_map; /* index into bytemaps */
	lsmd_u32 unit_dfa;
	lsmd_u32 unit_map;
	lsmd_u32 zero;
};

struct lsmd_ids {
	lsmd_u32 first;
	lsmd_u32 last;
};

struct lsmd_layer_key {
	lsmd_u64 key;
	lsmd_u32 layer;
	lsmd_u32 zero;
};

/*
 * Automaton. One step: column = bytemap[byte]; step = steps[state.base + column];
 * next = step.check == state ? step.next : state.other. State 0 is dead: everything stays there.
 * The bytes run are the name's: '/' before each component ("/" itself is the single byte '/'), or '@' and
 * then the bytes of an abstract name.
 */
struct lsmd_state {
	lsmd_u32 base;
	lsmd_u32 other;
	lsmd_u32 class; /* of a name that ends here; 0: no rule */
	lsmd_u32 zero;
};

struct lsmd_step {
	lsmd_u32 check;
	lsmd_u32 next;
};

/* Internet addresses of one layer, by protocol: disjoint intervals sorted by first address, covering from ::0 on. */
enum lsmd_proto {
	LSMD_PROTO_TCP, /* MPTCP too */
	LSMD_PROTO_UDP, /* UDP-Lite too */
	LSMD_PROTO_SCTP,
	LSMD_PROTO_DCCP,
	LSMD_PROTO_OTHER, /* raw sockets and whatever else carries an address; named by "*" only */
	LSMD_N_PROTOS,
};

struct lsmd_net_table {
	struct {
		lsmd_u32 first; /* index of an interval */
		lsmd_u32 n;
	} proto[LSMD_N_PROTOS];
};

/* IPv4 a.b.c.d is ::ffff:a.b.c.d. hi and lo are the address as two big-endian numbers, in host order. */
struct lsmd_interval {
	lsmd_u64 hi;
	lsmd_u64 lo; /* the interval goes to the next one's start */
	lsmd_u32 portset; /* 0: no rule */
	lsmd_u32 zero;
};

struct lsmd_portset {
	lsmd_u32 first; /* index into ports */
	lsmd_u32 n;
};

/* Disjoint, sorted. Ports in host order. */
struct lsmd_port {
	lsmd_u16 first;
	lsmd_u16 last;
	lsmd_u32 allow;
	lsmd_u32 deny;
	lsmd_u32 rule; /* as in a class */
};

#define LSMD_RULE_DENY 1   /* else allow */
#define LSMD_RULE_LOG 2    /* allow: record each use */
#define LSMD_RULE_SILENT 4 /* deny: count, do not record */
#define LSMD_RULE_KILL 8   /* deny: also kill the process */
#define LSMD_RULE_DEFAULT 16

struct lsmd_rule {
	lsmd_u32 line;
	lsmd_u16 column;
	lsmd_u16 flags;
	lsmd_u32 note;
};

/* What rules of one file share unless they say more: many rules, one note. */
struct lsmd_note {
	lsmd_u32 file;   /* strings offset */
	lsmd_u32 id;     /* 0: none */
	lsmd_u32 reason; /* 0: none */
};

_Static_assert(LSMD_N_TREES <= LSMD_TREES_ROOM, "path.h masks with LSMD_TREES_ROOM - 1");
_Static_assert(sizeof(struct lsmd_node) == 64, "a node is a cache line");
_Static_assert(sizeof(struct lsmd_class) == 20, "layout");
_Static_assert(sizeof(struct lsmd_cell) == 16, "layout");
_Static_assert(sizeof(struct lsmd_layer) == 64, "layout");
_Static_assert(sizeof(struct lsmd_subject) == 40, "layout");
_Static_assert(sizeof(struct lsmd_state) == 16, "layout");
_Static_assert(sizeof(struct lsmd_interval) == 24, "layout");
_Static_assert(sizeof(struct lsmd_port) == 16, "layout");
_Static_assert(sizeof(struct lsmd_rule) == 12, "layout");
_Static_assert(sizeof(struct lsmd_image_header) % 8 == 0, "layout");

#endif
