// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The program that is refused, for the guest tests of records. Linked statically, so that it opens nothing but what it is told to.
 *
 *   burst same N FILE      open FILE for reading N times
 *   burst spread N DIR     open DIR/0 … DIR/N-1
 *   burst names DIR        open each of the names below, which a record must not be taken in by
 *   burst make DIR         create them
 *   burst hex              print them, two digits a byte, one a line
 *
 * same, spread and names print "REFUSED OTHER": calls that gave EPERM, and the rest.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONG_A                                                                                                         \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" /* 63 */
#define LONG_255 LONG_A "A" LONG_A "A" LONG_A "A" LONG_A
#define LINES "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"

static const char *const names[] = {
	"plain",
	"new\nline",
	"return\rline",
	"quote\"in",
	"apo'strophe",
	"equals=denied",
	"braces{ write }",
	"sp ace",
	" leading",
	"tab\there",
	"\x01\x02\x1f\x7f",
	"\xff\xfe invalid",
	"\xc3\xa4\xe2\x82\xac",
	"\xe2\x80\xae" "desrever",
	"x' exe=\"ls\" res=success",
	"x\ntype=USER_AVC msg=audit(1.000:1): pid=1 uid=0 msg='avc:  granted  { write } for  scontext=root'",
	"x\nLSMD_POLICY=forged\nMESSAGE=forged",
	"\x1b[31mred\x1b[0m",
	"(null)",
	"%s%n%x",
	"\\x41",
	"2F6574632F736861646F77",
	"?",
	LONG_255,
	LINES LINES LINES LINES,
};
#define N_NAMES (sizeof(names) / sizeof(*names))

static long refused, other;

static void try(const char *name)
{
	int fd = open(name, O_RDONLY);

	if (fd < 0 && errno == EPERM)
		refused++;
	else
		other++;
	if (fd >= 0)
		close(fd);
}

static void try_in(const char *dir, const char *name, int flags)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (!flags) {
		try(path);
		return;
	}
	if (close(open(path, flags, 0644)))
		perror(path);
}

static void names_print(void)
{
	for (size_t i = 0; i < N_NAMES; i++) {
		for (const char *c = names[i]; *c; c++)
			printf("%02X", (unsigned char)*c);
		putchar('\n');
	}
}

static void spread(const char *dir, long n)
{
	char name[32];

	for (long i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%ld", i);
		try_in(dir, name, 0);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	long n = argc == 4 ? atol(argv[2]) : 0;

	if (!strcmp(what, "hex")) {
		names_print();
		return 0;
	}
	if (argc < 3)
		return 2;
	if (!strcmp(what, "same"))
		for (long i = 0; i < n; i++)
			try(argv[3]);
	else if (!strcmp(what, "spread"))
		spread(argv[3], n);
	else
		for (size_t i = 0; i < N_NAMES; i++)
			try_in(argv[2], names[i], strcmp(what, "make") ? 0 : O_CREAT | O_WRONLY);
	printf("%ld %ld\n", refused, other);
	return 0;
}
