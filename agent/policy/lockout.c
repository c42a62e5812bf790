/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policies that would hold what keeps the machine reachable. */
#include <errno.h>
#include <string.h>

#include "agent/policy/check.h"
#include "agent/policy/pattern.h"
#include "agent/util/buf.h"

enum keeper {
	KEEPER_INIT,
	KEEPER_LSMD,
	KEEPER_SESSION, /* may be held when what it starts leaves: "children": false */
};

#define SESSION "/user.slice/user-0.slice/session-1.scope"
#define SSHD "/system.slice/ssh.service"
#define GETTY "/system.slice/system-getty.slice/getty@tty1.service"

/* All of them run as root; where, says the cgroup. */
static const struct {
	const char *path;
	const char *what;
	enum keeper keeper;
	const char *cgroup;
} kept[] = {
	{ "/usr/lib/systemd/systemd", "PID 1", KEEPER_INIT, "/init.scope" },
	{ "/lib/systemd/systemd", "PID 1", KEEPER_INIT, "/init.scope" },
	{ "/usr/lib/systemd/systemd-executor", "PID 1", KEEPER_INIT, "/init.scope" },
	{ "/sbin/init", "PID 1", KEEPER_INIT, "/init.scope" },
	{ "/usr/sbin/init", "PID 1", KEEPER_INIT, "/init.scope" },
	{ "/usr/sbin/lsmd", "lsmd itself", KEEPER_LSMD, "/system.slice/lsmd.service" },
	{ "/sbin/lsmd", "lsmd itself", KEEPER_LSMD, "/system.slice/lsmd.service" },
	{ "/usr/bin/lsmctl", "lsmctl", KEEPER_LSMD, SESSION },
	{ "/bin/lsmctl", "lsmctl", KEEPER_LSMD, SESSION },
	{ "/usr/sbin/sshd", "every login through sshd", KEEPER_SESSION, SSHD },
	{ "/sbin/sshd", "every login through sshd", KEEPER_SESSION, SSHD },
	{ "/usr/lib/openssh/sshd-session", "every login through sshd", KEEPER_SESSION, SSHD },
	{ "/usr/bin/login", "every login on a console", KEEPER_SESSION, SESSION },
	{ "/bin/login", "every login on a console", KEEPER_SESSION, SESSION },
	{ "/usr/sbin/agetty", "every login on a console", KEEPER_SESSION, GETTY },
	{ "/sbin/agetty", "every login on a console", KEEPER_SESSION, GETTY },
};

enum {
	MATCH_FOUND = 1,
};

/* Which of the patterns names this. Return: MATCH_FOUND, 0, -ENOMEM */
static int any_matches(const struct object *patterns, size_t n, const char *name, size_t *ret)
{
	int r = 0;

	for (*ret = 0; *ret < n; ++*ret) {
		r = pattern_match(patterns[*ret].bytes, patterns[*ret].len, name);
		if (r)
			break;
	}
	return r < 0 ? r : r ? MATCH_FOUND : 0;
}

static bool ids_have_root(const struct lsmd_ids *ids, size_t n)
{
	return !n || !ids[0].first;
}

/* Patterns of units are matched as names of one component. */
static int unit_matches(const struct object *unit, const char *component, size_t len)
{
	_cleanup_buf_ struct buf pattern = {}, name = {};

	buf_add_byte(&pattern, '/');
	buf_add(&pattern, unit->bytes, unit->len);
	buf_add_byte(&name, '/');
	buf_add(&name, component, len);
	if (pattern.failed || name.failed)
		return -ENOMEM;
	return pattern_match(pattern.bytes, pattern.len, name.bytes);
}

static int units_match(const struct policy *policy, const char *cgroup)
{
	int r = !policy->n_units;

	for (const char *at = cgroup; *at && !r;) {
		size_t len = strcspn(++at, "/");

		for (size_t i = 0; i < policy->n_units && !r; i++)
			r = unit_matches(&policy->units[i], at, len);
		at += len;
	}
	return r;
}

/* Does the policy ask for a user, a unit or the like that this one is not? */
static int selectors_match(const struct policy *policy, size_t which)
{
	size_t found;
	int r;

	if (!ids_have_root(policy->uids, policy->n_uids) || !ids_have_root(policy->gids, policy->n_gids))
		return 0;
	r = policy->n_cgroups ? any_matches(policy->cgroups, policy->n_cgroups, kept[which].cgroup, &found) : 1;
	return r > 0 ? units_match(policy, kept[which].cgroup) : r;
}

static void lockout_add(const struct policy *policy, const struct object *exe, size_t found, bool force, struct diags *diags)
{
	static const char *const mends[] = {
		[KEEPER_INIT] = "narrow the subject, or insist with --force",
		[KEEPER_LSMD] = "narrow the subject, or insist with --force",
		[KEEPER_SESSION] = "narrow the subject, add \"children\": false to it, or insist with --force",
	};

	diag_add(diags, force ? DIAG_WARNING : DIAG_ERROR, "lock-out", exe ? exe->place : policy->subject_place,
		 force ? NULL : mends[kept[found].keeper], "the policy would hold %s ('%s')", kept[found].what,
		 kept[found].path);
}

/* The first of the table that the policy would hold; of each of its patterns over programs. @exe: NULL: it has none */
static int exe_check(const struct policy *policy, const struct object *exe, bool force, struct diags *diags)
{
	int r;

	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		if (kept[i].keeper == KEEPER_SESSION && !policy->children)
			continue;
		r = exe ? pattern_match(exe->bytes, exe->len, kept[i].path) : 1;
		if (r > 0)
			r = selectors_match(policy, i);
		if (r < 0)
			return r;
		if (!r)
			continue;
		lockout_add(policy, exe, i, force, diags);
		return 0;
	}
	return 0;
}

int lockout_check(const struct policy *policy, bool force, struct diags *diags)
{
	int r = 0;

	if (policy->mode == LSMD_MODE_OFF || !(policy->n_exes + policy->n_units + policy->n_cgroups + policy->n_uids + policy->n_gids))
		return 0;
	if (!policy->n_exes)
		return exe_check(policy, NULL, force, diags);
	for (size_t i = 0; i < policy->n_exes && !r; i++)
		r = exe_check(policy, &policy->exes[i], force, diags);
	return r;
}
