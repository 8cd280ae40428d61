/* Plays motions on a character: fits them to its rest pose and fades them in and out. */
#include "avatar/motion.h"
#include "avatar/transform.h"

#include <stdio.h>
#include <string.h>

#define FADE_S       0.35f
#define MOST_SHIFT_M 0.6f

enum cp_bone motion_limb_end(enum cp_bone bone)
{
    static const uint8_t END[CP_BONE_COUNT] = {
        [CP_BONE_LEFT_UPPER_ARM] = CP_BONE_LEFT_LOWER_ARM,
        [CP_BONE_LEFT_LOWER_ARM] = CP_BONE_LEFT_HAND,
        [CP_BONE_RIGHT_UPPER_ARM] = CP_BONE_RIGHT_LOWER_ARM,
        [CP_BONE_RIGHT_LOWER_ARM] = CP_BONE_RIGHT_HAND,
        [CP_BONE_LEFT_HAND] = CP_BONE_LEFT_MIDDLE_PROXIMAL,
        [CP_BONE_RIGHT_HAND] = CP_BONE_RIGHT_MIDDLE_PROXIMAL,
        [CP_BONE_LEFT_UPPER_LEG] = CP_BONE_LEFT_LOWER_LEG,
        [CP_BONE_LEFT_LOWER_LEG] = CP_BONE_LEFT_FOOT,
        [CP_BONE_RIGHT_UPPER_LEG] = CP_BONE_RIGHT_LOWER_LEG,
        [CP_BONE_RIGHT_LOWER_LEG] = CP_BONE_RIGHT_FOOT,
    };
    return (enum cp_bone)END[bone];
}

/* Turns that bring this character's limbs into the directions that the motion starts from. */
static void fit_motion(struct motion_player *player, const struct rig *rig, const struct cp_motion *motion)
{
    for (int b = 0; b < CP_BONE_COUNT; b++) {
        float own[3];
        enum cp_bone end = motion_limb_end((enum cp_bone)b);
        memcpy(player->fit[b], QUAT_IDENTITY, sizeof player->fit[b]);
        if (end == CP_BONE_UNSET || rig->joint[b] < 0 || rig->joint[end] < 0 ||
            vec_dot(motion->along[b], motion->along[b]) < 0.5f)
            continue;
        vec_sub(rig->pivot[rig->joint[end]], rig->pivot[rig->joint[b]], own);
        if (vec_normalize(own))
            quat_between(own, motion->along[b], player->fit[b]);
    }
    for (int side = 0; side < 2; side++) { /* what hangs on the hand keeps its place in it */
        enum cp_bone hand = side ? CP_BONE_RIGHT_HAND : CP_BONE_LEFT_HAND,
                     lower = side ? CP_BONE_RIGHT_LOWER_ARM : CP_BONE_LEFT_LOWER_ARM,
                     finger = side ? CP_BONE_RIGHT_THUMB_METACARPAL : CP_BONE_LEFT_THUMB_METACARPAL;
        enum cp_bone middle = motion_limb_end(hand);
        if (rig->joint[middle] < 0 || vec_dot(motion->along[hand], motion->along[hand]) < 0.5f)
            memcpy(player->fit[hand], player->fit[lower], sizeof player->fit[hand]);
        for (int i = 0; i < 15; i++)
            memcpy(player->fit[finger + i], player->fit[hand], sizeof player->fit[hand]);
    }
}

static const struct cp_motion *playing(const struct motion_player *player)
{
    return player->playing >= 0 && player->playing < player->n ? player->entry[player->playing].motion : NULL;
}

void motion_step(struct motion_player *player, const struct rig *rig, const char *action, float dt_s)
{
    if (strncmp(action, player->last_action, sizeof player->last_action - 1)) {
        snprintf(player->last_action, sizeof player->last_action, "%s", action);
        for (int i = 0; *action && i < player->n; i++)
            if (!strcmp(player->entry[i].name, action)) {
                player->playing = i;
                player->into_s = 0;
                fit_motion(player, rig, player->entry[i].motion);
            }
    }
    const struct cp_motion *motion = playing(player);
    if (!motion)
        return;
    player->into_s += dt_s;
    float left_s = (float)(motion->n_frames - 1) / MOTION_HZ - player->into_s;
    player->weight = smooth_step(0, FADE_S, player->into_s) * smooth_step(0, FADE_S, left_s);
    if (left_s <= 0) {
        player->playing = -1;
        player->weight = 0;
    }
}

/* Blends rotations the short way; good for the small steps it is used for. */
static void quat_mix(const float a[4], const float b[4], float t, float ret[4])
{
    float dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3], sign = dot < 0 ? -1 : 1;
    for (int k = 0; k < 4; k++)
        ret[k] = mixf(a[k], sign * b[k], t);
    quat_normalize(ret);
}

/* The frames on both sides of now, and how far between them. */
static void place(const struct motion_player *player, const struct cp_motion *motion, int *a, int *b,
                  float *part)
{
    float at = clampf(player->into_s * MOTION_HZ, 0, (float)(motion->n_frames - 1));
    *a = (int)at;
    *b = *a + 1 < motion->n_frames ? *a + 1 : *a;
    *part = at - (float)*a;
}

/* How a whole limb of this character has to stand: the motion's turn after the fit. Bones that the motion
 * leaves alone or that are not in the file go with their parent. */
static void limb_turn(const struct motion_player *player, const struct cp_motion *motion, int bone,
                      float ret[4])
{
    int a, b;
    float part, turn[4];
    place(player, motion, &a, &b, &part);
    quat_mix(motion->turn[a][bone], motion->turn[b][bone], part, turn);
    quat_multiply(turn, player->fit[bone], ret);
}

void motion_apply(const struct motion_player *player, const struct rig *rig, struct stance *stance)
{
    const struct cp_motion *motion = playing(player);
    if (!motion || player->weight <= 0)
        return;
    for (int b = CP_BONE_UNSET + 1; b < CP_BONE_COUNT; b++) {
        if (!motion->moves[b] || rig->joint[b] < 0)
            continue;
        float limb[4], above[4] = {0, 0, 0, 1}, own[4];
        int up = rig->model->joints[rig->joint[b]].parent;
        while (up >= 0 && rig->model->joints[up].role == CP_BONE_UNSET)
            up = rig->model->joints[up].parent;
        if (up >= 0)
            limb_turn(player, motion, rig->model->joints[up].role, above);
        limb_turn(player, motion, b, limb);
        for (int k = 0; k < 3; k++)
            above[k] = -above[k];
        quat_multiply(above, limb, own);
        quat_mix(stance->turn[b], own, player->weight, stance->turn[b]);
    }
    int a, b, hips = rig->joint[CP_BONE_HIPS];
    float part, size = 1;
    place(player, motion, &a, &b, &part);
    if (hips >= 0 && motion->hips_height_m > 0.01f)
        size = rig->pivot[hips][1] / motion->hips_height_m;
    for (int k = 0; k < 3; k++) {
        float shift = size * mixf(motion->shift[a][k], motion->shift[b][k], part);
        stance->shift[k] = mixf(stance->shift[k], clampf(shift, -MOST_SHIFT_M, MOST_SHIFT_M), player->weight);
    }
}

void motion_face(const struct motion_player *player, float *face)
{
    static const struct {
        uint8_t preset, shape;
        float share;
    } SHAPE[] = {
        {0, CP_SHAPE_mouthSmileLeft, 0.7f},   {0, CP_SHAPE_mouthSmileRight, 0.7f},
        {0, CP_SHAPE_cheekSquintLeft, 0.5f},  {0, CP_SHAPE_cheekSquintRight, 0.5f},
        {1, CP_SHAPE_browDownLeft, 0.8f},     {1, CP_SHAPE_browDownRight, 0.8f},
        {2, CP_SHAPE_browInnerUp, 0.8f},      {2, CP_SHAPE_mouthFrownLeft, 0.6f},
        {2, CP_SHAPE_mouthFrownRight, 0.6f},  {3, CP_SHAPE_mouthSmileLeft, 0.35f},
        {3, CP_SHAPE_mouthSmileRight, 0.35f}, {4, CP_SHAPE_browInnerUp, 0.7f},
        {4, CP_SHAPE_browOuterUpLeft, 0.7f},  {4, CP_SHAPE_browOuterUpRight, 0.7f},
        {4, CP_SHAPE_eyeWideLeft, 0.6f},      {4, CP_SHAPE_eyeWideRight, 0.6f},
    };
    const struct cp_motion *motion = playing(player);
    int a, b;
    float part;
    if (!motion)
        return;
    place(player, motion, &a, &b, &part);
    for (size_t i = 0; i < sizeof SHAPE / sizeof *SHAPE; i++)
        face[SHAPE[i].shape] +=
            SHAPE[i].share * player->weight *
            mixf(motion->face[a][SHAPE[i].preset], motion->face[b][SHAPE[i].preset], part);
}

void cp_motion_measure(const struct cp_motion *motion, float *ret_seconds, int *ret_bones)
{
    *ret_seconds = (float)(motion->n_frames - 1) / MOTION_HZ;
    *ret_bones = 0;
    for (int b = 0; b < CP_BONE_COUNT; b++)
        *ret_bones += motion->moves[b];
}

void motion_drop(struct motion_player *player)
{
    for (int i = 0; i < player->n; i++)
        cp_ref_drop(player->entry[i].motion);
    player->n = 0;
}
