/*
 * Signed distances: negative inside, positive outside. Most are approximate away from the surface; the mesher
 * only needs them right near zero. After I. Quilez, "distance functions" (formulas).
 */
#ifndef CAST_SDF_H
#define CAST_SDF_H

#include "vec.h"

struct character;
typedef float sdf_field(const struct character *c, vec3 p);

/* Smooth union and intersection; `k` is the width of the blend. */
static inline float join(float a, float b, float k)
{
    float h = maxf(k - fabsf(a - b), 0) / k;
    return minf(a, b) - h * h * k * 0.25f;
}
static inline float meet(float a, float b, float k)
{
    return -join(-a, -b, k);
}
static inline float carve(float a, float b, float k) /* a without b */
{
    return meet(a, -b, k);
}

static inline float sd_sphere(vec3 p, vec3 center, float radius)
{
    return length(sub(p, center)) - radius;
}
static inline float sd_ellipsoid(vec3 p, vec3 center, vec3 r)
{
    p = sub(p, center);
    vec3 a = v3(p.x / r.x, p.y / r.y, p.z / r.z), b = v3(a.x / r.x, a.y / r.y, a.z / r.z);
    float k0 = length(a), k1 = length(b);
    return k1 < 1e-6f ? -minf(r.x, minf(r.y, r.z)) : k0 * (k0 - 1) / k1;
}
static inline float sd_capsule(vec3 p, vec3 a, vec3 b, float radius_a, float radius_b)
{
    vec3 pa = sub(p, a), ba = sub(b, a);
    float t = clampf(dot(pa, ba) / dot(ba, ba), 0, 1);
    return length(sub(pa, scale(ba, t))) - blend(radius_a, radius_b, t);
}
static inline float sd_round_box(vec3 p, vec3 half, float radius)
{
    vec3 q = v3(fabsf(p.x) - half.x + radius, fabsf(p.y) - half.y + radius, fabsf(p.z) - half.z + radius);
    return length(v3(maxf(q.x, 0), maxf(q.y, 0), maxf(q.z, 0))) + minf(maxf(q.x, maxf(q.y, q.z)), 0) - radius;
}
static inline float sd_tube(vec3 p, const vec3 *points, const float *radii, int n)
{
    float d = 1e9f;
    for (int i = 0; i + 1 < n; i++)
        d = join(d, sd_capsule(p, points[i], points[i + 1], radii[i], radii[i + 1]), 0.05f);
    return d;
}

static inline vec3 sd_gradient(sdf_field *field, const struct character *c, vec3 p, float step)
{
    vec3 dx = v3(step, 0, 0), dy = v3(0, step, 0), dz = v3(0, 0, step);
    float half = 0.5f / step;
    return v3((field(c, add(p, dx)) - field(c, sub(p, dx))) * half,
              (field(c, add(p, dy)) - field(c, sub(p, dy))) * half,
              (field(c, add(p, dz)) - field(c, sub(p, dz))) * half);
}
/* The nearest point of the surface at `height` above the field's zero, by Newton steps. */
vec3 sd_project(sdf_field *field, const struct character *c, vec3 p, float height);

#endif
