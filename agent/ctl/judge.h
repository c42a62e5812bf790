/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What recorded accesses would meet under other policies: for replay, and for learn to judge what it wrote. */
#ifndef LSMD_CTL_JUDGE_H
#define LSMD_CTL_JUDGE_H

#include "agent/ctl/ctl.h"
#include "agent/policy/set.h"

struct lsmd_image_header;

/** judge_load() - policies compiled; what is wrong with them goes to standard error. Return: 0; an exit status after saying why */
int judge_load(const struct policy_options *options, bool colour, struct lsmd_image_header **ret);

/** judge_anonymous() - is it code without a name that a record tells of? */
bool judge_anonymous(const json_t *event);

enum judgement {
	JUDGE_ALLOWED,
	JUDGE_REFUSED,
	JUDGE_UNKNOWN, /* the record does not say enough: no program, or an object whose name is not whole or not to be had */
};

/**
 * judge_event() - one recorded access put to an image
 * @program: asked for instead of the recorded one; NULL: that
 * @ret_layer: the layer that decides, as explain_layer() gives it; a new reference, or NULL; may be NULL
 */
enum judgement judge_event(const struct lsmd_image_header *image, const json_t *event, const char *program, json_t **ret_layer);

/**
 * judge_widens() - of a recorded rename or link: the verbs that an image gives at the new name and not at the old (MEANING.md 15)
 * Return: them; 0 also for a record of something else, and for one that does not say enough
 */
uint32_t judge_widens(const struct lsmd_image_header *image, const json_t *event, const char *program);

#endif
