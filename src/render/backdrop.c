/*
 * What stands behind the presenter, painted once: a panorama of a room that is out of focus. The picture
 * samples it by the direction of view, so that any camera, and any move between cameras, has its background.
 *
 * Everything is drawn by soft shapes whose edges are as wide as the lens blurs them; three paintings, each
 * more out of focus, stand for a far, a medium and a near focus.
 */
#include "render/render_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct color {
    float r, g, b;
};
struct brush {        /* where we are, and how blurred */
    float x, y;       /* radians to the right; rise (tangent of elevation) */
    float blur;       /* radians */
    struct color sum; /* linear light */
};

static float clamp01(float x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* 1 inside [low, high], falling to 0 over the blur. */
static float soft_range(float x, float low, float high, float blur)
{
    float a = clamp01((x - low) / blur + 0.5f), b = clamp01((high - x) / blur + 0.5f);
    return a * a * (3 - 2 * a) * b * b * (3 - 2 * b);
}

static void add(struct brush *b, struct color c, float amount)
{
    b->sum.r += c.r * amount;
    b->sum.g += c.g * amount;
    b->sum.b += c.b * amount;
}

static void cover(struct brush *b, struct color c, float amount)
{
    b->sum.r += (c.r - b->sum.r) * amount;
    b->sum.g += (c.g - b->sum.g) * amount;
    b->sum.b += (c.b - b->sum.b) * amount;
}

static struct color scaled(struct color c, float s)
{
    return (struct color){c.r * s, c.g * s, c.b * s};
}

static float glow(const struct brush *b, float x, float y, float wide, float high)
{
    float dx = (b->x - x) / wide, dy = (b->y - y) / high;
    return expf(-dx * dx - dy * dy);
}

/* A light far out of focus: a disc with a slightly brighter rim. */
static void bokeh(struct brush *b, float x, float y, float size, struct color c, float amount)
{
    float dx = b->x - x, dy = b->y - y, d = sqrtf(dx * dx + dy * dy), radius = 0.35f * size + 0.55f * b->blur;
    if (d > radius)
        return;
    float inside = clamp01((radius - d) / (0.22f * b->blur + 0.0015f));
    float rim = clamp01(d / radius);
    float spread = size * size / (radius * radius) * 6; /* the same light over a larger disc is dimmer */
    add(b, c, inside * amount * (0.72f + 0.28f * rim * rim) * fminf(spread, 1.4f));
}

static float noise(int i)
{
    uint32_t x = (uint32_t)i * 2654435761u;
    x ^= x >> 15;
    x *= 2246822519u;
    x ^= x >> 13;
    return (float)(x & 0xffff) / 65535;
}

/* An evening studio: a wall of wooden slats under warm light on the left, a frosted screen on the right,
 * shelves with lamps beyond them, a dark skirting with a line of light below. */
static void paint_studio(struct brush *b)
{
    const struct color wood = {0.215f, 0.118f, 0.066f}, wall = {0.052f, 0.046f, 0.047f};
    const struct color warm = {1.0f, 0.60f, 0.28f}, cool = {0.40f, 0.66f, 0.80f};
    float height = clamp01((b->y + 0.30f) / 0.62f);
    cover(b, scaled(wall, 0.55f + 0.75f * height), 1);
    add(b, warm, 0.055f * glow(b, -0.34f, 0.02f, 0.36f, 0.26f));
    add(b, cool, 0.030f * glow(b, 0.42f, 0.06f, 0.34f, 0.30f));

    /* Slats, washed from above; their shadow gaps blur into a gentle rhythm. */
    float slats = soft_range(b->x, -0.86f, -0.155f, b->blur);
    float phase = b->x / 0.036f, gap = 0.5f + 0.5f * cosf(phase * 6.2832f);
    float contrast = expf(-powf(b->blur / 0.030f, 2));
    float tint = 0.86f + 0.28f * noise((int)floorf(phase) + 40);
    tint = 1 + (tint - 1) * contrast;
    float wash = 0.30f + 0.95f * expf(-powf((0.27f - b->y) / 0.20f, 2)) +
                 0.75f * glow(b, -0.42f, -0.02f, 0.22f, 0.20f);
    cover(b, scaled(wood, wash * tint * (1 - 0.55f * contrast * gap)), slats * 0.92f);

    /* The screen: frosted glass, lit from inside, a brighter lower edge. */
    float screen =
        soft_range(b->x, 0.175f, 0.60f, b->blur * 0.9f) * soft_range(b->y, -0.105f, 0.40f, b->blur * 0.9f);
    struct color face = {0.085f, 0.150f, 0.185f};
    float inner = 0.62f + 0.65f * glow(b, 0.33f, 0.10f, 0.24f, 0.22f);
    cover(b, scaled(face, inner), screen);
    add(b, (struct color){0.35f, 0.55f, 0.62f},
        0.30f * soft_range(b->x, 0.175f, 0.60f, b->blur) * soft_range(b->y, -0.112f, -0.104f, b->blur) *
            0.9f);
    /* Between them a dark reveal with a vertical line of warm light. */
    add(b, warm, 0.42f * soft_range(b->x, -0.150f, -0.143f, b->blur) * soft_range(b->y, -0.20f, 0.5f, 0.08f));

    /* Shelves on the far right, with things on them. */
    for (int i = 0; i < 4 && b->x > 0.6f; i++) {
        float y = -0.10f + 0.115f * (float)i;
        float shelf =
            soft_range(b->x, 0.66f, 1.10f, b->blur) * soft_range(b->y, y - 0.006f, y + 0.004f, b->blur);
        cover(b, (struct color){0.16f, 0.10f, 0.06f}, shelf * 0.8f);
        add(b, warm,
            0.05f * soft_range(b->x, 0.66f, 1.10f, b->blur) * soft_range(b->y, y + 0.07f, y + 0.10f, 0.05f));
        for (int k = 0; k < 9; k++) {
            float x = 0.685f + 0.046f * (float)k, h = 0.030f + 0.045f * noise(31 * i + k);
            struct color c = {0.05f + 0.16f * noise(7 * k + i), 0.05f + 0.10f * noise(5 * k + 3 * i),
                              0.05f + 0.11f * noise(3 * k + 11 * i)};
            if (noise(13 * k + 17 * i) > 0.25f)
                cover(b, c,
                      0.8f * soft_range(b->x, x, x + 0.034f, b->blur) * soft_range(b->y, y, y + h, b->blur));
        }
    }
    /* Skirting and floor. */
    cover(b, (struct color){0.022f, 0.019f, 0.019f},
          0.93f * clamp01((-0.17f - b->y) / (0.04f + b->blur) + 0.5f));
    add(b, warm,
        0.36f * soft_range(b->y, -0.178f, -0.170f, b->blur) * soft_range(b->x, -0.86f, 0.16f, 0.05f));
    add(b, warm, 0.05f * glow(b, -0.35f, -0.24f, 0.40f, 0.06f));

    /* Practical lights. */
    static const float LAMP[][4] = {
        {-0.275f, 0.045f, 1.30f, 1}, {-0.335f, 0.010f, 0.80f, 1}, {-0.240f, -0.035f, 0.60f, 1},
        {-0.420f, 0.075f, 0.95f, 1}, {-0.520f, -0.010f, 1.1f, 1}, {-0.60f, 0.11f, 0.7f, 1},
        {0.690f, 0.050f, 1.10f, 1},  {0.80f, 0.16f, 0.9f, 1},     {0.93f, -0.04f, 1.0f, 1},
        {0.235f, 0.205f, 0.42f, 0},  {0.305f, 0.150f, 0.34f, 0},  {0.52f, 0.17f, 0.40f, 0},
        {-0.76f, 0.03f, 0.9f, 1},    {1.02f, 0.10f, 0.8f, 1},
    };
    for (size_t i = 0; i < sizeof LAMP / sizeof LAMP[0]; i++) {
        const float *l = LAMP[i];
        bokeh(b, l[0], l[1], 0.020f, l[3] > 0 ? warm : cool, 0.55f * l[2]);
        add(b, l[3] > 0 ? warm : cool, 0.035f * l[2] * glow(b, l[0], l[1], 0.07f, 0.07f));
    }
}

/* A newsroom at work: deep blue depth, rows of monitors, ceiling light strips. */
static void paint_newsroom(struct brush *b)
{
    const struct color blue = {0.10f, 0.22f, 0.42f}, white = {0.80f, 0.90f, 1.0f};
    float height = clamp01((b->y + 0.35f) / 0.7f);
    cover(b, (struct color){0.012f + 0.018f * height, 0.026f + 0.034f * height, 0.055f + 0.070f * height}, 1);
    add(b, blue, 0.42f * glow(b, 0.05f, 0.03f, 0.55f, 0.16f));
    for (int row = 0; row < 2; row++)
        for (int i = -9; i <= 9; i++) {
            float w = 0.052f + 0.012f * (float)row, x = (float)i * 0.135f + 0.05f * (float)row,
                  y = 0.045f - 0.125f * (float)row;
            float on =
                soft_range(b->x, x - w, x + w, b->blur) * soft_range(b->y, y - 0.036f, y + 0.036f, b->blur);
            float hue = noise(i * 3 + row * 71 + 100);
            struct color c = {0.10f + 0.30f * hue * hue, 0.24f + 0.12f * hue, 0.46f - 0.16f * hue};
            cover(b, scaled(c, 0.55f + 0.75f * noise(i * 7 + row + 300)), on * 0.92f);
        }
    for (int i = 0; i < 3; i++) {
        float y = 0.185f + 0.075f * (float)i;
        add(b, white,
            0.42f * soft_range(b->y, y - 0.004f, y + 0.004f, b->blur) *
                (0.55f + 0.45f * cosf(b->x * 3.0f + (float)i)));
    }
    cover(b, (struct color){0.010f, 0.016f, 0.030f},
          0.9f * clamp01((-0.155f - b->y) / (0.05f + b->blur) + 0.5f));
    add(b, (struct color){0.9f, 0.25f, 0.12f}, 0.28f * soft_range(b->y, -0.160f, -0.152f, b->blur));
    for (int i = 0; i < 16; i++)
        bokeh(b, -1.0f + 0.135f * (float)i + 0.05f * noise(i + 900), -0.10f + 0.30f * noise(i + 700), 0.014f,
              i % 3 ? white : (struct color){1, 0.62f, 0.30f}, 0.22f + 0.3f * noise(i + 800));
}

/* Seamless paper with a pool of light. */
static void paint_plain(struct brush *b)
{
    cover(b, (struct color){0.125f, 0.130f, 0.138f}, 1);
    add(b, (struct color){0.31f, 0.305f, 0.30f}, glow(b, 0, 0.02f, 0.55f, 0.34f));
    cover(b, (struct color){0.07f, 0.072f, 0.078f}, 0.5f * clamp01((-0.08f - b->y) / 0.3f));
}

static uint32_t to_display(struct color c)
{
    const float in[3] = {c.r, c.g, c.b};
    uint32_t out = 0;
    for (int k = 0; k < 3; k++) {
        float x = fmaxf(in[k], 0);
        x = x * (1 + x / 4) / (1 + x); /* extended Reinhard, white at 2 */
        float y = x <= 0.0031308f ? x * 12.92f : 1.055f * powf(x, 1 / 2.4f) - 0.055f;
        out |= (uint32_t)lrintf(clamp01(y) * 1023) << (10 * k);
    }
    return out;
}

static void paint(const char *set, uint32_t *out, float blur)
{
    for (int row = 0; row < BACKDROP_HEIGHT; row++)
        for (int column = 0; column < BACKDROP_WIDTH; column++) {
            struct brush b = {
                .x = ((float)column / BACKDROP_WIDTH - 0.5f) * BACKDROP_SPAN_RAD,
                .y = (0.5f - (float)row / BACKDROP_HEIGHT) * BACKDROP_SPAN_RISE,
                .blur = blur,
            };
            if (!strcmp(set, "newsroom"))
                paint_newsroom(&b);
            else if (!strcmp(set, "plain"))
                paint_plain(&b);
            else
                paint_studio(&b);
            out[row * BACKDROP_WIDTH + column] = to_display(b.sum);
        }
}

int cp_backdrop_create(const char *set, int width, int height, struct backdrop **ret_backdrop)
{
    static const float BLUR_RAD[BACKDROP_LEVELS] = {0.014f, 0.026f, 0.046f};
    struct backdrop *backdrop = calloc(1, sizeof *backdrop);
    if (!backdrop)
        return CP_ERR_NOMEM;
    backdrop->column = cp_render_alloc(((size_t)width + 64) * sizeof(float));
    backdrop->row = cp_render_alloc(((size_t)height + 64) * sizeof(float));
    bool complete = backdrop->column && backdrop->row;
    for (int i = 0; i < BACKDROP_LEVELS; i++) {
        backdrop->level[i] = cp_render_alloc((size_t)BACKDROP_WIDTH * BACKDROP_HEIGHT * sizeof(uint32_t));
        complete = complete && backdrop->level[i];
    }
    if (!complete) {
        cp_backdrop_destroy(backdrop);
        return CP_ERR_NOMEM;
    }
    for (int i = 0; i < BACKDROP_LEVELS; i++)
        paint(set, backdrop->level[i], BLUR_RAD[i]);
    *ret_backdrop = backdrop;
    return 0;
}

void cp_backdrop_destroy(struct backdrop *backdrop)
{
    if (!backdrop)
        return;
    for (int i = 0; i < BACKDROP_LEVELS; i++)
        cp_render_free(backdrop->level[i]);
    cp_render_free(backdrop->column);
    cp_render_free(backdrop->row);
    free(backdrop);
}

static float clamp_to(float x, float low, float high)
{
    return x > low ? x < high ? x : high : low; /* NaN gives low */
}

void cp_backdrop_aim(struct cp_render *render)
{
    struct backdrop *b = render->backdrop;
    const struct camera *c = &render->camera;
    float yaw = atan2f(c->forward[0], -c->forward[2]);
    float flat = sqrtf(c->forward[0] * c->forward[0] + c->forward[2] * c->forward[2]);
    float rise = c->forward[1] / fmaxf(flat, 0.05f);
    for (int x = 0; x < render->width + 32; x++) {
        float angle = yaw + atanf(((float)x + 0.5f - 0.5f * (float)render->width) / c->focal_px);
        b->column[x] = clamp_to((angle / BACKDROP_SPAN_RAD + 0.5f) * BACKDROP_WIDTH, 0, BACKDROP_WIDTH - 2);
    }
    for (int y = 0; y < render->height; y++) {
        float tangent = rise + (0.5f * (float)render->height - (float)y - 0.5f) / c->focal_px;
        b->row[y] = clamp_to((0.5f - tangent / BACKDROP_SPAN_RISE) * BACKDROP_HEIGHT, 0, BACKDROP_HEIGHT - 2);
    }
    /* A lens focused nearer blurs the room more: full sharpness at 3.2 m, the softest at 1.1 m. */
    float distance2 = 0;
    for (int k = 0; k < 3; k++) {
        float d = render->view.target[k] - render->view.eye[k];
        distance2 += d * d;
    }
    b->blur = clamp_to(1 + log2f(1.8f / sqrtf(fmaxf(distance2, 0.01f))) / 0.75f, 0, BACKDROP_LEVELS - 1);
}
