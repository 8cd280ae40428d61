#include "rig.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A file in memory, for libavformat to read. */
struct file {
    uint8_t *data;
    size_t length, at;
};

static void append(struct file *file, const void *data, size_t length)
{
    file->data = realloc(file->data, file->length + length);
    memcpy(file->data + file->length, data, length);
    file->length += length;
}

static void append_body(struct file *file, struct cp_hls *hls, const char *name)
{
    struct cp_hls_body *body = rig_body(hls, name);
    append(file, body->data, body->length);
    cp_ref_drop(body);
}

static int read_file(void *user, uint8_t *to, int capacity)
{
    struct file *file = user;
    size_t left = file->length - file->at, length = left < (size_t)capacity ? left : (size_t)capacity;
    memcpy(to, file->data + file->at, length);
    file->at += length;
    return length ? (int)length : AVERROR_EOF;
}

/* What a demuxer and the decoders find in a file. */
struct found {
    int64_t first[2], end[2]; /* video, audio; samples */
    int packets[2], decoded[2], holes[2];
    int64_t first_hole_at;
    bool starts_with_key;
};

static int open_decoder(AVStream *stream, AVCodecContext **ret_context)
{
    *ret_context = avcodec_alloc_context3(avcodec_find_decoder(stream->codecpar->codec_id));
    avcodec_parameters_to_context(*ret_context, stream->codecpar);
    (*ret_context)->err_recognition = AV_EF_EXPLODE;
    (*ret_context)->thread_count = 1;
    return avcodec_open2(*ret_context, NULL, NULL);
}

/* libavformat and the decoders must have nothing to complain of. */
static int complaints;

static void count_complaint(void *user, int level, const char *format, va_list arguments)
{
    if (level > AV_LOG_WARNING)
        return;
    char line[256];
    vsnprintf(line, sizeof line, format, arguments);
    print_message("libav: %s", line);
    complaints++;
}

static void examine(struct file *file, struct found *found)
{
    AVFormatContext *format = avformat_alloc_context();
    AVCodecContext *decoder[2] = {NULL, NULL};
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    memset(found, 0, sizeof *found);
    file->at = 0;
    complaints = 0;
    av_log_set_callback(count_complaint);
    format->pb = avio_alloc_context(av_malloc(4096), 4096, 0, file, read_file, NULL, NULL);
    assert_int_equal(avformat_open_input(&format, NULL, NULL, NULL), 0);
    assert_true(avformat_find_stream_info(format, NULL) >= 0);
    for (unsigned i = 0; i < format->nb_streams; i++) {
        assert_int_equal(format->streams[i]->time_base.den, CP_SAMPLE_HZ);
        assert_int_equal(open_decoder(format->streams[i], &decoder[i]), 0);
    }
    assert_int_equal(format->streams[0]->codecpar->codec_id, AV_CODEC_ID_H264);
    assert_int_equal(format->streams[0]->codecpar->width, WIDTH);
    while (!av_read_frame(format, packet)) {
        int i = packet->stream_index;
        assert_int_equal(packet->pts, packet->dts);
        if (!found->packets[i]++) {
            found->first[i] = packet->pts;
            found->starts_with_key |= i == 0 && (packet->flags & AV_PKT_FLAG_KEY);
        } else if (packet->pts != found->end[i]) {
            found->holes[i]++;
        }
        found->end[i] = packet->pts + packet->duration;
        assert_int_equal(avcodec_send_packet(decoder[i], packet), 0);
        while (!avcodec_receive_frame(decoder[i], frame))
            found->decoded[i]++;
        av_packet_unref(packet);
    }
    for (unsigned i = 0; i < format->nb_streams; i++) {
        avcodec_send_packet(decoder[i], NULL);
        while (!avcodec_receive_frame(decoder[i], frame))
            found->decoded[i]++;
        avcodec_free_context(&decoder[i]);
    }
    av_packet_free(&packet);
    av_frame_free(&frame);
    av_freep(&format->pb->buffer);
    avio_context_free(&format->pb);
    avformat_close_input(&format);
    assert_int_equal(complaints, 0);
}

static void read_listed(struct cp_hls *hls, struct listed *listed)
{
    char *text = rig_text(hls, "video.m3u8", "");
    rig_read_playlist(text, listed);
    free(text);
}

static void stream_decodes_without_a_gap(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    static struct listed listed;
    struct file file = {0};
    struct found found;
    rig_feed(&feed, 8 * 30 + 20);
    read_listed(feed.hls, &listed);
    assert_int_equal(listed.n_complete, 4);
    append_body(&file, feed.hls, listed.map);
    for (int i = 0; i < listed.n_complete; i++)
        append_body(&file, feed.hls, listed.segments[i].uri);
    examine(&file, &found);
    assert_int_equal(found.packets[0], 240);
    assert_int_equal(found.decoded[0], 240);
    assert_int_equal(found.packets[1], 375);
    assert_int_equal(found.decoded[1], 375);
    assert_int_equal(found.holes[0] + found.holes[1], 0);
    assert_int_equal(found.first[0], 0);
    assert_int_equal(found.first[1], 0);
    assert_int_equal(found.end[0], 8 * 48000);
    assert_int_equal(found.end[1], 8 * 48000);
    free(file.data);
    cp_hls_destroy(feed.hls);
}

/* A channel joined in its third minute, each segment by itself: what a player sees that starts there. */
static void segment_decodes_alone_at_its_own_time(void **state)
{
    struct feed feed = {.hls = rig_create(10, true), .shift = 384000 * 20};
    static struct listed listed;
    struct found found;
    rig_feed(&feed, 300);
    read_listed(feed.hls, &listed);
    for (int i = 0; i < listed.n_complete; i++) {
        struct file file = {0};
        append_body(&file, feed.hls, listed.map);
        append_body(&file, feed.hls, listed.segments[i].uri);
        examine(&file, &found);
        assert_true(found.starts_with_key);
        assert_int_equal(found.decoded[0], 60);
        assert_int_equal(found.first[0], feed.shift + i * 96000);
        assert_true(found.first[1] >= found.first[0] && found.first[1] - found.first[0] < 1600);
        assert_true(llabs(found.end[1] - found.end[0]) < 1600);
        assert_int_equal(found.holes[0] + found.holes[1], 0);
        free(file.data);
    }
    cp_hls_destroy(feed.hls);
}

static void parts_are_the_segment_in_pieces(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    static struct listed listed;
    rig_feed(&feed, 200);
    read_listed(feed.hls, &listed);
    for (int i = 0; i < listed.n_segments; i++) {
        struct file joined = {0}, whole = {0};
        struct found found;
        append_body(&joined, feed.hls, listed.map);
        for (int p = 0; p < listed.segments[i].n_parts; p++)
            append_body(&joined, feed.hls, listed.segments[i].parts[p].uri);
        if (listed.segments[i].duration > 0) {
            append_body(&whole, feed.hls, listed.map);
            append_body(&whole, feed.hls, listed.segments[i].uri);
            assert_int_equal(joined.length, whole.length);
            assert_memory_equal(joined.data, whole.data, whole.length);
        } else {
            examine(&joined, &found);
            assert_int_equal(found.decoded[0], FRAMES_PART * listed.segments[i].n_parts);
        }
        free(joined.data);
        free(whole.data);
    }
    cp_hls_destroy(feed.hls);
}

static void stream_without_sound_has_one_track(void **state)
{
    struct feed feed = {.hls = rig_create(10, false)};
    static struct listed listed;
    struct file file = {0};
    struct found found;
    rig_feed(&feed, 130); /* sound packets come and are not taken */
    read_listed(feed.hls, &listed);
    append_body(&file, feed.hls, listed.map);
    for (int i = 0; i < listed.n_complete; i++)
        append_body(&file, feed.hls, listed.segments[i].uri);
    examine(&file, &found);
    assert_int_equal(found.decoded[0], 120);
    assert_int_equal(found.packets[1], 0);
    free(file.data);
    cp_hls_destroy(feed.hls);
}

/* The sound encoder died: the picture goes on, a second later than it could. */
static void stream_goes_on_when_the_sound_stops(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    rig_feed(&feed, 90);
    int64_t before = cp_hls_stats(feed.hls).live_edge_samples;
    assert_true(before >= 84 * 1600);
    feed.no_sound = true;
    rig_feed(&feed, 110);
    assert_true(cp_hls_stats(feed.hls).live_edge_samples <= before + 6 * 1600);
    rig_feed(&feed, 300);
    assert_int_equal(cp_hls_stats(feed.hls).live_edge_samples, (300 - 30) * 1600);
    feed.no_sound = false;
    rig_feed(&feed, 420); /* and back: nothing of the old sound comes twice */
    static struct listed listed;
    struct file file = {0};
    struct found found;
    read_listed(feed.hls, &listed);
    append_body(&file, feed.hls, listed.map);
    for (int i = 0; i < listed.n_complete; i++)
        append_body(&file, feed.hls, listed.segments[i].uri);
    examine(&file, &found);
    assert_int_equal(found.holes[0], 0);
    assert_int_equal(found.holes[1], 1);
    assert_int_equal(found.decoded[0], 360);
    free(file.data);
    cp_hls_destroy(feed.hls);
}

static uint32_t read_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The end of the pictures in a file, as its fragments tell; fails on a hole between two of them. (The
 * durations that libavformat shows are its own guess.) */
static int64_t end_of_pictures(const struct file *file, int64_t start)
{
    uint32_t track = 0;
    for (size_t i = 4; i + 16 < file->length; i++) {
        if (!memcmp(file->data + i, "tfhd", 4))
            track = read_u32(file->data + i + 8);
        if (!memcmp(file->data + i, "tfdt", 4) && track == 1)
            assert_int_equal(read_u32(file->data + i + 12), start);
        if (memcmp(file->data + i, "trun", 4) || track != 1)
            continue;
        assert_true(read_u32(file->data + i + 8) > 0);
        for (uint32_t n = 0; n < read_u32(file->data + i + 8); n++)
            start += read_u32(file->data + i + 16 + (size_t)12 * n);
    }
    return start;
}

/* Pictures left out by a slow machine stretch the one before; time is not lost. */
static void missing_pictures_stretch_the_one_before(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    static struct listed listed;
    struct file file = {0};
    struct found found;
    rig_feed(&feed, 20);
    feed.no_picture = true;
    rig_feed(&feed, 23); /* in a part, and the last one of it is frame 23 */
    feed.no_picture = false;
    rig_feed(&feed, 28);
    feed.no_picture = true;
    rig_feed(&feed, 30); /* the end of a part */
    feed.no_picture = false;
    rig_feed(&feed, 130);
    read_listed(feed.hls, &listed);
    assert_true(listed.segments[0].duration == 2.0);
    append_body(&file, feed.hls, listed.map);
    append_body(&file, feed.hls, listed.segments[0].uri);
    examine(&file, &found);
    assert_int_equal(found.packets[0], 55);
    assert_int_equal(found.holes[0], 2);
    assert_int_equal(end_of_pictures(&file, 0), 96000);
    assert_int_equal(found.end[0], 96000);
    assert_int_equal(found.holes[1], 0);
    free(file.data);
    cp_hls_destroy(feed.hls);
}

/* Leaves out the pictures from the present one to `to`; the sound goes on. */
static void leave_out(struct feed *feed, int64_t to)
{
    feed->no_picture = true;
    rig_feed(feed, to);
    feed->no_picture = false;
}

static void missing_pictures_leave_no_holes(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    static struct listed listed;
    struct file file = {0};
    rig_feed(&feed, 12);
    leave_out(&feed, 14); /* the start of a part */
    rig_feed(&feed, 20);
    leave_out(&feed, 39); /* two whole parts and more */
    rig_feed(&feed, 57);
    leave_out(&feed, 62); /* the border of two segments: the key frame comes late */
    rig_push_key(&feed, feed.frame++);
    rig_feed(&feed, 200);
    read_listed(feed.hls, &listed);
    for (int i = 0; i < listed.n_complete; i++) {
        append_body(&file, feed.hls, listed.segments[i].uri);
        assert_false(i && listed.segments[i].discontinuity);
    }
    assert_int_equal(end_of_pictures(&file, 0), listed.n_complete * 96000);
    assert_int_equal(listed.n_complete, 3);
    free(file.data);
    cp_hls_destroy(feed.hls);
}

/* A segment that were to start half a second early would outgrow the target duration. */
static void long_stall_at_a_border_is_a_discontinuity(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    static struct listed listed;
    struct file file = {0};
    rig_feed(&feed, 51);
    leave_out(&feed, 66);
    rig_push_key(&feed, feed.frame++);
    rig_feed(&feed, 200);
    read_listed(feed.hls, &listed);
    assert_int_equal(listed.n_complete, 3);
    assert_true(listed.segments[1].discontinuity);
    assert_false(listed.segments[2].discontinuity);
    append_body(&file, feed.hls, listed.segments[1].uri);
    append_body(&file, feed.hls, listed.segments[2].uri);
    assert_int_equal(end_of_pictures(&file, 66 * 1600), 3 * 96000);
    free(file.data);
    cp_hls_destroy(feed.hls);
}

/* An encoder with other parameter sets takes over: a new header, a discontinuity, and both play. */
static void new_parameter_sets_make_a_new_header(void **state)
{
    struct feed feed = {.hls = rig_create(10, true)};
    static struct listed listed;
    const struct cp_packet *key = rig_frame(120);
    uint8_t *other = malloc(key->length_bytes);
    rig_feed(&feed, 120);
    memcpy(other, key->data, key->length_bytes);
    for (size_t i = 0; i + 7 < key->length_bytes; i++)
        if (!memcmp(other + i, "\0\0\1\x67", 4) || !memcmp(other + i, "\0\0\1\x27", 4))
            other[i + 6] = 40; /* level 4.0 */
    rig_push_frame(&feed, 120, other, key->length_bytes);
    feed.frame = 121;
    rig_feed(&feed, 170);
    char *text = rig_text(feed.hls, "video.m3u8", "");
    rig_read_playlist(text, &listed);
    assert_string_equal(listed.map, "init-" EPOCH "-2.mp4");
    assert_non_null(strstr(text, "init-" EPOCH "-1.mp4"));
    free(text);
    assert_true(listed.segments[2].discontinuity);
    assert_int_equal(rig_status(feed.hls, "init-" EPOCH "-1.mp4", ""), 200);
    assert_int_equal(rig_status(feed.hls, "init-" EPOCH "-2.mp4", ""), 200);
    assert_int_equal(rig_status(feed.hls, "init-" EPOCH "-3.mp4", ""), 404);
    free(other);
    cp_hls_destroy(feed.hls);
}

/* A viewer's IDR in the middle of a segment does not cut it. */
static void nothing_starts_before_the_first_key_frame(void **state)
{
    struct feed feed = {.hls = rig_create(10, true), .frame = 7, .sound = 10};
    rig_feed(&feed, 59);
    assert_int_equal(cp_hls_stats(feed.hls).parts, 0);
    rig_feed(&feed, 80);
    assert_true(cp_hls_stats(feed.hls).parts > 0);
    static struct listed listed;
    struct found found;
    struct file file = {0};
    read_listed(feed.hls, &listed);
    append_body(&file, feed.hls, listed.map);
    append_body(&file, feed.hls, listed.segments[0].parts[0].uri);
    examine(&file, &found);
    assert_int_equal(found.first[0], 96000);
    assert_true(found.first[1] >= 96000 && found.first[1] < 96000 + 1600);
    free(file.data);
    cp_hls_destroy(feed.hls);
}

static int setup(void **state)
{
    rig_make_loop();
    return 0;
}

static int teardown(void **state)
{
    rig_free_loop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream_decodes_without_a_gap),
        cmocka_unit_test(segment_decodes_alone_at_its_own_time),
        cmocka_unit_test(parts_are_the_segment_in_pieces),
        cmocka_unit_test(stream_without_sound_has_one_track),
        cmocka_unit_test(stream_goes_on_when_the_sound_stops),
        cmocka_unit_test(missing_pictures_stretch_the_one_before),
        cmocka_unit_test(missing_pictures_leave_no_holes),
        cmocka_unit_test(long_stall_at_a_border_is_a_discontinuity),
        cmocka_unit_test(new_parameter_sets_make_a_new_header),
        cmocka_unit_test(nothing_starts_before_the_first_key_frame),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
