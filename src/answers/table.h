/* Tables as text: rows of fields between commas, semicolons or tabs (CSV, RFC 4180). */
#ifndef CP_ANSWERS_TABLE_H
#define CP_ANSWERS_TABLE_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

#define CP_TABLE_MAX_FIELDS 8 /* more are taken into the last one */

struct cp_table_row {
    struct cp_buffer field[CP_TABLE_MAX_FIELDS];
    int n; /* fields, at most CP_TABLE_MAX_FIELDS */
};

void cp_table_row_init(struct cp_table_row *row);
void cp_table_row_clear(struct cp_table_row *row);
/* The separator that the first line has most of. */
char cp_table_separator(const char *text, size_t length);
/* Reads a row and moves *at behind it; quoted fields may hold separators, line ends and doubled quotes. False
 * at the end. */
bool cp_table_next_row(const char **at, const char *end, char separator, struct cp_table_row *row);

#endif
