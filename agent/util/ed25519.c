// SPDX-License-Identifier: LGPL-2.1-or-later
/* Signatures and checksums by libcrypto. */
#include "agent/util/ed25519.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "agent/util/cleanup.h"

DEFINE_CLEANUP(EVP_PKEY, EVP_PKEY_free)
DEFINE_CLEANUP(EVP_MD_CTX, EVP_MD_CTX_free)
DEFINE_CLEANUP(BIO, BIO_free_all)

/* Before anything else of libcrypto, in whatever thread; a second time it does nothing. */
static int library_begin(void)
{
	ERR_clear_error();
	return OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1 ? 0 : -EIO;
}

int sha256(const void *bytes, size_t len, uint8_t ret[SHA256_BYTES])
{
	size_t n = 0;
	int r = library_begin();

	if (r)
		return r;
	return EVP_Q_digest(NULL, "SHA256", NULL, bytes, len, ret, &n) == 1 && n == SHA256_BYTES ? 0 : -EIO;
}

/* "-----BEGIN PRIVATE KEY-----", "-----BEGIN ENCRYPTED PRIVATE KEY-----", "-----BEGIN PUBLIC KEY-----" */
static bool pem_has(const char *pem, size_t len, const char *what)
{
	return memmem(pem, len, what, strlen(what));
}

static EVP_PKEY *pem_read(const char *pem, size_t len, bool secret)
{
	_cleanup_(BIO_free_allp) BIO *bio = len <= INT_MAX ? BIO_new_mem_buf(pem, len) : NULL;

	if (!bio)
		return NULL;
	return secret ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
}

int ed25519_read(const char *pem, size_t len, bool secret, uint8_t ret[ED25519_KEY_BYTES])
{
	_cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;
	size_t n = ED25519_KEY_BYTES;
	int r = library_begin();

	if (r)
		return r;
	if (pem_has(pem, len, secret ? "-----BEGIN PUBLIC KEY-----" : " PRIVATE KEY-----"))
		return ED25519_OTHER_HALF;
	key = pem_read(pem, len, secret);
	ERR_clear_error();
	if (!key)
		return ED25519_NOT_PEM;
	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519)
		return ED25519_OTHER_KIND;
	r = secret ? EVP_PKEY_get_raw_private_key(key, ret, &n) : EVP_PKEY_get_raw_public_key(key, ret, &n);
	return r == 1 && n == ED25519_KEY_BYTES ? 0 : -EIO;
}

static EVP_PKEY *key_of(const uint8_t bytes[ED25519_KEY_BYTES], bool secret)
{
	if (library_begin())
		return NULL;
	return secret ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bytes, ED25519_KEY_BYTES) :
			EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, ED25519_KEY_BYTES);
}

int ed25519_write(const uint8_t key[ED25519_KEY_BYTES], bool secret, char **ret)
{
	_cleanup_(EVP_PKEY_freep) EVP_PKEY *pkey = key_of(key, secret);
	_cleanup_(BIO_free_allp) BIO *bio = BIO_new(BIO_s_secmem());
	char *text;
	long len;

	if (!pkey || !bio)
		return -EIO;
	if ((secret ? PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) : PEM_write_bio_PUBKEY(bio, pkey)) != 1)
		return -EIO;
	len = BIO_get_mem_data(bio, &text);
	if (len <= 0)
		return -EIO;
	*ret = strndup(text, len);
	return *ret ? 0 : -ENOMEM;
}

int ed25519_new(uint8_t ret[ED25519_KEY_BYTES])
{
	/* Any 32 bytes are a private key (RFC 8032, 5.1.5). */
	return getrandom(ret, ED25519_KEY_BYTES, 0) == ED25519_KEY_BYTES ? 0 : -EIO;
}

int ed25519_public(const uint8_t secret[ED25519_KEY_BYTES], uint8_t ret[ED25519_KEY_BYTES])
{
	_cleanup_(EVP_PKEY_freep) EVP_PKEY *key = key_of(secret, true);
	size_t n = ED25519_KEY_BYTES;

	return key && EVP_PKEY_get_raw_public_key(key, ret, &n) == 1 && n == ED25519_KEY_BYTES ? 0 : -EIO;
}

int ed25519_sign(const uint8_t secret[ED25519_KEY_BYTES], const void *bytes, size_t len, uint8_t ret[ED25519_SIGNATURE_BYTES])
{
	_cleanup_(EVP_PKEY_freep) EVP_PKEY *key = key_of(secret, true);
	_cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = ED25519_SIGNATURE_BYTES;

	if (!key || !ctx || EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) != 1)
		return -EIO;
	return EVP_DigestSign(ctx, ret, &n, bytes, len) == 1 && n == ED25519_SIGNATURE_BYTES ? 0 : -EIO;
}

int ed25519_verify(const uint8_t key[ED25519_KEY_BYTES], const void *bytes, size_t len, const uint8_t signature[ED25519_SIGNATURE_BYTES])
{
	_cleanup_(EVP_PKEY_freep) EVP_PKEY *pkey = key_of(key, false);
	_cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int r;

	if (!pkey || !ctx || EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) != 1)
		return -EIO;
	r = EVP_DigestVerify(ctx, signature, ED25519_SIGNATURE_BYTES, bytes, len);
	ERR_clear_error();
	return r == 1 ? 0 : ED25519_WRONG;
}
