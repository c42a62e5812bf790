// SPDX-License-Identifier: LGPL-2.1-or-later
/* Records to auditd, through libaudit, as USER_AVC. */
#include <errno.h>
#include <libaudit.h>
#include <poll.h>
#include <stdint.h>

#include "agent/record/audit-text.h"
#include "agent/record/audit.h"
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

/* The kernel's answer names the process of auditd, 0 where there is none. */
static int auditd_ask(int fd)
{
	struct audit_reply reply;
	int r = audit_request_status(fd);

	for (int i = 0; r > 0 && i < 10; i++) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

		if (poll(&poll_fd, 1, 500) <= 0)
			return -ETIMEDOUT;
		if (audit_get_reply(fd, &reply, GET_REPLY_NONBLOCKING, 0) > 0 && reply.type == AUDIT_GET)
			return reply.status->pid;
	}
	return r > 0 ? -ETIMEDOUT : r;
}

int audit_daemon(void)
{
	int fd = audit_open(), pid;

	if (fd < 0)
		return -errno;
	pid = auditd_ask(fd);
	audit_close(fd);
	return pid;
}
