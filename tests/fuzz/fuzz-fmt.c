// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Any bytes as a document: refused, or written in canonical form, which is read again, has the same words, and is written the same
 * the second time.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/policy/fmt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* Of all words, in whatever order they stand. */
static uint64_t words_hash(struct doc *doc)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < doc->n_values; i++) {
		const struct doc_value *value = &doc->values[i];
		uint64_t hash = 0xcbf29ce484222325ull + value->type;
		const char *text = doc->text + value->off;
		size_t len = value->len;

		if (value->type == DOC_ARRAY || value->type == DOC_OBJECT)
			continue;
		if (value->type == DOC_STRING || value->type == DOC_KEY)
			text = doc_string(doc, i, &len);
		for (size_t k = 0; k < len; k++)
			hash = (hash ^ (unsigned char)text[k]) * 0x100000001b3ull;
		sum += hash;
	}
	return sum;
}

static bool format(const char *text, size_t len, struct buf *out, uint64_t *hash)
{
	struct diags diags = {};
	struct doc doc;
	int r = doc_parse(text, len, 0, &diags, &doc);

	diags_clear(&diags);
	if (r)
		return false;
	*hash = words_hash(&doc);
	check(!fmt_write(&doc, out));
	doc_free(&doc);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf once = {}, twice = {};
	uint64_t said, kept;

	if (size > 1 << 16 || !format((const char *)data, size, &once, &said))
		return 0;
	check(format(once.bytes, once.len, &twice, &kept));
	check(said == kept);
	check(once.len == twice.len && !memcmp(once.bytes, twice.bytes, once.len));
	buf_free(&once);
	buf_free(&twice);
	return 0;
}
