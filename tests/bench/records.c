// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * records [MARKDOWN]: how fast the agent takes denials, natively and without the kernel: events as the kernel side would put them into the
 * ring, through the recorder, into JSON lines. Every run has to account for each of its events, or it fails.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "agent/policy/image.h"
#include "agent/policy/set.h"
#include "agent/record/file.h"
#include "agent/record/recorder.h"
#include "agent/util/buf.h"
#include "agent/util/cleanup.h"

#define EVENTS 1000000
#define RULES 200
/* Room of the ring in which the kernel side waits for the agent: lsm/abi/limits.h. */
#define STOP_MS 30000

enum shape {
	SHAPE_SAME, /* one name, again and again */
	SHAPE_SPREAD, /* another name each time, of one rule */
	SHAPE_RULES, /* another name and another of the rules each time */
	SHAPE_N,
};

static const char *const shapes[SHAPE_N] = {
	[SHAPE_SAME] = "one name again and again",
	[SHAPE_SPREAD] = "another name each time, one rule",
	[SHAPE_RULES] = "another name and another of 200 rules each time",
};

struct figures {
	double seconds, processor_s;
	struct lsmd_tally tally;
	struct sink_counts file;
	long rss_kib; /* largest of the process so far */
};

static double seconds_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static int policy_write(const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(path, "we");

	if (!file)
		return -errno;
	fprintf(file, "{ \"version\": 1, \"name\": \"bench\", \"subject\": { \"exe\": \"/usr/bin/bench\" }, \"default\": \"allow\", \"rules\": [\n");
	for (int i = 0; i < RULES; i++)
		fprintf(file, "  { \"deny\": \"read\", \"path\": \"/srv/%d/\" }%s\n", i, i + 1 < RULES ? "," : "");
	fprintf(file, "] }\n");
	return 0;
}

static int image_make(const char *dir, struct lsmd_image_header **ret)
{
	_cleanup_buf_ struct buf path = {};
	struct policy_options options = { .n_paths = 1 };
	const char *const *paths;
	struct policy_set *set = NULL;
	struct diags diags = {};
	size_t size;
	int r;

	buf_printf(&path, "%s/bench.json", dir);
	paths = (const char *const *)&path.bytes;
	options.paths = paths;
	r = path.failed ? -ENOMEM : policy_write(path.bytes);
	if (!r)
		r = policy_set_load(&options, &diags, &set);
	if (!r)
		r = image_build(set, &diags, ret, &size);
	if (!r)
		(*ret)->generation = 1;
	diags_clear(&diags);
	if (set)
		policy_set_free(set);
	unlink(path.bytes);
	return r;
}

struct sample {
	struct lsmd_event event;
	char bytes[128];
};

static size_t sample_make(struct sample *sample, enum shape shape, unsigned int i, uint64_t now_ns)
{
	static const char program[] = "/usr/bin/bench";
	struct lsmd_event *event = &sample->event;
	unsigned int rule = shape == SHAPE_RULES ? i % RULES : 0;

	*event = (struct lsmd_event){ .generation = 1, .n_answers = 1, .refused = 1, .object = LSMD_OBJECT_PATH, .pid = 812, .tgid = 812, .wanted = 1 };
	event->time_ns = now_ns;
	event->answers[0] = (struct lsmd_answer){ .rule = 2 + rule, .verdict = LSMD_VERDICT_DENY, .reason = LSMD_REASON_RULE, .mode = LSMD_MODE_ENFORCE };
	memcpy(event->comm, "bench", 6);
	event->object_len = snprintf((char *)event->bytes, 64, "/srv/%u/%u", rule, shape == SHAPE_SAME ? 0 : i);
	event->program_len = sizeof(program) - 1;
	memcpy(event->bytes + event->object_len, program, event->program_len);
	return sizeof(*event) + event->object_len + event->program_len;
}

static void nobody(void *data, struct record *record)
{
}

/* read = recorded + coalesced + dropped by reason; and so for the file. */
static int accounted(const struct figures *figures)
{
	const struct lsmd_tally_stream *s = &figures->tally.denials;
	const struct lsmd_tally_sink *file = &figures->file.tally;

	if (s->read != EVENTS || s->read != s->passed + s->folded + s->limited + s->malformed + s->lost)
		return 0;
	return file->given.decisions == s->passed + s->folded &&
	       file->given.decisions == file->delivered.decisions + file->full.decisions + file->failed.decisions;
}

static int shape_run(const char *dir, const struct lsmd_image_header *image, enum shape shape, struct figures *figures)
{
	_cleanup_buf_ struct buf path = {};
	struct file_settings settings = { .bytes_max = 64u << 20, .keep = 0 };
	struct recorder *recorder = NULL;
	struct sample sample;
	struct rusage usage;
	double start, processor;
	uint64_t now_ns = 0;
	int r;

	buf_printf(&path, "%s/events.jsonl", dir);
	settings.path = path.bytes;
	r = recorder_new(nobody, NULL, &figures->tally, &recorder);
	if (!r)
		r = recorder_set_image(recorder, image);
	if (!r)
		r = recorder_add_sink(recorder, file_sink(&settings));
	start = seconds_of(CLOCK_MONOTONIC);
	processor = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
	for (unsigned int i = 0; i < EVENTS && !r; i++) {
		if (i % 256 == 0)
			now_ns = seconds_of(CLOCK_BOOTTIME) * 1e9;
		size_t size = sample_make(&sample, shape, i, now_ns);

		recorder_event(recorder, &sample.event, size, true);
		if (i % 4096 == 0)
			recorder_expire(recorder);
	}
	figures->seconds = seconds_of(CLOCK_MONOTONIC) - start;
	if (!r) {
		struct sink *sink = recorder_sink(recorder, 0);

		recorder_settle(recorder);
		do {
			usleep(1000);
			sink_counts(sink, &figures->file);
		} while (figures->file.queued.records);
	}
	figures->processor_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - processor;
	getrusage(RUSAGE_SELF, &usage);
	figures->rss_kib = usage.ru_maxrss;
	recorder_free(recorder, STOP_MS);
	unlink(path.bytes);
	return r;
}

static void figures_print(FILE *out, enum shape shape, const struct figures *figures)
{
	const struct lsmd_tally_stream *s = &figures->tally.denials;

	fprintf(out, "| %-47s | %9.0f | %7.0f | %8llu | %9llu | %7llu | %9llu |\n", shapes[shape], EVENTS / figures->seconds,
		figures->processor_s * 1e9 / EVENTS, (unsigned long long)s->passed, (unsigned long long)s->folded,
		(unsigned long long)(s->limited + s->lost + s->malformed), (unsigned long long)figures->file.tally.full.records);
}

static void report(FILE *out, const struct figures figures[SHAPE_N])
{
	fprintf(out, "%s", "# How fast denials are taken\n\n"
		"Written by `make bench`; run it again rather than edit this page. A million events as the kernel side sends them, through the agent's\n"
		"recorder into JSON lines, natively, one after the other as fast as it takes them. Every run accounts for each event, or it fails.\n\n"
		"| denials                                         | a second  | ns each | recorded | coalesced | dropped | log full  |\n"
		"| ----------------------------------------------- | --------- | ------- | -------- | --------- | ------- | --------- |\n");
	for (int shape = 0; shape < SHAPE_N; shape++)
		figures_print(out, shape, &figures[shape]);
	fprintf(out, "\n*ns each*: processor time of the whole agent side, the log's thread included. *log full*: records that found the log's queue\n"
		     "full, counted as such. Largest resident size of the process: %ld KiB.\n",
		figures[SHAPE_N - 1].rss_kib);
}

int main(int argc, char **argv)
{
	_cleanup_free_ struct lsmd_image_header *image = NULL;
	static struct figures figures[SHAPE_N];
	char dir[] = "/tmp/lsmd-records-XXXXXX";
	int r = mkdtemp(dir) ? image_make(dir, &image) : -errno;

	for (int shape = 0; shape < SHAPE_N && !r; shape++) {
		r = shape_run(dir, image, shape, &figures[shape]);
		if (!r && !accounted(&figures[shape])) {
			fprintf(stderr, "records: %s: not every event is accounted for\n", shapes[shape]);
			r = -EBADMSG;
		}
	}
	rmdir(dir);
	if (r) {
		fprintf(stderr, "records: %s\n", strerror(r < 0 ? -r : EINVAL));
		return 1;
	}
	report(stdout, figures);
	if (argc > 1) {
		_cleanup_fclose_ FILE *out = fopen(argv[1], "we");

		if (!out)
			return 1;
		report(out, figures);
	}
	return 0;
}
