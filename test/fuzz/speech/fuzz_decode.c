/* Any bytes as an uploaded sound: what it is, then decoded, evened and mixed as music. */
#include "app/sniff.h"
#include "media/clock.h"
#include "speech/decode.h"
#include "speech/music.h"

#include <libavutil/log.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cp_error error = {.text = ""};
    struct cp_decoded sound;
    struct cp_music *music;
    av_log_set_level(AV_LOG_QUIET);
    struct cp_sniffed found = cp_sniff(data, size);
    if (found.type && !found.ending)
        abort();
    if (cp_sound_decode(data, size, 20, &sound, &error)) {
        if (!*error.text)
            abort(); /* a refusal has a reason */
        return 0;
    }
    for (size_t i = 0; i < sound.n; i++)
        if (!(sound.samples[i] > -4 && sound.samples[i] < 4))
            abort();
    if (!sound.n || sound.n > 20 * CP_SAMPLE_HZ)
        abort();
    free(sound.samples);
    if (cp_music_open(data, size, -16, &music, &error))
        return 0;
    struct cp_music_mixer mixer = {0};
    for (int tick = 0; tick < 60; tick++) {
        int16_t pcm[CP_SAMPLES_PER_FRAME] = {0};
        cp_music_mix(&mixer, tick < 30 ? music : NULL, (struct cp_music_levels){-6, -12}, tick % 3 - 1, pcm,
                     CP_SAMPLES_PER_FRAME);
    }
    cp_ref_drop(music);
    return 0;
}
