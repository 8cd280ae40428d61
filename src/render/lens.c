/* What a lens makes of a room that stands behind its focus: discs of light, a glow round what is bright; then
 * the film: linear light to display values. Used while a set is being made. */
#include "render/render_int.h"
#include "render/scenery.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MARGIN = 10, BLOOM_STEP = 8, FILM_STEPS = 4096 };
#define FILM_WHITE 16.0f /* brightest that the film table knows */
#define BLOOM      0.055f

typedef float v4 __attribute__((vector_size(16)));

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
    for (int pass = 0; made && pass < 4; pass++) { /* boxes 5 wide, twice each way */
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

/* Every pixel becomes a disc of the radius: all taps of a small disc, or a spiral of them in a wide one,
 * which is laid over a picture that is already a little soft. */
static void blur_disc(const v4 *padded, int width, int height, float radius, v4 *out)
{
    enum { MAX_TAPS = 64 };
    int offset[MAX_TAPS], n = 0, stride = width + 2 * MARGIN, reach = (int)ceilf(radius);
    float weight[MAX_TAPS], sum = 0;
    if (radius <= 3.6f) {
        for (int y = -reach; y <= reach; y++)
            for (int x = -reach; x <= reach; x++) {
                float w = radius + 0.5f - sqrtf((float)(x * x + y * y));
                if (w <= 0 || n == MAX_TAPS)
                    continue;
                offset[n] = y * stride + x;
                weight[n] = w < 1 ? w : 1;
                sum += weight[n++];
            }
    } else {
        for (; n < 44; n++) {
            float r = radius * sqrtf(((float)n + 0.5f) / 44), a = 2.399963f * (float)n; /* the golden angle */
            offset[n] = (int)lrintf(r * sinf(a)) * stride + (int)lrintf(r * cosf(a));
            weight[n] = 1;
            sum += 1;
        }
    }
    for (int i = 0; i < n; i++)
        weight[i] /= sum;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const v4 *at = padded + (size_t)(y + MARGIN) * (size_t)stride + (size_t)(x + MARGIN);
            v4 c = {0};
            for (int i = 0; i < n; i++)
                c += at[offset[i]] * weight[i];
            out[(size_t)y * (size_t)width + (size_t)x] = c;
        }
}

/* Display value, 0..1023, of the square root of light: extended Reinhard, white at 3, then the sRGB curve. */
static void fill_film(uint16_t *film)
{
    for (int i = 0; i < FILM_STEPS; i++) {
        float root = (float)i / (FILM_STEPS - 1), x = root * root * FILM_WHITE;
        x = x * (1 + x / 9) / (1 + x);
        float y = x <= 0.0031308f ? x * 12.92f : 1.055f * powf(x, 1 / 2.4f) - 0.055f;
        film[i] = (uint16_t)lrintf(fminf(y, 1) * 1023);
    }
}

static void develop(const v4 *light, size_t n, const float gain[3], const uint16_t *film, uint32_t *out)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t packed = 0;
        for (int k = 0; k < 3; k++) {
            float x = sqrtf(fmaxf(light[i][k] * gain[k], 0) * (1 / FILM_WHITE)) * (FILM_STEPS - 1);
            packed |= (uint32_t)film[x < FILM_STEPS - 1 ? (int)(x + 0.5f) : FILM_STEPS - 1] << (10 * k);
        }
        out[i] = packed;
    }
}

bool cp_lens_expose(float *light, int width, int height, const float *radius, const float gain[3],
                    int n_levels, uint32_t *const *level)
{
    size_t pixels = (size_t)width * (size_t)height;
    uint16_t film[FILM_STEPS];
    v4 *out = cp_render_alloc(pixels * sizeof *out);
    bool made = out && add_bloom((v4 *)light, width, height);
    fill_film(film);
    const v4 *from = (const v4 *)light;
    for (int i = 0; made && i < n_levels; i++) {
        v4 *padded = with_margin(from, width, height);
        if ((made = padded)) {
            blur_disc(padded, width, height, radius[i], out);
            develop(out, pixels, gain, film, level[i]);
        }
        if (i == 0 && n_levels > 1) /* what comes after starts from the softened picture */
            memcpy(light, out, pixels * sizeof *out);
        cp_render_free(padded);
    }
    cp_render_free(out);
    return made;
}
