// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bench/table.h"

#include <stdarg.h>
#include <string.h>

void table_start(struct table *table, unsigned int n_columns)
{
	table->n_columns = n_columns;
	table->n_rows = 0;
	table->n_cells = n_columns;
}

void table_cell(struct table *table, const char *format, ...)
{
	va_list args;

	if (table->n_cells == table->n_columns) {
		if (table->n_rows == TABLE_ROWS_MAX)
			return;
		memset(table->cells[table->n_rows], 0, sizeof(*table->cells));
		table->n_rows++;
		table->n_cells = 0;
	}
	va_start(args, format);
	vsnprintf(table->cells[table->n_rows - 1][table->n_cells], TABLE_CELL_MAX, format, args);
	va_end(args);
	table->n_cells++;
}

static unsigned int column_width(const struct table *table, unsigned int column)
{
	unsigned int width = 3;

	for (unsigned int row = 0; row < table->n_rows; row++) {
		unsigned int len = (unsigned int)strlen(table->cells[row][column]);

		if (len > width)
			width = len;
	}
	return width;
}

static void row_print(const struct table *table, const unsigned int *widths, unsigned int row, FILE *out)
{
	for (unsigned int c = 0; c < table->n_columns; c++)
		fprintf(out, "| %-*s ", (int)widths[c], table->cells[row][c]);
	fprintf(out, "|\n");
}

void table_print(const struct table *table, FILE *out)
{
	unsigned int widths[TABLE_COLUMNS_MAX];

	for (unsigned int c = 0; c < table->n_columns; c++)
		widths[c] = column_width(table, c);
	for (unsigned int row = 0; row < table->n_rows; row++) {
		row_print(table, widths, row, out);
		for (unsigned int c = 0; !row && c < table->n_columns; c++)
			fprintf(out, "| %.*s ", (int)widths[c],
				"--------------------------------------------------------------------------------------------"
				"------------------------------------");
		if (!row)
			fprintf(out, "|\n");
	}
	fprintf(out, "\n");
}
