// SPDX-License-Identifier: LGPL-2.1-or-later
/* Capabilities, through libcap. */
#include "agent/util/privilege.h"

#include <errno.h>
#include <stddef.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "agent/util/cleanup.h"

static void cap_freep(cap_t *caps)
{
	if (*caps)
		cap_free(*caps);
}

bool privilege_have(int capability)
{
	_cleanup_(cap_freep) cap_t caps = cap_get_proc();
	cap_flag_value_t value = CAP_CLEAR;

	return caps && !cap_get_flag(caps, capability, CAP_EFFECTIVE, &value) && value == CAP_SET;
}

/* The bounding set ends where the kernel knows no further capability. */
static int bounding_empty(void)
{
	for (cap_value_t cap = 0; CAP_IS_SUPPORTED(cap); cap++)
		if (cap_drop_bound(cap))
			return -errno;
	return 0;
}

int privilege_drop(const int *keep, int n_keep)
{
	_cleanup_(cap_freep) cap_t caps = cap_init();
	int r;

	if (!caps)
		return -errno;
	/* Both need CAP_SETPCAP or nothing, so they come before it goes. */
	r = bounding_empty();
	if (r)
		return r;
	if (cap_reset_ambient() && errno != EINVAL)
		return -errno;
	if (cap_set_flag(caps, CAP_PERMITTED, n_keep, keep, CAP_SET) ||
	    cap_set_flag(caps, CAP_EFFECTIVE, n_keep, keep, CAP_SET) || cap_set_proc(caps))
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}
