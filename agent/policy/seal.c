// SPDX-License-Identifier: LGPL-2.1-or-later
/* Seals: read strictly, so that a text has one meaning and a meaning one text. */
#include "agent/policy/seal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/util/cleanup.h"
#include "agent/util/vec.h"

#define HEAD "lsmd-signature 1"

/* What is still to be read of a text, and of a line. */
struct reader {
	const char *at, *end; /* of the text */
	const char *word, *line_end; /* of the line */
	uint32_t line;
};

static bool line_next(struct reader *reader)
{
	const char *end = reader->at < reader->end ? memchr(reader->at, '\n', reader->end - reader->at) : NULL;

	reader->line++;
	if (!end)
		return false;
	reader->word = reader->at;
	reader->line_end = end;
	reader->at = end + 1;
	return true;
}

/* Words end with one space, the last with the line: a space that nothing follows is left, and is no end. */
static bool word_is(struct reader *reader, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(reader->line_end - reader->word) <= len || memcmp(reader->word, word, len) || reader->word[len] != ' ')
		return false;
	reader->word += len + 1;
	return true;
}

static size_t word_len(const struct reader *reader)
{
	const char *space = memchr(reader->word, ' ', reader->line_end - reader->word);

	return (space ? space : reader->line_end) - reader->word;
}

static void word_pass(struct reader *reader, size_t len)
{
	reader->word += len;
	reader->word += reader->line_end - reader->word > 1;
}

static int digit_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool bytes_read(struct reader *reader, uint8_t *ret, size_t n)
{
	if (word_len(reader) != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = digit_of(reader->word[2 * i]), low = digit_of(reader->word[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret[i] = high << 4 | low;
	}
	word_pass(reader, 2 * n);
	return true;
}

static bool number_read(struct reader *reader, uint64_t max, uint64_t *ret)
{
	size_t len = word_len(reader);
	uint64_t number = 0;

	if (!len || len > 18 || (len > 1 && reader->word[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (reader->word[i] < '0' || reader->word[i] > '9')
			return false;
		number = number * 10 + (reader->word[i] - '0');
	}
	word_pass(reader, len);
	*ret = number;
	return number <= max;
}

/* The rest of a line: absolute, no control byte. */
static bool name_good(const char *name, size_t len)
{
	if (!len || name[0] != '/')
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return false;
	return true;
}

static int name_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int file_line(struct reader *reader, struct seal *seal)
{
	struct seal_file file = { .line = reader->line }, *slot;

	if (!bytes_read(reader, file.sum, sizeof(file.sum)) || !number_read(reader, SEAL_SERIAL_MAX, &file.len))
		return SEAL_MALFORMED;
	file.name = reader->word;
	file.name_len = reader->line_end - reader->word;
	if (!name_good(file.name, file.name_len))
		return SEAL_MALFORMED;
	if (seal->n && name_compare(seal->items[seal->n - 1].name, seal->items[seal->n - 1].name_len, file.name, file.name_len) >= 0)
		return SEAL_MALFORMED;
	slot = vec_add(seal);
	if (!slot)
		return -ENOMEM;
	*slot = file;
	return 0;
}

static int head_read(struct reader *reader, struct seal *seal)
{
	if (!line_next(reader) || reader->line_end - reader->word != (ptrdiff_t)strlen(HEAD) || memcmp(reader->word, HEAD, strlen(HEAD)))
		return SEAL_MALFORMED;
	if (!line_next(reader) || !word_is(reader, "serial") || !number_read(reader, SEAL_SERIAL_MAX, &seal->stamp.serial))
		return SEAL_MALFORMED;
	return seal->stamp.serial && reader->word == reader->line_end ? 0 : SEAL_MALFORMED;
}

/* "signature KEY SIGNATURE", and nothing behind it */
static int tail_read(struct reader *reader, struct seal *seal)
{
	uint8_t id[(SEAL_KEY_ID - 1) / 2];

	memcpy(seal->stamp.key, reader->word, word_len(reader) < SEAL_KEY_ID ? word_len(reader) : 0);
	if (!bytes_read(reader, id, sizeof(id)) || !bytes_read(reader, seal->signature, sizeof(seal->signature)) ||
	    reader->word != reader->line_end)
		return SEAL_MALFORMED;
	if (reader->at == reader->end)
		return 0;
	reader->line++;
	return SEAL_MALFORMED;
}

static int text_read(struct reader *reader, const char *text, struct seal *seal)
{
	int r = head_read(reader, seal);

	while (!r && line_next(reader)) {
		seal->signed_len = reader->word - text;
		if (word_is(reader, "signature"))
			return tail_read(reader, seal);
		r = word_is(reader, "file") ? file_line(reader, seal) : SEAL_MALFORMED;
	}
	return r ? r : SEAL_MALFORMED;
}

int seal_read(const char *text, size_t len, struct seal *ret, uint32_t *ret_line)
{
	struct reader reader = { .at = text, .end = text + len };
	struct seal seal = {};
	int r = text_read(&reader, text, &seal);

	if (!r)
		r = sha256(text, seal.signed_len, seal.stamp.digest);
	if (r) {
		*ret_line = reader.line;
		seal_clear(&seal);
		return r;
	}
	*ret = seal;
	return 0;
}

void seal_clear(struct seal *seal)
{
	free(seal->items);
	*seal = (struct seal){};
}

int seal_key_id(const uint8_t key[ED25519_KEY_BYTES], char ret[SEAL_KEY_ID])
{
	uint8_t sum[SHA256_BYTES];
	int r = sha256(key, ED25519_KEY_BYTES, sum);

	for (size_t i = 0; i < (SEAL_KEY_ID - 1) / 2 && !r; i++)
		snprintf(ret + 2 * i, 3, "%02x", sum[i]);
	return r;
}

int seal_verify(const struct seal *seal, const char *text, const struct seal_key *keys, size_t n_keys)
{
	int r;

	for (size_t i = 0; i < n_keys; i++) {
		if (strcmp(keys[i].id, seal->stamp.key))
			continue;
		r = ed25519_verify(keys[i].bytes, text, seal->signed_len, seal->signature);
		return r == ED25519_WRONG ? SEAL_WRONG : r;
	}
	return SEAL_KEY_UNKNOWN;
}

static struct seal_file *file_find(const struct seal *seal, const char *name)
{
	size_t low = 0, high = seal->n, len = strlen(name);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct seal_file *file = &seal->items[middle];
		int order = name_compare(file->name, file->name_len, name, len);

		if (!order)
			return file;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

int seal_file_check(struct seal *seal, const char *name, const void *bytes, size_t len)
{
	struct seal_file *file = file_find(seal, name);
	uint8_t sum[SHA256_BYTES];
	int r;

	if (!file)
		return SEAL_FILE_UNKNOWN;
	file->read = true;
	if (file->len != len)
		return SEAL_FILE_ALTERED;
	r = sha256(bytes, len, sum);
	return r ? r : memcmp(sum, file->sum, sizeof(sum)) ? SEAL_FILE_ALTERED : 0;
}

int seal_file_add(struct seal *seal, const char *name, const void *bytes, size_t len)
{
	struct seal_file file = { .name = name, .name_len = strlen(name), .len = len }, *slot;
	int r;

	if (!name_good(name, file.name_len))
		return SEAL_MALFORMED;
	r = sha256(bytes, len, file.sum);
	slot = r ? NULL : vec_add(seal);
	if (!slot)
		return r ? r : -ENOMEM;
	*slot = file;
	return 0;
}

static int file_compare(const void *a, const void *b)
{
	const struct seal_file *x = a, *y = b;

	return name_compare(x->name, x->name_len, y->name, y->name_len);
}

static void bytes_write(struct buf *buf, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(buf, "%02x", bytes[i]);
}

static void files_write(const struct seal *seal, struct buf *buf)
{
	buf_printf(buf, HEAD "\nserial %" PRIu64 "\n", seal->stamp.serial);
	for (size_t i = 0; i < seal->n; i++) {
		buf_add_string(buf, "file ");
		bytes_write(buf, seal->items[i].sum, SHA256_BYTES);
		buf_printf(buf, " %" PRIu64 " ", seal->items[i].len);
		buf_add(buf, seal->items[i].name, seal->items[i].name_len);
		buf_add_byte(buf, '\n');
	}
}

int seal_write(struct seal *seal, const uint8_t secret[ED25519_KEY_BYTES], struct buf *ret)
{
	uint8_t public[ED25519_KEY_BYTES];
	int r;

	if (seal->n)
		qsort(seal->items, seal->n, sizeof(*seal->items), file_compare);
	files_write(seal, ret);
	if (ret->failed)
		return -ENOMEM;
	seal->signed_len = ret->len;
	r = ed25519_public(secret, public);
	if (!r)
		r = seal_key_id(public, seal->stamp.key);
	if (!r)
		r = sha256(ret->bytes, ret->len, seal->stamp.digest);
	if (!r)
		r = ed25519_sign(secret, ret->bytes, ret->len, seal->signature);
	if (r)
		return r;
	buf_printf(ret, "signature %s ", seal->stamp.key);
	bytes_write(ret, seal->signature, sizeof(seal->signature));
	buf_add_byte(ret, '\n');
	return ret->failed ? -ENOMEM : 0;
}
