// SPDX-License-Identifier: LGPL-2.1-or-later
/* Policies as administrators and tools write them, of any size, through the compiler as it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/policy/image.h"
#include "agent/policy/set.h"
#include "agent/util/cleanup.h"
#include "tests/bench/bench.h"

#define LAYERS_MAX 16

/* The rules that the timed files meet: ten, the least that a layer has. */
static unsigned int write_scene(FILE *out, const struct scene *scene)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < SCENE_N_DEPTHS; i++) {
		fprintf(out, "%s{\"allow\":\"read\",\"path\":\"%s\"}", n ? ",\n" : "", scene->names[i][SCENE_HIT]);
		fprintf(out, ",\n{\"deny\":\"read\",\"path\":\"%s\"}", scene->names[i][SCENE_DENY]);
		n += 2;
		if (scene_depths[i] != 5 && scene_depths[i] != 8)
			continue;
		fprintf(out, ",\n{\"deny\":\"read\",\"path\":\"%s\",\"log\":false}", scene->names[i][SCENE_QUIET]);
		n++;
	}
	return n;
}

static void write_literals(FILE *out, unsigned int from, unsigned int n)
{
	for (unsigned int i = from; i < n; i++)
		fprintf(out, ",\n{\"allow\":%s,\"path\":\"/srv/app%u/data%u/%s-%u%s\"}",
			i % 2 ? "\"read\"" : "[\"read\",\"write\"]", i / 2000, i / 20, i % 2 ? "file" : "dir", i,
			i % 2 ? ".txt" : "/");
}

static void write_patterns(FILE *out, unsigned int n)
{
	static const char *const ends[] = { "*.log", "cache-?/", "**/*.so", "[0-9]*.conf", "{a,b}-*" };

	if (n)
		fprintf(out, ",\n{\"allow\":\"read\",\"path\":\"/tmp/lsmd-bench-*/**.log\"}");
	for (unsigned int i = 1; i < n; i++)
		fprintf(out, ",\n{\"allow\":\"read\",\"path\":\"/%s/*/project-%u/%s\"}", i % 2 ? "home" : "tmp", i,
			ends[i % 5]);
}

/* Every other address, so that no two rules run together into one interval. */
static void write_prefixes(FILE *out, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		unsigned int address = i * 2;

		fprintf(out, "%s{\"allow\":\"connect\",\"to\":\"tcp:10.%u.%u.%u:443\"}", i ? ",\n" : "", address >> 16,
			address >> 8 & 255, address & 255);
	}
}

static int policy_write(const char *path, const struct scene *scene, const struct rules *rules, unsigned int layer)
{
	_cleanup_fclose_ FILE *out = fopen(path, "we");
	unsigned int n = rules->n / rules->layers, from;
	char exe[256] = "";

	if (!out)
		return -errno;
	if (!rules->held)
		strcpy(exe, "/nonexistent/program");
	else if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0)
		return -errno;
	fprintf(out,
		"{\"version\":1,\"name\":\"bench-%u\",\"subject\":{\"exe\":\"%s\"},\"mode\":\"enforce\",\n"
		"\"default\":{\"file\":\"deny\",\"append\":\"allow\",\"setattr\":\"allow\",\"exec\":\"allow\","
		"\"network\":\"allow\",\"connect\":\"deny\",\"capability\":\"allow\",\"process\":\"allow\","
		"\"system\":\"allow\"},\n\"rules\":[\n",
		layer, exe);
	if (rules->network) {
		write_prefixes(out, n);
	} else {
		from = write_scene(out, scene);
		write_literals(out, from, n);
		write_patterns(out, rules->patterns);
	}
	fprintf(out, "]}\n");
	return ferror(out) ? -EIO : 0;
}

static int set_compile(const char *const *paths, unsigned int n, struct lsmd_image_header **image, size_t *size)
{
	const struct policy_options options = { .paths = paths, .n_paths = n, .force = true, .text_drop = true };
	struct policy_set *set = NULL;
	struct diags diags = {};
	int r = policy_set_load(&options, &diags, &set);

	if (!r)
		r = image_build(set, &diags, image, size);
	if (r)
		diags_print(&diags, set, stderr, false);
	policy_set_free(set);
	diags_clear(&diags);
	return r;
}

int policies_compile(const struct scene *scene, const struct rules *rules, struct lsmd_image_header **image,
		     size_t *size)
{
	const char *paths[LAYERS_MAX];
	char names[LAYERS_MAX][96];
	int r = 0;

	for (unsigned int i = 0; i < rules->layers && !r; i++) {
		snprintf(names[i], sizeof(names[i]), "%s/policy-%u.json", scene->dir, i);
		paths[i] = names[i];
		r = policy_write(names[i], scene, rules, i);
	}
	if (!r)
		r = set_compile(paths, rules->layers, image, size);
	for (unsigned int i = 0; i < rules->layers; i++)
		unlink(names[i]);
	if (r)
		fprintf(stderr, "bench: cannot compile %u rules in %u layers: %d\n", rules->n, rules->layers, r);
	return r;
}
