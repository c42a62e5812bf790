/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Home folders of local users. */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/glob.h"
#include "agent/policy/homes.h"
#include "agent/util/buf.h"
#include "agent/util/cleanup.h"
#include "agent/util/vec.h"

#define UID_FIRST 1000 /* of people; login.defs(5) */
#define UID_NOBODY 65534
/* Folders outside of /home: a machine with more keeps them in some few places, and its policies can name these. */
#define HOMES_MAX 1000

static int home_add(struct arena *memory, const char *pattern, struct texts *ret)
{
	struct text *text = vec_add(ret);
	char *copy = arena_copy(memory, pattern, strlen(pattern));

	if (!text || !copy)
		return -ENOMEM;
	*text = (struct text){ copy, strlen(pattern) };
	return 0;
}

/* Root's, and what lies in /home itself, are there already. */
static bool home_counts(const struct passwd *user)
{
	const char *home = user->pw_dir;

	if (user->pw_uid && (user->pw_uid < UID_FIRST || user->pw_uid == UID_NOBODY))
		return false;
	if (!home || home[0] != '/' || !home[1] || !strcmp(home, "/root"))
		return false;
	return strncmp(home, "/home/", 6) || strchr(home + 6, '/');
}

/* The name itself, whatever bytes it has, as a pattern. One that no object can have is left out. */
static int home_read(struct arena *memory, const char *home, struct texts *ret)
{
	_cleanup_buf_ struct buf pattern = {};
	size_t len = strlen(home);
	int r;

	while (len > 1 && home[len - 1] == '/')
		len--;
	for (size_t i = 0; i < len; i++) {
		if (memchr("*?[]{}\\", home[i], 7))
			buf_add_byte(&pattern, '\\');
		buf_add_byte(&pattern, home[i]);
	}
	if (pattern.failed)
		return -ENOMEM;
	r = glob_check(pattern.bytes, pattern.len, GLOB_PATH, NULL);
	return r ? (r < 0 ? r : 0) : home_add(memory, pattern.bytes, ret);
}

static int text_compare(const void *a, const void *b)
{
	return strcmp(((const struct text *)a)->bytes, ((const struct text *)b)->bytes);
}

static void texts_unique(struct texts *texts)
{
	size_t n = 0;

	qsort(texts->items, texts->n, sizeof(*texts->items), text_compare);
	for (size_t i = 0; i < texts->n; i++)
		if (!n || strcmp(texts->items[n - 1].bytes, texts->items[i].bytes))
			texts->items[n++] = texts->items[i];
	texts->n = n;
}

int homes_read(const char *passwd, struct arena *memory, struct texts *ret)
{
	_cleanup_fclose_ FILE *file = fopen(passwd ? passwd : "/etc/passwd", "re");
	struct passwd user, *found;
	char line[4096];
	int r;

	ret->n = 0;
	r = home_add(memory, "/root", ret);
	if (!r)
		r = home_add(memory, "/home/*", ret);
	while (!r && file && ret->n < HOMES_MAX && !fgetpwent_r(file, &user, line, sizeof(line), &found))
		if (home_counts(&user))
			r = home_read(memory, user.pw_dir, ret);
	if (!r)
		texts_unique(ret);
	return r;
}
