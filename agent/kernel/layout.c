// SPDX-License-Identifier: LGPL-2.1-or-later
/* Is what other programs keep in a map laid out as ours? Their BTF says so, member by member. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#include "agent/kernel/side.h"
#include "agent/util/cleanup.h"

/* What a map holds has no pointers, so types end by themselves; a value nests less deep than this. */
#define LAYOUT_DEPTH_MAX 16

struct side_type {
	const struct btf *btf;
	uint32_t id;
};

static const struct btf_type *type_plain(struct side_type *side)
{
	const struct btf_type *type = btf__type_by_id(side->btf, side->id);

	while (type && (btf_is_typedef(type) || btf_is_mod(type))) {
		side->id = type->type;
		type = btf__type_by_id(side->btf, side->id);
	}
	return type;
}

static bool type_same(struct side_type a, struct side_type b, int depth);

static bool members_same(struct side_type a, struct side_type b, int depth)
{
	const struct btf_type *left = type_plain(&a), *right = type_plain(&b);

	if (left->size != right->size || btf_vlen(left) != btf_vlen(right))
		return false;
	for (int i = 0; i < btf_vlen(left); i++) {
		const struct btf_member *ours = btf_members(left) + i, *theirs = btf_members(right) + i;

		if (btf_member_bit_offset(left, i) != btf_member_bit_offset(right, i) ||
		    strcmp(btf__name_by_offset(a.btf, ours->name_off), btf__name_by_offset(b.btf, theirs->name_off)) ||
		    !type_same((struct side_type){ a.btf, ours->type }, (struct side_type){ b.btf, theirs->type }, depth + 1))
			return false;
	}
	return true;
}

static bool type_same(struct side_type a, struct side_type b, int depth)
{
	const struct btf_type *left = type_plain(&a), *right = type_plain(&b);

	if (!left || !right || depth > LAYOUT_DEPTH_MAX || btf_kind(left) != btf_kind(right))
		return false;
	if (btf_is_composite(left))
		return members_same(a, b, depth);
	if (btf_is_array(left))
		return btf_array(left)->nelems == btf_array(right)->nelems &&
		       type_same((struct side_type){ a.btf, btf_array(left)->type },
				 (struct side_type){ b.btf, btf_array(right)->type }, depth + 1);
	return btf_is_int(left) && left->size == right->size && btf_int_encoding(left) == btf_int_encoding(right);
}

static void btfp(struct btf **btf)
{
	btf__free(*btf);
}

int layout_same(const struct bpf_object *object, const struct bpf_map *map, int fd)
{
	_cleanup_(btfp) struct btf *theirs = NULL;
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	if (info.type != bpf_map__type(map) || info.key_size != bpf_map__key_size(map) ||
	    info.value_size != bpf_map__value_size(map) || info.max_entries != bpf_map__max_entries(map))
		return 0;
	theirs = btf__load_from_kernel_by_id(info.btf_id);
	if (!theirs)
		return -errno;
	return type_same((struct side_type){ bpf_object__btf(object), bpf_map__btf_value_type_id(map) },
			 (struct side_type){ theirs, info.btf_value_type_id }, 0);
}
