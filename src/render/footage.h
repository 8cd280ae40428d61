/* Inside of footage: decoding of pictures and videos, and fitting of their frames. */
#ifndef CP_RENDER_FOOTAGE_H
#define CP_RENDER_FOOTAGE_H

#include "render/scenery.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include <pthread.h>
#include <stdatomic.h>

enum { FOOTAGE_RING = 4 };

struct footage_fit { /* scratch of fitting, one a footage */
    uint8_t *plane[3], *other;
    int width, height;
};

struct cp_footage {
    struct cp_ref ref;
    int width, height, blur_px;
    uint32_t matte;
    int orientation; /* of what is decoded, as EXIF counts; 0 or 1: as it is */
    bool video;
    struct footage_frame frame[FOOTAGE_RING]; /* a still has one */
    /* Frames written and released, ever: frame i lies in frame[i % FOOTAGE_RING]. The writer is the decoder's
     * thread, the reader the draw thread, which holds frame `released` until the next is due. */
    atomic_llong written, released;
    atomic_bool stop, failed;
    int64_t base_samples; /* the clock's time of the video's beginning. The reader's */
    bool begun;
    pthread_t thread;
    bool has_thread;
    uint8_t *bytes; /* of a video */
    size_t length, at;
    AVFormatContext *format;
    AVCodecContext *codec;
    int stream;
    struct footage_fit fit;
};

/* Any decoded frame -> the footage's size, cover. False when its pixel format is not known here. */
bool cp_fit_frame(struct cp_footage *footage, const AVFrame *frame, struct footage_frame *to);

/* A still whose frame[0].rgb the caller fills; `number` tells it from others when it is drawn. NULL when out
 * of memory. For screens, which need no planes. */
struct cp_footage *cp_footage_create_still(int width, int height, int64_t number);

/* footage_picture.c: AV_CODEC_ID_NONE when it is no picture that is read; decodes into frame[0]. */
enum AVCodecID cp_picture_codec(const uint8_t *bytes, size_t length);
int cp_picture_decode(struct cp_footage *footage, enum AVCodecID id, const void *bytes, size_t length,
                      struct cp_error *error);

/* footage_video.c */
int cp_footage_start_video(struct cp_footage *footage, struct cp_error *error);
void cp_footage_stop_video(struct cp_footage *footage);

#endif
