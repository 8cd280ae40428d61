/*
 * The render stage: set + pose -> I420 picture, by our own CPU renderer.
 *
 * A visibility buffer with 4x MSAA, drawn in tiles, shaded in SIMD; kernels are built for several instruction
 * sets and the best one that the machine has is taken at run time.
 */
#ifndef CP_RENDER_H
#define CP_RENDER_H

#include "base/buffer.h"
#include "base/config.h"
#include "base/error.h"
#include "media/model.h"
#include "media/picture.h"
#include "media/pose.h"
#include "media/view.h"

#include <stdbool.h>
#include <stdint.h>

enum cp_simd { CP_SIMD_UNSET, CP_SIMD_PORTABLE, CP_SIMD_AVX2, CP_SIMD_AVX512 };
const char *cp_simd_name(enum cp_simd level);
enum cp_simd cp_simd_best(void); /* of this machine; never CP_SIMD_UNSET */

struct cp_render_config {
    char level[CP_OPTION_TEXT_BYTES]; /* "auto", "avx512", "avx2", "portable" */
    int64_t samples;                  /* 1 or 4 a pixel */
};
extern const struct cp_option cp_render_options[];
extern const size_t cp_render_n_options;

/* --- sets: where the presenter stands --- */

struct cp_camera {
    const char *name;  /* "medium", "close", "wide" */
    const char *title; /* for people */
    /* Framing relative to the character: how many head heights are visible from top to bottom, and where the
     * eyes stand (0 top .. 1 bottom). yaw_deg turns around the character. */
    float heads_visible, eye_line, yaw_deg, shift_x;
    float fov_y_deg;
};
struct cp_set {
    const char *name, *title;
    const struct cp_camera *cameras;
    int n_cameras;
};
const struct cp_set *cp_render_sets(int *ret_n);
const struct cp_set *cp_render_find_set(const char *name); /* NULL when unknown; "" gives the first */
/* The view of a named camera ("" gives the set's first) on a character. False when the camera is unknown. */
bool cp_render_frame_camera(const struct cp_set *set, const char *camera, const struct cp_model *model,
                            int width, int height, struct cp_view *ret_view);

/* --- drawing --- */

struct cp_render;

enum { CP_STAGE_CHARACTERS = 2 };

/* What a renderer is made for; where a character stands is said by its pose. */
struct cp_stage_spec {
    struct cp_model *models[CP_STAGE_CHARACTERS]; /* the renderer takes references of its own */
    int n_models;                                 /* 1 or 2; the same model may stand there twice */
    const struct cp_set *set;                     /* NULL: the first */
    int width, height;                            /* even, 64..3840 by 64..2160 */
};

/* A stage made ready. Slow (a tenth of a second) and allocating. thread: any */
int cp_render_create(const struct cp_render_config *config, const struct cp_stage_spec *spec,
                     struct cp_render **ret_render, struct cp_error *error);
void cp_render_destroy(struct cp_render *render);

/* Draws one frame into `out` (of the size given at create), with a pose for each character in the order of
 * the models. Does not allocate, takes no lock, never fails: what exceeds a bound is counted in the stats and
 * left out. thread: draw */
void cp_render_draw(struct cp_render *render, const struct cp_pose *const *poses, const struct cp_view *view,
                    struct cp_picture *out);

struct cp_render_stats { /* of the last frame */
    int64_t morph_ns, skin_ns, shadow_ns, setup_ns, raster_ns, shade_ns, convert_ns, overlay_ns, total_ns;
    int triangles_in, triangles_drawn, overflows; /* overflows since create: must stay 0 */
    enum cp_simd level;
};
struct cp_render_stats cp_render_stats(const struct cp_render *render);

/* A strip of black and white blocks along the picture's top edge that says `value` (48 bits and a 16-bit
 * check): a test's time code, read back from decoded pictures. Block size 16 x 16 pixels, most significant
 * bit first, two rows of 32. */
void cp_picture_stamp_code(struct cp_picture *picture, uint64_t value);
/* Reads it back. False when the picture holds none or it is damaged beyond its check. */
bool cp_picture_read_code(const struct cp_picture *picture, uint64_t *ret_value);

/* Writes the picture as PNG (for snapshots and tests). thread: net, main */
int cp_picture_write_png(const struct cp_picture *picture, struct cp_buffer *out, struct cp_error *error);

#endif
