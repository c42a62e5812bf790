/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What this version leaves undecided or open, in words: `lsmctl status` prints it, and nothing is promised beyond. */
#ifndef LSMD_CONTROL_LIMITS_H
#define LSMD_CONTROL_LIMITS_H

/* LSMD_LIMITS(X): X("key", "sentence") */
#define LSMD_LIMITS(X) \
	X("identity", "a deny on a file's name does not close hard links to it that were made before the policy, nor " \
		      "other mounts of it (MEANING 14)") \
	X("foreign-namespaces", \
	  "a held process that enters another mount namespace is refused, as undecided, whatever " \
	  "its policy could deny (MEANING 13)") \
	X("open-descriptors", \
	  "files, sockets and mappings that a process had open before it was held are not checked again, nor are sockets that it " \
	  "receives (MEANING 23)") \
	X("exec-then", "an exec cannot leave a policy or take another one (\"then\")") \
	X("guard", \
	  "lsmd's configuration and binaries are guarded against held processes only as far as policies deny them; its process, control group, " \
	  "socket, pins, maps and programs always are (MEANING 26)")

#endif
