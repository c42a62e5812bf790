// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which figures there are, and the rounds that take their samples. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/util/cleanup.h"
#include "tests/bench/bench.h"

#define FDS 4096
#define FDS_RECORDED 1024 /* as many records as the ring holds */
#define TRIES 20

#define PATTERNS 1000

static const unsigned int rule_counts[] = { 10, 1000, 100000 };
static const unsigned int layer_counts[] = { 1, 4 };

static struct image *image_plan(struct plan *plan, unsigned int n, unsigned int layers)
{
	struct image *image = &plan->images[plan->n_images++];

	*image = (struct image){ .rules = { .n = n, .layers = layers, .held = true }, .map = -1 };
	return image;
}

/* cell_plan() - a cell of the image that was planned last */
static struct cell *cell_plan(struct plan *plan, const char *what, unsigned int depth, enum program program,
			      enum scene_kind kind)
{
	struct cell *cell = &plan->cells[plan->n_cells++];

	*cell = (struct cell){
		.what = what,
		.image = plan->n_images - 1,
		.depth = depth,
		.program = program,
		.kind = kind,
		.n_fds = FDS,
	};
	return cell;
}

static void plan_literals(struct plan *plan, unsigned int n, unsigned int layers)
{
	struct cell *cell;

	image_plan(plan, n, layers);
	for (unsigned int i = 0; i < SCENE_N_DEPTHS; i++) {
		cell_plan(plan, "hit", scene_depths[i], PROGRAM_FILE_OPEN, SCENE_HIT);
		cell_plan(plan, "miss", scene_depths[i], PROGRAM_FILE_OPEN, SCENE_MISS);
		cell = cell_plan(plan, "deny", scene_depths[i], PROGRAM_FILE_OPEN, SCENE_DENY);
		cell->refused = true;
		cell->n_fds = FDS_RECORDED;
		if (scene_depths[i] != 5 && scene_depths[i] != 8)
			continue;
		cell = cell_plan(plan, "deny-quiet", scene_depths[i], PROGRAM_FILE_OPEN, SCENE_QUIET);
		cell->refused = true;
	}
}

static void plan_patterns(struct plan *plan, unsigned int n, unsigned int layers)
{
	image_plan(plan, n, layers)->rules.patterns = PATTERNS;
	for (unsigned int i = 0; i < SCENE_N_DEPTHS; i++)
		cell_plan(plan, "wild", scene_depths[i], PROGRAM_FILE_OPEN, SCENE_WILD);
}

static void plan_network(struct plan *plan, unsigned int n, unsigned int layers)
{
	image_plan(plan, n, layers)->rules.network = true;
	cell_plan(plan, "connect", 0, PROGRAM_CONNECT, SCENE_HIT);
}

/* plan_parts() - where the time of a hit goes */
static void plan_parts(struct plan *plan)
{
	for (unsigned int i = 0; i < SCENE_N_DEPTHS; i++) {
		cell_plan(plan, "part-label", scene_depths[i], PROGRAM_LABEL, SCENE_HIT);
		cell_plan(plan, "part-claim", scene_depths[i], PROGRAM_CLAIM, SCENE_HIT);
		cell_plan(plan, "part-enter", scene_depths[i], PROGRAM_ENTER, SCENE_HIT);
		cell_plan(plan, "part-walk", scene_depths[i], PROGRAM_WALK, SCENE_HIT);
		cell_plan(plan, "part-find", scene_depths[i], PROGRAM_FIND, SCENE_HIT);
	}
	cell_plan(plan, "use", 5, PROGRAM_USE, SCENE_HIT); /* a read of what is open */
}

static void plan_make(struct plan *plan)
{
	image_plan(plan, 1000, 1)->rules.held = false;
	cell_plan(plan, "unconfined", 5, PROGRAM_FILE_OPEN, SCENE_HIT);
	cell_plan(plan, "unconfined-connect", 0, PROGRAM_CONNECT, SCENE_HIT);
	for (unsigned int r = 0; r < 3; r++) {
		for (unsigned int l = 0; l < 2; l++) {
			plan_literals(plan, rule_counts[r], layer_counts[l]);
			if (rule_counts[r] == 1000 && layer_counts[l] == 1)
				plan_parts(plan);
			plan_patterns(plan, rule_counts[r], layer_counts[l]);
			plan_network(plan, rule_counts[r], layer_counts[l]);
		}
	}
}

static void plan_make_million(struct plan *plan)
{
	image_plan(plan, 1000000, 1);
	for (unsigned int i = 0; i < SCENE_N_DEPTHS; i++)
		cell_plan(plan, "hit", scene_depths[i], PROGRAM_FILE_OPEN, SCENE_HIT);
}

/* fds_fill() - the same open file or socket under so many descriptors, and no other there */
static int fds_fill(const struct plan *plan, const struct cell *cell)
{
	int flags = cell->kind == SCENE_MISS ? O_WRONLY | O_APPEND : O_RDONLY, fd;
	const struct scene *scene = &plan->scene;
	unsigned int i;

	if (cell->program == PROGRAM_CONNECT)
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	else {
		for (i = 0; scene_depths[i] != cell->depth;)
			i++;
		fd = open(scene->names[i][cell->kind], flags | O_CLOEXEC);
	}
	if (fd < 0)
		return -errno;
	for (i = 0; i < cell->n_fds; i++)
		if (dup3(fd, (int)(BENCH_FIRST_FD + i), O_CLOEXEC) < 0)
			return -errno;
	close(fd);
	close_range(BENCH_FIRST_FD + cell->n_fds, ~0u, 0);
	return 0;
}

/* cell_run() - Return: ns of all runs, or -1 when the answers are not those that are timed */
static double cell_run(struct side *side, const struct plan *plan, const struct cell *cell, enum program program)
{
	bool empty = program == PROGRAM_EMPTY || program == PROGRAM_EMPTY_SOCKET;
	uint64_t runs, refused, expected = cell->refused && !empty ? cell->n_fds : 0;
	int64_t ns = side_run(side, program, &runs, &refused);

	if (ns >= 0 && runs == cell->n_fds && refused == expected)
		return (double)ns;
	fprintf(stderr,
		"bench: %s, depth %u, %u rules, %u layers: %llu runs, %llu refused; expected %u and %llu (%s)\n",
		cell->what, cell->depth, plan->images[cell->image].rules.n, plan->images[cell->image].rules.layers,
		(unsigned long long)runs, (unsigned long long)refused, cell->n_fds, (unsigned long long)expected,
		ns < 0 ? strerror((int)-ns) : "no error");
	return -1;
}

/* cell_sample() - one run to warm up, then empty program and body side by side */
static int cell_sample(struct plan *plan, struct side *side, struct cell *cell)
{
	enum program empty = cell->program == PROGRAM_CONNECT ? PROGRAM_EMPTY_SOCKET : PROGRAM_EMPTY;
	double base, body;
	long before;
	int r = fds_fill(plan, cell);

	if (r)
		return r;
	if (cell_run(side, plan, cell, cell->program) < 0)
		return -EINVAL;
	for (int try = 0; try < TRIES; try++) {
		before = preemptions();
		base = cell_run(side, plan, cell, empty);
		body = cell_run(side, plan, cell, cell->program);
		if (base < 0 || body < 0)
			return -EINVAL;
		if (preemptions() == before)
			break;
		plan->repeated++;
	}
	series_add(&cell->ns, (body - base) / cell->n_fds);
	if (empty == PROGRAM_EMPTY)
		series_add(&plan->empty, base / cell->n_fds);
	return 0;
}

/* aim_set() - an address in the middle of the prefixes */
static void aim_set(struct side *side, const struct rules *rules)
{
	struct sockaddr_in aim = {
		.sin_family = AF_INET,
		.sin_port = htons(443),
		.sin_addr.s_addr = htonl(0x0a000000 + rules->n / rules->layers / 2 * 2),
	};

	side_address(side, &aim, sizeof(aim));
}

static int images_round(struct plan *plan, struct side *side, unsigned int first, unsigned int n)
{
	int r = 0;

	for (unsigned int i = first; i < first + n && !r; i++) {
		r = side_use(side, plan->images[i].map);
		aim_set(side, &plan->images[i].rules);
		for (unsigned int c = 0; c < plan->n_cells && !r; c++)
			if (plan->cells[c].image == i)
				r = cell_sample(plan, side, &plan->cells[c]);
	}
	return r;
}

static int plain_round(struct plan *plan, struct plain_process processes[PLAIN_N])
{
	series_add(&plan->getppid, plain_getppid());
	for (unsigned int depth = 0; depth < SCENE_N_DEPTHS; depth++) {
		for (enum plain plain = 0; plain < PLAIN_N; plain++) {
			double ns = plain_open(&processes[plain], depth);

			if (ns < 0) {
				fprintf(stderr, "bench: plain or Landlock process %u cannot open the file\n", plain);
				return -EIO;
			}
			series_add(&plan->plain[plain][depth], ns);
		}
	}
	return 0;
}

struct compiled {
	struct lsmd_image_header *image;
	size_t size;
};

static int images_compile(struct plan *plan, unsigned int first, unsigned int n, struct compiled *compiled,
			  size_t *largest)
{
	*largest = 0;
	for (unsigned int i = 0; i < n; i++) {
		struct image *image = &plan->images[first + i];
		int r = policies_compile(&plan->scene, &image->rules, &compiled[i].image, &compiled[i].size);

		if (r)
			return r;
		image->bytes = compiled[i].size;
		if (image->bytes > *largest)
			*largest = image->bytes;
	}
	return 0;
}

/* sizes_swap() - load and swap times of the images that are of a listed size */
static int sizes_swap(struct plan *plan, struct side *side, const struct rules *rules, const struct compiled *compiled)
{
	if (!rules->held || rules->patterns || rules->network || rules->layers != 1)
		return 0;
	for (unsigned int i = 0; i < PLAN_N_SIZES; i++)
		if (plan->sizes[i].n == rules->n)
			return side_swap(side, compiled->image, compiled->size, &plan->sizes[i].side);
	return 0;
}

static int images_add(struct plan *plan, struct side *side, unsigned int first, unsigned int n,
		      struct compiled *compiled)
{
	for (unsigned int i = 0; i < n; i++) {
		struct image *image = &plan->images[first + i];
		int r = sizes_swap(plan, side, &image->rules, &compiled[i]);

		if (r)
			return r;
		image->map = side_add(side, compiled[i].image, compiled[i].size);
		if (image->map < 0)
			return image->map;
		free(compiled[i].image);
		compiled[i].image = NULL;
	}
	return 0;
}

static int rounds_run(struct plan *plan, struct side *side, unsigned int first, unsigned int n,
		      struct plain_process *processes)
{
	int r = 0;

	for (unsigned int round = 0; round < plan->rounds && !r; round++) {
		if (processes)
			r = plain_round(plan, processes);
		if (!r)
			r = images_round(plan, side, first, n);
		fprintf(stderr, "\rbench: round %u of %u of %s", round + 1, plan->rounds, processes ? "10 to 100,000 rules" : "1,000,000 rules");
	}
	fprintf(stderr, "\n");
	return r;
}

/* phase_run() - programs loaded for the largest of some images, and their rounds */
static int phase_run(struct plan *plan, unsigned int first, struct plain_process *processes)
{
	struct compiled compiled[PLAN_IMAGES_MAX] = {};
	unsigned int n = plan->n_images - first;
	struct side *side = NULL;
	size_t largest;
	int r = images_compile(plan, first, n, compiled, &largest);

	if (!r)
		r = side_open(largest, &side);
	if (!r)
		r = images_add(plan, side, first, n, compiled);
	if (!r)
		r = rounds_run(plan, side, first, n, processes);
	side_close(side);
	close_range(BENCH_FIRST_FD, ~0u, 0);
	for (unsigned int i = 0; i < n; i++)
		free(compiled[i].image);
	return r;
}

static int descriptors_allow(void)
{
	struct rlimit limit = { BENCH_FIRST_FD + FDS + 64, BENCH_FIRST_FD + FDS + 64 };

	return setrlimit(RLIMIT_NOFILE, &limit) ? -errno : 0;
}

int plan_run(struct plan *plan)
{
	struct plain_process processes[PLAIN_N] = {};
	unsigned int first;
	int r = descriptors_allow() ?: scene_make(&plan->scene);

	if (!r)
		r = load_measure(&plan->load);
	if (!r)
		r = sizes_compile(plan->sizes);
	if (!r)
		r = peers_measure(plan->peers, &plan->peers_skipped);
	plan->processor = processor_pin();
	if (!r)
		r = plan->processor < 0 ? plan->processor : plain_start(&plan->scene, processes);
	plan_make(plan);
	if (!r)
		r = phase_run(plan, 0, processes);
	plain_stop(processes);
	first = plan->n_images;
	plan_make_million(plan);
	if (!r)
		r = phase_run(plan, first, NULL);
	scene_remove(&plan->scene);
	if (r)
		fprintf(stderr, "bench: stopped: %s\n", r < 0 ? strerror(-r) : "see above");
	return r;
}

const struct cell *plan_find(const struct plan *plan, const char *what, unsigned int rules, unsigned int layers,
			     unsigned int depth)
{
	for (unsigned int i = 0; i < plan->n_cells; i++) {
		const struct cell *cell = &plan->cells[i];
		const struct rules *of = &plan->images[cell->image].rules;

		if (!strcmp(cell->what, what) && of->n == rules && of->layers == layers && cell->depth == depth)
			return cell;
	}
	return NULL;
}
