/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The audit log: audit.c, or audit-fallback.c in a build without libaudit. The sink stands in sink.h. */
#ifndef LSMD_RECORD_AUDIT_H
#define LSMD_RECORD_AUDIT_H

/** audit_daemon() - who keeps audit records. Return: pid, 0: nobody, -EOPNOTSUPP: built without libaudit, -errno */
int audit_daemon(void);

#endif
