// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmctl diff: what do two sets of policies answer differently? Needs neither the agent nor privileges. */
#include <errno.h>
#include <string.h>

#include "agent/control/changes.h"
#include "agent/control/explain.h"
#include "agent/control/intake.h"
#include "agent/ctl/ctl.h"
#include "agent/record/escape.h"
#include "agent/util/buf.h"

static const char usage[] =
	"usage: lsmctl diff [OPTION]... OLD NEW\n"
	"\n"
	"Says what changes in meaning from the policies OLD to the policies NEW, each a file or a folder: for every sort of\n"
	"process and every verb the shortest name, or the first addresses, that are answered otherwise, and by which rules. Says\n"
	"'same meaning' where nothing is, however differently the policies are written. Records (log, reason, names and places)\n"
	"and moving whole directories are not compared.\n"
	"\n"
	"  --abstractions DIR   look for included rule sets in DIR; may be given again\n"
	"  --json               the differences as JSON\n"
	"  --help               this text\n"
	"\n"
	"Exit status: 0 the same meaning; 1 there are differences, or it could not be found out; 2 usage.\n";

struct diffing {
	const char *abstractions[SETTINGS_ABSTRACTIONS_MAX];
	size_t n_abstractions;
	bool json;
};

static int options_read(int argc, char **argv, struct diffing *diffing)
{
	static const struct option options[] = {
		{ "abstractions", required_argument, NULL, 'A' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int c, status = -1;

	while ((c = ctl_option(&ctl_diff, argc, argv, options, &status)) != -1) {
		if (c == '?')
			return status;
		if (c == 'j')
			diffing->json = true;
		else if (diffing->n_abstractions == SETTINGS_ABSTRACTIONS_MAX)
			return ctl_usage_error(&ctl_diff, "at most %d folders of abstractions", SETTINGS_ABSTRACTIONS_MAX);
		else
			diffing->abstractions[diffing->n_abstractions++] = optarg;
	}
	return argc - optind == 2 ? -1 : ctl_usage_error(&ctl_diff, "name the old and the new policies");
}

/* ---- for people ---- */

static void names_print(const json_t *names, const char *none)
{
	for (size_t i = 0; i < json_array_size(names); i++)
		printf("%s%s", i ? ", " : "", json_string_value(json_array_get(names, i)));
	if (!json_array_size(names))
		fputs(none, stdout);
}

static void head_print(const json_t *process, bool colour)
{
	const json_t *before = json_object_get(process, "before"), *after = json_object_get(process, "after");
	_cleanup_buf_ struct buf bytes = {}, name = {};

	if (explain_bytes(process, "program", &bytes)) {
		printf("%sprocesses whose label cannot be read%s\n", CTL_BOLD(colour), CTL_PLAIN(colour));
		return;
	}
	escape_text(&name, bytes.bytes, bytes.len);
	printf("%s%s%s%s: ", CTL_BOLD(colour), ctl_true(process, "started") ? "what is started by " : "",
	       name.bytes ? name.bytes : "?", CTL_PLAIN(colour));
	if (json_equal(before, after)) {
		fputs("held by ", stdout);
		names_print(before, "nobody");
	} else {
		fputs("was held by ", stdout);
		names_print(before, "nobody");
		fputs(", will be by ", stdout);
		names_print(after, "nobody");
	}
	putchar('\n');
}

/* "deny (web.json:9)" */
static void side_print(const json_t *side, bool colour)
{
	const char *answer = ctl_string(side, "answer");
	const json_t *by = json_object_get(side, "by");
	bool refused = !strcmp(answer, "deny") || !strcmp(answer, "kill");

	printf("%s%s%s", refused ? CTL_RED(colour) : CTL_GREEN(colour), answer, CTL_PLAIN(colour));
	if (!by)
		return;
	if (ctl_true(by, "default"))
		printf(" (%s:default)", ctl_string(by, "file"));
	else if (json_object_get(by, "line"))
		printf(" (%s:%lld)", ctl_string(by, "file"), (long long)ctl_number(by, "line"));
	else
		printf(" (%s)", ctl_string(by, "reason"));
}

static void change_print(const json_t *change, bool colour)
{
	const char *what = ctl_string(change, "what"), *other = ctl_string(change, "other");
	const char *object = ctl_string(change, "object");

	printf("  %s%s", ctl_string(change, "verb"), ctl_true(change, "device") ? " (device node)" : "");
	if (!strcmp(what, "undecided"))
		fputs(" and its class, where the object cannot be decided", stdout);
	else if (!strcmp(what, "exec"))
		fputs(" of the program itself", stdout);
	else if (*object)
		printf(" %s%s%s%s", object, *other ? " -> " : "", other, ctl_true(change, "exchange") ? " (exchange)" : "");
	fputs(": ", stdout);
	side_print(json_object_get(change, "before"), colour);
	fputs(" -> ", stdout);
	side_print(json_object_get(change, "after"), colour);
	putchar('\n');
}

static void policies_print(const json_t *names, const char *sign, const char *colour, const char *plain)
{
	for (size_t i = 0; i < json_array_size(names); i++)
		printf("%s%s policy %s%s\n", colour, sign, json_string_value(json_array_get(names, i)), plain);
}

void ctl_print_changes(const json_t *changes, bool colour)
{
	const json_t *processes = json_object_get(changes, "processes");
	const char *incomplete = ctl_string(changes, "incomplete");
	size_t n = json_array_size(processes);

	policies_print(json_object_get(changes, "policies_removed"), "-", CTL_RED(colour), CTL_PLAIN(colour));
	policies_print(json_object_get(changes, "policies_added"), "+", CTL_GREEN(colour), CTL_PLAIN(colour));
	for (size_t i = 0; i < n; i++) {
		const json_t *process = json_array_get(processes, i), *list = json_object_get(process, "changes");

		head_print(process, colour);
		for (size_t k = 0; k < json_array_size(list); k++)
			change_print(json_array_get(list, k), colour);
	}
	if (ctl_number(changes, "n_processes") > (json_int_t)n)
		printf("and %lld more sorts of processes\n", (long long)(ctl_number(changes, "n_processes") - n));
	if (*incomplete)
		printf("%snot everything was compared%s: %s\n", CTL_YELLOW(colour), CTL_PLAIN(colour), incomplete);
	if (ctl_true(changes, "same"))
		puts("same meaning");
}

/* ---- */

static int set_read(const struct ctl *ctl, const struct diffing *diffing, const char *path, struct intake *intake)
{
	struct policy_options options;
	int r;

	settings_policies(&ctl->settings, &options);
	options.paths = &path;
	options.n_paths = 1;
	options.force = true;
	if (diffing->n_abstractions) {
		options.abstraction_dirs = diffing->abstractions;
		options.n_abstraction_dirs = diffing->n_abstractions;
	}
	r = intake_run(&options, 0, intake);
	if (!r)
		return 0;
	if (r > 0)
		diags_print(&intake->diags, intake->set, stderr, ctl->colour_err);
	return ctl_error(r < 0 ? r : 0, "%s: the policies cannot be compared", path);
}

static int changes_say(const struct ctl *ctl, const struct diffing *diffing, json_t *changes)
{
	int status = ctl_true(changes, "same") ? CTL_DONE : CTL_FOUND;

	if (diffing->json)
		return ctl_print_json(changes, true) ? CTL_FOUND : status;
	ctl_print_changes(changes, ctl->colour_out);
	json_decref(changes);
	return status;
}

static int diff_main(struct ctl *ctl, int argc, char **argv)
{
	struct intake old = {}, new = {};
	struct diffing diffing = {};
	int status = options_read(argc, argv, &diffing), r;
	json_t *changes;

	if (status >= 0)
		return status;
	status = ctl_settings(ctl);
	if (!status)
		status = set_read(ctl, &diffing, argv[optind], &old);
	if (!status)
		status = set_read(ctl, &diffing, argv[optind + 1], &new);
	if (!status) {
		r = changes_json(old.image, new.image, &changes);
		status = r ? ctl_error(r, "the policies cannot be compared") : changes_say(ctl, &diffing, changes);
	}
	intake_clear(&old);
	intake_clear(&new);
	return status;
}

const struct ctl_command ctl_diff = {
	.name = "diff",
	.summary = "say what changes in meaning between two sets of policies",
	.usage = usage,
	.run = diff_main,
};
