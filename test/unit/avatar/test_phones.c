/* What languages do differently with the mouth: phones as voices name them, and the face in their middle. */
#include "avatar/avatar.h"
#include "speech/visemes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH 9600 /* samples: 200 ms */
#define LEAD   14400

/* One phone of a voice between silences, with the visemes that speech gives it; `part` of them is looked at.
 */
static void form(const char *voice, const char *phone, int part, float *ret)
{
    struct cp_utterance *u = cp_utterance_create(2 * LEAD + LENGTH, 1 + CP_VISEME_PARTS, "");
    struct cp_mouth mouth =
        cp_mouth_of_phone(strncmp(voice, "flite:", 6) ? CP_PHONES_IPA : CP_PHONES_RADIO, phone);
    float share = 0;
    snprintf(u->voice, sizeof u->voice, "%s", voice);
    u->marks[u->n_marks++] =
        (struct cp_mark){.type = CP_MARK_PHONE, .at_samples = LEAD, .length_samples = LENGTH, .stress = 2};
    snprintf(u->marks[0].name, sizeof u->marks[0].name, "%s", phone);
    int32_t look = 0;
    assert_true(mouth.n > part);
    for (int i = 0; i < mouth.n; i++) {
        struct cp_mark *mark = &u->marks[u->n_marks++];
        *mark = (struct cp_mark){.type = CP_MARK_VISEME,
                                 .at_samples = LEAD + (int32_t)(share * LENGTH),
                                 .length_samples = (int32_t)(mouth.part[i].share * LENGTH),
                                 .viseme = mouth.part[i].viseme,
                                 .weight = 1,
                                 .stress = 1};
        if (i == part)
            look = mark->at_samples + mark->length_samples / 2;
        share += mouth.part[i].share;
    }
    cp_actor_mouth(u, look, ret);
    cp_ref_drop(u);
}

static float shape(const char *voice, const char *phone, enum cp_shape shape)
{
    float face[CP_SHAPE_COUNT];
    form(voice, phone, 0, face);
    return face[shape];
}

/* How round: 0 spread or neutral .. 1 as for u. */
static float round_of(const char *voice, const char *phone)
{
    return shape(voice, phone, CP_SHAPE_mouthPucker) + 0.5f * shape(voice, phone, CP_SHAPE_mouthFunnel);
}

#define LESS(a, b)                                                                                           \
    do {                                                                                                     \
        float less = a, more = b;                                                                            \
        if (!(less + 0.05f < more))                                                                          \
            fail_msg(#a " is %.2f, " #b " is %.2f", less, more);                                             \
    } while (0)

static void german_and_french_round_their_front_vowels(void **state)
{
    static const char *const voice[] = {"espeak:de", "espeak:fr", "espeak:hu", "espeak:fi"};
    for (size_t i = 0; i < 4; i++) {
        LESS(shape(voice[i], "y", CP_SHAPE_jawOpen), shape(voice[i], "u", CP_SHAPE_jawOpen));
        LESS(0.9f, round_of(voice[i], "yː")); /* the length mark changes nothing */
        LESS(shape(voice[i], "ø", CP_SHAPE_jawOpen), shape(voice[i], "o", CP_SHAPE_jawOpen));
        LESS(shape(voice[i], "o", CP_SHAPE_mouthPucker), shape(voice[i], "øː", CP_SHAPE_mouthPucker));
        LESS(shape(voice[i], "ø", CP_SHAPE_jawOpen), shape(voice[i], "œ", CP_SHAPE_jawOpen));
        LESS(0.1f,
             shape(voice[i], "y", CP_SHAPE_tongueUp)); /* its tongue lies in front, that of u does not */
        assert_true(shape(voice[i], "u", CP_SHAPE_tongueUp) == 0);
    }
    float first[CP_SHAPE_COUNT], second[CP_SHAPE_COUNT]; /* Dutch "ui": both parts */
    form("espeak:nl", "œy", 0, first);
    form("espeak:nl", "œy", 1, second);
    LESS(first[CP_SHAPE_mouthPucker], second[CP_SHAPE_mouthPucker]);
    LESS(second[CP_SHAPE_jawOpen], first[CP_SHAPE_jawOpen]);
}

static void french_nasal_vowels_differ_in_the_lips(void **state)
{
    const char *fr = "espeak:fr";
    LESS(round_of(fr, "ɛ̃"), round_of(fr, "ɑ̃"));
    LESS(round_of(fr, "ɑ̃"), round_of(fr, "ɔ̃"));
    LESS(0.3f, shape(fr, "ɛ̃", CP_SHAPE_mouthStretchLeft));
    LESS(shape(fr, "ɔ̃", CP_SHAPE_jawOpen), shape(fr, "ɛ̃", CP_SHAPE_jawOpen));
    LESS(shape(fr, "ɛ", CP_SHAPE_jawOpen), shape(fr, "ɛ̃", CP_SHAPE_jawOpen));
    LESS(shape("espeak:en-us", "ʃ", CP_SHAPE_mouthFunnel), shape(fr, "ʃ", CP_SHAPE_mouthFunnel));
}

static void every_language_has_its_own_r(void **state)
{
    LESS(0.45f, round_of("espeak:en-us", "ɹ"));
    LESS(0.45f, round_of("flite:slt", "r"));
    LESS(round_of("flite:slt", "er"), round_of("flite:slt", "r"));
    static const char *const trill[] = {"espeak:es", "espeak:it", "espeak:ru", "espeak:pl", "espeak:fi"};
    for (size_t i = 0; i < 5; i++) {
        LESS(0.6f, shape(trill[i], "r", CP_SHAPE_tongueUp));
        LESS(round_of(trill[i], "r"), 0.1f);
        LESS(0.5f, shape(trill[i], "ɾ", CP_SHAPE_tongueUp));
    }
    LESS(shape("espeak:de", "r", CP_SHAPE_tongueUp), 0.1f); /* in the throat */
    LESS(shape("espeak:fr", "ʁ", CP_SHAPE_tongueUp), 0.1f);
    LESS(round_of("espeak:fr", "ʁ"), 0.1f);
}

static void spanish_d_and_b_come_near(void **state)
{
    LESS(0.3f, shape("espeak:en-us", "ð", CP_SHAPE_tongueOut));
    LESS(shape("espeak:es", "ð", CP_SHAPE_tongueOut), 0.1f);
    float stop[CP_SHAPE_COUNT], near[CP_SHAPE_COUNT];
    form("espeak:es", "b", 0, stop);
    form("espeak:es", "β", 0, near);
    assert_true(stop[CP_SHAPE_jawOpen] - stop[CP_SHAPE_mouthClose] < 0.01f);
    assert_true(near[CP_SHAPE_jawOpen] - near[CP_SHAPE_mouthClose] > 0.02f);
}

static void mandarin_curls_the_tongue_and_keeps_the_lips(void **state)
{
    const char *zh = "espeak:cmn-latn-pinyin";
    LESS(round_of(zh, "ʐ"), round_of("espeak:en-us", "ʒ"));
    LESS(0.3f, shape(zh, "s.", CP_SHAPE_tongueUp));
    LESS(0.25f, shape(zh, "ɕ", CP_SHAPE_mouthStretchLeft));
    LESS(shape(zh, "i.", CP_SHAPE_jawOpen), shape(zh, "i", CP_SHAPE_jawOpen)); /* "shi" is no "xi" */
    LESS(0.9f, round_of(zh, "y"));
    LESS(round_of(zh, "i"), round_of(zh, "yɛ"));
}

static void japanese_u_is_hardly_round(void **state)
{
    const char *ja = "espeak:ja";
    LESS(round_of(ja, "ɯᵝ"), round_of("espeak:de", "u"));
    LESS(0.05f, round_of(ja, "ɯᵝ"));
    LESS(shape(ja, "ɯᵝ", CP_SHAPE_mouthStretchLeft), 0.1f);
    LESS(round_of("espeak:ko", "ɯ"), 0.1f); /* Korean's is not at all */
    LESS(round_of(ja, "w"), round_of("espeak:en-us", "w"));
    assert_true(shape(ja, "ɸ", CP_SHAPE_jawOpen) > shape(ja, "ɸ", CP_SHAPE_mouthClose) + 0.02f);
}

static void russian_and_swedish_lips(void **state)
{
    LESS(round_of("espeak:ru", "y"), 0.1f); /* espeak-ng's sign for the unrounded one */
    LESS(shape("espeak:sv", "ʉː", CP_SHAPE_mouthPucker), shape("espeak:sv", "yː", CP_SHAPE_mouthPucker));
    LESS(0.1f, shape("espeak:sv", "ʉː", CP_SHAPE_mouthPressLeft));
}

static void english_w_and_u(void **state)
{
    static const char *const voice[] = {"espeak:en-us", "flite:slt"};
    for (int i = 0; i < 2; i++) {
        LESS(round_of(voice[i], i ? "uw" : "uː"), round_of(voice[i], "w"));
        LESS(round_of(voice[i], i ? "uh" : "ʊ"), round_of(voice[i], i ? "uw" : "uː"));
        LESS(0.3f, shape(voice[i], i ? "th" : "θ", CP_SHAPE_tongueOut));
        LESS(round_of(voice[i], i ? "dx" : "ɾ"), 0.1f);
    }
}

/* A sound without a row, and a mark without a phone, look like their viseme in every language. */
static void everything_else_looks_like_its_viseme(void **state)
{
    static const char *const voice[] = {"espeak:de", "espeak:xx", "espeak:", "", "odd", "own:de-x+y"};
    float plain[CP_SHAPE_COUNT], face[CP_SHAPE_COUNT];
    for (size_t i = 0; i < sizeof voice / sizeof *voice; i++)
        for (int p = 0; p < 4; p++) {
            static const char *const phone[] = {"a", "p", "s", "f"};
            form("espeak:en", phone[p], 0, plain);
            form(voice[i], phone[p], 0, face);
            for (int s = 1; s < CP_SHAPE_COUNT; s++)
                assert_float_equal(face[s], plain[s], 1e-6);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(german_and_french_round_their_front_vowels),
        cmocka_unit_test(french_nasal_vowels_differ_in_the_lips),
        cmocka_unit_test(every_language_has_its_own_r),
        cmocka_unit_test(spanish_d_and_b_come_near),
        cmocka_unit_test(mandarin_curls_the_tongue_and_keeps_the_lips),
        cmocka_unit_test(japanese_u_is_hardly_round),
        cmocka_unit_test(russian_and_swedish_lips),
        cmocka_unit_test(english_w_and_u),
        cmocka_unit_test(everything_else_looks_like_its_viseme),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
