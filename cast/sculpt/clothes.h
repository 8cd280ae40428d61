/*
 * What presenters wear. A garment is the body's field at a height, cut where it opens; collars, lapels,
 * bands, pockets and seams are sheets laid over it. Each kind is chosen by numbers of the .cast file.
 */
#ifndef CAST_CLOTHES_H
#define CAST_CLOTHES_H

#include "body.h"
#include "loft.h"

enum top { TOP_BLOUSE, TOP_SHIRT, TOP_KNIT, TOP_ROLL_NECK };

static inline enum top top_of(const struct character *c)
{
    return (enum top)clampf(c->top + 0.5f, TOP_BLOUSE, TOP_ROLL_NECK);
}
static inline bool has_jacket(const struct character *c)
{
    return c->jacket > 0.5f;
}

sdf_field sd_jacket_hull; /* as if closed to the neck: what lapels and pockets lie on */
sdf_field sd_jacket;
sdf_field sd_top_hull; /* what is worn under a jacket, or instead of one */
sdf_field sd_top;
sdf_field sd_trousers;

/* Cloth lies in soft folds where the body bends: waist and armpits; elbows (in the hanging arm's space). */
float trunk_folds(vec3 p);
float sleeve_folds(vec3 q);
/* The edge of a neckline: its height at an angle round the neck (0 behind, pi in front), an ellipse as seen
 * from the front, and half its width where it crosses the shoulders. */
struct neck_edge {
    float half_width, front_y, side_y, back_y;
};
struct neck_edge neck_edge(const struct character *c);
float neck_edge_y(const struct neck_edge *edge, float angle);
#define NECK_AXIS_Z (-3.9f)

/* Colour and weave coordinates (cm) for all of a part; vertices at the armholes get doubles. */
void finish_cloth(struct part *part, const struct character *c, vec3 color, enum weave weave);
/* Drops what lies deeper than `depth` under the cover. */
void drop_hidden(struct part *part, const struct character *c, sdf_field *cover, float depth);
/* A seam with its row of stitches, along a line laid on a field. `from_front` as in struct sheet. */
void add_seam(struct part *part, sdf_field *field, const struct character *c, const vec3 *line, int n,
              bool from_front);
void add_button(struct part *part, sdf_field *field, const struct character *c, vec3 p, float radius);

void build_jacket(struct sculpture *s, const struct character *c);
void build_top(struct sculpture *s, const struct character *c);
void build_shirt_collar(struct sculpture *s, const struct character *c);
void build_neckband(struct sculpture *s, const struct character *c);

#endif
