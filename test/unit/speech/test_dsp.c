/* Rate conversion, loudness, limiting, pitch. */
#include "base/error.h"
#include "media/clock.h"
#include "speech/dsp/dsp.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int16_t *sine_16(int hz, double frequency, double level, size_t n)
{
    int16_t *pcm = malloc(n * sizeof *pcm);
    for (size_t i = 0; i < n; i++)
        pcm[i] = (int16_t)lrint(32767 * level * sin(2 * M_PI * frequency * (double)i / hz));
    return pcm;
}

static float *sine(double frequency, double level, size_t n)
{
    float *pcm = malloc(n * sizeof *pcm);
    for (size_t i = 0; i < n; i++)
        pcm[i] = (float)(level * sin(2 * M_PI * frequency * (double)i / CP_SAMPLE_HZ));
    return pcm;
}

/* Amplitude of one frequency, by correlation over the middle. */
static double amplitude(const float *pcm, size_t n, double frequency)
{
    double re = 0, im = 0;
    size_t from = n / 4, to = n - n / 4;
    for (size_t i = from; i < to; i++) {
        double window = 0.5 - 0.5 * cos(2 * M_PI * (double)(i - from) / (double)(to - from));
        re += window * pcm[i] * cos(2 * M_PI * frequency * (double)i / CP_SAMPLE_HZ);
        im += window * pcm[i] * sin(2 * M_PI * frequency * (double)i / CP_SAMPLE_HZ);
    }
    return 4 * sqrt(re * re + im * im) / (double)(to - from);
}

static void resampler_keeps_tones_and_stops_images(void **state)
{
    static const int rates[] = {8000, 11025, 16000, 22050, 24000, 44100};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        struct cp_resampler *resampler = cp_resampler_create(rates[i]);
        size_t n = (size_t)rates[i];
        double tone = 0.4 * rates[i];
        int16_t *in = sine_16(rates[i], tone, 0.5, n);
        size_t n_out = cp_resampled_length(resampler, n);
        assert_int_equal(n_out, CP_SAMPLE_HZ);
        float *out = malloc(n_out * sizeof *out);
        assert_int_equal(cp_resample(resampler, in, n, out), 0);
        assert_true(fabs(amplitude(out, n_out, tone) - 0.5) < 0.01);
        if (rates[i] - tone < CP_SAMPLE_HZ / 2.0)
            assert_true(amplitude(out, n_out, rates[i] - tone) < 0.5e-3); /* -60 dB */
        free(in);
        free(out);
        cp_resampler_destroy(resampler);
    }
}

static void resampler_does_not_delay(void **state)
{
    struct cp_resampler *resampler = cp_resampler_create(22050);
    int16_t in[2205] = {0};
    in[1000] = 20000;
    size_t n = cp_resampled_length(resampler, 2205), peak = 0;
    float *out = malloc(n * sizeof *out);
    assert_int_equal(cp_resample(resampler, in, 2205, out), 0);
    for (size_t i = 0; i < n; i++)
        peak = out[i] > out[peak] ? i : peak;
    assert_in_range(peak, 1000 * 48000 / 22050 - 1, 1000 * 48000 / 22050 + 1);
    free(out);
    cp_resampler_destroy(resampler);
    assert_null(cp_resampler_create(7999));
    assert_null(cp_resampler_create(48001));
}

static void loudness_agrees_with_bs1770(void **state)
{
    /* BS.1770-4: a 997 Hz sine at full scale in one channel reads -3.01 LKFS */
    size_t n = CP_SAMPLE_HZ * 3;
    float *tone = sine(997, 1, n);
    assert_true(fabs(cp_loudness_lufs(tone, n) + 3.01) < 0.05);
    for (size_t i = n / 3; i < n; i++)
        tone[i] = 0; /* silence is gated away, but for the blocks at the edge */
    assert_true(fabs(cp_loudness_lufs(tone, n) + 3.01) < 1.0);
    assert_true(fabs(cp_loudness_lufs(tone, CP_SAMPLE_HZ / 5) + 3.01) < 0.3); /* shorter than a block */
    assert_true(isinf(cp_loudness_lufs(tone + n / 2, n / 2)));
    assert_true(isinf(cp_loudness_lufs(tone, 0)));
    free(tone);
}

static void true_peak_sees_between_samples(void **state)
{
    /* a quarter-rate sine sampled at 45 degrees: samples at 0.707, peaks at 1 */
    float pcm[4800];
    for (int i = 0; i < 4800; i++)
        pcm[i] = (float)sin(M_PI / 2 * i + M_PI / 4);
    float peak = cp_true_peak(pcm + 0, 4800);
    assert_true(peak > 0.97f && peak < 1.08f);
}

static void gain_limits_peaks_smoothly(void **state)
{
    size_t n = CP_SAMPLE_HZ;
    float *pcm = sine(300, 0.3, n), *gains = malloc(n * sizeof *gains);
    for (size_t i = 0; i < n; i++)
        gains[i] = 2;
    for (size_t i = n / 2; i < n / 2 + 480; i++)
        pcm[i] *= 3;
    assert_int_equal(cp_apply_gain(pcm, n, gains, 0.8f), 0);
    assert_true(cp_true_peak(pcm, n) <= 0.81f);
    assert_true(fabs(amplitude(pcm, n / 3, 300) - 0.6) < 0.01); /* far from the peak nothing changes */
    free(pcm);
    free(gains);
}

static void prosody_finds_the_pitch_of_a_buzz(void **state)
{
    static const double pitches[] = {90, 130, 200, 280};
    for (size_t k = 0; k < 4; k++) {
        size_t n = CP_SAMPLE_HZ / 2;
        float *pcm = calloc(n, sizeof *pcm);
        for (int harmonic = 1; harmonic <= 12; harmonic++)
            for (size_t i = 0; i < n; i++)
                pcm[i] += 0.05f * sinf((float)(2 * M_PI * pitches[k] * harmonic * (double)i / CP_SAMPLE_HZ));
        struct cp_prosody prosody[50];
        assert_int_equal(cp_measure_prosody(pcm, n, prosody), 0);
        int right = 0;
        for (int i = 5; i < 45; i++)
            right += fabs(prosody[i].f0_hz / pitches[k] - 1) < 0.03;
        if (right < 38)
            print_error("%g Hz: %d of 40 right; at the middle %g\n", pitches[k], right,
                        (double)prosody[25].f0_hz);
        assert_true(right >= 38);
        assert_true(prosody[20].level > 0.05f && prosody[20].level < 0.5f);
        free(pcm);
    }
}

static void prosody_finds_no_pitch_in_noise_and_silence(void **state)
{
    size_t n = CP_SAMPLE_HZ / 2;
    float *pcm = calloc(n, sizeof *pcm);
    struct cp_prosody prosody[50];
    assert_int_equal(cp_measure_prosody(pcm, n, prosody), 0);
    for (int i = 0; i < 50; i++)
        assert_true(prosody[i].f0_hz == 0 && prosody[i].level == 0);
    uint32_t seed = 1;
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525 + 1013904223;
        pcm[i] = (float)(int32_t)seed / 4e9f;
    }
    assert_int_equal(cp_measure_prosody(pcm, n, prosody), 0);
    int voiced = 0;
    for (int i = 0; i < 50; i++)
        voiced += prosody[i].f0_hz > 0;
    assert_true(voiced < 10);
    free(pcm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resampler_keeps_tones_and_stops_images),
        cmocka_unit_test(resampler_does_not_delay),
        cmocka_unit_test(loudness_agrees_with_bs1770),
        cmocka_unit_test(true_peak_sees_between_samples),
        cmocka_unit_test(gain_limits_peaks_smoothly),
        cmocka_unit_test(prosody_finds_the_pitch_of_a_buzz),
        cmocka_unit_test(prosody_finds_no_pitch_in_noise_and_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
