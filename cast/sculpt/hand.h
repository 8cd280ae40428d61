/*
 * Hands. The hand's own space: the wrist at the origin, fingers along -y, the thumb in front (+z), the palm
 * towards -x: a left hand that hangs at its owner's side.
 */
#ifndef CAST_HAND_H
#define CAST_HAND_H

#include "body.h"

enum finger { THUMB, INDEX, MIDDLE, RING, LITTLE, FINGER_COUNT };
enum { FINGER_JOINTS = 3, FINGER_POINTS = FINGER_JOINTS + 1 }; /* the last point is the tip's middle */

/* A joint of the left hand in sculpting space; at FINGER_JOINTS the tip. */
vec3 finger_point(const struct character *c, enum finger finger, int joint);

/* Shares of the hand's bones in a vertex at p (left hand, sculpting space): the palm, and of one finger's
 * bones only. They sum to 1. */
struct hand_shares {
    enum finger finger;
    float palm, bone[FINGER_JOINTS];
};
struct hand_shares hand_shares(const struct character *c, vec3 p);

sdf_field sd_hand; /* left hand */
void build_hands(struct sculpture *s, const struct character *c);

#endif
