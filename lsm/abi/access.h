/* SPDX-License-Identifier: (GPL-2.0-only OR LGPL-2.1-or-later) */
/* Verbs as bits, their classes and names. One bit a verb; a set of wanted verbs is an access. */
#ifndef LSMD_ABI_ACCESS_H
#define LSMD_ABI_ACCESS_H

/* LSMD_VERBS(X): X(CONSTANT, word, CLASS) in the order of the bits. */
#define LSMD_VERBS(X)                           \
	X(READ, "read", FILE)                   \
	X(WRITE, "write", FILE)                 \
	X(APPEND, "append", FILE)               \
	X(CREATE, "create", FILE)               \
	X(DELETE, "delete", FILE)               \
	X(RENAME, "rename", FILE)               \
	X(LINK, "link", FILE)                   \
	X(SETATTR, "setattr", FILE)             \
	X(EXEC, "exec", EXEC)                   \
	X(MAP, "map", EXEC)                     \
	X(CONNECT, "connect", NETWORK)          \
	X(SEND, "send", NETWORK)                \
	X(BIND, "bind", NETWORK)                \
	X(LISTEN, "listen", NETWORK)            \
	X(ACCEPT, "accept", NETWORK)            \
	X(SOCKET, "socket", NETWORK)            \
	X(CAPABILITY, "capability", CAPABILITY) \
	X(SIGNAL, "signal", PROCESS)            \
	X(PTRACE, "ptrace", PROCESS)            \
	X(MOUNT, "mount", SYSTEM)               \
	X(MODULE, "module", SYSTEM)             \
	X(BPF, "bpf", SYSTEM)                   \
	X(USERNS, "userns", SYSTEM)             \
	X(LOCKDOWN, "lockdown", SYSTEM)

enum lsmd_verb {
#define X(constant, name, class) LSMD_VERB_##constant,
	LSMD_VERBS(X)
#undef X
	LSMD_N_VERBS,
};

enum lsmd_access {
#define X(constant, name, class) LSMD_ACCESS_##constant = 1 << LSMD_VERB_##constant,
	LSMD_VERBS(X)
#undef X
	/*
	 * Twins of read, write, append and create for block and character nodes (MEANING.md 19): a rule gives them only
	 * when its last component has no wildcard, a deny and a default always do. A hook that finds such a node
	 * asks for the twin instead. They are no verbs of the language and have no name of their own.
	 */
	LSMD_ACCESS_DEVICE_READ = 1 << 28,
	LSMD_ACCESS_DEVICE_WRITE = 1 << 29,
	LSMD_ACCESS_DEVICE_APPEND = 1 << 30,
	LSMD_ACCESS_DEVICE_CREATE = (int)(1u << 31),
};

#define LSMD_ACCESS_DEVICE_SHIFT_READ (28 - LSMD_VERB_READ)
#define LSMD_ACCESS_DEVICES (0xfu << 28)

_Static_assert(LSMD_N_VERBS <= 28, "verbs and the device twins share 32 bits");
_Static_assert(LSMD_VERB_READ == 0 && LSMD_VERB_WRITE == 1 && LSMD_VERB_APPEND == 2 && LSMD_VERB_CREATE == 3,
	       "the device twins are the first four verbs, shifted");

enum lsmd_class_id {
	LSMD_CLASS_FILE,
	LSMD_CLASS_EXEC,
	LSMD_CLASS_NETWORK,
	LSMD_CLASS_CAPABILITY,
	LSMD_CLASS_PROCESS,
	LSMD_CLASS_SYSTEM,
	LSMD_N_CLASSES,
};

/*
 * Names of what verbs act on that have neither file nor address. A name is a path of numbers, each of LSMD_NAME_DIGITS lower-case hexadecimal
 * digits, from the wide to the narrow:
 *	socket		family / type, of internet families / protocol too; family / protocol of netlink, whose types mean nothing
 *	capability	CAP_
 *	signal		SIG
 *	ptrace		enum lsmd_ptrace_name
 *	module		enum lsmd_module_name
 *	bpf		enum bpf_cmd
 *	lockdown	enum lsmd_lockdown_name
 *	mount, userns	nothing: the root of the tree
 * agent/policy/named.c has the words.
 */
#define LSMD_NAME_DIGITS 8

enum lsmd_ptrace_name {
	LSMD_PTRACE_READ = 1,  /* look: /proc/PID/mem, environ, maps, process_vm_readv */
	LSMD_PTRACE_TRACE = 2, /* steer: attach, write memory, take descriptors */
	LSMD_PTRACE_ADJUST = 3, /* change what it is given: priority, scheduling, limits, where its memory lies */
};

enum lsmd_module_name {
	LSMD_MODULE_LOAD = 1,    /* load or remove one */
	LSMD_MODULE_REQUEST = 2, /* have the kernel load one */
};

/* What reaches around everything that a kernel holds (MEANING.md 26). */
enum lsmd_lockdown_name {
	LSMD_LOCKDOWN_KERNEL = 1,   /* whatever a locked down kernel would refuse: raw memory and ports, tracing of the kernel, what is not signed */
	LSMD_LOCKDOWN_KEXEC = 2,    /* another kernel, signed or not */
	LSMD_LOCKDOWN_PERF = 3,     /* performance counters and events */
	LSMD_LOCKDOWN_TERMINAL = 4, /* bytes into what others read from a terminal */
};

/* What a rule that names `write` names with it (MEANING.md 18). */
#define LSMD_ACCESS_WRITE_GROUP (LSMD_ACCESS_WRITE | LSMD_ACCESS_APPEND | LSMD_ACCESS_CREATE | LSMD_ACCESS_DELETE)

/* The verbs whose objects are names of files (unix socket names included through connect). */
#define LSMD_ACCESS_FILES                                                                              \
	(LSMD_ACCESS_READ | LSMD_ACCESS_WRITE | LSMD_ACCESS_APPEND | LSMD_ACCESS_CREATE |              \
	 LSMD_ACCESS_DELETE | LSMD_ACCESS_RENAME | LSMD_ACCESS_LINK | LSMD_ACCESS_SETATTR)

/* The verbs whose addresses are the process's own (MEANING.md 22), where the unspecified address is every one of them. */
#define LSMD_ACCESS_LOCAL (LSMD_ACCESS_BIND | LSMD_ACCESS_LISTEN | LSMD_ACCESS_ACCEPT)

/* The verbs whose objects are addresses. */
#define LSMD_ACCESS_ADDRESSED (LSMD_ACCESS_CONNECT | LSMD_ACCESS_SEND | LSMD_ACCESS_LOCAL)

/* What is run as code: the only verbs that act on objects without a name (MEANING.md 11). */
#define LSMD_ACCESS_CODE (LSMD_ACCESS_EXEC | LSMD_ACCESS_MAP)

/* access_device() - the device twins of the file verbs in @access; the verbs that have none stay */
static inline unsigned int access_device(unsigned int access)
{
	return (access & ~0xfu) | (access & 0xfu) << LSMD_ACCESS_DEVICE_SHIFT_READ;
}

/* access_plain() - the reverse: what a person calls the access */
static inline unsigned int access_plain(unsigned int access)
{
	return (access & ~LSMD_ACCESS_DEVICES) | (access & LSMD_ACCESS_DEVICES) >> LSMD_ACCESS_DEVICE_SHIFT_READ;
}

#endif
