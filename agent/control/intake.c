// SPDX-License-Identifier: LGPL-2.1-or-later
/* From files to an image. */
#include "agent/control/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "agent/control/rule-text.h"
#include "agent/policy/lint.h"
#include "agent/util/cleanup.h"

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void unmediated_say(struct diags *diags, struct place place, uint32_t access)
{
	_cleanup_buf_ struct buf verbs_text = {};

	verbs_add(&verbs_text, access);
	diag_add(diags, DIAG_ERROR, "not-mediated-here", place,
		 "allow it by default and name it in no rule, or use a kernel that mediates it ('lsmctl doctor')",
		 "this kernel does not mediate %s", verbs_text.bytes ? verbs_text.bytes : "a verb");
}

size_t unmediated_check(const struct policy_set *set, uint32_t unmediated, struct diags *diags)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n_policies; i++) {
		const struct policy *policy = &set->policies[i];

		if (policy->default_deny & unmediated) {
			unmediated_say(diags, policy->default_place, policy->default_deny & unmediated);
			n++;
		}
		for (size_t k = 0; k < policy->n_rules; k++) {
			if (!(policy->rules[k].access & unmediated))
				continue;
			unmediated_say(diags, policy->rules[k].place, policy->rules[k].access & unmediated);
			n++;
		}
	}
	return n;
}

static int set_compile(struct intake *intake, uint32_t unmediated, bool look)
{
	uint64_t start_ns = monotonic_ns();
	int r;

	if (unmediated_check(intake->set, unmediated, &intake->diags))
		return INTAKE_REFUSED;
	r = image_build(intake->set, &intake->diags, &intake->image, &intake->image_size);
	intake->compile_ns = monotonic_ns() - start_ns;
	if (r == IMAGE_REFUSED)
		return INTAKE_REFUSED;
	if (r)
		return r;
	/* The reader of images is the judge of their writer: what it would not read is not put in force. */
	if (image_verify(intake->image, intake->image_size))
		return -EBADMSG;
	return look ? image_lint(intake->set, intake->image, &intake->diags) : 0;
}

int intake_run(const struct policy_options *options, uint32_t unmediated, struct intake *ret)
{
	uint64_t start_ns = monotonic_ns();
	int r;

	*ret = (struct intake){};
	r = loaded_look(options, &ret->loaded);
	if (r)
		return r;
	r = policy_set_load(options, &ret->diags, &ret->set);
	ret->check_ns = monotonic_ns() - start_ns;
	if (!r)
		r = loaded_add(ret->loaded, ret->set);
	if (r)
		return r < 0 ? r : INTAKE_REFUSED;
	return set_compile(ret, unmediated, options->look);
}

void intake_clear(struct intake *intake)
{
	diags_clear(&intake->diags);
	if (intake->set)
		policy_set_free(intake->set);
	free(intake->image);
	loaded_free(intake->loaded);
	*intake = (struct intake){};
}

char *intake_text(const struct intake *intake, bool colour)
{
	static const struct policy_set none;
	char *text = NULL;
	size_t len;
	FILE *out;

	if (!intake->diags.n_diags)
		return NULL;
	out = open_memstream(&text, &len);
	if (!out)
		return NULL;
	diags_print(&intake->diags, intake->set ? intake->set : &none, out, colour);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
