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
#include "media/card.h"
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
    const char *name;  /* "wide", "medium", "close", "left", "right", "two" */
    const char *title; /* for people */
    /* Framing relative to the character: how many head heights are visible from top to bottom, and where the
     * eyes stand (0 top .. 1 bottom). yaw_deg turns around the character; shift_x moves the frame to the
     * right of them, as a share of its width. */
    float heads_visible, eye_line, yaw_deg, shift_x;
    float fov_y_deg;
};
struct cp_set {
    const char *name, *title;
    const struct cp_camera *cameras;
    int n_cameras;
    bool has_screen;
};
const struct cp_set *cp_render_sets(int *ret_n);
const struct cp_set *cp_render_find_set(const char *name); /* NULL when unknown; "" gives the first */

/* Light moods, laid over a set's own lights by name; "" is the set's own light. */
struct cp_light_mood {
    const char *name, *title;
};
int cp_render_lights(const struct cp_light_mood *const **ret_moods); /* how many */
bool cp_render_is_light(const char *name);                           /* "" is one */

/* Who is in the picture: the first is the one that cameras on one person show. */
struct cp_standing {
    const struct cp_model *model;
    float x_m, z_m; /* of the feet; the set's middle is 0, 0 */
};
/* The view of a named camera ("" gives the set's first) on up to 4 people. "wide" and "two" show them all.
 * False when the camera is unknown. Does not allocate. Any thread. */
bool cp_render_frame(const struct cp_set *set, const char *camera, const struct cp_standing *who, int n_who,
                     int width, int height, struct cp_view *ret_view);
/* The same for one character in the middle. */
bool cp_render_frame_camera(const struct cp_set *set, const char *camera, const struct cp_model *model,
                            int width, int height, struct cp_view *ret_view);
/* A camera on its way: `share` 0 (from) .. 1 (to) of the time, eased at both ends. It goes round what it
 * looks at, so people keep their size on the way. Only eye, target and field of view of *ret_view are set. */
void cp_render_move_camera(const struct cp_view *from, const struct cp_view *to, float share,
                           struct cp_view *ret_view);

/* The point of the stage that a pixel shows, `ahead_m` nearer to the camera than what it is aimed at. */
void cp_render_point(const struct cp_view *view, int width, int height, const float px[2], float ahead_m,
                     float ret_point[3]);

/* --- footage: a picture or a looping video, for backgrounds and screens --- */

struct cp_footage; /* shared by reference: cp_ref_take, cp_ref_drop */

#define CP_FOOTAGE_MAX_PICTURE_BYTES (24u << 20)
#define CP_FOOTAGE_MAX_VIDEO_BYTES   (256u << 20)
#define CP_FOOTAGE_MAX_PIXELS        (40 * 1000 * 1000) /* of a picture */
#define CP_FOOTAGE_MAX_VIDEO_PIXELS  (4096 * 2304)

struct cp_footage_spec {
    int width, height; /* of what it is shown on: the channel's picture, or CP_SCREEN_WIDTH x _HEIGHT; even */
    int blur_px;       /* 0: sharp; counted in the pixels of that size, at most 64 */
    uint32_t
        matte; /* 0xrrggbb that stands behind what is transparent in a picture; 0: its alpha is ignored */
};
enum { CP_SCREEN_WIDTH = 512, CP_SCREEN_HEIGHT = 288 };

/*
 * PNG, JPEG, WebP (a still), MP4 or WebM (a video, played in a loop without its sound by a thread of its
 * own), told by the bytes; turned as they say they must be. Fitted to "cover": scaled until no border is
 * left, cut evenly. The bytes are copied. One channel at a time may draw a video; any number may draw a
 * still. CP_ERR_UNSUPPORTED, CP_ERR_FORMAT or CP_ERR_LIMIT with a reason otherwise. thread: any that may wait
 * some hundred ms
 */
int cp_footage_open(const void *bytes, size_t length, const struct cp_footage_spec *spec,
                    struct cp_footage **ret_footage, struct cp_error *error);
int cp_footage_open_file(const char *path, const struct cp_footage_spec *spec,
                         struct cp_footage **ret_footage, struct cp_error *error);
/* How a picture's EXIF data says it must be turned to be seen upright, 1..8 as EXIF counts; 1 (as it is) when
 * it says nothing that can be believed. From 5 on, width and height change places. cp_footage_open turns by
 * it. */
int cp_picture_orientation(const void *bytes, size_t length);
/* Sends the messages of libav's libraries to our log, at debug level; once a program. */
void cp_render_route_libav_log(void);
bool cp_footage_is_video(const struct cp_footage *footage);
/* Waits until the frame due at a moment is decoded, or the video has failed: for rendering faster or slower
 * than real time. Never on a draw thread that has a clock to keep. */
void cp_footage_wait(struct cp_footage *footage, int64_t at_samples);

/* --- cards: a lower third, or a product with its picture and price --- */

struct cp_card;       /* shared by reference: cp_ref_take, cp_ref_drop; never changes */
struct cp_card_maker; /* has the fonts; for one thread at a time */
int cp_card_maker_create(struct cp_card_maker **ret_maker, struct cp_error *error);
void cp_card_maker_destroy(struct cp_card_maker *maker);
bool cp_card_maker_has(struct cp_card_maker *maker, uint32_t character); /* does some font here have it? */
int cp_card_maker_missing(const struct cp_card_maker *maker); /* characters met that no font here has */

/* Makes a card for pictures of width x height. picture: the bytes of the product's picture, or NULL; one that
 * cannot be read is left out. Takes some ten milliseconds. thread: any that may wait */
int cp_card_make(struct cp_card_maker *maker, const struct cp_card_spec *spec, const void *picture,
                 size_t picture_bytes, int width, int height, struct cp_card **ret_card,
                 struct cp_error *error);
const struct cp_card_spec *cp_card_spec_of(const struct cp_card *card);
/* What it shows on a set's screen; NULL unless its spec says so. Borrowed. */
struct cp_footage *cp_card_screen(const struct cp_card *card);
/* What to look at: the middle of its picture, else of itself; pixels. */
void cp_card_focus(const struct cp_card *card, float ret_px[2]);

/* --- drawing --- */

struct cp_render;

enum { CP_STAGE_CHARACTERS = 2 };

/* What a renderer is made for; where a character stands is said by its pose. */
struct cp_stage_spec {
    struct cp_model *models[CP_STAGE_CHARACTERS]; /* the renderer takes references of its own */
    int n_models;                                 /* 1 or 2; the same model may stand there twice */
    const struct cp_set *set;                     /* NULL: the first */
    int width, height;                            /* even, 64..3840 by 64..2160 */
    const char *light;                            /* mood, or NULL or "" for the set's own */
    const char *color;             /* "#rrggbb" for the sets "plain" and "key", or NULL or "" for their own */
    struct cp_footage *background; /* instead of the set's room; of the picture's size */
    struct cp_footage *screen;     /* on the set's screen; NULL: its idle picture */
};

/* A stage made ready. Slow (a tenth of a second) and allocating. thread: any */
int cp_render_create(const struct cp_render_config *config, const struct cp_stage_spec *spec,
                     struct cp_render **ret_render, struct cp_error *error);
void cp_render_destroy(struct cp_render *render);

/* What stands behind the presenter. */
struct cp_scenery {
    const struct cp_set *set;      /* NULL: the first */
    const char *light;             /* mood, or NULL or "" for the set's own */
    const char *color;             /* "#rrggbb" for the sets "plain" and "key", or NULL or "" for their own */
    struct cp_footage *background; /* instead of the set's room; of the picture's size */
    struct cp_footage *screen;     /* on the set's screen; NULL: its idle picture */
};
/* Changes it. Takes references of its own. Slow: not between two frames that are on air. thread: the owner's,
 * while nothing is drawn */
int cp_render_dress(struct cp_render *render, const struct cp_scenery *scenery, struct cp_error *error);

/* Draws one frame into `out` (of the size given at create), with a pose for each character in the order of
 * the models. Does not allocate, takes no lock, never fails: what exceeds a bound is counted in the stats and
 * left out. thread: draw */
void cp_render_draw(struct cp_render *render, const struct cp_pose *const *poses, const struct cp_view *view,
                    struct cp_picture *out);

/* The next frame owes nothing to those before it: it and those that follow come out the same, bit by bit,
 * whatever was drawn before and by which renderer of this stage. It costs some more than others. thread: draw
 */
void cp_render_begin_anew(struct cp_render *render);
/* In the place of drawing a frame, for who has it drawn by another renderer: what the two functions below
 * tell is as if it had been drawn. thread: draw */
void cp_render_aim(struct cp_render *render, const struct cp_view *view);

/* Where the set's screen was in the last frame: its middle, pixels. False when it was not in the picture.
 * thread: draw */
bool cp_render_screen_middle(const struct cp_render *render, float ret_px[2]);

/* What the set's screen showed in the last frame, copied to a picture of its size: for fading from it after
 * another stage was taken. False when there is no screen. thread: draw, while the renderer lives */
bool cp_render_keep_screen(const struct cp_render *render, struct cp_footage *kept);
struct cp_footage *cp_render_create_kept(void); /* such a picture, shared by reference; NULL: out of memory */

/* A frame with alpha: characters and cards without what is behind them. */
struct cp_cutout {
    int width, height;
    uint8_t *rgba; /* sRGB, straight alpha, width * 4 bytes a row */
};
struct cp_cutout *cp_cutout_create(int width, int height); /* NULL when out of memory */
void cp_cutout_destroy(struct cp_cutout *cutout);
/* The next frames are drawn into it too, until NULL is given; it has the picture's size. Costs some
 * milliseconds a frame. thread: draw */
void cp_render_cut_out(struct cp_render *render, struct cp_cutout *cutout);

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
/* The frame of a footage that cp_footage_wait has waited for. thread: any, when nobody draws it */
int cp_footage_write_png(struct cp_footage *footage, int64_t at_samples, struct cp_buffer *out,
                         struct cp_error *error);
int cp_cutout_write_png(const struct cp_cutout *cutout, struct cp_buffer *out, struct cp_error *error);

#endif
