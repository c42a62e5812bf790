/* SPDX-License-Identifier: (GPL-2.0-only OR LGPL-2.1-or-later) */
/* What passes between engine-bpf.c and its program: one question and its answers, in one map value. */
#ifndef LSMD_TESTS_ENGINE_BPF_WORK_H
#define LSMD_TESTS_ENGINE_BPF_WORK_H

#include "lsm/core/decide.h"
#include "lsm/core/subject.h"

/* Size class of the engine's one image: random sets of many rules take megabytes. */
#define ENGINE_IMAGE_BYTES (LSMD_IMAGE_BYTES_MIN * 16)

struct engine_work {
	/* In: */
	lsmd_u32 n_programs;
	lsmd_u32 zero;
	struct lsmd_request req; /* layers are filled in by the program */
	struct lsmd_name programs[LSMD_LABEL_PROGRAMS_MAX];
	struct lsmd_who who;
	struct lsmd_name name;
	struct lsmd_name other;
	/* Between: */
	struct lsmd_held held;
	struct lsmd_found found[2];
	struct lsmd_said said[2];
	/* Out: */
	lsmd_u32 done; /* 1: answered; 2: too many layers */
	lsmd_u32 n_answers;
	lsmd_u32 quick; /* request_allowed() */
	lsmd_u32 zero2;
	struct lsmd_answer answers[LSMD_LAYERS_MAX]; /* one a layer that is not off */
};

#endif
