/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From files to an image, with everything that is wanted to know about it afterwards. Changes nothing. */
#ifndef LSMD_CONTROL_INTAKE_H
#define LSMD_CONTROL_INTAKE_H

#include <stdint.h>

#include "agent/control/loaded.h"
#include "agent/policy/image.h"
#include "agent/policy/set.h"

/* What reading the policies gave. intake_clear(). */
struct intake {
	struct diags diags;
	struct policy_set *set; /* NULL when not even the files could be read */
	struct lsmd_image_header *image; /* NULL: refused */
	size_t image_size;
	struct loaded *loaded;
	uint64_t check_ns; /* reading, parsing, expanding, checking */
	uint64_t compile_ns;
};

enum {
	INTAKE_REFUSED = 1, /* why is in the diags */
};

/**
 * intake_run() - read, check and compile the policies
 * @unmediated: verbs that this kernel does not mediate: policies that need them are refused
 * @ret: written in any case
 * Return: 0, INTAKE_REFUSED, -errno
 */
int intake_run(const struct policy_options *options, uint32_t unmediated, struct intake *ret);
void intake_clear(struct intake *intake);

/** intake_text() - all that is wrong, as lsmctl prints it; owned by the caller; NULL: nothing, or no memory */
char *intake_text(const struct intake *intake, bool colour);

/** unmediated_check() - add an error for each policy that needs a verb of @unmediated. Return: how many */
size_t unmediated_check(const struct policy_set *set, uint32_t unmediated, struct diags *diags);

#endif
