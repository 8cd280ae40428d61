#include "source.h"

#include <math.h>

static uint32_t grain(uint32_t x, uint32_t y)
{
    uint32_t h = x * 374761393U + y * 668265263U;
    h = (h ^ (h >> 13)) * 1274126177U;
    return h ^ (h >> 16);
}

void paint(struct cp_picture *picture, int64_t frame)
{
    const int width = picture->width, height = picture->height;
    const double angle = (double)frame * 0.05;
    const int cx = (int)(width * (0.5 + 0.25 * sin(angle))),
              cy = (int)(height * (0.5 + 0.2 * cos(angle * 0.7)));
    const int radius = height / 4;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int dx = x - cx, dy = y - cy;
            int inside = dx * dx + dy * dy < radius * radius;
            int light = inside ? 90 + (dx - dy) * 60 / radius : 50 + 120 * x / width;
            picture->plane[0][y * picture->stride[0] + x] =
                (uint8_t)(light + (int)(grain((uint32_t)(inside ? dx : x), (uint32_t)(inside ? dy : y)) % 9));
        }
    for (int y = 0; y < height / 2; y++)
        for (int x = 0; x < width / 2; x++) {
            int dx = 2 * x - cx, dy = 2 * y - cy;
            int inside = dx * dx + dy * dy < radius * radius;
            picture->plane[1][y * picture->stride[1] + x] = (uint8_t)(inside ? 110 : 140);
            picture->plane[2][y * picture->stride[2] + x] = (uint8_t)(inside ? 160 : 120);
        }
    picture->frame = frame;
}

int16_t sweep(int64_t at_samples)
{
    double t = (double)(at_samples % CP_SAMPLE_HZ) / CP_SAMPLE_HZ;
    double phase = 2 * M_PI * (200 * t + 0.5 * 5800 * t * t);
    return (int16_t)(sin(phase) * 12000 * (0.6 + 0.4 * sin(2 * M_PI * 3 * t)));
}
