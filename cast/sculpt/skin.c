#include "skin.h"
#include "face.h"
#include "head.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The picture: a white strip, then the face from LOW_Y up; FAR_ANGLE to either side of the middle. */
enum { WHITE_ROWS = 48, MARGIN = 6 };
static const float LOW_Y = -13.0f, HIGH_Y = 9.5f, FAR_ANGLE = 1.80f;

static void place_of(vec3 p, float *x, float *y)
{
    const float side = SKIN_SIDE, usable = side - 2 * MARGIN;
    *x = MARGIN + usable * (0.5f + 0.5f * atan2f(p.x, p.z) / FAR_ANGLE);
    *y = WHITE_ROWS + MARGIN + (side - WHITE_ROWS - 2 * MARGIN) * (p.y - LOW_Y) / (HIGH_Y - LOW_Y);
}

/* Whether a vertex looks out of the face, away from the head's axis. */
static bool is_outside(const struct character *c, const struct vertex *v)
{
    vec3 p = v->position, q = v3(fabsf(p.x), p.y, p.z);
    if (p.y < LOW_Y + 0.2f || p.y > HIGH_Y - 0.2f || p.z < -1.4f || atan2f(q.x, p.z) > FAR_ANGLE - 0.02f)
        return false;
    if (sd_ear(c, q) < 0.35f || sd_nostril(c, p) < 0.03f ||
        (p.z < 7.3f && sd_mouth_cavity(c, p) < 0.25f)) /* the back of the mouth looks out too */
        return false;
    bool between_lips = q.x < c->mouth_width && fabsf(p.y - lip_line(c, p.x)) < 0.045f;
    return !between_lips && dot(v->normal, unit(v3(p.x, 0, p.z))) > 0.02f;
}

/* Triangles whose corners all look out come first; the others get vertices of their own. Returns how many
 * vertices belong to the unrolled part, and its indices' number. */
static int split(struct part *part, const struct character *c, int *ret_indices)
{
    int n = part->n_vertices, n_out = 0, kept = 0;
    bool *outside = malloc((size_t)n);
    int *id = malloc((size_t)n * sizeof *id);
    struct vertex *vertices = malloc(2 * (size_t)n * sizeof *vertices);
    uint32_t *indices = malloc((size_t)part->n_indices * sizeof *indices);
    for (int i = 0; i < n; i++)
        outside[i] = is_outside(c, &part->vertices[i]);
    for (int pass = 0; pass < 2; pass++) {
        memset(id, 0xff, (size_t)n * sizeof *id);
        for (int i = 0; i < part->n_indices; i += 3) {
            const uint32_t *t = part->indices + i;
            if ((outside[t[0]] && outside[t[1]] && outside[t[2]]) != (pass == 0))
                continue;
            for (int k = 0; k < 3; k++) {
                if (id[t[k]] < 0) {
                    vertices[kept] = part->vertices[t[k]];
                    id[t[k]] = kept++;
                }
                indices[n_out++] = (uint32_t)id[t[k]];
            }
        }
        if (pass == 0) {
            *ret_indices = n_out;
            part->n_vertices = kept;
        }
    }
    n = part->n_vertices;
    part->n_vertices = kept;
    free(part->vertices);
    free(part->indices);
    part->vertices = vertices;
    part->indices = indices;
    free(outside);
    free(id);
    return n;
}

static uint8_t srgb_byte(float linear)
{
    float x = clampf(linear, 0, 1);
    x = x <= 0.0031308f ? x * 12.92f : 1.055f * powf(x, 1 / 2.4f) - 0.055f;
    return (uint8_t)(x * 255 + 0.5f);
}

struct canvas {
    uint8_t *rgb;
    float *reach; /* of what is painted, from the axis; 0 for nothing yet */
};

static void paint_texel(const struct character *c, struct canvas *to, int x, int y, vec3 p)
{
    float reach = hypotf(p.x, p.z);
    size_t at = (size_t)y * SKIN_SIDE + (size_t)x;
    if (reach <= to->reach[at]) /* the wing of the nose hides the cheek behind it */
        return;
    struct vertex v = {.position = p, .occlusion = 1};
    paint_skin(c, &v);
    paint_fine(c, p, &v.color);
    to->reach[at] = reach;
    to->rgb[at * 3] = srgb_byte(v.color.x);
    to->rgb[at * 3 + 1] = srgb_byte(v.color.y);
    to->rgb[at * 3 + 2] = srgb_byte(v.color.z);
}

static void paint_triangle(const struct character *c, struct canvas *to, const struct vertex *const corner[3])
{
    float x[3], y[3];
    for (int k = 0; k < 3; k++)
        place_of(corner[k]->position, &x[k], &y[k]);
    float area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]);
    if (fabsf(area) < 1e-6f)
        return;
    int left = (int)minf(x[0], minf(x[1], x[2])), right = (int)maxf(x[0], maxf(x[1], x[2])) + 1;
    int low = (int)minf(y[0], minf(y[1], y[2])), high = (int)maxf(y[0], maxf(y[1], y[2])) + 1;
    for (int row = low; row <= high; row++)
        for (int column = left; column <= right; column++) {
            float px = (float)column + 0.5f, py = (float)row + 0.5f;
            float b = ((px - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (py - y[0])) / area;
            float a = ((x[1] - x[0]) * (py - y[0]) - (px - x[0]) * (y[1] - y[0])) / area;
            if (a < -1e-4f || b < -1e-4f || a + b > 1.0001f)
                continue;
            vec3 p = add(scale(corner[0]->position, 1 - a - b),
                         add(scale(corner[1]->position, b), scale(corner[2]->position, a)));
            paint_texel(c, to, column, row, p);
        }
}

/* Grows the painted area outwards, so that no lookup at its edge, however coarse, meets a blank. */
static void grow(struct canvas *to)
{
    enum { STEPS = 12 };
    for (int step = 1; step <= STEPS; step++)
        for (int y = WHITE_ROWS; y < SKIN_SIDE; y++)
            for (int x = 0; x < SKIN_SIDE; x++) {
                size_t at = (size_t)y * SKIN_SIDE + (size_t)x;
                for (int k = 0; k < 4 && to->reach[at] == 0; k++) {
                    int nx = x + (k == 0) - (k == 1), ny = y + (k == 2) - (k == 3);
                    size_t near = (size_t)ny * SKIN_SIDE + (size_t)nx;
                    if (nx < 0 || ny < WHITE_ROWS || nx >= SKIN_SIDE || ny >= SKIN_SIDE ||
                        to->reach[near] == 0 || to->reach[near] == -(float)step)
                        continue;
                    memcpy(to->rgb + at * 3, to->rgb + near * 3, 3);
                    to->reach[at] = -(float)step; /* not to be grown from in this step */
                }
            }
}

uint8_t *skin_unroll(struct part *part, const struct character *c)
{
    size_t texels = (size_t)SKIN_SIDE * SKIN_SIDE;
    struct canvas to = {malloc(texels * 3), calloc(texels, sizeof(float))};
    if (!to.rgb || !to.reach) {
        fprintf(stderr, "sculpt: out of memory\n");
        exit(1);
    }
    for (size_t i = 0; i < texels; i++)
        for (int k = 0; k < 3; k++)
            to.rgb[i * 3 + (size_t)k] =
                i < (size_t)WHITE_ROWS * SKIN_SIDE ? 255 : srgb_byte((&c->color.skin.x)[k]);
    int n_indices, n_unrolled = split(part, c, &n_indices);
    for (int i = 0; i < n_indices; i += 3)
        paint_triangle(c, &to,
                       (const struct vertex *const[]){&part->vertices[part->indices[i]],
                                                      &part->vertices[part->indices[i + 1]],
                                                      &part->vertices[part->indices[i + 2]]});
    grow(&to);
    for (int i = 0; i < part->n_vertices; i++) {
        struct vertex *v = &part->vertices[i];
        float x = SKIN_SIDE / 2, y = WHITE_ROWS / 2;
        if (i < n_unrolled) {
            place_of(v->position, &x, &y);
            v->color = v3(1, 1, 1);
        }
        v->u = x / SKIN_SIDE;
        v->v = y / SKIN_SIDE;
    }
    part->weave = WEAVE_SKIN;
    free(to.reach);
    return to.rgb;
}

/* --- what is finer than vertices --- */

static void darken(vec3 *color, float red, float green, float blue, float amount)
{
    vec3 darker = v3(color->x * red, color->y * green, color->z * blue);
    *color = blend3(*color, darker, clampf(amount, 0, 1));
}

/* A crease: dark, with a lit lip below it. */
static void crease(vec3 *color, float off, float width, float amount)
{
    darken(color, 0.62f, 0.48f, 0.46f, 0.5f * amount * bell(off, width));
    *color = scale(*color, 1 + 0.10f * amount * bell(off + width * 1.8f, width));
}

static void paint_pores(vec3 p, vec3 *color)
{
    float a = fabsf(p.x);
    float rough = 0.45f + 0.55f * expf(-square((a - 2.6f) / 2.2f) - square((p.y + 2.9f) / 2.2f)) +
                  0.5f * bell(p.x, 1.6f) * bell(p.y + 3.6f, 1.6f);
    float grain = noise3(scale(p, 10)) - 0.5f, patch = noise3(add(scale(p, 3.7f), v3(9, 2, 5))) - 0.5f;
    *color = scale(*color, 1 + rough * (0.055f * grain + 0.035f * patch));
    float pore = ease(0.68f, 0.86f, noise3(add(scale(p, 8.3f), v3(31, 7, 3))));
    darken(color, 0.80f, 0.68f, 0.66f, 0.38f * rough * pore);
    /* reddish and sallow islands a few millimetres wide */
    float tone = noise3(add(scale(p, 2.1f), v3(3, 17, 11))) - 0.5f;
    *color = v3(color->x * (1 + 0.02f * tone), color->y * (1 - 0.05f * tone), color->z * (1 - 0.06f * tone));
}

static void paint_freckles(const struct character *c, vec3 p, vec3 *color)
{
    float a = fabsf(p.x), where = expf(-square((a - 2.4f) / 2.6f) - square((p.y + 2.4f) / 1.7f)) +
                                  0.4f * bell(p.x, 4) * bell(p.y - 4, 2.5f);
    float spot = ease(0.66f, 0.80f, noise3(add(scale(p, 4.1f), v3(c->hair_seed, 1, 2))));
    darken(color, 0.66f, 0.50f, 0.40f, 0.75f * c->freckles * where * spot);
}

/* Single hairs of a short beard, each a dash along the way it grows. */
static void paint_bristles(const struct character *c, vec3 p, vec3 *color)
{
    float grow = stubble_share(c, p);
    if (grow <= 0.01f)
        return;
    float slant = 0.25f * p.x;
    float hair = noise3(v3((p.x + slant) * 17, p.y * 6.0f, p.z * 13)),
          other = noise3(v3((p.x - slant) * 19 + 40, p.y * 6.8f + 9, p.z * 14));
    float dark = ease(0.42f, 0.74f, maxf(hair, other));
    vec3 of = blend3(scale(c->color.brow, 0.8f), c->color.grey, c->hair_grey * ease(0.45f, 0.65f, other));
    *color = blend3(*color, of, clampf(0.48f * c->stubble * grow * dark, 0, 0.9f));
}

/* Lines that come with the years: forehead, between the brows, eye corners, under the eyes. */
static void paint_lines(const struct character *c, vec3 p, vec3 *color)
{
    float a = fabsf(p.x), age = c->age;
    for (int i = 0; i < 3; i++) {
        float line = 4.5f + 0.95f * (float)i + 0.14f * sinf(p.x * 1.1f + (float)i * 2) + 0.05f * a;
        float reach =
            ease(4.4f - 0.5f * (float)i, 2.0f, a) * (0.6f + 0.4f * noise3(v3(p.x * 0.9f, (float)i, 4)));
        crease(color, p.y - line, 0.060f, age * reach * ease(6, 7, p.z));
    }
    float frown = ease(1.2f, 1.8f, p.y) * ease(3.8f, 2.8f, p.y) * ease(6.5f, 7.4f, p.z);
    darken(color, 0.66f, 0.50f, 0.48f, 0.35f * age * frown * bell(a - 0.62f - 0.08f * (p.y - 2), 0.07f));
    vec3 e = sub(v3(a, p.y, p.z), eye_center(c));
    float away = e.x - c->eye_width;
    if (away > 0.1f && away < 1.6f && e.y > -1.8f && e.y < 1.6f)
        for (int i = -1; i <= 1; i++) /* a fan from the corner */
            crease(color, e.y - 0.15f - 0.42f * (float)i * away - 0.05f * away * away, 0.045f + 0.015f * away,
                   age * 0.9f * ease(0.1f, 0.6f, away) * ease(1.5f, 0.7f, away));
    float bag = lid_bottom(c, clampf(e.x, -c->eye_width, c->eye_width)) - 0.62f - 0.10f * e.x;
    crease(color, e.y - bag, 0.07f, (0.25f + 0.75f * age) * ease(2.0f, 1.0f, fabsf(e.x)) * ease(4, 6, p.z));
    float beside = a - blend(1.75f, 3.45f, (-4.1f - p.y) / 3.6f);
    crease(color, beside, 0.10f,
           (0.2f + 0.8f * age) * c->folds * ease(-4.0f, -5.0f, p.y) * ease(-7.6f, -6.4f, p.y));
}

static void paint_lip_grain(const struct character *c, vec3 p, vec3 *color)
{
    float inside = minf(lip_top(c, p.x) - p.y, p.y - lip_bottom(c, p.x));
    float lip = ease(-0.02f, 0.10f, inside) * ease(c->mouth_width, c->mouth_width - 0.3f, fabsf(p.x)) *
                ease(6, 7, p.z);
    float line = noise3(v3(p.x * 7.5f + 0.5f * p.y, p.y * 1.1f, 2)) - 0.5f;
    *color = scale(*color, 1 + 0.24f * lip * line);
}

void paint_fine(const struct character *c, vec3 p, vec3 *color)
{
    paint_pores(p, color);
    paint_freckles(c, p, color);
    paint_lines(c, p, color);
    paint_bristles(c, p, color);
    paint_lip_grain(c, p, color);
}
