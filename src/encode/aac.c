/* AAC-LC mono by libavcodec's own encoder. */
#include "encode/encode_int.h"

#include "media/clock.h"

#include <libavcodec/avcodec.h>
#include <stdlib.h>
#include <string.h>

struct aac {
    struct cp_audio_coder base; /* first: the caller's pointer is this one */
    AVCodecContext *context;
    AVFrame *frame;
    AVPacket *packet;
    int64_t n_samples;
};

static int encode(struct cp_audio_coder *coder, const int16_t *pcm, uint8_t *to, size_t capacity,
                  size_t *ret_length, struct cp_error *error)
{
    struct aac *aac = (struct aac *)coder;
    int result = av_frame_make_writable(aac->frame);
    if (!result) {
        float *plane = (float *)aac->frame->data[0];
        for (int i = 0; i < coder->frame_samples; i++)
            plane[i] = (float)pcm[i] / 32768.0F;
        aac->frame->pts = aac->n_samples;
        aac->n_samples += coder->frame_samples;
        result = avcodec_send_frame(aac->context, aac->frame);
    }
    if (!result)
        result = avcodec_receive_packet(aac->context, aac->packet);
    *ret_length = 0;
    if (result == AVERROR(EAGAIN)) /* the first frame only fills the coder */
        return 0;
    if (result)
        return cp_fail(error, CP_ERR_INTERNAL, "encode", "AAC: %s", av_err2str(result));
    size_t length = (size_t)aac->packet->size;
    if (length <= capacity)
        memcpy(to, aac->packet->data, length);
    /* Packets come one frame late, but bear the time of their own content. */
    coder->delay_samples = (int)(aac->n_samples - coder->frame_samples - aac->packet->pts);
    av_packet_unref(aac->packet);
    if (length > capacity)
        return cp_fail(error, CP_ERR_LIMIT, "encode", "an AAC frame of %zu bytes", length);
    *ret_length = length;
    return 0;
}

static void close_coder(struct cp_audio_coder *coder)
{
    struct aac *aac = (struct aac *)coder;
    avcodec_free_context(&aac->context);
    av_frame_free(&aac->frame);
    av_packet_free(&aac->packet);
    free(aac);
}

static int start(struct aac *aac, const AVCodec *codec, int kbps)
{
    AVCodecContext *context = aac->context;
    context->sample_rate = CP_SAMPLE_HZ;
    context->sample_fmt = AV_SAMPLE_FMT_FLTP;
    context->bit_rate = (int64_t)kbps * 1000;
    context->profile = FF_PROFILE_AAC_LOW;
    context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    context->time_base = (AVRational){1, CP_SAMPLE_HZ};
    context->thread_count = 1;
    av_channel_layout_default(&context->ch_layout, 1);
    int result = avcodec_open2(context, codec, NULL);
    if (result)
        return result;
    aac->frame->nb_samples = context->frame_size;
    aac->frame->format = context->sample_fmt;
    aac->frame->sample_rate = context->sample_rate;
    result = av_channel_layout_copy(&aac->frame->ch_layout, &context->ch_layout);
    return result < 0 ? result : av_frame_get_buffer(aac->frame, 0);
}

int cp_aac_open(int kbps, struct cp_audio_coder **ret_coder, struct cp_error *error)
{
    const AVCodec *codec = avcodec_find_encoder_by_name("aac");
    if (!codec)
        return cp_fail(error, CP_ERR_UNAVAILABLE, "encode", "this libavcodec has no \"aac\" encoder");
    av_log_set_level(AV_LOG_QUIET); /* its lines are not ours in form; what matters comes back as an error */
    struct aac *aac = calloc(1, sizeof *aac);
    if (!aac)
        return cp_fail(error, CP_ERR_NOMEM, "encode", "out of memory for AAC");
    aac->context = avcodec_alloc_context3(codec);
    aac->frame = av_frame_alloc();
    aac->packet = av_packet_alloc();
    int result = aac->context && aac->frame && aac->packet ? start(aac, codec, kbps) : AVERROR(ENOMEM);
    if (!result &&
        (aac->context->extradata_size < 2 || aac->context->extradata_size > (int)sizeof aac->base.extradata))
        result = AVERROR_INVALIDDATA;
    if (result) {
        close_coder(&aac->base);
        return cp_fail(error, CP_ERR_INTERNAL, "encode", "AAC cannot start: %s", av_err2str(result));
    }
    aac->base.codec = CP_CODEC_AAC;
    aac->base.frame_samples = aac->context->frame_size;
    aac->base.encode = encode;
    aac->base.close = close_coder;
    aac->base.extradata_bytes = aac->context->extradata_size;
    memcpy(aac->base.extradata, aac->context->extradata, (size_t)aac->context->extradata_size);
    *ret_coder = &aac->base;
    return 0;
}
