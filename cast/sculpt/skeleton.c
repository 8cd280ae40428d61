#include "skeleton.h"
#include "body.h"
#include "face.h"

enum {
    HIPS,
    SPINE,
    CHEST,
    UPPER_CHEST,
    NECK,
    HEAD,
    LEFT_EYE,
    RIGHT_EYE,
    LEFT_SHOULDER,
    LEFT_UPPER_ARM,
    LEFT_LOWER_ARM,
    LEFT_HAND,
    RIGHT_SHOULDER,
    RIGHT_UPPER_ARM,
    RIGHT_LOWER_ARM,
    RIGHT_HAND,
};

void skeleton_make(const struct character *c, struct skeleton *ret)
{
    vec3 eye = eye_center(c), clavicle = v3(2.5f, -17.0f, -3.5f);
    vec3 shoulder = shoulder_joint(c), elbow = elbow_joint(c), wrist = wrist_joint(c);
    *ret = (struct skeleton){{
        [HIPS] = {"hips", -1, {0, -66, -3.5f}},
        [SPINE] = {"spine", HIPS, {0, -54, -4.5f}},
        [CHEST] = {"chest", SPINE, {0, -40, -5.0f}},
        [UPPER_CHEST] = {"upperChest", CHEST, {0, -28, -5.0f}},
        [NECK] = {"neck", UPPER_CHEST, {0, -14.5f, -4.2f}},
        [HEAD] = {"head", NECK, {0, -7.5f, -2.2f}},
        [LEFT_EYE] = {"leftEye", HEAD, eye},
        [RIGHT_EYE] = {"rightEye", HEAD, mirror(eye)},
        [LEFT_SHOULDER] = {"leftShoulder", UPPER_CHEST, clavicle},
        [LEFT_UPPER_ARM] = {"leftUpperArm", LEFT_SHOULDER, shoulder},
        [LEFT_LOWER_ARM] = {"leftLowerArm", LEFT_UPPER_ARM, elbow},
        [LEFT_HAND] = {"leftHand", LEFT_LOWER_ARM, wrist},
        [RIGHT_SHOULDER] = {"rightShoulder", UPPER_CHEST, mirror(clavicle)},
        [RIGHT_UPPER_ARM] = {"rightUpperArm", RIGHT_SHOULDER, mirror(shoulder)},
        [RIGHT_LOWER_ARM] = {"rightLowerArm", RIGHT_UPPER_ARM, mirror(elbow)},
        [RIGHT_HAND] = {"rightHand", RIGHT_LOWER_ARM, mirror(wrist)},
    }};
}

/* The trunk: each height lies between two joints' regions. */
static void add_trunk(float *w, float y, float share)
{
    float upper = ease(-36, -26, y), chest = ease(-50, -38, y), spine = ease(-62, -52, y);
    w[UPPER_CHEST] += share * upper;
    w[CHEST] += share * (1 - upper) * chest;
    w[SPINE] += share * (1 - upper) * (1 - chest) * spine;
    w[HIPS] += share * (1 - upper) * (1 - chest) * (1 - spine);
}

static void add_body(const struct character *c, float *w, vec3 p)
{
    vec3 wrist = wrist_joint(c);
    int side = p.x > 0 ? 0 : RIGHT_SHOULDER - LEFT_SHOULDER;
    vec3 q = v3(fabsf(p.x), p.y, p.z);
    /* arm or trunk, whichever is nearer; a wide blend over the shoulder, a narrow one below the armpit */
    float soft = blend(4.0f, 0.8f, ease(-21, -31, q.y));
    vec3 on_arm = v3(q.x, maxf(q.y, wrist.y), q.y < wrist.y ? wrist.z : q.z); /* fingers go with the arm */
    float arm = ease(-soft, soft, sd_trunk(c, q) - sd_arm(c, on_arm)) *
                ease(c->shoulder_width - 7, c->shoulder_width + 1, q.x + maxf(0, -24 - q.y));
    float forearm = ease(-42.5f, -48.5f, q.y), hand = ease(-65.8f, -69.0f, q.y);
    w[LEFT_UPPER_ARM + side] += arm * (1 - forearm);
    w[LEFT_LOWER_ARM + side] += arm * forearm * (1 - hand);
    w[LEFT_HAND + side] += arm * forearm * hand;
    float clavicle = 0.75f * ease(4, 11, q.x) * ease(-27, -18, q.y) * (1 - arm);
    w[LEFT_SHOULDER + side] += clavicle;
    add_trunk(w, q.y, 1 - arm - clavicle);
}

static void add_face(float *w, vec3 p)
{
    float head = ease(-13.5f, -9.0f, p.y + 0.28f * (p.z - 4)), chest = ease(-12.5f, -17.0f, p.y);
    w[HEAD] += head;
    w[UPPER_CHEST] += (1 - head) * chest;
    w[NECK] += (1 - head) * (1 - chest);
}

struct weights skin_weights(const struct character *c, enum rig rig, vec3 anchor)
{
    float w[JOINT_COUNT] = {0};
    switch (rig) {
    case RIG_HEAD:
    case RIG_JAW:
    case RIG_TONGUE:
        w[HEAD] = 1;
        break;
    case RIG_LEFT_EYE:
        w[LEFT_EYE] = 1;
        break;
    case RIG_RIGHT_EYE:
        w[RIGHT_EYE] = 1;
        break;
    case RIG_FACE:
        add_face(w, anchor);
        break;
    case RIG_BODY:
        add_body(c, w, anchor);
        break;
    }
    struct weights out = {0};
    float sum = 0;
    for (int k = 0; k < 4; k++) { /* the four strongest */
        int best = 0;
        for (int j = 1; j < JOINT_COUNT; j++)
            if (w[j] > w[best])
                best = j;
        if (w[best] < 1e-3f)
            break;
        out.joint[k] = (uint8_t)best;
        out.weight[k] = w[best];
        sum += w[best];
        w[best] = 0;
    }
    for (int k = 0; k < 4; k++)
        out.weight[k] /= sum;
    return out;
}
