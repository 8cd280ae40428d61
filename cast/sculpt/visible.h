/* What no camera ever sees is left out: it would cost as much to draw as the rest. */
#ifndef CAST_VISIBLE_H
#define CAST_VISIBLE_H

#include "mesh.h"

/* Drops the triangles of hair, and of the scalp below it, that hair and head hide from every side. `places`
 * holds each part's vertices as the file will have them; it is of no use afterwards. */
void drop_unseen(struct sculpture *s, const struct character *c, vec3 *const *places);

#endif
