/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one place where untrusted bytes become text: names of files, programs and sockets hold any byte, and no
 * name may forge a field, a line or a terminal's state. Every form here can be undone.
 */
#ifndef LSMD_RECORD_ESCAPE_H
#define LSMD_RECORD_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/util/buf.h"

/** escape_plain() - may the bytes be shown as they are? Visible UTF-8 without backslash and quotes. */
bool escape_plain(const char *bytes, size_t len);

/**
 * escape_text() - for people: visible UTF-8 as it is, "\\" and "\"" for these two, "\xHH" for every other byte
 */
void escape_text(struct buf *out, const char *bytes, size_t len);

/** escape_quoted() - the same between quotes */
void escape_quoted(struct buf *out, const char *bytes, size_t len);

/** escape_hex() - two upper-case digits a byte */
void escape_hex(struct buf *out, const char *bytes, size_t len);

/**
 * escape_audit() - " name=value" as audit writes untrusted strings, so that its tools decode it: between quotes
 * when no byte is a quote, a space, a control character or beyond ASCII, else in hexadecimal digits
 */
void escape_audit(struct buf *out, const char *name, const char *bytes, size_t len);

/** escape_audit_word() - " name=value" for a value that audit's tools take up to the next space: literal or digits */
void escape_audit_word(struct buf *out, const char *name, const char *bytes, size_t len);

#endif
