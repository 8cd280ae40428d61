#include "face.h"

static float corner_taper(const struct character *c, float x, float power)
{
    float t = clampf(fabsf(x) / c->mouth_width, 0, 1);
    return powf(1 - t * t, power);
}

float lip_line(const struct character *c, float x)
{
    float t = minf(square(x / c->mouth_width), 1.25f);
    return MOUTH_Y + 0.20f * t * t + 0.05f * t - 0.05f * bell(x, 0.55f);
}

float lip_top(const struct character *c, float x)
{
    float bow = 0.10f * bell(fabsf(x) - 0.55f, 0.38f); /* cupid's bow */
    return lip_line(c, x) + corner_taper(c, x, 0.85f) * (c->lip_upper + bow) + 0.07f * bell(x, 0.45f);
}

float lip_bottom(const struct character *c, float x)
{
    return lip_line(c, x) - c->lip_lower * corner_taper(c, x, 0.68f);
}

/* 0 at the inner, 1 at the outer corner of the eye. */
static float eye_share(const struct character *c, float x)
{
    return clampf((x + c->eye_width) / (2 * c->eye_width), 0, 1);
}

static float eye_base(const struct character *c, float share)
{
    return blend(-0.62f, 0.38f, share) * c->eye_tilt;
}

float lid_top(const struct character *c, float x)
{
    float t = eye_share(c, x), s = powf(t, 0.90f);
    return eye_base(c, t) + c->eye_upper * powf(4 * s * (1 - s), 0.66f);
}

float lid_bottom(const struct character *c, float x)
{
    float t = eye_share(c, x), s = powf(t, 1.18f);
    return eye_base(c, t) - c->eye_lower * powf(4 * s * (1 - s), 0.78f);
}

float eye_opening(const struct character *c, float x, float y)
{
    float w = c->eye_width;
    if (x < -w)
        return hypotf(x + w, y - eye_base(c, 0));
    if (x > w)
        return hypotf(x - w, y - eye_base(c, 1));
    const float e = 0.02f;
    float top_slope = (lid_top(c, x + e) - lid_top(c, x - e)) / (2 * e);
    float bottom_slope = (lid_bottom(c, x + e) - lid_bottom(c, x - e)) / (2 * e);
    return maxf((y - lid_top(c, x)) / sqrtf(1 + square(top_slope)),
                (lid_bottom(c, x) - y) / sqrtf(1 + square(bottom_slope)));
}

vec3 brow_line(const struct character *c, float t)
{
    float x = blend(1.30f, 5.35f, t);
    /* rises to an arch at two thirds, then falls to the temple */
    float rise = 0.78f * t - 0.92f * powf(maxf(t - 0.45f, 0) / 0.55f, 1.7f);
    return v3(x, 2.24f + c->brow_height + c->brow_arch * rise, 0);
}

float brow_half_width(const struct character *c, float t)
{
    float body = blend(0.27f, 0.19f, ease(0, 0.6f, t)) * ease(1.08f, 0.55f, t);
    return c->brow_weight * body * blend(0.75f, 1, ease(0, 0.15f, t));
}
