// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmctl fmt: policy files in their canonical form. Needs neither the agent nor privileges. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/ctl/ctl.h"
#include "agent/policy/fmt.h"
#include "agent/policy/source.h"
#include "agent/util/cleanup.h"
#include "agent/util/fd.h"

static const char usage[] =
	"usage: lsmctl fmt [--check] FILE...\n"
	"\n"
	"Writes policies, abstractions, drop-ins and tests in the one canonical form: two spaces a level, keys in the order of\n"
	"lsmd-policy(5), a rule a line. Files are replaced in one step, and only where something changes; their names are\n"
	"printed. Order of rules and meaning stay; '-' reads standard input and writes standard output.\n"
	"\n"
	"  --check   change nothing: print the names of files that are not in canonical form\n"
	"  --help    this text\n"
	"\n"
	"Exit status: 0 done; with --check: nothing to do; 1 something to do, or a file is no JSON; 2 usage.\n";

static int options_read(int argc, char **argv, bool *check)
{
	static const struct option options[] = {
		{ "check", no_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int c, status = -1;

	while ((c = ctl_option(&ctl_fmt, argc, argv, options, &status)) != -1) {
		if (c == '?')
			return status;
		*check = true;
	}
	return optind < argc ? -1 : ctl_usage_error(&ctl_fmt, "name a file");
}

static int input_read(char **ret, size_t *ret_len)
{
	_cleanup_buf_ struct buf text = {};
	char chunk[65536];
	size_t n;

	while ((n = fread(chunk, 1, sizeof(chunk), stdin))) {
		if (text.len + n > SOURCE_BYTES_MAX)
			return FILE_TOO_LARGE;
		buf_add(&text, chunk, n);
	}
	if (ferror(stdin) || text.failed)
		return ferror(stdin) ? -EIO : -ENOMEM;
	*ret_len = text.len;
	*ret = text.len ? text.bytes : strdup("");
	if (text.len)
		text.bytes = NULL;
	return *ret ? 0 : -ENOMEM;
}

/* Parses and writes anew. Return: 0, or an exit status after saying why */
static int text_format(const struct ctl *ctl, const char *name, const char *text, size_t len, struct buf *ret)
{
	struct policy_file file = { .name = name, .text = text, .len = len };
	const struct policy_set set = { .files = &file, .n_files = 1 };
	struct diags diags = {};
	struct doc doc;
	int r = doc_parse(text, len, 0, &diags, &doc);

	if (diags.n_diags)
		diags_print(&diags, &set, stderr, ctl->colour_err);
	diags_clear(&diags);
	if (r)
		return r < 0 ? ctl_error(r, "cannot read %s", name) : CTL_FOUND;
	r = fmt_write(&doc, ret);
	doc_free(&doc);
	return r ? ctl_error(r, "cannot write %s anew", name) : 0;
}

static int all_write(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= n;
	}
	return 0;
}

/* Owner and mode stay; a reader finds the old file or the new one. */
static int file_replace(const char *path, const struct buf *text)
{
	_cleanup_free_ char *new = NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	if (lstat(path, &st))
		return -errno;
	if (asprintf(&new, "%s.fmt-XXXXXX", path) < 0) {
		new = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(new, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fchown(fd, st.st_uid, st.st_gid) || fchmod(fd, st.st_mode & 07777) ? -errno : 0;
	if (!r)
		r = all_write(fd, text->bytes, text->len);
	if (!r && (fsync(fd) || rename(new, path)))
		r = -errno;
	if (r)
		unlink(new);
	return r;
}

static int read_failed(const char *path, int r)
{
	if (r == FILE_NOT_REGULAR || r == FILE_IS_LINK)
		return ctl_error(0, "%s: not a regular file", path);
	if (r == FILE_TOO_LARGE)
		return ctl_error(0, "%s: larger than %u bytes", path, SOURCE_BYTES_MAX);
	return ctl_error(r, "cannot read %s", path);
}

static int file_format(const struct ctl *ctl, const char *path, bool check)
{
	bool input = !strcmp(path, "-");
	_cleanup_free_ char *text = NULL;
	_cleanup_buf_ struct buf out = {};
	size_t len = 0;
	int r = input ? input_read(&text, &len) : file_read(AT_FDCWD, path, SOURCE_BYTES_MAX, &text, &len);
	int status = r ? read_failed(path, r) : text_format(ctl, input ? "standard input" : path, text, len, &out);
	bool same = !status && out.len == len && !memcmp(out.bytes, text, len);

	if (status)
		return status;
	if (input && !check)
		return fwrite(out.bytes, 1, out.len, stdout) == out.len ? CTL_DONE : ctl_error(-errno, "cannot write");
	if (same)
		return CTL_DONE;
	puts(path);
	if (check)
		return CTL_FOUND;
	r = file_replace(path, &out);
	return r ? ctl_error(r, "cannot replace %s", path) : CTL_DONE;
}

static int fmt_run(struct ctl *ctl, int argc, char **argv)
{
	bool check = false;
	int status = options_read(argc, argv, &check), worst = CTL_DONE;

	if (status >= 0)
		return status;
	for (int i = optind; i < argc; i++) {
		status = file_format(ctl, argv[i], check);
		worst = status ? status : worst;
	}
	return worst;
}

const struct ctl_command ctl_fmt = {
	.name = "fmt",
	.summary = "write policy files in their canonical form",
	.usage = usage,
	.run = fmt_run,
};
