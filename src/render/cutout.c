/*
 * A frame with alpha: the characters and cards without what is behind them. Coverage is that of the
 * visibility buffer's samples; from a pixel that mixes both, the background's known share is taken out again.
 */
#include "render/card.h"

#include <stdlib.h>
#include <string.h>

struct cp_cutout *cp_cutout_create(int width, int height)
{
    struct cp_cutout *cutout = calloc(1, sizeof *cutout);
    if (!cutout)
        return NULL;
    cutout->width = width;
    cutout->height = height;
    cutout->rgba = cp_render_alloc((size_t)width * (size_t)height * 4);
    if (!cutout->rgba) {
        cp_cutout_destroy(cutout);
        return NULL;
    }
    return cutout;
}

void cp_cutout_destroy(struct cp_cutout *cutout)
{
    if (!cutout)
        return;
    cp_render_free(cutout->rgba);
    free(cutout);
}

static uint8_t *row_of(const struct cp_cutout *cutout, int x, int y)
{
    return cutout->rgba + 4 * ((size_t)y * (size_t)cutout->width + (size_t)x);
}

void cp_cutout_clear_tile(struct cp_cutout *cutout, int x, int y, int width, int height)
{
    for (int j = 0; j < height; j++)
        memset(row_of(cutout, x, y + j), 0, (size_t)width * 4);
}

/* How many of a pixel's samples show a character; the order of samples is kernel_raster.c's. */
static int samples_of(const struct tile *tile, int samples, int x, int y)
{
    const int log2 = samples == 4 ? 1 : 2, block = (y >> log2) * (TILE >> log2) + (x >> log2);
    int in_block = samples == 4 ? (y & 1) * 2 + (x & 1) : (y & 3) * 4 + (x & 3), n = 0;
    const uint32_t *id = tile->id + block * 16 + in_block * samples;
    for (int i = 0; i < samples; i++)
        n += id[i] != 0;
    return n;
}

static void cut_pixel(uint32_t color, uint32_t behind, int drawn, int samples, uint8_t *rgba)
{
    if (!drawn) {
        memset(rgba, 0, 4);
        return;
    }
    for (int k = 0; k < 3; k++) {
        int mixed = (int)(color >> (10 * k) & 1023) * samples, back = (int)(behind >> (10 * k) & 1023);
        int own = (mixed - back * (samples - drawn)) / drawn;
        own = own < 0 ? 0 : own > 1023 ? 1023 : own;
        rgba[k] = (uint8_t)((own * 255 + 511) / 1023);
    }
    rgba[3] = (uint8_t)(drawn * 255 / samples);
}

void cp_cutout_tile(const struct cp_render *render, struct cp_cutout *cutout, int x, int y, int width,
                    int height)
{
    const struct tile *tile = render->tile;
    for (int j = 0; j < height; j++) {
        const uint32_t *behind = render->background + (size_t)(y + j) * (size_t)render->width + (size_t)x;
        uint8_t *to = row_of(cutout, x, y + j);
        for (int i = 0; i < width; i++)
            cut_pixel(tile->color[j * TILE + i], behind[i], samples_of(tile, render->samples, i, j),
                      render->samples, to + 4 * i);
    }
}

/* Lays one colour over straight alpha. */
static void lay_over(uint8_t *to, const float rgb[3], float alpha)
{
    float below = (float)to[3] / 255 * (1 - alpha), sum = alpha + below;
    if (!(sum > 0))
        return;
    for (int k = 0; k < 3; k++) {
        float c = (rgb[k] * alpha + (float)to[k] * below) / sum;
        to[k] = (uint8_t)(c < 0 ? 0 : c > 255 ? 255 : c + 0.5f);
    }
    to[3] = (uint8_t)(sum * 255 + 0.5f);
}

void cp_overlay_cut_out(const struct overlay *o, int shift, int strength, struct cp_cutout *cutout)
{
    int x0 = o->x + (shift & ~1);
    for (int y = 0; y < o->height; y++)
        for (int x = 0; x < o->width; x++) {
            int px = x0 + x, py = o->y + y, half = y / 2 * (o->width / 2) + x / 2;
            if (px < 0 || py < 0 || px >= cutout->width || py >= cutout->height)
                continue;
            /* ITU-R BT.709-6, limited range */
            float l = (float)(o->luma[y * o->width + x] - 16) * (255 / 219.0f);
            float u = (float)(o->chroma[0][half] - 128) * (255 / 224.0f);
            float v = (float)(o->chroma[1][half] - 128) * (255 / 224.0f);
            const float rgb[3] = {l + 1.5748f * v, l - 0.1873f * u - 0.4681f * v, l + 1.8556f * u};
            lay_over(row_of(cutout, px, py), rgb,
                     (float)(o->alpha[y * o->width + x] * strength) / (255 * 256));
        }
}
