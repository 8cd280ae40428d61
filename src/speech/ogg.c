/*
 * Ogg/Opus files: pages after RFC 3533 section 6, Opus headers and granule positions after RFC 7845.
 */
#include "media/clock.h"
#include "speech/speech.h"

#ifndef CP_HAVE_OPUS

int cp_speech_write_ogg(struct cp_utterance *const *utterances, int n, struct cp_buffer *out,
                        struct cp_error *error)
{
    return cp_fail(error, CP_ERR_UNSUPPORTED, "speech",
                   "Ogg/Opus files are not offered by this build (libopus was missing); ask for WAV.");
}

#else

#include <opus/opus.h>
#include <stdlib.h>
#include <string.h>

enum {
    FRAME = CP_SAMPLE_HZ / 50, /* 20 ms */
    BITRATE = 48000,
    MAX_PACKET_BYTES = 1275,
    PAGE_PACKETS = 50, /* a page a second; RFC 7845 section 6 advises against more */
    PAGE_SEGMENTS = 255,
    SERIAL = 0x43500001, /* one stream a file: any number */
};
enum page_flag { PAGE_MIDDLE = 0, PAGE_FIRST = 2, PAGE_LAST = 4 };

/* One page being filled. */
struct page {
    struct cp_buffer *out;
    uint8_t lacing[PAGE_SEGMENTS];
    int n_segments, n_packets;
    uint8_t body[PAGE_SEGMENTS * 255];
    size_t body_bytes;
    uint32_t sequence;
};

/* RFC 3533 section 6, field 7: generator 0x04c11db7, initial value and final xor 0, bits not reflected. */
static uint32_t crc(uint32_t sum, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        sum ^= (uint32_t)bytes[i] << 24;
        for (int bit = 0; bit < 8; bit++)
            sum = sum & 0x80000000 ? sum << 1 ^ 0x04c11db7 : sum << 1;
    }
    return sum;
}

static void put_le(uint8_t *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static void flush_page(struct page *page, int flags, int64_t granule)
{
    uint8_t head[27] = "OggS";
    head[5] = (uint8_t)flags;
    put_le(head + 6, (uint64_t)granule, 8);
    put_le(head + 14, SERIAL, 4);
    put_le(head + 18, page->sequence++, 4);
    head[26] = (uint8_t)page->n_segments;
    uint32_t sum = crc(0, head, sizeof head);
    sum = crc(sum, page->lacing, (size_t)page->n_segments);
    sum = crc(sum, page->body, page->body_bytes);
    put_le(head + 22, sum, 4);
    cp_buffer_add(page->out, head, sizeof head);
    cp_buffer_add(page->out, page->lacing, (size_t)page->n_segments);
    cp_buffer_add(page->out, page->body, page->body_bytes);
    page->n_segments = page->n_packets = 0;
    page->body_bytes = 0;
}

static bool has_room(const struct page *page, size_t packet_bytes)
{
    return page->n_packets < PAGE_PACKETS &&
           page->n_segments + (int)(packet_bytes / 255) + 1 <= PAGE_SEGMENTS;
}

static void add_packet(struct page *page, const uint8_t *packet, size_t bytes)
{
    memcpy(page->body + page->body_bytes, packet, bytes);
    page->body_bytes += bytes;
    page->n_packets++;
    for (; bytes >= 255; bytes -= 255)
        page->lacing[page->n_segments++] = 255;
    page->lacing[page->n_segments++] = (uint8_t)bytes;
}

static void add_headers(struct page *page, int pre_skip)
{
    uint8_t head[19] = "OpusHead\1\1"; /* version 1, one channel */
    put_le(head + 10, (uint64_t)pre_skip, 2);
    put_le(head + 12, CP_SAMPLE_HZ, 4);
    add_packet(page, head, sizeof head); /* gain 0, mapping family 0 */
    flush_page(page, PAGE_FIRST, 0);
    static const char VENDOR[] = "Compere " CP_VERSION;
    uint8_t tags[64] = "OpusTags";
    put_le(tags + 8, sizeof VENDOR - 1, 4);
    memcpy(tags + 12, VENDOR, sizeof VENDOR - 1);
    add_packet(page, tags, 12 + sizeof VENDOR - 1 + 4); /* no comments */
    flush_page(page, PAGE_MIDDLE, 0);
}

/* The utterances as one stream of samples; zeros behind the end. */
struct reader {
    struct cp_utterance *const *utterances;
    int n, at;
    int32_t offset;
};

static void read_frame(struct reader *reader, int16_t *frame)
{
    memset(frame, 0, FRAME * sizeof *frame);
    int filled = 0;
    while (filled < FRAME && reader->at < reader->n) {
        const struct cp_utterance *utterance = reader->utterances[reader->at];
        int32_t left = utterance->n_samples - reader->offset;
        int32_t take = left < FRAME - filled ? left : FRAME - filled;
        memcpy(frame + filled, utterance->pcm + reader->offset, (size_t)take * sizeof *frame);
        filled += take;
        reader->offset += take;
        if (reader->offset == utterance->n_samples) {
            reader->at++;
            reader->offset = 0;
        }
    }
}

int cp_speech_write_ogg(struct cp_utterance *const *utterances, int n, struct cp_buffer *out,
                        struct cp_error *error)
{
    int opus_error = 0;
    OpusEncoder *encoder = opus_encoder_create(CP_SAMPLE_HZ, 1, OPUS_APPLICATION_AUDIO, &opus_error);
    struct page *page = calloc(1, sizeof *page);
    int result = CP_ERR_NOMEM;
    if (!encoder || !page)
        goto out;
    opus_int32 pre_skip = 0;
    opus_encoder_ctl(encoder, OPUS_SET_BITRATE(BITRATE));
    opus_encoder_ctl(encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    opus_encoder_ctl(encoder, OPUS_GET_LOOKAHEAD(&pre_skip));
    page->out = out;
    add_headers(page, pre_skip);

    int64_t total = pre_skip, coded = 0;
    for (int i = 0; i < n; i++)
        total += utterances[i]->n_samples;
    struct reader reader = {.utterances = utterances, .n = n};
    while (coded < total) {
        int16_t frame[FRAME];
        uint8_t packet[MAX_PACKET_BYTES];
        read_frame(&reader, frame);
        opus_int32 bytes = opus_encode(encoder, frame, FRAME, packet, sizeof packet);
        if (bytes < 0) {
            result = cp_fail(error, CP_ERR_INTERNAL, "speech", "Opus failed: %s.", opus_strerror(bytes));
            goto out;
        }
        if (!has_room(page, (size_t)bytes))
            flush_page(page, PAGE_MIDDLE, coded);
        add_packet(page, packet, (size_t)bytes);
        coded += FRAME;
    }
    flush_page(page, PAGE_LAST, total); /* RFC 7845 section 4.5: the end is trimmed by the last granule */
    result =
        out->failed ? cp_fail(error, CP_ERR_LIMIT, "speech", "The Ogg file does not fit its buffer.") : 0;
out:
    if (result == CP_ERR_NOMEM)
        cp_fail(error, CP_ERR_NOMEM, "speech", "Out of memory.");
    opus_encoder_destroy(encoder);
    free(page);
    return result;
}

#endif
