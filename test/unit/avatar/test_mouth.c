/* The rules of lip motion, on utterances made by hand. */
#include "avatar/avatar.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MS (CP_SAMPLE_HZ / 1000)

struct sound {
    enum cp_viseme viseme;
    int ms;
    int stress;
};

/* Sounds one after another from lead_ms on, at an even level while something sounds. */
static struct cp_utterance *say(const struct sound *sounds, size_t n, int lead_ms, int tail_ms)
{
    int total = lead_ms + tail_ms, at = lead_ms;
    for (size_t i = 0; i < n; i++)
        total += sounds[i].ms;
    struct cp_utterance *u = cp_utterance_create(total * MS, n, "");
    for (size_t i = 0; i < n; i++) {
        u->marks[i] = (struct cp_mark){.type = CP_MARK_VISEME,
                                       .at_samples = at * MS,
                                       .length_samples = sounds[i].ms * MS,
                                       .viseme = sounds[i].viseme,
                                       .weight = 1,
                                       .stress = sounds[i].stress};
        for (int ms = at; ms < at + sounds[i].ms; ms += 10)
            u->prosody[ms / 10] =
                (struct cp_prosody){.f0_hz = 180, .level = sounds[i].viseme == CP_VISEME_SIL ? 0 : 0.1f};
        at += sounds[i].ms;
    }
    u->n_marks = n;
    return u;
}
#define SAY(sounds, lead, tail) say(sounds, sizeof(sounds) / sizeof *(sounds), lead, tail)

/* How far the lips are from meeting: 0 shut. */
static float opening(const float *w)
{
    float jaw = fmaxf(w[CP_SHAPE_jawOpen] - w[CP_SHAPE_mouthClose], 0);
    float upper = fmaxf(w[CP_SHAPE_mouthUpperUpLeft], w[CP_SHAPE_mouthUpperUpRight]);
    float lower = fmaxf(w[CP_SHAPE_mouthLowerDownLeft], w[CP_SHAPE_mouthLowerDownRight]);
    return jaw + upper + lower + w[CP_SHAPE_mouthFunnel];
}

static float at_ms(const struct cp_utterance *u, int ms, enum cp_shape shape)
{
    float w[CP_SHAPE_COUNT];
    cp_actor_mouth(u, ms * MS, w);
    return w[shape];
}

static void lips_meet_in_the_middle_of_every_bilabial(void **state)
{
    /* "mobile banana, papa!": between open vowels, fast and slow */
    for (int ms = 35; ms <= 140; ms += 15) {
        const struct sound sounds[] = {{CP_VISEME_PP, ms, 0},  {CP_VISEME_OH, 120, 2}, {CP_VISEME_PP, ms, 0},
                                       {CP_VISEME_AA, 130, 2}, {CP_VISEME_PP, ms, 0},  {CP_VISEME_E, 90, 0},
                                       {CP_VISEME_PP, ms, 0},  {CP_VISEME_OU, 80, 1},  {CP_VISEME_SS, 70, 0},
                                       {CP_VISEME_PP, ms, 0},  {CP_VISEME_FF, 60, 0},  {CP_VISEME_PP, ms, 0}};
        struct cp_utterance *u = SAY(sounds, 150, 300);
        int bilabials = 0;
        for (size_t i = 0; i < u->n_marks; i++) {
            if (u->marks[i].viseme != CP_VISEME_PP)
                continue;
            float w[CP_SHAPE_COUNT];
            /* for one frame's time, so that some frame shows it */
            for (int off = -16; off <= 16; off += 8) {
                cp_actor_mouth(u, u->marks[i].at_samples + u->marks[i].length_samples / 2 + off * MS, w);
                if (1 - opening(w) < 0.95f)
                    fail_msg("%d ms: bilabial %zu is %.2f closed at %+d ms", ms, i, 1 - opening(w), off);
            }
            assert_true(w[CP_SHAPE_jawOpen] < 0.16f); /* the lips do not do it alone */
            assert_true(w[CP_SHAPE_mouthPressLeft] + w[CP_SHAPE_mouthRollLower] > 0.3f);
            bilabials++;
        }
        assert_int_equal(bilabials, 6);
        cp_ref_drop(u);
    }
}

static void mouth_rests_before_after_and_in_pauses(void **state)
{
    const struct sound sounds[] = {{CP_VISEME_AA, 150, 2},
                                   {CP_VISEME_NN, 60, 0},
                                   {CP_VISEME_SIL, 700, 0},
                                   {CP_VISEME_OU, 150, 2},
                                   {CP_VISEME_DD, 60, 0}};
    struct cp_utterance *u = SAY(sounds, 500, 600);
    int pause = 500 + 210, end = 500 + 210 + 700 + 210;
    float w[CP_SHAPE_COUNT];
    for (int ms = 0; ms < end + 600; ms += 5) {
        cp_actor_mouth(u, ms * MS, w);
        bool at_rest = ms < 500 - 160 || (ms > pause + 250 && ms < pause + 700 - 250) || ms > end + 250;
        for (int s = 1; at_rest && s < CP_SHAPE_COUNT; s++)
            if (w[s] != 0)
                fail_msg("%s is %g at %d ms", cp_shape_name((enum cp_shape)s), w[s], ms);
    }
    cp_ref_drop(u);
}

static void mouth_stays_shut_where_marks_lie_on_silence(void **state)
{
    const struct sound sounds[] = {
        {CP_VISEME_AA, 150, 2}, {CP_VISEME_DD, 60, 0}, {CP_VISEME_AA, 700, 0}, {CP_VISEME_OU, 150, 2}};
    struct cp_utterance *u = SAY(sounds, 100, 300);
    for (int ms = 310; ms < 1010; ms += 10)
        u->prosody[ms / 10].level = 0;
    assert_true(at_ms(u, 170, CP_SHAPE_jawOpen) > 0.4f);
    assert_float_equal(at_ms(u, 660, CP_SHAPE_jawOpen), 0, 1e-6);
    cp_ref_drop(u);
}

static void mouth_speaks_when_nobody_measured_the_sound(void **state)
{
    const struct sound sounds[] = {{CP_VISEME_AA, 200, 2}};
    struct cp_utterance *u = SAY(sounds, 200, 300);
    memset(u->prosody, 0, u->n_prosody * sizeof *u->prosody);
    assert_true(at_ms(u, 300, CP_SHAPE_jawOpen) > 0.5f);
    cp_ref_drop(u);
}

static void vowel_peaks_inside_its_mark(void **state)
{
    for (int ms = 70; ms <= 250; ms += 30) {
        const struct sound sounds[] = {{CP_VISEME_DD, 60, 0}, {CP_VISEME_AA, ms, 2}, {CP_VISEME_NN, 70, 0}};
        struct cp_utterance *u = SAY(sounds, 300, 400);
        float most = 0;
        int first = 0, last = 0;
        for (int t = 0; t < 1000; t++) {
            float jaw = at_ms(u, t, CP_SHAPE_jawOpen);
            if (jaw > most + 0.002f) {
                most = jaw;
                first = t;
            }
            if (jaw > most - 0.002f)
                last = t;
        }
        /* the middle of the peak lies within 20 ms of the region that the mark holds (its first 75 %) */
        int peak = (first + last) / 2, from = 360, to = 360 + ms * 3 / 4;
        if (peak < from - 20 || peak > to + 20)
            fail_msg("aa of %d ms peaks at %d, its mark holds %d..%d", ms, peak, from, to);
        assert_true(most > 0.45f);
        cp_ref_drop(u);
    }
}

static void teeth_meet_the_lip_in_ff(void **state)
{
    const struct sound sounds[] = {{CP_VISEME_AA, 120, 2}, {CP_VISEME_FF, 80, 0}, {CP_VISEME_AA, 120, 2}};
    struct cp_utterance *u = SAY(sounds, 200, 300);
    assert_true(at_ms(u, 360, CP_SHAPE_jawOpen) <= 0.121f);
    assert_true(at_ms(u, 360, CP_SHAPE_mouthRollLower) > 0.45f);
    assert_true(at_ms(u, 360, CP_SHAPE_mouthUpperUpLeft) > 0.2f);
    cp_ref_drop(u);
}

static void sibilants_narrow_the_jaw(void **state)
{
    const struct sound sounds[] = {{CP_VISEME_AA, 120, 2}, {CP_VISEME_SS, 80, 0}, {CP_VISEME_AA, 120, 2}};
    struct cp_utterance *u = SAY(sounds, 200, 300);
    assert_true(at_ms(u, 360, CP_SHAPE_jawOpen) <= 0.101f);
    assert_true(at_ms(u, 260, CP_SHAPE_jawOpen) > 0.4f);
    cp_ref_drop(u);
}

static void tongue_sounds_leave_the_lips_to_their_neighbours(void **state)
{
    const struct sound round[] = {{CP_VISEME_OU, 120, 2}, {CP_VISEME_DD, 60, 0}, {CP_VISEME_OU, 120, 2}};
    const struct sound spread[] = {{CP_VISEME_IH, 120, 2}, {CP_VISEME_DD, 60, 0}, {CP_VISEME_IH, 120, 2}};
    struct cp_utterance *a = SAY(round, 200, 300), *b = SAY(spread, 200, 300);
    assert_true(at_ms(a, 350, CP_SHAPE_mouthPucker) > 0.5f);
    assert_true(at_ms(b, 350, CP_SHAPE_mouthPucker) == 0);
    assert_true(at_ms(a, 350, CP_SHAPE_tongueUp) > 0.4f);
    cp_ref_drop(a);
    cp_ref_drop(b);
}

static void rounding_starts_early(void **state)
{
    const struct sound sounds[] = {{CP_VISEME_OU, 200, 2}};
    struct cp_utterance *u = SAY(sounds, 400, 300);
    int pucker = 0, jaw = 0;
    u->prosody[0].level = 0;
    for (int t = 0; t < 420; t++) {
        if (!pucker && at_ms(u, t, CP_SHAPE_mouthPucker) > 0.3f)
            pucker = t;
        if (!jaw && at_ms(u, t, CP_SHAPE_jawOpen) > 0.3f * at_ms(u, 450, CP_SHAPE_jawOpen) / 0.75f)
            jaw = t;
    }
    assert_true(pucker > 0 && jaw > pucker);
    cp_ref_drop(u);
}

static void louder_speech_opens_the_jaw_further(void **state)
{
    const struct sound sounds[] = {{CP_VISEME_AA, 200, 1}, {CP_VISEME_DD, 60, 0}, {CP_VISEME_AA, 200, 1}};
    struct cp_utterance *u = SAY(sounds, 200, 300);
    for (size_t i = 42; i < u->n_prosody; i++)
        u->prosody[i].level *= 0.15f;
    assert_true(at_ms(u, 275, CP_SHAPE_jawOpen) > 1.2f * at_ms(u, 540, CP_SHAPE_jawOpen));
    cp_ref_drop(u);
}

/* Nothing jumps: at 30 frames a second lips cross their whole range in two frames at least. */
static void mouth_moves_smoothly(void **state)
{
    const struct sound sounds[] = {{CP_VISEME_PP, 40, 0}, {CP_VISEME_AA, 90, 2}, {CP_VISEME_SS, 60, 0},
                                   {CP_VISEME_OU, 70, 2}, {CP_VISEME_FF, 50, 0}, {CP_VISEME_IH, 60, 0},
                                   {CP_VISEME_KK, 40, 0}, {CP_VISEME_PP, 60, 0}, {CP_VISEME_E, 100, 2}};
    struct cp_utterance *u = SAY(sounds, 200, 300);
    float before[CP_SHAPE_COUNT], now[CP_SHAPE_COUNT];
    cp_actor_mouth(u, 0, before);
    for (int ms = 2; ms < 1000; ms += 2) {
        cp_actor_mouth(u, ms * MS, now);
        for (int s = 1; s < CP_SHAPE_COUNT; s++)
            if (!(fabsf(now[s] - before[s]) < 0.07f))
                fail_msg("%s jumps from %.2f to %.2f at %d ms", cp_shape_name((enum cp_shape)s), before[s],
                         now[s], ms);
        memcpy(before, now, sizeof now);
    }
    cp_ref_drop(u);
}

static void mouth_takes_any_marks(void **state)
{
    uint32_t random = 1;
    float w[CP_SHAPE_COUNT];
    for (int round = 0; round < 300; round++) {
        struct cp_utterance *u = cp_utterance_create(CP_SAMPLE_HZ, 20, "");
        u->n_marks = 20;
        for (int i = 0; i < 20; i++) {
            random = random * 1664525 + 1013904223;
            u->marks[i] = (struct cp_mark){.type = CP_MARK_VISEME,
                                           .at_samples = (int32_t)(random >> 8) % CP_SAMPLE_HZ - 1000,
                                           .length_samples = (int32_t)(random >> 20) % 9000 - 500,
                                           .viseme = (enum cp_viseme)(random >> 27),
                                           .weight = (float)(random & 7) / 3 - 0.5f};
        }
        for (int at = -CP_SAMPLE_HZ; at < 2 * CP_SAMPLE_HZ; at += 1701) {
            cp_actor_mouth(u, at, w);
            for (int s = 1; s < CP_SHAPE_COUNT; s++)
                assert_true(w[s] >= 0 && w[s] <= 1);
        }
        cp_ref_drop(u);
    }
    cp_actor_mouth(NULL, 0, w);
    assert_true(w[CP_SHAPE_jawOpen] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lips_meet_in_the_middle_of_every_bilabial),
        cmocka_unit_test(mouth_rests_before_after_and_in_pauses),
        cmocka_unit_test(mouth_stays_shut_where_marks_lie_on_silence),
        cmocka_unit_test(mouth_speaks_when_nobody_measured_the_sound),
        cmocka_unit_test(vowel_peaks_inside_its_mark),
        cmocka_unit_test(teeth_meet_the_lip_in_ff),
        cmocka_unit_test(sibilants_narrow_the_jaw),
        cmocka_unit_test(tongue_sounds_leave_the_lips_to_their_neighbours),
        cmocka_unit_test(rounding_starts_early),
        cmocka_unit_test(louder_speech_opens_the_jaw_further),
        cmocka_unit_test(mouth_moves_smoothly),
        cmocka_unit_test(mouth_takes_any_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
