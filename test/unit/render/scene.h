/* Small models and pictures that the tests of the renderer draw. */
#ifndef TEST_SCENE_H
#define TEST_SCENE_H

#include "render/render.h"

/* An empty model with room; drop it with cp_ref_drop. One identity joint, one plain material. */
struct cp_model *scene_model(int max_vertices, int max_triangles, int n_materials);
/* Each appends one part of the given material. */
void scene_add_sphere(struct cp_model *model, int material, const float center[3], float radius, int rings,
                      const float color[3]);
void scene_add_triangle(struct cp_model *model, int material, const float a[3], const float b[3],
                        const float c[3], const float color[3]);
/* Facing +z, uv 0..1. */
void scene_add_quad(struct cp_model *model, int material, float x0, float y0, float x1, float y1, float z,
                    const float color[3]);
/* A head, hair, eyes and shoulders of spheres, every surface kind, with a morph target. About n_triangles. */
struct cp_model *scene_person(int rings);

struct cp_pose scene_rest(const struct cp_model *model);

/* A renderer with one picture. */
struct stage {
    struct cp_model *model;
    struct cp_render *render;
    struct cp_pool *pool;
    struct cp_picture *picture;
    struct cp_view view;
};
/* Takes over the model; camera at the set's first framing. */
struct stage stage_open(struct cp_model *model, const char *level, int samples, const char *set, int width,
                        int height);
void stage_look(struct stage *stage, const float eye[3], const float target[3], float fov_deg);
void stage_draw(struct stage *stage, const struct cp_pose *pose, int frames);
void stage_close(struct stage *stage);

/* Peak signal-to-noise ratio of the luma planes, dB; 99 when equal. */
double scene_psnr(const struct cp_picture *a, const struct cp_picture *b);
/* The largest difference of the mean luma of any 8x8 block. */
double scene_worst_block(const struct cp_picture *a, const struct cp_picture *b);
uint64_t scene_hash(const struct cp_picture *picture);
static inline int scene_luma(const struct cp_picture *p, int x, int y)
{
    return p->plane[0][y * p->stride[0] + x];
}

#endif
