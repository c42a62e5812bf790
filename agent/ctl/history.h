/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records of the past as lsmctl's commands ask for them: from the events file and those before it, a file named, or the agent. */
#ifndef LSMD_CTL_HISTORY_H
#define LSMD_CTL_HISTORY_H

#include "agent/ctl/ctl.h"

/* Which records are wanted; NULL and 0: any. Borrowed from the command line. */
struct filter {
	const char *policy;
	const char *verb;
	const char *program; /* a pattern of the whole name, or of its last component where it has no slash */
	const char *answer; /* "denied", "audit", "logged" */
	uint64_t since_us; /* wall clock */
};

/* Options of a filter for getopt_long(), and their lines of help. filter_option() knows what they return. */
#define FILTER_OPTIONS                                                            \
	{ "policy", required_argument, NULL, 'P' }, { "verb", required_argument, NULL, 'V' },   \
	{ "program", required_argument, NULL, 'R' }, { "answer", required_argument, NULL, 'A' }, \
	{ "since", required_argument, NULL, 'S' }
#define FILTER_HELP                                                                        \
	"  --policy NAME     only those of a policy\n"                                         \
	"  --verb VERB       only those of a verb\n"                                           \
	"  --program GLOB    only those of a program: /usr/bin/*, or a name without slash\n"   \
	"  --answer WORD     only denied, audit (would have been refused) or logged\n"         \
	"  --since TIME      not older: 30s, 10m, 2h, 7d, or 2026-11-21 or \"2026-11-21 12:30\"\n"

/** filter_option() - take option @c with its value. Return: -1 taken; -2 no option of a filter; else an exit status after saying why */
int filter_option(const struct ctl_command *command, struct filter *filter, int c, const char *value);

bool filter_match(const struct filter *filter, const json_t *event);

/** history_fn - a record that the filter lets through, borrowed. Return: 0; else what history_read() returns */
typedef int (*history_fn)(void *data, json_t *event);

/* What was read. */
struct history {
	size_t n_records; /* let through */
	size_t n_wrong; /* lines that are no records */
	bool from_agent; /* there is no file: only what the agent still has */
};

/**
 * history_read() - oldest first
 * @from: a file, or "-" for standard input; NULL: the events file of the settings, or where there is none the agent
 * Return: 0; an exit status after saying why
 */
int history_read(struct ctl *ctl, const char *from, const struct filter *filter, history_fn fn, void *data, struct history *ret);

/** event_time() - "2026-11-21 12:30:01" by the local clock */
const char *event_time(uint64_t time_us, char text[32]);

#endif
