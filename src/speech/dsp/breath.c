/*
 * The sound of breathing in: noise, coloured by the throat and mouth it streams through. Their resonances are
 * those of a tube of 17.5 cm that is closed at one end (c / 4l and its odd multiples: 500, 1500, 2500, 3500
 * Hz); breath excites the upper ones, since it is made at the lips and the tongue rather than at the throat.
 */
#include "media/clock.h"
#include "speech/dsp/dsp.h"

#include <math.h>

enum { N_RESONANCES = 3 };

static const struct {
    double hz, q, share;
} RESONANCES[N_RESONANCES] = {{1500, 1.5, 1}, {2500, 2, 0.8}, {3500, 2, 0.4}};

/* A band-pass of two poles ("Cookbook formulae for audio equalizer biquad filter coefficients", R.
 * Bristow-Johnson; W3C note of 2021: constant 0 dB peak gain). */
struct band {
    double b0, a1, a2, x1, x2, y1, y2;
};

static struct band make_band(double hz, double q)
{
    double w = 2 * M_PI * hz / CP_SAMPLE_HZ, alpha = sin(w) / (2 * q), a0 = 1 + alpha;
    return (struct band){.b0 = alpha / a0, .a1 = -2 * cos(w) / a0, .a2 = (1 - alpha) / a0};
}

static double pass(struct band *band, double x)
{
    double y = band->b0 * (x - band->x2) - band->a1 * band->y1 - band->a2 * band->y2;
    band->x2 = band->x1;
    band->x1 = x;
    band->y2 = band->y1;
    band->y1 = y;
    return y;
}

/* It swells for two thirds of its time, as lungs fill, and ends sooner than it began. */
static double swell(double at)
{
    const double PEAK = 0.65;
    double part = at < PEAK ? at / PEAK : (1 - at) / (1 - PEAK);
    return sin(M_PI / 2 * part) * sin(M_PI / 2 * part);
}

void cp_breathe_in(float *samples, size_t n, float rms, uint32_t seed)
{
    struct band bands[N_RESONANCES];
    for (int i = 0; i < N_RESONANCES; i++)
        bands[i] = make_band(RESONANCES[i].hz, RESONANCES[i].q);
    uint32_t chance = seed * 2654435761u | 1;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        chance ^= chance << 13; /* xorshift32, G. Marsaglia 2003 */
        chance ^= chance >> 17;
        chance ^= chance << 5;
        double noise = (double)chance / 2147483648.0 - 1, value = 0;
        for (int k = 0; k < N_RESONANCES; k++)
            value += RESONANCES[k].share * pass(&bands[k], noise);
        value *= swell(((double)i + 0.5) / (double)n);
        samples[i] = (float)value;
        sum += value * value;
    }
    float gain = sum > 0 ? rms / (float)sqrt(sum / (double)n) : 0;
    for (size_t i = 0; i < n; i++)
        samples[i] *= gain;
}
