/* Rate conversion. The filter passes all a speech engine makes (flat to 90 % of its band) and stops images by
 * more than 80 dB: Kaiser window, J. F. Kaiser, "Nonrecursive digital filter design" (1974). */
#include "base/error.h"
#include "media/clock.h"
#include "speech/dsp/dsp.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { HALF = 24, TAPS = 2 * HALF }; /* input samples under the filter; a multiple of 16 */
#define KAISER_BETA 8.0              /* 80 dB */
#define CUTOFF      0.95             /* of the input's Nyquist frequency: the middle of the transition */

struct cp_resampler {
    int from_hz;
    int up, down; /* 48000 / from_hz as a reduced fraction */
    float *phase; /* up x TAPS */
};

typedef float v8 __attribute__((vector_size(32)));

typedef float v4 __attribute__((vector_size(16)));
typedef int i4 __attribute__((vector_size(16)));

/* The sum of both halves. */
#define FOLD(sum)                                                                                            \
    ((v4){(sum)[0], (sum)[1], (sum)[2], (sum)[3]} + (v4){(sum)[4], (sum)[5], (sum)[6], (sum)[7]})

/* Where the filter stands: input samples, and `up`-ths of one. */
struct place {
    size_t whole;
    int phase;
};

/* Compiled for every x86-64 and for those with AVX2. Four outputs at a time, since adding up the lanes of one
 * costs as much as the filter. */
#define KERNELS(name, target_of)                                                                             \
    target_of static float dot_##name(const float *a, const float *b, size_t n)                              \
    {                                                                                                        \
        v8 sum0 = {0}, sum1 = {0};                                                                           \
        size_t i = 0;                                                                                        \
        for (; i + 16 <= n; i += 16) {                                                                       \
            v8 a0, a1, b0, b1;                                                                               \
            memcpy(&a0, a + i, sizeof a0);                                                                   \
            memcpy(&b0, b + i, sizeof b0);                                                                   \
            memcpy(&a1, a + i + 8, sizeof a1);                                                               \
            memcpy(&b1, b + i + 8, sizeof b1);                                                               \
            sum0 += a0 * b0;                                                                                 \
            sum1 += a1 * b1;                                                                                 \
        }                                                                                                    \
        v4 four = FOLD(sum0 + sum1);                                                                         \
        float sum = four[0] + four[1] + four[2] + four[3];                                                   \
        for (; i < n; i++)                                                                                   \
            sum += a[i] * b[i];                                                                              \
        return sum;                                                                                          \
    }                                                                                                        \
    target_of static struct place filter_##name(const struct cp_resampler *resampler, struct place at,       \
                                                const float *in, size_t n_out, float *out)                   \
    {                                                                                                        \
        for (size_t i = 0; i + 4 <= n_out; i += 4) {                                                         \
            v4 folded[4];                                                                                    \
            _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++)                                              \
            {                                                                                                \
                const float *x = in + at.whole, *h = resampler->phase + (size_t)at.phase * TAPS;             \
                v8 sum = {0};                                                                                \
                _Pragma("GCC unroll 6") for (int tap = 0; tap < TAPS; tap += 8)                              \
                {                                                                                            \
                    v8 a, b;                                                                                 \
                    memcpy(&a, x + tap, sizeof a);                                                           \
                    memcpy(&b, h + tap, sizeof b);                                                           \
                    sum += a * b;                                                                            \
                }                                                                                            \
                folded[k] = FOLD(sum);                                                                       \
                at.phase += resampler->down;                                                                 \
                if (at.phase >= resampler->up) {                                                             \
                    at.phase -= resampler->up;                                                               \
                    at.whole++;                                                                              \
                }                                                                                            \
            }                                                                                                \
            v4 one = __builtin_shuffle(folded[0], folded[1], (i4){0, 4, 2, 6}) +                             \
                     __builtin_shuffle(folded[0], folded[1], (i4){1, 5, 3, 7});                              \
            v4 two = __builtin_shuffle(folded[2], folded[3], (i4){0, 4, 2, 6}) +                             \
                     __builtin_shuffle(folded[2], folded[3], (i4){1, 5, 3, 7});                              \
            v4 four = __builtin_shuffle(one, two, (i4){0, 1, 4, 5}) +                                        \
                      __builtin_shuffle(one, two, (i4){2, 3, 6, 7});                                         \
            memcpy(out + i, &four, sizeof four);                                                             \
        }                                                                                                    \
        return at;                                                                                           \
    }
KERNELS(any, )
KERNELS(avx2, __attribute__((target("avx2,fma"))))

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

float cp_dot(const float *a, const float *b, size_t n)
{
    return has_avx2() ? dot_avx2(a, b, n) : dot_any(a, b, n);
}

/* Modified Bessel function of the first kind, order 0, by its series. */
static double bessel_i0(double x)
{
    double sum = 1, term = 1;
    for (int k = 1; k < 40; k++) {
        term *= (x / 2 / k) * (x / 2 / k);
        sum += term;
    }
    return sum;
}

static int gcd(int a, int b)
{
    return b ? gcd(b, a % b) : a;
}

struct cp_resampler *cp_resampler_create(int from_hz)
{
    if (from_hz < 8000 || from_hz > CP_SAMPLE_HZ)
        return NULL;
    struct cp_resampler *resampler = calloc(1, sizeof *resampler);
    if (!resampler)
        return NULL;
    int divisor = gcd(CP_SAMPLE_HZ, from_hz);
    resampler->from_hz = from_hz;
    resampler->up = CP_SAMPLE_HZ / divisor;
    resampler->down = from_hz / divisor;
    resampler->phase = malloc((size_t)resampler->up * TAPS * sizeof(float));
    if (!resampler->phase) {
        free(resampler);
        return NULL;
    }
    for (int phase = 0; phase < resampler->up; phase++) {
        float *row = resampler->phase + (size_t)phase * TAPS;
        double sum = 0;
        for (int tap = 0; tap < TAPS; tap++) {
            /* distance from the output's moment, in input samples */
            double t = (double)(tap - HALF + 1) - (double)phase / resampler->up;
            double x = t / HALF;
            double window =
                fabs(x) < 1 ? bessel_i0(KAISER_BETA * sqrt(1 - x * x)) / bessel_i0(KAISER_BETA) : 0;
            double sinc = t == 0 ? 1 : sin(M_PI * CUTOFF * t) / (M_PI * CUTOFF * t);
            row[tap] = (float)(window * sinc);
            sum += row[tap];
        }
        for (int tap = 0; tap < TAPS; tap++)
            row[tap] /= (float)sum; /* equal gain in every phase, so that a constant stays one */
    }
    return resampler;
}

void cp_resampler_destroy(struct cp_resampler *resampler)
{
    if (resampler)
        free(resampler->phase);
    free(resampler);
}

int cp_resampler_from_hz(const struct cp_resampler *resampler)
{
    return resampler->from_hz;
}

size_t cp_resampled_length(const struct cp_resampler *resampler, size_t n)
{
    return n * (size_t)resampler->up / (size_t)resampler->down;
}

int cp_resample(const struct cp_resampler *resampler, const int16_t *in, size_t n, float *out)
{
    size_t n_out = cp_resampled_length(resampler, n);
    if (resampler->up == resampler->down) {
        for (size_t i = 0; i < n; i++)
            out[i] = (float)in[i] / 32768;
        return 0;
    }
    /* silence before and behind; up to four outputs more than there are may be asked for */
    float *padded = calloc(n + TAPS + 4, sizeof *padded);
    if (!padded)
        return CP_ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        padded[i + HALF - 1] = (float)in[i] / 32768;
    struct place at = {0, 0};
    at = has_avx2() ? filter_avx2(resampler, at, padded, n_out, out)
                    : filter_any(resampler, at, padded, n_out, out);
    float rest[4]; /* of what is no multiple of four */
    if (n_out % 4) {
        filter_any(resampler, at, padded, 4, rest);
        memcpy(out + n_out - n_out % 4, rest, n_out % 4 * sizeof *rest);
    }
    free(padded);
    return 0;
}
