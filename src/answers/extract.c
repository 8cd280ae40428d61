#include "answers/extract.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

#define STAGE "answers"

enum { MAX_TEXT = 256 << 20 };

/* --- building --- */

void cp_extract_begin(struct cp_extract *extract, enum cp_block_kind kind, int level)
{
    if (extract->n_blocks == extract->capacity) {
        int capacity = extract->capacity ? 2 * extract->capacity : 64;
        struct cp_block *more =
            capacity <= 2 * CP_MAX_BLOCKS ? realloc(extract->blocks, (size_t)capacity * sizeof *more) : NULL;
        if (!more) {
            extract->failed = true;
            return;
        }
        extract->blocks = more;
        extract->capacity = capacity;
    }
    int32_t at = (int32_t)extract->text.length;
    extract->blocks[extract->n_blocks] = (struct cp_block){.kind = kind, .level = level, .text = {at, at}};
}

/* Runs of white space and control characters become one space, none at a block's start. */
void cp_extract_add(struct cp_extract *extract, const char *text, size_t length)
{
    if (extract->failed)
        return;
    const struct cp_block *block = &extract->blocks[extract->n_blocks];
    for (size_t i = 0; i < length;) {
        size_t run = 0;
        while (i + run < length && (unsigned char)text[i + run] > 0x20 && text[i + run] != 0x7f)
            run++;
        cp_buffer_add(&extract->text, text + i, run);
        i += run;
        bool space = false;
        while (i < length && ((unsigned char)text[i] <= 0x20 || text[i] == 0x7f)) {
            space = true;
            i++;
        }
        int32_t end = (int32_t)extract->text.length;
        if (space && end > block->text.start && extract->text.data[end - 1] != ' ')
            cp_buffer_add(&extract->text, " ", 1);
    }
    extract->failed |= extract->text.failed;
}

static void trim_end(struct cp_extract *extract, int32_t start)
{
    while ((int32_t)extract->text.length > start && extract->text.data[extract->text.length - 1] == ' ')
        extract->text.length--;
}

void cp_extract_end(struct cp_extract *extract)
{
    if (extract->failed)
        return;
    struct cp_block *block = &extract->blocks[extract->n_blocks];
    trim_end(extract, block->text.start);
    block->text.end = (int32_t)extract->text.length;
    if (block->text.end == block->text.start)
        return;
    cp_buffer_add(&extract->text, "\n", 1);
    extract->n_blocks++;
}

static struct cp_range add_part(struct cp_extract *extract, const char *text)
{
    if (extract->failed)
        return (struct cp_range){0, 0};
    struct cp_block *block = &extract->blocks[extract->n_blocks];
    struct cp_range part = {(int32_t)extract->text.length, 0};
    block->text.start = part.start;
    cp_extract_add(extract, text, strlen(text));
    trim_end(extract, part.start);
    part.end = (int32_t)extract->text.length;
    return part;
}

void cp_extract_pair(struct cp_extract *extract, const char *question, const char *answer, const char *link)
{
    cp_extract_begin(extract, CP_BLOCK_PAIR, 0);
    struct cp_range asked = add_part(extract, question), linked = add_part(extract, link),
                    said = add_part(extract, answer);
    if (extract->failed || asked.start == asked.end || said.start == said.end)
        return;
    struct cp_block *block = &extract->blocks[extract->n_blocks++];
    block->question = asked;
    block->link = linked;
    block->text = said;
    cp_buffer_add(&extract->text, "\n", 1);
}

void cp_extract_free(struct cp_extract *extract)
{
    cp_buffer_free(&extract->text);
    free(extract->blocks);
    *extract = (struct cp_extract){0};
}

/* --- encodings --- */

static bool is_utf8(const char *text, size_t length)
{
    for (int32_t i = 0; i < (int32_t)length;) {
        UChar32 c;
        U8_NEXT(text, i, (int32_t)length, c);
        if (c < 0)
            return false;
    }
    return true;
}

static bool from_utf16(const uint8_t *bytes, size_t length, bool big, struct cp_buffer *out)
{
    size_t n = length / 2;
    UChar *units = malloc((n + 1) * sizeof *units);
    if (!units)
        return false;
    for (size_t i = 0; i < n; i++)
        units[i] = (UChar)(big ? bytes[2 * i] << 8 | bytes[2 * i + 1] : bytes[2 * i + 1] << 8 | bytes[2 * i]);
    UErrorCode problem = U_ZERO_ERROR;
    int32_t made = 0;
    uint8_t *room = cp_buffer_reserve(out, 3 * n + 1);
    if (room)
        u_strToUTF8WithSub((char *)room, (int32_t)(3 * n + 1), &made, units, (int32_t)n, 0xfffd, NULL,
                           &problem);
    out->length += (size_t)made;
    free(units);
    return room && U_SUCCESS(problem);
}

/* Windows-1252's own signs at 0x80 .. 0x9f (WHATWG Encoding, index windows-1252); 0 where it has none. */
static const uint16_t WESTERN[32] = {0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                     0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017d, 0,
                                     0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                     0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};

static void from_western(const uint8_t *bytes, size_t length, struct cp_buffer *out)
{
    for (size_t i = 0; i < length; i++) {
        UChar32 c = bytes[i] >= 0x80 && bytes[i] < 0xa0 ? WESTERN[bytes[i] - 0x80] : bytes[i];
        char sign[4];
        int n = 0;
        U8_APPEND_UNSAFE(sign, n, c ? c : 0xfffd);
        cp_buffer_add(out, sign, (size_t)n);
    }
}

/* The text as UTF-8 without a byte order mark: `bytes` themselves when they are that, else in *made. */
static bool decode(const void *bytes, size_t length, struct cp_buffer *made, const char **ret_text,
                   size_t *ret_length)
{
    const uint8_t *b = bytes;
    *ret_text = bytes;
    *ret_length = length;
    if (length >= 3 && !memcmp(b, "\xef\xbb\xbf", 3)) {
        *ret_text += 3;
        *ret_length -= 3;
    }
    if (length >= 2 && ((b[0] == 0xff && b[1] == 0xfe) || (b[0] == 0xfe && b[1] == 0xff))) {
        if (!from_utf16(b + 2, length - 2, b[0] == 0xfe, made))
            return false;
    } else if (is_utf8(*ret_text, *ret_length)) {
        return true;
    } else {
        from_western(b, length, made);
    }
    *ret_text = (const char *)made->data;
    *ret_length = made->length;
    return !made->failed;
}

/* --- types --- */

static const struct reader {
    const char *type;
    int (*read)(struct cp_extract *extract, const char *bytes, size_t length, struct cp_error *error);
    bool own; /* the format says how its text is encoded: it is read as it is */
} READERS[] = {
    {"text/plain", cp_extract_plain, false},
    {"text/markdown", cp_extract_markdown, false},
    {"text/x-markdown", cp_extract_markdown, false},
    {"text/html", cp_extract_html, false},
    {"application/xhtml+xml", cp_extract_html, false},
    {"text/csv", cp_extract_csv, false},
    {"application/pdf", cp_extract_pdf, true},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", cp_extract_docx, true},
};

static bool is_type(const char *given, const char *type)
{
    size_t n = strlen(type);
    while (isspace((unsigned char)*given))
        given++;
    return !strncasecmp(given, type, n) && (!given[n] || given[n] == ';' || isspace((unsigned char)given[n]));
}

static const struct reader *find_reader(const char *type)
{
    for (size_t i = 0; i < sizeof READERS / sizeof READERS[0]; i++)
        if (is_type(type, READERS[i].type))
            return &READERS[i];
    return NULL;
}

static int read_decoded(const struct reader *reader, const void *bytes, size_t length,
                        struct cp_extract *extract, struct cp_error *error)
{
    struct cp_buffer made = cp_buffer_make(MAX_TEXT);
    const char *text;
    size_t text_length;
    int result = decode(bytes, length, &made, &text, &text_length)
                     ? reader->read(extract, text, text_length, error)
                     : cp_fail(error, CP_ERR_LIMIT, STAGE, "The document is too large to be read.");
    cp_buffer_free(&made);
    return result;
}

int cp_extract(const char *type, const void *bytes, size_t length, struct cp_extract *ret_extract,
               struct cp_error *error)
{
    const struct reader *reader = find_reader(type);
    *ret_extract = (struct cp_extract){.text = cp_buffer_make(MAX_TEXT)};
    if (!reader)
        return cp_fail(error, CP_ERR_UNSUPPORTED, STAGE,
                       "Documents of type \"%.60s\" cannot be read; text/plain, text/markdown, text/html, "
                       "text/csv, application/pdf and (Word) "
                       "application/vnd.openxmlformats-officedocument.wordprocessingml.document can.",
                       type);
    int result = reader->own ? reader->read(ret_extract, bytes, length, error)
                             : read_decoded(reader, bytes, length, ret_extract, error);
    if (!result && ret_extract->failed)
        result = cp_fail(error, CP_ERR_LIMIT, STAGE,
                         "The document is too large: it has more text or paragraphs than are kept.");
    if (!result && !ret_extract->n_blocks)
        result = cp_fail(error, CP_ERR_INVALID, STAGE, "There is no text in the document.");
    return result;
}
