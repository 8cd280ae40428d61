/* Works out node constraints in a finished pose (VRMC_node_constraint 1.0, "Implementation"). */
#include "avatar/acting.h"
#include "avatar/transform.h"

/* Between no turn and this one, along the shortest way on the sphere. */
static void part_of_turn(float turn[4], float weight)
{
    if (turn[3] < 0)
        for (int k = 0; k < 4; k++)
            turn[k] = -turn[k];
    float sine = sqrtf(vec_dot(turn, turn)), angle = atan2f(sine, turn[3]) * weight;
    for (int k = 0; k < 3; k++)
        turn[k] *= sine > 1e-6f ? sinf(angle) / sine : weight;
    turn[3] = cosf(angle);
}

/* a^-1 turn a */
static void into_space(const float a[4], float turn[4])
{
    const float back[4] = {-a[0], -a[1], -a[2], a[3]};
    quat_multiply(turn, a, turn);
    quat_multiply(back, turn, turn);
}

static void turn_of(const float m[12], float ret[4])
{
    float t[3], s[3];
    mat_to_trs(m, t, ret, s);
}

/* How a joint is turned against its parent, about model axes at rest. */
static void own_turn(const struct cp_model *model, int joint, const float (*skin)[12], float ret[4])
{
    int up = model->joints[joint].parent;
    float above[4];
    turn_of(skin[joint], ret);
    if (up < 0)
        return;
    turn_of(skin[up], above);
    for (int k = 0; k < 3; k++)
        above[k] = -above[k];
    quat_multiply(above, ret, ret);
}

/* Only the part of a turn about an axis. */
static void keep_twist(const float axis[3], float turn[4])
{
    static const float zero[3] = {0, 0, 0}, one[3] = {1, 1, 1};
    float matrix[12], to[3], swing[4];
    mat_from_trs(zero, turn, one, matrix);
    mat_vector(matrix, axis, to);
    quat_between(axis, to, swing);
    for (int k = 0; k < 3; k++)
        swing[k] = -swing[k];
    quat_multiply(swing, turn, turn);
}

/* The turn that lets the joint point at its source. */
static void aim(const struct rig *rig, const struct cp_constraint *c, const float *parent,
                const float (*skin)[12], float ret[4])
{
    float at[3], from[3], to[3], way[3];
    mat_point(parent, rig->pivot[c->joint], from);
    mat_point(skin[c->source], rig->pivot[c->source], at);
    vec_sub(at, from, way);
    mat_vector_back(parent, way, to);
    memcpy(ret, QUAT_IDENTITY, sizeof QUAT_IDENTITY);
    if (vec_normalize(to))
        quat_between(c->axis, to, ret);
}

/* Puts a joint where it shall stand, and takes along what hangs on it. */
static void move(const struct cp_model *model, int joint, const float to[12], float (*skin)[12])
{
    bool hangs[CP_MODEL_MAX_JOINTS] = {false};
    float back[12], by[12], was[12];
    if (!mat_invert(skin[joint], back))
        return;
    mat_multiply(to, back, by);
    memcpy(skin[joint], to, 12 * sizeof(float));
    hangs[joint] = true;
    for (int j = joint + 1; j < model->n_joints; j++) {
        int up = model->joints[j].parent;
        hangs[j] = up >= 0 && hangs[up];
        if (!hangs[j])
            continue;
        memcpy(was, skin[j], sizeof was);
        mat_multiply(by, was, skin[j]);
    }
}

void constrain(const struct rig *rig, float (*skin)[12])
{
    static const float zero[3] = {0, 0, 0}, one[3] = {1, 1, 1};
    const struct cp_model *model = rig->model;
    for (int i = 0; i < model->n_constraints; i++) {
        const struct cp_constraint *c = &model->constraints[i];
        int up = model->joints[c->joint].parent;
        const float *parent = up >= 0 ? skin[up] : MAT_IDENTITY, *pivot = rig->pivot[c->joint];
        float turn[4], own[12], turned[3], to[12];
        if (c->type == CP_CONSTRAINT_AIM) {
            aim(rig, c, parent, (const float(*)[12])skin, turn);
            part_of_turn(turn, c->weight);
        } else {
            const float back[4] = {-c->to_model[0], -c->to_model[1], -c->to_model[2], c->to_model[3]};
            own_turn(model, c->source, (const float(*)[12])skin, turn);
            into_space(c->to_own, turn);
            if (c->type == CP_CONSTRAINT_ROLL)
                keep_twist(c->axis, turn);
            part_of_turn(turn, c->weight);
            into_space(back, turn);
        }
        mat_from_trs(zero, turn, one, own);
        mat_vector(own, pivot, turned);
        for (int k = 0; k < 3; k++)
            own[4 * k + 3] = pivot[k] - turned[k];
        mat_multiply(parent, own, to);
        move(model, c->joint, to, skin);
    }
}
