/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The probe: one program that does one thing by one system call, and says how that call ended. Guest tests run copies of it at
 * names that policies hold, and at names that none holds. It is linked statically and opens nothing of its own.
 *
 * Exit status: 0 it happened; 1 to 133 the errno of the call that is judged; PROBE_BEFORE when a call before it failed (standard
 * error says which), PROBE_USAGE.
 */
#ifndef LSMD_TESTS_VM_PROBE_H
#define LSMD_TESTS_VM_PROBE_H

#include <stddef.h>

#define PROBE_BEFORE 250
#define PROBE_USAGE 251

/* One thing to do. A wrapper does something to the process and then the act that its further arguments name. */
struct act {
	const char *name;
	int n_args; /* at least */
	/* @args: NULL-terminated. Return: 0, -errno of the call that is judged; does not return where a call before it fails. */
	int (*fn)(char **args);
};

extern const struct act file_acts[], append_acts[], attr_acts[], fd_acts[], map_acts[], process_acts[], exec_acts[], net_acts[],
	mount_acts[], system_acts[], uring_acts[];

/** act_run() - the act that @args name. Return: as struct act says */
int act_run(char **args);

/** before() - @result, or, where it is negative, the end of the process: @what had to work */
long before(long result, const char *what);

/** result_of() - 0 where @result is not negative, else -errno */
int result_of(long result);

#endif
