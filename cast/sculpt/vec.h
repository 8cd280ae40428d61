/*
 * Vector maths for sculpting. Lengths are centimetres; the character's eyes are at y = 0, she looks along +z
 * and her left is +x. The glTF writer turns this into metres above the floor.
 */
#ifndef CAST_VEC_H
#define CAST_VEC_H

#include <math.h>

struct vec3 {
    float x, y, z;
};
typedef struct vec3 vec3;

static inline vec3 v3(float x, float y, float z)
{
    return (vec3){x, y, z};
}
static inline vec3 add(vec3 a, vec3 b)
{
    return v3(a.x + b.x, a.y + b.y, a.z + b.z);
}
static inline vec3 sub(vec3 a, vec3 b)
{
    return v3(a.x - b.x, a.y - b.y, a.z - b.z);
}
static inline vec3 scale(vec3 a, float s)
{
    return v3(a.x * s, a.y * s, a.z * s);
}
/* a + b * s */
static inline vec3 along(vec3 a, vec3 b, float s)
{
    return add(a, scale(b, s));
}
static inline float dot(vec3 a, vec3 b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}
static inline float length(vec3 a)
{
    return sqrtf(dot(a, a));
}
static inline vec3 unit(vec3 a)
{
    float l = length(a);
    return l > 1e-12f ? scale(a, 1 / l) : v3(0, 0, 1);
}
static inline vec3 cross(vec3 a, vec3 b)
{
    return v3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}
static inline vec3 blend3(vec3 a, vec3 b, float t)
{
    return along(a, sub(b, a), t);
}
static inline vec3 mirror(vec3 a) /* to the other side of the body */
{
    return v3(-a.x, a.y, a.z);
}
static inline vec3 rotate_x(vec3 p, float angle)
{
    float c = cosf(angle), s = sinf(angle);
    return v3(p.x, c * p.y - s * p.z, s * p.y + c * p.z);
}
static inline vec3 rotate_y(vec3 p, float angle)
{
    float c = cosf(angle), s = sinf(angle);
    return v3(c * p.x + s * p.z, p.y, c * p.z - s * p.x);
}
static inline vec3 rotate_z(vec3 p, float angle)
{
    float c = cosf(angle), s = sinf(angle);
    return v3(c * p.x - s * p.y, s * p.x + c * p.y, p.z);
}

static inline float minf(float a, float b)
{
    return a < b ? a : b;
}
static inline float maxf(float a, float b)
{
    return a > b ? a : b;
}
static inline float clampf(float x, float lo, float hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}
static inline float blend(float a, float b, float t)
{
    return a + (b - a) * t;
}
static inline float square(float x)
{
    return x * x;
}
static inline float radians(float degrees)
{
    return degrees * 0.017453293f;
}
/* 0 at `from`, 1 at `to` (which may be the smaller), smooth in between. */
static inline float ease(float from, float to, float x)
{
    float t = clampf((x - from) / (to - from), 0, 1);
    return t * t * (3 - 2 * t);
}
/* 1 at 0, falling to 1/e at `width`. */
static inline float bell(float x, float width)
{
    return expf(-square(x / width));
}

/* Catmull-Rom through n points; t = 0 is the first, 1 the last. */
vec3 curve_at(const vec3 *points, int n, float t);
/* Linear table: rows {x, y...} sorted by x; clamps at the ends. */
float table_at(const float (*rows)[2], int n, float x);
/* Smooth noise in 0..1 with features one unit wide; the same on every machine. */
float noise3(vec3 p);

/* Uniform numbers in 0..1 from a seed that the caller keeps: the same sculpt every time. */
float random_unit(unsigned *seed);
float random_signed(unsigned *seed); /* -1..1 */

/* 0xRRGGBB in sRGB -> linear. */
vec3 linear_color(unsigned srgb);

#endif
