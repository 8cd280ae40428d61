/* What remote engines answer: Polly's marks (plain and mapped), Azure's metadata, ElevenLabs' JSON, WAV and
 * bare samples in pieces. The first byte chooses which, the second how the rest is cut. */
#include "speech/engines/remote.h"
#include "speech/engines/remote_marks.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In order, within the sound and the text. */
static void check_events(const struct cp_sound *sound, int32_t text_bytes)
{
    int32_t at = 0;
    for (size_t i = 0; i < sound->n_events; i++) {
        const struct cp_sound_event *event = &sound->events[i];
        if (event->at < at || event->length < 0 || event->start < 0 || event->end < event->start ||
            event->end > text_bytes || (event->type == CP_SOUND_WORD && event->end == event->start) ||
            !memchr(event->name, 0, sizeof event->name))
            abort();
        at = event->at;
    }
}

static void read_polly(const uint8_t *data, size_t size, bool mapped)
{
    enum { TAGS = 7, TEXT = 40 };
    int32_t origin[TAGS + TEXT + 1];
    for (int i = 0; i <= TAGS + TEXT; i++)
        origin[i] = i < TAGS ? -1 : i - TAGS;
    int16_t pcm[400] = {0};
    struct cp_sound sound = {.hz = 16000};
    cp_sound_add_pcm(&sound, pcm, 400);
    if (!cp_polly_read_marks((const char *)data, size, mapped ? origin : NULL, mapped ? TAGS + TEXT : TEXT,
                             &sound))
        check_events(&sound, TEXT);
    cp_sound_free(&sound);
}

static void read_azure(const uint8_t *data, size_t size)
{
    static const char text[] = "Good evening, Zo\xc3\xab.";
    int16_t pcm[400] = {0};
    struct cp_sound sound = {.hz = 24000};
    size_t at = 0;
    cp_sound_add_pcm(&sound, pcm, 400);
    for (int i = 0; i < 2; i++)
        cp_azure_add_metadata((const char *)data, size, text, sizeof text - 1, &at, &sound);
    cp_azure_end_metadata(&sound);
    check_events(&sound, sizeof text - 1);
    cp_sound_free(&sound);
}

static void read_elevenlabs(const uint8_t *data, size_t size)
{
    static const char text[] = "Good evening, Zo\xc3\xab.";
    struct cp_sound sound = {.hz = 24000};
    if (!cp_elevenlabs_read((const char *)data, size, text, sizeof text - 1, &sound)) {
        check_events(&sound, sizeof text - 1);
        if (!sound.n_samples)
            abort();
    }
    cp_sound_free(&sound);
}

/* The same bytes in one piece and in many give the same sound. */
static void read_sound(const uint8_t *data, size_t size, size_t step, bool wav)
{
    struct cp_sound whole = {.hz = 24000}, cut = {.hz = 24000};
    struct cp_pcm_stream stream = {.sound = &whole, .wav = wav}, pieces = {.sound = &cut, .wav = wav};
    int result = cp_pcm_stream_take(&stream, data, size), other = 0;
    for (size_t at = 0; at < size && !other; at += step)
        other = cp_pcm_stream_take(&pieces, data + at, step < size - at ? step : size - at);
    if (!result != !other ||
        (!result &&
         (whole.n_samples != cut.n_samples || whole.hz != cut.hz ||
          (whole.n_samples && memcmp(whole.pcm, cut.pcm, whole.n_samples * sizeof *cut.pcm) != 0))))
        abort();
    cp_sound_free(&whole);
    cp_sound_free(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    uint8_t which = data[0];
    size_t step = 1 + data[1] % 64;
    uint8_t *rest = malloc(size - 1); /* of its own, so that reading past the end is seen */
    memcpy(rest, data + 2, size - 2);
    if (which == 'p' || which == 'q')
        read_polly(rest, size - 2, which == 'q');
    else if (which == 'a')
        read_azure(rest, size - 2);
    else if (which == 'e')
        read_elevenlabs(rest, size - 2);
    else
        read_sound(rest, size - 2, step, which == 'w');
    free(rest);
    return 0;
}
