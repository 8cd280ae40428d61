/*
 * What the files of the render stage share. The way of a frame:
 *
 *   morph (rows of changed targets) -> place (skin, project) -> shadow map -> set up (cull, records, bins)
 *   -> each tile of 32 x 32: raster (visibility buffer) -> classify (lists a material) -> shade -> I420
 *   -> card and stamp over it
 *
 * The SIMD steps are "kernels": compiled once a level (simd.h), reached through struct kernels.
 */
#ifndef CP_RENDER_INT_H
#define CP_RENDER_INT_H

#include "render/render.h"

#include <stddef.h>

enum {
    TILE_LOG2 = 5,
    TILE = 1 << TILE_LOG2,
    TILE_SAMPLES = TILE * TILE * 4,
    SUBPIXELS = 64,       /* screen positions are counted in 1/64 pixel */
    GROUP = 16,           /* vertices that are skinned together */
    SMALL_TRIANGLE = 256, /* pixels: what 16-bit edge steps hold with room to spare */
    GUARD_BAND = 2048,    /* pixels round the picture within which no clipping is needed */
    BIN_ITEMS = 30,
    SHADOW_SIZE = 512,
    SHADOW_STRIDE = SHADOW_SIZE + 16,
    SHADOW_CELL = 4,  /* texels: for each cell the lowest and highest depth around it */
    SHADOW_REACH = 4, /* texels from a point that its filter can meet */
    MAX_MIPS = 13,
};
#define SHADOW_SPREAD 2.2f       /* texels from a point to the middles of its four filters */
#define NEAR_M        0.03f      /* nothing is drawn nearer to the eye */
#define OFF_SCREEN    0x40000000 /* screen x of a vertex that only the clipper can handle */
#define BARY_SCALE    65472.0f   /* 16-bit barycentrics, with room for rounding */
#define WEIGHT_UNIT   1024       /* morph weights are counted in 1/1024 */

/* Attributes of a posed vertex, 16 floats. */
enum {
    ROW_NORMAL = 0,
    ROW_TANGENT = 3,
    ROW_COLOR = 6,
    ROW_OCCLUSION = 9,
    ROW_U = 10,
    ROW_V = 11,
    ROW_POSITION = 12,
    ROW_SHADOW = 15, /* for hair: how much key light reaches it, from the last shadow map */
    ROW_FLOATS = 16,
};

/* --- the characters, made ready for drawing at create: one mesh for all (join.c, mesh.c) --- */

enum { MAX_ANCHORS = 64 };
struct character { /* what the mesh holds of one */
    int first_vertex, n_vertices, first_material, n_materials, first_part, n_parts, first_target, n_targets;
    int first_proxy, n_proxy;
    float eye_height_m, head_height_m;
    /* The middle of what casts shadows, head and shoulders: the mean of some vertices and a distance. */
    int n_anchors;
    int32_t anchor[MAX_ANCHORS];
    float from_anchors[3], radius_m;
};

/* All characters as one model: arrays one after another, indices moved; joints of character c begin at
 * c * CP_MODEL_MAX_JOINTS. Borrows the texels. */
int cp_join_models(const struct cp_stage_spec *spec, struct cp_model *ret_joined,
                   struct character characters[CP_STAGE_CHARACTERS], struct cp_error *error);
void cp_joined_clear(struct cp_model *joined);

struct group {
    int first_bone, n_bones; /* into bones[] and bone_weights[] */
    uint8_t character;       /* that it belongs to */
    bool used;               /* by some triangle */
    bool strands;            /* has tangents and a shadow value a vertex */
};
enum { STILL_TANGENT = 0, STILL_COLOR = 3, STILL_OCCLUSION = 6, STILL_U = 7, STILL_V = 8, STILL_COLUMNS = 9 };

struct morph_row { /* what one unit of weight adds, in mesh units */
    int32_t position[3], pad0, normal[3], pad1;
};
struct morph_target {
    int first_row, n_rows;
    int32_t weight; /* what is applied now, in 1/WEIGHT_UNIT */
};

struct texture {
    int levels;
    int width[MAX_MIPS], height[MAX_MIPS];
    uint32_t *texels[MAX_MIPS]; /* sRGB, red in the low byte */
};
struct surface {
    enum cp_surface kind;
    int character; /* whose it is: each has a shadow map of its own */
    float roughness, metallic, emissive[3];
    int texture; /* -1: none */
    float texels_per_m, alpha_cutoff, base_alpha;
    float metres_per_u; /* hair: width across which u grows by 1 */
    bool double_sided;
    float shade[3], toon_shift,
        toon_width; /* CP_SURFACE_TOON: the shade's factor; the ramp, -width .. width */
    bool painted;   /* eyes: vertex colours or a texture say what they look like */
};
struct draw_part {
    int first_triangle, n_triangles;
    int surface;
};

struct mesh {
    int n_vertices, n_groups, n_triangles, n_parts, n_surfaces, n_proxy, n_targets, n_textures;
    float unit_m; /* of positions in accumulated[] */
    struct group *groups;
    uint16_t *bones;
    float (*bone_weights)[GROUP];
    float (*still)[STILL_COLUMNS][GROUP]; /* what posing leaves alone, by group */
    int32_t *corner[3];                   /* vertices of each triangle */
    int32_t (*rows)[4];                   /* the same, times ROW_FLOATS; clipped triangles follow behind */
    float
        *even_m; /* by triangle: over what distance one point of skin speaks for the others; 0: not at all */
    uint32_t *visibility_id; /* of each triangle: its number | its piece << piece_shift */
    int piece_shift, n_pieces;
    uint16_t *piece_surface; /* by piece; a piece is a connected part of the surface, 0 is the background */
    int32_t (*proxy)[3];     /* the coarse mesh that casts shadows: vertices */
    struct draw_part *parts;
    struct surface *surfaces;
    struct texture *textures;
    struct morph_target *targets;
    int32_t *row_vertex;
    struct morph_row *morph_rows;
    /* The morphed character in integers: 8 a vertex (position 0..2, normal 4..6). Adding and taking away
     * integers is exact, so that any number of weight changes cannot drift. Normals count 2^-28. */
    int32_t *accumulated;
    int n_characters;
    struct character characters[CP_STAGE_CHARACTERS];
};
#define NORMAL_UNIT (1.0f / (1 << 28))

int cp_mesh_create(const struct cp_stage_spec *spec, struct mesh **ret_mesh, struct cp_error *error);
void cp_mesh_destroy(struct mesh *mesh);
/* Fills mesh->even_m[]; the vertices' still values, positions and textures are there already. */
void cp_mesh_find_even(struct mesh *mesh);
/* The coarse mesh for shadows of one character: at most `max` triangles between cells of a grid. Returns
 * their number, or -1. */
int cp_mesh_make_proxy(const struct mesh *mesh, const struct character *character, const float (*position)[3],
                       int max, int32_t (*proxy)[3]);
int cp_texture_create(const struct cp_texture *source, struct texture *ret_texture);

/* --- a frame --- */

struct camera {
    float eye[3], right[3], up[3], forward[3];
    float focal_px;
};

struct light {
    float direction[3]; /* towards the light, unit */
    float color[3];
};
struct lights {
    struct light key, fill, rim_left, rim_right;
    float sky[3], ground[3];
    float exposure;
};

struct screen_vertex {
    int32_t x, y; /* 1/SUBPIXELS pixel, y down */
    float inverse_depth;
    int32_t unused;
};

/* A set-up triangle, 64 bytes. Edge i is opposite to corner i and positive inside. */
struct record {
    int32_t step[3];          /* of the edges: x step in the low, y step in the high 16 bits, a subpixel */
    float nearest;            /* largest inverse depth of its corners */
    float bary1, bary2;       /* edge value * this / inverse depth = perspective barycentric * BARY_SCALE */
    int32_t constant[3];      /* of the edges (modulo 2^32) */
    float z0, dz1, dz2;       /* inverse depth = z0 + dz1 edge1 + dz2 edge2 */
    int32_t x_range, y_range; /* pixels: first | last << 16 */
    uint32_t id;
    int32_t surface;
};
_Static_assert(sizeof(struct record) == 64, "records are read as whole cache lines");

/* A triangle that records cannot hold: too big, or made by the clipper. */
struct large_record {
    int64_t constant[3];
    int32_t step_x[3], step_y[3];
    float inverse_area, z[3];
    int x0, x1, y0, y1;
    uint32_t id;
    int32_t surface;
};

struct bin_chunk {
    int32_t next, n;
    uint32_t item[BIN_ITEMS];
};
struct bin {
    int32_t first, last; /* chunks, -1 for none */
};

/* Points of one material waiting to be shaded. */
struct shade_list {
    uint32_t id[TILE_SAMPLES + 64], bary[TILE_SAMPLES + 64];
    uint32_t pixel[TILE_SAMPLES + 64]; /* place in the tile | number of samples << 16 */
    int n;
};

#define WHOLE_PIXEL (UINT32_C(4) << 16)  /* all four samples, or the one that there is */
#define WHOLE_BLOCK (UINT32_C(16) << 16) /* of 2x2 pixels */

struct tile {
    float z[TILE_SAMPLES]; /* inverse depth, 0 far away; block-linear, see kernel_raster.c */
    uint32_t id[TILE_SAMPLES], bary[TILE_SAMPLES];
    uint32_t color[TILE * TILE + 16];  /* 10 bits each of r, g, b */
    uint64_t mixed_color[TILE * TILE]; /* sums of samples, 16 bits each; the background's share on top */
    uint16_t mixed[TILE * TILE];       /* pixels with several surfaces */
    uint32_t shaded[32];               /* scratch of one shading block */
    int n_mixed;
};

struct shadow {                   /* the shadow map of one character, which follows it */
    float side[3], up[3], key[3]; /* axes of light space */
    float scale, depth_scale;     /* texels and depth steps a metre */
    float offset[3];              /* texel = side . position * scale + offset[0] ... */
    uint16_t *depth;              /* SHADOW_SIZE squared; lower is nearer to the light */
    uint32_t *cells;              /* lowest | highest << 16 around each cell */
};

/* Brightness across hair, 0..1 around 0.5, for pixels of 1/4, 1 and 4 strands width. */
enum { STRAND_TABLE = 2048, STRAND_LEVELS = 3 };
#define STRANDS_PER_M 900.0f /* in clumps: what a camera resolves, not single hairs */

struct backdrop;
struct patch;
struct scenery;
struct kernels;

struct cp_render {
    struct cp_model *models[CP_STAGE_CHARACTERS];
    const struct cp_set *set;
    const struct kernels *kernels;
    struct mesh *mesh;
    struct lights lights;
    int width, height, samples;
    int tiles_x, tiles_y;
    struct camera camera;
    float skin[CP_STAGE_CHARACTERS * CP_MODEL_MAX_JOINTS][12];

    struct screen_vertex *screen; /* by vertex; vertices made by the clipper follow behind */
    float *attributes;            /* ROW_FLOATS by vertex, likewise */
    int n_clip_vertices, max_clip_vertices, n_clip_triangles, max_clip_triangles;

    struct record *records;
    int n_records;
    struct large_record *large;
    int n_large, max_large;
    int32_t *irregular; /* triangles that the set-up kernel leaves to the clipper */
    int n_irregular;
    uint8_t *seen;     /* by triangle: > 0 when it was visible in the last frame */
    uint8_t *hidden;   /* by triangle: hair that left no sample when it was drawn last (hidden.c) */
    int hidden_period; /* frames after which hidden hair is drawn again; 1 is always */

    struct bin *bins; /* two a tile: those seen last frame, the rest */
    struct bin_chunk *chunks;
    int n_chunks, max_chunks;

    struct tile *tile;
    struct shade_list *lists; /* by surface */
    struct shadow shadows[CP_STAGE_CHARACTERS];
    float *shadow_plane;           /* SHADOW_STRIDE x SHADOW_SIZE, while a map is drawn */
    float *vertex_light;           /* by vertex; how much key light strands get */
    float *strands[STRAND_LEVELS]; /* STRAND_TABLE each, periodic */

    struct scenery *scenery;             /* what is behind the presenter (scenery.h) */
    struct cp_view view;                 /* what the background was made for */
    bool background_ready, planes_ready; /* not ready: a tile's planes are converted when it is drawn */
    const uint32_t *background;          /* 10-bit rgb, width x height; the scenery's, or of its footage */
    uint8_t *background_plane[3];        /* the same as I420, strides width and width / 2 */
    uint8_t *edge_planes;                /* I420 of one tile, for tiles cut by the picture's edge */

    struct cp_cutout *cutout; /* where frames with alpha are wanted; the owner's */
    int64_t frame;
    struct cp_render_stats stats;
};

/* --- kernels --- */

struct kernels {
    enum cp_simd level;
    int lanes;
    /* accumulated += rows * delta */
    void (*add_rows)(int32_t *accumulated, const struct morph_row *rows, const int32_t *vertex, int n,
                     int delta);
    void (*place_vertices)(struct cp_render *render);
    void (*draw_shadow)(struct cp_render *render, int character);
    void (*set_up)(struct cp_render *render);
    void (*raster)(struct cp_render *render, int tile_x, int tile_y);
    void (*classify)(struct cp_render *render, int tile_x, int tile_y);
    void (*shade)(struct cp_render *render, int tile_x, int tile_y);
    /* 10-bit rgb -> I420; width a multiple of 16, height even. */
    void (*convert)(const uint32_t *rgb, int rgb_stride, uint8_t *const plane[3], const int stride[3],
                    int width, int height);
    /* Samples the backdrop for every pixel of a background; both are padded for whole vectors. */
    void (*fill_background)(const struct backdrop *backdrop, uint32_t *out, int width, int height);
    /* Lays a flat thing over the background in perspective. */
    void (*lay_patch)(const struct patch *patch, uint32_t *background, int width);
};
extern const struct kernels cp_kernels_portable;
#ifdef CP_RENDER_X86
extern const struct kernels cp_kernels_avx2, cp_kernels_avx512;
#endif

/* --- shadow.c: where the shadow maps look --- */
void cp_shadow_aim(struct cp_render *render, int character);
/* --- clip.c: near plane, guard band, big triangles --- */
void cp_clip_irregular(struct cp_render *render);
/* --- hidden.c: which hair need not be drawn --- */
int cp_hidden_period(const struct cp_view *last, const struct cp_view *view);
/* --- bin.c: set-up triangles -> tiles --- */
void cp_bin_records(struct cp_render *render);

/* --- sets.c --- */
const struct lights *cp_set_lights(const struct cp_set *set);

const struct kernels *cp_render_best_kernels(void);
/* 10-bit rgb -> I420 for any even width and height. */
void cp_render_convert(const struct kernels *kernels, const uint32_t *rgb, int rgb_stride,
                       uint8_t *const plane[3], const int stride[3], int width, int height);

/* --- card.c --- */
/* shown: 0 hidden .. 1; sliding and fading between. A NULL card draws nothing; cutout may be NULL. thread:
 * draw */
void cp_card_draw(const struct cp_card *card, float shown, struct cp_picture *picture,
                  struct cp_cutout *cutout);

/* --- cutout.c: a tile as shaded, and one that shows nothing; x, y, width, height in the picture --- */
void cp_cutout_tile(const struct cp_render *render, struct cp_cutout *cutout, int x, int y, int width,
                    int height);
void cp_cutout_clear_tile(struct cp_cutout *cutout, int x, int y, int width, int height);

/* --- memory --- */
/* 64-byte aligned and zero, big arrays on huge pages; NULL when out of memory. Freed by cp_render_free. */
void *cp_render_alloc(size_t bytes);
void cp_render_free(void *memory);

#endif
