// SPDX-License-Identifier: LGPL-2.1-or-later
/* Words of the kernel's command line. */
#include "agent/control/boot.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>

#include "agent/util/cleanup.h"
#include "agent/util/fd.h"

#define CMDLINE_BYTES_MAX 65536
#define WORD "lsmd="

/* As next_arg() of the kernel cuts them. */
static size_t word_len(const char *text)
{
	bool quoted = false;
	size_t len = 0;

	for (; text[len] && (quoted || !strchr(" \t\n", text[len])); len++)
		quoted ^= text[len] == '"';
	return len;
}

static bool word_is(const char *word, size_t len, const char *wanted)
{
	return len == strlen(wanted) && !memcmp(word, wanted, len);
}

bool boot_is_off(const char *cmdline)
{
	_cleanup_free_ char *text = NULL;
	bool off = false;
	size_t len;

	if (file_read(AT_FDCWD, cmdline, CMDLINE_BYTES_MAX, &text, &len))
		return false;
	for (const char *word = text; *word; word += len) {
		word += strspn(word, " \t\n");
		len = word_len(word);
		if (word_is(word, len, "--"))
			break;
		if (len >= strlen(WORD) && !memcmp(word, WORD, strlen(WORD)))
			off = word_is(word, len, WORD "off");
	}
	return off;
}
