/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The objects of a rule. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/inet.h"
#include "agent/policy/named.h"
#include "agent/policy/object.h"
#include "agent/policy/pattern.h"
#include "agent/policy/schema.h"
#include "agent/util/cleanup.h"
#include "agent/util/vec.h"

#define SHOWN(len) ((int)((len) < 64 ? (len) : 64))

struct place spot_place(const struct spot *spot, size_t off, size_t len)
{
	if (!spot->verbatim)
		return doc_place(spot->doc, spot->value);
	return doc_place_inside(spot->doc, spot->value, off, len);
}

void reader_free(struct reader *reader)
{
	variables_free(&reader->variables);
	free(reader->texts.items);
	free(reader->objects.items);
	reader->texts = (struct texts){};
	reader->objects = (struct objects){};
}

void objects_refuse(struct diags *diags, struct place place)
{
	diag_add(diags, DIAG_ERROR, "too-many-objects", place, "use fewer variables, or patterns with '*' or {a,b}",
		 "the policies name more than %u objects, variables expanded", OBJECTS_MAX);
}

static int object_add(struct reader *reader, const struct spot *spot, const struct object *object)
{
	struct object *added;

	if (++*reader->n_objects > OBJECTS_MAX) {
		objects_refuse(reader->diags, doc_place(spot->doc, spot->value));
		return OBJECT_REFUSED;
	}
	added = vec_add(&reader->objects);
	if (!added)
		return -ENOMEM;
	*added = *object;
	added->place = doc_place(spot->doc, spot->value);
	return 0;
}

static int pattern_add(struct reader *reader, const struct spot *spot, enum object_kind kind, const struct text *text,
		       size_t skip)
{
	struct object object = { .kind = kind, .len = text->len - skip };
	int r;

	r = pattern_check(spot, text, skip, kind == OBJECT_ABSTRACT || kind == OBJECT_UNIT);
	if (r)
		return r;
	object.bytes = arena_copy(reader->memory, text->bytes + skip, text->len - skip);
	return object.bytes ? object_add(reader, spot, &object) : -ENOMEM;
}

static bool text_begins(const struct text *text, const char *word)
{
	size_t n = strlen(word);

	return text->len >= n && !memcmp(text->bytes, word, n);
}

static bool text_is(const struct text *text, const char *word)
{
	return text->len == strlen(word) && text_begins(text, word);
}

static int path_read(struct reader *reader, const struct spot *spot, const struct text *text)
{
	struct object anonymous = { .kind = OBJECT_ANONYMOUS };

	if (text_is(text, "anonymous"))
		return object_add(reader, spot, &anonymous);
	return pattern_add(reader, spot, OBJECT_PATH, text, 0);
}

/* "unix:*" is every name of either sort. */
static int unix_any(struct reader *reader, const struct spot *spot)
{
	struct object path = { .kind = OBJECT_UNIX, .bytes = "/**", .len = 3 };
	struct object abstract = { .kind = OBJECT_ABSTRACT, .bytes = "**", .len = 2 };
	int r = object_add(reader, spot, &path);

	return r ? r : object_add(reader, spot, &abstract);
}

static int inet_add(struct reader *reader, const struct spot *spot, const struct text *text)
{
	struct object ranges[2];
	size_t n, i;
	int r = inet_read(spot, text->bytes, text->len, ranges, &n);

	if (r == INET_NOTHING)
		return 0;
	if (r == INET_REFUSED)
		return OBJECT_REFUSED;
	for (i = 0; i < n && !r; i++)
		r = object_add(reader, spot, &ranges[i]);
	return r;
}

static int to_read(struct reader *reader, const struct spot *spot, const struct text *text)
{
	static const struct text any = { "*:*:*", 5 };
	int r;

	if (text_is(text, "*")) {
		r = unix_any(reader, spot);
		return r ? r : inet_add(reader, spot, &any);
	}
	if (text_is(text, "unix:*"))
		return unix_any(reader, spot);
	if (text_begins(text, "unix:@"))
		return pattern_add(reader, spot, OBJECT_ABSTRACT, text, 6);
	if (text_begins(text, "unix:"))
		return pattern_add(reader, spot, OBJECT_UNIX, text, 5);
	return inet_add(reader, spot, text);
}

static int name_read(struct reader *reader, const struct spot *spot, const struct text *text)
{
	struct object all = { .kind = OBJECT_ALL }, named = { .kind = OBJECT_NAME };
	char path[NAMED_LEN_MAX];

	if (text_is(text, "*"))
		return object_add(reader, spot, &all);
	if (named_read(spot, spot->access, text->bytes, text->len, path, &named.len))
		return OBJECT_REFUSED;
	named.verb = (unsigned int)__builtin_ctz(spot->access);
	named.bytes = arena_copy(reader->memory, path, named.len);
	return named.bytes ? object_add(reader, spot, &named) : -ENOMEM;
}

/* How the names of systemd's units end; a cgroup that is no unit ends otherwise. */
static bool unit_ends(const struct text *text)
{
	static const char *const ends[] = { ".service", ".scope", ".slice", ".socket", ".mount", ".swap" };
	size_t i, n;

	for (i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		n = strlen(ends[i]);
		if (text->len > n && !memcmp(text->bytes + text->len - n, ends[i], n))
			return true;
	}
	return false;
}

static int unit_read(struct reader *reader, const struct spot *spot, const struct text *text)
{
	if (unit_ends(text) && !memchr(text->bytes, '/', text->len))
		return pattern_add(reader, spot, OBJECT_UNIT, text, 0);
	diag_add(reader->diags, DIAG_ERROR, "bad-unit", doc_place(spot->doc, spot->value),
		 "\"nginx.service\", or \"cgroup\" for a path",
		 "a unit's name ends in .service, .scope, .slice, .socket, .mount or .swap, and has no '/'");
	return OBJECT_REFUSED;
}

/* What a string stands for: names are no patterns, and hold no variables. */
static int texts_read(struct reader *reader, struct spot *spot, enum strings_kind kind)
{
	struct text *only;
	int r;

	if (kind != STRINGS_NAME) {
		r = variables_expand(&reader->variables, spot->doc, spot->value, &reader->texts, &spot->verbatim);
		return r > 0 ? OBJECT_REFUSED : r;
	}
	reader->texts.n = 0;
	only = vec_add(&reader->texts);
	if (!only)
		return -ENOMEM;
	only->bytes = doc_string(spot->doc, spot->value, &only->len);
	spot->verbatim = true;
	return only->bytes ? 0 : -ENOMEM;
}

static int string_read(struct reader *reader, struct spot *spot, enum strings_kind kind)
{
	static int (*const reads[])(struct reader *, const struct spot *, const struct text *) = {
		[STRINGS_PATH] = path_read,
		[STRINGS_TO] = to_read,
		[STRINGS_NAME] = name_read,
		[STRINGS_UNIT] = unit_read,
	};
	size_t i;
	int r, worst = 0;

	r = texts_read(reader, spot, kind);
	if (r)
		return r;
	for (i = 0; i < reader->texts.n; i++) {
		r = reads[kind](reader, spot, &reader->texts.items[i]);
		if (r < 0)
			return r;
		if (r)
			worst = OBJECT_REFUSED;
	}
	return worst;
}

int objects_read(struct reader *reader, struct doc *doc, uint32_t strings, enum strings_kind kind,
		 uint32_t access, bool deny, struct object **ret, size_t *ret_n)
{
	struct spot spot = {
		.doc = doc, .deny = deny, .access = access, .diags = reader->diags, .services = &reader->services
	};
	int r, worst = 0;

	reader->objects.n = 0;
	while ((spot.value = strings_next(doc, strings, spot.value))) {
		r = string_read(reader, &spot, kind);
		if (r < 0)
			return r;
		if (r)
			worst = r;
	}
	if (worst)
		return worst;
	*ret_n = reader->objects.n;
	*ret = arena_alloc(reader->memory, *ret_n * sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	if (*ret_n)
		memcpy(*ret, reader->objects.items, *ret_n * sizeof(**ret));
	return 0;
}
