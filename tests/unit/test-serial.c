// SPDX-License-Identifier: LGPL-2.1-or-later
/* serial.c: numbers go up, also over a crash, and what cannot be remembered is not put in force. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/control/serial.h"

static char dir[] = "/tmp/lsmd-test-serial-XXXXXX", file[64], why[512];

static const struct seal_stamp seven = { .serial = 7, .digest = "seven", .key = "0123456789abcdef" };
static const struct seal_stamp other_seven = { .serial = 7, .digest = "another", .key = "0123456789abcdef" };
static const struct seal_stamp eight = { .serial = 8, .digest = "\xff eight", .key = "0123456789abcdef" };

static int setup(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	snprintf(file, sizeof(file), "%s/serial", dir);
	return 0;
}

static int begin(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s/*", dir);
	return system(command);
}

static int teardown(void **state)
{
	begin(state);
	return rmdir(dir);
}

static uint64_t remembered(void)
{
	struct serial serial;

	assert_int_equal(serial_open(&serial, file, why, sizeof(why)), 0);
	return serial.last.serial;
}

static void numbers_go_up(void **state)
{
	struct serial serial;

	assert_int_equal(serial_open(&serial, file, why, sizeof(why)), 0);
	assert_int_equal(serial.last.serial, 0);
	assert_int_equal(serial_advance(&serial, &seven, why, sizeof(why)), 0);
	assert_int_equal(remembered(), 7); /* before it is in force: killed now, nothing older comes */
	serial_keep(&serial);
	assert_int_equal(serial_advance(&serial, &other_seven, why, sizeof(why)), SERIAL_REFUSED);
	assert_non_null(strstr(why, "serial number 7 is not newer than 7"));
	assert_int_equal(serial_advance(&serial, &eight, why, sizeof(why)), 0);
	serial_keep(&serial);
	assert_int_equal(serial_advance(&serial, &seven, why, sizeof(why)), SERIAL_REFUSED);
	assert_int_equal(serial_advance(&serial, &eight, why, sizeof(why)), 0); /* the set in force, again */
	assert_int_equal(remembered(), 8);
	assert_int_equal(serial_open(&serial, file, why, sizeof(why)), 0);
	assert_memory_equal(&serial.last, &eight, sizeof(eight));
}

static void what_did_not_come_in_force_is_forgotten(void **state)
{
	struct serial serial;

	assert_int_equal(serial_open(&serial, file, why, sizeof(why)), 0);
	assert_int_equal(serial_advance(&serial, &seven, why, sizeof(why)), 0);
	assert_int_equal(serial_undo(&serial), 0);
	assert_int_not_equal(access(file, F_OK), 0);
	assert_int_equal(serial_advance(&serial, &seven, why, sizeof(why)), 0);
	serial_keep(&serial);
	assert_int_equal(serial_undo(&serial), 0); /* kept is kept */
	assert_int_equal(serial_advance(&serial, &eight, why, sizeof(why)), 0);
	assert_int_equal(serial_undo(&serial), 0);
	assert_int_equal(remembered(), 7);
	assert_int_equal(serial_advance(&serial, &other_seven, why, sizeof(why)), SERIAL_REFUSED);
}

static void what_cannot_be_remembered_is_refused(void **state)
{
	char nowhere[128];
	struct serial serial;

	snprintf(nowhere, sizeof(nowhere), "%s/none/serial", dir);
	assert_int_equal(serial_open(&serial, nowhere, why, sizeof(why)), 0);
	assert_int_equal(serial_advance(&serial, &seven, why, sizeof(why)), SERIAL_REFUSED);
	assert_non_null(strstr(why, nowhere));
	assert_int_equal(serial.last.serial, 0);
	assert_int_equal(serial_undo(&serial), 0);
}

static void check_wrong(const char *text)
{
	struct serial serial = { .file = file };
	FILE *out = fopen(file, "w");

	fputs(text, out);
	fclose(out);
	assert_int_equal(serial_open(&serial, file, why, sizeof(why)), SERIAL_REFUSED);
	assert_non_null(strstr(why, file));
	/* And it does not count as a machine that has seen no set yet. */
	assert_int_equal(serial_advance(&serial, &eight, why, sizeof(why)), SERIAL_REFUSED);
	unlink(file);
	assert_int_equal(serial_advance(&serial, &eight, why, sizeof(why)), 0);
}

static void a_file_of_another_form_is_refused(void **state)
{
#define DIGEST "736576656e000000000000000000000000000000000000000000000000000000"
	check_wrong("");
	check_wrong("lsmd-serial 1\n");
	check_wrong("lsmd-serial 1\nserial 7\ndigest 00\nkey 0123456789abcdef\n");
	check_wrong("lsmd-serial 1\nserial 07\ndigest " DIGEST "\nkey 0123456789abcdef\n");
	check_wrong("lsmd-serial 1\nserial 0\ndigest " DIGEST "\nkey 0123456789abcdef\n");
	check_wrong("lsmd-serial 1\nserial -1\ndigest " DIGEST "\nkey 0123456789abcdef\n");
	check_wrong("lsmd-serial 1\nserial 7\ndigest " DIGEST "\nkey 0123456789abcdef\n\n");
	check_wrong("lsmd-serial 2\nserial 7\ndigest " DIGEST "\nkey 0123456789abcdef\n");
	unlink(file);
	assert_int_equal(mkdir(file, 0700), 0);
	assert_int_equal(serial_open(&(struct serial){}, file, why, sizeof(why)), SERIAL_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(numbers_go_up, begin),
		cmocka_unit_test_setup(what_did_not_come_in_force_is_forgotten, begin),
		cmocka_unit_test_setup(what_cannot_be_remembered_is_refused, begin),
		cmocka_unit_test_setup(a_file_of_another_form_is_refused, begin),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
