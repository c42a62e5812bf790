// SPDX-License-Identifier: LGPL-2.1-or-later
/* A policy out of what was seen: abstractions first, then patterns, each with its evidence. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/control/explain.h"
#include "agent/ctl/judge.h"
#include "agent/ctl/learn.h"
#include "agent/policy/names.h"
#include "agent/record/escape.h"
#include "agent/record/mend.h"
#include "agent/util/cleanup.h"
#include "agent/util/vec.h"

/* Names of one folder from which on it is taken as a whole. */
#define FOLDER_READ_NORMAL 4
#define FOLDER_READ_BROAD 3
#define FOLDER_WRITTEN_BROAD 4
/* Kinds of access that an abstraction must hold to be recognised; `base` is what every program needs, and one is enough. */
#define ABSTRACTION_MIN 2

#define READ_ONLY (1u << LSMD_VERB_READ)

static void seen_clear(struct seen *seen)
{
	free(seen->key);
	free(seen->pattern);
	free(seen->example);
	free(seen->becomes);
}

void lesson_clear(struct lesson *lesson)
{
	for (size_t i = 0; i < lesson->n_seen; i++)
		seen_clear(&lesson->seen[i]);
	free(lesson->seen);
	free(lesson->pids.items);
	json_decref(lesson->events);
}

static uint32_t access_of(const json_t *event)
{
	const json_t *list = json_object_get(event, "access");
	uint32_t access = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *word = json_string_value(json_array_get(list, i));
		int verb = word ? verb_find(word, strlen(word)) : -1;

		if (verb >= 0)
			access |= 1u << verb;
	}
	return access;
}

/* Records of one kind are one event with a sum: "KEY verbs object other" names the kind. */
int lesson_add(struct lesson *lesson, json_t *event)
{
	uint64_t n = ctl_number(event, "repeats");
	_cleanup_buf_ struct buf kind = {};
	json_t *known;

	if (ctl_true(event, "mixed")) {
		lesson->n_mixed += n - 1;
		n = 1;
	}
	lesson->n_events += n;
	if (pids_add(&lesson->pids, ctl_number(event, "pid")) || pids_add(&lesson->pids, ctl_number(event, "tid")))
		return -ENOMEM;
	if (!lesson->events)
		lesson->events = json_object();
	buf_printf(&kind, "%x %s %s %s", access_of(event), ctl_string(event, "object_kind"), ctl_string(event, "object"),
		   ctl_string(event, "object_new"));
	if (kind.failed)
		return -ENOMEM;
	known = json_object_get(lesson->events, kind.bytes);
	if (known)
		return json_object_set_new(known, "repeats", json_integer(ctl_number(known, "repeats") + n)) ? -ENOMEM : 0;
	known = json_deep_copy(event);
	if (!known || json_object_set_new(known, "repeats", json_integer(n)))
		return -ENOMEM;
	return json_object_set_new(lesson->events, kind.bytes, known) ? -ENOMEM : 0;
}

static void default_write(struct buf *out)
{
	buf_add_string(out, "{ ");
	for (int class = 0; class < LSMD_N_CLASSES; class++)
		buf_printf(out, "%s\"%s\": \"deny\"", class ? ", " : "", class_names[class]);
	buf_add_string(out, " }");
}

static void head_write(struct buf *out, const struct lesson *lesson, const char *mode)
{
	buf_printf(out, "{\n  \"$schema\": \"/usr/share/lsmd/schema/policy.schema.json\",\n  \"version\": 1,\n  \"name\": \"%s\",\n",
		   lesson->name);
	buf_add_string(out, "  \"subject\": { \"exe\": ");
	json_quote(out, lesson->exe, strlen(lesson->exe));
	buf_printf(out, "%s },\n  \"mode\": \"%s\",\n  \"default\": ", lesson->no_children ? ", \"children\": false" : "",
		   mode);
	default_write(out);
	if (lesson->n_abstractions)
		buf_add_string(out, ",\n  \"include\": [");
	for (size_t i = 0; i < lesson->n_abstractions; i++)
		buf_printf(out, "%s\"%s\"", i ? ", " : "", lesson->abstractions[i]);
	if (lesson->n_abstractions)
		buf_add_string(out, "]");
}

static void verbs_write(struct buf *out, uint32_t access)
{
	const char *separator = "";
	bool many = access & (access - 1);

	/* `write` names all that changes content. */
	if ((access & LSMD_ACCESS_WRITE_GROUP) == LSMD_ACCESS_WRITE_GROUP)
		access &= ~LSMD_ACCESS_WRITE_GROUP | LSMD_ACCESS_WRITE;
	many = access & (access - 1);
	buf_add_string(out, many ? "[" : "");
	for (int verb = 0; verb < LSMD_N_VERBS; verb++) {
		if (!(access >> verb & 1))
			continue;
		buf_printf(out, "%s\"%s\"", separator, verbs[verb].name);
		separator = ", ";
	}
	buf_add_string(out, many ? "]" : "");
}

/* Does the pattern stand for names that were not seen, and may these be used so? */
static bool grants_unseen(const struct seen *seen, uint32_t access)
{
	const char *pattern = seen->pattern;

	if (strcmp(seen->key, "path") || !(seen->access & access))
		return false;
	for (; *pattern; pattern++) {
		if (*pattern == '\\' && pattern[1])
			pattern++;
		else if (*pattern == '*')
			return true;
	}
	return false;
}

static bool writes_unseen(const struct seen *seen)
{
	return grants_unseen(seen, LSMD_ACCESS_FILES & ~READ_ONLY);
}

static bool runs_unseen(const struct seen *seen)
{
	return grants_unseen(seen, LSMD_ACCESS_CODE);
}

static void seen_write(struct buf *out, const struct seen *seen)
{
	_cleanup_buf_ struct buf reason = {};

	buf_add_string(out, "    { \"allow\": ");
	verbs_write(out, seen->access);
	buf_printf(out, ", \"%s\": ", seen->key);
	json_quote(out, seen->pattern, strlen(seen->pattern));
	buf_printf(&reason, "seen %llu %s: %s%s%s", (unsigned long long)seen->n, seen->n == 1 ? "time" : "times", seen->example,
		   writes_unseen(seen) ? "; any name like it may be changed" : "",
		   runs_unseen(seen) ? "; any name like it may be run" : "");
	if (seen->becomes)
		buf_printf(&reason, "; becomes %s, and may what that may", seen->becomes);
	buf_add_string(out, ", \"reason\": ");
	json_quote(out, reason.bytes, reason.len);
	buf_add_string(out, " }");
}

void lesson_write(struct buf *out, const struct lesson *lesson, const char *mode)
{
	head_write(out, lesson, mode);
	buf_add_string(out, ",\n  \"rules\": [\n");
	for (size_t i = 0; i < lesson->n_seen; i++) {
		seen_write(out, &lesson->seen[i]);
		buf_add_string(out, i + 1 < lesson->n_seen ? ",\n" : "\n");
	}
	buf_add_string(out, "  ]\n}\n");
}

/* Policies of text through a file of their own. */
static int text_load(const struct lesson *lesson, const char *text, bool colour, struct lsmd_image_header **ret)
{
	struct policy_options options = lesson->policies;
	char name[] = "/tmp/lsmctl-learn-XXXXXX.json";
	const char *path = name;
	int fd = mkstemps(name, 5), r;

	if (fd < 0)
		return ctl_error(-errno, "cannot make %s", name);
	r = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : ctl_error(-errno, "cannot write %s", name);
	close(fd);
	options.paths = &path;
	options.n_paths = 1;
	options.force = true;
	if (!r)
		r = judge_load(&options, colour, ret);
	unlink(name);
	return r;
}

/* Kinds of access that it allows and no abstraction before it did. */
static size_t held_count(const struct lesson *lesson, const struct lsmd_image_header *image)
{
	const char *key;
	json_t *event;
	size_t n = 0;

	json_object_foreach (lesson->events, key, event) {
		n += !ctl_true(event, "held") && judge_event(image, event, lesson->exe, NULL) == JUDGE_ALLOWED;
	}
	return n;
}

/* Does one more abstraction hold enough of what is left? Then that is marked as held. */
static int abstraction_try(struct lesson *lesson, const char *name, bool colour)
{
	struct lsmd_image_header *image = NULL;
	_cleanup_buf_ struct buf text = {};
	const char *key;
	json_t *event;
	size_t min = strcmp(name, "base") ? ABSTRACTION_MIN : 1;
	int r;

	lesson->abstractions[lesson->n_abstractions++] = name;
	lesson_write(&text, lesson, "enforce");
	r = text.failed ? ctl_error(-ENOMEM, "cannot try %s", name) : text_load(lesson, text.bytes, colour, &image);
	if (r || held_count(lesson, image) < min) {
		lesson->n_abstractions--;
		free(image);
		return r;
	}
	json_object_foreach (lesson->events, key, event) {
		if (judge_event(image, event, lesson->exe, NULL) == JUDGE_ALLOWED)
			json_object_set_new(event, "held", json_true());
	}
	free(image);
	return 0;
}

int lesson_abstractions(struct lesson *lesson, bool colour)
{
	/* Those that lsmd brings; what an administrator adds he knows when to include. */
	static const char *const names[] = { "base", "nss", "tls" };
	int r = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !r; i++)
		r = abstraction_try(lesson, names[i], colour);
	return r;
}

static struct seen *seen_find(const struct lesson *lesson, const char *key, const char *pattern)
{
	for (size_t i = 0; i < lesson->n_seen; i++)
		if (!strcmp(lesson->seen[i].key, key) && !strcmp(lesson->seen[i].pattern, pattern))
			return &lesson->seen[i];
	return NULL;
}

static int seen_add(struct lesson *lesson, const char *key, const char *pattern, uint32_t access, uint64_t n, const char *example)
{
	struct seen *seen = seen_find(lesson, key, pattern);

	if (!seen) {
		struct seen *more = reallocarray(lesson->seen, lesson->n_seen + 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		lesson->seen = more;
		seen = &more[lesson->n_seen++];
		*seen = (struct seen){ .key = strdup(key), .pattern = strdup(pattern), .example = strdup(example) };
	}
	if (!seen->key || !seen->pattern || !seen->example)
		return -ENOMEM;
	seen->access |= access;
	seen->n += n;
	return 0;
}

static int name_add(struct lesson *lesson, const json_t *event, const char *key, uint32_t access)
{
	_cleanup_buf_ struct buf bytes = {}, pattern = {};

	if (explain_bytes(event, key, &bytes) || !bytes.len || bytes.bytes[0] != '/')
		return 0;
	name_generalise(&pattern, bytes.bytes, bytes.len, lesson->level, &lesson->pids);
	if (pattern.failed)
		return -ENOMEM;
	return seen_add(lesson, "path", pattern.bytes, access, ctl_number(event, "repeats"), ctl_string(event, key));
}

/* "unix:/path" or "unix:@name", whose bytes are no pattern yet. */
static int socket_add(struct lesson *lesson, const json_t *event, uint32_t access)
{
	_cleanup_buf_ struct buf bytes = {}, pattern = {};
	size_t skip = strlen("unix:");

	if (explain_bytes(event, "object", &bytes) || bytes.len <= skip)
		return 0;
	buf_add_string(&pattern, "unix:");
	name_generalise(&pattern, bytes.bytes + skip, bytes.len - skip, lesson->level, &lesson->pids);
	if (pattern.failed)
		return -ENOMEM;
	return seen_add(lesson, "to", pattern.bytes, access, ctl_number(event, "repeats"), ctl_string(event, "object"));
}

/* What a rename replaces is deleted, and the record does not say whether anything was there. */
static int names_add(struct lesson *lesson, const json_t *event, uint32_t access)
{
	if (access & 1u << LSMD_VERB_RENAME)
		access |= 1u << LSMD_VERB_DELETE;
	return name_add(lesson, event, "object", access) ?: name_add(lesson, event, "object_new", access);
}

static int event_learn(struct lesson *lesson, const json_t *event)
{
	const char *kind = ctl_string(event, "object_kind"), *object = ctl_string(event, "object");
	uint32_t access = access_of(event);
	int verb = access ? __builtin_ctz(access) : -1;

	if (ctl_true(event, "held"))
		return 0;
	if (judge_anonymous(event))
		return seen_add(lesson, "path", "anonymous", access, ctl_number(event, "repeats"), "code without a name");
	if (verb < 0 || (!*object && verbs[verb].object == VERB_PATH)) {
		lesson->n_unnamed += ctl_number(event, "repeats");
		return 0;
	}
	if (json_object_get(event, "object_new"))
		return names_add(lesson, event, access);
	if (!strcmp(kind, "file"))
		return name_add(lesson, event, "object", access);
	if (!strncmp(kind, "unix", 4))
		return socket_add(lesson, event, access);
	return seen_add(lesson, verbs[verb].object == VERB_TO ? "to" : "name", *object ? object : "*", access,
			ctl_number(event, "repeats"), *object ? object : verbs[verb].name);
}

static size_t folder_len(const char *pattern)
{
	return strrchr(pattern, '/') - pattern + 1;
}

static bool in_folder(const struct seen *seen, const char *folder, size_t len, bool below)
{
	if (strcmp(seen->key, "path") || strncmp(seen->pattern, folder, len))
		return false;
	return below || !strchr(seen->pattern + len, '/');
}

/* How many of a folder's names were only read, or only written; 0: some of both, or run: programs that were not seen run stay closed */
static size_t folder_count(const struct lesson *lesson, const char *folder, size_t len, bool below, bool written)
{
	size_t n = 0;

	for (size_t i = 0; i < lesson->n_seen; i++) {
		if (!in_folder(&lesson->seen[i], folder, len, below))
			continue;
		if ((lesson->seen[i].access == READ_ONLY) == written || lesson->seen[i].access & LSMD_ACCESS_CODE)
			return 0;
		n++;
	}
	return n;
}

/* All of the folder's names become one pattern, which stands where the first of them stood. */
static int folder_fold(struct lesson *lesson, size_t at, size_t len, bool below)
{
	char *folder = strndup(lesson->seen[at].pattern, len), *pattern = NULL;
	size_t kept = at + 1;

	if (!folder || asprintf(&pattern, "%s%s", folder, below ? "" : "*") < 0) {
		free(folder);
		return -ENOMEM;
	}
	for (size_t i = at + 1; i < lesson->n_seen; i++) {
		struct seen *seen = &lesson->seen[i];

		if (in_folder(seen, folder, len, below)) {
			lesson->seen[at].n += seen->n;
			lesson->seen[at].access |= seen->access;
			seen_clear(seen);
		} else {
			lesson->seen[kept++] = *seen;
		}
	}
	lesson->n_seen = kept;
	free(lesson->seen[at].pattern);
	lesson->seen[at].pattern = pattern;
	free(folder);
	return 0;
}

static int folder_try(struct lesson *lesson, size_t at)
{
	const struct seen *seen = &lesson->seen[at];
	size_t len = seen->pattern[0] == '/' ? folder_len(seen->pattern) : 0;
	bool broad = lesson->level == LEVEL_BROAD;

	if (len < 2 || !folder_may_be_whole(seen->pattern, len) || seen->pattern[strlen(seen->pattern) - 1] == '/')
		return 0;
	if (broad && folder_count(lesson, seen->pattern, len, true, false) >= FOLDER_READ_BROAD)
		return folder_fold(lesson, at, len, true);
	if (folder_count(lesson, seen->pattern, len, false, false) >= FOLDER_READ_NORMAL)
		return folder_fold(lesson, at, len, false);
	if (!broad || folder_count(lesson, seen->pattern, len, false, true) < FOLDER_WRITTEN_BROAD)
		return 0;
	return folder_fold(lesson, at, len, false);
}

static int seen_order(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	return order ? order : strcmp(x->pattern, y->pattern);
}

/* What grants more than was seen is never granted in silence. */
static void unseen_say(const struct lesson *lesson)
{
	if (seen_find(lesson, "path", "anonymous"))
		fprintf(stderr, "lsmctl: the policy lets code run that has no name: memory that the program wrote itself\n");
	for (size_t i = 0; i < lesson->n_seen; i++)
		if (writes_unseen(&lesson->seen[i]) || runs_unseen(&lesson->seen[i]))
			fprintf(stderr, "lsmctl: any name like %s may be %s by the policy; %s was seen\n", lesson->seen[i].pattern,
				!runs_unseen(&lesson->seen[i])	 ? "changed" :
				!writes_unseen(&lesson->seen[i]) ? "run" :
								   "changed and run",
				lesson->seen[i].example);
	for (size_t i = 0; i < lesson->n_seen; i++)
		if (lesson->seen[i].becomes && lesson->seen[i].access & LSMD_ACCESS_CODE)
			fprintf(stderr, "lsmctl: %s may be run by the policy, since it becomes %s\n", lesson->seen[i].pattern,
				lesson->seen[i].becomes);
}

int lesson_patterns(struct lesson *lesson)
{
	const char *key;
	json_t *event;
	int r = 0;

	json_object_foreach (lesson->events, key, event) {
		if (!r)
			r = event_learn(lesson, event);
	}
	if (lesson->n_seen)
		qsort(lesson->seen, lesson->n_seen, sizeof(*lesson->seen), seen_order);
	for (size_t i = 0; i < lesson->n_seen && !r && lesson->level > LEVEL_TIGHT; i++)
		r = folder_try(lesson, i);
	return r;
}

/* One more rule for the old name of a rename, or more in the one that it has. */
static int move_add(struct lesson *lesson, const json_t *event, const char *key, uint32_t access)
{
	_cleanup_buf_ struct buf bytes = {}, pattern = {};
	struct seen *seen;
	int r;

	if (!access || explain_bytes(event, "object", &bytes))
		return 0;
	buf_add_string(&pattern, strcmp(key, "to") ? "" : "unix:");
	name_generalise(&pattern, bytes.bytes, bytes.len, lesson->level, &lesson->pids);
	if (pattern.failed)
		return -ENOMEM;
	seen = seen_find(lesson, key, pattern.bytes);
	r = seen_add(lesson, key, pattern.bytes, access, seen ? 0 : ctl_number(event, "repeats"), ctl_string(event, "object"));
	seen = seen_find(lesson, key, pattern.bytes);
	if (r || seen->becomes)
		return r;
	seen->becomes = strdup(ctl_string(event, "object_new"));
	return seen->becomes ? 0 : -ENOMEM;
}

/* One round over all that got new names; what it gives may have been another's new name. Return: how many rules got more; an -errno */
static int moves_round(struct lesson *lesson, const struct lsmd_image_header *image)
{
	const char *key;
	json_t *event;
	int n = 0, r = 0;

	json_object_foreach (lesson->events, key, event) {
		uint32_t access = judge_widens(image, event, lesson->exe);

		if (!access || r)
			continue;
		r = move_add(lesson, event, "path", access & ~LSMD_ACCESS_ADDRESSED) ?:
			    move_add(lesson, event, "to", access & LSMD_ACCESS_ADDRESSED);
		n++;
	}
	return r ? r : n;
}

int lesson_moves(struct lesson *lesson, bool colour)
{
	/* Each round gives a name at least one verb more. */
	for (int n = 1, round = 0; n > 0 && round < LSMD_N_VERBS; round++) {
		struct lsmd_image_header *image = NULL;
		_cleanup_buf_ struct buf text = {};
		int r;

		lesson_write(&text, lesson, "enforce");
		r = text.failed ? ctl_error(-ENOMEM, "cannot try the policy") : text_load(lesson, text.bytes, colour, &image);
		if (r)
			return r;
		n = moves_round(lesson, image);
		free(image);
		if (n < 0)
			return ctl_error(n, "cannot learn");
	}
	if (lesson->n_seen)
		qsort(lesson->seen, lesson->n_seen, sizeof(*lesson->seen), seen_order);
	unseen_say(lesson);
	return 0;
}

int lesson_judge(const struct lesson *lesson, bool colour)
{
	struct lsmd_image_header *image = NULL;
	_cleanup_buf_ struct buf text = {};
	size_t n = 0, unknown = 0;
	const char *key;
	json_t *event;
	int r;

	lesson_write(&text, lesson, "enforce");
	r = text.failed ? ctl_error(-ENOMEM, "cannot judge the policy") : text_load(lesson, text.bytes, colour, &image);
	if (r)
		return r;
	json_object_foreach (lesson->events, key, event) {
		enum judgement judgement = judge_event(image, event, lesson->exe, NULL);

		unknown += judgement == JUDGE_UNKNOWN;
		if (judgement == JUDGE_REFUSED && n++ < 20)
			fprintf(stderr, "lsmctl: the policy would refuse %s of %s, which was seen\n", ctl_string(event, "verb"),
				ctl_string(event, "object"));
	}
	free(image);
	fprintf(stderr, "lsmctl: of %zu kinds of access that were seen the policy refuses %zu", json_object_size(lesson->events), n);
	fprintf(stderr, unknown ? ", and %zu cannot be put to it\n" : "\n", unknown);
	return 0;
}
