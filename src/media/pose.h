/*
 * How the character stands at one moment: a weight for each of the model's morph targets and a skinning
 * matrix for each of its joints. A plain value, made by the avatar stage once a frame.
 */
#ifndef CP_MEDIA_POSE_H
#define CP_MEDIA_POSE_H

#include "media/clock.h"
#include "media/model.h"

struct cp_pose {
    int64_t at_samples;
    int n_targets, n_joints;
    float weight[CP_MODEL_MAX_TARGETS];  /* by the model's target index */
    float skin[CP_MODEL_MAX_JOINTS][12]; /* 3x4 row major: model space at rest -> model space posed */
    struct cp_stamps stamps;
};

#endif
