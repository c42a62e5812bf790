/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of policies that are symbolic links on this machine. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/policy/check.h"
#include "agent/policy/pattern.h"
#include "agent/util/arena.h"
#include "agent/util/cleanup.h"

enum seen {
	SEEN_NOTHING, /* not there, or not to be seen */
	SEEN_DIRECTORY,
	SEEN_LINK,
	SEEN_OTHER,
};

/* A name that was looked at: every directory is looked at once. */
struct look {
	const char *name; /* NULL: a free place */
	size_t len;
	enum seen seen;
};

struct looks {
	struct look *items; /* open addressing, never more than half full */
	size_t size;
	size_t n;
	struct arena names;
	bool over; /* LINKS_LOOKS_MAX was reached */
};

static uint64_t name_hash(const char *name, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	while (len--)
		hash = (hash ^ (unsigned char)*name++) * 0x100000001b3ull;
	return hash ^ hash >> 32;
}

static struct look *look_find(struct looks *looks, const char *name, size_t len)
{
	size_t i = name_hash(name, len) & (looks->size - 1);

	while (looks->items[i].name && (looks->items[i].len != len || memcmp(looks->items[i].name, name, len)))
		i = (i + 1) & (looks->size - 1);
	return &looks->items[i];
}

static int looks_grow(struct looks *looks)
{
	struct looks grown = { .size = looks->size ? 2 * looks->size : 256 };
	size_t i;

	if (looks->n < looks->size / 2)
		return 0;
	grown.items = calloc(grown.size, sizeof(*grown.items));
	if (!grown.items)
		return -ENOMEM;
	for (i = 0; i < looks->size; i++) {
		if (looks->items[i].name)
			*look_find(&grown, looks->items[i].name, looks->items[i].len) = looks->items[i];
	}
	free(looks->items);
	looks->items = grown.items;
	looks->size = grown.size;
	return 0;
}

static enum seen name_see(const char *name)
{
	struct stat st;

	if (fstatat(AT_FDCWD, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return SEEN_NOTHING;
	return S_ISLNK(st.st_mode) ? SEEN_LINK : S_ISDIR(st.st_mode) ? SEEN_DIRECTORY : SEEN_OTHER;
}

static int look(struct looks *looks, const char *name, size_t len, enum seen *ret)
{
	struct look *found;
	char *copy;

	if (looks_grow(looks))
		return -ENOMEM;
	found = look_find(looks, name, len);
	if (found->name) {
		*ret = found->seen;
		return 0;
	}
	if (looks->n >= LINKS_LOOKS_MAX) {
		looks->over = true;
		*ret = SEEN_NOTHING;
		return 0;
	}
	copy = arena_copy(&looks->names, name, len);
	if (!copy)
		return -ENOMEM;
	*ret = name_see(copy);
	*found = (struct look){ copy, len, *ret };
	looks->n++;
	return 0;
}

/* Bytes of the shortest part of the name that is a link; 0: none. */
static int link_find(struct looks *looks, const char *name, size_t len, size_t *ret)
{
	enum seen seen = SEEN_DIRECTORY;
	const char *slash;
	size_t part = 0;
	int r;

	*ret = 0;
	while (part < len && seen == SEEN_DIRECTORY) {
		slash = memchr(name + part + 1, '/', len - part - 1);
		part = slash ? (size_t)(slash - name) : len;
		if (part <= 1)
			return 0;
		r = look(looks, name, part, &seen);
		if (r)
			return r;
	}
	if (seen == SEEN_LINK)
		*ret = part;
	return 0;
}

/* What is literal of the pattern, cut back to whole components. */
static size_t literal_name(const struct object *object)
{
	size_t len = pattern_literal(object->bytes, object->len);

	if (len < object->len) {
		while (len && object->bytes[len - 1] != '/')
			len--;
	}
	while (len > 1 && object->bytes[len - 1] == '/')
		len--;
	return len;
}

/* Does another object of the rule name what the link leads to? Then the rule was written with the link in mind. */
static bool target_named(const struct object *objects, size_t n, const char *target)
{
	size_t len = strlen(target), i;

	for (i = 0; i < n; i++) {
		const struct object *object = &objects[i];
		bool subtree = object->len && object->bytes[object->len - 1] == '/';

		if (object->kind != OBJECT_PATH && object->kind != OBJECT_UNIX)
			continue;
		if (subtree && len >= object->len && !memcmp(object->bytes, target, object->len))
			return true;
		if (object->len - subtree == len && !memcmp(object->bytes, target, len))
			return true;
	}
	return false;
}

/* Verbs that act on a link itself when it is the last component. */
#define ON_LINKS (LSMD_ACCESS_CREATE | LSMD_ACCESS_DELETE | LSMD_ACCESS_RENAME | LSMD_ACCESS_LINK)

/* @target: NULL when the link leads nowhere */
static void link_warn(const struct object *object, size_t link_len, const char *target, struct diags *diags)
{
	const char *rest = object->bytes + link_len;
	_cleanup_free_ char *mend = NULL;

	if (!target)
		mend = NULL;
	else if (!strncmp(target, "/proc/", 6))
		mend = strdup("name what it leads to; for /proc/self that is /proc/*");
	else if (asprintf(&mend, "write %s%.*s", strcmp(target, "/") ? target : "", (int)(object->len - link_len),
			  rest) < 0)
		mend = NULL;
	diag_add(diags, DIAG_WARNING, "symbolic-link", object->place, mend,
		 "'%.*s' is a symbolic link here; names are those after links, so this names nothing", (int)link_len,
		 object->bytes);
}

/* One object among all of its rule. */
static int object_links(struct looks *looks, const struct object *objects, size_t n, size_t i, uint32_t access,
			struct diags *diags)
{
	const struct object *object = &objects[i];
	_cleanup_free_ char *link = NULL;
	char target[PATH_MAX];
	size_t len, link_len;
	bool resolved;
	int r;

	if (object->kind != OBJECT_PATH && object->kind != OBJECT_UNIX)
		return 0;
	len = literal_name(object);
	r = link_find(looks, object->bytes, len, &link_len);
	if (r || !link_len || (link_len == object->len && access & ON_LINKS))
		return r;
	link = strndup(object->bytes, link_len);
	if (!link)
		return -ENOMEM;
	resolved = realpath(link, target);
	if (!resolved || link_len < len || !target_named(objects, n, target))
		link_warn(object, link_len, resolved ? target : NULL, diags);
	return 0;
}

static int policy_links(struct looks *looks, const struct policy *policy, struct diags *diags)
{
	size_t i, j;
	int r = 0;

	for (i = 0; i < policy->n_exes && !r; i++)
		r = object_links(looks, policy->exes, policy->n_exes, i, 0, diags);
	for (i = 0; i < policy->n_rules && !r; i++) {
		const struct rule *rule = &policy->rules[i];

		for (j = 0; j < rule->n_objects && !r; j++)
			r = object_links(looks, rule->objects, rule->n_objects, j, rule->access, diags);
	}
	return r;
}

int links_check(const struct policy_set *set, struct diags *diags)
{
	struct place nowhere = { .file = UINT32_MAX };
	struct looks looks = {};
	size_t i;
	int r = 0;

	for (i = 0; i < set->n_policies && !r; i++)
		r = policy_links(&looks, &set->policies[i], diags);
	if (looks.over)
		diag_add(diags, DIAG_WARNING, "links-not-seen", nowhere, NULL,
			 "only the first %d names were looked at for symbolic links", LINKS_LOOKS_MAX);
	free(looks.items);
	arena_free(&looks.names);
	return r;
}
