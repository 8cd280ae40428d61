/* What the surfaces of a room look like, as functions of place: nothing is stored, nothing is read. */
#include "render/room.h"

#include <math.h>
#include <stdint.h>

static float clamp01(float x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

static float smooth(float low, float high, float x)
{
    float t = clamp01((x - low) / (high - low));
    return t * t * (3 - 2 * t);
}

/* 0..1, from whole numbers. */
static float chance(int i, int j)
{
    uint32_t x = (uint32_t)i * 2654435761u ^ (uint32_t)j * 2246822519u;
    x ^= x >> 15;
    x *= 2246822519u;
    x ^= x >> 13;
    x *= 3266489917u;
    x ^= x >> 16;
    return (float)(x & 0xffff) / 65535;
}

/* Smooth noise, 0..1, one step a unit. */
static float noise(float x, float y)
{
    float fx = floorf(x), fy = floorf(y), tx = x - fx, ty = y - fy;
    int i = (int)fx, j = (int)fy;
    tx = tx * tx * (3 - 2 * tx);
    ty = ty * ty * (3 - 2 * ty);
    float a = chance(i, j) + (chance(i + 1, j) - chance(i, j)) * tx;
    float b = chance(i, j + 1) + (chance(i + 1, j + 1) - chance(i, j + 1)) * tx;
    return a + (b - a) * ty;
}

static struct rgb scaled(struct rgb c, float s)
{
    return (struct rgb){c.r * s, c.g * s, c.b * s};
}

static struct rgb mixed(struct rgb a, struct rgb b, float t)
{
    return (struct rgb){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

static void shine(struct rgb *glow, struct rgb c, float amount)
{
    glow->r += c.r * amount;
    glow->g += c.g * amount;
    glow->b += c.b * amount;
}

static struct rgb hue_of(float t)
{
    /* Muted colours of cloth, paper and labels: not a rainbow. */
    static const unsigned PALETTE[] = {0x8c4a3a, 0xd9c8a9, 0x31505e, 0xb98a4b, 0x6b7f63, 0xe6e0d4,
                                       0x7a2f35, 0x40434f, 0xc46f4a, 0x9fb3b0, 0x56382c, 0xcfa98f};
    return cp_room_color(PALETTE[(int)(t * 11.99f)], 1);
}

static struct rgb planks(const struct material *m, float along, float across)
{
    float row = floorf(across / m->scale), in_row = across / m->scale - row;
    float shift = 3 * chance((int)row, 5), board = floorf((along + shift) / 1.6f);
    float tint = 0.78f + 0.44f * chance((int)row, (int)board + 90);
    float grain = 0.86f + 0.28f * noise(along * 3 + 40 * chance((int)row, 7), across * 90);
    float seam = smooth(0, 0.035f, in_row) * smooth(1, 0.965f, in_row);
    return scaled(m->albedo, tint * grain * (0.45f + 0.55f * seam));
}

static struct rgb slats(const struct material *m, float across, float y)
{
    float at = across / m->scale, i = floorf(at), t = at - i;
    float face = smooth(0.0f, 0.10f, t) * smooth(0.74f, 0.64f, t);
    float round = 0.75f + 0.35f * sinf(3.14159f * clamp01(t / 0.7f));
    float tint = 0.82f + 0.36f * chance((int)i, 11), grain = 0.9f + 0.2f * noise(at * 9, y * 2.3f);
    return scaled(m->albedo, (0.06f + 0.94f * face * round) * tint * grain);
}

static struct rgb brick(const struct material *m, float across, float y)
{
    float row = floorf(y / (m->scale * 0.36f)), x = across / m->scale + 0.5f * (float)((int)row & 1);
    float column = floorf(x), u = (x - column), v = y / (m->scale * 0.36f) - row;
    float joint = smooth(0.0f, 0.05f, u) * smooth(1, 0.95f, u) * smooth(0, 0.12f, v) * smooth(1, 0.88f, v);
    float tint = 0.68f + 0.5f * chance((int)column, (int)row),
          rough = 0.85f + 0.3f * noise(across * 50, y * 50);
    return mixed(scaled(m->albedo, 0.55f), scaled(m->albedo, tint * rough), joint);
}

/* A shelf's row of spines: width and height change from one to the next; above them it is dark. */
static struct rgb books(const struct material *m, float across, float y, bool goods)
{
    float at = across / m->scale, i = floorf(at), t = at - i;
    int key = (int)i * 7 + (int)floorf(y / 0.36f) * 131;
    float up = y / 0.36f - floorf(y / 0.36f),
          height = goods ? 0.35f + 0.45f * chance(key, 3) : 0.55f + 0.3f * chance(key, 3);
    struct rgb dark = scaled(m->albedo, 0.35f);
    if (chance(key / 3, 77) < (goods ? 0.10f : 0.12f))
        return dark;
    if (goods) { /* a neck or a lid above the shoulders */
        float half = up > height * 0.72f ? 0.20f + 0.18f * chance(key, 9) : 0.40f, off = fabsf(t - 0.5f);
        float body = smooth(half + 0.03f, half - 0.03f, off) * smooth(height + 0.02f, height - 0.02f, up);
        struct rgb c = hue_of(chance(key, 21));
        float label = up > height * 0.2f && up < height * 0.55f && off < 0.34f ? 1 : 0;
        c = mixed(c, (struct rgb){0.75f, 0.70f, 0.62f}, 0.75f * label * (chance(key, 4) > 0.35f ? 1 : 0));
        float round = 0.72f + 0.5f * smooth(0.5f, 0.1f, fabsf(t - 0.36f));
        return mixed(dark, scaled(c, 1.1f * round), body);
    }
    float spine = smooth(0, 0.1f, t) * smooth(1, 0.9f, t) * smooth(height + 0.02f, height - 0.02f, up);
    struct rgb c = hue_of(chance(key, 21));
    float band = fabsf(up - height * 0.8f) < 0.02f || fabsf(up - height * 0.2f) < 0.012f ? 0.5f : 0;
    return mixed(dark, mixed(scaled(c, 0.8f), (struct rgb){0.6f, 0.5f, 0.3f}, band), spine);
}

/* A town after sunset behind glass: three rows of houses, windows lit here and there. */
static void city(struct rgb *glow, float across, float y)
{
    float high = clamp01((y - 0.7f) / 2.0f);
    struct rgb sky = mixed((struct rgb){0.52f, 0.26f, 0.16f}, (struct rgb){0.035f, 0.075f, 0.19f},
                           smooth(0.0f, 0.55f, high));
    shine(glow, sky, 0.75f);
    for (int row = 0; row < 3; row++) {
        float width = 0.34f - 0.06f * (float)row, at = (across + 7 + 0.13f * (float)row) / width,
              i = floorf(at);
        float roof = 1.32f - 0.22f * (float)row + 0.55f * chance((int)i, 31 + row) * (row == 0 ? 1.0f : 0.7f);
        if (y > roof || at - i < 0.04f)
            continue;
        float depth = 0.30f - 0.11f * (float)row;
        *glow = scaled(mixed((struct rgb){0.020f, 0.028f, 0.055f}, sky, depth), 0.75f);
        float wx = (at - i) * width / 0.038f, wy = y / 0.055f, fx = wx - floorf(wx), fy = wy - floorf(wy);
        int key = (int)floorf(wx) + 97 * (int)i, level = (int)floorf(wy) + 1009 * row;
        float lit = chance(key, level) > 0.66f && fx > 0.2f && fx < 0.85f && fy > 0.25f && fy < 0.85f ? 1 : 0;
        struct rgb lamp = chance(key + 5, level) > 0.25f ? (struct rgb){1.0f, 0.60f, 0.26f}
                                                         : (struct rgb){0.6f, 0.8f, 1.0f};
        shine(glow, lamp, lit * (0.4f + 1.2f * chance(key, level + 1)));
    }
}

static void sky(struct rgb *glow, float across, float y)
{
    float high = clamp01((y - 0.8f) / 1.8f);
    struct rgb c =
        mixed((struct rgb){1.9f, 1.95f, 1.9f}, (struct rgb){0.85f, 1.25f, 1.9f}, smooth(0.1f, 1, high));
    float cloud = noise(across * 1.3f + 3, y * 2.6f) * 0.6f + noise(across * 3.1f, y * 5.3f) * 0.4f;
    c = mixed(c, (struct rgb){2.1f, 2.1f, 2.1f}, smooth(0.45f, 0.75f, cloud) * 0.7f);
    float crown = 1.12f + 0.38f * noise(across * 1.7f, 3) + 0.16f * noise(across * 7, 9);
    if (y < crown) {
        float leaf = 0.35f + 0.9f * noise(across * 11, y * 11);
        c = mixed((struct rgb){0.18f, 0.34f, 0.09f}, (struct rgb){0.55f, 0.72f, 0.24f}, clamp01(leaf - 0.3f));
        c = scaled(c, 0.6f + 0.7f * smooth(0.5f, 1.5f, y));
    }
    shine(glow, c, 1);
}

/* A working screen: a head line, a picture, lines of text; each of another hue. */
static void monitor(const struct material *m, struct rgb *glow, float across, float y)
{
    float u = across / m->scale, i = floorf(u), v = y / (m->scale * 0.5625f), j = floorf(v), s = u - i,
          t = v - j;
    int key = (int)i + 57 * (int)j;
    if (s < 0.03f || s > 0.97f || t < 0.05f || t > 0.95f)
        return;
    float kind = chance(key, 3);
    struct rgb base = kind > 0.85f ? (struct rgb){0.24f, 0.09f, 0.03f}
                                   : mixed((struct rgb){0.012f, 0.06f, 0.16f},
                                           (struct rgb){0.03f, 0.17f, 0.24f}, chance(key, 4));
    float level = 0.7f + 0.6f * t;
    if (kind < 0.4f) { /* a picture */
        level *= 0.5f + 1.3f * noise(s * 3 + 9 * (float)key, t * 3);
        if (t < 0.22f)
            level = s < 0.7f ? 2.6f : 0.7f;
    } else if (kind < 0.7f) { /* lines of text */
        float line = t * 8 - floorf(t * 8);
        if (line > 0.35f && line < 0.75f && s > 0.1f && s < 0.45f + 0.5f * chance(key, (int)(t * 8)))
            level = 2.4f;
    } else { /* a chart */
        float bar = floorf(s * 9), top = 0.2f + 0.6f * chance(key, (int)bar + 40);
        if (t < top && s * 9 - bar > 0.25f)
            level = 2.4f;
    }
    shine(glow, base, 2.2f * level);
}

static struct rgb board(const struct material *m, float across, float y)
{
    float wiped = 0.8f + 0.5f * noise(across * 2.2f, y * 3.1f) * noise(across * 7, y * 1.3f + 4);
    struct rgb c = scaled(m->albedo, wiped);
    float chalk = 0;
    for (int line = 0; line < 5; line++) { /* handwriting: a line that wriggles, in words */
        float base = 1.72f - 0.15f * (float)line, start = -1.30f + 0.1f * chance(line, 3);
        float end = start + 0.55f + 0.45f * chance(line, 8), x = across - start;
        float word = noise(x * 9, (float)line * 5) > 0.28f ? 1 : 0;
        float wriggle =
            0.022f * sinf(x * 95 + 3 * noise(x * 30, (float)line)) * (0.5f + noise(x * 23, (float)line + 20));
        if (across > start && across < end)
            chalk += word * smooth(0.016f, 0.006f, fabsf(y - base - wriggle));
    }
    /* A parabola on two axes. */
    float gx = across - 0.35f, gy = y - 1.28f;
    if (gx > -0.5f && gx < 0.5f && gy > -0.12f && gy < 0.55f) {
        chalk += smooth(0.010f, 0.004f, fabsf(gy)) + smooth(0.010f, 0.004f, fabsf(gx));
        chalk += smooth(0.016f, 0.006f, fabsf(gy - 2.0f * gx * gx) / sqrtf(1 + 16 * gx * gx));
    }
    return mixed(c, (struct rgb){0.62f, 0.62f, 0.56f}, 0.75f * clamp01(chalk));
}

/* Arcs that cross a wall of light. */
static void waves(struct rgb *glow, float across, float y)
{
    float high = clamp01((y - 0.3f) / 3);
    struct rgb c = mixed((struct rgb){0.008f, 0.042f, 0.125f}, (struct rgb){0.020f, 0.105f, 0.25f},
                         smooth(0, 1, high) * (0.6f + 0.4f * cosf(across * 0.9f)));
    for (int i = 0; i < 5; i++) {
        float k = (float)i,
              curve = 1.0f + 0.28f * k + (0.22f + 0.05f * k) * sinf(across * (0.75f + 0.11f * k) + 1.9f * k);
        float d = (y - curve) / (0.02f + 0.012f * k), below = (curve - y) / 0.55f;
        c.r += 0.05f * expf(-d * d);
        c.g += (0.30f - 0.03f * k) * expf(-d * d);
        c.b += 0.62f * expf(-d * d);
        if (below > 0 && below < 1) {
            c.g += 0.022f * (1 - below);
            c.b += 0.055f * (1 - below);
        }
    }
    float gx = across / 0.075f, gy = y / 0.075f, dx = gx - floorf(gx) - 0.5f, dy = gy - floorf(gy) - 0.5f;
    float dotted = smooth(0.22f, 0.10f, sqrtf(dx * dx + dy * dy)) *
                   smooth(0.55f, 0.75f, noise(floorf(gx) * 0.16f, floorf(gy) * 0.2f));
    shine(&c, (struct rgb){0.05f, 0.20f, 0.36f}, dotted);
    shine(glow, c, 1);
}

struct rgb cp_finish_albedo(const struct material *m, const float p[3], const float normal[3],
                            struct rgb *glow)
{
    /* Across a wall is x, or z on side walls; floors and table tops use x and z. */
    bool flat = fabsf(normal[1]) > 0.5f;
    float across = fabsf(normal[0]) > 0.5f ? p[2] : p[0], up = flat ? p[2] : p[1];
    switch (m->finish) {
    case FINISH_PAINT:
        break;
    case FINISH_PLASTER:
        return scaled(m->albedo,
                      0.90f + 0.14f * noise(across * 1.7f, up * 1.7f) + 0.06f * noise(across * 14, up * 14));
    case FINISH_PLANKS:
        return planks(m, across, up);
    case FINISH_SLATS:
        return flat ? m->albedo : slats(m, across, up);
    case FINISH_BRICK:
        return brick(m, across, up);
    case FINISH_PANELS: {
        float u = across / m->scale, v = up / m->scale, s = u - floorf(u), t = v - floorf(v);
        float seam =
            smooth(0, 0.012f, s) * smooth(1, 0.988f, s) * smooth(0, 0.012f, t) * smooth(1, 0.988f, t);
        return scaled(m->albedo,
                      (0.93f + 0.14f * chance((int)floorf(u), (int)floorf(v))) * (0.35f + 0.65f * seam));
    }
    case FINISH_BOOKS:
        return flat ? m->albedo : books(m, across, up, false);
    case FINISH_GOODS:
        return flat ? m->albedo : books(m, across, up, true);
    case FINISH_CITY:
        city(glow, across, up);
        break;
    case FINISH_SKY:
        sky(glow, across, up);
        break;
    case FINISH_MONITOR:
        if (!flat)
            monitor(m, glow, across, up);
        break;
    case FINISH_BOARD:
        return flat ? m->albedo : board(m, across, up);
    case FINISH_WAVES:
        waves(glow, across, up);
        break;
    case FINISH_LEAVES:
        return scaled(m->albedo, 0.45f + 1.1f * noise(p[0] * 60 + p[2] * 31, p[1] * 60));
    case FINISH_FABRIC:
        return scaled(m->albedo, 0.88f + 0.24f * noise(across * 180, up * 180));
    }
    return m->albedo;
}
