/* MP3 files by libavcodec with LAME, where the distribution built it in. Frames behind each other are the
 * file. */
#include "encode/encode.h"

#include "media/clock.h"

#include <libavcodec/avcodec.h>
#include <stdlib.h>
#include <string.h>

struct cp_mp3 {
    AVCodecContext *context;
    AVFrame *frame;
    AVPacket *packet;
    struct cp_buffer *out;
    int filled; /* samples in the frame */
    int64_t n_samples;
};

bool cp_mp3_usable(void)
{
    return avcodec_find_encoder_by_name("libmp3lame") != NULL;
}

static int start(struct cp_mp3 *mp3, const AVCodec *codec, int kbps)
{
    AVCodecContext *context = mp3->context;
    context->sample_rate = CP_SAMPLE_HZ;
    context->sample_fmt = AV_SAMPLE_FMT_S16P;
    context->bit_rate = (int64_t)kbps * 1000;
    context->time_base = (AVRational){1, CP_SAMPLE_HZ};
    context->thread_count = 1;
    av_channel_layout_default(&context->ch_layout, 1);
    int result = avcodec_open2(context, codec, NULL);
    if (result)
        return result;
    mp3->frame->nb_samples = context->frame_size;
    mp3->frame->format = context->sample_fmt;
    mp3->frame->sample_rate = context->sample_rate;
    result = av_channel_layout_copy(&mp3->frame->ch_layout, &context->ch_layout);
    return result < 0 ? result : av_frame_get_buffer(mp3->frame, 0);
}

int cp_mp3_create(int kbps, struct cp_buffer *out, struct cp_mp3 **ret_mp3, struct cp_error *error)
{
    const AVCodec *codec = avcodec_find_encoder_by_name("libmp3lame");
    if (!codec)
        return cp_fail(error, CP_ERR_UNSUPPORTED, "encode",
                       "this libavcodec has no MP3 encoder (libmp3lame)");
    av_log_set_level(AV_LOG_QUIET); /* what matters comes back as an error */
    struct cp_mp3 *mp3 = calloc(1, sizeof *mp3);
    if (!mp3)
        return cp_fail(error, CP_ERR_NOMEM, "encode", "out of memory for MP3");
    mp3->out = out;
    mp3->context = avcodec_alloc_context3(codec);
    mp3->frame = av_frame_alloc();
    mp3->packet = av_packet_alloc();
    int result = mp3->context && mp3->frame && mp3->packet ? start(mp3, codec, kbps) : AVERROR(ENOMEM);
    if (result) {
        cp_mp3_destroy(mp3);
        return cp_fail(error, CP_ERR_INTERNAL, "encode", "MP3 cannot start: %s", av_err2str(result));
    }
    *ret_mp3 = mp3;
    return 0;
}

/* frame: NULL at the end. */
static int code(struct cp_mp3 *mp3, AVFrame *frame, struct cp_error *error)
{
    int result = avcodec_send_frame(mp3->context, frame);
    while (!result && !(result = avcodec_receive_packet(mp3->context, mp3->packet))) {
        cp_buffer_add(mp3->out, mp3->packet->data, (size_t)mp3->packet->size);
        av_packet_unref(mp3->packet);
    }
    if (result && result != AVERROR(EAGAIN) && result != AVERROR_EOF)
        return cp_fail(error, CP_ERR_INTERNAL, "encode", "MP3: %s", av_err2str(result));
    return mp3->out->failed ? cp_fail(error, CP_ERR_LIMIT, "encode", "the MP3 file does not fit its buffer")
                            : 0;
}

static int code_frame(struct cp_mp3 *mp3, struct cp_error *error)
{
    mp3->frame->pts = mp3->n_samples;
    mp3->n_samples += mp3->context->frame_size;
    mp3->filled = 0;
    return code(mp3, mp3->frame, error);
}

int cp_mp3_add(struct cp_mp3 *mp3, const int16_t *pcm, size_t n, struct cp_error *error)
{
    int result = 0;
    while (n && !result) {
        size_t room = (size_t)(mp3->context->frame_size - mp3->filled), take = n < room ? n : room;
        if (!mp3->filled && av_frame_make_writable(mp3->frame))
            return cp_fail(error, CP_ERR_NOMEM, "encode", "out of memory for MP3");
        memcpy((int16_t *)(void *)mp3->frame->data[0] + mp3->filled, pcm, take * sizeof *pcm);
        mp3->filled += (int)take;
        pcm += take;
        n -= take;
        if (mp3->filled == mp3->context->frame_size)
            result = code_frame(mp3, error);
    }
    return result;
}

int cp_mp3_end(struct cp_mp3 *mp3, struct cp_error *error)
{
    int result = 0;
    if (mp3->filled) {
        memset((int16_t *)(void *)mp3->frame->data[0] + mp3->filled, 0,
               (size_t)(mp3->context->frame_size - mp3->filled) * sizeof(int16_t));
        result = code_frame(mp3, error);
    }
    return result ? result : code(mp3, NULL, error);
}

void cp_mp3_destroy(struct cp_mp3 *mp3)
{
    if (!mp3)
        return;
    avcodec_free_context(&mp3->context);
    av_frame_free(&mp3->frame);
    av_packet_free(&mp3->packet);
    free(mp3);
}
