/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A checked set of policies: what rule.c and expand.c make of the JSON, and what image.c compiles. Everything in it is
 * resolved (variables, includes, verb groups, names of ports and protocols) but patterns, which are kept as
 * written after expansion: glob.h reads them.
 */
#ifndef LSMD_POLICY_POLICY_H
#define LSMD_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/policy/seal.h"
#include "lsm/abi/access.h"
#include "lsm/abi/image.h"
#include "lsm/abi/verdict.h"

/* Where something stands. Lines and columns count from 1, columns in bytes. */
struct place {
	uint32_t file; /* index into policy_set.files */
	uint32_t line;
	uint32_t column;
	uint32_t len; /* bytes to underline; 0: one */
};

enum object_kind {
	OBJECT_PATH,     /* pattern over names of files */
	OBJECT_UNIX,     /* the same, from "unix:/…": a socket's name */
	OBJECT_ABSTRACT, /* pattern over abstract unix names, without the "@" */
	OBJECT_INET,     /* protocols, addresses, ports */
	OBJECT_NAME,     /* what else a verb acts on, from "name": a name of struct object.bytes and all that goes on with it */
	OBJECT_UNIT,     /* pattern over names of systemd's units: of a subject only */
	OBJECT_ALL,      /* "name": "*": whatever the verb acts on */
	OBJECT_ANONYMOUS, /* "path": "anonymous": what is run as code and has no name */
};

/* One object of a rule. bytes may hold any byte but NUL (abstract: any at all) and is owned by the set. */
struct object {
	enum object_kind kind;
	struct place place;
	const char *bytes; /* PATH, UNIX, ABSTRACT, UNIT: a pattern valid for glob.h. NAME: "/00000010/00000000", as named.h writes it */
	size_t len;
	unsigned int verb;         /* NAME: enum lsmd_verb whose name it is */
	uint32_t protos;           /* INET: bit set of enum lsmd_proto */
	uint64_t first_hi, first_lo; /* INET: first and last address, as in struct lsmd_interval; IPv4 is mapped */
	uint64_t last_hi, last_lo;
	uint16_t first_port, last_port;
};

struct rule {
	struct place place; /* of the rule's object in the file */
	uint32_t access;    /* verbs, `write` spelled out into its group; no device twins */
	bool deny;
	bool log;    /* allow: record uses */
	bool silent; /* deny with "log": false */
	bool kill;
	const char *id;     /* NULL: none */
	const char *reason; /* NULL: none */
	struct object *objects;
	size_t n_objects;
};

/* Behind the name of a policy in audit mode that stands beside an enforcing one of the same name. */
#define SHADOW_SUFFIX ".shadow"

struct policy {
	const char *name; /* of a shadow: its policy's, with SHADOW_SUFFIX */
	const char *shadow_of; /* name of the enforcing policy beside which this one, in audit mode, is tried; NULL: it is no shadow */
	const char *description; /* NULL: none */
	struct place place;         /* of the whole policy */
	struct place default_place; /* of the value of "default" */
	struct place default_places[LSMD_N_VERBS]; /* of the word in it that decides each verb; line 0: default_place */
	enum lsmd_mode mode;
	bool children;
	uint32_t default_deny; /* verbs; no device twins */
	struct place subject_place; /* of the value of "subject" */
	/* The subject: every key that stands asks, and any item of it answers (MEANING.md 7). At least one stands. */
	struct object *exes; /* OBJECT_PATH */
	size_t n_exes;
	struct object *units; /* OBJECT_UNIT: any component of the path of the cgroup */
	size_t n_units;
	struct object *cgroups; /* OBJECT_PATH, in the hierarchy of cgroups */
	size_t n_cgroups;
	struct lsmd_ids *uids, *gids; /* sorted, disjoint */
	size_t n_uids, n_gids;
	struct rule *rules; /* in the order of the file, included ones after the policy's own */
	size_t n_rules;
};

struct policy_file {
	const char *name; /* as shown to people: the path as given or found */
	const char *text; /* whole, for carets; NULL when it is not kept */
	size_t len;
};

/* Sorted by policy name, names unique. Owns all it points to. */
struct policy_set {
	struct policy *policies;
	size_t n_policies;
	struct policy_file *files;
	size_t n_files;
	struct seal_stamp stamp; /* of the seal that the files were held against; serial 0: none */
	bool refused; /* files only, for messages (set.h): never to be compiled */
	void *memory; /* what the pointers above point into */
};

void policy_set_free(struct policy_set *set);

/* lsmd_policy_key() - what labels remember of a policy: FNV-1a of its name, 64 bits. Two names of a set may not share it. */
uint64_t lsmd_policy_key(const char *name);

#endif
