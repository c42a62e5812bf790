// SPDX-License-Identifier: LGPL-2.1-or-later
/* boot.c: lsmd=off is the word itself, not a part of another, and the last one counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/control/boot.h"

static char file[] = "/tmp/lsmd-test-boot-XXXXXX";

static bool off(const char *text)
{
	FILE *out = fopen(file, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	return boot_is_off(file);
}

static void the_word_turns_off(void **state)
{
	assert_true(off("lsmd=off"));
	assert_true(off("root=/dev/vda ro lsmd=off quiet\n"));
	assert_true(off("a=\"b c\" lsmd=off"));
	assert_true(off("lsmd=on lsmd=off\n"));
}

static void nothing_else_does(void **state)
{
	assert_false(off(""));
	assert_false(off("root=/dev/vda ro quiet\n"));
	assert_false(off("lsmd=offline\n"));
	assert_false(off("xlsmd=off x.lsmd=off lsmd =off\n"));
	assert_false(off("lsmd=off lsmd=on\n"));
	assert_false(off("dyndbg=\"file a lsmd=off +p\"\n"));
	assert_false(off("quiet -- lsmd=off\n"));
	unlink(file);
	assert_false(boot_is_off(file));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_word_turns_off),
		cmocka_unit_test(nothing_else_does),
	};
	int fd = mkstemp(file);

	if (fd < 0)
		return 1;
	close(fd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
