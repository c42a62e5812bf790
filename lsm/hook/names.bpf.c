// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mounts of a superblock, one after the other. The list is read without its lock, but under rcu_read_lock(): no mount on it is freed
 * meanwhile, and the one that the caller came through stays on it for as long as its path is held. A mount that is taken off while it is
 * looked at leads nowhere (LIST_POISON1), which is a read that fails and an answer that is undecided.
 */
#include "names.h"

/* Mounts of one superblock, in all namespaces, that are looked at for one name. */
#define MOUNTS_MAX 4096

/* read_number() - a pointer member, as a number. Return: 0; -1: it cannot be read */
static __always_inline int read_number(u64 *ret, u64 at)
{
	return bpf_probe_read_kernel(ret, sizeof(*ret), (const void *)at) ? -1 : 0;
}

static __always_inline int mounts_linked(void)
{
	return bpf_core_field_exists(struct mount___next, mnt_next_for_sb);
}

/* mount_of() - the mount that lsmd_names.next leads to */
static __always_inline u64 mount_of(u64 next)
{
	return mounts_linked() ? next : next - bpf_core_field_offset(struct mount, mnt_instance);
}

static __always_inline u32 mount_next_offset(void)
{
	if (mounts_linked())
		return bpf_core_field_offset(struct mount___next, mnt_next_for_sb);
	return bpf_core_field_offset(struct mount, mnt_instance);
}

static __always_inline u32 sb_mounts_offset(void)
{
	if (mounts_linked())
		return bpf_core_field_offset(struct super_block___first, s_mounts);
	return bpf_core_field_offset(struct super_block, s_mounts);
}

__noinline int names_start(struct lsmd_scratch *s, u64 dentry, u64 sb)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u64 first = sb + sb_mounts_offset(), next = 0;

	if (!s)
		return 0;
	s->names.dentry = dentry;
	s->names.ns = pointer_number(s, kernel_plain(task)->nsproxy->mnt_ns);
	s->names.ns_root = pointer_number(s, kernel_plain(task)->nsproxy->mnt_ns->root);
	s->names.reason = read_number(&next, first) ? LSMD_REASON_HELPER_FAILED : LSMD_REASON_PATH_UNREACHABLE;
	s->names.next = next;
	s->names.end = mounts_linked() ? 0 : first;
	return 0;
}

/* name_through() - the name that the dentry has through one mount. Return: 1; 0: it does not lie below the mount. */
static __always_inline int name_through(struct lsmd_scratch *s, u64 mount)
{
	name_start(&s->name);
	path_name(s, &s->name, s->names.dentry, mount, s->names.ns_root);
	if (s->name.reason == LSMD_REASON_PATH_UNREACHABLE || s->name.reason == LSMD_REASON_PATH_ANONYMOUS)
		return 0;
	path_home(s, &s->name, bpf_get_current_task_btf());
	return 1;
}

struct names_state {
	struct lsmd_scratch *s;
	u64 found;
};

static long names_step(u32 round, struct names_state *state)
{
	struct lsmd_scratch *s = state->s;
	u64 mount, next = 0, ns = 0;

	if (s->names.next == s->names.end)
		return 1;
	mount = mount_of(s->names.next);
	if (read_number(&ns, mount + bpf_core_field_offset(struct mount, mnt_ns)) || read_number(&next, mount + mount_next_offset())) {
		s->names.reason = LSMD_REASON_PATH_RACED;
		s->names.next = s->names.end;
		return 1;
	}
	s->names.next = next;
	if (ns != s->names.ns || !name_through(s, mount))
		return 0;
	state->found = 1;
	return 1;
}

__noinline int names_next(struct lsmd_scratch *s)
{
	struct names_state state = { .s = s };

	if (!s)
		return 0;
	if (bpf_loop(MOUNTS_MAX, names_step, &state, 0) >= MOUNTS_MAX && !state.found)
		s->names.reason = LSMD_REASON_NAMES_MANY;
	else if (state.found && s->names.reason == LSMD_REASON_PATH_UNREACHABLE)
		s->names.reason = LSMD_REASON_NONE;
	return state.found != 0;
}
