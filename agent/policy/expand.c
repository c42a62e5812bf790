/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Variables: one pattern becomes several. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/expand.h"
#include "agent/policy/homes.h"
#include "agent/policy/names.h"
#include "agent/policy/schema.h"
#include "agent/util/buf.h"
#include "agent/util/cleanup.h"
#include "agent/util/vec.h"

/* Bytes of the values of all variables of a policy. */
#define VALUES_BYTES_MAX (64u << 20)
/* Bytes of expanded patterns that may stand before they are thrown away. */
#define SCRATCH_BYTES (1u << 20)

#define SHOWN(len) ((int)((len) < 64 ? (len) : 64))

/* Built in by the language: no file defines it. */
static bool name_built_in(const char *name, size_t len)
{
	return (len == 4 && (!memcmp(name, "HOME", 4) || !memcmp(name, "self", 4)));
}

/* Bytes of the name at the start of @bytes: a letter or '_', then digits too. */
static size_t name_len(const char *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		char c = bytes[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

		if (!letter && !(i && c >= '0' && c <= '9'))
			break;
	}
	return i;
}

static int variable_compare(const void *a, const void *b)
{
	const struct variable *x = a, *y = b;
	size_t shorter = x->name_len < y->name_len ? x->name_len : y->name_len;
	int order = memcmp(x->name, y->name, shorter);

	if (order)
		return order;
	if (x->name_len != y->name_len)
		return x->name_len < y->name_len ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->doc->file < y->doc->file ? -1 : x->doc->file > y->doc->file;
}

static bool variable_check(struct doc *doc, uint32_t key, const char *name, size_t len, struct diags *diags)
{
	const struct doc_value *value = &doc->values[key + 1];
	bool right = true;
	uint32_t at = 0;

	if (!len || name_len(name, len) != len) {
		diag_add(diags, DIAG_ERROR, "variable-name", doc_place(doc, key), NULL,
			 "a variable's name is letters, digits and '_', and begins with no digit");
		right = false;
	} else if (name_built_in(name, len)) {
		diag_add(diags, DIAG_ERROR, "variable-name", doc_place(doc, key), "take another name",
			 "the variable '%.*s' is built into the language", (int)len, name);
		right = false;
	}
	if ((value->type != DOC_STRING && value->type != DOC_ARRAY) || (value->type == DOC_ARRAY && !value->n)) {
		diag_add(diags, DIAG_ERROR, value->type == DOC_ARRAY ? "empty-list" : "wrong-type",
			 doc_place(doc, key + 1), NULL,
			 "a variable is a string or a list of at least one string, not %s",
			 value->type == DOC_ARRAY ? "an empty list" : doc_type_name(value->type));
		return false;
	}
	while ((at = strings_next(doc, key + 1, at))) {
		if (doc->values[at].type == DOC_STRING)
			continue;
		diag_add(diags, DIAG_ERROR, "wrong-type", doc_place(doc, at), NULL,
			 "a variable is a list of strings, not of %s", doc_type_name(doc->values[at].type));
		right = false;
	}
	return right;
}

int variables_add(struct variables *variables, struct doc *doc, uint32_t object, bool own)
{
	struct variable *variable;
	uint32_t key = object + 1;
	int refused = 0;
	const char *name;
	size_t len;
	bool right;

	for (; key < doc->values[object].end; key = doc->values[key + 1].end) {
		name = doc_string(doc, key, &len);
		if (!name)
			return -ENOMEM;
		right = variable_check(doc, key, name, len, variables->diags);
		if (!right)
			refused = EXPAND_REFUSED;
		variable = vec_add(variables);
		if (!variable)
			return -ENOMEM;
		*variable = (struct variable){
			.name = name,
			.name_len = len,
			.doc = doc,
			.key = key,
			.rank = own ? 0 : variables->n,
			.state = right ? VARIABLE_FRESH : VARIABLE_BROKEN,
		};
	}
	return refused;
}

static bool variable_same(const struct variable *a, const struct variable *b)
{
	const struct doc_value *x = &a->doc->values[a->key + 1], *y = &b->doc->values[b->key + 1];

	return x->len == y->len && !memcmp(a->doc->text + x->off, b->doc->text + y->off, x->len);
}

int variables_seal(struct variables *variables)
{
	struct variable *items = variables->items, *kept;
	size_t i, n = 0;
	int r = 0;

	if (!variables->n)
		return 0;
	qsort(items, variables->n, sizeof(*items), variable_compare);
	for (i = 0; i < variables->n; i++) {
		kept = n ? &items[n - 1] : NULL;
		if (!kept || kept->name_len != items[i].name_len || memcmp(kept->name, items[i].name, kept->name_len)) {
			items[n++] = items[i];
			continue;
		}
		if ((!kept->rank && items[i].rank) || variable_same(kept, &items[i]))
			continue;
		diag_add(variables->diags, DIAG_ERROR, "variable-conflict", doc_place(items[i].doc, items[i].key),
			 items[i].rank ? "define it in the policy, whose definition stands before both"
				       : "give one of them another name",
			 "two files define the variable '%.*s' differently", SHOWN(kept->name_len), kept->name);
		r = EXPAND_REFUSED;
	}
	variables->n = n;
	return r;
}

static struct variable *variable_find(const struct variables *variables, const char *name, size_t len)
{
	struct variable wanted = { .name = name, .name_len = len };
	size_t low = 0, high = variables->n, middle;
	struct variable *found;

	while (low < high) {
		middle = low + (high - low) / 2;
		found = &variables->items[middle];
		wanted.rank = found->rank;
		wanted.doc = found->doc;
		if (variable_compare(found, &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == variables->n)
		return NULL;
	found = &variables->items[low];
	return found->name_len == len && !memcmp(found->name, name, len) ? found : NULL;
}

/* One string on its way: where it stands, and who is being expanded around it. */
struct expansion {
	struct variables *variables;
	struct doc *doc;
	uint32_t value;
	const struct expansion *around;
	struct variable *variable; /* whose value this string is; NULL: a pattern */
};

static struct place expansion_place(const struct expansion *expansion, size_t off, size_t len)
{
	return doc_place_inside(expansion->doc, expansion->value, off, len);
}

static int string_expand(const struct expansion *expansion, struct texts *ret, bool *verbatim);

/* "@{A} -> @{B} -> @{A}" */
static void chain_write(const struct expansion *expansion, const struct variable *first, struct buf *buf)
{
	if (expansion->variable != first && expansion->around)
		chain_write(expansion->around, first, buf);
	buf_printf(buf, "@{%.*s} -> ", SHOWN(expansion->variable->name_len), expansion->variable->name);
}

static int variable_cycle(const struct expansion *expansion, struct variable *variable, size_t off, size_t len)
{
	_cleanup_buf_ struct buf chain = {};

	chain_write(expansion, variable, &chain);
	diag_add(expansion->variables->diags, DIAG_ERROR, "variable-cycle", expansion_place(expansion, off, len), NULL,
		 "the variable '%.*s' contains itself: %s@{%.*s}", SHOWN(variable->name_len), variable->name,
		 chain.bytes ? chain.bytes : "", SHOWN(variable->name_len), variable->name);
	return EXPAND_REFUSED;
}

/* Variables inside each other: what keeps the stack short. */
#define CHAIN_MAX 32

static int chain_check(const struct expansion *expansion, size_t off, size_t len)
{
	const struct expansion *at;
	unsigned n = 0;

	for (at = expansion; at; at = at->around)
		n++;
	if (n <= CHAIN_MAX)
		return 0;
	diag_add(expansion->variables->diags, DIAG_ERROR, "expansion-too-large", expansion_place(expansion, off, len),
		 NULL, "more than %d variables inside each other", CHAIN_MAX);
	return EXPAND_REFUSED;
}

/* All values of a variable, each with its own variables expanded. */
static int variable_resolve(const struct expansion *around, struct variable *variable)
{
	struct expansion expansion = {
		.variables = around->variables,
		.doc = variable->doc,
		.around = around,
		.variable = variable,
	};
	struct texts one = {};
	uint32_t at = 0;
	bool verbatim;
	size_t i;
	int r = 0;

	variable->state = VARIABLE_BUSY;
	while (!r && (at = strings_next(variable->doc, variable->key + 1, at))) {
		expansion.value = at;
		r = string_expand(&expansion, &one, &verbatim);
		for (i = 0; !r && i < one.n; i++) {
			struct text *text = vec_add(&variable->values);

			if (!text)
				r = -ENOMEM;
			else
				*text = one.items[i];
		}
		if (!r && variable->values.n > EXPAND_PATTERNS_MAX) {
			diag_add(around->variables->diags, DIAG_ERROR, "expansion-too-large",
				 doc_place(variable->doc, variable->key),
				 "write the values as one pattern with '*' or {a,b}",
				 "the variable '%.*s' has more than %d values", SHOWN(variable->name_len),
				 variable->name, EXPAND_PATTERNS_MAX);
			r = EXPAND_REFUSED;
		}
	}
	free(one.items);
	variable->state = r ? VARIABLE_BROKEN : VARIABLE_DONE;
	return r;
}

static int variable_unknown(const struct expansion *expansion, const char *name, size_t len, size_t off)
{
	const struct variables *variables = expansion->variables;
	struct place place = expansion_place(expansion, off, len + 3);
	_cleanup_free_ const char **names = NULL;
	_cleanup_free_ char *mend = NULL;
	const char *near = NULL;
	size_t i;

	if (name_built_in(name, len)) {
		diag_add(variables->diags, DIAG_ERROR, "later-key", place, "write the names out",
			 "'@{%.*s}' is a word of the language that this version of lsmd does not hold yet", (int)len,
			 name);
		return EXPAND_REFUSED;
	}
	names = calloc(variables->n + 1, sizeof(*names));
	for (i = 0; names && i < variables->n; i++) {
		names[i] = arena_copy(&expansion->variables->memory, variables->items[i].name,
				      variables->items[i].name_len);
	}
	near = names ? word_nearest(name, len, names, variables->n) : NULL;
	if (near && asprintf(&mend, "did you mean '@{%s}'?", near) < 0)
		mend = NULL;
	diag_add(variables->diags, DIAG_ERROR, "variable-undefined", place, mend ? mend : "define it in \"variables\"",
		 "the variable '%.*s' is not defined", SHOWN(len), name);
	return EXPAND_REFUSED;
}

static int home_resolve(struct variables *variables)
{
	int r = variables->home.state == VARIABLE_DONE ? 0 : homes_read(NULL, &variables->memory, &variables->home.values);

	variables->home.state = VARIABLE_DONE;
	return r;
}

/* The variable at "@{" in @text; *ret_len bytes with its braces. */
static int variable_read(const struct expansion *expansion, const char *text, size_t len, size_t off, size_t *ret_len,
			 struct variable **ret)
{
	size_t n = name_len(text + off + 2, len - off - 2);
	struct variable *variable;
	int r;

	if (!n || off + 2 + n >= len || text[off + 2 + n] != '}') {
		diag_add(expansion->variables->diags, DIAG_ERROR, "variable-name", expansion_place(expansion, off, 2),
			 "write a name that has '@{' in it as \\\\@{",
			 "'@{' is not followed by a variable's name and '}'");
		return EXPAND_REFUSED;
	}
	*ret_len = n + 3;
	variable = variable_find(expansion->variables, text + off + 2, n);
	if (!variable && n == 4 && !memcmp(text + off + 2, "HOME", 4)) {
		variable = &expansion->variables->home;
		r = home_resolve(expansion->variables);
		if (r)
			return r;
	}
	if (!variable)
		return variable_unknown(expansion, text + off + 2, n, off);
	*ret = variable;
	switch (variable->state) {
	case VARIABLE_DONE:
		return 0;
	case VARIABLE_BUSY:
		return variable_cycle(expansion, variable, off, n + 3);
	case VARIABLE_FRESH:
		r = chain_check(expansion, off, n + 3);
		return r ? r : variable_resolve(expansion, variable);
	case VARIABLE_BROKEN:
		break;
	}
	return EXPAND_REFUSED;
}

/* "unix:@{a,b}" is an abstract name in braces: there the '@' begins no variable, unless a name and '}' follow. */
static bool abstract_begins(const char *text, size_t off, size_t len)
{
	size_t n;

	if (off != 5 || memcmp(text, "unix:", 5))
		return false;
	n = name_len(text + off + 2, len - off - 2);
	return !n || off + 2 + n >= len || text[off + 2 + n] != '}';
}

/* Offset of the next "@{" that no backslash keeps; @len: none. */
static size_t variable_next(const char *text, size_t off, size_t len)
{
	for (; off < len; off++) {
		if (text[off] == '\\')
			off++;
		else if (text[off] == '@' && off + 1 < len && text[off + 1] == '{' && !abstract_begins(text, off, len))
			return off;
	}
	return len;
}

static int too_large(const struct expansion *expansion)
{
	diag_add(expansion->variables->diags, DIAG_ERROR, "expansion-too-large", expansion_place(expansion, 0, 0),
		 "use fewer variables in one pattern, or write '*' or {a,b}",
		 "this stands for more than %d patterns or %u bytes of them", EXPAND_PATTERNS_MAX, EXPAND_BYTES_MAX);
	return EXPAND_REFUSED;
}

/* Values of variables live as long as the variables, patterns until the next one. */
static char *bytes_new(const struct expansion *expansion, size_t size)
{
	struct variables *variables = expansion->variables;

	if (!expansion->variable) {
		variables->scratch_bytes += size;
		return arena_alloc(&variables->scratch, size);
	}
	variables->memory_bytes += size;
	return arena_alloc(&variables->memory, size);
}

static int texts_join(const struct expansion *expansion, const struct text *left, const struct text *right,
		      struct texts *product)
{
	struct text *text = vec_add(product);
	char *joined = bytes_new(expansion, left->len + right->len);

	if (!text || !joined)
		return -ENOMEM;
	memcpy(joined, left->bytes, left->len);
	memcpy(joined + left->len, right->bytes, right->len);
	*text = (struct text){ joined, left->len + right->len };
	return 0;
}

/* Each text so far, followed by each of @right: left × right. */
static int texts_cross(const struct expansion *expansion, struct texts *left, const struct texts *right)
{
	struct texts product = {};
	size_t i, j, bytes = 0;
	int r = 0;

	if (left->n * right->n > EXPAND_PATTERNS_MAX)
		return too_large(expansion);
	for (i = 0; i < left->n && !r; i++) {
		for (j = 0; j < right->n && !r; j++) {
			bytes += left->items[i].len + right->items[j].len;
			if (bytes > EXPAND_BYTES_MAX || expansion->variables->memory_bytes > VALUES_BYTES_MAX)
				r = too_large(expansion);
			else
				r = texts_join(expansion, &left->items[i], &right->items[j], &product);
		}
	}
	if (r) {
		free(product.items);
		return r;
	}
	free(left->items);
	*left = product;
	return 0;
}

static int text_append(const struct expansion *expansion, struct texts *texts, const char *bytes, size_t len)
{
	struct text tail = { bytes, len };
	struct texts tails = { .items = &tail, .n = 1 };

	return len ? texts_cross(expansion, texts, &tails) : 0;
}

static int string_expand(const struct expansion *expansion, struct texts *ret, bool *verbatim)
{
	size_t len, off = 0, next, used;
	const char *text = doc_string(expansion->doc, expansion->value, &len);
	struct variable *variable;
	struct text *first;
	int r = 0;

	if (!text)
		return -ENOMEM;
	ret->n = 0;
	first = vec_add(ret);
	if (!first)
		return -ENOMEM;
	next = variable_next(text, 0, len);
	*verbatim = next == len;
	*first = (struct text){ text, next };
	while (next < len) {
		r = variable_read(expansion, text, len, next, &used, &variable);
		if (!r)
			r = texts_cross(expansion, ret, &variable->values);
		if (r)
			return r;
		off = next + used;
		next = variable_next(text, off, len);
		r = text_append(expansion, ret, text + off, next - off);
		if (r)
			return r;
	}
	return 0;
}

int variables_expand(struct variables *variables, struct doc *doc, uint32_t value, struct texts *ret, bool *verbatim)
{
	struct expansion expansion = { .variables = variables, .doc = doc, .value = value };

	if (variables->scratch_bytes > SCRATCH_BYTES) {
		arena_free(&variables->scratch);
		variables->scratch_bytes = 0;
	}
	return string_expand(&expansion, ret, verbatim);
}

void variables_free(struct variables *variables)
{
	size_t i;

	for (i = 0; i < variables->n; i++)
		free(variables->items[i].values.items);
	free(variables->items);
	free(variables->home.values.items);
	arena_free(&variables->memory);
	arena_free(&variables->scratch);
	*variables = (struct variables){ .diags = variables->diags };
}
