// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * image_diff() held against lsm/core: pairs of random sets, one a change of the other more often than not. What it tells must differ
 * when it is asked for by program and name; what a random question finds to differ it must have told, by a name that is not
 * longer; over a small alphabet all names are tried; and sets that are the same by construction must come out so.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/diff.h"
#include "agent/policy/image.h"
#include "tests/engine/engine-core.h"
#include "tests/engine/engine.h"
#include "tests/engine/print.h"
#include "tests/engine/random.h"

#define PROBES 400 /* random questions a pair */
#define BRUTE_EVERY 25 /* pairs of which one has all short names tried */
#define BRUTE_LEN 4

/* How the second set comes from the first. Those up to SAME_LAST mean the same. */
enum change {
	CHANGE_NONE,
	CHANGE_ORDER,
	CHANGE_TWICE,
	CHANGE_CUT, /* "/d/" of a deny becomes "/d" and what lies below */
	SAME_LAST = CHANGE_CUT,
	CHANGE_DROP,
	CHANGE_FLIP,
	CHANGE_VERBS,
	CHANGE_DEFAULT,
	CHANGE_OTHER, /* another set altogether */
	N_CHANGES,
};

struct pair {
	struct random_source random;
	struct random_pool pools[2];
	struct policy_set sets[2];
	struct core_image images[2];
	struct diff diff;
	enum change change;
	unsigned long number, seed;
	unsigned long n_changes, n_same, n_probes, n_brute, n_differ;
};

static void *take(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (!memory)
		abort();
	return memory;
}

static void rules_shuffle(struct pair *pair, struct policy *policy)
{
	for (size_t i = policy->n_rules; i > 1; i--) {
		size_t k = random_below(&pair->random, i);
		struct rule rule = policy->rules[i - 1];

		policy->rules[i - 1] = policy->rules[k];
		policy->rules[k] = rule;
	}
}

/* "/d/" as "/d" and "/d/" with two stars; the objects stand in memory of their own. */
static void rule_cut(struct rule *rule)
{
	struct object *objects = take(2 * rule->n_objects * sizeof(*objects));
	size_t n = 0;

	for (size_t i = 0; i < rule->n_objects; i++) {
		struct object *object = &objects[n++];
		size_t len = rule->objects[i].len;
		char *below;

		*object = rule->objects[i];
		if (object->kind != OBJECT_PATH || len < 2 || object->bytes[len - 1] != '/' || object->bytes[len - 2] == '\\')
			continue;
		object->len--;
		below = take(len + 3);
		memcpy(below, rule->objects[i].bytes, len);
		memcpy(below + len, "**", 2);
		objects[n] = rule->objects[i];
		objects[n].bytes = below;
		objects[n].place.file = ~0u; /* its bytes are its own: pair_clear() */
		objects[n++].len = len + 2;
	}
	rule->objects = objects;
	rule->n_objects = n;
}

static void policy_change(struct pair *pair, struct policy *policy)
{
	struct rule *rule = policy->n_rules ? &policy->rules[random_below(&pair->random, policy->n_rules)] : NULL;

	switch (pair->change) {
	case CHANGE_ORDER:
		rules_shuffle(pair, policy);
		break;
	case CHANGE_TWICE:
		if (rule)
			policy->rules[policy->n_rules++] = *rule;
		break;
	case CHANGE_CUT:
		for (size_t i = 0; i < policy->n_rules; i++)
			if (policy->rules[i].deny)
				rule_cut(&policy->rules[i]);
		break;
	case CHANGE_DROP:
		if (rule)
			*rule = policy->rules[--policy->n_rules];
		break;
	case CHANGE_FLIP:
		if (rule)
			rule->deny = !rule->deny;
		break;
	case CHANGE_VERBS:
		if (rule && rule->access & LSMD_ACCESS_FILES)
			rule->access ^= rule->access == LSMD_ACCESS_READ ? LSMD_ACCESS_LINK | LSMD_ACCESS_READ
									  : rule->access & -rule->access;
		break;
	case CHANGE_DEFAULT:
		policy->default_deny ^= 1u << random_below(&pair->random, LSMD_VERB_SETATTR);
		break;
	default:
		break;
	}
}

/* Which of two denies kills depends on their order. */
static void kills_clear(struct policy_set *set)
{
	for (size_t i = 0; i < set->n_policies; i++)
		for (size_t k = 0; k < set->policies[i].n_rules; k++)
			set->policies[i].rules[k].kill = false;
}

/* The second set shares what it can with the first. */
static void pair_make(struct pair *pair)
{
	struct policy_set *from = &pair->sets[0], *to = &pair->sets[1];

	random_set(&pair->random, &pair->pools[0], from);
	pair->change = random_below(&pair->random, N_CHANGES);
	if (pair->change == CHANGE_OTHER) {
		random_set(&pair->random, &pair->pools[1], to);
		return;
	}
	if (pair->change <= SAME_LAST)
		kills_clear(from);
	*to = *from;
	to->policies = take(from->n_policies * sizeof(*to->policies));
	memcpy(to->policies, from->policies, from->n_policies * sizeof(*to->policies));
	for (size_t i = 0; i < to->n_policies; i++) {
		struct policy *policy = &to->policies[i];

		policy->rules = take((policy->n_rules + 1) * sizeof(*policy->rules));
		memcpy(policy->rules, from->policies[i].rules, policy->n_rules * sizeof(*policy->rules));
		if (pair->change <= SAME_LAST || random_below(&pair->random, 2))
			policy_change(pair, policy);
	}
}

/* What it took: of a cut rule each pattern that was written anew, and the objects. */
static void pair_clear(struct pair *pair)
{
	struct policy_set *set = &pair->sets[1];

	for (size_t i = 0; i < set->n_policies && pair->change != CHANGE_OTHER; i++) {
		struct policy *policy = &set->policies[i];

		for (size_t k = 0; k < policy->n_rules && pair->change == CHANGE_CUT; k++) {
			struct rule *rule = &policy->rules[k];

			if (!rule->deny)
				continue;
			for (size_t o = 0; o < rule->n_objects; o++)
				if (o && rule->objects[o].len > 2 && rule->objects[o].kind == OBJECT_PATH &&
				    rule->objects[o].place.file == ~0u)
					free((char *)rule->objects[o].bytes);
			free(rule->objects);
		}
		free(policy->rules);
	}
	if (pair->change != CHANGE_OTHER)
		free(set->policies);
	for (int s = 0; s < 2; s++)
		core_image_clear(&pair->images[s]);
	diff_clear(&pair->diff);
}

static void pair_show(const struct pair *pair, const char *what, const struct ask *ask)
{
	printf("# pair %lu of seed %lu, change %d: %s\n# ", pair->number, pair->seed, pair->change, what);
	if (ask)
		ask_print(ask, stdout);
	putchar('\n');
	for (int s = 0; s < 2; s++)
		for (size_t i = 0; i < pair->sets[s].n_policies; i++)
			policy_print(&pair->sets[s].policies[i], stdout);
}

/* Both answers; false where one side cannot be asked. */
static bool both_ask(const struct pair *pair, const struct ask *ask, enum diff_answer answers[2])
{
	for (int s = 0; s < 2; s++) {
		int r = diff_answer(pair->images[s].image, ask, &answers[s]);

		if (r)
			return false;
	}
	return true;
}

/* Who holds the program, on both sides. */
static bool layers_ask(const struct pair *pair, const struct ask *ask, struct diff_layers layers[2])
{
	for (int s = 0; s < 2; s++) {
		struct asked asked = { 0 };
		int r = image_ask(pair->images[s].image, ask, &asked);

		if (r)
			return false;
		layers[s] = (struct diff_layers){ .n = asked.n_layers };
		for (size_t i = 0; i < asked.n_layers; i++) {
			size_t at = i;

			for (; at && layers[s].ids[at - 1] > asked.layers[i]; at--)
				layers[s].ids[at] = layers[s].ids[at - 1];
			layers[s].ids[at] = asked.layers[i];
		}
	}
	return true;
}

static size_t ask_len(const struct ask *ask)
{
	return ask->object == LSMD_OBJECT_ADDRESS ? 0 : ask->name.len + ask->other.len;
}

/* A name that cannot be decided is told by its class. */
static bool undecided(const struct pair *pair, const struct ask *ask)
{
	for (int s = 0; s < 2; s++) {
		struct asked asked = { 0 };

		if (image_ask(pair->images[s].image, ask, &asked) || !asked.n_layers)
			continue;
		return asked.answers[0].reason == LSMD_REASON_PATH_TOO_DEEP ||
		       asked.answers[0].reason == LSMD_REASON_PATH_TOO_LONG;
	}
	return false;
}

/* A numbered name is told by all names of its verb, which is none. */
static bool shorter_number(const struct ask *told, const struct ask *ask)
{
	return told->object == LSMD_OBJECT_NONE && ask->object == LSMD_OBJECT_NAME;
}

/* A difference that was told, for these layers and this way of asking, by a name that is not longer. */
static bool told(const struct pair *pair, const struct diff_layers layers[2], const struct ask *ask)
{
	for (size_t i = 0; i < pair->diff.changes.n; i++) {
		const struct diff_change *change = &pair->diff.changes.items[i];
		const struct diff_domain *domain = &pair->diff.domains.items[change->domain];

		if (memcmp(domain->layers, layers, sizeof(domain->layers)))
			continue;
		if (change->kind == DIFF_UNDECIDED && undecided(pair, ask))
			return true;
		/* A device twin that differs where its verb does is not told again. */
		if ((change->ask.object != ask->object && !shorter_number(&change->ask, ask)) || change->kind != DIFF_ACCESS ||
		    (change->ask.wanted != ask->wanted && change->ask.wanted != access_plain(ask->wanted)))
			continue;
		/* A verb that differs at a name alone is not asked with two. */
		if (ask_len(&change->ask) <= ask_len(ask) && (!change->ask.other.len || change->ask.exchange == ask->exchange))
			return true;
	}
	return false;
}

/* Return: 1: a difference that was not told */
static int probe(struct pair *pair, const struct ask *ask)
{
	struct diff_layers layers[2];
	enum diff_answer answers[2];

	if (!both_ask(pair, ask, answers))
		return 0;
	pair->n_probes++;
	if (answers[0] == answers[1])
		return 0;
	pair->n_differ++;
	if (!layers_ask(pair, ask, layers) || told(pair, layers, ask))
		return 0;
	pair_show(pair, "a difference, or a shorter one, was not told", ask);
	return 1;
}

/* One verb, one program, no directory: what is compared. */
static void probe_narrow(struct ask *ask)
{
	ask->n_programs = 1;
	ask->deny_only = false;
	ask->directory = false;
	ask->replaces = false;
	if (ask->other.len)
		ask->wanted &= ~LSMD_ACCESS_DEVICES;
	ask->wanted &= -ask->wanted;
}

static int probes(struct pair *pair)
{
	size_t mark[2] = { random_pool_mark(&pair->pools[0]), random_pool_mark(&pair->pools[1]) };
	int r = 0;

	for (int i = 0; i < PROBES && !r; i++) {
		int s = pair->change == CHANGE_OTHER ? i & 1 : 0;
		struct ask ask;

		random_pool_back(&pair->pools[s], mark[s]);
		random_ask(&pair->random, &pair->pools[s], &pair->sets[s], &ask);
		probe_narrow(&ask);
		r = probe(pair, &ask);
	}
	return r;
}

/* Every name of @len bytes over a few. */
static int brute_len(struct pair *pair, const struct diff_domain *domain, size_t len)
{
	static const char alphabet[] = "ab/.c";
	static const uint32_t verbs[] = { LSMD_ACCESS_READ, LSMD_ACCESS_WRITE, LSMD_ACCESS_DELETE, LSMD_ACCESS_LINK,
					  LSMD_ACCESS_EXEC, LSMD_ACCESS_DEVICE_READ };
	char name[BRUTE_LEN + 1] = "/";
	struct ask ask = { .programs = { domain->program }, .n_programs = 1, .object = LSMD_OBJECT_PATH, .name = { name, len } };
	size_t n = 1;
	int r = 0;

	for (size_t i = 1; i < len; i++)
		n *= sizeof(alphabet) - 1;
	for (size_t i = 0; i < n && !r; i++) {
		size_t rest = i;

		for (size_t k = 1; k < len; k++, rest /= sizeof(alphabet) - 1)
			name[k] = alphabet[rest % (sizeof(alphabet) - 1)];
		name[len] = '\0';
		if (strstr(name, "//") || strstr(name, "/./") || strstr(name, "/../") || (len > 1 && name[len - 1] == '/') ||
		    !strcmp(name + len - (len > 1 ? 2 : 1), "/.") || (len > 2 && !strcmp(name + len - 3, "/..")))
			continue;
		for (size_t v = 0; v < sizeof(verbs) / sizeof(*verbs) && !r; v++) {
			ask.wanted = verbs[v];
			r = probe(pair, &ask);
			pair->n_brute++;
		}
	}
	return r;
}

static int brute(struct pair *pair)
{
	int r = 0;

	for (size_t i = 0; i < pair->diff.domains.n && i < 4; i++) {
		const struct diff_domain *domain = &pair->diff.domains.items[i];

		for (size_t len = 1; len <= BRUTE_LEN && domain->program.len && !domain->started && !r; len++)
			r = brute_len(pair, domain, len);
	}
	return r;
}

/* What was told is asked again, by the name of a program of the domain. */
static int changes_check(struct pair *pair)
{
	for (size_t i = 0; i < pair->diff.changes.n; i++) {
		const struct diff_change *change = &pair->diff.changes.items[i];
		const struct diff_domain *domain = &pair->diff.domains.items[change->domain];
		struct ask ask = change->ask;
		enum diff_answer answers[2];

		pair->n_changes++;
		if (change->kind != DIFF_ACCESS || domain->started)
			continue;
		ask.programs[0] = domain->program;
		ask.n_programs = 1;
		if (!both_ask(pair, &ask, answers) || answers[0] == answers[1] || answers[0] != change->answers[0] ||
		    answers[1] != change->answers[1]) {
			pair_show(pair, "what was told to differ does not", &ask);
			return 1;
		}
	}
	return 0;
}

static int pair_check(struct pair *pair)
{
	int r;

	r = image_diff(pair->images[0].image, pair->images[1].image, &pair->diff);
	if (r)
		return r;
	if (pair->diff.incomplete)
		return 0;
	if (pair->change <= SAME_LAST && pair->diff.changes.n) {
		pair_show(pair, "the same by construction, and a difference was told", &pair->diff.changes.items[0].ask);
		return 1;
	}
	pair->n_same += !pair->diff.changes.n;
	r = changes_check(pair);
	if (!r)
		r = probes(pair);
	return r || pair->number % BRUTE_EVERY ? r : brute(pair);
}

/* Return: 1: something was wrong, and shown; or a negative error */
static int pair_run(struct pair *pair)
{
	int r = 0;

	pair->random = (struct random_source){ .state = pair->seed * 2000003 + pair->number };
	pair_make(pair);
	for (int s = 0; s < 2 && !r; s++)
		r = core_image_make(&pair->sets[s], &pair->images[s]);
	if (!r)
		r = pair_check(pair);
	pair_clear(pair);
	return r == -EFBIG ? 0 : r;
}

int diff_run(unsigned long n, unsigned long seed, unsigned int *n_tests)
{
	struct pair pair = { .seed = seed };
	int r = 0;

	for (; pair.number < n && !r; pair.number++)
		r = pair_run(&pair);
	if (r >= 0)
		printf("%sok %u - image_diff() is right of %lu pairs of sets (seed %lu; told %lu, same %lu; asked %lu, of them all short "
		       "names %lu, differing %lu)\n",
		       r ? "not " : "", ++*n_tests, pair.number, seed, pair.n_changes, pair.n_same, pair.n_probes, pair.n_brute,
		       pair.n_differ);
	for (int s = 0; s < 2; s++)
		random_pool_free(&pair.pools[s]);
	return r;
}
