/* Plain text, Markdown, and tables of questions and answers (CSV, RFC 4180). */
#include "answers/extract.h"
#include "answers/table.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define STAGE "answers"

struct line {
    const char *text;
    size_t length;
};

/* The next line without its end; false after the last. */
static bool next_line(const char **at, const char *end, struct line *line)
{
    if (*at >= end)
        return false;
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));
    line->text = *at;
    line->length = (size_t)((stop ? stop : end) - *at);
    *at = stop ? stop + 1 : end;
    if (line->length && line->text[line->length - 1] == '\r')
        line->length--;
    return true;
}

static bool is_blank(const struct line *line)
{
    for (size_t i = 0; i < line->length; i++)
        if (!isspace((unsigned char)line->text[i]))
            return false;
    return true;
}

int cp_extract_plain(struct cp_extract *extract, const char *text, size_t length, struct cp_error *error)
{
    const char *at = text, *end = text + length;
    struct line line;
    cp_extract_begin(extract, CP_BLOCK_PARAGRAPH, 0);
    while (next_line(&at, end, &line)) {
        if (is_blank(&line)) {
            cp_extract_end(extract);
            cp_extract_begin(extract, CP_BLOCK_PARAGRAPH, 0);
        } else {
            cp_extract_add(extract, line.text, line.length);
            cp_extract_add(extract, "\n", 1);
        }
    }
    cp_extract_end(extract);
    return 0;
}

/* --- Markdown: what CommonMark calls blocks, as far as the text needs them --- */

/* Emphasis, code and link marks go; of a link or picture its text stays. */
static void add_inline(struct cp_extract *extract, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '\\' && i + 1 < length && ispunct((unsigned char)text[i + 1])) {
            cp_extract_add(extract, &text[++i], 1);
        } else if (c == ']' && i + 1 < length && text[i + 1] == '(') {
            const char *close = memchr(text + i, ')', length - i);
            i = close ? (size_t)(close - text) : i;
        } else if (!strchr("*`[]", c) && !(c == '!' && i + 1 < length && text[i + 1] == '[')) {
            cp_extract_add(extract, &c, 1);
        }
    }
}

static int heading_level(const struct line *line)
{
    size_t n = 0;
    while (n < line->length && line->text[n] == '#')
        n++;
    return n >= 1 && n <= 6 && (n == line->length || line->text[n] == ' ') ? (int)n : 0;
}

/* Past a list's or quotation's mark. */
static struct line without_mark(struct line line, bool *ret_item)
{
    while (line.length && (*line.text == ' ' || *line.text == '>')) {
        line.text++;
        line.length--;
    }
    size_t digits = 0;
    while (digits < line.length && isdigit((unsigned char)line.text[digits]))
        digits++;
    size_t mark = digits && digits + 1 < line.length && strchr(".)", line.text[digits]) ? digits + 1
                  : line.length > 1 && strchr("-*+", line.text[0])                      ? 1
                                                                                        : 0;
    *ret_item = mark && mark < line.length && line.text[mark] == ' ';
    if (*ret_item) {
        line.text += mark;
        line.length -= mark;
    }
    return line;
}

int cp_extract_markdown(struct cp_extract *extract, const char *text, size_t length, struct cp_error *error)
{
    const char *at = text, *end = text + length;
    struct line line;
    bool code = false;
    cp_extract_begin(extract, CP_BLOCK_PARAGRAPH, 0);
    while (next_line(&at, end, &line)) {
        int level = code ? 0 : heading_level(&line);
        bool fence = line.length >= 3 && (!memcmp(line.text, "```", 3) || !memcmp(line.text, "~~~", 3));
        code ^= fence;
        if (level) {
            struct line title = {line.text + level, line.length - (size_t)level};
            while (title.length && strchr("# ", title.text[title.length - 1]))
                title.length--;
            cp_extract_end(extract);
            cp_extract_begin(extract, CP_BLOCK_HEADING, level);
            add_inline(extract, title.text, title.length);
        }
        if (level || fence || is_blank(&line)) {
            cp_extract_end(extract);
            cp_extract_begin(extract, CP_BLOCK_PARAGRAPH, 0);
            continue;
        }
        bool item = false;
        struct line rest = code ? line : without_mark(line, &item);
        if (item) {
            cp_extract_end(extract);
            cp_extract_begin(extract, CP_BLOCK_PARAGRAPH, 0);
        }
        add_inline(extract, rest.text, rest.length);
        cp_extract_add(extract, "\n", 1);
    }
    cp_extract_end(extract);
    return 0;
}

/* --- CSV --- */

/* Which column a title names: 0 question, 1 answer, 2 link, -1 something else. */
static int column_of(const char *title)
{
    static const char *const NAMES[3] = {"question|q|frage|pregunta|问题|質問",
                                         "answer|a|antwort|réponse|respuesta|答案|回答",
                                         "link|url|source|quelle|lien|enlace|链接"};
    for (int k = 0; k < 3; k++)
        for (const char *at = NAMES[k]; *at;) {
            size_t n = strcspn(at, "|");
            if (strlen(title) == n && !strncasecmp(at, title, n))
                return k;
            at += n + (at[n] == '|');
        }
    return -1;
}

int cp_extract_csv(struct cp_extract *extract, const char *text, size_t length, struct cp_error *error)
{
    const char *at = text, *end = text + length, separator = cp_table_separator(text, length);
    struct cp_table_row row;
    int column[3] = {0, 1, 2};
    bool first = true;
    cp_table_row_init(&row);
    while (cp_table_next_row(&at, end, separator, &row)) {
        if (first) { /* a row of titles says where the columns are; without one they are in this order */
            int named[3] = {-1, -1, -1};
            for (int i = 0; i < row.n; i++) {
                int k = column_of(cp_buffer_string(&row.field[i]));
                if (k >= 0)
                    named[k] = i;
            }
            first = false;
            if (named[0] >= 0 && named[1] >= 0) {
                memcpy(column, named, sizeof column);
                continue;
            }
        }
        const char *part[3] = {"", "", ""};
        for (int k = 0; k < 3; k++)
            if (column[k] >= 0 && column[k] < row.n)
                part[k] = cp_buffer_string(&row.field[column[k]]);
        cp_extract_pair(extract, part[0], part[1], part[2]);
    }
    cp_table_row_clear(&row);
    return extract->n_blocks ? 0
                             : cp_fail(error, CP_ERR_FORMAT, STAGE,
                                       "The table has no row with a question and an answer; its columns are "
                                       "question, answer and, if you like, link.");
}
