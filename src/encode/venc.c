/*
 * The video half of the stage: when an IDR is due, where the bytes go, what is counted. The coding itself is
 * the provider's.
 *
 * IDRs: the first picture; the first picture of each period of idr_s on the frame count, whatever was asked
 * for in between, so that HLS segments are of equal length; and when asked for. An ask waits until the last
 * IDR is 500 ms old, and joins a periodic one that comes within 200 ms.
 */
#include "encode/encode_int.h"

#include "base/clock.h"
#include "base/thread.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Viewers hold about a second of packets for retransmission; the rest is for queues behind. */
#define PACKETS         64
#define MIN_PACKET_SIZE (96 * 1024)
/* The decoder's buffer in seconds of the rate: bounds an IDR to some 4 times the mean frame of the ceiling.
 */
#define VBV_S     0.3
#define IDR_APART (CP_FRAME_HZ / 2)
#define IDR_JOIN  (CP_FRAME_HZ / 5)

struct cp_venc {
    const struct cp_video_provider *provider;
    void *coder;
    struct cp_pool *packets;
    cp_packet_fn *on_packet;
    void *user;
    int width, height, idr_frames;
    int64_t last_idr, last_period; /* frame number and period of the last IDR; last_idr -1: none yet */
    bool broken;                   /* the last unit was lost: nothing but an IDR can follow */
    atomic_bool idr_wanted;
    _Atomic uint64_t frames, idrs, idr_requests, idr_coalesced, bytes, dropped_no_packet;
    _Atomic int64_t last_encode_ns;
};

static void count(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

/* H.264 table A-1: level 3.1 holds 3,600 macroblocks, 4.0 holds 8,192, both at 30 frames a second. */
static int level_for(int width, int height)
{
    int macroblocks = ((width + 15) / 16) * ((height + 15) / 16);
    return macroblocks <= 3600 ? 31 : macroblocks <= 8192 ? 40 : 0;
}

int cp_venc_create(const struct cp_encode_config *config, int width, int height, cp_packet_fn *on_packet,
                   void *user, struct cp_venc **ret_venc, struct cp_error *error)
{
    const struct cp_video_provider *provider;
    struct cp_video_setup setup = {.threads = config->threads > 1 ? config->threads : 1,
                                   .width = width,
                                   .height = height,
                                   .level_idc = level_for(width, height),
                                   .kbps = (int)config->video_kbps,
                                   .vbv_bits = (int)((double)config->video_kbps * 1000 * VBV_S),
                                   .preset = *config->preset ? config->preset : "superfast"};
    if (width < 16 || height < 16 || width % 2 || height % 2 || !setup.level_idc)
        return cp_fail(error, CP_ERR_INVALID, "encode",
                       "a picture of %dx%d cannot be encoded: both sides even, 16x16 to 1920x1088", width,
                       height);
    int result = cp_video_provider_find(config->video, &provider, error);
    if (result)
        return result;
    struct cp_venc *venc = calloc(1, sizeof *venc);
    size_t packet_bytes = (size_t)setup.vbv_bits / 8 * 2;
    if (venc)
        venc->packets =
            cp_packet_pool_create(packet_bytes < MIN_PACKET_SIZE ? MIN_PACKET_SIZE : packet_bytes, PACKETS);
    if (!venc || !venc->packets) {
        result = cp_fail(error, CP_ERR_NOMEM, "encode", "out of memory for a video encoder");
        goto out;
    }
    venc->provider = provider;
    venc->on_packet = on_packet;
    venc->user = user;
    venc->width = width;
    venc->height = height;
    venc->idr_frames = (int)lround(config->idr_s * CP_FRAME_HZ);
    venc->last_idr = -1;
    result = provider->open(&setup, &venc->coder, error);
    if (result)
        goto out;
    *ret_venc = venc;
    return 0;
out:
    cp_venc_destroy(venc);
    return result;
}

static bool idr_is_due(struct cp_venc *venc, int64_t frame)
{
    if (venc->last_idr < 0 || venc->broken || frame / venc->idr_frames != venc->last_period)
        return true;
    if (!atomic_load_explicit(&venc->idr_wanted, memory_order_acquire))
        return false;
    int64_t to_next_period = venc->idr_frames - frame % venc->idr_frames;
    return frame - venc->last_idr >= IDR_APART && to_next_period > IDR_JOIN;
}

/*
 * Both providers write 42c0xx (constraint sets 0 and 1). What they make keeps set 2 as well (Extended
 * profile: H.264 A.2.3; 8x8 direct inference is on), and 42e0xx is what browsers offer in SDP and some
 * compare with.
 */
static void mark_constrained(uint8_t *data, size_t length)
{
    for (size_t i = 0; i + 5 < length; i++)
        if (!data[i] && !data[i + 1] && data[i + 2] == 1) {
            if ((data[i + 3] & 0x1f) == 7 && data[i + 4] == 66 && (data[i + 5] & 0x40))
                data[i + 5] |= 0x20;
            else if ((data[i + 3] & 0x1f) == 5)
                return;
        }
}

static void fill(struct cp_packet *packet, const struct cp_picture *picture, bool idr,
                 int64_t captured_wall_ns)
{
    packet->codec = CP_CODEC_H264;
    packet->key = idr;
    packet->at_samples = picture->frame * CP_SAMPLES_PER_FRAME;
    packet->length_samples = CP_SAMPLES_PER_FRAME;
    packet->captured_wall_ns = captured_wall_ns;
    packet->stamps = picture->stamps;
    packet->stamps.at_ns[CP_STEP_ENCODED] = cp_clock_now_ns();
    memcpy(packet->cue, picture->cue, sizeof packet->cue);
}

int cp_venc_encode(struct cp_venc *venc, const struct cp_picture *picture, int64_t captured_wall_ns,
                   struct cp_error *error)
{
    CP_ASSERT_THREAD("venc");
    int64_t started_ns = cp_clock_now_ns();
    if (picture->width != venc->width || picture->height != venc->height)
        return cp_fail(error, CP_ERR_INVALID, "encode", "a picture of %dx%d came to an encoder of %dx%d",
                       picture->width, picture->height, venc->width, venc->height);
    /* The packet first: a picture that is not encoded at all breaks no reference, so no IDR has to follow. */
    struct cp_packet *packet = cp_packet_get(venc->packets);
    if (!packet) {
        count(&venc->dropped_no_packet, 1);
        return 0;
    }
    bool idr = idr_is_due(venc, picture->frame);
    /* Cleared before the call: an ask that comes while this picture is being encoded is for the next one. */
    if (idr)
        atomic_store_explicit(&venc->idr_wanted, false, memory_order_release);
    int result = venc->provider->encode(venc->coder, picture, idr, packet->data, packet->capacity_bytes,
                                        &packet->length_bytes, error);
    venc->broken = result != 0;
    if (result)
        goto out;
    if (idr) {
        mark_constrained(packet->data, packet->length_bytes);
        venc->last_idr = picture->frame;
        venc->last_period = picture->frame / venc->idr_frames;
        count(&venc->idrs, 1);
    }
    fill(packet, picture, idr, captured_wall_ns);
    count(&venc->frames, 1);
    count(&venc->bytes, packet->length_bytes);
    atomic_store_explicit(&venc->last_encode_ns, cp_clock_now_ns() - started_ns, memory_order_relaxed);
    venc->on_packet(venc->user, packet);
out:
    if (result == CP_ERR_LIMIT) { /* one frame of the stream is lost, not the stream */
        count(&venc->dropped_no_packet, 1);
        result = 0;
    }
    cp_ref_drop(packet);
    return result;
}

void cp_venc_request_idr(struct cp_venc *venc)
{
    count(&venc->idr_requests, 1);
    if (atomic_exchange_explicit(&venc->idr_wanted, true, memory_order_acq_rel))
        count(&venc->idr_coalesced, 1);
}

struct cp_venc_stats cp_venc_stats(const struct cp_venc *venc)
{
    struct cp_venc *v = (struct cp_venc *)venc; /* atomic loads want a pointer to non-const in C17 */
    return (struct cp_venc_stats){.frames = atomic_load(&v->frames),
                                  .idrs = atomic_load(&v->idrs),
                                  .idr_requests = atomic_load(&v->idr_requests),
                                  .idr_coalesced = atomic_load(&v->idr_coalesced),
                                  .bytes = atomic_load(&v->bytes),
                                  .dropped_no_packet = atomic_load(&v->dropped_no_packet),
                                  .last_encode_ns = atomic_load(&v->last_encode_ns)};
}

/* Packets still held by others stay valid: the pool lives until the last one is back. */
void cp_venc_destroy(struct cp_venc *venc)
{
    if (!venc)
        return;
    if (venc->provider)
        venc->provider->close(venc->coder);
    cp_pool_destroy(venc->packets);
    free(venc);
}
