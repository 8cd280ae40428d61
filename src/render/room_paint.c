/*
 * Paints a room as seen from one point, by casting rays: what stands where, in which light, with shadows of
 * the main lamps and mirrors in polished floors. Rays of one column of the panorama stay in one upright
 * plane, mirrored by the floor too, so each column first finds the few things that it can meet. Boxes and
 * lamps are looked at four at a time.
 */
#include "render/room.h"

#include <math.h>
#include <string.h>

#define FAR_M   1e6f
#define CLEAR_M 1e-3f /* off the surface, so that a ray does not meet where it starts */

typedef float v4 __attribute__((vector_size(16)));
typedef int v4i __attribute__((vector_size(16)));

enum { BOX_FOURS = (ROOM_MAX_BOXES + 3) / 4, LAMP_FOURS = (ROOM_MAX_LAMPS + 3) / 4 };

struct ray {
    float from[3], to[3]; /* to: unit direction */
};
struct hit {
    float distance, normal[3];
    int material;
};
struct boxes { /* in fours; what is missing in the last four cannot be met */
    v4 low[3][BOX_FOURS], high[3][BOX_FOURS];
    v4i id[BOX_FOURS];
    int n;
};
struct lamps { /* likewise; those with a shadow come first */
    v4 from[3][LAMP_FOURS], axis[3][LAMP_FOURS], color[3][LAMP_FOURS];
    v4 per_length2[LAMP_FOURS]; /* 1 / axis squared; 0 for a point */
    v4 fall1[LAMP_FOURS], fall0[LAMP_FOURS];
    int n, n_shadows;
};
struct scene {
    const struct room *room;
    struct lamps lamps;
    struct boxes blockers; /* what casts shadows */
    struct boxes boxes;    /* that the rays of this column may meet */
    int ball[ROOM_MAX_BALLS], n_balls;
};

static float dot(const float *a, const float *b)
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* The compiler makes one instruction of each of these loops. */
static inline v4 least(v4 a, v4 b)
{
    v4 r;
    for (int i = 0; i < 4; i++)
        r[i] = a[i] < b[i] ? a[i] : b[i];
    return r;
}

static inline v4 most(v4 a, v4 b)
{
    v4 r;
    for (int i = 0; i < 4; i++)
        r[i] = a[i] > b[i] ? a[i] : b[i];
    return r;
}

static inline v4 root(v4 a)
{
    v4 r;
    for (int i = 0; i < 4; i++)
        r[i] = sqrtf(a[i]);
    return r;
}

static inline v4 choose(v4i mask, v4 yes, v4 no)
{
    return (v4)(((v4i)yes & mask) | ((v4i)no & ~mask));
}

static inline v4 all(float x)
{
    return (v4){x, x, x, x};
}

static inline bool any(v4i mask)
{
    typedef long long v2 __attribute__((vector_size(16)));
    v2 halves = (v2)mask;
    return (halves[0] | halves[1]) != 0;
}

static void add_box(struct boxes *boxes, const struct box *box, int id)
{
    int four = boxes->n / 4, lane = boxes->n % 4;
    for (int k = 0; k < 3; k++) {
        if (lane == 0) { /* empty: entered behind where it is left */
            boxes->low[k][four] = all(FAR_M);
            boxes->high[k][four] = all(FAR_M);
        }
        boxes->low[k][four][lane] = box->low[k];
        boxes->high[k][four][lane] = box->high[k];
    }
    boxes->id[four][lane] = id;
    boxes->n++;
}

/* Where a ray from `from` enters each of four boxes, or leaves it when it starts inside: rooms are boxes seen
 * from inside. FAR_M: it misses. */
static inline v4 meet_boxes(const struct boxes *boxes, int four, const float *from, const float *inverse)
{
    v4 near = all(-FAR_M), far = all(FAR_M);
    for (int k = 0; k < 3; k++) {
        v4 a = (boxes->low[k][four] - from[k]) * inverse[k],
           b = (boxes->high[k][four] - from[k]) * inverse[k];
        near = most(near, least(a, b));
        far = least(far, most(a, b));
    }
    v4 t = choose(near > CLEAR_M, near, far);
    return choose((near > far) | (far < CLEAR_M), all(FAR_M), t);
}

/* The side of a box that a ray meets at the distance t: the one it is nearest to there. */
static int side_of(const struct box *box, const struct ray *ray, float t)
{
    float best = FAR_M;
    int axis = 0;
    for (int k = 0; k < 3; k++) {
        float p = ray->from[k] + t * ray->to[k];
        float off = fminf(fabsf(p - box->low[k]), fabsf(p - box->high[k]));
        if (off < best) {
            best = off;
            axis = k;
        }
    }
    return axis;
}

static float meet_ball(const struct ball *ball, const struct ray *ray)
{
    float v[3] = {ball->at[0] - ray->from[0], ball->at[1] - ray->from[1], ball->at[2] - ray->from[2]};
    float along = dot(v, ray->to), out2 = dot(v, v) - along * along, r2 = ball->radius * ball->radius;
    if (out2 > r2)
        return FAR_M;
    float near = along - sqrtf(r2 - out2);
    return near > CLEAR_M ? near : FAR_M;
}

static void invert(const struct ray *ray, float inverse[3])
{
    for (int k = 0; k < 3; k++)
        inverse[k] = 1 / (fabsf(ray->to[k]) > 1e-7f ? ray->to[k] : 1e-7f);
}

static bool cast(const struct scene *scene, const struct ray *ray, struct hit *hit)
{
    float inverse[3];
    v4 first = all(FAR_M);
    v4i which = {-1, -1, -1, -1};
    invert(ray, inverse);
    for (int i = 0; i < (scene->boxes.n + 3) / 4; i++) {
        v4 t = meet_boxes(&scene->boxes, i, ray->from, inverse);
        v4i nearer = t < first;
        first = least(t, first);
        which = (scene->boxes.id[i] & nearer) | (which & ~nearer);
    }
    hit->distance = FAR_M;
    int best = -1;
    for (int i = 0; i < 4; i++)
        if (first[i] < hit->distance) {
            hit->distance = first[i];
            best = which[i];
        }
    if (best >= 0) {
        const struct box *box = &scene->room->box[best];
        int side = side_of(box, ray, hit->distance);
        memset(hit->normal, 0, sizeof hit->normal);
        hit->normal[side] = ray->to[side] > 0 ? -1 : 1;
        hit->material = box->material;
    }
    for (int i = 0; i < scene->n_balls; i++) {
        const struct ball *ball = &scene->room->ball[scene->ball[i]];
        float t = meet_ball(ball, ray);
        if (t >= hit->distance)
            continue;
        hit->distance = t;
        hit->material = ball->material;
        for (int k = 0; k < 3; k++)
            hit->normal[k] = (ray->from[k] + t * ray->to[k] - ball->at[k]) / ball->radius;
    }
    return hit->distance < FAR_M;
}

/* Whether something stands between two points. */
static bool blocked(const struct scene *scene, const struct ray *ray, float distance)
{
    float inverse[3];
    invert(ray, inverse);
    for (int i = 0; i < (scene->blockers.n + 3) / 4; i++)
        if (any(meet_boxes(&scene->blockers, i, ray->from, inverse) < distance))
            return true;
    return false;
}

/* Four lamps' light at a point: how much, and where it comes from. */
static inline v4 shine(const struct lamps *lamps, int four, const float *p, const float *normal, v4 v[3],
                       v4 *ret_d)
{
    v4 along = all(0);
    for (int k = 0; k < 3; k++) {
        v[k] = lamps->from[k][four] - p[k];
        along -= v[k] * lamps->axis[k][four];
    }
    v4 t = least(most(along * lamps->per_length2[four], all(0)), all(1)), d2 = all(0), facing = all(0);
    for (int k = 0; k < 3; k++) {
        v[k] += t * lamps->axis[k][four];
        d2 += v[k] * v[k];
        facing += v[k] * normal[k];
    }
    v4 d = root(d2) + 1e-4f;
    *ret_d = d;
    facing = (facing / d + 0.15f) * (1 / 1.15f);
    return most(facing, all(0)) / (d2 + d * lamps->fall1[four] + lamps->fall0[four]);
}

static struct rgb light_at(const struct scene *scene, const float *p, const float *normal)
{
    const struct lamps *lamps = &scene->lamps;
    v4 sum[3] = {{0}, {0}, {0}};
    for (int i = 0; i < (lamps->n + 3) / 4; i++) {
        v4 v[3], d, amount = shine(lamps, i, p, normal, v, &d);
        for (int lane = 0; lane < 4 && 4 * i + lane < lamps->n_shadows; lane++) {
            struct ray ray;
            if (amount[lane] <= 0.01f)
                continue;
            for (int k = 0; k < 3; k++) {
                ray.from[k] = p[k] + 2e-3f * normal[k];
                ray.to[k] = v[k][lane] / d[lane];
            }
            if (blocked(scene, &ray, d[lane] - 0.05f))
                amount[lane] *= 0.25f;
        }
        for (int k = 0; k < 3; k++)
            sum[k] += amount * lamps->color[k][i];
    }
    /* A little more from above than from below. */
    float up = 0.8f + 0.2f * normal[1], total[3];
    for (int k = 0; k < 3; k++)
        total[k] = sum[k][0] + sum[k][1] + sum[k][2] + sum[k][3];
    const struct rgb *ambient = &scene->room->ambient;
    return (struct rgb){ambient->r * up + total[0], ambient->g * up + total[1], ambient->b * up + total[2]};
}

static struct rgb look(const struct scene *scene, const struct ray *ray, int bounces)
{
    struct hit hit = {0};
    if (!cast(scene, ray, &hit))
        return (struct rgb){0, 0, 0};
    const struct material *material = &scene->room->material[hit.material];
    float p[3];
    for (int k = 0; k < 3; k++)
        p[k] = ray->from[k] + hit.distance * ray->to[k];
    struct rgb out = material->glow, albedo = cp_finish_albedo(material, p, hit.normal, &out);
    if (albedo.r + albedo.g + albedo.b > 0) {
        struct rgb light = light_at(scene, p, hit.normal);
        out.r += albedo.r * light.r;
        out.g += albedo.g * light.g;
        out.b += albedo.b * light.b;
    }
    if (material->gloss <= 0 || !bounces)
        return out;
    float facing = -dot(ray->to, hit.normal), graze = 1 - fminf(fmaxf(facing, 0), 1);
    float share =
        material->gloss * (0.12f + 0.88f * graze * graze * graze); /* Schlick, a cube for the fifth */
    if (share < 0.01f)
        return out;
    struct ray mirror;
    for (int k = 0; k < 3; k++) {
        mirror.to[k] = ray->to[k] + 2 * facing * hit.normal[k];
        mirror.from[k] = p[k] + 2e-3f * hit.normal[k];
    }
    struct rgb seen = look(scene, &mirror, bounces - 1);
    return (struct rgb){out.r + (seen.r - out.r) * share, out.g + (seen.g - out.g) * share,
                        out.b + (seen.b - out.b) * share};
}

/* Whether the upright half plane from the eye in a direction meets the box. */
static bool meets_plane(const struct box *box, const float *eye, float dx, float dz)
{
    /* Its corners lie on both sides of the plane, and one of them in front. */
    bool left = false, right = false, front = false;
    for (int i = 0; i < 4; i++) {
        float x = (i & 1 ? box->high[0] : box->low[0]) - eye[0],
              z = (i & 2 ? box->high[2] : box->low[2]) - eye[2];
        float across = x * dz - z * dx;
        left |= across >= 0;
        right |= across <= 0;
        front |= x * dx + z * dz > 0;
    }
    return left && right && front;
}

static void find_things(struct scene *scene, const float *eye, float dx, float dz)
{
    const struct room *room = scene->room;
    scene->boxes.n = scene->n_balls = 0;
    for (int i = 0; i < room->n_boxes; i++)
        if (meets_plane(&room->box[i], eye, dx, dz))
            add_box(&scene->boxes, &room->box[i], i);
    for (int i = 0; i < room->n_balls; i++) {
        const struct ball *ball = &room->ball[i];
        float x = ball->at[0] - eye[0], z = ball->at[2] - eye[2];
        if (fabsf(x * dz - z * dx) < ball->radius && x * dx + z * dz > 0)
            scene->ball[scene->n_balls++] = i;
    }
}

static void add_lamp(struct lamps *lamps, const struct lamp *lamp)
{
    int four = lamps->n / 4, lane = lamps->n % 4;
    float axis[3], length2;
    for (int k = 0; k < 3; k++)
        axis[k] = lamp->b[k] - lamp->a[k];
    length2 = dot(axis, axis);
    const float color[3] = {lamp->color.r, lamp->color.g, lamp->color.b};
    for (int k = 0; k < 3; k++) {
        lamps->from[k][four][lane] = lamp->a[k];
        lamps->axis[k][four][lane] = axis[k];
        lamps->color[k][four][lane] = color[k];
    }
    lamps->per_length2[four][lane] = length2 > 0 ? 1 / length2 : 0;
    /* A tube's light falls with the distance near it, with its square far away. */
    lamps->fall1[four][lane] = length2 > 0 ? 0.39f : 0;
    lamps->fall0[four][lane] = length2 > 0 ? 0.014f : 0.02f;
    lamps->n++;
    lamps->n_shadows += lamp->shadow;
}

static void prepare(const struct room *room, struct scene *scene)
{
    memset(scene, 0, sizeof *scene);
    scene->room = room;
    for (int i = 0; i < LAMP_FOURS; i++)
        scene->lamps.fall0[i] = all(1);
    for (int shadow = 1; shadow >= 0; shadow--)
        for (int i = 0; i < room->n_lamps; i++)
            if (room->lamp[i].shadow == shadow)
                add_lamp(&scene->lamps, &room->lamp[i]);
    for (int i = 1; i < room->n_boxes; i++) { /* the first is the room itself */
        const struct rgb glow = room->material[room->box[i].material].glow;
        if (glow.r + glow.g + glow.b <= 0)
            add_box(&scene->blockers, &room->box[i], i);
    }
}

void cp_room_paint(const struct room *room, const float eye[3], float span_rad, float span_rise, int width,
                   int height, float *out)
{
    struct scene scene;
    prepare(room, &scene);
    for (int column = 0; column < width; column++) {
        float yaw = (((float)column + 0.5f) / (float)width - 0.5f) * span_rad, dx = sinf(yaw),
              dz = -cosf(yaw);
        find_things(&scene, eye, dx, dz);
        for (int row = 0; row < height; row++) {
            float rise = (0.5f - ((float)row + 0.5f) / (float)height) * span_rise;
            float scale = 1 / sqrtf(1 + rise * rise);
            struct ray ray = {{eye[0], eye[1], eye[2]}, {dx * scale, rise * scale, dz * scale}};
            struct rgb c = look(&scene, &ray, 1);
            float *to = out + 4 * ((size_t)row * (size_t)width + (size_t)column);
            to[0] = c.r * room->exposure;
            to[1] = c.g * room->exposure;
            to[2] = c.b * room->exposure;
            to[3] = 0;
        }
    }
}
