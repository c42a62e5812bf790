/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A record as one line for people. */
#ifndef LSMD_RECORD_SENTENCE_H
#define LSMD_RECORD_SENTENCE_H

#include "agent/record/record.h"
#include "agent/util/buf.h"

/** record_act() - "read of "/etc/shadow"", "rename of "/a" as "/b"", "mount", "map of an object without a name" */
void record_act(struct buf *out, const struct record *record);

/**
 * record_sentence() - "denied read of "/etc/shadow" to "/usr/sbin/nginx" (pid 812, uid 33): policy web, web.json:14
 * (repositories must not leak)"; no newline
 */
void record_sentence(struct buf *out, const struct record *record);

#endif
