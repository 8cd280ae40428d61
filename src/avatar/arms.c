/*
 * Arms. A pose is a place for the wrist and three directions (gesture.h); two-bone inverse kinematics in the
 * proportions of this body turn it into turns of upper arm, forearm and hand, once, when the actor is made.
 * On the draw thread arms only go from turn to turn: each joint follows its goal as a critically damped
 * spring, so that whatever a gesture interrupts, no arm jumps; the hand is a little slower than the arm, as
 * hands are.
 */
#include "avatar/gesture.h"
#include "avatar/transform.h"

#define STRETCH       0.985f /* of the arm's length at most: a straight elbow locks */
#define TWIST_SHARE   0.5f   /* of the hand's twist that the forearm takes */
#define ARM_STIFFNESS 17.0f  /* radians a second */
#define HAND_STIFF    14.0f
#define CURL_STIFF    16.0f

static const float FULL_CURL[2][3] = {
    /* radians of the three joints at curl 1: thumb, fingers */
    {CP_RADIANS(18), CP_RADIANS(42), CP_RADIANS(60)},
    {CP_RADIANS(78), CP_RADIANS(95), CP_RADIANS(62)},
};

static void quat_inverse(const float q[4], float ret[4])
{
    for (int k = 0; k < 4; k++)
        ret[k] = k < 3 ? -q[k] : q[k];
}

static void quat_turn(const float q[4], const float v[3], float ret[3])
{
    float m[12];
    static const float zero[3] = {0, 0, 0}, one[3] = {1, 1, 1};
    mat_from_trs(zero, q, one, m);
    mat_vector(m, v, ret);
}

/* Between two turns, the short way; close enough to even for the steps that gestures make. */
static void quat_mix(const float a[4], const float b[4], float t, float ret[4])
{
    float dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3], sign = dot < 0 ? -1 : 1;
    for (int k = 0; k < 4; k++)
        ret[k] = mixf(a[k], sign * b[k], t);
    quat_normalize(ret);
}

/* A frame of two directions: the second is made square to the first. Columns a, b, a x b. */
static void frame_of(const float first[3], const float second[3], float ret[12])
{
    float a[3], b[3], c[3];
    memcpy(a, first, sizeof a);
    vec_normalize(a);
    for (int k = 0; k < 3; k++)
        b[k] = second[k] - a[k] * vec_dot(a, second);
    vec_normalize(b);
    vec_cross(a, b, c);
    for (int r = 0; r < 3; r++) {
        ret[4 * r] = a[r];
        ret[4 * r + 1] = b[r];
        ret[4 * r + 2] = c[r];
        ret[4 * r + 3] = 0;
    }
}

/* The turn that takes one pair of directions to another. */
static void turn_between_frames(const float from[12], const float to[12], float ret[4])
{
    float back[12], turn[12], t[3], s[3];
    if (!mat_invert(from, back))
        memcpy(back, MAT_IDENTITY, sizeof back);
    mat_multiply(to, back, turn);
    mat_to_trs(turn, t, ret, s);
}

static enum cp_bone bone_of(int side, enum cp_bone left)
{
    if (left >= CP_BONE_LEFT_THUMB_METACARPAL)
        return (enum cp_bone)(left + side * (CP_BONE_RIGHT_THUMB_METACARPAL - CP_BONE_LEFT_THUMB_METACARPAL));
    return (enum cp_bone)(left + side * (CP_BONE_RIGHT_SHOULDER - CP_BONE_LEFT_SHOULDER));
}

/* Which way fingers and palm point at rest: from the finger joints, or as arms held out have them (palms
 * down), turned with the arm. */
static void find_hand(const struct rig *rig, int side, struct arm *arm)
{
    int hand = rig->joint[bone_of(side, CP_BONE_LEFT_HAND)];
    int middle = rig->joint[bone_of(side, CP_BONE_LEFT_MIDDLE_PROXIMAL)];
    int index = rig->joint[bone_of(side, CP_BONE_LEFT_INDEX_PROXIMAL)];
    int little = rig->joint[bone_of(side, CP_BONE_LEFT_LITTLE_PROXIMAL)];
    const float outward[3] = {arm->out, 0, 0}, down[3] = {0, -1, 0};
    float turn[4], across[3];
    quat_between(outward, arm->along[1], turn);
    memcpy(arm->fingers, arm->along[1], sizeof arm->fingers);
    quat_turn(turn, down, arm->palm);
    if (middle < 0 || index < 0 || little < 0)
        return;
    vec_sub(rig->pivot[middle], rig->pivot[hand], arm->fingers);
    vec_sub(rig->pivot[index], rig->pivot[little], across);
    if (!vec_normalize(arm->fingers) || !vec_normalize(across))
        return;
    vec_cross(arm->fingers, across, arm->palm);
    for (int k = 0; k < 3; k++)
        arm->palm[k] *= arm->out;
    vec_normalize(arm->palm);
}

/* The axis about which a finger curls towards the palm, and how far it is curled at rest. */
static void find_finger(const struct rig *rig, int side, int finger, struct arm *arm)
{
    int joint[3];
    float bone[2][3], towards[3];
    for (int i = 0; i < 3; i++) {
        enum cp_bone left = (enum cp_bone)(CP_BONE_LEFT_THUMB_METACARPAL + 3 * finger + i);
        joint[i] = rig->joint[bone_of(side, left)];
    }
    memcpy(towards, arm->palm, sizeof towards);
    memcpy(bone[0], arm->fingers, sizeof bone[0]);
    memcpy(bone[1], arm->fingers, sizeof bone[1]);
    for (int i = 0; i < 2; i++)
        if (joint[i] >= 0 && joint[i + 1] >= 0) {
            vec_sub(rig->pivot[joint[i + 1]], rig->pivot[joint[i]], bone[i]);
            vec_normalize(bone[i]);
        }
    if (finger == 0) { /* the thumb folds over the palm: towards the little finger more than into the hand */
        float across[3];
        vec_cross(arm->palm, arm->fingers, across);
        for (int k = 0; k < 3; k++)
            towards[k] = 0.55f * arm->palm[k] - 0.85f * arm->out * across[k];
    }
    vec_cross(bone[0], towards, arm->axis[finger]);
    vec_normalize(arm->axis[finger]);
    if (finger == 0)
        return;
    float square[3]; /* angles at rest, in the plane of the curl */
    vec_cross(arm->axis[finger], arm->fingers, square);
    float first = atan2f(vec_dot(bone[0], square), vec_dot(bone[0], arm->fingers));
    float second = atan2f(vec_dot(bone[1], square), vec_dot(bone[1], arm->fingers));
    arm->bend[finger][0] = clampf(first, CP_RADIANS(-20), CP_RADIANS(60));
    arm->bend[finger][1] = clampf(second - first, 0, CP_RADIANS(60));
    arm->bend[finger][2] = 0.7f * arm->bend[finger][1];
}

/* Two-bone inverse kinematics: where the elbow goes for a wrist at `wrist`. ret: unit directions of upper arm
 * and forearm. */
static void reach(const struct arm *arm, const float wrist[3], const float elbow_hint[3], float ret[2][3])
{
    float to[3], pole[3], elbow[3];
    vec_sub(wrist, arm->shoulder, to);
    float most = STRETCH * (arm->length[0] + arm->length[1]),
          least = 1.05f * fabsf(arm->length[0] - arm->length[1]) + 0.01f,
          distance = clampf(sqrtf(vec_dot(to, to)), least, most);
    vec_normalize(to);
    for (int k = 0; k < 3; k++)
        pole[k] = elbow_hint[k] - to[k] * vec_dot(to, elbow_hint);
    vec_normalize(pole);
    float along = (arm->length[0] * arm->length[0] + distance * distance - arm->length[1] * arm->length[1]) /
                  (2 * distance);
    float aside = sqrtf(fmaxf(arm->length[0] * arm->length[0] - along * along, 0));
    for (int k = 0; k < 3; k++) {
        elbow[k] = to[k] * along + pole[k] * aside;
        ret[0][k] = elbow[k];
        ret[1][k] = to[k] * distance - elbow[k];
    }
    vec_normalize(ret[0]);
    vec_normalize(ret[1]);
}

/* The part of a turn that goes about an axis. */
static void twist_of(const float turn[4], const float axis[3], float ret[4])
{
    float along = turn[0] * axis[0] + turn[1] * axis[1] + turn[2] * axis[2],
          sign = turn[3] < 0 ? -1 : 1; /* the short way round */
    for (int k = 0; k < 3; k++)
        ret[k] = sign * along * axis[k];
    ret[3] = sign * turn[3];
    quat_normalize(ret);
}

/* A pose of the table for this arm of this body. */
static void solve(const struct rig *rig, const struct arm *arm, const struct arm_goal *goal, struct limb *ret)
{
    float reach_m = arm->length[0] + arm->length[1], wrist[3], hint[3], fingers[3], palm[3], way[2][3];
    const float side[3] = {arm->out, 1, 1};
    for (int k = 0; k < 3; k++) {
        hint[k] = side[k] * goal->elbow[k];
        fingers[k] = side[k] * goal->fingers[k];
        palm[k] = side[k] * goal->palm[k];
        wrist[k] = goal->at_chin ? rig->chin[k] + side[k] * goal->wrist[k] * reach_m
                                 : arm->shoulder[k] + goal->wrist[k] * reach_m;
    }
    if (!goal->at_chin)
        wrist[0] = goal->wrist[0] * arm->shoulder[0];
    reach(arm, wrist, hint, way);
    float upper[4], lower[4], hand[4], back[4], bent[3], turn[4], twist[4], rest[12], posed[12];
    quat_between(arm->along[0], way[0], upper);
    quat_turn(upper, arm->along[1], bent);
    quat_between(bent, way[1], turn);
    quat_multiply(turn, upper, lower);
    frame_of(arm->fingers, arm->palm, rest);
    frame_of(fingers, palm, posed);
    turn_between_frames(rest, posed, hand);
    quat_inverse(lower, back);
    quat_multiply(back, hand, turn);
    twist_of(turn, arm->along[1], twist);
    quat_mix(QUAT_IDENTITY, twist, TWIST_SHARE, twist);
    quat_multiply(lower, twist, lower);
    memcpy(ret->turn[LIMB_UPPER], upper, sizeof upper);
    quat_inverse(upper, back);
    quat_multiply(back, lower, ret->turn[LIMB_LOWER]);
    quat_inverse(lower, back);
    quat_multiply(back, hand, ret->turn[LIMB_HAND]);
    memcpy(ret->curl, HAND_FORM[goal->form], sizeof ret->curl);
}

static void init_arm(const struct rig *rig, int side, struct arm *arm)
{
    int upper = rig->joint[bone_of(side, CP_BONE_LEFT_UPPER_ARM)];
    int lower = rig->joint[bone_of(side, CP_BONE_LEFT_LOWER_ARM)];
    int hand = rig->joint[bone_of(side, CP_BONE_LEFT_HAND)];
    arm->out = side == 0 ? 1 : -1;
    arm->whole = upper >= 0 && lower >= 0 && hand >= 0;
    struct limb *rest = &arm->pose[ARM_REST];
    memcpy(rest->turn[LIMB_UPPER], rig->arm_rest[side][0], sizeof rest->turn[0]);
    memcpy(rest->turn[LIMB_LOWER], rig->arm_rest[side][1], sizeof rest->turn[0]);
    memcpy(rest->turn[LIMB_HAND], QUAT_IDENTITY, sizeof rest->turn[0]);
    memcpy(rest->curl, HAND_FORM[HAND_RELAXED], sizeof rest->curl);
    for (int p = ARM_REST + 1; p < ARM_POSE_COUNT; p++)
        arm->pose[p] = *rest;
    if (!arm->whole)
        return;
    memcpy(arm->shoulder, rig->pivot[upper], sizeof arm->shoulder);
    vec_sub(rig->pivot[lower], rig->pivot[upper], arm->along[0]);
    vec_sub(rig->pivot[hand], rig->pivot[lower], arm->along[1]);
    for (int part = 0; part < 2; part++) {
        arm->length[part] = sqrtf(vec_dot(arm->along[part], arm->along[part]));
        arm->whole &= vec_normalize(arm->along[part]);
    }
    if (!arm->whole)
        return;
    find_hand(rig, side, arm);
    for (int finger = 0; finger < 5; finger++)
        find_finger(rig, side, finger, arm);
    for (int p = ARM_REST + 1; p < ARM_POSE_COUNT; p++)
        solve(rig, arm, &ARM_GOAL[p], &arm->pose[p]);
}

void arms_init(struct arm arms[2], const struct rig *rig)
{
    for (int side = 0; side < 2; side++) {
        arms[side] = (struct arm){0};
        init_arm(rig, side, &arms[side]);
        arms[side].goal = arms[side].from = arms[side].at = arms[side].pose[ARM_REST];
    }
}

void limb_mix(const struct limb *a, const struct limb *b, float t, struct limb *ret)
{
    struct limb mixed;
    for (int part = 0; part < LIMB_PARTS; part++)
        quat_mix(a->turn[part], b->turn[part], t, mixed.turn[part]);
    for (int finger = 0; finger < 5; finger++)
        mixed.curl[finger] = mixf(a->curl[finger], b->curl[finger], t);
    *ret = mixed;
}

/* Critically damped, exact for any step. */
static void spring(float *at, float *speed, float goal, float stiffness, float dt_s)
{
    float decay = expf(-stiffness * dt_s), off = *at - goal, push = (*speed + stiffness * off) * dt_s;
    *at = goal + (off + push) * decay;
    *speed = (*speed - stiffness * push) * decay;
}

void arm_step(struct arm *arm, float dt_s)
{
    for (int part = 0; part < LIMB_PARTS; part++) {
        float *at = arm->at.turn[part], *speed = arm->speed.turn[part], goal[4];
        float stiffness = part == LIMB_HAND ? HAND_STIFF : ARM_STIFFNESS;
        quat_mix(at, arm->goal.turn[part], 1, goal); /* on the same side of the sphere */
        for (int k = 0; k < 4; k++)
            spring(&at[k], &speed[k], goal[k], stiffness, dt_s);
        quat_normalize(at);
    }
    for (int finger = 0; finger < 5; finger++)
        spring(&arm->at.curl[finger], &arm->speed.curl[finger], arm->goal.curl[finger], CURL_STIFF, dt_s);
}

static void turn_bone(struct stance *stance, enum cp_bone bone, const float turn[4])
{
    quat_multiply(turn, stance->turn[bone], stance->turn[bone]);
}

void arm_turn(const struct arm *arm, int side, struct stance *stance)
{
    for (int part = 0; part < LIMB_PARTS; part++)
        turn_bone(stance, bone_of(side, (enum cp_bone)(CP_BONE_LEFT_UPPER_ARM + part)), arm->at.turn[part]);
    if (!arm->whole)
        return;
    for (int finger = 0; finger < 5; finger++)
        for (int i = 0; i < 3; i++) {
            float turn[4], angle = arm->at.curl[finger] * FULL_CURL[finger > 0][i] - arm->bend[finger][i];
            quat_axis_angle(arm->axis[finger], angle, turn);
            turn_bone(stance, bone_of(side, (enum cp_bone)(CP_BONE_LEFT_THUMB_METACARPAL + 3 * finger + i)),
                      turn);
        }
}
