/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What two images answer differently, exactly: for everybody who can be told apart by who holds him, and for every verb, the shortest name or
 * the first address whose answer changes. Equal means equal, however differently the policies are written.
 *
 * Processes are sorted by the layers that hold them before and after (domains). An answer is that of all layers together, so that
 * a policy that was cut in two is the same policy. Names are walked in the product of both images (walk.h), addresses at the boundaries of
 * their intervals; every difference that is told was asked of lsm/core.
 *
 * Not compared: what is recorded (log, reason, places, names of policies); moving directories, which is decided with caution.
 */
#ifndef LSMD_POLICY_DIFF_H
#define LSMD_POLICY_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/policy/ask.h"
#include "agent/util/arena.h"
#include "lsm/abi/image.h"

/* Sorts of processes that are compared, and names that are told apart when two at once are asked for (rename, link). */
#define DIFF_DOMAINS_MAX 65536
#define DIFF_PAIRS_MAX 1024

enum diff_answer {
	DIFF_ALLOW,
	DIFF_AUDIT, /* allowed, and an audit layer would have refused */
	DIFF_DENY,
	DIFF_KILL,
};

/* Layers by index, sorted; one more than LSMD_LAYERS_MAX means that the exec is refused. */
struct diff_layers {
	uint32_t n;
	uint32_t ids[LSMD_LAYERS_MAX + 1];
};

/* Processes that the same layers hold. */
struct diff_domain {
	struct ask_bytes program; /* the shortest name of one; NULL: a process whose label cannot be read */
	bool started; /* what such a program starts, where policies let go of what it executes */
	struct diff_layers layers[2]; /* before, after */
};

enum diff_kind {
	DIFF_ACCESS, /* `ask` says which */
	DIFF_UNDECIDED, /* what cannot be decided, of the class of ask.wanted */
	DIFF_EXEC, /* executing the program at all: too many policies would hold it */
};

struct diff_change {
	uint32_t domain; /* index */
	enum diff_kind kind;
	struct ask ask; /* without a subject; one verb. ADDRESS: the first of the range */
	struct lsmd_address last; /* ADDRESS: the end of the range, with the last port */
	enum diff_answer answers[2];
};

/* Zero-initialise, image_diff(), diff_clear(). */
struct diff {
	struct {
		struct diff_domain *items;
		size_t n, capacity;
	} domains;
	struct {
		struct diff_change *items; /* by domain */
		size_t n, capacity;
	} changes;
	bool incomplete; /* some bound was met: what was not found may be there */
	const char *why; /* which; static */
	struct arena memory;
};

/**
 * image_diff() - @before, @after: verified, borrowed
 * Return: 0; -ENOMEM. Time and memory: for each domain what walk_run() says, of the layers of the domain only.
 */
int image_diff(const struct lsmd_image_header *before, const struct lsmd_image_header *after, struct diff *ret);
void diff_clear(struct diff *diff);

/** diff_answer() - of one image to a question that may name layers. Return: 0, or what image_ask() says */
int diff_answer(const struct lsmd_image_header *image, const struct ask *ask, enum diff_answer *ret);

#endif
