/*
 * Paints a room as seen from one point, by casting rays: what stands where, in which light, with shadows of
 * the main lamps and mirrors in polished floors. Rays of one column of the panorama stay in one upright
 * plane, mirrored by the floor too, so each column first finds the few things that it can meet.
 */
#include "render/room.h"

#include <math.h>
#include <string.h>

#define FAR_M   1e6f
#define CLEAR_M 1e-3f /* off the surface, so that a ray does not meet where it starts */

struct ray {
    float from[3], to[3]; /* to: unit direction */
};
struct hit {
    float distance, normal[3];
    int material;
};
struct things { /* that a ray may meet */
    int box[ROOM_MAX_BOXES], ball[ROOM_MAX_BALLS];
    int n_boxes, n_balls;
};

static float dot(const float *a, const float *b)
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

struct rgb cp_room_color(unsigned rrggbb, float scale)
{
    float out[3];
    for (int k = 0; k < 3; k++) {
        float c = (float)(rrggbb >> (16 - 8 * k) & 255) / 255;
        out[k] = scale * (c <= 0.04045f ? c / 12.92f : powf((c + 0.055f) / 1.055f, 2.4f));
    }
    return (struct rgb){out[0], out[1], out[2]};
}

int cp_room_material(struct room *room, struct material material)
{
    if (room->n_materials == ROOM_MAX_MATERIALS)
        return 0;
    if (material.scale <= 0)
        material.scale = 1;
    room->material[room->n_materials] = material;
    return room->n_materials++;
}

void cp_room_box(struct room *room, int material, float x0, float x1, float y0, float y1, float z0, float z1)
{
    if (room->n_boxes < ROOM_MAX_BOXES)
        room->box[room->n_boxes++] = (struct box){{x0, y0, z0}, {x1, y1, z1}, material};
}

void cp_room_ball(struct room *room, int material, float x, float y, float z, float radius)
{
    if (room->n_balls < ROOM_MAX_BALLS)
        room->ball[room->n_balls++] = (struct ball){{x, y, z}, radius, material};
}

void cp_room_tube(struct room *room, struct rgb color, float x0, float y0, float z0, float x1, float y1,
                  float z1)
{
    if (room->n_lamps < ROOM_MAX_LAMPS)
        room->lamp[room->n_lamps++] = (struct lamp){{x0, y0, z0}, {x1, y1, z1}, color, false};
}

void cp_room_lamp(struct room *room, struct rgb color, bool shadow, float x, float y, float z)
{
    if (room->n_lamps < ROOM_MAX_LAMPS)
        room->lamp[room->n_lamps++] = (struct lamp){{x, y, z}, {x, y, z}, color, shadow};
}

/* Where the ray enters the box, or leaves it when it starts inside: rooms are boxes seen from inside. */
static float meet_box(const struct box *box, const struct ray *ray, const float *inverse, int *ret_axis)
{
    float near = -FAR_M, far = FAR_M;
    int near_axis = 0, far_axis = 0;
    for (int k = 0; k < 3; k++) {
        float a = (box->low[k] - ray->from[k]) * inverse[k], b = (box->high[k] - ray->from[k]) * inverse[k];
        float first = a < b ? a : b, last = a < b ? b : a;
        if (first > near) {
            near = first;
            near_axis = k;
        }
        if (last < far) {
            far = last;
            far_axis = k;
        }
    }
    if (near > far || far < CLEAR_M)
        return FAR_M;
    *ret_axis = near > CLEAR_M ? near_axis : far_axis;
    return near > CLEAR_M ? near : far;
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

static bool cast(const struct room *room, const struct things *things, const struct ray *ray, struct hit *hit)
{
    float inverse[3];
    for (int k = 0; k < 3; k++)
        inverse[k] = 1 / (fabsf(ray->to[k]) > 1e-7f ? ray->to[k] : 1e-7f);
    hit->distance = FAR_M;
    int best = -1, best_axis = 0;
    for (int i = 0; i < things->n_boxes; i++) {
        int axis = 0;
        float t = meet_box(&room->box[things->box[i]], ray, inverse, &axis);
        if (t < hit->distance) {
            hit->distance = t;
            best = things->box[i];
            best_axis = axis;
        }
    }
    if (best >= 0) {
        memset(hit->normal, 0, sizeof hit->normal);
        hit->normal[best_axis] = ray->to[best_axis] > 0 ? -1 : 1;
        hit->material = room->box[best].material;
    }
    for (int i = 0; i < things->n_balls; i++) {
        const struct ball *ball = &room->ball[things->ball[i]];
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

/* Whether something that does not glow stands between two points. */
static bool blocked(const struct room *room, const struct ray *ray, float distance)
{
    float inverse[3];
    for (int k = 0; k < 3; k++)
        inverse[k] = 1 / (fabsf(ray->to[k]) > 1e-7f ? ray->to[k] : 1e-7f);
    for (int i = 1; i < room->n_boxes; i++) { /* the first is the room itself */
        int axis;
        const struct rgb glow = room->material[room->box[i].material].glow;
        if (meet_box(&room->box[i], ray, inverse, &axis) < distance && glow.r + glow.g + glow.b <= 0)
            return true;
    }
    return false;
}

static struct rgb light_at(const struct room *room, const float *p, const float *normal)
{
    /* A little more from above than from below. */
    float up = 0.8f + 0.2f * normal[1];
    struct rgb sum = {room->ambient.r * up, room->ambient.g * up, room->ambient.b * up};
    for (int i = 0; i < room->n_lamps; i++) {
        const struct lamp *lamp = &room->lamp[i];
        float axis[3], v[3], length2 = 0, t = 0;
        for (int k = 0; k < 3; k++) {
            axis[k] = lamp->b[k] - lamp->a[k];
            v[k] = p[k] - lamp->a[k];
            length2 += axis[k] * axis[k];
        }
        if (length2 > 0) {
            t = dot(v, axis) / length2;
            t = t < 0 ? 0 : t > 1 ? 1 : t;
        }
        for (int k = 0; k < 3; k++)
            v[k] = lamp->a[k] + t * axis[k] - p[k];
        float d2 = dot(v, v), d = sqrtf(d2) + 1e-4f, facing = dot(v, normal) / d;
        facing = (facing + 0.15f) / 1.15f;
        if (facing <= 0)
            continue;
        /* A tube's light falls with the distance near it, with its square far away. */
        float fall = length2 > 0 ? 1 / ((d + 0.04f) * (d + 0.35f)) : 1 / (d2 + 0.02f), amount = facing * fall;
        if (lamp->shadow && amount > 0.01f) {
            struct ray ray;
            for (int k = 0; k < 3; k++) {
                ray.from[k] = p[k] + 2e-3f * normal[k];
                ray.to[k] = v[k] / d;
            }
            if (blocked(room, &ray, d - 0.05f))
                amount *= 0.25f;
        }
        sum.r += amount * lamp->color.r;
        sum.g += amount * lamp->color.g;
        sum.b += amount * lamp->color.b;
    }
    return sum;
}

static struct rgb look(const struct room *room, const struct things *things, const struct ray *ray,
                       int bounces)
{
    struct hit hit = {0};
    if (!cast(room, things, ray, &hit))
        return (struct rgb){0, 0, 0};
    const struct material *material = &room->material[hit.material];
    float p[3];
    for (int k = 0; k < 3; k++)
        p[k] = ray->from[k] + hit.distance * ray->to[k];
    struct rgb glow = material->glow, albedo = cp_finish_albedo(material, p, hit.normal, &glow);
    struct rgb light = light_at(room, p, hit.normal);
    struct rgb out = {albedo.r * light.r + glow.r, albedo.g * light.g + glow.g, albedo.b * light.b + glow.b};
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
    struct rgb seen = look(room, things, &mirror, bounces - 1);
    return (struct rgb){out.r + (seen.r - out.r) * share, out.g + (seen.g - out.g) * share,
                        out.b + (seen.b - out.b) * share};
}

/* What the upright half plane from the eye in a direction can meet. */
static void find_things(const struct room *room, const float *eye, float dx, float dz, struct things *things)
{
    things->n_boxes = things->n_balls = 0;
    for (int i = 0; i < room->n_boxes; i++) {
        struct box flat = room->box[i];
        flat.low[1] = -FAR_M;
        flat.high[1] = FAR_M;
        struct ray ray = {{eye[0], 0, eye[2]}, {dx, 0, dz}};
        const float inverse[3] = {1 / (fabsf(dx) > 1e-7f ? dx : 1e-7f), 1e7f,
                                  1 / (fabsf(dz) > 1e-7f ? dz : 1e-7f)};
        int axis;
        if (meet_box(&flat, &ray, inverse, &axis) < FAR_M)
            things->box[things->n_boxes++] = i;
    }
    for (int i = 0; i < room->n_balls; i++) {
        const struct ball *ball = &room->ball[i];
        float x = ball->at[0] - eye[0], z = ball->at[2] - eye[2];
        if (fabsf(x * dz - z * dx) < ball->radius && x * dx + z * dz > 0)
            things->ball[things->n_balls++] = i;
    }
}

void cp_room_paint(const struct room *room, const float eye[3], float span_rad, float span_rise, int width,
                   int height, float *out)
{
    struct things things;
    for (int column = 0; column < width; column++) {
        float yaw = (((float)column + 0.5f) / (float)width - 0.5f) * span_rad, dx = sinf(yaw),
              dz = -cosf(yaw);
        find_things(room, eye, dx, dz, &things);
        for (int row = 0; row < height; row++) {
            float rise = (0.5f - ((float)row + 0.5f) / (float)height) * span_rise;
            float scale = 1 / sqrtf(1 + rise * rise);
            struct ray ray = {{eye[0], eye[1], eye[2]}, {dx * scale, rise * scale, dz * scale}};
            struct rgb c = look(room, &things, &ray, 1);
            float *to = out + 4 * ((size_t)row * (size_t)width + (size_t)column);
            to[0] = c.r * room->exposure;
            to[1] = c.g * room->exposure;
            to[2] = c.b * room->exposure;
            to[3] = 0;
        }
    }
}
