/* Chinese as pinyin and Japanese as kana, with every sign belonging to a word. */
#include "speech/worker/respell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct respelling respelling;

/* Each byte of a letter belongs to exactly one word, in order. */
static void check_words(const char *text)
{
    int end = 0, at = 0;
    for (int i = 0; i < respelling.n_words; i++) {
        const struct respelled_word *word = &respelling.words[i];
        assert_true(word->at >= at && word->length > 0);
        assert_true(word->start >= end && word->end > word->start && word->end <= (int)strlen(text));
        for (int k = end; k < word->start; k++) /* only punctuation and spaces lie between */
            assert_true(strchr("，。、？！；：・ ", text[k]) || (text[k] & 0x80));
        at = word->at + word->length;
        end = word->end;
    }
    assert_true(at <= respelling.characters);
}

static void respell_gives_mandarin_its_tones(void **state)
{
    static const char *const ROWS[][2] = {
        {"你好", "ni3hao3 "},
        {"银行的行长", "yin2hang2 de5 hang2zhang3 "},
        {"重庆很重要。", "chong2qing4 hen3 zhong4yao4 . "},
        {"不是", "bu2shi4 "},
        {"不好", "bu4hao3 "},
        {"第一", "di4yi1 "},
        {"绿色，女人", "lv4se4 , nv3ren2 "},
        {"音乐", "yin1yue4 "},
        {"西安", "xi1an1 "},
        {"觉得还有地方", "jue2de5 hai2you3 di4fang1 "},
        {"一定", "yi2ding4 "},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        assert_true(respell_mandarin(ROWS[i][0], &respelling));
        assert_string_equal(respelling.text, ROWS[i][1]);
        check_words(ROWS[i][0]);
    }
    assert_false(respell_mandarin("no signs here", &respelling));
}

static void respell_gives_japanese_its_readings(void **state)
{
    if (*respell_japanese_why_not()) {
        print_message("%s\n", respell_japanese_why_not());
        skip();
    }
    static const char *const ROWS[][2] = {
        {"東京は晴れです。", "トーキョーワ ハレデス . "},
        {"日本へ行きました", "ニッポンエ イキマシタ "},
        {"サンビャクエンのリンゴ", "サンビャクエンノ リンゴ "},
        {"今日は、いい天気", "キョーワ , イイ テンキ "},
    };
    int wrong = 0;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        assert_true(respell_japanese(ROWS[i][0], &respelling));
        if (strcmp(respelling.text, ROWS[i][1]) != 0) {
            print_error("%s: wanted \"%s\", got \"%s\"\n", ROWS[i][0], ROWS[i][1], respelling.text);
            wrong++;
        }
        check_words(ROWS[i][0]);
    }
    assert_int_equal(wrong, 0);
}

static void respell_finds_the_source(void **state)
{
    int start, end;
    assert_true(respell_mandarin("我说：银行", &respelling));
    const char *at = strstr(respelling.text, "yin2");
    assert_non_null(at);
    assert_true(respelling_source(&respelling, (int)(at - respelling.text) + 5, &start, &end));
    assert_int_equal(start, 9); /* behind two signs and a wide colon */
    assert_int_equal(end, 15);
    assert_false(respelling_source(&respelling, respelling.characters, &start, &end));
}

/* Random signs, letters and punctuation: nothing is lost, nothing out of bounds. */
static void respell_takes_any_text(void **state)
{
    static const char *const BITS[] = {"一", "不", "行", "龘", "a",      "1",  "。", "、",
                                       " ",  "カ", "を", "々", "〇",     "é",  "😀",  "の",
                                       "東", "得", "0",  ".",  "\u3000", "ー", "𠀀"};
    unsigned seed = 3;
    for (int round = 0; round < 2000; round++) {
        char text[300] = "";
        for (int n = round % 40; n > 0; n--) {
            seed = seed * 1103515245 + 12345;
            strcat(text, BITS[(seed >> 16) % (sizeof BITS / sizeof BITS[0])]);
        }
        bool made[2] = {respell_mandarin(text, &respelling), false};
        if (made[0])
            check_words(text);
        made[1] = respell_japanese(text, &respelling);
        if (made[1])
            check_words(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(respell_gives_mandarin_its_tones),
        cmocka_unit_test(respell_gives_japanese_its_readings),
        cmocka_unit_test(respell_finds_the_source),
        cmocka_unit_test(respell_takes_any_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
