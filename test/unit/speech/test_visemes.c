/* Phones to visemes. */
#include "speech/visemes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect(enum cp_phone_set set, const char *phone, const char *visemes)
{
    struct cp_mouth mouth = cp_mouth_of_phone(set, phone);
    char got[64] = "";
    float share = 0;
    for (int i = 0; i < mouth.n; i++) {
        strcat(got, i ? " " : "");
        strcat(got, mouth.of_next ? "next" : cp_viseme_name(mouth.part[i].viseme));
        share += mouth.part[i].share;
        assert_true(mouth.part[i].weight > 0 && mouth.part[i].weight <= 1);
    }
    if (strcmp(got, visemes) != 0)
        print_error("%s\n", phone);
    assert_string_equal(got, visemes);
    if (mouth.n)
        assert_true(fabsf(share - 1) < 1e-4f);
}

static void visemes_cover_every_radio_phone(void **state)
{
    static const char *const phones[] = {
        "aa", "ae", "ah", "ao", "aw", "ax", "ay", "b",  "ch",  "d",   "dh", "eh", "er", "ey", "f",  "g",
        "hh", "ih", "iy", "jh", "k",  "l",  "m",  "n",  "ng",  "ow",  "oy", "p",  "r",  "s",  "sh", "t",
        "th", "uh", "uw", "v",  "w",  "y",  "z",  "zh", "pau", "axr", "dx", "el", "em", "en", "hv", "nx",
    };
    for (size_t i = 0; i < sizeof phones / sizeof *phones; i++) {
        struct cp_mouth mouth = cp_mouth_of_phone(CP_PHONES_RADIO, phones[i]);
        assert_true(mouth.n > 0);
        assert_true(mouth.part[0].weight != 0.4f || !strcmp(phones[i], "dx")); /* 0.4 is "unknown" */
    }
}

static void visemes_follow_the_mouth(void **state)
{
    expect(CP_PHONES_RADIO, "p", "PP");
    expect(CP_PHONES_RADIO, "ay", "aa ih");
    expect(CP_PHONES_RADIO, "hh", "next");
    expect(CP_PHONES_RADIO, "", "sil");
    expect(CP_PHONES_IPA, "", "sil");
    expect(CP_PHONES_IPA, "b", "PP");
    expect(CP_PHONES_IPA, "tʃ", "CH");
    expect(CP_PHONES_IPA, "ts", "DD SS");
    expect(CP_PHONES_IPA, "uː", "ou");
    expect(CP_PHONES_IPA, "ɔø", "oh ih");
    expect(CP_PHONES_IPA, "th", "DD"); /* aspirated, in Chinese */
    expect(CP_PHONES_IPA, "ph", "PP");
    expect(CP_PHONES_IPA, "h", "next");
    expect(CP_PHONES_IPA, "s.", "CH");
    expect(CP_PHONES_IPA, "iou", "ih oh ou");
    expect(CP_PHONES_IPA, "o̞", "oh");
    expect(CP_PHONES_IPA, "ɑ̃", "aa");
    expect(CP_PHONES_IPA, "kʷ", "kk");
    expect(CP_PHONES_IPA, "(en)", "");
}

static void visemes_bear_foreign_names(void **state)
{
    expect(CP_PHONES_IPA, "\xff\xfe", "E");
    expect(CP_PHONES_IPA, "\xe4", "E");
    expect(CP_PHONES_IPA, "12345", "E");
    expect(CP_PHONES_IPA, "aeiouaeiouaeiou", "aa E ih oh");
    expect(CP_PHONES_RADIO, "nonsense", "E");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(visemes_cover_every_radio_phone),
        cmocka_unit_test(visemes_follow_the_mouth),
        cmocka_unit_test(visemes_bear_foreign_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
