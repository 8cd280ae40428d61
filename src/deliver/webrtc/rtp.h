/*
 * RTP payloads (RFC 6184 for H.264, RFC 7587 for Opus), made once a channel and shared by all its viewers.
 *
 * A batch is a run of RTP payloads in plain text, without headers: a header holds what differs from viewer to
 * viewer (payload type, sequence number, extension ids). Batches are reference counted and never change after
 * they were made; each net thread keeps the last second of them as its retransmission history.
 */
#ifndef CP_WEBRTC_RTP_H
#define CP_WEBRTC_RTP_H

#include "base/pool.h"
#include "base/ref.h"
#include "media/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CP_RTP_HEADER_BYTES    12
#define CP_RTP_EXTENSION_BYTES 16   /* at most, with its head */
#define CP_RTP_PACKET_BYTES    1200 /* on the wire: passes IPv6's minimum MTU of 1280 */
#define CP_RTP_PAYLOAD_BYTES   (CP_RTP_PACKET_BYTES - CP_RTP_HEADER_BYTES - CP_RTP_EXTENSION_BYTES - 16)
#define CP_RTP_BATCH_PACKETS   16

#define CP_RTP_VIDEO_HZ 90000

struct cp_rtp_batch {
    struct cp_ref ref;
    struct cp_pool *pool;
    struct cp_packet *packet;   /* what it was made of, in the last batch of a packet; else NULL */
    _Atomic int32_t lanes_left; /* net threads that have not sent it yet (for the `sent` event) */
    enum cp_codec codec;
    bool key;         /* of an access unit that a viewer can start from */
    bool first, last; /* of its packet */
    uint32_t timestamp;
    int64_t at_samples, captured_wall_ns, made_ns;
    uint64_t index; /* extended sequence number of payload 0, counted from the stream's start */
    int n;
    uint16_t length[CP_RTP_BATCH_PACKETS];
    bool padded[CP_RTP_BATCH_PACKETS]; /* the payload ends in RTP padding */
    uint16_t stride, capacity;
    uint8_t *payload; /* n payloads, `stride` bytes apart, behind this struct */
};

struct cp_pool *cp_rtp_pool_create(int packets_per_batch, size_t count);
/* Bytes of payload i. */
static inline const uint8_t *cp_rtp_payload(const struct cp_rtp_batch *batch, int i)
{
    return batch->payload + (size_t)i * batch->stride;
}
/* The marker bit of payload i: the end of an access unit (RFC 6184 section 5.1). */
static inline bool cp_rtp_marker(const struct cp_rtp_batch *batch, int i)
{
    return batch->codec == CP_CODEC_H264 && batch->last && i == batch->n - 1;
}

/* Cuts packets of one codec of one stream. One writer. */
struct cp_rtp_packetizer {
    enum cp_codec codec;
    struct cp_pool *pool;
    int packets_per_batch;
    uint64_t next_index;
    uint64_t misses; /* packets not sent: no batch was free, or the packet was too large or malformed */
};

#define CP_RTP_MAX_BATCHES 64 /* of one packet: about 1.1 MB */

/* Fills batches[] (one reference each) and returns how many; 0 when it failed (counted, and the sequence
 * numbers are not used up). Allocates nothing. thread: venc, aenc */
int cp_rtp_cut(struct cp_rtp_packetizer *packetizer, struct cp_packet *packet,
               struct cp_rtp_batch *batches[CP_RTP_MAX_BATCHES]);

/* The RTP time of a moment of the sample clock. */
uint32_t cp_rtp_timestamp(enum cp_codec codec, int64_t at_samples);

/* --- retransmission history of one net thread --- */

#define CP_RTP_HISTORY_BATCHES 128
#define CP_RTP_HISTORY_NS      (1000 * INT64_C(1000000))

struct cp_rtp_history {
    struct cp_rtp_batch *batches[CP_RTP_HISTORY_BATCHES];
    unsigned oldest, count;
};

/* Takes its own reference; drops what is older than a second or does not fit. */
void cp_rtp_history_add(struct cp_rtp_history *history, struct cp_rtp_batch *batch);
/* The batch that holds a packet; NULL when it is gone. */
const struct cp_rtp_batch *cp_rtp_history_find(const struct cp_rtp_history *history, uint64_t index);
void cp_rtp_history_clear(struct cp_rtp_history *history);

/* The start of the next NAL unit of an Annex B stream, from p on; ret_length: its bytes. NULL at the end. */
const uint8_t *cp_h264_next_nal(const uint8_t *p, const uint8_t *end, size_t *ret_length);

#endif
