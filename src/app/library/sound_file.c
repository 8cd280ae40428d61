#include "app/library/sound_file.h"

#include "encode/encode.h"
#include "media/clock.h"
#include "speech/speech.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MP3_KBPS = 64, TAPS = 31, HALF = TAPS / 2, WAV_HEADER = 44 };

static const struct {
    const char *name, *ending, *type;
} FORMATS[] = {
    [CP_SOUND_WAV] = {"wav", "wav", "audio/wav"},
    [CP_SOUND_OGG] = {"opus", "ogg", "audio/ogg"},
    [CP_SOUND_MP3] = {"mp3", "mp3", "audio/mpeg"},
    [CP_SOUND_PCM] = {"pcm", "pcm", "audio/pcm"},
};
#define N_FORMATS (sizeof FORMATS / sizeof *FORMATS)

enum cp_sound_format cp_sound_format_by_name(const char *name)
{
    for (size_t i = 1; i < N_FORMATS; i++)
        if (!strcmp(name, FORMATS[i].name) || !strcmp(name, FORMATS[i].ending))
            return (enum cp_sound_format)i;
    return CP_SOUND_UNSET;
}

enum cp_sound_format cp_sound_format_by_accept(const char *accept)
{
    if (accept && (strstr(accept, "ogg") || strstr(accept, "opus")))
        return CP_SOUND_OGG;
    if (accept && (strstr(accept, "mpeg") || strstr(accept, "mp3")))
        return CP_SOUND_MP3;
    return CP_SOUND_WAV;
}

const char *cp_sound_format_type(enum cp_sound_format format)
{
    return FORMATS[format].type;
}

const char *cp_sound_format_ending(enum cp_sound_format format)
{
    return FORMATS[format].ending;
}

bool cp_sound_format_usable(enum cp_sound_format format)
{
    return format != CP_SOUND_MP3 || cp_mp3_usable();
}

const char *cp_sound_formats(void)
{
    return cp_mp3_usable() ? "wav, opus, pcm, mp3" : "wav, opus, pcm";
}

struct cp_sound_file {
    enum cp_sound_format format;
    struct cp_buffer *out;
    struct cp_ogg *ogg;
    struct cp_mp3 *mp3;
    float taps[TAPS];
    float past[TAPS]; /* the last samples, a ring of one filter length */
    int at;
    int64_t n_samples; /* taken in so far */
};

/* Half-band low-pass for 48 to 24 kHz: a sinc of a quarter of the rate under a Hann window. */
static void make_taps(float taps[TAPS])
{
    double sum = 0, values[TAPS];
    for (int i = 0; i < TAPS; i++) {
        double x = i - HALF, window = 0.5 + 0.5 * cos(M_PI * x / (HALF + 1));
        values[i] = window * (x == 0 ? 0.5 : sin(M_PI * x / 2) / (M_PI * x));
        sum += values[i];
    }
    for (int i = 0; i < TAPS; i++)
        taps[i] = (float)(values[i] / sum);
}

/* Every second sample of the filtered sound. The filter's delay is made up for: the first HALF are dropped,
 * and as many zeros follow the end. */
static void add_halved(struct cp_sound_file *file, const int16_t *pcm, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        file->past[file->at] = pcm ? pcm[i] : 0;
        file->at = (file->at + 1) % TAPS;
        int64_t number = file->n_samples++ - HALF;
        if (number < 0 || number % 2)
            continue;
        float sum = 0;
        for (int k = 0; k < TAPS; k++)
            sum += file->taps[k] * file->past[(file->at + k) % TAPS];
        int16_t value = (int16_t)lrintf(fmaxf(-32768, fminf(32767, sum)));
        cp_buffer_add(file->out, (uint8_t[]){(uint8_t)value, (uint8_t)((uint16_t)value >> 8)}, 2);
    }
}

int cp_sound_file_begin(enum cp_sound_format format, struct cp_buffer *out, struct cp_sound_file **ret_file,
                        struct cp_error *error)
{
    struct cp_sound_file *file = calloc(1, sizeof *file);
    if (!file)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    file->format = format;
    file->out = out;
    int result = 0;
    if (format == CP_SOUND_WAV) {
        size_t start = out->length;
        result = cp_speech_write_wav(NULL, 0, out);
        if (!result) { /* RIFF and data sizes: not known */
            memset(out->data + start + 4, 0xff, 4);
            memset(out->data + start + WAV_HEADER - 4, 0xff, 4);
        }
    } else if (format == CP_SOUND_OGG) {
        result = cp_ogg_create(out, &file->ogg, error);
    } else if (format == CP_SOUND_MP3) {
        result = cp_mp3_create(MP3_KBPS, out, &file->mp3, error);
    } else {
        make_taps(file->taps);
    }
    if (result)
        cp_sound_file_destroy(file);
    else
        *ret_file = file;
    return result;
}

static int fits(const struct cp_sound_file *file, struct cp_error *error)
{
    return file->out->failed ? cp_fail(error, CP_ERR_LIMIT, "app", "the sound is too long for one file") : 0;
}

int cp_sound_file_add(struct cp_sound_file *file, const struct cp_utterance *utterance,
                      struct cp_error *error)
{
    size_t n = (size_t)utterance->n_samples;
    if (file->format == CP_SOUND_OGG) {
        int result = cp_ogg_add(file->ogg, utterance->pcm, n, error);
        cp_ogg_flush(file->ogg);
        return result ? result : fits(file, error);
    }
    if (file->format == CP_SOUND_MP3)
        return cp_mp3_add(file->mp3, utterance->pcm, n, error);
    if (file->format == CP_SOUND_PCM)
        add_halved(file, utterance->pcm, n);
    else
        for (size_t i = 0; i < n; i++) {
            uint16_t value = (uint16_t)utterance->pcm[i];
            cp_buffer_add(file->out, (uint8_t[]){(uint8_t)value, (uint8_t)(value >> 8)}, 2);
        }
    return fits(file, error);
}

int cp_sound_file_end(struct cp_sound_file *file, struct cp_error *error)
{
    if (file->format == CP_SOUND_OGG)
        return cp_ogg_end(file->ogg, error);
    if (file->format == CP_SOUND_MP3)
        return cp_mp3_end(file->mp3, error);
    if (file->format == CP_SOUND_PCM)
        add_halved(file, NULL, HALF);
    return fits(file, error);
}

void cp_sound_file_destroy(struct cp_sound_file *file)
{
    if (!file)
        return;
    cp_ogg_destroy(file->ogg);
    cp_mp3_destroy(file->mp3);
    free(file);
}

int cp_sound_file_write(enum cp_sound_format format, struct cp_utterance *const *utterances, int n,
                        struct cp_buffer *out, struct cp_error *error)
{
    if (format == CP_SOUND_WAV)
        return cp_speech_write_wav(utterances, n, out)
                   ? cp_fail(error, CP_ERR_LIMIT, "app", "the sound is too long for one file")
                   : 0;
    struct cp_sound_file *file;
    int result = cp_sound_file_begin(format, out, &file, error);
    if (result)
        return result;
    for (int i = 0; i < n && !result; i++)
        result = cp_sound_file_add(file, utterances[i], error);
    if (!result)
        result = cp_sound_file_end(file, error);
    cp_sound_file_destroy(file);
    return result;
}
