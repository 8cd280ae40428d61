/* WAV and marks files. */
#include "media/clock.h"
#include "speech/speech.h"

#include <string.h>

static void add_u16_le(struct cp_buffer *out, uint16_t value)
{
    cp_buffer_add(out, (uint8_t[]){(uint8_t)value, (uint8_t)(value >> 8)}, 2);
}

static void add_u32_le(struct cp_buffer *out, uint32_t value)
{
    add_u16_le(out, (uint16_t)value);
    add_u16_le(out, (uint16_t)(value >> 16));
}

int cp_speech_write_wav(struct cp_utterance *const *utterances, int n, struct cp_buffer *out)
{
    uint64_t bytes = 0;
    for (int i = 0; i < n; i++)
        bytes += (uint64_t)utterances[i]->n_samples * 2;
    if (bytes > UINT32_MAX - 64)
        return CP_ERR_LIMIT;
    cp_buffer_text(out, "RIFF");
    add_u32_le(out, (uint32_t)bytes + 36);
    cp_buffer_text(out, "WAVEfmt ");
    add_u32_le(out, 16);
    add_u16_le(out, 1); /* PCM */
    add_u16_le(out, 1); /* mono */
    add_u32_le(out, CP_SAMPLE_HZ);
    add_u32_le(out, CP_SAMPLE_HZ * 2);
    add_u16_le(out, 2);
    add_u16_le(out, 16);
    cp_buffer_text(out, "data");
    add_u32_le(out, (uint32_t)bytes);
    for (int i = 0; i < n; i++)
        for (int32_t k = 0; k < utterances[i]->n_samples; k++)
            add_u16_le(out, (uint16_t)utterances[i]->pcm[k]);
    return out->failed ? CP_ERR_LIMIT : 0;
}

/* A JSON string's inside. */
static void add_escaped(struct cp_buffer *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            cp_buffer_printf(out, "\\%c", c);
        else if (c < 0x20)
            cp_buffer_printf(out, "\\u%04x", c);
        else
            cp_buffer_u8(out, c);
    }
}

/* A mark's value: the words as they stand in the text, names as they are. */
static void add_value(struct cp_buffer *out, const struct cp_utterance *utterance, const struct cp_mark *mark)
{
    if (mark->type == CP_MARK_VISEME) {
        cp_buffer_text(out, cp_viseme_name(mark->viseme));
    } else if (mark->type == CP_MARK_WORD || mark->type == CP_MARK_SENTENCE) {
        bool inside = mark->start >= utterance->text_start && mark->end <= utterance->text_end &&
                      mark->start <= mark->end;
        if (inside)
            add_escaped(out, utterance->text + (mark->start - utterance->text_start),
                        (size_t)(mark->end - mark->start));
    } else {
        add_escaped(out, mark->name, strlen(mark->name));
    }
}

/* How long it lasts, how strong a mouth shape is, and whether it is stressed. */
static void add_measures(struct cp_buffer *out, const struct cp_mark *mark)
{
    if (mark->type != CP_MARK_NAMED)
        cp_buffer_printf(out, ",\"length_ms\":%d", mark->length_samples / (CP_SAMPLE_HZ / 1000));
    if (mark->type == CP_MARK_VISEME)
        cp_buffer_printf(out, ",\"weight\":%.2f", (double)mark->weight);
    if (mark->stress)
        cp_buffer_printf(out, ",\"stress\":%d", mark->stress);
    cp_buffer_text(out, "}\n");
}

int cp_speech_write_marks(struct cp_utterance *const *utterances, int n, struct cp_buffer *out)
{
    int64_t base = 0;
    for (int i = 0; i < n; i++) {
        const struct cp_utterance *utterance = utterances[i];
        for (size_t k = 0; k < utterance->n_marks; k++) {
            const struct cp_mark *mark = &utterance->marks[k];
            int64_t time_ms = (base + mark->at_samples) * 1000 / CP_SAMPLE_HZ;
            cp_buffer_printf(out, "{\"time_ms\":%lld,\"type\":\"%s\",\"value\":\"", (long long)time_ms,
                             cp_mark_type_name(mark->type));
            add_value(out, utterance, mark);
            cp_buffer_printf(out, "\",\"start\":%d,\"end\":%d", mark->start, mark->end);
            add_measures(out, mark);
        }
        base += utterance->n_samples;
    }
    return out->failed ? CP_ERR_LIMIT : 0;
}
