/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a decision costs: `make bench`. A *cell* is one figure of the table; it is sampled once a round, and rounds go over all cells,
 * so that whatever else the machine does meets all of them alike. Figures are medians with quartiles.
 */
#ifndef LSMD_BENCH_H
#define LSMD_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lsm/abi/image.h"

/* The first descriptor that is timed; what the process itself has open lies below. */
#define BENCH_FIRST_FD 1024
#define BENCH_ROUNDS_MAX 101

/* series.c: the samples of one figure */
struct series {
	double samples[BENCH_ROUNDS_MAX];
	size_t n;
};

void series_add(struct series *series, double sample);
/* series_quantile() - 0.5 is the median; 0 when there is no sample */
double series_quantile(const struct series *series, double quantile);

uint64_t time_ns(void);
/* processor_pin() - this process stays on one processor, the last it may use. Return: which, -errno. */
int processor_pin(void);
/* preemptions() - how often another process took the processor from this one; a sample that saw one is taken again */
long preemptions(void);

/* scene.c: files to open, at several depths, all in one folder of their own */
enum scene_kind {
	SCENE_HIT, /* a literal rule allows it */
	SCENE_MISS, /* its folder is in rules, it is not */
	SCENE_DENY, /* a literal rule denies it */
	SCENE_QUIET, /* the same, and the rule wants no record */
	SCENE_WILD, /* a pattern allows it */
	SCENE_N_KINDS,
};

#define SCENE_N_DEPTHS 4
extern const unsigned int scene_depths[SCENE_N_DEPTHS];

struct scene {
	char dir[64];
	char *names[SCENE_N_DEPTHS][SCENE_N_KINDS];
	unsigned int mounts; /* crossed on the way to the root */
};

int scene_make(struct scene *scene);
void scene_remove(struct scene *scene);

/* policies.c: sets of policies, written as JSON and compiled */
struct rules {
	unsigned int n; /* literal rules, or prefixes, of all layers together */
	unsigned int layers;
	unsigned int patterns; /* with wildcards, in each layer */
	bool network;
	bool held; /* the policies hold this process */
};

/* policies_compile() - Return: 0, or what went wrong is on stderr. *image: free() */
int policies_compile(const struct scene *scene, const struct rules *rules, struct lsmd_image_header **image,
		     size_t *size);

/* side.c: the programs in the kernel and their maps */
enum program {
	PROGRAM_EMPTY,
	PROGRAM_FILE_OPEN,
	PROGRAM_LABEL, /* parts of it, each with those before */
	PROGRAM_CLAIM,
	PROGRAM_ENTER,
	PROGRAM_WALK,
	PROGRAM_FIND,
	PROGRAM_EMPTY_SOCKET,
	PROGRAM_CONNECT,
	PROGRAM_USE,
	PROGRAM_N,
};

struct side;

struct side_times {
	double load_ms; /* image into the idle slot, verified as the kernel reads it */
	double swap_us; /* the flip */
	double grace_ms; /* until the old image could be freed */
};

/* side_open() - load for images of up to @image_bytes, label this process. Return: 0, or the reason is on stderr. */
int side_open(size_t image_bytes, struct side **ret);
void side_close(struct side *side);
/* side_add() - a map with this image. Return: its number, -errno. */
int side_add(struct side *side, const struct lsmd_image_header *image, size_t size);
/* side_use() - that image is in force from now on */
int side_use(struct side *side, int image);
/* side_swap() - put an image in force the agent's way, once */
int side_swap(struct side *side, const struct lsmd_image_header *image, size_t size, struct side_times *times);
/* side_address() - where bench_connect connects to: @family, address and port as in a struct sockaddr */
void side_address(struct side *side, const void *address, uint32_t len);
/* side_run() - a program over all descriptors. Return: ns; < 0: -errno. @refused: how many of @runs were. */
int64_t side_run(struct side *side, enum program program, uint64_t *runs, uint64_t *refused);

/* load.c: what the verifier takes for all bodies */
struct load_times {
	unsigned int n;
	double all_ms; /* everything, as the agent loads it */
	unsigned int insns; /* processed, all programs */
	unsigned int insns_max;
	char largest[64];
};
int load_measure(struct load_times *times);

/* plain.c: system calls as they are, and under Landlock, each in a process of its own */
enum plain {
	PLAIN_NONE,
	PLAIN_LANDLOCK_10_FILE, /* the file's own rule allows it: the cheapest there is */
	PLAIN_LANDLOCK_10_TOP, /* a rule of the top folder allows it */
	PLAIN_LANDLOCK_100_FILE,
	PLAIN_LANDLOCK_100_TOP,
	PLAIN_N,
};

struct plain_process {
	int request;
	int answer;
	int pid;
};

int plain_start(const struct scene *scene, struct plain_process processes[PLAIN_N]);
void plain_stop(struct plain_process processes[PLAIN_N]);
/* plain_open() - ns of one open() and close() of the file at this depth, by that process; < 0: failed */
double plain_open(const struct plain_process *process, unsigned int depth);
/* plain_getppid() - ns of one getppid() */
double plain_getppid(void);

/* From JSON to the kernel, for so many literal rules. */
struct size_times {
	unsigned int n;
	double check_ms;
	double build_ms;
	double verify_ms;
	size_t bytes;
	double peak_kib; /* resident, of the process that checks and builds */
	struct side_times side;
};

#define PLAN_N_SIZES 3

/* compile-sizes.c: what `sizes` cost before the kernel sees them, each in a process of its own */

int sizes_compile(struct size_times sizes[PLAN_N_SIZES]);

/* peers.c: the same path rules through our compiler [1] and AppArmor's parser [0] */
#define PEERS_N 2

struct peer_times {
	unsigned int n; /* rules */
	double cpu_ms[2], peak_kib[2];
};

/** peers_measure() - @skipped: why it could not be tried, NULL: it was. Return: 0, -errno */
int peers_measure(struct peer_times peers[PEERS_N], const char **skipped);

/* plan.c: all cells, and their rounds */
struct image {
	struct rules rules;
	size_t bytes;
	int map;
};

struct cell {
	const char *what;
	unsigned int image; /* index */
	unsigned int depth; /* of names; 0: none */
	enum program program;
	enum scene_kind kind;
	unsigned int n_fds;
	bool refused; /* every run must be, or none */
	struct series ns;
};

#define PLAN_IMAGES_MAX 24
#define PLAN_CELLS_MAX 256

struct plan {
	struct scene scene;
	struct image images[PLAN_IMAGES_MAX];
	unsigned int n_images;
	struct cell cells[PLAN_CELLS_MAX];
	unsigned int n_cells;
	struct series plain[PLAIN_N][SCENE_N_DEPTHS];
	struct series getppid;
	struct series empty;
	struct size_times sizes[PLAN_N_SIZES];
	struct peer_times peers[PEERS_N];
	const char *peers_skipped; /* why there are none; NULL: there are */
	struct load_times load;
	unsigned int rounds;
	unsigned long repeated; /* samples taken again because the processor was taken away */
	int processor;
};

/* plan_run() - make everything, take all samples. Return: 0, or the reason is on stderr. */
int plan_run(struct plan *plan);
/* plan_find() - the cell, or NULL */
const struct cell *plan_find(const struct plan *plan, const char *what, unsigned int rules, unsigned int layers,
			     unsigned int depth);

/* report.c */
int report_write(const struct plan *plan, FILE *table, const char *json, const char *markdown);

#endif
