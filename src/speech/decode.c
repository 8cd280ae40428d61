#include "speech/decode.h"

#include "media/clock.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define STAGE "speech"

enum { IO_BYTES = 32768, DAMAGED_MAX = 100 /* packets that do not decode */ };

static const char CONTAINERS[] = "wav,mp3,ogg,mov,mp4,m4a,3gp,3g2,mj2"; /* the last five are one demuxer */

struct decoder {
    const uint8_t *bytes;
    size_t length, at; /* of the file */
    AVFormatContext *format;
    AVCodecContext *codec;
    AVPacket *packet;
    AVFrame *frame;
    SwrContext *converter;
    AVChannelLayout layout; /* that the converter was made for, with rate and sample format */
    int rate, sample_format;
    struct cp_decoded sound;
    size_t capacity, limit; /* samples */
    int damaged;
    struct cp_error *error;
};

static int read_bytes(void *user, uint8_t *to, int length)
{
    struct decoder *d = user;
    size_t left = d->length - d->at, n = (size_t)length < left ? (size_t)length : left;
    if (n == 0)
        return AVERROR_EOF;
    memcpy(to, d->bytes + d->at, n);
    d->at += n;
    return (int)n;
}

static int64_t seek_bytes(void *user, int64_t offset, int whence)
{
    struct decoder *d = user;
    if (whence == AVSEEK_SIZE)
        return (int64_t)d->length;
    int64_t at = whence == SEEK_CUR   ? (int64_t)d->at + offset
                 : whence == SEEK_END ? (int64_t)d->length + offset
                                      : offset;
    if (at < 0 || at > (int64_t)d->length)
        return -1;
    d->at = (size_t)at;
    return at;
}

static int no_memory(struct decoder *d)
{
    return cp_fail(d->error, CP_ERR_NOMEM, STAGE, "Out of memory for a sound file.");
}

static int open_container(struct decoder *d)
{
    AVDictionary *options = NULL;
    uint8_t *buffer = av_malloc(IO_BYTES);
    AVIOContext *io =
        buffer ? avio_alloc_context(buffer, IO_BYTES, 0, d, read_bytes, NULL, seek_bytes) : NULL;
    d->format = avformat_alloc_context();
    if (!io || !d->format) {
        av_free(io ? io->buffer : buffer);
        avio_context_free(&io);
        return no_memory(d);
    }
    d->format->pb = io;
    d->format->flags |= AVFMT_FLAG_CUSTOM_IO;
    av_dict_set(&options, "format_whitelist", CONTAINERS, 0);
    int result = avformat_open_input(&d->format, NULL, NULL, &options); /* frees the context when it fails */
    av_dict_free(&options);
    if (result < 0) {
        av_freep(&io->buffer);
        avio_context_free(&io);
        return cp_fail(d->error, CP_ERR_FORMAT, STAGE, "This is no WAV, MP3, Ogg or M4A file.");
    }
    if (avformat_find_stream_info(d->format, NULL) < 0)
        return cp_fail(d->error, CP_ERR_FORMAT, STAGE,
                       "The sound file is damaged: its streams cannot be read.");
    return 0;
}

static bool is_read(enum AVCodecID id)
{
    bool pcm = id >= AV_CODEC_ID_FIRST_AUDIO && id < AV_CODEC_ID_ADPCM_IMA_QT;
    return pcm || id == AV_CODEC_ID_MP3 || id == AV_CODEC_ID_VORBIS || id == AV_CODEC_ID_OPUS ||
           id == AV_CODEC_ID_AAC || id == AV_CODEC_ID_FLAC || id == AV_CODEC_ID_ALAC;
}

static int open_codec(struct decoder *d)
{
    int stream = av_find_best_stream(d->format, AVMEDIA_TYPE_AUDIO, -1, -1, NULL, 0);
    if (stream < 0)
        return cp_fail(d->error, CP_ERR_FORMAT, STAGE, "There is no sound in this file.");
    for (unsigned i = 0; i < d->format->nb_streams; i++)
        if ((int)i != stream)
            d->format->streams[i]->discard = AVDISCARD_ALL; /* cover pictures, other tracks */
    const AVCodecParameters *par = d->format->streams[stream]->codecpar;
    if (!is_read(par->codec_id))
        return cp_fail(d->error, CP_ERR_UNSUPPORTED, STAGE,
                       "The sound is coded as %s; PCM, MP3, AAC, Vorbis, Opus, FLAC and ALAC are read.",
                       avcodec_get_name(par->codec_id));
    const AVCodec *codec = avcodec_find_decoder(par->codec_id);
    d->codec = codec ? avcodec_alloc_context3(codec) : NULL;
    d->packet = av_packet_alloc();
    d->frame = av_frame_alloc();
    if (!d->codec || !d->packet || !d->frame || avcodec_parameters_to_context(d->codec, par) < 0)
        return no_memory(d);
    d->codec->pkt_timebase = d->format->streams[stream]->time_base;
    d->codec->thread_count = 1;
    if (avcodec_open2(d->codec, codec, NULL) < 0)
        return cp_fail(d->error, CP_ERR_FORMAT, STAGE, "The sound file is damaged: its codec does not open.");
    return 0;
}

/* The converter for what frames are like; a file that changes half-way is converted by another one. */
static int fit_converter(struct decoder *d)
{
    const AVFrame *frame = d->frame;
    bool fits = d->converter && d->rate == frame->sample_rate && d->sample_format == frame->format &&
                !av_channel_layout_compare(&d->layout, &frame->ch_layout);
    if (fits)
        return 0;
    AVChannelLayout from = {0}, mono = AV_CHANNEL_LAYOUT_MONO;
    if (frame->sample_rate < 4000 || frame->sample_rate > 384000 || frame->ch_layout.nb_channels < 1 ||
        frame->ch_layout.nb_channels > 16)
        return cp_fail(d->error, CP_ERR_FORMAT, STAGE, "The sound file has %d channels at %d Hz.",
                       frame->ch_layout.nb_channels, frame->sample_rate);
    if (frame->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC)
        av_channel_layout_default(&from, frame->ch_layout.nb_channels);
    else if (av_channel_layout_copy(&from, &frame->ch_layout) < 0)
        return no_memory(d);
    swr_free(&d->converter);
    int failed =
        swr_alloc_set_opts2(&d->converter, &mono, AV_SAMPLE_FMT_FLT, CP_SAMPLE_HZ, &from,
                            (enum AVSampleFormat)frame->format, frame->sample_rate, 0, NULL) < 0 ||
        av_opt_set_double(d->converter, "rematrix_maxval", 1, 0) < 0 || /* the mean of the channels */
        swr_init(d->converter) < 0;
    av_channel_layout_uninit(&from);
    if (failed || av_channel_layout_copy(&d->layout, &frame->ch_layout) < 0)
        return no_memory(d);
    d->rate = frame->sample_rate;
    d->sample_format = frame->format;
    return 0;
}

static int reserve(struct decoder *d, size_t more)
{
    if (d->sound.n + more <= d->capacity)
        return 0;
    size_t capacity = d->capacity * 3 / 2 > d->sound.n + more ? d->capacity * 3 / 2 : d->sound.n + more;
    float *moved = realloc(d->sound.samples, capacity * sizeof *moved);
    if (!moved)
        return no_memory(d);
    d->sound.samples = moved;
    d->capacity = capacity;
    return 0;
}

/* The frame's sound, or with NULL what the converter still holds. */
static int add_frame(struct decoder *d, const AVFrame *frame)
{
    int room = d->converter ? swr_get_out_samples(d->converter, frame ? frame->nb_samples : 0) : 0;
    if (room <= 0)
        return 0;
    if (reserve(d, (size_t)room))
        return CP_ERR_NOMEM;
    uint8_t *out = (uint8_t *)(d->sound.samples + d->sound.n);
    int n = swr_convert(d->converter, &out, room, frame ? (const uint8_t **)frame->extended_data : NULL,
                        frame ? frame->nb_samples : 0);
    if (n > 0)
        d->sound.n += (size_t)n;
    if (d->sound.n > d->limit)
        return cp_fail(d->error, CP_ERR_LIMIT, STAGE, "The sound is longer than %zu s.",
                       d->limit / CP_SAMPLE_HZ);
    return 0;
}

/* Everything that the codec has ready. */
static int drain(struct decoder *d)
{
    int result = 0;
    while (!result && avcodec_receive_frame(d->codec, d->frame) >= 0) {
        result = fit_converter(d);
        if (!result)
            result = add_frame(d, d->frame);
        av_frame_unref(d->frame);
    }
    return result;
}

static int decode_all(struct decoder *d)
{
    int result = 0;
    while (!result && av_read_frame(d->format, d->packet) >= 0) {
        bool ours = d->format->streams[d->packet->stream_index]->discard != AVDISCARD_ALL;
        if (ours && avcodec_send_packet(d->codec, d->packet) < 0 && ++d->damaged > DAMAGED_MAX)
            result = cp_fail(d->error, CP_ERR_FORMAT, STAGE, "The sound file is damaged.");
        av_packet_unref(d->packet);
        if (!result)
            result = drain(d);
    }
    if (!result && avcodec_send_packet(d->codec, NULL) >= 0)
        result = drain(d);
    if (!result)
        result = add_frame(d, NULL);
    if (!result && !d->sound.n)
        result = cp_fail(d->error, CP_ERR_FORMAT, STAGE, "The sound file is damaged: it holds no sound.");
    return result;
}

static void make_finite(float *samples, size_t n)
{
    for (size_t i = 0; i < n; i++) /* float WAVs may hold anything; NaN fails both comparisons */
        samples[i] = samples[i] > -4 && samples[i] < 4 ? samples[i] : 0;
}

int cp_sound_decode(const void *bytes, size_t length, int max_s, struct cp_decoded *ret_decoded,
                    struct cp_error *error)
{
    struct decoder d = {
        .bytes = bytes, .length = length, .limit = (size_t)max_s * CP_SAMPLE_HZ, .error = error};
    int result = open_container(&d);
    if (!result)
        result = open_codec(&d);
    if (!result)
        result = decode_all(&d);
    if (d.format && d.format->pb) {
        AVIOContext *io = d.format->pb;
        avformat_close_input(&d.format);
        av_freep(&io->buffer);
        avio_context_free(&io);
    }
    avcodec_free_context(&d.codec);
    av_packet_free(&d.packet);
    av_frame_free(&d.frame);
    swr_free(&d.converter);
    av_channel_layout_uninit(&d.layout);
    if (result) {
        free(d.sound.samples);
    } else {
        make_finite(d.sound.samples, d.sound.n);
        *ret_decoded = d.sound;
    }
    return result;
}
