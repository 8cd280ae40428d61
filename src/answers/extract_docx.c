/*
 * Word documents (ECMA-376, Office Open XML): a ZIP archive, of which word/document.xml alone is read. It is
 * inflated and parsed piece by piece as events; no tree, no network, no document types (the standard has
 * none), so neither a bomb nor a long document is ever held whole.
 */
#include "answers/extract.h"

#include "base/clock.h"

#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zip.h>

#define STAGE "answers"
#define TYPE  "a Word document (.docx)"

enum { MAX_ENTRIES = 4096, MAX_XML = 64 << 20, MAX_TAG = 1 << 20, SECONDS = 20, STEP = 16 << 10 };
enum { MAX_NESTED = 32, MAX_DEPTH = 256, MAX_LEVEL = 6 };

struct part { /* a paragraph or a table's row that is open */
    struct cp_buffer text;
    int level;             /* of a heading, else 0 */
    bool row;              /* its text is that of the paragraphs within */
    const char *separator; /* rows: what stands before the next paragraph's text */
    bool hidden;           /* the open run is not shown */
};

struct reader {
    struct cp_extract *extract;
    struct part part[MAX_NESTED]; /* text boxes and tables nest */
    int n_parts;
    int depth;    /* of elements */
    int left_out; /* depth inside what is not read */
    bool in_text;
    xmlParserCtxtPtr parser;
    int result;
    struct cp_error *error;
};

static void stop(struct reader *reader, enum cp_err code, const char *text)
{
    if (!reader->result)
        reader->result = cp_fail(reader->error, code, STAGE, "%s", text);
    xmlStopParser(reader->parser);
}

/* --- headings --- */

/* What Word's languages name the styles, without the letters that it drops: "berschrift1" is German. */
static const char *const TITLES[] = {"title", "titel", "titre", "titolo", "ttulo", NULL};
static const char *const HEADINGS[] = {"heading", "berschrift", "titre",  "titolo", "ttulo",
                                       "kop",     "overskrift", "rubrik", "nagwek", NULL};

static bool is_one_of(const char *name, size_t length, const char *const *names)
{
    for (; *names; names++)
        if (strlen(*names) == length && !strncasecmp(name, *names, length))
            return true;
    return false;
}

static int at_most_level(int level)
{
    return level < MAX_LEVEL ? level : MAX_LEVEL;
}

/* 0 when the style is not a heading's. Other programs than Word keep letters beyond ASCII, and spaces. */
static int level_of_style(const char *style, size_t length)
{
    char name[16];
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)style[i] >= 0x80 || strchr(" -_", style[i]))
            continue;
        if (n == sizeof name)
            return 0;
        name[n++] = style[i];
    }
    if (is_one_of(name, n, TITLES))
        return 1;
    int level = n && name[n - 1] >= '1' && name[n - 1] <= '9' ? name[n - 1] - '0' : 0;
    return level && is_one_of(name, n - 1, HEADINGS) ? at_most_level(level) : 0;
}

/* Outline levels count from 0; 9 is the text's. */
static int level_of_outline(const char *value, size_t length)
{
    return length == 1 && *value >= '0' && *value <= '8' ? at_most_level(*value - '0' + 1) : 0;
}

/* --- paragraphs and rows --- */

static void begin_part(struct reader *reader, bool row)
{
    if (reader->n_parts == MAX_NESTED) {
        stop(reader, CP_ERR_LIMIT,
             "Tables and text boxes are nested too deeply in the document; flatten them.");
        return;
    }
    struct part *part = &reader->part[reader->n_parts++];
    part->text.length = 0;
    part->level = 0;
    part->row = row;
    part->separator = "";
    part->hidden = false;
}

static struct part *open_part(struct reader *reader)
{
    return reader->n_parts ? &reader->part[reader->n_parts - 1] : NULL;
}

static struct part *open_row(struct reader *reader)
{
    for (int i = reader->n_parts - 1; i >= 0; i--)
        if (reader->part[i].row)
            return &reader->part[i];
    return NULL;
}

/* Of the open paragraph. A row takes text only from the paragraphs in it. */
static void add(struct reader *reader, const char *text, size_t length)
{
    struct part *part = open_part(reader);
    if (part && !part->row && !part->hidden)
        cp_buffer_add(&part->text, text, length);
}

static bool is_blank(const struct cp_buffer *text)
{
    for (size_t i = 0; i < text->length; i++)
        if (text->data[i] > ' ')
            return false;
    return true;
}

/* What ends within a row belongs to the row, anything else becomes a block. */
static void end_part(struct reader *reader)
{
    if (!reader->n_parts)
        return;
    struct part *part = &reader->part[--reader->n_parts], *row = open_row(reader);
    const char *text = (const char *)part->text.data;
    reader->extract->failed |= part->text.failed;
    if (is_blank(&part->text))
        return;
    if (row) {
        if (row->text.length)
            cp_buffer_text(&row->text, row->separator);
        cp_buffer_add(&row->text, text, part->text.length);
        row->separator = " ";
        return;
    }
    cp_extract_begin(reader->extract, part->level ? CP_BLOCK_HEADING : CP_BLOCK_PARAGRAPH, part->level);
    cp_extract_add(reader->extract, text, part->text.length);
    cp_extract_end(reader->extract);
}

/* --- elements --- */

/* Namespaces of the standard's two conformance classes. */
static bool is_word(const xmlChar *uri)
{
    const char *text = (const char *)uri;
    return text && (!strcmp(text, "http://schemas.openxmlformats.org/wordprocessingml/2006/main") ||
                    !strcmp(text, "http://purl.oclc.org/ooxml/wordprocessingml/main"));
}

static bool is_fallback(const char *name, const xmlChar *uri)
{
    return uri && !strcmp(name, "Fallback") &&
           !strcmp((const char *)uri, "http://schemas.openxmlformats.org/markup-compatibility/2006");
}

/*
 * Deleted and moved text, how to read the signs below, and what a paragraph was before a change of its form.
 * A fallback says once more, for old programs, what stands before it.
 */
static bool is_left_out(const char *name, const xmlChar *uri)
{
    static const char *const NAMES[] = {"del", "moveFrom", "rt", "pPrChange", "rPrChange", NULL};
    return is_fallback(name, uri) || (is_word(uri) && is_one_of(name, strlen(name), NAMES));
}

/* The element's w:val; false when it has none. Not terminated. */
static bool value_of(int n_attributes, const xmlChar **attributes, const char **ret_value, size_t *ret_length)
{
    for (int i = 0; i < n_attributes; i++) { /* local name, prefix, URI, value, end of value */
        const xmlChar **five = attributes + (ptrdiff_t)i * 5;
        if (strcmp((const char *)five[0], "val") != 0)
            continue;
        *ret_value = (const char *)five[3];
        *ret_length = (size_t)(five[4] - five[3]);
        return true;
    }
    return false;
}

static bool is_off(const char *value, size_t length)
{
    static const char *const OFF[] = {"0", "false", "off", NULL};
    return is_one_of(value, length, OFF);
}

static void note_property(struct reader *reader, const char *name, int n_attributes,
                          const xmlChar **attributes)
{
    struct part *part = open_part(reader);
    const char *value = "";
    size_t length = 0;
    bool given = value_of(n_attributes, attributes, &value, &length);
    if (!part)
        return;
    if (!strcmp(name, "pStyle") && given)
        part->level = level_of_style(value, length);
    else if (!strcmp(name, "outlineLvl") && given)
        part->level = level_of_outline(value, length);
    else if (!strcmp(name, "vanish"))
        part->hidden = !is_off(value, length);
}

static void begin_element(struct reader *reader, const char *name)
{
    struct part *part = open_part(reader);
    if (!strcmp(name, "p") || !strcmp(name, "tr"))
        begin_part(reader, *name == 't');
    else if (!strcmp(name, "tc") && part && part->row)
        part->separator = ", ";
    else if (!strcmp(name, "r") && part)
        part->hidden = false;
    else if (!strcmp(name, "t"))
        reader->in_text = true;
    else if (!strcmp(name, "tab") || !strcmp(name, "br") || !strcmp(name, "cr"))
        add(reader, " ", 1);
    else if (!strcmp(name, "noBreakHyphen"))
        add(reader, "-", 1);
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int n_namespaces, const xmlChar **namespaces, int n_attributes, int n_defaulted,
                     const xmlChar **attributes)
{
    struct reader *reader = context;
    const char *element = (const char *)name;
    if (reader->result)
        return;
    if (!reader->depth && (!is_word(uri) || strcmp(element, "document") != 0))
        stop(reader, CP_ERR_FORMAT, "The file's word/document.xml is not that of " TYPE ".");
    if (++reader->depth > MAX_DEPTH)
        stop(reader, CP_ERR_LIMIT, "The document's elements are nested too deeply.");
    if (is_left_out(element, uri))
        reader->left_out++;
    if (reader->result || reader->left_out || !is_word(uri))
        return;
    note_property(reader, element, n_attributes, attributes);
    begin_element(reader, element);
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct reader *reader = context;
    const char *element = (const char *)name;
    reader->depth--;
    if (is_left_out(element, uri))
        reader->left_out--;
    else if (reader->result || reader->left_out || !is_word(uri))
        return;
    else if (!strcmp(element, "p") || !strcmp(element, "tr"))
        end_part(reader);
    else if (!strcmp(element, "t"))
        reader->in_text = false;
}

static void on_text(void *context, const xmlChar *text, int length)
{
    struct reader *reader = context;
    if (reader->in_text && !reader->left_out)
        add(reader, (const char *)text, (size_t)length);
}

/* Entities that stand for many others need one; a Word document never has one. */
static void on_doctype(void *context, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    stop(context, CP_ERR_FORMAT, "The document's XML declares a document type, which " TYPE " never does.");
}

static void on_problem(void *context, xmlErrorPtr problem)
{
}

/* --- the archive --- */

/* Old documents, and new ones with a password, are in Microsoft's container of before (MS-CFB, 2.2). */
static int refuse_archive(const char *bytes, size_t length, struct cp_error *error)
{
    if (length >= 4 && !memcmp(bytes, "\xd0\xcf\x11\xe0", 4))
        return cp_fail(error, CP_ERR_FORMAT, STAGE,
                       "The document is an old one (.doc) or has a password; save it as .docx without one.");
    return cp_fail(error, CP_ERR_FORMAT, STAGE, "The file is not " TYPE ", or it is damaged; save it anew.");
}

static int open_document(zip_t *archive, zip_file_t **ret_file, struct cp_error *error)
{
    zip_stat_t stat;
    if (zip_get_num_entries(archive, 0) > MAX_ENTRIES)
        return cp_fail(error, CP_ERR_LIMIT, STAGE,
                       "The file holds more than %d parts, which no Word document needs; save it anew.",
                       MAX_ENTRIES);
    zip_int64_t index = zip_name_locate(archive, "word/document.xml", ZIP_FL_NOCASE);
    if (index < 0 || zip_stat_index(archive, (zip_uint64_t)index, 0, &stat))
        return cp_fail(error, CP_ERR_FORMAT, STAGE,
                       "The file is no Word document: there is no word/document.xml in it.");
    if (stat.valid & ZIP_STAT_ENCRYPTION_METHOD && stat.encryption_method != ZIP_EM_NONE)
        return cp_fail(error, CP_ERR_FORMAT, STAGE, "The document has a password; save it without one.");
    if (stat.comp_method != ZIP_CM_DEFLATE && stat.comp_method != ZIP_CM_STORE)
        return cp_fail(error, CP_ERR_FORMAT, STAGE,
                       "The document is packed in a way that Word does not know; save it anew.");
    *ret_file = zip_fopen_index(archive, (zip_uint64_t)index, 0);
    return *ret_file ? 0 : cp_fail(error, CP_ERR_FORMAT, STAGE, "The document is damaged; save it anew.");
}

/* The directory may lie about the size, so what comes out is counted. */
static int parse_all(struct reader *reader, zip_file_t *file)
{
    char piece[STEP];
    zip_int64_t n, total = 0;
    int64_t deadline_ns = cp_clock_now_ns() + SECONDS * CP_NS_PER_S;
    const struct _xmlParserInput *input = reader->parser->input;
    while ((n = zip_fread(file, piece, sizeof piece)) > 0) {
        total += n;
        if (total > MAX_XML)
            return cp_fail(reader->error, CP_ERR_LIMIT, STAGE,
                           "The document has more than %d MB of XML; split it.", MAX_XML >> 20);
        xmlParseChunk(reader->parser, piece, (int)n, 0);
        if (reader->result || reader->extract->failed)
            return reader->result;
        /* libxml2 compares each attribute of an element with each: one long tag could take hours */
        if (input->end - input->cur > MAX_TAG)
            return cp_fail(reader->error, CP_ERR_LIMIT, STAGE,
                           "The document's XML has an element of more than %d MB; save it anew.",
                           MAX_TAG >> 20);
        if (cp_clock_now_ns() > deadline_ns)
            return cp_fail(reader->error, CP_ERR_LIMIT, STAGE,
                           "The document takes more than %d seconds to read; split it.", SECONDS);
        if (!reader->parser->wellFormed)
            break;
    }
    if (!n)
        xmlParseChunk(reader->parser, NULL, 0, 1);
    if (!reader->result && (n < 0 || !reader->parser->wellFormed))
        return cp_fail(reader->error, CP_ERR_FORMAT, STAGE, "The document is damaged; save it anew.");
    return reader->result;
}

static int read_document(struct cp_extract *extract, zip_file_t *file, struct cp_error *error)
{
    xmlSAXHandler events = {.initialized = XML_SAX2_MAGIC,
                            .startElementNs = on_start,
                            .endElementNs = on_end,
                            .characters = on_text,
                            .cdataBlock = on_text,
                            .internalSubset = on_doctype,
                            .serror = on_problem};
    struct reader reader = {.extract = extract, .error = error};
    reader.parser = xmlCreatePushParserCtxt(&events, &reader, NULL, 0, NULL);
    if (!reader.parser)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    xmlCtxtUseOptions(reader.parser, XML_PARSE_NONET | XML_PARSE_NOWARNING);
    for (int i = 0; i < MAX_NESTED; i++)
        reader.part[i].text = cp_buffer_make(MAX_XML);
    int result = parse_all(&reader, file);
    for (int i = 0; i < MAX_NESTED; i++)
        cp_buffer_free(&reader.part[i].text);
    xmlFreeParserCtxt(reader.parser);
    return result;
}

int cp_extract_docx(struct cp_extract *extract, const char *bytes, size_t length, struct cp_error *error)
{
    zip_source_t *source = zip_source_buffer_create(bytes, length, 0, NULL);
    zip_t *archive = source ? zip_open_from_source(source, ZIP_RDONLY, NULL) : NULL;
    if (!archive) {
        zip_source_free(source);
        return refuse_archive(bytes, length, error);
    }
    zip_file_t *file;
    int result = open_document(archive, &file, error);
    if (!result) {
        result = read_document(extract, file, error);
        zip_fclose(file);
    }
    zip_discard(archive);
    return result;
}
