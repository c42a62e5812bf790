/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A seal: the file beside the policies that says which files make the set, what is in them, and who signed that, with a serial number.
 *
 *	lsmd-signature 1
 *	serial 7
 *	file SHA256 BYTES /etc/lsmd/policies.d/web.json
 *	signature KEY SIGNATURE
 *
 * One line for each file that was read, sorted by name; numbers in decimal, bytes in hexadecimal, one space between two words. What is
 * signed is all that stands before the last line; KEY says which key to try (seal_key_id()), and nothing stands behind.
 */
#ifndef LSMD_POLICY_SEAL_H
#define LSMD_POLICY_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/util/buf.h"
#include "agent/util/ed25519.h"

/* Bytes of the file. */
#define SEAL_BYTES_MAX (64u << 20)
#define SEAL_SERIAL_MAX 999999999999999999ull
/* "a1b2c3d4e5f60718" with its NUL */
#define SEAL_KEY_ID 17

/* A public key, and where it came from. */
struct seal_key {
	uint8_t bytes[ED25519_KEY_BYTES];
	char id[SEAL_KEY_ID];
	const char *file; /* borrowed */
};

/* What is kept of a seal: two sets never have the same. serial 0: none */
struct seal_stamp {
	uint64_t serial;
	uint8_t digest[SHA256_BYTES]; /* of what is signed */
	char key[SEAL_KEY_ID];
};

/* What a set is asked for. */
struct seal_want {
	const char *file; /* the seal */
	const struct seal_key *keys; /* any of them will do; none: no set is good enough */
	size_t n_keys;
	struct seal_stamp last; /* the set that went before: nothing older, and nothing else with its serial */
};

struct seal_file {
	const char *name; /* not terminated */
	size_t name_len;
	uint64_t len;
	uint8_t sum[SHA256_BYTES];
	uint32_t line;
	bool read; /* by seal_file_check() */
};

struct seal {
	struct seal_file *items; /* files, sorted by name */
	size_t n, capacity;
	struct seal_stamp stamp;
	uint8_t signature[ED25519_SIGNATURE_BYTES];
	size_t signed_len; /* bytes of the text that are signed */
};

enum {
	SEAL_MALFORMED = 1,
	SEAL_KEY_UNKNOWN,
	SEAL_WRONG, /* the signature does not hold */
	SEAL_FILE_UNKNOWN,
	SEAL_FILE_ALTERED,
};

/** seal_key_id() - how a public key is called: 64 bits of its checksum. Return: 0, -EIO */
int seal_key_id(const uint8_t key[ED25519_KEY_BYTES], char ret[SEAL_KEY_ID]);

/**
 * seal_read() - from the text of a seal, which stays the caller's and is borrowed; says nothing about who signed it
 * @ret:      seal_clear(); only on 0
 * @ret_line: on SEAL_MALFORMED, the line that is not as it should be, from 1
 * Return: 0, SEAL_MALFORMED, -ENOMEM, -EIO
 */
int seal_read(const char *text, size_t len, struct seal *ret, uint32_t *ret_line);
void seal_clear(struct seal *seal);

/** seal_verify() - is it signed by any of the keys? Return: 0, SEAL_KEY_UNKNOWN, SEAL_WRONG, -EIO */
int seal_verify(const struct seal *seal, const char *text, const struct seal_key *keys, size_t n_keys);

/** seal_file_check() - is this a file of the seal, as it was signed? Return: 0, SEAL_FILE_UNKNOWN, SEAL_FILE_ALTERED, -EIO */
int seal_file_check(struct seal *seal, const char *name, const void *bytes, size_t len);

/** seal_file_add() - for writing; in any order. Return: 0, SEAL_MALFORMED (such a name cannot be written), -ENOMEM, -EIO */
int seal_file_add(struct seal *seal, const char *name, const void *bytes, size_t len);

/** seal_write() - the text of a seal over the files that were added, with seal->stamp.serial; fills the rest of seal->stamp. Return: 0, -ENOMEM, -EIO */
int seal_write(struct seal *seal, const uint8_t secret[ED25519_KEY_BYTES], struct buf *ret);

#endif
