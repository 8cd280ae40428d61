/* A channel's picture and sound as libavformat's streams: what files and pushes share. */
#ifndef CP_STREAMS_H
#define CP_STREAMS_H

#include "media/packet.h"

#include <libavformat/avformat.h>

#define CP_STREAMS_SETS_BYTES 512 /* SPS and PPS with their start codes */

/* Both return 0 or an AVERROR. The streams count samples at 48 kHz until a muxer sets its own scale. */
int cp_streams_add_video(AVFormatContext *format, int width, int height, AVStream **ret_stream);
int cp_streams_add_audio(AVFormatContext *format, const uint8_t *aac, int aac_bytes, AVStream **ret_stream);
int cp_streams_extradata(AVCodecParameters *parameters, const uint8_t *bytes, size_t length);

/* Copies the parameter sets of a key frame, with their start codes, into CP_STREAMS_SETS_BYTES: libavformat
 * makes the avcC of them. Returns their length, 0 when there are none. */
size_t cp_streams_parameter_sets(const struct cp_packet *packet, uint8_t *to);

#endif
