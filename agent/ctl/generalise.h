/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names that were seen to patterns that also mean what will be seen next time. The rules, by level:
 *
 *   tight   numbers below /proc, and those that are the id of a process that was seen (from 100 on), are *; the random end of a temporary name (six letters and digits or more, mixed, behind a
 *           dot, a dash or an underscore, or in a folder for temporary files) is *
 *   normal  also versions and dates: digits joined by dots or dashes, and six digits or more, are *; four names or more of one
 *           folder that are only read become all names of the folder
 *   broad   also every run of digits; three names or more below a folder that are only read become all below it; four names that
 *           are written in one folder become all names of it, which is said
 */
#ifndef LSMD_CTL_GENERALISE_H
#define LSMD_CTL_GENERALISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/util/buf.h"

enum level {
	LEVEL_TIGHT,
	LEVEL_NORMAL,
	LEVEL_BROAD,
};

/* Smaller ones are met by chance. */
#define PID_TOLD_MIN 100

/* Ids of the processes that were seen. */
struct pids {
	uint32_t *items;
	size_t n;
	size_t capacity;
};

/** pids_add() - each once. Return: 0, -ENOMEM */
int pids_add(struct pids *pids, uint32_t pid);

/** name_generalise() - an absolute name as a pattern, component by component */
void name_generalise(struct buf *out, const char *bytes, size_t len, enum level level, const struct pids *pids);

/** folder_may_be_whole() - may a folder be granted as a whole? Not / and what lies right below it, nor anybody's home. */
bool folder_may_be_whole(const char *folder, size_t len);

#endif
