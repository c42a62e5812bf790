// SPDX-License-Identifier: LGPL-2.1-or-later
/* Finds the act and runs it. */
#include "tests/vm/probe/probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct act *const tables[] = {
	file_acts, append_acts, attr_acts, fd_acts, map_acts, process_acts, exec_acts, net_acts, mount_acts, system_acts,
	uring_acts,
};

long before(long result, const char *what)
{
	if (result >= 0)
		return result;
	dprintf(STDERR_FILENO, "probe: %s: %s\n", what, strerror(errno));
	_exit(PROBE_BEFORE);
}

int result_of(long result)
{
	return result < 0 ? -errno : 0;
}

static int args_count(char **args)
{
	int n = 0;

	while (args[n])
		n++;
	return n;
}

static const struct act *act_find(const char *name)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(*tables); t++)
		for (const struct act *act = tables[t]; act->name; act++)
			if (!strcmp(act->name, name))
				return act;
	return NULL;
}

int act_run(char **args)
{
	const struct act *act = args[0] ? act_find(args[0]) : NULL;

	if (!act || args_count(args + 1) < act->n_args) {
		dprintf(STDERR_FILENO, "probe: no act '%s' with so many arguments\n", args[0] ? args[0] : "");
		_exit(PROBE_USAGE);
	}
	return act->fn(args + 1);
}

int main(int argc, char **argv)
{
	return -act_run(argv + 1);
}
