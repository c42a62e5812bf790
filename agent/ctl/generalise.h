/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names that were seen to patterns that also mean what will be seen next time. The rules, by level:
 *
 *   tight   numbers below /proc, and those that are the id of a process that was seen (from 100 on), are *; so is what is random in
 *           a temporary name: six letters and digits or more, mixed, at the end behind a dot, a dash or an underscore, or anywhere
 *           in a folder for temporary files; what mktemp, tmpfile, tempnam, Python and sed -i put behind tmp., tmpf, file, tmp and
 *           sed; and the number of a file without a name (O_TMPFILE: #NUMBER)
 *   normal  also versions and dates: digits joined by dots or dashes, and six digits or more, are *; four names or more of one
 *           folder that are only read become all names of the folder
 *   broad   also every run of digits; three names or more below a folder that are only read become all below it; four names that
 *           are written in one folder, and none run, become all names of it, which is said
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

/** name_generalise() - a name as a pattern, component by component: an absolute one, or that of an abstract socket with its @ */
void name_generalise(struct buf *out, const char *bytes, size_t len, enum level level, const struct pids *pids);

/** folder_may_be_whole() - may a folder be granted as a whole? Not / and what lies right below it, nor anybody's home. */
bool folder_may_be_whole(const char *folder, size_t len);

#endif
