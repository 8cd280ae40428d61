/*
 * Joints. Acting never needs a joint's local axes, which every tool sets its own way: a bone turns in model
 * space about the place where it stands at rest, and what hangs on it follows. Since the loader bakes
 * vertices into the rest pose, that chain of turns is the skinning matrix itself.
 */
#include "avatar/acting.h"
#include "avatar/transform.h"

#include <stdlib.h>

#define ARM_HANGS_DEG  10.0f /* from straight down, at rest */
#define ARM_RAISED_DEG 28.0f /* more than this is a T or A pose */
#define ELBOW_DEG      -14.0f

/* Foreign characters stand with their arms out, as riggers want them: turns that let one arm hang. */
static void find_arm_rest(struct rig *rig, int side)
{
    static const enum cp_bone bone[2][2] = {{CP_BONE_LEFT_UPPER_ARM, CP_BONE_LEFT_LOWER_ARM},
                                            {CP_BONE_RIGHT_UPPER_ARM, CP_BONE_RIGHT_LOWER_ARM}};
    int upper = rig->joint[bone[side][0]], lower = rig->joint[bone[side][1]];
    float along[3], out = side == 0 ? 1 : -1, back[4], elbow[4];
    for (int part = 0; part < 2; part++)
        memcpy(rig->arm_rest[side][part], QUAT_IDENTITY, sizeof QUAT_IDENTITY);
    if (upper < 0 || lower < 0)
        return;
    vec_sub(rig->pivot[lower], rig->pivot[upper], along);
    if (!vec_normalize(along) || -along[1] > cosf(CP_RADIANS(ARM_RAISED_DEG)))
        return;
    const float down[3] = {out * sinf(CP_RADIANS(ARM_HANGS_DEG)), -cosf(CP_RADIANS(ARM_HANGS_DEG)), 0};
    float *turn = rig->arm_rest[side][0];
    rig->arms_lowered = true;
    quat_between(along, down, turn);
    /* A little bend forward, about the body's x axis after the upper arm has turned. */
    const float x[3] = {1, 0, 0};
    quat_axis_angle(x, CP_RADIANS(ELBOW_DEG), elbow);
    for (int k = 0; k < 4; k++)
        back[k] = k < 3 ? -turn[k] : turn[k];
    quat_multiply(back, elbow, rig->arm_rest[side][1]);
    quat_multiply(rig->arm_rest[side][1], turn, rig->arm_rest[side][1]);
}

/* Where the eyes stand: their joints, or a usual face's proportions about the head's middle. */
static void find_eyes(struct rig *rig)
{
    const struct cp_model *model = rig->model;
    int head = rig->joint[CP_BONE_HEAD];
    for (int side = 0; side < 2; side++) {
        int joint = rig->joint[CP_BONE_LEFT_EYE + side];
        float *eye = rig->eye[side];
        eye[0] = (side == 0 ? 0.031f : -0.031f) + (head >= 0 ? rig->pivot[head][0] : 0);
        eye[1] = model->eye_height_m;
        eye[2] = 0.08f + (head >= 0 ? rig->pivot[head][2] : 0);
        if (joint >= 0)
            memcpy(eye, rig->pivot[joint], sizeof rig->eye[side]);
    }
    /* Eyes are half way between chin and crown (Loomis 1956). */
    rig->chin[0] = (rig->eye[0][0] + rig->eye[1][0]) / 2;
    rig->chin[1] = model->eye_height_m - 0.5f * model->head_height_m;
    rig->chin[2] = (rig->eye[0][2] + rig->eye[1][2]) / 2 + 0.01f;
}

/* True when the vertex belongs to an eyeball. */
static bool *mark_eyeballs(const struct cp_model *model)
{
    bool *eyeball = calloc((size_t)model->n_vertices + 1, sizeof *eyeball);
    for (int p = 0; eyeball && p < model->n_parts; p++)
        if (model->materials[model->parts[p].material].surface == CP_SURFACE_EYE)
            memset(eyeball + model->parts[p].first_vertex, true, (size_t)model->parts[p].n_vertices);
    return eyeball;
}

/* Some characters turn their eyeballs by eyeLook shapes (ARKit's own manner), some have lids only there: sees
 * which, and by how much weight 1 turns. */
static void find_look(struct rig *rig)
{
    static const enum cp_shape shape[2][4] = {
        {CP_SHAPE_eyeLookUpLeft, CP_SHAPE_eyeLookDownLeft, CP_SHAPE_eyeLookInLeft, CP_SHAPE_eyeLookOutLeft},
        {CP_SHAPE_eyeLookUpRight, CP_SHAPE_eyeLookDownRight, CP_SHAPE_eyeLookInRight,
         CP_SHAPE_eyeLookOutRight}};
    const struct cp_model *model = rig->model;
    bool *eyeball = mark_eyeballs(model);
    for (int side = 0; eyeball && side < 2; side++)
        for (int way = 0; way < 4; way++) {
            int target = rig->target[shape[side][way]];
            for (int r = 0; target >= 0 && r < model->targets[target].n_rows; r++) {
                const struct cp_target_row *row = &model->rows[model->targets[target].first_row + r];
                if (!eyeball[row->vertex])
                    continue;
                float arm[3];
                vec_sub(model->vertices[row->vertex].position, rig->eye[side], arm);
                float chord = sqrtf(vec_dot(row->position, row->position)), radius = sqrtf(vec_dot(arm, arm));
                if (radius > 1e-4f) /* a chord of the circle about the eye's middle */
                    rig->look[side][way] =
                        fmaxf(rig->look[side][way], 2 * asinf(fminf(chord / (2 * radius), 0.5f)));
            }
        }
    free(eyeball);
    rig->eyes_by_shape = rig->look[0][2] > CP_RADIANS(4) && rig->look[0][3] > CP_RADIANS(4) &&
                         rig->look[1][2] > CP_RADIANS(4) && rig->look[1][3] > CP_RADIANS(4);
}

void rig_init(struct rig *rig, struct cp_model *model)
{
    *rig = (struct rig){.model = model};
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
    for (int side = 0; side < 2; side++)
        find_arm_rest(rig, side);
    rig->has_arms = rig->joint[CP_BONE_RIGHT_UPPER_ARM] >= 0 && rig->joint[CP_BONE_RIGHT_LOWER_ARM] >= 0 &&
                    rig->joint[CP_BONE_RIGHT_HAND] >= 0;
    find_eyes(rig);
    find_look(rig);
    foreign_init(rig);
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
