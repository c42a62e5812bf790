/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words of the language and of the machine: verbs, classes, protocols, services; and the word that was meant. */
#ifndef LSMD_POLICY_NAMES_H
#define LSMD_POLICY_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/policy/policy.h"

/* What a verb acts on, and so the key of a rule that names it. */
enum verb_object {
	VERB_PATH, /* "path" */
	VERB_TO, /* "to" */
	VERB_NAME, /* "name" */
};

struct verb {
	const char *name;
	enum lsmd_class_id class;
	enum verb_object object;
};

/* By enum lsmd_verb. */
extern const struct verb verbs[LSMD_N_VERBS];

/* By enum lsmd_class_id. */
extern const char *const class_names[LSMD_N_CLASSES];

/** verb_find(), class_find() - number of the word, -1: no such word */
int verb_find(const char *word, size_t len);
int class_find(const char *word, size_t len);

/** verb_access() - what a rule that names the verb names: `write` is a group (MEANING.md 18) */
uint32_t verb_access(int verb);

/** class_access() - all verbs of a class */
uint32_t class_access(int class);


/** proto_find() - bit set of enum lsmd_proto; "*" is all of them; 0: no such protocol */
uint32_t proto_find(const char *word, size_t len);

enum {
	SERVICE_UNKNOWN = 1,
	SERVICES_TOO_MANY,
};

/* Asking the machine takes as long as reading its list of services: so many names are asked for, the last are remembered. */
#define SERVICES_ASKED_MAX 2000
#define SERVICES_KEPT 32

struct services {
	size_t n_asked;
	struct service {
		char name[32];
		uint32_t protos;
		bool known;
		uint16_t port;
	} kept[SERVICES_KEPT];
};

/**
 * service_find() - the port of a service, as the machine says (nsswitch.conf), else as everybody does
 * @services: what was asked before; zero-initialise
 * @protos:   bit set; a service of any protocol when there is more than one
 * Return: 0, SERVICE_UNKNOWN, SERVICES_TOO_MANY, -ENOMEM
 */
int service_find(struct services *services, const char *word, size_t len, uint32_t protos, uint16_t *ret);

/**
 * word_nearest() - the word that was probably meant: few letters lost, added, changed or swapped
 * @words: NULL entries are passed over
 * Return: one of @words, NULL: none is near
 */
const char *word_nearest(const char *word, size_t len, const char *const *words, size_t n_words);

/** verb_nearest() - the same among verbs, and among classes when @classes */
const char *verb_nearest(const char *word, size_t len, bool classes);

#endif
