#include "head.h"
#include "face.h"

static float sd_skull(vec3 q, const struct character *c)
{
    float full = c->cheek_fullness, neck = c->neck_width;
    float d = sd_ellipsoid(q, v3(0, 3.5f, -1.0f), v3(7.25f, 7.9f, 9.2f));
    d = join(d, sd_ellipsoid(q, v3(0, -2.2f, 1.7f), v3(6.15f, 7.3f, 6.5f)), 1.6f);
    d = join(d, sd_capsule(q, v3(4.15f, -5.2f, 0.9f), v3(2.95f, -7.6f, 3.8f), 1.5f, 1.4f), 2.4f); /* jaw */
    d = join(d, sd_capsule(q, v3(2.95f, -7.6f, 3.8f), v3(1.2f, -9.2f, 6.1f), 1.4f, 1.4f), 2.4f);
    d = join(d, sd_ellipsoid(q, v3(0, -9.15f, 6.85f), v3(c->chin_width, 1.30f, 1.4f)), 2.8f); /* chin */
    d = join(d, sd_ellipsoid(q, v3(3.75f, -2.75f, 5.15f), scale(v3(2.45f, 2.05f, 2.25f), full)), 2.3f);
    d = join(d, sd_ellipsoid(q, v3(5.35f, -1.6f, 2.3f), v3(1.35f, 1.5f, 2.6f)), 2.2f); /* cheekbone */
    d = join(d, sd_ellipsoid(q, v3(0, -6.7f, 6.55f), v3(2.9f, 2.5f, 2.35f)), 1.6f);    /* muzzle */
    d = join(d, sd_ellipsoid(q, v3(3.45f, -5.0f, 3.9f), v3(2.0f, 2.4f, 2.4f)), 2.6f);
    d = join(d, sd_capsule(q, v3(1.0f, 1.95f, 7.35f), v3(3.6f, 2.65f, 6.75f), 0.7f, 0.75f),
             1.4f); /* brow ridge */
    d = join(d, sd_capsule(q, v3(3.6f, 2.65f, 6.75f), v3(5.9f, 1.4f, 3.7f), 0.75f, 0.6f), 1.4f);
    d = join(d, sd_capsule(q, v3(0, -7, -2.6f), v3(0, -19, -3.9f), 4.1f * neck, 4.6f * neck), 2.3f);
    d = join(d, sd_capsule(q, v3(3.9f * neck, -6.0f, -2.8f), v3(1.3f, -15.2f, -0.6f), 0.6f, 0.45f),
             1.6f);                                                                        /* SCM */
    return carve(d, sd_ellipsoid(q, v3(3.45f, 0.1f, 8.3f), v3(2.75f, 1.55f, 1.6f)), 1.3f); /* orbit */
}

static float sd_nose(vec3 q, const struct character *c)
{
    q.x /= c->nose_width;
    float d = sd_capsule(q, v3(0, 0.9f, 7.2f), v3(0, -3.2f, 9.3f), 0.56f, 0.62f);
    d = join(d, sd_ellipsoid(q, v3(0, -3.55f, 9.55f), v3(0.84f, 0.76f, 0.84f)), 0.7f);
    d = join(d, sd_ellipsoid(q, v3(0.80f, -3.90f, 8.75f), v3(0.54f, 0.56f, 0.85f)), 0.75f);
    return join(d, sd_capsule(q, v3(0, -4.05f, 9.2f), v3(0, -4.7f, 8.3f), 0.36f, 0.45f), 0.4f);
}

float sd_nostril(const struct character *c, vec3 p)
{
    p.x = fabsf(p.x) / c->nose_width;
    return sd_ellipsoid(rotate_x(sub(p, v3(0.50f, -4.53f, 9.15f)), 0.35f), v3(0, 0, 0),
                        v3(0.30f, 0.30f, 0.48f));
}

/* Outward displacement of the front of the face: lips, philtrum, the fold under the lip, mouth corners. */
static float face_relief(const struct character *c, float x, float y)
{
    float w = c->mouth_width, a = fabsf(x), line = lip_line(c, x), top = lip_top(c, x),
          bottom = lip_bottom(c, x);
    float round = sqrtf(1 - square(clampf(a / w, 0, 1))), h = 0;
    if (a < w) {
        float s = (y - line) / (top - line + 0.02f);
        if (s > -0.5f && s < 1.5f)
            h += 0.40f * round * maxf(0, 1 - square((s - 0.38f) / 0.75f)) * ease(-0.5f, 0.05f, s);
        s = (line - y) / (line - bottom + 0.02f);
        if (s > -0.5f && s < 1.6f)
            h += 0.46f * round * maxf(0, 1 - square((s - 0.42f) / 0.72f)) * ease(-0.5f, 0.05f, s);
    }
    h += 0.05f * bell(y - top, 0.14f) * round; /* vermilion ridge */
    h -= 0.20f * bell(y - (MOUTH_Y - 1.62f), 0.55f) * bell(x, 1.5f);
    float philtrum = ease(MOUTH_Y + 0.7f, MOUTH_Y + 0.95f, y) * ease(-5.0f, -5.5f, y);
    h += (0.05f * bell(a - 0.42f, 0.24f) - 0.08f * bell(x, 0.32f)) * philtrum;
    float corner_y = lip_line(c, w);
    h -= 0.12f * bell(a - w - 0.12f, 0.32f) * bell(y - corner_y, 0.35f);
    h += 0.10f * bell(a - w - 0.55f, 0.45f) * bell(y - corner_y, 0.7f);
    /* from the wing of the nose past the corner of the mouth: a soft valley with the cheek above it */
    float down = ease(-3.9f, -5.0f, y) * ease(-8.4f, -6.6f, y),
          off = a - blend(1.55f, 3.35f, (-4.1f - y) / 3.6f);
    h += c->folds * down * (0.07f * bell(off - 0.5f, 0.5f) - 0.13f * bell(off, 0.26f));
    return h;
}

float sd_ear(const struct character *c, vec3 p)
{
    (void)c;
    vec3 q = sub(p, v3(7.05f, -1.4f, -1.3f));
    if (length(q) > 6)
        return length(q) - 4.0f;
    q = rotate_x(rotate_y(q, 0.42f), -0.16f);
    float d = join(sd_ellipsoid(q, v3(0, 0.6f, -0.15f), v3(0.5f, 2.15f, 1.65f)),
                   sd_ellipsoid(q, v3(0.05f, -1.95f, 0.25f), v3(0.45f, 0.95f, 0.8f)), 0.9f);
    d = carve(d, sd_ellipsoid(q, v3(0.62f, 0.5f, -0.25f), v3(0.45f, 1.75f, 1.25f)), 0.25f);
    static const vec3 helix[] = {{0.2f, -0.2f, 0.35f},   {0.3f, 0.5f, 1.0f},   {0.3f, 1.7f, 1.2f},
                                 {0.32f, 2.5f, 0.2f},    {0.36f, 2.2f, -1.0f}, {0.38f, 1.0f, -1.65f},
                                 {0.34f, -0.5f, -1.35f}, {0.25f, -1.6f, -0.6f}};
    static const float helix_r[] = {0.16f, 0.24f, 0.27f, 0.3f, 0.3f, 0.28f, 0.24f, 0.16f};
    d = join(d, sd_tube(q, helix, helix_r, 8), 0.3f);
    static const vec3 antihelix[] = {{0.25f, 1.5f, -0.1f},
                                     {0.34f, 0.5f, -0.75f},
                                     {0.32f, -0.7f, -0.7f},
                                     {0.3f, -1.3f, -0.1f},
                                     {0.25f, -1.2f, 0.5f}};
    static const float antihelix_r[] = {0.18f, 0.26f, 0.25f, 0.24f, 0.15f};
    d = join(d, sd_tube(q, antihelix, antihelix_r, 5), 0.35f);
    d = carve(d, sd_ellipsoid(q, v3(0.5f, -0.35f, 0.15f), v3(0.55f, 0.75f, 0.6f)), 0.25f);
    return join(d, sd_ellipsoid(q, v3(0.2f, -0.55f, 0.95f), v3(0.3f, 0.45f, 0.35f)), 0.25f); /* tragus */
}

/* Adds the lids to the head's distance and opens them in front of the eyeball. */
static float with_lids(float d, const struct character *c, vec3 q)
{
    vec3 e = sub(q, eye_center(c));
    float r = length(e), ball = c->eye_radius;
    if (r > 4.5f)
        return d;
    float thickness = 0.17f + 0.16f * ease(1.1f, 1.9f, e.x) + 0.10f * ease(-1.2f, -1.8f, e.x);
    d = join(d, r - (ball + thickness), blend(1.25f, 0.45f, ease(-0.7f, 0.5f, e.y)));
    vec3 fold_in = v3(c->eye_apart - 1.15f, 1.42f, 7.1f), fold_out = v3(c->eye_apart + 1.9f, 1.25f, 5.9f);
    d = join(d, sd_capsule(q, fold_in, fold_out, 0.26f, 0.07f), 0.72f); /* fat pad above the crease */
    if (e.z > 0)
        d = meet(d, -eye_opening(c, e.x, e.y), 0.14f);
    d = maxf(d, ball + 0.02f - r); /* the socket */
    vec3 caruncle =
        v3(c->eye_apart - c->eye_width + 0.07f, lid_top(c, -c->eye_width) + 0.02f, c->eye_depth + 1.26f);
    return join(d, sd_ellipsoid(q, caruncle, v3(0.20f, 0.15f, 0.2f)), 0.08f);
}

float sd_mouth_cavity(const struct character *c, vec3 p)
{
    (void)c;
    return sd_ellipsoid(v3(fabsf(p.x), p.y, p.z), v3(0, -7.1f, 5.1f), v3(2.9f, 1.75f, 3.0f));
}

/* The slit between the lips, 0.7 mm high, into the cavity behind the teeth. */
static float with_mouth(float d, const struct character *c, vec3 q)
{
    float slit =
        maxf(fabsf(q.y - lip_line(c, q.x)) - 0.035f, maxf(q.x - (c->mouth_width - 0.08f), 6.5f - q.z));
    d = meet(d, -slit, 0.22f);
    return meet(d, -sd_mouth_cavity(c, q), 0.15f);
}

float sd_head(const struct character *c, vec3 p)
{
    vec3 q = v3(fabsf(p.x), p.y, p.z);
    float d = join(sd_skull(q, c), sd_nose(q, c), 1.25f);
    d = carve(d, sd_nostril(c, q), 0.22f);
    if (q.z > 3)
        d -= face_relief(c, q.x, q.y) * ease(4.0f, 6.5f, q.z);
    d = with_lids(d, c, q);
    d = join(d, sd_ear(c, q), 0.5f);
    if (q.y < -5) {
        float chest = sd_body(c, p);
        float collarbone = sd_capsule(q, v3(1.3f, -16.4f, 0.4f), v3(8.0f, -14.6f, -1.8f), 0.25f, 0.3f);
        chest = join(chest, collarbone, 1.3f);
        chest = meet(chest, maxf(q.x - 8.0f, -25.5f - q.y), 0.3f);
        d = join(d, chest, 1.4f);
    }
    return with_mouth(d, c, q);
}

float sd_scene(const struct character *c, vec3 p)
{
    return minf(minf(sd_head(c, p), sd_body(c, p) - 0.9f), sd_hair_cap(c, p));
}

float occlusion_at(const struct character *c, vec3 p, vec3 normal)
{
    static const float heights[] = {0.25f, 0.6f, 1.2f, 2.2f, 3.8f};
    float sum = 0, weight = 1;
    for (int i = 0; i < 5; i++) {
        float d = sd_scene(c, along(p, normal, heights[i]));
        sum += weight * maxf(0, heights[i] - d) / heights[i];
        weight *= 0.72f;
    }
    return clampf(1 - 0.42f * sum, 0.12f, 1);
}

void build_head(struct sculpture *s, const struct character *c)
{
    const struct axis axes[3] = {
        {-10, 10, 0.6f, {{-5.6f, 5.6f, 0.115f}, {-8.5f, -6.8f, 0.22f}, {6.8f, 8.5f, 0.22f}}, 3},
        {-26.5f,
         12.5f,
         0.6f,
         {{-1.1f, 1.6f, 0.10f},
          {-5.3f, -3.6f, 0.12f},
          {-8.2f, -5.9f, 0.085f},
          {-7.12f, -6.7f, 0.03f},
          {-10, 3, 0.17f}},
         5},
        {-11.5f, 11.5f, 0.6f, {{5.2f, 10.5f, 0.12f}, {-3.2f, 0.6f, 0.24f}}, 2},
    };
    struct part *part = sculpture_add(s, "head", CP_SURFACE_SKIN, RIG_FACE);
    part_add_surface(part, sd_head, c, axes);
    part->max_triangles = 18500;
}
