/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Labels of live processes, read as the programs in the kernel read them. */
#ifndef LSMD_CONTROL_HOLDERS_H
#define LSMD_CONTROL_HOLDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/kernel/kernel.h"
#include "agent/policy/ask.h"
#include "agent/util/buf.h"
#include "lsm/abi/image.h"

/* The policies that hold a task. */
struct holders {
	uint32_t layers[LSMD_LAYERS_MAX];
	bool handed_down[LSMD_LAYERS_MAX]; /* not by the task's own names, but by its parents */
	size_t n;
	bool overflow; /* more than a task can carry */
	bool unknown; /* no readable label, or its programs' names are not known */
};

/* The names that a label remembers: of programs, absolute, and of the cgroup. */
struct label_names {
	struct buf names[LSMD_LABEL_PROGRAMS_MAX];
	size_t n;
	struct buf cgroup; /* empty: not known */
};

/** label_names_read() - Return: 0, -EBADMSG (the bytes are not as laid out), -ENOMEM; label_names_clear() in any case */
int label_names_read(const struct lsmd_label *label, struct label_names *ret);
void label_names_clear(struct label_names *names);

/** label_ask() - who @ask asks for: the process of a label. @names: of the label, borrowed as long as @ask is used */
void label_ask(const struct lsmd_label *label, const struct label_names *names, struct ask *ask);

/**
 * holders_find() - the layers of @image that hold a task
 * A label of an earlier generation is computed anew by its task at the next hook: here the same is done for the answer only.
 * Return: 0, -EBADMSG, -ENOMEM
 */
int holders_find(const struct lsmd_image_header *image, const struct kernel_task *task, struct holders *ret);

struct holder_counts {
	uint64_t *layers; /* processes under each layer, one a layer of the image; owned, free() */
	size_t n_layers;
	uint64_t processes;
	uint64_t held; /* by any */
	uint64_t unknown;
};

/** holders_count() - over all processes. Return: 0, -errno */
int holders_count(struct kernel *kernel, const struct lsmd_image_header *image, struct holder_counts *ret);

enum {
	HOLDERS_NO_TASK = 1,
};

/** holders_of() - the label of one process, and who holds it. Return: 0, HOLDERS_NO_TASK, -errno */
int holders_of(struct kernel *kernel, const struct lsmd_image_header *image, uint32_t pid, struct kernel_task *ret_task,
	       struct holders *ret);

#endif
