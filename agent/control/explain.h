/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One question to an image and its answer, both as JSON, so that lsmctl and the agent answer alike.
 *
 * Question: who - "programs": [names], as executed, the script first, with "uid", "gid", "cgroup" or "unit" where they are
 * known; or "pid"; what - one of
 *   "open": name with "access": [verbs] and "device": true for a device node; "exec": name;
 *   "connect": "PROTO:ADDRESS:PORT", "unix:/path" or "unix:@name".
 * With "exec" also "interpreters": [{"name"}], what the kernel would load for a script, in order.
 * Names are as json_bytes() writes them. Answer: "refused", "held", "set": hash of the policies, "layers": [one a policy: "policy",
 * "mode", "verdict", "verb", "reason", "reason_text", "file", "line", "rule": its number in the policy, 0 the default,
 * "default", "rule_id", "note", "runner_up": the same without that rule], "deciding": index into layers, or -1; "interpreters":
 * an answer each, with its name.
 */
#ifndef LSMD_CONTROL_EXPLAIN_H
#define LSMD_CONTROL_EXPLAIN_H

#include <jansson.h>

#include "agent/control/holders.h"
#include "agent/policy/ask.h"
#include "agent/policy/policy.h"
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

/**
 * explain_runners_up() - add to each layer of an answer what its policy would say without the rule that decided
 * @set: the policies that were asked, or of the same hash
 * Return: 0, -errno, EXPLAIN_REFUSED
 */
int explain_runners_up(const struct policy_set *set, const json_t *question, json_t *answer);

/** explain_label() - who holds a process: "pid", "programs", "policies", "unknown", "overflow". Return: as explain_answer() */
int explain_label(const struct lsmd_image_header *image, struct kernel *kernel, uint32_t pid, struct explain_why *why,
		  json_t **ret);

/** explain_layer() - one layer's answer, as in "layers" above; new reference, NULL when memory ran out */
json_t *explain_layer(const struct legend *legend, const struct lsmd_answer *answer);

/** asked_deciding() - index of the layer to see first: one that refuses, else would in audit mode, else the first; -1: none */
int asked_deciding(const struct asked *asked);

/** explain_address() - "tcp:10.0.0.1:5432", "udp:[fd00::1]:53": one address, no pattern, to be used by @access. Return: 0, EXPLAIN_REFUSED */
int explain_address(const char *text, uint32_t access, struct lsmd_address *ret, struct explain_why *why);

/** explain_bytes() - what json_bytes() put: from @key, or @key "_hex". Return: 0, -ENOENT, -EINVAL, -ENOMEM */
int explain_bytes(const json_t *object, const char *key, struct buf *ret);

#endif
