// SPDX-License-Identifier: LGPL-2.1-or-later
/* Case tables: each case's policies loaded as one set, each engine asked, the answer held against the table's. */
#include "tests/engine/engine.h"

#include <errno.h>
#include <string.h>

#include "agent/policy/set.h"
#include "agent/util/cleanup.h"
#include "agent/policy/cases.h"
#include "tests/engine/print.h"

#define FILES_MAX 64
#define BY_MAX 2048

/* The set that the last case used, and the engines that have loaded it: cases of one set stand together. */
struct loaded {
	char *policies; /* as in the table; NULL: none yet */
	struct policy_set *set;
	void *states[8];
};

static void loaded_clear(struct loaded *loaded, const struct engine *const *engines, size_t n_engines)
{
	for (size_t i = 0; i < n_engines; i++)
		if (loaded->states[i])
			engines[i]->unload(loaded->states[i]);
	policy_set_free(loaded->set);
	free(loaded->policies);
	*loaded = (struct loaded){ 0 };
}

/* The folder of the table, and a file of it. */
static char *path_beside(const char *table, const char *file, size_t len)
{
	const char *slash = strrchr(table, '/');
	char *path = NULL;

	if (asprintf(&path, "%.*s%.*s", slash ? (int)(slash - table + 1) : 0, table, (int)len, file) < 0)
		return NULL;
	return path;
}

static int set_load(const char *table, const char *policies, struct policy_set **ret)
{
	const char *paths[FILES_MAX];
	struct policy_options options = { .paths = paths };
	struct diags diags = { 0 };
	int r = 0;

	for (const char *at = policies; *at && options.n_paths < FILES_MAX;) {
		size_t len = strcspn(at, ",");

		paths[options.n_paths] = path_beside(table, at, len);
		if (!paths[options.n_paths++])
			r = -ENOMEM;
		at += len + (at[len] == ',');
	}
	if (!r)
		r = policy_set_load(&options, &diags, ret);
	if (r > 0) {
		diags_print(&diags, *ret, stderr, false);
		r = -EBADMSG;
	}
	diags_clear(&diags);
	for (size_t i = 0; i < options.n_paths; i++)
		free((char *)paths[i]);
	return r;
}

static int loaded_fill(struct loaded *loaded, const struct engine *const *engines, size_t n_engines,
		       const struct test_case *c)
{
	int r;

	loaded->policies = strdup(c->policies);
	if (!loaded->policies)
		return -ENOMEM;
	r = set_load(c->table, c->policies, &loaded->set);
	for (size_t i = 0; i < n_engines && !r; i++)
		r = engines[i]->load(loaded->set, &loaded->states[i]);
	return r;
}

static int loaded_for(struct loaded *loaded, const struct engine *const *engines, size_t n_engines,
		      const struct test_case *c)
{
	if (loaded->policies && strcmp(loaded->policies, c->policies) == 0)
		return 0;
	loaded_clear(loaded, engines, n_engines);
	return loaded_fill(loaded, engines, n_engines, c);
}

/* A script is two questions: the second, for its interpreter, matters only where it refuses what the first did not. */
static int case_ask(const struct engine *engine, void *state, const struct test_case *c, struct asked *ret)
{
	struct asked interpreter = { 0 };
	struct ask ask = c->ask;
	int r;

	r = engine->ask(state, &ask, ret);
	if (r || ret->refused || c->node != CASE_SCRIPT)
		return r;
	ask.name = c->interpreter;
	ask.deny_only = true;
	r = engine->ask(state, &ask, &interpreter);
	if (interpreter.refused)
		*ret = interpreter;
	return r;
}

static enum case_verdict asked_verdict(const struct asked *asked)
{
	if (asked->refused)
		return CASE_DENY;
	for (size_t i = 0; i < asked->n_layers; i++)
		if (asked->answers[i].verdict == LSMD_VERDICT_DENY)
			return CASE_AUDIT;
	return CASE_ALLOW;
}

/* The layers that give the verdict. */
static bool answer_counts(const struct lsmd_answer *answer, enum case_verdict verdict)
{
	if (verdict == CASE_ALLOW)
		return answer->verdict == LSMD_VERDICT_ALLOW;
	return answer->verdict == LSMD_VERDICT_DENY &&
	       answer->mode == (verdict == CASE_DENY ? LSMD_MODE_ENFORCE : LSMD_MODE_AUDIT);
}

static void asked_by(const struct policy_set *set, int r, const struct asked *asked, char *by, size_t size)
{
	enum case_verdict verdict = asked_verdict(asked);
	size_t n = 0;

	snprintf(by, size, "%s", r == ASK_TOO_MANY_LAYERS ? "layers-full" : "-");
	if (r)
		return;
	for (size_t i = 0; i < asked->n_layers; i++) {
		char one[256];

		if (!answer_counts(&asked->answers[i], verdict))
			continue;
		answer_by(set, &asked->answers[i], one, sizeof(one));
		if (n + strlen(one) + 2 < size)
			n += snprintf(by + n, size - n, "%s%s", n ? "," : "", one);
	}
}

static int case_check(const struct engine *engine, void *state, const struct policy_set *set,
		      const struct test_case *c, unsigned int number)
{
	struct asked asked = { 0 };
	char by[BY_MAX];
	enum case_verdict verdict;
	bool ok;
	int r;

	r = case_ask(engine, state, c, &asked);
	if (r < 0) {
		fprintf(stderr, "%s:%u: %s cannot answer: %s\n", c->table, c->line, engine->name, strerror(-r));
		return r;
	}
	verdict = r == ASK_TOO_MANY_LAYERS ? CASE_DENY : asked_verdict(&asked);
	asked_by(set, r, &asked, by, sizeof(by));
	ok = verdict == c->verdict && strcmp(by, c->by) == 0;
	printf("%sok %u - %s: %s:%u %s %.120s - %s\n", ok ? "" : "not ", number, engine->name, c->table, c->line,
	       c->access, c->object, c->text);
	if (ok)
		return 0;
	printf("# wanted %s by %s, got %s by %s\n", case_verdict_name(c->verdict), c->by, case_verdict_name(verdict),
	       by);
	asked_print(set, r, &asked, "# ", stdout);
	return 1;
}

static int case_run(struct loaded *loaded, const struct engine *const *engines, size_t n_engines,
		    const struct test_case *c, unsigned int *n_tests)
{
	int failed = 0;
	int r;

	if (c->no_core)
		return 0;
	r = loaded_for(loaded, engines, n_engines, c);
	if (r) {
		fprintf(stderr, "%s:%u: cannot load %s: %s\n", c->table, c->line, c->policies, strerror(-r));
		return r;
	}
	for (size_t i = 0; i < n_engines; i++) {
		r = case_check(engines[i], loaded->states[i], loaded->set, c, ++*n_tests);
		if (r < 0)
			return r;
		failed += r;
	}
	return failed;
}

int table_run(const struct engine *const *engines, size_t n_engines, const char *path, unsigned int *n_tests)
{
	struct loaded loaded = { 0 };
	struct case_table table;
	int failed = 0;
	int r;

	r = case_table_read(path, stderr, &table);
	if (r) {
		fprintf(stderr, "cannot read '%s': %s\n", path, strerror(-r));
		return r;
	}
	for (size_t i = 0; i < table.n_cases && r >= 0; i++) {
		r = case_run(&loaded, engines, n_engines, &table.cases[i], n_tests);
		failed += r > 0 ? r : 0;
	}
	loaded_clear(&loaded, engines, n_engines);
	case_table_free(&table);
	return r < 0 ? r : failed;
}
