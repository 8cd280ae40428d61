/* Gestures as data: keys of head and face channels, and keys of named arm poses. The tables are in
 * gestures.c, what plays them in action.c, what makes an arm pose fit a body in arms.c. */
#ifndef CP_AVATAR_GESTURE_H
#define CP_AVATAR_GESTURE_H

#include "avatar/acting.h"

#define GESTURE_MAX_KEYS     10
#define GESTURE_MAX_TRACKS   7
#define GESTURE_MAX_ARM_KEYS 14

struct key {
    float at_s, value;
};

/* Keys start after an implicit 0 at 0 s and end at 0; angles in degrees. */
struct track {
    enum gesture_channel channel;
    struct key key[GESTURE_MAX_KEYS];
};

/* When an arm has reached a pose. After the last key it goes back to rest. */
struct arm_key {
    float at_s;
    enum arm_pose pose;
};

enum gesture_arm { GESTURE_RIGHT_ARM, GESTURE_LEFT_ARM, GESTURE_CARD_ARM /* the one nearer the card */ };

struct gesture {
    struct track track[GESTURE_MAX_TRACKS];
    enum gesture_arm arm; /* which one is the main arm */
    struct arm_key main[GESTURE_MAX_ARM_KEYS], other[GESTURE_MAX_ARM_KEYS];
};

/* What a cue's "action" and marks call them. */
/* clang-format off */
#define GESTURES(X) \
    X(nod, "nod") \
    X(shake, "shake") \
    X(tilt, "tilt") \
    X(bow, "bow") \
    X(shrug, "shrug") \
    X(lean_in, "lean_in") \
    X(look_left, "look_left") \
    X(look_right, "look_right") \
    X(look_down, "look_down") \
    X(brow_raise, "brow_raise") \
    X(smile, "smile") \
    X(greet, "greet") \
    X(wave_goodbye, "wave-goodbye") \
    X(point_left, "point-left") \
    X(point_right, "point-right") \
    X(point_up, "point-up") \
    X(count_1, "count-1") \
    X(count_2, "count-2") \
    X(count_3, "count-3") \
    X(open_hands, "open-hands") \
    X(hand_on_heart, "hand-on-heart") \
    X(thumbs_up, "thumbs-up") \
    X(applaud, "applaud") \
    X(think, "think") \
    X(present_card, "present-card")
/* clang-format on */

enum gesture_id {
#define X(symbol, name) GESTURE_##symbol,
    GESTURES(X)
#undef X
        N_GESTURES,
};

extern const struct gesture GESTURE[N_GESTURES];

/* Where a body puts its arm for a pose. Distances fit any humanoid: x is outward from the middle of the body
 * in half widths of the shoulders; y is up and z forward from the shoulder (or, for poses at the chin, all
 * three from the point of the chin) in lengths of the arm from shoulder to wrist. Directions are outward, up,
 * forward and need not be of unit length. */
struct arm_goal {
    bool at_chin;
    float wrist[3];
    float elbow[3];   /* which way the elbow points */
    float fingers[3]; /* which way the stretched fingers would point */
    float palm[3];    /* which way the palm faces */
    enum hand_form form;
};

extern const struct arm_goal ARM_GOAL[ARM_POSE_COUNT];

/* How far each finger is curled: 0 straight .. 1 against the palm; thumb first. */
extern const float HAND_FORM[HAND_FORM_COUNT][5];

#endif
