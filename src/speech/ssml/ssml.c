/*
 * SSML 1.1 (W3C, 2010), the part that changes how a line is performed, as a script. Elements beyond it keep
 * their text and leave a warning.
 *
 * libxml2 reads the markup as events; no tree is built. There is no network, no external entity, and a
 * document type declaration ends the reading: with it goes every trick with entities. Depth, size and the
 * number of items are bounded.
 */
#include "speech/ssml/ssml.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAGE "speech"

void cp_ssml_stop(struct cp_ssml_reader *reader, enum cp_err code, const char *format, ...)
{
    if (reader->problem.code)
        return;
    char text[CP_ERROR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cp_fail(&reader->problem, code, STAGE, "%s", text);
    xmlStopParser(reader->parser);
}

int cp_ssml_line(const struct cp_ssml_reader *reader)
{
    return xmlSAX2GetLineNumber(reader->parser);
}

/* Grows in powers of two, so the count alone tells when it is full. */
void *cp_ssml_one_more(struct cp_ssml_reader *reader, void *array, int n, size_t item_bytes)
{
    if (reader->problem.code)
        return NULL;
    if (n >= CP_SSML_MAX_ITEMS) {
        cp_ssml_stop(reader, CP_ERR_LIMIT, "The SSML has more than %d breaks, marks or changes of prosody.",
                     CP_SSML_MAX_ITEMS);
        return NULL;
    }
    if (n & (n - 1))
        return array;
    void *moved = realloc(array, (size_t)(n ? n * 2 : 1) * item_bytes);
    if (!moved)
        cp_ssml_stop(reader, CP_ERR_NOMEM, "Out of memory.");
    return moved;
}

/* --- plain text --- */

static void add_char(struct cp_ssml_reader *reader, char c)
{
    struct cp_script *script = &reader->script;
    if ((size_t)script->length >= reader->max_bytes) {
        cp_ssml_stop(reader, CP_ERR_LIMIT, "The text is longer than %zu bytes; send it in parts.",
                     reader->max_bytes);
        return;
    }
    if ((size_t)script->length + 1 >= reader->capacity) {
        size_t capacity = reader->capacity ? reader->capacity * 2 : 256;
        char *moved = realloc(script->text, capacity);
        if (!moved) {
            cp_ssml_stop(reader, CP_ERR_NOMEM, "Out of memory.");
            return;
        }
        script->text = moved;
        reader->capacity = capacity;
    }
    script->text[script->length++] = c;
    script->text[script->length] = '\0';
}

void cp_ssml_add_space(struct cp_ssml_reader *reader)
{
    const struct cp_script *script = &reader->script;
    if (script->length && script->text[script->length - 1] != ' ')
        add_char(reader, ' ');
}

static void on_text(void *context, const xmlChar *text, int length)
{
    struct cp_ssml_reader *reader = context;
    if (reader->stack[reader->depth].silent)
        return;
    for (int i = 0; i < length && !reader->problem.code; i++) {
        if (text[i] <= 0x20 || text[i] == 0x7f)
            cp_ssml_add_space(reader);
        else
            add_char(reader, (char)text[i]);
    }
}

void cp_ssml_change(struct cp_ssml_reader *reader)
{
    struct cp_script *script = &reader->script;
    const struct cp_span *voicing = &reader->stack[reader->depth].voicing;
    struct cp_span *last = script->n_spans ? &script->spans[script->n_spans - 1] : NULL;
    if (!last || last->start != script->length) {
        if (last && last->phoneme == voicing->phoneme && cp_span_goes_on(last, voicing))
            return;
        struct cp_span *spans = cp_ssml_one_more(reader, script->spans, script->n_spans, sizeof *spans);
        if (!spans)
            return;
        script->spans = spans;
        last = &spans[script->n_spans++];
    }
    *last = *voicing;
    last->start = script->length;
}

/* --- the parser's events --- */

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int n_namespaces, const xmlChar **namespaces, int n_attributes, int n_defaulted,
                     const xmlChar **attributes)
{
    struct cp_ssml_reader *reader = context;
    const char *element = (const char *)name;
    if (reader->problem.code)
        return;
    if (reader->depth == 0 && strcmp(element, "speak") != 0) {
        cp_ssml_stop(reader, CP_ERR_FORMAT, "Line %d: SSML starts with <speak>, not <%.40s>.",
                     cp_ssml_line(reader), element);
        return;
    }
    if (reader->depth == CP_SSML_MAX_DEPTH) {
        cp_ssml_stop(reader, CP_ERR_LIMIT, "Line %d: the SSML is nested deeper than %d.",
                     cp_ssml_line(reader), CP_SSML_MAX_DEPTH);
        return;
    }
    const struct cp_ssml_level *around = &reader->stack[reader->depth++];
    reader->stack[reader->depth] =
        (struct cp_ssml_level){.voicing = around->voicing, .whole = around->whole, .silent = around->silent};
    const struct cp_ssml_attributes given = {attributes, n_attributes};
    cp_ssml_open_element(reader, prefix ? (const char *)prefix : "", element, &given);
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct cp_ssml_reader *reader = context;
    if (!reader->problem.code && reader->depth)
        cp_ssml_close_element(reader, prefix ? (const char *)prefix : "", (const char *)name);
}

static void on_doctype(void *context, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    struct cp_ssml_reader *reader = context;
    cp_ssml_stop(reader, CP_ERR_FORMAT, "Line %d: a document type declaration is not allowed in SSML.",
                 cp_ssml_line(reader));
}

static void on_error(void *context, xmlErrorPtr error)
{
    /* without a document type only the five entities of XML itself exist; libxml2 says the rest */
    struct cp_ssml_reader *reader = context;
    bool own_prefix = error->domain == XML_FROM_NAMESPACE; /* Polly's amazon: is never declared */
    if (error->level < XML_ERR_ERROR || own_prefix || reader->problem.code)
        return;
    char message[160];
    snprintf(message, sizeof message, "%s", error->message ? error->message : "malformed");
    message[strcspn(message, "\n")] = '\0';
    cp_ssml_stop(reader, CP_ERR_FORMAT, "Line %d: the SSML is malformed: %s.", error->line, message);
}

/* libxml2's own structured handler gets the parser context as `context` in some versions, ours in others; so
 * the reader is found by the parser. */
static void on_parser_error(void *context, xmlErrorPtr error)
{
    xmlParserCtxtPtr parser = error->ctxt;
    on_error(parser ? parser->_private : context, error);
}

static void parse(struct cp_ssml_reader *reader, const char *ssml, size_t length)
{
    xmlSAXHandler events = {
        .initialized = XML_SAX2_MAGIC,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_text,
        .internalSubset = on_doctype,
        .serror = on_parser_error,
    };
    reader->parser = xmlCreatePushParserCtxt(&events, reader, NULL, 0, NULL);
    if (!reader->parser) {
        cp_fail(&reader->problem, CP_ERR_NOMEM, STAGE, "Out of memory.");
        return;
    }
    reader->parser->_private = reader;
    /* The bytes are UTF-8, whatever an XML declaration says. Entities (only XML's own five exist without a
     * document type) are replaced in attributes too. */
    xmlCtxtUseOptions(reader->parser, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC | XML_PARSE_NOENT);
    int failed = xmlParseChunk(reader->parser, ssml, (int)length, 1);
    if (failed && !reader->problem.code)
        cp_fail(&reader->problem, CP_ERR_FORMAT, STAGE, "The SSML is malformed (libxml2 error %d).", failed);
    xmlFreeDoc(reader->parser->myDoc);
    xmlFreeParserCtxt(reader->parser);
    reader->parser = NULL;
}

int cp_script_read_ssml(const char *ssml, size_t max_bytes, struct cp_script *ret_script,
                        struct cp_error *error)
{
    size_t max_ssml = max_bytes * 4 < INT_MAX ? max_bytes * 4 : INT_MAX - 1;
    size_t length = strnlen(ssml, max_ssml + 1);
    if (length > max_ssml)
        return cp_fail(error, CP_ERR_LIMIT, STAGE, "The SSML is longer than %zu bytes; send it in parts.",
                       max_ssml);
    if (!cp_utf8_valid(ssml, length))
        return cp_fail(error, CP_ERR_INVALID, STAGE, "The SSML is not valid UTF-8.");
    struct cp_ssml_reader reader = {.max_bytes = max_bytes, .stack[0] = {.voicing = CP_SPAN_PLAIN}};
    cp_ssml_change(&reader);
    if (!reader.problem.code)
        parse(&reader, ssml, length);
    int result = reader.problem.code;
    if (result) {
        if (error)
            *error = reader.problem;
    } else if (!reader.script.length) {
        result = cp_fail(error, CP_ERR_INVALID, STAGE, "There is nothing to say: the SSML holds no text.");
    } else {
        result = cp_script_split(&reader.script, error);
    }
    if (result)
        cp_script_free(&reader.script);
    else
        *ret_script = reader.script;
    return result;
}
