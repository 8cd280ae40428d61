/*
 * MP4 files by libavformat, which turns Annex B into length-prefixed units and writes the tables at the end.
 * The file's time begins at the first key frame's, so picture and sound stand as they did on the sample
 * clock.
 */
#include "deliver/record/record.h"

#include "base/buffer.h"
#include "deliver/record/streams.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sound that comes before the first key frame waits here, since some of it may be of later moments. */
#define MAX_EARLY       128
#define MAX_EARLY_BYTES (256 << 10)

struct early {
    int64_t at;
    int32_t length;
    size_t bytes;
};

struct cp_record_file {
    AVFormatContext *format;
    AVPacket *packet;
    int width, height;
    AVStream *video, *audio; /* audio: NULL without AAC */
    bool begun;              /* the first key frame came, and the header is written */
    int64_t start;           /* samples: the file's time 0 */
    int64_t last[2];         /* newest time of each stream, in the file */
    struct early early[MAX_EARLY];
    int n_early;
    struct cp_buffer early_bytes;
    char path[256];
};

static void free_file(struct cp_record_file *file)
{
    if (!file)
        return;
    if (file->format) {
        avio_closep(&file->format->pb);
        avformat_free_context(file->format);
    }
    av_packet_free(&file->packet);
    cp_buffer_free(&file->early_bytes);
    free(file);
}

int cp_record_open(const char *path, int width, int height, const uint8_t *aac_extradata,
                   int aac_extradata_bytes, struct cp_record_file **ret_file, struct cp_error *error)
{
    size_t length = strlen(path);
    if (length < 5 || strcmp(path + length - 4, ".mp4"))
        return cp_fail(error, CP_ERR_UNSUPPORTED, "record", "\"%s\": only .mp4 files can be written", path);
    if (width < 2 || height < 2 || aac_extradata_bytes < 0 || aac_extradata_bytes == 1)
        return cp_fail(error, CP_ERR_INVALID, "record",
                       "a picture of %dx%d with %d bytes of AAC configuration", width, height,
                       aac_extradata_bytes);
    struct cp_record_file *file = calloc(1, sizeof *file);
    if (!file)
        return cp_fail(error, CP_ERR_NOMEM, "record", "out of memory");
    file->width = width;
    file->height = height;
    file->early_bytes = cp_buffer_make(MAX_EARLY_BYTES);
    snprintf(file->path, sizeof file->path, "%s", path);
    file->packet = av_packet_alloc();
    int result =
        file->packet ? avformat_alloc_output_context2(&file->format, NULL, "mp4", path) : AVERROR(ENOMEM);
    if (result >= 0)
        result = cp_streams_add_video(file->format, file->width, file->height, &file->video);
    if (result >= 0 && aac_extradata_bytes)
        result = cp_streams_add_audio(file->format, aac_extradata, aac_extradata_bytes, &file->audio);
    if (result >= 0)
        result = avio_open(&file->format->pb, path, AVIO_FLAG_WRITE);
    if (result < 0) {
        free_file(file);
        return cp_fail(error, CP_ERR_IO, "record", "cannot write %s: %s", path, av_err2str(result));
    }
    *ret_file = file;
    return 0;
}

static int write_one(struct cp_record_file *file, AVStream *stream, const uint8_t *data, size_t bytes,
                     int64_t at, int32_t length, bool key, struct cp_error *error)
{
    int64_t time = at - file->start;
    int64_t *last = &file->last[stream->index];
    if (time < 0 || (*last >= 0 && time <= *last))
        return 0; /* before the file's beginning; late or double */
    *last = time;
    AVPacket *packet = file->packet;
    packet->data = (uint8_t *)data; /* libavformat copies what is not reference counted */
    packet->size = (int)bytes;
    packet->stream_index = stream->index;
    packet->pts = packet->dts = time;
    packet->duration = length;
    packet->flags = key ? AV_PKT_FLAG_KEY : 0;
    av_packet_rescale_ts(packet, (AVRational){1, CP_SAMPLE_HZ}, stream->time_base);
    int result = av_interleaved_write_frame(file->format, packet);
    av_packet_unref(packet);
    return result < 0
               ? cp_fail(error, CP_ERR_IO, "record", "cannot write to %s: %s", file->path, av_err2str(result))
               : 0;
}

/* The first key frame: now the parameter sets are known, and the header can be written. */
static int begin(struct cp_record_file *file, const struct cp_packet *packet, struct cp_error *error)
{
    uint8_t sets[CP_STREAMS_SETS_BYTES];
    size_t bytes = cp_streams_parameter_sets(packet, sets), at = 0;
    if (!bytes)
        return cp_fail(error, CP_ERR_FORMAT, "record", "a key frame without SPS and PPS in front");
    /* The edit list, which holds the sound's later start, counts in this scale: samples, not milliseconds. */
    AVDictionary *options = NULL;
    av_dict_set_int(&options, "movie_timescale", CP_SAMPLE_HZ, 0);
    int result = cp_streams_extradata(file->video->codecpar, sets, bytes);
    if (result >= 0)
        result = avformat_write_header(file->format, &options);
    av_dict_free(&options);
    if (result < 0)
        return cp_fail(error, CP_ERR_IO, "record", "cannot begin %s: %s", file->path, av_err2str(result));
    file->begun = true;
    file->start = packet->at_samples;
    file->last[0] = file->last[1] = -1;
    for (int i = 0; i < file->n_early; i++) {
        const struct early *early = &file->early[i];
        result = write_one(file, file->audio, file->early_bytes.data + at, early->bytes, early->at,
                           early->length, true, error);
        if (result)
            return result;
        at += early->bytes;
    }
    cp_buffer_free(&file->early_bytes);
    return 0;
}

/* Keeps sound for the beginning; what is too much was too early. */
static void keep_early(struct cp_record_file *file, const struct cp_packet *packet)
{
    if (file->n_early == MAX_EARLY) {
        size_t bytes = 0;
        for (int i = 0; i < MAX_EARLY / 2; i++)
            bytes += file->early[i].bytes;
        file->n_early -= MAX_EARLY / 2;
        memmove(file->early, file->early + MAX_EARLY / 2, (size_t)file->n_early * sizeof *file->early);
        file->early_bytes.length -= bytes;
        memmove(file->early_bytes.data, file->early_bytes.data + bytes, file->early_bytes.length);
    }
    cp_buffer_add(&file->early_bytes, packet->data, packet->length_bytes);
    if (file->early_bytes.failed)
        return;
    file->early[file->n_early++] =
        (struct early){packet->at_samples, packet->length_samples, packet->length_bytes};
}

int cp_record_write(struct cp_record_file *file, const struct cp_packet *packet, struct cp_error *error)
{
    if (packet->codec == CP_CODEC_AAC && file->audio) {
        if (file->begun)
            return write_one(file, file->audio, packet->data, packet->length_bytes, packet->at_samples,
                             packet->length_samples, true, error);
        keep_early(file, packet);
        return 0;
    }
    if (packet->codec != CP_CODEC_H264 || (!file->begun && !packet->key))
        return 0;
    int result = file->begun ? 0 : begin(file, packet, error);
    if (result)
        return result;
    return write_one(file, file->video, packet->data, packet->length_bytes, packet->at_samples,
                     packet->length_samples, packet->key, error);
}

int cp_record_close(struct cp_record_file *file, struct cp_error *error)
{
    if (!file)
        return 0;
    int result = file->begun ? av_write_trailer(file->format) : 0;
    int closed = avio_closep(&file->format->pb);
    if (result >= 0)
        result = closed;
    if (result < 0)
        result = cp_fail(error, CP_ERR_IO, "record", "cannot finish %s: %s", file->path, av_err2str(result));
    else if (!file->begun)
        result = cp_fail(error, CP_ERR_INVALID, "record", "%s is empty: no key frame came", file->path);
    free_file(file);
    return result;
}
