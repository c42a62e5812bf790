/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of policies: read safely, parsed, their keys found. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/source.h"
#include "agent/util/cleanup.h"
#include "agent/util/fd.h"
#include "agent/util/vec.h"

int files_add(struct files *files, const char *name, uint32_t *ret)
{
	_cleanup_free_ char *copy = strdup(name);
	struct policy_file *file = copy ? vec_add(files) : NULL;

	if (!file)
		return -ENOMEM;
	*file = (struct policy_file){ .name = TAKE_PTR(copy) };
	*ret = files->n - 1;
	return 0;
}

void files_free(struct files *files)
{
	size_t i;

	for (i = 0; i < files->n; i++) {
		free((char *)files->items[i].name);
		free((char *)files->items[i].text);
	}
	free(files->items);
	*files = (struct files){};
}

static void file_refuse(uint32_t file, int why, struct diags *diags)
{
	struct place place = { .file = file };

	switch (why) {
	case FILE_NOT_REGULAR:
		diag_add(diags, DIAG_ERROR, "file-kind", place, NULL, "not a regular file");
		break;
	case FILE_IS_LINK:
		diag_add(diags, DIAG_ERROR, "file-link", place,
			 "name the file itself; a link to /dev/null masks a policy", "a symbolic link is not followed");
		break;
	case FILE_TOO_LARGE:
		diag_add(diags, DIAG_ERROR, "file-size", place, "split the file", "larger than %u bytes",
			 SOURCE_BYTES_MAX);
		break;
	default:
		diag_add(diags, DIAG_ERROR, "file-read", place, NULL, "cannot be read: %s", strerror(-why));
	}
}

int source_read(struct files *files, const char *path, enum file_kind kind, struct diags *diags, struct source *ret)
{
	struct source source = { .kind = kind };
	char *text = NULL;
	size_t len = 0;
	int r;

	r = files_add(files, path, &source.file);
	if (r)
		return r;
	r = file_read(AT_FDCWD, path, SOURCE_BYTES_MAX, &text, &len);
	if (!r && files->total + len > SOURCES_BYTES_MAX) {
		free(text);
		r = FILE_TOO_LARGE;
	}
	if (r) {
		if (r != -ENOMEM)
			file_refuse(source.file, r, diags);
		return r == -ENOMEM ? r : SOURCE_REFUSED;
	}
	files->total += len;
	files->items[source.file].text = text;
	files->items[source.file].len = len;
	if (seal_judge(files, source.file, diags))
		return SOURCE_REFUSED;
	r = doc_parse(text, len, source.file, diags, &source.doc);
	if (r)
		return r < 0 ? r : SOURCE_REFUSED;
	source.right = schema_policy(&source.doc, kind, diags, source.keys);
	*ret = source;
	return 0;
}

void source_free(struct source *source)
{
	free(source->name);
	doc_free(&source->doc);
	*source = (struct source){};
}
