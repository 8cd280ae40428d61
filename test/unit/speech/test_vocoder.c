/* The vocoder, on filters whose answer is known, and beside flite's own on its voices' parameters. */
#include "speech/dsp/vocoder.h"

#include <flite/cst_cg.h>
#include <flite/flite.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

cst_voice *register_cmu_us_slt(const char *directory);
cst_voice *register_cmu_us_rms(const char *directory);
cst_voice *register_cmu_us_awb(const char *directory);

enum { HZ = 16000, FRAME = 80, FRAMES = 41, SAMPLES = (FRAMES - 1) * FRAME };

/* A filter of one tap lets everything through. */
static const double IMPULSE[] = {1}, *const BAND[] = {IMPULSE};
static const struct cp_vocoder_setup PLAIN = {.hz = HZ,
                                              .frame_samples = FRAME,
                                              .order = 3,
                                              .warp = 0.42,
                                              .gain = 1,
                                              .n_bands = 1,
                                              .n_taps = 1,
                                              .bands = BAND};
static const atomic_bool GO;

static int speak(const struct cp_vocoder_setup *setup, const float frame[5], float voiced, int16_t *pcm)
{
    const float *frames[FRAMES], *voicings[FRAMES];
    for (int f = 0; f < FRAMES; f++) {
        frames[f] = frame;
        voicings[f] = &voiced;
    }
    return cp_vocode(setup, frames, voicings, FRAMES, &GO, pcm);
}

static double power(const int16_t *pcm, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += (double)pcm[i] * pcm[i];
    return sum / n;
}

static void a_flat_filter_gives_pulses_at_the_pitch(void **state)
{
    const float frame[] = {100, logf(500), 0, 0, 0};
    int16_t pcm[SAMPLES];
    assert_int_equal(speak(&PLAIN, frame, 1, pcm), 0);
    int n = 0, last = -1;
    for (int i = 0; i < SAMPLES; i++) {
        if (!pcm[i])
            continue;
        assert_in_range(pcm[i], (int)(500 * sqrt(160)) - 10, (int)(500 * sqrt(160)) + 10);
        if (last >= 0)
            assert_int_equal(i - last, 160);
        last = i;
        n++;
    }
    assert_in_range(n, SAMPLES / 160 - 1, SAMPLES / 160 + 1);
}

static void what_is_not_voiced_is_noise(void **state)
{
    const float frame[] = {0, logf(500), 0, 0, 0};
    int16_t pcm[SAMPLES];
    int up = 0;
    assert_int_equal(speak(&PLAIN, frame, 0, pcm), 0);
    for (int i = 0; i < SAMPLES; i++) {
        assert_in_range(abs(pcm[i]), 498, 501);
        up += pcm[i] > 0;
    }
    assert_in_range(up, SAMPLES * 46 / 100, SAMPLES * 54 / 100);
}

/* On a linear scale of frequencies c[1] makes the gain exp(c[1] cos w): known at each frequency. */
static void the_filter_is_the_exponential_of_its_cepstrum(void **state)
{
    struct cp_vocoder_setup setup = PLAIN;
    setup.warp = 0;
    const float frame[] = {125, logf(300), 0.9f, 0.4f, -0.3f};
    int16_t pcm[SAMPLES];
    assert_int_equal(speak(&setup, frame, 1, pcm), 0);
    for (int harmonic = 4; harmonic <= 60; harmonic += 8) {
        double w = 2 * M_PI * 125 * harmonic / HZ, real = 0, imaginary = 0;
        const int n = 128 * 20; /* twenty periods, past the beginning */
        for (int i = 0; i < n; i++) {
            real += pcm[SAMPLES - n + i] * cos(w * i);
            imaginary += pcm[SAMPLES - n + i] * sin(w * i);
        }
        double measured = sqrt(real * real + imaginary * imaginary) / n;
        double wanted = 300 * sqrt(128) / 128 * exp(0.9 * cos(w) + 0.4 * cos(2 * w) - 0.3 * cos(3 * w));
        assert_float_equal(20 * log10(measured / wanted), 0, 0.1);
    }
}

static void crisp_formants_are_not_louder(void **state)
{
    struct cp_vocoder_setup setup = PLAIN;
    const float frame[] = {0, logf(300), 0.8f, 0.6f, -0.4f};
    int16_t plain[SAMPLES], crisp[SAMPLES];
    assert_int_equal(speak(&setup, frame, 0, plain), 0);
    setup.crisp = 0.4;
    assert_int_equal(speak(&setup, frame, 0, crisp), 0);
    assert_float_equal(10 * log10(power(crisp, SAMPLES) / power(plain, SAMPLES)), 0, 0.5);
    int differ = 0;
    for (int i = 0; i < SAMPLES; i++)
        differ += abs(plain[i] - crisp[i]) > 10;
    assert_true(differ > SAMPLES / 4);
}

static void loud_filters_are_clipped(void **state)
{
    const float frame[] = {200, 30, 3, 2, 1};
    int16_t pcm[SAMPLES];
    assert_int_equal(speak(&PLAIN, frame, 0.5f, pcm), 0);
    assert_true(power(pcm, SAMPLES) > 1e8);
}

static void it_stops_and_refuses(void **state)
{
    const float frame[] = {100, 1, 0, 0, 0}, voiced = 1;
    const float *frames[] = {frame, frame}, *voicings[] = {&voiced, &voiced};
    const atomic_bool stop = true;
    int16_t pcm[FRAME];
    assert_int_equal(cp_vocode(&PLAIN, frames, voicings, 2, &stop, pcm), CP_ERR_CANCELLED);
    struct cp_vocoder_setup setup = PLAIN;
    setup.order = CP_VOCODER_MAX_ORDER + 1;
    assert_int_equal(cp_vocode(&setup, frames, voicings, 2, &GO, pcm), CP_ERR_UNSUPPORTED);
    setup = PLAIN;
    setup.n_taps = CP_VOCODER_MAX_TAPS + 1;
    assert_false(cp_vocoder_fits(&setup));
    setup = PLAIN;
    setup.frame_samples = CP_VOCODER_MAX_SAMPLES + 1;
    assert_false(cp_vocoder_fits(&setup));
}

/* --- beside flite's --- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Noise differs, so sounds are compared where they are voiced: how much of a window is the same wave. Ours is
 * a little quieter where formants stand out: flite does not take back quite all that its postfilter adds. */
static void compare(cst_voice *voice)
{
    enum { WINDOW = 400, MAX_WINDOWS = 400 };
    cst_utterance *utterance = new_utterance();
    utt_set_input_text(utterance, "Good evening and welcome. We were nowhere near the railway, he knew.");
    utt_init(utterance, voice);
    assert_non_null(utt_synth(utterance));
    const cst_wave *theirs = utt_wave(utterance);
    cst_cg_db *model = val_cg_db(get_param_val(utterance->features, "cg_db", NULL));
    cst_track *track = mlpg(val_track(get_param_val(utterance->features, "param_track", NULL)), model);
    const cst_track *voiced = val_track(get_param_val(utterance->features, "str_track", NULL));
    const struct cp_vocoder_setup setup = {
        model->sample_rate, FRAME,           24,         model->mlsa_alpha, model->mlsa_beta, model->gain,
        model->ME_num,      model->ME_order, model->me_h};
    int n = (track->num_frames - 1) * FRAME, n_windows = 0;
    int16_t *ours = malloc((size_t)n * sizeof *ours);
    assert_int_equal(theirs->num_samples, n);
    assert_int_equal(cp_vocode(&setup, (const float *const *)track->frames,
                               (const float *const *)voiced->frames, track->num_frames, &GO, ours),
                     0);
    double same[MAX_WINDOWS];
    for (int at = 0; at + WINDOW <= n && n_windows < MAX_WINDOWS; at += WINDOW) {
        double both = 0, a = 1, b = 1;
        for (int i = at; i < at + WINDOW; i++) {
            both += (double)ours[i] * theirs->samples[i];
            a += (double)ours[i] * ours[i];
            b += (double)theirs->samples[i] * theirs->samples[i];
        }
        if (!(track->frames[at / FRAME][0] > 0) || !(track->frames[at / FRAME + 5][0] > 0) ||
            b < 1e6 * WINDOW)
            continue;
        assert_float_equal(10 * log10(a / b), -1.6, 2.2);
        same[n_windows++] = both / sqrt(a * b);
    }
    qsort(same, (size_t)n_windows, sizeof *same, by_value);
    assert_true(n_windows > 40);
    assert_true(same[n_windows / 2] > 0.99);
    assert_true(same[n_windows / 10] > 0.96);
    free(ours);
    delete_track(track);
    delete_utterance(utterance);
}

static void voices_sound_as_they_do_by_flite(void **state)
{
    flite_init();
    compare(register_cmu_us_slt(NULL));
    compare(register_cmu_us_rms(NULL));
    compare(register_cmu_us_awb(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flat_filter_gives_pulses_at_the_pitch),
        cmocka_unit_test(what_is_not_voiced_is_noise),
        cmocka_unit_test(the_filter_is_the_exponential_of_its_cepstrum),
        cmocka_unit_test(crisp_formants_are_not_louder),
        cmocka_unit_test(loud_filters_are_clipped),
        cmocka_unit_test(it_stops_and_refuses),
        cmocka_unit_test(voices_sound_as_they_do_by_flite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
