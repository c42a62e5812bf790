/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The live kernel as an engine: each case is done by real system calls of a real program, in every way that asks for
 * the same verbs. The runner makes the objects and looks at what happened; the subject, a copy of the same program
 * put at the name that the policy holds, does the thing and nothing else: it is linked statically and opens no file
 * of its own.
 */
#ifndef LSMD_TESTS_ENGINE_LIVE_H
#define LSMD_TESTS_ENGINE_LIVE_H

#include <sys/types.h>

#include "agent/policy/cases.h"

#define LIVE_ROOT "/srv/lsmd-test"

/* What the subject is told, on its command line. Names are NUL-terminated behind their length. */
struct live_task {
	const char *name;
	size_t name_len;
	const char *other; /* second name; of a script, nothing */
	const struct sockaddr *address;
	socklen_t address_len;
	int proto; /* enum lsmd_proto of the address */
	unsigned int numbers[CASE_NUMBERS_MAX]; /* of a NAME */
	int listener; /* a socket that listens and was made by somebody else; -1: none */
};

/* What there is before the thing is done. */
enum live_before {
	BEFORE_NOTHING,     /* the folders above the names */
	BEFORE_OBJECT,      /* the object, as what its node says */
	BEFORE_BOTH,        /* and one under the second name */
	BEFORE_SENT_READER, /* the object, and a descriptor of it sent to the subject, over the socket LIVE_SENT */
	BEFORE_SENT_WRITER,
	BEFORE_SENT_APPENDER,
	BEFORE_XATTR,       /* the object, with an extended attribute */
	BEFORE_PROGRAM,     /* the object is a copy of this program, or a script for one */
	BEFORE_LISTENER,    /* a socket that takes connections at the address */
	BEFORE_INHERITED,   /* the same, and the subject inherits it */
	BEFORE_MOUNT_POINT, /* a folder to mount on */
	BEFORE_MOUNT,       /* something mounted there */
};

/* What shows that it happened. */
enum live_after {
	AFTER_NOTHING,   /* nothing to look at but the status */
	AFTER_CHANGED,   /* the file's content is another one */
	AFTER_ATTRIBUTES, /* its mode, owner, times, flags or extended attributes are others than those it was made with */
	AFTER_NO_XATTR,  /* it has no extended attribute */
	AFTER_EXISTS,    /* the object is there */
	AFTER_GONE,      /* it is not */
	AFTER_MOVED,     /* the old name is gone, or is what the new one was */
	AFTER_OTHER,     /* the second name is there */
	AFTER_CONNECTED, /* the listener has a connection */
	AFTER_MOUNTED,   /* something is mounted on the folder */
	AFTER_UNMOUNTED,
};

/* One way to use verbs on one kind of object. */
struct live_way {
	const char *name;
	const char *access; /* column of the table */
	unsigned int nodes; /* bit set of enum case_node */
	enum lsmd_object object;
	int proto;          /* ADDRESS: enum lsmd_proto; names of sockets: SOCK_ type of the listener */
	enum live_before before;
	enum live_after after;
	/* Done by the subject. 0, or -errno of the call that counts. */
	int (*act)(const struct live_task *task);
};

extern const struct live_way live_ways[];
extern const size_t n_live_ways;

/* What the runner has put up for one case and one way. */
struct live_scene {
	const struct test_case *c;
	const struct live_way *way;
	int listener; /* -1: none */
	int sent;     /* what LIVE_SENT will be; -1: none */
	ino_t inode;  /* AFTER_MOVED: of the object before */
};

/** live_scene_make() - folders, objects, listener; 0 or -errno */
int live_scene_make(struct live_scene *scene);
/** live_scene_happened() - did the thing happen? 1, 0, or -errno; -EAGAIN where nothing can be seen */
int live_scene_happened(const struct live_scene *scene);
/** live_scene_clear() - everything below LIVE_ROOT but its programs is removed, the listener closed; 0 or -errno */
int live_scene_clear(struct live_scene *scene);

/** live_program_make() - a copy of this program at @path, folders too; kept when it is there */
int live_program_make(const char *path);
/** live_script_make() - a script for @interpreter */
int live_script_make(const char *path, const char *interpreter);

/* The socket on which a subject finds what was sent to it. */
#define LIVE_SENT 100

/* Status of a program that was started only to show that it can be. */
#define LIVE_STARTED 77
#define LIVE_START_WORD "lsmd-live-start"

#endif
