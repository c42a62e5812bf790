// SPDX-License-Identifier: LGPL-2.1-or-later
/* Labels of live processes. */
#include "agent/control/holders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/util/cleanup.h"

/* One name of a label: pieces of at most 40 bytes; one that is not a continuation starts a component. */
static int name_read(const uint8_t **at, const uint8_t *end, struct buf *name)
{
	uint8_t n_pieces;

	if (*at == end)
		return -EBADMSG;
	n_pieces = *(*at)++;
	for (uint8_t i = 0; i < n_pieces; i++) {
		uint8_t len;

		if (*at == end)
			return -EBADMSG;
		if (!(**at & LSMD_PROGRAM_CONTINUED))
			buf_add_byte(name, '/');
		len = *(*at)++ & ~LSMD_PROGRAM_CONTINUED;
		if (end - *at < len)
			return -EBADMSG;
		buf_add(name, *at, len);
		*at += len;
	}
	if (!n_pieces)
		buf_add_byte(name, '/');
	return name->failed ? -ENOMEM : 0;
}

int label_names_read(const struct lsmd_label *label, struct label_names *ret)
{
	const struct lsmd_programs *programs = &label->programs;
	const uint8_t *at = programs->bytes, *end = at + programs->len;

	*ret = (struct label_names){};
	if (programs->n > LSMD_LABEL_PROGRAMS_MAX || programs->len > LSMD_LABEL_NAMES_MAX)
		return -EBADMSG;
	while (ret->n < programs->n) {
		int r = name_read(&at, end, &ret->names[ret->n++]);

		if (r)
			return r;
	}
	if (programs->unknown & LSMD_UNKNOWN_CGROUP)
		return 0;
	at = programs->bytes + LSMD_LABEL_NAMES_MAX;
	return name_read(&at, programs->bytes + LSMD_LABEL_BYTES_MAX, &ret->cgroup);
}

void label_names_clear(struct label_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		buf_free(&names->names[i]);
	names->n = 0;
	buf_free(&names->cgroup);
}

void label_ask(const struct lsmd_label *label, const struct label_names *names, struct ask *ask)
{
	for (ask->n_programs = 0; ask->n_programs < names->n; ask->n_programs++) {
		const struct buf *name = &names->names[ask->n_programs];

		ask->programs[ask->n_programs] = (struct ask_bytes){ .bytes = name->bytes, .len = name->len };
	}
	ask->known = LSMD_SELECT_IDS | (names->cgroup.len ? LSMD_SELECT_GROUPS : 0);
	ask->uid = label->uid;
	ask->gid = label->gid;
	ask->cgroup = (struct ask_bytes){ .bytes = names->cgroup.bytes, .len = names->cgroup.len };
}

static void holder_add(struct holders *holders, uint32_t layer, bool handed_down)
{
	for (size_t i = 0; i < holders->n; i++)
		if (holders->layers[i] == layer)
			return;
	if (holders->n == LSMD_LAYERS_MAX) {
		holders->overflow = true;
		return;
	}
	holders->handed_down[holders->n] = handed_down;
	holders->layers[holders->n++] = layer;
}

static int own_find(const struct lsmd_image_header *image, const struct lsmd_label *label, struct holders *ret)
{
	struct label_names names;
	struct ask ask = { .object = LSMD_OBJECT_NONE };
	struct asked asked = {};
	int r = label_names_read(label, &names);

	if (!r) {
		label_ask(label, &names, &ask);
		r = image_ask(image, &ask, &asked);
	}
	label_names_clear(&names);
	if (r == ASK_TOO_MANY_LAYERS)
		ret->overflow = true;
	for (size_t i = 0; i < asked.n_layers; i++)
		holder_add(ret, asked.layers[i], false);
	return r < 0 ? r : 0;
}

static const struct lsmd_layer_key *key_find(const struct lsmd_image_header *image, uint64_t key)
{
	const void *keys = (const char *)image + image->layer_keys.off;

	for (uint32_t i = 0; i < image->layer_keys.n; i++)
		if (((const struct lsmd_layer_key *)keys)[i].key == key)
			return (const struct lsmd_layer_key *)keys + i;
	return NULL;
}

static bool key_is_inherited(const struct lsmd_label *label, uint64_t key)
{
	for (size_t i = 0; i < label->n_inherited && i < LSMD_LAYERS_MAX; i++)
		if (label->inherited[i] == key)
			return true;
	return false;
}

/* The layers as the kernel side computed them for this very image. */
static void holders_copy(const struct lsmd_image_header *image, const struct lsmd_label *label, struct holders *ret)
{
	const struct lsmd_layer *layers = (const void *)((const char *)image + image->layers.off);

	for (size_t i = 0; i < label->n_layers && i < LSMD_LAYERS_MAX; i++)
		if (label->layers[i] < image->layers.n)
			holder_add(ret, label->layers[i], key_is_inherited(label, layers[label->layers[i]].key));
}

int holders_find(const struct lsmd_image_header *image, const struct kernel_task *task, struct holders *ret)
{
	const struct lsmd_label *label = &task->label;
	int r;

	*ret = (struct holders){
		.unknown = !task->labelled || label->programs.unknown & LSMD_UNKNOWN_PROGRAM ||
			   (label->programs.unknown & LSMD_UNKNOWN_CGROUP && image->selects & LSMD_SELECT_GROUPS),
		.overflow = task->labelled && label->flags & LSMD_LABEL_OVERFLOW,
	};
	if (!task->labelled)
		return 0;
	if (label->generation == image->generation) {
		holders_copy(image, label, ret);
		return 0;
	}
	r = own_find(image, label, ret);
	for (size_t i = 0; !r && i < label->n_inherited && i < LSMD_LAYERS_MAX; i++) {
		const struct lsmd_layer_key *found = key_find(image, label->inherited[i]);

		if (found)
			holder_add(ret, found->layer, true);
	}
	return r;
}

struct counting {
	const struct lsmd_image_header *image;
	struct holder_counts *counts;
	int r;
};

static int task_count(void *data, const struct kernel_task *task)
{
	struct counting *counting = data;
	struct holder_counts *counts = counting->counts;
	struct holders holders;

	counting->r = holders_find(counting->image, task, &holders);
	if (counting->r)
		return 1;
	counts->processes++;
	counts->held += holders.n > 0;
	counts->unknown += holders.unknown;
	for (size_t i = 0; i < holders.n; i++)
		if (holders.layers[i] < counts->n_layers)
			counts->layers[holders.layers[i]]++;
	return 0;
}

int holders_count(struct kernel *kernel, const struct lsmd_image_header *image, struct holder_counts *ret)
{
	struct counting counting = { .image = image, .counts = ret };
	int r;

	*ret = (struct holder_counts){ .n_layers = image->layers.n };
	ret->layers = calloc(ret->n_layers + 1, sizeof(*ret->layers));
	if (!ret->layers)
		return -ENOMEM;
	r = kernel_tasks(kernel, task_count, &counting);
	return r < 0 ? r : counting.r;
}

struct finding {
	uint32_t pid;
	struct kernel_task *task;
	bool found;
};

static int task_find(void *data, const struct kernel_task *task)
{
	struct finding *finding = data;

	if (task->pid != finding->pid)
		return 0;
	*finding->task = *task;
	finding->found = true;
	return 1;
}

int holders_of(struct kernel *kernel, const struct lsmd_image_header *image, uint32_t pid, struct kernel_task *ret_task,
	       struct holders *ret)
{
	struct finding finding = { .pid = pid, .task = ret_task };
	int r = kernel_tasks(kernel, task_find, &finding);

	if (r < 0)
		return r;
	if (!finding.found)
		return HOLDERS_NO_TASK;
	return holders_find(image, ret_task, ret);
}
