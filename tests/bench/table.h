/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables in Markdown, with columns that line up, so that the same bytes serve the terminal and the page. */
#ifndef LSMD_BENCH_TABLE_H
#define LSMD_BENCH_TABLE_H

#include <stdio.h>

#define TABLE_COLUMNS_MAX 8
#define TABLE_ROWS_MAX 64
#define TABLE_CELL_MAX 128

struct table {
	unsigned int n_columns;
	unsigned int n_rows; /* the head is the first */
	unsigned int n_cells; /* in the last row */
	char cells[TABLE_ROWS_MAX][TABLE_COLUMNS_MAX][TABLE_CELL_MAX];
};

/* table_start() - empty it; the head follows as its first row */
void table_start(struct table *table, unsigned int n_columns);
/* table_cell() - the next cell, from left to right; what does not fit is cut */
void table_cell(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
void table_print(const struct table *table, FILE *out);

#endif
