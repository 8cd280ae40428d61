/*
 * A take: one sentence while it is being put together at 48 kHz from an engine's pieces, with its words and
 * phones on the same clock.
 */
#ifndef CP_SPEECH_TAKE_H
#define CP_SPEECH_TAKE_H

#include "media/utterance.h"
#include "speech/dsp/dsp.h"
#include "speech/script.h"
#include "speech/visemes.h"

#define CP_TAKE_MAX_BREATHS 32 /* later ones are silent */

struct cp_take_event {
    enum cp_sound_event_type type;
    enum cp_phone_set phones;
    int32_t at, length; /* 48 kHz */
    int32_t start, end; /* bytes of the script's text */
    int32_t stress;
    char name[16];
};

struct cp_take {
    float *pcm;
    size_t n_samples, capacity;
    struct cp_take_event *events; /* in order of time; a word before its phones */
    size_t n_events, event_capacity;
    struct {
        size_t end; /* samples up to here ... */
        float volume;
    } * volumes;
    size_t n_volumes, volume_capacity;
    struct {
        size_t end; /* of the silence that it is heard in */
        size_t length;
        float loudness; /* 1 is the usual one */
    } breaths[CP_TAKE_MAX_BREATHS];
    int n_breaths;
    double power;      /* of the main voice's first run, which other voices are brought to; 0 before it */
    int32_t sound_end; /* where the last sound ends (silence behind it not counted) */
};

/* Adds an engine's sound: silence at its ends trimmed, converted to 48 kHz, ends faded. `text_at` is where
 * the piece starts in the script. 0 or CP_ERR_NOMEM. */
int cp_take_add_sound(struct cp_take *take, const struct cp_sound *sound,
                      const struct cp_resampler *resampler, enum cp_phone_set phones, int32_t text_at,
                      float volume);
/* Silence; with breath in it when `breath` is not 0 (its loudness, 1 is usual) and there is room for one. */
int cp_take_add_pause(struct cp_take *take, int32_t ms, float breath);
/* Makes the breaths heard, the usual one with this level. Comes behind all that evens the loudness. */
void cp_take_breathe(struct cp_take *take, float rms);
size_t cp_take_max_marks(const struct cp_take *take, const struct cp_script *script);
/* Writes the utterance's marks, ordered: sentence, words, phones, visemes, and the SSML marks that fall into
 * this sentence. */
void cp_take_write_marks(const struct cp_take *take, const struct cp_script *script, int sentence,
                         struct cp_utterance *utterance);
void cp_take_free(struct cp_take *take);

#endif
