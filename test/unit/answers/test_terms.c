/* What search compares: terms of many languages, and what bytes that are no text do. */
#include "answers/terms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int add(void *user, const struct cp_term *term)
{
    char *out = user;
    size_t at = strlen(out);
    snprintf(out + at, 1000 - at, "%s%s%s", at ? " " : "", term->text, term->prefix ? "*" : "");
    return 0;
}

static const char *cut(const char *language, const char *text, enum cp_cut how)
{
    static char out[1000];
    struct cp_cutter *cutter = cp_cutter_create();
    out[0] = 0;
    assert_int_equal(cp_cut_terms(cutter, language, text, strlen(text), how, add, out), 0);
    cp_cutter_destroy(cutter);
    return out;
}

static void words_are_folded_stemmed_and_lose_their_accents(void **state)
{
    static const struct {
        const char *language, *text, *terms;
    } CASES[] = {
        {"en", "The presenters were presenting PRESENTATIONS!", "the present were present present"},
        {"en-GB", "running; runs", "run run"},
        {"de", "Die Größe der Häuser", "die gross der haus"},
        {"fr", "L'équipe était à Paris", "equip etait a paris"},
        {"es", "¿Cuánto cuestan las canciones?", "cuant cuest las cancion"},
        {"ru", "книги книгой", "книг книг"},
        {"", "Running naïve 42nd", "running naive 42nd"},
        {"en", "the panther's claws don't", "the panther claw don"},
        {"en", "ＡＢＣ １２３", "abc 123"},
        {"tr-xx", "x", "x"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        assert_string_equal(cut(CASES[i].language, CASES[i].text, CP_CUT_ALL), CASES[i].terms);
}

static void scripts_without_spaces_become_pairs(void **state)
{
    assert_string_equal(cut("zh", "北京大学", CP_CUT_ALL), "北京 京大 大学");
    assert_string_equal(cut("zh", "茶", CP_CUT_ALL), "茶*");
    assert_string_equal(cut("ja", "東京タワー", CP_CUT_ALL), "東京 京タ タワ ワー");
    assert_string_equal(cut("ko", "한국 사람", CP_CUT_ALL), "한국 사람");
    assert_string_equal(cut("zh", "用GPU渲染", CP_CUT_ALL), "用* gpu 渲染");
}

static void small_words_are_left_out_of_questions(void **state)
{
    assert_string_equal(cut("en", "What is the price of a ticket?", CP_CUT_CONTENT), "price ticket");
    assert_string_equal(cut("de", "Wie viel kostet das Ticket?", CP_CUT_CONTENT), "kostet ticket");
    assert_string_equal(cut("zh", "什么", CP_CUT_CONTENT), "");
    assert_string_equal(cut("zh", "门票多少", CP_CUT_CONTENT), "门票");
    assert_string_equal(cut("en", "who", CP_CUT_ALL), "who");
}

static int check_place(void *user, const struct cp_term *term)
{
    const char *text = user;
    assert_in_range(term->start, 0, (int)strlen(text));
    assert_in_range(term->end, term->start + 1, (int)strlen(text));
    assert_true(term->length > 0 && term->length <= CP_TERM_BYTES);
    return 0;
}

static void places_are_inside_the_text(void **state)
{
    static const char TEXT[] = "Der Größe nach: 北京大学, naïve l'été.";
    struct cp_cutter *cutter = cp_cutter_create();
    char text[sizeof TEXT];
    strcpy(text, TEXT);
    assert_int_equal(cp_cut_terms(cutter, "de", text, strlen(text), CP_CUT_ALL, check_place, text), 0);
    cp_cutter_destroy(cutter);
}

static void any_bytes_are_survived(void **state)
{
    struct cp_cutter *cutter = cp_cutter_create();
    unsigned seed = 7;
    for (int round = 0; round < 2000; round++) {
        char text[65] = {0};
        int n = rand_r(&seed) % 64;
        for (int i = 0; i < n; i++)
            text[i] = (char)(1 + rand_r(&seed) % 255);
        assert_int_equal(
            cp_cut_terms(cutter, round % 2 ? "en" : "zh", text, (size_t)n, round % 3, check_place, text), 0);
    }
    cp_cutter_destroy(cutter);
}

static int stop_at_second(void *user, const struct cp_term *term)
{
    return ++*(int *)user == 2 ? 9 : 0;
}

static void the_caller_may_stop(void **state)
{
    struct cp_cutter *cutter = cp_cutter_create();
    int n = 0;
    assert_int_equal(cp_cut_terms(cutter, "en", "one two three", 13, CP_CUT_ALL, stop_at_second, &n), 9);
    assert_int_equal(n, 2);
    cp_cutter_destroy(cutter);
}

static void long_words_are_cut_at_a_sign(void **state)
{
    char text[400];
    for (int i = 0; i < 100; i++)
        memcpy(text + 2 * i, "\xd0\xb6", 2);
    text[200] = 0;
    const char *term = cut("", text, CP_CUT_ALL);
    assert_int_equal(strlen(term), CP_TERM_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_folded_stemmed_and_lose_their_accents),
        cmocka_unit_test(scripts_without_spaces_become_pairs),
        cmocka_unit_test(small_words_are_left_out_of_questions),
        cmocka_unit_test(places_are_inside_the_text),
        cmocka_unit_test(any_bytes_are_survived),
        cmocka_unit_test(the_caller_may_stop),
        cmocka_unit_test(long_words_are_cut_at_a_sign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
