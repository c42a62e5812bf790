/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a set changes in meaning against another, as JSON: image_diff() with names, places and the rules that decide. Told by `lsmctl diff`
 * and by every reload.
 *
 *	"same": nothing is answered differently; "incomplete": why not everything was compared, where that is so
 *	"policies_added", "policies_removed": names
 *	"processes": [{
 *		"program": name of one (json_bytes()), absent: those whose label cannot be read
 *		"started": true: what such a program starts
 *		"before", "after": names of the policies that hold them
 *		"changes": [{ "verb", "device", "what": "access", "undecided" or "exec", "object": text, "other": text, "exchange",
 *			"before", "after": { "answer": "allow", "audit", "deny" or "kill", "by": {policy, file, line, …} } }]
 *	}], at most CHANGES_PROCESSES_MAX; "n_processes": how many there are
 */
#ifndef LSMD_CONTROL_CHANGES_H
#define LSMD_CONTROL_CHANGES_H

#include <jansson.h>

#include "lsm/abi/image.h"

#define CHANGES_PROCESSES_MAX 100

/**
 * changes_json() - @before, @after: verified, borrowed; @before NULL: nothing was in force
 * @ret: new reference
 * Return: 0, -ENOMEM
 */
int changes_json(const struct lsmd_image_header *before, const struct lsmd_image_header *after, json_t **ret);

#endif
