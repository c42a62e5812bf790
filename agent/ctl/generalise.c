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

/* Where a random end begins; the part's length: it has none */
static size_t temporary_at(const struct part *part, bool in_temporary)
{
	size_t at = part->len;

	while (at > 0 && isalnum((unsigned char)part->bytes[at - 1]))
		at--;
	if (part->len - at < TEMPORARY_MIN || !looks_random(part->bytes + at, part->len - at))
		return part->len;
	if (!in_temporary && (at == 0 || !strchr("._-", part->bytes[at - 1])))
		return part->len;
	return at;
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

static void part_add(struct buf *out, const struct part *part, bool in_proc, bool in_temporary, enum level level,
		     const struct pids *pids)
{
	size_t end = temporary_at(part, in_temporary), plain = 0;

	if (in_proc && all_digits(part)) {
		buf_add_byte(out, '*');
		return;
	}
	for (size_t i = 0; i < end;) {
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
	if (end < part->len)
		buf_add_byte(out, '*');
}

static bool begins(const char *bytes, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len > n && !memcmp(bytes, with, n);
}

void name_generalise(struct buf *out, const char *bytes, size_t len, enum level level, const struct pids *pids)
{
	bool in_proc = begins(bytes, len, "/proc/");
	bool in_temporary = begins(bytes, len, "/tmp/") || begins(bytes, len, "/var/tmp/") || begins(bytes, len, "/run/") ||
			    begins(bytes, len, "/dev/shm/");

	for (size_t at = 0; at < len;) {
		const char *end = memchr(bytes + at + 1, '/', len - at - 1);
		struct part part = { bytes + at + 1, (end ? (size_t)(end - bytes) : len) - at - 1 };

		buf_add_byte(out, '/');
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
