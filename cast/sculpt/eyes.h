#ifndef CAST_EYES_H
#define CAST_EYES_H

#include "mesh.h"

/* Eyeballs with painted irises. uv is (0.5, 0.5) in the pupil's middle, seen from the eye's front, and the
 * iris ends EYE_UV_IRIS from there, so that a renderer may draw its own. */
#define EYE_UV_IRIS 0.235f

void build_eyes(struct sculpture *s, const struct character *c);
/* Teeth, gums and tongue. */
void build_mouth(struct sculpture *s, const struct character *c);
float tongue_share(vec3 p); /* of the tongue: 0 at the root .. 1 at the tip */

#endif
