/*
 * VRM's spring bones (VRMC_springBone 1.0, "Algorithm"): each link's tail moves on by Verlet's rule under
 * stiffness towards its rest direction and gravity, is held at the link's length, and pushed out of
 * colliders.
 *
 * The specification counts inertia by frames of applications that run at 60 Hz: so does this, whatever the
 * picture's rate.
 */
#include "avatar/spring.h"
#include "avatar/transform.h"

#define STEP_S    (1.0f / 60)
#define MOST_S    0.25f
#define FARTHEST2 1.0f /* metres, squared */

void spring_init(struct springs *springs, const struct cp_model *model)
{
    *springs = (struct springs){.model = model};
}

/* Where a link starts at rest. */
static void head_of(const struct cp_model *model, const struct cp_spring *link, float ret[3])
{
    float world[12];
    if (!mat_invert(model->joints[link->joint].inverse_bind, world))
        memcpy(world, MAT_IDENTITY, sizeof world);
    for (int k = 0; k < 3; k++)
        ret[k] = world[4 * k + 3];
}

static void hold_length(const float head[3], float length, float tail[3])
{
    float along[3];
    vec_sub(tail, head, along);
    vec_normalize(along);
    for (int k = 0; k < 3; k++)
        tail[k] = head[k] + length * along[k];
}

/* Pushes a tail out of one collider, as it stands in this pose. */
static void push_out(const struct cp_collider *collider, const float (*skin)[12], float hit_m, float tail[3])
{
    float a[3], b[3], along[3], from[3];
    mat_point(skin[collider->joint], collider->end[0], a);
    mat_point(skin[collider->joint], collider->end[1], b);
    vec_sub(b, a, along);
    vec_sub(tail, a, from);
    float length2 = vec_dot(along, along), t = length2 > 0 ? clampf(vec_dot(along, from) / length2, 0, 1) : 0;
    for (int k = 0; k < 3; k++)
        from[k] -= t * along[k];
    float distance = sqrtf(vec_dot(from, from)), inside = collider->radius_m + hit_m - distance;
    if (inside <= 0 || !vec_normalize(from))
        return;
    for (int k = 0; k < 3; k++)
        tail[k] += inside * from[k];
}

/* One 60th of a second of one link. `parent` is what carries it; tails in the pose's space. */
static void move_tail(const struct springs *springs, const struct cp_spring *link, const float head[3],
                      const float rest[3], const float (*skin)[12], float tail[3], float before[3])
{
    float along[3], next[3];
    vec_sub(rest, head, along);
    float length = sqrtf(vec_dot(along, along));
    vec_normalize(along);
    for (int k = 0; k < 3; k++)
        next[k] = tail[k] + (tail[k] - before[k]) * (1 - link->drag) +
                  STEP_S * (link->stiffness * along[k] + link->gravity[k]);
    hold_length(head, length, next);
    for (int c = 0; c < springs->model->n_colliders; c++)
        if (link->colliders >> c & 1) {
            push_out(&springs->model->colliders[c], skin, link->hit_m, next);
            hold_length(head, length, next);
        }
    memcpy(before, tail, 3 * sizeof(float));
    memcpy(tail, next, 3 * sizeof(float));
}

/* Turns the link's joint so that it points at its tail. */
static void point_at(const float *parent, const float head[3], const float rest[3], const float tail[3],
                     float ret[12])
{
    static const float one[3] = {1, 1, 1}, zero[3] = {0, 0, 0};
    float from[3], to[3], turn[4], matrix[12], turned[3];
    vec_sub(rest, head, from);
    vec_sub(tail, head, to);
    vec_normalize(from);
    vec_normalize(to);
    quat_between(from, to, turn);
    mat_from_trs(zero, turn, one, matrix);
    mat_vector(matrix, head, turned);
    for (int k = 0; k < 3; k++)
        matrix[4 * k + 3] = head[k] - turned[k];
    mat_multiply(matrix, parent, ret);
}

static void swing(struct springs *springs, int index, int steps, const float *parent, float (*skin)[12])
{
    const struct cp_model *model = springs->model;
    const struct cp_spring *link = &model->springs[index];
    const float *center = link->center >= 0 ? skin[link->center] : MAT_IDENTITY;
    float head[3], rest[3], tail[3], before[3], away[3], back[12], at[3];
    head_of(model, link, at);
    mat_point(parent, at, head);
    mat_point(parent, link->tail, rest);
    mat_point(center, springs->tail[index], tail);
    mat_point(center, springs->before[index], before);
    vec_sub(tail, rest, away);
    if (!springs->awake || !(vec_dot(away, away) < FARTHEST2)) {
        memcpy(tail, rest, sizeof tail);
        memcpy(before, rest, sizeof before);
    }
    for (int s = 0; s < steps; s++)
        move_tail(springs, link, head, rest, (const float(*)[12])skin, tail, before);
    hold_length(head,
                sqrtf((rest[0] - head[0]) * (rest[0] - head[0]) + (rest[1] - head[1]) * (rest[1] - head[1]) +
                      (rest[2] - head[2]) * (rest[2] - head[2])),
                tail);
    point_at(parent, head, rest, tail, skin[link->joint]);
    if (!mat_invert(center, back))
        memcpy(back, MAT_IDENTITY, sizeof back);
    mat_point(back, tail, springs->tail[index]);
    mat_point(back, before, springs->before[index]);
}

void spring_step(struct springs *springs, float (*skin)[12], float dt_s)
{
    const struct cp_model *model = springs->model;
    bool hangs[CP_MODEL_MAX_JOINTS] = {false}; /* below a link: carried by it */
    if (!model->n_springs)
        return;
    if (!(dt_s >= 0 && dt_s < MOST_S))
        springs->awake = false;
    springs->left_s = springs->awake ? springs->left_s + dt_s : 0;
    int steps = (int)(springs->left_s / STEP_S + 0.01f), next = 0;
    springs->left_s = fmaxf(springs->left_s - (float)steps * STEP_S, 0);
    for (int j = 0; j < model->n_joints && j < CP_MODEL_MAX_JOINTS; j++) {
        int up = model->joints[j].parent;
        const float *parent = up >= 0 ? skin[up] : MAT_IDENTITY;
        hangs[j] = up >= 0 && hangs[up];
        if (next < model->n_springs && model->springs[next].joint == j) {
            swing(springs, next++, steps, parent, skin);
            hangs[j] = true;
        } else if (hangs[j]) {
            memcpy(skin[j], parent, 12 * sizeof(float));
        }
    }
    springs->awake = true;
}
