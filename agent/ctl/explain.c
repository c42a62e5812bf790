// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmctl explain: the answer for one access, and the rule that gives it. */
#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/control/explain.h"
#include "agent/control/intake.h"
#include "agent/ctl/ctl.h"
#include "agent/record/escape.h"
#include "agent/record/jsonl.h"
#include "agent/util/cleanup.h"

static const char usage[] =
	"usage: lsmctl explain WHO WHAT [OPTION]...\n"
	"\n"
	"Says whether the policies would allow one access, which rule of each policy decides it, and what would decide without\n"
	"that rule. Asks the policies in force; with --policies those on disk, without the agent or privileges.\n"
	"\n"
	"WHO:\n"
	"  --exe PROGRAM        the program as executed; for a script once more for its interpreter, the script first\n"
	"  --pid PID            a process that runs (not with --policies)\n"
	"  --uid USER           with --exe: who else the process is; a policy that asks for what is not said does not count\n"
	"  --gid GROUP          the same\n"
	"  --unit UNIT          the same\n"
	"  --cgroup PATH        the same, and the units in the path\n"
	"WHAT, one of:\n"
	"  --open FILE          in the way that --access says\n"
	"  --access VERBS       read (the default), write, append, create, delete, rename, link, joined by ','\n"
	"  --exec FILE          and the interpreters that its first line names, and theirs, where FILE is here and can be read\n"
	"  --connect ADDRESS    tcp:10.0.0.1:5432, udp:[fd00::1]:53, unix:/run/x.sock, unix:@name\n"
	"\n"
	"  --device             FILE is a block or character node (found out where FILE exists)\n"
	"  --policies DIR       the policies in DIR, or in one file; may be given again\n"
	"  --abstractions DIR   with --policies: look for included rule sets there; may be given again\n"
	"  --json               the answer as JSON\n"
	"  --help               this text\n"
	"\n"
	"Names of the policies in force are resolved (symbolic links) as the kernel would see them; --policies takes them as given.\n"
	"\n"
	"Exit status: 0 allowed; 1 denied, or no answer; 2 usage; 3 neither the agent nor the kernel side can be reached.\n";

#define REPLY_TIMEOUT_MS 10000

struct explain {
	const char *exes[LSMD_LABEL_PROGRAMS_MAX];
	size_t n_exes;
	const char *pid, *open, *access, *exec, *connect, *unit, *cgroup;
	uint32_t uid, gid;
	bool has_uid, has_gid;
	const char *policies[SETTINGS_ABSTRACTIONS_MAX];
	size_t n_policies;
	const char *abstractions[SETTINGS_ABSTRACTIONS_MAX];
	size_t n_abstractions;
	bool device, json;
};

static int list_add(const char **list, size_t *n, size_t max, const char *option)
{
	if (*n == max)
		return ctl_usage_error(&ctl_explain, "--%s may be given %zu times", option, max);
	list[(*n)++] = optarg;
	return -1;
}

static int id_read(const char *word, bool group, uint32_t *ret)
{
	struct passwd *user = group ? NULL : getpwnam(word);
	struct group *members = group ? getgrnam(word) : NULL;
	unsigned long long number;
	char *end;

	if (user || members) {
		*ret = user ? user->pw_uid : members->gr_gid;
		return -1;
	}
	errno = 0;
	number = strtoull(word, &end, 10);
	if (errno || *end || end == word || word[0] == '-' || number >= UINT32_MAX)
		return ctl_usage_error(&ctl_explain, "there is no %s '%s'", group ? "group" : "user", word);
	*ret = (uint32_t)number;
	return -1;
}

static int option_set(struct explain *explain, int c)
{
	switch (c) {
	case 'e':
		return list_add(explain->exes, &explain->n_exes, LSMD_LABEL_PROGRAMS_MAX, "exe");
	case 'P':
		return list_add(explain->policies, &explain->n_policies, SETTINGS_ABSTRACTIONS_MAX, "policies");
	case 'A':
		return list_add(explain->abstractions, &explain->n_abstractions, SETTINGS_ABSTRACTIONS_MAX,
				"abstractions");
	case 'u':
		explain->has_uid = true;
		return id_read(optarg, false, &explain->uid);
	case 'g':
		explain->has_gid = true;
		return id_read(optarg, true, &explain->gid);
	case 'U':
		explain->unit = optarg;
		break;
	case 'C':
		explain->cgroup = optarg;
		break;
	case 'p':
		explain->pid = optarg;
		break;
	case 'o':
		explain->open = optarg;
		break;
	case 'a':
		explain->access = optarg;
		break;
	case 'x':
		explain->exec = optarg;
		break;
	case 'c':
		explain->connect = optarg;
		break;
	case 'd':
		explain->device = true;
		break;
	case 'j':
		explain->json = true;
		break;
	}
	return -1;
}

static int options_check(const struct explain *explain, int argc, char **argv)
{
	if (optind < argc)
		return ctl_usage_error(&ctl_explain, "no argument is expected: '%s'", argv[optind]);
	if (!explain->pid == !explain->n_exes)
		return ctl_usage_error(&ctl_explain, "one of --exe and --pid says who");
	if (!!explain->open + !!explain->exec + !!explain->connect != 1)
		return ctl_usage_error(&ctl_explain, "one of --open, --exec and --connect says what");
	if (explain->access && !explain->open)
		return ctl_usage_error(&ctl_explain, "--access goes with --open");
	if (explain->pid && (!*explain->pid || explain->pid[strspn(explain->pid, "0123456789")]))
		return ctl_usage_error(&ctl_explain, "'%s' is no process", explain->pid);
	if (explain->pid && (explain->has_uid || explain->has_gid || explain->unit || explain->cgroup))
		return ctl_usage_error(&ctl_explain, "--pid says all of who; --uid, --gid, --unit and --cgroup go with --exe");
	if (explain->unit && explain->cgroup)
		return ctl_usage_error(&ctl_explain, "the path that --cgroup gives has the unit in it; leave --unit away");
	if (explain->pid && explain->n_policies)
		return ctl_usage_error(&ctl_explain, "--pid asks the policies in force; leave --policies away");
	return -1;
}

static int options_read(int argc, char **argv, struct explain *explain)
{
	static const struct option options[] = {
		{ "exe", required_argument, NULL, 'e' },
		{ "pid", required_argument, NULL, 'p' },
		{ "uid", required_argument, NULL, 'u' },
		{ "gid", required_argument, NULL, 'g' },
		{ "unit", required_argument, NULL, 'U' },
		{ "cgroup", required_argument, NULL, 'C' },
		{ "open", required_argument, NULL, 'o' },
		{ "access", required_argument, NULL, 'a' },
		{ "exec", required_argument, NULL, 'x' },
		{ "connect", required_argument, NULL, 'c' },
		{ "device", no_argument, NULL, 'd' },
		{ "policies", required_argument, NULL, 'P' },
		{ "abstractions", required_argument, NULL, 'A' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int c, status = -1;

	while ((c = ctl_option(&ctl_explain, argc, argv, options, &status)) != -1) {
		if (c == '?')
			return status;
		status = option_set(explain, c);
		if (status >= 0)
			return status;
	}
	return options_check(explain, argc, argv);
}

/* As the kernel would name it: links followed, the last component may not exist. Owned by the caller; NULL: cannot be told */
static char *name_resolve(const char *name)
{
	_cleanup_free_ char *dir_copy = NULL, *base_copy = NULL, *dir = NULL;
	char *whole = realpath(name, NULL), *joined;

	if (whole || errno != ENOENT)
		return whole;
	dir_copy = strdup(name);
	base_copy = strdup(name);
	dir = dir_copy ? realpath(dirname(dir_copy), NULL) : NULL;
	if (!dir || !base_copy || asprintf(&joined, "%s/%s", strcmp(dir, "/") ? dir : "", basename(base_copy)) < 0)
		return NULL;
	return joined;
}

/* The policies in force are asked for what the kernel would see; a note says so where that is another name. */
static int name_add(json_t *question, const char *key, const char *name, bool resolve)
{
	_cleanup_free_ char *resolved = resolve ? name_resolve(name) : NULL;

	if (resolved && strcmp(resolved, name)) {
		_cleanup_buf_ struct buf note = {};

		escape_quoted(&note, name, strlen(name));
		buf_add_string(&note, " is ");
		escape_quoted(&note, resolved, strlen(resolved));
		if (!note.failed)
			fprintf(stderr, "note: %s\n", note.bytes);
	}
	name = resolved ? resolved : name;
	return json_bytes(question, key, name, strlen(name));
}

static bool is_device(const struct explain *explain)
{
	struct stat st;

	if (explain->device)
		return true;
	return !explain->n_policies && !stat(explain->open, &st) && (S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode));
}

static int access_add(json_t *question, const char *words)
{
	json_t *list = json_array();

	if (json_object_set_new(question, "access", list))
		return -ENOMEM;
	while (*words) {
		size_t len = strcspn(words, ",");

		if (len && json_array_append_new(list, json_stringn(words, len)))
			return -ENOMEM;
		words += len + (words[len] == ',');
	}
	return 0;
}

static int who_add(json_t *question, const struct explain *explain)
{
	json_t *programs = json_array();
	int r = json_object_set_new(question, "programs", programs) ? -ENOMEM : 0;

	if (!r && explain->pid)
		return json_object_set_new(question, "pid", json_integer(strtol(explain->pid, NULL, 10))) ? -ENOMEM : 0;
	for (size_t i = 0; i < explain->n_exes && !r; i++) {
		json_t *item = json_object();

		r = item ? name_add(item, "name", explain->exes[i], !explain->n_policies) : -ENOMEM;
		if (json_array_append_new(programs, item))
			r = -ENOMEM;
	}
	if (!r && explain->has_uid && json_object_set_new(question, "uid", json_integer(explain->uid)))
		r = -ENOMEM;
	if (!r && explain->has_gid && json_object_set_new(question, "gid", json_integer(explain->gid)))
		r = -ENOMEM;
	if (!r && explain->unit)
		r = json_bytes(question, "unit", explain->unit, strlen(explain->unit));
	if (!r && explain->cgroup)
		r = json_bytes(question, "cgroup", explain->cgroup, strlen(explain->cgroup));
	return r;
}

/* The program of a "#!" line, as fs/binfmt_script.c reads it; "" : there is none. */
static void interpreter_read(const char *path, char ret[PATH_MAX])
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	char line[256] = {};
	size_t n = file ? fread(line, 1, sizeof(line) - 1, file) : 0;
	const char *at = line + 2 + strspn(line + (n > 2 ? 2 : 0), " \t");

	*ret = '\0';
	if (n > 2 && line[0] == '#' && line[1] == '!')
		snprintf(ret, PATH_MAX, "%.*s", (int)strcspn(at, " \t\n"), at);
}

/* What the kernel would load for the file, one behind the other; fs/exec.c gives up after five. */
static int interpreters_add(json_t *question, const struct explain *explain)
{
	json_t *list = json_array();
	char path[PATH_MAX], next[PATH_MAX];
	int r = json_object_set_new(question, "interpreters", list) ? -ENOMEM : 0;

	snprintf(path, sizeof(path), "%s", explain->exec);
	for (size_t i = 0; i < LSMD_LABEL_PROGRAMS_MAX - 1 && !r; i++) {
		json_t *item;

		interpreter_read(path, next);
		if (*next != '/')
			break;
		item = json_object();
		r = item ? name_add(item, "name", next, !explain->n_policies) : -ENOMEM;
		if (json_array_append_new(list, item))
			r = -ENOMEM;
		memcpy(path, next, sizeof(path));
	}
	return r;
}

static int what_add(json_t *question, const struct explain *explain)
{
	bool resolve = !explain->n_policies;
	int r;

	if (explain->connect)
		return json_bytes(question, "connect", explain->connect, strlen(explain->connect));
	if (explain->exec) {
		r = name_add(question, "exec", explain->exec, resolve);
		return r ? r : interpreters_add(question, explain);
	}
	r = name_add(question, "open", explain->open, resolve);
	if (!r)
		r = access_add(question, explain->access ? explain->access : "read");
	if (!r && is_device(explain) && json_object_set_new(question, "device", json_true()))
		r = -ENOMEM;
	return r;
}

static json_t *question_new(const struct explain *explain)
{
	json_t *question = json_pack("{s:s}", "request", "explain");

	if (question && (who_add(question, explain) || what_add(question, explain))) {
		json_decref(question);
		return NULL;
	}
	return question;
}

static int answer_of(const struct lsmd_image_header *image, struct kernel *kernel, const json_t *question, json_t **ret)
{
	struct explain_why why = {};
	int r = explain_answer(image, kernel, question, &why, ret);

	if (r == EXPLAIN_REFUSED)
		return ctl_error(0, "%s", why.text);
	return r ? ctl_error(r, "cannot answer") : 0;
}

static int ask_disk(const struct ctl *ctl, const struct explain *explain, const json_t *question, json_t **ret)
{
	struct policy_options options;
	struct intake intake = {};
	int status, r;

	settings_policies(&ctl->settings, &options);
	options.paths = explain->policies;
	options.n_paths = explain->n_policies;
	options.force = true;
	if (explain->n_abstractions) {
		options.abstraction_dirs = explain->abstractions;
		options.n_abstraction_dirs = explain->n_abstractions;
	}
	r = intake_run(&options, 0, &intake);
	if (intake.diags.n_errors && intake.set)
		diags_print(&intake.diags, intake.set, stderr, ctl->colour_err);
	if (r)
		status = ctl_error(r < 0 ? r : 0, "the policies cannot be asked");
	else
		status = answer_of(intake.image, NULL, question, ret);
	if (!status && (r = explain_runners_up(intake.set, question, *ret)) < 0)
		ctl_error(r, "cannot say what would decide next");
	intake_clear(&intake);
	return status;
}

/* What is in force holds no policies, only what they became: those on disk are asked, where they are the same. */
static void runners_up_find(const struct ctl *ctl, const json_t *question, json_t *answer)
{
	struct policy_options options;
	struct intake intake = {};
	char hash[17];
	int r;

	settings_policies(&ctl->settings, &options);
	options.force = true;
	r = intake_run(&options, 0, &intake);
	snprintf(hash, sizeof(hash), "%016llx", r ? 0 : (unsigned long long)intake.image->set_hash);
	if (r || strcmp(hash, ctl_string(answer, "set")))
		fputs("note: what would decide without these rules is not known: the policies on disk are not those in force\n",
		      stderr);
	else if ((r = explain_runners_up(intake.set, question, answer)) < 0)
		ctl_error(r, "cannot say what would decide next");
	intake_clear(&intake);
}

/* Without the agent: what is pinned answers as well. */
static int ask_kernel(const struct ctl *ctl, const json_t *question, json_t **ret)
{
	_cleanup_(kernel_freep) struct kernel *kernel = NULL;
	struct kernel_why why = {};
	int r = geteuid() ? -EPERM : kernel_attach(ctl->settings.pins, &why, &kernel);

	if (r || !kernel_image(kernel)) {
		ctl_no_agent(ctl);
		fputs("'lsmctl explain --policies DIR' asks policies on disk.\n", stderr);
		return CTL_NO_AGENT;
	}
	return answer_of(kernel_image(kernel), kernel, question, ret);
}

static int ask(struct ctl *ctl, const struct explain *explain, const json_t *question, json_t **ret)
{
	struct control control;
	int status = ctl_settings(ctl);

	if (status)
		return status;
	if (explain->n_policies)
		return ask_disk(ctl, explain, question, ret);
	status = ctl_ask(ctl, json_incref((json_t *)question), REPLY_TIMEOUT_MS, true, &control, ret);
	if (!status)
		control_close(&control);
	if (status == CTL_NO_AGENT)
		status = ask_kernel(ctl, question, ret);
	if (!status && ctl_true(*ret, "held"))
		runners_up_find(ctl, question, *ret);
	return status;
}

/* "web.json:9", "web.json:5 (default)", or why nothing could be decided */
static void by_print(const json_t *layer)
{
	if (json_object_get(layer, "line"))
		printf("%s:%lld%s", ctl_string(layer, "file"), (long long)ctl_number(layer, "line"),
		       ctl_true(layer, "default") ? " (default)" : "");
	else
		fputs(ctl_string(layer, "reason_text"), stdout);
}

static void layer_print(const json_t *layer, bool decides, bool colour)
{
	const char *verdict = ctl_string(layer, "verdict"), *note = ctl_string(layer, "note");
	bool deny = !strcmp(verdict, "deny"), audit = !strcmp(ctl_string(layer, "mode"), "audit");
	const json_t *next = json_object_get(layer, "runner_up");

	printf("  %s%-5s%s %s%s  ", deny ? CTL_RED(colour) : CTL_GREEN(colour), verdict, CTL_PLAIN(colour),
	       ctl_string(layer, "policy"), audit ? " (audit: allowed and recorded)" : "");
	by_print(layer);
	if (*note)
		printf("  \"%s\"", note);
	puts(decides ? "  <- decides" : "");
	if (!next)
		return;
	printf("        without that rule: %s  ", ctl_string(next, "verdict"));
	by_print(next);
	putchar('\n');
}

static void layers_print(const json_t *answer, bool colour)
{
	const json_t *layers = json_object_get(answer, "layers");

	for (size_t i = 0; i < json_array_size(layers); i++)
		layer_print(json_array_get(layers, i), (json_int_t)i == ctl_number(answer, "deciding"), colour);
}

static void interpreters_print(const json_t *list, bool colour)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		_cleanup_buf_ struct buf bytes = {}, name = {};

		if (explain_bytes(one, "name", &bytes))
			continue;
		escape_text(&name, bytes.bytes, bytes.len);
		printf("its interpreter %s: %s\n", name.bytes ? name.bytes : "?",
		       ctl_true(one, "refused") ? "denied" : "not denied");
		layers_print(one, colour);
	}
}

static int answer_print(const struct ctl *ctl, const json_t *answer)
{
	const json_t *layers = json_object_get(answer, "layers");
	bool refused = ctl_true(answer, "refused"), colour = ctl->colour_out;

	if (!ctl_true(answer, "held")) {
		printf("%sallowed%s: no policy holds this program\n", CTL_GREEN(colour), CTL_PLAIN(colour));
		return CTL_DONE;
	}
	printf("%s%s%s: %s\n", refused ? CTL_RED(colour) : CTL_GREEN(colour), refused ? "denied" : "allowed",
	       CTL_PLAIN(colour), ctl_string(json_array_get(layers, ctl_number(answer, "deciding")), "verb"));
	layers_print(answer, colour);
	interpreters_print(json_object_get(answer, "interpreters"), colour);
	return refused ? CTL_FOUND : CTL_DONE;
}

static int explain_run(struct ctl *ctl, int argc, char **argv)
{
	struct explain explain = {};
	json_t *question, *answer;
	int status = options_read(argc, argv, &explain);

	if (status >= 0)
		return status;
	question = question_new(&explain);
	if (!question)
		return ctl_error(-ENOMEM, "cannot ask");
	status = ask(ctl, &explain, question, &answer);
	json_decref(question);
	if (status)
		return status;
	if (explain.json) {
		status = ctl_true(answer, "refused") ? CTL_FOUND : CTL_DONE;
		return ctl_print_json(answer, true) ? CTL_FOUND : status;
	}
	status = answer_print(ctl, answer);
	json_decref(answer);
	return status;
}

const struct ctl_command ctl_explain = {
	.name = "explain",
	.summary = "say which rule allows or denies one access",
	.usage = usage,
	.run = explain_run,
};
