/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A record as a JSON object. Names that are not plain visible UTF-8 stand escaped (escape.h) under their key, and exactly,
 * in hexadecimal digits, under the key with "_hex" behind: where that stands, it is the value.
 */
#ifndef LSMD_RECORD_JSONL_H
#define LSMD_RECORD_JSONL_H

#include <jansson.h>

#include "agent/record/record.h"

/** record_json() - new reference; NULL when memory ran out */
json_t *record_json(const struct record *record);

/** json_bytes() - put bytes under @key, with @key "_hex" where needed. Return: 0, -ENOMEM */
int json_bytes(json_t *object, const char *key, const char *bytes, size_t len);

#endif
