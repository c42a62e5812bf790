// SPDX-License-Identifier: LGPL-2.1-or-later
/* Names of what has neither file nor address: words and numbers to paths, and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "agent/policy/named.h"
#include "agent/util/cleanup.h"

static void check_name(uint32_t access, const char *text, const char *path, const char *shown)
{
	_cleanup_buf_ struct buf out = {};
	char bytes[NAMED_LEN_MAX];
	size_t len;

	assert_int_equal(named_read(NULL, access, text, strlen(text), bytes, &len), 0);
	assert_int_equal(len, strlen(path));
	assert_memory_equal(bytes, path, len);
	named_text(&out, (unsigned int)__builtin_ctz(access), bytes, len);
	assert_string_equal(out.bytes, shown);
}

static void words_and_numbers_are_one(void **state)
{
	check_name(LSMD_ACCESS_SOCKET, "netlink", "/00000010", "netlink");
	check_name(LSMD_ACCESS_SOCKET, "netlink:*", "/00000010", "netlink");
	check_name(LSMD_ACCESS_SOCKET, "16:9", "/00000010/00000009", "netlink:audit");
	check_name(LSMD_ACCESS_SOCKET, "NETLINK:Route", "/00000010/00000000", "netlink:route");
	check_name(LSMD_ACCESS_SOCKET, "AF_INET:SOCK_RAW:IPPROTO_ICMP", "/00000002/00000003/00000001", "inet:raw:icmp");
	check_name(LSMD_ACCESS_SOCKET, "inet6:dgram:58", "/0000000a/00000002/0000003a", "inet6:dgram:icmpv6");
	check_name(LSMD_ACCESS_SOCKET, "inet:stream:262", "/00000002/00000001/00000106", "inet:stream:mptcp");
	check_name(LSMD_ACCESS_SOCKET, "vsock:77", "/00000028/0000004d", "vsock:77");
	check_name(LSMD_ACCESS_SOCKET, "12345", "/00003039", "12345");
	check_name(LSMD_ACCESS_CAPABILITY, "CAP_SYS_ADMIN", "/00000015", "sys_admin");
	check_name(LSMD_ACCESS_CAPABILITY, "0", "/00000000", "chown");
	check_name(LSMD_ACCESS_CAPABILITY, "63", "/0000003f", "63");
	check_name(LSMD_ACCESS_SIGNAL, "SIGKILL", "/00000009", "kill");
	check_name(LSMD_ACCESS_SIGNAL, "34", "/00000022", "34");
	check_name(LSMD_ACCESS_PTRACE, "trace", "/00000002", "trace");
	check_name(LSMD_ACCESS_BPF, "prog_load", "/00000005", "prog_load");
}

static void what_is_no_name_is_refused(void **state)
{
	static const struct {
		uint32_t access;
		const char *text;
	} wrong[] = {
		{ LSMD_ACCESS_SOCKET, "" },	       { LSMD_ACCESS_SOCKET, ":" },
		{ LSMD_ACCESS_SOCKET, "netlink:" },    { LSMD_ACCESS_SOCKET, "netlink:route:1" },
		{ LSMD_ACCESS_SOCKET, "*:raw" },       { LSMD_ACCESS_SOCKET, "inet:*:tcp" },
		{ LSMD_ACCESS_SOCKET, "65536" },       { LSMD_ACCESS_SOCKET, "99999999999999999999" },
		{ LSMD_ACCESS_SOCKET, "inet:raw:1:*" }, { LSMD_ACCESS_SOCKET, "AF_" },
		{ LSMD_ACCESS_CAPABILITY, "64" },      { LSMD_ACCESS_CAPABILITY, "kill:1" },
		{ LSMD_ACCESS_SIGNAL, "65" },	       { LSMD_ACCESS_PTRACE, "1" },
		{ LSMD_ACCESS_MOUNT, "proc" },	       { LSMD_ACCESS_CAPABILITY | LSMD_ACCESS_SIGNAL, "kill" },
	};
	char bytes[NAMED_LEN_MAX];
	size_t len;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (named_read(NULL, wrong[i].access, wrong[i].text, strlen(wrong[i].text), bytes, &len) != NAMED_REFUSED)
			fail_msg("'%s' is taken for a name", wrong[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_numbers_are_one),
		cmocka_unit_test(what_is_no_name_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
