// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the commands of lsmctl share. */
#include "agent/ctl/ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/policy/names.h"
#include "agent/util/cleanup.h"

#define OPTIONS_MAX 16

int ctl_usage_error(const struct ctl_command *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "lsmctl %s: ", command->name);
	vfprintf(stderr, format, args);
	fprintf(stderr, "\nTry 'lsmctl %s --help'.\n", command->name);
	va_end(args);
	return CTL_USAGE;
}

int ctl_error(int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("lsmctl: ", stderr);
	vfprintf(stderr, format, args);
	if (r < 0)
		fprintf(stderr, ": %s", strerror(-r));
	fputc('\n', stderr);
	va_end(args);
	return CTL_FOUND;
}

static int option_unknown(const struct ctl_command *command, const char *word, const struct option *options)
{
	const char *names[OPTIONS_MAX], *name = word + strspn(word, "-"), *near;
	size_t n = 0, len = strcspn(name, "=");

	for (; n < OPTIONS_MAX && options[n].name; n++)
		names[n] = options[n].name;
	near = word_nearest(name, len, names, n);
	if (near)
		return ctl_usage_error(command, "no option '%s'; did you mean '--%s'?", word, near);
	return ctl_usage_error(command, "no option '%s'", word);
}

int ctl_option(const struct ctl_command *command, int argc, char **argv, const struct option *options, int *status)
{
	char letter[] = "-?";
	int c;

	opterr = 0;
	c = getopt_long(argc, argv, ":", options, NULL);
	if (c == 'h') {
		fputs(command->usage, stdout);
		*status = CTL_DONE;
		return '?';
	}
	if (c == ':')
		*status = ctl_usage_error(command, "'%s' needs a value", argv[optind - 1]);
	letter[1] = optopt;
	if (c == '?')
		*status = option_unknown(command, optopt ? letter : argv[optind - 1], options);
	return c == ':' ? '?' : c;
}

int ctl_settings(struct ctl *ctl)
{
	int r;

	if (ctl->settings.pins)
		return 0;
	r = settings_read(ctl->settings_file, stderr, ctl->colour_err, &ctl->settings);
	if (r < 0)
		return ctl_error(r, "cannot read the settings %s",
				 ctl->settings_file ? ctl->settings_file : SETTINGS_FILE);
	return r ? CTL_FOUND : 0;
}

int ctl_no_agent(const struct ctl *ctl)
{
	fprintf(stderr,
		"lsmctl: the agent cannot be reached at %s\n"
		"Start it with 'systemctl start lsmd'; 'journalctl -u lsmd' says why it ended.\n",
		ctl->settings.socket);
	return CTL_NO_AGENT;
}

static int open_failed(const struct ctl *ctl, int r, bool quiet)
{
	if (r == CONTROL_NO_AGENT)
		return quiet ? CTL_NO_AGENT : ctl_no_agent(ctl);
	if (r == CONTROL_NOT_ALLOWED && geteuid())
		return ctl_error(0, "only root may ask the agent; try it with sudo");
	if (r == CONTROL_NOT_ALLOWED)
		return ctl_error(0, "this process is not let through to the agent: does a policy hold it?");
	return ctl_error(r, "cannot connect to %s", ctl->settings.socket);
}

static int receive_failed(int r)
{
	if (r == CONTROL_TIMEOUT)
		ctl_error(0, "the agent does not answer");
	else if (r == CONTROL_ENDED)
		ctl_error(0, "the agent ended the connection");
	else
		ctl_error(r, "cannot read the agent's answer");
	return CTL_NO_AGENT;
}

int ctl_ask(struct ctl *ctl, json_t *request, int timeout_ms, bool quiet, struct control *control, json_t **ret)
{
	int r = ctl_settings(ctl);

	if (!r) {
		r = control_open(control, ctl->settings.socket);
		r = r ? open_failed(ctl, r, quiet) : 0;
	}
	if (r) {
		json_decref(request);
		return r;
	}
	/* What refused the connection may have been said before it was closed: that is read first. */
	r = request ? control_send(control, request) : -ENOMEM;
	json_decref(request);
	if (r >= 0)
		r = control_receive(control, timeout_ms, ret);
	if (r) {
		control_close(control);
		return receive_failed(r);
	}
	if (ctl_true(*ret, "ok"))
		return 0;
	ctl_error(0, "%s", ctl_string(*ret, "error"));
	json_decref(*ret);
	control_close(control);
	return CTL_FOUND;
}

int ctl_print_json(json_t *json, bool pretty)
{
	int r = json ? json_dumpf(json, stdout, pretty ? JSON_INDENT(2) : JSON_COMPACT) : -1;

	json_decref(json);
	if (r || putchar('\n') == EOF || fflush(stdout))
		return ctl_error(0, "cannot write the answer");
	return CTL_DONE;
}

const char *ctl_string(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

json_int_t ctl_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

bool ctl_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}
