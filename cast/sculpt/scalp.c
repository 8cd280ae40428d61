/*
 * Hair that lies on the scalp: locks from roots that are spread evenly over it, each laid along a flow and
 * kept at its height over the bed. Combed back, or gathered in a bun.
 */
#include "hair.h"
#include "head.h"

enum { ROOTS = 1120, ROWS_MAX = 8, COILS = 34 };

static const vec3 bun_center = {0, 12.6f, -7.2f}, bun_axis = {0, 0.866f, -0.5f};
static const float BUN_RADIUS = 2.75f;

struct scalp_lock {
    vec3 root;
    float length, width, lift, body;
    int rows;
    float stray; /* turns it off the flow, radians */
    bool fine;   /* flat: too narrow to show an arch */
};

/* Where hair wants to go from p, not yet along the surface. */
static vec3 flow(const struct character *c, vec3 p)
{
    if (c->hair_style >= HAIR_BUN)
        return unit(sub(bun_center, p));
    float top = ease(4.5f, 8.0f, p.y), back = ease(-2.0f, -8.0f, p.z);
    vec3 side = v3(0, -0.75f, -0.65f), crown = v3(-0.30f + 0.07f * p.x, 0.1f, -1);
    vec3 to = blend3(side, crown, top);
    return unit(blend3(to, v3(0.02f * p.x, -1, -0.15f), back));
}

static void add_scalp_lock(struct part *part, const struct character *c, const struct scalp_lock *lock,
                           unsigned *seed)
{
    struct strand_row rows[ROWS_MAX];
    vec3 p = lock->root;
    for (int k = 0; k < lock->rows; k++) {
        float t = (float)k / (float)(lock->rows - 1);
        float height =
            lock->lift * ease(-0.05f, 0.45f, t) * (1 - 0.35f * t) - 0.40f * (1 - ease(0, 0.22f, t));
        p = sd_project(sd_hair_bed, c, p, height);
        vec3 normal = unit(sd_gradient(sd_hair_bed, c, p, 0.1f)), to = flow(c, p);
        to = unit(along(to, normal, -dot(to, normal)));
        to = unit(along(to, cross(normal, to), lock->stray * sinf(t * 2.6f + 0.3f)));
        float taper = blend(0.10f, 1, ease(0, 0.30f, t)) * powf(1 - 0.97f * powf(t, 2.6f), 0.8f);
        rows[k] = (struct strand_row){p, normal, p, maxf(lock->width * taper, 0.012f), lock->body * taper};
        p = along(p, to, lock->length / (float)(lock->rows - 1));
    }
    float temple = ease(5.5f, -1, lock->root.y);
    float grey = clampf(c->hair_grey * blend(0.7f, 1.5f, temple) + 0.28f * random_signed(seed), 0, 1) *
                 ease(0, 0.05f, c->hair_grey);
    float shade = 0.72f + 0.5f * random_unit(seed);
    vec3 root = blend3(c->color.hair, c->color.grey, 0.62f * grey),
         tip = blend3(c->color.hair_tip, c->color.grey, 0.85f * grey);
    struct strand_look look = {scale(root, shade), scale(tip, shade), 0.62f, 1, random_unit(seed) * 20, true};
    part_add_strand(part, rows, lock->rows, lock->fine ? 1 : 2, &look);
}

/* Long on top and short at the sides and nape. */
static struct scalp_lock short_lock(const struct character *c, vec3 root, float edge, unsigned *seed)
{
    float top = ease(3.5f, 8.0f, root.y), front = ease(1, 6, root.z) * top;
    struct scalp_lock lock = {.root = root, .rows = top > 0.5f ? 7 : 4};
    lock.length = blend(1.9f, 5.6f, top) * c->hair_length * (0.75f + 0.5f * random_unit(seed));
    lock.lift = blend(0.16f, 0.55f, top) * c->hair_volume * (0.7f + 0.7f * random_unit(seed)) +
                0.75f * front * c->hair_volume;
    lock.width = blend(0.26f, 0.42f, top) * (0.5f + 0.8f * random_unit(seed));
    lock.width *= blend(1, 0.34f, edge);
    lock.lift *= blend(1, 0.7f, edge);
    lock.body = 0.55f * lock.width;
    lock.stray = 0.22f * c->hair_wave * random_signed(seed);
    return lock;
}

static struct scalp_lock bun_lock(const struct character *c, vec3 root, float edge, unsigned *seed)
{
    struct scalp_lock lock = {.root = root, .rows = 6};
    lock.length = minf(length(sub(bun_center, root)) * 1.15f - 1.5f, 11);
    lock.lift = (0.12f + 0.30f * random_unit(seed)) * c->hair_volume;
    lock.width = 0.30f + 0.45f * square(random_unit(seed));
    lock.width *= blend(1, 0.30f, edge);
    lock.lift *= blend(1, 0.5f, edge);
    lock.length *= blend(1, 0.6f, edge);
    lock.body = 0.45f * lock.width;
    lock.stray = 0.05f * c->hair_wave * random_signed(seed);
    return lock;
}

/* The bun: locks wound round a ball, a dark layer and a lit one. */
static void add_bun(struct part *part, const struct character *c, unsigned *seed)
{
    vec3 ahead = cross(bun_axis, v3(1, 0, 0));
    for (int i = 0; i < COILS; i++) {
        bool outer = i >= COILS / 2;
        float radius = BUN_RADIUS + (outer ? 0.28f * random_unit(seed) : -0.25f);
        float turn = 6.2832f * random_unit(seed), high = radians(68) * random_signed(seed),
              drift = radians(30) * random_signed(seed), reach = radians(150);
        struct strand_row rows[ROWS_MAX];
        for (int k = 0; k < ROWS_MAX; k++) {
            float t = (float)k / (ROWS_MAX - 1), latitude = high + drift * (t - 0.5f), at = turn + reach * t;
            vec3 out = add(scale(bun_axis, sinf(latitude)),
                           scale(add(v3(cosf(at), 0, 0), scale(ahead, sinf(at))), cosf(latitude)));
            float taper = sqrtf(maxf(sinf(3.1416f * t), 0.02f));
            vec3 p = along(bun_center, out, radius);
            rows[k] = (struct strand_row){p, out, p, (outer ? 0.42f : 0.85f) * taper, 0.24f * taper};
        }
        float shade = (outer ? 0.85f : 0.6f) + 0.4f * random_unit(seed);
        struct strand_look look = {scale(c->color.hair, shade), scale(c->color.hair_tip, shade),
                                   outer ? 0.6f : 0.4f, outer ? 1 : 0.7f, random_unit(seed) * 20};
        part_add_strand(part, rows, ROWS_MAX, 2, &look);
    }
}

void add_scalp_hair(struct part *part, const struct character *c, unsigned *seed)
{
    bool bun = c->hair_style >= HAIR_BUN;
    for (int i = 0; i < ROOTS; i++) { /* a spiral of golden angles: even over a ball */
        float y = 1 - 2 * ((float)i + 0.5f) / ROOTS, around = 2.3999632f * (float)i;
        vec3 out = v3(sqrtf(1 - y * y) * cosf(around), y, sqrtf(1 - y * y) * sinf(around));
        vec3 p = sd_project(sd_hair_bed, c, add(v3(0, 2.5f, -1.5f), scale(out, 9)), 0);
        float depth = sd_hair_cap(c, p), inside = depth + 0.22f * random_signed(seed); /* no straight line */
        if (inside > (bun ? 0.4f : 0.3f) || p.y < -6 || (p.y < -2.2f && p.z > -4.8f) ||
            sd_ear(c, v3(fabsf(p.x), p.y, p.z)) < 0.35f)
            continue;
        float edge = ease(-1.1f, -0.2f, depth); /* finer there, where roots show; elsewhere fewer will do */
        if (random_unit(seed) < (bun ? blend(0.89f, 0.05f, edge) : blend(0.50f, 0, edge)))
            continue;
        for (int hair = 0; hair < (edge > 0.6f ? 4 : edge > 0.3f ? 2 : 1); hair++) { /* many and fine there */
            vec3 aside = v3(0.45f * random_signed(seed), 0.35f * random_signed(seed), 0);
            vec3 root = hair ? add(p, aside) : p;
            struct scalp_lock lock = bun ? bun_lock(c, root, edge, seed) : short_lock(c, root, edge, seed);
            lock.rows = edge > 0.3f ? 4 : lock.rows;
            lock.fine = edge > 0.6f;
            lock.width *= hair ? blend(1, 0.45f, edge) : 1;
            add_scalp_lock(part, c, &lock, seed);
        }
    }
    if (bun)
        add_bun(part, c, seed);
}
