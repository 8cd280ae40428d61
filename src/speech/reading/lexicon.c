/*
 * PLS is read as events, like SSML: no tree, no network, no external entity, and a document type declaration
 * ends the reading.
 */
#include "speech/reading/lexicon.h"

#include "base/hash.h"
#include "speech/script.h"

#include <libxml/parser.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#define STAGE "speech"

struct row {
    char *grapheme, *alias, *phoneme; /* one of the last two; both when a lexeme has both */
};

struct cp_lexicon {
    atomic_int references;
    char language[16];
    struct row *rows; /* longest grapheme first, then by bytes */
    int n_rows;
    size_t bytes; /* of all texts */
};

/* --- life --- */

static struct cp_lexicon *create(void)
{
    struct cp_lexicon *lexicon = calloc(1, sizeof *lexicon);
    if (lexicon)
        atomic_init(&lexicon->references, 1);
    return lexicon;
}

struct cp_lexicon *cp_lexicon_hold(const struct cp_lexicon *lexicon)
{
    struct cp_lexicon *held = (struct cp_lexicon *)lexicon; /* the count is no part of the contents */
    if (held)
        atomic_fetch_add(&held->references, 1);
    return held;
}

void cp_lexicon_drop(struct cp_lexicon *lexicon)
{
    if (!lexicon || atomic_fetch_sub(&lexicon->references, 1) > 1)
        return;
    for (int i = 0; i < lexicon->n_rows; i++) {
        free(lexicon->rows[i].grapheme);
        free(lexicon->rows[i].alias);
        free(lexicon->rows[i].phoneme);
    }
    free(lexicon->rows);
    free(lexicon);
}

/* --- rows --- */

static bool is_plain(const char *text)
{
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    return cp_utf8_valid(text, strlen(text));
}

/* NULL for alias or phoneme: there is none. `place` is for the message. */
static int add_row(struct cp_lexicon *lexicon, const char *grapheme, const char *alias, const char *phoneme,
                   const char *place, struct cp_error *error)
{
    size_t longest = 0;
    if (alias)
        longest = strlen(alias);
    if (phoneme && strlen(phoneme) > longest)
        longest = strlen(phoneme);
    if (lexicon->n_rows >= CP_LEXICON_MAX_ROWS)
        return cp_fail(error, CP_ERR_LIMIT, STAGE, "The lexicon has more than %d graphemes.",
                       CP_LEXICON_MAX_ROWS);
    if (!*grapheme || (!alias && !phoneme) || !cp_text_has_words(grapheme, strlen(grapheme)))
        return cp_fail(error, CP_ERR_INVALID, STAGE,
                       "%s: a row needs a grapheme with a letter or digit, and an alias or a phoneme.",
                       place);
    if (strlen(grapheme) > CP_LEXICON_MAX_GRAPHEME || longest > CP_LEXICON_MAX_REPLACEMENT)
        return cp_fail(error, CP_ERR_LIMIT, STAGE,
                       "%s: a grapheme may have %d bytes, what it is replaced by %d.", place,
                       CP_LEXICON_MAX_GRAPHEME, CP_LEXICON_MAX_REPLACEMENT);
    if (!is_plain(grapheme) || (alias && !is_plain(alias)) || (phoneme && !is_plain(phoneme)))
        return cp_fail(error, CP_ERR_INVALID, STAGE, "%s: control characters are not allowed.", place);
    lexicon->bytes += strlen(grapheme) + (alias ? strlen(alias) : 0) + (phoneme ? strlen(phoneme) : 0);
    if (lexicon->bytes > CP_LEXICON_MAX_BYTES)
        return cp_fail(error, CP_ERR_LIMIT, STAGE, "The lexicon holds more than %d bytes.",
                       CP_LEXICON_MAX_BYTES);
    if ((lexicon->n_rows & (lexicon->n_rows - 1)) == 0) {
        size_t capacity = lexicon->n_rows ? (size_t)lexicon->n_rows * 2 : 1;
        struct row *moved = realloc(lexicon->rows, capacity * sizeof *moved);
        if (!moved)
            return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
        lexicon->rows = moved;
    }
    struct row *row = &lexicon->rows[lexicon->n_rows++];
    *row = (struct row){.grapheme = strdup(grapheme),
                        .alias = alias ? strdup(alias) : NULL,
                        .phoneme = phoneme ? strdup(phoneme) : NULL};
    if (!row->grapheme || (alias && !row->alias) || (phoneme && !row->phoneme))
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    return 0;
}

static int longest_first(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    size_t left_length = strlen(left->grapheme), right_length = strlen(right->grapheme);
    if (left_length != right_length)
        return left_length > right_length ? -1 : 1;
    return strcmp(left->grapheme, right->grapheme);
}

static int finish(struct cp_lexicon *lexicon, int result, struct cp_lexicon **ret_lexicon,
                  struct cp_error *error)
{
    if (!result && !lexicon->n_rows)
        result = cp_fail(error, CP_ERR_INVALID, STAGE, "The lexicon has no rows; DELETE removes a lexicon.");
    if (result) {
        cp_lexicon_drop(lexicon);
        return result;
    }
    qsort(lexicon->rows, (size_t)lexicon->n_rows, sizeof *lexicon->rows, longest_first);
    *ret_lexicon = lexicon;
    return 0;
}

int cp_lexicon_read_json(const json_t *document, struct cp_lexicon **ret_lexicon, struct cp_error *error)
{
    const json_t *rows = json_object_get(document, "rows"), *language = json_object_get(document, "language");
    if (!json_is_array(rows) || (language && !json_is_string(language)))
        return cp_fail(error, CP_ERR_INVALID, STAGE, "A lexicon needs \"rows\", a list.");
    struct cp_lexicon *lexicon = create();
    if (!lexicon)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    int result = 0;
    if (language)
        snprintf(lexicon->language, sizeof lexicon->language, "%s", json_string_value(language));
    for (size_t i = 0; i < json_array_size(rows) && !result; i++) {
        const json_t *row = json_array_get(rows, i);
        const char *grapheme = json_string_value(json_object_get(row, "grapheme"));
        char place[40];
        snprintf(place, sizeof place, "rows[%zu]", i);
        result = add_row(lexicon, grapheme ? grapheme : "", json_string_value(json_object_get(row, "alias")),
                         json_string_value(json_object_get(row, "phoneme")), place, error);
    }
    return finish(lexicon, result, ret_lexicon, error);
}

/* --- PLS --- */

enum { MAX_GRAPHEMES = 16, MAX_DEPTH = 16, MAX_TEXT = 512 };

struct reader {
    struct cp_lexicon *lexicon;
    xmlParserCtxtPtr parser;
    int depth;
    char text[MAX_TEXT]; /* of the open grapheme, alias or phoneme */
    size_t length;
    bool collects, too_long;
    char graphemes[MAX_GRAPHEMES][CP_LEXICON_MAX_GRAPHEME + 1];
    int n_graphemes;
    char alias[MAX_TEXT], phoneme[MAX_TEXT]; /* the first of each counts, as the recommendation says */
    int result;
    struct cp_error *error;
};

__attribute__((format(printf, 3, 4))) static void stop(struct reader *reader, enum cp_err code,
                                                       const char *format, ...)
{
    if (reader->result)
        return;
    char text[CP_ERROR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    reader->result =
        cp_fail(reader->error, code, STAGE, "Line %d: %s", xmlSAX2GetLineNumber(reader->parser), text);
    xmlStopParser(reader->parser);
}

static bool is_leaf(const char *name)
{
    return !strcmp(name, "grapheme") || !strcmp(name, "alias") || !strcmp(name, "phoneme");
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int n_namespaces, const xmlChar **namespaces, int n_attributes, int n_defaulted,
                     const xmlChar **attributes)
{
    struct reader *reader = context;
    const char *element = (const char *)name;
    if (reader->result)
        return;
    if (reader->depth == 0 && strcmp(element, "lexicon") != 0)
        stop(reader, CP_ERR_FORMAT, "a lexicon starts with <lexicon>, not <%.40s>.", element);
    if (++reader->depth > MAX_DEPTH)
        stop(reader, CP_ERR_LIMIT, "the lexicon is nested deeper than %d.", MAX_DEPTH);
    for (int i = 0; reader->depth == 1 && i < n_attributes; i++) {
        const xmlChar **five =
            attributes + (ptrdiff_t)i * 5; /* local name, prefix, URI, value, end of value */
        ptrdiff_t length = five[4] - five[3];
        if (!strcmp((const char *)five[0], "lang") && length < (ptrdiff_t)sizeof reader->lexicon->language)
            snprintf(reader->lexicon->language, sizeof reader->lexicon->language, "%.*s", (int)length,
                     (const char *)five[3]);
    }
    if (!strcmp(element, "lexeme")) {
        reader->n_graphemes = 0;
        reader->alias[0] = reader->phoneme[0] = '\0';
    }
    reader->collects = is_leaf(element);
    reader->length = 0;
    reader->too_long = false;
}

static void on_text(void *context, const xmlChar *text, int length)
{
    struct reader *reader = context;
    for (int i = 0; i < length && reader->collects; i++) {
        bool space = text[i] <= 0x20;
        if (space && (!reader->length || reader->text[reader->length - 1] == ' '))
            continue;
        if (reader->length + 1 >= sizeof reader->text) {
            reader->too_long = true;
            return;
        }
        reader->text[reader->length++] = space ? ' ' : (char)text[i];
    }
}

static void end_leaf(struct reader *reader, const char *element)
{
    while (reader->length && reader->text[reader->length - 1] == ' ')
        reader->length--;
    reader->text[reader->length] = '\0';
    reader->collects = false;
    if (*element == 'g') {
        if (reader->too_long || reader->length > CP_LEXICON_MAX_GRAPHEME ||
            reader->n_graphemes == MAX_GRAPHEMES)
            stop(reader, CP_ERR_LIMIT, "a grapheme may have %d bytes, a lexeme %d graphemes.",
                 CP_LEXICON_MAX_GRAPHEME, MAX_GRAPHEMES);
        else
            memcpy(reader->graphemes[reader->n_graphemes++], reader->text, reader->length + 1);
        return;
    }
    char *to = *element == 'a' ? reader->alias : reader->phoneme;
    if (reader->too_long)
        stop(reader, CP_ERR_LIMIT, "an alias or phoneme may have %d bytes.", CP_LEXICON_MAX_REPLACEMENT);
    else if (!*to)
        memcpy(to, reader->text, reader->length + 1);
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct reader *reader = context;
    const char *element = (const char *)name;
    reader->depth--;
    if (reader->result)
        return;
    if (is_leaf(element) && reader->collects)
        end_leaf(reader, element);
    if (strcmp(element, "lexeme") != 0)
        return;
    char place[40];
    snprintf(place, sizeof place, "Line %d", xmlSAX2GetLineNumber(reader->parser));
    if (!reader->n_graphemes)
        stop(reader, CP_ERR_INVALID, "a lexeme needs a grapheme.");
    for (int i = 0; i < reader->n_graphemes && !reader->result; i++) {
        reader->result = add_row(reader->lexicon, reader->graphemes[i], *reader->alias ? reader->alias : NULL,
                                 *reader->phoneme ? reader->phoneme : NULL, place, reader->error);
        if (reader->result)
            xmlStopParser(reader->parser);
    }
    reader->n_graphemes = 0;
}

static void on_doctype(void *context, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    stop(context, CP_ERR_FORMAT, "a document type declaration is not allowed in a lexicon.");
}

/* libxml2 gives the parser as context in some versions, ours in others. */
static void on_problem(void *context, xmlErrorPtr problem)
{
    xmlParserCtxtPtr parser = problem->ctxt;
    struct reader *reader = parser ? parser->_private : context;
    if (problem->level < XML_ERR_ERROR || reader->result)
        return;
    char message[160];
    snprintf(message, sizeof message, "%s", problem->message ? problem->message : "malformed");
    message[strcspn(message, "\n")] = '\0';
    stop(reader, CP_ERR_FORMAT, "the lexicon is malformed: %s.", message);
}

int cp_lexicon_read_pls(const char *xml, size_t length, struct cp_lexicon **ret_lexicon,
                        struct cp_error *error)
{
    if (length > CP_LEXICON_MAX_BYTES)
        return cp_fail(error, CP_ERR_LIMIT, STAGE, "The lexicon is longer than %d bytes.",
                       CP_LEXICON_MAX_BYTES);
    if (!length)
        return cp_fail(error, CP_ERR_FORMAT, STAGE,
                       "The lexicon is empty; it has to be XML (PLS 1.0) or JSON.");
    xmlSAXHandler handler = {.initialized = XML_SAX2_MAGIC,
                             .startElementNs = on_start,
                             .endElementNs = on_end,
                             .characters = on_text,
                             .cdataBlock = on_text,
                             .internalSubset = on_doctype,
                             .serror = on_problem};
    struct reader *reader = calloc(1, sizeof *reader);
    struct cp_lexicon *lexicon = create();
    xmlParserCtxtPtr parser =
        reader && lexicon ? xmlCreatePushParserCtxt(&handler, reader, NULL, 0, NULL) : NULL;
    if (!parser) {
        free(reader);
        cp_lexicon_drop(lexicon);
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    }
    reader->lexicon = lexicon;
    reader->parser = parser;
    reader->error = error;
    parser->_private = reader;
    xmlCtxtUseOptions(parser, XML_PARSE_NONET | XML_PARSE_NOWARNING);
    xmlParseChunk(parser, xml, (int)length, 1);
    int result = reader->result;
    if (!result && !parser->wellFormed)
        result = cp_fail(error, CP_ERR_FORMAT, STAGE, "The lexicon is no well-formed XML.");
    xmlFreeParserCtxt(parser);
    free(reader);
    return finish(lexicon, result, ret_lexicon, error);
}

/* --- use --- */

int cp_lexicon_n_rows(const struct cp_lexicon *lexicon)
{
    return lexicon ? lexicon->n_rows : 0;
}

int cp_lexicon_n_phonemes_only(const struct cp_lexicon *lexicon)
{
    int n = 0;
    for (int i = 0; lexicon && i < lexicon->n_rows; i++)
        n += !lexicon->rows[i].alias;
    return n;
}

json_t *cp_lexicon_to_json(const struct cp_lexicon *lexicon)
{
    json_t *rows = json_array();
    for (int i = 0; i < lexicon->n_rows; i++) {
        json_t *row = json_pack("{s:s}", "grapheme", lexicon->rows[i].grapheme);
        if (lexicon->rows[i].alias)
            json_object_set_new(row, "alias", json_string(lexicon->rows[i].alias));
        if (lexicon->rows[i].phoneme)
            json_object_set_new(row, "phoneme", json_string(lexicon->rows[i].phoneme));
        json_array_append_new(rows, row);
    }
    return json_pack("{s:s, s:o, s:i}", "language", lexicon->language, "rows", rows, "phonemes_only",
                     cp_lexicon_n_phonemes_only(lexicon));
}

/* With its end, so that neighbours do not run together; no text is not an empty one. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    return cp_hash_bytes(cp_hash_text(hash, text ? text : "\x01"), "", 1);
}

uint64_t cp_lexicon_hash(const struct cp_lexicon *lexicon)
{
    if (!lexicon)
        return 0;
    uint64_t hash = hash_text(CP_HASH_SEED, lexicon->language);
    for (int i = 0; i < lexicon->n_rows; i++) {
        hash = hash_text(hash, lexicon->rows[i].grapheme);
        hash = hash_text(hash, lexicon->rows[i].alias);
        hash = hash_text(hash, lexicon->rows[i].phoneme);
    }
    return hash;
}

static bool same_language(const char *lexicon, const char *text)
{
    size_t length = strcspn(lexicon, "-_");
    return !length || !*text || (strcspn(text, "-_") == length && !strncasecmp(lexicon, text, length));
}

/* True when a word goes on between these: "cat" is not in "cats", but 中 is in 中国. */
static bool goes_on(const char *text, size_t length, size_t at)
{
    const uint8_t *s = (const uint8_t *)text;
    int32_t before = (int32_t)at, behind = (int32_t)at;
    UChar32 left, right;
    if (at >= length)
        return false;
    U8_PREV(s, 0, before, left);
    U8_NEXT(s, behind, (int32_t)length, right);
    return left > 0 && right > 0 && u_isalnum(left) && u_isalnum(right) && left < 0x2e80 && right < 0x2e80;
}

static bool begins_with(const char *text, const char *grapheme, size_t length)
{
    if (!memcmp(text, grapheme, length))
        return true;
    /* a word written small is also one at the start of a sentence */
    return *grapheme >= 'a' && *grapheme <= 'z' && *text == *grapheme - 32 &&
           !memcmp(text + 1, grapheme + 1, length - 1);
}

size_t cp_lexicon_match(const struct cp_lexicon *lexicon, const char *language, const char *text,
                        size_t length, bool phones, struct cp_lexicon_entry *ret_entry)
{
    if (!lexicon || !same_language(lexicon->language, language))
        return 0;
    for (int i = 0; i < lexicon->n_rows; i++) {
        const struct row *row = &lexicon->rows[i];
        size_t grapheme = strlen(row->grapheme);
        bool by_phoneme = phones && row->phoneme;
        if ((!row->alias && !by_phoneme) || grapheme > length ||
            !begins_with(text, row->grapheme, grapheme) || goes_on(text, length, grapheme))
            continue;
        *ret_entry = (struct cp_lexicon_entry){.alias = by_phoneme ? NULL : row->alias,
                                               .phoneme = by_phoneme ? row->phoneme : NULL};
        return grapheme;
    }
    return 0;
}
