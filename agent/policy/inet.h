/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Network objects as written: PROTO:ADDRESS[/BITS]:PORT[-PORT]. */
#ifndef LSMD_POLICY_INET_H
#define LSMD_POLICY_INET_H

#include "agent/policy/object.h"

enum {
	INET_REFUSED = 1, /* why is in the diags */
	INET_NOTHING, /* a name in it does not resolve; a warning says so */
};

/**
 * inet_read() - one network object
 * @text:  "tcp:10.0.0.0/8:5432", "udp:[fd00::]/8:53-60", "*:*:https", …; not NUL-terminated
 * @ret:   two where a prefix of IPv6 lies around the mapped IPv4 addresses: `[::]/0` is every IPv6 address
 *         and no IPv4 one. kind, protos, addresses and ports are set.
 * @ret_n: 1 or 2
 * Return: 0, INET_REFUSED, INET_NOTHING, -ENOMEM
 */
int inet_read(const struct spot *spot, const char *text, size_t len, struct object ret[2], size_t *ret_n);

#endif
