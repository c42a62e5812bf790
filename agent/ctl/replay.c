// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmctl replay: what recorded accesses would have met under other policies. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/history.h"
#include "agent/ctl/judge.h"
#include "agent/ctl/tally.h"
#include "agent/util/buf.h"
#include "agent/util/cleanup.h"

static const char usage[] =
	"usage: lsmctl replay EVENTS --policies DIR [OPTION]...\n"
	"\n"
	"Puts each recorded access of EVENTS (JSON lines; - is standard input) to the policies in DIR and says what would\n"
	"have been answered otherwise. A record knows the program's own name only, not what it inherited, and not whether what\n"
	"was renamed is a directory.\n"
	"\n"
	"  --policies DIR       the policies, or one file; may be given again\n"
	"  --abstractions DIR   look for included rule sets there; may be given again\n"
	FILTER_HELP
	"  --json               the differences as JSON\n"
	"  --help               this text\n"
	"\n"
	"Exit status: 0 nothing would differ; 1 something would, or the policies are wrong; 2 usage.\n";

#define DIRS_MAX 16

struct replay {
	struct filter filter;
	const char *events;
	const char *dirs[DIRS_MAX], *abstractions[DIRS_MAX];
	size_t n_dirs, n_abstractions;
	bool json;
	struct lsmd_image_header *image;
	json_t *differences; /* "was -> would be  verb object by program: place": decisions */
	uint64_t same, now_refused, now_allowed, unknown;
};

static void replay_clear(struct replay *replay)
{
	free(replay->image);
	json_decref(replay->differences);
}

static int dir_add(const char **list, size_t *n, const char *dir)
{
	if (*n == DIRS_MAX)
		return ctl_usage_error(&ctl_replay, "at most %d folders are taken", DIRS_MAX);
	list[(*n)++] = dir;
	return -1;
}

static int options_read(int argc, char **argv, struct replay *replay)
{
	static const struct option options[] = {
		FILTER_OPTIONS,
		{ "policies", required_argument, NULL, 'p' },
		{ "abstractions", required_argument, NULL, 'a' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int c, status = -1;

	while ((c = ctl_option(&ctl_replay, argc, argv, options, &status)) != -1) {
		int r = filter_option(&ctl_replay, &replay->filter, c, optarg);

		if (c == 'p')
			r = dir_add(replay->dirs, &replay->n_dirs, optarg);
		else if (c == 'a')
			r = dir_add(replay->abstractions, &replay->n_abstractions, optarg);
		else if (c == 'j')
			replay->json = true;
		else if (r == -2)
			return status;
		if (r >= 0)
			return r;
	}
	if (optind + 1 != argc)
		return ctl_usage_error(&ctl_replay, "one file of records is expected");
	replay->events = argv[optind];
	return replay->n_dirs ? -1 : ctl_usage_error(&ctl_replay, "--policies says what to put them to");
}

static int difference_add(struct replay *replay, const json_t *event, const json_t *layer, bool refused, uint64_t n)
{
	_cleanup_buf_ struct buf text = {};

	buf_printf(&text, "%s -> %s  %s %s by %s", ctl_string(event, "answer"), refused ? "denied" : "allowed",
		   ctl_string(event, "verb"), ctl_string(event, "object"), ctl_string(event, "program"));
	if (layer && refused)
		buf_printf(&text, ": %s:%lld%s", ctl_string(layer, "file"), (long long)ctl_number(layer, "line"),
			   ctl_true(layer, "default") ? " (default)" : "");
	return text.failed ? -ENOMEM : tally_add(replay->differences, text.bytes, n);
}

static int event_judge(void *data, json_t *event)
{
	struct replay *replay = data;
	uint64_t n = ctl_number(event, "repeats");
	bool was_refused = !strcmp(ctl_string(event, "answer"), "denied");
	json_t *layer;
	enum judgement judgement = judge_event(replay->image, event, NULL, &layer);
	int r = 0;

	if (judgement == JUDGE_UNKNOWN)
		replay->unknown += n;
	else if ((judgement == JUDGE_REFUSED) == was_refused)
		replay->same += n;
	else
		r = difference_add(replay, event, layer, judgement == JUDGE_REFUSED, n);
	if (judgement != JUDGE_UNKNOWN && (judgement == JUDGE_REFUSED) != was_refused)
		*(was_refused ? &replay->now_allowed : &replay->now_refused) += n;
	json_decref(layer);
	return r ? ctl_error(r, "cannot count") : 0;
}

static int replay_print(const struct replay *replay)
{
	size_t n;
	_cleanup_free_ struct tally_word *words = tally_sort(replay->differences, &n);

	printf("%llu decisions would be the same, %llu refused, %llu no longer refused", (unsigned long long)replay->same,
	       (unsigned long long)replay->now_refused, (unsigned long long)replay->now_allowed);
	if (replay->unknown)
		printf("; of %llu the records do not say enough", (unsigned long long)replay->unknown);
	putchar('\n');
	for (size_t i = 0; i < n; i++)
		printf("%9llu  %s\n", (unsigned long long)words[i].n, words[i].word);
	return 0;
}

static int replay_told(const struct replay *replay)
{
	int status;

	if (replay->json)
		status = ctl_print_json(json_pack("{s:I, s:I, s:I, s:I, s:O}", "same", (json_int_t)replay->same, "refused",
						  (json_int_t)replay->now_refused, "allowed", (json_int_t)replay->now_allowed,
						  "unknown", (json_int_t)replay->unknown, "differences", replay->differences),
					true);
	else
		status = replay_print(replay);
	return status ? status : replay->now_refused + replay->now_allowed ? CTL_FOUND : CTL_DONE;
}

static int replay_run(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(replay_clear) struct replay replay = { .differences = json_object() };
	int status = options_read(argc, argv, &replay);
	struct policy_options policies;
	struct history history;

	if (status >= 0)
		return status;
	status = ctl_settings(ctl);
	if (status)
		return status;
	settings_policies(&ctl->settings, &policies);
	policies.paths = replay.dirs;
	policies.n_paths = replay.n_dirs;
	if (replay.n_abstractions) {
		policies.abstraction_dirs = replay.abstractions;
		policies.n_abstraction_dirs = replay.n_abstractions;
	}
	status = judge_load(&policies, ctl->colour_err, &replay.image);
	if (!status)
		status = history_read(ctl, replay.events, &replay.filter, event_judge, &replay, &history);
	if (status)
		return status;
	if (history.n_wrong)
		ctl_error(0, "%zu lines are no records, and were left out", history.n_wrong);
	return replay_told(&replay);
}

const struct ctl_command ctl_replay = {
	.name = "replay",
	.summary = "say what recorded accesses would have met under other policies",
	.usage = usage,
	.run = replay_run,
};
