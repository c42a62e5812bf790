// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The agent's reading of policy files as an engine: the set is printed as files, read by policy_set_load(), and the
 * oracle is asked about what came back. A difference is one of parsing, or of print.c.
 */
#include "tests/engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/policy/set.h"
#include "agent/util/cleanup.h"
#include "tests/engine/print.h"

static int file_write(const char *dir, const struct policy *policy)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_fclose_ FILE *file = NULL;

	if (asprintf(&path, "%s/%s.json", dir, policy->name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	file = fopen(path, "we");
	if (!file)
		return -errno;
	policy_print(policy, file);
	return fflush(file) ? -errno : 0;
}

static void files_remove(const char *dir, const struct policy_set *set)
{
	for (size_t i = 0; i < set->n_policies; i++) {
		_cleanup_free_ char *path = NULL;

		if (asprintf(&path, "%s/%s.json", dir, set->policies[i].name) < 0)
			path = NULL;
		else
			unlink(path);
	}
	rmdir(dir);
}

static int set_reread(const char *dir, struct policy_set **ret)
{
	const char *paths[] = { dir };
	struct policy_options options = { .paths = paths, .n_paths = 1, .force = true };
	struct diags diags = { 0 };
	int r;

	r = policy_set_load(&options, &diags, ret);
	if (r > 0) {
		diags_print(&diags, *ret, stderr, false);
		policy_set_free(*ret);
		r = -EBADMSG;
	}
	diags_clear(&diags);
	return r;
}

static int reread_load(const struct policy_set *set, void **ret_state)
{
	char dir[] = "/tmp/lsmd-engine-XXXXXX";
	struct policy_set *again = NULL;
	int r = 0;

	if (!mkdtemp(dir))
		return -errno;
	for (size_t i = 0; i < set->n_policies && !r; i++)
		r = file_write(dir, &set->policies[i]);
	if (!r)
		r = set_reread(dir, &again);
	files_remove(dir, set);
	if (!r)
		*ret_state = again;
	return r;
}

static int reread_ask(void *state, const struct ask *ask, struct asked *ret)
{
	return naive_ask(state, ask, ret);
}

static void reread_unload(void *state)
{
	policy_set_free(state);
}

const struct engine engine_reread = {
	.name = "printed and read again",
	.load = reread_load,
	.ask = reread_ask,
	.unload = reread_unload,
};
