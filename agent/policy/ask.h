/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Questions to a verified image, answered by lsm/core as the kernel side answers them: for explain, the tests and
 * the oracle's comparison.
 */
#ifndef LSMD_POLICY_ASK_H
#define LSMD_POLICY_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lsm/abi/access.h"
#include "lsm/abi/event.h"
#include "lsm/abi/verdict.h"

struct ask_bytes {
	const char *bytes;
	size_t len;
};

struct ask {
	/* Who: the names of the program as executed (script first), as a label would remember them. */
	struct ask_bytes programs[LSMD_LABEL_PROGRAMS_MAX];
	size_t n_programs;
	uint32_t known; /* LSMD_SELECT_*: what of the next three is known; what is not, selects nothing */
	uint32_t uid, gid; /* effective, kernel's */
	struct ask_bytes cgroup; /* absolute path in the v2 hierarchy; units are its components */
	/* Or the layers themselves, as a label lists them; NULL: whom the names select. */
	const uint32_t *layers;
	size_t n_layers;
	/* What: */
	uint32_t wanted;          /* access; with the device twins when the object is a device node */
	enum lsmd_object object;
	struct ask_bytes name;    /* PATH: absolute; ABSTRACT: without the leading NUL; NAME: as named.h writes it */
	struct ask_bytes other;   /* rename, link: the new name; len 0: none */
	bool directory;           /* rename: the object is a directory */
	bool replaces;            /* rename: the new name exists */
	bool exchange;            /* rename: the two change places */
	bool deny_only;           /* exec: an interpreter of a script, refused by deny rules only */
	struct lsmd_address address; /* ADDRESS: hi, lo, port, proto */
};

struct asked {
	size_t n_layers; /* that hold the program */
	uint32_t layers[LSMD_LAYERS_MAX];
	struct lsmd_answer answers[LSMD_LAYERS_MAX]; /* one a layer, same order, allows included */
	bool refused;    /* the call would get -EPERM */
	bool quick;      /* request_allowed() says that every layer allows: what a hook asks first */
};

enum {
	ASK_TOO_MANY_LAYERS = 1, /* the exec itself is refused */
};

/**
 * image_ask() - the answer to one access
 * @image: verified, borrowed
 * Return: 0, ASK_TOO_MANY_LAYERS, -EINVAL for a name that is not absolute.
 */
int image_ask(const struct lsmd_image_header *image, const struct ask *ask, struct asked *ret);

#endif
