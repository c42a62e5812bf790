/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is wrong with policies, for people: place, cause, mend. Passes add; only commands print. */
#ifndef LSMD_POLICY_DIAG_H
#define LSMD_POLICY_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "agent/policy/policy.h"

enum diag_level {
	DIAG_ERROR,
	DIAG_WARNING,
};

struct diag {
	enum diag_level level;
	const char *code; /* static, such as "unknown-key"; lsmd-policy(5) lists them */
	struct place place;
	char *message;
	char *mend; /* NULL: none */
};

/* Grows as needed up to a bound, beyond which only counts go on. Zero-initialise. */
struct diags {
	struct diag *diags;
	size_t n_diags;
	size_t n_errors;
	size_t n_warnings;
	bool out_of_memory; /* some message was lost; the counts are right */
};

void diags_clear(struct diags *diags);

/** diag_add() - @mend may be NULL; both texts are printf-like and copied. Never fails: see out_of_memory. */
void diag_add(struct diags *diags, enum diag_level level, const char *code, struct place place, const char *mend,
	      const char *format, ...) __attribute__((format(printf, 6, 7)));

/** diags_sort() - by file, line, column; what was said twice is kept and counted once */
void diags_sort(struct diags *diags);

/** diags_print() - the whole of it with carets, sorted by file, line, column; @set gives names and texts of files */
void diags_print(const struct diags *diags, const struct policy_set *set, FILE *out, bool colour);

/** diags_print_json() - one JSON array for editors */
int diags_print_json(const struct diags *diags, const struct policy_set *set, FILE *out);

#endif
