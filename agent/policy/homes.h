/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where this machine's users live: what @{HOME} stands for. */
#ifndef LSMD_POLICY_HOMES_H
#define LSMD_POLICY_HOMES_H

#include "agent/policy/expand.h"

/**
 * homes_read() - patterns for home folders: /root, every folder in /home, and what the list of local users names beside these
 * @passwd: its file; NULL: /etc/passwd. One that cannot be read adds nothing
 * @memory: of the patterns
 * @ret:    what was in it is lost; free(ret->items)
 * Return: 0, -ENOMEM. Sorted, each once. Of users those count that log in: root, and numbers from 1000 on but for nobody's.
 */
int homes_read(const char *passwd, struct arena *memory, struct texts *ret);

#endif
