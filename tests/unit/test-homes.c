// SPDX-License-Identifier: LGPL-2.1-or-later
/* homes.c: what @{HOME} stands for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "agent/policy/homes.h"
#include "agent/util/buf.h"

static void homes(const char *passwd, const char *expected)
{
	char path[] = "/tmp/lsmd-test-XXXXXX";
	struct arena memory = {};
	struct texts texts = {};
	struct buf said = {};
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, passwd, strlen(passwd)), strlen(passwd));
	close(fd);
	assert_int_equal(homes_read(path, &memory, &texts), 0);
	unlink(path);
	for (size_t i = 0; i < texts.n; i++)
		buf_printf(&said, "%s ", texts.items[i].bytes);
	assert_string_equal(said.bytes, expected);
	buf_free(&said);
	free(texts.items);
	arena_free(&memory);
}

static void there_is_always_root_and_home(void **state)
{
	homes("", "/home/* /root ");
}

static void only_people_elsewhere_are_added(void **state)
{
	homes("root:x:0:0::/root:/bin/sh\n"
	      "daemon:x:1:1::/usr/sbin:/usr/sbin/nologin\n"
	      "ann:x:1000:1000::/home/ann:/bin/sh\n"
	      "bob:x:1001:1001::/srv/people/bob/:/bin/sh\n"
	      "bob2:x:1002:1002::/srv/people/bob:/bin/sh\n"
	      "cat:x:1003:1003::/home/staff/cat:/bin/sh\n"
	      "nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n",
	      "/home/* /home/staff/cat /root /srv/people/bob ");
}

static void names_are_no_patterns(void **state)
{
	homes("odd:x:1000:1000::/srv/[x]*:/bin/sh\n"
	      "dots:x:1001:1001::/srv/../etc:/bin/sh\n"
	      "none:x:1002:1002::relative:/bin/sh\n"
	      "top:x:1003:1003::/:/bin/sh\n",
	      "/home/* /root /srv/\\[x\\]\\* ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_always_root_and_home),
		cmocka_unit_test(only_people_elsewhere_are_added),
		cmocka_unit_test(names_are_no_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
