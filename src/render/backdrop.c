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

/* A light far out of focus: a disc with a slightly brighter rim. As large in every painting, so that
 * paintings blend. */
static void bokeh(struct brush *b, float x, float y, float size, struct color c, float amount)
{
    float dx = b->x - x, dy = b->y - y, d = sqrtf(dx * dx + dy * dy);
    if (d > size)
        return;
    float inside = clamp01((size - d) / 0.0045f), rim = d / size;
    add(b, c, inside * amount * (0.70f + 0.30f * rim * rim));
}

static float noise(int i)
{
    uint32_t x = (uint32_t)i * 2654435761u;
    x ^= x >> 15;
    x *= 2246822519u;
    x ^= x >> 13;
    return (float)(x & 0xffff) / 65535;
}

/* Slats, washed from above and by a lamp; their shadow gaps blur into a gentle rhythm. */
static void paint_slats(struct brush *b, struct color wood)
{
    float slats = soft_range(b->x, -0.90f, -0.155f, b->blur);
    if (slats <= 0)
        return;
    float phase = b->x / 0.034f, gap = 0.5f + 0.5f * cosf(phase * 6.2832f), sharp = b->blur / 0.026f;
    float contrast = expf(-sharp * sharp * 0.7f);
    float at = floorf(phase), t = phase - at;
    float tint = noise((int)at + 40) + (noise((int)at + 41) - noise((int)at + 40)) * t * t * (3 - 2 * t);
    float top = (0.30f - b->y) / 0.17f;
    float wash = 0.16f + 1.25f * expf(-top * top) + 0.85f * glow(b, -0.37f, -0.03f, 0.20f, 0.17f);
    cover(b, scaled(wood, wash * (0.80f + 0.40f * tint) * (1 - 0.72f * contrast * gap)), slats * 0.96f);
}

/* The screen: frosted glass, lit from inside, with a brighter lower edge. */
static void paint_screen(struct brush *b)
{
    float across = soft_range(b->x, 0.165f, 0.60f, b->blur * 0.9f);
    if (across <= 0)
        return;
    float screen = across * soft_range(b->y, -0.105f, 0.42f, b->blur * 0.9f);
    float inner = 0.34f + 0.95f * glow(b, 0.27f, 0.07f, 0.17f, 0.17f);
    float panes = 0.92f + 0.08f * cosf(b->x * 62.0f);
    cover(b, scaled((struct color){0.038f, 0.098f, 0.132f}, inner * panes), screen);
    add(b, (struct color){0.30f, 0.52f, 0.60f}, 0.55f * across * soft_range(b->y, -0.112f, -0.105f, b->blur));
    add(b, (struct color){0.30f, 0.52f, 0.60f}, 0.05f * across * expf(-fabsf(b->y + 0.108f) / 0.03f));
}

/* Shelves on the far right, with things on them. */
static void paint_shelves(struct brush *b, struct color warm)
{
    float across = soft_range(b->x, 0.66f, 1.10f, b->blur);
    for (int i = 0; i < 4 && across > 0; i++) {
        float y = -0.10f + 0.115f * (float)i;
        cover(b, (struct color){0.16f, 0.09f, 0.05f},
              0.8f * across * soft_range(b->y, y - 0.006f, y + 0.004f, b->blur));
        add(b, warm, 0.06f * across * soft_range(b->y, y + 0.07f, y + 0.10f, 0.05f));
        for (int k = 0; k < 9; k++) {
            float x = 0.685f + 0.046f * (float)k, h = 0.030f + 0.045f * noise(31 * i + k);
            struct color c = {0.05f + 0.16f * noise(7 * k + i), 0.05f + 0.10f * noise(5 * k + 3 * i),
                              0.05f + 0.11f * noise(3 * k + 11 * i)};
            if (noise(13 * k + 17 * i) > 0.25f)
                cover(b, c,
                      0.8f * soft_range(b->x, x, x + 0.034f, b->blur) * soft_range(b->y, y, y + h, b->blur));
        }
    }
}

/* An evening studio: a wall of wooden slats under warm light on the left, a frosted screen on the right,
 * shelves with lamps beyond them, a dark skirting with a line of light below. */
static void paint_studio(struct brush *b)
{
    const struct color wood = {0.150f, 0.066f, 0.031f}, wall = {0.020f, 0.018f, 0.021f};
    const struct color warm = {1.0f, 0.56f, 0.24f}, cool = {0.36f, 0.62f, 0.78f};
    float height = clamp01((b->y + 0.30f) / 0.62f);
    cover(b, scaled(wall, 0.45f + 0.85f * height), 1);
    add(b, warm, 0.036f * glow(b, -0.10f, 0.06f, 0.22f, 0.30f));
    add(b, cool, 0.022f * glow(b, 0.30f, 0.08f, 0.26f, 0.30f));
    paint_slats(b, wood);
    paint_screen(b);
    /* Between them a vertical line of warm light in its reveal, and its glow on the wall. */
    float reveal = soft_range(b->y, -0.20f, 0.5f, 0.08f);
    add(b, warm, 0.60f * reveal * soft_range(b->x, -0.150f, -0.143f, b->blur));
    add(b, warm, 0.055f * reveal * expf(-fabsf(b->x + 0.146f) / 0.045f));
    paint_shelves(b, warm);

    /* Skirting with a line of light, and the floor. */
    cover(b, (struct color){0.016f, 0.014f, 0.015f},
          0.95f * clamp01((-0.17f - b->y) / (0.04f + b->blur) + 0.5f));
    float line = soft_range(b->x, -0.86f, -0.14f, 0.05f);
    add(b, warm, 0.42f * line * soft_range(b->y, -0.178f, -0.171f, b->blur));
    add(b, warm, 0.035f * line * expf(-fabsf(b->y + 0.174f) / 0.030f));

    /* Practical lights: angle, rise, size, brightness; warm ones on the left and the shelves, cool in the
     * screen. */
    static const float LAMP[][5] = {
        {-0.262f, 0.052f, 0.0150f, 0.60f, 1},  {-0.315f, 0.004f, 0.0125f, 0.34f, 1},
        {-0.222f, -0.030f, 0.0105f, 0.24f, 1}, {-0.345f, 0.098f, 0.0115f, 0.30f, 1},
        {-0.420f, 0.040f, 0.0160f, 0.52f, 1},  {-0.520f, -0.015f, 0.0140f, 0.45f, 1},
        {-0.600f, 0.110f, 0.0125f, 0.35f, 1},  {-0.760f, 0.030f, 0.0150f, 0.45f, 1},
        {0.690f, 0.050f, 0.0160f, 0.55f, 1},   {0.800f, 0.160f, 0.0140f, 0.45f, 1},
        {0.930f, -0.040f, 0.0150f, 0.50f, 1},  {1.020f, 0.100f, 0.0130f, 0.40f, 1},
        {0.225f, 0.120f, 0.0100f, 0.10f, 0},   {0.275f, 0.062f, 0.0120f, 0.12f, 0},
        {0.335f, 0.135f, 0.0105f, 0.09f, 0},   {0.520f, 0.170f, 0.0120f, 0.12f, 0},
    };
    for (size_t i = 0; i < sizeof LAMP / sizeof LAMP[0]; i++) {
        const float *l = LAMP[i];
        struct color c = l[4] > 0 ? warm : cool;
        bokeh(b, l[0], l[1], l[2], c, l[3]);
        add(b, c, 0.10f * l[3] * glow(b, l[0], l[1], 0.085f, 0.085f));
    }
}

/* A newsroom at work: deep blue depth, two rows of monitors, strips of light under the ceiling. */
static void paint_newsroom(struct brush *b)
{
    const struct color blue = {0.030f, 0.100f, 0.260f}, white = {0.75f, 0.88f, 1.0f},
                       amber = {1.0f, 0.58f, 0.26f};
    float height = clamp01((b->y + 0.35f) / 0.7f);
    cover(b, (struct color){0.004f + 0.006f * height, 0.011f + 0.014f * height, 0.028f + 0.030f * height}, 1);
    add(b, blue, 0.42f * glow(b, 0.0f, 0.06f, 0.45f, 0.13f));
    add(b, amber, 0.016f * glow(b, -0.45f, -0.06f, 0.30f, 0.10f));
    for (int row = 0; row < 2; row++)
        for (int i = -9; i <= 9; i++) {
            float half = 0.050f + 0.010f * (float)row, y = 0.052f - 0.118f * (float)row;
            float x = (float)i * 0.138f + 0.055f * (float)row;
            float on = soft_range(b->x, x - half, x + half, b->blur) *
                       soft_range(b->y, y - 0.034f, y + 0.034f, b->blur);
            if (on <= 0)
                continue;
            /* A picture on each: a bright upper part, a darker lower one, hues of blue with a few warm. */
            float hue = noise(i * 3 + row * 71 + 100), level = 0.35f + 0.9f * noise(i * 7 + row + 300);
            struct color c = hue > 0.86f ? (struct color){0.20f, 0.10f, 0.05f}
                                         : (struct color){0.03f + 0.05f * hue, 0.11f + 0.10f * hue, 0.24f};
            float picture = 0.65f + 0.55f * clamp01((b->y - y) / 0.05f + 0.3f) +
                            0.35f * glow(b, x + 0.03f * (noise(i + 40) - 0.5f), y, 0.030f, 0.022f);
            cover(b, scaled(c, level * picture), on * 0.94f);
        }
    for (int i = 0; i < 3; i++) {
        float y = 0.180f + 0.070f * (float)i,
              along = 0.5f + 0.5f * cosf(b->x * (7.0f - 1.5f * (float)i) + (float)i);
        add(b, white, 0.34f * along * along * soft_range(b->y, y - 0.003f, y + 0.003f, b->blur * 0.8f));
        add(b, blue, 0.30f * along * expf(-fabsf(b->y - y) / 0.03f));
    }
    cover(b, (struct color){0.004f, 0.007f, 0.014f},
          0.94f * clamp01((-0.150f - b->y) / (0.05f + b->blur) + 0.5f));
    add(b, (struct color){0.10f, 0.42f, 0.90f}, 0.40f * soft_range(b->y, -0.159f, -0.153f, b->blur));
    add(b, blue, 0.35f * expf(-fabsf(b->y + 0.156f) / 0.028f));
    for (int i = 0; i < 18; i++) {
        float x = -1.0f + 0.120f * (float)i + 0.06f * noise(i + 900), y = -0.11f + 0.32f * noise(i + 700);
        bokeh(b, x, y, 0.008f + 0.006f * noise(i + 500), i % 3 ? white : amber,
              0.05f + 0.16f * noise(i + 800));
    }
}

/* Seamless paper with a pool of light. */
static void paint_plain(struct brush *b)
{
    cover(b, (struct color){0.075f, 0.078f, 0.084f}, 1);
    add(b, (struct color){0.215f, 0.205f, 0.195f}, glow(b, 0, 0.04f, 0.40f, 0.24f));
    cover(b, (struct color){0.040f, 0.041f, 0.045f}, 0.6f * clamp01((-0.06f - b->y) / 0.22f));
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
    /* An upright picture is narrow: turn the room so that its slats and lights are not out of sight. */
    if (render->width < render->height)
        yaw -= 0.11f;
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
