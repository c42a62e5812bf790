/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of policies: read safely, parsed, their keys found; and the abstractions that they include. */
#ifndef LSMD_POLICY_SOURCE_H
#define LSMD_POLICY_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/policy/schema.h"
#include "agent/policy/seal.h"

/* Bytes of one file, and of all together. */
#define SOURCE_BYTES_MAX (256u << 20)
#define SOURCES_BYTES_MAX (1024ull << 20)
/* Files that include each other, one inside the other. */
#define INCLUDE_DEPTH_MAX 32

/* The files of a set, in the order in which they were read; places count in it. */
struct files {
	struct policy_file *items;
	size_t n;
	size_t capacity;
	uint64_t total; /* bytes */
	struct seal *seal; /* borrowed: what is not in it as it was signed is not parsed; NULL: nobody needs to sign */
};

struct source {
	char *name; /* of an abstraction: as it is included */
	enum file_kind kind;
	uint32_t file;
	struct doc doc;
	uint32_t keys[N_POLICY_KEYS]; /* by enum policy_key, of FILE_TEST by enum test_key */
	bool right; /* read, parsed, and its keys are as they should be */
	bool busy; /* of an abstraction: includes are being followed through it */
	size_t seen; /* the last inclusion that met it */
};

enum {
	SOURCE_REFUSED = 1, /* why is in the diags */
};

/**
 * files_add() - a file by its name only, as a place for what is wrong with it
 * @ret: its index
 */
int files_add(struct files *files, const char *name, uint32_t *ret);

void files_free(struct files *files);

/**
 * seal_load() - the seal of a set, held to who may sign and to the set that went before
 * @files: receives the file, as the place for what is wrong with it; its text has to stay while the seal is used
 * @ret:   seal_clear(), in any case
 * @file:  its index
 * Return: 0, SOURCE_REFUSED, -ENOMEM
 */
int seal_load(struct files *files, const struct seal_want *want, struct diags *diags, struct seal *ret, uint32_t *file);

/** seal_judge() - a file that was read, against files->seal, where there is one. Return: 0, SOURCE_REFUSED */
int seal_judge(const struct files *files, uint32_t file, struct diags *diags);

/** seal_unread() - once all is read: an error for each file that was signed and was not; @file is that of the seal */
void seal_unread(const struct seal *seal, uint32_t file, struct diags *diags);

/**
 * source_read() - one file
 * @path:  opened without following a link in its last component; regular files of at most SOURCE_BYTES_MAX only
 * @files: receives the file, also when it cannot be read. Its seal judges the very bytes that are parsed afterwards
 * @ret:   source_free(); only on 0
 * Return: 0 (also when keys are wrong: ret->right says so, and the rest can still be looked at), SOURCE_REFUSED, -ENOMEM
 */
int source_read(struct files *files, const char *path, enum file_kind kind, struct diags *diags, struct source *ret);

void source_free(struct source *source);

/* The abstractions that were included by anyone so far. Zero-initialise, set the pointers. */
struct library {
	const char *const *dirs; /* where they are looked for, first found stands */
	size_t n_dirs;
	struct files *files;
	struct diags *diags;
	struct source **items;
	size_t n;
	size_t capacity;
	size_t inclusion; /* number of the present one */
};

struct sources {
	struct source **items; /* borrowed */
	size_t n;
	size_t capacity;
};

/**
 * library_begin(), library_include() - follow the includes of one policy; each abstraction is given once
 * @from: a policy, drop-in or abstraction with keys
 * @ret:  grows: what is included by a file stands after it, in the order of its list
 * Return: 0, SOURCE_REFUSED (a file is missing, wrong, or includes itself), -ENOMEM
 */
void library_begin(struct library *library);
int library_include(struct library *library, struct source *from, struct sources *ret);

void library_free(struct library *library);

#endif
