/*
 * The face's colours as a picture. Colour by vertex is as coarse as the triangles; pores, stubble, lines and
 * the edge of the lips are finer. What faces out from the head's axis is unrolled like a label off a jar; all
 * other skin keeps its vertex colours and looks up a white strip of the picture.
 */
#ifndef CAST_SKIN_H
#define CAST_SKIN_H

#include "bytes.h"
#include "character.h"
#include "mesh.h"

enum { SKIN_SIDE = 768 };

/* Splits the vertices between unrolled and other skin and gives the unrolled ones white; returns the picture,
 * SKIN_SIDE squared sRGB bytes in threes, which the caller frees. */
uint8_t *skin_unroll(struct part *part, const struct character *c);
/* What is too fine for vertices, over the colour at a point of the surface. */
void paint_fine(const struct character *c, vec3 p, vec3 *color);

#endif
