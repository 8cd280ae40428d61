#include "deliver/webrtc/rtp.h"

#include "base/clock.h"
#include "deliver/webrtc/bytes.h"

#include <string.h>

#define NAL_TYPE(byte) ((byte)&0x1f)
#define NAL_NRI(byte)  ((byte)&0x60)
enum { NAL_IDR = 5, NAL_SEI = 6, NAL_SPS = 7, NAL_PPS = 8, NAL_AUD = 9, NAL_STAP_A = 24, NAL_FU_A = 28 };
enum { FU_START = 0x80, FU_END = 0x40 };

#define HEAD_BYTES ((sizeof(struct cp_rtp_batch) + 63) & ~(size_t)63)

struct cp_pool *cp_rtp_pool_create(int packets_per_batch, size_t count)
{
    return cp_pool_create(HEAD_BYTES + (size_t)packets_per_batch * CP_RTP_PAYLOAD_BYTES, count);
}

static void return_batch(void *object)
{
    struct cp_rtp_batch *batch = object;
    cp_ref_drop(batch->packet);
    batch->packet = NULL;
    cp_pool_put(batch->pool, batch);
}

uint32_t cp_rtp_timestamp(enum cp_codec codec, int64_t at_samples)
{
    if (codec == CP_CODEC_H264)
        return (uint32_t)(at_samples * (CP_RTP_VIDEO_HZ / 1000) / (CP_SAMPLE_HZ / 1000));
    return (uint32_t)at_samples;
}

const uint8_t *cp_h264_next_nal(const uint8_t *p, const uint8_t *end, size_t *ret_length)
{
    const uint8_t *start = NULL;
    for (; end - p >= 3; p++) {
        p = memchr(p, 0, (size_t)(end - p - 2));
        if (!p)
            break;
        if (p[1] == 0 && p[2] == 1) {
            if (start)
                break;
            start = p + 3;
            p += 2;
        } else if (start && p[1] == 0 && p[2] == 0) {
            break; /* trailing zeros, or a four-byte start code */
        }
    }
    if (!start || start >= end)
        return NULL;
    const uint8_t *stop = p && end - p >= 3 ? p : end;
    *ret_length = (size_t)(stop - start);
    return start;
}

/* --- filling batches --- */

struct cut {
    struct cp_rtp_packetizer *packetizer;
    struct cp_packet *packet;
    struct cp_rtp_batch **batches;
    int n;
    uint64_t index;
    bool failed;
};

static struct cp_rtp_batch *add_batch(struct cut *cut)
{
    struct cp_rtp_packetizer *packetizer = cut->packetizer;
    struct cp_rtp_batch *batch = cut->n < CP_RTP_MAX_BATCHES ? cp_pool_get(packetizer->pool) : NULL;
    if (!batch) {
        cut->failed = true;
        return NULL;
    }
    memset(batch, 0, sizeof *batch);
    cp_ref_init(&batch->ref, return_batch);
    batch->pool = packetizer->pool;
    batch->codec = packetizer->codec;
    batch->key = cut->packet->key;
    batch->first = cut->n == 0;
    batch->timestamp = cp_rtp_timestamp(packetizer->codec, cut->packet->at_samples);
    batch->at_samples = cut->packet->at_samples;
    batch->captured_wall_ns = cut->packet->captured_wall_ns;
    batch->made_ns = cp_clock_now_ns();
    batch->index = cut->index;
    batch->stride = CP_RTP_PAYLOAD_BYTES;
    batch->capacity = (uint16_t)packetizer->packets_per_batch;
    batch->payload = (uint8_t *)batch + HEAD_BYTES;
    cut->batches[cut->n++] = batch;
    return batch;
}

/* Room for the next payload; NULL (and failed) when there is none. */
static uint8_t *add_payload(struct cut *cut, size_t length)
{
    struct cp_rtp_batch *batch = cut->n ? cut->batches[cut->n - 1] : NULL;
    if (!batch || batch->n == batch->capacity)
        batch = add_batch(cut);
    if (!batch)
        return NULL;
    batch->length[batch->n] = (uint16_t)length;
    cut->index++;
    return batch->payload + (size_t)batch->n++ * batch->stride;
}

/*
 * One NAL unit in fragments of equal size (RFC 6184 section 5.8). The last one is filled up with RTP padding,
 * so that all can go out as segments of one message.
 */
static void add_fragments(struct cut *cut, const uint8_t *nal, size_t length)
{
    const size_t room = CP_RTP_PAYLOAD_BYTES - 2;
    size_t left = length - 1, count = (left + room - 1) / room, size = (left + count - 1) / count;
    const uint8_t *from = nal + 1;
    for (size_t i = 0; i < count; i++) {
        size_t n = left < size ? left : size, padding = size - n;
        uint8_t *to = add_payload(cut, 2 + size);
        if (!to)
            return;
        if (padding > 255) { /* RFC 3550 section 5.1: the last byte counts the padding */
            struct cp_rtp_batch *batch = cut->batches[cut->n - 1];
            batch->length[batch->n - 1] = (uint16_t)(2 + n);
            padding = 0;
        }
        to[0] = (uint8_t)(NAL_NRI(nal[0]) | NAL_FU_A);
        to[1] = (uint8_t)(NAL_TYPE(nal[0]) | (i == 0 ? FU_START : 0) | (i == count - 1 ? FU_END : 0));
        memcpy(to + 2, from, n);
        if (padding) {
            struct cp_rtp_batch *batch = cut->batches[cut->n - 1];
            memset(to + 2 + n, 0, padding - 1);
            to[2 + n + padding - 1] = (uint8_t)padding;
            batch->padded[batch->n - 1] = true;
        }
        from += n;
        left -= n;
    }
}

/* Small NAL units that stand together (SPS, PPS, SEI) share one payload (RFC 6184 section 5.7.1). */
struct together {
    const uint8_t *nal[8];
    size_t length[8];
    int n;
    size_t bytes;
};

static void flush_together(struct cut *cut, struct together *together)
{
    if (together->n == 1) {
        uint8_t *to = add_payload(cut, together->length[0]);
        if (to)
            memcpy(to, together->nal[0], together->length[0]);
    } else if (together->n > 1) {
        uint8_t *to = add_payload(cut, together->bytes), nri = 0;
        for (int i = 0; i < together->n; i++)
            nri = NAL_NRI(together->nal[i][0]) > nri ? NAL_NRI(together->nal[i][0]) : nri;
        if (to) {
            *to++ = nri | NAL_STAP_A;
            for (int i = 0; i < together->n; i++) {
                cp_put16(to, (unsigned)together->length[i]);
                memcpy(to + 2, together->nal[i], together->length[i]);
                to += 2 + together->length[i];
            }
        }
    }
    together->n = 0;
    together->bytes = 1;
}

static void cut_h264(struct cut *cut)
{
    const uint8_t *p = cut->packet->data, *end = p + cut->packet->length_bytes;
    struct together together = {.bytes = 1};
    size_t length;
    while (!cut->failed && (p = cp_h264_next_nal(p, end, &length))) {
        unsigned type = length ? NAL_TYPE(p[0]) : NAL_AUD;
        bool small = type == NAL_SPS || type == NAL_PPS || type == NAL_SEI;
        if (small && together.bytes + 2 + length <= CP_RTP_PAYLOAD_BYTES && together.n < 8) {
            together.nal[together.n] = p;
            together.length[together.n++] = length;
            together.bytes += 2 + length;
        } else if (type != NAL_AUD) { /* delimiters are of no use in RTP, which marks the end */
            flush_together(cut, &together);
            if (length > CP_RTP_PAYLOAD_BYTES) {
                add_fragments(cut, p, length);
            } else {
                uint8_t *to = add_payload(cut, length);
                if (to)
                    memcpy(to, p, length);
            }
        }
        p += length;
    }
    if (!cut->failed)
        flush_together(cut, &together);
}

int cp_rtp_cut(struct cp_rtp_packetizer *packetizer, struct cp_packet *packet,
               struct cp_rtp_batch *batches[CP_RTP_MAX_BATCHES])
{
    struct cut cut = {packetizer, packet, batches, 0, packetizer->next_index, false};
    if (packetizer->codec == CP_CODEC_H264) {
        cut_h264(&cut);
    } else if (packet->length_bytes && packet->length_bytes <= CP_RTP_PAYLOAD_BYTES) {
        uint8_t *to = add_payload(&cut, packet->length_bytes);
        if (to)
            memcpy(to, packet->data, packet->length_bytes);
    }
    if (cut.failed || !cut.n) {
        for (int i = 0; i < cut.n; i++)
            cp_ref_drop(batches[i]);
        packetizer->misses++;
        return 0;
    }
    packetizer->next_index = cut.index;
    batches[cut.n - 1]->last = true;
    batches[cut.n - 1]->packet = cp_ref_take(packet);
    return cut.n;
}

/* --- history --- */

static struct cp_rtp_batch *oldest(const struct cp_rtp_history *history)
{
    return history->batches[history->oldest % CP_RTP_HISTORY_BATCHES];
}

static void drop_oldest(struct cp_rtp_history *history)
{
    cp_ref_drop(oldest(history));
    history->oldest++;
    history->count--;
}

void cp_rtp_history_add(struct cp_rtp_history *history, struct cp_rtp_batch *batch)
{
    while (history->count && (history->count == CP_RTP_HISTORY_BATCHES ||
                              oldest(history)->made_ns < batch->made_ns - CP_RTP_HISTORY_NS))
        drop_oldest(history);
    history->batches[(history->oldest + history->count++) % CP_RTP_HISTORY_BATCHES] = cp_ref_take(batch);
}

const struct cp_rtp_batch *cp_rtp_history_find(const struct cp_rtp_history *history, uint64_t index)
{
    for (unsigned i = history->count; i-- > 0;) { /* what is asked for is nearly always recent */
        const struct cp_rtp_batch *batch = history->batches[(history->oldest + i) % CP_RTP_HISTORY_BATCHES];
        if (batch->index <= index)
            return index < batch->index + (uint64_t)batch->n ? batch : NULL;
    }
    return NULL;
}

void cp_rtp_history_clear(struct cp_rtp_history *history)
{
    while (history->count)
        drop_oldest(history);
}
