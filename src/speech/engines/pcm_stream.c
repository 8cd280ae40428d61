/* Sound from the wire: RIFF/WAVE ("Multimedia Programming Interface and Data Specifications 1.0", 1991) or
 * bare samples, in pieces of any size. */
#include "speech/engines/remote.h"

#include <string.h>

enum { FORMAT_PCM = 1, FORMAT_EXTENSIBLE = 0xfffe, HEAD_BYTES = 8, FORMAT_BYTES = 16 };

static uint32_t le32(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static uint32_t le16(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8;
}

/* Whole frames of one or two channels; two are mixed. */
static int add_frames(struct cp_pcm_stream *stream, const uint8_t *bytes, size_t n_frames)
{
    enum { BLOCK = 1024 };
    int16_t block[BLOCK];
    size_t channels = (size_t)stream->channels;
    while (n_frames) {
        size_t n = n_frames < BLOCK ? n_frames : BLOCK;
        for (size_t i = 0; i < n; i++) {
            int sum = 0;
            for (size_t c = 0; c < channels; c++, bytes += 2)
                sum += (int16_t)le16(bytes);
            block[i] = (int16_t)(sum / (int)channels);
        }
        int result = cp_sound_add_pcm(stream->sound, block, n);
        if (result)
            return result;
        n_frames -= n;
    }
    return 0;
}

/* Samples; what is left of a frame waits in `head`. */
static int take_samples(struct cp_pcm_stream *stream, const uint8_t *bytes, size_t length)
{
    size_t frame = 2 * (size_t)stream->channels;
    while (stream->n_head && length) {
        stream->head[stream->n_head++] = *bytes++;
        length--;
        if (stream->n_head < frame)
            continue;
        stream->n_head = 0;
        int result = add_frames(stream, stream->head, 1);
        if (result)
            return result;
    }
    int result = add_frames(stream, bytes, length / frame);
    size_t rest = length % frame;
    if (rest) {
        memcpy(stream->head, bytes + length - rest, rest);
        stream->n_head = rest;
    }
    return result;
}

static int read_format(struct cp_pcm_stream *stream, const uint8_t *format)
{
    uint32_t type = le16(format), channels = le16(format + 2), hz = le32(format + 4),
             bits = le16(format + 14);
    if ((type != FORMAT_PCM && type != FORMAT_EXTENSIBLE) || channels < 1 || channels > 2 || bits != 16 ||
        hz < 8000 || hz > 48000)
        return CP_ERR_FORMAT;
    stream->channels = (int)channels;
    stream->sound->hz = (int)hz;
    return 0;
}

/* Reads one head from what has been gathered, when it is all there. *ret_used tells how much it was: 0 when
 * more is needed. */
static int read_head(struct cp_pcm_stream *stream, bool first, size_t *ret_used)
{
    const uint8_t *head = stream->head;
    *ret_used = 0;
    if (first) {
        if (stream->n_head < 12)
            return 0;
        *ret_used = 12;
        return memcmp(head, "RIFF", 4) != 0 || memcmp(head + 8, "WAVE", 4) != 0 ? CP_ERR_FORMAT : 0;
    }
    if (stream->n_head < HEAD_BYTES)
        return 0;
    size_t size = le32(head + 4);
    if (!memcmp(head, "fmt ", 4)) {
        if (size < FORMAT_BYTES)
            return CP_ERR_FORMAT;
        if (stream->n_head < HEAD_BYTES + FORMAT_BYTES)
            return 0;
        *ret_used = HEAD_BYTES + FORMAT_BYTES;
        stream->skip = size - FORMAT_BYTES + (size & 1);
        return read_format(stream, head + HEAD_BYTES);
    }
    *ret_used = HEAD_BYTES;
    stream->in_data = !memcmp(head, "data", 4);
    if (!stream->in_data)
        stream->skip = size + (size & 1);
    else if (!stream->channels)
        return CP_ERR_FORMAT;
    else
        stream->left = size && size < 0x7fffffff ? size : SIZE_MAX; /* a stream's size is not known */
    return 0;
}

int cp_pcm_stream_take(void *user, const uint8_t *bytes, size_t length)
{
    struct cp_pcm_stream *stream = user;
    if (!stream->wav && !stream->in_data) {
        stream->channels = 1;
        stream->in_data = true;
        stream->left = SIZE_MAX;
    }
    while (length && !stream->in_data) {
        if (stream->skip) {
            size_t n = stream->skip < length ? stream->skip : length;
            stream->skip -= n;
            bytes += n;
            length -= n;
            continue;
        }
        stream->head[stream->n_head++] = *bytes++;
        length--;
        size_t used;
        int result = read_head(stream, !stream->begun, &used);
        if (result)
            return result;
        if (used) {
            stream->begun = true;
            stream->n_head = 0;
        }
    }
    size_t n = length < stream->left ? length : stream->left;
    if (!n)
        return 0;
    stream->left -= stream->left == SIZE_MAX ? 0 : n;
    return take_samples(stream, bytes, n);
}

int cp_pcm_stream_end(const struct cp_pcm_stream *stream)
{
    return stream->sound->n_samples ? 0 : CP_ERR_FORMAT;
}
