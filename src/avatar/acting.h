/* What the parts of an actor share. Everything here runs on one thread and allocates nothing. */
#ifndef CP_AVATAR_ACTING_H
#define CP_AVATAR_ACTING_H

#include "media/clock.h"
#include "media/model.h"
#include "media/moment.h"
#include "media/shapes.h"
#include "media/utterance.h"

#include <stdbool.h>
#include <stdint.h>

/* --- chance: a small generator of one's own for each part, so that one part's draws do not shift another's
 */

struct chance {
    uint64_t state;
};

static inline struct chance chance_make(uint64_t seed, uint64_t part)
{
    return (struct chance){.state = seed * 0x9E3779B97F4A7C15u + part * 0xD1B54A32D192ED03u + 1};
}

/* 0 <= x < 1 (splitmix64: Steele, Lea, Flood 2014). */
static inline float chance_unit(struct chance *chance)
{
    uint64_t z = chance->state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (float)((z ^ z >> 31) >> 40) * 0x1p-24f;
}

static inline float chance_between(struct chance *chance, float low, float high)
{
    return low + (high - low) * chance_unit(chance);
}

float chance_normal(struct chance *chance);
/* Log-normal with that mean; sigma is the standard deviation of the logarithm. */
float chance_log_normal(struct chance *chance, float mean, float sigma);
/* Exponential with that mean. */
float chance_exponential(struct chance *chance, float mean);

/* --- the mouth (mouth.c): stateless --- */

struct mouth {
    float shape[CP_SHAPE_COUNT];
    float closure;  /* 1: the lips have to meet now, whatever else the face does */
    float activity; /* 0 at rest .. 1 while a sound is formed */
};

void mouth_at(const struct cp_utterance *utterance, int32_t offset_samples, struct mouth *ret);
/* Makes the lips meet as far as `closure` says, on any set of shapes. */
void mouth_close(float *shapes, float closure);

/* --- feelings (emotion.c) --- */

struct feeling {
    enum cp_emotion emotion;
    float intensity;
    float from[CP_SHAPE_COUNT], to[CP_SHAPE_COUNT], shape[CP_SHAPE_COUNT]; /* shape: as it is now */
    float head_from[3], head_to[3], head[3];                               /* yaw, pitch, roll in radians */
    float since_s;
    float uneven,
        late_s; /* how much weaker, and later, the right side of the face comes; < 0: the left one */
};

void feeling_init(struct feeling *feeling, uint64_t seed);
/* Goes on by dt_s; blends when the emotion or its intensity changes. */
void feeling_step(struct feeling *feeling, enum cp_emotion emotion, float intensity, float dt_s);

/* --- blinking (blink.c) --- */

struct blinker {
    struct chance chance;
    float rate;   /* blinks a minute that the wait was drawn for */
    float wait_s; /* until the next blink */
    float into_s; /* time into the present blink; < 0 for none */
    float hold_s; /* how long the lids stay shut this time */
    bool again;   /* a second blink follows at once */
    float closed; /* the lids now: 0 open .. 1 shut */
};

void blinker_init(struct blinker *blinker, uint64_t seed);
/* gaze_shift: degrees of a saccade that starts now, else 0: large ones often come with a blink. */
void blinker_step(struct blinker *blinker, bool speaking, float gaze_shift_deg, float dt_s);

/* --- gaze (gaze.c) --- */

/* Something that follows late and smoothly: head and body after the eyes. */
struct follower {
    float wanted[2], delay_s; /* where to go, once the delay is over */
    float goal[2], at[2], speed[2];
};

/* Where the eyes look, as yaw and pitch in radians away from the viewer (the camera). */
struct gaze {
    struct chance chance;
    enum cp_attention attention;
    bool away;
    bool glances;                /* looks at a thing: "away" is then a glance at the camera (struct focus) */
    float hold_s, micro_s;       /* until the next shift, and the next small one */
    float base[2];               /* what small shifts play around */
    float from[2], to[2], at[2]; /* one saccade */
    float into_s, lasts_s;
    float shift_deg; /* of a saccade that starts in this step, else 0 */
    struct follower head, body;
};

/* What the eyes rest on, as a direction from between them and a distance: yaw, pitch, metres. A change is one
 * saccade; head and body follow it. */
struct focus {
    struct chance chance;
    enum cp_look look; /* unset before the first step */
    float from[3], to[3], at[3];
    float into_s, lasts_s;
    struct follower head, body; /* yaw and pitch that they take */
};

void focus_init(struct focus *focus, uint64_t seed);
/* Returns the degrees of a saccade that starts in this step, else 0. */
float focus_step(struct focus *focus, enum cp_look look, const float to[3], float dt_s);

void gaze_init(struct gaze *gaze, uint64_t seed);
void gaze_step(struct gaze *gaze, enum cp_attention attention, float dt_s);
/* Moves what follows towards its goal. stiffness: radians a second; higher is quicker. */
void follower_step(struct follower *follower, float stiffness, float dt_s);

/* --- head and body (body.c) --- */

struct body {
    struct chance chance;
    uint64_t seed;                        /* of the slow drifts */
    float phase[8][3];                    /* and where they start */
    float breath;                         /* 0..1 through one quiet breath */
    float air, air_speed;                 /* how full the lungs are, 0..1 */
    struct follower weight;               /* which leg carries it: -1..1 (only the first number is used) */
    float stand_s;                        /* until it moves to the other */
    const struct cp_utterance *utterance; /* the one that mean_* belong to; compared only */
    int32_t last_offset;
    float mean_log_f0, mean_level;
    float lift, lift_speed;  /* head raised by the melody, radians */
    float speaking;          /* 0..1, smoothed */
    float beat_s, beat_size; /* a small nod on a stressed word: time into it (< 0: none), radians */
    float brow_size;
    float rested_s; /* since the last beat */
    /* results */
    float head[3], brow; /* yaw, pitch, roll; brow raise 0..1 */
    float spine[3], chest_pitch, shoulders, shift[3];
};

void body_init(struct body *body, uint64_t seed);
void body_step(struct body *body, const struct cp_moment *moment, float dt_s);
/* How much a vowel stands out of its utterance, by stress, pitch and loudness: some 0 .. 1. */
float body_prominence(const struct body *body, const struct cp_utterance *u, const struct cp_mark *vowel);

/* --- the rig (rig.c): what a model can do --- */

/* Shapes of other sets that stand in for ARKit's (foreign.c): five vowels and a smile, then lids. */
enum drive {
    DRIVE_AA,
    DRIVE_IH,
    DRIVE_OU,
    DRIVE_EE,
    DRIVE_OH,
    DRIVE_SMILE,
    DRIVE_BLINK,
    DRIVE_BLINK_LEFT,
    DRIVE_BLINK_RIGHT,
    DRIVE_COUNT,
};

struct rig {
    struct cp_model *model;
    int target[CP_SHAPE_COUNT];          /* the model's target for a shape, -1 */
    int joint[CP_BONE_COUNT];            /* the model's joint for a bone, -1 */
    float pivot[CP_MODEL_MAX_JOINTS][3]; /* where joints stand at rest, model space */
    float arm_rest[2][2][4];             /* left, right; upper, lower: turns to hanging arms */
    float eye[2][3];                     /* where the left and right eye stand */
    bool has_arms;                       /* the right one is whole: it can wave */
    float chin[3];                       /* the point of the chin */
    /* What weight 1 of eyeLook Up, Down, In, Out turns each eyeball by, radians; all 0 when those shapes
     * move lids only. */
    float look[2][4];
    int driven[DRIVE_COUNT]; /* the model's target of another set, -1 */
    bool arms_lowered;       /* it stands with its arms out: they are let down */
    bool eyes_by_shape;      /* the shapes turn the eyeballs: do not turn the joints as well */
};

/* Turns and a shift asked of the bones, in model space as if the character stood at rest. */
struct stance {
    float turn[CP_BONE_COUNT][4]; /* quaternions */
    float shift[3];               /* of the hips, metres */
};

void rig_init(struct rig *rig, struct cp_model *model);
void foreign_init(struct rig *rig);
/* Weights of those shapes, from a finished face of ARKit weights. */
void foreign_apply(const struct rig *rig, const float *face, float *weight);
void stance_clear(struct stance *stance);
/* Adds a turn on top of what the bone does; nothing happens to bones that the model lacks. */
void stance_turn(struct stance *stance, enum cp_bone bone, float yaw, float pitch, float roll);
/* Skinning matrices of all joints. */
void rig_skin(const struct rig *rig, const struct stance *stance, float (*ret_skin)[12]);

/* Turns what is constrained in finished skinning matrices, and what hangs on it (constrain.c). */
void constrain(const struct rig *rig, float (*skin)[12]);

/* --- arms (arms.c) --- */

enum hand_form {
    HAND_RELAXED,
    HAND_OPEN,
    HAND_FLAT,
    HAND_ONE, /* the index finger alone: one, and pointing */
    HAND_TWO,
    HAND_THREE,
    HAND_THUMB,
    HAND_THINK,
    HAND_FORM_COUNT,
};

enum arm_pose {
    ARM_REST,
    ARM_GREET,
    ARM_WAVE_OUT,
    ARM_WAVE_IN,
    ARM_POINT_SIDE,
    ARM_POINT_UP,
    ARM_COUNT_1,
    ARM_COUNT_2,
    ARM_COUNT_3,
    ARM_OPEN,
    ARM_OPEN_LOW,
    ARM_HEART,
    ARM_THUMB_UP,
    ARM_CLAP_OPEN,
    ARM_CLAP_SHUT,
    ARM_CHIN,
    ARM_ACROSS,
    ARM_PRESENT,
    ARM_TALK, /* where hands wait while one talks with them; then what beats.c makes of it */
    ARM_TALK_UP,
    ARM_TALK_DOWN,
    ARM_TALK_OPEN,
    ARM_TALK_REST,
    ARM_POSE_COUNT,
};

enum limb_part { LIMB_UPPER, LIMB_LOWER, LIMB_HAND, LIMB_PARTS };

/* How an arm is held: turns as in struct stance, and how far each finger is curled. */
struct limb {
    float turn[LIMB_PARTS][4];
    float curl[5];
};

struct arm {
    bool whole; /* upper arm, forearm and hand are there; else it only hangs */
    float out;  /* 1 on the left, -1 on the right: the sign of outward */
    float shoulder[3], length[2];
    float along[2][3];         /* directions of upper arm and forearm at rest */
    float fingers[3], palm[3]; /* directions at rest */
    float axis[5][3];          /* fingers curl about these */
    float bend[5][3];          /* and are curled so far at rest, radians */
    struct limb pose[ARM_POSE_COUNT];
    struct limb from, goal; /* when the gesture began; now */
    struct limb at, speed;  /* follows the goal; speed a second */
};

void arms_init(struct arm arms[2], const struct rig *rig);
void limb_mix(const struct limb *a, const struct limb *b, float t, struct limb *ret);
void arm_step(struct arm *arm, float dt_s);
/* Adds the arm's turns to the stance. side: 0 left, 1 right */
void arm_turn(const struct arm *arm, int side, struct stance *stance);

/* --- gestures (action.c) --- */

enum gesture_channel {
    GESTURE_HEAD_YAW, /* radians from here ... */
    GESTURE_HEAD_PITCH,
    GESTURE_HEAD_ROLL,
    GESTURE_SPINE_PITCH,
    GESTURE_GAZE_YAW,
    GESTURE_GAZE_PITCH, /* ... to here; the rest 0..1 */
    GESTURE_SHOULDERS,
    GESTURE_BROWS,
    GESTURE_SMILE,
    GESTURE_POUT,
    GESTURE_COUNT,
};

struct gesturer {
    int playing;  /* row of the table, -1 */
    bool started; /* in this frame */
    int main;     /* the gesture's main arm: 0 left, 1 right */
    float into_s;
    char last_action[24];
    float carry[GESTURE_COUNT]; /* what the gesture before left behind; fades */
    float value[GESTURE_COUNT];
    struct arm arm[2];
};

void gesturer_init(struct gesturer *gesturer, const struct rig *rig);
/* Starts a gesture now; unknown names do nothing. card_left: the shown card is on its left-hand side. */
void gesturer_start(struct gesturer *gesturer, const char *action, bool card_left);
/* Starts what marks of the speech between two places name: "action:NAME", or NAME itself. */
void gesturer_hear(struct gesturer *gesturer, const struct cp_utterance *utterance, int32_t from, int32_t to,
                   bool card_left);
/* Goes on; starts the named gesture when the name is new. */
void gesturer_step(struct gesturer *gesturer, const char *action, bool card_left, float dt_s);
/* The arms follow the goals that gestures, or else beats, have set for this frame. */
void gesturer_move(struct gesturer *gesturer, float dt_s);

/* --- beats of the hands while talking (beats.c) --- */

#define BEAT_STEPS 4
struct beat_step {
    enum arm_pose pose;
    float amount, lasts_s; /* how far from ARM_TALK to the pose; the time it takes */
};

/* What one arm does next. */
struct beat_plan {
    struct beat_step step[BEAT_STEPS];
    int n, at;
    float into_s;
    bool begun;          /* `from` is this step's */
    enum arm_pose place; /* where it waits: ARM_REST (hanging), ARM_TALK_REST or ARM_TALK */
    struct limb from;
};

struct beats {
    struct chance chance;
    struct beat_plan plan[2]; /* left, right */
    bool up;                  /* hands are raised */
    int hands;                /* which: 1 left, 2 right */
    int left;                 /* strokes until they rest again */
    float since_s, stay_s;    /* since the last stroke; how long hands wait for the next */
    float wait_s, quiet_s;    /* until they may be raised again; since speech was heard */
};

void beats_init(struct beats *beats, uint64_t seed);
/* Moves the arms' goals. free: neither a gesture nor a motion has the arms. */
void beats_step(struct beats *beats, struct arm arm[2], const struct body *body,
                const struct cp_moment *moment, bool free, float dt_s);

#endif
