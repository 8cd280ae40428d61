/* A card's canvas as I420 with alpha, and its blending into frames. */
#include "render/card.h"

#include <stdlib.h>
#include <string.h>

/* ITU-R BT.709-6, limited range, of premultiplied rgb and its alpha (0..255): what remains is not
 * premultiplied. */
static void to_yuv(const float rgb[3], float alpha, float yuv[3])
{
    float c[3] = {0, 0, 0};
    for (int k = 0; k < 3 && alpha > 0; k++)
        c[k] = rgb[k] / alpha; /* 0..1 */
    float y = 0.2126f * c[0] + 0.7152f * c[1] + 0.0722f * c[2];
    yuv[0] = 16 + 219 * y;
    yuv[1] = 128 + 224 * (c[2] - y) / 1.8556f;
    yuv[2] = 128 + 224 * (c[0] - y) / 1.5748f;
}

static uint8_t to_byte(float x)
{
    return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x + 0.5f);
}

static void convert(const struct canvas *canvas, struct overlay *o)
{
    for (int y = 0; y < o->height; y++)
        for (int x = 0; x < o->width; x++) {
            const uint8_t *p = canvas->rgba + 4 * ((size_t)y * (size_t)canvas->width + (size_t)x);
            const float rgb[3] = {p[0], p[1], p[2]};
            float yuv[3];
            to_yuv(rgb, p[3], yuv);
            o->luma[y * o->width + x] = to_byte(yuv[0]);
            o->alpha[y * o->width + x] = p[3];
        }
    for (int y = 0; y < o->height / 2; y++)
        for (int x = 0; x < o->width / 2; x++) {
            float sum[4] = {0}, yuv[3];
            for (int i = 0; i < 4; i++) {
                int px = 2 * x + (i & 1), py = 2 * y + (i >> 1);
                const uint8_t *p = canvas->rgba + 4 * ((size_t)py * (size_t)canvas->width + (size_t)px);
                for (int k = 0; k < 4; k++)
                    sum[k] += p[k];
            }
            to_yuv(sum, sum[3], yuv);
            o->chroma[0][y * o->width / 2 + x] = to_byte(yuv[1]);
            o->chroma[1][y * o->width / 2 + x] = to_byte(yuv[2]);
            o->chroma_alpha[y * o->width / 2 + x] = to_byte(sum[3] / 4);
        }
}

static void find_opaque(const uint8_t *alpha, int width, int height, uint16_t (*span)[2])
{
    for (int y = 0; y < height; y++) {
        const uint8_t *row = alpha + y * width;
        for (int x = 0, run = 0; x < width; x++) {
            run = row[x] == 255 ? run + 1 : 0;
            if (run > span[y][1] - span[y][0]) {
                span[y][0] = (uint16_t)(x + 1 - run);
                span[y][1] = (uint16_t)(x + 1);
            }
        }
    }
}

bool cp_overlay_create(const struct canvas *canvas, int x, int y, struct overlay *ret_overlay)
{
    struct overlay *o = ret_overlay;
    *o = (struct overlay){
        .x = x & ~1, .y = y & ~1, .width = canvas->width & ~1, .height = canvas->height & ~1};
    size_t pixels = (size_t)o->width * (size_t)o->height;
    o->luma = cp_render_alloc(pixels);
    o->alpha = cp_render_alloc(pixels);
    o->chroma[0] = cp_render_alloc(pixels / 4);
    o->chroma[1] = cp_render_alloc(pixels / 4);
    o->chroma_alpha = cp_render_alloc(pixels / 4);
    o->opaque = calloc((size_t)o->height + 1, sizeof *o->opaque);
    o->chroma_opaque = calloc((size_t)o->height + 1, sizeof *o->chroma_opaque);
    if (!o->luma || !o->alpha || !o->chroma[0] || !o->chroma[1] || !o->chroma_alpha || !o->opaque ||
        !o->chroma_opaque) {
        cp_overlay_clear(o);
        return false;
    }
    convert(canvas, o);
    find_opaque(o->alpha, o->width, o->height, o->opaque);
    find_opaque(o->chroma_alpha, o->width / 2, o->height / 2, o->chroma_opaque);
    return true;
}

void cp_overlay_clear(struct overlay *o)
{
    cp_render_free(o->luma);
    cp_render_free(o->alpha);
    cp_render_free(o->chroma[0]);
    cp_render_free(o->chroma[1]);
    cp_render_free(o->chroma_alpha);
    free(o->opaque);
    free(o->chroma_opaque);
    memset(o, 0, sizeof *o);
}

/* Columns [first, last) of a row. */
static void mix_row(uint8_t *to, const uint8_t *from, const uint8_t *alpha, int first, int last, int strength)
{
    for (int x = first; x < last; x++) {
        int a = alpha[x] * strength; /* 0 .. 255 * 256 */
        to[x] = (uint8_t)(to[x] + (((from[x] - to[x]) * a + 32640) >> 16));
    }
}

struct plane {
    uint8_t *to;
    int stride, width, height; /* of the picture */
    const uint8_t *from, *alpha;
    const uint16_t (*opaque)[2];
    int from_stride, from_height;
};

static void blend_plane(const struct plane *p, int x0, int y0, int strength)
{
    int first = x0 < 0 ? -x0 : 0, last = p->width - x0 < p->from_stride ? p->width - x0 : p->from_stride;
    for (int y = y0 < 0 ? -y0 : 0; y < p->from_height && y0 + y < p->height && first < last; y++) {
        uint8_t *to = p->to + (y0 + y) * p->stride + x0;
        const uint8_t *from = p->from + y * p->from_stride, *alpha = p->alpha + y * p->from_stride;
        int a = p->opaque[y][0], b = p->opaque[y][1];
        a = a < first ? first : a > last ? last : a;
        b = b > last ? last : b;
        if (strength < 256 || b <= a) {
            mix_row(to, from, alpha, first, last, strength);
            continue;
        }
        mix_row(to, from, alpha, first, a, strength);
        memcpy(to + a, from + a, (size_t)(b - a));
        mix_row(to, from, alpha, b, last, strength);
    }
}

void cp_overlay_blend(const struct overlay *o, int shift, int strength, struct cp_picture *picture)
{
    int x = o->x + (shift & ~1);
    for (int p = 0; p < 3; p++) {
        int half = p > 0;
        const struct plane plane = {.to = picture->plane[p],
                                    .stride = picture->stride[p],
                                    .width = picture->width >> half,
                                    .height = picture->height >> half,
                                    .from = p ? o->chroma[p - 1] : o->luma,
                                    .alpha = p ? o->chroma_alpha : o->alpha,
                                    .opaque = (const uint16_t(*)[2])(p ? o->chroma_opaque : o->opaque),
                                    .from_stride = o->width >> half,
                                    .from_height = o->height >> half};
        blend_plane(&plane, x >> half, o->y >> half, strength);
    }
}
