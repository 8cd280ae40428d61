/*
 * One sentence, spoken: sound, marks, and the melody of it. Made by the speech stage, shared by reference,
 * never changed afterwards. Any thread may read it.
 */
#ifndef CP_MEDIA_UTTERANCE_H
#define CP_MEDIA_UTTERANCE_H

#include "base/ref.h"
#include "media/marks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pitch and loudness each 10 ms (480 samples). */
#define CP_PROSODY_STEP_SAMPLES 480
struct cp_prosody {
    float f0_hz; /* 0 where unvoiced */
    float level; /* short-term RMS, 0..1 of full scale */
};

/* Names what a request asked for: the same key by the same voice is the same sound. */
#define CP_SPEECH_KEY_BYTES 32

struct cp_utterance {
    struct cp_ref ref;
    int sentence;      /* 0-based number in its cue */
    bool last;         /* the cue's last sentence */
    int32_t n_samples; /* 48 kHz, mono */
    int16_t *pcm;
    struct cp_mark *marks; /* ordered by at_samples, then by type */
    size_t n_marks;
    struct cp_prosody *prosody; /* n_prosody = n_samples / CP_PROSODY_STEP_SAMPLES, rounded up */
    size_t n_prosody;
    char *text;                   /* the sentence as spoken, UTF-8, without markup */
    int32_t text_start, text_end; /* where it stands in the cue's text, bytes */
    char voice[64];
    uint8_t key[CP_SPEECH_KEY_BYTES]; /* of the request it was made for; zeros when there was none */
    bool cached;                      /* spoken before: no engine worked for it */
    int64_t made_ns;                  /* monotonic: when its sound was complete */
};

/* An utterance with room for the given counts, one reference, contents zero. NULL when out of memory. */
struct cp_utterance *cp_utterance_create(int32_t n_samples, size_t max_marks, const char *text);

#endif
