// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmctl promote: compares a policy with its shadow, and puts the shadow in its place. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/ctl/shadow.h"
#include "agent/policy/json.h"
#include "agent/policy/set.h"
#include "agent/policy/source.h"
#include "agent/util/buf.h"
#include "agent/util/cleanup.h"
#include "agent/util/fd.h"

static const char usage[] =
	"usage: lsmctl promote NAME [OPTION]...\n"
	"\n"
	"The shadow of NAME is a policy of the same name with \"mode\": \"audit\" in another file: it is asked what NAME is asked,\n"
	"and refuses nothing. Compares what both answered, by the records since the shadow's file was written; then puts the\n"
	"shadow in NAME's place, in enforce mode, and reloads. NAME's file before stays as FILE.before. Where the shadow would\n"
	"refuse what NAME allowed, nothing is changed without --force.\n"
	"\n"
	"  --dry-run      compare only\n"
	"  --force        also where something would be refused that was allowed\n"
	"  --since TIME   records not older than that: 30s, 10m, 2h, 7d, or 2026-11-21 or \"2026-11-21 12:30\"\n"
	"  --from FILE    records in FILE (JSON lines); - is standard input\n"
	"  --json         the comparison as JSON\n"
	"  --help         this text\n"
	"\n"
	"Exit status: 0 done, or with --dry-run: nothing would be newly refused; 1 something would, or it cannot be done; 2 usage;\n"
	"3 the agent cannot be reached.\n";

#define REPLY_TIMEOUT_MS 300000
/* Repeats are told when their second ends, and logs take a moment. */
#define SETTLE_TRIES 15
#define SETTLE_MS 200

struct promote {
	const char *name, *from;
	bool dry_run, force, json;
	struct filter filter;
	char *policy_file, *shadow_file; /* as they are */
	char *target; /* what NAME's file will be: its own, or that of its name in the administrator's folder */
	char *shadow_name;
};

static void promote_clear(struct promote *promote)
{
	free(promote->policy_file);
	free(promote->shadow_file);
	free(promote->target);
	free(promote->shadow_name);
}

static int options_read(int argc, char **argv, struct promote *promote)
{
	static const struct option options[] = {
		{ "dry-run", no_argument, NULL, 'n' },	    { "force", no_argument, NULL, 'f' },
		{ "since", required_argument, NULL, 'S' },  { "from", required_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'j' },	    { "help", no_argument, NULL, 'h' },
		{},
	};
	int c, status = -1;

	while ((c = ctl_option(&ctl_promote, argc, argv, options, &status)) != -1) {
		int r = filter_option(&ctl_promote, &promote->filter, c, optarg);

		if (c == '?')
			return status;
		if (r >= 0)
			return r;
		promote->dry_run |= c == 'n';
		promote->force |= c == 'f';
		promote->json |= c == 'j';
		if (c == 'r')
			promote->from = optarg;
	}
	if (optind + 1 != argc)
		return ctl_usage_error(&ctl_promote, "one policy is expected");
	promote->name = argv[optind];
	return -1;
}

static const char *file_of(const struct policy_set *set, const struct policy *policy)
{
	return set->files[policy->place.file].name;
}

/* The two files among all policies. Return: 0, an exit status after saying why */
static int files_find(struct promote *promote, const struct policy_set *set)
{
	for (size_t i = 0; i < set->n_policies; i++) {
		const struct policy *policy = &set->policies[i];

		if (policy->shadow_of && !strcmp(policy->shadow_of, promote->name)) {
			promote->shadow_file = strdup(file_of(set, policy));
			promote->shadow_name = strdup(policy->name);
		} else if (!strcmp(policy->name, promote->name)) {
			promote->policy_file = strdup(file_of(set, policy));
		}
	}
	if (!promote->shadow_name)
		return ctl_error(0, "no policy '%s' in audit mode stands beside an enforcing one", promote->name);
	return promote->shadow_file && promote->policy_file ? 0 : ctl_error(-ENOMEM, "cannot compare");
}

static int policies_look(struct ctl *ctl, struct promote *promote)
{
	struct policy_options options;
	struct policy_set *set = NULL;
	struct diags diags = {};
	int r;

	settings_policies(&ctl->settings, &options);
	options.force = true;
	options.text_drop = true;
	r = policy_set_load(&options, &diags, &set);
	diags_clear(&diags);
	if (r)
		r = r < 0 ? ctl_error(r, "cannot read the policies") :
			    ctl_error(0, "the policies are refused; 'lsmctl check' says why");
	else
		r = files_find(promote, set);
	if (set)
		policy_set_free(set);
	return r;
}

/* Is everything that was decided in the file of records by now? */
static bool records_settled(const json_t *status)
{
	const json_t *records = json_object_get(status, "records"), *notes = json_object_get(records, "notes"), *sink;
	size_t i;

	json_array_foreach (json_object_get(records, "sinks"), i, sink) {
		if (!strcmp(ctl_string(sink, "sink"), "file") && ctl_number(json_object_get(sink, "queued"), "records"))
			return false;
	}
	return !ctl_number(notes, "held") && !ctl_number(notes, "in_ring") && !ctl_number(notes, "being_counted");
}

/* Records can be lost, the kernel's counters of rules cannot: what no record tells is said. Those on their way are waited for. */
static void counters_read(struct ctl *ctl, struct shadow *shadow)
{
	for (int left = SETTLE_TRIES; left >= 0; left--) {
		struct control control;
		json_t *status;

		if (ctl_ask(ctl, json_pack("{s:s, s:b}", "request", "status", "rules", 1), REPLY_TIMEOUT_MS, true, &control, &status))
			return;
		control_close(&control);
		if (!left || records_settled(status)) {
			shadow_counted(shadow, status);
			left = 0;
		} else {
			poll(NULL, 0, SETTLE_MS);
		}
		json_decref(status);
	}
}

/* Records of an earlier text of the shadow say nothing of this one. */
static int compare(struct ctl *ctl, struct promote *promote, struct shadow *shadow)
{
	struct history history;
	struct stat st;
	int r;

	if (!promote->filter.since_us && !promote->from) {
		if (stat(promote->shadow_file, &st))
			return ctl_error(-errno, "cannot look at %s", promote->shadow_file);
		promote->filter.since_us = st.st_mtim.tv_sec * 1000000ull + st.st_mtim.tv_nsec / 1000;
	}
	if (!promote->from)
		counters_read(ctl, shadow);
	r = history_read(ctl, promote->from, &promote->filter, shadow_event, shadow, &history);
	if (!r && history.n_wrong)
		ctl_error(0, "%zu lines are no records, and were left out", history.n_wrong);
	return r;
}

/* What was compared has to be what is promoted. */
static int agent_asked(struct ctl *ctl, bool dry_run, json_t **ret)
{
	struct control control;
	int r = ctl_ask(ctl, json_pack("{s:s, s:b, s:b}", "request", "reload", "dry_run", dry_run, "colour", ctl->colour_err),
			REPLY_TIMEOUT_MS, false, &control, ret);

	if (!r)
		control_close(&control);
	return r;
}

static int in_force_check(struct ctl *ctl)
{
	json_t *reply;
	bool same;
	int r = agent_asked(ctl, true, &reply);

	if (r)
		return r;
	same = !strcmp(ctl_string(reply, "outcome"), "unchanged");
	json_decref(reply);
	return same ? 0 : ctl_error(0, "the policies on disk are not those in force: 'lsmctl reload' first, and compare again");
}

/* Rules that drop-ins add would not come along, or come to what was tried without them. */
static int drop_ins_check(const struct ctl *ctl, const char *file)
{
	const char *dirs[] = { ctl->settings.vendor_dir ? ctl->settings.vendor_dir : POLICY_VENDOR_DIR,
			       ctl->settings.admin_dir ? ctl->settings.admin_dir : POLICY_ADMIN_DIR };

	for (size_t i = 0; i < 2; i++) {
		_cleanup_buf_ struct buf dir = {};

		buf_printf(&dir, "%s/%s.d", dirs[i], strrchr(file, '/') + 1);
		if (dir.failed)
			return ctl_error(-ENOMEM, "cannot promote");
		if (!access(dir.bytes, F_OK))
			return ctl_error(0, "%s adds rules to one of the two: write them into it first", dir.bytes);
	}
	return 0;
}

static int target_choose(const struct ctl *ctl, struct promote *promote)
{
	const char *admin = ctl->settings.admin_dir ? ctl->settings.admin_dir : POLICY_ADMIN_DIR;
	struct stat st;

	if (asprintf(&promote->target, "%s/%s", admin, strrchr(promote->policy_file, '/') + 1) < 0)
		return ctl_error(-ENOMEM, "cannot promote");
	if (strncmp(promote->shadow_file, admin, strlen(admin)))
		return ctl_error(0, "%s is a vendor's: copy it to %s first", promote->shadow_file, admin);
	if (lstat(promote->shadow_file, &st) || !S_ISREG(st.st_mode) || (!lstat(promote->target, &st) && !S_ISREG(st.st_mode)))
		return ctl_error(0, "%s and %s have to be regular files", promote->shadow_file, promote->target);
	return drop_ins_check(ctl, promote->policy_file) ?: drop_ins_check(ctl, promote->shadow_file);
}

/* The shadow's text with another mode; all else stays as it was written, byte for byte. */
static int text_enforcing(const char *path, struct buf *ret)
{
	_cleanup_free_ char *text = NULL;
	struct diags diags = {};
	struct doc doc;
	size_t len;
	int r = file_read(AT_FDCWD, path, SOURCE_BYTES_MAX, &text, &len);

	if (!r)
		r = doc_parse(text, len, 0, &diags, &doc);
	diags_clear(&diags);
	if (r)
		return ctl_error(r < 0 ? r : 0, "cannot read %s", path);
	for (uint32_t key = 1; key < doc.values[0].end && !ret->len; key = doc.values[key + 1].end) {
		const struct doc_value *value = &doc.values[key + 1];
		size_t n;
		const char *word = doc_string(&doc, key, &n);

		if (!word || n != 4 || memcmp(word, "mode", 4))
			continue;
		buf_add(ret, text, value->off);
		buf_add_string(ret, "\"enforce\"");
		buf_add(ret, text + value->off + value->len, len - value->off - value->len);
	}
	doc_free(&doc);
	return ret->len && !ret->failed ? 0 : ctl_error(-ENOMEM, "cannot write %s anew", path);
}

static int text_write(const char *path, const struct buf *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text->bytes, text->len);
	if (n >= 0 && (size_t)n < text->len)
		return -ENOSPC;
	return n < 0 || fsync(fd) ? -errno : 0;
}

/* Names of files that a folder's reader passes over, beside those that it takes. */
struct aside {
	struct buf fresh, before, shadow;
};

static void aside_clear(struct aside *aside)
{
	buf_free(&aside->fresh);
	buf_free(&aside->before);
	buf_free(&aside->shadow);
}

/*
 * Whoever reads the folder in between finds the policy with its shadow, alone, or the promoted one. Return: 0, -errno: all is as it
 * was
 */
static int files_swap(const struct promote *promote, const struct aside *aside, const struct buf *text)
{
	int r = text_write(aside->fresh.bytes, text);

	if (!r)
		r = unlink(aside->before.bytes) && errno != ENOENT ? -errno : 0;
	if (!r)
		r = link(promote->target, aside->before.bytes) && errno != ENOENT ? -errno : 0;
	if (!r)
		r = rename(promote->shadow_file, aside->shadow.bytes) ? -errno : 0;
	if (!r && rename(aside->fresh.bytes, promote->target)) {
		r = -errno;
		rename(aside->shadow.bytes, promote->shadow_file);
	}
	if (r)
		unlink(aside->fresh.bytes);
	return r;
}

static int files_restore(const struct promote *promote, const struct aside *aside)
{
	int r = rename(aside->before.bytes, promote->target) ? -errno : 0;

	if (r == -ENOENT) /* NAME was the vendor's */
		r = unlink(promote->target) ? -errno : 0;
	if (!r)
		r = rename(aside->shadow.bytes, promote->shadow_file) ? -errno : 0;
	return r ? ctl_error(r, "cannot put the files back; %s is the shadow, %s the policy before", aside->shadow.bytes,
			     aside->before.bytes) :
		   CTL_FOUND;
}

static int reload_judge(struct ctl *ctl, const struct promote *promote, const struct aside *aside)
{
	json_t *reply;
	int r = agent_asked(ctl, false, &reply);

	if (r) {
		files_restore(promote, aside);
		return r;
	}
	fputs(ctl_string(reply, "diagnostics_text"), stderr);
	if (!strcmp(ctl_string(reply, "outcome"), "refused")) {
		ctl_error(0, "the promoted policy is refused, and all is as it was");
		r = files_restore(promote, aside);
	} else {
		unlink(aside->shadow.bytes);
		if (json_object_get(reply, "changes") && !promote->json)
			ctl_print_changes(json_object_get(reply, "changes"), ctl->colour_out);
		fprintf(stderr, "lsmctl: %s is promoted, and in force as generation %lld%s%s\n", promote->name,
			(long long)ctl_number(reply, "generation"), access(aside->before.bytes, F_OK) ? "" : "; before it was ",
			access(aside->before.bytes, F_OK) ? "" : aside->before.bytes);
	}
	json_decref(reply);
	return r;
}

/* What is signed is not rewritten here: the agent would refuse it, and the files would be other than what is in force meanwhile. */
static int signed_refuse(const struct promote *promote)
{
	return ctl_error(0, "policies are signed here (\"signed_by\" of the settings), and nothing was changed: write %s, with \"mode\": \"enforce\", "
			    "into the place of %s, then 'lsmctl sign' and 'lsmctl reload'", promote->shadow_file, promote->policy_file);
}

static int put_in_force(struct ctl *ctl, struct promote *promote)
{
	_cleanup_(aside_clear) struct aside aside = {};
	_cleanup_buf_ struct buf text = {};
	int r = ctl->settings.n_signed_by ? signed_refuse(promote) : in_force_check(ctl);

	if (!r)
		r = target_choose(ctl, promote);
	if (!r)
		r = text_enforcing(promote->shadow_file, &text);
	if (r)
		return r;
	buf_printf(&aside.fresh, "%s.promoted", promote->target);
	buf_printf(&aside.before, "%s.before", promote->target);
	buf_printf(&aside.shadow, "%s.shadow", promote->shadow_file);
	if (aside.fresh.failed || aside.before.failed || aside.shadow.failed)
		return ctl_error(-ENOMEM, "cannot promote");
	r = files_swap(promote, &aside, &text);
	return r ? ctl_error(r, "cannot put %s in place of %s", promote->shadow_file, promote->target) :
		   reload_judge(ctl, promote, &aside);
}

static int promote_go(struct ctl *ctl, struct promote *promote, struct shadow *shadow)
{
	int r = compare(ctl, promote, shadow);

	if (r)
		return r;
	if (promote->json)
		r = ctl_print_json(shadow_json(shadow), true);
	else
		shadow_print(shadow, ctl->colour_out);
	fflush(stdout);
	if (r)
		return r;
	if (shadow->sums[SHADOW_REFUSES] && !promote->force) {
		if (!promote->dry_run)
			ctl_error(0, "nothing was changed: mend %s, or promote it with --force", promote->shadow_file);
		return CTL_FOUND;
	}
	return promote->dry_run ? CTL_DONE : put_in_force(ctl, promote);
}

static int promote_run(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(promote_clear) struct promote promote = {};
	_cleanup_(shadow_clear) struct shadow shadow = {};
	int status = options_read(argc, argv, &promote);

	if (status >= 0)
		return status;
	status = ctl_settings(ctl);
	if (!status)
		status = policies_look(ctl, &promote);
	if (status)
		return status;
	if (shadow_init(&shadow, promote.name, promote.shadow_name))
		return ctl_error(-ENOMEM, "cannot compare");
	return promote_go(ctl, &promote, &shadow);
}

const struct ctl_command ctl_promote = {
	.name = "promote",
	.summary = "compare a policy with its shadow, and put the shadow in its place",
	.usage = usage,
	.run = promote_run,
};
