/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A policy out of what was seen. */
#ifndef LSMD_CTL_LEARN_H
#define LSMD_CTL_LEARN_H

#include "agent/ctl/ctl.h"
#include "agent/ctl/generalise.h"
#include "agent/policy/set.h"
#include "agent/util/buf.h"

/* One pattern and what is known of it. */
struct seen {
	char *key; /* "path", "to" or "name" */
	char *pattern; /* as JSON would hold it, without quotes */
	uint32_t access;
	uint64_t n; /* decisions */
	char *example; /* as the record showed it */
	char *becomes; /* the name that a rename or a link gave it, where the rule has what that name allows; or NULL */
};

struct lesson {
	const char *name, *exe;
	enum level level;
	bool no_children; /* what the program starts is not held */
	struct policy_options policies; /* where abstractions lie */
	struct seen *seen;
	size_t n_seen, capacity;
	const char *abstractions[16]; /* recognised; borrowed */
	size_t n_abstractions;
	json_t *events; /* what was taken in, one of a kind */
	struct pids pids; /* of all that acted */
	uint64_t n_events, n_unnamed; /* decisions; those that no rule could name */
	uint64_t n_mixed; /* decisions of which only an example is known */
};

void lesson_clear(struct lesson *lesson);

/** lesson_add() - take in one record. Return: 0, -ENOMEM */
int lesson_add(struct lesson *lesson, json_t *event);

/** lesson_abstractions() - recognise abstractions, and forget what they hold. Return: 0; an exit status */
int lesson_abstractions(struct lesson *lesson, bool colour);

/** lesson_patterns() - what is left becomes patterns; what grants more than was seen is said. Return: 0, -ENOMEM */
int lesson_patterns(struct lesson *lesson);

/**
 * lesson_moves() - what was renamed or linked gets what its new name allows, for a new name may not allow more (MEANING.md 15)
 * Return: 0; an exit status
 */
int lesson_moves(struct lesson *lesson, bool colour);

/** lesson_write() - the policy in @mode, a rule a line, each with its evidence */
void lesson_write(struct buf *out, const struct lesson *lesson, const char *mode);

/** lesson_judge() - put all that was taken in to the policy, enforced; what it would refuse is said. Return: 0; an exit status */
int lesson_judge(const struct lesson *lesson, bool colour);

#endif
