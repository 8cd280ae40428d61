/* The body under the clothes, the clothes' fields, and the hands. */
#ifndef CAST_BODY_H
#define CAST_BODY_H

#include "head.h"

vec3 shoulder_joint(const struct character *c); /* of the left arm; the right one is its mirror image */
vec3 elbow_joint(const struct character *c);
vec3 wrist_joint(const struct character *c);

sdf_field sd_trunk; /* torso without arms and shoulders */
sdf_field sd_arm;   /* left arm */
sdf_field sd_hand;  /* left hand */

void build_hands(struct sculpture *s, const struct character *c);
void build_clothes(struct sculpture *s, const struct character *c);

#endif
