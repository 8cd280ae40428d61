#include "skeleton.h"
#include "body.h"
#include "face.h"
#include "hand.h"

enum { N_FINGER_BONES = FINGER_COUNT * FINGER_JOINTS };
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
    LEFT_FINGERS, /* thumb to little finger, three bones each from the palm outwards */
    RIGHT_SHOULDER = LEFT_FINGERS + N_FINGER_BONES,
    RIGHT_UPPER_ARM,
    RIGHT_LOWER_ARM,
    RIGHT_HAND,
    RIGHT_FINGERS,
    LEFT_UPPER_LEG = RIGHT_FINGERS + N_FINGER_BONES,
    LEFT_LOWER_LEG,
    LEFT_FOOT,
    LEFT_TOES,
    RIGHT_UPPER_LEG,
    RIGHT_LOWER_LEG,
    RIGHT_FOOT,
    RIGHT_TOES,
    BONE_COUNT,
};
_Static_assert((int)BONE_COUNT == (int)JOINT_COUNT, "a bone is missing");

static const char *const arm_names[2][4] = {{"leftShoulder", "leftUpperArm", "leftLowerArm", "leftHand"},
                                            {"rightShoulder", "rightUpperArm", "rightLowerArm", "rightHand"}};
static const char *const leg_names[2][4] = {{"leftUpperLeg", "leftLowerLeg", "leftFoot", "leftToes"},
                                            {"rightUpperLeg", "rightLowerLeg", "rightFoot", "rightToes"}};
#define FINGER(side, name) side name "Proximal", side name "Intermediate", side name "Distal"
#define FINGERS(side)                                                                                        \
    {                                                                                                        \
        side "ThumbMetacarpal", side "ThumbProximal", side "ThumbDistal", FINGER(side, "Index"),             \
            FINGER(side, "Middle"), FINGER(side, "Ring"), FINGER(side, "Little")                             \
    }
static const char *const finger_names[2][N_FINGER_BONES] = {FINGERS("left"), FINGERS("right")};

static void add_limb(struct skeleton *s, int first, int parent, const char *const names[4],
                     const vec3 places[4], bool right)
{
    for (int k = 0; k < 4; k++)
        s->joints[first + k] =
            (struct joint){names[k], k > 0 ? first + k - 1 : parent, right ? mirror(places[k]) : places[k]};
}

void skeleton_make(const struct character *c, struct skeleton *ret)
{
    vec3 eye = eye_center(c);
    *ret = (struct skeleton){{
        [HIPS] = {"hips", -1, {0, -66, -3.5f}},
        [SPINE] = {"spine", HIPS, {0, -54, -4.5f}},
        [CHEST] = {"chest", SPINE, {0, -40, -5.0f}},
        [UPPER_CHEST] = {"upperChest", CHEST, {0, -28, -5.0f}},
        [NECK] = {"neck", UPPER_CHEST, {0, -14.5f, -4.2f}},
        [HEAD] = {"head", NECK, {0, -7.5f, -2.2f}},
        [LEFT_EYE] = {"leftEye", HEAD, eye},
        [RIGHT_EYE] = {"rightEye", HEAD, mirror(eye)},
    }};
    const vec3 arm[4] = {v3(2.5f, -17.0f, -3.5f), shoulder_joint(c), elbow_joint(c), wrist_joint(c)};
    const vec3 leg[4] = {hip_joint(c), knee_joint(c), ankle_joint(c), toe_joint(c)};
    for (int right = 0; right < 2; right++) {
        int first_arm = right ? RIGHT_SHOULDER : LEFT_SHOULDER, hand = first_arm + 3;
        add_limb(ret, first_arm, UPPER_CHEST, arm_names[right], arm, right);
        add_limb(ret, right ? RIGHT_UPPER_LEG : LEFT_UPPER_LEG, HIPS, leg_names[right], leg, right);
        for (int k = 0; k < N_FINGER_BONES; k++) {
            vec3 p = finger_point(c, (enum finger)(k / FINGER_JOINTS), k % FINGER_JOINTS);
            ret->joints[hand + 1 + k] = (struct joint){
                finger_names[right][k], k % FINGER_JOINTS ? hand + k : hand, right ? mirror(p) : p};
        }
    }
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

/* Hips and legs: cloth between the thighs belongs to both. */
static void add_lower(const struct character *c, float *w, vec3 p, float share)
{
    float hip = hip_joint(c).y, knee = knee_joint(c).y;
    vec3 ankle = ankle_joint(c), toe = toe_joint(c);
    float thigh = share * ease(hip + 6, hip - 8, p.y), shin = ease(knee + 5, knee - 5, p.y);
    float foot = ease(ankle.y + 2.5f, ankle.y - 1.5f, p.y), toes = ease(toe.z - 1.5f, toe.z + 1.5f, p.z);
    w[HIPS] += share - thigh;
    for (int right = 0; right < 2; right++) {
        int first = right ? RIGHT_UPPER_LEG : LEFT_UPPER_LEG;
        float own = thigh * ease(-2.0f, 2.0f, right ? -p.x : p.x);
        w[first] += own * (1 - shin);
        w[first + 1] += own * shin * (1 - foot);
        w[first + 2] += own * shin * foot * (1 - toes);
        w[first + 3] += own * shin * foot * toes;
    }
}

static void add_body(const struct character *c, float *w, vec3 p)
{
    int first = p.x > 0 ? LEFT_SHOULDER : RIGHT_SHOULDER;
    vec3 q = v3(fabsf(p.x), p.y, p.z), shoulder = shoulder_joint(c), bone = sub(elbow_joint(c), shoulder);
    vec3 hanging = arm_from_rest(c, q), wrist = hanging_wrist(c);
    /* Arm or trunk, whichever is nearer, softly; over the shoulder, by how far along the arm. */
    float beyond = dot(sub(q, shoulder), unit(bone));
    const float soft = 4.0f;
    bool of_hand = hanging.y < wrist.y && q.x > c->shoulder_width + 14;
    float arm = of_hand ? 1 : ease(-soft, soft, sd_trunk(c, q) - sd_arm(c, q)) * ease(-5.0f, 5.5f, beyond);
    float forearm = ease(-40.5f, -50.5f, hanging.y), hand = ease(wrist.y + 1.2f, wrist.y - 2.0f, hanging.y);
    struct hand_shares shares = {.palm = 1};
    if (of_hand)
        shares = hand_shares(c, q);
    w[first + 1] += arm * (1 - forearm);
    w[first + 2] += arm * forearm * (1 - hand);
    w[first + 3] += arm * forearm * hand * shares.palm;
    for (int k = 0; k < FINGER_JOINTS; k++)
        w[first + 4 + (int)shares.finger * FINGER_JOINTS + k] += arm * forearm * hand * shares.bone[k];
    float clavicle = 0.75f * ease(4, 11, q.x) * ease(-27, -18, q.y) * (1 - arm);
    w[first] += clavicle;
    float trunk = 1 - arm - clavicle, lower = ease(-60, -68, q.y);
    add_trunk(w, q.y, trunk * (1 - lower));
    add_lower(c, w, p, trunk * lower);
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
