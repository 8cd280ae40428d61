/*
 * Ways of speaking by scene, as profiles over what a voice does by itself. What a profile says is bounded, so
 * that no voice is pushed to where it sounds broken.
 */
#ifndef CP_SPEECH_STYLES_H
#define CP_SPEECH_STYLES_H

#include "speech/script.h"

struct cp_style {
    struct cp_speech_style shown;
    float rate, pitch; /* factors of the voice's own */
    float range;       /* factor of how far the melody swings around its mean */
    float pause;       /* factor of the silences at sentences and paragraphs */
    float emphasis;    /* how much an <emphasis> counts: 1 is as written, 0 not at all */
    float rise_st;     /* semitones that a question's last word rises by */
};

/* 1 and up; 0 when there is no such style. "" and NULL are 0 too. */
int cp_style_find(const char *name);
/* The profile of a number that cp_style_find gave; 0 and numbers that it never gives are neutral. */
const struct cp_style *cp_style_get(int style);

/* How a run of text is to sound, all of it together and within bounds. */
struct cp_manner {
    double rate, pitch, range, volume;
};
/* `style` is the request's own; the span's goes before it. */
struct cp_manner cp_style_manner(const struct cp_span *span, int style, double rate, double pitch,
                                 double volume);

#endif
