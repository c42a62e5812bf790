// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmctl report: one page that shows what was refused, to whom, and when. No script, nothing from elsewhere. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/ctl/history.h"
#include "agent/ctl/tally.h"
#include "agent/util/buf.h"
#include "agent/util/cleanup.h"
#include "agent/util/vec.h"

static const char usage[] =
	"usage: lsmctl report --html FILE [OPTION]...\n"
	"\n"
	"Writes one self-contained page: a timeline, the tree of programs and objects, and the rules that refused, with the\n"
	"line that would allow each. Reads the events file and those before it.\n"
	"\n"
	"  --html FILE       the page; - is standard output\n"
	FILTER_HELP
	"  --from FILE       read the records in FILE (JSON lines); - is standard input\n"
	"  --help            this text\n"
	"\n"
	"Exit status: 0 done; 1 it cannot be written; 2 usage; 3 the agent cannot be reached.\n";

/* Policies with a colour of their own in the timeline; the rest share the last one. */
#define SERIES_MAX 6
#define BARS_MAX 60
#define OBJECTS_SHOWN 200

/* The timeline in user units of its SVG. */
#define CHART_WIDTH 960
#define CHART_HEIGHT 180
#define CHART_LEFT 52
#define CHART_BOTTOM 24

struct report {
	struct filter filter;
	const char *from, *html;
	struct moments moments; /* series: index into policies, at most SERIES_MAX - 1 */
	json_t *policies; /* name: decisions */
	json_t *programs; /* name: decisions */
	json_t *objects; /* program: { "letter of the answer, verb, object": decisions } */
	json_t *rules; /* place: { "n", "policy", "why", "mend" } */
	json_t *answers;
	uint64_t first_us, last_us, decisions;
};

static void report_clear(struct report *report)
{
	json_decref(report->policies);
	json_decref(report->programs);
	json_decref(report->objects);
	json_decref(report->rules);
	json_decref(report->answers);
	free(report->moments.items);
}

static int options_read(int argc, char **argv, struct report *report)
{
	static const struct option options[] = {
		FILTER_OPTIONS,
		{ "html", required_argument, NULL, 'w' },
		{ "from", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int c, status = -1;

	while ((c = ctl_option(&ctl_report, argc, argv, options, &status)) != -1) {
		int r = filter_option(&ctl_report, &report->filter, c, optarg);

		if (r >= 0)
			return r;
		if (c == 'w')
			report->html = optarg;
		else if (c == 'f')
			report->from = optarg;
		else if (r == -2)
			return status;
	}
	if (optind < argc)
		return ctl_usage_error(&ctl_report, "no argument is expected: '%s'", argv[optind]);
	return report->html ? -1 : ctl_usage_error(&ctl_report, "--html says where the page goes");
}

/* The policy's number by the order in which they came; -1: no memory */
static int series_of(struct report *report, const char *policy)
{
	json_t *value;
	const char *key;
	int i = 0;

	json_object_foreach (report->policies, key, value) {
		if (!strcmp(key, policy))
			return i < SERIES_MAX ? i : SERIES_MAX - 1;
		i++;
	}
	return -1;
}

static int rule_count(struct report *report, json_t *event, uint64_t n)
{
	const char *place = ctl_string(event, "rule"), *note = ctl_string(event, "note");
	const char *key = *place ? place : ctl_string(event, "reason");
	json_t *rule = json_object_get(report->rules, key);

	if (!rule) {
		rule = json_pack("{s:I, s:s, s:s, s:s, s:s}", "n", (json_int_t)0, "policy", ctl_string(event, "policy"), "why",
				 *note ? note : ctl_true(event, "default") ? "no rule speaks: the default" : ctl_string(event, "reason"),
				 "mend", ctl_string(event, "mend"), "mode", ctl_string(event, "mode"));
		if (json_object_set_new(report->rules, key, rule))
			return -ENOMEM;
	}
	return json_integer_set(json_object_get(rule, "n"), ctl_number(rule, "n") + n);
}

/* What stands for an answer in front of an object, and as the class of its bar; words of the answers: lsmd-audit(7). */
static char answer_letter(const char *answer)
{
	return !strcmp(answer, "allowed (audit)") ? 'a' : !strcmp(answer, "allowed (logged)") ? 'l' : 'd';
}

static int object_count(struct report *report, const json_t *event, const char *program, uint64_t n)
{
	json_t *objects = json_object_get(report->objects, program);
	const char *object = ctl_string(event, "object");
	_cleanup_buf_ struct buf text = {};

	if (!objects) {
		objects = json_object();
		if (json_object_set_new(report->objects, program, objects))
			return -ENOMEM;
	}
	buf_printf(&text, "%c%s %s", answer_letter(ctl_string(event, "answer")), ctl_string(event, "verb"),
		   ctl_true(event, "mixed") ? "(many, folded by rule)" : *object ? object : "(no name)");
	return text.failed ? -ENOMEM : tally_add(objects, text.bytes, n);
}

static int event_count(void *data, json_t *event)
{
	struct report *report = data;
	const char *policy = ctl_string(event, "policy"), *program = ctl_string(event, "program");
	uint64_t n = ctl_number(event, "repeats"), time_us = ctl_number(event, "time_us");
	struct moment *moment = vec_add(&report->moments);
	int r;

	if (!moment)
		return ctl_error(-ENOMEM, "cannot count");
	if (!*program)
		program = ctl_string(event, "comm");
	r = tally_add(report->policies, policy, n);
	r |= tally_add(report->programs, program, n);
	r |= tally_add(report->answers, ctl_string(event, "answer"), n);
	r |= object_count(report, event, program, n);
	r |= rule_count(report, event, n);
	*moment = (struct moment){ .time_us = time_us, .n = n, .series = series_of(report, policy) };
	report->decisions += n;
	if (!report->first_us || time_us < report->first_us)
		report->first_us = time_us;
	if (time_us > report->last_us)
		report->last_us = time_us;
	return r ? ctl_error(-ENOMEM, "cannot count") : 0;
}

/* The one place where names become HTML. */
static void text_put(struct buf *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			buf_add_string(out, "&amp;");
			break;
		case '<':
			buf_add_string(out, "&lt;");
			break;
		case '>':
			buf_add_string(out, "&gt;");
			break;
		case '"':
			buf_add_string(out, "&quot;");
			break;
		default:
			buf_add_byte(out, *text);
		}
	}
}

static const char *const colours[SERIES_MAX] = { "#c0392b", "#2471a3", "#b9770e", "#1e8449", "#6c3483", "#707b7c" };

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n<title>lsmd: what was refused</title>\n<style>\n"
	"body{font:15px/1.45 system-ui,sans-serif;max-width:1040px;margin:2rem auto;padding:0 1rem;color:#1c2833;background:#fff}\n"
	"h1{font-size:1.6rem;margin:0 0 .2rem}h2{font-size:1.15rem;margin:2.2rem 0 .6rem;border-bottom:1px solid #d5d8dc;padding-bottom:.2rem}\n"
	".sub{color:#566573;margin:0 0 1.2rem}.cards{display:flex;flex-wrap:wrap;gap:.8rem}\n"
	".card{border:1px solid #d5d8dc;border-radius:6px;padding:.5rem .9rem;min-width:7rem}.card b{display:block;font-size:1.5rem}\n"
	"svg{width:100%;height:auto;display:block}svg text{font:11px system-ui,sans-serif;fill:#566573}\n"
	".key{display:inline-block;width:.8rem;height:.8rem;border-radius:2px;margin:0 .35rem 0 1rem;vertical-align:-1px}\n"
	"details{margin:.25rem 0;border:1px solid #d5d8dc;border-radius:6px;padding:.3rem .7rem}summary{cursor:pointer}\n"
	"table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #eaecee}\n"
	"td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;width:6rem}td.bar{width:26%}td.verb{width:6rem}td.rule code{overflow-wrap:break-word}\n"
	".bar i{display:block;height:.8rem;margin-top:.3rem;border-radius:2px}.d{background:#c0392b}.a{background:#d68910}.l{background:#707b7c}\n"
	"code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}.mend{color:#1e8449}.why{color:#566573}\n"
	"@media(prefers-color-scheme:dark){body{background:#17202a;color:#eaecee}.card,details,h2{border-color:#34495e}td,th{border-color:#2c3e50}"
	".sub,.why,svg text{color:#aeb6bf;fill:#aeb6bf}.mend{color:#58d68d}}\n</style></head><body>\n";

static void card_put(struct buf *out, uint64_t n, const char *what)
{
	buf_printf(out, "<div class=\"card\"><b>%llu</b>%s</div>\n", (unsigned long long)n, what);
}

static void head_put(struct buf *out, const struct report *report)
{
	char first[32], last[32], now[32];

	buf_add_string(out, head);
	buf_add_string(out, "<h1>What was refused</h1>\n");
	buf_printf(out, "<p class=\"sub\">%s to %s, written %s</p>\n", event_time(report->first_us, first),
		   event_time(report->last_us, last), event_time((uint64_t)time(NULL) * 1000000, now));
	buf_add_string(out, "<div class=\"cards\">\n");
	card_put(out, ctl_number(report->answers, "denied"), "refused");
	card_put(out, ctl_number(report->answers, "allowed (audit)"), "would have been (audit mode)");
	card_put(out, ctl_number(report->answers, "allowed (logged)"), "allowed and logged");
	card_put(out, json_object_size(report->policies), "policies");
	card_put(out, json_object_size(report->programs), "programs");
	buf_add_string(out, "</div>\n");
}

/* Sums by part of the span and policy; parts[i * SERIES_MAX + series] */
static uint64_t *bars_sum(const struct moments *moments, const struct span *span, uint64_t *ret_most)
{
	uint64_t *bars = calloc(span->n * SERIES_MAX, sizeof(*bars));

	*ret_most = 1;
	for (size_t i = 0; bars && i < moments->n; i++)
		bars[span_part(span, moments->items[i].time_us) * SERIES_MAX + moments->items[i].series] += moments->items[i].n;
	for (size_t i = 0; bars && i < span->n; i++) {
		uint64_t sum = 0;

		for (size_t s = 0; s < SERIES_MAX; s++)
			sum += bars[i * SERIES_MAX + s];
		if (sum > *ret_most)
			*ret_most = sum;
	}
	return bars;
}

/* One part of the time: its policies stacked, and what it is for the pointer. */
static void bar_put(struct buf *out, const uint64_t *bar, uint64_t most, double x, double width, uint64_t time_us)
{
	double y = CHART_HEIGHT - CHART_BOTTOM, full = y - 10;
	uint64_t sum = 0;
	char text[32];

	for (size_t s = 0; s < SERIES_MAX; s++)
		sum += bar[s];
	buf_printf(out, "<g><title>%s: %llu</title>", event_time(time_us, text), (unsigned long long)sum);
	for (size_t s = 0; s < SERIES_MAX; s++) {
		double height = full * bar[s] / most;

		if (!bar[s])
			continue;
		if (height < 1.5)
			height = 1.5;
		y -= height;
		buf_printf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>", x, y, width, height,
			   colours[s]);
	}
	buf_add_string(out, "</g>\n");
}

static void axis_put(struct buf *out, const struct span *span, uint64_t most)
{
	double bottom = CHART_HEIGHT - CHART_BOTTOM;
	size_t step = (span->n + 5) / 6;
	char text[32];

	buf_printf(out, "<line x1=\"%d\" y1=\"%.0f\" x2=\"%d\" y2=\"%.0f\" stroke=\"#aeb6bf\"/>\n", CHART_LEFT, bottom, CHART_WIDTH, bottom);
	buf_printf(out, "<line x1=\"%d\" y1=\"10\" x2=\"%d\" y2=\"10\" stroke=\"#eaecee\" stroke-opacity=\".5\"/>\n", CHART_LEFT, CHART_WIDTH);
	buf_printf(out, "<text x=\"%d\" y=\"14\" text-anchor=\"end\">%llu</text><text x=\"%d\" y=\"%.0f\" text-anchor=\"end\">0</text>\n",
		   CHART_LEFT - 6, (unsigned long long)most, CHART_LEFT - 6, bottom);
	for (size_t i = 0; i < span->n; i += step) {
		const char *time = event_time(span->start_us + i * span->width_us, text);

		/* Days where a part is a day, else the time of day. */
		buf_printf(out, "<text x=\"%.1f\" y=\"%d\"%s>%.*s</text>\n",
			   CHART_LEFT + (double)(CHART_WIDTH - CHART_LEFT) * i / span->n, CHART_HEIGHT - 8,
			   i * 10 > span->n * 9 ? " text-anchor=\"end\"" : "",
			   span->width_us >= 86400000000ull ? 10 : 8, span->width_us >= 86400000000ull ? time : time + 11);
	}
}

static void key_put(struct buf *out, const struct report *report)
{
	json_t *value;
	const char *key;
	size_t i = 0;

	buf_add_string(out, "<p class=\"sub\">");
	json_object_foreach (report->policies, key, value) {
		if (i == SERIES_MAX - 1 && json_object_size(report->policies) > SERIES_MAX)
			key = "others";
		buf_printf(out, "<span class=\"key\" style=\"background:%s\"></span>", colours[i]);
		text_put(out, *key ? key : "(no policy)");
		if (++i == SERIES_MAX)
			break;
	}
	buf_add_string(out, "</p>\n");
}

static int timeline_put(struct buf *out, const struct report *report)
{
	struct span span = span_of(&report->moments, BARS_MAX);
	double step = (double)(CHART_WIDTH - CHART_LEFT) / span.n;
	uint64_t most;
	_cleanup_free_ uint64_t *bars = bars_sum(&report->moments, &span, &most);

	if (!bars)
		return -ENOMEM;
	buf_printf(out, "<h2>When</h2>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Decisions over time, by policy\">\n",
		   CHART_WIDTH, CHART_HEIGHT);
	axis_put(out, &span, most);
	for (size_t i = 0; i < span.n; i++)
		bar_put(out, &bars[i * SERIES_MAX], most, CHART_LEFT + step * i + step * .1, step * .8 < 40 ? step * .8 : 40,
			span.start_us + i * span.width_us);
	buf_add_string(out, "</svg>\n");
	key_put(out, report);
	return 0;
}

static int objects_put(struct buf *out, const json_t *objects, uint64_t most)
{
	size_t n;
	_cleanup_free_ struct tally_word *words = tally_sort(objects, &n);

	if (!words)
		return -ENOMEM;
	buf_add_string(out, "<table>\n");
	for (size_t i = 0; i < n && i < OBJECTS_SHOWN; i++) {
		const char *word = words[i].word + 1;
		size_t verb = strcspn(word, " ");

		buf_printf(out, "<tr><td class=\"n\">%llu</td><td class=\"bar\"><i class=\"%c\" style=\"width:%.1f%%\"></i></td>"
			   "<td class=\"verb\">%.*s</td><td><code>",
			   (unsigned long long)words[i].n, words[i].word[0], 100.0 * words[i].n / most < .5 ? .5 : 100.0 * words[i].n / most,
			   (int)verb, word);
		text_put(out, word + verb + 1);
		buf_add_string(out, "</code></td></tr>\n");
	}
	buf_add_string(out, "</table>\n");
	if (n > OBJECTS_SHOWN)
		buf_printf(out, "<p class=\"sub\">and %zu more</p>\n", n - OBJECTS_SHOWN);
	return 0;
}

/* Decisions of the object that was refused most: the longest bar. */
static uint64_t objects_most(const json_t *programs)
{
	json_t *objects, *count;
	const char *key, *word;
	uint64_t most = 1;

	json_object_foreach ((json_t *)programs, key, objects) {
		json_object_foreach (objects, word, count) {
			if ((uint64_t)json_integer_value(count) > most)
				most = json_integer_value(count);
		}
	}
	return most;
}

static int tree_put(struct buf *out, const struct report *report)
{
	size_t n;
	_cleanup_free_ struct tally_word *words = tally_sort(report->programs, &n);
	uint64_t most = objects_most(report->objects);

	if (!words)
		return -ENOMEM;
	buf_add_string(out, "<h2>To whom, and what</h2>\n<p class=\"sub\"><span class=\"key d\"></span>refused<span class=\"key a\"></span>"
			    "would have been (audit mode)<span class=\"key l\"></span>allowed and logged</p>\n");
	for (size_t i = 0; i < n; i++) {
		const json_t *objects = json_object_get(report->objects, words[i].word);

		buf_printf(out, "<details%s><summary><code>", i < 5 ? " open" : "");
		text_put(out, *words[i].word ? words[i].word : "(unknown)");
		buf_printf(out, "</code>: %llu decisions, %zu kinds</summary>\n", (unsigned long long)words[i].n,
			   json_object_size(objects));
		if (objects_put(out, objects, most))
			return -ENOMEM;
		buf_add_string(out, "</details>\n");
	}
	return 0;
}

static json_t *rules_tally(const json_t *rules)
{
	json_t *tally = json_object(), *rule;
	const char *key;

	json_object_foreach ((json_t *)rules, key, rule) {
		tally_add(tally, key, ctl_number(rule, "n"));
	}
	return tally;
}

static int rules_put(struct buf *out, const struct report *report)
{
	json_t *tally = rules_tally(report->rules);
	size_t n;
	_cleanup_free_ struct tally_word *words = tally_sort(tally, &n);

	buf_add_string(out, "<h2>By which rule, and what would allow it</h2>\n<table><tr><th class=\"n\">times</th><th>rule</th>"
			    "<th>policy</th><th>why, and the mend for one of them</th></tr>\n");
	for (size_t i = 0; i < n; i++) {
		const json_t *rule = json_object_get(report->rules, words[i].word);

		buf_printf(out, "<tr><td class=\"n\">%llu</td><td class=\"rule\"><code>", (unsigned long long)words[i].n);
		text_put(out, words[i].word);
		buf_add_string(out, "</code></td><td>");
		text_put(out, ctl_string(rule, "policy"));
		buf_printf(out, " (%s)</td><td><span class=\"why\">", ctl_string(rule, "mode"));
		text_put(out, ctl_string(rule, "why"));
		buf_add_string(out, "</span><br><code class=\"mend\">");
		text_put(out, ctl_string(rule, "mend"));
		buf_add_string(out, "</code></td></tr>\n");
	}
	buf_add_string(out, "</table>\n");
	json_decref(tally);
	return words ? 0 : -ENOMEM;
}

static int page_make(struct buf *out, const struct report *report)
{
	int r = 0;

	head_put(out, report);
	if (!report->decisions)
		buf_add_string(out, "<p>Nothing was.</p>\n");
	else
		r = timeline_put(out, report);
	if (!r && report->decisions)
		r = tree_put(out, report);
	if (!r && report->decisions)
		r = rules_put(out, report);
	buf_add_string(out, "</body></html>\n");
	return out->failed ? -ENOMEM : r;
}

static int page_write(const struct report *report, const struct buf *page)
{
	_cleanup_fclose_ FILE *file = NULL;

	if (!strcmp(report->html, "-"))
		return fwrite(page->bytes, 1, page->len, stdout) == page->len ? 0 : ctl_error(0, "cannot write to standard output");
	file = fopen(report->html, "we");
	if (!file || fwrite(page->bytes, 1, page->len, file) != page->len || fflush(file))
		return ctl_error(-errno, "cannot write %s", report->html);
	return 0;
}

static int report_run(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(report_clear) struct report report = {};
	_cleanup_buf_ struct buf page = {};
	struct history history;
	int status = options_read(argc, argv, &report), r;

	if (status >= 0)
		return status;
	report.policies = json_object();
	report.programs = json_object();
	report.objects = json_object();
	report.rules = json_object();
	report.answers = json_object();
	status = history_read(ctl, report.from, &report.filter, event_count, &report, &history);
	if (status)
		return status;
	if (history.n_wrong)
		ctl_error(0, "%zu lines are no records, and were left out", history.n_wrong);
	r = page_make(&page, &report);
	return r ? ctl_error(r, "cannot make the page") : page_write(&report, &page);
}

const struct ctl_command ctl_report = {
	.name = "report",
	.summary = "write a page of what was refused, to whom, and when",
	.usage = usage,
	.run = report_run,
};
