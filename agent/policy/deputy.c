/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Grants that reach further than they look: somebody whom no policy holds then acts in the program's place. */
#include <string.h>

#include "agent/policy/check.h"
#include "agent/policy/pattern.h"

static const struct deputy {
	const char *name; /* a name that a rule may reach */
	enum object_kind kind;
	uint32_t access;
	const char *who;
} deputies[] = {
	{ "/run/systemd/private", OBJECT_UNIX, LSMD_ACCESS_CONNECT, "systemd" },
	{ "/run/dbus/system_bus_socket", OBJECT_UNIX, LSMD_ACCESS_CONNECT, "any service on the system bus" },
	{ "/run/docker.sock", OBJECT_UNIX, LSMD_ACCESS_CONNECT, "docker" },
	{ "/run/containerd/containerd.sock", OBJECT_UNIX, LSMD_ACCESS_CONNECT, "containerd" },
	{ "/run/podman/podman.sock", OBJECT_UNIX, LSMD_ACCESS_CONNECT, "podman" },
	{ "/run/libvirt/libvirt-sock", OBJECT_UNIX, LSMD_ACCESS_CONNECT, "libvirt" },
	{ "/run/snapd.socket", OBJECT_UNIX, LSMD_ACCESS_CONNECT, "snapd" },
	{ "/etc/ld.so.preload", OBJECT_PATH, LSMD_ACCESS_WRITE_GROUP, "every program that starts" },
	{ "/etc/crontab", OBJECT_PATH, LSMD_ACCESS_WRITE_GROUP, "cron" },
	{ "/etc/cron.d/x", OBJECT_PATH, LSMD_ACCESS_WRITE_GROUP, "cron" },
	{ "/var/spool/cron/crontabs/root", OBJECT_PATH, LSMD_ACCESS_WRITE_GROUP, "cron" },
	{ "/etc/systemd/system/x.service", OBJECT_PATH, LSMD_ACCESS_WRITE_GROUP, "systemd" },
	{ "/etc/udev/rules.d/x.rules", OBJECT_PATH, LSMD_ACCESS_WRITE_GROUP, "udev" },
	{ "/etc/sudoers", OBJECT_PATH, LSMD_ACCESS_WRITE_GROUP, "sudo" },
	{ "/etc/sudoers.d/x", OBJECT_PATH, LSMD_ACCESS_WRITE_GROUP, "sudo" },
	{ "/etc/passwd", OBJECT_PATH, LSMD_ACCESS_WRITE_GROUP, "whoever logs in" },
	{ "/etc/shadow", OBJECT_PATH, LSMD_ACCESS_WRITE_GROUP, "whoever logs in" },
	{ "/etc/profile", OBJECT_PATH, LSMD_ACCESS_WRITE_GROUP, "whoever logs in" },
	{ "/root/.ssh/authorized_keys", OBJECT_PATH, LSMD_ACCESS_WRITE_GROUP, "whoever logs in" },
	{ "/home/x/.ssh/authorized_keys", OBJECT_PATH, LSMD_ACCESS_WRITE_GROUP, "whoever logs in" },
	{ "/proc/sys/kernel/core_pattern", OBJECT_PATH, LSMD_ACCESS_WRITE_GROUP, "the kernel" },
};

#define N_DEPUTIES (sizeof(deputies) / sizeof(*deputies))

/* Most patterns part from a name within what is literal of them, and are done with quickly. */
static int object_reaches(const struct object *object, const struct deputy *deputy)
{
	size_t literal, name_len = strlen(deputy->name);

	if (object->kind != deputy->kind)
		return 0;
	literal = pattern_literal(object->bytes, object->len);
	if (memcmp(object->bytes, deputy->name, literal < name_len ? literal : name_len))
		return 0;
	return pattern_match(object->bytes, object->len, deputy->name);
}

/* The first object of the rule that reaches the deputy. Return: 1, 0, -ENOMEM */
static int rule_reaches(const struct rule *rule, const struct deputy *deputy, const struct object **ret)
{
	size_t i;
	int r = 0;

	if (!(rule->access & deputy->access))
		return 0;
	for (i = 0; i < rule->n_objects && !r; i++) {
		r = object_reaches(&rule->objects[i], deputy);
		*ret = &rule->objects[i];
	}
	return r;
}

/* The first object by which rules grant access to the deputy that no rule denies; NULL: none. */
static int deputy_granted(const struct policy *policy, const struct deputy *deputy, const struct object **ret)
{
	const struct object *object, *granted = NULL;
	uint32_t allow = 0, deny = 0;
	size_t i;
	int r;

	for (i = 0; i < policy->n_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		r = rule_reaches(rule, deputy, &object);
		if (r < 0)
			return r;
		if (!r)
			continue;
		*(rule->deny ? &deny : &allow) |= rule->access & deputy->access;
		if (!rule->deny && !granted)
			granted = object;
	}
	*ret = allow & ~deny ? granted : NULL;
	return 0;
}

static void deputy_warn(const struct deputy *deputy, const struct object *granted, struct diags *diags)
{
	diag_add(diags, DIAG_WARNING, "deputy", granted->place, "narrow the rule, or deny that name",
		 "this lets the program %s '%s', and so have %s do what the policy refuses",
		 deputy->kind == OBJECT_UNIX ? "connect to" : "write", deputy->name, deputy->who);
}

int deputies_check(const struct policy *policy, struct diags *diags)
{
	const struct object *granted[N_DEPUTIES];
	size_t i, j;
	int r;

	for (i = 0; i < N_DEPUTIES; i++) {
		r = deputy_granted(policy, &deputies[i], &granted[i]);
		if (r)
			return r;
		/* A wide rule reaches many; one is enough to say. */
		for (j = 0; j < i && granted[j] != granted[i]; j++)
			;
		if (granted[i] && j == i)
			deputy_warn(&deputies[i], granted[i], diags);
	}
	return 0;
}
