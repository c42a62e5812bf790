// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsmctl sign: seal the policies, and make the keys for it. Needs no agent. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/control/intake.h"
#include "agent/control/serial.h"
#include "agent/ctl/ctl.h"
#include "agent/util/cleanup.h"
#include "agent/util/fd.h"

static const char usage[] =
	"usage: lsmctl sign --key FILE [OPTION]...\n"
	"       lsmctl sign --new-key FILE\n"
	"\n"
	"Checks the policies of the settings as 'lsmctl check' does, and writes a signature over all files that they are read\n"
	"from, with a serial number. Where \"signed_by\" of the settings names the public half of the key, lsmd takes exactly\n"
	"these files, and never again a set with a lower number.\n"
	"\n"
	"  --key FILE      the private key: Ed25519 in PEM; one that is encrypted is asked for on the terminal\n"
	"  --new-key FILE  make a pair of keys instead: FILE, for its owner only, and FILE.pub\n"
	"  --serial NUMBER the serial number; without it, one more than the last\n"
	"  --root DIR      the policies lie below DIR, and are signed by the names that they will have without it\n"
	"  --output FILE   write the signature there; - is standard output; without it, where the settings say\n"
	"  --force         also policies that would lock this machine's administrators out\n"
	"  --json          what was signed as JSON\n"
	"  --help          this text\n"
	"\n"
	"Exit status: 0 signed; 1 the policies are refused, or it could not be done; 2 usage.\n";

struct sign {
	const char *key, *new_key, *root, *output;
	uint64_t serial; /* 0: one more than the last */
	bool force, json;
	char *vendor_dir, *admin_dir, *abstractions[SETTINGS_ABSTRACTIONS_MAX], *signature, *serial_file; /* below the root */
	size_t n_abstractions;
	uint8_t secret[ED25519_KEY_BYTES];
};

static void sign_clear(struct sign *sign)
{
	explicit_bzero(sign->secret, sizeof(sign->secret));
	for (size_t i = 0; i < SETTINGS_ABSTRACTIONS_MAX; i++)
		free(sign->abstractions[i]);
	free(sign->vendor_dir);
	free(sign->admin_dir);
	free(sign->signature);
	free(sign->serial_file);
}

static bool serial_take(const char *text, uint64_t *ret)
{
	size_t len = strlen(text);

	if (!len || len > 18 || strspn(text, "0123456789") != len)
		return false;
	*ret = strtoull(text, NULL, 10);
	return *ret >= 1 && *ret <= SEAL_SERIAL_MAX;
}

static int option_take(struct sign *sign, int c)
{
	switch (c) {
	case 'k':
		sign->key = optarg;
		break;
	case 'n':
		sign->new_key = optarg;
		break;
	case 'r':
		sign->root = optarg;
		break;
	case 'o':
		sign->output = optarg;
		break;
	case 'f':
		sign->force = true;
		break;
	case 'j':
		sign->json = true;
		break;
	case 's':
		if (!serial_take(optarg, &sign->serial))
			return ctl_usage_error(&ctl_sign, "'%s' is no serial number: a whole number from 1 on, of at most 18 digits", optarg);
	}
	return -1;
}

static int options_read(int argc, char **argv, struct sign *sign)
{
	static const struct option options[] = {
		{ "key", required_argument, NULL, 'k' },    { "new-key", required_argument, NULL, 'n' },
		{ "serial", required_argument, NULL, 's' }, { "root", required_argument, NULL, 'r' },
		{ "output", required_argument, NULL, 'o' }, { "force", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },	    { "help", no_argument, NULL, 'h' },
		{},
	};
	int c, status = -1, r = -1;

	while (r < 0 && (c = ctl_option(&ctl_sign, argc, argv, options, &status)) != -1) {
		if (c == '?')
			return status;
		r = option_take(sign, c);
	}
	if (r >= 0)
		return r;
	if (optind < argc)
		return ctl_usage_error(&ctl_sign, "no argument is expected: '%s'", argv[optind]);
	if (!sign->key == !sign->new_key)
		return ctl_usage_error(&ctl_sign, "either --key or --new-key is needed");
	return -1;
}

/* A file of its own, whole or not there: nothing that exists is written over. */
static int key_write(const char *name, const uint8_t key[ED25519_KEY_BYTES], bool secret)
{
	_cleanup_close_ int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, secret ? 0600 : 0644);
	char *text = NULL;
	size_t len;
	int r;

	if (fd < 0)
		return ctl_error(-errno, "cannot make %s", name);
	r = ed25519_write(key, secret, &text);
	if (!r) {
		len = strlen(text);
		if (write(fd, text, len) != (ssize_t)len || fsync(fd))
			r = errno ? -errno : -EIO;
		explicit_bzero(text, len);
		free(text);
	}
	if (!r)
		return 0;
	unlink(name);
	return ctl_error(r, "cannot write %s", name);
}

static int keys_make(const struct sign *sign)
{
	uint8_t secret[ED25519_KEY_BYTES], public[ED25519_KEY_BYTES];
	_cleanup_free_ char *public_file = NULL;
	char id[SEAL_KEY_ID];
	int r = ed25519_new(secret);

	if (!r)
		r = ed25519_public(secret, public);
	if (!r)
		r = seal_key_id(public, id);
	if (!r && asprintf(&public_file, "%s.pub", sign->new_key) < 0)
		r = -ENOMEM;
	r = r ? ctl_error(r, "cannot make a pair of keys") : key_write(sign->new_key, secret, true);
	explicit_bzero(secret, sizeof(secret));
	if (!r && (r = key_write(public_file, public, false)))
		unlink(sign->new_key);
	if (r)
		return r;
	printf("key %s: %s signs, keep it where lsmd is not; %s is for \"signed_by\" of the settings\n", id, sign->new_key, public_file);
	return CTL_DONE;
}

static int below_root(const struct sign *sign, const char *path, char **ret)
{
	if (asprintf(ret, "%s%s", sign->root ? sign->root : "", path) >= 0)
		return 0;
	*ret = NULL;
	return -ENOMEM;
}

/* All places of the settings, below the root. */
static int places_fill(const struct settings *settings, struct sign *sign)
{
	static const char *const usual[] = { "/etc/lsmd/abstractions", "/usr/share/lsmd/abstractions" };
	const char *const *dirs = settings->n_abstractions ? (const char *const *)settings->abstractions : usual;
	size_t n = settings->n_abstractions ? settings->n_abstractions : 2;
	int r = below_root(sign, settings->vendor_dir ? settings->vendor_dir : POLICY_VENDOR_DIR, &sign->vendor_dir);

	if (!r)
		r = below_root(sign, settings->admin_dir ? settings->admin_dir : POLICY_ADMIN_DIR, &sign->admin_dir);
	if (!r)
		r = below_root(sign, settings->signature, &sign->signature);
	if (!r)
		r = below_root(sign, settings->serial_file, &sign->serial_file);
	for (; !r && sign->n_abstractions < n; sign->n_abstractions += !r)
		r = below_root(sign, dirs[sign->n_abstractions], &sign->abstractions[sign->n_abstractions]);
	return r;
}

static int policies_read(const struct ctl *ctl, const struct sign *sign, struct intake *intake)
{
	const struct policy_options options = {
		.vendor_dir = sign->vendor_dir,
		.admin_dir = sign->admin_dir,
		.abstraction_dirs = (const char *const *)sign->abstractions,
		.n_abstraction_dirs = sign->n_abstractions,
		.force = ctl->settings.force || sign->force,
		.look = !sign->root,
	};
	static const struct policy_set none;
	int r = intake_run(&options, 0, intake);

	if (r < 0)
		return ctl_error(r, "cannot check the policies");
	if (intake->diags.n_diags)
		diags_print(&intake->diags, intake->set ? intake->set : &none, stderr, ctl->colour_err);
	return r ? ctl_error(0, "the policies are refused, and nothing was signed") : 0;
}

/*
 * The highest number that this machine knows of: of the signature that is there, whoever signed it, and of what was in force. Signing
 * elsewhere finds the signature only, which is why it is kept beside the policies.
 */
static int serial_choose(struct sign *sign)
{
	_cleanup_free_ char *text = NULL;
	char why[512];
	struct serial serial;
	struct seal seal = {};
	uint32_t line;
	size_t len;
	int r;

	if (sign->serial)
		return 0;
	r = file_read(AT_FDCWD, sign->signature, SEAL_BYTES_MAX, &text, &len);
	if (!r && !seal_read(text, len, &seal, &line))
		sign->serial = seal.stamp.serial;
	seal_clear(&seal);
	if (r && r != -ENOENT)
		return ctl_error(r < 0 ? r : 0, "cannot read the last signature, %s, for its serial number; --serial says which to take", sign->signature);
	if (text && !sign->serial)
		return ctl_error(0, "%s is no signature, so that the last serial number is not known; --serial says which to take", sign->signature);
	if (serial_open(&serial, sign->serial_file, why, sizeof(why)))
		fprintf(stderr, "lsmctl: %s; the number is one more than that of the last signature\n", why);
	if (serial.last.serial > sign->serial)
		sign->serial = serial.last.serial;
	if (sign->serial == SEAL_SERIAL_MAX)
		return ctl_error(0, "there is no higher serial number than the last");
	sign->serial++;
	return 0;
}

/* The very bytes that were checked. What was only looked for has no text. */
static int files_add_all(const struct sign *sign, const struct policy_set *set, struct seal *seal)
{
	size_t root_len = sign->root ? strlen(sign->root) : 0;

	for (size_t i = 0; i < set->n_files; i++) {
		const struct policy_file *file = &set->files[i];
		int r = file->text ? seal_file_add(seal, file->name + root_len, file->text, file->len) : 0;

		if (r)
			return ctl_error(r < 0 ? r : 0, "cannot sign %s%s", file->name,
					 r > 0 ? ": its name is not absolute, or has control characters" : "");
	}
	return 0;
}

/* In one step: lsmd finds the signature before or this one. */
static int signature_store(const char *name, const struct buf *text)
{
	_cleanup_buf_ struct buf fresh = {};
	_cleanup_close_ int fd = -1;
	ssize_t n;
	int r = 0;

	buf_printf(&fresh, "%s.new", name);
	if (fresh.failed)
		return -ENOMEM;
	if (unlink(fresh.bytes) && errno != ENOENT)
		return -errno;
	fd = open(fresh.bytes, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	for (size_t at = 0; at < text->len && !r; at += n > 0 ? n : 0) {
		n = write(fd, text->bytes + at, text->len - at);
		r = n < 0 && errno != EINTR ? -errno : 0;
	}
	if (!r && (fsync(fd) || rename(fresh.bytes, name)))
		r = -errno;
	if (r)
		unlink(fresh.bytes);
	return r;
}

static int outcome_print(const struct sign *sign, const struct seal *seal, const char *output, const struct buf *text)
{
	bool plain = !strcmp(output, "-");
	int r = plain ? 0 : signature_store(output, text);

	if (r)
		return ctl_error(r, "cannot write %s", output);
	if (plain)
		return fwrite(text->bytes, 1, text->len, stdout) == text->len ? CTL_DONE : ctl_error(-errno, "cannot write the signature");
	if (sign->json)
		return ctl_print_json(json_pack("{s:I, s:s, s:I, s:s}", "serial", (json_int_t)seal->stamp.serial, "key", seal->stamp.key, "files",
						(json_int_t)seal->n, "output", output), true);
	printf("signed with key %s: %zu %s, serial %" PRIu64 ", in %s\n", seal->stamp.key, seal->n, seal->n == 1 ? "file" : "files",
	       seal->stamp.serial, output);
	return CTL_DONE;
}

static int set_sign(const struct sign *sign, const struct policy_set *set)
{
	_cleanup_(seal_clear) struct seal seal = { .stamp.serial = sign->serial };
	_cleanup_buf_ struct buf text = {};
	int r = files_add_all(sign, set, &seal);

	if (r)
		return r;
	r = seal_write(&seal, sign->secret, &text);
	if (!r && text.len > SEAL_BYTES_MAX)
		r = -EFBIG;
	return r ? ctl_error(r, "cannot sign") : outcome_print(sign, &seal, sign->output ? sign->output : sign->signature, &text);
}

static int sign_go(struct ctl *ctl, struct sign *sign)
{
	struct intake intake = {};
	int r = places_fill(&ctl->settings, sign);

	if (r)
		return ctl_error(r, "cannot sign");
	r = key_file_read(sign->key, true, stderr, sign->secret);
	if (r)
		return r < 0 ? ctl_error(r, "cannot read %s", sign->key) : CTL_FOUND;
	r = serial_choose(sign);
	if (!r)
		r = policies_read(ctl, sign, &intake);
	if (!r)
		r = set_sign(sign, intake.set);
	intake_clear(&intake);
	return r;
}

static int sign_run(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(sign_clear) struct sign sign = {};
	int status = options_read(argc, argv, &sign);

	if (status >= 0)
		return status;
	if (sign.new_key)
		return keys_make(&sign);
	status = ctl_settings(ctl);
	return status ? status : sign_go(ctl, &sign);
}

const struct ctl_command ctl_sign = {
	.name = "sign",
	.summary = "sign the policies, for machines that take signed ones only",
	.usage = usage,
	.run = sign_run,
};
