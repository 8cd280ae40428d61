#ifndef CAST_SKELETON_H
#define CAST_SKELETON_H

#include "mesh.h"

struct joint {
    const char *name; /* VRM 1.0 humanoid bone */
    int parent;       /* before the child; -1 for the root */
    vec3 position;    /* in sculpting space, at rest; no joint is turned, so its axes are the model's */
};
enum { JOINT_COUNT = 54 }; /* VRM 1.0's 55 without the jaw, which is a shape here */
struct skeleton {
    struct joint joints[JOINT_COUNT];
};
void skeleton_make(const struct character *c, struct skeleton *ret);

struct weights {
    uint8_t joint[4];
    float weight[4]; /* sum 1 */
};
/* What carries a vertex; `anchor` in sculpting space, before proportions. */
struct weights skin_weights(const struct character *c, enum rig rig, vec3 anchor);

#endif
