/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lsmctl's side of the control socket: one request, its reply, and events that follow. Blocks. */
#ifndef LSMD_CONTROL_CLIENT_H
#define LSMD_CONTROL_CLIENT_H

#include <jansson.h>

#include "agent/util/buf.h"

enum {
	CONTROL_NO_AGENT = 1, /* nobody listens there */
	CONTROL_NOT_ALLOWED, /* the socket may not be opened: not root */
	CONTROL_ENDED, /* the agent closed the connection */
	CONTROL_TIMEOUT,
};

/* Zero-initialise; control_close(). */
struct control {
	int fd;
	struct buf in;
};

/** control_open() - Return: 0, CONTROL_NO_AGENT, CONTROL_NOT_ALLOWED, -errno */
int control_open(struct control *control, const char *path);
void control_close(struct control *control);

/** control_send() - one request, borrowed. Return: 0, CONTROL_ENDED, -errno */
int control_send(struct control *control, const json_t *request);

/**
 * control_receive() - the next message
 * @timeout_ms: -1: as long as it takes
 * @ret: new reference
 * Return: 0, CONTROL_ENDED, CONTROL_TIMEOUT, -EPROTO, -errno
 */
int control_receive(struct control *control, int timeout_ms, json_t **ret);

#endif
