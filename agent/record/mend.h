/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What to do about a refusal: the rule to add, as it stands in a policy, or the one to remove. */
#ifndef LSMD_RECORD_MEND_H
#define LSMD_RECORD_MEND_H

#include "agent/record/record.h"
#include "agent/util/buf.h"

/** pattern_add() - bytes of a name as a pattern that means just them; "?" for a byte that JSON cannot hold */
void pattern_add(struct buf *out, const char *bytes, size_t len);

/** json_quote() - UTF-8 text as a JSON string, with \u for whatever may not be shown */
void json_quote(struct buf *out, const char *bytes, size_t len);

/** rule_add() - { "allow": "read", "path": "/etc/hostname" }, with both names of a rename or link */
void rule_add(struct buf *out, uint32_t verb, const struct record *record);

/** mend_add() - for each policy that refused: a line that says what to add, or to remove, and where. Nothing for what was allowed. */
void mend_add(struct buf *out, const struct record *record);

#endif
