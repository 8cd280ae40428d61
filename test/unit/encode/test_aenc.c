#include "encode/encode.h"
#include "source.h"

#include "base/clock.h"

#include <libavcodec/avcodec.h>
#include <math.h>
#include <opus/opus.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECONDS 1
#define START   INT64_C(480000) /* a sound need not begin at 0 */
#define TOTAL   (SECONDS * CP_SAMPLE_HZ)
#define MAX     256
#define MARGIN  4096

struct heard {
    int n_packets;
    struct cp_packet *packet[MAX];
};

static void take(void *user, struct cp_packet *packet)
{
    struct heard *heard = user;
    assert_true(heard->n_packets < MAX);
    heard->packet[heard->n_packets++] = cp_ref_take(packet);
}

static void let_go(struct heard *heard)
{
    for (int i = 0; i < heard->n_packets; i++)
        cp_ref_drop(heard->packet[i]);
}

static const struct cp_encode_config CONFIG = {.audio_kbps = 64};

/* Encodes the sweep in blocks of the given size. */
static void encode(enum cp_codec codec, int block, struct heard *heard)
{
    static int16_t pcm[TOTAL];
    struct cp_aenc *aenc;
    struct cp_stamps stamps = {.at_ns[CP_STEP_SPOKEN] = 77};
    heard->n_packets = 0;
    assert_int_equal(cp_aenc_create(&CONFIG, codec, take, heard, &aenc, NULL), 0);
    for (int i = 0; i < TOTAL; i++)
        pcm[i] = sweep(i);
    for (int at = 0; at < TOTAL; at += block) {
        int n = TOTAL - at < block ? TOTAL - at : block;
        int64_t wall_ns = (START + at) * CP_NS_PER_S / CP_SAMPLE_HZ;
        assert_int_equal(cp_aenc_encode(aenc, pcm + at, n, START + at, wall_ns, &stamps, NULL), 0);
    }
    cp_aenc_destroy(aenc); /* the packets stay valid */
}

static void decode_opus(const struct heard *heard, float *sound)
{
    int status;
    OpusDecoder *decoder = opus_decoder_create(CP_SAMPLE_HZ, 1, &status);
    for (int i = 0; i < heard->n_packets; i++) {
        const struct cp_packet *packet = heard->packet[i];
        float *to = sound + MARGIN + (packet->at_samples - START);
        assert_int_equal(
            opus_decode_float(decoder, packet->data, (opus_int32)packet->length_bytes, to, 960, 0), 960);
    }
    opus_decoder_destroy(decoder);
}

static void decode_aac(const struct heard *heard, float *sound)
{
    struct cp_aenc *aenc;
    AVCodecContext *context = avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_AAC));
    AVPacket *in = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    context->extradata = av_mallocz(16 + AV_INPUT_BUFFER_PADDING_SIZE);
    assert_int_equal(cp_aenc_create(&CONFIG, CP_CODEC_AAC, take, NULL, &aenc, NULL), 0);
    context->extradata_size = cp_aenc_extradata(aenc, context->extradata, 16);
    cp_aenc_destroy(aenc);
    assert_true(context->extradata_size >= 2);
    /* ISO 14496-3 1.6.2.1: AAC-LC (2), 48 kHz (3), one channel */
    assert_memory_equal(context->extradata, "\x11\x88", 2);
    assert_int_equal(avcodec_open2(context, context->codec, NULL), 0);
    for (int i = 0; i < heard->n_packets; i++) {
        const struct cp_packet *packet = heard->packet[i];
        assert_int_equal(av_new_packet(in, (int)packet->length_bytes), 0);
        memcpy(in->data, packet->data, packet->length_bytes);
        assert_int_equal(avcodec_send_packet(context, in), 0);
        av_packet_unref(in);
        assert_int_equal(avcodec_receive_frame(context, frame), 0);
        assert_int_equal(frame->nb_samples, 1024);
        assert_int_equal(frame->ch_layout.nb_channels, 1);
        memcpy(sound + MARGIN + (packet->at_samples - START), frame->data[0], 1024 * sizeof(float));
    }
    avcodec_free_context(&context);
    av_packet_free(&in);
    av_frame_free(&frame);
}

/* The lag at which the decoded sound fits the original best, and how well (1: the same). */
static int best_lag(const float *sound, double *ret_fit)
{
    int best = 0;
    *ret_fit = -1;
    for (int lag = -1500; lag <= 1500; lag++) {
        double cross = 0, a = 0, b = 0;
        for (int i = 2048; i < TOTAL - 4096; i += 3) {
            double x = sweep(i) / 32768.0, y = sound[MARGIN + i + lag];
            cross += x * y;
            a += x * x;
            b += y * y;
        }
        double fit = cross / sqrt(a * b + 1e-12);
        if (fit > *ret_fit) {
            *ret_fit = fit;
            best = lag;
        }
    }
    return best;
}

static void check_sound(enum cp_codec codec, void (*decode)(const struct heard *, float *), int length)
{
    struct heard heard;
    float *sound = calloc(TOTAL + 2 * MARGIN, sizeof *sound);
    double fit;
    encode(codec, 777, &heard);
    decode(&heard, sound);
    assert_int_equal(best_lag(sound, &fit), 0);
    if (fit < 0.97)
        fail_msg("the decoded sound fits the original by %.3f only", fit);
    for (int i = 0; i < heard.n_packets; i++) {
        const struct cp_packet *packet = heard.packet[i];
        assert_int_equal(packet->codec, codec);
        assert_true(packet->key);
        assert_int_equal(packet->length_samples, length);
        assert_int_equal(packet->at_samples, heard.packet[0]->at_samples + (int64_t)i * length);
        int64_t wall_ns = packet->at_samples * CP_NS_PER_S / CP_SAMPLE_HZ;
        assert_true(llabs(packet->captured_wall_ns - wall_ns) < 3);
        assert_int_equal(packet->stamps.at_ns[CP_STEP_SPOKEN], 77);
        assert_true(packet->stamps.at_ns[CP_STEP_ENCODED] > 0);
    }
    let_go(&heard);
    free(sound);
}

static void opus_gives_the_sound_back_without_delay(void **state)
{
    check_sound(CP_CODEC_OPUS, decode_opus, 960);
}

static void aac_gives_the_sound_back_without_delay(void **state)
{
    check_sound(CP_CODEC_AAC, decode_aac, 1024);
}

static void check_blocks(enum cp_codec codec)
{
    static const int BLOCK[] = {1, 7, 160, 441, 959, 961, 1023, 1025, 1600, 5000};
    struct heard expected, got;
    encode(codec, 960, &expected);
    assert_true(expected.n_packets >= 45);
    for (size_t b = 0; b < sizeof BLOCK / sizeof *BLOCK; b++) {
        encode(codec, BLOCK[b], &got);
        assert_int_equal(got.n_packets, expected.n_packets);
        for (int i = 0; i < got.n_packets; i++) {
            assert_int_equal(got.packet[i]->at_samples, expected.packet[i]->at_samples);
            assert_int_equal(got.packet[i]->length_bytes, expected.packet[i]->length_bytes);
            assert_memory_equal(got.packet[i]->data, expected.packet[i]->data, got.packet[i]->length_bytes);
        }
        let_go(&got);
    }
    let_go(&expected);
}

static void aenc_packets_do_not_depend_on_the_block_size(void **state)
{
    check_blocks(CP_CODEC_OPUS);
    check_blocks(CP_CODEC_AAC);
}

static void aenc_refuses_a_gap(void **state)
{
    struct cp_aenc *aenc;
    struct heard heard = {0};
    struct cp_error error = {0};
    int16_t pcm[100] = {0};
    assert_int_equal(cp_aenc_create(&CONFIG, CP_CODEC_OPUS, take, &heard, &aenc, NULL), 0);
    assert_int_equal(cp_aenc_encode(aenc, pcm, 100, 0, 0, NULL, NULL), 0);
    assert_int_equal(cp_aenc_encode(aenc, pcm, 100, 200, 0, NULL, &error), CP_ERR_INVALID);
    assert_non_null(strstr(error.text, "200"));
    assert_int_equal(cp_aenc_encode(aenc, pcm, 100, 100, 0, NULL, NULL), 0);
    cp_aenc_destroy(aenc);
    assert_int_equal(cp_aenc_create(&CONFIG, CP_CODEC_H264, take, &heard, &aenc, &error), CP_ERR_INVALID);
    cp_aenc_destroy(NULL);
}

/* Holding every packet costs sound, never memory or the process. */
static void aenc_goes_on_when_no_packet_is_free(void **state)
{
    struct cp_aenc *aenc;
    struct heard held = {0};
    int16_t pcm[960] = {0};
    int at = 0;
    assert_int_equal(cp_aenc_create(&CONFIG, CP_CODEC_OPUS, take, &held, &aenc, NULL), 0);
    for (; at < 200; at++)
        assert_int_equal(cp_aenc_encode(aenc, pcm, 960, at * 960, 0, NULL, NULL), 0);
    int got = held.n_packets;
    assert_true(got >= 100 && got < 200);
    cp_ref_drop(held.packet[--held.n_packets]);
    assert_int_equal(cp_aenc_encode(aenc, pcm, 960, at * 960, 0, NULL, NULL), 0);
    assert_int_equal(held.n_packets, got);
    assert_int_equal(held.packet[got - 1]->at_samples, held.packet[0]->at_samples + 200 * 960);
    let_go(&held);
    cp_aenc_destroy(aenc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opus_gives_the_sound_back_without_delay),
        cmocka_unit_test(aac_gives_the_sound_back_without_delay),
        cmocka_unit_test(aenc_packets_do_not_depend_on_the_block_size),
        cmocka_unit_test(aenc_refuses_a_gap),
        cmocka_unit_test(aenc_goes_on_when_no_packet_is_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
