/*
 * Music behind the voice: a file decoded whole, evened to the voices' loudness, looped without a seam, and
 * mixed under what is said. It steps back before the first word and comes forward again after the last.
 */
#ifndef CP_SPEECH_MUSIC_H
#define CP_SPEECH_MUSIC_H

#include "base/error.h"
#include "base/ref.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CP_MUSIC_MAX_S 600 /* 58 MB in memory */

struct cp_music { /* a reference-counted loop; read only */
    struct cp_ref ref;
    int16_t *pcm; /* 48 kHz mono, evened */
    size_t n;     /* of one round: the end flows into the beginning */
};

/* Decodes, evens to loudness_lufs and closes the loop. Any thread; slow. Errors as cp_sound_decode's, and
 * CP_ERR_INVALID for silence. */
int cp_music_open(const void *bytes, size_t length, double loudness_lufs, struct cp_music **ret_music,
                  struct cp_error *error);

struct cp_music_levels {
    float volume_db; /* of the music against the voice: -60..0 */
    float duck_db;   /* further down while somebody speaks: -40..0 */
};

/* What goes on from tick to tick; all zero at the beginning. One thread at a time. */
struct cp_music_mixer {
    const struct cp_music *music; /* that plays now; NULL: none */
    size_t at;                    /* in it */
    float ducked;                 /* 0: full, 1: all the way down */
    float shown;                  /* 0 faded out .. 1 faded in */
    float volume_db, duck_db;     /* as heard now: they glide to what is asked */
    int32_t hold;                 /* samples until it may come forward again */
    float gain;                   /* of the last sample */
};

/* Adds n samples of music to the voice. `wanted` may change at any time: what plays fades out, then it fades
 * in. speech_in: samples until somebody speaks; 0 while somebody does, negative when nobody is known to.
 * True when the mixer does not use any other music than `wanted` any more. No allocation, no lock. */
bool cp_music_mix(struct cp_music_mixer *mixer, const struct cp_music *wanted, struct cp_music_levels levels,
                  int32_t speech_in, int16_t *pcm, int n);

#endif
