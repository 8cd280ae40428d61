#include "face.h"
#include "hair.h"
#include "head.h"

/* The skin's front surface at (x, y). */
static vec3 on_face(const struct character *c, float x, float y)
{
    float z = 12;
    for (int i = 0; i < 90; i++) {
        float d = sd_head(c, v3(x, y, z));
        if (d < 0.002f)
            break;
        z -= d * 0.7f;
    }
    return v3(x, y, z);
}

enum { BROW_HAIRS = 330, BROW_ROWS = 3, LASH_ROWS = 4, LASHES = 44, LINER_ROWS = 24 };

static void add_brow_hair(struct part *part, const struct character *c, float t, unsigned *seed)
{
    vec3 middle = brow_line(c, t), direction = unit(sub(brow_line(c, t + 0.03f), brow_line(c, t - 0.03f)));
    float off = random_signed(seed) * brow_half_width(c, t);
    /* hairs stand up at the nose, lie along the line further out, and lean towards it from both sides */
    float lean = blend(0.75f, 0.14f, ease(0, 0.25f, t)) - off * 1.0f;
    vec3 start = unit(v3(direction.x - direction.y * lean, direction.y + direction.x * lean, 0));
    float reach = blend(0.50f, 0.62f, t) * (0.7f + 0.5f * random_unit(seed));
    float width = 0.0090f * (0.6f + 0.8f * random_unit(seed));
    struct strand_row rows[2][BROW_ROWS];
    for (int k = 0; k < BROW_ROWS; k++) {
        float e = (float)k / (BROW_ROWS - 1), way = reach * (e - blend(0.18f, 0.35f, ease(0, 0.2f, t)));
        vec3 heading = unit(blend3(start, direction, e * 0.8f));
        vec3 p = on_face(c, middle.x - direction.y * off + heading.x * way,
                         middle.y + direction.x * off + heading.y * way);
        vec3 normal = unit(sd_gradient(sd_head, c, p, 0.05f));
        p = along(p, normal, 0.012f + 0.035f * sinf(e * 3.1f));
        rows[0][k] = (struct strand_row){p, normal, p, width * (1 - 0.9f * e * e), 0};
        rows[1][k] = (struct strand_row){mirror(p), mirror(normal), mirror(p), width * (1 - 0.9f * e * e), 0};
    }
    vec3 root = scale(c->color.brow, 0.9f + 0.7f * random_unit(seed));
    struct strand_look look = {root, scale(root, 1.25f), 0.9f, 0.9f, 0};
    for (int side = 0; side < 2; side++)
        part_add_strand(part, rows[side], BROW_ROWS, 1, &look);
}

void build_brows(struct sculpture *s, const struct character *c)
{
    struct part *part = sculpture_add(s, "brows", CP_SURFACE_LASH, RIG_FACE);
    unsigned seed = 11;
    for (int i = 0; i < BROW_HAIRS; i++)
        add_brow_hair(part, c, powf(((float)i + random_unit(&seed) * 0.8f) / BROW_HAIRS, 0.95f), &seed);
}

static void add_lash(struct part *part, const struct character *c, float side, float t, unsigned *seed)
{
    float w = c->eye_width, x = blend(-w + 0.25f, w - 0.02f, t);
    float y = lid_top(c, x) - 0.01f, r = c->eye_radius + 0.14f;
    vec3 root = add(eye_center(c), v3(x, y, sqrtf(maxf(r * r - x * x - y * y, 0.1f))));
    float reach = blend(0.13f, 0.42f, powf(t, 1.2f)) * (0.8f + 0.35f * random_unit(seed)) * c->lash_length;
    float out = blend(-0.35f, 0.95f, t) + random_signed(seed) * 0.12f;
    struct strand_row rows[LASH_ROWS];
    for (int k = 0; k < LASH_ROWS; k++) {
        float e = (float)k / (LASH_ROWS - 1);
        float rise = 0.05f * e + 0.72f * e * e;
        vec3 p = along(root, v3(out * e * 0.9f, rise, 0.95f * e - 0.35f * e * e), reach);
        float width = 0.024f * (1 - 0.95f * e) + 0.002f;
        rows[k] = (struct strand_row){p, v3(0, 0.5f, 0.87f), root, width, 0};
        if (side < 0) {
            rows[k].center = mirror(p);
            rows[k].anchor = mirror(root);
        }
    }
    struct strand_look look = {linear_color(0x1A100C), linear_color(0x1A100C), 1, 1, 0};
    part_add_strand(part, rows, LASH_ROWS, 1, &look);
}

/* The dark edge that many lashes make together. */
static void add_liner(struct part *part, const struct character *c, float side)
{
    struct strand_row rows[LINER_ROWS];
    for (int i = 0; i < LINER_ROWS; i++) {
        float t = (float)i / (LINER_ROWS - 1), x = blend(-c->eye_width + 0.1f, c->eye_width - 0.03f, t);
        float y = lid_top(c, x) + 0.02f, r = c->eye_radius + 0.19f;
        vec3 e = v3(x, y, sqrtf(maxf(r * r - x * x - y * y, 0.1f))), p = add(eye_center(c), e);
        float width = c->liner * blend(0.02f, 0.075f, t) * ease(1.0f, 0.9f, t) + 0.008f;
        rows[i] = (struct strand_row){p, unit(e), p, width, 0.04f};
        if (side < 0)
            rows[i].center = rows[i].anchor = mirror(p), rows[i].normal = mirror(rows[i].normal);
    }
    struct strand_look look = {linear_color(0x1C110D), linear_color(0x1C110D), 1, 1, 0};
    part_add_strand(part, rows, LINER_ROWS, 2, &look);
}

void build_lashes(struct sculpture *s, const struct character *c)
{
    struct part *part = sculpture_add(s, "lashes", CP_SURFACE_LASH, RIG_FACE);
    for (int side = -1; side <= 1; side += 2) {
        unsigned seed = 5; /* the same on both sides */
        for (int i = 0; i < LASHES; i++)
            add_lash(part, c, (float)side, ((float)i + 0.5f + random_signed(&seed) * 0.3f) / LASHES, &seed);
        add_liner(part, c, (float)side);
    }
}
