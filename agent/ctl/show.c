// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmctl show: policies as they are compiled: variables, includes and braces written out. Needs neither the agent nor privileges. */
#include <errno.h>
#include <string.h>

#include "agent/control/intake.h"
#include "agent/control/rule-text.h"
#include "agent/ctl/ctl.h"
#include "agent/policy/names.h"
#include "agent/record/record.h"

static const char usage[] =
	"usage: lsmctl show [OPTION]... [PATH]...\n"
	"\n"
	"Prints policies as they are compiled: every rule of a policy, its drop-ins and what it includes, variables and braces\n"
	"written out, one object a line, each with its place. PATH is a file or a folder; without one, the folders of the\n"
	"settings are read.\n"
	"\n"
	"  --abstractions DIR   look for included rule sets in DIR; may be given again\n"
	"  --json               the same as JSON\n"
	"  --help               this text\n"
	"\n"
	"Exit status: 0 done; 1 the policies are wrong; 2 usage.\n";

struct show {
	const char *abstractions[SETTINGS_ABSTRACTIONS_MAX];
	size_t n_abstractions;
	bool json;
};

static int options_read(int argc, char **argv, struct show *show)
{
	static const struct option options[] = {
		{ "abstractions", required_argument, NULL, 'A' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int c, status = -1;

	while ((c = ctl_option(&ctl_show, argc, argv, options, &status)) != -1) {
		if (c == '?')
			return status;
		if (c == 'j')
			show->json = true;
		else if (show->n_abstractions == SETTINGS_ABSTRACTIONS_MAX)
			return ctl_usage_error(&ctl_show, "at most %d folders of abstractions", SETTINGS_ABSTRACTIONS_MAX);
		else
			show->abstractions[show->n_abstractions++] = optarg;
	}
	return -1;
}

/* One object of a rule or subject, on its way to a line or to JSON. */
struct line {
	const struct policy_set *set;
	const struct rule *rule; /* NULL: of the subject */
	const char *key; /* of the subject */
	struct place place;
	json_t *list; /* NULL: printed */
};

static int place_add(const struct line *line, json_t *item)
{
	return json_object_set_new(item, "file", json_string(line->set->files[line->place.file].name)) |
	       json_object_set_new(item, "line", json_integer(line->place.line)) |
	       json_object_set_new(item, "column", json_integer(line->place.column));
}

static json_t *verbs_json(uint32_t access)
{
	json_t *list = json_array();

	for (int v = 0; v < LSMD_N_VERBS; v++)
		if (access >> v & 1)
			json_array_append_new(list, json_string(verbs[v].name));
	return list;
}

static int rule_add(const struct rule *rule, json_t *item)
{
	int r = json_object_set_new(item, rule->deny ? "deny" : "allow", verbs_json(rule->access));

	if (rule->kill)
		r |= json_object_set_new(item, "kill", json_true());
	if (rule->log || rule->silent)
		r |= json_object_set_new(item, "log", json_boolean(rule->log));
	if (rule->id)
		r |= json_object_set_new(item, "id", json_string(rule->id));
	if (rule->reason)
		r |= json_object_set_new(item, "reason", json_string(rule->reason));
	return r;
}

static int line_json(const struct line *line, const char *text)
{
	json_t *item = json_object();
	int r = line->rule ? rule_add(line->rule, item) : 0;

	r |= json_object_set_new(item, line->rule ? "object" : line->key, json_string(text)) | place_add(line, item);
	return json_array_append_new(line->list, item) || r ? -ENOMEM : 0;
}

static void line_print(const struct line *line, const char *text)
{
	const struct rule *rule = line->rule;
	_cleanup_buf_ struct buf access = {};

	printf("%s:%u:%u: ", line->set->files[line->place.file].name, line->place.line, line->place.column);
	if (!rule) {
		printf("holds %s%s%s\n", strcmp(line->key, "exe") ? line->key : "", strcmp(line->key, "exe") ? " " : "", text);
		return;
	}
	verbs_add(&access, rule->access);
	printf("%s %s %s%s%s%s", rule->deny ? "deny" : "allow", access.bytes ? access.bytes : "", text,
	       rule->kill ? " (kill)" : "", rule->log ? " (log)" : "", rule->silent ? " (silent)" : "");
	if (rule->id)
		printf(" id %s", rule->id);
	if (rule->reason)
		printf(" \"%s\"", rule->reason);
	putchar('\n');
}

static int line_say(void *data, const char *text)
{
	const struct line *line = data;

	if (line->list)
		return line_json(line, text);
	line_print(line, text);
	return 0;
}

static int lines_say(struct line *line, const struct object *objects, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && !r; i++) {
		line->place = objects[i].place;
		r = object_texts(&objects[i], line_say, line);
	}
	return r;
}

static int ids_say(struct line *line, const char *key, const struct lsmd_ids *ids, size_t n)
{
	int r = 0;

	line->key = key;
	for (size_t i = 0; i < n && !r; i++) {
		char text[32];

		snprintf(text, sizeof(text), ids[i].first == ids[i].last ? "%u" : "%u-%u", ids[i].first, ids[i].last);
		r = line_say(line, text);
	}
	return r;
}

static int names_say(struct line *line, const char *key, const struct object *objects, size_t n)
{
	line->key = key;
	return lines_say(line, objects, n);
}

/* All keys hold, and of one key any item. */
static int subject_say(struct line *line, const struct policy *policy)
{
	int r = names_say(line, "exe", policy->exes, policy->n_exes);

	if (!r)
		r = names_say(line, "unit", policy->units, policy->n_units);
	if (!r)
		r = names_say(line, "cgroup", policy->cgroups, policy->n_cgroups);
	line->place = policy->subject_place;
	if (!r)
		r = ids_say(line, "uid", policy->uids, policy->n_uids);
	return r ? r : ids_say(line, "gid", policy->gids, policy->n_gids);
}

static int rules_say(struct line *line, const struct policy *policy)
{
	int r = 0;

	for (size_t i = 0; i < policy->n_rules && !r; i++) {
		line->rule = &policy->rules[i];
		r = lines_say(line, policy->rules[i].objects, policy->rules[i].n_objects);
	}
	return r;
}

static int policy_print(const struct policy_set *set, const struct policy *policy)
{
	struct line line = { .set = set };
	_cleanup_buf_ struct buf denied = {};
	int r;

	verbs_add(&denied, policy->default_deny);
	printf("policy %s (%s%s)\n", policy->name, mode_name(policy->mode), policy->children ? "" : ", not what it executes");
	r = subject_say(&line, policy);
	printf("%s:%u:%u: by default denied: %s\n", set->files[policy->default_place.file].name,
	       policy->default_place.line, policy->default_place.column, denied.bytes ? denied.bytes : "nothing");
	return r ? r : rules_say(&line, policy);
}

static int policy_json(const struct policy_set *set, const struct policy *policy, json_t *list)
{
	json_t *subject = json_array(), *rules = json_array();
	json_t *item = json_pack("{s:s, s:s, s:b, s:o, s:o, s:o}", "policy", policy->name, "mode", mode_name(policy->mode),
				 "children", policy->children, "default_deny", verbs_json(policy->default_deny),
				 "subject", subject, "rules", rules);
	struct line line = { .set = set, .list = subject };
	int r = json_array_append_new(list, item) ? -ENOMEM : subject_say(&line, policy);

	line.list = rules;
	return r ? r : rules_say(&line, policy);
}

static int set_say(const struct policy_set *set, bool as_json)
{
	json_t *list = as_json ? json_array() : NULL;
	int r = 0;

	for (size_t i = 0; i < set->n_policies && !r; i++)
		r = as_json ? policy_json(set, &set->policies[i], list) : policy_print(set, &set->policies[i]);
	if (!as_json || r)
		return r ? ctl_error(r, "cannot show the policies") : CTL_DONE;
	return ctl_print_json(list, true);
}

static int show_run(struct ctl *ctl, int argc, char **argv)
{
	struct show show = {};
	struct policy_options options;
	struct policy_set *set = NULL;
	struct diags diags = {};
	int status = options_read(argc, argv, &show), r;

	if (status >= 0)
		return status;
	status = ctl_settings(ctl);
	if (status)
		return status;
	settings_policies(&ctl->settings, &options);
	options.paths = (const char *const *)argv + optind;
	options.n_paths = argc - optind;
	options.force = true;
	if (show.n_abstractions) {
		options.abstraction_dirs = show.abstractions;
		options.n_abstraction_dirs = show.n_abstractions;
	}
	r = policy_set_load(&options, &diags, &set);
	if (r > 0)
		diags_print(&diags, set, stderr, ctl->colour_err);
	status = r ? ctl_error(r < 0 ? r : 0, "the policies cannot be shown") : set_say(set, show.json);
	policy_set_free(set);
	diags_clear(&diags);
	return status;
}

const struct ctl_command ctl_show = {
	.name = "show",
	.summary = "print policies as they are compiled, with the place of every rule",
	.usage = usage,
	.run = show_run,
};
