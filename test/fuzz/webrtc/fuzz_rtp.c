/* Cutting access units into RTP: whatever the encoder hands over, payloads keep to their limits. */
#include "deliver/webrtc/rtp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cp_pool *packets, *pool;
    struct cp_rtp_batch *batches[CP_RTP_MAX_BATCHES];
    if (!packets) {
        packets = cp_packet_pool_create(1 << 16, 2);
        pool = cp_rtp_pool_create(CP_RTP_BATCH_PACKETS, CP_RTP_MAX_BATCHES);
    }
    struct cp_packet *packet = cp_packet_get(packets);
    if (!packet || size > packet->capacity_bytes) {
        cp_ref_drop(packet);
        return 0;
    }
    packet->codec = CP_CODEC_H264;
    memcpy(packet->data, data, size);
    packet->length_bytes = size;
    struct cp_rtp_packetizer packetizer = {CP_CODEC_H264, pool, CP_RTP_BATCH_PACKETS, 0, 0};
    int n = cp_rtp_cut(&packetizer, packet, batches);
    for (int b = 0; b < n; b++) {
        for (int i = 0; i < batches[b]->n; i++) {
            size_t length = batches[b]->length[i];
            const uint8_t *payload = cp_rtp_payload(batches[b], i);
            if (!length || length > CP_RTP_PAYLOAD_BYTES)
                abort();
            if (batches[b]->padded[i] && (!payload[length - 1] || payload[length - 1] >= length))
                abort();
        }
        cp_ref_drop(batches[b]);
    }
    cp_ref_drop(packet);
    return 0;
}
