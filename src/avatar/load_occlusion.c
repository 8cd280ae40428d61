/*
 * Ambient occlusion of foreign models. glTF lets it dim ambient light only (section 3.9.3); here it is baked
 * into the base colour, where it dims all light, so a part of it only is taken: most of a presenter's light
 * is soft. Costs nothing when drawn.
 */
#include "avatar/load.h"

#include <math.h>

#define SHARE 0.7f

/* sRGB of 8 bits (IEC 61966-2-1). */
static float to_linear(uint8_t value)
{
    float x = (float)value / 255;
    return x <= 0.04045f ? x / 12.92f : powf((x + 0.055f) / 1.055f, 2.4f);
}

static uint8_t to_srgb(float x)
{
    float y = x <= 0.0031308f ? 12.92f * x : 1.055f * powf(x, 1 / 2.4f) - 0.055f;
    return (uint8_t)lroundf(255 * fminf(fmaxf(y, 0), 1));
}

/* What a byte becomes at each of 256 degrees of openness. */
static void fill_table(float share, uint8_t (*table)[256])
{
    float linear[256];
    for (int v = 0; v < 256; v++)
        linear[v] = to_linear((uint8_t)v);
    for (int open = 0; open < 256; open++)
        for (int v = 0; v < 256; v++)
            table[open][v] = to_srgb(linear[v] * (1 + share * ((float)open / 255 - 1)));
}

/* The red channel between its four nearest texels (section 3.9.3 says red). */
static int openness(const struct cp_texture *t, float u, float v)
{
    float x = fminf(fmaxf(u * (float)t->width - 0.5f, 0), (float)(t->width - 1)),
          y = fminf(fmaxf(v * (float)t->height - 0.5f, 0), (float)(t->height - 1));
    int x0 = (int)x, y0 = (int)y, x1 = x0 + 1 < t->width ? x0 + 1 : x0, y1 = y0 + 1 < t->height ? y0 + 1 : y0;
    float part = x - (float)x0, down = y - (float)y0;
    const uint8_t *top = t->rgba + 4 * (size_t)y0 * (size_t)t->width,
                  *low = t->rgba + 4 * (size_t)y1 * (size_t)t->width;
    float above = (float)top[4 * x0] + part * (float)(top[4 * x1] - top[4 * x0]),
          below = (float)low[4 * x0] + part * (float)(low[4 * x1] - low[4 * x0]);
    return (int)(above + down * (below - above) + 0.5f);
}

void load_bake_occlusion(struct cp_texture *base, const struct cp_texture *occlusion, float strength)
{
    uint8_t table[256][256];
    fill_table(SHARE * strength, table);
    for (int y = 0; y < base->height; y++)
        for (int x = 0; x < base->width; x++) {
            int open = openness(occlusion, ((float)x + 0.5f) / (float)base->width,
                                ((float)y + 0.5f) / (float)base->height);
            uint8_t *texel = base->rgba + 4 * ((size_t)y * (size_t)base->width + (size_t)x);
            for (int k = 0; k < 3; k++)
                texel[k] = table[open][texel[k]];
        }
}
