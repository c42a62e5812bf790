/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The serial number of the last set that was signed and put in force, remembered over restarts and reboots, so that a set that was
 * signed once cannot come back later. The file is read once, when the agent starts: who changes it then changes nothing. Where
 * it is missing any serial number will do, once.
 */
#ifndef LSMD_CONTROL_SERIAL_H
#define LSMD_CONTROL_SERIAL_H

#include <stdbool.h>

#include "agent/policy/seal.h"

struct serial {
	const char *file; /* borrowed */
	struct seal_stamp last; /* serial 0: none is known */
	struct seal_stamp before; /* of serial_advance(), until it is kept or undone */
	bool pending;
	bool known; /* serial_open() was done: `last` is what the file said */
};

enum {
	SERIAL_REFUSED = 1, /* why is in @why */
};

/** serial_open() - what was remembered; before it, and where it fails, serial_advance() does it. Return: 0 (also where nothing is), SERIAL_REFUSED (the file is not as it was written, or cannot be read) */
int serial_open(struct serial *serial, const char *file, char *why, size_t why_size);

/**
 * serial_advance() - remember the set that is about to be put in force, before it is: killed in between, nothing older comes
 * Return: 0, SERIAL_REFUSED (it is older, or cannot be remembered): the caller puts nothing in force
 */
int serial_advance(struct serial *serial, const struct seal_stamp *stamp, char *why, size_t why_size);

/** serial_undo() - it was not put in force after all. Return: 0, -errno: what went before can come back only with a higher number */
int serial_undo(struct serial *serial);

/** serial_keep() - it is in force for good */
void serial_keep(struct serial *serial);

#endif
