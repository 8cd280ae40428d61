/* A coded piece of sound or picture. Shared by reference, never changed after it was made. */
#ifndef CP_MEDIA_PACKET_H
#define CP_MEDIA_PACKET_H

#include "base/pool.h"
#include "base/ref.h"
#include "media/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cp_codec { CP_CODEC_UNSET, CP_CODEC_H264, CP_CODEC_OPUS, CP_CODEC_AAC };

struct cp_packet {
    struct cp_ref ref;
    struct cp_pool *pool;
    enum cp_codec codec;
    bool key;           /* decodable on its own (an IDR with SPS and PPS in front) */
    int64_t at_samples; /* presentation time on the channel's sample clock; no B-frames, so decode time too */
    int32_t length_samples;   /* its duration */
    int64_t captured_wall_ns; /* wall time of that moment: what RTCP SR and EXT-X-PROGRAM-DATE-TIME say */
    char cue[40];             /* see struct cp_picture */
    struct cp_stamps stamps;
    size_t length_bytes, capacity_bytes;
    uint8_t *data; /* H.264: Annex B, one access unit; Opus: one packet; AAC: one raw frame, no ADTS */
};

/* A pool of `count` packets of at most capacity_bytes. NULL when out of memory. */
struct cp_pool *cp_packet_pool_create(size_t capacity_bytes, size_t count);
/* A packet with one reference, length 0, stamps zero; NULL when all are out. Lock-free. */
struct cp_packet *cp_packet_get(struct cp_pool *pool);

#endif
