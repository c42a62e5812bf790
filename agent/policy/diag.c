/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is wrong with policies, kept in bounds, and shown with the line that it stands on. */
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/diag.h"
#include "agent/policy/text.h"
#include "agent/util/buf.h"
#include "agent/util/cleanup.h"

/* Kept of each level; later ones are only counted. */
#define KEPT_MAX 1000
/* Shown of each level. */
#define SHOWN_MAX 100
/* Bytes of a message or mend: a policy's own words in it may be of any length. */
#define TEXT_MAX 2000
/* Columns shown of a source line, and how many of them before the caret when the line is cut. */
#define SOURCE_COLUMNS 110
#define SOURCE_BEFORE 60

void diags_clear(struct diags *diags)
{
	size_t i;

	for (i = 0; i < diags->n_diags; i++) {
		free(diags->diags[i].message);
		free(diags->diags[i].mend);
	}
	free(diags->diags);
	*diags = (struct diags){};
}

/* Doubles at every power of two. */
static int diags_room(struct diags *diags)
{
	size_t n = diags->n_diags;
	struct diag *grown;

	if (n & (n - 1))
		return 0;
	grown = reallocarray(diags->diags, n ? 2 * n : 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	diags->diags = grown;
	return 0;
}

/* Formatted, then cleaned as a whole: what came from a file cannot be told from our words by then, and need not be. */
static char *text_format(const char *format, va_list args)
{
	_cleanup_buf_ struct buf clean = {};
	_cleanup_free_ char *raw = NULL;
	int n = vasprintf(&raw, format, args);

	if (n < 0) {
		raw = NULL;
		return NULL;
	}
	text_add(&clean, raw, n, TEXT_MAX);
	buf_add(&clean, "", 0);
	return clean.failed ? NULL : TAKE_PTR(clean.bytes);
}

void diag_add(struct diags *diags, enum diag_level level, const char *code, struct place place, const char *mend,
	      const char *format, ...)
{
	size_t n = level == DIAG_ERROR ? ++diags->n_errors : ++diags->n_warnings;
	struct diag diag = { .level = level, .code = code, .place = place };
	va_list args;

	if (n > KEPT_MAX)
		return;
	va_start(args, format);
	diag.message = text_format(format, args);
	va_end(args);
	if (mend) {
		_cleanup_buf_ struct buf clean = {};

		text_add(&clean, mend, strlen(mend), TEXT_MAX);
		diag.mend = TAKE_PTR(clean.bytes);
	}
	if (!diag.message || (mend && *mend && !diag.mend) || diags_room(diags)) {
		free(diag.message);
		free(diag.mend);
		diags->out_of_memory = true;
		return;
	}
	diags->diags[diags->n_diags++] = diag;
}

static int number_compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int diag_compare(const struct diag *a, const struct diag *b)
{
	int order = number_compare(a->place.file, b->place.file);

	if (!order)
		order = number_compare(a->place.line, b->place.line);
	if (!order)
		order = number_compare(a->place.column, b->place.column);
	if (!order)
		order = number_compare(a->level, b->level);
	if (!order)
		order = strcmp(a->code, b->code);
	return order ? order : strcmp(a->message, b->message);
}

static int diag_compare_void(const void *a, const void *b)
{
	return diag_compare(a, b);
}

void diags_sort(struct diags *diags)
{
	size_t i, n = 0;

	if (!diags->n_diags)
		return;
	qsort(diags->diags, diags->n_diags, sizeof(*diags->diags), diag_compare_void);
	for (i = 0; i < diags->n_diags; i++) {
		struct diag *diag = &diags->diags[i];

		if (n && !diag_compare(&diags->diags[n - 1], diag)) {
			--*(diag->level == DIAG_ERROR ? &diags->n_errors : &diags->n_warnings);
			free(diag->message);
			free(diag->mend);
			continue;
		}
		diags->diags[n++] = *diag;
	}
	diags->n_diags = n;
}

/* Walks a file's text forward, line by line: diags come sorted. */
struct cursor {
	const struct policy_file *file;
	uint32_t line;
	size_t off; /* of the line's first byte */
};

static bool cursor_find(struct cursor *cursor, const struct policy_file *file, uint32_t line)
{
	const char *end;

	if (cursor->file != file || cursor->line > line)
		*cursor = (struct cursor){ .file = file, .line = 1 };
	while (cursor->line < line) {
		end = memchr(file->text + cursor->off, '\n', file->len - cursor->off);
		if (!end)
			return false;
		cursor->off = end + 1 - file->text;
		cursor->line++;
	}
	return true;
}

/* Adds one character of the source and what stands under it; returns its bytes. */
static size_t column_add(struct buf *source, struct buf *under, const char *bytes, size_t len, int marked)
{
	size_t n = utf8_len(bytes, len);

	if (*bytes == '\t')
		buf_add_byte(source, ' ');
	else if (n && code_visible(utf8_code(bytes, n)))
		buf_add(source, bytes, n);
	else
		buf_add_byte(source, '?');
	buf_add_byte(under, marked == 1 ? '^' : marked > 1 ? '~' : ' ');
	return n ? n : 1;
}

static void source_render(const char *line, size_t len, const struct place *place, struct buf *source,
			  struct buf *under)
{
	size_t first = place->column - 1, last = first + (place->len ? place->len : 1);
	size_t at = 0, columns = 0;
	int marked = 0;

	if (len > SOURCE_COLUMNS && first > SOURCE_BEFORE) {
		at = first - SOURCE_BEFORE;
		while (at < first && ((unsigned char)line[at] & 0xc0) == 0x80)
			at++;
		buf_add_string(source, "…");
		buf_add_byte(under, ' ');
	}
	for (; at < len && columns < SOURCE_COLUMNS; columns++) {
		if (at >= first && at < last)
			marked++;
		else
			marked = 0;
		at += column_add(source, under, line + at, len - at, marked);
	}
	if (at < len)
		buf_add_string(source, "…");
	if (at <= first)
		buf_add_byte(under, '^'); /* the end of the line, or of the file */
	while (under->len && under->bytes[under->len - 1] == ' ')
		under->bytes[--under->len] = '\0';
}

struct printer {
	const struct policy_set *set;
	FILE *out;
	bool colour;
	struct cursor cursor;
};

static const char *colour(const struct printer *printer, const char *sequence)
{
	return printer->colour ? sequence : "";
}

static void source_print(struct printer *printer, const struct diag *diag)
{
	const struct policy_file *file = &printer->set->files[diag->place.file];
	_cleanup_buf_ struct buf source = {}, under = {};
	const char *line, *end;

	if (!file->text || !diag->place.column || !cursor_find(&printer->cursor, file, diag->place.line))
		return;
	line = file->text + printer->cursor.off;
	end = memchr(line, '\n', file->len - printer->cursor.off);
	source_render(line, (end ? end : file->text + file->len) - line, &diag->place, &source, &under);
	if (source.failed || under.failed)
		return;
	fprintf(printer->out, "%5u | %s\n      | %s%s%s\n", diag->place.line, source.bytes ? source.bytes : "",
		colour(printer, "\033[32m"), under.bytes ? under.bytes : "", colour(printer, "\033[0m"));
}

static void diag_print(struct printer *printer, const struct diag *diag)
{
	_cleanup_buf_ struct buf where = {};
	bool error = diag->level == DIAG_ERROR;

	if (diag->place.file < printer->set->n_files) {
		const char *name = printer->set->files[diag->place.file].name;

		text_add(&where, name, strlen(name), TEXT_MAX);
		if (diag->place.line)
			buf_printf(&where, ":%u:%u", diag->place.line, diag->place.column);
		buf_add_string(&where, ": ");
	}
	fprintf(printer->out, "%s%s%s:%s %s\n", where.bytes ? where.bytes : "",
		colour(printer, error ? "\033[1;31m" : "\033[1;35m"), error ? "error" : "warning",
		colour(printer, "\033[0m"), diag->message);
	if (diag->place.file < printer->set->n_files && diag->place.line)
		source_print(printer, diag);
	if (diag->mend)
		fprintf(printer->out, "mend: %s\n", diag->mend);
}

static void rest_print(const struct diags *diags, const size_t shown[2], FILE *out)
{
	size_t errors = diags->n_errors - shown[DIAG_ERROR], warnings = diags->n_warnings - shown[DIAG_WARNING];

	if (errors)
		fprintf(out, "and %zu more error%s\n", errors, errors == 1 ? "" : "s");
	if (warnings)
		fprintf(out, "and %zu more warning%s\n", warnings, warnings == 1 ? "" : "s");
	if (diags->out_of_memory)
		fprintf(out, "error: memory ran out, some messages are lost\n");
}

static int sorted_copy(const struct diags *diags, struct diag **ret)
{
	struct diag *sorted;

	*ret = NULL;
	if (!diags->n_diags)
		return 0;
	sorted = calloc(diags->n_diags, sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, diags->diags, diags->n_diags * sizeof(*sorted));
	qsort(sorted, diags->n_diags, sizeof(*sorted), diag_compare_void);
	*ret = sorted;
	return 0;
}

void diags_print(const struct diags *diags, const struct policy_set *set, FILE *out, bool with_colour)
{
	static const struct policy_set nothing;
	struct printer printer = { .set = set ? set : &nothing, .out = out, .colour = with_colour };
	_cleanup_free_ struct diag *sorted = NULL;
	const struct diag *in_order = diags->diags;
	size_t shown[2] = {}, i;

	if (sorted_copy(diags, &sorted) == 0)
		in_order = sorted;
	for (i = 0; i < diags->n_diags; i++) {
		if (shown[in_order[i].level] >= SHOWN_MAX)
			continue;
		shown[in_order[i].level]++;
		diag_print(&printer, &in_order[i]);
	}
	rest_print(diags, shown, out);
}

static json_t *diag_json(const struct diag *diag, const struct policy_set *set)
{
	_cleanup_buf_ struct buf name = {};
	json_t *json = json_pack("{s:s, s:s, s:s}", "level", diag->level == DIAG_ERROR ? "error" : "warning", "code",
				 diag->code, "message", diag->message);

	if (!json)
		return NULL;
	if (diag->mend)
		json_object_set_new(json, "mend", json_string(diag->mend));
	if (!set || diag->place.file >= set->n_files)
		return json;
	text_add(&name, set->files[diag->place.file].name, strlen(set->files[diag->place.file].name), TEXT_MAX);
	json_object_set_new(json, "file", json_string(name.bytes ? name.bytes : ""));
	if (diag->place.line) {
		json_object_set_new(json, "line", json_integer(diag->place.line));
		json_object_set_new(json, "column", json_integer(diag->place.column));
		json_object_set_new(json, "length", json_integer(diag->place.len));
	}
	return json;
}

int diags_print_json(const struct diags *diags, const struct policy_set *set, FILE *out)
{
	_cleanup_free_ struct diag *sorted = NULL;
	json_t *list = json_array();
	size_t i;
	int r = list ? sorted_copy(diags, &sorted) : -ENOMEM;

	for (i = 0; i < diags->n_diags && !r; i++) {
		if (json_array_append_new(list, diag_json(&sorted[i], set)) < 0)
			r = -ENOMEM;
	}
	if (!r && (json_dumpf(list, out, JSON_INDENT(2)) < 0 || fputc('\n', out) == EOF))
		r = -EIO;
	json_decref(list);
	return r;
}
