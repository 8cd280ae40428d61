/* A growing triangle mesh with the attributes that glTF will carry, and the surface-nets mesher. */
#ifndef CAST_MESH_H
#define CAST_MESH_H

#include "media/model.h"
#include "sdf.h"

#include <stdbool.h>
#include <stdint.h>

/* Which joints carry a vertex. */
enum rig {
    RIG_HEAD,   /* rigid with the head */
    RIG_JAW,    /* rigid with the head, moved by the jaw shapes */
    RIG_TONGUE, /* as the jaw, and has shapes of its own */
    RIG_LEFT_EYE,
    RIG_RIGHT_EYE,
    RIG_FACE, /* skin of head, neck and chest; takes the face shapes */
    RIG_BODY, /* clothes and hands */
};

/* Which picture lies over a part's colours (weave.h). */
enum weave {
    WEAVE_NONE,
    WEAVE_TWILL,
    WEAVE_HERRINGBONE,
    WEAVE_POPLIN,
    WEAVE_KNIT,
    WEAVE_RIB,
    WEAVE_STRIPE,
    WEAVE_SEAM,
    WEAVE_SKIN, /* painted for each presenter (skin.h) */
    WEAVE_COUNT
};

struct vertex {
    vec3 position, normal, tangent;
    vec3 color;      /* linear */
    float occlusion; /* 0 dark .. 1 open */
    float u, v;
    vec3 anchor; /* where face shapes are looked up: its own place, or the root of its hair */
};

struct part {
    char name[32];
    enum cp_surface surface;
    enum rig rig;
    enum weave weave;
    struct vertex *vertices;
    uint32_t *indices;
    int n_vertices, n_indices, vertex_room, index_room;
    int max_triangles; /* what simplification aims at; 0 keeps all */
};

struct sculpture {
    struct part parts[32];
    int n_parts;
};

struct part *sculpture_add(struct sculpture *s, const char *name, enum cp_surface surface, enum rig rig);
void sculpture_free(struct sculpture *s);

/* Append; they exit with a message when memory ends. */
int part_add_vertex(struct part *part, const struct vertex *vertex);
void part_add_triangle(struct part *part, int a, int b, int c);
void part_add_quad(struct part *part, int a, int b, int c, int d);
/* Appends the part's own mirror image (x -> -x). */
void part_mirror(struct part *part);
/* Area-weighted vertex normals from the triangles. */
void part_compute_normals(struct part *part);
/* Drops the triangles whose corners are all marked, and then the vertices that nobody uses. */
void part_drop_marked(struct part *part, const bool *marked);
/* Drops the triangles that are marked, one flag each, and then the vertices that nobody uses. */
void part_drop_triangles(struct part *part, const bool *gone);

/* A part of an axis that is sampled finer than the rest. */
struct zone {
    float from, to, step;
};
struct axis {
    float from, to, step; /* coarse step, taken far from every zone */
    struct zone zones[6];
    int n_zones;
};
/* Adds the zero surface of `field` in the box to the part: surface nets on a graded grid, then Newton
 * projection and gradient normals, so that vertices lie on the surface whatever the grid. */
void part_add_surface(struct part *part, sdf_field *field, const struct character *c,
                      const struct axis axes[3]);

#endif
