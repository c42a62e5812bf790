/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole files, read with nothing taken on trust. */
#ifndef LSMD_UTIL_FD_H
#define LSMD_UTIL_FD_H

#include <stddef.h>

enum {
	FILE_NOT_REGULAR = 1, /* a directory, FIFO, socket or device */
	FILE_TOO_LARGE,
	FILE_IS_LINK, /* the last component is a symbolic link */
};

/**
 * file_read() - the whole of a regular file
 * @dir_fd:    what a relative @name starts from, or AT_FDCWD
 * @max:       bytes; a larger file is refused before anything is read, one that grows past it as soon as it does
 * @ret:       owned by the caller, free(); a NUL stands behind the @ret_len bytes
 * Return: 0, one of FILE_*, -errno. Opens without waiting (FIFOs) and without following a link in the last component.
 */
int file_read(int dir_fd, const char *name, size_t max, char **ret, size_t *ret_len);

#endif
