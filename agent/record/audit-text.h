/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of a record in the audit log. */
#ifndef LSMD_RECORD_AUDIT_TEXT_H
#define LSMD_RECORD_AUDIT_TEXT_H

#include "agent/record/record.h"
#include "agent/util/buf.h"

/*
 * Bytes of one message: the kernel cuts user records at AUDIT_MESSAGE_TEXT_MAX (8,560, kernel/audit.c), and libaudit adds its
 * own exe=, sauid=, hostname=, addr= and terminal= within that.
 */
#define AUDIT_TEXT_MAX 8000
/*
 * Bytes of one value inside it, twice as many where it is written in digits; a longer one is cut, and a field "NAME_len"
 * says how long it was. Three names and all other values together stay below the whole, a test holds that.
 */
#define AUDIT_NAME_MAX 900
#define AUDIT_WORD_MAX 250

/**
 * audit_text_add() - "avc:  denied  { read } for  scontext=web tcontext=/etc/shadow tclass=file …"
 *
 * Order and names follow what ausearch and aureport 3.x look for in a USER_AVC: the verb in braces (aureport: permission),
 * scontext (the policy), tcontext (the object: ausearch -o finds it, aureport shows it), tclass, comm (ausearch -c), exe
 * (the program: ausearch -x), path (decoded by -i), info (the rule's reason, decoded too). Fields pid, uid, auid and ses of the record are the agent's; the
 * process that was refused stands as opid, otid, oppid, ouid, oeuid, oauid, oses. "denied" with permissive=1 was allowed by an
 * audit-mode policy, as SELinux writes it; "granted" is an allow rule with "log".
 */
void audit_text_add(struct buf *out, const struct record *record);

#endif
