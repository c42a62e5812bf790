// SPDX-License-Identifier: GPL-2.0-only
/*
 * The walk itself. Two builds: with LSMD_PROBE_READS for kernels without bpf_rdonly_cast() (before 6.2), where a pointer that was
 * computed can only be read through by a helper; without it, typed loads throughout.
 */
#include "dpath.h"

#ifdef LSMD_PROBE_READS

#define DENTRY_HEAD 128 /* bytes of struct dentry up to the inline name and beyond */
#define MOUNT_HEAD 64   /* bytes of struct mount up to mnt.mnt_flags and beyond */

static __always_inline const struct dentry *dentry_head(struct lsmd_scratch *s, const struct dentry *dentry)
{
	if (bpf_probe_read_kernel(s->raw, DENTRY_HEAD, dentry))
		return NULL;
	return (const struct dentry *)s->raw;
}

static __always_inline const struct dentry *dentry_start(u64 dentry)
{
	return (const struct dentry *)dentry;
}

static __always_inline const struct mount *mount_head(struct lsmd_scratch *s, u64 mount)
{
	if (bpf_probe_read_kernel(s->raw + DENTRY_HEAD, MOUNT_HEAD, (const void *)mount))
		return NULL;
	return (const struct mount *)(s->raw + DENTRY_HEAD);
}

static __always_inline u32 dentry_seq_now(u64 dentry)
{
	u32 seq = 1; /* odd: never equal to one that was accepted */

	bpf_probe_read_kernel(&seq, sizeof(seq), (void *)(dentry + bpf_core_field_offset(struct dentry, d_seq)));
	return seq;
}

#else

static __always_inline const struct dentry *dentry_head(struct lsmd_scratch *s, const struct dentry *dentry)
{
	return dentry;
}

static __always_inline const struct dentry *dentry_start(u64 dentry)
{
	return bpf_rdonly_cast((void *)dentry, bpf_core_type_id_kernel(struct dentry));
}

static __always_inline const struct mount *mount_head(struct lsmd_scratch *s, u64 mount)
{
	return bpf_rdonly_cast((void *)mount, bpf_core_type_id_kernel(struct mount));
}

static __always_inline u32 dentry_seq_now(u64 dentry)
{
	return dentry_start(dentry)->d_seq.seqcount.sequence;
}

#endif

/* step_seen() - step @i, below LSMD_STEPS_MAX; hidden from the compiler as in name_piece() */
static __always_inline struct lsmd_step_seen *step_seen(struct lsmd_scratch *s, u64 i)
{
	LSMD_OPAQUE(i);
	return &s->seen[i];
}

static __always_inline u32 dentry_inline_size(void)
{
	if (bpf_core_field_exists(struct dentry___short, d_shortname))
		return bpf_core_field_size(struct dentry___short, d_shortname);
	return bpf_core_field_size(struct dentry, d_iname);
}

static __always_inline u32 dentry_inline_offset(void)
{
	if (bpf_core_field_exists(struct dentry___short, d_shortname))
		return bpf_core_field_offset(struct dentry___short, d_shortname);
	return bpf_core_field_offset(struct dentry, d_iname);
}

/*
 * What of five words belongs to a name of so many bytes. A table, because the branches that would do instead are multiplied by the
 * verifier for every round of the walk.
 */
#define MASK_WORD(len, k) ((len) >= 8 * ((k) + 1) ? ~0ull : (len) > 8 * (k) ? ~0ull >> (64u * ((k) + 1) - 8u * (len) & 63u) : 0)
#define MASK_ROW(len) { MASK_WORD(len, 0), MASK_WORD(len, 1), MASK_WORD(len, 2), MASK_WORD(len, 3), MASK_WORD(len, 4) }
#define MASK_ROWS(len) MASK_ROW(len), MASK_ROW(len + 1), MASK_ROW(len + 2), MASK_ROW(len + 3), MASK_ROW(len + 4), \
	MASK_ROW(len + 5), MASK_ROW(len + 6), MASK_ROW(len + 7)

static const volatile u64 lsmd_name_masks[LSMD_PIECE_LEN + 24][LSMD_PIECE_WORDS] = {
	MASK_ROWS(0), MASK_ROWS(8), MASK_ROWS(16), MASK_ROWS(24), MASK_ROWS(32), MASK_ROW(40),
};

/* piece_short() - a name that the dentry keeps inline: four or five machine words, typed loads */
static __always_inline void piece_short(struct lsmd_piece *piece, const struct dentry *head, u32 len)
{
	const u64 *words = (const u64 *)((const char *)head + dentry_inline_offset());
	const volatile u64 *masks = lsmd_name_masks[len & 63];

	piece->w[0] = words[0] & masks[0];
	piece->w[1] = words[1] & masks[1];
	piece->w[2] = words[2] & masks[2];
	piece->w[3] = words[3] & masks[3];
	piece->w[4] = dentry_inline_size() > 32 ? words[4] & masks[4] : 0;
	piece->meta = len;
}

__noinline int pieces_long(struct lsmd_name *name, u64 bytes, u32 len)
{
	u64 n = (len + LSMD_PIECE_LEN - 1) / LSMD_PIECE_LEN, c, end;

	if (!name)
		return 0;
	end = name->first;
	if (len > LSMD_NAME_MAX || n > end)
		return 0;
	for (c = LSMD_UNKNOWN(name->zero); c < LSMD_NAME_PIECES && c < n; c++) {
		struct lsmd_piece *piece = (struct lsmd_piece *)name_piece(name, end - n + c);
		u64 left = len - c * LSMD_PIECE_LEN;

		if (left > LSMD_PIECE_LEN)
			left = LSMD_PIECE_LEN;
		LSMD_OPAQUE(left);
		if (left > LSMD_PIECE_LEN)
			return 0;
		__builtin_memset(piece->w, 0, sizeof(piece->w));
		if (bpf_probe_read_kernel(piece->w, left, (const void *)(bytes + c * LSMD_PIECE_LEN)))
			return 0;
		piece->meta = left | (c ? LSMD_PIECE_CONTINUED : 0);
	}
	name->first = end - n;
	return n;
}

static __always_inline enum walk walk_fail(struct lsmd_name *name, u32 reason)
{
	name->reason = reason;
	return WALK_FAILED;
}

/* The mount that a walk stands in. */
struct walk_mount {
	u64 self;
	u64 root; /* dentry */
};

static __always_inline int walk_enter(struct lsmd_scratch *s, struct walk_mount *at, u64 mount)
{
	const struct mount *head = mount_head(s, mount);

	if (!head)
		return -1;
	at->self = mount;
	at->root = pointer_number(s, head->mnt.mnt_root);
	return 0;
}

/* mount_field() - a pointer member of a mount, as a number */
static __always_inline u64 mount_field(u64 mount, u32 offset)
{
	u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (void *)(mount + offset));
	return value;
}

/* A copy of a mount receives from it (mnt_master), and shows the same when it has the same root. */
#define MASTERS_MAX 8

__noinline u64 mount_here(u64 mount, u64 ns)
{
	u32 root_at = bpf_core_field_offset(struct mount, mnt) + bpf_core_field_offset(struct vfsmount, mnt_root);
	u64 root = mount_field(mount, root_at), at = mount;
	int i;

	for (i = 0; i < MASTERS_MAX && at; i++) {
		if (mount_field(at, bpf_core_field_offset(struct mount, mnt_ns)) == ns)
			return mount_field(at, root_at) == root ? at : mount;
		at = mount_field(at, bpf_core_field_offset(struct mount, mnt_master));
	}
	return mount;
}

/*
 * mount_without_parent() - what a walk that ends at no root of the process makes of a name. The kernel's own mounts (overlayfs opens the files of its
 * layers through such, after it has asked with the merged name; its work directory does not even lie below their roots) hold what no
 * user can name; anything else was detached.
 */
static __always_inline u32 mount_without_parent(u64 mount)
{
	return mount_field(mount, bpf_core_field_offset(struct mount, mnt_ns)) == (u64)MNT_NS_INTERNAL ? LSMD_REASON_PATH_ANONYMOUS : LSMD_REASON_PATH_UNREACHABLE;
}

/* A walk on its way up. */
struct walk_up {
	struct lsmd_scratch *s;
	struct lsmd_name *name;
	struct walk_mount at;
	u64 ns_root;
	u64 dentry;
	u64 step;
	u64 walk; /* enum walk; WALK_ON: not there yet */
};

#define WALK_ON (WALK_FAILED + 1)

/* step_mount() - from a mount's root to the dentry it is mounted on */
static __always_inline enum walk step_mount(struct walk_up *up, struct lsmd_step_seen *seen)
{
	const struct mount *m = mount_head(up->s, up->at.self);
	u64 parent;

	if (up->at.self == up->ns_root) {
		up->s->n_seen = up->step;
		up->name->reason = LSMD_REASON_NONE;
		return WALK_DONE;
	}
	if (!m)
		return walk_fail(up->name, LSMD_REASON_HELPER_FAILED);
	up->dentry = pointer_number(up->s, m->mnt_mountpoint);
	seen->mountpoint = up->dentry;
	parent = pointer_number(up->s, m->mnt_parent);
	if (parent == up->at.self)
		return walk_fail(up->name, mount_without_parent(up->at.self));
	seen->dentry = up->at.self;
	seen->parent = parent;
	seen->seq = 1; /* odd marks a mount */
	if (walk_enter(up->s, &up->at, parent))
		return walk_fail(up->name, LSMD_REASON_HELPER_FAILED);
	return WALK_ON;
}

/* step_up() - one component, or one mount */
static __always_inline enum walk step_up(struct walk_up *up)
{
	struct lsmd_step_seen *seen = step_seen(up->s, up->step);
	const struct dentry *head;
	u32 len;
	u64 i;

	if (up->dentry == up->at.root)
		return step_mount(up, seen);
	head = dentry_head(up->s, dentry_start(up->dentry));
	if (!head)
		return walk_fail(up->name, LSMD_REASON_HELPER_FAILED);
	seen->dentry = up->dentry;
	seen->seq = *(const volatile u32 *)&head->d_seq.seqcount.sequence;
	if (seen->seq & 1)
		return WALK_RACED;
	if (head->d_flags & DCACHE_OP_HASH)
		return walk_fail(up->name, LSMD_REASON_NAMES_FOLDED);
	len = head->d_name.len;
	i = *(volatile u32 *)&up->name->first;
	if (!i || i > LSMD_PIECES_MAX)
		return walk_fail(up->name, LSMD_REASON_PATH_TOO_DEEP);
	if (len < dentry_inline_size()) {
		i--;
		piece_short((struct lsmd_piece *)name_piece(up->name, i), head, len);
		*(volatile u32 *)&up->name->first = i;
	} else {
		if (!pieces_long(up->name, pointer_number(up->s, head->d_name.name), len))
			return walk_fail(up->name, len > LSMD_NAME_MAX ? LSMD_REASON_PATH_TOO_LONG : LSMD_REASON_PATH_TOO_DEEP);
	}
	up->dentry = pointer_number(up->s, head->d_parent);
	seen->parent = up->dentry;
	if (up->dentry == seen->dentry)
		return walk_fail(up->name, mount_without_parent(up->at.self));
	return WALK_ON;
}

static long step_again(u32 round, struct walk_up *up)
{
	if (up->step >= LSMD_STEPS_MAX)
		return 1;
	up->walk = step_up(up);
	up->step++;
	return up->walk != WALK_ON;
}

/* walk_up_rest() - the first pass from step @step on. Return: enum walk */
__noinline int walk_up_rest(struct lsmd_scratch *s, struct lsmd_name *name, u64 step, u64 dentry, u64 mount)
{
	struct walk_up up = { .s = s, .name = name, .step = step, .dentry = dentry, .walk = WALK_ON };

	if (!s || !name || walk_enter(s, &up.at, mount))
		return WALK_FAILED;
	up.ns_root = s->ns_root;
	bpf_loop(LSMD_STEPS_MAX, step_again, &up, 0);
	return up.walk == WALK_ON ? walk_fail(name, LSMD_REASON_PATH_TOO_DEEP) : up.walk;
}

/* walk_up() - first pass: names and sequence counts from the leaf to the namespace's root */
static __always_inline enum walk walk_up(struct lsmd_scratch *s, struct lsmd_name *name, u64 dentry, u64 mount, u64 ns_root)
{
	struct walk_up up = { .s = s, .name = name, .ns_root = ns_root, .dentry = dentry };
	enum walk walk;

	name->first = LSMD_PIECES_MAX;
	name->reason = LSMD_REASON_HELPER_FAILED;
	s->ns_root = ns_root;
	if (walk_enter(s, &up.at, mount))
		return WALK_FAILED;
	for (up.step = 0; up.step < LSMD_STEPS_FAST; up.step++) {
		walk = step_up(&up);
		if (walk != WALK_ON)
			return walk;
		LSMD_ROUND(up.step);
	}
	return walk_up_rest(s, name, up.step, up.dentry, up.at.self);
}

/* seen_still() - is step @k still as it was seen? */
static __always_inline int seen_still(struct lsmd_scratch *s, u64 k)
{
	struct lsmd_step_seen *seen = step_seen(s, k);
	const struct mount *m;

	if (!(seen->seq & 1))
		return dentry_seq_now(seen->dentry) == seen->seq;
	m = mount_head(s, seen->dentry);
	return m && pointer_number(s, m->mnt_parent) == seen->parent && pointer_number(s, m->mnt_mountpoint) == seen->mountpoint;
}

/* The second pass on its way. */
struct walk_again {
	struct lsmd_scratch *s;
	u64 raced;
};

static long seen_again(u32 round, struct walk_again *again)
{
	u64 step = (u64)round + LSMD_STEPS_FAST;

	if (step >= LSMD_STEPS_MAX || step >= again->s->n_seen)
		return 1;
	again->raced = !seen_still(again->s, step);
	return again->raced;
}

/* walk_again_rest() - the second pass behind the steps that every name has. Return: 1: nothing changed */
__noinline int walk_again_rest(struct lsmd_scratch *s)
{
	struct walk_again again = { .s = s };

	if (!s)
		return 0;
	bpf_loop(LSMD_STEPS_MAX, seen_again, &again, 0);
	return !again.raced;
}

/* walk_again() - second pass: is everything still as it was seen? */
static __always_inline int walk_again(struct lsmd_scratch *s)
{
	u64 n = *(volatile u32 *)&s->n_seen, k;

	for (k = 0; k < LSMD_STEPS_FAST && k < n; k++) {
		if (!seen_still(s, k))
			return 0;
		LSMD_ROUND(k);
	}
	return n <= LSMD_STEPS_FAST || walk_again_rest(s);
}

static __always_inline int walk_name(struct lsmd_scratch *s, struct lsmd_name *name, u64 dentry, u64 mount, u64 ns_root)
{
	enum walk walk = walk_up(s, name, dentry, mount, ns_root);

	if (walk != WALK_DONE)
		return walk;
	return walk_again(s) ? WALK_DONE : WALK_RACED;
}

/* walk_once() - a try that is seldom needed. Return: enum walk */
__noinline int walk_once(struct lsmd_scratch *s, struct lsmd_name *name, u64 dentry, u64 mount, u64 ns_root)
{
	return s && name ? walk_name(s, name, dentry, mount, ns_root) : WALK_FAILED;
}

__noinline int path_name_alone(struct lsmd_scratch *s, struct lsmd_name *name, u64 dentry, u64 mount, u64 ns_root)
{
	int try;

	if (!s || !name)
		return 0;
	for (try = 1; try < LSMD_WALK_TRIES; try++) {
		if (walk_once(s, name, dentry, mount, ns_root) != WALK_RACED)
			return 0;
		count_add(LSMD_COUNT_WALK_RETRIED, 1);
	}
	name->reason = LSMD_REASON_PATH_RACED;
	return 0;
}

/* The stand-in leaves the reason that name_start() gave. */
LSMD_SHARED(path_name, 0, struct lsmd_scratch *s, struct lsmd_name *name, u64 dentry, u64 mount, u64 ns_root)
{
	if (!s || !name || walk_name(s, name, dentry, mount, ns_root) != WALK_RACED)
		return 0;
	count_add(LSMD_COUNT_WALK_RETRIED, 1);
	return path_name_alone(s, name, dentry, mount, ns_root);
}
