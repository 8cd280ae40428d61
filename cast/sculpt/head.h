/* The head, neck and chest as one skin, and the body under the clothes. */
#ifndef CAST_HEAD_H
#define CAST_HEAD_H

#include "character.h"
#include "mesh.h"
#include "sdf.h"

sdf_field sd_head;    /* skin: head, neck, chest; with mouth slit and cavity */
sdf_field sd_ear;     /* of the left side */
sdf_field sd_nostril; /* of the left side */
sdf_field sd_mouth_cavity;
sdf_field sd_body;     /* torso and arms, without head */
sdf_field sd_hair_cap; /* where the scalp is under hair */
sdf_field sd_scene;    /* a rough whole, for occlusion */

/* How open the sky is above a point of the surface, 0..1. */
float occlusion_at(const struct character *c, vec3 p, vec3 normal);

void build_head(struct sculpture *s, const struct character *c);
/* How thick a beard would grow at p, 0..1. */
float stubble_share(const struct character *c, vec3 p);
void paint_skin(const struct character *c, struct vertex *v);

#endif
