// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The core as a BPF program as an engine: bpf/engine.bpf.c loaded once, each set's image copied into its map, each
 * question put into another and run. Nothing is attached.
 */
#include "tests/engine/engine-core.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "agent/util/cleanup.h"
#include "tests/engine/bpf/engine.skel.h"
#include "tests/engine/bpf/work.h"

#define IMAGE_GENERATION 7 /* any but 0 */

/* Of lsm/core this file uses the types only; its functions still want to know how an image is opened. */
LSMD_INLINE int view_open(struct lsmd_view *view, lsmd_image_id image)
{
	abort();
}

struct bpf_program_loaded {
	struct engine_bpf *skel;
	struct lsmd_image_header *image; /* the map's value; ENGINE_IMAGE_BYTES bytes */
	struct engine_work *work;        /* the same */
};

/* One for the whole run: loading takes longer than a thousand questions. */
static struct bpf_program_loaded program;

static void *map_memory(const struct bpf_map *map)
{
	long page = sysconf(_SC_PAGESIZE);
	size_t size = (bpf_map__value_size(map) + page - 1) & ~(page - 1);
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int program_load(void)
{
	if (program.skel)
		return 0;
	program.skel = engine_bpf__open_and_load();
	if (!program.skel)
		return -errno;
	program.image = map_memory(program.skel->maps.engine_image);
	program.work = map_memory(program.skel->maps.engine_work);
	return program.image && program.work ? 0 : -errno;
}

static int bpf_load(const struct policy_set *set, void **ret_state)
{
	_cleanup_free_ struct core_image *core = calloc(1, sizeof(*core));
	int r;

	if (!core)
		return -ENOMEM;
	r = program_load();
	if (r)
		return r;
	r = core_image_make(set, core);
	if (r)
		return r;
	if (core->size > ENGINE_IMAGE_BYTES) {
		core_image_clear(core);
		return -EFBIG;
	}
	memcpy(program.image, core->image, core->size);
	program.image->generation = IMAGE_GENERATION;
	*ret_state = TAKE_PTR(core);
	return 0;
}

static void bpf_unload(void *state)
{
	core_image_clear(state);
	free(state);
}

/* One component, as pieces behind those that are there; false: no room. */
static bool pieces_add(struct lsmd_piece *pieces, size_t *n, const char *bytes, size_t len)
{
	for (size_t at = 0; at < len; at += LSMD_PIECE_LEN) {
		size_t part = len - at < LSMD_PIECE_LEN ? len - at : LSMD_PIECE_LEN;

		if (*n == LSMD_PIECES_MAX)
			return false;
		memset(&pieces[*n], 0, sizeof(pieces[*n]));
		memcpy(pieces[*n].w, bytes + at, part);
		pieces[(*n)++].meta = part | (at ? LSMD_PIECE_CONTINUED : 0);
	}
	return true;
}

/* A name as a walk leaves it: pieces in order, the last one at the very end. */
static void name_fill(struct lsmd_name *name, enum lsmd_tree tree, struct ask_bytes bytes)
{
	struct lsmd_piece pieces[LSMD_PIECES_MAX];
	size_t n = 0;
	bool whole = true;

	if (tree == LSMD_TREE_ABSTRACT)
		whole = pieces_add(pieces, &n, bytes.bytes, bytes.len);
	for (size_t at = 0; tree != LSMD_TREE_ABSTRACT && at < bytes.len && whole;) {
		size_t len = 0;

		while (at + len < bytes.len && bytes.bytes[at + len] != '/')
			len++;
		whole = pieces_add(pieces, &n, bytes.bytes + at, len);
		at += len + 1;
	}
	memset(name, 0, sizeof(*name));
	name->tree = tree;
	name->first = LSMD_PIECES_MAX - n;
	name->reason = whole ? LSMD_REASON_NONE : LSMD_REASON_PATH_TOO_DEEP;
	memcpy(&name->pieces[name->first], pieces, n * sizeof(pieces[0]));
}

static void work_fill(struct engine_work *work, const struct ask *ask)
{
	static const enum lsmd_tree trees[LSMD_N_OBJECTS] = {
		[LSMD_OBJECT_PATH] = LSMD_TREE_OBJECT,
		[LSMD_OBJECT_ABSTRACT] = LSMD_TREE_ABSTRACT,
		[LSMD_OBJECT_NAME] = LSMD_TREE_NAME,
	};
	enum lsmd_tree tree = trees[ask->object];

	work->n_programs = ask->n_programs;
	work->req = (struct lsmd_request){
		.image = IMAGE_GENERATION,
		.wanted = ask->wanted,
		.object = ask->object,
		.directory = ask->directory,
		.two = ask->other.len > 0,
		.replaces = ask->replaces,
		.exchange = ask->exchange,
		.deny_only = ask->deny_only,
		.address = ask->address,
	};
	for (size_t i = 0; i < ask->n_programs; i++)
		name_fill(&work->programs[i], LSMD_TREE_SUBJECT, ask->programs[i]);
	work->who.known = ask->known;
	work->who.uid = ask->uid;
	work->who.gid = ask->gid;
	name_fill(&work->who.cgroup, LSMD_TREE_SUBJECT, ask->cgroup);
	name_fill(&work->name, tree, ask->name);
	name_fill(&work->other, tree, ask->other);
	if (ask->object == LSMD_OBJECT_NONE && ask->wanted & LSMD_ACCESS_CODE)
		work->name.reason = LSMD_REASON_PATH_ANONYMOUS;
	memset(work->answers, 0, sizeof(work->answers));
}

static int work_run(void)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);

	if (bpf_prog_test_run_opts(bpf_program__fd(program.skel->progs.engine_ask), &options))
		return -errno;
	return options.retval ? -EIO : 0;
}

static void work_answers(const struct engine_work *work, struct asked *asked)
{
	asked->n_layers = work->n_answers;
	asked->quick = work->quick;
	for (size_t i = 0; i < asked->n_layers; i++) {
		asked->answers[i] = work->answers[i];
		if (work->answers[i].verdict == LSMD_VERDICT_DENY && work->answers[i].mode == LSMD_MODE_ENFORCE)
			asked->refused = true;
	}
}

static int bpf_ask(void *state, const struct ask *ask, struct asked *ret)
{
	struct asked asked = { 0 };
	int r;

	work_fill(program.work, ask);
	r = work_run();
	if (r)
		return r;
	if (program.work->done == 2)
		return ASK_TOO_MANY_LAYERS;
	if (program.work->done != 1 || program.work->n_answers > LSMD_LAYERS_MAX)
		return -EIO;
	work_answers(program.work, &asked);
	r = core_image_translate(state, &asked);
	if (r)
		return r;
	*ret = asked;
	return 0;
}

const struct engine engine_bpf = {
	.name = "core as a BPF program",
	.load = bpf_load,
	.ask = bpf_ask,
	.unload = bpf_unload,
};
