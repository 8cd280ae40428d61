/* Blocks -> passages. */
#include "answers/split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct kept {
    char heading[50][200], text[50][3000], question[50][200];
    int n;
};

static int keep(void *user, const struct cp_passage *passage)
{
    struct kept *kept = user;
    snprintf(kept->heading[kept->n], 200, "%s", passage->heading);
    snprintf(kept->text[kept->n], 3000, "%s", passage->text);
    snprintf(kept->question[kept->n], 200, "%s", passage->question);
    return ++kept->n == 50;
}

static struct kept *split(const char *type, const char *text, double weight, const char *language)
{
    struct kept *kept = calloc(1, sizeof *kept);
    struct cp_extract extract;
    struct cp_error error;
    assert_int_equal(cp_extract(type, text, strlen(text), &extract, &error), 0);
    assert_int_equal(cp_split(&extract, weight, language, keep, kept), 0);
    cp_extract_free(&extract);
    return kept;
}

static void headings_begin_passages_and_nest(void **state)
{
    struct kept *k =
        split("text/markdown", "Before.\n# Shop\nOpen.\n## Hours\nNine.\n\nTen.\n# Else\nEnd.", 500, "en");
    assert_int_equal(k->n, 4);
    assert_string_equal(k->heading[0], "");
    assert_string_equal(k->heading[2], "Shop > Hours");
    assert_string_equal(k->text[2], "Nine.\nTen.");
    assert_string_equal(k->heading[3], "Else");
    free(k);
}

static void short_paragraphs_are_put_together_long_ones_cut_at_sentences(void **state)
{
    char text[2000] = "";
    for (int i = 0; i < 20; i++)
        sprintf(text + strlen(text), "This is sentence %02d of Dr. Smith's talk. ", i);
    struct kept *k = split("text/plain", text, 200, "en");
    assert_in_range(k->n, 3, 5);
    size_t all = 0;
    for (int i = 0; i < k->n; i++) {
        assert_true(cp_text_weight(k->text[i], strlen(k->text[i])) <= 320);
        assert_int_equal(k->text[i][strlen(k->text[i]) - 1], '.');
        assert_memory_equal(k->text[i], "This is", 7);
        all += strlen(k->text[i]) + 1;
    }
    assert_int_equal(all, strlen(text)); /* nothing is lost */
    free(k);
    k = split("text/plain", "One.\n\nTwo.\n\nThree.", 200, "en");
    assert_int_equal(k->n, 1);
    free(k);
}

static void signs_without_spaces_weigh_more_and_are_cut_too(void **state)
{
    char text[1000] = "";
    for (int i = 0; i < 20; i++)
        strcat(text, "我们每天九点开门。");
    struct kept *k = split("text/plain", text, 100, "zh");
    assert_in_range(k->n, 4, 7);
    for (int i = 0; i < k->n; i++)
        assert_memory_equal(k->text[i] + strlen(k->text[i]) - 3, "。", 3);
    free(k);
}

static void a_text_without_ends_is_cut_all_the_same(void **state)
{
    char text[1001];
    memset(text, 'x', 1000);
    text[1000] = 0;
    struct kept *k = split("text/plain", text, 100, "en");
    size_t all = 0;
    for (int i = 0; i < k->n; i++) {
        assert_true(strlen(k->text[i]) <= 160);
        all += strlen(k->text[i]);
    }
    assert_int_equal(all, 1000);
    free(k);
}

static void pairs_stay_whole(void **state)
{
    struct kept *k = split("text/csv", "question,answer\nWhen?,At nine.\nWhere?,Here.", 100, "en");
    assert_int_equal(k->n, 2);
    assert_string_equal(k->question[1], "Where?");
    assert_string_equal(k->text[1], "Here.");
    free(k);
}

static void the_caller_may_stop(void **state)
{
    struct kept *kept = calloc(1, sizeof *kept);
    struct cp_extract extract;
    char table[2000] = "question,answer\n";
    for (int i = 0; i < 60; i++)
        strcat(table, "q,a\n");
    assert_int_equal(cp_extract("text/csv", table, strlen(table), &extract, NULL), 0);
    assert_int_equal(cp_split(&extract, 100, "", keep, kept), 1);
    assert_int_equal(kept->n, 50);
    cp_extract_free(&extract);
    free(kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headings_begin_passages_and_nest),
        cmocka_unit_test(short_paragraphs_are_put_together_long_ones_cut_at_sentences),
        cmocka_unit_test(signs_without_spaces_weigh_more_and_are_cut_too),
        cmocka_unit_test(a_text_without_ends_is_cut_all_the_same),
        cmocka_unit_test(pairs_stay_whole),
        cmocka_unit_test(the_caller_may_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
