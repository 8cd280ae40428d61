/* Decodes a picture, which may be made to harm: what decoders would spend time or memory on without need is
 * taken out or refused first. */
#include "render/footage.h"

#include <string.h>

#define MAX_SCANS 100 /* of a JPEG; encoders make some ten, and each costs a pass over the whole picture */

enum AVCodecID cp_picture_codec(const uint8_t *bytes, size_t length)
{
    if (length >= 8 && !memcmp(bytes, "\x89PNG\r\n\x1a\n", 8))
        return AV_CODEC_ID_PNG;
    if (length >= 3 && !memcmp(bytes, "\xff\xd8\xff", 3))
        return AV_CODEC_ID_MJPEG;
    if (length >= 12 && !memcmp(bytes, "RIFF", 4) && !memcmp(bytes + 8, "WEBP", 4))
        return AV_CODEC_ID_WEBP;
    return AV_CODEC_ID_NONE;
}

static uint32_t be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Copies a PNG without the chunks that do not show: compressed texts and profiles may grow a thousandfold
 * when they are read. Returns its new length. */
static size_t copy_png(const uint8_t *bytes, size_t length, uint8_t *to)
{
    static const char SHOWN[][5] = {"IHDR", "PLTE", "tRNS", "IDAT", "IEND"};
    size_t n = 8;
    memcpy(to, bytes, 8);
    for (size_t at = 8; length - at >= 12;) {
        size_t chunk = be32(bytes + at);
        if (chunk > length - at - 12)
            chunk = length - at - 12; /* cut off: the decoder sees it */
        for (size_t i = 0; i < sizeof SHOWN / sizeof SHOWN[0]; i++)
            if (!memcmp(bytes + at + 4, SHOWN[i], 4)) {
                memcpy(to + n, bytes + at, chunk + 12);
                n += chunk + 12;
            }
        at += chunk + 12;
    }
    return n;
}

/* Start-of-scan markers (ITU-T T.81 section B.1.1.3); coded data holds none. */
static int count_scans(const uint8_t *bytes, size_t length)
{
    int n = 0;
    for (size_t i = 0; i + 1 < length; i++)
        n += bytes[i] == 0xff && bytes[i + 1] == 0xda;
    return n;
}

int cp_picture_decode(struct cp_footage *f, enum AVCodecID id, const void *bytes, size_t length,
                      struct cp_error *error)
{
    const AVCodec *codec = avcodec_find_decoder(id);
    AVCodecContext *context = codec ? avcodec_alloc_context3(codec) : NULL;
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    int err = !context || !packet || !frame || av_new_packet(packet, (int)length) ? CP_ERR_NOMEM : 0;
    if (err) {
        cp_error_set(error, CP_ERR_NOMEM, "render", "Out of memory for a picture.");
    } else if (id == AV_CODEC_ID_MJPEG && count_scans(bytes, length) > MAX_SCANS) {
        err =
            cp_fail(error, CP_ERR_LIMIT, "render",
                    "The JPEG is stored in more than %d scans; save it anew in an image editor.", MAX_SCANS);
    } else {
        if (id == AV_CODEC_ID_PNG)
            av_shrink_packet(packet, (int)copy_png(bytes, length, packet->data));
        else
            memcpy(packet->data, bytes, length);
        f->orientation = cp_picture_orientation(bytes, length);
        context->max_pixels = CP_FOOTAGE_MAX_PIXELS;
        context->thread_count = 1;
        if (avcodec_open2(context, codec, NULL) < 0 || avcodec_send_packet(context, packet) < 0 ||
            avcodec_send_packet(context, NULL) < 0 || avcodec_receive_frame(context, frame) < 0)
            err = cp_fail(
                error, CP_ERR_FORMAT, "render",
                "The picture cannot be read: it is damaged, cut off, or has more than %d million pixels.",
                CP_FOOTAGE_MAX_PIXELS / 1000000);
        else if (!cp_fit_frame(f, frame, &f->frame[0]))
            err = cp_fail(error, CP_ERR_UNSUPPORTED, "render",
                          "The picture stores its colours in a way that is not read; save it as usual RGB.");
    }
    av_frame_free(&frame);
    av_packet_free(&packet);
    avcodec_free_context(&context);
    atomic_store(&f->written, err ? 0 : 1);
    return err;
}
