#include "vec.h"

#include <stdint.h>

vec3 curve_at(const vec3 *points, int n, float t)
{
    t = clampf(t, 0, 0.99999f) * (float)(n - 1);
    int i = (int)t;
    t -= (float)i;
    vec3 p0 = points[i > 0 ? i - 1 : 0], p1 = points[i], p2 = points[i + 1],
         p3 = points[i + 2 < n ? i + 2 : n - 1];
    vec3 linear = sub(p2, p0);
    vec3 quadratic = add(sub(scale(p0, 2), scale(p1, 5)), sub(scale(p2, 4), p3));
    vec3 cubic = add(sub(scale(p1, 3), p0), sub(p3, scale(p2, 3)));
    vec3 twice = along(along(along(scale(p1, 2), linear, t), quadratic, t * t), cubic, t * t * t);
    return scale(twice, 0.5f);
}

float table_at(const float (*rows)[2], int n, float x)
{
    if (x <= rows[0][0])
        return rows[0][1];
    for (int i = 0; i + 1 < n; i++)
        if (x < rows[i + 1][0])
            return blend(rows[i][1], rows[i + 1][1], (x - rows[i][0]) / (rows[i + 1][0] - rows[i][0]));
    return rows[n - 1][1];
}

static float lattice(int x, int y, int z)
{
    uint32_t h = (uint32_t)x * 374761393u + (uint32_t)y * 668265263u + (uint32_t)z * 2147483647u;
    h = (h ^ (h >> 13)) * 1274126177u;
    h ^= h >> 16;
    return (float)(h & 0xffffff) / 16777215.0f;
}

float noise3(vec3 p)
{
    int x = (int)floorf(p.x), y = (int)floorf(p.y), z = (int)floorf(p.z);
    float fx = ease(0, 1, p.x - (float)x), fy = ease(0, 1, p.y - (float)y), fz = ease(0, 1, p.z - (float)z);
    float plane[2];
    for (int k = 0; k < 2; k++) {
        float near = blend(lattice(x, y, z + k), lattice(x + 1, y, z + k), fx);
        float far = blend(lattice(x, y + 1, z + k), lattice(x + 1, y + 1, z + k), fx);
        plane[k] = blend(near, far, fy);
    }
    return blend(plane[0], plane[1], fz);
}

float random_unit(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u; /* Numerical Recipes' LCG */
    return (float)(*seed >> 8) / 16777216.0f;
}

float random_signed(unsigned *seed)
{
    return random_unit(seed) * 2 - 1;
}

vec3 linear_color(unsigned srgb)
{
    float out[3];
    for (int i = 0; i < 3; i++) {
        float x = (float)(srgb >> (16 - 8 * i) & 255) / 255.0f;
        out[i] = x <= 0.04045f ? x / 12.92f : powf((x + 0.055f) / 1.055f, 2.4f); /* IEC 61966-2-1 */
    }
    return v3(out[0], out[1], out[2]);
}
