/* Base colour textures with their mip levels, averaged in linear light. */
#include "render/render_int.h"

#include <math.h>

static float decode(uint32_t byte)
{
    float x = (float)byte / 255;
    return x <= 0.04045f ? x / 12.92f : powf((x + 0.055f) / 1.055f, 2.4f); /* IEC 61966-2-1 */
}

static uint32_t encode(float x)
{
    float y = x <= 0.0031308f ? x * 12.92f : 1.055f * powf(x, 1 / 2.4f) - 0.055f;
    return (uint32_t)lrintf(fminf(fmaxf(y, 0), 1) * 255);
}

static uint32_t average(const uint32_t *from, int width, int height, int x, int y, const float *linear)
{
    int x1 = x + 1 < width ? x + 1 : x, y1 = y + 1 < height ? y + 1 : y;
    const uint32_t texel[4] = {from[y * width + x], from[y * width + x1], from[y1 * width + x],
                               from[y1 * width + x1]};
    float sum[3] = {0};
    uint32_t alpha = 0;
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 3; k++)
            sum[k] += linear[texel[i] >> (8 * k) & 255] / 4;
        alpha += texel[i] >> 24;
    }
    return encode(sum[0]) | encode(sum[1]) << 8 | encode(sum[2]) << 16 | (alpha + 2) / 4 << 24;
}

int cp_texture_create(const struct cp_texture *source, struct texture *ret_texture)
{
    struct texture *texture = ret_texture;
    float linear[256];
    for (uint32_t i = 0; i < 256; i++)
        linear[i] = decode(i);
    int width = source->width, height = source->height;
    if (!source->rgba || width < 1 || height < 1)
        return 0; /* no levels: drawn as if untextured */
    for (int level = 0; level < MAX_MIPS; level++) {
        uint32_t *texels = cp_render_alloc((size_t)width * (size_t)height * sizeof *texels);
        if (!texels)
            return CP_ERR_NOMEM;
        if (level == 0) {
            for (size_t i = 0; i < (size_t)width * (size_t)height; i++) {
                const uint8_t *p = source->rgba + 4 * i;
                texels[i] = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
            }
        } else {
            const uint32_t *from = texture->texels[level - 1];
            int w = texture->width[level - 1], h = texture->height[level - 1];
            for (int y = 0; y < height; y++)
                for (int x = 0; x < width; x++)
                    texels[y * width + x] =
                        average(from, w, h, 2 * x < w ? 2 * x : w - 1, 2 * y < h ? 2 * y : h - 1, linear);
        }
        texture->texels[level] = texels;
        texture->width[level] = width;
        texture->height[level] = height;
        texture->levels = level + 1;
        if (width == 1 && height == 1)
            break;
        width = width > 1 ? width / 2 : 1;
        height = height > 1 ? height / 2 : 1;
    }
    return 0;
}
