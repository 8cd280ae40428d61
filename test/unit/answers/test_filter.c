/* What of an audience's question goes on, what is masked, and which questions ask the same. */
#include "answers/filter.h"
#include "answers/terms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *text, const char *blocked, const char *kept, bool masked)
{
    struct cp_buffer out = cp_buffer_make(4096);
    bool was_masked;
    const char *why_not = cp_filter_question(text, blocked, &out, &was_masked);
    if (why_not)
        fail_msg("%s: %s", text, why_not);
    assert_string_equal(cp_buffer_string(&out), kept);
    assert_int_equal(was_masked, masked);
    cp_buffer_free(&out);
}

static void expect_refused(const char *text, const char *blocked, const char *why)
{
    struct cp_buffer out = cp_buffer_make(4096);
    bool masked;
    const char *why_not = cp_filter_question(text, blocked, &out, &masked);
    if (!why_not)
        fail_msg("%s went through", text);
    assert_non_null(strstr(why_not, why));
    assert_int_equal(out.length, 0);
    cp_buffer_free(&out);
}

static void who_somebody_is_is_masked(void **state)
{
    expect("Write to kim.lee+shop@example.co.uk, please.", "", "Write to [e-mail], please.", true);
    expect("Call +49 (30) 123-4567 today", "", "Call [number] today", true);
    expect("My card is 4111 1111 1111 1111.", "", "My card is [number].", true);
    expect("Is 2026 a leap year, or 1,200 days?", "", "Is 2026 a leap year, or 1,200 days?", false);
    expect("Order 12-34-56?", "", "Order 12-34-56?", false);
    expect("mail me@ or @you", "", "mail me@ or @you", false);
    expect("Größe 38 für 19,99 €?", "", "Größe 38 für 19,99 €?", false);
    expect("a@b.c", "", "[e-mail]", true);
}

static void spam_is_refused(void **state)
{
    expect_refused("see https://example.com now", "", "Links");
    expect_refused("WWW.example.com?", "", "Links");
    expect_refused("what??????", "", "over and over");
    expect_refused("buy buy, Buy buy! buy", "", "over and over");
    expect_refused("?!", "", "no question");
    expect_refused("", "", "no question");
    expect("Really??? Well...... hmm", "", "Really??? Well...... hmm", false);
    expect("no no no, why?", "", "no no no, why?", false);
    expect("你好吗？", "", "你好吗？", false);
}

static void blocked_words_are_whole_words(void **state)
{
    static const char BLOCKED[] = "Rotten, bad apple ,grün*,";
    expect_refused("This is ROTTEN!", BLOCKED, "words");
    expect_refused("a bad apple?", BLOCKED, "words");
    expect_refused("Ist das GRÜNLICH?", BLOCKED, "words");
    expect("a bad pear, rottener?", BLOCKED, "a bad pear, rottener?", false);
    expect("immergrün?", BLOCKED, "immergrün?", false);
    expect("anything", " , ,*,", "anything", false);
}

static void questions_that_ask_the_same_are_alike(void **state)
{
    struct cp_cutter *cutter = cp_cutter_create();
    static const struct {
        const char *language, *a, *b;
        bool same;
    } ROWS[] = {
        {"en", "How long does delivery to Spain take?", "how long does the delivery take to spain", true},
        {"en", "How long does delivery to Spain take?", "When does delivery to Spain take long?", false},
        {"en", "How long does delivery to Spain take?", "How long does delivery to Italy take?", false},
        {"en", "What do mugs cost?", "What does a mug cost??", true},
        {"de", "Was kostet die Lieferung?", "Was kostet eine Lieferung", true},
        {"", "How long does delivery to Spain take?", "how long does the delivery take to spain", true},
        {"", "Spain?", "Spain", true},
        {"", "?", "!", true},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        uint64_t a = cp_filter_likeness(cutter, ROWS[i].language, ROWS[i].a),
                 b = cp_filter_likeness(cutter, ROWS[i].language, ROWS[i].b);
        if ((a == b) != ROWS[i].same)
            fail_msg("%s / %s", ROWS[i].a, ROWS[i].b);
        assert_int_not_equal(a, 0);
    }
    cp_cutter_destroy(cutter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_somebody_is_is_masked),
        cmocka_unit_test(spam_is_refused),
        cmocka_unit_test(blocked_words_are_whole_words),
        cmocka_unit_test(questions_that_ask_the_same_are_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
