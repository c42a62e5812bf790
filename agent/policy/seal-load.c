// SPDX-License-Identifier: LGPL-2.1-or-later
/* A set held against its seal, and what people are told of it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "agent/policy/source.h"
#include "agent/util/fd.h"

#define MEND_ANEW "sign the set anew: lsmctl sign"
#define MEND_HIGHER "sign the set with a higher one: lsmctl sign"

static void missing_say(int why, struct place place, struct diags *diags)
{
	static const char *const kinds[] = {
		[FILE_NOT_REGULAR] = "it is no regular file",
		[FILE_TOO_LARGE] = "it is too large",
		[FILE_IS_LINK] = "it is a symbolic link, which is not followed",
	};

	if (why == -ENOENT)
		diag_add(diags, DIAG_ERROR, "signature-missing", place,
			 "sign the set: lsmctl sign; 'lsmctl check --unsigned' looks at the policies all the same",
			 "the settings ask for signed policies, and there is no signature");
	else
		diag_add(diags, DIAG_ERROR, "signature-missing", place, "put a signature there: lsmctl sign",
			 "the signature cannot be read: %s", why < 0 ? strerror(-why) : kinds[why]);
}

/* @why: of seal_read() or seal_verify() */
static void seal_refuse(int why, const struct seal_stamp *stamp, struct place place, struct diags *diags)
{
	if (why == SEAL_MALFORMED)
		diag_add(diags, DIAG_ERROR, "signature-form", place, MEND_ANEW, "this is no signature as lsmctl writes it, or was altered");
	else if (why == SEAL_KEY_UNKNOWN)
		diag_add(diags, DIAG_ERROR, "signature-key", place, "sign with a key that is, or add the public half of this one there",
			 "signed with key %s, which is not among \"signed_by\" of the settings", stamp->key);
	else if (why == SEAL_WRONG)
		diag_add(diags, DIAG_ERROR, "signature-wrong", place, MEND_ANEW,
			 "the signature with key %s does not hold: what was signed was altered", stamp->key);
	else
		diag_add(diags, DIAG_ERROR, "signature-form", place, NULL, "the signature cannot be verified: %s", strerror(-why));
}

/* Return: 0, SOURCE_REFUSED */
static int serial_judge(const struct seal_stamp *stamp, const struct seal_stamp *last, struct place place, struct diags *diags)
{
	if (stamp->serial < last->serial)
		diag_add(diags, DIAG_ERROR, "serial-old", place, MEND_HIGHER, "serial number %" PRIu64 " is older than %" PRIu64 ", which was in force",
			 stamp->serial, last->serial);
	else if (stamp->serial == last->serial && memcmp(stamp->digest, last->digest, sizeof(last->digest)))
		diag_add(diags, DIAG_ERROR, "serial-reused", place, MEND_HIGHER, "serial number %" PRIu64 " was in force with other files",
			 stamp->serial);
	else
		return 0;
	return SOURCE_REFUSED;
}

int seal_load(struct files *files, const struct seal_want *want, struct diags *diags, struct seal *ret, uint32_t *file)
{
	struct place place = {}, serial = { .line = 2, .column = 1 };
	char *text = NULL;
	size_t len = 0;
	int r = files_add(files, want->file, &place.file);

	*ret = (struct seal){};
	*file = serial.file = place.file;
	if (r)
		return r;
	r = file_read(AT_FDCWD, want->file, SEAL_BYTES_MAX, &text, &len);
	if (r) {
		missing_say(r, place, diags);
		return r == -ENOMEM ? r : SOURCE_REFUSED;
	}
	files->items[place.file].text = text;
	files->items[place.file].len = len;
	r = seal_read(text, len, ret, &place.line);
	place.column = !!place.line;
	if (!r)
		r = seal_verify(ret, text, want->keys, want->n_keys);
	if (!r)
		return serial_judge(&ret->stamp, &want->last, serial, diags);
	seal_refuse(r, &ret->stamp, place, diags);
	return r == -ENOMEM ? r : SOURCE_REFUSED;
}

int seal_judge(const struct files *files, uint32_t file, struct diags *diags)
{
	const struct policy_file *bytes = &files->items[file];
	struct place place = { .file = file };
	int r = files->seal ? seal_file_check(files->seal, bytes->name, bytes->text, bytes->len) : 0;

	if (r == SEAL_FILE_UNKNOWN)
		diag_add(diags, DIAG_ERROR, "file-unsigned", place, "take it away, or sign the set with it: lsmctl sign",
			 "it is not among the files that were signed");
	else if (r == SEAL_FILE_ALTERED)
		diag_add(diags, DIAG_ERROR, "file-altered", place, "bring back what was signed, or sign the set as it is: lsmctl sign",
			 "it is not what was signed: its content has changed since");
	else if (r)
		diag_add(diags, DIAG_ERROR, "file-read", place, NULL, "it cannot be compared with what was signed: %s", strerror(-r));
	return r ? SOURCE_REFUSED : 0;
}

void seal_unread(const struct seal *seal, uint32_t file, struct diags *diags)
{
	for (size_t i = 0; i < seal->n; i++) {
		const struct seal_file *item = &seal->items[i];
		struct place place = { .file = file, .line = item->line, .column = 1 };

		/* It changes what the others mean: a deny that is gone, a vendor's file in the place of the administrator's. */
		if (!item->read)
			diag_add(diags, DIAG_ERROR, "file-missing", place, "bring it back, or sign the set without it: lsmctl sign",
				 "'%.*s' was signed and is not read: it is gone, masked, replaced, or no longer included",
				 (int)item->name_len, item->name);
	}
}
