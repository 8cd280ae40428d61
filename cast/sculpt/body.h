/*
 * The body under the clothes, and the clothes. At rest the arms stand out by ARM_OUT from how they hang (an A
 * pose): shoulders made half raised bend well both ways, and nothing of a sleeve touches the trunk. Arms are
 * described hanging, and turned about the shoulder joint.
 */
#ifndef CAST_BODY_H
#define CAST_BODY_H

#include "head.h"

/* Of the left side, at rest; the right side is its mirror image. */
vec3 shoulder_joint(const struct character *c);
vec3 elbow_joint(const struct character *c);
vec3 wrist_joint(const struct character *c);
vec3 hip_joint(const struct character *c);
vec3 knee_joint(const struct character *c);
vec3 ankle_joint(const struct character *c);
vec3 toe_joint(const struct character *c); /* where the ball of the foot bends */

/* Between the space of the hanging left arm and the one at rest. */
vec3 arm_to_rest(const struct character *c, vec3 p);
vec3 arm_from_rest(const struct character *c, vec3 p);
vec3 hanging_elbow(const struct character *c);
vec3 hanging_wrist(const struct character *c);

sdf_field sd_trunk; /* torso without arms and shoulders */
sdf_field sd_torso; /* with shoulders, bust and neck */
sdf_field sd_arm;   /* left arm */
sdf_field sd_leg;   /* left leg and foot */
void build_clothes(struct sculpture *s, const struct character *c);

#endif
