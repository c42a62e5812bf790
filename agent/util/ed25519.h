/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signatures (Ed25519, RFC 8032) and checksums (SHA-256) by OpenSSL's libcrypto; these two files are its only callers. Its
 * configuration file is not read: what counts as a signature is nobody else's to say.
 */
#ifndef LSMD_UTIL_ED25519_H
#define LSMD_UTIL_ED25519_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ED25519_KEY_BYTES 32
#define ED25519_SIGNATURE_BYTES 64
#define SHA256_BYTES 32

enum {
	ED25519_NOT_PEM = 1, /* no key in PEM of the half asked for, or it could not be decrypted */
	ED25519_OTHER_HALF, /* a private key where a public one is asked for, or the other way round */
	ED25519_OTHER_KIND, /* a key of another algorithm */
	ED25519_WRONG, /* the signature is not of these bytes by this key */
};

/** sha256() - Return: 0, -EIO (libcrypto failed) */
int sha256(const void *bytes, size_t len, uint8_t ret[SHA256_BYTES]);

/**
 * ed25519_read() - a key from PEM, as `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout` write it
 * @secret: the private half; one that is encrypted is asked for on the terminal. Else the public one
 * Return: 0, ED25519_NOT_PEM, ED25519_OTHER_HALF, ED25519_OTHER_KIND, -EIO
 */
int ed25519_read(const char *pem, size_t len, bool secret, uint8_t ret[ED25519_KEY_BYTES]);

/** ed25519_write() - the same the other way round; *ret is the caller's, free() with what it holds wiped. Return: 0, -EIO, -ENOMEM */
int ed25519_write(const uint8_t key[ED25519_KEY_BYTES], bool secret, char **ret);

/** ed25519_new() - a private key. Return: 0, -errno */
int ed25519_new(uint8_t ret[ED25519_KEY_BYTES]);

/** ed25519_public() - the public half of a private key. Return: 0, -EIO */
int ed25519_public(const uint8_t secret[ED25519_KEY_BYTES], uint8_t ret[ED25519_KEY_BYTES]);

/** ed25519_sign() - Return: 0, -EIO */
int ed25519_sign(const uint8_t secret[ED25519_KEY_BYTES], const void *bytes, size_t len, uint8_t ret[ED25519_SIGNATURE_BYTES]);

/** ed25519_verify() - Return: 0, ED25519_WRONG, -EIO */
int ed25519_verify(const uint8_t key[ED25519_KEY_BYTES], const void *bytes, size_t len, const uint8_t signature[ED25519_SIGNATURE_BYTES]);

#endif
