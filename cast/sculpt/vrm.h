/* The parts of a file that make it VRM 1.0 (vrm-c/vrm-specification, VRMC_vrm-1.0). */
#ifndef CAST_VRM_H
#define CAST_VRM_H

#include "bake.h"
#include "bytes.h"

/* Adds a rotation to the joint's node where the T pose, arms along the x axis, differs from how it was bound.
 */
void vrm_write_rest(struct bytes *json, const struct skeleton *s, int joint);
/* Adds extensionsUsed and extensions to the document. Nodes: joints first, then one for each part. */
void vrm_write_extension(struct bytes *json, const struct baked *b, const struct character *c);

#endif
