// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The oracle on moved directories (MEANING.md 15): do the names below keep their answers?
 *
 * Method. A pattern is followed byte by byte: `spots` is the set of places in its tokens that the bytes read so far
 * can have led to. All patterns of the policy are followed at once, one set of spots after the old name, one after
 * the new. From there every possible continuation "/…" is fed to both: first all single bytes, then all bytes after
 * those, and so on, until no new pair of sets appears. Bytes that no pattern tells apart are tried once. Wherever a
 * continuation ends a possible name, the rules that match after the old name and after the new name are compared, and
 * the verbs that they permit. As the pairs are finite this tries all names of any length; TRIES_MAX pairs are the
 * bound beyond which the answer is UNKNOWN.
 */
#include "tests/engine/naive.h"

#include <errno.h>
#include <string.h>

#include "agent/util/cleanup.h"
#include "tests/engine/naive-glob.h"

#define TRIES_MAX 4096

/* One pattern, whose it is, and where its spots begin in a vector of spots. */
struct track {
	struct naive_glob glob;
	size_t rule;
	size_t at;     /* n_tokens + 1 of them: the bytes so far are what tokens[0..i) took */
	size_t inside; /* n_tokens + 1 of them: token i has begun and not ended; the last: below a name */
};

struct tracks {
	const struct policy *policy;
	struct track *tracks;
	size_t n_tracks;
	size_t n_spots; /* of all tracks */
	unsigned char bytes[256]; /* those that some pattern tells apart, one of each kind */
	size_t n_bytes;
};

static void tracks_clear(struct tracks *tracks)
{
	for (size_t i = 0; i < tracks->n_tracks; i++)
		free(tracks->tracks[i].glob.tokens);
	free(tracks->tracks);
}

static int tracks_add(struct tracks *tracks, const struct object *object, size_t rule)
{
	struct naive_globs globs = { 0 };
	struct track *more;
	int r;

	if (object->kind != OBJECT_PATH && object->kind != OBJECT_UNIX)
		return 0;
	r = naive_globs_read(object->bytes, object->len, &globs);
	if (r)
		return r;
	more = reallocarray(tracks->tracks, tracks->n_tracks + globs.n_globs, sizeof(*more));
	if (!more) {
		naive_globs_free(&globs);
		return -ENOMEM;
	}
	tracks->tracks = more;
	for (size_t i = 0; i < globs.n_globs; i++) {
		size_t n = globs.globs[i].n_tokens + 1;

		more[tracks->n_tracks++] = (struct track){
			.glob = globs.globs[i], .rule = rule, .at = tracks->n_spots, .inside = tracks->n_spots + n,
		};
		tracks->n_spots += 2 * n;
	}
	free(globs.globs);
	return 0;
}

static bool token_takes(const struct naive_token *token, unsigned char byte)
{
	return token->kind == TOKEN_BYTE ? token->byte == byte : token->set[byte];
}

/* Does any token treat the two bytes differently? */
static bool bytes_differ(const struct tracks *tracks, unsigned char a, unsigned char b)
{
	if (a == '/' || b == '/')
		return a != b;
	for (size_t i = 0; i < tracks->n_tracks; i++) {
		const struct naive_glob *glob = &tracks->tracks[i].glob;

		for (size_t j = 0; j < glob->n_tokens; j++)
			if (token_takes(&glob->tokens[j], a) != token_takes(&glob->tokens[j], b))
				return true;
	}
	return false;
}

static void bytes_choose(struct tracks *tracks)
{
	for (unsigned int b = 1; b < 256; b++) {
		size_t i;

		for (i = 0; i < tracks->n_bytes && bytes_differ(tracks, tracks->bytes[i], b); i++)
			;
		if (i == tracks->n_bytes)
			tracks->bytes[tracks->n_bytes++] = b;
	}
}

static int tracks_read(const struct policy *policy, struct tracks *tracks)
{
	tracks->policy = policy;
	for (size_t i = 0; i < policy->n_rules; i++)
		for (size_t j = 0; j < policy->rules[i].n_objects; j++) {
			int r = tracks_add(tracks, &policy->rules[i].objects[j], i);

			if (r)
				return r;
		}
	bytes_choose(tracks);
	return 0;
}

/* Tokens that may take nothing, or may have ended. */
static void track_settle(const struct track *track, bool *spots)
{
	for (size_t i = 0; i < track->glob.n_tokens; i++) {
		enum naive_token_kind kind = track->glob.tokens[i].kind;

		if (spots[track->at + i] && (kind == TOKEN_STAR || kind == TOKEN_ANY || kind == TOKEN_DIRS))
			spots[track->at + i + 1] = true;
		if (spots[track->inside + i] && kind == TOKEN_SOME)
			spots[track->at + i + 1] = true;
	}
}

static void token_step(const struct track *track, size_t i, unsigned char byte, const bool *from, bool *to)
{
	const struct naive_token *token = &track->glob.tokens[i];
	bool at = from[track->at + i];
	bool any = at || from[track->inside + i];

	switch (token->kind) {
	case TOKEN_BYTE:
	case TOKEN_SET:
		to[track->at + i + 1] |= at && token_takes(token, byte);
		return;
	case TOKEN_STAR:
		to[track->at + i] |= at && byte != '/';
		return;
	case TOKEN_ANY:
		to[track->at + i] |= at;
		return;
	case TOKEN_SOME:
		to[track->inside + i] |= any;
		return;
	case TOKEN_DIRS:
		to[track->inside + i] |= any;
		to[track->at + i + 1] |= any && byte == '/';
		return;
	}
	abort();
}

static void spots_step(const struct tracks *tracks, unsigned char byte, const bool *from, bool *to)
{
	memset(to, 0, tracks->n_spots * sizeof(*to));
	for (size_t t = 0; t < tracks->n_tracks; t++) {
		const struct track *track = &tracks->tracks[t];
		size_t n = track->glob.n_tokens;

		for (size_t i = 0; i < n; i++)
			token_step(track, i, byte, from, to);
		to[track->inside + n] |= track->glob.below &&
					 ((from[track->at + n] && byte == '/') || from[track->inside + n]);
		track_settle(track, to);
	}
}

static int spots_of_name(const struct tracks *tracks, struct ask_bytes name, bool *spots)
{
	_cleanup_free_ bool *before = calloc(tracks->n_spots + 1, sizeof(*before));

	if (!before)
		return -ENOMEM;
	memset(spots, 0, tracks->n_spots * sizeof(*spots));
	for (size_t t = 0; t < tracks->n_tracks; t++) {
		spots[tracks->tracks[t].at] = true;
		track_settle(&tracks->tracks[t], spots);
	}
	/* The root is "/", yet names below it are not "//x". */
	if (name.len == 1)
		return 0;
	for (size_t i = 0; i < name.len; i++) {
		memcpy(before, spots, tracks->n_spots * sizeof(*spots));
		spots_step(tracks, name.bytes[i], before, spots);
	}
	return 0;
}

/* Which rules match a name that ends here. */
static void spots_match(const struct tracks *tracks, const bool *spots, int *matches)
{
	for (size_t i = 0; i < tracks->policy->n_rules; i++) {
		matches[i] = NAIVE_MATCH_NO;
		for (size_t j = 0; j < tracks->policy->rules[i].n_objects; j++)
			if (tracks->policy->rules[i].objects[j].kind == OBJECT_ALL)
				matches[i] = NAIVE_MATCH_WILD;
	}
	for (size_t t = 0; t < tracks->n_tracks; t++) {
		const struct track *track = &tracks->tracks[t];
		size_t n = track->glob.n_tokens;

		if (!spots[track->at + n] && !spots[track->inside + n])
			continue;
		if (track->glob.names_device)
			matches[track->rule] = NAIVE_MATCH_NAMED;
		else if (matches[track->rule] == NAIVE_MATCH_NO)
			matches[track->rule] = NAIVE_MATCH_WILD;
	}
}

/* What is asked of each pair: MOVE_KEEPS unless it shows another thing. */
typedef int ends_compare(const struct tracks *tracks, const bool *from, const bool *to, enum naive_move *move);

/* Does a name that ends here permit the same verbs after both? */
static int ends_permit(const struct tracks *tracks, const bool *from, const bool *to, enum naive_move *move)
{
	size_t n = tracks->policy->n_rules;
	_cleanup_free_ int *matches = calloc(2 * n + 1, sizeof(*matches));
	struct naive_rights rights_from, rights_to;

	if (!matches)
		return -ENOMEM;
	spots_match(tracks, from, matches);
	spots_match(tracks, to, matches + n);
	naive_rights_collect(tracks->policy, matches, &rights_from);
	naive_rights_collect(tracks->policy, matches + n, &rights_to);
	for (unsigned int bit = 0; bit < 32; bit++)
		if (naive_rights_permit(tracks->policy, &rights_from, bit) !=
		    naive_rights_permit(tracks->policy, &rights_to, bit))
			*move = NAIVE_MOVE_DIFFERS;
	return 0;
}

/* Does each pattern by itself match after both, or after neither? */
static int ends_match(const struct tracks *tracks, const bool *from, const bool *to, enum naive_move *move)
{
	for (size_t t = 0; t < tracks->n_tracks; t++) {
		const struct track *track = &tracks->tracks[t];
		size_t n = track->glob.n_tokens;

		if ((from[track->at + n] || from[track->inside + n]) != (to[track->at + n] || to[track->inside + n]))
			*move = NAIVE_MOVE_DIFFERS;
	}
	return 0;
}

/*
 * Pairs met so far, one after the other: two flags, the spots after the old name, the spots after the new one.
 * PAIR_START is the pair from which only '/' is followed; PAIR_SLASH says that the last byte was a '/', which no
 * other one follows.
 */
enum { PAIR_START, PAIR_SLASH, PAIR_SPOTS };

struct pairs {
	bool *pairs;
	uint64_t *hashes;
	size_t n_pairs;
	size_t size; /* of one */
};

static uint64_t pair_hash(const bool *pair, size_t size)
{
	uint64_t hash = 14695981039346656037ull;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ pair[i]) * 1099511628211ull;
	return hash;
}

/* Keeps the pair at the end unless it is known. */
static void pairs_keep_last(struct pairs *pairs)
{
	const bool *last = pairs->pairs + pairs->n_pairs * pairs->size;
	uint64_t hash = pair_hash(last, pairs->size);

	for (size_t i = 0; i < pairs->n_pairs; i++)
		if (pairs->hashes[i] == hash && memcmp(pairs->pairs + i * pairs->size, last, pairs->size) == 0)
			return;
	pairs->hashes[pairs->n_pairs++] = hash;
}

/* What is done with the pairs. */
struct quest {
	const struct tracks *tracks;
	struct pairs pairs;
	ends_compare *compare;
	bool any; /* bytes that are no name below the two are followed too */
};

static int pair_follow(struct quest *quest, size_t i, unsigned char byte, enum naive_move *move)
{
	struct pairs *pairs = &quest->pairs;
	const bool *pair = pairs->pairs + i * pairs->size;
	bool *next = pairs->pairs + pairs->n_pairs * pairs->size;
	size_t n = quest->tracks->n_spots;
	size_t n_before = pairs->n_pairs;

	if (!quest->any && ((pair[PAIR_SLASH] && byte == '/') || (pair[PAIR_START] && byte != '/')))
		return 0;
	next[PAIR_START] = false;
	next[PAIR_SLASH] = byte == '/';
	spots_step(quest->tracks, byte, pair + PAIR_SPOTS, next + PAIR_SPOTS);
	spots_step(quest->tracks, byte, pair + PAIR_SPOTS + n, next + PAIR_SPOTS + n);
	pairs_keep_last(pairs);
	if (pairs->n_pairs == n_before || (byte == '/' && !quest->any))
		return 0;
	return quest->compare(quest->tracks, next + PAIR_SPOTS, next + PAIR_SPOTS + n, move);
}

static int pairs_follow(struct quest *quest, enum naive_move *move)
{
	for (size_t i = 0; i < quest->pairs.n_pairs; i++)
		for (size_t b = 0; b < quest->tracks->n_bytes; b++) {
			int r = pair_follow(quest, i, quest->tracks->bytes[b], move);

			if (r || *move == NAIVE_MOVE_DIFFERS)
				return r;
			if (quest->pairs.n_pairs == TRIES_MAX) {
				*move = NAIVE_MOVE_UNKNOWN;
				return 0;
			}
		}
	return 0;
}

/* The pair of the two names themselves. */
static int pairs_start(struct quest *quest, struct ask_bytes from, struct ask_bytes to, enum naive_move *move)
{
	size_t n = quest->tracks->n_spots;
	bool *first = quest->pairs.pairs;
	int r;

	r = spots_of_name(quest->tracks, from, first + PAIR_SPOTS);
	if (r == 0)
		r = spots_of_name(quest->tracks, to, first + PAIR_SPOTS + n);
	if (r)
		return r;
	first[PAIR_START] = true;
	pairs_keep_last(&quest->pairs);
	return quest->any ? quest->compare(quest->tracks, first + PAIR_SPOTS, first + PAIR_SPOTS + n, move) : 0;
}

static int quest_run(const struct policy *policy, struct ask_bytes from, struct ask_bytes to, ends_compare *compare,
		     bool any, enum naive_move *ret)
{
	__attribute__((cleanup(tracks_clear))) struct tracks tracks = { 0 };
	struct quest quest = { .tracks = &tracks, .compare = compare, .any = any };
	_cleanup_free_ uint64_t *hashes = calloc(TRIES_MAX + 1, sizeof(*hashes));
	_cleanup_free_ bool *memory = NULL;
	int r;

	r = tracks_read(policy, &tracks);
	if (r)
		return r;
	quest.pairs.size = PAIR_SPOTS + 2 * tracks.n_spots;
	memory = calloc(TRIES_MAX + 1, quest.pairs.size);
	if (!memory || !hashes)
		return -ENOMEM;
	quest.pairs.pairs = memory;
	quest.pairs.hashes = hashes;
	*ret = NAIVE_MOVE_KEEPS;
	r = pairs_start(&quest, from, to, ret);
	return r ? r : pairs_follow(&quest, ret);
}

int naive_move(const struct policy *policy, struct ask_bytes from, struct ask_bytes to, enum naive_move *ret)
{
	return quest_run(policy, from, to, ends_permit, false, ret);
}

int naive_move_patterns(const struct policy *policy, struct ask_bytes from, struct ask_bytes to, enum naive_move *ret)
{
	return quest_run(policy, from, to, ends_match, true, ret);
}
