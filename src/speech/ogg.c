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

int cp_speech_read_ogg(const void *bytes, size_t length, struct cp_utterance **ret_utterance,
                       struct cp_error *error)
{
    return cp_fail(error, CP_ERR_UNSUPPORTED, "speech",
                   "This build cannot read Ogg/Opus (libopus was missing).");
}

int cp_ogg_create(struct cp_buffer *out, struct cp_ogg **ret_ogg, struct cp_error *error)
{
    return cp_fail(error, CP_ERR_UNSUPPORTED, "speech",
                   "This build cannot write Ogg/Opus (libopus was missing).");
}

int cp_ogg_add(struct cp_ogg *ogg, const int16_t *pcm, size_t n, struct cp_error *error)
{
    return CP_ERR_UNSUPPORTED;
}

int cp_ogg_end(struct cp_ogg *ogg, struct cp_error *error)
{
    return CP_ERR_UNSUPPORTED;
}

void cp_ogg_flush(struct cp_ogg *ogg)
{
}
void cp_ogg_destroy(struct cp_ogg *ogg)
{
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

struct cp_ogg {
    struct page page;
    OpusEncoder *encoder;
    int16_t frame[FRAME];
    int filled;
    int64_t total, coded; /* samples, both with the coder's delay in front */
};

int cp_ogg_create(struct cp_buffer *out, struct cp_ogg **ret_ogg, struct cp_error *error)
{
    int opus_error = 0;
    opus_int32 pre_skip = 0;
    struct cp_ogg *ogg = calloc(1, sizeof *ogg);
    if (ogg)
        ogg->encoder = opus_encoder_create(CP_SAMPLE_HZ, 1, OPUS_APPLICATION_AUDIO, &opus_error);
    if (!ogg || !ogg->encoder) {
        free(ogg);
        return cp_fail(error, CP_ERR_NOMEM, "speech", "Out of memory.");
    }
    opus_encoder_ctl(ogg->encoder, OPUS_SET_BITRATE(BITRATE));
    opus_encoder_ctl(ogg->encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    opus_encoder_ctl(ogg->encoder, OPUS_GET_LOOKAHEAD(&pre_skip));
    ogg->page.out = out;
    ogg->total = pre_skip;
    add_headers(&ogg->page, pre_skip);
    *ret_ogg = ogg;
    return 0;
}

static int code_frame(struct cp_ogg *ogg, struct cp_error *error)
{
    uint8_t packet[MAX_PACKET_BYTES];
    opus_int32 bytes = opus_encode(ogg->encoder, ogg->frame, FRAME, packet, sizeof packet);
    if (bytes < 0)
        return cp_fail(error, CP_ERR_INTERNAL, "speech", "Opus failed: %s.", opus_strerror(bytes));
    if (!has_room(&ogg->page, (size_t)bytes))
        flush_page(&ogg->page, PAGE_MIDDLE, ogg->coded);
    add_packet(&ogg->page, packet, (size_t)bytes);
    ogg->coded += FRAME;
    ogg->filled = 0;
    return 0;
}

int cp_ogg_add(struct cp_ogg *ogg, const int16_t *pcm, size_t n, struct cp_error *error)
{
    int result = 0;
    ogg->total += (int64_t)n;
    while (n && !result) {
        size_t room = (size_t)(FRAME - ogg->filled), take = n < room ? n : room;
        memcpy(ogg->frame + ogg->filled, pcm, take * sizeof *pcm);
        ogg->filled += (int)take;
        pcm += take;
        n -= take;
        if (ogg->filled == FRAME)
            result = code_frame(ogg, error);
    }
    return result;
}

void cp_ogg_flush(struct cp_ogg *ogg)
{
    if (ogg->page.n_packets)
        flush_page(&ogg->page, PAGE_MIDDLE, ogg->coded);
}

int cp_ogg_end(struct cp_ogg *ogg, struct cp_error *error)
{
    int result = 0;
    while (ogg->coded < ogg->total && !result) { /* always at least once: the delay is still to come */
        memset(ogg->frame + ogg->filled, 0, (size_t)(FRAME - ogg->filled) * sizeof *ogg->frame);
        result = code_frame(ogg, error);
    }
    if (!result) /* RFC 7845 section 4.5: the end is trimmed by the last granule */
        flush_page(&ogg->page, PAGE_LAST, ogg->total);
    if (!result && ogg->page.out->failed)
        result = cp_fail(error, CP_ERR_LIMIT, "speech", "The Ogg file does not fit its buffer.");
    return result;
}

void cp_ogg_destroy(struct cp_ogg *ogg)
{
    if (!ogg)
        return;
    opus_encoder_destroy(ogg->encoder);
    free(ogg);
}

int cp_speech_write_ogg(struct cp_utterance *const *utterances, int n, struct cp_buffer *out,
                        struct cp_error *error)
{
    struct cp_ogg *ogg;
    int result = cp_ogg_create(out, &ogg, error);
    if (result)
        return result;
    for (int i = 0; i < n && !result; i++)
        result = cp_ogg_add(ogg, utterances[i]->pcm, (size_t)utterances[i]->n_samples, error);
    if (!result)
        result = cp_ogg_end(ogg, error);
    cp_ogg_destroy(ogg);
    return result;
}

/* --- reading --- */

static uint64_t get_le(const uint8_t *from, int bytes)
{
    uint64_t value = 0;
    for (int i = bytes; i--;)
        value = value << 8 | from[i];
    return value;
}

struct ogg_reader {
    const uint8_t *at, *end;
    OpusDecoder *decoder;
    struct cp_buffer pcm;
    int64_t pre_skip, granule;
    int n_packets;
};

static int broken(struct cp_error *error)
{
    return cp_fail(error, CP_ERR_FORMAT, "speech", "This is not an Ogg/Opus file of ours, or it is damaged.");
}

static int read_packet(struct ogg_reader *reader, const uint8_t *packet, size_t length,
                       struct cp_error *error)
{
    enum { MAX_SAMPLES = CP_SAMPLE_HZ * 120 / 1000 }; /* RFC 6716 section 2.1.4 */
    int number = reader->n_packets++;
    if (number == 0) {
        if (length < 19 || memcmp(packet, "OpusHead\1\1", 10))
            return broken(error);
        reader->pre_skip = (int64_t)get_le(packet + 10, 2);
        return 0;
    }
    if (number == 1)
        return 0; /* tags */
    uint8_t *room = cp_buffer_reserve(&reader->pcm, MAX_SAMPLES * sizeof(int16_t));
    if (!room)
        return cp_fail(error, CP_ERR_LIMIT, "speech", "The Ogg file is too long.");
    int n =
        opus_decode(reader->decoder, packet, (opus_int32)length, (opus_int16 *)(void *)room, MAX_SAMPLES, 0);
    if (n < 0)
        return broken(error);
    reader->pcm.length += (size_t)n * sizeof(int16_t);
    return 0;
}

/* One page. Packets never go over the end of ours. */
static int read_page(struct ogg_reader *reader, struct cp_error *error)
{
    enum { HEAD = 27 };
    uint8_t head[HEAD];
    size_t left = (size_t)(reader->end - reader->at), body = 0;
    if (left < HEAD || memcmp(reader->at, "OggS", 5) || left < HEAD + (size_t)reader->at[26])
        return broken(error);
    const uint8_t *lacing = reader->at + HEAD;
    int n_segments = reader->at[26];
    for (int i = 0; i < n_segments; i++)
        body += lacing[i];
    if (left - HEAD - (size_t)n_segments < body || (n_segments && lacing[n_segments - 1] == 255))
        return broken(error);
    memcpy(head, reader->at, HEAD);
    memset(head + 22, 0, 4);
    uint32_t sum = crc(crc(0, head, HEAD), lacing, (size_t)n_segments + body);
    if (sum != get_le(reader->at + 22, 4))
        return broken(error);
    reader->granule = (int64_t)get_le(reader->at + 6, 8);
    const uint8_t *packet = lacing + n_segments;
    size_t length = 0;
    int result = 0;
    for (int i = 0; i < n_segments && !result; i++) {
        length += lacing[i];
        if (lacing[i] == 255)
            continue;
        result = read_packet(reader, packet, length, error);
        packet += length;
        length = 0;
    }
    reader->at = lacing + n_segments + body;
    return result;
}

int cp_speech_read_ogg(const void *bytes, size_t length, struct cp_utterance **ret_utterance,
                       struct cp_error *error)
{
    int opus_error, result = 0;
    struct ogg_reader reader = {.at = bytes,
                                .end = (const uint8_t *)bytes + length,
                                .decoder = opus_decoder_create(CP_SAMPLE_HZ, 1, &opus_error),
                                .pcm = cp_buffer_make(512 << 20)};
    if (!reader.decoder)
        return cp_fail(error, CP_ERR_NOMEM, "speech", "Out of memory.");
    while (!result && reader.at < reader.end)
        result = read_page(&reader, error);
    int64_t decoded = (int64_t)(reader.pcm.length / sizeof(int16_t)), n = reader.granule - reader.pre_skip;
    if (!result && (reader.n_packets < 2 || n < 0 || reader.granule > decoded))
        result = broken(error);
    struct cp_utterance *utterance = result ? NULL : cp_utterance_create((int32_t)n, 0, "");
    if (!result && !utterance)
        result = cp_fail(error, CP_ERR_NOMEM, "speech", "Out of memory.");
    if (!result && n)
        memcpy(utterance->pcm, (int16_t *)(void *)reader.pcm.data + reader.pre_skip,
               (size_t)n * sizeof(int16_t));
    opus_decoder_destroy(reader.decoder);
    cp_buffer_free(&reader.pcm);
    if (!result)
        *ret_utterance = utterance;
    return result;
}

#endif
