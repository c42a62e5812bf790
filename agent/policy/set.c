/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From files and folders to a checked set of policies. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/check.h"
#include "agent/policy/collect.h"
#include "agent/policy/rule.h"
#include "agent/policy/set.h"
#include "agent/policy/source.h"
#include "agent/util/cleanup.h"
#include "agent/util/vec.h"

#define DESCRIPTION_MAX 4096

uint64_t lsmd_policy_key(const char *name)
{
	uint64_t key = 0xcbf29ce484222325ull;

	for (; *name; name++)
		key = (key ^ (unsigned char)*name) * 0x100000001b3ull;
	return key;
}

void policy_set_free(struct policy_set *set)
{
	struct files files;

	if (!set)
		return;
	files = (struct files){ .items = set->files, .n = set->n_files };
	files_free(&files);
	if (set->memory)
		arena_free(set->memory);
	free(set->memory);
	free(set->policies);
	free(set);
}

DEFINE_CLEANUP(struct policy_set, policy_set_free)

struct policies {
	struct policy *items;
	size_t n;
	size_t capacity;
};

/* A set on its way. */
struct loader {
	const struct policy_options *options;
	struct diags *diags;
	struct arena *memory;
	struct files files;
	struct seal seal; /* files.seal where one is asked for */
	struct library library;
	struct policies policies;
	size_t n_objects;
};

/* The files of one policy: itself, its drop-ins, then what they include. */
struct policy_files {
	struct source own;
	struct source *drop_ins;
	size_t n_drop_ins;
	struct sources all; /* borrowed: own, drop-ins, abstractions */
};

static void policy_files_free(struct policy_files *files)
{
	size_t i;

	for (i = 0; i < files->n_drop_ins; i++)
		source_free(&files->drop_ins[i]);
	free(files->drop_ins);
	free(files->all.items);
	source_free(&files->own);
}

static int all_add(struct policy_files *files, struct source *source)
{
	struct source **slot = vec_add(&files->all);

	if (!slot)
		return -ENOMEM;
	*slot = source;
	return 0;
}

static int drop_ins_read(struct loader *loader, const struct entry *entry, struct policy_files *files)
{
	struct entries entries = {};
	size_t i;
	int r = drop_ins_collect(loader->options, entry, &loader->files, loader->diags, &entries), worst = 0;

	files->drop_ins = calloc(entries.n + 1, sizeof(*files->drop_ins));
	if (!files->drop_ins)
		r = -ENOMEM;
	for (i = 0; i < entries.n && r >= 0; i++) {
		struct source *source = &files->drop_ins[files->n_drop_ins];

		r = source_read(&loader->files, entries.items[i].path, FILE_DROP_IN, loader->diags, source);
		if (!r) {
			files->n_drop_ins++;
			r = all_add(files, source);
		}
		worst = r ? r : worst;
	}
	entries_free(&entries);
	return r < 0 ? r : worst;
}

/* Everything that says something of one policy. What cannot be read is said, and the rest is still read. */
static int policy_files_read(struct loader *loader, const struct entry *entry, struct policy_files *files)
{
	size_t i, n;
	int r, worst;

	r = source_read(&loader->files, entry->path, FILE_POLICY, loader->diags, &files->own);
	if (r)
		return r;
	r = all_add(files, &files->own);
	if (!r)
		r = drop_ins_read(loader, entry, files);
	if (r < 0)
		return r;
	worst = r;
	library_begin(&loader->library);
	n = files->all.n;
	for (i = 0; i < n; i++) {
		r = library_include(&loader->library, files->all.items[i], &files->all);
		if (r < 0)
			return r;
		worst = r ? r : worst;
	}
	return worst;
}

static int variables_read(struct variables *variables, const struct policy_files *files)
{
	size_t i;
	int r, worst = 0;

	for (i = 0; i < files->all.n; i++) {
		struct source *source = files->all.items[i];

		if (!source->keys[POLICY_VARIABLES])
			continue;
		r = variables_add(variables, &source->doc, source->keys[POLICY_VARIABLES],
				  source->kind != FILE_ABSTRACTION);
		if (r < 0)
			return r;
		worst = r ? r : worst;
	}
	r = variables_seal(variables);
	return r ? r : worst;
}

static int source_rules(struct reader *reader, struct source *source, struct policy *policy)
{
	struct doc *doc = &source->doc;
	uint32_t list = source->keys[POLICY_RULES], value = list + 1;
	int r;

	if (!list)
		return 0;
	for (; value < doc->values[list].end; value = doc->values[value].end) {
		r = rule_read(reader, doc, value, &policy->rules[policy->n_rules]);
		if (r < 0)
			return r;
		if (!r)
			policy->n_rules++;
	}
	return 0;
}

static int rules_read(struct reader *reader, const struct policy_files *files, struct policy *policy)
{
	size_t i, n = 0;
	int r = 0;

	for (i = 0; i < files->all.n; i++) {
		const struct source *source = files->all.items[i];

		n += source->keys[POLICY_RULES] ? source->doc.values[source->keys[POLICY_RULES]].n : 0;
	}
	/* Each rule names an object at least. */
	if (*reader->n_objects + n > OBJECTS_MAX) {
		objects_refuse(reader->diags, policy->place);
		return 0;
	}
	policy->rules = arena_alloc(reader->memory, n * sizeof(*policy->rules));
	if (!policy->rules)
		return -ENOMEM;
	for (i = 0; i < files->all.n && !r; i++)
		r = source_rules(reader, files->all.items[i], policy);
	return r;
}

/* The policy's own keys; each that stands is read, whatever is wrong with the others. */
static int head_read(struct loader *loader, struct reader *reader, struct source *own, struct policy *policy)
{
	struct doc *doc = &own->doc;
	const uint32_t *keys = own->keys;
	int r = 0;

	policy->place = doc_place(doc, 0);
	policy->children = true;
	if (keys[POLICY_NAME])
		r = word_read(doc, keys[POLICY_NAME], "a policy's name", loader->memory, loader->diags, &policy->name);
	if (r >= 0 && keys[POLICY_DESCRIPTION])
		r = sentence_read(doc, keys[POLICY_DESCRIPTION], "a description", DESCRIPTION_MAX, loader->memory,
				  loader->diags, &policy->description);
	if (r >= 0 && keys[POLICY_SUBJECT])
		r = subject_read(reader, doc, keys[POLICY_SUBJECT], policy);
	if (r >= 0 && keys[POLICY_MODE])
		r = mode_read(doc, keys[POLICY_MODE], loader->diags, &policy->mode);
	if (r >= 0 && keys[POLICY_DEFAULT]) {
		policy->default_place = doc_place(doc, keys[POLICY_DEFAULT]);
		r = default_read(doc, keys[POLICY_DEFAULT], loader->diags, policy);
	}
	return r < 0 ? r : 0;
}

static int policy_build(struct loader *loader, struct policy_files *files, struct policy *policy)
{
	struct reader reader = {
		.memory = loader->memory,
		.diags = loader->diags,
		.n_objects = &loader->n_objects,
		.variables = { .diags = loader->diags },
	};
	int r = variables_read(&reader.variables, files);

	if (r >= 0)
		r = head_read(loader, &reader, &files->own, policy);
	if (r >= 0)
		r = rules_read(&reader, files, policy);
	reader_free(&reader);
	return r < 0 ? r : 0;
}

/* Adds the policy when it has a name, whether or not something is wrong with it: refused sets are thrown away whole. */
static int policy_load(struct loader *loader, const struct entry *entry)
{
	_cleanup_(policy_files_free) struct policy_files files = {};
	struct policy policy = {}, *slot;
	int r = policy_files_read(loader, entry, &files);

	if (r < 0 || !files.all.n)
		return r < 0 ? r : 0;
	r = policy_build(loader, &files, &policy);
	if (r || !policy.name)
		return r;
	slot = vec_add(&loader->policies);
	if (!slot)
		return -ENOMEM;
	*slot = policy;
	return 0;
}

static int policy_compare(const void *a, const void *b)
{
	const struct policy *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->place.file > y->place.file) - (x->place.file < y->place.file);
}

/* Policies from @first on that share its name. */
static size_t namesakes(const struct policies *policies, size_t first)
{
	size_t n = 1;

	while (first + n < policies->n && !strcmp(policies->items[first].name, policies->items[first + n].name))
		n++;
	return n;
}

/* "NAME.shadow", where nobody else is called so (check.c). */
static int shadow_name(struct loader *loader, struct policy *policy)
{
	size_t len = strlen(policy->name);
	char *name = arena_alloc(loader->memory, len + sizeof(SHADOW_SUFFIX));

	if (!name)
		return -ENOMEM;
	memcpy(name, policy->name, len);
	memcpy(name + len, SHADOW_SUFFIX, sizeof(SHADOW_SUFFIX));
	policy->shadow_of = policy->name;
	policy->name = name;
	return 0;
}

/* A policy in audit mode beside an enforcing one of its name is its shadow: asked the same, and never heeded. */
static int shadows_name(struct loader *loader)
{
	struct policies *policies = &loader->policies;
	size_t n;
	int r = 0;

	for (size_t i = 0; i < policies->n && !r; i += n) {
		bool enforced = false;

		n = namesakes(policies, i);
		for (size_t k = i; k < i + n; k++)
			enforced |= policies->items[k].mode == LSMD_MODE_ENFORCE;
		for (size_t k = i; k < i + n && enforced && !r; k++)
			if (policies->items[k].mode == LSMD_MODE_AUDIT)
				r = shadow_name(loader, &policies->items[k]);
	}
	return r;
}

static void policies_sort(struct policies *policies)
{
	if (policies->n)
		qsort(policies->items, policies->n, sizeof(*policies->items), policy_compare);
}

static int policies_load(struct loader *loader)
{
	struct entries entries = {};
	struct place place = { .file = UINT32_MAX };
	size_t i;
	int r = policies_collect(loader->options, &loader->files, loader->diags, &entries);

	if (!r && entries.n > LSMD_POLICIES_MAX) {
		diag_add(loader->diags, DIAG_ERROR, "too-many-policies", place, NULL, "more than %d policies",
			 LSMD_POLICIES_MAX);
		entries.n = LSMD_POLICIES_MAX;
	}
	for (i = 0; i < entries.n && !r; i++)
		r = policy_load(loader, &entries.items[i]);
	entries_free(&entries);
	policies_sort(&loader->policies);
	if (!r)
		r = shadows_name(loader);
	policies_sort(&loader->policies);
	return r;
}

/* The whole of a set that has to be signed: its seal first, and last what the seal has and the set has not. */
static int policies_load_sealed(struct loader *loader)
{
	size_t n_errors;
	uint32_t file;
	int r = seal_load(&loader->files, loader->options->want, loader->diags, &loader->seal, &file);

	if (r)
		return r == SOURCE_REFUSED ? 0 : r;
	loader->files.seal = &loader->seal;
	n_errors = loader->diags->n_errors;
	r = policies_load(loader);
	/* What a refused file would have brought with it is not missed. */
	if (!r && loader->diags->n_errors == n_errors)
		seal_unread(&loader->seal, file, loader->diags);
	return r;
}

/* What the loader holds goes to the set, good or bad. */
static void set_fill(struct policy_set *set, struct loader *loader)
{
	set->policies = loader->policies.items;
	set->n_policies = loader->policies.n;
	set->files = loader->files.items;
	set->n_files = loader->files.n;
}

static void set_refuse(struct policy_set *set)
{
	arena_free(set->memory);
	free(set->policies);
	set->policies = NULL;
	set->n_policies = 0;
	set->refused = true;
}

static void texts_drop(struct policy_set *set)
{
	size_t i;

	for (i = 0; i < set->n_files; i++) {
		free((char *)set->files[i].text);
		set->files[i].text = NULL;
		set->files[i].len = 0;
	}
}

int policy_set_load(const struct policy_options *options, struct diags *diags, struct policy_set **ret)
{
	static const char *const dirs[] = { "/etc/lsmd/abstractions", "/usr/share/lsmd/abstractions" };
	_cleanup_(policy_set_freep) struct policy_set *set = calloc(1, sizeof(*set));
	struct loader loader = {
		.options = options, .diags = diags,
		.library = {
			.dirs = options->n_abstraction_dirs ? options->abstraction_dirs : dirs,
			.n_dirs = options->n_abstraction_dirs ? options->n_abstraction_dirs : 2,
			.files = &loader.files, .diags = diags,
		},
	};
	size_t n_errors = diags->n_errors;
	int r;

	if (!set)
		return -ENOMEM;
	set->memory = loader.memory = calloc(1, sizeof(*loader.memory));
	if (!set->memory)
		return -ENOMEM;
	r = options->want ? policies_load_sealed(&loader) : policies_load(&loader);
	library_free(&loader.library);
	set->stamp = loader.seal.stamp;
	seal_clear(&loader.seal);
	set_fill(set, &loader);
	if (!r)
		r = set_check(set, options, diags);
	if (r)
		return r;
	if (diags->out_of_memory)
		return -ENOMEM;
	if (diags->n_errors > n_errors) {
		set_refuse(set);
		r = POLICY_SET_REFUSED;
	} else if (options->text_drop) {
		texts_drop(set);
	}
	diags_sort(diags);
	*ret = TAKE_PTR(set);
	return r;
}
