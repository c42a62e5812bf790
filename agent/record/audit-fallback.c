// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What stands for audit.c in a build without libaudit (LSMD_WITHOUT_LIBAUDIT): every record is counted as having had
 * nobody to take it.
 */
#ifdef LSMD_WITHOUT_LIBAUDIT
#include "agent/record/sink.h"

static int absent_open(void **ret_state)
{
	return SINK_ABSENT;
}

static int absent_send(void *state, const struct record *record)
{
	return SINK_ABSENT;
}

static void absent_close(void *state)
{
}

const struct sink_type sink_audit = {
	.name = "audit",
	.open = absent_open,
	.send = absent_send,
	.close = absent_close,
};

#endif
