/* The thread that decodes a looping video into a ring of fitted frames, ahead of the draw thread. */
#include "render/footage.h"

#include "base/clock.h"
#include "base/thread.h"

#include <string.h>

enum { IO_BYTES = 32768, FULL_WAIT_MS = 6 };

static int read_bytes(void *user, uint8_t *to, int length)
{
    struct cp_footage *f = user;
    size_t left = f->length - f->at, n = (size_t)length < left ? (size_t)length : left;
    if (n == 0)
        return AVERROR_EOF;
    memcpy(to, f->bytes + f->at, n);
    f->at += n;
    return (int)n;
}

static int64_t seek_bytes(void *user, int64_t offset, int whence)
{
    struct cp_footage *f = user;
    if (whence == AVSEEK_SIZE)
        return (int64_t)f->length;
    int64_t at = whence == SEEK_CUR   ? (int64_t)f->at + offset
                 : whence == SEEK_END ? (int64_t)f->length + offset
                                      : offset;
    if (at < 0 || at > (int64_t)f->length)
        return -1;
    f->at = (size_t)at;
    return at;
}

static int open_decoder(struct cp_footage *f, struct cp_error *error)
{
    f->stream = av_find_best_stream(f->format, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
    if (f->stream < 0)
        return cp_fail(error, CP_ERR_FORMAT, "render", "There is no video in this file.");
    const AVCodecParameters *par = f->format->streams[f->stream]->codecpar;
    switch ((int)par->codec_id) {
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_HEVC:
    case AV_CODEC_ID_MPEG4:
    case AV_CODEC_ID_VP8:
    case AV_CODEC_ID_VP9:
    case AV_CODEC_ID_AV1:
        break;
    default:
        return cp_fail(error, CP_ERR_UNSUPPORTED, "render",
                       "The video is coded as %s; H.264, H.265, MPEG-4, VP8, VP9 and AV1 are read.",
                       avcodec_get_name(par->codec_id));
    }
    if ((int64_t)par->width * par->height > CP_FOOTAGE_MAX_VIDEO_PIXELS)
        return cp_fail(error, CP_ERR_LIMIT, "render", "The video is %d x %d; at most 4096 x 2304 is read.",
                       par->width, par->height);
    const AVCodec *codec = avcodec_find_decoder(par->codec_id);
    f->codec = codec ? avcodec_alloc_context3(codec) : NULL;
    if (!f->codec)
        return cp_fail(error, CP_ERR_UNSUPPORTED, "render", "This build of libavcodec has no decoder for %s.",
                       avcodec_get_name(par->codec_id));
    f->codec->max_pixels = CP_FOOTAGE_MAX_VIDEO_PIXELS;
    f->codec->thread_count = 1; /* it has a whole second for a second of video */
    if (avcodec_parameters_to_context(f->codec, par) < 0 || avcodec_open2(f->codec, codec, NULL) < 0)
        return cp_fail(error, CP_ERR_FORMAT, "render", "The video's decoder refuses the file.");
    return 0;
}

/* Fits a frame into the ring when there is room. False when the footage is closed or the frame unreadable. */
static bool put(struct cp_footage *f, const AVFrame *frame, int64_t due_samples)
{
    long long written = atomic_load_explicit(&f->written, memory_order_relaxed);
    while (written - atomic_load_explicit(&f->released, memory_order_acquire) >= FOOTAGE_RING) {
        if (atomic_load_explicit(&f->stop, memory_order_relaxed))
            return false;
        cp_clock_sleep_until_ns(cp_clock_now_ns() + FULL_WAIT_MS * CP_NS_PER_MS);
    }
    struct footage_frame *to = &f->frame[written % FOOTAGE_RING];
    if (atomic_load_explicit(&f->stop, memory_order_relaxed) || !cp_fit_frame(f, frame, to))
        return false;
    to->due_samples = due_samples;
    atomic_store_explicit(&f->written, written + 1, memory_order_release);
    return true;
}

/* Once from the beginning to the end. Returns where the next round begins, or -1 to stop. */
static int64_t play_round(struct cp_footage *f, AVPacket *packet, AVFrame *frame, int64_t start)
{
    const AVStream *stream = f->format->streams[f->stream];
    AVRational rate = av_guess_frame_rate(f->format, f->format->streams[f->stream], NULL);
    int64_t step =
        rate.num > 0 && rate.den > 0 ? av_rescale(CP_SAMPLE_HZ, rate.den, rate.num) : CP_SAMPLE_HZ / 25;
    step =
        step > CP_SAMPLE_HZ / 240 ? step < 10 * CP_SAMPLE_HZ ? step : 10 * CP_SAMPLE_HZ : CP_SAMPLE_HZ / 240;
    int64_t first = AV_NOPTS_VALUE, last = start - step;
    for (bool draining = false;;) {
        int got = avcodec_receive_frame(f->codec, frame);
        if (got == AVERROR_EOF)
            return last < start ? -1 : last + step; /* not one frame in a whole round: give up */
        if (got == 0) {
            int64_t pts = frame->best_effort_timestamp, due = last + step;
            if (pts != AV_NOPTS_VALUE) {
                first = first == AV_NOPTS_VALUE ? pts : first;
                due = start + av_rescale_q(pts - first, stream->time_base, (AVRational){1, CP_SAMPLE_HZ});
            }
            /* Stamps that go back or leap are not believed. */
            due = due > last && due < last + 30 * (int64_t)CP_SAMPLE_HZ ? due : last + step;
            last = due;
            if (!put(f, frame, due))
                return -1;
            continue;
        }
        if (got != AVERROR(EAGAIN) || draining)
            return -1;
        int read = av_read_frame(f->format, packet);
        if (read < 0)
            draining = true;
        if (read >= 0 && packet->stream_index != f->stream) {
            av_packet_unref(packet);
            continue;
        }
        avcodec_send_packet(f->codec, read < 0 ? NULL : packet); /* a broken packet is skipped */
        av_packet_unref(packet);
        if (atomic_load_explicit(&f->stop, memory_order_relaxed))
            return -1;
    }
}

static void *run(void *arg)
{
    struct cp_footage *f = arg;
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    int64_t start = packet && frame ? 0 : -1;
    while (start >= 0) {
        start = play_round(f, packet, frame, start);
        avcodec_flush_buffers(f->codec);
        if (start >= 0 && av_seek_frame(f->format, f->stream, f->format->streams[f->stream]->start_time,
                                        AVSEEK_FLAG_BACKWARD) < 0)
            start = -1;
    }
    av_frame_free(&frame);
    av_packet_free(&packet);
    atomic_store(&f->failed, true); /* the last frame stays */
    return NULL;
}

int cp_footage_start_video(struct cp_footage *f, struct cp_error *error)
{
    const AVInputFormat *kind = av_find_input_format(f->bytes[0] == 0x1a ? "matroska" : "mp4");
    uint8_t *io = av_malloc(IO_BYTES);
    f->format = avformat_alloc_context();
    if (f->format && io)
        f->format->pb = avio_alloc_context(io, IO_BYTES, 0, f, read_bytes, NULL, seek_bytes);
    if (f->format) { /* for what was made to be slow to look through */
        f->format->probesize = 1 << 20;
        f->format->max_streams = 16;
        f->format->max_probe_packets = 500;
    }
    if (!kind || !f->format || !f->format->pb) {
        av_free(io);
        avformat_free_context(f->format);
        f->format = NULL;
        return cp_fail(error, CP_ERR_NOMEM, "render", "Out of memory for a video.");
    }
    AVIOContext *pb = f->format->pb;
    if (avformat_open_input(&f->format, NULL, kind, NULL) < 0) { /* which frees the format on failure */
        av_freep(&pb->buffer);
        avio_context_free(&pb);
        return cp_fail(error, CP_ERR_FORMAT, "render", "The video cannot be read: it is damaged or cut off.");
    }
    if (avformat_find_stream_info(f->format, NULL) < 0)
        return cp_fail(error, CP_ERR_FORMAT, "render", "The video cannot be read: it is damaged or cut off.");
    int err = open_decoder(f, error);
    if (!err && (err = cp_thread_start(&f->thread, "footage", run, f)))
        return cp_fail(error, CP_ERR_NOMEM, "render", "Cannot start a thread for a video.");
    f->has_thread = !err;
    return err;
}

void cp_footage_stop_video(struct cp_footage *f)
{
    atomic_store(&f->stop, true);
    if (f->has_thread)
        pthread_join(f->thread, NULL);
    avcodec_free_context(&f->codec);
    if (f->format) {
        AVIOContext *pb = f->format->pb;
        avformat_close_input(&f->format);
        if (pb)
            av_freep(&pb->buffer);
        avio_context_free(&pb);
    }
}
