/* What the parts of an actor share. Everything here runs on one thread and allocates nothing. */
#ifndef CP_AVATAR_ACTING_H
#define CP_AVATAR_ACTING_H

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

/* --- the rig (rig.c): what a model can do --- */

struct rig {
    struct cp_model *model;
    int target[CP_SHAPE_COUNT];          /* the model's target for a shape, -1 */
    int joint[CP_BONE_COUNT];            /* the model's joint for a bone, -1 */
    float pivot[CP_MODEL_MAX_JOINTS][3]; /* where joints stand at rest, model space */
};

/* Turns and a shift asked of the bones, in model space as if the character stood at rest. */
struct stance {
    float turn[CP_BONE_COUNT][4]; /* quaternions */
    float shift[3];               /* of the hips, metres */
};

void rig_init(struct rig *rig, struct cp_model *model);
void stance_clear(struct stance *stance);
/* Adds a turn on top of what the bone does; nothing happens to bones that the model lacks. */
void stance_turn(struct stance *stance, enum cp_bone bone, float yaw, float pitch, float roll);
/* Skinning matrices of all joints. */
void rig_skin(const struct rig *rig, const struct stance *stance, float (*ret_skin)[12]);

#endif
