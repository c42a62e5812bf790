/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lsmctl: what its commands share. One file for each command; main.c has the table. */
#ifndef LSMD_CTL_CTL_H
#define LSMD_CTL_CTL_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "agent/control/client.h"
#include "agent/control/settings.h"

enum ctl_exit {
	CTL_DONE = 0,
	CTL_FOUND = 1, /* refused, denied, or found something; also: could not be done */
	CTL_USAGE = 2,
	CTL_NO_AGENT = 3, /* the agent cannot be reached */
};

struct ctl {
	const char *settings_file; /* NULL: the default */
	struct settings settings;
	bool colour_out, colour_err; /* a terminal, and NO_COLOR is not set */
};

struct ctl_command {
	const char *name;
	const char *summary; /* one line of lsmctl --help */
	const char *usage; /* whole text of lsmctl NAME --help, with its newline */
	int (*run)(struct ctl *ctl, int argc, char **argv); /* argv[0] is the command; gives the exit status */
};

extern const struct ctl_command ctl_check, ctl_test, ctl_diff, ctl_fmt, ctl_show, ctl_reload, ctl_status, ctl_events, ctl_explain, ctl_doctor, ctl_unload;
extern const struct ctl_command ctl_sign, ctl_confirm, ctl_mode;
/* About records: */
extern const struct ctl_command ctl_metrics, ctl_denials, ctl_report, ctl_learn, ctl_replay, ctl_promote;

/**
 * ctl_option() - getopt_long() of a command, without its messages
 * Return: the option's val; -1: no more (optind is the first argument); '?' and an exit status in @status: --help was printed, or
 * the option is unknown, and said so with the nearest one
 */
int ctl_option(const struct ctl_command *command, int argc, char **argv, const struct option *options, int *status);

/** ctl_usage_error() - one line to standard error and the way to help. Return: CTL_USAGE */
int ctl_usage_error(const struct ctl_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** ctl_error() - "lsmctl: …" to standard error; @r negative: with its errno text. Return: CTL_FOUND */
int ctl_error(int r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** ctl_settings() - read the settings, once. Return: 0, or an exit status after saying why */
int ctl_settings(struct ctl *ctl);

/**
 * ctl_ask() - open the socket, send @request (takes the reference), receive the first reply
 * @control: on 0 open, for what follows; control_close()
 * @quiet: do not say that no agent is there
 * Return: 0, or an exit status after saying why. A reply that is not "ok" is said and gives CTL_FOUND.
 */
int ctl_ask(struct ctl *ctl, json_t *request, int timeout_ms, bool quiet, struct control *control, json_t **ret);

/** ctl_no_agent() - say that the agent cannot be reached and what to do. Return: CTL_NO_AGENT */
int ctl_no_agent(const struct ctl *ctl);

/** ctl_print_json() - one object and a newline to standard output, takes the reference; keys in the order given. Return: CTL_DONE, CTL_FOUND */
int ctl_print_json(json_t *json, bool pretty);

/** ctl_print_changes() - what changes_json() tells, for people */
void ctl_print_changes(const json_t *changes, bool colour);

/* A member's value with a default where it is missing. */
const char *ctl_string(const json_t *object, const char *key);
json_int_t ctl_number(const json_t *object, const char *key);
bool ctl_true(const json_t *object, const char *key);

/* Colours: the sequence where @on, else "". */
#define CTL_RED(on) ((on) ? "\033[31m" : "")
#define CTL_GREEN(on) ((on) ? "\033[32m" : "")
#define CTL_YELLOW(on) ((on) ? "\033[33m" : "")
#define CTL_BOLD(on) ((on) ? "\033[1m" : "")
#define CTL_PLAIN(on) ((on) ? "\033[0m" : "")

#endif
