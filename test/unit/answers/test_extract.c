/* Documents of every type -> blocks. */
#include "answers/extract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zip.h>

/* "#1 Title|text|?question=answer@link|..." */
static const char *shown(const struct cp_extract *extract)
{
    static char out[4000];
    const char *text = (const char *)extract->text.data;
    size_t at = 0;
    out[0] = 0;
    for (int i = 0; i < extract->n_blocks; i++) {
        const struct cp_block *b = &extract->blocks[i];
        if (b->kind == CP_BLOCK_PAIR)
            at += (size_t)snprintf(out + at, sizeof out - at, "?%.*s=", b->question.end - b->question.start,
                                   text + b->question.start);
        if (b->kind == CP_BLOCK_HEADING)
            at += (size_t)snprintf(out + at, sizeof out - at, "#%d ", b->level);
        at += (size_t)snprintf(out + at, sizeof out - at, "%.*s", b->text.end - b->text.start,
                               text + b->text.start);
        if (b->kind == CP_BLOCK_PAIR && b->link.end > b->link.start)
            at += (size_t)snprintf(out + at, sizeof out - at, "@%.*s", b->link.end - b->link.start,
                                   text + b->link.start);
        at += (size_t)snprintf(out + at, sizeof out - at, "|");
    }
    return out;
}

static const char *read_as(const char *type, const void *bytes, size_t length)
{
    struct cp_extract extract;
    struct cp_error error;
    static char out[4000];
    if (cp_extract(type, bytes, length, &extract, &error))
        snprintf(out, sizeof out, "%s", cp_err_name(error.code));
    else
        snprintf(out, sizeof out, "%s", shown(&extract));
    cp_extract_free(&extract);
    return out;
}

#define READ(type, text) read_as(type, text, sizeof(text) - 1)

static void plain_text_has_paragraphs(void **state)
{
    assert_string_equal(READ("text/plain", "One\r\nline.\n\n  Two\tspaced \n"), "One line.|Two spaced|");
    assert_string_equal(READ("Text/Plain; charset=utf-8", "x"), "x|");
    assert_string_equal(READ("text/plain", " \n\n "), "invalid request");
}

static void encodings_are_found_out(void **state)
{
    assert_string_equal(READ("text/plain", "\xef\xbb\xbfGr\xc3\xbc\xc3\x9f"), "Grüß|");
    assert_string_equal(READ("text/plain", "Gr\xfc\xdf \x80"), "Grüß €|");
    assert_string_equal(READ("text/plain", "\xff\xfeH\0i\0\x3d\xd8\x00\xde"), "Hi😀|");
    assert_string_equal(READ("text/plain", "\xfe\xff\0H\0i"), "Hi|");
}

static void markdown_loses_its_marks(void **state)
{
    assert_string_equal(READ("text/markdown",
                             "# Shop\nWe **ship** to [Spain](http://x/(y) daily).\n\n"
                             "## Returns ##\n- within *30* days\n- 2\\* free\n\n```\n# no heading\n```\n"),
                        "#1 Shop|We ship to Spain daily).|#2 Returns|within 30 days|2* free|# no heading|");
}

static void html_reads_what_people_read(void **state)
{
    assert_string_equal(READ("text/html",
                             "<html><head><title>T</title><style>p{}</style></head><body><nav>Menu</nav>"
                             "<h1>Shop &amp; more</h1><p>We <b>ship</b>\n daily.<br>Even Sundays."
                             "<script>alert(1)</script><ul><li>One<li>Two</ul>"),
                        "#1 Shop & more|We ship daily.|Even Sundays.|One|Two|");
    assert_string_equal(READ("text/html", "<script>x"), "invalid request");
}

static void tables_hold_questions_and_answers(void **state)
{
    assert_string_equal(
        READ("text/csv", "Question,Answer,Link\n\"Where, exactly?\",\"On \"\"Main\"\" street\",http://m\n"),
        "?Where, exactly?=On \"Main\" street@http://m|");
    assert_string_equal(READ("text/csv", "When?;At nine\nWho?;\n"), "?When?=At nine|");
    assert_string_equal(READ("text/csv", "answer\tquestion\nyes\treally?\n"), "?really?=yes|");
    assert_string_equal(READ("text/csv", "just text"), "malformed data");
}

static void what_is_not_known_is_named(void **state)
{
    struct cp_extract extract;
    struct cp_error error;
    assert_int_equal(cp_extract("image/png", "x", 1, &extract, &error), CP_ERR_UNSUPPORTED);
    assert_non_null(strstr(error.text, "text/markdown"));
    assert_non_null(strstr(error.text, "wordprocessingml.document can."));
    cp_extract_free(&extract);
    assert_int_equal(cp_extract("application/pdf", "no pdf", 6, &extract, &error), CP_ERR_FORMAT);
    cp_extract_free(&extract);
}

/* A page with one line, written by hand (ISO 32000-1); readers mend the missing table of offsets. */
static const char PDF[] =
    "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 100]/Contents 4 0 R"
    "/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
    "4 0 obj<</Length 42>>stream\nBT /F 12 Tf 20 50 Td (Opening hours) Tj ET\nendstream endobj\n"
    "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
    "trailer<</Root 1 0 R>>\n%%EOF\n";

static void pdf_is_read_in_a_child(void **state)
{
    assert_string_equal(read_as("application/pdf", PDF, sizeof PDF - 1), "Opening hours|");
    assert_string_equal(READ("application/pdf", "%PDF-1.7 and then nothing"), "malformed data");
}

/* --- Word documents --- */

#define WORD "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
#define MAIN "http://schemas.openxmlformats.org/wordprocessingml/2006/main"

static const char *const WHOLE = "word/document.xml";
static const char BEGIN[] = "<document xmlns='" MAIN "' "
                            "xmlns:mc='http://schemas.openxmlformats.org/markup-compatibility/2006'>";

struct archive {
    uint8_t bytes[1 << 20];
    size_t length;
};

static zip_t *begin_archive(zip_source_t **ret_made)
{
    *ret_made = zip_source_buffer_create(NULL, 0, 0, NULL);
    assert_non_null(*ret_made);
    zip_source_keep(*ret_made); /* beyond the archive's end */
    zip_t *zip = zip_open_from_source(*ret_made, ZIP_TRUNCATE, NULL);
    assert_non_null(zip);
    return zip;
}

static void end_archive(zip_t *zip, zip_source_t *made, struct archive *archive)
{
    assert_int_equal(zip_close(zip), 0);
    assert_int_equal(zip_source_open(made), 0);
    archive->length = (size_t)zip_source_read(made, archive->bytes, sizeof archive->bytes);
    assert_true(archive->length > 0 && archive->length < sizeof archive->bytes);
    zip_source_close(made);
    zip_source_free(made);
}

/* An archive with one file, made as programs make them; with a password when there is one. */
static void pack(struct archive *archive, const char *name, const void *text, size_t length,
                 const char *password)
{
    zip_source_t *made;
    zip_t *zip = begin_archive(&made);
    assert_int_equal(zip_file_add(zip, name, zip_source_buffer(zip, text, length, 0), 0), 0);
    if (password)
        assert_int_equal(zip_file_set_encryption(zip, 0, ZIP_EM_AES_256, password), 0);
    end_archive(zip, made, archive);
}

static const char *read_xml(const char *xml)
{
    static struct archive archive;
    pack(&archive, WHOLE, xml, strlen(xml), NULL);
    return read_as(WORD, archive.bytes, archive.length);
}

/* What is in a document's body; its elements need no prefix. */
static const char *read_body(const char *body)
{
    static char xml[1 << 14];
    int n = snprintf(xml, sizeof xml, "%s<body>%s</body></document>", BEGIN, body);
    assert_in_range(n, 1, sizeof xml - 1);
    return read_xml(xml);
}

static void word_documents_have_paragraphs(void **state)
{
    assert_string_equal(read_xml("<?xml version='1.0' encoding='UTF-8' standalone='yes'?>"
                                 "<w:document xmlns:w='" MAIN
                                 "'><w:body><w:p><w:pPr><w:pStyle w:val='Title'/></w:pPr>"
                                 "<w:r><w:t>Shop &amp; more</w:t></w:r></w:p></w:body></w:document>"),
                        "#1 Shop & more|");
    assert_string_equal(read_body("<p><r><t xml:space='preserve'>We </t></r>"
                                  "<hyperlink><r><t>sh</t></r><r><t>ip</t></r></hyperlink>"
                                  "<r><tab/><t>daily.</t><br/><t>Sun</t><noBreakHyphen/><t>days too.</t>"
                                  "<footnoteReference id='2'/></r></p>"
                                  "<p><pPr><numPr><ilvl val='0'/></numPr></pPr><r><t>One</t></r></p>"
                                  "<p/><p><r><t> </t></r></p><sdt><sdtContent><p><r><t>Two</t></r></p>"
                                  "</sdtContent></sdt>"),
                        "We ship daily. Sun-days too.|One|Two|");
}

static void word_styles_make_headings(void **state)
{
    static const struct {
        const char *properties, *expected;
    } CASES[] = {
        {"<pStyle val='Title'/>", "#1 x|"},
        {"<pStyle val='Heading2'/>", "#2 x|"},
        {"<pStyle val='heading 3'/>", "#3 x|"},
        {"<pStyle val='berschrift4'/>", "#4 x|"},
        {"<pStyle val='Überschrift4'/>", "#4 x|"},
        {"<pStyle val='Titre1'/>", "#1 x|"},
        {"<pStyle val='Heading9'/>", "#6 x|"},
        {"<outlineLvl val='2'/>", "#3 x|"},
        {"<pStyle val='Heading1'/><outlineLvl val='9'/>", "x|"},
        {"<pStyle val='Heading'/>", "x|"},
        {"<pStyle val='TOC1'/>", "x|"},
        {"<pStyle val='1'/>", "x|"},
        {"<pStyle val=''/>", "x|"},
        {"<pStyle/>", "x|"},
        {"<pPrChange><pPr><pStyle val='Heading1'/></pPr></pPrChange>", "x|"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char body[200];
        snprintf(body, sizeof body, "<p><pPr>%s</pPr><r><t>x</t></r></p>", CASES[i].properties);
        assert_string_equal(read_body(body), CASES[i].expected);
    }
}

static void rows_of_word_tables_are_paragraphs(void **state)
{
    assert_string_equal(read_body("<p><r><t>Prices</t></r></p><tbl>"
                                  "<tr><tc><p><r><t>Small</t></r></p><p><r><t>(blue)</t></r></p></tc>"
                                  "<tc><p/></tc><tc><p><r><t>3</t></r></p></tc></tr>"
                                  "<tr><tc><tbl><tr><tc><p><r><t>a</t></r></p></tc>"
                                  "<tc><p><r><t>b</t></r></p></tc></tr></tbl></tc>"
                                  "<tc><p><r><t>c</t></r></p></tc></tr></tbl><p><r><t>After</t></r></p>"),
                        "Prices|Small (blue), 3|a, b, c|After|");
}

static void what_word_does_not_show_is_left_out(void **state)
{
    assert_string_equal(read_body("<p><r><t>Kept</t></r><del><r><delText>gone</delText></r>"
                                  "<r><t>too</t></r></del><ins><r><t> and new</t></r></ins>"
                                  "<moveFrom><r><t>moved</t></r></moveFrom>"
                                  "<r><rPr><vanish/></rPr><t>hidden</t></r>"
                                  "<r><rPr><vanish val='0'/></rPr><t>!</t></r>"
                                  "<r><instrText>PAGE</instrText></r></p>"),
                        "Kept and new!|");
    assert_string_equal(read_body("<p><ruby><rt><r><t>reading</t></r></rt>"
                                  "<rubyBase><r><t>sign</t></r></rubyBase></ruby></p>"),
                        "sign|");
    assert_string_equal(
        read_body("<p><r><t>Around </t></r><r><mc:AlternateContent>"
                  "<mc:Choice><txbxContent><p><r><t>A box</t></r></p></txbxContent></mc:Choice>"
                  "<mc:Fallback><txbxContent><p><r><t>A box</t></r></p></txbxContent>"
                  "</mc:Fallback></mc:AlternateContent></r><r><t>it</t></r></p>"),
        "A box|Around it|");
}

/* The refusal's reason. */
static const char *refused(const struct archive *archive, enum cp_err code)
{
    static struct cp_error error;
    struct cp_extract extract;
    assert_int_equal(cp_extract(WORD, archive->bytes, archive->length, &extract, &error), code);
    cp_extract_free(&extract);
    return error.text;
}

static void no_word_document_is_said_so(void **state)
{
    static struct archive archive;
    pack(&archive, "other.xml", "x", 1, NULL);
    assert_non_null(strstr(refused(&archive, CP_ERR_FORMAT), "no Word document"));
    pack(&archive, WHOLE, BEGIN, sizeof BEGIN - 1, "secret");
    assert_non_null(strstr(refused(&archive, CP_ERR_FORMAT), "password"));
    assert_string_equal(READ(WORD, "not an archive"), "malformed data");
    assert_string_equal(READ(WORD, ""), "malformed data");
    assert_string_equal(READ(WORD, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "malformed data");
    assert_string_equal(read_xml("<document>x</document>"), "malformed data");
    assert_string_equal(read_xml(BEGIN), "malformed data");
    assert_string_equal(read_body("<p/>"), "invalid request");
}

static void archives_of_many_files_are_refused(void **state)
{
    static struct archive archive;
    zip_source_t *made;
    zip_t *zip = begin_archive(&made);
    for (int i = 0; i < 5000; i++) {
        char name[20];
        snprintf(name, sizeof name, "%d", i);
        assert_int_equal(zip_file_add(zip, i ? name : WHOLE, zip_source_buffer(zip, "x", 1, 0), 0), i);
    }
    end_archive(zip, made, &archive);
    assert_string_equal(read_as(WORD, archive.bytes, archive.length), "too large");
}

static void parts_of_word_documents_are_refused(void **state)
{
    static struct archive archive;
    static const char XML[] = "<document xmlns='" MAIN "'><p><r><t>One</t></r></p></document>";
    pack(&archive, WHOLE, XML, sizeof XML - 1, NULL);
    assert_string_equal(read_as(WORD, archive.bytes, archive.length), "One|");
    for (size_t length = 0; length < archive.length; length++)
        assert_string_equal(read_as(WORD, archive.bytes, length), "malformed data");
}

/* Laughs by the billion need entities, and these a document type. */
static void word_documents_declare_no_entities(void **state)
{
    assert_string_equal(
        read_xml("<!DOCTYPE document [<!ENTITY a 'ha ha ha ha ha ha ha'>"
                 "<!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>"
                 "<!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;'>]><document xmlns='" MAIN "'>"
                 "<p><r><t>&d;</t></r></p></document>"),
        "malformed data");
    assert_string_equal(read_body("<p><r><t>&unknown;</t></r></p>"), "malformed data");
}

/* Sizes stand in the directory behind the last "PK\1\2" at 24, and before the file's bytes at 22
 * (APPNOTE 4.3). */
static void lie_about_the_size(struct archive *archive)
{
    static const uint8_t SMALL[4] = {0, 4, 0, 0};
    size_t at = archive->length - 4;
    while (memcmp(archive->bytes + at, "PK\1\2", 4) != 0)
        at--;
    memcpy(archive->bytes + at + 24, SMALL, sizeof SMALL);
    memcpy(archive->bytes + 22, SMALL, sizeof SMALL);
}

static void bombs_stop_while_they_are_inflated(void **state)
{
    static struct archive archive;
    size_t length = 200 << 20;
    char *xml = malloc(length);
    assert_non_null(xml);
    memset(xml, ' ', length);
    memcpy(xml, BEGIN, sizeof BEGIN - 1);
    pack(&archive, WHOLE, xml, length, NULL);
    free(xml);
    assert_string_equal(read_as(WORD, archive.bytes, archive.length), "too large");
    lie_about_the_size(&archive);
    assert_string_equal(read_as(WORD, archive.bytes, archive.length), "too large");
}

/* libxml2 compares an element's attributes with each other. */
static void long_word_elements_are_refused(void **state)
{
    static struct archive archive;
    static char xml[3 << 20];
    size_t n = (size_t)snprintf(xml, sizeof xml, "%s<p ", BEGIN);
    for (int i = 0; n < sizeof xml - 100; i++)
        n += (size_t)snprintf(xml + n, sizeof xml - n, "a%x='' ", (unsigned)i);
    snprintf(xml + n, sizeof xml - n, "/></document>");
    pack(&archive, WHOLE, xml, strlen(xml), NULL);
    assert_non_null(strstr(refused(&archive, CP_ERR_LIMIT), "element"));
}

static void word_tables_nest_so_deep(void **state)
{
    char body[4000];
    for (int depth = 20; depth <= 40; depth += 20) {
        size_t n = 0;
        for (int i = 0; i < depth; i++)
            n += (size_t)snprintf(body + n, sizeof body - n, "<tbl><tr><tc>");
        n += (size_t)snprintf(body + n, sizeof body - n, "<p><r><t>x</t></r></p>");
        for (int i = 0; i < depth; i++)
            n += (size_t)snprintf(body + n, sizeof body - n, "</tc></tr></tbl>");
        assert_string_equal(read_body(body), depth == 20 ? "x|" : "too large");
    }
}

static void broken_word_documents_are_survived(void **state)
{
    static struct archive archive;
    static const char XML[] =
        "<document xmlns='" MAIN "'><tbl><tr><tc><p><r><t>One</t></r></p></tc></tr></tbl>"
        "<p><del><r><t>Two</t></r></del></p></document>";
    unsigned seed = 5;
    for (int round = 0; round < 2000; round++) {
        char xml[sizeof XML];
        memcpy(xml, XML, sizeof XML);
        bool in_xml = round % 2;
        for (int i = 0; in_xml && i < 2; i++)
            xml[(size_t)rand_r(&seed) % (sizeof XML - 1)] = "<>/wptrc:='&"[rand_r(&seed) % 12];
        pack(&archive, WHOLE, xml, sizeof XML - 1, NULL);
        for (int i = 0; !in_xml && i < 3; i++)
            archive.bytes[(size_t)rand_r(&seed) % archive.length] = (uint8_t)rand_r(&seed);
        read_as(WORD, archive.bytes, archive.length);
    }
}

static void any_bytes_are_survived(void **state)
{
    static const char *const TYPES[] = {"text/plain", "text/markdown", "text/html", "text/csv"};
    static const char SIGNS[] = "<>/#*\"',;\n\n |[]()!\\`-& aZ09\xc3\xa4\xff";
    unsigned seed = 3;
    for (int round = 0; round < 4000; round++) {
        char text[300];
        int n = rand_r(&seed) % (int)sizeof text;
        for (int i = 0; i < n; i++)
            text[i] = SIGNS[(size_t)rand_r(&seed) % (sizeof SIGNS - 1)];
        struct cp_extract extract;
        struct cp_error error;
        if (!cp_extract(TYPES[round % 4], text, (size_t)n, &extract, &error))
            for (int i = 0; i < extract.n_blocks; i++) {
                assert_true(extract.blocks[i].text.end > extract.blocks[i].text.start);
                assert_true(extract.blocks[i].text.end <= (int32_t)extract.text.length);
            }
        cp_extract_free(&extract);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_has_paragraphs),
        cmocka_unit_test(encodings_are_found_out),
        cmocka_unit_test(markdown_loses_its_marks),
        cmocka_unit_test(html_reads_what_people_read),
        cmocka_unit_test(tables_hold_questions_and_answers),
        cmocka_unit_test(what_is_not_known_is_named),
        cmocka_unit_test(pdf_is_read_in_a_child),
        cmocka_unit_test(word_documents_have_paragraphs),
        cmocka_unit_test(word_styles_make_headings),
        cmocka_unit_test(rows_of_word_tables_are_paragraphs),
        cmocka_unit_test(what_word_does_not_show_is_left_out),
        cmocka_unit_test(no_word_document_is_said_so),
        cmocka_unit_test(archives_of_many_files_are_refused),
        cmocka_unit_test(parts_of_word_documents_are_refused),
        cmocka_unit_test(word_documents_declare_no_entities),
        cmocka_unit_test(bombs_stop_while_they_are_inflated),
        cmocka_unit_test(long_word_elements_are_refused),
        cmocka_unit_test(word_tables_nest_so_deep),
        cmocka_unit_test(broken_word_documents_are_survived),
        cmocka_unit_test(any_bytes_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
