/*
 * HTML -> blocks, by libxml2's HTML parser as events; no tree, no network. What is not read aloud (scripts,
 * styles, navigation) is left out.
 */
#include "answers/extract.h"

#include <libxml/HTMLparser.h>
#include <string.h>
#include <strings.h>

#define STAGE "answers"

struct page {
    struct cp_extract *extract;
    int hidden; /* depth inside what is not read */
};

static bool is_one_of(const xmlChar *name, const char *const *names)
{
    for (; *names; names++)
        if (!strcasecmp((const char *)name, *names))
            return true;
    return false;
}

static const char *const HIDDEN[] = {"script", "style", "noscript", "template", "svg",    "nav",
                                     "head",   "form",  "button",   "select",   "iframe", NULL};
static const char *const BLOCKS[] = {"p",       "div",     "li",     "tr",      "br",         "section",
                                     "article", "td",      "th",     "ul",      "ol",         "table",
                                     "pre",     "dl",      "dt",     "dd",      "main",       "header",
                                     "footer",  "aside",   "figure", "body",    "html",       "figcaption",
                                     "address", "details", "hr",     "summary", "blockquote", NULL};

static int heading_level(const xmlChar *name)
{
    return (name[0] == 'h' || name[0] == 'H') && name[1] >= '1' && name[1] <= '6' && !name[2] ? name[1] - '0'
                                                                                              : 0;
}

static void turn_over(struct page *page, int level)
{
    cp_extract_end(page->extract);
    cp_extract_begin(page->extract, level ? CP_BLOCK_HEADING : CP_BLOCK_PARAGRAPH, level);
}

static void on_start(void *context, const xmlChar *name, const xmlChar **attributes)
{
    struct page *page = context;
    if (is_one_of(name, HIDDEN))
        page->hidden++;
    else if (!page->hidden && (heading_level(name) || is_one_of(name, BLOCKS)))
        turn_over(page, heading_level(name));
}

static void on_end(void *context, const xmlChar *name)
{
    struct page *page = context;
    if (is_one_of(name, HIDDEN))
        page->hidden -= page->hidden > 0;
    else if (!page->hidden && (heading_level(name) || is_one_of(name, BLOCKS)))
        turn_over(page, 0);
}

static void on_text(void *context, const xmlChar *text, int length)
{
    const struct page *page = context;
    if (!page->hidden)
        cp_extract_add(page->extract, (const char *)text, (size_t)length);
}

static void on_problem(void *context, const char *format, ...)
{
}

int cp_extract_html(struct cp_extract *extract, const char *text, size_t length, struct cp_error *error)
{
    struct page page = {.extract = extract};
    htmlSAXHandler events = {.startElement = on_start,
                             .endElement = on_end,
                             .characters = on_text,
                             .ignorableWhitespace = on_text,
                             .error = on_problem,
                             .warning = on_problem};
    htmlParserCtxtPtr parser =
        htmlCreatePushParserCtxt(&events, &page, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);
    if (!parser)
        return cp_fail(error, CP_ERR_NOMEM, STAGE, "Out of memory.");
    htmlCtxtUseOptions(parser,
                       HTML_PARSE_NONET | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_RECOVER);
    cp_extract_begin(extract, CP_BLOCK_PARAGRAPH, 0);
    enum { STEP = 64 << 10 };
    for (size_t at = 0; at < length && !extract->failed; at += STEP)
        htmlParseChunk(parser, text + at, (int)(length - at < STEP ? length - at : STEP), 0);
    htmlParseChunk(parser, NULL, 0, 1);
    htmlFreeParserCtxt(parser);
    cp_extract_end(extract);
    return 0;
}
