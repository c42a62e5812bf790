// SPDX-License-Identifier: LGPL-2.1-or-later
/* The settings file: strict JSON, known keys only. */
#include "agent/control/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/policy/json.h"
#include "agent/policy/names.h"
#include "agent/util/cleanup.h"
#include "agent/util/fd.h"

/* Bytes of a key in PEM, and of what stands around it. */
#define KEY_FILE_BYTES_MAX 65536

enum key {
	KEY_SCHEMA,
	KEY_VENDOR,
	KEY_ADMIN,
	KEY_ABSTRACTIONS,
	KEY_PINS,
	KEY_SOCKET,
	KEY_EVENTS_FILE,
	KEY_EVENTS_FILE_MIB,
	KEY_EVENTS_FILE_KEEP,
	KEY_METRICS_FILE,
	KEY_SIGNED_BY,
	KEY_SIGNATURE,
	KEY_SERIAL_FILE,
	KEY_FORCE,
	KEY_PROTECT,
	N_KEYS,
};

static const char *const key_names[N_KEYS] = {
	[KEY_SCHEMA] = "$schema", [KEY_VENDOR] = "vendor_policies",
	[KEY_ADMIN] = "policies", [KEY_ABSTRACTIONS] = "abstractions",
	[KEY_PINS] = "pins",	  [KEY_SOCKET] = "socket",
	[KEY_EVENTS_FILE] = "events_file",
	[KEY_EVENTS_FILE_MIB] = "events_file_mib",
	[KEY_EVENTS_FILE_KEEP] = "events_file_keep",
	[KEY_METRICS_FILE] = "metrics_file",
	[KEY_SIGNED_BY] = "signed_by",
	[KEY_SIGNATURE] = "signature",
	[KEY_SERIAL_FILE] = "serial_file",
	[KEY_FORCE] = "force",
	[KEY_PROTECT] = "protect",
};

struct reading {
	struct doc doc;
	struct diags diags;
	struct settings *settings;
};

static int key_of(struct reading *reading, uint32_t value)
{
	size_t len;
	const char *name = doc_string(&reading->doc, value, &len);
	const char *near;

	if (!name)
		return -ENOMEM;
	for (int key = 0; key < N_KEYS; key++)
		if (strlen(key_names[key]) == len && !memcmp(key_names[key], name, len))
			return key;
	near = word_nearest(name, len, key_names, N_KEYS);
	diag_add(&reading->diags, DIAG_ERROR, "unknown-key", doc_place(&reading->doc, value),
		 near ? "correct the key, or remove it" : "remove it; lsmd(8) lists the settings",
		 "no setting '%.*s'%s%s%s", (int)len, name, near ? "; did you mean '" : "", near ? near : "",
		 near ? "'?" : "");
	return N_KEYS;
}

/* An absolute path without NUL (json.h refuses them). */
static int path_set(struct reading *reading, uint32_t value, const char *key, char **to)
{
	const struct doc_value *v = &reading->doc.values[value];
	const char *text;
	size_t len;

	if (v->type != DOC_STRING) {
		diag_add(&reading->diags, DIAG_ERROR, "wrong-type", doc_place(&reading->doc, value), NULL,
			 "'%s' is a path, not %s", key, doc_type_name(v->type));
		return 0;
	}
	text = doc_string(&reading->doc, value, &len);
	if (!text)
		return -ENOMEM;
	if (!len || text[0] != '/') {
		diag_add(&reading->diags, DIAG_ERROR, "not-absolute", doc_place(&reading->doc, value),
			 "begin it with '/'", "'%s' is not an absolute path", key);
		return 0;
	}
	free(*to);
	*to = strndup(text, len);
	return *to ? 0 : -ENOMEM;
}

static int paths_set(struct reading *reading, uint32_t value, const char *key, size_t max, char **to, size_t *n)
{
	const struct doc_value *values = reading->doc.values;

	if (values[value].type != DOC_ARRAY || values[value].n > max) {
		diag_add(&reading->diags, DIAG_ERROR, "wrong-type", doc_place(&reading->doc, value), NULL,
			 "'%s' is a list of at most %zu paths", key, max);
		return 0;
	}
	for (uint32_t at = value + 1; at < values[value].end; at = values[at].end) {
		int r = path_set(reading, at, key, &to[*n]);

		if (r)
			return r;
		*n += !!to[*n];
	}
	return 0;
}

/* false: no such file */
static int file_set(struct reading *reading, uint32_t value, const char *key, char **to)
{
	const struct doc_value *v = &reading->doc.values[value];
	size_t len = 0;
	const char *text = v->type == DOC_STRING ? doc_string(&reading->doc, value, &len) : NULL;

	if (v->type == DOC_BOOLEAN && !v->truth) {
		free(*to);
		*to = NULL;
		return 0;
	}
	if (len != 1 || text[0] != '-')
		return path_set(reading, value, key, to);
	free(*to);
	*to = strdup("-");
	return *to ? 0 : -ENOMEM;
}

static int number_set(struct reading *reading, uint32_t value, const char *key, uint64_t min, uint64_t max, uint64_t *to)
{
	const struct doc_value *v = &reading->doc.values[value];
	const char *text = reading->doc.text + v->off;
	uint64_t number = 0;

	/* A number ends before what is no digit; more of them than these are beyond every bound. */
	if (v->type == DOC_NUMBER && strspn(text, "0123456789") == v->len && v->len < 10)
		number = strtoull(text, NULL, 10);
	else
		number = max + 1;
	if (number < min || number > max)
		diag_add(&reading->diags, DIAG_ERROR, "wrong-type", doc_place(&reading->doc, value), NULL,
			 "'%s' is a whole number from %llu to %llu", key, (unsigned long long)min, (unsigned long long)max);
	else
		*to = number;
	return 0;
}

static int truth_set(struct reading *reading, uint32_t value, const char *key, bool *to)
{
	const struct doc_value *v = &reading->doc.values[value];

	if (v->type == DOC_BOOLEAN)
		*to = v->truth;
	else
		diag_add(&reading->diags, DIAG_ERROR, "wrong-type", doc_place(&reading->doc, value), NULL,
			 "'%s' is true or false, not %s", key, doc_type_name(v->type));
	return 0;
}

static int value_set(struct reading *reading, int key, uint32_t value)
{
	struct settings *settings = reading->settings;

	switch (key) {
	case KEY_VENDOR:
		return path_set(reading, value, key_names[key], &settings->vendor_dir);
	case KEY_ADMIN:
		return path_set(reading, value, key_names[key], &settings->admin_dir);
	case KEY_ABSTRACTIONS:
		return paths_set(reading, value, key_names[key], SETTINGS_ABSTRACTIONS_MAX, settings->abstractions,
				 &settings->n_abstractions);
	case KEY_PINS:
		return path_set(reading, value, key_names[key], &settings->pins);
	case KEY_SOCKET:
		return path_set(reading, value, key_names[key], &settings->socket);
	case KEY_EVENTS_FILE:
		return file_set(reading, value, key_names[key], &settings->events_file);
	case KEY_EVENTS_FILE_MIB:
		return number_set(reading, value, key_names[key], 1, 1 << 20, &settings->events_file_mib);
	case KEY_EVENTS_FILE_KEEP:
		return number_set(reading, value, key_names[key], 0, 1000, &settings->events_file_keep);
	case KEY_METRICS_FILE:
		return file_set(reading, value, key_names[key], &settings->metrics_file);
	case KEY_SIGNED_BY:
		return paths_set(reading, value, key_names[key], SETTINGS_KEYS_MAX, settings->signed_by, &settings->n_signed_by);
	case KEY_SIGNATURE:
		return path_set(reading, value, key_names[key], &settings->signature);
	case KEY_SERIAL_FILE:
		return path_set(reading, value, key_names[key], &settings->serial_file);
	case KEY_FORCE:
		return truth_set(reading, value, key_names[key], &settings->force);
	case KEY_PROTECT:
		return truth_set(reading, value, key_names[key], &settings->protect);
	}
	return key < 0 ? key : 0;
}

static int doc_read(struct reading *reading)
{
	const struct doc_value *values = reading->doc.values;

	if (values[0].type != DOC_OBJECT) {
		diag_add(&reading->diags, DIAG_ERROR, "wrong-type", doc_place(&reading->doc, 0), NULL,
			 "the settings are an object, not %s", doc_type_name(values[0].type));
		return 0;
	}
	/* A key is followed by its value, and ends where the value does. */
	for (uint32_t at = 1; at < values[0].end; at = values[at + 1].end) {
		int r = value_set(reading, key_of(reading, at), at + 1);

		if (r)
			return r;
	}
	return 0;
}

static int text_read(const char *name, const char *text, size_t len, FILE *out, bool colour, struct settings *settings)
{
	struct policy_file file = { .name = name, .text = text, .len = len };
	const struct policy_set set = { .files = &file, .n_files = 1 };
	struct reading reading = { .settings = settings };
	int r;

	r = doc_parse(text, len, 0, &reading.diags, &reading.doc);
	if (!r) {
		r = doc_read(&reading);
		doc_free(&reading.doc);
	}
	if (r >= 0 && reading.diags.n_errors) {
		diags_print(&reading.diags, &set, out, colour);
		r = SETTINGS_REFUSED;
	}
	diags_clear(&reading.diags);
	return r;
}

static int defaults_set(struct settings *settings)
{
	if (!settings->pins)
		settings->pins = strdup(SETTINGS_PINS);
	if (!settings->socket)
		settings->socket = strdup(SETTINGS_SOCKET);
	if (!settings->signature)
		settings->signature = strdup(SETTINGS_SIGNATURE);
	if (!settings->serial_file)
		settings->serial_file = strdup(SETTINGS_SERIAL_FILE);
	return settings->pins && settings->socket && settings->signature && settings->serial_file ? 0 : -ENOMEM;
}

static int file_refused(const char *name, int r, FILE *out)
{
	static const char *const why[] = {
		[FILE_NOT_REGULAR] = "is no regular file",
		[FILE_TOO_LARGE] = "is too large for settings",
		[FILE_IS_LINK] = "is a symbolic link, which settings may not be",
	};

	fprintf(out, "%s: error: it %s\n", name, why[r]);
	return SETTINGS_REFUSED;
}

int settings_read(const char *file, FILE *out, bool colour, struct settings *ret)
{
	const char *name = file ? file : SETTINGS_FILE;
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	*ret = (struct settings){
		.events_file_mib = SETTINGS_EVENTS_FILE_MIB,
		.events_file_keep = SETTINGS_EVENTS_FILE_KEEP,
		.events_file = strdup(SETTINGS_EVENTS_FILE),
	};
	if (!ret->events_file)
		return -ENOMEM;
	r = file_read(AT_FDCWD, name, SETTINGS_BYTES_MAX, &text, &len);
	if (r == -ENOENT && !file)
		return defaults_set(ret);
	if (r < 0)
		return r;
	if (r > 0)
		return file_refused(name, r, out);
	r = text_read(name, text, len, out, colour, ret);
	if (r)
		return r;
	ret->file = strdup(name);
	return ret->file ? defaults_set(ret) : -ENOMEM;
}

void settings_clear(struct settings *settings)
{
	free(settings->file);
	free(settings->vendor_dir);
	free(settings->admin_dir);
	for (size_t i = 0; i < SETTINGS_ABSTRACTIONS_MAX; i++)
		free(settings->abstractions[i]);
	for (size_t i = 0; i < SETTINGS_KEYS_MAX; i++)
		free(settings->signed_by[i]);
	free(settings->signature);
	free(settings->serial_file);
	free(settings->pins);
	free(settings->socket);
	free(settings->events_file);
	free(settings->metrics_file);
	*settings = (struct settings){};
}

void settings_policies(const struct settings *settings, struct policy_options *ret)
{
	*ret = (struct policy_options){
		.vendor_dir = settings->vendor_dir,
		.admin_dir = settings->admin_dir,
		.abstraction_dirs = (const char *const *)settings->abstractions,
		.n_abstraction_dirs = settings->n_abstractions,
		.force = settings->force,
	};
}

static int key_refuse(FILE *out, const char *name, const char *why, const char *mend)
{
	fprintf(out, "%s: error: %s\nmend: %s\n", name, why, mend);
	return SETTINGS_REFUSED;
}

/* Whoever can write a public key's file says who signs; whoever can read a private one's signs. */
static int key_mode_check(const char *name, const struct stat *st, bool secret, FILE *out)
{
	if (st->st_uid && st->st_uid != geteuid())
		return key_refuse(out, name, "it belongs to another user", "give the key a file of its own, of root");
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return key_refuse(out, name, "others than its owner may write it", secret ? "chmod 600, if nobody did" : "chmod 644, if nobody did");
	return 0;
}

static int key_pem_read(const char *name, const char *pem, size_t len, bool secret, FILE *out, uint8_t ret[ED25519_KEY_BYTES])
{
	const char *first = memmem(pem, len, "-----BEGIN ", 11);
	int r;

	if (first && memmem(first + 1, len - (first + 1 - pem), "-----BEGIN ", 11))
		return key_refuse(out, name, "it holds more than one key", "give each key a file of its own");
	r = ed25519_read(pem, len, secret, ret);
	if (r == ED25519_NOT_PEM)
		return key_refuse(out, name, secret ? "it holds no private key in PEM, or it cannot be decrypted" : "it holds no public key in PEM",
				  "'lsmctl sign --new-key FILE' makes a pair of keys");
	if (r == ED25519_OTHER_HALF)
		return key_refuse(out, name, secret ? "it holds the public half of a key" : "it holds the private half of a key",
				  secret ? "name the private one" : "name the public one, and keep the private one off this machine");
	if (r == ED25519_OTHER_KIND)
		return key_refuse(out, name, "it holds a key of another algorithm than Ed25519", "'lsmctl sign --new-key FILE' makes a pair of keys");
	return r;
}

/* Looked at and read by one descriptor. */
static int key_text_read(const char *name, bool secret, FILE *out, char *text, size_t size, size_t *ret_len, bool *shared)
{
	_cleanup_close_ int fd = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	size_t len = 0;
	ssize_t n;
	int r;

	if (fd < 0 && errno == ELOOP)
		return key_refuse(out, name, "it is a symbolic link, which keys may not be", "name what it leads to");
	if (fd < 0 || fstat(fd, &st) < 0)
		return key_refuse(out, name, strerror(errno), "name a file that is there and can be read");
	if (!S_ISREG(st.st_mode) || st.st_size >= (off_t)size)
		return key_refuse(out, name, "it is no regular file, or too large for a key", "name a file in PEM");
	r = key_mode_check(name, &st, secret, out);
	while (!r && len < size && (n = read(fd, text + len, size - len)) != 0) {
		if (n < 0 && errno != EINTR)
			return -errno;
		len += n > 0 ? n : 0;
	}
	*ret_len = len;
	*shared = st.st_mode & (S_IRGRP | S_IROTH);
	return r ? r : len < size ? 0 : key_refuse(out, name, "it is too large for a key", "name a file in PEM");
}

int key_file_read(const char *name, bool secret, FILE *out, uint8_t ret[ED25519_KEY_BYTES])
{
	char text[KEY_FILE_BYTES_MAX];
	size_t len = 0;
	bool shared = true;
	int r = key_text_read(name, secret, out, text, sizeof(text), &len, &shared);

	if (!r)
		r = key_pem_read(name, text, len, secret, out, ret);
	if (!r && secret && shared)
		r = key_refuse(out, name, "others than its owner may read this private key", "chmod 600, if nobody did");
	explicit_bzero(text, sizeof(text));
	return r;
}

int settings_keys(struct settings *settings, FILE *out)
{
	int r = 0;

	for (settings->n_keys = 0; settings->n_keys < settings->n_signed_by && !r; settings->n_keys += !r) {
		struct seal_key *key = &settings->keys[settings->n_keys];

		key->file = settings->signed_by[settings->n_keys];
		r = key_file_read(key->file, false, out, key->bytes);
		if (!r)
			r = seal_key_id(key->bytes, key->id);
	}
	return r;
}

bool settings_want(const struct settings *settings, struct seal_want *ret)
{
	*ret = (struct seal_want){ .file = settings->signature, .keys = settings->keys, .n_keys = settings->n_keys };
	return settings->n_signed_by;
}
