/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages of the control socket: a stream of JSON objects, each behind its length in four bytes (host order: the socket never
 * leaves the machine). A request has "request"; the reply has "ok", and "error" (a sentence) where that is false.
 */
#ifndef LSMD_CONTROL_MESSAGE_H
#define LSMD_CONTROL_MESSAGE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/util/buf.h"

/* Bytes of one message, without its length. Requests are small; a reply lists policies, programs, diagnostics. */
#define MESSAGE_REQUEST_MAX (64u << 10)
#define MESSAGE_REPLY_MAX (16u << 20)
#define MESSAGE_HEAD sizeof(uint32_t)
/* Objects inside each other that a request may have. */
#define MESSAGE_DEPTH_MAX 8

enum {
	MESSAGE_PARTIAL = 1, /* more bytes are needed */
	MESSAGE_TOO_LARGE,
	MESSAGE_MALFORMED, /* no JSON object */
};

/** message_add() - @json with its length, behind what is in @out. Return: 0, MESSAGE_TOO_LARGE, -ENOMEM */
int message_add(struct buf *out, const json_t *json, size_t max);

/**
 * message_take() - the first message of a buffer
 * @max: bytes; a longer one is refused as soon as its length is known
 * @ret: new reference
 * @ret_used: bytes to remove from the buffer
 * Return: 0, MESSAGE_PARTIAL, MESSAGE_TOO_LARGE, MESSAGE_MALFORMED, -ENOMEM
 */
int message_take(const char *bytes, size_t len, size_t max, json_t **ret, size_t *ret_used);

#endif
