#include "app/film/series.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PNG_BYTES (64u << 20)

struct cp_series {
    char stem[240]; /* the path without ".png" */
    FILE *sound;
    uint32_t samples;
};

static void put32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

/* RIFF WAVE: PCM, one channel, 16 bits. */
static bool write_header(FILE *file, uint32_t samples)
{
    uint8_t header[44] = "RIFF....WAVEfmt \x10\0\0\0\x01\0\x01\0........\x02\0\x10\0data";
    put32(header + 4, 36 + 2 * samples);
    put32(header + 24, CP_SAMPLE_HZ);
    put32(header + 28, 2 * CP_SAMPLE_HZ);
    put32(header + 40, 2 * samples);
    return fwrite(header, sizeof header, 1, file) == 1;
}

int cp_series_open(const char *path, struct cp_series **ret_series, struct cp_error *error)
{
    struct cp_series *series = calloc(1, sizeof *series);
    size_t length = strlen(path) - strlen(".png");
    char name[260];
    if (!series)
        return cp_fail(error, CP_ERR_NOMEM, "render", "out of memory");
    if (length >= sizeof series->stem) {
        free(series);
        return cp_fail(error, CP_ERR_LIMIT, "render", "the output's path is too long");
    }
    memcpy(series->stem, path, length);
    snprintf(name, sizeof name, "%s.wav", series->stem);
    series->sound = fopen(name, "wb");
    if (!series->sound || !write_header(series->sound, 0)) {
        int result = cp_fail(error, CP_ERR_IO, "render", "cannot write %s: %s", name, strerror(errno));
        cp_series_close(series, NULL);
        return result;
    }
    *ret_series = series;
    return 0;
}

int cp_series_write(struct cp_series *series, int64_t frame, const struct cp_cutout *cutout,
                    const int16_t pcm[CP_SAMPLES_PER_FRAME], struct cp_error *error)
{
    struct cp_buffer png = cp_buffer_make(MAX_PNG_BYTES);
    char name[280];
    snprintf(name, sizeof name, "%s-%06lld.png", series->stem, (long long)frame);
    int result = cp_cutout_write_png(cutout, &png, error);
    FILE *file = result ? NULL : fopen(name, "wb");
    bool written = file && fwrite(png.data, png.length, 1, file) == 1;
    if (file && fclose(file))
        written = false;
    cp_buffer_free(&png);
    /* WAV is little-endian, as are the machines that this runs on. */
    written =
        written && fwrite(pcm, sizeof *pcm, CP_SAMPLES_PER_FRAME, series->sound) == CP_SAMPLES_PER_FRAME;
    series->samples += CP_SAMPLES_PER_FRAME;
    return result    ? result
           : written ? 0
                     : cp_fail(error, CP_ERR_IO, "render", "cannot write %s: %s", name, strerror(errno));
}

int cp_series_close(struct cp_series *series, struct cp_error *error)
{
    int result = 0;
    if (!series)
        return 0;
    if (series->sound && (fseek(series->sound, 0, SEEK_SET) || !write_header(series->sound, series->samples)))
        result = cp_fail(error, CP_ERR_IO, "render", "cannot finish %s.wav", series->stem);
    if (series->sound && fclose(series->sound) && !result)
        result = cp_fail(error, CP_ERR_IO, "render", "cannot finish %s.wav", series->stem);
    free(series);
    return result;
}
