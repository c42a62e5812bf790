// SPDX-License-Identifier: LGPL-2.1-or-later
/* generalise.c: what a name becomes at each level, and what it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/ctl/generalise.c"

static void names_become_patterns(void **state)
{
	static const struct {
		const char *name, *tight, *normal, *broad;
	} cases[] = {
		{ "/etc/passwd", "/etc/passwd", "/etc/passwd", "/etc/passwd" },
		{ "/proc/812/status", "/proc/*/status", "/proc/*/status", "/proc/*/status" },
		{ "/proc/1/task/812/comm", "/proc/*/task/*/comm", "/proc/*/task/*/comm", "/proc/*/task/*/comm" },
		{ "/tmp/shop-a8Fk2Q", "/tmp/shop-*", "/tmp/shop-*", "/tmp/shop-*" },
		{ "/etc/.mysettings.kR2mZq", "/etc/.mysettings.*", "/etc/.mysettings.*", "/etc/.mysettings.*" },
		{ "/etc/kR2mZq", "/etc/kR2mZq", "/etc/kR2mZq", "/etc/kR*mZq" },
		{ "/etc/nginx/sites-default1", "/etc/nginx/sites-default1", "/etc/nginx/sites-default1", "/etc/nginx/sites-default*" },
		{ "/tmp/default1", "/tmp/default1", "/tmp/default1", "/tmp/default*" },
		{ "/tmp/#27", "/tmp/#*", "/tmp/#*", "/tmp/#*" },
		{ "/srv/shop/#1048577", "/srv/shop/#*", "/srv/shop/#*", "/srv/shop/#*" },
		{ "/srv/#one/#", "/srv/#one/#", "/srv/#one/#", "/srv/#one/#" },
		{ "/tmp/tmpfLq7hgK", "/tmp/tmpf*", "/tmp/tmpf*", "/tmp/tmpf*" },
		{ "/tmp/tmpfabcdef", "/tmp/tmpf*", "/tmp/tmpf*", "/tmp/tmpf*" },
		{ "/tmp/tmp.ABCDEFGHIJ/a", "/tmp/tmp.*/a", "/tmp/tmp.*/a", "/tmp/tmp.*/a" },
		{ "/tmp/tmpab_cdefg.txt", "/tmp/tmp*.txt", "/tmp/tmp*.txt", "/tmp/tmp*.txt" },
		{ "/tmp/fileabcdef", "/tmp/file*", "/tmp/file*", "/tmp/file*" },
		{ "/tmp/template", "/tmp/template", "/tmp/template", "/tmp/template" },
		{ "/etc/sedkR2mZq", "/etc/sed*", "/etc/sed*", "/etc/sed*" },
		{ "/etc/sedation1", "/etc/sedation1", "/etc/sedation1", "/etc/sedation*" },
		{ "/etc/fileserver", "/etc/fileserver", "/etc/fileserver", "/etc/fileserver" },
		{ "/etc/kR2mZq.conf", "/etc/kR2mZq.conf", "/etc/kR2mZq.conf", "/etc/kR*mZq.conf" },
		{ "/tmp/shop-a8Fk2Q.png", "/tmp/shop-*.png", "/tmp/shop-*.png", "/tmp/shop-*.png" },
		{ "/run/shop/4711.a8Fk2Q.4711", "/run/shop/*.*.*", "/run/shop/*.*.*", "/run/shop/*.*.*" },
		{ "@shop/4711/a*", "@shop/*/a\\*", "@shop/*/a\\*", "@shop/*/a\\*" },
		{ "/opt/shop-1.2.10/a", "/opt/shop-1.2.10/a", "/opt/shop-*/a", "/opt/shop-*/a" },
		{ "/usr/lib/libz.so.1.2.13", "/usr/lib/libz.so.1.2.13", "/usr/lib/libz.so.*", "/usr/lib/libz.so.*" },
		{ "/var/log/a-20261121.log", "/var/log/a-20261121.log", "/var/log/a-*.log", "/var/log/a-*.log" },
		{ "/var/log/a-2026-11-21.log", "/var/log/a-2026-11-21.log", "/var/log/a-*.log", "/var/log/a-*.log" },
		{ "/var/lib/shop/temp-4711.rdb", "/var/lib/shop/temp-*.rdb", "/var/lib/shop/temp-*.rdb", "/var/lib/shop/temp-*.rdb" },
		{ "/run/shop.4711", "/run/shop.*", "/run/shop.*", "/run/shop.*" },
		{ "/srv/47110/04711/x47", "/srv/47110/04711/x47", "/srv/47110/04711/x47", "/srv/*/*/x*" },
		{ "/dev/tty12", "/dev/tty12", "/dev/tty12", "/dev/tty*" },
		{ "/srv/a*b?[c]{d}\\", "/srv/a\\*b\\?\\[c\\]\\{d\\}\\\\", "/srv/a\\*b\\?\\[c\\]\\{d\\}\\\\", "/srv/a\\*b\\?\\[c\\]\\{d\\}\\\\" },
		{ "/srv/\xff", "/srv/?", "/srv/?", "/srv/?" },
		{ "/", "/", "/", "/" },
	};

	struct pids pids = {};

	/* Number 12 is too small to tell. */
	assert_int_equal(pids_add(&pids, 12) | pids_add(&pids, 4711) | pids_add(&pids, 4711), 0);
	assert_int_equal(pids.n, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *wanted[] = { cases[i].tight, cases[i].normal, cases[i].broad };

		for (enum level level = LEVEL_TIGHT; level <= LEVEL_BROAD; level++) {
			_cleanup_buf_ struct buf out = {};

			name_generalise(&out, cases[i].name, strlen(cases[i].name), level, &pids);
			assert_string_equal(out.bytes, wanted[level]);
		}
	}
	free(pids.items);
}

static void some_folders_are_never_whole(void **state)
{
	static const char *const never[] = { "/", "/etc/", "/home/ann/", "/home/ann/site/", "/root/x/", "/proc/sys/", "/dev/shm/" };

	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
		if (folder_may_be_whole(never[i], strlen(never[i])))
			assert_string_equal(never[i], "not whole");
	assert_true(folder_may_be_whole("/srv/shop/", 10));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_become_patterns),
		cmocka_unit_test(some_folders_are_never_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
