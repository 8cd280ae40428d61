/*
 * The curves of the face as seen from the front. One set of lip and lid curves drives the sculpt, the paint
 * and the blend shapes, so that they always agree.
 */
#ifndef CAST_FACE_H
#define CAST_FACE_H

#include "character.h"
#include "sdf.h"

#define MOUTH_Y (-7.0f) /* height of the lip line's middle */

static inline vec3 eye_center(const struct character *c)
{
    return v3(c->eye_apart, 0, c->eye_depth);
}

/* y of the lip line and of the lips' outer borders at x. */
float lip_line(const struct character *c, float x);
float lip_top(const struct character *c, float x);
float lip_bottom(const struct character *c, float x);
/* y of the lid edges at x, both from the eyeball's centre (x grows outwards). */
float lid_top(const struct character *c, float x);
float lid_bottom(const struct character *c, float x);
/* Distance to the eye's opening seen from the front, negative inside. */
float eye_opening(const struct character *c, float x, float y);
/* The brow's middle line: t = 0 at the nose, 1 at the temple; z unused. */
vec3 brow_line(const struct character *c, float t);
float brow_half_width(const struct character *c, float t);

#endif
