// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmctl test: do policies answer what their tests say? Results as TAP; needs neither the agent nor privileges. */
#include <errno.h>
#include <string.h>

#include "agent/control/intake.h"
#include "agent/ctl/ctl.h"
#include "agent/policy/cases.h"
#include "agent/policy/names.h"
#include "agent/policy/source.h"
#include "agent/record/escape.h"
#include "agent/record/legend.h"
#include "agent/record/record.h"
#include "agent/util/cleanup.h"

static const char usage[] =
	"usage: lsmctl test [OPTION]... FILE...\n"
	"\n"
	"Asks policies on disk what their tests want to know, and holds the answers against what is expected. FILE is a test,\n"
	"NAME.test.json (it tests NAME.json beside it, or what its \"policies\" name), or a table of cases, NAME.cases. Results\n"
	"are TAP: one line an access, and for each that is wrong what was expected, what came, and by which rule.\n"
	"\n"
	"  --policies PATH      test the policies of this file or folder instead; may be given again\n"
	"  --abstractions DIR   look for included rule sets in DIR; may be given again\n"
	"  --help               this text\n"
	"\n"
	"Exit status: 0 all answers are right; 1 some are not, or could not be had; 2 usage.\n";

#define PATHS_MAX 64

struct test {
	const char *policies[PATHS_MAX];
	size_t n_policies;
	const char *abstractions[SETTINGS_ABSTRACTIONS_MAX];
	size_t n_abstractions;
	unsigned int n, n_failed;
	bool broken; /* something could not be read: said on standard error */
	/* The set of the last case: those of one set stand together. */
	char *loaded;
	struct intake intake;
	struct legend *legend;
};

static int option_set(struct test *test, int c)
{
	if (c == 'P') {
		if (test->n_policies == PATHS_MAX)
			return ctl_usage_error(&ctl_test, "--policies may be given %d times", PATHS_MAX);
		test->policies[test->n_policies++] = optarg;
	} else {
		if (test->n_abstractions == SETTINGS_ABSTRACTIONS_MAX)
			return ctl_usage_error(&ctl_test, "at most %d folders of abstractions",
					       SETTINGS_ABSTRACTIONS_MAX);
		test->abstractions[test->n_abstractions++] = optarg;
	}
	return -1;
}

static int options_read(int argc, char **argv, struct test *test)
{
	static const struct option options[] = {
		{ "policies", required_argument, NULL, 'P' },
		{ "abstractions", required_argument, NULL, 'A' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int c, status = -1;

	while ((c = ctl_option(&ctl_test, argc, argv, options, &status)) != -1) {
		if (c == '?')
			return status;
		status = option_set(test, c);
		if (status >= 0)
			return status;
	}
	return optind < argc ? -1 : ctl_usage_error(&ctl_test, "name a file with tests");
}

static bool name_ends(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len > end_len && !strcmp(name + len - end_len, end);
}

static void loaded_clear(struct test *test)
{
	intake_clear(&test->intake);
	legend_free(test->legend);
	test->legend = NULL;
	free(test->loaded);
	test->loaded = NULL;
}

/* Names are relative to the folder of the test. */
static char *path_beside(const char *test, const char *file, size_t len)
{
	const char *slash = strrchr(test, '/');
	char *path = NULL;

	if (*file == '/' || !slash)
		return strndup(file, len);
	return asprintf(&path, "%.*s/%.*s", (int)(slash - test), test, (int)len, file) < 0 ? NULL : path;
}

/* The policies of a case: its own, or NAME.json of NAME.test.json. */
static int paths_make(const struct test_case *c, struct policy_options *options, char *paths[PATHS_MAX])
{
	static const char end[] = ".test.json";
	const char *at = c->policies;

	while (*at && options->n_paths < PATHS_MAX) {
		size_t len = strcspn(at, ",");

		paths[options->n_paths] = path_beside(c->table, at, len);
		if (!paths[options->n_paths++])
			return -ENOMEM;
		at += len + (at[len] == ',');
	}
	if (*at)
		return -E2BIG;
	if (options->n_paths)
		return 0;
	if (!name_ends(c->table, end))
		return -ENOENT;
	if (asprintf(&paths[0], "%.*s.json", (int)(strlen(c->table) - strlen(end)), c->table) < 0)
		return -ENOMEM;
	options->n_paths = 1;
	return 0;
}

static int set_load(struct ctl *ctl, struct test *test, const struct test_case *c)
{
	char *paths[PATHS_MAX] = {};
	struct policy_options options;
	int r = 0;

	settings_policies(&ctl->settings, &options);
	options.force = true;
	if (test->n_abstractions) {
		options.abstraction_dirs = test->abstractions;
		options.n_abstraction_dirs = test->n_abstractions;
	}
	options.paths = test->n_policies ? test->policies : (const char *const *)paths;
	options.n_paths = test->n_policies;
	if (!test->n_policies)
		r = paths_make(c, &options, paths);
	if (!r)
		r = intake_run(&options, 0, &test->intake);
	if (r > 0)
		diags_print(&test->intake.diags, test->intake.set, stderr, ctl->colour_err);
	for (size_t i = 0; i < PATHS_MAX; i++)
		free(paths[i]);
	return r ? r : legend_new(test->intake.image, &test->legend);
}

/* What @c asks. A set that cannot be loaded is said once, and all its cases fail. Return: whether it is there */
static bool set_for(struct ctl *ctl, struct test *test, const struct test_case *c)
{
	int r;

	if (test->loaded && !strcmp(test->loaded, c->policies))
		return test->legend;
	loaded_clear(test);
	test->loaded = strdup(c->policies);
	r = test->loaded ? set_load(ctl, test, c) : -ENOMEM;
	if (!r)
		return true;
	test->broken = true;
	fflush(stdout);
	if (r == -ENOENT)
		ctl_error(0, "%s: \"policies\" must say what is tested, since it is not named NAME.test.json", c->table);
	else
		ctl_error(r < 0 ? r : 0, "%s: the policies cannot be asked", c->table);
	return false;
}

/* A script is two questions: the second, for its interpreter, matters only where it refuses what the first did not. */
static int case_ask(const struct test *test, const struct test_case *c, struct asked *ret)
{
	struct asked interpreter = {};
	struct ask ask = c->ask;
	int r = image_ask(test->intake.image, &ask, ret);

	if (r || ret->refused || c->node != CASE_SCRIPT)
		return r;
	ask.name = c->interpreter;
	ask.deny_only = true;
	r = image_ask(test->intake.image, &ask, &interpreter);
	if (interpreter.refused)
		*ret = interpreter;
	return r;
}

static enum case_verdict asked_verdict(int r, const struct asked *asked)
{
	if (r == ASK_TOO_MANY_LAYERS || asked->refused)
		return CASE_DENY;
	for (size_t i = 0; i < asked->n_layers; i++)
		if (asked->answers[i].verdict == LSMD_VERDICT_DENY)
			return CASE_AUDIT;
	return CASE_ALLOW;
}

/* Does the layer's answer give the verdict? */
static bool answer_counts(const struct lsmd_answer *answer, enum case_verdict verdict)
{
	if (verdict == CASE_ALLOW)
		return answer->verdict == LSMD_VERDICT_ALLOW;
	return answer->verdict == LSMD_VERDICT_DENY &&
	       answer->mode == (verdict == CASE_DENY ? LSMD_MODE_ENFORCE : LSMD_MODE_AUDIT);
}

/* Who gave one layer's answer: the ways in which "by" may name it. */
struct source_names {
	const char *id; /* NULL: none */
	const char *reason; /* NULL: a rule or default did */
	char place[512]; /* FILE:LINE or FILE:default */
};

static void answer_names(const struct test *test, const struct lsmd_answer *answer, struct source_names *ret)
{
	const struct lsmd_rule *rule = legend_rule(test->legend, answer->rule);
	const struct lsmd_note *note = rule ? legend_note(test->legend, rule->note) : NULL;
	const struct lsmd_layer *layer = legend_layer(test->legend, answer->layer);
	const char *file = legend_string(test->legend, note && note->file ? note->file : layer ? layer->file : 0);

	*ret = (struct source_names){};
	if (!answer->rule || !rule) {
		ret->reason = reason_name(answer->reason);
		return;
	}
	ret->id = note ? legend_string(test->legend, note->id) : NULL;
	if (rule->flags & LSMD_RULE_DEFAULT)
		snprintf(ret->place, sizeof(ret->place), "%s:default", file ? file : "?");
	else
		snprintf(ret->place, sizeof(ret->place), "%s:%u", file ? file : "?", rule->line);
}

static bool word_is(const char *word, size_t len, const char *name)
{
	return name && strlen(name) == len && !memcmp(word, name, len);
}

/* Files may be named without their folder. */
static bool names_have(const struct source_names *names, const char *word, size_t len)
{
	const char *slash = strrchr(names->place, '/');

	return word_is(word, len, names->id) || word_is(word, len, names->reason) ||
	       word_is(word, len, names->place) || (slash && word_is(word, len, slash + 1));
}

/* One word for each layer that gives the verdict, in the order of the policies' names. */
static bool by_right(const struct test *test, const struct test_case *c, int r, const struct asked *asked,
		     enum case_verdict verdict)
{
	const char *at = c->by;

	if (!at)
		return true;
	if (r == ASK_TOO_MANY_LAYERS)
		return !strcmp(at, "layers-full");
	if (!asked->n_layers)
		return !strcmp(at, "-");
	for (size_t i = 0; i < asked->n_layers; i++) {
		struct source_names names;
		size_t len = strcspn(at, ",");

		if (!answer_counts(&asked->answers[i], verdict))
			continue;
		answer_names(test, &asked->answers[i], &names);
		if (!names_have(&names, at, len))
			return false;
		at += len + (at[len] == ',');
	}
	return !*at;
}

static void answer_say(const struct test *test, const struct lsmd_answer *answer)
{
	const struct lsmd_layer *layer = legend_layer(test->legend, answer->layer);
	const char *name = layer ? legend_string(test->legend, layer->name) : NULL;
	_cleanup_buf_ struct buf place = {};
	struct source_names names;

	answer_names(test, answer, &names);
	escape_text(&place, names.place, strlen(names.place));
	printf("#   %-5s %s%s: %s", answer->verdict == LSMD_VERDICT_DENY ? "deny" : "allow", name ? name : "?",
	       answer->mode == LSMD_MODE_AUDIT ? " (audit)" : "",
	       names.reason	? names.reason
	       : place.bytes	? place.bytes
				: "?");
	printf(names.id ? " (%s)\n" : "\n", names.id);
}

static void difference_say(const struct test *test, const struct test_case *c, int r, const struct asked *asked,
			   enum case_verdict verdict)
{
	printf("# expected %s%s%s, got %s\n", case_verdict_name(c->verdict), c->by ? " by " : "", c->by ? c->by : "",
	       case_verdict_name(verdict));
	if (r == ASK_TOO_MANY_LAYERS)
		printf("#   layers-full: the exec that put so many policies on the program is refused\n");
	else if (!asked->n_layers)
		printf("#   no policy holds the program\n");
	for (size_t i = 0; i < asked->n_layers; i++)
		answer_say(test, &asked->answers[i]);
}

/* TAP ends a line's name at '#'. */
static void line_say(struct test *test, const struct test_case *c, bool right, const char *directive)
{
	_cleanup_buf_ struct buf text = {};

	buf_printf(&text, "%s:%u: %s %s by %s%s%s", c->table, c->line, c->access, c->object, c->subject,
		   c->text ? ": " : "", c->text ? c->text : "");
	for (size_t i = 0; i < text.len; i++)
		if (text.bytes[i] == '#' || (unsigned char)text.bytes[i] < 0x20 || text.bytes[i] == 0x7f)
			text.bytes[i] = '.';
	printf("%s %u - %s%s\n", right ? "ok" : "not ok", ++test->n, text.bytes ? text.bytes : "", directive);
	test->n_failed += !right;
}

static void case_run(struct ctl *ctl, struct test *test, const struct test_case *c)
{
	enum case_verdict verdict;
	struct asked asked = {};
	bool right;
	int r;

	if (c->no_core) {
		line_say(test, c, true, " # SKIP only a running kernel answers it");
		return;
	}
	if (!set_for(ctl, test, c)) {
		line_say(test, c, false, "");
		return;
	}
	r = case_ask(test, c, &asked);
	if (r < 0) {
		line_say(test, c, false, "");
		printf("# cannot be asked: %s\n", strerror(-r));
		return;
	}
	verdict = asked_verdict(r, &asked);
	right = verdict == c->verdict && by_right(test, c, r, &asked, verdict);
	line_say(test, c, right, "");
	if (!right)
		difference_say(test, c, r, &asked, verdict);
}

static int table_read(const struct ctl *ctl, const char *path, struct case_table *ret)
{
	struct policy_set set = {};
	struct files files = {};
	struct diags diags = {};
	int r;

	if (name_ends(path, ".cases"))
		return case_table_read(path, stderr, ret);
	r = case_json_read(&files, path, &diags, ret);
	set.files = files.items;
	set.n_files = files.n;
	diags_print(&diags, &set, stderr, ctl->colour_err);
	diags_clear(&diags);
	files_free(&files);
	return r;
}

static void file_run(struct ctl *ctl, struct test *test, const char *path)
{
	struct case_table table;
	int r = table_read(ctl, path, &table);

	if (r) {
		ctl_error(r < 0 ? r : 0, "%s: cannot be run", path);
		test->broken = true;
		return;
	}
	for (size_t i = 0; i < table.n_cases; i++)
		case_run(ctl, test, &table.cases[i]);
	fflush(stdout);
	loaded_clear(test);
	case_table_free(&table);
}

static int test_run(struct ctl *ctl, int argc, char **argv)
{
	struct test test = {};
	int status = options_read(argc, argv, &test);

	if (status >= 0)
		return status;
	status = ctl_settings(ctl);
	if (status)
		return status;
	puts("TAP version 13");
	fflush(stdout);
	for (int i = optind; i < argc; i++)
		file_run(ctl, &test, argv[i]);
	printf("1..%u\n", test.n);
	return test.n_failed || test.broken || !test.n ? CTL_FOUND : CTL_DONE;
}

const struct ctl_command ctl_test = {
	.name = "test",
	.summary = "hold policies against their tests: accesses and the answers expected",
	.usage = usage,
	.run = test_run,
};
