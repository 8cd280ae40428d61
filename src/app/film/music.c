/* Music under a film's voice. */
#include "app/film/film.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int cp_film_open_music(struct cp_film *film, struct cp_error *error)
{
    if (!film->music_path)
        return 0;
    struct cp_buffer bytes = cp_buffer_make(CP_ASSET_MAX_BYTES);
    FILE *file = fopen(film->music_path, "rb");
    if (!file)
        return cp_fail(error, CP_ERR_IO, "render", "cannot read %s: %s", film->music_path, strerror(errno));
    for (size_t n = 1; n > 0;) {
        uint8_t *to = cp_buffer_reserve(&bytes, 65536);
        n = to ? fread(to, 1, 65536, file) : 0;
        bytes.length += n;
    }
    fclose(file);
    int result = bytes.failed ? cp_fail(error, CP_ERR_LIMIT, "render", "%s is larger than %d MB",
                                        film->music_path, CP_ASSET_MAX_BYTES >> 20)
                              : cp_music_open(bytes.data, bytes.length, film->config.speech.loudness_lufs,
                                              &film->music, error);
    cp_buffer_free(&bytes);
    return result;
}

void cp_film_mix_music(struct cp_film *film, const struct cp_film_line *line, int64_t frames_to_word,
                       int16_t pcm[CP_SAMPLES_PER_FRAME])
{
    static const struct cp_music_levels USUAL = {.volume_db = -18, .duck_db = -12};
    int32_t speech_in = line ? (int32_t)frames_to_word * CP_SAMPLES_PER_FRAME : -1;
    if (film->music)
        cp_music_mix(&film->mixer, line ? film->music : NULL, USUAL, speech_in, pcm, CP_SAMPLES_PER_FRAME);
}
