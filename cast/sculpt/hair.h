#ifndef CAST_HAIR_H
#define CAST_HAIR_H

#include "mesh.h"

/* Hair, brows and lashes: strips with uv (u across in cm * 0.55 plus an offset of the lock's own, v 0 root ..
 * 1 tip) and tangents along the strand. */
enum hair_style { HAIR_LOCKS, HAIR_SHORT, HAIR_BUN, HAIR_NONE };
void build_hair(struct sculpture *s, const struct character *c);
void build_brows(struct sculpture *s, const struct character *c);
void build_lashes(struct sculpture *s, const struct character *c);

/* What hair lies on: skull, cheeks, neck, ears. */
sdf_field sd_hair_bed;
/* Hair that grows all over the scalp and lies on it: combed back, or into a bun. */
void add_scalp_hair(struct part *part, const struct character *c, unsigned *seed);

/* A strip swept along a centre line: flat and two-sided with `across` 1, else an arch of so many quads with a
 * flat side below it. */
struct strand_row {
    vec3 center, normal, anchor;
    float half_width, height; /* of the arch above its edges */
};
struct strand_look {
    vec3 root_color, tip_color;
    float edge_occlusion, crest_occlusion, u_offset;
    bool lying; /* nothing looks under it: no flat side */
};
void part_add_strand(struct part *part, const struct strand_row *rows, int n_rows, int across,
                     const struct strand_look *look);

#endif
