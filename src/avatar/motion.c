/* Plays motions on a character: fits them to its rest pose and fades them in and out. */
#include "avatar/motion.h"
#include "avatar/transform.h"

#include <stdio.h>
#include <string.h>

#define MOST_SHIFT_M 0.6f
#define SETTLE_S     0.75f /* in which what one motion leaves to the next is gone */

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

void motion_init(struct motion_player *player)
{
    player->settle_s = SETTLE_S;
}

/* A motion takes over from what is shown now, or something else does from it. */
static void take_over(struct motion_player *player)
{
    player->switched = true;
    player->settle_s = player->dt_s; /* this frame is one step on its way */
}

static void play(struct motion_player *player, struct cp_motion *motion)
{
    cp_ref_drop(player->playing);
    player->playing = cp_ref_take(motion);
}

static bool start(struct motion_player *player, const struct rig *rig, const char *action)
{
    for (int i = 0; *action && i < player->n; i++) {
        if (!player->entry[i].motion || strcmp(player->entry[i].name, action))
            continue;
        take_over(player);
        play(player, player->entry[i].motion);
        player->into_s = 0;
        fit_motion(player, rig, player->entry[i].motion);
        return true;
    }
    return false;
}

void motion_step(struct motion_player *player, const struct rig *rig, const char *action, bool gesture,
                 float dt_s)
{
    bool started = false;
    player->dt_s = dt_s;
    player->settle_s += dt_s;
    if (strncmp(action, player->last_action, sizeof player->last_action - 1)) {
        snprintf(player->last_action, sizeof player->last_action, "%s", action);
        started = start(player, rig, action);
    }
    const struct cp_motion *motion = player->playing;
    if (!motion)
        return;
    player->into_s += dt_s;
    if ((gesture && !started) || player->into_s >= (float)(motion->n_frames - 1) / MOTION_HZ) {
        take_over(player);
        play(player, NULL);
    }
}

/* 0 .. 1 with neither a jump of speed nor of acceleration (Perlin 2002). */
static float smoother_step(float x)
{
    float t = clampf(x, 0, 1);
    return t * t * t * (t * (6 * t - 15) + 10);
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

/* The motion's own turns, as far as it is seen. */
static void apply(const struct motion_player *player, const struct rig *rig, struct stance *stance)
{
    const struct cp_motion *motion = player->playing;
    if (!motion)
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
        memcpy(stance->turn[b], own, sizeof own);
    }
    int a, b, hips = rig->joint[CP_BONE_HIPS];
    float part, size = 1;
    place(player, motion, &a, &b, &part);
    if (hips >= 0 && motion->hips_height_m > 0.01f)
        size = rig->pivot[hips][1] / motion->hips_height_m;
    for (int k = 0; k < 3; k++) {
        float shift = size * mixf(motion->shift[a][k], motion->shift[b][k], part);
        stance->shift[k] = clampf(shift, -MOST_SHIFT_M, MOST_SHIFT_M);
    }
}

/* The rotation vector of the turn that leads from one turn to another: its axis times radians. */
static void turn_from(const float from[4], const float to[4], float ret[3])
{
    const float back[4] = {-from[0], -from[1], -from[2], from[3]};
    float turn[4];
    quat_multiply(to, back, turn);
    float sine = sqrtf(vec_dot(turn, turn)), sign = turn[3] < 0 ? -1 : 1;
    float angle = 2 * atan2f(sine, sign * turn[3]), factor = sine > 1e-6f ? sign * angle / sine : 2 * sign;
    for (int k = 0; k < 3; k++)
        ret[k] = factor * turn[k];
}

static void turn_by(const float vector[3], float turn[4])
{
    float axis[3] = {vector[0], vector[1], vector[2]}, angle = sqrtf(vec_dot(vector, vector)), by[4];
    if (angle < 1e-6f)
        return;
    vec_normalize(axis);
    quat_axis_angle(axis, angle, by);
    quat_multiply(by, turn, turn);
    quat_normalize(turn);
}

/* What is left of the motion before, put over this frame's turns: how far a bone was from them, and on its
 * way, fading. */
static void settle(struct motion_player *player, struct stance *stance)
{
    float left = 1 - smoother_step(player->settle_s / SETTLE_S),
          way_s = player->settle_s * expf(-5 * player->settle_s);
    for (int b = CP_BONE_UNSET + 1; b < CP_BONE_COUNT; b++) {
        float off[3];
        if (player->switched) {
            turn_from(stance->turn[b], player->was[b], player->off[b]);
            memcpy(player->off_pace[b], player->pace[b], sizeof player->pace[b]);
        }
        for (int k = 0; k < 3; k++)
            off[k] = left * (player->off[b][k] + way_s * player->off_pace[b][k]);
        turn_by(off, stance->turn[b]);
    }
    for (int k = 0; k < 3; k++) {
        if (player->switched)
            player->off_shift[k] = player->was_shift[k] - stance->shift[k];
        stance->shift[k] += left * player->off_shift[k];
    }
}

void motion_apply(struct motion_player *player, const struct rig *rig, struct stance *stance)
{
    if (player->n == 0)
        return;
    apply(player, rig, stance);
    if (player->settle_s < SETTLE_S)
        settle(player, stance);
    player->switched = false;
    for (int b = CP_BONE_UNSET + 1; b < CP_BONE_COUNT; b++) {
        turn_from(player->was[b], stance->turn[b], player->pace[b]);
        for (int k = 0; k < 3; k++)
            player->pace[b][k] /= fmaxf(player->dt_s, 1e-3f);
    }
    memcpy(player->was, stance->turn, sizeof player->was);
    memcpy(player->was_shift, stance->shift, sizeof player->was_shift);
}

void motion_face(struct motion_player *player, float *face)
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
    const struct cp_motion *motion = player->playing;
    float shown[MOTION_FACES] = {0}, left = 1 - smoother_step(player->settle_s / SETTLE_S);
    if (motion) {
        int a, b;
        float part;
        place(player, motion, &a, &b, &part);
        for (int i = 0; i < MOTION_FACES; i++)
            shown[i] = mixf(motion->face[a][i], motion->face[b][i], part);
    }
    for (int i = 0; i < MOTION_FACES; i++) {
        if (player->switched)
            player->off_face[i] = player->was_face[i] - shown[i];
        shown[i] += left * player->off_face[i];
        player->was_face[i] = shown[i];
    }
    for (size_t i = 0; i < sizeof SHAPE / sizeof *SHAPE; i++)
        face[SHAPE[i].shape] += SHAPE[i].share * shown[SHAPE[i].preset];
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
    cp_ref_drop(player->playing);
    *player = (struct motion_player){.n = 0};
}
