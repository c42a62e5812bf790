/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policies that would hold what keeps the machine reachable. */
#include "agent/policy/check.h"
#include "agent/policy/pattern.h"

enum {
	KEPT_FOUND = 1,
};

enum keeper {
	KEEPER_INIT,
	KEEPER_LSMD,
	KEEPER_SESSION, /* may be held when what it starts leaves: "children": false */
};

static const struct {
	const char *path;
	const char *what;
	enum keeper keeper;
} kept[] = {
	{ "/usr/lib/systemd/systemd", "PID 1", KEEPER_INIT },
	{ "/lib/systemd/systemd", "PID 1", KEEPER_INIT },
	{ "/usr/lib/systemd/systemd-executor", "PID 1", KEEPER_INIT },
	{ "/sbin/init", "PID 1", KEEPER_INIT },
	{ "/usr/sbin/init", "PID 1", KEEPER_INIT },
	{ "/usr/sbin/lsmd", "lsmd itself", KEEPER_LSMD },
	{ "/sbin/lsmd", "lsmd itself", KEEPER_LSMD },
	{ "/usr/bin/lsmctl", "lsmctl", KEEPER_LSMD },
	{ "/bin/lsmctl", "lsmctl", KEEPER_LSMD },
	{ "/usr/sbin/sshd", "every login through sshd", KEEPER_SESSION },
	{ "/sbin/sshd", "every login through sshd", KEEPER_SESSION },
	{ "/usr/lib/openssh/sshd-session", "every login through sshd", KEEPER_SESSION },
	{ "/usr/bin/login", "every login on a console", KEEPER_SESSION },
	{ "/bin/login", "every login on a console", KEEPER_SESSION },
	{ "/usr/sbin/agetty", "every login on a console", KEEPER_SESSION },
	{ "/sbin/agetty", "every login on a console", KEEPER_SESSION },
};

/* The first of the table that the pattern names. */
static int kept_find(const struct policy *policy, const struct object *exe, size_t *ret)
{
	size_t i;
	int r;

	for (i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		if (kept[i].keeper == KEEPER_SESSION && !policy->children)
			continue;
		r = pattern_match(exe->bytes, exe->len, kept[i].path);
		if (r < 0)
			return r;
		if (r) {
			*ret = i;
			return KEPT_FOUND;
		}
	}
	return 0;
}

static void lockout_add(const struct object *exe, size_t found, bool force, struct diags *diags)
{
	static const char *const mends[] = {
		[KEEPER_INIT] = "narrow 'exe', or insist with --force",
		[KEEPER_LSMD] = "narrow 'exe', or insist with --force",
		[KEEPER_SESSION] = "narrow 'exe', add \"children\": false to the subject, or insist with --force",
	};

	diag_add(diags, force ? DIAG_WARNING : DIAG_ERROR, "lock-out", exe->place,
		 force ? NULL : mends[kept[found].keeper], "the policy would hold %s ('%s')", kept[found].what,
		 kept[found].path);
}

int lockout_check(const struct policy *policy, bool force, struct diags *diags)
{
	size_t i, found;
	int r;

	if (policy->mode == LSMD_MODE_OFF)
		return 0;
	for (i = 0; i < policy->n_exes; i++) {
		r = kept_find(policy, &policy->exes[i], &found);
		if (r < 0)
			return r;
		if (r == KEPT_FOUND)
			lockout_add(&policy->exes[i], found, force, diags);
	}
	return 0;
}
