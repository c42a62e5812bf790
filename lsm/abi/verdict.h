/* SPDX-License-Identifier: (GPL-2.0-only OR LGPL-2.1-or-later) */
/* Verdicts, and the reasons of those that no rule gave; each with its name. */
#ifndef LSMD_ABI_VERDICT_H
#define LSMD_ABI_VERDICT_H

enum lsmd_verdict {
	LSMD_VERDICT_ALLOW,
	LSMD_VERDICT_DENY,
};

/*
 * LSMD_REASONS(X): X(CONSTANT, "name", "explanation for a person"). RULE and DEFAULT are decisions; the rest
 * are undecided (MEANING.md 4): refused for every layer that could deny anything in the class.
 */
#define LSMD_REASONS(X)                                                                                \
	X(NONE, "none", "allowed")                                                                     \
	X(RULE, "rule", "a rule says so")                                                              \
	X(DEFAULT, "default", "no rule speaks, and the default of the class says so")                  \
	X(PATH_TOO_DEEP, "path-too-deep", "the name has more pieces than a walk takes")                \
	X(PATH_TOO_LONG, "path-too-long", "the name is longer than an answer can hold")                \
	X(PATH_RACED, "path-raced", "the name kept changing while it was read")                        \
	X(PATH_UNREACHABLE, "path-unreachable", "the object has no name below the root of the process's mount namespace") \
	X(PATH_ANONYMOUS, "path-anonymous", "the object has no name")                                  \
	X(NAMES_MANY, "names-many", "the file system of the object is mounted in too many places to look for its names") \
	X(NAMES_FOLDED, "names-folded", "the file system compares names in a way of its own")          \
	X(FOREIGN_NAMESPACE, "foreign-namespace", "the process left the mount namespace in which it was first held") \
	X(NO_SCRATCH, "no-scratch", "every working buffer was taken")                                  \
	X(NO_LABEL, "no-label", "the label of the task could not be read")                             \
	X(NO_IMAGE, "no-image", "the policy image could not be read")                                  \
	X(HELPER_FAILED, "helper-failed", "a kernel helper failed")                                    \
	X(ADDRESS_UNKNOWN, "address-unknown", "the address has a form that no rule can name")          \
	X(RENAME_WIDENS, "rename-widens", "the new name would allow what the old one does not")        \
	X(LAYERS_FULL, "layers-full", "the exec would put more policies on the process than it can carry") \
	X(NAMES_FULL, "names-full", "the names of the program are longer than a label can remember")   \
	X(SIGNAL_LATER, "signal-later", "which process the kernel will signal, and how, is not known when it is asked to") \
	X(SYSCALL_UNKNOWN, "syscall-unknown", "the call exchanges content with a file that cannot be known") \
	X(GUARDED, "guarded", "lsmd guards its own process, control group, socket, pins, maps and programs")

enum lsmd_reason {
#define X(constant, name, text) LSMD_REASON_##constant,
	LSMD_REASONS(X)
#undef X
	LSMD_N_REASONS,
};

enum lsmd_mode {
	LSMD_MODE_ENFORCE,
	LSMD_MODE_AUDIT,
	LSMD_MODE_OFF,
};

#endif
