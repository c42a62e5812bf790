/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The compiler's image of a set, and answers from it in the oracle's numbers: for the engines built on lsm/core. */
#ifndef LSMD_TESTS_ENGINE_ENGINE_CORE_H
#define LSMD_TESTS_ENGINE_ENGINE_CORE_H

#include "tests/engine/engine.h"

struct core_image {
	const struct policy_set *set;
	struct lsmd_image_header *image;
	size_t size;        /* bytes */
	uint32_t *policies; /* index into the set, by layer */
};

/** core_image_make() - compile and verify; 0, -EFBIG: the compiler refuses, or another error, all told on stderr */
int core_image_make(const struct policy_set *set, struct core_image *ret);
void core_image_clear(struct core_image *core);

/**
 * core_image_translate() - layers and rules of the image to those of the oracle; ~0 where there is no such
 * Return: 0; -EBADMSG when request_allowed() allows what a layer refuses.
 */
int core_image_translate(const struct core_image *core, struct asked *asked);

#endif
