// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmctl denials: what was refused most, by policy, rule, program and object, and when. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/history.h"
#include "agent/ctl/tally.h"
#include "agent/util/cleanup.h"
#include "agent/util/vec.h"

static const char usage[] =
	"usage: lsmctl denials [OPTION]...\n"
	"\n"
	"Sums up what was refused: how often by policy, rule, verb, program and object, and when. Reads the events file, those\n"
	"before it, and where there is none the last 256 records of the agent.\n"
	"\n"
	FILTER_HELP
	"  --top N           so many lines of each kind (10)\n"
	"  --from FILE       read the records in FILE (JSON lines); - is standard input\n"
	"  --json            the same as JSON\n"
	"  --help            this text\n"
	"\n"
	"Without --answer only refusals count. Exit status: 0 done, nothing was refused; 1 something was; 2 usage; 3 the agent\n"
	"cannot be reached.\n";

#define PARTS_MAX 20
#define BAR_MAX 50

enum kind {
	BY_POLICY,
	BY_RULE,
	BY_VERB,
	BY_PROGRAM,
	BY_OBJECT,
	N_KINDS,
};

static const char *const kind_names[N_KINDS] = {
	[BY_POLICY] = "policies", [BY_RULE] = "rules", [BY_VERB] = "verbs", [BY_PROGRAM] = "programs", [BY_OBJECT] = "objects",
};

struct denials {
	struct filter filter;
	const char *from;
	size_t top;
	bool json;
	json_t *tallies[N_KINDS];
	struct moments moments;
	uint64_t decisions;
};

static void denials_clear(struct denials *denials)
{
	for (size_t i = 0; i < N_KINDS; i++)
		json_decref(denials->tallies[i]);
	free(denials->moments.items);
}

static int top_read(const char *text, size_t *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n > 100000)
		return ctl_usage_error(&ctl_denials, "--top takes a number, not '%s'", text);
	*ret = n;
	return -1;
}

static int option_take(struct denials *denials, int c, int status)
{
	int r = filter_option(&ctl_denials, &denials->filter, c, optarg);

	if (r != -2)
		return r;
	switch (c) {
	case 't':
		return top_read(optarg, &denials->top);
	case 'f':
		denials->from = optarg;
		return -1;
	case 'j':
		denials->json = true;
		return -1;
	}
	return status;
}

static int options_read(int argc, char **argv, struct denials *denials)
{
	static const struct option options[] = {
		FILTER_OPTIONS,
		{ "top", required_argument, NULL, 't' },
		{ "from", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int c, status = -1;

	while ((c = ctl_option(&ctl_denials, argc, argv, options, &status)) != -1) {
		int r = option_take(denials, c, status);

		if (r >= 0)
			return r;
	}
	if (!denials->filter.answer)
		denials->filter.answer = "denied";
	return optind < argc ? ctl_usage_error(&ctl_denials, "no argument is expected: '%s'", argv[optind]) : -1;
}

static const char *or_dash(const char *text)
{
	return *text ? text : "-";
}

static int event_count(void *data, json_t *event)
{
	const char *rule = ctl_string(event, "rule");
	struct denials *denials = data;
	uint64_t n = ctl_number(event, "repeats");
	struct moment *moment = vec_add(&denials->moments);
	int r;

	if (!moment)
		return ctl_error(-ENOMEM, "cannot count");
	*moment = (struct moment){ .time_us = ctl_number(event, "time_us"), .n = n };
	denials->decisions += n;
	r = tally_add(denials->tallies[BY_POLICY], or_dash(ctl_string(event, "policy")), n);
	r |= tally_add(denials->tallies[BY_RULE], *rule ? rule : ctl_string(event, "reason"), n);
	r |= tally_add(denials->tallies[BY_VERB], ctl_string(event, "verb"), n);
	r |= tally_add(denials->tallies[BY_PROGRAM], or_dash(ctl_string(event, "program")), n);
	r |= tally_add(denials->tallies[BY_OBJECT],
		       ctl_true(event, "mixed") ? "(many, folded by rule)" : or_dash(ctl_string(event, "object")), n);
	return r ? ctl_error(-ENOMEM, "cannot count") : 0;
}

static int tally_print(const struct denials *denials, enum kind kind, bool colour)
{
	size_t n;
	_cleanup_free_ struct tally_word *words = tally_sort(denials->tallies[kind], &n);

	if (!words)
		return ctl_error(-ENOMEM, "cannot sort");
	printf("\n%s%s%s\n", CTL_BOLD(colour), kind_names[kind], CTL_PLAIN(colour));
	for (size_t i = 0; i < n && i < denials->top; i++)
		printf("  %9llu  %s\n", (unsigned long long)words[i].n, words[i].word);
	if (n > denials->top)
		printf("             and %zu more\n", n - denials->top);
	return 0;
}

static int parts_sum(const struct moments *moments, const struct span *span, uint64_t **ret, uint64_t *ret_most)
{
	uint64_t *sums = calloc(span->n, sizeof(*sums));

	if (!sums)
		return -ENOMEM;
	*ret_most = 0;
	for (size_t i = 0; i < moments->n; i++) {
		uint64_t *sum = &sums[span_part(span, moments->items[i].time_us)];

		*sum += moments->items[i].n;
		if (*sum > *ret_most)
			*ret_most = *sum;
	}
	*ret = sums;
	return 0;
}

static int histogram_print(const struct denials *denials, bool colour)
{
	static const char hashes[] = "##################################################";
	struct span span = span_of(&denials->moments, PARTS_MAX);
	_cleanup_free_ uint64_t *sums = NULL;
	uint64_t most;
	char text[32];

	if (parts_sum(&denials->moments, &span, &sums, &most))
		return ctl_error(-ENOMEM, "cannot count");
	printf("\n%swhen%s\n", CTL_BOLD(colour), CTL_PLAIN(colour));
	for (size_t i = 0; i < span.n; i++) {
		/* What there is shows, however little. */
		int len = sums[i] ? (int)((sums[i] * BAR_MAX + most - 1) / most) : 0;

		printf("  %s %9llu %s%.*s%s\n", event_time(span.start_us + i * span.width_us, text),
		       (unsigned long long)sums[i], CTL_RED(colour), len, hashes, CTL_PLAIN(colour));
	}
	return 0;
}

static int denials_print(const struct denials *denials, const struct history *history, bool colour)
{
	int r = 0;

	printf("%s: %llu decisions, told by %zu records%s\n", denials->filter.answer, (unsigned long long)denials->decisions,
	       history->n_records, history->from_agent ? ", the last that the agent keeps" : "");
	if (!history->n_records)
		return 0;
	for (size_t i = 0; i < N_KINDS && !r; i++)
		r = tally_print(denials, i, colour);
	return r ? r : histogram_print(denials, colour);
}

static json_t *denials_json(const struct denials *denials, const struct history *history)
{
	json_t *object = json_pack("{s:s, s:I, s:I}", "answer", denials->filter.answer, "decisions",
				   (json_int_t)denials->decisions, "records", (json_int_t)history->n_records);

	for (size_t i = 0; i < N_KINDS; i++)
		json_object_set(object, kind_names[i], denials->tallies[i]);
	return object;
}

static int denials_run(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(denials_clear) struct denials denials = { .top = 10 };
	struct history history;
	int status = options_read(argc, argv, &denials);

	if (status >= 0)
		return status;
	for (size_t i = 0; i < N_KINDS; i++)
		denials.tallies[i] = json_object();
	status = history_read(ctl, denials.from, &denials.filter, event_count, &denials, &history);
	if (status)
		return status;
	if (history.n_wrong)
		ctl_error(0, "%zu lines are no records, and were left out", history.n_wrong);
	status = denials.json ? ctl_print_json(denials_json(&denials, &history), true) :
				denials_print(&denials, &history, ctl->colour_out);
	return status ? status : denials.decisions ? CTL_FOUND : CTL_DONE;
}

const struct ctl_command ctl_denials = {
	.name = "denials",
	.summary = "sum up what was refused, by rule, program, object, and when",
	.usage = usage,
	.run = denials_run,
};
