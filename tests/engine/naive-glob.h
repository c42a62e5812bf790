/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The oracle's own reading of patterns (MEANING.md 12), slow and plain: braces are written out, each result is a row of
 * tokens, and a name is matched by trying. Shares nothing with agent/policy/glob.h on purpose.
 *
 *  *      any bytes but '/', also none
 *  ?      one byte, not '/'
 *  [a-z]  one byte of the set, never '/'; [!a-z] and [^a-z] one byte outside of it, never '/'
 *  **     any bytes, '/' too, also none; as a whole last component (after a '/') at least one
 *         between two slashes also nothing at all: "/a/" "**" "/b" matches /a/b
 *  x/     at the end: x itself and everything below; "/" is everything
 *  {a,b}  either, nested too
 *  \c     the byte c itself; \xHH the byte HH
 */
#ifndef LSMD_TESTS_ENGINE_NAIVE_GLOB_H
#define LSMD_TESTS_ENGINE_NAIVE_GLOB_H

#include <stdbool.h>
#include <stddef.h>

enum naive_token_kind {
	TOKEN_BYTE, /* exactly this byte */
	TOKEN_SET,  /* one byte of the set: '?' and "[...]" */
	TOKEN_STAR, /* any bytes but '/' */
	TOKEN_ANY,  /* any bytes */
	TOKEN_SOME, /* any bytes, at least one */
	TOKEN_DIRS, /* nothing, or any bytes and then a '/' */
};

struct naive_token {
	enum naive_token_kind kind;
	unsigned char byte;
	bool set[256];
};

/* One pattern without braces. */
struct naive_glob {
	struct naive_token *tokens;
	size_t n_tokens;
	bool below;        /* it ended in '/': what begins with a match and goes on with '/' matches too */
	bool names_device; /* its last component is plain bytes (MEANING.md 19) */
};

/* Everything that one written pattern stands for. */
struct naive_globs {
	struct naive_glob *globs;
	size_t n_globs;
};

/**
 * naive_globs_read() - read a pattern as a person would
 * @ret: owned by the caller, naive_globs_free()
 * Return: 0, -EINVAL for something no pattern can be, -E2BIG for more than 65,536 written-out braces, -ENOMEM.
 */
int naive_globs_read(const char *pattern, size_t len, struct naive_globs *ret);
void naive_globs_free(struct naive_globs *globs);

/** naive_glob_matches() - does this one match the whole name? */
bool naive_glob_matches(const struct naive_glob *glob, const char *name, size_t len);

#endif
