// SPDX-License-Identifier: LGPL-2.1-or-later
/* Random policies and questions. Small vocabularies, boundaries preferred. */
#include "tests/engine/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/engine/naive-glob.h"

#define POOL_BYTES (8u << 20)
#define PATTERN_MAX 2048
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Vigna's splitmix64. */
static uint64_t random_next(struct random_source *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint32_t random_below(struct random_source *random, uint32_t n)
{
	return (random_next(random) >> 32) * n >> 32;
}

static bool chance(struct random_source *random, uint32_t percent)
{
	return random_below(random, 100) < percent;
}

static void *pool_take(struct random_pool *pool, size_t size)
{
	size_t at = (pool->used + 15) & ~15ul;

	if (!pool->bytes)
		pool->bytes = malloc(POOL_BYTES);
	if (!pool->bytes || at + size > POOL_BYTES)
		abort();
	pool->used = at + size;
	return memset(pool->bytes + at, 0, size);
}

static const char *pool_copy(struct random_pool *pool, const char *bytes, size_t len)
{
	return memcpy(pool_take(pool, len + 1), bytes, len);
}

void random_pool_free(struct random_pool *pool)
{
	free(pool->bytes);
	*pool = (struct random_pool){ 0 };
}

size_t random_pool_mark(const struct random_pool *pool)
{
	return pool->used;
}

void random_pool_back(struct random_pool *pool, size_t mark)
{
	pool->used = mark;
}

/* A text that grows; what does not fit is an error of the generator. */
struct text {
	char bytes[PATTERN_MAX];
	size_t len;
};

static void text_add(struct text *text, const char *bytes, size_t len)
{
	if (text->len + len >= sizeof(text->bytes))
		abort();
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
	text->bytes[text->len] = '\0';
}

static void text_add_string(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

/* ---- names ---- */

static const char *const words[] = { "a", "b", "ab", "ba", "aa", "c", ".a", "a.b", "abc", "x y", "\xff", "a\nb" };

/* Components around the length of one, two and three pieces, and the longest. */
static void long_word_add(struct random_source *random, struct text *text)
{
	static const unsigned char lengths[] = { 39, 40, 41, 79, 80, 81, 120, 121, 255 };
	char bytes[255];
	size_t len = lengths[random_below(random, COUNT(lengths))];

	memset(bytes, chance(random, 70) ? 'l' : 'a', len);
	if (chance(random, 30))
		bytes[len - 1] = 'b';
	text_add(text, bytes, len);
}

static void word_add(struct random_source *random, struct text *text)
{
	if (chance(random, 6))
		long_word_add(random, text);
	else
		text_add_string(text, words[random_below(random, chance(random, 75) ? 4 : COUNT(words))]);
}

/* A name from single bytes may have empty components, "." and "..", or too long ones: none of these exists. */
static void name_clean(struct text *text)
{
	struct text clean = { .len = 0 };
	const char *at = text->bytes, *end = text->bytes + text->len;

	while (at < end) {
		size_t len = 0;

		while (at + len < end && at[len] != '/')
			len++;
		if (len > LSMD_NAME_MAX)
			len = LSMD_NAME_MAX;
		if (len > 0 && !(at[0] == '.' && (len == 1 || (len == 2 && at[1] == '.')))) {
			text_add(&clean, "/", 1);
			text_add(&clean, at, len);
		}
		at += len + (at + len < end && at[len] == '/');
	}
	if (clean.len == 0)
		text_add(&clean, "/", 1);
	*text = clean;
}

static void name_invent(struct random_source *random, struct text *text)
{
	uint32_t depth = chance(random, 2) ? 0 : 1 + random_below(random, chance(random, 90) ? 4 : 14);

	for (uint32_t i = 0; i < depth; i++) {
		text_add(text, "/", 1);
		word_add(random, text);
	}
}

static void filler_add(struct random_source *random, struct text *text, bool slashes)
{
	static const char bytes[] = "ab.c/";

	for (uint32_t n = random_below(random, 4); n > 0; n--)
		text_add(text, &bytes[random_below(random, slashes ? 5 : 4)], 1);
}

/* Bytes that a token takes. */
static void token_fill(struct random_source *random, const struct naive_token *token, struct text *text)
{
	unsigned char byte = token->byte;

	switch (token->kind) {
	case TOKEN_SET:
		do
			byte = chance(random, 80) ? (unsigned char)"abc.0"[random_below(random, 5)] :
						   (unsigned char)random_below(random, 256);
		while (!token->set[byte] && chance(random, 90));
		if (!byte)
			byte = 'a';
		/* fall through */
	case TOKEN_BYTE:
		text_add(text, (char *)&byte, 1);
		return;
	case TOKEN_STAR:
		filler_add(random, text, false);
		return;
	case TOKEN_ANY:
	case TOKEN_SOME:
		filler_add(random, text, true);
		return;
	case TOKEN_DIRS:
		filler_add(random, text, true);
		text_add(text, "/", 1);
	}
}

/* A name that a pattern matches, or nearly. */
static void name_from_pattern(struct random_source *random, const struct object *object, struct text *text)
{
	struct naive_globs globs = { 0 };
	const struct naive_glob *glob;

	if (naive_globs_read(object->bytes, object->len, &globs) || globs.n_globs == 0)
		abort();
	glob = &globs.globs[random_below(random, globs.n_globs)];
	for (size_t i = 0; i < glob->n_tokens; i++)
		token_fill(random, &glob->tokens[i], text);
	naive_globs_free(&globs);
}

static void name_change(struct random_source *random, struct text *text)
{
	size_t at;

	switch (random_below(random, 5)) {
	case 0:
		text_add(text, "/", 1);
		word_add(random, text);
		return;
	case 1:
		while (text->len > 1 && text->bytes[text->len - 1] != '/')
			text->len--;
		return;
	case 2:
		if (text->len > 1)
			text->bytes[1 + random_below(random, text->len - 1)] = "ab/"[random_below(random, 3)];
		return;
	case 3:
		text_add_string(text, chance(random, 50) ? "a" : "foo");
		return;
	case 4:
		at = text->len;
		while (at > 1 && text->bytes[at - 1] != '/')
			at--;
		text->len = at;
		word_add(random, text);
		return;
	}
}

static const struct object *object_pick(struct random_source *random, const struct policy_set *set,
					enum object_kind a, enum object_kind b)
{
	for (int tries = 0; tries < 20; tries++) {
		const struct policy *policy = &set->policies[random_below(random, set->n_policies)];
		const struct rule *rules = policy->rules;
		const struct rule *rule = policy->n_rules ? &rules[random_below(random, policy->n_rules)] : NULL;
		const struct object *object = rule ? &rule->objects[random_below(random, rule->n_objects)] : NULL;

		if (object && (object->kind == a || object->kind == b))
			return object;
	}
	return NULL;
}

/* A name near @object, or near any pattern of the set, or out of the blue. */
static struct ask_bytes name_random(struct random_source *random, struct random_pool *pool,
				    const struct policy_set *set, const struct object *object)
{
	struct text text = { .len = 0 };
	bool near = object || chance(random, 75);

	if (!object)
		object = object_pick(random, set, OBJECT_PATH, OBJECT_UNIX);
	if (object && near)
		name_from_pattern(random, object, &text);
	else
		name_invent(random, &text);
	name_clean(&text);
	if (chance(random, 35)) {
		name_change(random, &text);
		name_clean(&text);
	}
	if (chance(random, 1))
		for (uint32_t n = 55 + random_below(random, 15); n > 0; n--)
			text_add_string(&text, "/d");
	name_clean(&text);
	return (struct ask_bytes){ pool_copy(pool, text.bytes, text.len), text.len };
}

/* ---- patterns ---- */

/* Whole components with something special in them. Escapes and sets name bytes of the vocabulary. */
static const char *const wild[] = {
	"*", "*", "?", "??", "a*", "*a", "*b*", "[ab]", "[!a]", "[^b]*", "[a-c]?", "**", "**", "**", "a**", "**b",
	"a**b", "{a,b}", "{a,b/a}", "a{,b}", "{a*,?b}", "{a,{b,ab}}", "\\a", "\\x61", "\\*", "[\\x80-\\xff]", "[.a]*",
	"a?b",
	"*a*b*", "l*", "x\\x20y", "{aa,ab,ba}*", "[!\\x00-\\x60]", "a*b", "[*]", "{[a,],b}",
};

/* @large: for sets of many rules: deep literal names, and wildcards few enough for an automaton that stays small. */
static void pattern_random(struct random_source *random, bool large, struct text *text)
{
	uint32_t depth = 1 + random_below(random, large ? 14 : 4);
	uint32_t percent_wild = chance(random, large ? 98 : 45) ? 0 : 40;

	if (chance(random, 1)) {
		text_add_string(text, chance(random, 50) ? "/" : "/**");
		return;
	}
	for (uint32_t i = 0; i < depth; i++) {
		text_add(text, "/", 1);
		if (chance(random, percent_wild))
			text_add_string(text, wild[random_below(random, COUNT(wild))]);
		else
			word_add(random, text);
	}
	if (chance(random, 25))
		text_add(text, "/", 1);
	else if (chance(random, 12))
		text_add_string(text, "/**");
}

static const char *const abstracts[] = {
	"a", "ab", "a/b", "a\\x00b", "*", "a*", "?", "**", "a/*", "a/**", "[ab]?", "a{,b}", "a\\x00*",
	"abcdefghijabcdefghijabcdefghijabcdefghij", "abcdefghijabcdefghijabcdefghijabcdefghijk", "*\\x00", "\\xff",
};

static const char *const abstract_names[] = { "a", "ab", "b", "a/b", "a/b/c", "", "abc", "\xff", "ba", "a/",
					      "abcdefghijabcdefghijabcdefghijabcdefghij",
					      "abcdefghijabcdefghijabcdefghijabcdefghijk" };

/* ---- addresses ---- */

struct base {
	uint64_t hi;
	uint64_t lo;
};

#define V4(a, b, c, d) { 0, 0xffff00000000 | (uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d) }

static const struct base bases[] = {
	V4(10, 0, 0, 0), V4(10, 0, 0, 1), V4(10, 128, 0, 0), V4(127, 0, 0, 1), V4(255, 255, 255, 255), V4(0, 0, 0, 1),
	V4(0, 0, 0, 0), { 0, 0 }, V4(10, 0, 1, 0), V4(128, 0, 0, 0), { 0, 1 }, { 0xfd00000000000000, 0 }, { 0xfd00000000000000, 1 },
	{ 0xfd00000000000000, 0x8000000000000000 }, { ~0ull, ~0ull }, { 0xfe80000000000000, 1 },
	{ 0x2001000000000000, 0 },
};

static const uint16_t port_ends[] = { 0, 1, 79, 80, 81, 443, 1023, 1024, 1025, 65534, 65535 };

static void prefix_set(struct object *object, struct base base, unsigned int bits)
{
	uint64_t hi_mask = bits >= 64 ? ~0ull : bits ? ~0ull << (64 - bits) : 0;
	uint64_t lo_mask = bits >= 128 ? ~0ull : bits > 64 ? ~0ull << (128 - bits) : 0;

	object->first_hi = base.hi & hi_mask;
	object->first_lo = base.lo & lo_mask;
	object->last_hi = base.hi | ~hi_mask;
	object->last_lo = base.lo | ~lo_mask;
}

static void address_object(struct random_source *random, struct object *object)
{
	static const unsigned char v4_bits[] = { 0, 1, 8, 9, 16, 24, 31, 32, 32 };
	static const unsigned char v6_bits[] = { 8, 64, 65, 96, 127, 128, 128 };
	struct base base = bases[random_below(random, COUNT(bases))];
	bool v4 = base.hi == 0 && base.lo >> 32 == 0xffff;
	uint16_t a = port_ends[random_below(random, COUNT(port_ends))];
	uint16_t b = port_ends[random_below(random, COUNT(port_ends))];

	object->kind = OBJECT_INET;
	object->protos = chance(random, 70) ? 1u << random_below(random, 4) : (1u << LSMD_N_PROTOS) - 1;
	if (chance(random, 12))
		prefix_set(object, (struct base){ 0, 0 }, 0);
	else if (v4)
		prefix_set(object, base, 96 + v4_bits[random_below(random, COUNT(v4_bits))]);
	else
		prefix_set(object, base, base.hi ? v6_bits[random_below(random, COUNT(v6_bits))] : 128);
	/* Alone the unspecified address is another word for loopback. */
	if (!object->first_hi && object->first_lo == object->last_lo && !(object->first_lo & 0xffffffff))
		prefix_set(object, base, 127);
	object->first_port = chance(random, 25) ? 0 : a < b ? a : b;
	object->last_port = chance(random, 25) ? 65535 : a < b ? b : a;
}

static void address_move(struct lsmd_address *address, int by)
{
	uint64_t lo = address->lo + by;

	if (by > 0 && lo < address->lo)
		address->hi++;
	if (by < 0 && lo > address->lo)
		address->hi--;
	address->lo = lo;
}

static uint32_t network_verb(struct random_source *random)
{
	static const uint32_t verbs[] = { LSMD_ACCESS_CONNECT, LSMD_ACCESS_SEND, LSMD_ACCESS_BIND, LSMD_ACCESS_LISTEN,
					  LSMD_ACCESS_ACCEPT };

	return verbs[random_below(random, COUNT(verbs))];
}

/* An address at the ends of @object's, or one step away. @object may be NULL. */
static void address_ask(struct random_source *random, const struct object *object, struct ask *ask)
{
	struct base base = bases[random_below(random, COUNT(bases))];
	struct lsmd_address *address = &ask->address;

	ask->object = LSMD_OBJECT_ADDRESS;
	ask->wanted = network_verb(random);
	address->hi = base.hi;
	address->lo = base.lo;
	address->port = port_ends[random_below(random, COUNT(port_ends))];
	address->proto = random_below(random, LSMD_N_PROTOS);
	if (object) {
		bool first = chance(random, 50);

		address->hi = first ? object->first_hi : object->last_hi;
		address->lo = first ? object->first_lo : object->last_lo;
		address->port = chance(random, 50) ? object->first_port : object->last_port;
		while (!(object->protos >> address->proto & 1) && chance(random, 90))
			address->proto = random_below(random, LSMD_N_PROTOS);
	}
	if (chance(random, 30))
		address_move(address, chance(random, 50) ? 1 : -1);
	if (chance(random, 20))
		address->port += chance(random, 50) ? 1 : -1;
}

/* ---- policies ---- */

static void pattern_object(struct random_source *random, struct random_pool *pool, enum object_kind kind, bool large,
			   struct object *object)
{
	struct text text = { .len = 0 };

	if (kind == OBJECT_ABSTRACT)
		text_add_string(&text, abstracts[random_below(random, COUNT(abstracts))]);
	else
		pattern_random(random, large, &text);
	object->kind = kind;
	object->bytes = pool_copy(pool, text.bytes, text.len);
	object->len = text.len;
}

static void network_object(struct random_source *random, struct random_pool *pool, bool large, struct object *object)
{
	uint32_t kind = random_below(random, 10);

	if (kind < 6)
		address_object(random, object);
	else
		pattern_object(random, pool, kind < 8 ? OBJECT_UNIX : OBJECT_ABSTRACT, large, object);
}

static uint32_t file_verbs(struct random_source *random)
{
	static const uint32_t verbs[] = { LSMD_ACCESS_READ,   LSMD_ACCESS_WRITE_GROUP, LSMD_ACCESS_APPEND,
					  LSMD_ACCESS_CREATE, LSMD_ACCESS_DELETE,      LSMD_ACCESS_RENAME,
					  LSMD_ACCESS_LINK,   LSMD_ACCESS_SETATTR };
	uint32_t access = 0;

	if (chance(random, 15))
		return LSMD_ACCESS_FILES;
	while (!access || chance(random, 45))
		access |= verbs[random_below(random, COUNT(verbs))];
	return access;
}

/* Numbers of a name: few, so that they meet. */
static struct ask_bytes numbers_random(struct random_source *random, struct random_pool *pool, uint32_t verb)
{
	static const unsigned int numbers[] = { 0, 1, 2, 3, 10, 16, 31 };
	uint32_t parts = verb == LSMD_ACCESS_SOCKET ? 1 + random_below(random, 2) : 1;
	char text[32];
	size_t len = 0;

	for (uint32_t i = 0; i < parts; i++)
		len += sprintf(text + len, "/%08x", numbers[random_below(random, COUNT(numbers))]);
	return (struct ask_bytes){ pool_copy(pool, text, len), len };
}

static void name_object(struct random_source *random, struct random_pool *pool, uint32_t verb, struct object *object)
{
	struct ask_bytes path = numbers_random(random, pool, verb);

	object->kind = OBJECT_NAME;
	object->bytes = path.bytes;
	object->len = path.len;
}

static uint32_t name_verb(struct random_source *random)
{
	static const uint32_t verbs[] = { LSMD_ACCESS_SOCKET };

	return verbs[random_below(random, COUNT(verbs))];
}

static uint32_t code_verbs(struct random_source *random)
{
	static const uint32_t verbs[] = { LSMD_ACCESS_EXEC, LSMD_ACCESS_MAP, LSMD_ACCESS_CODE };

	return verbs[random_below(random, COUNT(verbs))];
}

static uint32_t network_verbs(struct random_source *random)
{
	uint32_t access = 0;

	while (!access || chance(random, 40))
		access |= network_verb(random);
	return access;
}

static void rule_objects(struct random_source *random, struct random_pool *pool, enum object_kind kind, bool large,
			 struct rule *rule)
{
	rule->n_objects = kind == OBJECT_ALL ? 1 : 1 + (chance(random, 30) ? random_below(random, 3) : 0);
	rule->objects = pool_take(pool, rule->n_objects * sizeof(*rule->objects));
	for (size_t i = 0; i < rule->n_objects; i++) {
		if (kind == OBJECT_INET)
			network_object(random, pool, large, &rule->objects[i]);
		else if (kind == OBJECT_PATH)
			pattern_object(random, pool, kind, large, &rule->objects[i]);
		else if (kind == OBJECT_NAME)
			name_object(random, pool, rule->access, &rule->objects[i]);
		else
			rule->objects[i].kind = kind;
	}
}

static void rule_random(struct random_source *random, struct random_pool *pool, bool large, struct rule *rule)
{
	uint32_t kind = random_below(random, 100);

	rule->deny = chance(random, 40);
	rule->log = !rule->deny && chance(random, 10);
	rule->silent = rule->deny && chance(random, 10);
	rule->kill = rule->deny && chance(random, 5);
	if (kind < 68) {
		rule->access = file_verbs(random);
		rule_objects(random, pool, OBJECT_PATH, large, rule);
	} else if (kind < 78) {
		rule->access = code_verbs(random);
		rule_objects(random, pool, chance(random, 80) ? OBJECT_PATH : OBJECT_ANONYMOUS, large, rule);
	} else if (kind < 93) {
		rule->access = network_verbs(random);
		rule_objects(random, pool, OBJECT_INET, large, rule);
	} else if (kind < 97) {
		rule->access = name_verb(random);
		rule_objects(random, pool, OBJECT_NAME, large, rule);
	} else {
		rule->access = chance(random, 50) ? LSMD_ACCESS_MOUNT : name_verb(random);
		rule_objects(random, pool, OBJECT_ALL, large, rule);
	}
}

static const char *const programs[] = { "/p/a", "/p/b", "/p/a/b", "/q", "/q/r", "/p" };
static const char *const exes[] = { "/p/a", "/p/b", "/p/*", "/p/", "/q", "/{p,q}/**", "/q*", "/p/[!b]" };

/* What kind of set: most are small, so that what differs is small too. */
enum size {
	SIZE_SMALL,
	SIZE_CROWD, /* about as many policies on one process as it can carry */
	SIZE_LARGE, /* many rules */
};

static uint32_t n_rules_random(struct random_source *random, enum size size)
{
	switch (size) {
	case SIZE_CROWD:
		return random_below(random, 3);
	case SIZE_LARGE:
		return 50 + random_below(random, 350);
	default:
		return random_below(random, 9);
	}
}

#define LONG_UNIT "unit-with-a-name-of-more-than-forty-bytes-in-it.service"
static const char *const units[] = { "a.service", "b.service", "*.slice", "[ab].service", "u*.service", LONG_UNIT, "{a,x}.slice", "*.scope" };
static const char *const cgroups[] = { "/", "/a.slice", "/a.slice/", "/a.slice/a.service", "/*/b.service/", "/**/x.scope", "/a.slice/" LONG_UNIT };
static const char *const paths[] = { "/", "/a.slice", "/a.slice/a.service", "/a.slice/b.service", "/b.slice/b.service/x.scope",
				     "/a.slice/" LONG_UNIT, "/x.slice/" LONG_UNIT "/deep", "/init.scope" };

static struct object *patterns_random(struct random_source *random, struct random_pool *pool, enum object_kind kind,
				      const char *const *from, size_t n_from, size_t *n)
{
	struct object *objects;

	*n = 1 + (chance(random, 20) ? 1 : 0);
	objects = pool_take(pool, *n * sizeof(*objects));
	for (size_t i = 0; i < *n; i++) {
		const char *bytes = from[random_below(random, n_from)];

		objects[i] = (struct object){ .kind = kind, .bytes = bytes, .len = strlen(bytes) };
	}
	return objects;
}

/* Ranges of numbers below 20, sorted and disjoint. */
static struct lsmd_ids *ids_random(struct random_source *random, struct random_pool *pool, size_t *n)
{
	struct lsmd_ids *ids = pool_take(pool, 4 * sizeof(*ids));
	uint32_t at = random_below(random, 6);

	for (*n = 0; *n < 4 && (!*n || (at < 18 && chance(random, 40))); ++*n) {
		ids[*n].first = at;
		ids[*n].last = at + random_below(random, 4);
		at = ids[*n].last + 2 + random_below(random, 4);
	}
	return ids;
}

/* Selectors beside the program, and seldom no program at all: then there is one at least. */
static void selectors_random(struct random_source *random, struct random_pool *pool, struct policy *policy)
{
	uint32_t keys = random_below(random, 16);

	if (keys & LSMD_SELECT_UID)
		policy->uids = ids_random(random, pool, &policy->n_uids);
	if (keys & LSMD_SELECT_GID)
		policy->gids = ids_random(random, pool, &policy->n_gids);
	if (keys & LSMD_SELECT_CGROUP)
		policy->cgroups = patterns_random(random, pool, OBJECT_PATH, cgroups, COUNT(cgroups), &policy->n_cgroups);
	if (keys & LSMD_SELECT_UNIT)
		policy->units = patterns_random(random, pool, OBJECT_UNIT, units, COUNT(units), &policy->n_units);
	if (keys && chance(random, 50))
		policy->n_exes = 0;
}

/* Who asks, beside its program; not everything is always known. */
static void who_random(struct random_source *random, struct ask *ask)
{
	const char *path = paths[random_below(random, COUNT(paths))];

	ask->known = chance(random, 85) ? LSMD_SELECT_ALL : random_below(random, 16);
	ask->uid = random_below(random, 20);
	ask->gid = random_below(random, 20);
	ask->cgroup = (struct ask_bytes){ path, strlen(path) };
}

static void subject_random(struct random_source *random, struct random_pool *pool, bool crowd, struct policy *policy)
{
	policy->n_exes = 1 + (chance(random, 20) ? 1 : 0);
	policy->exes = pool_take(pool, policy->n_exes * sizeof(*policy->exes));
	for (size_t i = 0; i < policy->n_exes; i++) {
		const char *exe = crowd ? "/p/" : exes[random_below(random, COUNT(exes))];

		policy->exes[i] = (struct object){ .kind = OBJECT_PATH, .bytes = exe, .len = strlen(exe) };
	}
	if (!crowd && chance(random, 30))
		selectors_random(random, pool, policy);
}

static void policy_random(struct random_source *random, struct random_pool *pool, enum size size, uint32_t i,
			  struct policy *policy)
{
	static const uint32_t mediated = LSMD_ACCESS_FILES | LSMD_ACCESS_CODE | LSMD_ACCESS_ADDRESSED | LSMD_ACCESS_MOUNT |
					 LSMD_ACCESS_SOCKET;
	char name[16];

	snprintf(name, sizeof(name), "p%02u", i);
	policy->name = pool_copy(pool, name, strlen(name));
	policy->place = (struct place){ .file = i, .line = 1, .column = 1 };
	policy->default_place = (struct place){ .file = i, .line = 6, .column = 14 };
	policy->mode = chance(random, 80) ? LSMD_MODE_ENFORCE : chance(random, 70) ? LSMD_MODE_AUDIT : LSMD_MODE_OFF;
	policy->children = true;
	policy->default_deny = chance(random, 40) ? mediated : chance(random, 50) ? 0 : random_next(random) & mediated;
	for (unsigned int verb = 0; verb < LSMD_N_VERBS && i % 2; verb++)
		policy->default_places[verb] = (struct place){ .file = i, .line = 6 + verb % 5, .column = 20 };
	subject_random(random, pool, size == SIZE_CROWD, policy);
	policy->n_rules = n_rules_random(random, size);
	policy->rules = pool_take(pool, policy->n_rules * sizeof(*policy->rules) + 1);
	for (size_t j = 0; j < policy->n_rules; j++) {
		rule_random(random, pool, size == SIZE_LARGE, &policy->rules[j]);
		policy->rules[j].place = (struct place){ .file = i, .line = 8 + j, .column = 5 };
	}
}

static uint32_t n_policies_random(struct random_source *random, enum size size)
{
	if (size == SIZE_CROWD)
		return 14 + random_below(random, 8);
	return 1 + random_below(random, chance(random, 50) ? 1 : 4);
}

void random_set(struct random_source *random, struct random_pool *pool, struct policy_set *ret)
{
	enum size size = chance(random, 3) ? SIZE_CROWD : chance(random, 2) ? SIZE_LARGE : SIZE_SMALL;

	pool->used = 0;
	*ret = (struct policy_set){ 0 };
	ret->n_policies = n_policies_random(random, size);
	ret->n_files = ret->n_policies;
	ret->policies = pool_take(pool, ret->n_policies * sizeof(*ret->policies));
	ret->files = pool_take(pool, ret->n_files * sizeof(*ret->files));
	for (uint32_t i = 0; i < ret->n_policies; i++) {
		char name[24];

		snprintf(name, sizeof(name), "p%02u.json", i);
		ret->files[i].name = pool_copy(pool, name, strlen(name));
		policy_random(random, pool, size, i, &ret->policies[i]);
	}
}

/* ---- questions ---- */

/* A rule that the question is aimed at; NULL: none. */
struct target {
	const struct rule *rule;
	const struct object *object;
};

static uint32_t bit_pick(struct random_source *random, uint32_t access)
{
	uint32_t bit;

	do
		bit = 1u << random_below(random, 32);
	while (!(access & bit));
	return bit;
}

/* Verbs of the rule, or any of the same kind. */
static uint32_t verbs_pick(struct random_source *random, const struct target *target, uint32_t all)
{
	uint32_t access = target->rule && chance(random, 70) ? target->rule->access & all : all;
	uint32_t wanted = bit_pick(random, access ? access : all);

	while (chance(random, 30))
		wanted |= bit_pick(random, all);
	return wanted;
}

static void two_names_ask(struct random_source *random, struct random_pool *pool, const struct policy_set *set,
			  const struct target *target, struct ask *ask)
{
	/* The root is never moved. */
	while (ask->name.len == 1)
		ask->name = name_random(random, pool, set, NULL);
	do
		ask->other = name_random(random, pool, set, chance(random, 40) ? target->object : NULL);
	while (ask->other.len == 1);
	ask->wanted = LSMD_ACCESS_LINK;
	if (chance(random, 25)) {
		ask->wanted |= chance(random, 30) ? LSMD_ACCESS_DEVICES : 0;
		return;
	}
	ask->wanted = LSMD_ACCESS_RENAME;
	ask->directory = chance(random, 60);
	ask->replaces = chance(random, 20);
	ask->exchange = !ask->replaces && chance(random, 20);
	if (!ask->directory && chance(random, 30))
		ask->wanted |= LSMD_ACCESS_DEVICES;
}

static void file_ask(struct random_source *random, struct random_pool *pool, const struct policy_set *set,
		     const struct target *target, struct ask *ask)
{
	uint32_t single = LSMD_ACCESS_READ | LSMD_ACCESS_WRITE_GROUP | LSMD_ACCESS_SETATTR;
	uint32_t kind = random_below(random, 100);

	ask->object = LSMD_OBJECT_PATH;
	ask->name = name_random(random, pool, set, target->object);
	if (kind < 60)
		ask->wanted = verbs_pick(random, target, single);
	else if (kind < 72)
		ask->wanted = access_device(verbs_pick(random, target, single));
	else
		two_names_ask(random, pool, set, target, ask);
}

static void exec_ask(struct random_source *random, struct random_pool *pool, const struct policy_set *set,
		     const struct target *target, struct ask *ask)
{
	ask->object = LSMD_OBJECT_PATH;
	ask->wanted = chance(random, 70) ? LSMD_ACCESS_EXEC : LSMD_ACCESS_MAP;
	if (target->object && target->object->kind == OBJECT_ANONYMOUS ? chance(random, 90) : chance(random, 10)) {
		ask->object = LSMD_OBJECT_NONE;
		return;
	}
	ask->name = name_random(random, pool, set, target->object);
	ask->deny_only = ask->wanted == LSMD_ACCESS_EXEC && chance(random, 25);
}

static void abstract_ask(struct random_source *random, struct random_pool *pool, const struct target *target,
			 struct ask *ask)
{
	struct text text = { .len = 0 };

	if (target->object)
		name_from_pattern(random, target->object, &text);
	else
		text_add_string(&text, abstract_names[random_below(random, COUNT(abstract_names))]);
	if (chance(random, 15))
		text_add(&text, "\0", 1);
	if (chance(random, 15))
		text_add_string(&text, "b");
	ask->object = LSMD_OBJECT_ABSTRACT;
	ask->wanted = network_verb(random);
	ask->name = (struct ask_bytes){ pool_copy(pool, text.bytes, text.len), text.len };
}

static void socket_ask(struct random_source *random, struct random_pool *pool, const struct policy_set *set,
		       const struct target *target, struct ask *ask)
{
	ask->object = LSMD_OBJECT_PATH;
	ask->name = name_random(random, pool, set, target->object);
	ask->wanted = network_verb(random);
}

/* The name of a rule, one that goes on with it, or any. */
static void name_ask(struct random_source *random, struct random_pool *pool, const struct target *target, struct ask *ask)
{
	const struct object *object = target->object;
	char text[48];

	ask->object = LSMD_OBJECT_NAME;
	ask->wanted = object ? target->rule->access : name_verb(random);
	ask->name = numbers_random(random, pool, ask->wanted);
	if (!object || chance(random, 30))
		return;
	memcpy(text, object->bytes, object->len);
	if (chance(random, 50))
		memcpy(text + object->len, ask->name.bytes, ask->name.len);
	else
		ask->name.len = 0;
	ask->name.len += object->len;
	ask->name.bytes = pool_copy(pool, text, ask->name.len);
}

/* What a rule's object can be asked about: for no rule, anything. */
static uint32_t kind_pick(struct random_source *random, const struct target *target)
{
	uint32_t kind = random_below(random, 100);

	if (!target->rule)
		return kind < 60 ? 0 : kind < 70 ? 1 : kind < 84 ? 2 : kind < 90 ? 3 : kind < 95 ? 4 : kind < 96 ? 5 : 6;
	if (target->rule->access & LSMD_ACCESS_CODE)
		return kind < 80 || target->object->kind == OBJECT_ANONYMOUS ? 1 : 0;
	switch (target->object->kind) {
	case OBJECT_PATH:
		return kind < 95 ? 0 : 1;
	case OBJECT_INET:
		return 2;
	case OBJECT_ABSTRACT:
		return 3;
	case OBJECT_UNIX:
		return 4;
	case OBJECT_UNIT:
	case OBJECT_ALL:
		return 5;
	case OBJECT_NAME:
		return 6;
	case OBJECT_ANONYMOUS:
		return 1;
	}
	abort();
}

static void object_ask(struct random_source *random, struct random_pool *pool, const struct policy_set *set,
		       const struct target *target, struct ask *ask)
{
	switch (kind_pick(random, target)) {
	case 0:
		file_ask(random, pool, set, target, ask);
		return;
	case 1:
		exec_ask(random, pool, set, target, ask);
		return;
	case 2:
		address_ask(random, target->object, ask);
		return;
	case 3:
		abstract_ask(random, pool, target, ask);
		return;
	case 4:
		socket_ask(random, pool, set, target, ask);
		return;
	case 6:
		name_ask(random, pool, target, ask);
		return;
	default:
		ask->object = LSMD_OBJECT_NONE;
		ask->wanted = LSMD_ACCESS_MOUNT;
	}
}

static struct ask_bytes program_random(struct random_source *random, struct random_pool *pool,
				       const struct policy *policy)
{
	const char *name = programs[random_below(random, COUNT(programs))];
	struct text text = { .len = 0 };

	if (!policy->n_exes || chance(random, 15))
		return (struct ask_bytes){ name, strlen(name) };
	name_from_pattern(random, &policy->exes[random_below(random, policy->n_exes)], &text);
	name_clean(&text);
	return (struct ask_bytes){ pool_copy(pool, text.bytes, text.len), text.len };
}

void random_ask(struct random_source *random, struct random_pool *pool, const struct policy_set *set, struct ask *ret)
{
	const struct policy *policy = &set->policies[random_below(random, set->n_policies)];
	struct target target = { 0 };

	*ret = (struct ask){ 0 };
	if (policy->n_rules && chance(random, 65)) {
		target.rule = &policy->rules[random_below(random, policy->n_rules)];
		target.object = &target.rule->objects[random_below(random, target.rule->n_objects)];
	}
	ret->n_programs = 1 + (chance(random, 15) ? 1 : 0);
	for (size_t i = 0; i < ret->n_programs; i++)
		ret->programs[i] = program_random(random, pool, policy);
	who_random(random, ret);
	object_ask(random, pool, set, &target, ret);
}
