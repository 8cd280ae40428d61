/* Documents of every type -> blocks. */
#include "answers/extract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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
        cmocka_unit_test(any_bytes_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
