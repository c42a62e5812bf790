/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes as people see them: UTF-8, and what must not reach a terminal. */
#ifndef LSMD_POLICY_TEXT_H
#define LSMD_POLICY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/util/buf.h"

/** utf8_len() - bytes of the well-formed UTF-8 character at the start of @bytes, 0: there is none (RFC 3629) */
size_t utf8_len(const char *bytes, size_t len);

/** utf8_code() - the character of which utf8_len() said the length */
uint32_t utf8_code(const char *bytes, size_t len);

/** utf8_put() - writes up to 4 bytes; returns how many */
size_t utf8_put(uint32_t code, char *out);

/**
 * code_visible() - may it be shown as it is? Control characters of ASCII and Latin-1, line and paragraph separators,
 * marks that turn the direction of writing or have no width, and noncharacters may not.
 */
bool code_visible(uint32_t code);

/** text_add() - @bytes, with \xHH for every byte that may not be shown; at most @max bytes of them, then "…" */
void text_add(struct buf *buf, const char *bytes, size_t len, size_t max);

#endif
