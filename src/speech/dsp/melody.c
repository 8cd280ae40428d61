/* Level and pitch every 10 ms, for the face and the head to move with. */
#include "base/error.h"
#include "media/clock.h"
#include "speech/dsp/dsp.h"

#include <math.h>
#include <stdlib.h>

/* Pitch is sought at 4 kHz: enough for 70..400 Hz with interpolation between lags, and cheap. */
enum { DECIMATION = 12, LOW_HZ = CP_SAMPLE_HZ / DECIMATION, WINDOW = 128 /* 32 ms */ };
enum { MIN_LAG = LOW_HZ / 400, MAX_LAG = LOW_HZ / 70 };
#define VOICED    0.5f   /* normalised autocorrelation above this is voiced */
#define QUIETEST  0.003f /* -50 dBFS: no pitch below */
#define NEAR_BEST 0.9f   /* an earlier peak this near to the best wins: guards against octave errors */

/* r[lag] = the normalised autocorrelation, from MIN_LAG - 1 to MAX_LAG. The window's energy goes along with
 * it, a sample in and one out, in double so that nothing of a loud sample stays behind. */
static void autocorrelate(const float *x, float *r)
{
    enum { FIRST = MIN_LAG - 1 };
    const double still = (double)cp_dot(x, x, WINDOW);
    double moved = (double)cp_dot(x + FIRST, x + FIRST, WINDOW);
    for (int lag = FIRST; lag <= MAX_LAG; lag++) {
        double energy = still * moved;
        r[lag] = energy > 1e-12 ? cp_dot(x, x + lag, WINDOW) / (float)sqrt(energy) : 0;
        const double in = (double)x[lag + WINDOW], out = (double)x[lag];
        moved = fmax(moved + in * in - out * out, 0);
    }
}

/* The top of the parabola through r[lag - 1 .. lag + 1], and how far from lag it is. */
static float top_at(const float *r, int lag, float *ret_shift)
{
    float bend = r[lag - 1] - 2 * r[lag] + r[lag + 1];
    *ret_shift = bend < 0 ? 0.5f * (r[lag - 1] - r[lag + 1]) / bend : 0;
    return r[lag] - 0.25f * (r[lag - 1] - r[lag + 1]) * *ret_shift;
}

/* F0 in a stretch of WINDOW + MAX_LAG + 1 samples at 4 kHz; 0 when unvoiced. */
static float find_f0_hz(const float *x)
{
    float r[MAX_LAG + 1];
    autocorrelate(x, r);
    float best = 0, shift;
    for (int lag = MIN_LAG; lag < MAX_LAG; lag++)
        if (r[lag] >= r[lag - 1] && r[lag] >= r[lag + 1])
            best = fmaxf(best, top_at(r, lag, &shift));
    if (best < VOICED)
        return 0;
    for (int lag = MIN_LAG; lag < MAX_LAG; lag++)
        if (r[lag] >= r[lag - 1] && r[lag] >= r[lag + 1] && top_at(r, lag, &shift) >= best * NEAR_BEST)
            return (float)LOW_HZ / ((float)lag + shift);
    return 0;
}

int cp_measure_prosody(const float *samples, size_t n, struct cp_prosody *prosody)
{
    size_t n_low = n / DECIMATION;
    size_t margin = WINDOW + MAX_LAG;
    float *low = calloc(n_low + 2 * margin, sizeof *low);
    if (!low)
        return CP_ERR_NOMEM;
    for (size_t i = 0; i < n_low; i++) {
        float sum = 0;
        for (size_t k = 0; k < DECIMATION; k++)
            sum += samples[i * DECIMATION + k];
        /* means over the step, added to those before with weights 1 2 1: 6 dB down at 1 kHz. With strong high
         * harmonics a lag between two samples would look worse than its multiples. */
        low[margin + i - 1] += 2 * sum;
        low[margin + i] += sum;
        low[margin + i - 2] += sum;
    }
    size_t n_steps = (n + CP_PROSODY_STEP_SAMPLES - 1) / CP_PROSODY_STEP_SAMPLES;
    for (size_t i = 0; i < n_steps; i++) {
        size_t start = i * CP_PROSODY_STEP_SAMPLES;
        size_t length = n - start < CP_PROSODY_STEP_SAMPLES ? n - start : CP_PROSODY_STEP_SAMPLES;
        float level = sqrtf(cp_dot(samples + start, samples + start, length) / (float)length);
        size_t middle = margin + start / DECIMATION + CP_PROSODY_STEP_SAMPLES / DECIMATION / 2;
        prosody[i].level = level;
        prosody[i].f0_hz = level > QUIETEST ? find_f0_hz(low + middle - margin / 2) : 0;
    }
    free(low);
    return 0;
}
