#include "speech/align/mouth_shapes.h"

#include "media/marks.h"
#include "speech/align/features.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = CP_SPECTRUM_SIZE, HALF = SIZE / 2 };
/* A closure of the lips lasts so long; longer silence is a pause. A shape stays for at least SHORTEST steps,
 * about as fast as people speak. In steps of 10 ms. */
enum { LONGEST_CLOSURE = 12, SHORTEST = 5 };
#define SILENCE_DB 35.0 /* below the loudest step */
#define HISS_HZ    3000.0f
#define HISS_PART  0.55f /* of the power above HISS_HZ makes a step a hiss */
#define HUM_PART   0.97f /* of the power below 500 Hz makes it a hum: the mouth is shut */

struct spectrum {
    const float *power;
    float bin_hz;
};

static float power_between(const struct spectrum *s, float from_hz, float to_hz, float *ret_centre_hz)
{
    float sum = 0, moment = 0;
    for (int k = (int)(from_hz / s->bin_hz) + 1; k <= HALF && (float)k * s->bin_hz <= to_hz; k++) {
        sum += s->power[k];
        moment += s->power[k] * (float)k * s->bin_hz;
    }
    if (ret_centre_hz)
        *ret_centre_hz = sum > 0 ? moment / sum : 0;
    return sum;
}

static enum cp_viseme vowel(float first_hz, float second_hz)
{
    if (first_hz > 620)
        return CP_VISEME_AA;
    if (second_hz > 1650)
        return first_hz > 430 ? CP_VISEME_E : CP_VISEME_IH;
    if (second_hz < 1250)
        return first_hz > 430 ? CP_VISEME_OH : CP_VISEME_OU;
    return CP_VISEME_E;
}

/* What the mouth does in a step that is not silent. */
static enum cp_viseme classify(const struct spectrum *s)
{
    float top_hz = (float)HALF * s->bin_hz, hiss_hz, first_hz, second_hz;
    float all = power_between(s, 80, top_hz, NULL);
    if (power_between(s, fminf(HISS_HZ, 0.6f * top_hz), top_hz, &hiss_hz) > HISS_PART * all)
        return hiss_hz > fminf(4800, 0.75f * top_hz) ? CP_VISEME_SS : CP_VISEME_CH;
    if (power_between(s, 80, 500, NULL) > HUM_PART * all)
        return CP_VISEME_NN;
    power_between(s, 250, 950, &first_hz);
    power_between(s, 850, 2800, &second_hz);
    return vowel(first_hz, second_hz);
}

static void take_window(const float *sound, size_t n, size_t start, size_t length, float *out,
                        double *ret_power)
{
    double power = 0;
    memset(out, 0, SIZE * sizeof *out);
    for (size_t i = 0; i < length && start + i < n; i++) {
        float hann = 0.5f - 0.5f * cosf(2 * (float)M_PI * ((float)i + 0.5f) / (float)length);
        out[i] = sound[start + i] * hann;
        power += (double)sound[start + i] * (double)sound[start + i];
    }
    *ret_power = power;
}

static void classify_steps(const float *sound, size_t n, int hz, size_t steps, enum cp_viseme *shape,
                           double *power)
{
    struct cp_turns turns;
    float re[SIZE], im[SIZE], spectra[2][HALF + 1];
    size_t hop = (size_t)hz * CP_FEATURE_HOP_MS / 1000, length = 2 * hop < SIZE ? 2 * hop : SIZE;
    cp_turns_make(&turns);
    for (size_t i = 0; i < steps; i += 2) {
        double levels[2];
        take_window(sound, n, i * hop, length, re, &levels[0]);
        take_window(sound, n, (i + 1) * hop, length, im, &levels[1]);
        cp_spectra_of_two(&turns, re, im, spectra[0], spectra[1]);
        for (size_t k = 0; k < 2 && i + k < steps; k++) {
            struct spectrum spectrum = {spectra[k], (float)hz / SIZE};
            power[i + k] = levels[k];
            shape[i + k] = classify(&spectrum);
        }
    }
}

static size_t run_end(const enum cp_viseme *shape, size_t steps, size_t i)
{
    size_t end = i + 1;
    while (end < steps && shape[end] == shape[i])
        end++;
    return end;
}

/* Silences become rests or closed lips; shapes too short to be seen join the one before. */
static void settle(enum cp_viseme *shape, const double *power, size_t steps)
{
    double loudest = 0;
    for (size_t i = 0; i < steps; i++)
        loudest = fmax(loudest, power[i]);
    double gate = loudest * pow(10, -SILENCE_DB / 10);
    for (size_t i = 0; i < steps; i++)
        if (power[i] <= gate)
            shape[i] = CP_VISEME_SIL;
    for (size_t i = 0, end; i < steps; i = end) {
        end = run_end(shape, steps, i);
        bool inside = i > 0 && end < steps;
        enum cp_viseme before = i > 0 ? shape[i - 1] : CP_VISEME_SIL;
        if (shape[i] == CP_VISEME_SIL && inside && end - i <= LONGEST_CLOSURE) {
            for (size_t k = i; k < end; k++)
                shape[k] = CP_VISEME_PP;
        } else if (end - i < SHORTEST && before != CP_VISEME_SIL) {
            for (size_t k = i; k < end; k++)
                shape[k] = before;
        }
    }
}

int cp_mouth_shapes_add(struct cp_sound *sound)
{
    int hz = sound->hz, result = CP_ERR_NOMEM;
    size_t n = 0;
    float *narrow = cp_features_narrow(sound->pcm, sound->n_samples, sound->hz, &hz, &n);
    size_t steps = n / ((size_t)hz * CP_FEATURE_HOP_MS / 1000);
    enum cp_viseme *shape = malloc((steps + 1) * sizeof *shape);
    double *power = malloc((steps + 1) * sizeof *power);
    if (!narrow || !shape || !power)
        goto out;
    classify_steps(narrow, n, hz, steps, shape, power);
    settle(shape, power, steps);
    result = 0;
    int32_t step = sound->hz * CP_FEATURE_HOP_MS / 1000;
    for (size_t i = 0, end; i < steps && !result; i = end) {
        end = run_end(shape, steps, i);
        struct cp_sound_event event = {
            .type = CP_SOUND_PHONE, .at = (int32_t)i * step, .length = (int32_t)(end - i) * step};
        if (shape[i] != CP_VISEME_SIL)
            snprintf(event.name, sizeof event.name, "%s", cp_viseme_name(shape[i]));
        result = cp_sound_add_event(sound, &event);
    }
    if (sound->n_events) /* an empty sound has no list yet */
        qsort(sound->events, sound->n_events, sizeof *sound->events, cp_sound_by_time);
out:
    free(narrow);
    free(shape);
    free(power);
    return result;
}
