#include "base/clock.h"
#include "deliver/webrtc/bytes.h"
#include "deliver/webrtc/rtp.h"
#include "unit.h"

#include <stdlib.h>

static struct cp_pool *packets;

static int setup(void **state)
{
    packets = cp_packet_pool_create(1 << 17, 64);
    return !packets;
}

static int teardown(void **state)
{
    cp_pool_destroy(packets);
    return 0;
}

static void add_nal(struct cp_packet *packet, int type, size_t length, bool long_start)
{
    static const uint8_t START[] = {0, 0, 0, 1};
    size_t skip = long_start ? 0 : 1;
    memcpy(packet->data + packet->length_bytes, START + skip, 4 - skip);
    packet->length_bytes += 4 - skip;
    uint8_t *nal = packet->data + packet->length_bytes;
    nal[0] = (uint8_t)(0x60 | type);
    for (size_t i = 1; i < length; i++)
        nal[i] = (uint8_t)(1 + i % 251);
    packet->length_bytes += length;
}

static struct cp_packet *make_packet(enum cp_codec codec, bool key, int64_t at_samples)
{
    struct cp_packet *packet = cp_packet_get(packets);
    packet->codec = codec;
    packet->key = key;
    packet->at_samples = at_samples;
    return packet;
}

static void drop_all(struct cp_rtp_batch **batches, int n)
{
    for (int i = 0; i < n; i++)
        cp_ref_drop(batches[i]);
}

/* Puts payloads together again to Annex B with long start codes. Returns the length. */
static size_t join(struct cp_rtp_batch **batches, int n, uint8_t *out)
{
    size_t length = 0;
    for (int b = 0; b < n; b++) {
        for (int i = 0; i < batches[b]->n; i++) {
            const uint8_t *p = cp_rtp_payload(batches[b], i);
            size_t bytes = batches[b]->length[i];
            if (batches[b]->padded[i])
                bytes -= p[bytes - 1];
            int type = p[0] & 31;
            if (type == 24) {
                for (size_t at = 1; at < bytes; at += 2 + cp_get16(p + at)) {
                    memcpy(out + length, "\0\0\0\1", 4);
                    memcpy(out + length + 4, p + at + 2, cp_get16(p + at));
                    length += 4 + cp_get16(p + at);
                }
            } else if (type == 28) {
                if (p[1] & 0x80) {
                    memcpy(out + length, "\0\0\0\1", 4);
                    out[length + 4] = (uint8_t)((p[0] & 0xe0) | (p[1] & 31));
                    length += 5;
                }
                memcpy(out + length, p + 2, bytes - 2);
                length += bytes - 2;
            } else {
                memcpy(out + length, "\0\0\0\1", 4);
                memcpy(out + length + 4, p, bytes);
                length += 4 + bytes;
            }
        }
    }
    return length;
}

static void next_nal_finds_units_behind_any_start_code(void **state)
{
    static const uint8_t STREAM[] = {9, 9, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2, 0, 0, 0, 0, 0, 1, 0x65};
    const uint8_t *p = STREAM, *end = STREAM + sizeof STREAM;
    size_t length;
    static const struct {
        uint8_t first;
        size_t length;
    } EXPECTED[] = {{0x67, 2}, {0x68, 2}, {0x65, 1}};
    for (int i = 0; i < 3; i++) {
        p = cp_h264_next_nal(p, end, &length);
        assert_non_null(p);
        assert_int_equal(p[0], EXPECTED[i].first);
        assert_int_equal(length, EXPECTED[i].length);
        p += length;
    }
    assert_null(cp_h264_next_nal(p, end, &length));
    assert_null(cp_h264_next_nal(STREAM, STREAM + 2, &length));
}

static void cut_puts_parameter_sets_together_and_fragments_equally(void **state)
{
    struct cp_pool *pool = cp_rtp_pool_create(CP_RTP_BATCH_PACKETS, 16);
    struct cp_rtp_packetizer packetizer = {CP_CODEC_H264, pool, CP_RTP_BATCH_PACKETS, 1000, 0};
    struct cp_rtp_batch *batches[CP_RTP_MAX_BATCHES];
    struct cp_packet *packet = make_packet(CP_CODEC_H264, true, 48000);
    add_nal(packet, 7, 20, true);
    add_nal(packet, 8, 4, true);
    add_nal(packet, 6, 30, false);
    add_nal(packet, 5, 40003, false);
    int n = cp_rtp_cut(&packetizer, packet, batches);
    assert_int_equal(n, 3); /* STAP-A and 35 fragments */
    assert_int_equal(cp_rtp_payload(batches[0], 0)[0] & 31, 24);
    size_t size = batches[0]->length[1];
    int total = 0, markers = 0;
    for (int b = 0; b < n; b++) {
        assert_int_equal(batches[b]->index, 1000 + total);
        assert_int_equal(batches[b]->timestamp, 90000);
        for (int i = 0; i < batches[b]->n; i++, total++) {
            assert_in_range(batches[b]->length[i], 1, CP_RTP_PAYLOAD_BYTES);
            if (total)
                assert_int_equal(batches[b]->length[i], size); /* all segments of one size */
            markers += cp_rtp_marker(batches[b], i);
        }
    }
    assert_int_equal(total, 36);
    assert_int_equal(packetizer.next_index, 1036);
    assert_int_equal(markers, 1);
    assert_true(cp_rtp_marker(batches[2], batches[2]->n - 1));
    assert_ptr_equal(batches[2]->packet, packet);
    assert_null(batches[0]->packet);

    struct cp_packet *whole = make_packet(CP_CODEC_H264, true, 0);
    add_nal(whole, 7, 20, true);
    add_nal(whole, 8, 4, true);
    add_nal(whole, 6, 30, true);
    add_nal(whole, 5, 40003, true);
    uint8_t *joined = malloc(1 << 17);
    assert_int_equal(join(batches, n, joined), whole->length_bytes);
    assert_memory_equal(joined, whole->data, whole->length_bytes);
    free(joined);
    drop_all(batches, n);
    cp_ref_drop(packet);
    cp_ref_drop(whole);
    cp_pool_destroy(pool);
}

static void cut_restores_units_of_all_sizes(void **state)
{
    struct cp_pool *pool = cp_rtp_pool_create(CP_RTP_BATCH_PACKETS, 16);
    struct cp_rtp_packetizer packetizer = {CP_CODEC_H264, pool, CP_RTP_BATCH_PACKETS, 0, 0};
    struct cp_rtp_batch *batches[CP_RTP_MAX_BATCHES];
    uint8_t *joined = malloc(1 << 17);
    for (size_t length = 1; length < 6000; length += length < 1100 || length > 1400 ? 97 : 1) {
        struct cp_packet *packet = make_packet(CP_CODEC_H264, false, 0);
        add_nal(packet, 1, length, true);
        int n = cp_rtp_cut(&packetizer, packet, batches);
        assert_true(n > 0);
        assert_int_equal(join(batches, n, joined), packet->length_bytes);
        assert_memory_equal(joined, packet->data, packet->length_bytes);
        drop_all(batches, n);
        cp_ref_drop(packet);
    }
    free(joined);
    cp_pool_destroy(pool);
}

static void cut_fails_whole_when_batches_run_out(void **state)
{
    struct cp_pool *pool = cp_rtp_pool_create(CP_RTP_BATCH_PACKETS, 2);
    struct cp_rtp_packetizer packetizer = {CP_CODEC_H264, pool, CP_RTP_BATCH_PACKETS, 7, 0};
    struct cp_rtp_batch *batches[CP_RTP_MAX_BATCHES];
    struct cp_packet *packet = make_packet(CP_CODEC_H264, true, 0);
    add_nal(packet, 5, 100000, true);
    assert_int_equal(cp_rtp_cut(&packetizer, packet, batches), 0);
    assert_int_equal(packetizer.misses, 1);
    assert_int_equal(packetizer.next_index, 7);
    packet->length_bytes = 0;
    assert_int_equal(cp_rtp_cut(&packetizer, packet, batches), 0); /* nothing in it */
    add_nal(packet, 5, 100, true);
    assert_int_equal(cp_rtp_cut(&packetizer, packet, batches), 1); /* all batches came back */
    drop_all(batches, 1);
    cp_ref_drop(packet);
    cp_pool_destroy(pool);
}

static void timestamp_follows_the_sample_clock(void **state)
{
    assert_int_equal(cp_rtp_timestamp(CP_CODEC_H264, CP_SAMPLES_PER_FRAME), 3000);
    assert_int_equal(cp_rtp_timestamp(CP_CODEC_OPUS, 960), 960);
    int64_t day = 24 * 3600 * INT64_C(48000);
    assert_int_equal(cp_rtp_timestamp(CP_CODEC_H264, day), (uint32_t)(24 * 3600 * INT64_C(90000)));
    assert_int_equal(cp_rtp_timestamp(CP_CODEC_OPUS, day), (uint32_t)day);
}

static void history_keeps_a_second_and_finds_by_index(void **state)
{
    struct cp_pool *pool = cp_rtp_pool_create(1, 300);
    struct cp_rtp_packetizer packetizer = {CP_CODEC_OPUS, pool, 1, 0, 0};
    struct cp_rtp_batch *batches[CP_RTP_MAX_BATCHES];
    struct cp_rtp_history history = {0};
    for (int i = 0; i < 200; i++) {
        struct cp_packet *packet = make_packet(CP_CODEC_OPUS, true, i * 960);
        packet->length_bytes = 80;
        packet->data[0] = (uint8_t)i;
        assert_int_equal(cp_rtp_cut(&packetizer, packet, batches), 1);
        batches[0]->made_ns = i * 20 * CP_NS_PER_MS;
        cp_ref_drop(batches[0]->packet); /* as after sending */
        batches[0]->packet = NULL;
        cp_rtp_history_add(&history, batches[0]);
        cp_ref_drop(batches[0]);
        cp_ref_drop(packet);
    }
    assert_int_equal(history.count, 51); /* one second of 20 ms, both ends */
    assert_null(cp_rtp_history_find(&history, 148));
    for (uint64_t i = 149; i < 200; i++)
        assert_int_equal(cp_rtp_payload(cp_rtp_history_find(&history, i), 0)[0], i);
    assert_null(cp_rtp_history_find(&history, 200));
    cp_rtp_history_clear(&history);
    assert_null(cp_rtp_history_find(&history, 199));
    cp_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_nal_finds_units_behind_any_start_code),
        cmocka_unit_test(cut_puts_parameter_sets_together_and_fragments_equally),
        cmocka_unit_test(cut_restores_units_of_all_sizes),
        cmocka_unit_test(cut_fails_whole_when_batches_run_out),
        cmocka_unit_test(timestamp_follows_the_sample_clock),
        cmocka_unit_test(history_keeps_a_second_and_finds_by_index),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
