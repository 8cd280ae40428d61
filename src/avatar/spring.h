/* Hair and cloth that follow the body late: the simulation of a model's springs. One thread; no allocation.
 */
#ifndef CP_AVATAR_SPRING_H
#define CP_AVATAR_SPRING_H

#include "media/model.h"

#include <stdbool.h>

struct springs {
    const struct cp_model *model;
    bool awake; /* the tails are where a frame before left them */
    float left_s;
    float tail[CP_MODEL_MAX_JOINTS][3],
        before[CP_MODEL_MAX_JOINTS][3]; /* by spring, in their centre's space */
};

/* The model must outlive the springs. */
void spring_init(struct springs *springs, const struct cp_model *model);

/*
 * Goes on by dt_s from a finished pose without springs (`skin`, as in struct cp_pose) and turns what swings
 * in it. Equal poses and steps give equal results. After a jump (dt_s over a quarter second, a joint over a
 * metre away) everything hangs at rest again.
 */
void spring_step(struct springs *springs, float (*skin)[12], float dt_s);

#endif
