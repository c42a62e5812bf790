// SPDX-License-Identifier: LGPL-2.1-or-later
/* The asking side of the control socket. */
#include "agent/control/client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "agent/control/message.h"
#include "agent/util/cleanup.h"

int control_open(struct control *control, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	*control = (struct control){ .fd = -1 };
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (control->fd < 0)
		return -errno;
	if (!connect(control->fd, (struct sockaddr *)&address, sizeof(address)))
		return 0;
	if (errno == ENOENT || errno == ECONNREFUSED)
		return CONTROL_NO_AGENT;
	return errno == EACCES || errno == EPERM ? CONTROL_NOT_ALLOWED : -errno;
}

void control_close(struct control *control)
{
	if (control->fd >= 0)
		close(control->fd);
	buf_free(&control->in);
	control->fd = -1;
}

int control_send(struct control *control, const json_t *request)
{
	_cleanup_buf_ struct buf out = {};
	int r = message_add(&out, request, MESSAGE_REQUEST_MAX);

	if (r)
		return r < 0 ? r : -E2BIG;
	for (size_t sent = 0; sent < out.len;) {
		ssize_t n = send(control->fd, out.bytes + sent, out.len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		/* Refused connections are closed with a message: it is read next. */
		if (n < 0)
			return errno == EPIPE || errno == ECONNRESET ? CONTROL_ENDED : -errno;
		sent += n;
	}
	return 0;
}

static int control_fill(struct control *control, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = control->fd, .events = POLLIN };
	char bytes[65536];
	ssize_t n;
	int r = poll(&poll_fd, 1, timeout_ms);

	if (r <= 0)
		return r ? -errno : CONTROL_TIMEOUT;
	n = recv(control->fd, bytes, sizeof(bytes), 0);
	if (n < 0)
		return errno == ECONNRESET ? CONTROL_ENDED : -errno;
	if (!n)
		return CONTROL_ENDED;
	buf_add(&control->in, bytes, n);
	return control->in.failed ? -ENOMEM : 0;
}

int control_receive(struct control *control, int timeout_ms, json_t **ret)
{
	for (;;) {
		size_t used;
		int r = message_take(control->in.bytes, control->in.len, MESSAGE_REPLY_MAX, ret, &used);

		if (!r) {
			memmove(control->in.bytes, control->in.bytes + used, control->in.len - used);
			control->in.len -= used;
			return 0;
		}
		if (r != MESSAGE_PARTIAL)
			return r < 0 ? r : -EPROTO;
		r = control_fill(control, timeout_ms);
		if (r)
			return r;
	}
}
