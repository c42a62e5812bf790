// SPDX-License-Identifier: LGPL-2.1-or-later
/* Users and groups. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/ids.h"
#include "agent/util/cleanup.h"
#include "agent/util/vec.h"

#define SHOWN(len) ((int)((len) < 64 ? (len) : 64))
/* The last number is no id: it stands for "none" everywhere. */
#define ID_MAX (UINT32_MAX - 1)
/* Bytes of one entry of the machine's lists: a group has all its members in it. */
#define ENTRY_BYTES_MAX (1u << 20)

struct ids {
	struct lsmd_ids *items;
	size_t n, capacity;
	size_t n_asked;
};

enum ids_form {
	FORM_NUMBERS,
	FORM_NAME,
	FORM_WRONG, /* numbers, but no ids */
};

/* Digits at the start of a text, as a number; SIZE_MAX where there are none. */
static size_t digits_read(const char *text, size_t len, uint64_t *ret)
{
	size_t i;

	*ret = 0;
	for (i = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++)
		*ret = *ret > ID_MAX ? *ret : *ret * 10 + (uint64_t)(text[i] - '0');
	return i ? i : SIZE_MAX;
}

/* "1000", "1000-1999", or a name: those may have digits and '-' too. */
static enum ids_form range_read(const char *text, size_t len, struct lsmd_ids *ret)
{
	uint64_t first, last;
	size_t n = digits_read(text, len, &first), more;

	if (n == SIZE_MAX)
		return FORM_NAME;
	last = first;
	if (n < len) {
		if (text[n] != '-')
			return FORM_NAME;
		more = digits_read(text + n + 1, len - n - 1, &last);
		if (more != len - n - 1)
			return FORM_NAME;
	}
	*ret = (struct lsmd_ids){ (uint32_t)first, (uint32_t)last };
	return first <= last && last <= ID_MAX ? FORM_NUMBERS : FORM_WRONG;
}

/* Return: 0, ENOENT, ERANGE (more memory is wanted), ENOMEM */
static int name_ask(const char *name, enum ids_kind kind, char *memory, size_t size, uint32_t *ret)
{
	struct passwd user, *found_user = NULL;
	struct group group, *found_group = NULL;
	int r;

	if (kind == IDS_USERS) {
		r = getpwnam_r(name, &user, memory, size, &found_user);
		if (found_user)
			*ret = found_user->pw_uid;
	} else {
		r = getgrnam_r(name, &group, memory, size, &found_group);
		if (found_group)
			*ret = found_group->gr_gid;
	}
	if (found_user || found_group)
		return 0;
	return r == ERANGE || r == ENOMEM ? r : ENOENT;
}

static int name_find(const char *name, enum ids_kind kind, uint32_t *ret)
{
	for (size_t size = 4096; size <= ENTRY_BYTES_MAX; size *= 4) {
		_cleanup_free_ char *memory = malloc(size);
		int r = memory ? name_ask(name, kind, memory, size, ret) : ENOMEM;

		if (r != ERANGE)
			return -r;
	}
	return -ENOENT;
}

static int name_read(struct reader *reader, struct doc *doc, uint32_t value, const char *text, size_t len,
		     enum ids_kind kind, struct ids *ids, struct lsmd_ids *ret)
{
	const char *what = kind == IDS_USERS ? "user" : "group";
	_cleanup_free_ char *name = strndup(text, len);
	int r;

	if (!name)
		return -ENOMEM;
	if (ids->n_asked++ >= IDS_ASKED_MAX) {
		diag_add(reader->diags, DIAG_ERROR, "too-many-names", doc_place(doc, value), "write their numbers",
			 "the policy asks for more than %d names of users or groups", IDS_ASKED_MAX);
		return IDS_REFUSED;
	}
	r = len && strlen(name) == len ? name_find(name, kind, &ret->first) : -ENOENT;
	ret->last = ret->first;
	if (r != -ENOENT)
		return r;
	diag_add(reader->diags, DIAG_ERROR, "unknown-id", doc_place(doc, value), "add it to the machine, or write its number",
		 "this machine knows no %s '%.*s'", what, SHOWN(len), text);
	return IDS_REFUSED;
}

static int item_read(struct reader *reader, struct doc *doc, uint32_t value, enum ids_kind kind, struct ids *ids)
{
	const struct doc_value *v = &doc->values[value];
	bool number = v->type == DOC_NUMBER;
	struct lsmd_ids range, *added;
	size_t len = v->len;
	const char *text = number ? doc->text + v->off : doc_string(doc, value, &len);
	enum ids_form form;
	int r = 0;

	if (!text)
		return -ENOMEM;
	form = range_read(text, len, &range);
	if (form == FORM_WRONG || (number && form != FORM_NUMBERS)) {
		diag_add(reader->diags, DIAG_ERROR, "bad-id", doc_place(doc, value), "0 to 4294967294, or \"FIRST-LAST\"",
			 "'%.*s' is neither a number nor a range of numbers of users or groups", SHOWN(len), text);
		return IDS_REFUSED;
	}
	if (form == FORM_NAME)
		r = name_read(reader, doc, value, text, len, kind, ids, &range);
	if (r)
		return r;
	added = vec_add(ids);
	if (!added)
		return -ENOMEM;
	*added = range;
	return 0;
}

static int range_compare(const void *a, const void *b)
{
	const struct lsmd_ids *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* Sorted, with neighbours and overlaps joined. */
static void ranges_join(struct ids *ids)
{
	size_t n = 0;

	if (ids->n)
		qsort(ids->items, ids->n, sizeof(*ids->items), range_compare);
	for (size_t i = 0; i < ids->n; i++) {
		const struct lsmd_ids range = ids->items[i];
		struct lsmd_ids *last = n ? &ids->items[n - 1] : NULL;

		if (last && range.first <= (uint64_t)last->last + 1)
			last->last = range.last > last->last ? range.last : last->last;
		else
			ids->items[n++] = range;
	}
	ids->n = n;
}

static int ids_keep(struct reader *reader, struct doc *doc, uint32_t value, struct ids *ids, struct lsmd_ids **ret, size_t *ret_n)
{
	ranges_join(ids);
	if (ids->n > LSMD_IDS_MAX) {
		diag_add(reader->diags, DIAG_ERROR, "too-many-ids", doc_place(doc, value), "write ranges",
			 "a policy may name at most %u ranges of users or groups", LSMD_IDS_MAX);
		return IDS_REFUSED;
	}
	*ret = arena_alloc(reader->memory, ids->n * sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	memcpy(*ret, ids->items, ids->n * sizeof(**ret));
	*ret_n = ids->n;
	return 0;
}

int ids_read(struct reader *reader, struct doc *doc, uint32_t value, enum ids_kind kind, struct lsmd_ids **ret, size_t *ret_n)
{
	const struct doc_value *v = &doc->values[value];
	bool list = v->type == DOC_ARRAY;
	uint32_t at = list ? value + 1 : value;
	struct ids ids = {};
	int r = 0, worst = 0;

	for (; at < v->end && r >= 0; at = doc->values[at].end) {
		r = item_read(reader, doc, at, kind, &ids);
		worst = r ? r : worst;
	}
	if (!worst)
		worst = ids_keep(reader, doc, value, &ids, ret, ret_n);
	free(ids.items);
	return worst;
}
