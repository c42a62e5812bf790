/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What clients of the control socket may ask: "ping", "status", "reload", "events", "explain", "explain-pid". */
#ifndef LSMD_CONTROL_REQUESTS_H
#define LSMD_CONTROL_REQUESTS_H

#include <jansson.h>

#include "agent/control/server.h"

/** request_handle() - a server_fn; @data is the struct agent */
void request_handle(void *data, struct client *client, const json_t *request);

#endif
