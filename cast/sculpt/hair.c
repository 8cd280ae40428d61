/*
 * A shoulder-length cut with a parting on her left: layers of locks, each swept along a path blended between
 * guide curves and kept off the skull by a field. Lower layers are wide and dark, upper ones narrow and lit.
 */
#include "hair.h"
#include "head.h"

enum { GUIDES = 4, GUIDE_POINTS = 8, LOCK_ROWS_MAX = 24 };

typedef const vec3 guide_set[GUIDES][GUIDE_POINTS];

/* clang-format off */
/* From the forehead to the back of the head; first the larger side (her right), then the smaller. */
static guide_set right_guides = {
    {{1.9f, 8.7f, 6.6f}, {0.0f, 9.6f, 7.7f}, {-3.5f, 7.9f, 7.9f}, {-6.5f, 3.9f, 5.9f}, {-7.9f, -0.5f, 4.0f}, {-8.25f, -4.8f, 3.3f}, {-7.8f, -9.0f, 3.4f}, {-7.15f, -12.8f, 3.9f}},
    {{1.9f, 11.8f, 2.0f}, {-1.2f, 12.6f, 3.4f}, {-5.4f, 10.4f, 3.4f}, {-8.4f, 5.6f, 1.8f}, {-9.3f, 0, 0.4f}, {-9.3f, -4.8f, -0.2f}, {-8.75f, -9.2f, 0.1f}, {-7.9f, -13.1f, 0.8f}},
    {{1.6f, 12.4f, -2.5f}, {-1.6f, 12.9f, -2.8f}, {-5.8f, 10.4f, -3.8f}, {-8.6f, 5.2f, -4.6f}, {-9.2f, 0, -4.8f}, {-8.9f, -5, -5.0f}, {-8.1f, -9.4f, -4.8f}, {-7.0f, -13.3f, -4.2f}},
    {{1.0f, 12.0f, -6.5f}, {-0.2f, 11.0f, -8.8f}, {-1.0f, 8.5f, -11.0f}, {-1.2f, 4.5f, -11.8f}, {-1.2f, 0, -11.8f}, {-1.2f, -5, -11.0f}, {-1.1f, -9.6f, -9.8f}, {-0.9f, -13.1f, -7.8f}}};
static guide_set left_guides = {
    {{1.9f, 8.7f, 6.6f}, {3.3f, 8.7f, 7.0f}, {5.3f, 6.8f, 6.1f}, {7.0f, 4.0f, 3.9f}, {8.1f, 1.2f, 0.8f}, {8.5f, -3.0f, -1.4f}, {8.1f, -8.0f, -1.0f}, {7.4f, -12.6f, -0.2f}},
    {{1.9f, 11.8f, 2.0f}, {3.8f, 11.7f, 2.2f}, {6.5f, 9.5f, 1.6f}, {8.4f, 5.2f, -0.2f}, {9.0f, 0.5f, -2.8f}, {9.0f, -4.8f, -4.0f}, {8.4f, -9.2f, -3.5f}, {7.4f, -13.0f, -2.8f}},
    {{1.6f, 12.4f, -2.5f}, {3.6f, 12.1f, -3.2f}, {6.6f, 9.9f, -4.2f}, {8.6f, 5.2f, -5.2f}, {9.2f, 0, -5.6f}, {8.9f, -5, -5.8f}, {8.0f, -9.4f, -5.5f}, {6.8f, -13.1f, -4.6f}},
    {{1.0f, 12.0f, -6.5f}, {1.6f, 11.0f, -8.8f}, {1.6f, 8.5f, -11.0f}, {1.6f, 4.5f, -11.8f}, {1.4f, 0, -11.8f}, {1.4f, -5, -11.0f}, {1.3f, -9.6f, -9.8f}, {1.0f, -13.1f, -7.8f}}};
/* clang-format on */

float sd_hair_cap(const struct character *c, vec3 p)
{
    (void)c;
    static const float hairline[][2] = {{-9, -4.5f}, {-4, -3.6f}, {-2.4f, -2.8f}, {-0.8f, 0.9f}, {1, 2.8f},
                                        {3, 4.4f},   {6, 5.7f},   {8.0f, 6.9f},   {9.2f, 9.5f},  {20, 30}};
    float d = sd_ellipsoid(p, v3(0, 3.7f, -1.2f), v3(7.75f, 8.35f, 9.65f));
    d = join(d, sd_ellipsoid(p, v3(0, -3.5f, -4.5f), v3(6.0f, 7, 5.2f)), 2);
    d = meet(d, (p.z - table_at(hairline, 10, p.y)) * 0.8f, 0.5f);
    return meet(d, -8.5f - p.y, 1.0f);
}

float sd_hair_bed(const struct character *c, vec3 p)
{
    vec3 q = v3(fabsf(p.x), p.y, p.z);
    float d = sd_ellipsoid(q, v3(0, 3.6f, -1.1f), v3(7.5f, 8.2f, 9.5f));
    d = join(d, sd_ellipsoid(q, v3(0, -2.2f, 1.5f), v3(6.3f, 8.3f, 6.3f)), 2);
    d = join(d, sd_capsule(q, v3(0, -7, -2.6f), v3(0, -16, -3.6f), 5.0f, 5.2f), 2.5f);
    (void)c;
    return join(d, sd_ellipsoid(q, v3(7.2f, -1.2f, -1.0f), v3(0.7f, 2.6f, 1.8f)), 1.0f);
}

/* Which way a lock faces: off the skull above, away from the neck's axis below, so that locks do not twist at
 * the jaw. */
static vec3 hair_normal(const struct character *c, vec3 p)
{
    vec3 off_bed = unit(sd_gradient(sd_hair_bed, c, p, 0.1f)), off_axis = unit(v3(p.x, 0, p.z + 3.0f));
    return unit(blend3(off_bed, off_axis, ease(1, -6, p.y)));
}

struct range {
    float middle, spread;
};
struct layer {
    int count;
    struct range lift;   /* off the bed, cm */
    struct range width;  /* half width of a lock, cm */
    float body;          /* height of its arch, cm */
    struct range length; /* share of the guide */
    float stray;         /* how far a lock leaves its path, cm */
    float to;            /* which guides, from the front (0) to this (1 the back) */
    int rows, across;
    float root;  /* share of its width that a lock has at the parting */
    float taper; /* the higher, the later a lock thins out */
    float shade; /* colour multiplier */
};

/* clang-format off */
static const struct layer layers[] = {
    {.count = 12, .lift = {0.30f, 0.05f}, .width = {1.45f, 0.10f}, .body = 0.70f, .length = {0.985f, 0.015f},
     .stray = 0.05f, .to = 1, .rows = 16, .across = 3, .root = 0.95f, .taper = 9, .shade = 0.80f},
    {.count = 13, .lift = {0.60f, 0.22f}, .width = {1.00f, 0.30f}, .body = 0.62f, .length = {0.965f, 0.035f},
     .stray = 0.20f, .to = 1, .rows = 20, .across = 3, .root = 0.45f, .taper = 5, .shade = 0.93f},
    {.count = 14, .lift = {0.85f, 0.25f}, .width = {0.52f, 0.28f}, .body = 0.40f, .length = {0.945f, 0.055f},
     .stray = 0.34f, .to = 0.92f, .rows = 14, .across = 2, .root = 0.45f, .taper = 3.4f, .shade = 1.03f},
    {.count = 16, .lift = {1.10f, 0.30f}, .width = {0.20f, 0.14f}, .body = 0.14f, .length = {0.93f, 0.07f},
     .stray = 0.50f, .to = 0.90f, .rows = 10, .across = 2, .root = 0.45f, .taper = 2.6f, .shade = 1.15f},
    {.count = 12, .lift = {1.25f, 0.30f}, .width = {0.05f, 0.03f}, .body = 0.03f, .length = {0.92f, 0.08f},
     .stray = 0.80f, .to = 0.85f, .rows = 10, .across = 2, .root = 0.45f, .taper = 2.2f, .shade = 1.20f},
};
/* clang-format on */

/* One lock's way and temper. */
struct lock {
    vec3 path[GUIDE_POINTS];
    float lift, width, reach, wave, phase, aside, curl;
};

static struct lock draw_lock(const struct character *c, guide_set guides, const struct layer *layer,
                             float place, unsigned *seed)
{
    struct lock lock;
    float at = clampf(place, 0, 0.999f) * (GUIDES - 1);
    int g = (int)at;
    for (int k = 0; k < GUIDE_POINTS; k++) {
        lock.path[k] = blend3(guides[g][k], guides[g + 1][k], at - (float)g);
        if (k >= 4) /* below the eyes, longer or shorter hair */
            lock.path[k].y = -0.5f + (lock.path[k].y + 0.5f) * c->hair_length;
    }
    lock.lift = (layer->lift.middle + layer->lift.spread * random_unit(seed)) * c->hair_volume;
    lock.width = layer->width.middle + layer->width.spread * random_signed(seed);
    lock.reach = minf(layer->length.middle + layer->length.spread * random_signed(seed), 1);
    lock.reach *= blend(c->hair_cut_front, c->hair_cut_back, place);
    lock.phase = random_unit(seed) * 6.28f;
    lock.wave = layer->stray * c->hair_wave * (0.5f + random_unit(seed));
    lock.aside = random_signed(seed) * layer->stray;
    lock.curl = 0.8f + 0.4f * random_unit(seed);
    return lock;
}

/* A place on the lock: t = 0 root .. 1 tip. */
static struct strand_row lock_row(const struct character *c, const struct lock *lock,
                                  const struct layer *layer, float t)
{
    float along_guide = t * lock->reach;
    vec3 p = curve_at(lock->path, GUIDE_POINTS, along_guide), normal = hair_normal(c, p);
    /* never into the bed, and each layer a little higher than the one below */
    float off = sd_hair_bed(c, p), want = lock->lift * (0.75f + 0.25f * ease(0, 0.2f, t));
    float height = meet(off, want * 0.6f, 0.6f) + lock->lift * 0.4f;
    height = blend(height, minf(height, 0.15f + lock->lift), c->hair_hug * ease(0, 0.7f, t));
    p = along(p, normal, height - off);
    vec3 before = curve_at(lock->path, GUIDE_POINTS, along_guide - 0.02f);
    vec3 after = curve_at(lock->path, GUIDE_POINTS, along_guide + 0.02f);
    vec3 side = cross(unit(sub(after, before)), normal);
    float sway = sinf(along_guide * 5.5f + lock->phase) * lock->wave * 0.6f * ease(0.15f, 0.8f, t);
    float lifted = cosf(along_guide * 4 + lock->phase) * lock->wave * 0.14f * ease(0.3f, 1, t);
    p = along(p, side, sway + lock->aside * ease(0, 0.4f, t));
    p = along(p, normal, lifted - 0.4f * lock->curl * ease(0.5f, 1, t)); /* ends turn in */
    /* narrower at the root and flat, so that nobody looks into it; a long taper to a soft point */
    float taper = blend(layer->root, 1, ease(0, 0.25f, t)) * powf(1 - powf(t, layer->taper), 0.9f);
    return (struct strand_row){.center = p,
                               .normal = normal,
                               .anchor = p,
                               .half_width = maxf(lock->width * taper, 0.015f),
                               .height = maxf(layer->body * taper * ease(-0.02f, 0.10f, t), 0.01f)};
}

static void add_lock(struct part *part, const struct character *c, guide_set guides,
                     const struct layer *layer, float place, unsigned *seed)
{
    struct lock lock = draw_lock(c, guides, layer, place, seed);
    struct strand_row rows[LOCK_ROWS_MAX];
    for (int k = 0; k < layer->rows; k++) {
        float even = (float)k / (float)(layer->rows - 1);
        rows[k] = lock_row(c, &lock, layer, blend(even, even * even, 0.4f)); /* denser at the crown */
    }
    float shade = layer->shade * (0.85f + 0.28f * random_unit(seed));
    struct strand_look look = {.root_color = scale(c->color.hair, shade),
                               .tip_color = scale(c->color.hair_tip, shade),
                               .edge_occlusion = 0.66f,
                               .crest_occlusion = 1,
                               .u_offset = random_unit(seed) * 20,
                               .lying = place > 0.1f};
    part_add_strand(part, rows, layer->rows, layer->across, &look);
}

/* What shows under the locks at the brow, and between them and face or neck: their inner side, one dark sheet
 * from cheek to cheek round the nape. */
static void add_curtain(struct part *part, const struct character *c, unsigned *seed)
{
    enum { COLUMNS = 17, ROWS = 14 };
    const struct layer inner = {
        .lift = {0.10f, 0}, .width = {1, 0}, .length = {0.955f, 0.02f}, .root = 1, .taper = 5};
    int first = part->n_vertices;
    for (int i = 0; i < 2 * COLUMNS; i++) {
        bool left = i >= COLUMNS;
        float place = (float)(left ? 2 * COLUMNS - 1 - i : i) / (COLUMNS - 1);
        struct lock lock = draw_lock(c, left ? left_guides : right_guides, &inner, place, seed);
        lock.reach *= blend(1, c->nape, ease(0.5f, 1, place));
        for (int k = 0; k < ROWS; k++) {
            float t = blend(0.01f, 1, (float)k / (ROWS - 1));
            struct strand_row row = lock_row(c, &lock, &inner, t);
            struct vertex v = {.position = row.center,
                               .normal = scale(row.normal, -1),
                               .tangent = v3(0, -1, 0),
                               .color = scale(blend3(c->color.hair, c->color.hair_tip, t * t), 0.55f),
                               .occlusion = 0.5f,
                               .u = 0.9f * (float)i,
                               .v = t,
                               .anchor = row.center};
            part_add_vertex(part, &v);
        }
    }
    for (int i = 0; i + 1 < 2 * COLUMNS; i++)
        for (int k = 0; k + 1 < ROWS; k++) {
            int a = first + i * ROWS + k;
            part_add_quad(part, a, a + 1, a + ROWS + 1, a + ROWS);
        }
}

static void add_long_hair(struct part *part, const struct character *c, unsigned *seed)
{
    add_curtain(part, c, seed);
    for (size_t l = 0; l < sizeof layers / sizeof *layers; l++)
        for (int side = 0; side < 2; side++)
            for (int i = 0; i < layers[l].count; i++) {
                float even = ((float)i + random_unit(seed) * 0.5f) / ((float)layers[l].count - 0.75f);
                add_lock(part, c, side ? left_guides : right_guides, &layers[l], even * layers[l].to, seed);
            }
    /* the face and neck shade the ends that hang beside them */
    for (int i = 0; i < part->n_vertices; i++) {
        struct vertex *v = &part->vertices[i];
        v->occlusion *=
            blend(1, 0.45f, ease(-3, -11, v->position.y) * ease(2.5f, 0.3f, sd_hair_bed(c, v->position)));
    }
}

void build_hair(struct sculpture *s, const struct character *c)
{
    struct part *part = sculpture_add(s, "hair", CP_SURFACE_HAIR, RIG_HEAD);
    unsigned seed = (unsigned)c->hair_seed;
    if (c->hair_style < HAIR_SHORT)
        add_long_hair(part, c, &seed);
    else if (c->hair_style < HAIR_NONE)
        add_scalp_hair(part, c, &seed);
}
