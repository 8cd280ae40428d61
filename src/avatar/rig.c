/*
 * Joints. Acting never needs a joint's local axes, which every tool sets its own way: a bone turns in model
 * space about the place where it stands at rest, and what hangs on it follows. Since the loader bakes
 * vertices into the rest pose, that chain of turns is the skinning matrix itself.
 */
#include "avatar/acting.h"
#include "avatar/transform.h"

void rig_init(struct rig *rig, struct cp_model *model)
{
    rig->model = model;
    for (int s = 0; s < CP_SHAPE_COUNT; s++)
        rig->target[s] = -1;
    for (int b = 0; b < CP_BONE_COUNT; b++)
        rig->joint[b] = -1;
    for (int t = 0; t < model->n_targets; t++)
        if (model->targets[t].shape != CP_SHAPE_UNSET && rig->target[model->targets[t].shape] < 0)
            rig->target[model->targets[t].shape] = t;
    for (int j = 0; j < model->n_joints; j++) {
        const struct cp_joint *joint = &model->joints[j];
        float world[12];
        if (joint->role != CP_BONE_UNSET && rig->joint[joint->role] < 0)
            rig->joint[joint->role] = j;
        if (!mat_invert(joint->inverse_bind, world))
            memcpy(world, MAT_IDENTITY, sizeof world);
        for (int k = 0; k < 3; k++)
            rig->pivot[j][k] = world[4 * k + 3];
    }
}

void stance_clear(struct stance *stance)
{
    memset(stance, 0, sizeof *stance);
    for (int b = 0; b < CP_BONE_COUNT; b++)
        stance->turn[b][3] = 1;
}

void stance_turn(struct stance *stance, enum cp_bone bone, float yaw, float pitch, float roll)
{
    float turn[4];
    quat_euler(yaw, pitch, roll, turn);
    quat_multiply(turn, stance->turn[bone], stance->turn[bone]);
}

/* A turn about a place: p -> place + turn (p - place) + shift. */
static void turn_about(const float turn[4], const float place[3], const float shift[3], float ret[12])
{
    static const float one[3] = {1, 1, 1}, zero[3] = {0, 0, 0};
    float turned[3];
    mat_from_trs(zero, turn, one, ret);
    mat_vector(ret, place, turned);
    for (int k = 0; k < 3; k++)
        ret[4 * k + 3] = place[k] - turned[k] + shift[k];
}

void rig_skin(const struct rig *rig, const struct stance *stance, float (*ret_skin)[12])
{
    static const float still[3] = {0, 0, 0};
    const struct cp_model *model = rig->model;
    for (int j = 0; j < model->n_joints; j++) {
        const struct cp_joint *joint = &model->joints[j];
        const float *parent = joint->parent >= 0 ? ret_skin[joint->parent] : MAT_IDENTITY;
        if (joint->role == CP_BONE_UNSET || rig->joint[joint->role] != j) {
            memcpy(ret_skin[j], parent, 12 * sizeof(float));
            continue;
        }
        float own[12];
        turn_about(stance->turn[joint->role], rig->pivot[j],
                   joint->role == CP_BONE_HIPS ? stance->shift : still, own);
        mat_multiply(parent, own, ret_skin[j]);
    }
}
