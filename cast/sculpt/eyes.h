#ifndef CAST_EYES_H
#define CAST_EYES_H

#include "mesh.h"

/* Eyeballs with painted irises. uv = (0.5, 0.5) + 0.5 * (x, y) / eyeball radius, seen from the eye's front.
 */
void build_eyes(struct sculpture *s, const struct character *c);
/* Teeth, gums and tongue. */
void build_mouth(struct sculpture *s, const struct character *c);
/* Whether a point is on the tongue (which has shapes of its own). */
float tongue_share(vec3 p); /* 0 off or at the root .. 1 at the tip */

#endif
