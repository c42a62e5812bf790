/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Patterns over names: from the text of a policy to the names it stands for, literal ones apart from those with wildcards.
 *
 *	*	any bytes but '/', none too; dot names like all others
 *	**	any bytes. Between two slashes also nothing: "/a/", "**", "/b" in a row match /a/b. At the end behind a slash at
 *		least one byte: what lies below, not the directory itself. Three stars in a row are refused
 *	?	one byte, not '/'
 *	[a-z]	one byte of these, [!a-z] and [^a-z] one of the others, never '/'; a ']' among them is written \]
 *	{a,b}	either; may be nested, an alternative may be empty. A pattern means the same as all its alternatives written
 *		out, one after the other: every rule below holds for each of them
 *	\c	the byte c itself; \xHH the byte of that number
 *	/	at the end, not escaped: that name and everything below it
 *
 * Names of files are absolute and have no empty, "." or ".." component: a pattern that could match nothing else is
 * refused. Abstract unix names are bytes: no component is refused and no leading slash asked for.
 */
#ifndef LSMD_POLICY_GLOB_H
#define LSMD_POLICY_GLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a pattern: a name of 4,096 bytes, each written as \xHH. */
#define GLOB_LEN_MAX 16384
/* Names that the braces of one pattern stand for. */
#define GLOB_NAMES_MAX 4096
/* Items of all of them together. */
#define GLOB_ITEMS_MAX (1u << 20)
/* Groups of braces in one pattern, nested or not. */
#define GLOB_GROUPS_MAX 64

enum glob_kind {
	GLOB_PATH,
	GLOB_ABSTRACT,
};

/* A mistake in a pattern. The texts are static. */
struct glob_error {
	size_t offset; /* bytes from the start of the pattern */
	size_t len; /* bytes that are wrong */
	const char *message;
	const char *mend;
};

enum {
	GLOB_REFUSED = 1, /* the error says why */
};

/** glob_check() - is this a pattern? Return: 0, GLOB_REFUSED, -ENOMEM. @error may be NULL */
int glob_check(const char *bytes, size_t len, enum glob_kind kind, struct glob_error *error);

/* Items of a name: a byte (0..255), or one of these. */
#define GLOB_ANY 256 /* ? */
#define GLOB_STAR 257 /* * */
#define GLOB_DEEP 258 /* ** */
#define GLOB_DEEP_SLASH 259 /* the double star and the slash behind it, after a slash; or nothing */
#define GLOB_SET 512 /* + index of a set */

struct glob_set {
	uint64_t bits[4]; /* byte b: bits[b / 64] >> b % 64 & 1; '/' is in no set */
};

enum glob_form {
	GLOB_EXACT, /* the name */
	GLOB_SUBTREE, /* the name, and whatever follows it and a '/' */
	GLOB_BELOW, /* what follows the name and a '/', at least one byte */
};

/*
 * One name of a pattern, without the slash or slash and double star that `form` stands for. The root is the empty name.
 */
struct glob_name {
	enum glob_form form;
	bool literal; /* no wildcard: `n` bytes from glob.bytes[first] on; else items from glob.items[first] on */
	bool last_literal; /* the last component is written without wildcard, and the name goes no further */
	uint32_t first;
	uint32_t n;
};

struct glob_token;

/* Zero-initialise; may be read into again and again; glob_clear(). */
struct glob {
	struct glob_name *names;
	size_t n_names;
	uint16_t *items;
	size_t n_items;
	char *bytes;
	size_t n_bytes;
	struct glob_set *sets;
	size_t n_sets;
	size_t names_room, items_room, bytes_room, sets_room;
	struct glob_token *tokens;
	size_t n_tokens, tokens_room;
};

/**
 * glob_read() - the names of a pattern, in the order in which its braces name them
 * @glob: what was in it before is lost
 * Return: 0, GLOB_REFUSED (@error says why, unless NULL), -ENOMEM
 */
int glob_read(struct glob *glob, const char *bytes, size_t len, enum glob_kind kind, struct glob_error *error);

void glob_clear(struct glob *glob);

#endif
