// SPDX-License-Identifier: LGPL-2.1-or-later
/* Random sets and questions through all engines; what differs is shown as small as it can be made. */
#include "tests/engine/engine.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "agent/util/cleanup.h"
#include "tests/engine/print.h"
#include "tests/engine/random.h"
#include "tests/engine/shrink.h"

#define ENGINES_MAX 8
#define ASKS_PER_SET 40
#define SHOWN_MAX 3 /* differences of one engine that are shown */
#define SUFFIXES 6
#define MET_CASES 20000 /* questions from which on every kind of answer must have been met */

/* What the questions met: a run that never met something has not tested it. */
enum met {
	MET_RULE_ALLOW,
	MET_RULE_DENY,
	MET_DEFAULT_ALLOW,
	MET_DEFAULT_DENY,
	MET_TOO_DEEP,
	MET_WIDENS,
	MET_DIRECTORY_MOVED,
	MET_DEVICE_REFUSED,
	MET_ADDRESS_RULE,
	MET_NAME_RULE,
	MET_ABSTRACT_RULE,
	MET_NOBODY,
	MET_SEVERAL_LAYERS,
	MET_AUDIT_ONLY,
	MET_TOO_MANY_LAYERS,
	N_MET,
};

static const char *const met_names[N_MET] = {
	[MET_RULE_ALLOW] = "allowed by a rule",
	[MET_RULE_DENY] = "denied by a rule",
	[MET_DEFAULT_ALLOW] = "allowed by a default",
	[MET_DEFAULT_DENY] = "denied by a default",
	[MET_TOO_DEEP] = "too deep",
	[MET_WIDENS] = "rename widens",
	[MET_DIRECTORY_MOVED] = "directory moved",
	[MET_DEVICE_REFUSED] = "device refused by a default",
	[MET_ADDRESS_RULE] = "address found in a rule",
	[MET_NAME_RULE] = "numbered name found in a rule",
	[MET_ABSTRACT_RULE] = "abstract name found in a rule",
	[MET_NOBODY] = "held by nobody",
	[MET_SEVERAL_LAYERS] = "several layers",
	[MET_AUDIT_ONLY] = "refused in audit only",
	[MET_TOO_MANY_LAYERS] = "too many layers",
};

struct run {
	const struct engine *const *engines;
	size_t n_engines;
	struct random_pool pool;
	const struct policy_set *set;
	void *states[ENGINES_MAX];
	unsigned long set_number, seed;
	unsigned long n_cautious[ENGINES_MAX], n_unknown[ENGINES_MAX], n_different[ENGINES_MAX];
	unsigned long met[N_MET];
	unsigned long n_suffixes, n_suffixes_wrong;
	unsigned long n_too_large; /* sets that an engine could not take */
};

static void met_answer(struct run *run, const struct ask *ask, const struct lsmd_answer *answer)
{
	bool deny = answer->verdict == LSMD_VERDICT_DENY;

	if (answer->reason == LSMD_REASON_RULE) {
		run->met[deny ? MET_RULE_DENY : MET_RULE_ALLOW]++;
		run->met[MET_ADDRESS_RULE] += ask->object == LSMD_OBJECT_ADDRESS;
		run->met[MET_NAME_RULE] += ask->object == LSMD_OBJECT_NAME;
		run->met[MET_ABSTRACT_RULE] += ask->object == LSMD_OBJECT_ABSTRACT;
	}
	if (answer->reason == LSMD_REASON_DEFAULT)
		run->met[deny ? MET_DEFAULT_DENY : MET_DEFAULT_ALLOW]++;
	if (deny && answer->reason == LSMD_REASON_DEFAULT && ask->wanted & LSMD_ACCESS_DEVICES)
		run->met[MET_DEVICE_REFUSED]++;
	run->met[MET_TOO_DEEP] += answer->reason == LSMD_REASON_PATH_TOO_DEEP;
	run->met[MET_WIDENS] += answer->reason == LSMD_REASON_RENAME_WIDENS;
	run->met[MET_DIRECTORY_MOVED] += ask->directory && !deny;
}

static void met_count(struct run *run, const struct ask *ask, int r, const struct asked *asked)
{
	bool refuses = false;

	if (r == ASK_TOO_MANY_LAYERS) {
		run->met[MET_TOO_MANY_LAYERS]++;
		return;
	}
	for (size_t i = 0; i < asked->n_layers; i++) {
		met_answer(run, ask, &asked->answers[i]);
		refuses |= asked->answers[i].verdict == LSMD_VERDICT_DENY;
	}
	run->met[MET_NOBODY] += asked->n_layers == 0;
	run->met[MET_SEVERAL_LAYERS] += asked->n_layers > 1;
	run->met[MET_AUDIT_ONLY] += refuses && !asked->refused;
}

/* Answers of the first engine and of another one to the same question, everything loaded anew. */
static bool difference_shows(const struct policy_set *set, const struct ask *ask, void *context)
{
	const struct engine *const *engines = context;
	struct asked answers[2] = { 0 };
	int rs[2];

	for (int i = 0; i < 2; i++) {
		void *state;

		if (engines[i]->load(set, &state))
			return false;
		rs[i] = engines[i]->ask(state, ask, &answers[i]);
		engines[i]->unload(state);
	}
	return engine_compare(set, ask, rs[0], &answers[0], rs[1], &answers[1]) == ENGINE_DIFFERS;
}

static void case_print(const struct policy_set *set, const struct ask *ask)
{
	for (size_t i = 0; i < set->n_policies; i++) {
		_cleanup_free_ char *text = NULL;
		size_t size;
		FILE *file = open_memstream(&text, &size);

		if (!file)
			return;
		policy_print(&set->policies[i], file);
		if (fclose(file))
			return;
		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
			printf("#   %s\n", line);
	}
	printf("#   case: ");
	ask_print(ask, stdout);
	printf("\n");
}

/* The set is spoilt by this: the caller makes the next one. */
static void difference_show(struct run *run, size_t engine, const struct ask *ask)
{
	const struct engine *pair[2] = { run->engines[0], run->engines[engine] };
	struct policy_set set = *run->set;
	struct ask small = *ask;

	printf("# %s differs from the %s: set %lu of seed %lu\n", pair[1]->name, pair[0]->name, run->set_number,
	       run->seed);
	if (!difference_shows(&set, &small, pair)) {
		printf("# it does not show again when asked alone:\n");
		case_print(&set, &small);
		return;
	}
	shrink(&set, &small, difference_shows, pair);
	case_print(&set, &small);
	for (int i = 0; i < 2; i++) {
		struct asked asked = { 0 };
		void *state;
		int r;

		if (pair[i]->load(&set, &state))
			continue;
		r = pair[i]->ask(state, &small, &asked);
		printf("#   %s:\n", pair[i]->name);
		asked_print(&set, r, &asked, "#     ", stdout);
		pair[i]->unload(state);
	}
}

/* The same question about a name below @dir. */
static int below_ask(struct run *run, struct ask *below, struct ask_bytes dir, const char *suffix, struct asked *ret)
{
	size_t len = dir.len == 1 ? 0 : dir.len; /* below "/" there is no second slash */
	_cleanup_free_ char *name = malloc(len + strlen(suffix) + 1);

	if (!name)
		return -ENOMEM;
	memcpy(name, dir.bytes, len);
	strcpy(name + len, suffix);
	below->name = (struct ask_bytes){ name, len + strlen(suffix) };
	return naive_ask(run->set, below, ret);
}

/* Where the oracle lets a directory move, names below it must be answered alike: the one function against the other. */
static int suffix_try(struct run *run, const struct ask *ask, const struct asked *moved, struct random_source *random)
{
	static const char *const suffixes[] = { "/a", "/b", "/ab", "/a/b", "/.a", "/a/a/b", "/ba", "/c", "/foo" };
	const char *suffix = suffixes[random_below(random, sizeof(suffixes) / sizeof(suffixes[0]))];
	struct ask below = { .object = LSMD_OBJECT_PATH, .n_programs = ask->n_programs,
			     .known = ask->known, .uid = ask->uid, .gid = ask->gid, .cgroup = ask->cgroup };
	struct asked from = { 0 }, to = { 0 };
	int r;

	memcpy(below.programs, ask->programs, sizeof(below.programs));
	below.wanted = 1u << random_below(random, LSMD_VERB_EXEC + 1);
	if (random_below(random, 4) == 0)
		below.wanted = access_device(below.wanted);
	r = below_ask(run, &below, ask->name, suffix, &from);
	if (r == 0)
		r = below_ask(run, &below, ask->other, suffix, &to);
	for (size_t i = 0; i < moved->n_layers && r == 0; i++) {
		if (moved->answers[i].verdict == LSMD_VERDICT_DENY ||
		    from.answers[i].reason == LSMD_REASON_PATH_TOO_DEEP ||
		    to.answers[i].reason == LSMD_REASON_PATH_TOO_DEEP)
			continue;
		run->n_suffixes++;
		run->n_suffixes_wrong += from.answers[i].verdict != to.answers[i].verdict;
	}
	return r;
}

/* One question to all. 1: a difference was shown, and the set is spoilt; or a negative error. */
static int ask_all(struct run *run, const struct ask *ask, struct random_source *random)
{
	struct asked first = { 0 };
	int first_r = run->engines[0]->ask(run->states[0], ask, &first);

	if (first_r < 0)
		return first_r;
	met_count(run, ask, first_r, &first);
	for (int i = 0; i < SUFFIXES && ask->directory && first_r == 0; i++) {
		int r = suffix_try(run, ask, &first, random);

		if (r < 0)
			return r;
	}
	for (size_t i = 1; i < run->n_engines; i++) {
		struct asked other = { 0 };
		int r = run->engines[i]->ask(run->states[i], ask, &other);

		r = engine_compare(run->set, ask, first_r, &first, r, &other);
		if (r < 0)
			return r;
		run->n_cautious[i] += r == ENGINE_CAUTIOUS;
		run->n_unknown[i] += r == ENGINE_UNKNOWN;
		if (r == ENGINE_DIFFERS && run->n_different[i]++ < SHOWN_MAX) {
			difference_show(run, i, ask);
			return 1;
		}
	}
	return 0;
}

static void engines_unload(struct run *run)
{
	for (size_t i = 0; i < run->n_engines; i++)
		if (run->states[i])
			run->engines[i]->unload(run->states[i]);
	memset(run->states, 0, sizeof(run->states));
}

static int engines_load(struct run *run)
{
	int r = 0;

	for (size_t i = 0; i < run->n_engines && !r; i++) {
		r = run->engines[i]->load(run->set, &run->states[i]);
		if (r && r != -EFBIG) {
			printf("# %s cannot load set %lu of seed %lu: %s\n", run->engines[i]->name, run->set_number,
			       run->seed, strerror(-r));
			case_print(run->set, &(struct ask){ .object = LSMD_OBJECT_NONE });
		}
	}
	return r;
}

/* One set and its questions; each set has a seed of its own, so that it can be had again alone. */
static int set_run(struct run *run, unsigned long n_asks)
{
	struct random_source random = { .state = run->seed * 1000003 + run->set_number };
	struct policy_set set;
	size_t mark;
	int r;

	random_set(&random, &run->pool, &set);
	run->set = &set;
	r = engines_load(run);
	mark = random_pool_mark(&run->pool);
	for (unsigned long i = 0; i < n_asks && !r; i++) {
		struct ask ask;

		random_pool_back(&run->pool, mark);
		random_ask(&random, &run->pool, &set, &ask);
		r = ask_all(run, &ask, &random);
	}
	engines_unload(run);
	if (r == -EFBIG) {
		run->n_too_large++;
		return 0;
	}
	return r < 0 ? r : 0;
}

/* One line of TAP. Return: 0, or 1 when not ok. */
__attribute__((format(printf, 3, 4))) static int result(unsigned int *n_tests, bool ok, const char *format, ...)
{
	va_list args;

	printf("%sok %u - ", ok ? "" : "not ", ++*n_tests);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	return !ok;
}

static int engine_result(const struct run *run, size_t i, unsigned long n, unsigned int *n_tests)
{
	return result(n_tests, run->n_different[i] == 0,
		      "%s answers %lu random questions like the %s (seed %lu; different %lu, cautious %lu, untold %lu)",
		      run->engines[i]->name, n, run->engines[0]->name, run->seed, run->n_different[i],
		      run->n_cautious[i], run->n_unknown[i]);
}

static int results_print(const struct run *run, unsigned long n, unsigned int *n_tests)
{
	bool all_met = true;
	int failed = 0;

	for (size_t i = 1; i < run->n_engines; i++)
		failed += engine_result(run, i, n, n_tests);
	failed += result(n_tests, run->n_suffixes_wrong == 0,
			 "names below a moved directory keep their answers (%lu tried, %lu did not)", run->n_suffixes,
			 run->n_suffixes_wrong);
	/* Sets of many rules are one in fifty; some of these may be too large. */
	failed += result(n_tests, run->n_too_large <= 1 + run->set_number / 200,
			 "the compiler takes the sets (%lu of %lu are too large)", run->n_too_large, run->set_number);
	for (int i = 0; i < N_MET; i++) {
		printf("# %s: %lu\n", met_names[i], run->met[i]);
		all_met &= run->met[i] > 0;
	}
	if (n >= MET_CASES)
		failed += result(n_tests, all_met, "the questions met every kind of answer");
	return failed;
}

int random_run(const struct engine *const *engines, size_t n_engines, unsigned long n, unsigned long seed,
	       unsigned int *n_tests)
{
	struct run run = { .engines = engines, .n_engines = n_engines, .seed = seed };
	int r = 0;

	for (unsigned long done = 0; done < n && !r; done += ASKS_PER_SET, run.set_number++)
		r = set_run(&run, n - done < ASKS_PER_SET ? n - done : ASKS_PER_SET);
	if (!r)
		r = results_print(&run, n, n_tests);
	random_pool_free(&run.pool);
	return r;
}
