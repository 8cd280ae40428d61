#include "body.h"

vec3 shoulder_joint(const struct character *c)
{
    return v3(c->shoulder_width, -19.6f, -4.2f);
}
vec3 elbow_joint(const struct character *c)
{
    return v3(c->shoulder_width + 4.7f, -45.5f, -5.0f);
}
vec3 wrist_joint(const struct character *c)
{
    return v3(c->shoulder_width + 5.9f, -67.5f, -0.5f);
}

/* Half width, half depth and centre of the trunk's ellipse at each height. */
static const float trunk_width[][2] = {{-90, 13.6f}, {-74, 14.2f}, {-66, 13.7f}, {-58, 11.6f}, {-50, 10.1f},
                                       {-44, 10.4f}, {-36, 11.9f}, {-28, 13.0f}, {-22, 12.4f}, {-17, 9.0f}};
static const float trunk_depth[][2] = {{-90, 8.8f}, {-74, 9.0f}, {-66, 8.7f}, {-58, 7.5f}, {-50, 6.5f},
                                       {-44, 6.5f}, {-36, 7.2f}, {-28, 7.6f}, {-22, 6.8f}, {-17, 5.2f}};
static const float trunk_center[][2] = {{-90, -4.2f}, {-66, -4.0f}, {-50, -3.3f}, {-36, -3.3f}, {-17, -4.1f}};

float sd_trunk(const struct character *c, vec3 p)
{
    /* the tables' corners are rounded by averaging three heights */
    float d = 0;
    for (int k = -1; k <= 1; k++) {
        float y = p.y + 2.2f * (float)k;
        float w = table_at(trunk_width, 10, y) + (1 - c->waist) * 2.2f * bell(y + 50, 12) +
                  (c->shoulder_width - 14.2f) * 0.8f,
              depth = table_at(trunk_depth, 10, y);
        float z = p.z - table_at(trunk_center, 5, y);
        d += sd_ellipsoid(v3(p.x, 0, z), v3(0, 0, 0), v3(w, 1, depth)) / 3;
    }
    return meet(d, p.y + 17, 3.0f);
}

float sd_arm(const struct character *c, vec3 q)
{
    vec3 shoulder = shoulder_joint(c), elbow = elbow_joint(c), wrist = wrist_joint(c);
    float d = sd_capsule(q, shoulder, elbow, 3.7f, 3.15f);
    return join(d, sd_capsule(q, elbow, wrist, 3.15f, 2.1f), 1.5f);
}

float sd_body(const struct character *c, vec3 p)
{
    vec3 q = v3(fabsf(p.x), p.y, p.z), shoulder = shoulder_joint(c);
    float d = sd_trunk(c, q);
    /* trapezius and shoulder girdle, from the neck down to the joint */
    d = join(d, sd_capsule(q, v3(2.2f, -14.9f, -4.2f), along(shoulder, v3(-1.0f, 1, 0), 1.0f), 3.0f, 3.4f),
             3.0f);
    /* the armpit is soft, but sleeves hang free of the trunk */
    d = join(d, sd_arm(c, q), blend(1.8f, 0.15f, ease(-24, -34, q.y)));
    /* cloth spans the middle of the bust, so both sides are blended instead of folded */
    const vec3 bust = scale(v3(5.0f, 5.2f, 4.2f), blend(0.72f, 1, c->bust));
    d = join(d,
             join(sd_ellipsoid(p, v3(5.3f, -28.2f, 1.4f), bust),
                  sd_ellipsoid(p, v3(-5.3f, -28.2f, 1.4f), bust), 5.0f),
             3.0f);
    float neck = c->neck_width;
    return join(d, sd_capsule(q, v3(0, -10.4f, -3.3f), v3(0, -18.4f, -4.0f), 3.9f * neck, 4.4f), 2.2f);
}

struct finger {
    vec3 root, direction;
    float lengths[3], radius, curl;
};

static float sd_finger(vec3 p, const struct finger *f)
{
    vec3 points[4];
    float radii[4];
    points[0] = f->root;
    radii[0] = f->radius;
    vec3 direction = f->direction;
    for (int k = 0; k < 3; k++) {
        points[k + 1] = along(points[k], direction, f->lengths[k]);
        radii[k + 1] = f->radius * (1 - 0.10f * (float)(k + 1));
        direction = rotate_z(direction, -f->curl);
    }
    return sd_tube(p, points, radii, 4);
}

/* Left hand, hanging: fingers point down and curl towards the thigh (-x), the thumb is in front (+z). */
float sd_hand(const struct character *c, vec3 p)
{
    static const struct finger fingers[] = {
        {{0.0f, -7.9f, 2.45f}, {-0.05f, -0.99f, 0.08f}, {3.7f, 2.3f, 1.7f}, 0.72f, 0.20f},
        {{0.1f, -8.4f, 0.80f}, {-0.07f, -1.0f, 0.02f}, {4.0f, 2.6f, 1.8f}, 0.74f, 0.24f},
        {{0.0f, -8.1f, -0.85f}, {-0.10f, -0.99f, -0.03f}, {3.7f, 2.4f, 1.7f}, 0.70f, 0.28f},
        {{-0.1f, -7.5f, -2.35f}, {-0.14f, -0.98f, -0.08f}, {2.9f, 1.9f, 1.5f}, 0.62f, 0.32f},
        {{-0.5f, -2.4f, 2.3f}, {-0.30f, -0.80f, 0.50f}, {3.0f, 2.7f, 2.1f}, 0.92f, 0.10f},
    };
    vec3 q = rotate_x(sub(p, wrist_joint(c)), 0.12f);
    float reach = length(sub(q, v3(0, -8, 0)));
    if (reach > 16)
        return reach - 12;
    q = scale(q, 1 / 0.92f);
    float d = sd_round_box(sub(q, v3(0, -4.7f, 0.05f)), v3(1.15f, 4.0f, 3.3f), 1.1f);
    d = join(d, sd_capsule(q, v3(0, 3, 0), v3(0, -2.2f, 0), 1.9f, 2.0f), 1.8f);
    d = join(d, sd_ellipsoid(q, v3(-0.6f, -3.4f, 2.0f), v3(1.1f, 2.2f, 1.5f)), 0.8f); /* ball of the thumb */
    float all = 1e9f;
    for (int i = 0; i < 5; i++)
        all = minf(all, sd_finger(q, &fingers[i]));
    return join(d, all, 0.45f) * 0.92f;
}

void build_hands(struct sculpture *s, const struct character *c)
{
    vec3 w = wrist_joint(c);
    const struct axis axes[3] = {
        {w.x - 6, w.x + 4, 0.24f, {{0}}, 0},
        {w.y - 18, w.y + 2.5f, 0.26f, {{0}}, 0},
        {w.z - 6, w.z + 9, 0.24f, {{0}}, 0},
    };
    struct part *part = sculpture_add(s, "hands", CP_SURFACE_SKIN, RIG_BODY);
    part_add_surface(part, sd_hand, c, axes);
    part_mirror(part);
    part->max_triangles = 2000;
    vec3 nail = blend3(c->color.skin, c->color.blush, 0.35f);
    for (int i = 0; i < part->n_vertices; i++) {
        struct vertex *v = &part->vertices[i];
        float tip = ease(w.y - 9, w.y - 16, v->position.y);
        float speckle = 0.97f + 0.06f * noise3(scale(v->position, 1.3f));
        v->color = scale(blend3(c->color.skin, nail, 0.25f + 0.5f * tip), speckle);
        vec3 above = along(v->position, v->normal, 0.9f);
        above.x = v->position.x > 0 ? above.x : -above.x; /* the field is the left hand's */
        v->occlusion = 0.55f + 0.45f * ease(0.05f, 0.9f, sd_hand(c, above));
        v->u = 0.1f;
    }
}
