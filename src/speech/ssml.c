/*
 * SSML 1.1 (W3C, 2010), the part that changes how a line is performed: speak p s break prosody mark. Elements
 * beyond these keep their text and are counted as warnings.
 *
 * libxml2 reads the markup as events; no tree is built. There is no network, no external entity, and a
 * document type declaration ends the reading: with it goes every trick with entities. Depth, size and the
 * number of items are bounded.
 */
#include "speech/script.h"

#include <libxml/parser.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STAGE "speech"

struct voicing {
    float rate, pitch, volume;
};

struct reader {
    struct cp_script script;
    size_t capacity, max_bytes; /* of the plain text */
    int depth;
    struct voicing stack[CP_SSML_MAX_DEPTH + 1]; /* of the open elements */
    bool is_prosody[CP_SSML_MAX_DEPTH + 1];
    int32_t sum_ms;
    xmlParserCtxtPtr parser;
    struct cp_error problem; /* ours; code 0 while there is none */
};

__attribute__((format(printf, 3, 4))) static void stop(struct reader *reader, enum cp_err code,
                                                       const char *format, ...)
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

static int line_of(const struct reader *reader)
{
    return xmlSAX2GetLineNumber(reader->parser);
}

/* Room for one more item of an array; NULL (and stopped) when there is none. Grows in powers of two, so the
 * count alone tells when it is full. */
static void *one_more(struct reader *reader, void *array, int n, size_t item_bytes)
{
    if (reader->problem.code)
        return NULL;
    if (n >= CP_SSML_MAX_ITEMS) {
        stop(reader, CP_ERR_LIMIT, "The SSML has more than %d breaks, marks or changes of prosody.",
             CP_SSML_MAX_ITEMS);
        return NULL;
    }
    if (n & (n - 1))
        return array;
    void *moved = realloc(array, (size_t)(n ? n * 2 : 1) * item_bytes);
    if (!moved)
        stop(reader, CP_ERR_NOMEM, "Out of memory.");
    return moved;
}

/* --- plain text --- */

static void add_char(struct reader *reader, char c)
{
    struct cp_script *script = &reader->script;
    if ((size_t)script->length >= reader->max_bytes) {
        stop(reader, CP_ERR_LIMIT, "The text is longer than %zu bytes; send it in parts.", reader->max_bytes);
        return;
    }
    if ((size_t)script->length + 1 >= reader->capacity) {
        size_t capacity = reader->capacity ? reader->capacity * 2 : 256;
        char *moved = realloc(script->text, capacity);
        if (!moved) {
            stop(reader, CP_ERR_NOMEM, "Out of memory.");
            return;
        }
        script->text = moved;
        reader->capacity = capacity;
    }
    script->text[script->length++] = c;
    script->text[script->length] = '\0';
}

/* White space runs are one space, as in all XML text; none at the start. */
static void add_space(struct reader *reader)
{
    const struct cp_script *script = &reader->script;
    if (script->length && script->text[script->length - 1] != ' ')
        add_char(reader, ' ');
}

static void on_text(void *context, const xmlChar *text, int length)
{
    struct reader *reader = context;
    for (int i = 0; i < length && !reader->problem.code; i++) {
        if (text[i] <= 0x20 || text[i] == 0x7f)
            add_space(reader);
        else
            add_char(reader, (char)text[i]);
    }
}

/* --- values --- */

/* An attribute's value by its local name; "" when absent. */
static void attribute(const char *name, int n, const xmlChar **attributes, char *value, size_t capacity)
{
    value[0] = '\0';
    for (int i = 0; i < n; i++) {
        const xmlChar **five = attributes + i * 5; /* local name, prefix, URI, value, end of value */
        if (strcmp((const char *)five[0], name) != 0)
            continue;
        size_t length = (size_t)(five[4] - five[3]);
        snprintf(value, capacity, "%.*s", length < capacity ? (int)length : (int)capacity - 1,
                 (const char *)five[3]);
    }
}

struct label {
    const char *name;
    float value;
};

static bool find_label(const struct label *labels, size_t n, const char *name, float *ret_value)
{
    for (size_t i = 0; i < n; i++) {
        if (!strcasecmp(labels[i].name, name)) {
            *ret_value = labels[i].value;
            return true;
        }
    }
    return false;
}

/* A number and what is behind it, without locale. False when there is no number. */
static bool read_number(const char *text, double *ret_number, const char **ret_rest)
{
    double sign = *text == '-' ? -1 : 1, number = 0, scale = 1;
    text += *text == '-' || *text == '+';
    int digits = 0;
    for (; *text >= '0' && *text <= '9' && digits < 9; text++, digits++)
        number = number * 10 + (*text - '0');
    if (*text == '.')
        for (text++; *text >= '0' && *text <= '9' && digits < 18; text++, digits++)
            number += (*text - '0') * (scale /= 10);
    *ret_number = sign * number;
    *ret_rest = text;
    return digits > 0;
}

static float within(double value, double low, double high)
{
    return (float)(value < low ? low : value > high ? high : value);
}

/* Labels follow what Polly and Azure make of them; the recommendation leaves the values open. A percentage
 * without a sign is a share of normal, with a sign a change of it; "+3st" are semitones. */
static bool read_factor(const char *text, const struct label *labels, size_t n_labels, float *ret_factor)
{
    if (find_label(labels, n_labels, text, ret_factor))
        return true;
    double number;
    const char *rest;
    if (!read_number(text, &number, &rest))
        return false;
    bool change = *text == '+' || *text == '-';
    if (!strcmp(rest, "%"))
        *ret_factor = (float)(change ? 1 + number / 100 : number / 100);
    else if (!strcasecmp(rest, "st") && change)
        *ret_factor = (float)pow(2, number / 12);
    else if (!*rest && !change)
        *ret_factor = (float)number;
    else
        return false;
    return true;
}

static const struct label RATES[] = {{"x-slow", 0.5f}, {"slow", 0.75f}, {"medium", 1},
                                     {"default", 1},   {"fast", 1.3f},  {"x-fast", 1.7f}};
static const struct label PITCHES[] = {{"x-low", 0.7f}, {"low", 0.85f},  {"medium", 1},
                                       {"default", 1},  {"high", 1.15f}, {"x-high", 1.3f}};
static const struct label VOLUMES[] = {{"silent", 0},  {"x-soft", 0.25f}, {"soft", 0.5f}, {"medium", 1},
                                       {"default", 1}, {"loud", 1.41f},   {"x-loud", 2}};
static const struct label STRENGTHS[] = {{"none", 0},     {"x-weak", 60},  {"weak", 120},
                                         {"medium", 300}, {"strong", 600}, {"x-strong", 1000}};
#define LABELS(table) table, sizeof(table) / sizeof(table)[0]

/* "+6dB" (SSML 1.1), "80" of 100 (SSML 1.0), or a percentage. */
static bool read_volume(const char *text, float *ret_factor)
{
    if (find_label(LABELS(VOLUMES), text, ret_factor))
        return true;
    double number;
    const char *rest;
    if (!read_number(text, &number, &rest))
        return false;
    bool change = *text == '+' || *text == '-';
    if (!strcasecmp(rest, "db"))
        *ret_factor = within(pow(10, number / 20), 0, 2);
    else if (!strcmp(rest, "%") || !*rest)
        *ret_factor = within(change ? 1 + number / 100 : number / 100, 0, 2);
    else
        return false;
    return true;
}

/* --- elements --- */

/* From here on it is spoken like this. */
static void change_voicing(struct reader *reader, const struct voicing *voicing)
{
    struct cp_script *script = &reader->script;
    struct cp_span *last = script->n_spans ? &script->spans[script->n_spans - 1] : NULL;
    if (!last || last->start != script->length) {
        if (last && last->rate == voicing->rate && last->pitch == voicing->pitch &&
            last->volume == voicing->volume)
            return;
        struct cp_span *spans = one_more(reader, script->spans, script->n_spans, sizeof *spans);
        if (!spans)
            return;
        script->spans = spans;
        last = &spans[script->n_spans++];
    }
    *last = (struct cp_span){script->length, voicing->rate, voicing->pitch, voicing->volume};
}

static void add_cut(struct reader *reader, bool paragraph)
{
    struct cp_script *script = &reader->script;
    add_space(reader);
    if (!script->length)
        return;
    int32_t *cuts = one_more(reader, script->cuts, script->n_cuts, sizeof *cuts);
    if (!cuts)
        return;
    script->cuts = cuts;
    cuts[script->n_cuts++] = paragraph ? -script->length : script->length;
}

static void add_break(struct reader *reader, int n, const xmlChar **attributes)
{
    struct cp_script *script = &reader->script;
    char time[24], strength[24];
    attribute("time", n, attributes, time, sizeof time);
    attribute("strength", n, attributes, strength, sizeof strength);
    float ms = 300;
    if (*strength && !find_label(LABELS(STRENGTHS), strength, &ms))
        script->warnings++;
    double number;
    const char *rest;
    if (*time) {
        bool known = read_number(time, &number, &rest) && number >= 0 &&
                     (!strcasecmp(rest, "s") || !strcasecmp(rest, "ms"));
        if (!known)
            script->warnings++;
        else
            ms = within(number * (*rest == 's' || *rest == 'S' ? 1000 : 1), 0, CP_SSML_MAX_BREAK_MS);
    }
    reader->sum_ms += (int32_t)ms;
    if (reader->sum_ms > CP_SSML_MAX_SUM_MS) {
        stop(reader, CP_ERR_LIMIT, "The SSML's breaks are longer than %d s together.",
             CP_SSML_MAX_SUM_MS / 1000);
        return;
    }
    struct cp_pause *pauses = one_more(reader, script->pauses, script->n_pauses, sizeof *pauses);
    if (!pauses)
        return;
    script->pauses = pauses;
    pauses[script->n_pauses++] = (struct cp_pause){script->length, (int32_t)ms};
}

static void add_flag(struct reader *reader, int n, const xmlChar **attributes)
{
    struct cp_script *script = &reader->script;
    struct cp_flag *flags = one_more(reader, script->flags, script->n_flags, sizeof *flags);
    if (!flags)
        return;
    script->flags = flags;
    struct cp_flag *flag = &flags[script->n_flags++];
    *flag = (struct cp_flag){.at = script->length};
    char name[64];
    attribute("name", n, attributes, name, sizeof name);
    size_t length = strnlen(name, sizeof flag->name - 1);
    while (length && !cp_utf8_valid(name, length))
        length--; /* never cut inside a character */
    memcpy(flag->name, name, length);
}

static void open_prosody(struct reader *reader, int n, const xmlChar **attributes)
{
    struct voicing *voicing = &reader->stack[reader->depth];
    char value[24];
    float factor;
    attribute("rate", n, attributes, value, sizeof value);
    if (*value && read_factor(value, LABELS(RATES), &factor))
        voicing->rate = within((double)voicing->rate * factor, 0.25, 4);
    else if (*value)
        reader->script.warnings++;
    attribute("pitch", n, attributes, value, sizeof value);
    if (*value && read_factor(value, LABELS(PITCHES), &factor))
        voicing->pitch = within((double)voicing->pitch * factor, 0.25, 4);
    else if (*value)
        reader->script.warnings++;
    attribute("volume", n, attributes, value, sizeof value);
    if (*value && read_volume(value, &factor))
        voicing->volume = within((double)voicing->volume * factor, 0, 2);
    else if (*value)
        reader->script.warnings++;
    reader->is_prosody[reader->depth] = true;
    change_voicing(reader, voicing);
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int n_namespaces, const xmlChar **namespaces, int n_attributes, int n_defaulted,
                     const xmlChar **attributes)
{
    struct reader *reader = context;
    const char *element = (const char *)name;
    if (reader->problem.code)
        return;
    if (reader->depth == 0 && strcmp(element, "speak") != 0) {
        stop(reader, CP_ERR_FORMAT, "Line %d: SSML starts with <speak>, not <%.40s>.", line_of(reader),
             element);
        return;
    }
    if (reader->depth == CP_SSML_MAX_DEPTH) {
        stop(reader, CP_ERR_LIMIT, "Line %d: the SSML is nested deeper than %d.", line_of(reader),
             CP_SSML_MAX_DEPTH);
        return;
    }
    reader->depth++;
    reader->stack[reader->depth] = reader->stack[reader->depth - 1];
    reader->is_prosody[reader->depth] = false;
    if (!strcmp(element, "speak"))
        attribute("lang", n_attributes, attributes, reader->script.language, sizeof reader->script.language);
    else if (!strcmp(element, "p") || !strcmp(element, "s"))
        add_cut(reader, *element == 'p');
    else if (!strcmp(element, "break"))
        add_break(reader, n_attributes, attributes);
    else if (!strcmp(element, "mark"))
        add_flag(reader, n_attributes, attributes);
    else if (!strcmp(element, "prosody"))
        open_prosody(reader, n_attributes, attributes);
    else
        reader->script.warnings++;
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct reader *reader = context;
    const char *element = (const char *)name;
    if (reader->problem.code || !reader->depth)
        return;
    if (!strcmp(element, "p") || !strcmp(element, "s"))
        add_cut(reader, *element == 'p');
    bool was_prosody = reader->is_prosody[reader->depth];
    reader->depth--;
    if (was_prosody)
        change_voicing(reader, &reader->stack[reader->depth]);
}

static void on_doctype(void *context, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    struct reader *reader = context;
    stop(reader, CP_ERR_FORMAT, "Line %d: a document type declaration is not allowed in SSML.",
         line_of(reader));
}

static void on_error(void *context, xmlErrorPtr error)
{
    /* without a document type only the five entities of XML itself exist; libxml2 says the rest */
    struct reader *reader = context;
    if (error->level < XML_ERR_ERROR || reader->problem.code)
        return;
    char message[160];
    snprintf(message, sizeof message, "%s", error->message ? error->message : "malformed");
    message[strcspn(message, "\n")] = '\0';
    stop(reader, CP_ERR_FORMAT, "Line %d: the SSML is malformed: %s.", error->line, message);
}

/* libxml2's own structured handler gets the parser context as `context` in some versions, ours in others; so
 * the reader is found by the parser. */
static void on_parser_error(void *context, xmlErrorPtr error)
{
    xmlParserCtxtPtr parser = error->ctxt;
    on_error(parser ? parser->_private : context, error);
}

static void parse(struct reader *reader, const char *ssml, size_t length)
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
    /* the bytes are UTF-8, whatever an XML declaration says */
    xmlCtxtUseOptions(reader->parser, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
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
    struct reader reader = {.max_bytes = max_bytes, .stack[0] = {1, 1, 1}};
    change_voicing(&reader, &reader.stack[0]);
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
