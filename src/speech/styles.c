#include "speech/styles.h"

#include <math.h>
#include <string.h>

/*
 * Directions follow what studies of speaking styles agree on (Scherer 2003, "Vocal communication of emotion",
 * Speech Communication 40: joy is faster, higher and wider, calm slower, lower and narrower). Sizes are half
 * and less of what the shipped voices bear without measurable damage: rate 0.5 to 2, pitch 0.7 to 1.5.
 */
static const struct cp_style STYLES[] = {
    {{"neutral", "Neutral", "the voice as it is"}, 1, 1, 1, 1, 1, 3},
    {{"news", "News", "brisk and even, short pauses"}, 1.07f, 1, 0.9f, 0.8f, 0.8f, 2},
    {{"sales", "Sales", "lively, forward, stressed words stand out"}, 1.1f, 1.06f, 1.3f, 0.75f, 1.4f, 4},
    {{"calm", "Calm", "slow and low, long pauses"}, 0.87f, 0.94f, 0.7f, 1.4f, 0.6f, 2},
    {{"excited", "Excited", "fast, high, with a wide melody"}, 1.16f, 1.14f, 1.5f, 0.65f, 1.6f, 5},
    {{"story", "Story", "unhurried, with a wide melody and long pauses"},
     0.93f,
     0.98f,
     1.25f,
     1.35f,
     1.2f,
     4},
};
enum { N_STYLES = sizeof STYLES / sizeof *STYLES };

int cp_style_find(const char *name)
{
    for (int i = 0; name && i < N_STYLES; i++)
        if (!strcmp(STYLES[i].shown.name, name))
            return i + 1;
    return 0;
}

const struct cp_style *cp_style_get(int style)
{
    return &STYLES[style > 0 && style <= N_STYLES ? style - 1 : 0];
}

const struct cp_speech_style *cp_speech_style(int n)
{
    return n >= 0 && n < N_STYLES ? &STYLES[n].shown : NULL;
}

/* What <emphasis> does to a stressed run, as factors of rate, pitch and volume (decibels of it: -2, 1, 2). */
static const struct {
    float rate, pitch, volume;
} EMPHASIS[] = {[CP_EMPHASIS_UNSET] = {1, 1, 1},
                [CP_EMPHASIS_NONE] = {1, 1, 1},
                [CP_EMPHASIS_REDUCED] = {1.06f, 0.97f, 0.8f},
                [CP_EMPHASIS_MODERATE] = {0.94f, 1.05f, 1.12f},
                [CP_EMPHASIS_STRONG] = {0.87f, 1.1f, 1.26f}};

static double within(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

struct cp_manner cp_style_manner(const struct cp_span *span, int style, double rate, double pitch,
                                 double volume)
{
    const struct cp_style *profile = cp_style_get(span->style ? span->style : style);
    double weight = (double)profile->emphasis;
    double stressed_rate = pow((double)EMPHASIS[span->emphasis].rate, weight);
    double stressed_pitch = pow((double)EMPHASIS[span->emphasis].pitch, weight);
    double stressed_volume = pow((double)EMPHASIS[span->emphasis].volume, weight);
    return (struct cp_manner){
        .rate = within(rate * (double)span->rate * (double)profile->rate * stressed_rate, 0.25, 4),
        .pitch = within(pitch * (double)span->pitch * (double)profile->pitch * stressed_pitch, 0.25, 4),
        .range = within((double)span->range * (double)profile->range, 0, 2),
        .volume = within(volume * (double)span->volume * stressed_volume, 0, 2),
    };
}
