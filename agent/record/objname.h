/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The object of a record in the form that policies write it. */
#ifndef LSMD_RECORD_OBJNAME_H
#define LSMD_RECORD_OBJNAME_H

#include "agent/record/record.h"
#include "agent/util/buf.h"

/* address_add() - "tcp:10.0.0.1:5432", "udp:[fd00::1]:53" */
void address_add(struct buf *out, const struct lsmd_address *address);

/**
 * object_add() - raw bytes, not escaped: a file's name as it is, "unix:/run/x.sock", "unix:@name", an address;
 * nothing for verbs that take no object, or where no byte of the name could be read
 */
void object_add(struct buf *out, const struct record *record);

#endif
