#include "deliver/record/record.h"
#include "rig.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/compere-record-XXXXXX", path[64];
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

struct found {
    int64_t first[2], end[2];
    int packets[2], decoded[2];
    int keys;
};

static void drain(AVCodecContext *decoder, AVFrame *frame, int *decoded)
{
    while (!avcodec_receive_frame(decoder, frame))
        ++*decoded;
}

static void examine(struct found *found)
{
    AVFormatContext *format = NULL;
    AVCodecContext *decoder[2] = {NULL, NULL};
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    memset(found, 0, sizeof *found);
    complaints = 0;
    assert_int_equal(avformat_open_input(&format, path, NULL, NULL), 0);
    assert_true(avformat_find_stream_info(format, NULL) >= 0);
    for (unsigned i = 0; i < format->nb_streams; i++) {
        AVCodecParameters *parameters = format->streams[i]->codecpar;
        decoder[i] = avcodec_alloc_context3(avcodec_find_decoder(parameters->codec_id));
        avcodec_parameters_to_context(decoder[i], parameters);
        decoder[i]->err_recognition = AV_EF_EXPLODE;
        assert_int_equal(avcodec_open2(decoder[i], NULL, NULL), 0);
    }
    AVCodecParameters *video = format->streams[0]->codecpar;
    assert_int_equal(video->codec_id, AV_CODEC_ID_H264);
    assert_int_equal(video->profile, FF_PROFILE_H264_CONSTRAINED_BASELINE);
    assert_int_equal(video->width, WIDTH);
    assert_int_equal(video->color_space, AVCOL_SPC_BT709);
    assert_int_equal(video->extradata[0], 1); /* avcC, not Annex B */
    while (!av_read_frame(format, packet)) {
        int i = packet->stream_index;
        AVRational base = format->streams[i]->time_base, samples = {1, CP_SAMPLE_HZ};
        int64_t at = av_rescale_q(packet->pts, base, samples);
        if (!found->packets[i]++)
            found->first[i] = at;
        else
            assert_int_equal(at, found->end[i]);
        found->end[i] = at + av_rescale_q(packet->duration, base, samples);
        found->keys += i == 0 && (packet->flags & AV_PKT_FLAG_KEY);
        assert_int_equal(avcodec_send_packet(decoder[i], packet), 0);
        drain(decoder[i], frame, &found->decoded[i]);
        av_packet_unref(packet);
    }
    for (unsigned i = 0; i < format->nb_streams; i++) {
        avcodec_send_packet(decoder[i], NULL);
        drain(decoder[i], frame, &found->decoded[i]);
        avcodec_free_context(&decoder[i]);
    }
    assert_int_equal(complaints, 0);
    av_packet_free(&packet);
    av_frame_free(&frame);
    avformat_close_input(&format);
}

/* Writes frames [from, to) of the loop, joined in the middle of a show, each with the sound of its time. */
static void record_loop(struct cp_record_file *file, int from, int to, int64_t shift, bool sound_first)
{
    int next_sound = from * CP_SAMPLES_PER_FRAME / 1024;
    for (int i = from; i < to; i++) {
        struct cp_packet frame = *rig_frame(i);
        frame.at_samples = (int64_t)i * CP_SAMPLES_PER_FRAME + shift;
        if (!sound_first)
            assert_int_equal(cp_record_write(file, &frame, NULL), 0);
        for (; next_sound * 1024 < (i + 1) * CP_SAMPLES_PER_FRAME; next_sound++) {
            struct cp_packet sound = *rig_sound(next_sound);
            sound.at_samples = (int64_t)next_sound * 1024 + shift;
            assert_int_equal(cp_record_write(file, &sound, NULL), 0);
        }
        if (sound_first)
            assert_int_equal(cp_record_write(file, &frame, NULL), 0);
    }
}

static struct cp_record_file *open_file(bool sound)
{
    uint8_t aac[16];
    int aac_bytes = rig_aac(aac);
    struct cp_record_file *file;
    struct cp_error error;
    if (cp_record_open(path, WIDTH, HEIGHT, aac, sound ? aac_bytes : 0, &file, &error))
        fail_msg("%s", error.text);
    return file;
}

static void record_plays_from_its_beginning(void **state)
{
    for (int sound_first = 0; sound_first < 2; sound_first++) {
        struct cp_record_file *file = open_file(true);
        struct found found;
        record_loop(file, 0, 150, 0, sound_first);
        assert_int_equal(cp_record_close(file, NULL), 0);
        examine(&found);
        assert_int_equal(found.decoded[0], 150);
        assert_int_equal(found.keys, 3);
        assert_int_equal(found.packets[1], (150 * 1600 + 1023) / 1024);
        assert_int_equal(found.decoded[1], found.packets[1]);
        assert_int_equal(found.first[0], 0);
        assert_int_equal(found.first[1], 0);
        assert_int_equal(found.end[0], 150 * 1600);
    }
}

/* From the middle of a show: the file begins with the key frame, and the sound stands where it stood. */
static void record_waits_for_the_first_key_frame(void **state)
{
    struct cp_record_file *file = open_file(true);
    struct found found;
    record_loop(file, 37, 130, 48000 * 3600, true);
    assert_int_equal(cp_record_close(file, NULL), 0);
    examine(&found);
    assert_int_equal(found.decoded[0], 70);
    assert_int_equal(found.first[0], 0);
    assert_int_equal(found.first[1], 94 * 1024 - 60 * 1600); /* the first that starts after frame 60 */
    assert_int_equal(found.end[0], 70 * 1600);
}

static void record_without_sound_has_one_stream(void **state)
{
    struct cp_record_file *file = open_file(false);
    struct found found;
    record_loop(file, 0, 60, 0, false);
    assert_int_equal(cp_record_close(file, NULL), 0);
    examine(&found);
    assert_int_equal(found.decoded[0], 60);
    assert_int_equal(found.packets[1], 0);
}

static void record_tells_what_goes_wrong(void **state)
{
    struct cp_record_file *file = NULL;
    struct cp_error error;
    assert_int_equal(cp_record_open("/nonexistent/x.mp4", WIDTH, HEIGHT, NULL, 0, &file, &error), CP_ERR_IO);
    assert_non_null(strstr(error.text, "/nonexistent/x.mp4"));
    assert_int_equal(cp_record_open("x.avi", WIDTH, HEIGHT, NULL, 0, &file, &error), CP_ERR_UNSUPPORTED);
    assert_null(file);
    file = open_file(true);
    assert_int_equal(cp_record_close(file, &error), CP_ERR_INVALID); /* nothing came */
    assert_int_equal(cp_record_close(NULL, NULL), 0);
}

static int setup(void **state)
{
    rig_make_loop();
    av_log_set_level(AV_LOG_WARNING);
    av_log_set_callback(count_complaint);
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/a.mp4", folder);
    return 0;
}

static int teardown(void **state)
{
    unlink(path);
    rmdir(folder);
    rig_free_loop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_plays_from_its_beginning),
        cmocka_unit_test(record_waits_for_the_first_key_frame),
        cmocka_unit_test(record_without_sound_has_one_stream),
        cmocka_unit_test(record_tells_what_goes_wrong),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
