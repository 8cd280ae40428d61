/* What a lens makes of a room that stands behind its focus: discs of light, a glow round what is bright; then
 * the film: linear light to display values. Used while a set is being made. */
#include "render/render_int.h"
#include "render/scenery.h"

#include <math.h>
#include <string.h>

enum { MARGIN = 6, BLOOM_STEP = 4, MAX_TAPS = 81 };
#define BLOOM 0.055f
/* The film knows light from 2^-14 to 2^4 in steps of a thousandth: the bits of a float from its exponent on.
 */
enum { FILM_SHIFT = 13, FILM_FIRST = (127 - 14) << 23, FILM_STEPS = 18 << (23 - FILM_SHIFT) };

typedef float v4 __attribute__((vector_size(16)));
typedef int v4i __attribute__((vector_size(16)));

struct taps { /* a blur: weighted pixels round a pixel */
    int offset[MAX_TAPS], n;
    float weight[MAX_TAPS];
};

static int clamp_int(int x, int low, int high)
{
    return x < low ? low : x > high ? high : x;
}

/* The picture with MARGIN pixels repeated all round, so that taps need no bounds. */
static v4 *with_margin(const v4 *from, int width, int height)
{
    int stride = width + 2 * MARGIN;
    v4 *out = cp_render_alloc((size_t)stride * (size_t)(height + 2 * MARGIN) * sizeof *out);
    for (int y = -MARGIN; out && y < height + MARGIN; y++) {
        const v4 *row = from + (size_t)clamp_int(y, 0, height - 1) * (size_t)width;
        v4 *to = out + (size_t)(y + MARGIN) * (size_t)stride;
        for (int x = -MARGIN; x < width + MARGIN; x++)
            to[x + MARGIN] = row[clamp_int(x, 0, width - 1)];
    }
    return out;
}

/* Boxes 7 wide, twice each way; the result is in `small`. */
static void blur_small(v4 *small, v4 *other, int w, int h)
{
    for (int pass = 0; pass < 4; pass++) {
        const v4 *from = pass % 2 ? other : small;
        v4 *to = pass % 2 ? small : other;
        bool down = pass >= 2;
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                v4 sum = {0};
                for (int i = -3; i <= 3; i++)
                    sum += down ? from[clamp_int(y + i, 0, h - 1) * w + x]
                                : from[y * w + clamp_int(x + i, 0, w - 1)];
                to[y * w + x] = sum * (1 / 7.0f);
            }
    }
}

/* A glow of everything, a few degrees wide: from a small picture, blurred and laid over. */
static bool add_bloom(v4 *picture, int width, int height)
{
    int w = width / BLOOM_STEP, h = height / BLOOM_STEP;
    v4 *small = cp_render_alloc((size_t)w * (size_t)h * sizeof *small),
       *other = cp_render_alloc((size_t)w * (size_t)h * sizeof *small);
    bool made = small && other;
    for (int y = 0; made && y < h; y++)
        for (int x = 0; x < w; x++) {
            v4 sum = {0};
            for (int j = 0; j < BLOOM_STEP; j++)
                for (int i = 0; i < BLOOM_STEP; i++)
                    sum +=
                        picture[(size_t)(y * BLOOM_STEP + j) * (size_t)width + (size_t)(x * BLOOM_STEP + i)];
            small[y * w + x] = sum * (1.0f / (BLOOM_STEP * BLOOM_STEP));
        }
    if (made)
        blur_small(small, other, w, h);
    for (int y = 0; made && y < height; y++) {
        float fy = ((float)y + 0.5f) / BLOOM_STEP - 0.5f;
        int y0 = clamp_int((int)floorf(fy), 0, h - 2);
        float ty = fminf(fmaxf(fy - (float)y0, 0), 1);
        for (int x = 0; x < width; x++) {
            float fx = ((float)x + 0.5f) / BLOOM_STEP - 0.5f;
            int x0 = clamp_int((int)floorf(fx), 0, w - 2);
            float tx = fminf(fmaxf(fx - (float)x0, 0), 1);
            const v4 *s = small + y0 * w + x0;
            v4 top = s[0] + (s[1] - s[0]) * tx, low = s[w] + (s[w + 1] - s[w]) * tx;
            v4 *to = picture + (size_t)y * (size_t)width + (size_t)x;
            *to = *to * (1 - BLOOM) + (top + (low - top) * ty) * BLOOM;
        }
    }
    cp_render_free(small);
    cp_render_free(other);
    return made;
}

/*
 * A pixel becomes a disc with a soft edge, of a radius in pixels of the result. When that is enlarged, its
 * pixels lie between those of the light: (px, py) says which one of four, and the disc's weights are shared
 * out to the pixels that it would have been mixed from.
 */
static void find_taps(float radius, int enlarge, int px, int py, int stride, struct taps *taps)
{
    enum { SIDE = 2 * MARGIN + 1 };
    float weight[SIDE][SIDE] = {{0}}, sum = 0;
    int reach = (int)ceilf(radius);
    for (int dy = -reach; dy <= reach; dy++)
        for (int dx = -reach; dx <= reach; dx++) {
            float w = fminf(fmaxf(radius + 0.5f - sqrtf((float)(dx * dx + dy * dy)), 0), 1);
            float x = ((float)(px + dx) + 0.5f) / (float)enlarge - 0.5f,
                  y = ((float)(py + dy) + 0.5f) / (float)enlarge - 0.5f;
            float fx = floorf(x), fy = floorf(y), tx = x - fx, ty = y - fy;
            float *at = &weight[(int)fy + MARGIN][(int)fx + MARGIN];
            at[0] += w * (1 - tx) * (1 - ty);
            at[1] += w * tx * (1 - ty);
            at[SIDE] += w * (1 - tx) * ty;
            at[SIDE + 1] += w * tx * ty;
        }
    taps->n = 0;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            if (weight[y][x] > 1e-3f && taps->n < MAX_TAPS) {
                taps->offset[taps->n] = (y - MARGIN) * stride + x - MARGIN;
                taps->weight[taps->n++] = weight[y][x];
                sum += weight[y][x];
            }
    for (int i = 0; i < taps->n; i++)
        taps->weight[i] /= sum;
}

/* Display values, 0..1023, of light: extended Reinhard, white at 3, then the sRGB curve. */
static void fill_film(uint16_t *film)
{
    for (int i = 0; i < FILM_STEPS; i++) {
        int bits = FILM_FIRST + (i << FILM_SHIFT) + (1 << (FILM_SHIFT - 1));
        float x;
        memcpy(&x, &bits, sizeof x);
        x = x * (1 + x / 9) / (1 + x);
        float y = x <= 0.0031308f ? x * 12.92f : 1.055f * powf(x, 1 / 2.4f) - 0.055f;
        film[i] = (uint16_t)lrintf(fminf(y, 1) * 1023);
    }
}

static inline uint32_t develop(v4 light, const uint16_t *film)
{
    /* Positive floats are in the order of their bits. */
    v4i step = ((v4i)light - FILM_FIRST) >> FILM_SHIFT, in = step > 0;
    step &= in;
    in = step < FILM_STEPS - 1;
    step = (step & in) | (~in & (FILM_STEPS - 1));
    return (uint32_t)film[step[0]] | (uint32_t)film[step[1]] << 10 | (uint32_t)film[step[2]] << 20;
}

/* One row of the light -> every enlarge-th pixel of a row of the result. Four at a time, so that their sums
 * do not wait for each other. */
static void expose_row(const v4 *at, int width, const struct taps *taps, const uint16_t *film, int enlarge,
                       uint32_t *out)
{
    for (int x = 0; x < width; x += 4) {
        v4 c[4] = {{0}, {0}, {0}, {0}};
        for (int i = 0; i < taps->n; i++) {
            const v4 *from = at + x + taps->offset[i];
            float w = taps->weight[i];
            c[0] += from[0] * w;
            c[1] += from[1] * w;
            c[2] += from[2] * w;
            c[3] += from[3] * w;
        }
        for (int i = 0; i < 4; i++)
            out[enlarge * (x + i)] = develop(c[i], film);
    }
}

bool cp_lens_expose(float *light, int width, int height, const float gain[3],
                    const struct exposure *exposures, int n)
{
    uint16_t film[FILM_STEPS];
    v4 *picture = (v4 *)light;
    const v4 by = {gain[0], gain[1], gain[2], 0};
    for (size_t i = 0; i < (size_t)width * (size_t)height; i++)
        picture[i] *= by;
    v4 *padded = add_bloom(picture, width, height) ? with_margin(picture, width, height) : NULL;
    fill_film(film);
    for (int i = 0; padded && i < n; i++) {
        const struct exposure *e = &exposures[i];
        int stride = width + 2 * MARGIN, phases = e->enlarge * e->enlarge;
        struct taps taps[4];
        for (int p = 0; p < phases; p++)
            find_taps(e->radius, e->enlarge, p % 2, p / 2, stride, &taps[p]);
        for (int y = 0; y < height * e->enlarge; y++)
            for (int px = 0; px < e->enlarge; px++)
                expose_row(padded + (y / e->enlarge + MARGIN) * stride + MARGIN, width,
                           &taps[px + 2 * (y % e->enlarge)], film, e->enlarge,
                           e->out + (size_t)y * (size_t)(width * e->enlarge) + px);
    }
    cp_render_free(padded);
    return padded != NULL;
}
