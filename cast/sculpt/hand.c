/*
 * Hands: a palm with its muscles, four fingers with knuckles and pads, a thumb that opposes them, nails as
 * plates of their own. Proportions after the usual tables of hand anthropometry (a middle finger is 44 % of
 * the hand's length, bones of a finger go 1 : 0.63 : 0.45).
 */
#include "hand.h"

struct digit {
    vec3 joint[FINGER_POINTS]; /* in the hand's space, knuckle to tip */
    float radius[FINGER_POINTS];
    vec3 back; /* towards the nail; across the finger's length */
};

/* Nearly straight, as riggers want hands at rest: curled by 7 degrees a joint, fanned out so that the skin of
 * neighbours does not meet. */
static const struct digit digits[FINGER_COUNT] = {
    [THUMB] =
        {{{-0.95f, -2.3f, 2.05f}, {-2.55f, -5.35f, 4.45f}, {-3.45f, -8.05f, 5.55f}, {-4.0f, -10.2f, 6.05f}},
         {1.35f, 1.02f, 0.92f, 0.70f},
         {0.45f, 0.28f, 0.85f}},
    [INDEX] =
        {{{0.28f, -8.55f, 2.45f}, {0.02f, -12.60f, 2.88f}, {-0.42f, -15.0f, 3.10f}, {-0.92f, -16.55f, 3.22f}},
         {0.86f, 0.79f, 0.71f, 0.60f},
         {1, -0.1f, 0}},
    [MIDDLE] =
        {{{0.38f, -8.80f, 0.72f}, {0.10f, -13.25f, 0.82f}, {-0.38f, -16.0f, 0.86f}, {-0.92f, -17.65f, 0.88f}},
         {0.88f, 0.80f, 0.72f, 0.61f},
         {1, -0.1f, 0}},
    [RING] = {{{0.28f, -8.35f, -0.95f},
               {0.0f, -12.45f, -1.28f},
               {-0.46f, -15.05f, -1.46f},
               {-0.98f, -16.65f, -1.56f}},
              {0.83f, 0.75f, 0.67f, 0.57f},
              {1, -0.1f, 0}},
    [LITTLE] = {{{0.02f, -7.60f, -2.45f},
                 {-0.20f, -10.80f, -3.12f},
                 {-0.55f, -12.75f, -3.50f},
                 {-0.94f, -14.1f, -3.72f}},
                {0.74f, 0.66f, 0.58f, 0.49f},
                {1, -0.1f, 0}},
};
#define HAND_SCALE                                                                                           \
    0.97f /* of the table above, at hand_size 1: 18 cm from the wrist to the middle finger's tip */
#define HAND_TILT 0.12f /* radians: the hand goes on from the forearm, a little forward */

static float hand_scale(const struct character *c)
{
    return HAND_SCALE * c->hand_size;
}
static vec3 to_hand(const struct character *c, vec3 p)
{
    vec3 q = rotate_x(sub(arm_from_rest(c, p), hanging_wrist(c)), HAND_TILT);
    return scale(q, 1 / hand_scale(c));
}
static vec3 from_hand(const struct character *c, vec3 q)
{
    return arm_to_rest(c, add(rotate_x(scale(q, hand_scale(c)), -HAND_TILT), hanging_wrist(c)));
}

vec3 finger_point(const struct character *c, enum finger finger, int joint)
{
    return from_hand(c, digits[finger].joint[joint]);
}

/* The finger's axis at a joint, towards the tip. */
static vec3 digit_axis(const struct digit *d, int bone)
{
    return unit(sub(d->joint[bone + 1], d->joint[bone]));
}

/* Across the finger, towards its nail. */
static vec3 digit_back(const struct digit *d, int bone)
{
    vec3 axis = digit_axis(d, bone);
    return unit(along(d->back, axis, -dot(d->back, axis)));
}

static float sd_digit(vec3 p, const struct digit *d, bool thumb)
{
    float all = 1e9f;
    for (int k = 0; k < FINGER_JOINTS; k++)
        all = join(all, sd_capsule(p, d->joint[k], d->joint[k + 1], d->radius[k], d->radius[k + 1]), 0.15f);
    for (int k = 0; k < FINGER_JOINTS; k++) {
        vec3 back = digit_back(d, k), pad = blend3(d->joint[k], d->joint[k + 1], k == 2 ? 0.62f : 0.5f);
        float r = d->radius[k + 1];
        if (k > 0) /* the knuckle stands out on the back */
            all =
                join(all, sd_sphere(p, along(d->joint[k], back, 0.30f * d->radius[k]), 0.80f * d->radius[k]),
                     0.25f);
        if (k > 0 || !thumb) /* flesh between the creases on the palm's side */
            all = join(all, sd_sphere(p, along(pad, back, -0.34f * r), 0.80f * r), 0.55f);
    }
    return all;
}

/* Metacarpals and flesh of the palm. */
static float sd_palm(vec3 q)
{
    /* the back arches over the knuckles: four bones side by side */
    float d = 1e9f;
    for (int f = INDEX; f < FINGER_COUNT; f++) {
        vec3 knuckle = digits[f].joint[0], root = v3(-0.05f, -1.2f, 0.42f * knuckle.z);
        d = join(d, sd_capsule(q, root, knuckle, 1.12f, 0.92f), 0.9f);
        d = join(d, sd_sphere(q, add(knuckle, v3(0.26f, 0.1f, 0)), 0.70f), 0.45f);
    }
    /* the pads under the fingers reach past the knuckles, as webs do */
    d = join(d, sd_capsule(q, v3(-0.30f, -9.0f, 2.2f), v3(-0.35f, -9.35f, 0.4f), 0.80f, 0.82f), 0.6f);
    d = join(d, sd_capsule(q, v3(-0.35f, -9.35f, 0.4f), v3(-0.45f, -8.1f, -2.3f), 0.82f, 0.76f), 0.6f);
    d = join(d, sd_capsule(q, v3(-0.55f, -2.2f, -1.5f), v3(-0.50f, -6.6f, -2.45f), 1.10f, 0.85f),
             1.2f); /* little finger's edge */
    d = join(
        d,
        sd_ellipsoid(rotate_x(sub(q, v3(-0.85f, -3.9f, 2.0f)), -0.42f), v3(0, 0, 0), v3(1.15f, 2.7f, 1.45f)),
        1.0f);
    return join(d, sd_capsule(v3(q.x * 1.22f, q.y, q.z), v3(0, 6, -0.1f), v3(0, -0.8f, 0), 2.35f, 2.2f),
                1.6f);
}

float sd_hand(const struct character *c, vec3 p)
{
    vec3 q = to_hand(c, p);
    float reach = length(sub(q, v3(-1, -7, 1)));
    if (reach > 17)
        return (reach - 13) * hand_scale(c);
    float d = sd_palm(q);
    /* the web between thumb and index finger */
    const struct digit *thumb = &digits[THUMB];
    d = join(d, sd_digit(q, thumb, true), 0.9f);
    d = join(
        d,
        sd_capsule(q, blend3(thumb->joint[0], thumb->joint[1], 0.62f), v3(-0.15f, -6.6f, 2.5f), 0.62f, 0.5f),
        1.1f);
    float fingers = 1e9f;
    for (int f = INDEX; f < FINGER_COUNT; f++)
        fingers = join(fingers, sd_digit(q, &digits[f], false), 0.06f);
    return join(d, fingers, 0.5f) * hand_scale(c);
}

struct hand_shares hand_shares(const struct character *c, vec3 p)
{
    struct hand_shares ret = {.finger = MIDDLE, .palm = 1};
    vec3 q = to_hand(c, p);
    float nearest = 1e9f, second = 1e9f;
    for (int f = 0; f < FINGER_COUNT; f++) {
        float d = sd_digit(q, &digits[f], f == THUMB);
        second = minf(second, maxf(d, nearest));
        if (d < nearest) {
            nearest = d;
            ret.finger = (enum finger)f;
        }
    }
    const struct digit *digit = &digits[ret.finger];
    /* Each joint hands over to the next bone within a finger's radius of it, measured along the finger. The
     * first goes further: skin of the palm's side is dragged along. */
    float share[FINGER_JOINTS];
    for (int k = 0; k < FINGER_JOINTS; k++) {
        vec3 before = digit_axis(digit, k > 0 ? k - 1 : 0), after = digit_axis(digit, k);
        float t = dot(sub(q, digit->joint[k]), unit(add(before, after)));
        float reach = k > 0 ? 0.62f * digit->radius[k] : ret.finger == THUMB ? 1.5f : 1.3f;
        float from = k > 0 || ret.finger == THUMB ? -reach : -0.8f;
        share[k] = ease(from, reach, t);
    }
    /* Skin between two fingers, up to the web, stays with the palm: it must not jump from one to the other.
     */
    float out = dot(sub(q, digit->joint[0]), digit_axis(digit, 0));
    share[0] *= maxf(ease(0, 1.2f, second - nearest),
                     ret.finger == THUMB ? ease(2.6f, 5.0f, out) : ease(1.6f, 3.8f, out));
    if (ret.finger == THUMB) /* its muscle blends into the palm */
        share[0] *= ease(2.3f, 0.9f, nearest + 0.5f * maxf(0, -q.z + 1.2f));
    ret.palm = 1 - share[0];
    ret.bone[0] = share[0] * (1 - share[1]);
    ret.bone[1] = share[0] * share[1] * (1 - share[2]);
    ret.bone[2] = share[0] * share[1] * share[2];
    return ret;
}

/* A curved plate laid on the back of the last bone, its edges sunk into the skin. */
static void add_nail(struct part *part, const struct character *c, const struct digit *d, bool thumb)
{
    enum { ACROSS = 4, ALONG = 4 };
    vec3 axis = digit_axis(d, 2), back = digit_back(d, 2), side = cross(back, axis);
    float r = d->radius[FINGER_JOINTS], length_cm = thumb ? 1.45f : 1.95f * r, half = 0.80f * r;
    vec3 end = along(d->joint[FINGER_JOINTS], axis, 0.78f * r);
    int first = part->n_vertices;
    for (int i = 0; i <= ALONG; i++)
        for (int k = 0; k <= ACROSS; k++) {
            float t = (float)i / ALONG, s = 2 * (float)k / ACROSS - 1; /* from the cuticle to the tip */
            float rounding = 1 - 0.30f * square(square(2 * t - 1));
            vec3 q = along(along(end, axis, -length_cm * (1 - t) - 0.22f * s * s * r * ease(0.4f, 1, t)),
                           side, half * s * rounding);
            bool edge = i == 0 || k == 0 || k == ACROSS;
            struct vertex v = {.tangent = {0, 1, 0}, .occlusion = 1, .u = 0.45f};
            vec3 p = from_hand(c, along(q, back, 0.8f * r)), n = sub(from_hand(c, along(q, back, r)), p);
            float lift = edge ? -0.03f : 0.035f + 0.03f * ease(0.7f, 1, t);
            n = unit(n);
            for (int step = 0; step < 24; step++) /* down onto the skin, along one direction for all of it */
                p = along(p, n, -0.7f * (sd_hand(c, p) - lift));
            v.position = v.anchor = p;
            part_add_vertex(part, &v);
        }
    for (int i = 0; i < ALONG; i++)
        for (int k = 0; k < ACROSS; k++) {
            int a = first + i * (ACROSS + 1) + k, b = a + ACROSS + 1;
            part_add_quad(part, a, a + 1, b + 1, b);
        }
}

static void paint_hand(const struct character *c, struct vertex *v)
{
    vec3 q = to_hand(c, v->position), normal = unit(sub(to_hand(c, along(v->position, v->normal, 0.1f)), q));
    struct hand_shares shares = hand_shares(c, v->position);
    vec3 pale = blend3(c->color.skin_light, blend3(c->color.skin_light, c->color.blush, 0.35f), 0.6f);
    pale = along(pale, v3(1, 0.86f, 0.80f),
                 0.10f *
                     maxf(0, 1 - 2.2f * dot(pale, v3(0.3f, 0.6f, 0.1f)))); /* palms of dark hands are light */
    float inner = ease(0.15f, -0.45f, normal.x) * ease(-0.5f, -2.5f, q.y);
    vec3 color = blend3(c->color.skin, pale, 0.75f * inner);
    float knuckle = 0;
    const struct digit *d = &digits[shares.finger];
    for (int k = 0; k < FINGER_JOINTS; k++)
        knuckle =
            maxf(knuckle, bell(length(sub(q, along(d->joint[k], digit_back(d, k), d->radius[k]))), 0.75f));
    float tip = bell(length(sub(q, d->joint[FINGER_JOINTS])), 1.1f);
    color = blend3(color, c->color.blush, clampf(0.40f * knuckle + 0.35f * tip + 0.18f * inner, 0, 1));
    color = scale(color, 0.955f + 0.05f * noise3(scale(q, 1.1f)) + 0.04f * noise3(scale(q, 3.3f)));
    v->color = color;
    float sum = 0;
    for (int i = 1; i <= 4; i++) { /* its own field only: sleeves move away */
        float reach = 0.22f * (float)(i * i);
        sum += maxf(0, reach - sd_hand(c, along(v->position, v->normal, reach))) / reach / (float)i;
    }
    v->occlusion = clampf(1 - 0.42f * sum, 0.25f, 1);
}

void build_hands(struct sculpture *s, const struct character *c)
{
    vec3 lo = v3(1e9f, 1e9f, 1e9f), hi = scale(lo, -1);
    for (int f = 0; f < FINGER_COUNT; f++)
        for (int k = 0; k <= FINGER_JOINTS; k++) {
            vec3 p = finger_point(c, (enum finger)f, k);
            lo = v3(minf(lo.x, p.x), minf(lo.y, p.y), minf(lo.z, p.z));
            hi = v3(maxf(hi.x, p.x), maxf(hi.y, p.y), maxf(hi.z, p.z));
        }
    vec3 wrist = wrist_joint(c);
    const float step = 0.185f * c->hand_size;
    const struct axis axes[3] = {
        {minf(lo.x, wrist.x) - 4, hi.x + 2.5f, step, {{0}}, 0},
        {lo.y - 2.5f, wrist.y + 3.5f, step, {{0}}, 0},
        {lo.z - 2.5f, hi.z + 2.5f, step, {{0}}, 0},
    };
    struct part *part = sculpture_add(s, "hands", CP_SURFACE_SKIN, RIG_BODY);
    part_add_surface(part, sd_hand, c, axes);
    for (int i = 0; i < part->n_vertices; i++) {
        paint_hand(c, &part->vertices[i]);
        part->vertices[i].u = 0.1f;
    }
    part_mirror(part);
    part->max_triangles = 3500;

    struct part *nails = sculpture_add(s, "nails", CP_SURFACE_SKIN, RIG_BODY);
    for (int f = 0; f < FINGER_COUNT; f++)
        add_nail(nails, c, &digits[f], f == THUMB);
    vec3 nail = blend3(blend3(c->color.skin_light, c->color.blush, 0.45f), v3(1, 0.9f, 0.86f), 0.22f);
    for (int i = 0; i < nails->n_vertices; i++)
        nails->vertices[i].color = nail;
    part_mirror(nails);
    part_compute_normals(nails);
}
