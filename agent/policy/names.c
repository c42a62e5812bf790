/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words of the language and of the machine. */
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "agent/policy/names.h"

#define VERB_OBJECT_FILE VERB_PATH
#define VERB_OBJECT_EXEC VERB_PATH
#define VERB_OBJECT_NETWORK VERB_TO
#define VERB_OBJECT_CAPABILITY VERB_NAME
#define VERB_OBJECT_PROCESS VERB_NAME
#define VERB_OBJECT_SYSTEM VERB_NAME

const struct verb verbs[LSMD_N_VERBS] = {
#define X(constant, word, class_word) \
	[LSMD_VERB_##constant] = { \
		.name = word, \
		.class = LSMD_CLASS_##class_word, \
		/* Sockets of other families are named, not addressed (MEANING.md 22). */ \
		.object = LSMD_VERB_##constant == LSMD_VERB_SOCKET ? VERB_NAME : VERB_OBJECT_##class_word, \
	},
	LSMD_VERBS(X)
#undef X
};

const char *const class_names[LSMD_N_CLASSES] = {
	[LSMD_CLASS_FILE] = "file",	  [LSMD_CLASS_EXEC] = "exec",
	[LSMD_CLASS_NETWORK] = "network", [LSMD_CLASS_CAPABILITY] = "capability",
	[LSMD_CLASS_PROCESS] = "process", [LSMD_CLASS_SYSTEM] = "system",
};

static bool word_is(const char *word, size_t len, const char *known)
{
	return strlen(known) == len && !memcmp(word, known, len);
}

int verb_find(const char *word, size_t len)
{
	int i;

	for (i = 0; i < LSMD_N_VERBS; i++) {
		if (word_is(word, len, verbs[i].name))
			return i;
	}
	return -1;
}

int class_find(const char *word, size_t len)
{
	int i;

	for (i = 0; i < LSMD_N_CLASSES; i++) {
		if (word_is(word, len, class_names[i]))
			return i;
	}
	return -1;
}

uint32_t verb_access(int verb)
{
	return verb == LSMD_VERB_WRITE ? LSMD_ACCESS_WRITE_GROUP : 1u << verb;
}

uint32_t class_access(int class)
{
	uint32_t access = 0;
	int i;

	for (i = 0; i < LSMD_N_VERBS; i++) {
		if ((int)verbs[i].class == class)
			access |= 1u << i;
	}
	return access;
}

static const struct {
	const char *name;
	uint32_t protos;
} protos[] = {
	{ "tcp", 1 << LSMD_PROTO_TCP },	  { "udp", 1 << LSMD_PROTO_UDP },    { "sctp", 1 << LSMD_PROTO_SCTP },
	{ "dccp", 1 << LSMD_PROTO_DCCP }, { "*", (1 << LSMD_N_PROTOS) - 1 },
};

uint32_t proto_find(const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(protos) / sizeof(*protos); i++) {
		if (word_is(word, len, protos[i].name))
			return protos[i].protos;
	}
	return 0;
}

static const char *proto_name(uint32_t set)
{
	size_t i;

	for (i = 0; i < sizeof(protos) / sizeof(*protos); i++) {
		if (protos[i].protos == set && (set & (set - 1)) == 0)
			return protos[i].name;
	}
	return NULL;
}

/* What everybody means by these words, where no list of services is installed. */
static const struct {
	const char *name;
	uint16_t port;
} well_known[] = {
	{ "domain", 53 },	{ "http", 80 },	  { "https", 443 },  { "imaps", 993 },
	{ "ldap", 389 },	{ "ldaps", 636 }, { "mysql", 3306 }, { "ntp", 123 },
	{ "postgresql", 5432 }, { "smtp", 25 },	  { "ssh", 22 },     { "submission", 587 },
};

static int service_known(const char *name, uint16_t *ret)
{
	size_t i;

	for (i = 0; i < sizeof(well_known) / sizeof(*well_known); i++) {
		if (strcmp(well_known[i].name, name))
			continue;
		*ret = well_known[i].port;
		return 0;
	}
	return SERVICE_UNKNOWN;
}

static int service_ask(const char *name, uint32_t set, uint16_t *ret)
{
	struct servent entry, *found = NULL;
	char memory[8192];
	int r = getservbyname_r(name, proto_name(set), &entry, memory, sizeof(memory), &found);

	if (r == ENOMEM)
		return -ENOMEM;
	if (r || !found)
		return service_known(name, ret);
	*ret = ntohs(entry.s_port);
	return 0;
}

int service_find(struct services *services, const char *word, size_t len, uint32_t set, uint16_t *ret)
{
	struct service *kept;
	size_t i;
	int r;

	if (!len || len >= sizeof(kept->name) || memchr(word, '\0', len))
		return SERVICE_UNKNOWN;
	for (i = 0; i < SERVICES_KEPT; i++) {
		kept = &services->kept[i];
		if (kept->protos != set || !word_is(word, len, kept->name))
			continue;
		*ret = kept->port;
		return kept->known ? 0 : SERVICE_UNKNOWN;
	}
	if (services->n_asked >= SERVICES_ASKED_MAX)
		return SERVICES_TOO_MANY;
	kept = &services->kept[services->n_asked++ % SERVICES_KEPT];
	*kept = (struct service){ .protos = set };
	memcpy(kept->name, word, len);
	r = service_ask(kept->name, set, &kept->port);
	if (r < 0)
		kept->protos = 0; /* forget it */
	kept->known = !r;
	*ret = kept->port;
	return r;
}

#define NEAR_LEN 31

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Damerau 1964, optimal string alignment; both at most NEAR_LEN bytes. */
static unsigned word_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned char rows[3][NEAR_LEN + 1] = {}, *before = rows[0], *above = rows[1], *row = rows[2], *oldest;
	size_t i, j;

	for (j = 0; j <= b_len; j++)
		above[j] = j;
	for (i = 1; i <= a_len; i++) {
		row[0] = i;
		for (j = 1; j <= b_len; j++) {
			row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		oldest = before;
		before = above;
		above = row;
		row = oldest;
	}
	return above[b_len];
}

const char *word_nearest(const char *word, size_t len, const char *const *words, size_t n_words)
{
	unsigned best = 3, distance;
	const char *found = NULL;
	size_t i, known_len;

	if (!len || len > NEAR_LEN)
		return NULL;
	for (i = 0; i < n_words; i++) {
		known_len = words[i] ? strlen(words[i]) : 0;
		if (!known_len || known_len > NEAR_LEN)
			continue;
		distance = word_distance(word, len, words[i], known_len);
		if (distance < best && distance < known_len && distance < len) {
			best = distance;
			found = words[i];
		}
	}
	return found;
}

const char *verb_nearest(const char *word, size_t len, bool classes)
{
	const char *words[LSMD_N_VERBS + LSMD_N_CLASSES] = {};
	size_t i;

	for (i = 0; i < LSMD_N_VERBS; i++)
		words[i] = verbs[i].name;
	for (i = 0; i < LSMD_N_CLASSES && classes; i++)
		words[LSMD_N_VERBS + i] = class_names[i];
	return word_nearest(word, len, words, sizeof(words) / sizeof(*words));
}
