// SPDX-License-Identifier: LGPL-2.1-or-later
/* Names to patterns; the rules stand in generalise.h. */
#include "agent/ctl/generalise.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "agent/record/mend.h"
#include "agent/util/vec.h"

#define TEMPORARY_MIN 6
#define DATE_MIN 6

struct part {
	const char *bytes;
	size_t len;
};

static bool all_digits(const struct part *part)
{
	for (size_t i = 0; i < part->len; i++)
		if (!isdigit((unsigned char)part->bytes[i]))
			return false;
	return part->len > 0;
}

/* Letters and digits of which no word is made: a letter behind a digit, or a capital behind a small one. "default1" is a word. */
static bool looks_random(const char *bytes, size_t len)
{
	bool digit = false, small = false, random = false;

	for (size_t i = 0; i < len; i++) {
		random |= (digit && isalpha((unsigned char)bytes[i])) || (small && isupper((unsigned char)bytes[i]));
		digit |= isdigit((unsigned char)bytes[i]) != 0;
		small |= islower((unsigned char)bytes[i]) != 0;
	}
	return random;
}

static bool begins(const char *bytes, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len > n && !memcmp(bytes, with, n);
}

/* Random bytes of a part: from at up to end; none where both are its length. */
struct hole {
	size_t at, end;
};

/* What makers of temporary files put in front, and how many letters, digits and underscores behind it. */
static const struct {
	const char *prefix;
	size_t n;
} makers[] = {
	{ "tmp.", 10 }, /* mktemp(1) */
	{ "tmpf", 6 }, /* tmpfile(3) */
	{ "file", 6 }, /* tempnam(3) */
	{ "tmp", 8 }, /* Python's tempfile */
	{ "sed", 6 }, /* sed -i */
};

/* A maker's name, with an ending or without; where it is not in a folder for temporary files, it has to look random too. */
static bool maker_find(const struct part *part, bool in_temporary, struct hole *hole)
{
	for (size_t i = 0; i < sizeof(makers) / sizeof(*makers); i++) {
		size_t at = strlen(makers[i].prefix), end = at;

		if (!begins(part->bytes, part->len, makers[i].prefix))
			continue;
		while (end < part->len && (isalnum((unsigned char)part->bytes[end]) || part->bytes[end] == '_'))
			end++;
		if (end - at != makers[i].n || (end < part->len && part->bytes[end] != '.'))
			continue;
		if (!in_temporary && !looks_random(part->bytes + at, end - at))
			continue;
		*hole = (struct hole){ at, end };
		return true;
	}
	return false;
}

/* The number of the file that O_TMPFILE made, which has no name. */
static bool nameless_find(const struct part *part, struct hole *hole)
{
	const struct part number = { part->bytes + 1, part->len - 1 };

	if (part->len < 2 || part->bytes[0] != '#' || !all_digits(&number))
		return false;
	*hole = (struct hole){ 1, part->len };
	return true;
}

static bool run_is_random(const struct part *part, size_t at, size_t end, bool in_temporary)
{
	if (end - at < TEMPORARY_MIN || !looks_random(part->bytes + at, end - at))
		return false;
	if (in_temporary)
		return end == part->len || part->bytes[end] == '.';
	return end == part->len && at > 0 && strchr("._-", part->bytes[at - 1]);
}

/* The last that is random of a part's runs of letters and digits. */
static struct hole hole_find(const struct part *part, bool in_temporary)
{
	struct hole hole;

	if (nameless_find(part, &hole) || maker_find(part, in_temporary, &hole))
		return hole;
	for (size_t end = part->len; end > 0;) {
		size_t at = end;

		while (at > 0 && isalnum((unsigned char)part->bytes[at - 1]))
			at--;
		if (run_is_random(part, at, end, in_temporary))
			return (struct hole){ at, end };
		end = at ? at - 1 : 0;
	}
	return (struct hole){ part->len, part->len };
}

/* Bytes of the version, date or number at the start; 0: there is none that the level generalises */
static size_t number_len(const char *bytes, size_t len, enum level level)
{
	size_t at = 0, groups = 0, digits = 0;

	while (at < len && isdigit((unsigned char)bytes[at])) {
		size_t start = at;

		while (at < len && isdigit((unsigned char)bytes[at]))
			at++;
		digits = at - start > digits ? at - start : digits;
		groups++;
		if (at + 1 >= len || !strchr(".-", bytes[at]) || !isdigit((unsigned char)bytes[at + 1]))
			break;
		at++;
	}
	if (level == LEVEL_TIGHT || (level == LEVEL_NORMAL && groups < 2 && digits < DATE_MIN))
		return 0;
	return at;
}

static bool pid_seen(const struct pids *pids, uint64_t pid)
{
	for (size_t i = 0; i < pids->n; i++)
		if (pids->items[i] == pid)
			return true;
	return false;
}

int pids_add(struct pids *pids, uint32_t pid)
{
	uint32_t *item;

	if (pid < PID_TOLD_MIN || pid_seen(pids, pid))
		return 0;
	item = vec_add(pids);
	if (!item)
		return -ENOMEM;
	*item = pid;
	return 0;
}

/* Bytes of the number at the start, where it is the id of a process that was seen; else 0 */
static size_t pid_len(const char *bytes, size_t len, const struct pids *pids)
{
	uint64_t pid = 0;
	size_t n = 0;

	if (bytes[0] == '0')
		return 0;
	while (n < len && n < 10 && isdigit((unsigned char)bytes[n]))
		pid = pid * 10 + bytes[n++] - '0';
	if (!n || (n < len && isdigit((unsigned char)bytes[n])))
		return 0;
	return pid_seen(pids, pid) ? n : 0;
}

/* Bytes from @at up to @end, with what the level generalises, and the numbers of processes, as "*". */
static void run_add(struct buf *out, const struct part *part, size_t at, size_t end, enum level level, const struct pids *pids)
{
	size_t plain = at;

	for (size_t i = at; i < end;) {
		bool first = i == 0 || !isdigit((unsigned char)part->bytes[i - 1]);
		size_t n = first ? number_len(part->bytes + i, end - i, level) : 0;

		if (first && !n)
			n = pid_len(part->bytes + i, end - i, pids);
		if (!n) {
			i++;
			continue;
		}
		pattern_add(out, part->bytes + plain, i - plain);
		buf_add_byte(out, '*');
		i += n;
		plain = i;
	}
	pattern_add(out, part->bytes + plain, end - plain);
}

static void part_add(struct buf *out, const struct part *part, bool in_proc, bool in_temporary, enum level level,
		     const struct pids *pids)
{
	struct hole hole = hole_find(part, in_temporary);

	if (in_proc && all_digits(part)) {
		buf_add_byte(out, '*');
		return;
	}
	run_add(out, part, 0, hole.at, level, pids);
	if (hole.at < hole.end)
		buf_add_byte(out, '*');
	run_add(out, part, hole.end, part->len, level, pids);
}

void name_generalise(struct buf *out, const char *bytes, size_t len, enum level level, const struct pids *pids)
{
	bool in_proc = begins(bytes, len, "/proc/");
	bool in_temporary = begins(bytes, len, "/tmp/") || begins(bytes, len, "/var/tmp/") || begins(bytes, len, "/run/") ||
			    begins(bytes, len, "/dev/shm/");

	for (size_t at = 0; at < len;) {
		const char *end = memchr(bytes + at + 1, '/', len - at - 1);
		struct part part = { bytes + at + 1, (end ? (size_t)(end - bytes) : len) - at - 1 };

		buf_add_byte(out, bytes[at]);
		part_add(out, &part, in_proc, in_temporary, level, pids);
		at += part.len + 1;
	}
}

bool folder_may_be_whole(const char *folder, size_t len)
{
	size_t depth = 0;

	for (size_t i = 0; i < len; i++)
		depth += folder[i] == '/';
	if (begins(folder, len, "/home/") || begins(folder, len, "/root/"))
		return false;
	return depth >= 3 && !begins(folder, len, "/proc/") && !begins(folder, len, "/dev/");
}
