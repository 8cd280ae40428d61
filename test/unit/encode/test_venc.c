#include "encode/encode.h"
#include "source.h"

#include "base/clock.h"

#include <libavcodec/avcodec.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WIDTH  640
#define HEIGHT 360
#define MAX    512

static const char *const PROVIDER[] = {"x264", "openh264"};

static bool usable(const char *provider)
{
    const char *name, *why_not;
    bool is_usable;
    for (int i = 0; cp_encode_probe(i, &name, &is_usable, &why_not); i++)
        if (!strcmp(name, provider))
            return is_usable;
    return false;
}

static struct cp_encode_config config_of(const char *provider)
{
    struct cp_encode_config config;
    struct cp_config_section section = {"encode", cp_encode_options, cp_encode_n_options, &config};
    assert_int_equal(cp_config_defaults(&section, 1, NULL), 0);
    snprintf(config.video, sizeof config.video, "%s", provider);
    return config;
}

/* One encoder with all the packets it made. */
struct rig {
    struct cp_venc *venc;
    struct cp_pool *pictures;
    struct cp_packet *packets[MAX];
    int n_packets;
    bool hold; /* keep references (else only what the last packet was) */
    bool key[MAX];
};

static void take(void *user, struct cp_packet *packet)
{
    struct rig *rig = user;
    assert_true(rig->n_packets < MAX);
    rig->key[rig->n_packets] = packet->key;
    rig->packets[rig->n_packets++] = rig->hold ? cp_ref_take(packet) : NULL;
}

static void start(struct rig *rig, const struct cp_encode_config *config, int width, int height)
{
    struct cp_error error = {0};
    memset(rig, 0, sizeof *rig);
    if (cp_venc_create(config, width, height, take, rig, &rig->venc, &error))
        fail_msg("%s", error.text);
    rig->pictures = cp_picture_pool_create(width, height, 1);
    assert_non_null(rig->pictures);
}

static void encode_one(struct rig *rig, int width, int height, int64_t frame)
{
    struct cp_picture *picture = cp_picture_get(rig->pictures, width, height);
    assert_non_null(picture);
    paint(picture, frame);
    snprintf(picture->cue, sizeof picture->cue, frame == 3 ? "cue-3" : "");
    picture->stamps.at_ns[CP_STEP_DRAWN] = 1000 + frame;
    assert_int_equal(cp_venc_encode(rig->venc, picture, 5000 + frame, NULL), 0);
    cp_ref_drop(picture);
}

static void let_go(struct rig *rig)
{
    for (int i = 0; i < rig->n_packets; i++)
        cp_ref_drop(rig->packets[i]);
    memset(rig->packets, 0, sizeof rig->packets);
}

static void stop(struct rig *rig)
{
    let_go(rig);
    cp_venc_destroy(rig->venc);
    cp_pool_destroy(rig->pictures);
}

/* The types of a unit's NALs in order, as a string of letters: S sps, P pps, I idr, n non-idr, x other. */
static void nal_letters(const struct cp_packet *packet, char *letters)
{
    for (size_t i = 0; i + 3 < packet->length_bytes; i++)
        if (!packet->data[i] && !packet->data[i + 1] && packet->data[i + 2] == 1) {
            int type = packet->data[i + 3] & 0x1f;
            *letters++ = type == 7 ? 'S' : type == 8 ? 'P' : type == 5 ? 'I' : type == 1 ? 'n' : 'x';
            if (type == 7)
                assert_memory_equal(packet->data + i + 4, "\x42\xe0\x1f", 3);
        }
    *letters = 0;
}

static double psnr(const AVFrame *frame, int64_t number)
{
    struct cp_pool *pool = cp_picture_pool_create(WIDTH, HEIGHT, 1);
    struct cp_picture *original = cp_picture_get(pool, WIDTH, HEIGHT);
    double sum = 0;
    paint(original, number);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            double d = original->plane[0][y * WIDTH + x] - frame->data[0][y * frame->linesize[0] + x];
            sum += d * d;
        }
    cp_ref_drop(original);
    cp_pool_destroy(pool);
    return 10 * log10(255.0 * 255.0 * WIDTH * HEIGHT / (sum + 1e-9));
}

/* Decodes all packets that the rig holds; returns the pictures seen and the least PSNR among them. */
static int decode(struct rig *rig, double *ret_least_psnr)
{
    AVCodecContext *context = avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_H264));
    AVPacket *in = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    int seen = 0;
    *ret_least_psnr = 100;
    context->thread_count = 1;
    context->err_recognition = AV_EF_EXPLODE;
    context->flags |= AV_CODEC_FLAG_LOW_DELAY;
    assert_int_equal(avcodec_open2(context, context->codec, NULL), 0);
    for (int i = 0; i <= rig->n_packets; i++) {
        if (i < rig->n_packets) {
            assert_int_equal(av_new_packet(in, (int)rig->packets[i]->length_bytes), 0);
            memcpy(in->data, rig->packets[i]->data, rig->packets[i]->length_bytes);
            in->pts = rig->packets[i]->at_samples / CP_SAMPLES_PER_FRAME;
        }
        assert_int_equal(avcodec_send_packet(context, i < rig->n_packets ? in : NULL), 0);
        av_packet_unref(in);
        while (!avcodec_receive_frame(context, frame)) {
            double quality = psnr(frame, frame->pts);
            assert_true(frame->pict_type == AV_PICTURE_TYPE_I || frame->pict_type == AV_PICTURE_TYPE_P);
            assert_int_equal(frame->color_range, AVCOL_RANGE_MPEG);
            assert_int_equal(frame->colorspace, AVCOL_SPC_BT709);
            assert_int_equal(frame->color_primaries, AVCOL_PRI_BT709);
            assert_int_equal(frame->color_trc, AVCOL_TRC_BT709);
            *ret_least_psnr = quality < *ret_least_psnr ? quality : *ret_least_psnr;
            seen++;
        }
    }
    assert_int_equal(context->profile, FF_PROFILE_H264_CONSTRAINED_BASELINE);
    assert_int_equal(context->level, 31);
    assert_int_equal(context->has_b_frames, 0);
    avcodec_free_context(&context);
    av_packet_free(&in);
    av_frame_free(&frame);
    return seen;
}

static void one_stream(const char *provider)
{
    struct cp_encode_config config = config_of(provider);
    struct rig rig;
    double least;
    start(&rig, &config, WIDTH, HEIGHT);
    rig.hold = true;
    for (int i = 0; i < 62; i++)
        encode_one(&rig, WIDTH, HEIGHT, i);
    assert_int_equal(rig.n_packets, 62);
    assert_int_equal(decode(&rig, &least), 62);
    print_message("%s: least PSNR %.1f dB\n", provider, least);
    if (least < 36)
        fail_msg("%s: PSNR falls to %.1f dB", provider, least);
    for (int i = 0; i < 62; i++) {
        char letters[64];
        nal_letters(rig.packets[i], letters);
        assert_int_equal(rig.packets[i]->key, i % 60 == 0);
        const char *first = strchr(letters, i % 60 == 0 ? 'S' : 'n');
        assert_non_null(first);
        if (i % 60 == 0)
            assert_string_equal(first + strspn(first, "SPx"), "I");
        else
            assert_null(strpbrk(letters, "SPI"));
        assert_int_equal(rig.packets[i]->codec, CP_CODEC_H264);
        assert_int_equal(rig.packets[i]->at_samples, i * CP_SAMPLES_PER_FRAME);
        assert_int_equal(rig.packets[i]->length_samples, CP_SAMPLES_PER_FRAME);
        assert_int_equal(rig.packets[i]->captured_wall_ns, 5000 + i);
        assert_int_equal(rig.packets[i]->stamps.at_ns[CP_STEP_DRAWN], 1000 + i);
        assert_true(rig.packets[i]->stamps.at_ns[CP_STEP_ENCODED] > 0);
        assert_string_equal(rig.packets[i]->cue, i == 3 ? "cue-3" : "");
    }
    struct cp_venc_stats stats = cp_venc_stats(rig.venc);
    assert_int_equal(stats.frames, 62);
    assert_int_equal(stats.idrs, 2);
    assert_true(stats.last_encode_ns > 0 && stats.bytes > 1000);
    stop(&rig);
}

static void venc_stream_is_constrained_baseline_and_decodes(void **state)
{
    int tried = 0;
    for (size_t p = 0; p < sizeof PROVIDER / sizeof *PROVIDER; p++)
        if (usable(PROVIDER[p])) {
            one_stream(PROVIDER[p]);
            tried++;
        }
    assert_true(tried > 0);
}

/* 64x64 pictures: the rules about IDRs do not depend on the size. */
static void run(struct rig *rig, int from, int to)
{
    for (int i = from; i < to; i++)
        encode_one(rig, 64, 64, i);
}

static void venc_makes_one_idr_of_fifty_requests(void **state)
{
    for (size_t p = 0; p < sizeof PROVIDER / sizeof *PROVIDER; p++) {
        struct cp_encode_config config = config_of(PROVIDER[p]);
        struct rig rig;
        if (!usable(PROVIDER[p]))
            continue;
        start(&rig, &config, 64, 64);
        run(&rig, 0, 20);
        for (int i = 0; i < 50; i++)
            cp_venc_request_idr(rig.venc);
        run(&rig, 20, 50);
        for (int i = 0; i < 50; i++)
            assert_int_equal(rig.key[i], i == 0 || i == 20);
        struct cp_venc_stats stats = cp_venc_stats(rig.venc);
        assert_int_equal(stats.idr_requests, 50);
        assert_int_equal(stats.idr_coalesced, 49);
        assert_int_equal(stats.idrs, 2);
        stop(&rig);
    }
}

static void venc_keeps_requested_idrs_500_ms_apart(void **state)
{
    struct cp_encode_config config = config_of("auto");
    struct rig rig;
    start(&rig, &config, 64, 64);
    run(&rig, 0, 1);
    for (int i = 1; i < 54; i++) { /* asked for before every picture */
        cp_venc_request_idr(rig.venc);
        run(&rig, i, i + 1);
    }
    for (int i = 0; i < 54; i++)
        assert_int_equal(rig.key[i], i % 15 == 0);
    stop(&rig);
}

static void venc_request_shortly_before_a_periodic_idr_joins_it(void **state)
{
    struct cp_encode_config config = config_of("auto");
    struct rig rig;
    start(&rig, &config, 64, 64);
    run(&rig, 0, 55);
    cp_venc_request_idr(rig.venc);
    run(&rig, 55, 90);
    for (int i = 0; i < 90; i++)
        assert_int_equal(rig.key[i], i == 0 || i == 60);
    stop(&rig);
}

static void venc_periods_stay_on_the_frame_count(void **state)
{
    struct cp_encode_config config = config_of("auto");
    struct rig rig;
    config.idr_s = 1;
    start(&rig, &config, 64, 64);
    run(&rig, 7, 20);
    cp_venc_request_idr(rig.venc);
    run(&rig, 20, 29);
    encode_one(&rig, 64, 64, 31); /* frames 29 and 30 were never drawn: the period starts late, not never */
    run(&rig, 32, 70);
    assert_true(rig.key[0] && rig.key[22 - 7]);
    assert_true(rig.key[29 - 7]);
    assert_true(rig.key[60 - 7 - 2]);
    assert_int_equal(cp_venc_stats(rig.venc).idrs, 4);
    stop(&rig);
}

static struct cp_packet *copy_of(const struct cp_packet *packet)
{
    struct cp_pool *pool = cp_packet_pool_create(packet->length_bytes, 1);
    struct cp_packet *copy = cp_packet_get(pool);
    assert_non_null(copy);
    memcpy(copy->data, packet->data, packet->length_bytes);
    copy->length_bytes = packet->length_bytes;
    copy->at_samples = packet->at_samples;
    cp_pool_destroy(pool);
    return copy;
}

static void venc_drops_a_picture_when_no_packet_is_free(void **state)
{
    struct cp_encode_config config = config_of("auto");
    struct rig rig;
    double least;
    int frame = 0;
    start(&rig, &config, WIDTH, HEIGHT);
    rig.hold = true;
    while (!cp_venc_stats(rig.venc).dropped_no_packet && frame < 200)
        encode_one(&rig, WIDTH, HEIGHT, frame++);
    assert_int_equal(cp_venc_stats(rig.venc).dropped_no_packet, 1);
    assert_int_equal(rig.n_packets, frame - 1);
    /* One packet comes back: the next picture refers to the last one that was coded, and all of it decodes.
     */
    assert_int_equal(decode(&rig, &least), frame - 1);
    struct cp_packet *first = rig.packets[0];
    rig.packets[0] = copy_of(first);
    cp_ref_drop(first);
    encode_one(&rig, WIDTH, HEIGHT, frame++);
    assert_int_equal(rig.n_packets, frame - 1);
    assert_false(rig.packets[frame - 2]->key);
    assert_int_equal(decode(&rig, &least), frame - 1);
    assert_true(least > 30);
    stop(&rig);
}

static void venc_refuses_what_it_cannot_do(void **state)
{
    struct cp_encode_config config = config_of("auto");
    struct cp_error error = {0};
    struct cp_venc *venc = NULL;
    assert_int_equal(cp_venc_create(&config, 641, 360, take, NULL, &venc, &error), CP_ERR_INVALID);
    assert_int_equal(cp_venc_create(&config, 4096, 2160, take, NULL, &venc, &error), CP_ERR_INVALID);
    config = config_of("theora");
    assert_int_equal(cp_venc_create(&config, 640, 360, take, NULL, &venc, &error), CP_ERR_INVALID);
    assert_non_null(strstr(error.text, "x264 openh264"));
    assert_null(venc);
    cp_venc_destroy(NULL);
}

/* A picture of 720p at the default rate: no IDR beyond five mean frames, and the rate is kept. */
static void venc_idr_is_small_and_the_rate_is_kept(void **state)
{
    struct cp_encode_config config = config_of("auto");
    struct rig rig;
    size_t largest = 0, all = 0;
    start(&rig, &config, 1280, 720);
    rig.hold = true;
    for (int i = 0; i < 124; i++) {
        encode_one(&rig, 1280, 720, i);
        struct cp_packet *packet = rig.packets[i];
        all += packet->length_bytes;
        if (i >= 30 && packet->length_bytes > largest)
            largest = packet->length_bytes;
        cp_ref_drop(packet);
        rig.packets[i] = NULL;
    }
    print_message("largest frame %zu bytes, mean %zu\n", largest, all / 124);
    size_t mean = (size_t)config.video_kbps * 1000 / 8 / CP_FRAME_HZ;
    assert_true(largest < 5 * mean);
    assert_true(all / 124 < mean * 5 / 4);
    stop(&rig);
}

static void probe_tells_of_every_coder(void **state)
{
    const char *name, *why_not;
    char seen[128] = "";
    bool is_usable;
    for (int i = 0; cp_encode_probe(i, &name, &is_usable, &why_not); i++) {
        strcat(strcat(seen, name), " ");
        assert_non_null(why_not);
        assert_int_equal(is_usable, !*why_not);
    }
    assert_string_equal(seen, "x264 openh264 opus aac ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(venc_stream_is_constrained_baseline_and_decodes),
        cmocka_unit_test(venc_makes_one_idr_of_fifty_requests),
        cmocka_unit_test(venc_keeps_requested_idrs_500_ms_apart),
        cmocka_unit_test(venc_request_shortly_before_a_periodic_idr_joins_it),
        cmocka_unit_test(venc_periods_stay_on_the_frame_count),
        cmocka_unit_test(venc_drops_a_picture_when_no_packet_is_free),
        cmocka_unit_test(venc_refuses_what_it_cannot_do),
        cmocka_unit_test(venc_idr_is_small_and_the_rate_is_kept),
        cmocka_unit_test(probe_tells_of_every_coder),
    };
    av_log_set_level(AV_LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
