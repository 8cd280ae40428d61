#include "answers/table.h"

enum { MAX_FIELD = 65536 };

void cp_table_row_init(struct cp_table_row *row)
{
    row->n = 0;
    for (int i = 0; i < CP_TABLE_MAX_FIELDS; i++)
        row->field[i] = cp_buffer_make(MAX_FIELD);
}

void cp_table_row_clear(struct cp_table_row *row)
{
    for (int i = 0; i < CP_TABLE_MAX_FIELDS; i++)
        cp_buffer_free(&row->field[i]);
}

bool cp_table_next_row(const char **at, const char *end, char separator, struct cp_table_row *row)
{
    if (*at >= end)
        return false;
    for (int i = 0; i < CP_TABLE_MAX_FIELDS; i++)
        row->field[i].length = 0;
    row->n = 1;
    bool quoted = false;
    for (; *at < end; (*at)++) {
        struct cp_buffer *field = &row->field[row->n - 1];
        char c = **at;
        if (quoted && c == '"' && *at + 1 < end && (*at)[1] == '"') {
            cp_buffer_add(field, "\"", 1);
            (*at)++;
        } else if (c == '"' && (quoted || !field->length)) {
            quoted = !quoted;
        } else if (!quoted && c == separator) {
            row->n += row->n < CP_TABLE_MAX_FIELDS;
        } else if (!quoted && c == '\n') {
            (*at)++;
            return true;
        } else if (quoted || c != '\r') {
            cp_buffer_add(field, &c, 1);
        }
    }
    return true;
}

char cp_table_separator(const char *text, size_t length)
{
    int count[3] = {0, 0, 0};
    static const char SEPARATORS[] = ",;\t";
    for (size_t i = 0; i < length && text[i] != '\n'; i++)
        for (int k = 0; k < 3; k++)
            count[k] += text[i] == SEPARATORS[k];
    int best = count[1] > count[0] ? 1 : 0;
    return SEPARATORS[count[2] > count[best] ? 2 : best];
}
