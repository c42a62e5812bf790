// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmctl learn: watches a program under a policy in audit mode that allows nothing, and writes what it did as a policy. */
#include "agent/ctl/learn.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/ctl/history.h"
#include "agent/util/cleanup.h"

static const char usage[] =
	"usage: lsmctl learn NAME --exe PROGRAM [OPTION]... [-- COMMAND...]\n"
	"\n"
	"Watches PROGRAM, and what it starts, under a policy in audit mode that allows nothing, while COMMAND runs or until\n"
	"Ctrl-C; then writes the policy NAME that allows what it did, each rule with how often and an example. Nothing is\n"
	"refused meanwhile by that policy.\n"
	"\n"
	"  --exe PROGRAM        as it is executed\n"
	"  --no-children        PROGRAM alone, not what it starts: for sshd and login, which a policy may not hold otherwise\n"
	"  --tight              names as they were seen; only process numbers and temporary names become patterns\n"
	"  --broad              also every number, whole folders that are read; writes to any name of a folder are said\n"
	"  --mode MODE          of the policy that is written: audit (the default) or enforce\n"
	"  --output FILE        where the policy goes, instead of standard output\n"
	"  --abstractions DIR   look for included rule sets there\n"
	"  --from FILE          learn from records in FILE (JSON lines) of a policy NAME in audit mode; asks no agent\n"
	"  --help               this text\n"
	"\n"
	"Without --tight and --broad, versions and dates become patterns, and folders of which four names or more were read.\n"
	"Exit status: 0 done; 1 failed, or records were lost: learn again; 2 usage; 3 the agent cannot be reached.\n";

#define REPLY_TIMEOUT_MS 60000
/* Repeats are told when their second ends. */
#define SETTLE_MS 2500

struct learn {
	struct lesson lesson;
	const char *mode, *output, *from, *abstractions[1];
	char **command;
	char *file; /* of the policy that watches */
	uint64_t missed;
};

static int options_read(int argc, char **argv, struct learn *learn)
{
	static const struct option options[] = {
		{ "exe", required_argument, NULL, 'e' },	  { "tight", no_argument, NULL, 't' },
		{ "broad", no_argument, NULL, 'b' },		  { "mode", required_argument, NULL, 'm' },
		{ "output", required_argument, NULL, 'o' },	  { "from", required_argument, NULL, 'f' },
		{ "abstractions", required_argument, NULL, 'a' }, { "no-children", no_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int c, status = -1;

	while ((c = ctl_option(&ctl_learn, argc, argv, options, &status)) != -1) {
		if (c == '?')
			return status;
		if (c == 'e')
			learn->lesson.exe = optarg;
		if (c == 't' || c == 'b')
			learn->lesson.level = c == 't' ? LEVEL_TIGHT : LEVEL_BROAD;
		if (c == 'm')
			learn->mode = optarg;
		if (c == 'o')
			learn->output = optarg;
		if (c == 'f')
			learn->from = optarg;
		learn->lesson.no_children |= c == 'c';
		if (c == 'a')
			learn->abstractions[0] = optarg;
	}
	if (optind == argc)
		return ctl_usage_error(&ctl_learn, "the policy needs a name");
	learn->lesson.name = argv[optind++];
	learn->command = optind < argc ? argv + optind : NULL;
	if (strspn(learn->lesson.name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") !=
	    strlen(learn->lesson.name))
		return ctl_usage_error(&ctl_learn, "a policy's name has letters, digits, - and _, not '%s'", learn->lesson.name);
	if (!learn->lesson.exe || learn->lesson.exe[0] != '/')
		return ctl_usage_error(&ctl_learn, "--exe takes the absolute name of a program");
	if (strcmp(learn->mode, "audit") && strcmp(learn->mode, "enforce"))
		return ctl_usage_error(&ctl_learn, "--mode takes audit or enforce, not '%s'", learn->mode);
	return learn->from && learn->command ? ctl_usage_error(&ctl_learn, "--from runs no command") : -1;
}

static int event_take(void *data, json_t *event)
{
	struct learn *learn = data;
	int r = lesson_add(&learn->lesson, event);

	return r ? ctl_error(r, "cannot remember what was seen") : 0;
}

static int watch_write(const struct learn *learn)
{
	struct lesson none = { .name = learn->lesson.name, .exe = learn->lesson.exe, .no_children = learn->lesson.no_children };
	_cleanup_buf_ struct buf text = {};
	_cleanup_fclose_ FILE *file = fopen(learn->file, "wxe");

	if (!file)
		return ctl_error(-errno, errno == EEXIST ? "%s is there already: another learning goes on, or ended badly; remove it" :
							   "cannot write %s", learn->file);
	lesson_write(&text, &none, "audit");
	if (text.failed || fwrite(text.bytes, 1, text.len, file) != text.len || fflush(file))
		return ctl_error(-errno, "cannot write %s", learn->file);
	return 0;
}

static int agent_reload(struct ctl *ctl)
{
	struct control control;
	json_t *answer;
	int r = ctl_ask(ctl, json_pack("{s:s}", "request", "reload"), REPLY_TIMEOUT_MS, false, &control, &answer);

	if (r)
		return r;
	control_close(&control);
	if (!strcmp(ctl_string(answer, "outcome"), "refused")) {
		const char *text = ctl_string(answer, "diagnostics_text");

		r = ctl_error(0, "the policies are refused:\n%s", text);
		if (strstr(text, ".learn.json:") && strstr(text, "\"children\": false"))
			ctl_error(0, "learn it with --no-children: that is what the mend asks for");
	}
	json_decref(answer);
	return r;
}

/* Notes that found the ring full, ever; -1: not known */
static json_int_t ring_full(struct ctl *ctl)
{
	struct control control;
	json_int_t n = -1;
	json_t *answer;

	if (ctl_ask(ctl, json_pack("{s:s}", "request", "status"), REPLY_TIMEOUT_MS, false, &control, &answer))
		return -1;
	control_close(&control);
	n = ctl_number(json_object_get(answer, "counters"), "ring-full-notes");
	json_decref(answer);
	return n;
}

static int message_take(struct learn *learn, json_t *message)
{
	const struct filter filter = { .policy = learn->lesson.name };
	json_t *event = json_object_get(message, "event"), *layers = json_object_get(event, "layers");
	int r = 0;

	learn->missed += ctl_number(message, "missed");
	/* What was folded by rule came one by one before. */
	if (event && json_array_size(layers) && !ctl_true(event, "mixed") && filter_match(&filter, event))
		r = event_take(learn, event);
	return r;
}

static pid_t command_start(char **command, const sigset_t *mask)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(command[0], command);
	ctl_error(-errno, "cannot execute %s", command[0]);
	_exit(127);
}

/* What a command did that failed half way is less than what it does: that is said. */
static bool command_ended(pid_t child)
{
	int status;

	if (waitpid(child, &status, WNOHANG) != child)
		return false;
	if (WIFEXITED(status) && WEXITSTATUS(status))
		ctl_error(0, "the command ended with status %d", WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		ctl_error(0, "the command was ended by signal %d", WTERMSIG(status));
	return true;
}

/* Until the command has ended, or Ctrl-C, and the last repeats are told. */
static int events_watch(struct learn *learn, struct control *control, int signals, pid_t child)
{
	struct pollfd fds[2] = { { .fd = control->fd, .events = POLLIN }, { .fd = signals, .events = POLLIN } };
	bool ending = false;
	int r = 0;

	while (!r) {
		struct signalfd_siginfo info;
		json_t *message;
		int n = poll(fds, 2, ending ? SETTLE_MS : -1);

		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return ctl_error(-errno, "cannot wait");
		if (n > 0 && fds[1].revents && read(signals, &info, sizeof(info)) == sizeof(info))
			ending |= info.ssi_signo != SIGCHLD || command_ended(child);
		if (n <= 0 || !fds[0].revents)
			continue;
		if (control_receive(control, REPLY_TIMEOUT_MS, &message)) {
			ctl_error(0, "the agent ended meanwhile");
			return CTL_NO_AGENT;
		}
		r = message_take(learn, message);
		json_decref(message);
	}
	return r;
}

static int watch_run(struct ctl *ctl, struct learn *learn)
{
	sigset_t signals, before;
	struct control control;
	json_t *first;
	pid_t child = -1;
	int fd, r;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, &before);
	fd = signalfd(-1, &signals, SFD_CLOEXEC);
	r = ctl_ask(ctl, json_pack("{s:s, s:b, s:b}", "request", "events", "follow", 1, "learn", 1), REPLY_TIMEOUT_MS, false, &control,
		    &first);
	if (!r) {
		json_decref(first);
		fprintf(stderr, "lsmctl: watching %s%s\n", learn->lesson.exe, learn->command ? "" : "; Ctrl-C ends it");
		if (learn->command)
			child = command_start(learn->command, &before);
		r = events_watch(learn, &control, fd, child);
		control_close(&control);
	}
	close(fd);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

/* The kernel names a program after links were followed: by the name of a link nothing would be seen. */
static int exe_check(const char *exe)
{
	_cleanup_free_ char *real = realpath(exe, NULL);

	if (!real)
		return ctl_error(-errno, "cannot find %s", exe);
	return strcmp(real, exe) ? ctl_error(0, "%s is %s, by a symbolic link: learn that", exe, real) : 0;
}

static int learn_live(struct ctl *ctl, struct learn *learn)
{
	json_int_t full;
	int r = exe_check(learn->lesson.exe);

	if (r)
		return r;
	if (asprintf(&learn->file, "%s/%s.learn.json", ctl->settings.admin_dir ? ctl->settings.admin_dir : POLICY_ADMIN_DIR,
		     learn->lesson.name) < 0)
		return ctl_error(-ENOMEM, "cannot learn");
	full = ring_full(ctl);
	if (full < 0)
		return CTL_NO_AGENT;
	r = watch_write(learn);
	if (r)
		return r;
	r = agent_reload(ctl);
	if (!r)
		r = watch_run(ctl, learn);
	unlink(learn->file);
	if (agent_reload(ctl) && !r)
		r = CTL_FOUND;
	if (!r)
		learn->missed += ring_full(ctl) - full;
	return r;
}

static int policy_write(struct learn *learn, bool colour)
{
	struct lesson *lesson = &learn->lesson;
	_cleanup_buf_ struct buf text = {};
	FILE *out = stdout;
	int r = lesson_abstractions(lesson, colour);

	if (!r && lesson_patterns(lesson))
		r = ctl_error(-ENOMEM, "cannot learn");
	if (!r)
		r = lesson_moves(lesson, colour);
	lesson_write(&text, lesson, learn->mode);
	if (!r && text.failed)
		r = ctl_error(-ENOMEM, "cannot learn");
	if (!r)
		r = lesson_judge(lesson, colour);
	if (r)
		return r;
	if (learn->output)
		out = fopen(learn->output, "we");
	if (!out || fwrite(text.bytes, 1, text.len, out) != text.len || fflush(out))
		r = ctl_error(-errno, "cannot write %s", learn->output ? learn->output : "to standard output");
	if (out && out != stdout)
		fclose(out);
	return r;
}

static void learn_clear(struct learn *learn)
{
	lesson_clear(&learn->lesson);
	free(learn->file);
}

/* What was seen is not all that was done: say so, and do not call it done. */
static int losses_say(const struct learn *learn)
{
	const struct lesson *lesson = &learn->lesson;

	if (lesson->n_unnamed)
		fprintf(stderr, "lsmctl: %llu decisions were about objects without a name that a rule could have\n",
			(unsigned long long)lesson->n_unnamed);
	if (lesson->n_mixed)
		fprintf(stderr, "lsmctl: of %llu decisions the records have one example for many only\n", (unsigned long long)lesson->n_mixed);
	if (learn->missed)
		fprintf(stderr, "lsmctl: %llu records were lost, since they came too fast: learn again\n", (unsigned long long)learn->missed);
	return learn->missed || lesson->n_mixed ? CTL_FOUND : CTL_DONE;
}

static int learn_run(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(learn_clear) struct learn learn = { .lesson.level = LEVEL_NORMAL, .mode = "audit" };
	struct filter of_name = {};
	struct history history;
	int r = options_read(argc, argv, &learn);

	if (r >= 0)
		return r;
	r = ctl_settings(ctl);
	if (r)
		return r;
	settings_policies(&ctl->settings, &learn.lesson.policies);
	if (learn.abstractions[0]) {
		learn.lesson.policies.abstraction_dirs = learn.abstractions;
		learn.lesson.policies.n_abstraction_dirs = 1;
	}
	of_name.policy = learn.lesson.name;
	r = learn.from ? history_read(ctl, learn.from, &of_name, event_take, &learn, &history) : learn_live(ctl, &learn);
	if (r)
		return r;
	if (!json_object_size(learn.lesson.events))
		return ctl_error(0, "nothing was seen: %s did not run, or did nothing that is mediated", learn.lesson.exe);
	r = policy_write(&learn, ctl->colour_err);
	return r ? r : losses_say(&learn);
}

const struct ctl_command ctl_learn = {
	.name = "learn",
	.summary = "watch a program, and write the policy that allows what it did",
	.usage = usage,
	.run = learn_run,
};
