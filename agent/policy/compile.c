// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Every object of every rule goes to the tree of literal names, to the automaton of its layer or to its layer's addresses.
 * A mistake is noted and the next object is looked at, unless the set as a whole is too large.
 */
#include "agent/policy/compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/util/vec.h"

/* What a rule says, and for which policy: the context of its objects. */
struct speech {
	struct automaton *automaton;
	struct entry entry; /* without device twins */
	uint32_t twins; /* of entry.allow, given to names without wildcard in the last component */
};

static int refuse(struct compiler *compiler, const char *code, struct place place, const char *mend,
		  const char *message)
{
	diag_add(compiler->diags, DIAG_ERROR, code, place, mend, "%s", message);
	compiler->refused = true;
	return 0;
}

/* The tables alone are more than an image holds: there is no going on. */
static int refuse_size(struct compiler *compiler, struct place place)
{
	refuse(compiler, "image-too-large", place,
	       "name directories with a '/' at the end instead of the files in them",
	       "the policies up to here need more than the 256 MiB that an image may have");
	return COMPILE_REFUSED;
}

/* What is no name of a file: its bytes mean nothing, and run behind a '@'. */
static bool object_flat(const struct object *object)
{
	return object->kind == OBJECT_ABSTRACT || object->kind == OBJECT_UNIT;
}

static int automaton_refuse(struct compiler *compiler, struct automaton *automaton, uint32_t owner)
{
	automaton->full = true;
	compiler->n_costly++;
	return refuse(
		compiler, "pattern-too-costly", automaton->owners.items[owner]->place,
		"write '*' where '**' is not needed, fewer '?' and '*' behind a '**', or one rule for all patterns that "
		"begin with the same '**'",
		"the wildcards of this policy need too large an automaton, and this pattern most of it");
}

static void automaton_clear(struct automaton *automaton)
{
	nfa_clear(&automaton->nfa);
	free(automaton->owners.items);
	*automaton = (struct automaton){};
}

/* Number of the pattern that @object is; the names of one pattern come in a row. */
static int automaton_owner(struct automaton *automaton, const struct object *object, uint32_t *ret)
{
	const struct object **to;

	if (!automaton->owners.n || automaton->owners.items[automaton->owners.n - 1] != object) {
		to = vec_add(&automaton->owners);
		if (!to)
			return -ENOMEM;
		*to = object;
	}
	*ret = (uint32_t)automaton->owners.n - 1;
	return 0;
}

static int name_to_automaton(struct compiler *compiler, struct automaton *automaton, const struct object *object,
			     const struct glob_name *name, const struct entry *entry)
{
	uint32_t owner = 0;
	int r = automaton->nfa.nodes.n ? 0 : nfa_init(&automaton->nfa);

	if (!r)
		r = automaton_owner(automaton, object, &owner);
	if (!r && !automaton->full)
		r = nfa_add(&automaton->nfa, &compiler->glob, name, object_flat(object) ? '@' : 0, owner,
			    entry);
	return r > 0 ? automaton_refuse(compiler, automaton, owner) : r;
}

static int name_to_tree(struct compiler *compiler, enum lsmd_tree tree, const struct object *object,
			const struct glob_name *name, const struct entry *entry)
{
	unsigned int where = (name->form != GLOB_BELOW ? TREE_EXACT : 0) | (name->form != GLOB_EXACT ? TREE_BELOW : 0);
	int r = tree_add(&compiler->tree, tree, compiler->glob.bytes + name->first, name->n, where, entry);

	if (r == TREE_TOO_DEEP)
		return refuse(compiler, "pattern-too-deep", object->place,
			      "name a directory further up, with a '/' at the end",
			      "the name has more than 64 components: deeper names are never decided");
	return r == TREE_TOO_MANY ? refuse_size(compiler, object->place) : r;
}

static int pattern_add(struct compiler *compiler, enum lsmd_tree tree, const struct object *object,
		       const struct speech *speech)
{
	enum glob_kind kind = object_flat(object) ? GLOB_ABSTRACT : GLOB_PATH;
	struct glob_error error;
	int r = glob_read(&compiler->glob, object->bytes, object->len, kind, &error);

	if (r > 0)
		return refuse(compiler, "pattern", object->place, error.mend, error.message);
	for (size_t i = 0; !r && i < compiler->glob.n_names; i++) {
		const struct glob_name *name = &compiler->glob.names[i];
		struct entry entry = speech->entry;

		if (name->last_literal)
			entry.allow |= speech->twins;
		if (name->literal)
			r = name_to_tree(compiler, tree, object, name, &entry);
		else
			r = name_to_automaton(compiler, speech->automaton, object, name, &entry);
	}
	return r;
}

/* Where IPv4 lies. */
#define MAPPED ((unsigned __int128)0xffff00000000ull)

/*
 * A socket at the unspecified address takes what comes for every address: a deny of one of them reaches it too. The one of IPv6
 * stands for those of IPv4 as well, unless it was told not to.
 */
static int range_add_unspecified(struct compiler *compiler, const struct object *object, uint32_t deny, uint32_t rule)
{
	struct range range = {
		.protos = object->protos,
		.first_port = object->first_port,
		.last_port = object->last_port,
		.deny = deny,
		.rule = rule,
	};
	unsigned __int128 first = (unsigned __int128)object->first_hi << 64 | object->first_lo;
	unsigned __int128 last = (unsigned __int128)object->last_hi << 64 | object->last_lo;
	int r = addr_add(&compiler->addr, &range);

	if (r || last < MAPPED || first > (MAPPED | 0xffffffffu))
		return r;
	range.first = range.last = MAPPED;
	return addr_add(&compiler->addr, &range);
}

static int range_add(struct compiler *compiler, const struct object *object, const struct entry *entry)
{
	const struct range range = {
		.first = (unsigned __int128)object->first_hi << 64 | object->first_lo,
		.last = (unsigned __int128)object->last_hi << 64 | object->last_lo,
		.protos = object->protos,
		.first_port = object->first_port,
		.last_port = object->last_port,
		.allow = entry->allow,
		.deny = entry->deny,
		.rule = entry->rule,
	};

	int r = addr_add(&compiler->addr, &range);

	if (!r && entry->deny & LSMD_ACCESS_LOCAL)
		r = range_add_unspecified(compiler, object, entry->deny & LSMD_ACCESS_LOCAL, entry->rule);
	return r;
}

/* The part of a speech that is about some verbs only. */
static struct entry entry_of(const struct entry *entry, uint32_t access)
{
	struct entry part = *entry;

	part.allow &= access;
	part.deny &= access;
	return part;
}

static int root_add(struct compiler *compiler, enum lsmd_tree tree, unsigned int where, const struct entry *entry)
{
	return entry->allow | entry->deny ? tree_add(&compiler->tree, tree, "", 0, where, entry) : 0;
}

/* Whatever the verbs act on: all names, all addresses, and for verbs without object the root of the tree of none. */
static int everything_add(struct compiler *compiler, const struct speech *speech)
{
	static const struct object anywhere = {
		.kind = OBJECT_INET,
		.protos = (1u << LSMD_N_PROTOS) - 1,
		.last_hi = ~0ull,
		.last_lo = ~0ull,
		.last_port = UINT16_MAX,
	};
	const uint32_t addressed = LSMD_ACCESS_ADDRESSED;
	const uint32_t files = LSMD_ACCESS_FILES | LSMD_ACCESS_DEVICES | LSMD_ACCESS_EXEC | LSMD_ACCESS_MAP;
	struct entry named = entry_of(&speech->entry, files | addressed);
	struct entry sockets = entry_of(&speech->entry, addressed);
	struct entry others = entry_of(&speech->entry, ~(files | addressed) | LSMD_ACCESS_CODE);
	int r = root_add(compiler, LSMD_TREE_OBJECT, TREE_EXACT | TREE_BELOW, &named);

	if (!r)
		r = root_add(compiler, LSMD_TREE_ABSTRACT, TREE_EXACT | TREE_BELOW, &sockets);
	if (!r)
		r = root_add(compiler, LSMD_TREE_NAME, TREE_EXACT | TREE_BELOW, &others);
	if (!r && sockets.allow | sockets.deny)
		r = range_add(compiler, &anywhere, &sockets);
	return r;
}

/* A name of fewer components than the hooks give means all that goes on with it. */
static int tree_add_name(struct compiler *compiler, const struct object *object, const struct entry *entry)
{
	int r = tree_add(&compiler->tree, LSMD_TREE_NAME, object->bytes, object->len, TREE_EXACT | TREE_BELOW, entry);

	return r == TREE_TOO_MANY ? refuse_size(compiler, object->place) : r;
}

static int object_add(struct compiler *compiler, const struct object *object, const struct speech *speech)
{
	struct entry code = entry_of(&speech->entry, LSMD_ACCESS_CODE);

	switch (object->kind) {
	case OBJECT_PATH:
	case OBJECT_UNIX:
		return pattern_add(compiler, LSMD_TREE_OBJECT, object, speech);
	case OBJECT_ABSTRACT:
		return pattern_add(compiler, LSMD_TREE_ABSTRACT, object, speech);
	case OBJECT_INET:
		return range_add(compiler, object, &speech->entry);
	case OBJECT_NAME:
		return tree_add_name(compiler, object, &speech->entry);
	case OBJECT_ALL:
		return everything_add(compiler, speech);
	case OBJECT_ANONYMOUS:
		return root_add(compiler, LSMD_TREE_NONE, TREE_EXACT, &code);
	case OBJECT_UNIT:
		break; /* of subjects, which are compiled otherwise */
	}
	return -EINVAL;
}

/* The twins of an access, see access.h. */
static uint32_t access_twins(uint32_t access)
{
	return access_device(access) & LSMD_ACCESS_DEVICES;
}

static int rule_compile(struct compiler *compiler, const struct rule *rule, uint32_t layer, uint32_t number)
{
	struct speech speech = {
		.automaton = &compiler->names,
		.entry = { .layer = layer, .rule = number },
	};
	int r = 0;

	if (rule->deny)
		speech.entry.deny = rule->access | access_twins(rule->access);
	else
		speech.entry.allow = rule->access;
	speech.twins = access_twins(speech.entry.allow);
	for (size_t i = 0; !r && i < rule->n_objects; i++)
		r = object_add(compiler, &rule->objects[i], &speech);
	return r;
}


/* Each automaton that grows too large takes its time: behind so many of them no more are tried. */
#define COSTLY_MAX 4

/* The patterns become an automaton of the image. @start and @bytemap stay 0 when there are none. */
static int automaton_close(struct compiler *compiler, struct automaton *automaton, uint32_t *start, uint32_t *bytemap)
{
	struct dfa dfa = {};
	uint32_t costliest = 0;
	int r;

	if (!automaton->owners.n || automaton->full || compiler->n_costly >= COSTLY_MAX) {
		automaton_clear(automaton);
		return 0;
	}
	r = dfa_build(&automaton->nfa, &compiler->classes, &costliest, &dfa);
	if (r > 0) {
		r = automaton_refuse(compiler, automaton, costliest);
	} else if (!r) {
		r = comb_add(&compiler->comb, &dfa, start, bytemap);
		dfa_clear(&dfa);
		if (r > 0)
			r = refuse_size(compiler, automaton->owners.items[0]->place);
	}
	automaton_clear(automaton);
	return r;
}

/* Patterns that only this layer is asked about: all of their names go to its automaton, literal ones too. */
static int selector_add(struct compiler *compiler, const struct object *object, const struct entry *entry)
{
	enum glob_kind kind = object_flat(object) ? GLOB_ABSTRACT : GLOB_PATH;
	struct glob_error error;
	int r = glob_read(&compiler->glob, object->bytes, object->len, kind, &error);

	if (r > 0)
		return refuse(compiler, "pattern", object->place, error.mend, error.message);
	for (size_t i = 0; !r && i < compiler->glob.n_names; i++)
		r = name_to_automaton(compiler, &compiler->selectors, object, &compiler->glob.names[i], entry);
	return r;
}

static int selectors_compile(struct compiler *compiler, const struct object *objects, size_t n, uint32_t layer,
			     uint32_t *start, uint32_t *bytemap)
{
	const struct entry entry = { .layer = layer, .allow = ~0u };
	int r = 0;

	for (size_t i = 0; !r && i < n; i++)
		r = selector_add(compiler, &objects[i], &entry);
	return r ? r : automaton_close(compiler, &compiler->selectors, start, bytemap);
}

static int ids_compile(struct compiler *compiler, const struct lsmd_ids *ids, size_t n, uint32_t *first, uint32_t *ret_n)
{
	*first = (uint32_t)compiler->ids.n;
	*ret_n = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		struct lsmd_ids *to = vec_add(&compiler->ids);

		if (!to)
			return -ENOMEM;
		*to = ids[i];
	}
	return 0;
}

/* What the layer asks for beside the program. */
static int subject_fill(struct compiler *compiler, const struct policy *policy, uint32_t layer, struct lsmd_subject *subject)
{
	int r = ids_compile(compiler, policy->uids, policy->n_uids, &subject->uids, &subject->n_uids);

	subject->selects = (policy->n_uids ? LSMD_SELECT_UID : 0) | (policy->n_gids ? LSMD_SELECT_GID : 0) |
			   (policy->n_cgroups ? LSMD_SELECT_CGROUP : 0) | (policy->n_units ? LSMD_SELECT_UNIT : 0);
	if (!r)
		r = ids_compile(compiler, policy->gids, policy->n_gids, &subject->gids, &subject->n_gids);
	if (!r)
		r = selectors_compile(compiler, policy->cgroups, policy->n_cgroups, layer, &subject->cgroup_dfa,
				      &subject->cgroup_map);
	if (!r)
		r = selectors_compile(compiler, policy->units, policy->n_units, layer, &subject->unit_dfa,
				      &subject->unit_map);
	compiler->selects |= subject->selects;
	return r;
}

/* Who the layer is proposed to: by its programs, or to everybody. A policy that is off holds nobody. */
static int subject_propose(struct compiler *compiler, const struct policy *policy, uint32_t layer)
{
	const struct speech speech = {
		.automaton = &compiler->subjects,
		.entry = { .layer = layer, .allow = ~0u },
	};
	struct entry *to;
	int r = 0;

	if (policy->mode == LSMD_MODE_OFF)
		return 0;
	for (size_t i = 0; !r && i < policy->n_exes; i++)
		r = pattern_add(compiler, LSMD_TREE_SUBJECT, &policy->exes[i], &speech);
	if (r || policy->n_exes)
		return r;
	to = vec_add(&compiler->anybody);
	if (!to)
		return -ENOMEM;
	*to = speech.entry;
	return 0;
}

static int subject_compile(struct compiler *compiler, const struct policy *policy, uint32_t layer)
{
	struct lsmd_subject *subject = vec_add(&compiler->subjects_made);
	int r;

	if (!subject)
		return -ENOMEM;
	*subject = (struct lsmd_subject){};
	r = subject_fill(compiler, policy, layer, subject);
	return r ? r : subject_propose(compiler, policy, layer);
}

static int addresses_close(struct compiler *compiler, const struct policy *policy, struct lsmd_layer *layer)
{
	uint32_t costliest = 0;
	int r = addr_close(&compiler->addr, &compiler->classes, &costliest, &layer->net);

	if (r <= 0)
		return r;
	return refuse(compiler, "addresses-too-many", policy->rules[costliest - layer->first_rule - 1].place,
		      "join neighbouring networks and port ranges, or let fewer of them overlap",
		      "the addresses of this policy overlap in too many ways, and those of this rule in most");
}

/* Which verbs are refused when they cannot be decided: classes that deny anything, as a whole (MEANING.md 4). */
static uint32_t policy_undecided(const struct policy *policy)
{
#define X(constant, name, class) [LSMD_VERB_##constant] = LSMD_CLASS_##class,
	static const enum lsmd_class_id class_of[] = { LSMD_VERBS(X) };
#undef X
	uint32_t denied = policy->default_deny, of_class[LSMD_N_CLASSES] = {}, undecided = 0;

	for (size_t i = 0; i < policy->n_rules; i++)
		if (policy->rules[i].deny)
			denied |= policy->rules[i].access;
	for (unsigned int v = 0; v < LSMD_N_VERBS; v++)
		of_class[class_of[v]] |= 1u << v;
	for (unsigned int c = 0; c < LSMD_N_CLASSES; c++)
		if (denied & of_class[c])
			undecided |= of_class[c];
	return undecided | access_twins(undecided);
}

/* May an append-only descriptor be worth more than a writable one? Yes is never wrong. */
static bool access_appends_only(uint32_t allowed)
{
	return (allowed & (LSMD_ACCESS_APPEND | LSMD_ACCESS_WRITE)) == LSMD_ACCESS_APPEND;
}

static uint32_t policy_flags(const struct policy *policy)
{
	uint32_t flags = policy->children ? LSMD_LAYER_CHILDREN : 0;
	bool append_only = access_appends_only(~policy->default_deny);

	for (size_t i = 0; i < policy->n_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (!rule->deny && rule->log)
			flags |= LSMD_LAYER_LOGS_ALLOW;
		append_only |= access_appends_only(rule->deny ? ~rule->access : rule->access);
	}
	return flags | (append_only ? LSMD_LAYER_APPEND_ONLY : 0);
}

/* One pseudo rule for all verbs, or a row of them. */
static int default_rule(struct compiler *compiler, const uint32_t by_verb[32], struct lsmd_layer *layer)
{
	layer->n_rules = (uint32_t)compiler->rulebook.rules.n - layer->first_rule;
	layer->default_rule = layer->first_rule;
	for (unsigned int bit = 0; bit < 32; bit++)
		if (by_verb[bit] != layer->first_rule)
			return row_intern(&compiler->classes, by_verb, &layer->default_rule);
	return 0;
}

static int layer_describe(struct compiler *compiler, const struct policy *policy, struct lsmd_layer *layer)
{
	uint32_t by_verb[32];
	int r;

	layer->key = lsmd_policy_key(policy->name);
	layer->mode = policy->mode;
	layer->flags = policy_flags(policy);
	layer->default_deny = policy->default_deny | access_twins(policy->default_deny);
	layer->undecided = policy_undecided(policy);
	if (policy->mode == LSMD_MODE_ENFORCE)
		compiler->undecided |= layer->undecided;
	layer->file = compiler->rulebook.files[policy->place.file];
	r = rulebook_string(&compiler->rulebook, policy->name, &layer->name);
	if (!r)
		r = rulebook_add(&compiler->rulebook, policy, &layer->first_rule, by_verb);
	if (!r)
		r = default_rule(compiler, by_verb, layer);
	return r > 0 ? refuse_size(compiler, policy->place) : r;
}

static int layer_compile(struct compiler *compiler, const struct policy *policy)
{
	uint32_t number = (uint32_t)compiler->layers.n;
	struct lsmd_layer made = {}, *layer;
	int r = layer_describe(compiler, policy, &made);

	if (!r)
		r = subject_compile(compiler, policy, number);
	for (size_t i = 0; !r && i < policy->n_rules; i++)
		r = rule_compile(compiler, &policy->rules[i], number, made.first_rule + 1 + (uint32_t)i);
	if (!r)
		r = automaton_close(compiler, &compiler->names, &made.dfa, &made.bytemap);
	if (!r)
		r = addresses_close(compiler, policy, &made);
	if (r)
		return r;
	layer = vec_add(&compiler->layers);
	if (!layer)
		return -ENOMEM;
	*layer = made;
	return 0;
}

/* What all subjects share. */
static int subjects_close(struct compiler *compiler)
{
	int r = automaton_close(compiler, &compiler->subjects, &compiler->subject_dfa, &compiler->subject_map);

	if (!r && compiler->anybody.n)
		r = class_make(&compiler->classes, 0, LSMD_INHERIT_MAX, compiler->anybody.items, compiler->anybody.n,
			       &compiler->subject_any);
	return r > 0 ? refuse_size(compiler, (struct place){}) : r;
}

static int layers_compile(struct compiler *compiler)
{
	const struct policy_set *set = compiler->set;

	if (set->n_policies > LSMD_POLICIES_MAX) {
		refuse(compiler, "policies-too-many", set->policies[LSMD_POLICIES_MAX].place, NULL,
		       "this would be policy number 65537: a set holds at most 65536");
		return COMPILE_REFUSED;
	}
	for (size_t i = 0; i < set->n_policies; i++) {
		int r = layer_compile(compiler, &set->policies[i]);

		if (r)
			return r;
	}
	return subjects_close(compiler);
}

/* What needs all layers: the classes of the tree and the places of its nodes. */
static int tree_compile(struct compiler *compiler)
{
	struct tree *tree = &compiler->tree;
	int r;

	if (compiler->refused)
		return COMPILE_REFUSED;
	r = tree_close(tree, &compiler->classes);
	dedupe_clear(&compiler->classes.known_classes);
	if (!r)
		r = comb_finish(&compiler->comb);
	if (!r)
		r = hash_build(tree->nodes.items + LSMD_N_TREES, tree->nodes.n - LSMD_N_TREES, &compiler->hash);
	return r > 0 ? refuse_size(compiler, (struct place){}) : r;
}

int compile_set(struct compiler *compiler, const struct policy_set *set, struct diags *diags)
{
	int r;

	compiler->set = set;
	compiler->diags = diags;
	if (class_table_init(&compiler->classes) || tree_init(&compiler->tree) || comb_init(&compiler->comb) ||
	    addr_init(&compiler->addr))
		return -ENOMEM;
	r = rulebook_init(&compiler->rulebook, set);
	if (!r)
		r = layers_compile(compiler);
	return r ? r : tree_compile(compiler);
}

void compiler_clear(struct compiler *compiler)
{
	class_table_clear(&compiler->classes);
	tree_clear(&compiler->tree);
	comb_clear(&compiler->comb);
	addr_clear(&compiler->addr);
	rulebook_clear(&compiler->rulebook);
	hash_clear(&compiler->hash);
	glob_clear(&compiler->glob);
	automaton_clear(&compiler->names);
	automaton_clear(&compiler->subjects);
	automaton_clear(&compiler->selectors);
	free(compiler->subjects_made.items);
	free(compiler->ids.items);
	free(compiler->anybody.items);
	compiler->subjects_made.items = NULL;
	compiler->ids.items = NULL;
	free(compiler->layers.items);
	compiler->layers.items = NULL;
}
