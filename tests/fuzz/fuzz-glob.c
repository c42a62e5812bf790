// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Any bytes as a pattern: refused with a place inside it, or read into names that match exactly what the oracle's reading of
 * the same bytes matches. Input: a byte whose lowest bit is the kind, a byte for the length of the pattern, the pattern,
 * and names behind it, separated by newlines.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/policy/nfa.h"

/* The oracle's patterns are in no library; they have a function of the same name. */
#define glob_read naive_glob_read
#include "tests/engine/naive-glob.c"
#undef glob_read

/* The oracle tries everything, so what it tries is kept short. */
#define PATTERN_MAX 48
#define NAME_MAX_FUZZED 24
#define STARS_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* Nodes that a set of names can be in; one flag a node. */
struct places {
	bool *in;
	const struct nfa *nfa;
};

static void places_enter(struct places *places, uint32_t v)
{
	const struct nfa_node *node;

	if (!v || places->in[v])
		return;
	places->in[v] = true;
	node = &places->nfa->nodes.items[v];
	places_enter(places, node->star);
	places_enter(places, node->deep);
	places_enter(places, node->skip);
}

static bool edge_takes(const struct nfa *nfa, const struct nfa_edge *edge, uint8_t byte)
{
	if (edge->item < 256)
		return edge->item == byte;
	if (edge->item == GLOB_ANY)
		return byte != '/';
	if (edge->item == NFA_ANY_BYTE)
		return true;
	return nfa->sets.items[edge->item - GLOB_SET].bits[byte / 64] >> byte % 64 & 1;
}

static void places_step(struct places *from, struct places *to, uint8_t byte)
{
	const struct nfa *nfa = from->nfa;

	memset(to->in, 0, nfa->nodes.n);
	for (uint32_t v = 1; v < nfa->nodes.n; v++) {
		const struct nfa_node *node = &nfa->nodes.items[v];

		if (!from->in[v])
			continue;
		if (node->loop == NFA_LOOP_ALL || (node->loop == NFA_LOOP_NAME && byte != '/'))
			places_enter(to, v);
		for (uint32_t e = node->edges; e; e = nfa->edges.items[e].next)
			if (edge_takes(nfa, &nfa->edges.items[e], byte))
				places_enter(to, nfa->edges.items[e].to);
	}
}

static bool nfa_matches(const struct nfa *nfa, uint8_t lead, const uint8_t *name, size_t len)
{
	struct places a = { calloc(nfa->nodes.n, 1), nfa }, b = { calloc(nfa->nodes.n, 1), nfa };
	bool matches = false;

	places_enter(&a, NFA_START);
	for (size_t i = lead ? 0 : 1; i <= len; i++) {
		struct places swap = a;

		places_step(&a, &b, lead && !i ? lead : name[i - 1]);
		a = b;
		b = swap;
	}
	for (uint32_t v = 1; v < nfa->nodes.n; v++)
		matches |= a.in[v] && nfa->nodes.items[v].accepts;
	free(a.in);
	free(b.in);
	return matches;
}

/* Names of files have one slash at the start and between components; others are never asked for. */
static bool name_possible(const uint8_t *name, size_t len, enum glob_kind kind)
{
	if (kind == GLOB_ABSTRACT)
		return true;
	if (!len || name[0] != '/' || memchr(name, 0, len) || (len > 1 && name[len - 1] == '/'))
		return false;
	for (size_t i = 1; i < len; i++)
		if (name[i] == '/' && name[i - 1] == '/')
			return false;
	return true;
}

static void check_name(const struct nfa *nfa, const struct naive_globs *globs, const uint8_t *name, size_t len,
		       enum glob_kind kind)
{
	bool wanted = false;

	if (len > NAME_MAX_FUZZED || !name_possible(name, len, kind))
		return;
	for (size_t i = 0; i < globs->n_globs; i++)
		wanted |= naive_glob_matches(&globs->globs[i], (const char *)name, len);
	check(nfa_matches(nfa, kind == GLOB_ABSTRACT ? '@' : 0, name, len) == wanted);
}

static void check_names(const struct glob *glob, const struct naive_globs *globs, const uint8_t *names, size_t size,
			enum glob_kind kind)
{
	const struct entry entry = { .allow = 1, .rule = 1 };
	struct nfa nfa = {};

	check(!nfa_init(&nfa));
	for (size_t i = 0; i < glob->n_names; i++)
		check(!nfa_add(&nfa, glob, &glob->names[i], kind == GLOB_ABSTRACT ? '@' : 0, 0, &entry));
	while (size) {
		const uint8_t *end = memchr(names, '\n', size);
		size_t len = end ? (size_t)(end - names) : size;

		check_name(&nfa, globs, names, len, kind);
		size -= len + !!end;
		names += len + !!end;
	}
	nfa_clear(&nfa);
}

static void check_refusal(const struct glob_error *error, size_t len)
{
	check(error->message && error->mend);
	check(error->offset <= len && error->len <= len - error->offset);
}

static void check_read(const struct glob *glob)
{
	check(glob->n_names > 0 && glob->n_names <= GLOB_NAMES_MAX);
	for (size_t i = 0; i < glob->n_names; i++) {
		const struct glob_name *name = &glob->names[i];

		check(name->first + (size_t)name->n <= (name->literal ? glob->n_bytes : glob->n_items));
		for (uint32_t k = 0; !name->literal && k < name->n; k++) {
			uint16_t item = glob->items[name->first + k];

			check(item <= GLOB_DEEP_SLASH || (item >= GLOB_SET && item < GLOB_SET + glob->n_sets));
		}
	}
}

/*
 * May the oracle be asked? It takes a raw byte 0 behind '[' for a '!', and tries so much where many stars follow each other that
 * its time is not the compiler's fault.
 */
static bool naive_can(const struct glob *glob, const char *pattern, size_t len)
{
	size_t n_stars = 0;

	for (size_t i = 0; i < len; i++)
		n_stars += pattern[i] == '*';
	return len <= PATTERN_MAX && glob->n_names <= 64 && n_stars <= STARS_MAX && !memchr(pattern, 0, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum glob_kind kind = size && data[0] & 1 ? GLOB_ABSTRACT : GLOB_PATH;
	size_t len = size > 1 ? data[1] : 0;
	const char *pattern = (const char *)data + 2;
	struct glob_error error = {};
	struct naive_globs globs;
	struct glob glob = {};
	int r;

	if (size < 2)
		return 0;
	len = len < size - 2 ? len : size - 2;
	r = glob_read(&glob, pattern, len, kind, &error);
	check(r >= 0 && glob_check(pattern, len, kind, NULL) == r);
	if (r)
		check_refusal(&error, len);
	else
		check_read(&glob);
	if (!r && naive_can(&glob, pattern, len)) {
		check(!naive_globs_read(pattern, len, &globs));
		check_names(&glob, &globs, data + 2 + len, size - 2 - len, kind);
		naive_globs_free(&globs);
	}
	glob_clear(&glob);
	return 0;
}
