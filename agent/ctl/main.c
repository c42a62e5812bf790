// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmctl: finds the command and runs it. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/ctl/ctl.h"
#include "agent/policy/names.h"
#include "agent/util/cleanup.h"

static const struct ctl_command *const commands[] = {
	&ctl_check, &ctl_test, &ctl_diff, &ctl_fmt, &ctl_show, &ctl_sign, &ctl_reload, &ctl_confirm, &ctl_mode, &ctl_status, &ctl_events, &ctl_explain, &ctl_doctor, &ctl_unload,
	/* About records: */
	&ctl_denials, &ctl_report, &ctl_metrics, &ctl_learn, &ctl_replay, &ctl_promote,
};
#define N_COMMANDS (sizeof(commands) / sizeof(*commands))

static int help_print(FILE *out)
{
	fputs("usage: lsmctl [--settings FILE] COMMAND [OPTION]...\n\n", out);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\n"
	      "  --settings FILE   read FILE instead of " SETTINGS_FILE "\n"
	      "  --help            this text; 'lsmctl COMMAND --help' for a command\n"
	      "  --version         the version\n"
	      "\n"
	      "Exit status: 0 done; 1 refused, denied, or found something; 2 usage; 3 the agent cannot be reached.\n",
	      out);
	return CTL_DONE;
}

static const struct ctl_command *command_find(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int command_unknown(const char *name)
{
	const char *names[N_COMMANDS], *near;

	for (size_t i = 0; i < N_COMMANDS; i++)
		names[i] = commands[i]->name;
	near = word_nearest(name, strlen(name), names, N_COMMANDS);
	fprintf(stderr, "lsmctl: no command '%s'%s%s%s\nTry 'lsmctl --help'.\n", name, near ? "; did you mean '" : "",
		near ? near : "", near ? "'?" : "");
	return CTL_USAGE;
}

/* "lsmctl help" and "lsmctl help COMMAND" */
static int help_command(int argc, char **argv)
{
	const struct ctl_command *command = argc > 1 ? command_find(argv[1]) : NULL;

	if (argc < 2)
		return help_print(stdout);
	if (!command)
		return command_unknown(argv[1]);
	fputs(command->usage, stdout);
	return CTL_DONE;
}

static int command_run(struct ctl *ctl, int argc, char **argv)
{
	const struct ctl_command *command;
	int status;

	if (!strcmp(argv[0], "help"))
		return help_command(argc, argv);
	command = command_find(argv[0]);
	if (!command)
		return command_unknown(argv[0]);
	optind = 0;
	status = command->run(ctl, argc, argv);
	settings_clear(&ctl->settings);
	if (fflush(stdout) && status == CTL_DONE)
		return ctl_error(0, "cannot write to standard output");
	return status;
}

static bool colours_wanted(int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fd) && !(no && *no) && !(term && !strcmp(term, "dumb"));
}

int main(int argc, char **argv)
{
	struct ctl ctl = {
		.colour_out = colours_wanted(STDOUT_FILENO),
		.colour_err = colours_wanted(STDERR_FILENO),
	};
	int i = 1;

	signal(SIGPIPE, SIG_DFL);
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return help_print(stdout);
		if (!strcmp(argv[i], "--version")) {
			puts("lsmctl " LSMD_VERSION);
			return CTL_DONE;
		}
		if (strcmp(argv[i], "--settings") || i + 1 == argc) {
			fprintf(stderr, "lsmctl: no option '%s', or it lacks its value\nTry 'lsmctl --help'.\n",
				argv[i]);
			return CTL_USAGE;
		}
		ctl.settings_file = argv[++i];
	}
	if (i == argc) {
		help_print(stderr);
		return CTL_USAGE;
	}
	return command_run(&ctl, argc - i, argv + i);
}
