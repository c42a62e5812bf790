// SPDX-License-Identifier: LGPL-2.1-or-later
/* Records to auditd, through libaudit, as USER_AVC. */
#ifndef LSMD_WITHOUT_LIBAUDIT
#include <errno.h>
#include <libaudit.h>
#include <stdint.h>

#include "agent/record/audit-text.h"
#include "agent/record/sink.h"

static int audit_sink_open(void **ret_state)
{
	int fd = audit_open();

	if (fd < 0)
		return errno == EPROTONOSUPPORT || errno == EINVAL ? SINK_ABSENT : -errno;
	*ret_state = (void *)(intptr_t)fd;
	return 0;
}

/*
 * libaudit waits for the kernel's acknowledgement, and the kernel may hold the sender for audit_backlog_wait_time. A
 * kernel with nobody listening writes the record to its own log, which is an acceptance too.
 */
static int audit_sink_send(void *state, const struct record *record)
{
	_cleanup_buf_ struct buf text = {};
	int r;

	audit_text_add(&text, record);
	if (text.failed)
		return -ENOMEM;
	r = audit_log_user_avc_message((int)(intptr_t)state, AUDIT_USER_AVC, text.bytes, NULL, NULL, NULL, 0);
	if (r > 0)
		return 0;
	return errno ? -errno : -EIO;
}

static void audit_sink_close(void *state)
{
	audit_close((int)(intptr_t)state);
}

const struct sink_type sink_audit = {
	.name = "audit",
	.open = audit_sink_open,
	.send = audit_sink_send,
	.close = audit_sink_close,
};

#endif
