/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The objects of a rule: from the strings of "path", "to" and "name" to struct object. */
#ifndef LSMD_POLICY_OBJECT_H
#define LSMD_POLICY_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/policy/expand.h"
#include "agent/policy/names.h"

/* Objects of a whole set: what keeps variables from filling the memory. */
#define OBJECTS_MAX (1u << 22)
/* A string being read: where what is wrong with it stands. */
struct spot {
	struct doc *doc;
	uint32_t value;
	bool verbatim; /* offsets in the text that is read are offsets in the string */
	bool deny; /* of a deny rule: what cannot be resolved may not be left out */
	uint32_t access; /* verbs of the rule; 0: of a subject */
	struct services *services;
	struct diags *diags;
};

/** spot_place() - where @len bytes at @off of the text stand; the whole string when that cannot be said */
struct place spot_place(const struct spot *spot, size_t off, size_t len);

struct objects {
	struct object *items;
	size_t n;
	size_t capacity;
};

/* What the rules of one policy are read with. Zero-initialise, set the pointers; reader_free(). */
struct reader {
	struct arena *memory; /* of the set that is built */
	struct diags *diags;
	struct variables variables;
	size_t *n_objects; /* of the set so far */
	struct texts texts; /* room that is used again */
	struct objects objects; /* the same */
	struct services services;
};

void reader_free(struct reader *reader);

/** objects_refuse() - says that the set has more than OBJECTS_MAX of them */
void objects_refuse(struct diags *diags, struct place place);

enum {
	OBJECT_REFUSED = 1, /* why is in the diags */
};

/* What strings name. */
enum strings_kind {
	STRINGS_PATH = VERB_PATH,
	STRINGS_TO = VERB_TO,
	STRINGS_NAME = VERB_NAME,
	STRINGS_UNIT, /* of systemd: patterns over one name */
};

/**
 * objects_read() - all that a string, or a list of strings, names
 * @kind: what the strings name
 * @access: verbs of the rule that names them; 0: a subject does
 * @ret:  in reader->memory; may be empty when every name of an allow rule could not be resolved (a warning was added)
 * Return: 0, OBJECT_REFUSED, -ENOMEM
 */
int objects_read(struct reader *reader, struct doc *doc, uint32_t strings, enum strings_kind kind,
		 uint32_t access, bool deny, struct object **ret, size_t *ret_n);

#endif
