/*
 * The face shapes as smooth displacement fields: ARKit's 52 and tongueUp. A field has no resolution, so the
 * same shapes serve any mesh, and normals follow from the field's own slope.
 */
#ifndef CAST_SHAPES_H
#define CAST_SHAPES_H

#include "character.h"
#include "media/shapes.h"
#include "mesh.h"

#include <stdbool.h>

/* How far shape number `shape` (enum cp_shape) at weight 1 moves point p. `anchor` is where the shape is
 * looked up: p itself for skin, the root for a lash or a brow hair. */
vec3 shape_offset(const struct character *c, int shape, enum rig rig, vec3 p, vec3 anchor);
const char *shape_name(int shape);

/* The mesher needs a slit between the lips; this shuts it, so that they touch at rest. */
vec3 lip_seal(const struct character *c, vec3 p);
/* The proportions that are laid over everything on the head at the end. */
vec3 proportion(const struct character *c, vec3 p);

#endif
