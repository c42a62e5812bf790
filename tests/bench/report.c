// SPDX-License-Identifier: LGPL-2.1-or-later
/* What was measured, beside what was aimed at: for people (terminal and page are the same text) and as JSON. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "agent/util/cleanup.h"
#include "tests/bench/bench.h"
#include "tests/bench/table.h"

/* What attaching adds to a body and cannot be measured here: 35 to 50 ns were estimated; the dearer one counts. */
#define TRAMPOLINE_NS 50

static double cell_ns(const struct plan *plan, const char *what, unsigned int rules, unsigned int layers,
		      unsigned int depth)
{
	const struct cell *cell = plan_find(plan, what, rules, layers, depth);

	return cell ? series_quantile(&cell->ns, 0.5) : 0;
}

static double plain_ns(const struct plan *plan, enum plain plain, unsigned int depth)
{
	return series_quantile(&plan->plain[plain][depth], 0.5);
}

static const char *met(bool yes)
{
	return yes ? "yes" : "no";
}

static const char *cpu_name(char *line, size_t size)
{
	_cleanup_fclose_ FILE *in = fopen("/proc/cpuinfo", "re");
	char *name = NULL;

	while (in && !name && fgets(line, (int)size, in))
		if (!strncmp(line, "model name", 10))
			name = strchr(line, ':');
	if (!name)
		return "unknown processor";
	name[strcspn(name, "\n")] = '\0';
	return name + 2;
}

static void machine_print(const struct plan *plan, FILE *out)
{
	const char *clang = getenv("CLANG_VERSION");
	struct utsname kernel;
	char line[256];

	uname(&kernel);
	fprintf(out,
		"Machine: %s; Linux %s %s; gcc %s; %s. One processor of it (number %d), %u rounds, medians; %lu samples taken\n",
		cpu_name(line, sizeof(line)), kernel.release, kernel.machine, __VERSION__,
		clang ? clang : "clang unknown", plan->processor, plan->rounds, plan->repeated);
	fprintf(out,
		"again because another process took the processor away. Mount points crossed by each name: %u.\n\n",
		plan->scene.mounts);
}

static void head_print(const struct plan *plan, FILE *out)
{
	fprintf(out, "# What a decision costs\n\n"
		     "Written by `make bench`, all of it in one run; run it again rather than edit this page.\n\n");
	machine_print(plan, out);
	fprintf(out,
		"The bodies of hooks were timed natively, in nanoseconds, without attaching them: as iterator programs over thousands of\n"
		"descriptors of the same file, less an empty program over the same descriptors. What attaching adds (the trampoline) is not\n"
		"in these figures; where it matters it is estimated as %d ns and named. Everything is cache-warm.\n\n",
		TRAMPOLINE_NS);
}

static void target_ns(struct table *table, const char *what, double limit, double ns)
{
	table_cell(table, "%s", what);
	table_cell(table, "<= %.0f ns", limit);
	table_cell(table, "%.0f ns", ns);
	table_cell(table, "%s", met(ns <= limit));
}

static void target_ratio(struct table *table, const struct plan *plan, unsigned int depth)
{
	double few = cell_ns(plan, "hit", 10, 1, depth), many = cell_ns(plan, "hit", 100000, 1, depth);

	table_cell(table, "the same, 100,000 rules against 10, depth %u", depth);
	table_cell(table, "<= 1.3 x");
	table_cell(table, "%.2f x", many / few);
	table_cell(table, "%s", met(many / few <= 1.3));
}

static void target_landlock(struct table *table, const struct plan *plan, unsigned int at, enum plain plain,
			    const char *how)
{
	unsigned int depth = scene_depths[at];
	double added = plain_ns(plan, plain, at) - plain_ns(plan, PLAIN_NONE, at);
	double ours = cell_ns(plan, "hit", 1000, 1, depth) + TRAMPOLINE_NS;

	table_cell(table, "added by Landlock, 100 rules, %s, against ours with %d ns of trampoline, depth %u", how,
		   TRAMPOLINE_NS, depth);
	table_cell(table, ">= 3 x");
	table_cell(table, "%.0f / %.0f ns = %.1f x", added, ours, added / ours);
	table_cell(table, "%s", met(added / ours >= 3));
}

static void target_size(struct table *table, const struct size_times *size, double limit_ms)
{
	double ms = size->check_ms + size->build_ms + size->verify_ms + size->side.load_ms;

	table_cell(table, "check, compile and load %u rules", size->n);
	table_cell(table, "<= %.0f ms", limit_ms);
	table_cell(table, "%.1f ms", ms);
	table_cell(table, "%s", met(ms <= limit_ms));
}

static void target_sizes(struct table *table, const struct plan *plan)
{
	static const double limits[PLAN_N_SIZES] = { 20, 1000, 12000 };
	const struct size_times *largest = &plan->sizes[PLAN_N_SIZES - 1];
	double each = (double)largest->bytes / largest->n, peak = largest->peak_kib * 1024 / (double)largest->bytes;

	for (unsigned int i = 0; i < PLAN_N_SIZES; i++)
		target_size(table, &plan->sizes[i], limits[i]);
	table_cell(table, "image, a literal rule of %u", largest->n);
	table_cell(table, "<= 120 bytes");
	table_cell(table, "%.1f bytes", each);
	table_cell(table, "%s", met(each <= 120));
	table_cell(table, "peak memory of check and compile, %u rules", largest->n);
	table_cell(table, "<= 3 x image");
	table_cell(table, "%.1f x", peak);
	table_cell(table, "%s", met(peak <= 3));
	table_cell(table, "the swap itself, %u rules", largest->n);
	table_cell(table, "<= 100 us");
	table_cell(table, "%.2f us", largest->side.swap_us);
	table_cell(table, "%s", met(largest->side.swap_us <= 100));
}

static void target_load(struct table *table, const struct plan *plan)
{
	table_cell(table, "verifier: the bodies of all %u hooks, loaded one after the other", plan->load.n);
	table_cell(table, "<= 2000 ms");
	table_cell(table, "%.0f ms", plan->load.all_ms);
	table_cell(table, "%s", met(plan->load.all_ms <= 2000));
}

static void targets_print(const struct plan *plan, struct table *table, FILE *out)
{
	fprintf(out, "## Against the targets\n\n");
	table_start(table, 4);
	table_cell(table, "what");
	table_cell(table, "target");
	table_cell(table, "measured");
	table_cell(table, "met");
	target_ns(table, "unconfined task, file_open", 20, cell_ns(plan, "unconfined", 1000, 1, 5));
	target_ns(table, "unconfined task, socket_connect", 20, cell_ns(plan, "unconfined-connect", 1000, 1, 0));
	target_ns(table, "read or write, while no task holds a descriptor that it may not open", 20, cell_ns(plan, "use", 1000, 1, 5));
	target_ns(table, "confined open, allowed by a literal rule of 1,000, depth 5", 100,
		  cell_ns(plan, "hit", 1000, 1, 5));
	target_ns(table, "confined open, allowed by a literal rule of 1,000, depth 8", 150,
		  cell_ns(plan, "hit", 1000, 1, 8));
	target_ratio(table, plan, 5);
	target_ratio(table, plan, 8);
	target_ns(table, "the same, 1,000,000 rules, depth 5", 130, cell_ns(plan, "hit", 1000000, 1, 5));
	target_ns(table, "1,000 patterns beside 1,000 literals, name of 61 bytes, depth 8", 250,
		  cell_ns(plan, "wild", 1000, 1, 8));
	target_ns(table, "connect, 10 prefixes", 60, cell_ns(plan, "connect", 10, 1, 0));
	target_ns(table, "connect, 100,000 prefixes", 150, cell_ns(plan, "connect", 100000, 1, 0));
	for (unsigned int i = 1; i < 3; i++) {
		target_landlock(table, plan, i, PLAIN_LANDLOCK_100_TOP, "a top folder's rule");
		target_landlock(table, plan, i, PLAIN_LANDLOCK_100_FILE, "the file's own rule");
	}
	target_sizes(table, plan);
	target_load(table, plan);
	table_print(table, out);
}

static const unsigned int matrix_rules[] = { 10, 1000, 100000, 1000000 };

static void matrix_row(struct table *table, const struct plan *plan, const char *what, unsigned int layers,
		       unsigned int depth)
{
	table_cell(table, "%s", what);
	table_cell(table, "%u", layers);
	table_cell(table, "%u", depth);
	for (unsigned int r = 0; r < 4; r++) {
		const struct cell *cell = plan_find(plan, what, matrix_rules[r], layers, depth);

		if (cell)
			table_cell(table, "%.0f (%.0f-%.0f)", series_quantile(&cell->ns, 0.5),
				   series_quantile(&cell->ns, 0.25), series_quantile(&cell->ns, 0.75));
		else
			table_cell(table, "-");
	}
}

static void matrix_print(const struct plan *plan, struct table *table, FILE *out)
{
	static const char *const whats[] = { "hit", "miss", "deny-quiet", "deny", "wild" };

	fprintf(out,
		"## file_open\n\nMedian (quartiles), ns. `hit`: a literal rule allows; `miss`: its folder is in rules, no rule is about it, and the default\n"
		"allows; `deny-quiet`: a rule denies, counted and not recorded; `deny`: the same with its record into the ring; `wild`: %d patterns beside\n"
		"the literals, one of which allows. Rules are those of all layers together, ten a layer at least.\n\n",
		1000);
	table_start(table, 7);
	table_cell(table, "what");
	table_cell(table, "layers");
	table_cell(table, "depth");
	for (unsigned int r = 0; r < 4; r++)
		table_cell(table, "%u rules", matrix_rules[r]);
	for (unsigned int w = 0; w < 5; w++)
		for (unsigned int layers = 1; layers <= 4; layers += 3)
			for (unsigned int i = 0; i < SCENE_N_DEPTHS; i++)
				if (plan_find(plan, whats[w], 1000, layers, scene_depths[i]))
					matrix_row(table, plan, whats[w], layers, scene_depths[i]);
	for (unsigned int layers = 1; layers <= 4; layers += 3)
		matrix_row(table, plan, "connect", layers, 0);
	table_print(table, out);
}

static void parts_print(const struct plan *plan, struct table *table, FILE *out)
{
	static const struct {
		const char *what, *shown;
	} parts[] = {
		{ "part-label", "generation, label" },
		{ "part-claim", "claim and release of working memory" },
		{ "part-enter", "request begun" },
		{ "part-walk", "name walked, and checked for races" },
		{ "part-find", "tree of literal names asked" },
		{ "hit", "layers asked, answer, release" },
	};

	fprintf(out,
		"## Where the time of a hit goes\n\n1,000 rules, one layer: what each part adds to those above it, ns.\n\n");
	table_start(table, SCENE_N_DEPTHS + 1);
	table_cell(table, "part");
	for (unsigned int i = 0; i < SCENE_N_DEPTHS; i++)
		table_cell(table, "depth %u", scene_depths[i]);
	for (unsigned int p = 0; p < 6; p++) {
		table_cell(table, "%s", parts[p].shown);
		for (unsigned int i = 0; i < SCENE_N_DEPTHS; i++)
			table_cell(table, "%.1f",
				   cell_ns(plan, parts[p].what, 1000, 1, scene_depths[i]) -
					   (p ? cell_ns(plan, parts[p - 1].what, 1000, 1, scene_depths[i]) : 0));
	}
	table_cell(table, "in all");
	for (unsigned int i = 0; i < SCENE_N_DEPTHS; i++)
		table_cell(table, "%.1f", cell_ns(plan, "hit", 1000, 1, scene_depths[i]));
	table_print(table, out);
}

static void plain_print(const struct plan *plan, struct table *table, FILE *out)
{
	static const char *const names[PLAIN_N] = {
		[PLAIN_NONE] = "open() and close(), nothing in the way",
		[PLAIN_LANDLOCK_10_FILE] = "added by Landlock, 10 rules, the file's own rule",
		[PLAIN_LANDLOCK_10_TOP] = "added by Landlock, 10 rules, a top folder's rule",
		[PLAIN_LANDLOCK_100_FILE] = "added by Landlock, 100 rules, the file's own rule",
		[PLAIN_LANDLOCK_100_TOP] = "added by Landlock, 100 rules, a top folder's rule",
	};

	fprintf(out,
		"## Beside it\n\nThe same files in the same rounds, ns. getppid(): %.0f. An empty iterator program, a descriptor: %.0f.\n\n",
		series_quantile(&plan->getppid, 0.5), series_quantile(&plan->empty, 0.5));
	table_start(table, SCENE_N_DEPTHS + 1);
	table_cell(table, "what");
	for (unsigned int i = 0; i < SCENE_N_DEPTHS; i++)
		table_cell(table, "depth %u", scene_depths[i]);
	for (enum plain plain = 0; plain < PLAIN_N; plain++) {
		table_cell(table, "%s", names[plain]);
		for (unsigned int i = 0; i < SCENE_N_DEPTHS; i++)
			table_cell(table, "%.0f",
				   plain_ns(plan, plain, i) - (plain ? plain_ns(plan, PLAIN_NONE, i) : 0));
	}
	table_print(table, out);
}

static void sizes_print(const struct plan *plan, struct table *table, FILE *out)
{
	fprintf(out, "## From JSON to the kernel\n\n");
	table_start(table, 8);
	table_cell(table, "literal rules");
	table_cell(table, "check ms");
	table_cell(table, "compile ms");
	table_cell(table, "load ms");
	table_cell(table, "swap us");
	table_cell(table, "grace ms");
	table_cell(table, "image bytes");
	table_cell(table, "peak KiB");
	for (unsigned int i = 0; i < PLAN_N_SIZES; i++) {
		const struct size_times *size = &plan->sizes[i];

		table_cell(table, "%u", size->n);
		table_cell(table, "%.1f", size->check_ms);
		table_cell(table, "%.1f", size->build_ms + size->verify_ms);
		table_cell(table, "%.1f", size->side.load_ms);
		table_cell(table, "%.2f", size->side.swap_us);
		table_cell(table, "%.1f", size->side.grace_ms);
		table_cell(table, "%zu", size->bytes);
		table_cell(table, "%.0f", size->peak_kib);
	}
	table_print(table, out);
	fprintf(out,
		"Verifier: %u instructions for the bodies of all %u hooks, %u for the largest (%s), %.0f ms in all.\n",
		plan->load.insns, plan->load.n, plan->load.insns_max, plan->load.largest, plan->load.all_ms);
}

static void peers_print(const struct plan *plan, struct table *table, FILE *out)
{
	fprintf(out, "\n## From text to bytes, beside AppArmor's parser\n\n");
	if (plan->peers_skipped) {
		fprintf(out, "Not measured: %s.\n", plan->peers_skipped);
		return;
	}
	table_start(table, 6);
	table_cell(table, "path rules, the same");
	table_cell(table, "AppArmor ms");
	table_cell(table, "ours ms");
	table_cell(table, "times less");
	table_cell(table, "AppArmor peak KiB");
	table_cell(table, "ours peak KiB");
	for (unsigned int i = 0; i < PEERS_N; i++) {
		const struct peer_times *peer = &plan->peers[i];

		table_cell(table, "%u", peer->n);
		table_cell(table, "%.0f", peer->cpu_ms[0]);
		table_cell(table, "%.0f", peer->cpu_ms[1]);
		table_cell(table, "%.0f", peer->cpu_ms[0] / peer->cpu_ms[1]);
		table_cell(table, "%.0f", peer->peak_kib[0]);
		table_cell(table, "%.0f", peer->peak_kib[1]);
	}
	table_print(table, out);
	fprintf(out, "Processor time of a process of its own each, nothing loaded: files, directories, one pattern in ten with a wildcard.\n");
}

static void text_print(const struct plan *plan, FILE *out)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return;
	head_print(plan, out);
	targets_print(plan, table, out);
	matrix_print(plan, table, out);
	parts_print(plan, table, out);
	plain_print(plan, table, out);
	sizes_print(plan, table, out);
	peers_print(plan, table, out);
	free(table);
}

static void cell_json(const struct plan *plan, const struct cell *cell, FILE *out)
{
	const struct rules *rules = &plan->images[cell->image].rules;

	fprintf(out,
		"  {\"what\":\"%s\",\"rules\":%u,\"layers\":%u,\"patterns\":%u,\"depth\":%u,\"ns\":%.2f,\"q1\":%.2f,\"q3\":%.2f}",
		cell->what, rules->n, rules->layers, rules->patterns, cell->depth, series_quantile(&cell->ns, 0.5),
		series_quantile(&cell->ns, 0.25), series_quantile(&cell->ns, 0.75));
}

static void plain_json(const struct plan *plan, FILE *out)
{
	static const char *const names[PLAIN_N] = { "none", "landlock-10-file", "landlock-10-top", "landlock-100-file",
						    "landlock-100-top" };

	for (enum plain plain = 0; plain < PLAIN_N; plain++)
		for (unsigned int i = 0; i < SCENE_N_DEPTHS; i++)
			fprintf(out, "  {\"what\":\"open-close\",\"under\":\"%s\",\"depth\":%u,\"ns\":%.2f},\n",
				names[plain], scene_depths[i], plain_ns(plan, plain, i));
	fprintf(out, "  {\"what\":\"getppid\",\"ns\":%.2f}],\n", series_quantile(&plan->getppid, 0.5));
}

static void json_print(const struct plan *plan, FILE *out)
{
	struct utsname kernel;
	char line[256];

	uname(&kernel);
	fprintf(out, "{\"cpu\":\"%s\",\"kernel\":\"%s\",\"rounds\":%u,\"cells\":[\n", cpu_name(line, sizeof(line)),
		kernel.release, plan->rounds);
	for (unsigned int i = 0; i < plan->n_cells; i++) {
		cell_json(plan, &plan->cells[i], out);
		fprintf(out, "%s\n", i + 1 < plan->n_cells ? "," : "],");
	}
	fprintf(out, " \"plain\":[\n");
	plain_json(plan, out);
	fprintf(out, " \"sizes\":[\n");
	for (unsigned int i = 0; i < PLAN_N_SIZES; i++) {
		const struct size_times *size = &plan->sizes[i];

		fprintf(out,
			"  {\"rules\":%u,\"check_ms\":%.2f,\"compile_ms\":%.2f,\"verify_ms\":%.2f,\"load_ms\":%.2f,\"swap_us\":%.2f,"
			"\"grace_ms\":%.2f,\"bytes\":%zu,\"peak_kib\":%.0f}%s\n",
			size->n, size->check_ms, size->build_ms, size->verify_ms, size->side.load_ms,
			size->side.swap_us, size->side.grace_ms, size->bytes, size->peak_kib,
			i + 1 < PLAN_N_SIZES ? "," : "],");
	}
	fprintf(out, " \"peers\":[\n");
	for (unsigned int i = 0; i < PEERS_N && !plan->peers_skipped; i++)
		fprintf(out, "  {\"rules\":%u,\"apparmor_cpu_ms\":%.1f,\"cpu_ms\":%.1f,\"apparmor_peak_kib\":%.0f,\"peak_kib\":%.0f}%s\n",
			plan->peers[i].n, plan->peers[i].cpu_ms[0], plan->peers[i].cpu_ms[1], plan->peers[i].peak_kib[0],
			plan->peers[i].peak_kib[1], i + 1 < PEERS_N ? "," : "");
	fprintf(out, " ],\n \"verifier\":{\"hooks\":%u,\"insns\":%u,\"insns_max\":%u,\"ms\":%.1f}}\n", plan->load.n,
		plan->load.insns, plan->load.insns_max, plan->load.all_ms);
}

static int file_write(const struct plan *plan, const char *path, void (*print)(const struct plan *plan, FILE *out))
{
	FILE *out = fopen(path, "we");

	if (!out) {
		fprintf(stderr, "bench: cannot write '%s': %s\n", path, strerror(errno));
		return -errno;
	}
	print(plan, out);
	return fclose(out) ? -errno : 0;
}

int report_write(const struct plan *plan, FILE *table, const char *json, const char *markdown)
{
	int r = 0;

	text_print(plan, table);
	if (json)
		r = file_write(plan, json, json_print);
	if (!r && markdown)
		r = file_write(plan, markdown, text_print);
	return r;
}
