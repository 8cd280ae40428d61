/* From sculpted parts to what a file holds: fewer triangles, paint, final proportions, joint weights, shapes.
 */
#ifndef CAST_BAKE_H
#define CAST_BAKE_H

#include "media/shapes.h"
#include "mesh.h"
#include "skeleton.h"

/* What a shape adds to a vertex at weight 1. */
struct shape_rows {
    vec3 *position, *normal; /* one a vertex; NULL when the shape moves nothing of the part */
};
struct baked_part {
    struct part part; /* owned by the sculpture it was baked from */
    struct weights *weights;
    struct shape_rows shapes[CP_SHAPE_COUNT];
    bool has_shapes;
};
struct baked {
    struct baked_part parts[32];
    int n_parts;
    struct skeleton skeleton;
    uint8_t *skin; /* the head's picture (skin.h) */
};

/* Reduces a part to its max_triangles; lips and lids keep every vertex. */
void part_simplify(struct part *part, const struct character *c);
/* Builds everything that a presenter is made of. */
void sculpt_presenter(struct sculpture *s, const struct character *c);
/* Takes the sculpture's parts over into ret; free both. */
void bake(struct sculpture *s, const struct character *c, struct baked *ret);
void baked_free(struct baked *b);

/* Writes binary glTF 2.0; with `vrm` as VRM 1.0, in a T pose at rest. 0, or -1 with errno set. */
int write_glb(const struct baked *b, const struct character *c, bool vrm, const char *path);

#endif
