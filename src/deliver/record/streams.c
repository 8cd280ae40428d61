#include "deliver/record/streams.h"

#include <libavcodec/avcodec.h>
#include <string.h>

int cp_streams_extradata(AVCodecParameters *parameters, const uint8_t *bytes, size_t length)
{
    parameters->extradata = av_mallocz(length + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!parameters->extradata)
        return AVERROR(ENOMEM);
    memcpy(parameters->extradata, bytes, length);
    parameters->extradata_size = (int)length;
    return 0;
}

int cp_streams_add_video(AVFormatContext *format, int width, int height, AVStream **ret_stream)
{
    AVStream *stream = avformat_new_stream(format, NULL);
    if (!stream)
        return AVERROR(ENOMEM);
    AVCodecParameters *parameters = stream->codecpar;
    parameters->codec_type = AVMEDIA_TYPE_VIDEO;
    parameters->codec_id = AV_CODEC_ID_H264;
    parameters->width = width;
    parameters->height = height;
    parameters->format = AV_PIX_FMT_YUV420P;
    parameters->color_range = AVCOL_RANGE_MPEG;
    parameters->color_primaries = AVCOL_PRI_BT709;
    parameters->color_trc = AVCOL_TRC_BT709;
    parameters->color_space = AVCOL_SPC_BT709;
    stream->time_base = (AVRational){1, CP_SAMPLE_HZ};
    stream->avg_frame_rate = (AVRational){CP_FRAME_HZ, 1};
    *ret_stream = stream;
    return 0;
}

int cp_streams_add_audio(AVFormatContext *format, const uint8_t *aac, int aac_bytes, AVStream **ret_stream)
{
    AVStream *stream = avformat_new_stream(format, NULL);
    if (!stream)
        return AVERROR(ENOMEM);
    AVCodecParameters *parameters = stream->codecpar;
    parameters->codec_type = AVMEDIA_TYPE_AUDIO;
    parameters->codec_id = AV_CODEC_ID_AAC;
    parameters->profile = FF_PROFILE_AAC_LOW;
    parameters->sample_rate = CP_SAMPLE_HZ;
    parameters->frame_size = 1024;
    /* AudioSpecificConfig (ISO 14496-3 1.6.2.1): type 5 bits, rate 4 bits, channels 4 bits */
    av_channel_layout_default(&parameters->ch_layout, (aac[1] >> 3) & 15);
    stream->time_base = (AVRational){1, CP_SAMPLE_HZ};
    *ret_stream = stream;
    return cp_streams_extradata(parameters, aac, (size_t)aac_bytes);
}

size_t cp_streams_parameter_sets(const struct cp_packet *packet, uint8_t *to)
{
    size_t length = 0, start = 0;
    for (size_t i = 0; i + 3 <= packet->length_bytes; i++) {
        bool code = !packet->data[i] && !packet->data[i + 1] && packet->data[i + 2] == 1;
        bool last = i + 3 == packet->length_bytes;
        if (!code && !last)
            continue;
        size_t end = last && !code ? packet->length_bytes : i;
        while (start && end > start && !packet->data[end - 1])
            end--;
        int type = start ? packet->data[start] & 0x1f : 0;
        if ((type == 7 || type == 8) && length + 4 + (end - start) <= CP_STREAMS_SETS_BYTES) {
            memcpy(to + length, "\0\0\0\1", 4);
            memcpy(to + length + 4, packet->data + start, end - start);
            length += 4 + (end - start);
        }
        start = i + 3;
    }
    return length;
}
