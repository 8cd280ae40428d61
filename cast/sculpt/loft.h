/* Sheets of cloth lofted over a field: collars, lapels, welts. Thin shells make poor distance fields; a sheet
 * laid a given height above the cloth beneath it has clean edges at any thickness. */
#ifndef CAST_LOFT_H
#define CAST_LOFT_H

#include "mesh.h"

enum { SHEET_POINTS_MAX = 16 };

struct sheet_row {
    vec3 points[SHEET_POINTS_MAX]; /* a curve along the sheet, Catmull-Rom */
    float lift;                    /* height above the field's surface */
};
struct sheet {
    struct sheet_row rows[6]; /* from one long edge to the other */
    int n_rows, n_points;
    int steps_along, steps_across; /* quads */
    bool from_front;               /* laid down along -z instead of along the surface's normal */
    float end_drop;                /* how far the two short edges are tucked under, 0 leaves them open */
};
void part_add_sheet(struct part *part, sdf_field *field, const struct character *c,
                    const struct sheet *sheet);
/* Gives a sheet made for the left half both halves: rows then run from the right end over the middle to the
 * left. */
void sheet_unfold(struct sheet *sheet);
/* A ball of `rings` by `sectors` squashed along its axis (1 a sphere): buttons and pearls. */
void part_add_ball(struct part *part, vec3 center, vec3 axis, float radius, float squash, int rings,
                   int sectors);

#endif
