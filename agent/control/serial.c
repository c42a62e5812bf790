// SPDX-License-Identifier: LGPL-2.1-or-later
/* Serial numbers of signed sets: "lsmd-serial 1", "serial 7", "digest HEX", "key ID", a line each. */
#include "agent/control/serial.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/util/buf.h"
#include "agent/util/cleanup.h"
#include "agent/util/fd.h"

#define SERIAL_BYTES_MAX 4096

static void stamp_write(const struct seal_stamp *stamp, struct buf *buf)
{
	buf_printf(buf, "lsmd-serial 1\nserial %" PRIu64 "\ndigest ", stamp->serial);
	for (size_t i = 0; i < sizeof(stamp->digest); i++)
		buf_printf(buf, "%02x", stamp->digest[i]);
	buf_printf(buf, "\nkey %s\n", stamp->key);
}

/* What is read has to be what stamp_write() writes of it: one text, one meaning. */
static bool stamp_read(const char *text, size_t len, struct seal_stamp *ret)
{
	_cleanup_buf_ struct buf again = {};
	char digest[2 * SHA256_BYTES + 1];

	*ret = (struct seal_stamp){};
	if (strlen(text) != len ||
	    sscanf(text, "lsmd-serial 1\nserial %18" SCNu64 "\ndigest %64[0-9a-f]\nkey %16[0-9a-f]\n", &ret->serial, digest, ret->key) != 3)
		return false;
	for (size_t i = 0; i < SHA256_BYTES && digest[2 * i]; i++)
		sscanf(digest + 2 * i, "%2hhx", &ret->digest[i]);
	stamp_write(ret, &again);
	return !again.failed && ret->serial && again.len == len && !memcmp(again.bytes, text, len);
}

int serial_open(struct serial *serial, const char *file, char *why, size_t why_size)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	*serial = (struct serial){ .file = file };
	r = file_read(AT_FDCWD, file, SERIAL_BYTES_MAX, &text, &len);
	if (r < 0 && r != -ENOENT)
		snprintf(why, why_size, "the serial number of the last signed set cannot be read from %s: %s", file, strerror(-r));
	else if (r && r != -ENOENT)
		snprintf(why, why_size, "%s is no regular file, or too large; remove it, and any signed set is taken once", file);
	else if (!r && !stamp_read(text, len, &serial->last))
		snprintf(why, why_size, "%s holds no serial number as lsmd writes it; remove it, and any signed set is taken once", file);
	else
		serial->known = true;
	if (serial->known)
		return 0;
	serial->last = (struct seal_stamp){};
	return SERIAL_REFUSED;
}

static int bytes_store(int fd, const struct buf *bytes)
{
	for (size_t at = 0; at < bytes->len;) {
		ssize_t n = write(fd, bytes->bytes + at, bytes->len - at);

		if (n < 0 && errno != EINTR)
			return -errno;
		at += n > 0 ? n : 0;
	}
	return fsync(fd) ? -errno : 0;
}

/* The name of a folder's file is on the disk when the folder is. */
static int folder_sync(const char *file)
{
	_cleanup_free_ char *folder = strdup(file);
	_cleanup_close_ int fd = -1;
	char *slash = folder ? strrchr(folder, '/') : NULL;

	if (!slash)
		return -ENOMEM;
	slash[slash == folder] = '\0';
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) ? -errno : 0;
}

/* One file takes the place of the other: whoever reads finds one of them, whole. */
static int stamp_store(const char *file, const struct seal_stamp *stamp)
{
	_cleanup_buf_ struct buf text = {}, fresh = {};
	_cleanup_close_ int fd = -1;
	int r;

	stamp_write(stamp, &text);
	buf_printf(&fresh, "%s.new", file);
	if (text.failed || fresh.failed)
		return -ENOMEM;
	if (unlink(fresh.bytes) && errno != ENOENT)
		return -errno;
	fd = open(fresh.bytes, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = bytes_store(fd, &text);
	if (!r && rename(fresh.bytes, file))
		r = -errno;
	if (r)
		unlink(fresh.bytes);
	return r ? r : folder_sync(file);
}

static bool stamp_same(const struct seal_stamp *a, const struct seal_stamp *b)
{
	return a->serial == b->serial && !memcmp(a->digest, b->digest, sizeof(a->digest));
}

int serial_advance(struct serial *serial, const struct seal_stamp *stamp, char *why, size_t why_size)
{
	int r = serial->known ? 0 : serial_open(serial, serial->file, why, why_size);

	if (r)
		return r;
	if (stamp_same(&serial->last, stamp))
		return 0;
	if (stamp->serial <= serial->last.serial) {
		snprintf(why, why_size, "serial number %" PRIu64 " is not newer than %" PRIu64 ", which has come in force meanwhile", stamp->serial,
			 serial->last.serial);
		return SERIAL_REFUSED;
	}
	r = stamp_store(serial->file, stamp);
	if (r) {
		snprintf(why, why_size, "the serial number of the signed set cannot be remembered in %s: %s", serial->file, strerror(-r));
		return SERIAL_REFUSED;
	}
	serial->before = serial->last;
	serial->last = *stamp;
	serial->pending = true;
	return 0;
}

int serial_undo(struct serial *serial)
{
	int r;

	if (!serial->pending)
		return 0;
	serial->pending = false;
	r = serial->before.serial ? stamp_store(serial->file, &serial->before) : unlink(serial->file) ? -errno : 0;
	if (!r)
		serial->last = serial->before;
	return r;
}

void serial_keep(struct serial *serial)
{
	serial->pending = false;
}
