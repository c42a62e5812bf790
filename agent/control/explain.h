/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One question to an image and its answer, both as JSON, so that lsmctl and the agent answer alike.
 *
 * Question: who - "programs": [names], as executed, the script first, or "pid"; what - one of
 *   "open": name with "access": [verbs] and "device": true for a device node; "exec": name;
 *   "connect": "PROTO:ADDRESS:PORT", "unix:/path" or "unix:@name".
 * Names are as json_bytes() writes them. Answer: "refused", "held", "layers": [one a policy: "policy", "mode", "verdict",
 * "verb", "reason", "reason_text", "file", "line", "default", "rule_id", "note"], "deciding": index into layers, or -1.
 */
#ifndef LSMD_CONTROL_EXPLAIN_H
#define LSMD_CONTROL_EXPLAIN_H

#include <jansson.h>

#include "agent/control/holders.h"
#include "agent/policy/ask.h"
#include "agent/record/legend.h"

enum {
	EXPLAIN_REFUSED = 1, /* the question has no answer: why is in @why */
};

struct explain_why {
	char text[256];
};

/**
 * explain_answer() - the answer of @image
 * @kernel: for a question by pid; NULL: none, such a question is refused
 * @ret: new reference
 * Return: 0, EXPLAIN_REFUSED, -errno
 */
int explain_answer(const struct lsmd_image_header *image, struct kernel *kernel, const json_t *question,
		   struct explain_why *why, json_t **ret);

/** explain_label() - who holds a process: "pid", "programs", "policies", "unknown", "overflow". Return: as explain_answer() */
int explain_label(const struct lsmd_image_header *image, struct kernel *kernel, uint32_t pid, struct explain_why *why,
		  json_t **ret);

/** explain_layer() - one layer's answer, as in "layers" above; new reference, NULL when memory ran out */
json_t *explain_layer(const struct legend *legend, const struct lsmd_answer *answer);

/** asked_deciding() - index of the layer to see first: one that refuses, else would in audit mode, else the first; -1: none */
int asked_deciding(const struct asked *asked);

/** explain_bytes() - what json_bytes() put: from @key, or @key "_hex". Return: 0, -ENOENT, -EINVAL, -ENOMEM */
int explain_bytes(const json_t *object, const char *key, struct buf *ret);

#endif
