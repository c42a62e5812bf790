/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole files, read with nothing taken on trust. */
#include <fcntl.h>
#include <sys/stat.h>

#include "agent/util/cleanup.h"
#include "agent/util/fd.h"

/* Looked at before it is opened: to open a device or a FIFO can already have an effect. */
static int file_kind(const struct stat *st, size_t max)
{
	if (S_ISLNK(st->st_mode))
		return FILE_IS_LINK;
	if (!S_ISREG(st->st_mode))
		return FILE_NOT_REGULAR;
	return (unsigned long long)st->st_size > max ? FILE_TOO_LARGE : 0;
}

static int file_open(int dir_fd, const char *name, size_t max, size_t *ret_size, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	r = file_kind(&st, max);
	if (r)
		return r;
	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP ? FILE_IS_LINK : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	r = file_kind(&st, max);
	if (r)
		return r;
	*ret_size = st.st_size;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int file_read(int dir_fd, const char *name, size_t max, char **ret, size_t *ret_len)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *bytes = NULL;
	size_t size = 0, capacity, len = 0;
	ssize_t n;
	int r;

	r = file_open(dir_fd, name, max, &size, &fd);
	if (r)
		return r;
	/* Files of procfs say size 0 and have content; one byte more than the size tells that the end was seen. */
	for (capacity = size < 4096 ? 4096 : size + 1;; capacity *= 2) {
		char *grown = realloc(bytes, capacity + 1);

		if (!grown)
			return -ENOMEM;
		bytes = grown;
		while (len < capacity && (n = read(fd, bytes + len, capacity - len)) != 0) {
			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				return -errno;
			len += n;
		}
		if (len > max)
			return FILE_TOO_LARGE;
		if (len < capacity)
			break;
	}
	bytes[len] = '\0';
	*ret = TAKE_PTR(bytes);
	*ret_len = len;
	return 0;
}
