// SPDX-License-Identifier: LGPL-2.1-or-later
/* Compiled policies, asked about every name that they tell apart. */
#include "agent/policy/lint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/differ-said.h"
#include "agent/policy/text.h"
#include "agent/policy/walk.h"
#include "agent/util/buf.h"
#include "agent/util/cleanup.h"

#define RECORDS(image, section, type) ((const type *)((const char *)(image) + (image)->section.off))

struct linter {
	const struct policy_set *set;
	const struct lsmd_image_header *image;
	struct diags *diags;
	const struct policy *policy;
	uint32_t layer;
	bool *decides; /* by number of the rule in its policy, from 1 on */
	bool said_write_exec;
	struct arena memory;
};

static void rule_mark(struct linter *linter, uint32_t rule)
{
	const struct lsmd_layer *layer = &RECORDS(linter->image, layers, struct lsmd_layer)[linter->layer];

	if (rule > layer->first_rule && rule - layer->first_rule <= linter->policy->n_rules)
		linter->decides[rule - layer->first_rule] = true;
}

/* The rules that decide here, one a verb: a deny, else an allow. */
static void said_mark(struct linter *linter, const struct lsmd_said *said)
{
	const uint32_t deny = said->cell[0].deny | said->cell[1].deny;
	const uint32_t allow = said->cell[0].allow | said->cell[1].allow;
	struct lsmd_view view;

	view_open(&view, (uintptr_t)linter->image);
	for (unsigned int bit = 0; bit < 32; bit++)
		if ((deny | allow) >> bit & 1)
			rule_mark(linter, said_rule(&view, said, bit, deny >> bit & 1));
}

static bool said_before(const struct diags *diags, const struct place *place, const char *code, const char *other)
{
	for (size_t i = 0; i < diags->n_diags; i++) {
		const struct diag *diag = &diags->diags[i];

		if (diag->place.file == place->file && diag->place.line == place->line &&
		    (!strcmp(diag->code, code) || (other && !strcmp(diag->code, other))))
			return true;
	}
	return false;
}

static const struct rule *allowing(const struct linter *linter, const struct lsmd_said *said, unsigned int bit)
{
	const struct lsmd_layer *layer = &RECORDS(linter->image, layers, struct lsmd_layer)[linter->layer];
	struct lsmd_view view;
	uint32_t rule;

	view_open(&view, (uintptr_t)linter->image);
	rule = said_rule(&view, said, bit, 0);
	return rule > layer->first_rule && rule - layer->first_rule <= linter->policy->n_rules ? &linter->policy->rules[rule - layer->first_rule - 1] : NULL;
}

/* Two rules together allow what neither says alone: one writes, one executes. Said once a policy, by the shortest name. */
static int write_exec_check(struct linter *linter, const struct walk *walk, const struct lsmd_said *said)
{
	const uint32_t allowed = (said->cell[0].allow | said->cell[1].allow) & ~(said->cell[0].deny | said->cell[1].deny);
	const struct rule *write, *exec;
	_cleanup_buf_ struct buf text = {};
	const char *name;
	size_t len;

	if (linter->said_write_exec || !(allowed & LSMD_ACCESS_EXEC) || !(allowed & LSMD_ACCESS_WRITE))
		return 0;
	write = allowing(linter, said, LSMD_VERB_WRITE);
	exec = allowing(linter, said, LSMD_VERB_EXEC);
	if (!write || !exec)
		return 0;
	linter->said_write_exec = true;
	if (said_before(linter->diags, &exec->place, "write-and-exec", NULL) ||
	    said_before(linter->diags, &write->place, "write-and-exec", NULL))
		return 0;
	name = walk_spell(walk, &linter->memory, &len);
	if (!name)
		return -ENOMEM;
	text_add(&text, name, len, 200);
	diag_add(linter->diags, DIAG_WARNING, "write-and-exec", exec->place, "allow writing elsewhere, or deny 'exec' there",
		 "the program may execute what it may write: %s, for one; see %s:%u:%u", text.bytes ? text.bytes : "",
		 linter->set->files[write->place.file].name, write->place.line, write->place.column);
	return 0;
}

static int name_visit(void *data, const struct walk *walk, const struct walk_name *name)
{
	struct linter *linter = data;
	struct lsmd_said said = { .state = name->states[0][0] };
	struct lsmd_view view;

	view_open(&view, (uintptr_t)linter->image);
	class_find((uintptr_t)linter->image, name->class[0], linter->layer, &said.cell[0], 0);
	if (said.state)
		class_find((uintptr_t)linter->image, view_record(&view, states, struct lsmd_state, said.state)->class,
			   linter->layer, &said.cell[1], 0);
	said_mark(linter, &said);
	return write_exec_check(linter, walk, &said);
}

/* Addresses are disjoint: every record of the layer's table decides somewhere. */
static void addresses_mark(struct linter *linter)
{
	const struct lsmd_image_header *image = linter->image;
	const struct lsmd_layer *layer = &RECORDS(image, layers, struct lsmd_layer)[linter->layer];
	const struct lsmd_net_table *net = &RECORDS(image, nets, struct lsmd_net_table)[layer->net];

	for (unsigned int proto = 0; proto < LSMD_N_PROTOS && layer->net; proto++) {
		const struct lsmd_interval *intervals = RECORDS(image, intervals, struct lsmd_interval) + net->proto[proto].first;

		for (uint32_t i = 0; i < net->proto[proto].n; i++) {
			const struct lsmd_portset *set = &RECORDS(image, portsets, struct lsmd_portset)[intervals[i].portset];

			for (uint32_t k = 0; intervals[i].portset && k < set->n; k++) {
				const struct lsmd_port *port = &RECORDS(image, ports, struct lsmd_port)[set->first + k];
				const struct lsmd_said said = { .cell[0] = { linter->layer, port->allow, port->deny, port->rule } };

				said_mark(linter, &said);
			}
		}
	}
}

/* Return: WALK_TOO_LARGE: it is not known which names there are */
static int names_mark(struct linter *linter, struct nodes_index *index)
{
	static const enum lsmd_tree trees[] = { LSMD_TREE_OBJECT, LSMD_TREE_ABSTRACT };
	const struct lsmd_layer *layer = &RECORDS(linter->image, layers, struct lsmd_layer)[linter->layer];
	const struct walk_automaton automaton = { layer->dfa, layer->bytemap };
	struct twigs twigs = {}, none = { .image = linter->image };
	const struct walk_side sides[2] = {
		{ .image = linter->image, .twigs = &twigs, .automata = &automaton, .n = 1 },
		{ .image = linter->image, .twigs = &none },
	};
	size_t looked;
	int r = twigs_make(index, &linter->layer, 1, &twigs);

	for (size_t i = 0; i < sizeof(trees) / sizeof(*trees) && !r; i++)
		r = walk_run(sides, trees[i], LINT_STATES_MAX, name_visit, linter, &looked);
	twigs_clear(&twigs);
	return r;
}

/* Rules of other files may be there for others who include them; one that is named, explained or logged is there for a reason. */
static void idle_say(struct linter *linter)
{
	for (size_t i = 0; i < linter->policy->n_rules; i++) {
		const struct rule *rule = &linter->policy->rules[i];

		if (linter->decides[i + 1] || !rule->n_objects || rule->place.file != linter->policy->place.file ||
		    rule->id || rule->reason || rule->log || rule->silent || rule->kill ||
		    rule->access & ~(LSMD_ACCESS_FILES | LSMD_ACCESS_EXEC | LSMD_ACCESS_MAP | LSMD_ACCESS_CONNECT) ||
		    said_before(linter->diags, &rule->place, "dead-rule", "duplicate-rule"))
			continue;
		diag_add(linter->diags, DIAG_WARNING, "idle-rule", rule->place, "remove it, or narrow what stands in its way",
			 "this rule decides nothing: whatever it %s is denied, or said already, by other rules",
			 rule->deny ? "denies" : "allows");
	}
}

static int policy_lint(struct linter *linter, struct nodes_index *index)
{
	int r;

	linter->decides = calloc(linter->policy->n_rules + 1, sizeof(*linter->decides));
	if (!linter->decides)
		return -ENOMEM;
	linter->said_write_exec = false;
	addresses_mark(linter);
	r = names_mark(linter, index);
	if (!r)
		idle_say(linter);
	free(linter->decides);
	arena_free(&linter->memory);
	return r < 0 ? r : 0;
}

int image_lint(const struct policy_set *set, const struct lsmd_image_header *image, struct diags *diags)
{
	struct linter linter = { .set = set, .image = image, .diags = diags };
	struct nodes_index index;
	int r = nodes_index(image, &index);

	if (r)
		return r;
	for (uint32_t i = 0; i < set->n_policies && i < image->layers.n && !r; i++) {
		linter.policy = &set->policies[i];
		linter.layer = i;
		if (linter.policy->n_rules <= LINT_RULES_MAX)
			r = policy_lint(&linter, &index);
	}
	nodes_index_clear(&index);
	return r;
}
