// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Patterns: text -> tokens with places -> the names that the braces stand for -> items, checked name by name. A pattern
 * without any special byte, which is nearly every one, takes a short cut through all of it.
 */
#include "agent/policy/glob.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/util/vec.h"
#include "lsm/abi/limits.h"

/* Further items that only the reader knows. */
#define TOKEN_SLASH_ESCAPED 260 /* a slash, but no mark of a subtree */
#define TOKEN_OPEN 261
#define TOKEN_COMMA 262
#define TOKEN_CLOSE 263
#define TOKEN_END 264

#define NO_TOKEN (~0u)

struct glob_token {
	uint16_t item;
	uint16_t len; /* bytes of the pattern that it is written with */
	uint32_t offset;
	uint32_t next; /* OPEN, COMMA: the comma or brace that ends the alternative behind it */
	uint32_t behind; /* COMMA, CLOSE: the token behind the whole group */
};

struct reader {
	struct glob *glob;
	const char *bytes;
	size_t len;
	enum glob_kind kind;
	struct glob_error *error;
	struct glob_token *prefix; /* the name being put together */
	struct glob_token *out; /* a copy of it, once it is whole */
};

static int refuse(const struct reader *reader, size_t offset, size_t len, const char *message, const char *mend)
{
	if (reader->error)
		*reader->error = (struct glob_error){ offset, len, message, mend };
	return GLOB_REFUSED;
}

/* room() - of any of the arrays of a glob; @items is the address of the pointer to it */
#define room(items, capacity, n, size) \
	({ \
		void *_at = *(items); \
		int _r = vec_room(&_at, (capacity), (n), (size)); \
		*(items) = _at; \
		_r; \
	})

static int token_add(struct reader *reader, uint16_t item, size_t offset, size_t len)
{
	struct glob *glob = reader->glob;
	int r = room(&glob->tokens, &glob->tokens_room, glob->n_tokens + 1, sizeof(*glob->tokens));

	if (r)
		return r;
	glob->tokens[glob->n_tokens++] =
		(struct glob_token){ item, (uint16_t)len, (uint32_t)offset, NO_TOKEN, NO_TOKEN };
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that a backslash at @at stands for, and how many bytes of the pattern it takes. */
static int read_escape(const struct reader *reader, size_t at, uint8_t *byte, size_t *len)
{
	int high, low;

	if (at + 1 >= reader->len)
		return refuse(reader, at, 1, "the pattern ends in a backslash",
			      "write '\\\\' for the byte '\\' itself");
	if (reader->bytes[at + 1] != 'x') {
		*byte = (uint8_t)reader->bytes[at + 1];
		*len = 2;
		return 0;
	}
	high = at + 2 < reader->len ? hex_digit(reader->bytes[at + 2]) : -1;
	low = at + 3 < reader->len ? hex_digit(reader->bytes[at + 3]) : -1;
	if (high < 0 || low < 0)
		return refuse(reader, at, 2, "'\\x' wants two hexadecimal digits",
			      "write '\\x2a' for the byte 42, 'x' for an x");
	*byte = (uint8_t)(high << 4 | low);
	*len = 4;
	return 0;
}

static int read_escaped_token(struct reader *reader, size_t *at)
{
	uint8_t byte;
	size_t len;
	int r = read_escape(reader, *at, &byte, &len);

	if (r)
		return r;
	if (!byte && reader->kind == GLOB_PATH)
		return refuse(reader, *at, len, "the name of a file never holds the byte 0", "remove it");
	r = token_add(reader, byte == '/' ? TOKEN_SLASH_ESCAPED : byte, *at, len);
	*at += len;
	return r;
}

/* One end of a range inside brackets. */
static int read_set_byte(const struct reader *reader, size_t *at, uint8_t *byte)
{
	size_t len = 1;

	if (reader->bytes[*at] == '\\') {
		int r = read_escape(reader, *at, byte, &len);

		if (r)
			return r;
	} else {
		*byte = (uint8_t)reader->bytes[*at];
	}
	if (*byte == '/')
		return refuse(reader, *at, len, "brackets never match '/'",
			      "remove the '/', or write the alternatives as {a/b,c}");
	*at += len;
	return 0;
}

static void set_add(struct glob_set *set, unsigned int first, unsigned int last)
{
	for (unsigned int b = first; b <= last; b++)
		set->bits[b / 64] |= 1ull << b % 64;
}

/* "a" or "a-z" inside brackets. */
static int read_set_range(const struct reader *reader, size_t *at, struct glob_set *set)
{
	size_t start = *at;
	uint8_t first, last;
	int r = read_set_byte(reader, at, &first);

	if (r)
		return r;
	last = first;
	if (*at + 1 < reader->len && reader->bytes[*at] == '-' && reader->bytes[*at + 1] != ']') {
		(*at)++;
		r = read_set_byte(reader, at, &last);
		if (r)
			return r;
	}
	if (last < first)
		return refuse(reader, start, *at - start, "the range runs backwards", "put the smaller byte first");
	set_add(set, first, last);
	return 0;
}

static void set_settle(const struct reader *reader, struct glob_set *set, bool negated)
{
	for (int i = 0; negated && i < 4; i++)
		set->bits[i] = ~set->bits[i];
	set->bits['/' / 64] &= ~(1ull << '/' % 64);
	if (reader->kind == GLOB_PATH)
		set->bits[0] &= ~1ull;
}

/* Sets are few: looked for one by one, so that equal brackets are one item. */
static int set_intern(struct glob *glob, const struct glob_set *set, uint16_t *item)
{
	size_t i;
	int r;

	for (i = 0; i < glob->n_sets; i++)
		if (!memcmp(&glob->sets[i], set, sizeof(*set)))
			break;
	if (i == glob->n_sets) {
		r = room(&glob->sets, &glob->sets_room, i + 1, sizeof(*set));
		if (r)
			return r;
		glob->sets[glob->n_sets++] = *set;
	}
	*item = (uint16_t)(GLOB_SET + i);
	return 0;
}

static int read_set(struct reader *reader, size_t *at)
{
	size_t start = *at, i = start + 1;
	struct glob_set set = {};
	bool negated = false;
	uint16_t item;
	int r;

	if (i < reader->len && (reader->bytes[i] == '!' || reader->bytes[i] == '^')) {
		negated = true;
		i++;
	}
	while (i < reader->len && reader->bytes[i] != ']') {
		r = read_set_range(reader, &i, &set);
		if (r)
			return r;
	}
	if (i >= reader->len)
		return refuse(reader, start, 1, "'[' is never closed",
			      "close it with ']', or write '\\[' for the byte itself");
	i++;
	if (i - start == 2u + negated)
		return refuse(reader, start, i - start, "these brackets name no byte",
			      "write '\\]' for the byte ']' itself");
	set_settle(reader, &set, negated);
	if (!(set.bits[0] | set.bits[1] | set.bits[2] | set.bits[3]))
		return refuse(reader, start, i - start, "these brackets match no byte",
			      "name at least one byte that is not '/'");
	r = set_intern(reader->glob, &set, &item);
	*at = i;
	return r ? r : token_add(reader, item, start, i - start);
}

/* Is "/xxx/b" of stars meant to match /b? Nobody could say. */
static int refuse_stars(const struct reader *reader, size_t offset, size_t len)
{
	return refuse(reader, offset, len, "more than two stars in a row",
		      "write '*' to stay in a directory, '**' to go below");
}

static int read_stars(struct reader *reader, size_t *at)
{
	size_t start = *at;

	while (*at < reader->len && reader->bytes[*at] == '*')
		(*at)++;
	if (*at - start > 2)
		return refuse_stars(reader, start, *at - start);
	return token_add(reader, *at - start > 1 ? GLOB_DEEP : GLOB_STAR, start, *at - start);
}

/* Open groups while the pattern is read: the last '{' or ',' of each. */
struct groups {
	uint32_t last[GLOB_GROUPS_MAX];
	uint32_t open[GLOB_GROUPS_MAX];
	size_t depth;
	size_t n;
};

static int read_open(struct reader *reader, struct groups *groups, size_t *at)
{
	if (groups->n == GLOB_GROUPS_MAX)
		return refuse(reader, *at, 1, "the pattern has more than 64 groups of braces",
			      "write several patterns");
	groups->n++;
	groups->open[groups->depth] = groups->last[groups->depth] = (uint32_t)reader->glob->n_tokens;
	groups->depth++;
	return token_add(reader, TOKEN_OPEN, (*at)++, 1);
}

static int read_comma(struct reader *reader, struct groups *groups, size_t *at)
{
	uint32_t here = (uint32_t)reader->glob->n_tokens, *last;

	if (!groups->depth)
		return token_add(reader, ',', (*at)++, 1);
	last = &groups->last[groups->depth - 1];
	reader->glob->tokens[*last].next = here;
	*last = here;
	return token_add(reader, TOKEN_COMMA, (*at)++, 1);
}

static int read_close(struct reader *reader, struct groups *groups, size_t *at)
{
	uint32_t here = (uint32_t)reader->glob->n_tokens;
	struct glob_token *tokens;
	int r;

	if (!groups->depth)
		return refuse(reader, *at, 1, "'}' closes nothing",
			      "open it with '{', or write '\\}' for the byte itself");
	r = token_add(reader, TOKEN_CLOSE, (*at)++, 1);
	if (r)
		return r;
	groups->depth--;
	tokens = reader->glob->tokens;
	tokens[groups->last[groups->depth]].next = here;
	for (uint32_t t = groups->open[groups->depth]; t != NO_TOKEN; t = tokens[t].next)
		tokens[t].behind = here + 1;
	return 0;
}

static int read_token(struct reader *reader, struct groups *groups, size_t *at)
{
	switch (reader->bytes[*at]) {
	case '\\':
		return read_escaped_token(reader, at);
	case '*':
		return read_stars(reader, at);
	case '[':
		return read_set(reader, at);
	case '{':
		return read_open(reader, groups, at);
	case ',':
		return read_comma(reader, groups, at);
	case '}':
		return read_close(reader, groups, at);
	case '?':
		return token_add(reader, GLOB_ANY, (*at)++, 1);
	case '\0':
		if (reader->kind == GLOB_PATH)
			return refuse(reader, *at, 1, "the name of a file never holds the byte 0", "remove it");
		break;
	}
	(*at)++;
	return token_add(reader, (uint8_t)reader->bytes[*at - 1], *at - 1, 1);
}

static int read_tokens(struct reader *reader)
{
	struct groups groups = {};

	for (size_t at = 0; at < reader->len;) {
		int r = read_token(reader, &groups, &at);

		if (r)
			return r;
	}
	if (groups.depth)
		return refuse(reader, reader->glob->tokens[groups.open[groups.depth - 1]].offset, 1,
			      "'{' is never closed", "close it with '}', or write '\\{' for the byte itself");
	return token_add(reader, TOKEN_END, reader->len, 0);
}

static bool item_slash(uint16_t item)
{
	return item == '/' || item == TOKEN_SLASH_ESCAPED;
}

static bool item_star(uint16_t item)
{
	return item == GLOB_STAR || item == GLOB_DEEP;
}

/* The name goes from prefix to out. Neighbouring stars are what they would be without the braces between them. */
static int name_join_stars(struct reader *reader, size_t *n)
{
	struct glob_token *out = reader->out;
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++) {
		const struct glob_token *token = &reader->prefix[i];

		if (!kept || !item_star(token->item) || !item_star(out[kept - 1].item)) {
			out[kept++] = *token;
			continue;
		}
		if (token->item == GLOB_DEEP || out[kept - 1].item == GLOB_DEEP)
			return refuse_stars(reader, token->offset, token->len);
		out[kept - 1].item = GLOB_DEEP;
	}
	*n = kept;
	return 0;
}

static bool name_ends_deep(const struct glob_token *out, size_t n)
{
	return n > 1 && out[n - 1].item == GLOB_DEEP && item_slash(out[n - 2].item);
}

/* What stands at the end of a name becomes its form. "/a/xx/yy" of double stars says no more than one of them. */
static size_t name_take_form(struct glob_token *out, size_t n, enum glob_form *form)
{
	*form = GLOB_EXACT;
	if (n && out[n - 1].item == '/') {
		*form = GLOB_SUBTREE;
		n--;
	}
	for (; name_ends_deep(out, n); n -= 2)
		*form = GLOB_BELOW;
	return n;
}

static size_t name_join_slashes(struct glob_token *out, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		uint16_t before = kept ? out[kept - 1].item : 0;

		out[kept] = out[i];
		if (out[i].item == GLOB_DEEP && (item_slash(before) || before == GLOB_DEEP_SLASH) && i + 1 < n &&
		    item_slash(out[i + 1].item)) {
			out[kept].item = GLOB_DEEP_SLASH;
			i++;
		} else if (out[i].item == TOKEN_SLASH_ESCAPED) {
			out[kept].item = '/';
		}
		kept++;
	}
	return kept;
}

/* What one component is made of. */
struct component {
	size_t n; /* items */
	size_t n_bytes; /* of them plain bytes */
	size_t n_dots; /* of these dots */
};

static int component_check(const struct reader *reader, const struct component *component, size_t offset, size_t len)
{
	if (!component->n)
		return refuse(reader, offset, len, "an empty component: no name has two slashes in a row",
			      "write a single '/'");
	if (component->n == component->n_dots && component->n == 1)
		return refuse(reader, offset, len, "a component '.': names are resolved, so this matches nothing",
			      "leave the '/.' out");
	if (component->n == component->n_dots && component->n == 2)
		return refuse(reader, offset, len, "a component '..': names are resolved, so this matches nothing",
			      "write the name of the directory above instead");
	if (component->n_bytes > LSMD_NAME_MAX)
		return refuse(reader, offset, len, "a component of more than 255 bytes: no file system has such names",
			      "shorten it");
	return 0;
}

/* Pieces that every match of the component takes at least. */
static size_t component_pieces(const struct component *component)
{
	return component->n_bytes ? (component->n_bytes + LSMD_PIECE_LEN - 1) / LSMD_PIECE_LEN : 1;
}

/* The components of @out[0..n), each behind a '/' or a double star with its slash. @last receives the last one. */
static int name_check_path(const struct reader *reader, const struct glob_token *out, size_t n, struct component *last)
{
	size_t pieces = 0, start = 1;
	struct component component = {};

	if (n && out[0].item != '/')
		return refuse(reader, out[0].offset, out[0].len, "a pattern starts with '/'",
			      "write the absolute name");
	for (size_t i = 1; n && i <= n; i++) {
		if (i < n && out[i].item != '/' && out[i].item != GLOB_DEEP_SLASH) {
			component.n++;
			component.n_bytes += out[i].item < 256;
			component.n_dots += out[i].item == '.';
			continue;
		}
		if (component.n || i == n || out[i].item == '/') {
			const struct glob_token *from = &out[start < n ? start : n - 1];
			const struct glob_token *last_token = &out[component.n ? i - 1 : (size_t)(from - out)];
			int r = component_check(reader, &component, from->offset,
						last_token->offset + last_token->len - from->offset);

			if (r)
				return r;
			pieces += component_pieces(&component);
		}
		if (pieces > LSMD_PIECES_MAX)
			return refuse(reader, out[start].offset, 1,
				      "the name has more than 64 components: deeper names are never decided",
				      "name a directory further up, with a '/' at the end");
		*last = component;
		component = (struct component){};
		start = i + 1;
	}
	return 0;
}

static int name_check_abstract(const struct reader *reader, const struct glob_token *out, size_t n,
			       struct component *last)
{
	size_t n_bytes = 0;

	*last = (struct component){};
	for (size_t i = 0; i < n; i++) {
		n_bytes += out[i].item < 256;
		last->n++;
		last->n_bytes += out[i].item < 256;
		if (out[i].item == '/' || out[i].item == GLOB_DEEP_SLASH)
			*last = (struct component){};
	}
	if (n_bytes > LSMD_ABSTRACT_MAX)
		return refuse(reader, out[0].offset, reader->len - out[0].offset,
			      "more than 107 bytes: no abstract name is that long", "shorten it");
	return 0;
}

static bool name_is_literal(const struct glob_token *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (out[i].item >= 256)
			return false;
	return true;
}

static int name_store(struct glob *glob, const struct glob_token *out, size_t n, struct glob_name *name)
{
	int r = room(&glob->names, &glob->names_room, glob->n_names + 1, sizeof(*glob->names));

	if (!r && name->literal)
		r = room(&glob->bytes, &glob->bytes_room, glob->n_bytes + n, 1);
	else if (!r)
		r = room(&glob->items, &glob->items_room, glob->n_items + n, sizeof(*glob->items));
	if (r)
		return r;
	name->n = (uint32_t)n;
	name->first = (uint32_t)(name->literal ? glob->n_bytes : glob->n_items);
	for (size_t i = 0; i < n; i++) {
		if (name->literal)
			glob->bytes[glob->n_bytes++] = (char)out[i].item;
		else
			glob->items[glob->n_items++] = out[i].item;
	}
	glob->names[glob->n_names++] = *name;
	return 0;
}

/* One name is whole: the first @n tokens of reader->out. */
static int name_finish(struct reader *reader, size_t n)
{
	struct glob *glob = reader->glob;
	struct component last = {};
	struct glob_name name = {};
	int r;

	if (reader->kind == GLOB_PATH && !n)
		return refuse(reader, 0, reader->len, "a pattern starts with '/'", "write the absolute name");
	r = name_join_stars(reader, &n);
	if (r)
		return r;
	n = name_take_form(reader->out, n, &name.form);
	n = name_join_slashes(reader->out, n);
	if (reader->kind == GLOB_PATH)
		r = name_check_path(reader, reader->out, n, &last);
	else
		r = name_check_abstract(reader, reader->out, n, &last);
	if (r)
		return r;
	if (glob->n_names == GLOB_NAMES_MAX || glob->n_items + glob->n_bytes + n > GLOB_ITEMS_MAX)
		return refuse(reader, 0, reader->len, "the braces of this pattern stand for too many names",
			      "put '*' where many alternatives are alike, or write several patterns");
	name.literal = name_is_literal(reader->out, n) && (reader->kind == GLOB_PATH || name.form == GLOB_EXACT);
	name.last_literal = name.form == GLOB_EXACT && last.n == last.n_bytes;
	return name_store(glob, reader->out, n, &name);
}

/*
 * Put names together from token @at on, behind the @n items that the name has already. Each group branches; recursion
 * is as deep as there are groups. A name never has a token twice, so it has at most as many items as there are tokens.
 */
static int name_expand(struct reader *reader, uint32_t at, size_t n)
{
	const struct glob_token *tokens = reader->glob->tokens;
	int r = 0;

	for (; tokens[at].item != TOKEN_END && tokens[at].item != TOKEN_OPEN;) {
		if (tokens[at].item == TOKEN_COMMA || tokens[at].item == TOKEN_CLOSE)
			at = tokens[at].behind;
		else
			reader->prefix[n++] = tokens[at++];
	}
	if (tokens[at].item == TOKEN_END)
		return name_finish(reader, n);
	for (; !r && tokens[at].item != TOKEN_CLOSE; at = tokens[at].next)
		r = name_expand(reader, at + 1, n);
	return r;
}

static int read_names(struct reader *reader)
{
	size_t n_tokens = reader->glob->n_tokens;
	int r;

	reader->prefix = calloc(2 * n_tokens, sizeof(*reader->prefix));
	if (!reader->prefix)
		return -ENOMEM;
	reader->out = reader->prefix + n_tokens;
	r = name_expand(reader, 0, 0);
	free(reader->prefix);
	return r;
}

/* 0: a byte that stands for itself, 1: one that a pattern reads in another way, 2: a slash */
static const uint8_t byte_kind[256] = {
	['\0'] = 1, ['\\'] = 1, ['*'] = 1, ['?'] = 1, ['['] = 1, ['{'] = 1, ['}'] = 1, ['/'] = 2,
};

static bool component_plain(const char *bytes, size_t len)
{
	if (!len || len > LSMD_NAME_MAX)
		return false;
	return bytes[0] != '.' || (len > 1 && (bytes[1] != '.' || len > 2));
}

/* Is this a literal name with nothing wrong about it? What is not goes the long way, which finds out why. */
static bool pattern_plain(const char *bytes, size_t len)
{
	size_t start = 1, pieces = 0;

	if (!len || bytes[0] != '/' || len > GLOB_LEN_MAX)
		return false;
	for (size_t i = 1; i <= len; i++) {
		unsigned int kind = i < len ? byte_kind[(uint8_t)bytes[i]] : 2;

		if (!kind)
			continue;
		if (kind == 1)
			return false;
		if (i == len && start == len)
			break;
		if (!component_plain(bytes + start, i - start))
			return false;
		pieces += (i - start + LSMD_PIECE_LEN - 1) / LSMD_PIECE_LEN;
		start = i + 1;
	}
	return pieces <= LSMD_PIECES_MAX;
}

static int read_plain(struct glob *glob, const char *bytes, size_t len)
{
	struct glob_name name = { .literal = true };
	int r = room(&glob->names, &glob->names_room, 1, sizeof(*glob->names));

	if (bytes[len - 1] == '/')
		name.form = GLOB_SUBTREE, len--;
	if (!r)
		r = room(&glob->bytes, &glob->bytes_room, len + 1, 1);
	if (r)
		return r;
	memcpy(glob->bytes, bytes, len);
	glob->n_bytes = name.n = (uint32_t)len;
	name.last_literal = name.form == GLOB_EXACT;
	glob->names[glob->n_names++] = name;
	return 0;
}

int glob_read(struct glob *glob, const char *bytes, size_t len, enum glob_kind kind, struct glob_error *error)
{
	struct reader reader = { .glob = glob, .bytes = bytes, .len = len, .kind = kind, .error = error };
	int r;

	glob->n_names = glob->n_items = glob->n_bytes = glob->n_sets = glob->n_tokens = 0;
	if (kind == GLOB_PATH && pattern_plain(bytes, len))
		return read_plain(glob, bytes, len);
	if (len > GLOB_LEN_MAX)
		return refuse(&reader, GLOB_LEN_MAX, len - GLOB_LEN_MAX, "the pattern is longer than 16384 bytes",
			      "no name is that long: shorten it, or write several patterns");
	r = read_tokens(&reader);
	return r ? r : read_names(&reader);
}

int glob_check(const char *bytes, size_t len, enum glob_kind kind, struct glob_error *error)
{
	struct glob glob = {};
	int r;

	if (kind == GLOB_PATH && pattern_plain(bytes, len))
		return 0;
	r = glob_read(&glob, bytes, len, kind, error);
	glob_clear(&glob);
	return r;
}

void glob_clear(struct glob *glob)
{
	free(glob->names);
	free(glob->items);
	free(glob->bytes);
	free(glob->sets);
	free(glob->tokens);
	*glob = (struct glob){};
}
