/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ownership in the type of the variable: what is freed when a scope ends. */
#ifndef LSMD_UTIL_CLEANUP_H
#define LSMD_UTIL_CLEANUP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

/* TAKE_PTR() - hand a pointer on; the variable no longer owns it */
#define TAKE_PTR(p)                             \
	({                                      \
		__typeof__(p) _taken = (p);     \
		(p) = NULL;                     \
		_taken;                         \
	})

/* TAKE_FD() - the same for a descriptor */
#define TAKE_FD(fd)                             \
	({                                      \
		int _taken = (fd);              \
		(fd) = -1;                      \
		_taken;                         \
	})

/* DEFINE_CLEANUP() - name##p() for _cleanup_(): calls @function when the pointer is not NULL */
#define DEFINE_CLEANUP(type, function)                  \
	static inline void function##p(type **p)        \
	{                                               \
		if (*p)                                 \
			function(*p);                   \
	}

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)
#define _cleanup_fclose_ _cleanup_(fclosep)

#endif
