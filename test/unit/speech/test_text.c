/* Plain text to sentences. */
#include "speech/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct cp_script read_text(const char *text)
{
    struct cp_script script;
    struct cp_error error = {0};
    int result = cp_script_read_text(text, 200000, &script, &error);
    if (result)
        print_error("%s\n", error.text);
    assert_int_equal(result, 0);
    return script;
}

/* The sentences are exactly these (NULL ends the list), each where its text stands in the script. */
static void expect_sentences(const char *text, const char *const *wanted)
{
    struct cp_script script = read_text(text);
    int n = 0;
    for (; wanted[n]; n++) {
        assert_true(n < script.n_sentences);
        const struct cp_sentence *sentence = &script.sentences[n];
        char *got = strndup(script.text + sentence->start, (size_t)(sentence->end - sentence->start));
        assert_string_equal(got, wanted[n]);
        free(got);
    }
    assert_int_equal(script.n_sentences, n);
    cp_script_free(&script);
}
#define EXPECT(text, ...) expect_sentences(text, (const char *const[]){__VA_ARGS__, NULL})

static void text_ends_sentences_at_stops(void **state)
{
    EXPECT("Hello there. How are you? Fine!", "Hello there.", "How are you?", "Fine!");
    EXPECT("  Only one  ", "Only one");
    EXPECT("It costs 19.99 today. Buy it.", "It costs 19.99 today.", "Buy it.");
}

static void text_keeps_abbreviations_together(void **state)
{
    EXPECT("Dr. Smith met Mr. Jones. They talked.", "Dr. Smith met Mr. Jones.", "They talked.");
    EXPECT("See No. 5, i.e. this, of the U.S. Army. No. I will not.",
           "See No. 5, i.e. this, of the U.S. Army.", "No.", "I will not.");
}

static void text_ends_sentences_at_lines_unless_wrapped(void **state)
{
    EXPECT("Headline\nFirst item\nSecond item", "Headline", "First item", "Second item");
    EXPECT("This line was wrapped\nby an editor. Next.", "This line was wrapped by an editor.", "Next.");
    EXPECT("One\n\nTwo", "One", "Two");
}

static void text_splits_chinese_and_japanese(void **state)
{
    EXPECT("你好。我们今天介绍手机！好吗？", "你好。", "我们今天介绍手机！", "好吗？");
    EXPECT("こんにちは。世界。", "こんにちは。", "世界。");
}

static void text_gives_stray_punctuation_to_its_neighbour(void **state)
{
    EXPECT("Really?! ... Yes.", "Really?! ...", "Yes.");
    EXPECT("... Yes.", "Yes.");
}

static void text_cuts_long_sentences_at_clauses(void **state)
{
    char text[1600] = "";
    for (int i = 0; i < 20; i++)
        strcat(text, "we bought apples and pears at the market, ");
    strcat(text, "and went home.");
    struct cp_script script = read_text(text);
    assert_true(script.n_sentences >= 4);
    for (int i = 0; i < script.n_sentences; i++) {
        const struct cp_sentence *sentence = &script.sentences[i];
        assert_true(sentence->end - sentence->start <= CP_SENTENCE_MAX_WEIGHT);
        if (i + 1 < script.n_sentences)
            assert_int_equal(script.text[sentence->end - 1], ',');
    }
    cp_script_free(&script);
}

/* Nothing is lost and nothing is said twice, whatever is thrown at it. */
static void expect_whole(const char *text)
{
    struct cp_script script = read_text(text);
    int32_t at = 0;
    for (int i = 0; i < script.n_sentences; i++) {
        const struct cp_sentence *sentence = &script.sentences[i];
        assert_true(sentence->start >= at && sentence->end > sentence->start);
        assert_false(cp_text_has_words(script.text + at, (size_t)(sentence->start - at)));
        assert_true(cp_utf8_valid(script.text + sentence->start, (size_t)(sentence->end - sentence->start)));
        at = sentence->end;
    }
    assert_false(cp_text_has_words(script.text + at, (size_t)(script.length - at)));
    cp_script_free(&script);
}

static void text_survives_torture(void **state)
{
    expect_whole("שלום עולם. مرحبا بالعالم! Привет, мир. 안녕하세요. สวัสดีชาวโลก नमस्ते।");
    expect_whole(
        "Party 🎉👩‍👩‍👧‍👦 time! 🇩🇪 e\xcc\x81\xcc\x81\xcc\x81 z\xcc\xb6\xcc\xa8.");
    expect_whole("bell\x07 tab\t null-ish \x01\x02\x03 delete\x7f line\r\nend");
    char *many = malloc(100001);
    memset(many, 'a', 100000);
    many[100000] = '\0';
    expect_whole(many); /* one word of 100 kB */
    for (int i = 0; i < 100000; i++)
        many[i] = "no stop here "[i % 13];
    expect_whole(many);
    for (int i = 0; i + 3 <= 99999; i += 3)
        memcpy(many + i, "字", 3);
    many[99999] = '\0';
    expect_whole(many);
    for (int i = 0; i < 100000; i++)
        many[i] = i % 2 ? '.' : 'a';
    expect_whole(many);
    free(many);
}

static void text_keeps_byte_offsets_of_the_original(void **state)
{
    struct cp_script script = read_text("a\x01"
                                        "b \tc. Zw\xc3\xb6lf.");
    assert_string_equal(script.text, "a b  c. Zw\xc3\xb6lf.");
    assert_int_equal(script.sentences[1].start, 8);
    assert_int_equal(script.sentences[1].end, script.length);
    cp_script_free(&script);
}

static void expect_failure(const char *text, size_t max_bytes, int code, const char *words)
{
    struct cp_script script;
    struct cp_error error = {0};
    assert_int_equal(cp_script_read_text(text, max_bytes, &script, &error), code);
    assert_non_null(strstr(error.text, words));
}

static void text_says_what_is_wrong(void **state)
{
    expect_failure("", 100, CP_ERR_INVALID, "nothing to say");
    expect_failure("  \n ", 100, CP_ERR_INVALID, "nothing to say");
    expect_failure("?!... — “”", 100, CP_ERR_INVALID, "nothing to say");
    expect_failure("\xff\xfe", 100, CP_ERR_INVALID, "UTF-8");
    expect_failure("cut \xe4\xbd", 100, CP_ERR_INVALID, "UTF-8");
    expect_failure("surrogate \xed\xa0\x80", 100, CP_ERR_INVALID, "UTF-8");
    expect_failure("overlong \xc0\xaf", 100, CP_ERR_INVALID, "UTF-8");
    expect_failure("longer than ten", 10, CP_ERR_LIMIT, "longer than 10 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_ends_sentences_at_stops),
        cmocka_unit_test(text_keeps_abbreviations_together),
        cmocka_unit_test(text_ends_sentences_at_lines_unless_wrapped),
        cmocka_unit_test(text_splits_chinese_and_japanese),
        cmocka_unit_test(text_gives_stray_punctuation_to_its_neighbour),
        cmocka_unit_test(text_cuts_long_sentences_at_clauses),
        cmocka_unit_test(text_survives_torture),
        cmocka_unit_test(text_keeps_byte_offsets_of_the_original),
        cmocka_unit_test(text_says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
