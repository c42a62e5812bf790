// SPDX-License-Identifier: LGPL-2.1-or-later
/* The oracle's patterns: braces written out, then tokens, then matching by trying everything. See naive-glob.h. */
#include "tests/engine/naive-glob.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/util/cleanup.h"

#define GLOBS_MAX 65536

/* A pattern that is being read. */
struct reader {
	const char *bytes;
	size_t len;
	size_t pos;
};

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte at pos, which may be escaped; pos moves behind it. */
static int byte_read(struct reader *reader, unsigned char *ret)
{
	const char *at = reader->bytes + reader->pos;
	size_t left = reader->len - reader->pos;

	if (left == 0)
		return -EINVAL;
	if (at[0] != '\\') {
		*ret = at[0];
		reader->pos += 1;
		return 0;
	}
	if (left < 2)
		return -EINVAL;
	if (at[1] != 'x') {
		*ret = at[1];
		reader->pos += 2;
		return 0;
	}
	if (left < 4 || hex_value(at[2]) < 0 || hex_value(at[3]) < 0)
		return -EINVAL;
	*ret = hex_value(at[2]) * 16 + hex_value(at[3]);
	reader->pos += 4;
	return 0;
}

/* pos stands behind '['. A ']' or '!' that is meant as itself is escaped. */
static int set_read(struct reader *reader, struct naive_token *token)
{
	bool outside = false;
	bool any = false;
	int r;

	token->kind = TOKEN_SET;
	if (reader->pos < reader->len && (reader->bytes[reader->pos] == '!' || reader->bytes[reader->pos] == '^')) {
		outside = true;
		reader->pos++;
	}
	while (reader->pos < reader->len && reader->bytes[reader->pos] != ']') {
		unsigned char first, last;

		r = byte_read(reader, &first);
		if (r)
			return r;
		last = first;
		if (reader->pos + 1 < reader->len && reader->bytes[reader->pos] == '-' &&
		    reader->bytes[reader->pos + 1] != ']') {
			reader->pos++;
			r = byte_read(reader, &last);
			if (r)
				return r;
		}
		if (last < first)
			return -EINVAL;
		for (unsigned int b = first; b <= last; b++)
			token->set[b] = true;
		any = true;
	}
	if (reader->pos >= reader->len || !any)
		return -EINVAL;
	reader->pos++;
	if (outside)
		for (unsigned int b = 0; b < 256; b++)
			token->set[b] = !token->set[b];
	token->set['/'] = false;
	return 0;
}

/* "**" as a whole component is more than "**" elsewhere. @slash: a plain '/' stands before it. */
static void stars_read(struct reader *reader, bool slash, struct naive_token *token)
{
	const char *at = reader->bytes + reader->pos;
	size_t left = reader->len - reader->pos;

	if (left < 2 || at[1] != '*') {
		token->kind = TOKEN_STAR;
		reader->pos += 1;
	} else if (slash && left == 2) {
		token->kind = TOKEN_SOME;
		reader->pos += 2;
	} else if (slash && at[2] == '/') {
		token->kind = TOKEN_DIRS;
		reader->pos += 3;
	} else {
		token->kind = TOKEN_ANY;
		reader->pos += 2;
	}
}

static int token_read(struct reader *reader, bool slash, struct naive_token *token)
{
	memset(token, 0, sizeof(*token));
	switch (reader->bytes[reader->pos]) {
	case '*':
		stars_read(reader, slash, token);
		return 0;
	case '?':
		token->kind = TOKEN_SET;
		memset(token->set, true, sizeof(token->set));
		token->set['/'] = false;
		reader->pos++;
		return 0;
	case '[':
		reader->pos++;
		return set_read(reader, token);
	case '{':
	case '}':
		return -EINVAL;
	default:
		token->kind = TOKEN_BYTE;
		return byte_read(reader, &token->byte);
	}
}

/* A '/' that nothing escapes, at the end. */
static bool ends_in_slash(const char *pattern, size_t len)
{
	size_t n_before = 0;

	if (len == 0 || pattern[len - 1] != '/')
		return false;
	while (n_before + 1 < len && pattern[len - 2 - n_before] == '\\')
		n_before++;
	return n_before % 2 == 0;
}

static bool last_component_plain(const struct naive_glob *glob)
{
	if (glob->below || glob->n_tokens == 0)
		return false;
	for (size_t i = glob->n_tokens; i > 0; i--) {
		const struct naive_token *token = &glob->tokens[i - 1];

		if (token->kind == TOKEN_DIRS || (token->kind == TOKEN_BYTE && token->byte == '/'))
			return true;
		if (token->kind != TOKEN_BYTE)
			return false;
	}
	return true;
}

/* A pattern without braces. */
static int glob_read(const char *pattern, size_t len, struct naive_glob *glob)
{
	struct reader reader = { .bytes = pattern, .len = len };
	bool slash = false;
	int r;

	memset(glob, 0, sizeof(*glob));
	if (ends_in_slash(pattern, len)) {
		glob->below = true;
		reader.len--;
	}
	glob->tokens = calloc(reader.len + 1, sizeof(*glob->tokens));
	if (!glob->tokens)
		return -ENOMEM;
	while (reader.pos < reader.len) {
		struct naive_token *token = &glob->tokens[glob->n_tokens];

		r = token_read(&reader, slash, token);
		if (r)
			return r;
		slash = token->kind == TOKEN_DIRS || (token->kind == TOKEN_BYTE && token->byte == '/');
		glob->n_tokens++;
	}
	glob->names_device = last_component_plain(glob);
	return 0;
}

static int globs_add(struct naive_globs *globs, const char *pattern, size_t len)
{
	struct naive_glob *more;

	if (globs->n_globs == GLOBS_MAX)
		return -E2BIG;
	more = reallocarray(globs->globs, globs->n_globs + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	globs->globs = more;
	return glob_read(pattern, len, &more[globs->n_globs++]);
}

/* Where the thing that starts at pos ends: an escape and a set are one thing each. */
static size_t thing_end(const char *pattern, size_t len, size_t pos)
{
	if (pattern[pos] == '\\')
		return pos + 2 < len ? pos + 2 : len;
	if (pattern[pos] != '[')
		return pos + 1;
	for (pos++; pos < len && pattern[pos] != ']'; pos++)
		if (pattern[pos] == '\\')
			pos++;
	return pos + 1 < len ? pos + 1 : len;
}

/* Position of the first '{' from pos on; len: none. */
static size_t brace_find(const char *pattern, size_t len, size_t pos)
{
	while (pos < len && pattern[pos] != '{')
		pos = thing_end(pattern, len, pos);
	return pos < len ? pos : len;
}

/* End of the alternative that starts at pos: a ',' or '}' of this brace's own; len: none. */
static size_t alternative_end(const char *pattern, size_t len, size_t pos)
{
	size_t depth = 0;

	while (pos < len) {
		char c = pattern[pos];

		if (depth == 0 && (c == ',' || c == '}'))
			return pos;
		if (c == '{')
			depth++;
		if (c == '}')
			depth--;
		pos = thing_end(pattern, len, pos);
	}
	return len;
}

static int braces_expand(const char *pattern, size_t len, struct naive_globs *globs);

/* head, the alternative, tail: written out and read on. */
static int alternative_expand(const char *pattern, size_t len, size_t open, size_t from, size_t to, size_t close,
			      struct naive_globs *globs)
{
	_cleanup_free_ char *whole = malloc(len + 1);
	size_t n = 0;

	if (!whole)
		return -ENOMEM;
	memcpy(whole, pattern, open);
	n += open;
	memcpy(whole + n, pattern + from, to - from);
	n += to - from;
	memcpy(whole + n, pattern + close + 1, len - close - 1);
	n += len - close - 1;
	return braces_expand(whole, n, globs);
}

/* Position of the '}' that belongs to the '{' at open; len: none. */
static size_t brace_close(const char *pattern, size_t len, size_t open)
{
	size_t end = alternative_end(pattern, len, open + 1);

	while (end < len && pattern[end] == ',')
		end = alternative_end(pattern, len, end + 1);
	return end;
}

static int braces_expand(const char *pattern, size_t len, struct naive_globs *globs)
{
	size_t open = brace_find(pattern, len, 0);
	size_t close, from, to;
	int r;

	if (open == len)
		return globs_add(globs, pattern, len);
	close = brace_close(pattern, len, open);
	if (close == len)
		return -EINVAL;
	for (from = open + 1; from <= close; from = to + 1) {
		to = alternative_end(pattern, len, from);
		r = alternative_expand(pattern, len, open, from, to, close, globs);
		if (r)
			return r;
	}
	return 0;
}

int naive_globs_read(const char *pattern, size_t len, struct naive_globs *ret)
{
	struct naive_globs globs = { 0 };
	int r;

	r = braces_expand(pattern, len, &globs);
	if (r) {
		naive_globs_free(&globs);
		return r;
	}
	*ret = globs;
	return 0;
}

void naive_globs_free(struct naive_globs *globs)
{
	for (size_t i = 0; i < globs->n_globs; i++)
		free(globs->globs[i].tokens);
	free(globs->globs);
	globs->globs = NULL;
	globs->n_globs = 0;
}

/* One attempt to match: failed[token * (len + 1) + pos] says that from there on nothing worked. */
struct trial {
	const struct naive_glob *glob;
	const unsigned char *name;
	size_t len;
	bool *failed;
};

static bool rest_matches(struct trial *trial, size_t i, size_t pos);

/* Nothing, or up to and with one of the slashes that follow. */
static bool dirs_match(struct trial *trial, size_t i, size_t pos)
{
	if (rest_matches(trial, i + 1, pos))
		return true;
	for (; pos < trial->len; pos++)
		if (trial->name[pos] == '/' && rest_matches(trial, i + 1, pos + 1))
			return true;
	return false;
}

static bool token_matches(struct trial *trial, size_t i, size_t pos)
{
	const struct naive_token *token = &trial->glob->tokens[i];
	bool more = pos < trial->len;
	unsigned char byte = more ? trial->name[pos] : 0;

	switch (token->kind) {
	case TOKEN_BYTE:
		return more && byte == token->byte && rest_matches(trial, i + 1, pos + 1);
	case TOKEN_SET:
		return more && token->set[byte] && rest_matches(trial, i + 1, pos + 1);
	case TOKEN_STAR:
		return rest_matches(trial, i + 1, pos) || (more && byte != '/' && rest_matches(trial, i, pos + 1));
	case TOKEN_ANY:
		return rest_matches(trial, i + 1, pos) || (more && rest_matches(trial, i, pos + 1));
	case TOKEN_SOME:
		return more && (rest_matches(trial, i + 1, pos + 1) || rest_matches(trial, i, pos + 1));
	case TOKEN_DIRS:
		return dirs_match(trial, i, pos);
	}
	abort();
}

static bool rest_matches(struct trial *trial, size_t i, size_t pos)
{
	bool *failed = &trial->failed[i * (trial->len + 1) + pos];

	if (i == trial->glob->n_tokens)
		return pos == trial->len || (trial->glob->below && trial->name[pos] == '/');
	if (*failed)
		return false;
	if (token_matches(trial, i, pos))
		return true;
	*failed = true;
	return false;
}

bool naive_glob_matches(const struct naive_glob *glob, const char *name, size_t len)
{
	_cleanup_free_ bool *failed = calloc(glob->n_tokens + 1, (len + 1) * sizeof(*failed));
	struct trial trial = { .glob = glob, .name = (const unsigned char *)name, .len = len, .failed = failed };

	if (!failed)
		abort();
	return rest_matches(&trial, 0, 0);
}
