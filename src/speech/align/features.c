#include "speech/align/features.h"

#include "base/error.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BANDS = 26, CEPSTRA = CP_FEATURE_CEPSTRA, DIMS = CP_FEATURE_DIMS };
enum { WINDOW_MS = 25, KEPT_OF_PAUSE = 4 /* steps, at each of its ends */, REACH = 2 /* of a change */ };
#define BOTTOM_HZ   80.0f
#define EMPHASIS    0.97f
#define FLOOR       1e-5f /* power of a band, so that silence has a finite logarithm */
#define SILENCE_DB  38.0f /* below the loudest step */
#define SAME_DEGREE 1e-6f /* keeps a constant dimension from being divided by zero */

/* --- spectra --- */

enum { SIZE = CP_SPECTRUM_SIZE, HALF = SIZE / 2 };

void cp_turns_make(struct cp_turns *turns)
{
    for (int k = 0; k < HALF; k++) {
        turns->cosine[k] = cosf(2 * (float)M_PI * (float)k / SIZE);
        turns->sine[k] = -sinf(2 * (float)M_PI * (float)k / SIZE);
    }
}

static void exchange(float *a, float *b)
{
    float keep = *a;
    *a = *b;
    *b = keep;
}

static void order_bits(float *re, float *im)
{
    for (int i = 1, j = 0; i < SIZE; i++) {
        int bit = HALF;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            exchange(&re[i], &re[j]);
            exchange(&im[i], &im[j]);
        }
    }
}

/* Cooley and Tukey's transform, radix 2, in place. */
static void transform(const struct cp_turns *turns, float *re, float *im)
{
    order_bits(re, im);
    for (int span = 1; span < SIZE; span *= 2) {
        int stride = HALF / span;
        for (int start = 0; start < SIZE; start += 2 * span) {
            for (int k = 0; k < span; k++) {
                int p = start + k, q = p + span;
                float c = turns->cosine[k * stride], s = turns->sine[k * stride];
                float x = re[q] * c - im[q] * s, y = re[q] * s + im[q] * c;
                re[q] = re[p] - x;
                im[q] = im[p] - y;
                re[p] += x;
                im[p] += y;
            }
        }
    }
}

void cp_spectra_of_two(const struct cp_turns *turns, float *re, float *im, float *power_re, float *power_im)
{
    transform(turns, re, im);
    for (int k = 0; k <= HALF; k++) {
        int mirror = (SIZE - k) & (SIZE - 1);
        /* the spectra of two real sounds come apart by sum and difference with the mirrored one */
        float a = 0.5f * (re[k] + re[mirror]), b = 0.5f * (im[k] - im[mirror]);
        float c = 0.5f * (im[k] + im[mirror]), d = 0.5f * (re[mirror] - re[k]);
        power_re[k] = a * a + b * b;
        power_im[k] = c * c + d * d;
    }
}

float *cp_features_narrow(const int16_t *pcm, size_t n_samples, int hz, int *ret_hz, size_t *ret_n)
{
    size_t factor = hz > 24000 ? 2 : 1, n = n_samples / factor;
    float *narrow = malloc((n + 1) * sizeof *narrow);
    if (!narrow)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        float sum = 0;
        for (size_t k = 0; k < factor; k++)
            sum += (float)pcm[i * factor + k];
        narrow[i] = sum / (32768.0f * (float)factor);
    }
    *ret_hz = hz / (int)factor;
    *ret_n = n;
    return narrow;
}

/* --- bands and cepstra --- */

struct bank {
    int hz, window;
    float shape[SIZE];         /* Hamming's */
    float edge_bin[BANDS + 2]; /* where each triangle starts, peaks and ends */
    float cosine[CEPSTRA][BANDS];
    struct cp_turns turns;
};

static void make_bank(struct bank *bank, int hz, float top_hz)
{
    bank->hz = hz;
    bank->window = hz * WINDOW_MS / 1000;
    if (bank->window > SIZE)
        bank->window = SIZE;
    cp_turns_make(&bank->turns);
    for (int i = 0; i < bank->window; i++)
        bank->shape[i] = 0.54f - 0.46f * cosf(2 * (float)M_PI * (float)i / (float)(bank->window - 1));
    float low = logf(1 + BOTTOM_HZ / 700), high = logf(1 + top_hz / 700);
    for (int i = 0; i < BANDS + 2; i++)
        bank->edge_bin[i] = 700 * (expf(low + (high - low) * (float)i / (BANDS + 1)) - 1) * SIZE / (float)hz;
    for (int c = 0; c < CEPSTRA; c++)
        for (int b = 0; b < BANDS; b++)
            bank->cosine[c][b] = cosf((float)M_PI * (float)c * ((float)b + 0.5f) / BANDS);
}

static void cepstra_of(const struct bank *bank, const float *power, float *cepstra)
{
    float level[BANDS];
    for (int b = 0; b < BANDS; b++) {
        float from = bank->edge_bin[b], peak = bank->edge_bin[b + 1], to = bank->edge_bin[b + 2], sum = 0;
        for (int k = (int)ceilf(from); (float)k < to && k <= HALF; k++) {
            float at = (float)k;
            sum += power[k] * (at <= peak ? (at - from) / (peak - from) : (to - at) / (to - peak));
        }
        level[b] = logf(sum + FLOOR);
    }
    for (int c = 0; c < CEPSTRA; c++) {
        float sum = 0;
        for (int b = 0; b < BANDS; b++)
            sum += level[b] * bank->cosine[c][b];
        cepstra[c] = sum;
    }
}

/* The stretch around a step's middle, emphasised and windowed. Returns its power before that. */
static float take_window(const struct bank *bank, const float *sound, size_t n, int step, float *out)
{
    long hop = (long)bank->hz * CP_FEATURE_HOP_MS / 1000;
    long start = step * hop + hop / 2 - bank->window / 2;
    float power = 0;
    memset(out, 0, SIZE * sizeof *out);
    for (int i = 0; i < bank->window; i++) {
        long at = start + i;
        if (at < 1 || at >= (long)n)
            continue;
        power += sound[at] * sound[at];
        out[i] = (sound[at] - EMPHASIS * sound[at - 1]) * bank->shape[i];
    }
    return power;
}

/* Cepstra and power of every step; two at a time. */
static void measure_steps(const struct bank *bank, const float *sound, size_t n, int steps, float *cepstra,
                          float *loud)
{
    float re[SIZE], im[SIZE];
    float power[2][HALF + 1];
    for (int i = 0; i < steps; i += 2) {
        bool pair = i + 1 < steps;
        loud[i] = take_window(bank, sound, n, i, re);
        float second = take_window(bank, sound, n, i + 1, im);
        cp_spectra_of_two(&bank->turns, re, im, power[0], power[1]);
        cepstra_of(bank, power[0], cepstra + (size_t)i * CEPSTRA);
        if (pair) {
            loud[i + 1] = second;
            cepstra_of(bank, power[1], cepstra + (size_t)(i + 1) * CEPSTRA);
        }
    }
}

/* --- which steps stay --- */

static int choose_steps(const float *loud, int steps, int32_t *chosen)
{
    float loudest = 0;
    for (int i = 0; i < steps; i++)
        loudest = fmaxf(loudest, loud[i]);
    float gate = loudest * powf(10, -SILENCE_DB / 10);
    int n = 0;
    for (int i = 0; i < steps && loudest > 0;) {
        int end = i;
        while (end < steps && loud[end] <= gate)
            end++;
        for (int k = i; k < end; k++)
            if (k - i < KEPT_OF_PAUSE || end - k <= KEPT_OF_PAUSE)
                chosen[n++] = k;
        if (end < steps)
            chosen[n++] = end;
        i = end + 1;
    }
    return n;
}

/* Mean 0 and deviation 1 of each dimension. */
static void normalise(struct cp_features *features)
{
    for (int k = 0; k < DIMS; k++) {
        float *value = features->value + (size_t)k * (size_t)features->n;
        double sum = 0, squares = 0;
        for (int i = 0; i < features->n; i++) {
            sum += (double)value[i];
            squares += (double)value[i] * (double)value[i];
        }
        double mean = sum / features->n, spread = squares / features->n - mean * mean;
        float scale = 1 / (sqrtf((float)fmax(spread, 0)) + SAME_DEGREE);
        for (int i = 0; i < features->n; i++)
            value[i] = (value[i] - (float)mean) * scale;
    }
}

static void fill(struct cp_features *features, const float *cepstra, int steps)
{
    for (int i = 0; i < features->n; i++) {
        int at = features->step[i], before = at < REACH ? 0 : at - REACH;
        int behind = at + REACH < steps ? at + REACH : steps - 1;
        for (int c = 0; c < CEPSTRA; c++) {
            size_t place = (size_t)c * (size_t)features->n + (size_t)i;
            features->value[place] = cepstra[(size_t)at * CEPSTRA + (size_t)c];
            features->value[place + (size_t)CEPSTRA * (size_t)features->n] =
                cepstra[(size_t)behind * CEPSTRA + (size_t)c] - cepstra[(size_t)before * CEPSTRA + (size_t)c];
        }
    }
    normalise(features);
}

int cp_features_measure(const int16_t *pcm, size_t n_samples, int hz, float top_hz,
                        struct cp_features *ret_features)
{
    struct cp_features features = {0};
    struct bank bank;
    int result = CP_ERR_NOMEM, narrow_hz = hz;
    size_t n = 0;
    float *sound = cp_features_narrow(pcm, n_samples, hz, &narrow_hz, &n);
    int steps = (int)(n / (size_t)(narrow_hz * CP_FEATURE_HOP_MS / 1000));
    float *cepstra = malloc(((size_t)steps + 1) * CEPSTRA * sizeof *cepstra);
    float *loud = malloc(((size_t)steps + 1) * sizeof *loud);
    features.step = malloc(((size_t)steps + 1) * sizeof *features.step);
    if (!sound || !cepstra || !loud || !features.step)
        goto out;
    make_bank(&bank, narrow_hz, top_hz);
    measure_steps(&bank, sound, n, steps, cepstra, loud);
    features.n = choose_steps(loud, steps, features.step);
    features.value = malloc(((size_t)features.n + 1) * DIMS * sizeof *features.value);
    if (!features.value)
        goto out;
    if (features.n)
        fill(&features, cepstra, steps);
    *ret_features = features;
    features = (struct cp_features){0};
    result = 0;
out:
    cp_features_free(&features);
    free(sound);
    free(cepstra);
    free(loud);
    return result;
}

void cp_features_free(struct cp_features *features)
{
    free(features->value);
    free(features->step);
    *features = (struct cp_features){0};
}
