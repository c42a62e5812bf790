// SPDX-License-Identifier: LGPL-2.1-or-later
/* JSON objects behind their lengths. */
#include "agent/control/message.h"

#include <errno.h>
#include <string.h>

int message_add(struct buf *out, const json_t *json, size_t max)
{
	size_t before = out->len;
	uint32_t len;
	char *text = json_dumps(json, JSON_COMPACT);

	if (!text)
		return -ENOMEM;
	if (strlen(text) > max) {
		free(text);
		return MESSAGE_TOO_LARGE;
	}
	len = strlen(text);
	buf_add(out, &len, sizeof(len));
	buf_add(out, text, len);
	free(text);
	if (out->failed) {
		out->len = before;
		return -ENOMEM;
	}
	return 0;
}

/* jansson recurses: what nests deeper than any request of ours is refused before it is parsed. */
static int depth_check(const char *text, size_t len)
{
	int depth = 0, deepest = 0, quoted = 0;

	for (size_t i = 0; i < len; i++) {
		if (quoted && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted && (text[i] == '{' || text[i] == '['))
			depth++;
		else if (!quoted && (text[i] == '}' || text[i] == ']'))
			depth--;
		if (depth > deepest)
			deepest = depth;
	}
	return deepest > MESSAGE_DEPTH_MAX ? MESSAGE_MALFORMED : 0;
}

int message_take(const char *bytes, size_t len, size_t max, json_t **ret, size_t *ret_used)
{
	json_error_t error;
	uint32_t n;
	json_t *json;

	if (len < MESSAGE_HEAD)
		return MESSAGE_PARTIAL;
	memcpy(&n, bytes, sizeof(n));
	if (n > max)
		return MESSAGE_TOO_LARGE;
	if (len - MESSAGE_HEAD < n)
		return MESSAGE_PARTIAL;
	if (depth_check(bytes + MESSAGE_HEAD, n))
		return MESSAGE_MALFORMED;
	json = json_loadb(bytes + MESSAGE_HEAD, n, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : MESSAGE_MALFORMED;
	if (!json_is_object(json)) {
		json_decref(json);
		return MESSAGE_MALFORMED;
	}
	*ret = json;
	*ret_used = MESSAGE_HEAD + n;
	return 0;
}
