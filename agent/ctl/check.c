// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmctl check: are the policies good? Needs neither the agent nor privileges. */
#include <errno.h>
#include <stdlib.h>

#include "agent/control/intake.h"
#include "agent/ctl/ctl.h"
#include "agent/util/cleanup.h"
#include "agent/util/units.h"

static const char usage[] =
	"usage: lsmctl check [OPTION]... [PATH]...\n"
	"\n"
	"Reads policies as the agent would and says what is wrong with them; changes nothing. PATH is a file or a folder;\n"
	"without one, the folders of the settings are read, and held against their signature where \"signed_by\" asks for one.\n"
	"\n"
	"  --abstractions DIR   look for included rule sets in DIR; may be given again\n"
	"  --force              only warn of policies that would lock this machine's administrators out\n"
	"  --unsigned           do not ask for a signature, where the settings do\n"
	"  --json               findings as JSON\n"
	"  --quiet              only findings, no summary\n"
	"  --help               this text\n"
	"\n"
	"Exit status: 0 no errors (warnings there may be); 1 errors; 2 usage.\n";

struct check {
	const char *abstractions[SETTINGS_ABSTRACTIONS_MAX];
	struct policy_options policies;
	bool force, unsigned_too, json, quiet;
	struct seal_want want;
};

static int options_read(int argc, char **argv, struct check *check)
{
	static const struct option options[] = {
		{ "abstractions", required_argument, NULL, 'a' },
		{ "force", no_argument, NULL, 'f' },
		{ "unsigned", no_argument, NULL, 'u' },
		{ "json", no_argument, NULL, 'j' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int c, status = -1;

	while ((c = ctl_option(&ctl_check, argc, argv, options, &status)) != -1) {
		switch (c) {
		case 'a':
			if (check->policies.n_abstraction_dirs == SETTINGS_ABSTRACTIONS_MAX)
				return ctl_usage_error(&ctl_check, "at most %d folders of abstractions",
						       SETTINGS_ABSTRACTIONS_MAX);
			check->abstractions[check->policies.n_abstraction_dirs++] = optarg;
			break;
		case 'f':
			check->force = true;
			break;
		case 'u':
			check->unsigned_too = true;
			break;
		case 'j':
			check->json = true;
			break;
		case 'q':
			check->quiet = true;
			break;
		default:
			return status;
		}
	}
	return -1;
}

static void options_fill(const struct settings *settings, struct check *check, int argc, char **argv)
{
	size_t n_dirs = check->policies.n_abstraction_dirs;

	settings_policies(settings, &check->policies);
	if (n_dirs) {
		check->policies.abstraction_dirs = check->abstractions;
		check->policies.n_abstraction_dirs = n_dirs;
	}
	check->policies.paths = (const char *const *)argv + optind;
	check->policies.n_paths = argc - optind;
	check->policies.force |= check->force;
	check->policies.look = true;
}

/* Files that are named may lie anywhere: what was signed are the folders of the settings. */
static int want_fill(struct settings *settings, struct check *check)
{
	int r;

	if (check->policies.n_paths || check->unsigned_too || !settings_want(settings, &check->want))
		return 0;
	r = settings_keys(settings, stderr);
	if (r)
		return r < 0 ? ctl_error(r, "cannot read the keys of \"signed_by\"") : CTL_FOUND;
	settings_want(settings, &check->want);
	check->policies.want = &check->want;
	return 0;
}

/* "; serial 7, signed with key …", where it was asked for */
static void signer_print(const struct policy_set *set)
{
	if (set->stamp.serial)
		printf("; serial %llu, signed with key %s", (unsigned long long)set->stamp.serial, set->stamp.key);
}

static int summary_print(const struct intake *intake)
{
	size_t n_rules = 0;

	if (!intake->image) {
		printf("errors: %zu, warnings: %zu\n", intake->diags.n_errors, intake->diags.n_warnings);
		return CTL_FOUND;
	}
	for (size_t i = 0; i < intake->set->n_policies; i++)
		n_rules += intake->set->policies[i].n_rules;
	printf("%zu %s, %zu rules, warnings: %zu; image %s, checked in %s, compiled in %s", intake->set->n_policies,
	       intake->set->n_policies == 1 ? "policy" : "policies", n_rules, intake->diags.n_warnings,
	       units_bytes(intake->image_size).text, units_time(intake->check_ns).text,
	       units_time(intake->compile_ns).text);
	signer_print(intake->set);
	putchar('\n');
	return CTL_DONE;
}

static int findings_print(const struct ctl *ctl, const struct check *check, const struct intake *intake)
{
	static const struct policy_set none;
	const struct policy_set *set = intake->set ? intake->set : &none;

	if (check->json) {
		int r = diags_print_json(&intake->diags, set, stdout);

		if (r)
			return ctl_error(r, "cannot write the findings");
		return intake->image ? CTL_DONE : CTL_FOUND;
	}
	if (intake->diags.n_diags)
		diags_print(&intake->diags, set, stderr, ctl->colour_err);
	if (check->quiet)
		return intake->image ? CTL_DONE : CTL_FOUND;
	return summary_print(intake);
}

static int check_run(struct ctl *ctl, int argc, char **argv)
{
	struct check check = {};
	struct intake intake = {};
	int status = options_read(argc, argv, &check), r;

	if (status >= 0)
		return status;
	status = ctl_settings(ctl);
	if (status)
		return status;
	options_fill(&ctl->settings, &check, argc, argv);
	status = want_fill(&ctl->settings, &check);
	if (status)
		return status;
	r = intake_run(&check.policies, 0, &intake);
	if (r < 0)
		status = ctl_error(r, "cannot check the policies");
	else
		status = findings_print(ctl, &check, &intake);
	intake_clear(&intake);
	return status;
}

const struct ctl_command ctl_check = {
	.name = "check",
	.summary = "say what is wrong with policies, without the agent or privileges",
	.usage = usage,
	.run = check_run,
};
