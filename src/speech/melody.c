/* Level and pitch every 10 ms, for the face and the head to move with. */
#include "base/error.h"
#include "media/clock.h"
#include "speech/dsp.h"

#include <math.h>
#include <stdlib.h>

/* Pitch is sought at 4 kHz: enough for 70..400 Hz with interpolation between lags, and cheap. */
enum { DECIMATION = 12, LOW_HZ = CP_SAMPLE_HZ / DECIMATION, WINDOW = 128 /* 32 ms */ };
enum { MIN_LAG = LOW_HZ / 400, MAX_LAG = LOW_HZ / 70 };
#define VOICED    0.5f   /* normalised autocorrelation above this is voiced */
#define QUIETEST  0.003f /* -50 dBFS: no pitch below */
#define NEAR_BEST 0.9f   /* an earlier peak this near to the best wins: guards against octave errors */

static float correlation(const float *x, int lag)
{
    float product = cp_dot(x, x + lag, WINDOW);
    float energy = cp_dot(x, x, WINDOW) * cp_dot(x + lag, x + lag, WINDOW);
    return energy > 0 ? product / sqrtf(energy) : 0;
}

/* F0 in a stretch of WINDOW + MAX_LAG samples at 4 kHz; 0 when unvoiced. */
static float find_f0_hz(const float *x)
{
    float r[MAX_LAG + 2] = {0};
    float best = 0;
    for (int lag = MIN_LAG - 1; lag <= MAX_LAG; lag++) {
        r[lag] = correlation(x, lag);
        if (lag >= MIN_LAG && r[lag] > best)
            best = r[lag];
    }
    if (best < VOICED)
        return 0;
    for (int lag = MIN_LAG; lag < MAX_LAG; lag++) {
        if (r[lag] < best * NEAR_BEST || r[lag] < r[lag - 1] || r[lag] < r[lag + 1])
            continue;
        float bend = r[lag - 1] - 2 * r[lag] + r[lag + 1];
        float shift = bend < 0 ? 0.5f * (r[lag - 1] - r[lag + 1]) / bend : 0;
        return (float)LOW_HZ / ((float)lag + shift);
    }
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
        float sum = 0; /* a mean over the step is low-pass enough for a pitch */
        for (size_t k = 0; k < DECIMATION; k++)
            sum += samples[i * DECIMATION + k];
        low[margin + i] = sum / DECIMATION;
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
