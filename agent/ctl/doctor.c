// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmctl doctor: what this machine lacks, and the mend. */
#include <errno.h>
#include <string.h>
#include <sys/capability.h>
#include <unistd.h>

#include "agent/ctl/ctl.h"
#include "agent/kernel/kernel.h"
#include "agent/record/audit.h"
#include "agent/util/cleanup.h"
#include "agent/util/privilege.h"

static const char usage[] =
	"usage: lsmctl doctor [OPTION]\n"
	"\n"
	"Asks this machine for all that lsmd needs, changes nothing, and says how to mend what is missing. Run it as root:\n"
	"one question is a program that is really loaded (never attached).\n"
	"\n"
	"  --json      the findings as JSON\n"
	"  --help      this text\n"
	"\n"
	"Exit status: 0 good for production; 1 something that lsmd needs is missing; 2 usage.\n";

/* The kernel's lines, and ours. */
#define LINES_MAX (PROBE_LINES_MAX + 8)

struct report {
	struct probe_line lines[LINES_MAX];
	size_t n;
	bool able;
};

static int options_read(int argc, char **argv, bool *json)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int c, status = -1;

	while ((c = ctl_option(&ctl_doctor, argc, argv, options, &status)) != -1) {
		if (c != 'j')
			return status;
		*json = true;
	}
	return optind < argc ? ctl_usage_error(&ctl_doctor, "no argument is expected: '%s'", argv[optind]) : -1;
}

static void line_add(struct report *report, bool ok, bool fatal, const char *what, const char *found, const char *mend)
{
	struct probe_line *line = &report->lines[report->n++];

	*line = (struct probe_line){ .ok = ok, .fatal = fatal };
	snprintf(line->what, sizeof(line->what), "%s", what);
	snprintf(line->found, sizeof(line->found), "%s", found);
	if (!ok)
		snprintf(line->mend, sizeof(line->mend), "%s", mend);
	if (!ok && fatal)
		report->able = false;
}

static void privileges_look(struct report *report)
{
	static const struct {
		int capability;
		const char *name;
	} needed[] = {
		{ CAP_BPF, "CAP_BPF" },
		{ CAP_PERFMON, "CAP_PERFMON" },
		{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN" },
		{ CAP_AUDIT_WRITE, "CAP_AUDIT_WRITE" },
	};
	char missing[128] = "";

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		size_t len = strlen(missing);

		if (!privilege_have(needed[i].capability))
			snprintf(missing + len, sizeof(missing) - len, "%s%s", len ? ", " : "", needed[i].name);
	}
	line_add(report, !*missing, true, "privileges of who asks", *missing ? missing : "all that loading needs",
		 geteuid() ? "run the doctor as root" : "this environment (a container?) takes them away from root");
}

static void audit_look(struct report *report)
{
	int pid = audit_daemon();
	char found[128];

	if (pid < 0)
		snprintf(found, sizeof(found), "cannot be asked: %s", strerror(-pid));
	else if (pid)
		snprintf(found, sizeof(found), "process %d", pid);
	else
		snprintf(found, sizeof(found), "not running");
	line_add(
		report, pid > 0, false, "auditd keeps records", found,
		"apt install auditd; systemctl start auditd. Without it, records of denials go to the kernel's log and the "
		"journal");
}

static void journal_look(struct report *report)
{
	bool there = !access("/run/systemd/journal/socket", W_OK);

	line_add(report, there, false, "the journal keeps records",
		 there ? "/run/systemd/journal/socket" : "no journal",
		 "systemctl start systemd-journald; without it 'journalctl -u UNIT' shows no denials");
}

static void agent_look(struct report *report, const struct ctl *ctl)
{
	struct control control;
	int r = control_open(&control, ctl->settings.socket);

	control_close(&control);
	line_add(report, !r, false, "the agent runs", r ? "nobody listens" : ctl->settings.socket,
		 "systemctl enable --now lsmd");
}

static int report_make(struct report *report, const struct ctl *ctl)
{
	struct probe probe;
	int r = kernel_probe(&probe);

	if (r)
		return r;
	report->able = probe.able;
	memcpy(report->lines, probe.lines, probe.n * sizeof(probe.lines[0]));
	report->n = probe.n;
	privileges_look(report);
	audit_look(report);
	journal_look(report);
	agent_look(report, ctl);
	return 0;
}

static const struct probe_line *first_fatal(const struct report *report)
{
	for (size_t i = 0; i < report->n; i++)
		if (!report->lines[i].ok && report->lines[i].fatal)
			return &report->lines[i];
	return NULL;
}

static void report_print(const struct report *report, bool colour)
{
	const struct probe_line *fatal = first_fatal(report);

	for (size_t i = 0; i < report->n; i++) {
		const struct probe_line *line = &report->lines[i];
		const char *mark = line->ok ? "ok  " : line->fatal ? "FAIL" : "note";
		const char *start = line->ok ? CTL_GREEN(colour) : line->fatal ? CTL_RED(colour) : CTL_YELLOW(colour);

		printf("%s%s%s  %s: %s\n", start, mark, CTL_PLAIN(colour), line->what, line->found);
		if (!line->ok)
			printf("      mend: %s\n", line->mend);
	}
	if (!fatal)
		puts("\nThis machine is good for production: systemctl enable --now lsmd");
	else if (geteuid())
		puts("\nWhether this machine is good for production only root can tell: sudo lsmctl doctor");
	else
		printf("\nThis machine is not good for production, only for 'make demo' (a virtual machine): %s: %s\n",
		       fatal->what, fatal->found);
}

static int report_json(const struct report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->n; i++) {
		const struct probe_line *line = &report->lines[i];

		if (json_array_append_new(list,
					  json_pack("{s:b, s:b, s:s, s:s, s:s}", "ok", line->ok, "needed", line->fatal,
						    "what", line->what, "found", line->found, "mend", line->mend))) {
			json_decref(list);
			return ctl_error(-ENOMEM, "cannot write the findings");
		}
	}
	return ctl_print_json(json_pack("{s:b, s:s, s:o}", "production", report->able, "good_for",
					report->able ? "production" : "make demo", "findings", list),
			      true);
}

static int doctor_run(struct ctl *ctl, int argc, char **argv)
{
	struct report report = {};
	bool json = false;
	int status = options_read(argc, argv, &json), r;

	if (status >= 0)
		return status;
	status = ctl_settings(ctl);
	if (status)
		return status;
	r = report_make(&report, ctl);
	if (r)
		return ctl_error(r, "cannot ask this machine");
	if (json)
		status = report_json(&report);
	else
		report_print(&report, ctl->colour_out);
	return status ? status : report.able ? CTL_DONE : CTL_FOUND;
}

const struct ctl_command ctl_doctor = {
	.name = "doctor",
	.summary = "say what this machine lacks, and how to mend it",
	.usage = usage,
	.run = doctor_run,
};
