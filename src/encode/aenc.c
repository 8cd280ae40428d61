/*
 * The sound half of the stage: blocks of any size are cut into the coder's frames, and each packet is told
 * which moment it holds.
 */
#include "encode/encode_int.h"

#include "base/clock.h"
#include "base/thread.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PACKETS      128  /* two and a half seconds of 20 ms packets for all queues behind */
#define PACKET_BYTES 2048 /* Opus: 1,275 at most (RFC 6716 section 3.2.1); AAC mono: 768 (6,144 bits) */
#define MAX_FRAME    1024

struct cp_aenc {
    struct cp_audio_coder *coder;
    struct cp_pool *packets;
    cp_packet_fn *on_packet;
    void *user;
    int64_t frame_at; /* sample clock of frame[0] */
    bool started;
    int n_frame;             /* samples in frame[] */
    int64_t wall_ns;         /* wall time of frame[0] */
    struct cp_stamps stamps; /* of the block that frame[0] came with */
    int16_t frame[MAX_FRAME];
};

int cp_aenc_create(const struct cp_encode_config *config, enum cp_codec codec, cp_packet_fn *on_packet,
                   void *user, struct cp_aenc **ret_aenc, struct cp_error *error)
{
    if (codec != CP_CODEC_OPUS && codec != CP_CODEC_AAC)
        return cp_fail(error, CP_ERR_INVALID, "encode", "a sound encoder makes Opus or AAC");
    struct cp_aenc *aenc = calloc(1, sizeof *aenc);
    if (aenc)
        aenc->packets = cp_packet_pool_create(PACKET_BYTES, PACKETS);
    int result = 0, kbps = (int)config->audio_kbps;
    if (!aenc || !aenc->packets)
        result = cp_fail(error, CP_ERR_NOMEM, "encode", "out of memory for a sound encoder");
    else if (codec == CP_CODEC_OPUS)
        result = cp_opus_open(kbps, &aenc->coder, error);
    else
        result = cp_aac_open(kbps * 3 / 2, &aenc->coder, error);
    if (result) {
        cp_aenc_destroy(aenc);
        return result;
    }
    aenc->on_packet = on_packet;
    aenc->user = user;
    *ret_aenc = aenc;
    return 0;
}

/* Encodes the full frame. An empty pool loses the packet, not the coder's state: the frame is still encoded,
 * since the next one's sound overlaps it. */
static int encode_frame(struct cp_aenc *aenc, struct cp_error *error)
{
    struct cp_audio_coder *coder = aenc->coder;
    uint8_t spare[PACKET_BYTES];
    struct cp_packet *packet = cp_packet_get(aenc->packets);
    size_t length = 0;
    int result =
        coder->encode(coder, aenc->frame, packet ? packet->data : spare, PACKET_BYTES, &length, error);
    if (!result && packet && length) {
        packet->codec = coder->codec;
        packet->key = true;
        packet->at_samples = aenc->frame_at - coder->delay_samples;
        packet->length_samples = coder->frame_samples;
        packet->captured_wall_ns = aenc->wall_ns - (int64_t)coder->delay_samples * CP_NS_PER_S / CP_SAMPLE_HZ;
        packet->stamps = aenc->stamps;
        packet->stamps.at_ns[CP_STEP_ENCODED] = cp_clock_now_ns();
        packet->length_bytes = length;
        aenc->on_packet(aenc->user, packet);
    }
    cp_ref_drop(packet);
    return result;
}

int cp_aenc_encode(struct cp_aenc *aenc, const int16_t *pcm, int n_samples, int64_t at_samples,
                   int64_t captured_wall_ns, const struct cp_stamps *stamps, struct cp_error *error)
{
    assert(cp_thread_is("aenc") || cp_thread_is("venc") || cp_thread_is("main"));
    const int size = aenc->coder->frame_samples;
    if (!aenc->started) {
        aenc->started = true;
        aenc->frame_at = at_samples;
    }
    if (at_samples != aenc->frame_at + aenc->n_frame)
        return cp_fail(error, CP_ERR_INVALID, "encode",
                       "sound of sample %lld came where %lld was due: blocks follow one another without gaps",
                       (long long)at_samples, (long long)(aenc->frame_at + aenc->n_frame));
    for (int used = 0; used < n_samples;) {
        int more = n_samples - used < size - aenc->n_frame ? n_samples - used : size - aenc->n_frame;
        if (!aenc->n_frame) {
            aenc->wall_ns = captured_wall_ns + (int64_t)used * CP_NS_PER_S / CP_SAMPLE_HZ;
            aenc->stamps = stamps ? *stamps : (struct cp_stamps){0};
        }
        memcpy(aenc->frame + aenc->n_frame, pcm + used, (size_t)more * sizeof *pcm);
        aenc->n_frame += more;
        used += more;
        if (aenc->n_frame < size)
            continue;
        int result = encode_frame(aenc, error);
        aenc->frame_at += size;
        aenc->n_frame = 0;
        if (result)
            return result;
    }
    return 0;
}

int cp_aenc_extradata(const struct cp_aenc *aenc, uint8_t *ret_bytes, int capacity)
{
    int length = aenc->coder->extradata_bytes;
    if (length > capacity)
        return 0;
    memcpy(ret_bytes, aenc->coder->extradata, (size_t)length);
    return length;
}

void cp_aenc_destroy(struct cp_aenc *aenc)
{
    if (!aenc)
        return;
    if (aenc->coder)
        aenc->coder->close(aenc->coder);
    cp_pool_destroy(aenc->packets);
    free(aenc);
}
