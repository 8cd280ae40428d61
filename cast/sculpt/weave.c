#include "weave.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIDE_MAX = 128 };

/* u and v run over the tile, 0..1. Returns sRGB grey, 0..1. */
typedef float weave_function(float u, float v);

static float wave(float x) /* 0..1, once for each whole number */
{
    return 0.5f + 0.5f * cosf(6.2831853f * x);
}
static float fibre(float u, float v)
{
    return noise3(v3(u * 40, v * 40, 3));
}

static float twill(float u, float v)
{
    return 0.80f + 0.15f * wave(6 * (u + v)) + 0.05f * wave(12 * u) * wave(6 * v);
}
/* Four bands, the diagonals turn from one to the next. */
static float herringbone(float u, float v)
{
    float band = u * 4, within = band - floorf(band), turn = (int)band % 2 ? within : 1 - within;
    float edge = expf(-square((0.5f - fabsf(within - 0.5f)) / 0.05f));
    return 0.74f + 0.20f * wave(2 * turn + 10 * v) + 0.06f * wave(20 * v) - 0.10f * edge;
}
static float poplin(float u, float v)
{
    return 0.92f + 0.08f * wave(8 * u) * wave(8 * v) - 0.05f * fibre(u, v);
}
/* Two columns of stitches by three rows; each stitch is a V of two legs. */
static float knit(float u, float v)
{
    float column = u * 2, x = column - floorf(column) - 0.5f, y = v * 3 + 0.85f * fabsf(x);
    float leg = wave(y + 0.5f), groove = expf(-square(x / 0.08f)) + expf(-square((0.5f - fabsf(x)) / 0.11f));
    return clampf(0.88f + 0.07f * leg - 0.22f * groove, 0, 1);
}
static float rib(float u, float v)
{
    float x = u * 2 - floorf(u * 2) - 0.5f;
    return 0.68f + 0.28f * wave(x) + 0.04f * wave(6 * v);
}
static float stripe(float u, float v)
{
    float at = u + v, band = at - floorf(at), thin = expf(-powf(fabsf(band - 0.5f) / 0.17f, 6));
    return (0.80f + 0.08f * wave(16 * (u - v))) * (1 - 0.42f * thin) + 0.08f;
}
/* The seam in the middle, a row of stitches beside it. */
static float seam(float u, float v)
{
    float line = expf(-square((u - 0.45f) / 0.07f)), along = v * 2 - floorf(v * 2);
    float stitch = expf(-square((u - 0.78f) / 0.06f)) * (along < 0.62f ? 1 : -0.5f);
    return clampf(0.86f - 0.50f * line + 0.14f * stitch, 0, 1);
}

static const struct {
    weave_function *at;
    float tile_cm;
    int side;
} weaves[WEAVE_COUNT] = {
    [WEAVE_TWILL] = {twill, 0.9f, 64},   [WEAVE_HERRINGBONE] = {herringbone, 3.6f, 128},
    [WEAVE_POPLIN] = {poplin, 0.8f, 64}, [WEAVE_KNIT] = {knit, 0.9f, 64},
    [WEAVE_RIB] = {rib, 0.9f, 64},       [WEAVE_STRIPE] = {stripe, 3.2f, 128},
    [WEAVE_SEAM] = {seam, 0.6f, 64},
};

float weave_tile_cm(enum weave weave)
{
    return weaves[weave].at ? weaves[weave].tile_cm : 1;
}

static float linear(float srgb)
{
    return srgb <= 0.04045f ? srgb / 12.92f : powf((srgb + 0.055f) / 1.055f, 2.4f);
}

static float grey_at(enum weave weave, int x, int y)
{
    float side = (float)weaves[weave].side;
    return weaves[weave].at(((float)x + 0.5f) / side, ((float)y + 0.5f) / side);
}

float weave_mean(enum weave weave)
{
    int side = weaves[weave].side;
    float sum = 0;
    if (!weaves[weave].at)
        return 1;
    for (int i = 0; i < side * side; i++)
        sum += linear(grey_at(weave, i % side, i / side));
    return sum / (float)(side * side);
}

void weave_png(enum weave weave, struct bytes *out)
{
    uint8_t pixels[SIDE_MAX * SIDE_MAX];
    int side = weaves[weave].side;
    for (int i = 0; i < side * side; i++)
        pixels[i] = (uint8_t)(clampf(grey_at(weave, i % side, i / side), 0, 1) * 255 + 0.5f);
    write_png(out, pixels, side, side, 1);
}

void write_png(struct bytes *out, const uint8_t *pixels, int width, int height, int channels)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)width,
                       .height = (png_uint_32)height,
                       .format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB};
    png_alloc_size_t n = PNG_IMAGE_PNG_SIZE_MAX(image);
    uint8_t *file = malloc(n);
    if (!file || !png_image_write_to_memory(&image, file, &n, 0, pixels, 0, NULL)) {
        fprintf(stderr, "sculpt: cannot write a picture: %s\n", image.message);
        exit(1);
    }
    bytes_add(out, file, n);
    free(file);
}
