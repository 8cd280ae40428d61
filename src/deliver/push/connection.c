/* One connection: libavformat's protocol and muxer, with a deadline for every call that may wait. */
#include "deliver/push/push_int.h"

#include "base/clock.h"
#include "deliver/record/streams.h"

#include <stdlib.h>
#include <string.h>

#define CONNECT_NS (10 * CP_NS_PER_S)
#define WRITE_NS   (10 * CP_NS_PER_S)
#define GOODBYE_NS (CP_NS_PER_S / 2)
#define SEND_BYTES "524288" /* in the kernel: what is late is dropped here rather than kept there */

struct cp_push_connection {
    struct cp_push_output *output;
    AVFormatContext *format;
    AVPacket *packet;
    AVStream *video, *audio;
    int64_t deadline_ns;
    bool ending; /* a stop no longer interrupts: only the deadline does */
    bool begun;
    int64_t start, last[2]; /* samples */
    char masked[CP_PUSH_ADDRESS_BYTES];
};

static int interrupted(void *user)
{
    struct cp_push_connection *connection = user;
    return cp_clock_now_ns() > connection->deadline_ns ||
           (!connection->ending && atomic_load(&connection->output->stopping));
}

/* Says why, without the address's secrets: libav's own messages name them. */
static int tell(struct cp_push_connection *connection, const char *what, int averror, struct cp_error *error)
{
    bool late = averror == AVERROR_EXIT;
    const char *why = averror == AVERROR(ECONNREFUSED) ? "nobody listens there"
                      : averror == AVERROR(EPIPE) || averror == AVERROR(ECONNRESET)
                          ? "the server closed the connection"
                      : averror == AVERROR(EIO) || averror == AVERROR_EOF || averror == AVERROR(EPERM)
                          ? "the server refused or closed it: is the stream key right?"
                      : late ? "it took longer than 10 s"
                             : av_err2str(averror);
    return cp_fail(error, late ? CP_ERR_TIMEOUT : CP_ERR_IO, "push", "%s %.150s: %s", what,
                   connection->masked, why);
}

static int open_streams(struct cp_push_connection *connection, const char *address)
{
    const struct cp_push_format *sent = &connection->output->format;
    bool srt = !strncmp(address, "srt:", 4);
    int result = avformat_alloc_output_context2(&connection->format, NULL, srt ? "mpegts" : "flv", NULL);
    if (result < 0)
        return result;
    AVFormatContext *format = connection->format;
    format->interrupt_callback = (AVIOInterruptCB){interrupted, connection};
    format->flags |= AVFMT_FLAG_FLUSH_PACKETS;
    format->max_interleave_delta = AV_TIME_BASE; /* with one kind missing for longer, the other goes on */
    result = cp_streams_add_video(format, sent->width, sent->height, &connection->video);
    if (result >= 0 && sent->aac_bytes)
        result = cp_streams_add_audio(format, sent->aac, sent->aac_bytes, &connection->audio);
    if (result < 0)
        return result;
    AVDictionary *options = NULL;
    av_dict_set(&options, "tls_verify", "1", 0); /* libavformat's TLS believes everybody unless told not to */
    if (!srt)
        av_dict_set(&options, "send_buffer_size", SEND_BYTES, 0);
    connection->deadline_ns = cp_clock_now_ns() + CONNECT_NS;
    result = avio_open2(&format->pb, address, AVIO_FLAG_WRITE, &format->interrupt_callback, &options);
    av_dict_free(&options);
    return result;
}

int cp_push_connect(struct cp_push_output *output, const char *address,
                    struct cp_push_connection **ret_connection, struct cp_error *error)
{
    struct cp_push_connection *connection = calloc(1, sizeof *connection);
    if (!connection)
        return cp_fail(error, CP_ERR_NOMEM, "push", "out of memory");
    connection->output = output;
    cp_push_mask(address, connection->masked);
    connection->packet = av_packet_alloc();
    int result = connection->packet ? open_streams(connection, address) : AVERROR(ENOMEM);
    if (result < 0) {
        int code = result == AVERROR_PROTOCOL_NOT_FOUND || result == AVERROR_MUXER_NOT_FOUND
                       ? cp_fail(error, CP_ERR_UNSUPPORTED, "push",
                                 "libavformat is built without the protocol of %.150s", connection->masked)
                       : tell(connection, "cannot connect to", result, error);
        cp_push_disconnect(connection);
        return code;
    }
    *ret_connection = connection;
    return 0;
}

static int begin(struct cp_push_connection *connection, const struct cp_packet *packet)
{
    uint8_t sets[CP_STREAMS_SETS_BYTES];
    size_t bytes = cp_streams_parameter_sets(packet, sets);
    AVDictionary *options = NULL;
    av_dict_set(&options, "flvflags", "no_duration_filesize", 0); /* nobody can seek back to fill them in */
    int result = bytes ? cp_streams_extradata(connection->video->codecpar, sets, bytes) : AVERROR_INVALIDDATA;
    if (result >= 0)
        result = avformat_write_header(connection->format, &options);
    av_dict_free(&options);
    connection->begun = result >= 0;
    connection->start = packet->at_samples;
    connection->last[0] = connection->last[1] = -1;
    return result;
}

int cp_push_write(struct cp_push_connection *connection, const struct cp_packet *packet,
                  struct cp_error *error)
{
    bool picture = packet->codec == CP_CODEC_H264;
    AVStream *stream = picture ? connection->video : connection->audio;
    connection->deadline_ns = cp_clock_now_ns() + WRITE_NS;
    if (!stream || (!connection->begun && !(picture && packet->key)))
        return 0;
    int result = connection->begun ? 0 : begin(connection, packet);
    if (result < 0)
        return tell(connection, "cannot begin at", result, error);
    int64_t time = packet->at_samples - connection->start, *last = &connection->last[stream->index];
    if (time < 0 || time <= *last)
        return 0; /* sound of before the first picture */
    *last = time;
    AVPacket *out = connection->packet;
    out->data = packet->data; /* libavformat copies what is not reference counted */
    out->size = (int)packet->length_bytes;
    out->stream_index = stream->index;
    out->pts = out->dts = time;
    out->duration = packet->length_samples;
    out->flags = !picture || packet->key ? AV_PKT_FLAG_KEY : 0;
    av_packet_rescale_ts(out, (AVRational){1, CP_SAMPLE_HZ}, stream->time_base);
    result = av_interleaved_write_frame(connection->format, out);
    av_packet_unref(out);
    if (result >= 0 && connection->format->pb->error < 0)
        result = connection->format->pb->error;
    return result < 0 ? tell(connection, "lost the connection to", result, error) : 0;
}

uint64_t cp_push_connection_bytes(const struct cp_push_connection *connection)
{
    int64_t bytes = connection->format->pb->bytes_written;
    return bytes > 0 ? (uint64_t)bytes : 0;
}

void cp_push_disconnect(struct cp_push_connection *connection)
{
    if (!connection)
        return;
    connection->ending = true;
    connection->deadline_ns = cp_clock_now_ns() + GOODBYE_NS;
    if (connection->format) {
        if (connection->begun)
            av_write_trailer(connection->format);
        avio_closep(&connection->format->pb);
        avformat_free_context(connection->format);
    }
    av_packet_free(&connection->packet);
    free(connection);
}
