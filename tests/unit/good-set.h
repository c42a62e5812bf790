/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For tests: a set written down as structs, with every kind of object, and the macros to write others. */
#ifndef LSMD_TESTS_UNIT_GOOD_SET_H
#define LSMD_TESTS_UNIT_GOOD_SET_H

#include "agent/policy/policy.h"

#define PATH(pattern) \
	{ \
		.kind = OBJECT_PATH, .bytes = (pattern), .len = sizeof(pattern) - 1, .place = { 0, 5, 9, 1 } \
	}
#define UNIX(pattern) \
	{ \
		.kind = OBJECT_UNIX, .bytes = (pattern), .len = sizeof(pattern) - 1 \
	}
#define ABSTRACT(pattern) \
	{ \
		.kind = OBJECT_ABSTRACT, .bytes = (pattern), .len = sizeof(pattern) - 1 \
	}
#define ALL \
	{ \
		.kind = OBJECT_ALL \
	}
#define MAPPED(a, b, c, d) (0xffff00000000ull | (uint64_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define INET(proto, first, last, port_first, port_last) \
	{ \
		.kind = OBJECT_INET, .protos = 1u << (proto), .first_lo = (first), .last_lo = (last), \
		.first_port = (port_first), .last_port = (port_last) \
	}
#define OBJECTS(...) \
	.objects = (struct object[]){ __VA_ARGS__ }, \
	.n_objects = sizeof((struct object[]){ __VA_ARGS__ }) / sizeof(struct object)
#define EXES(...) \
	.exes = (struct object[]){ __VA_ARGS__ }, \
	.n_exes = sizeof((struct object[]){ __VA_ARGS__ }) / sizeof(struct object)
#define RULES(...) \
	.rules = (struct rule[]){ __VA_ARGS__ }, .n_rules = sizeof((struct rule[]){ __VA_ARGS__ }) / sizeof(struct rule)

#define READ LSMD_ACCESS_READ
#define WRITE LSMD_ACCESS_WRITE_GROUP

static struct policy_file files[] = { { .name = "a.json" }, { .name = "b.json" } };

/* Two policies on one program and on another by a wildcard, every kind of object, one that is off. */
static struct policy policies[] = {
	{
		.name = "first",
		.place = { 0, 1, 1, 1 },
		.default_place = { 0, 2, 70000, 1 },
		.children = true,
		.default_deny = LSMD_ACCESS_FILES | LSMD_ACCESS_CONNECT,
		EXES(PATH("/bin/one"), PATH("/opt/**")),
		RULES({ .place = { 0, 3, 1, 1 }, .access = READ, OBJECTS(PATH("/etc/"), PATH("/srv/*/pub/")) },
		      { .place = { 0, 4, 1, 1 },
			.access = WRITE,
			.log = true,
			.id = "logs",
			OBJECTS(PATH("/var/log/*.log")) },
		      { .place = { 1, 5, 1, 1 },
			.access = READ | WRITE,
			.deny = true,
			.kill = true,
			.reason = "secret",
			OBJECTS(PATH("/etc/shadow"), PATH("/**/.git/")) },
		      { .access = READ | WRITE, OBJECTS(PATH("/dev/{null,tty*}"), PATH("/dev/pts/")) },
		      { .access = LSMD_ACCESS_CONNECT,
			OBJECTS(UNIX("/run/x.sock"), ABSTRACT("bus"), ABSTRACT("x-*"),
				INET(LSMD_PROTO_TCP, MAPPED(10, 0, 0, 0), MAPPED(10, 255, 255, 255), 80, 90)) }),
	},
	{
		.name = "off",
		.mode = LSMD_MODE_OFF,
		.default_deny = ~0u >> 4,
		EXES(PATH("/bin/one")),
	},
	{
		.name = "second",
		.mode = LSMD_MODE_AUDIT,
		.place = { 1, 1, 1, 1 },
		.default_place = { 1, 2, 3, 1 },
		EXES(PATH("/bin/*")),
		RULES({ .access = LSMD_ACCESS_MOUNT, .deny = true, .silent = true, OBJECTS(ALL) },
		      { .access = LSMD_ACCESS_APPEND, OBJECTS(PATH("/x")) }),
	},
};

static const struct policy_set good = { .policies = policies, .n_policies = 3, .files = files, .n_files = 2 };

#endif
