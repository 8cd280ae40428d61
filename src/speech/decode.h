/* Sound files of others: WAV, MP3, Ogg (Vorbis, Opus), M4A (AAC) as 48 kHz mono. Foreign bytes: everything is
 * bounded, and only these containers and codecs are opened. Any thread; slow. */
#ifndef CP_SPEECH_DECODE_H
#define CP_SPEECH_DECODE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct cp_decoded {
    float *samples; /* the caller's to free */
    size_t n;
};

/* At most max_s seconds; longer files fail with CP_ERR_LIMIT, unknown and damaged ones with CP_ERR_FORMAT. */
int cp_sound_decode(const void *bytes, size_t length, int max_s, struct cp_decoded *ret_decoded,
                    struct cp_error *error);

#endif
