/* A decoded picture of any usual pixel format -> 10-bit rgb and I420 of another size, scaled to cover it. */
#include "render/footage.h"

#include <libavutil/pixdesc.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct reader { /* how to read one channel of a packed or planar format as 8 bits */
    const uint8_t *data;
    ptrdiff_t stride, step; /* bytes from row to row and from pixel to pixel; below 0 where it is mirrored */
    int shift;
    bool wide, big;         /* 16-bit units; the high byte first */
    const uint8_t *palette; /* of this channel, 4 bytes an entry, or NULL */
    int width, height;
};

static int value(const struct reader *r, int x, int y)
{
    const uint8_t *p = r->data + y * r->stride + x * r->step;
    if (!r->wide)
        return r->palette ? r->palette[4 * *p] : *p;
    int v = (r->big ? p[0] << 8 | p[1] : p[0] | p[1] << 8) >> r->shift;
    return v > 255 ? 255 : v;
}

/* Reads a stored channel as EXIF says that it is seen: mirrored, and from 5 on with rows and columns changed.
 */
static void turn(struct reader *r, int orientation)
{
    bool mirror_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    bool mirror_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    struct reader stored = *r;
    if (mirror_x) {
        r->data += (stored.width - 1) * stored.step;
        r->step = -stored.step;
    }
    if (mirror_y) {
        r->data += (stored.height - 1) * stored.stride;
        r->stride = -stored.stride;
    }
    if (orientation >= 5) {
        ptrdiff_t step = r->step;
        r->step = r->stride;
        r->stride = step;
        r->width = stored.height;
        r->height = stored.width;
    }
}

/* One channel, cut to cover width x height: the mean of the source pixels where it shrinks by two or more,
 * else between four of them. */
static void scale_plane(const struct reader *from, uint8_t *to, int width, int height, float aspect)
{
    float source_aspect = (float)from->width / (float)from->height;
    float w = (float)from->width, h = (float)from->height;
    if (source_aspect > aspect)
        w *= aspect / source_aspect;
    else
        h *= source_aspect / aspect;
    float x0 = ((float)from->width - w) / 2, y0 = ((float)from->height - h) / 2, sx = w / (float)width,
          sy = h / (float)height;
    int nx = sx >= 2 ? (int)sx : 1, ny = sy >= 2 ? (int)sy : 1;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            if (nx > 1 || ny > 1) {
                int bx = (int)(x0 + (float)x * sx), by = (int)(y0 + (float)y * sy), sum = 0;
                for (int j = 0; j < ny; j++)
                    for (int i = 0; i < nx; i++) {
                        int px = bx + i < from->width ? bx + i : from->width - 1;
                        int py = by + j < from->height ? by + j : from->height - 1;
                        sum += value(from, px, py);
                    }
                to[y * width + x] = (uint8_t)(sum / (nx * ny));
                continue;
            }
            float fx = fmaxf(x0 + ((float)x + 0.5f) * sx - 0.5f, 0),
                  fy = fmaxf(y0 + ((float)y + 0.5f) * sy - 0.5f, 0);
            int ax = (int)fx, ay = (int)fy, tx = (int)((fx - (float)ax) * 256),
                ty = (int)((fy - (float)ay) * 256);
            ax = ax < from->width ? ax : from->width - 1;
            ay = ay < from->height ? ay : from->height - 1;
            int bx = ax + 1 < from->width ? ax + 1 : ax, by = ay + 1 < from->height ? ay + 1 : ay;
            int top = value(from, ax, ay) * (256 - tx) + value(from, bx, ay) * tx;
            int low = value(from, ax, by) * (256 - tx) + value(from, bx, by) * tx;
            to[y * width + x] = (uint8_t)((top * (256 - ty) + low * ty + 32768) >> 16);
        }
}

/* A box along rows or columns, by a running sum. */
static void box_line(const uint8_t *from, uint8_t *to, int n, int step, int radius)
{
    int sum = 0, width = 2 * radius + 1;
    for (int i = -radius; i <= radius; i++)
        sum += from[(i < 0 ? 0 : i < n ? i : n - 1) * step];
    for (int i = 0; i < n; i++) {
        to[i * step] = (uint8_t)(sum / width);
        int in = i + radius + 1 < n ? i + radius + 1 : n - 1, out = i - radius > 0 ? i - radius : 0;
        sum += from[in * step] - from[out * step];
    }
}

static void blur_plane(uint8_t *plane, uint8_t *other, int width, int height, int radius)
{
    for (int pass = 0; pass < 2; pass++) {
        for (int y = 0; y < height; y++)
            box_line(plane + y * width, other + y * width, width, 1, radius);
        for (int x = 0; x < width; x++)
            box_line(other + x, plane + x, height, width, radius);
    }
}

/* Full-size channels -> 10-bit rgb. `matrix`: 0 they are red, green, blue; else luma and chroma. */
static void pack_rgb(const struct footage_fit *fit, const AVFrame *frame, bool rgb, uint32_t *out)
{
    bool full = frame->color_range == AVCOL_RANGE_JPEG || frame->format == AV_PIX_FMT_YUVJ420P ||
                frame->format == AV_PIX_FMT_YUVJ422P || frame->format == AV_PIX_FMT_YUVJ444P;
    /* What a file does not say is taken as usual: BT.709 for videos of HD size, BT.601 else. */
    bool hd = frame->colorspace == AVCOL_SPC_BT709 ||
              (frame->colorspace == AVCOL_SPC_UNSPECIFIED && frame->height >= 720 && !full);
    float kr = hd ? 0.2126f : 0.299f, kb = hd ? 0.0722f : 0.114f, kg = 1 - kr - kb;
    float luma = 1023.0f / (full ? 255 : 219), chroma = 1023.0f / (full ? 255 : 224), zero = full ? 0 : 16;
    size_t n = (size_t)fit->width * (size_t)fit->height;
    for (size_t i = 0; i < n; i++) {
        float c[3];
        if (rgb) {
            for (int k = 0; k < 3; k++)
                c[k] = (float)fit->plane[k][i] * (1023 / 255.0f);
        } else {
            float y = ((float)fit->plane[0][i] - zero) * luma;
            float u = ((float)fit->plane[1][i] - 128) * chroma, v = ((float)fit->plane[2][i] - 128) * chroma;
            c[0] = y + 2 * (1 - kr) * v;
            c[2] = y + 2 * (1 - kb) * u;
            c[1] = (y - kr * c[0] - kb * c[2]) / kg;
        }
        uint32_t packed = 0;
        for (int k = 0; k < 3; k++) {
            float x = c[k] < 0 ? 0 : c[k] > 1023 ? 1023 : c[k];
            packed |= (uint32_t)(x + 0.5f) << (10 * k);
        }
        out[i] = packed;
    }
}

static bool read_channels(const AVFrame *frame, const AVPixFmtDescriptor *format, struct reader *channel)
{
    bool gray = format->nb_components < 3, palette = frame->format == AV_PIX_FMT_PAL8 && frame->data[1];
    if (format->flags & (AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_FLOAT) ||
        (format->flags & AV_PIX_FMT_FLAG_PAL && !palette))
        return false;
    for (int k = 0; k < 3; k++) {
        const AVComponentDescriptor *c = &format->comp[gray || palette ? 0 : k];
        bool half = k > 0 && !gray && !palette && !(format->flags & AV_PIX_FMT_FLAG_RGB);
        if (c->depth < 8 || !frame->data[c->plane])
            return false;
        channel[k] = (struct reader){
            .big = (format->flags & AV_PIX_FMT_FLAG_BE) != 0,
            /* native 32-bit ARGB: blue lies first on the machines that we run on */
            .palette = palette ? frame->data[1] + 2 - k : NULL,
            .data = frame->data[c->plane] + c->offset,
            .stride = frame->linesize[c->plane],
            .step = c->step,
            .shift = c->shift + c->depth - 8,
            .wide = c->depth > 8,
            .width = half ? AV_CEIL_RSHIFT(frame->width, format->log2_chroma_w) : frame->width,
            .height = half ? AV_CEIL_RSHIFT(frame->height, format->log2_chroma_h) : frame->height};
    }
    return true;
}

/* The reader of a picture's alpha. False when it has none. */
static bool read_alpha(const AVFrame *frame, const AVPixFmtDescriptor *format, struct reader *alpha)
{
    bool palette = frame->format == AV_PIX_FMT_PAL8;
    const AVComponentDescriptor *c = &format->comp[palette ? 0 : format->nb_components - 1];
    if (!palette && !(format->flags & AV_PIX_FMT_FLAG_ALPHA))
        return false;
    *alpha = (struct reader){.big = (format->flags & AV_PIX_FMT_FLAG_BE) != 0,
                             .palette = palette ? frame->data[1] + 3 : NULL,
                             .data = frame->data[c->plane] + c->offset,
                             .stride = frame->linesize[c->plane],
                             .step = c->step,
                             .shift = c->shift + c->depth - 8,
                             .wide = c->depth > 8,
                             .width = frame->width,
                             .height = frame->height};
    return frame->data[c->plane] && c->depth >= 8;
}

/* What is transparent shows the matte. */
static void lay_on_matte(const struct footage_fit *fit, const struct reader *alpha, uint32_t matte,
                         uint32_t *rgb)
{
    size_t n = (size_t)fit->width * (size_t)fit->height;
    scale_plane(alpha, fit->other, fit->width, fit->height, (float)fit->width / (float)fit->height);
    for (size_t i = 0; i < n; i++) {
        uint32_t packed = 0;
        for (int k = 0; k < 3; k++) {
            int behind = (int)(matte >> (16 - 8 * k) & 255) * 1023 / 255,
                own = (int)(rgb[i] >> (10 * k) & 1023);
            packed |= (uint32_t)(behind + (own - behind) * fit->other[i] / 255) << (10 * k);
        }
        rgb[i] = packed;
    }
}

bool cp_fit_frame(struct cp_footage *footage, const AVFrame *frame, struct footage_frame *to)
{
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get((enum AVPixelFormat)frame->format);
    struct footage_fit *fit = &footage->fit;
    struct reader channel[3], alpha;
    if (!format || frame->width < 1 || frame->height < 1 || !read_channels(frame, format, channel))
        return false;
    bool rgb = format->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL) || format->nb_components < 3;
    for (int k = 0; k < 3; k++) {
        turn(&channel[k], footage->orientation);
        scale_plane(&channel[k], fit->plane[k], fit->width, fit->height,
                    (float)fit->width / (float)fit->height);
        if (footage->blur_px > 0)
            blur_plane(fit->plane[k], fit->other, fit->width, fit->height, footage->blur_px);
    }
    pack_rgb(fit, frame, rgb, to->rgb);
    if (footage->matte && read_alpha(frame, format, &alpha)) {
        turn(&alpha, footage->orientation);
        lay_on_matte(fit, &alpha, footage->matte, to->rgb);
    }
    const int stride[3] = {fit->width, fit->width / 2, fit->width / 2};
    cp_render_convert(cp_render_best_kernels(), to->rgb, fit->width, to->plane, stride, fit->width,
                      fit->height);
    return true;
}
