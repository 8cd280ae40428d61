/* What stands behind the presenter: a painted room, a plain colour, or footage; and the screen in a room. */
#ifndef CP_RENDER_SCENERY_H
#define CP_RENDER_SCENERY_H

#include "render/render_int.h"

enum { CP_FRAMING_N_CAMERAS = 6 };
extern const struct cp_camera cp_framing_cameras[CP_FRAMING_N_CAMERAS];

/* Multiplied over a set's own lights. */
struct mood {
    struct cp_light_mood public;
    float key_direction[3];                   /* towards it; zero: where the set has it */
    float key[3], fill[3], rim[3], around[3]; /* on the presenter */
    float room[3];                            /* on what is behind */
    float tint;                               /* how much of the lamps' own colours stays, 0..1 */
};
const struct mood *cp_mood_find(const char *name); /* "" gives one that changes nothing; NULL when unknown */
void cp_mood_apply(const struct mood *mood, struct lights *lights);

/* --- the panorama --- */

enum { BACKDROP_WIDTH = 1280, BACKDROP_HEIGHT = 480, BACKDROP_LEVELS = 3, GRAIN = 64 };
#define BACKDROP_SPAN_RAD  2.4f                      /* yaw from left to right edge */
#define BACKDROP_SPAN_RISE 0.9f                      /* tangent of the elevation, top to bottom */
#define BACKDROP_BLUR_RAD  0.0024f, 0.0060f, 0.0120f /* by level: radius of what a point becomes */
extern const float cp_backdrop_center[3];            /* where it is seen from */

/* One picture that the lens makes of linear light. */
struct exposure {
    float radius;  /* of what a point becomes, in pixels of the result; at most 5 */
    int enlarge;   /* pixels of the result to one of the light, each way: 1 or 2 */
    uint32_t *out; /* 10-bit rgb */
};
/* Adds a glow to linear light (4 floats a pixel; used up), blurs and develops it. The width is a multiple of
 * 4. False when out of memory. */
bool cp_lens_expose(float *light, int width, int height, const float gain[3],
                    const struct exposure *exposures, int n);

struct level {              /* a picture in one degree of blur */
    const uint32_t *texels; /* 10-bit rgb */
    int width, height;
    float scale; /* its pixels to one of the panorama */
};
struct panorama {
    const struct cp_set *set;
    const struct mood *mood;
    unsigned rrggbb;   /* of sets that are a colour */
    int width, height; /* of the sharpest level */
    struct level level[BACKDROP_LEVELS];
    uint32_t *owned[BACKDROP_LEVELS];
    int users; /* panorama.c: guarded by its lock, like `next` */
    struct panorama *next;
};
/* The one that is in use already, or a new one; it is never changed. NULL when out of memory. Slow. thread:
 * any but draw */
struct panorama *cp_panorama_share(const struct cp_set *set, const struct mood *mood, unsigned rrggbb);
void cp_panorama_leave(struct panorama *panorama);

/* A picture that is sampled for every pixel of the background: a panorama in three degrees of blur, or one
 * still. Where a pixel (x, y) looks is (column[i], slope[i] * row[y] + shift[i]) with i = x / grid. */
struct backdrop {
    int width, height;
    struct level level[BACKDROP_LEVELS]; /* of the panorama, or of footage */
    struct panorama *panorama;           /* NULL: footage */
    float *column, *slope, *shift, *row;
    float *scratch; /* of the kernel: nine rows */
    int grid;       /* pixels between two samples each way: 1, 2 or 4 */
    bool as_it_is;  /* aim_picture: every pixel shows its own */
    float blur;     /* 0 .. BACKDROP_LEVELS - 1 */
    float noise;    /* against bands, in steps of the 10-bit picture; 0 for colours that must be exact */
    float *grain;   /* GRAIN x GRAIN values of -noise .. noise, repeated over the picture */
};
int cp_backdrop_create(const struct cp_set *set, const struct mood *mood, const char *color, int width,
                       int height, struct backdrop **ret_backdrop);
/* Only the mapping; the pictures come from footage: of the same size, not owned. */
int cp_backdrop_create_still(int width, int height, struct backdrop **ret_backdrop);
void cp_backdrop_show(struct backdrop *backdrop, const uint32_t *texels);
void cp_backdrop_destroy(struct backdrop *backdrop);
/* For the camera of the frame: into a room, and onto a picture that is fitted to the frame. */
void cp_backdrop_aim_room(struct cp_render *render, struct backdrop *backdrop);
void cp_backdrop_aim_picture(const struct cp_render *render, struct backdrop *backdrop);

/* --- the screen --- */

struct patch {               /* a flat rectangle in perspective, in the background's pixels */
    float u[3], v[3], w[3];  /* texel = (u . (x, y, 1)) / (w . (x, y, 1)) */
    float edge[4][3];        /* distance inside of each edge, pixels */
    int x0, x1, y0, y1;      /* bounds, half open */
    const uint32_t *texture; /* 10-bit rgb; NULL: `color` alone, laid over what is there */
    int texture_width, texture_height;
    float color[3];    /* 0..1023; with a texture: of the frame round it */
    float alpha, soft; /* of a colour: how strong, and over how many pixels its edge fades */
    float deep;        /* farther inside than this nothing is drawn: something else will lie there; pixels */
};

struct screen;
int cp_screen_create(const struct cp_set *set, int width, int height, struct screen **ret_screen);
void cp_screen_destroy(struct screen *screen);
/* Draws it into the background: `own`, or NULL for the idle picture, and over it what the view shows; all of
 * it after the background was filled, else only what it shows when that changed. Returns the rows and columns
 * that changed (even, x a multiple of 16), or false. */
bool cp_screen_draw(struct cp_render *render, struct screen *screen, struct cp_footage *own,
                    const struct cp_view *view, bool whole, int ret_rect[4]);

/* The same without drawing: where it is in the picture, and what it shows. */
void cp_screen_aim(struct cp_render *render, struct screen *screen, struct cp_footage *own,
                   const struct cp_view *view);

/* --- all of it --- */

struct scenery {
    const struct cp_set *set;
    struct backdrop *backdrop; /* the room */
    struct backdrop *still;    /* maps a footage that is not shown as it is */
    struct screen *screen;     /* NULL: this set has none */
    struct cp_footage *background, *shown_on_screen;
    const void *last_frame; /* of the background footage */
    int64_t last_due;
    uint32_t *rgb; /* own background, width x height */
    uint8_t *plane[3];
};
void cp_scenery_destroy(struct scenery *scenery);
/* Makes render->background and its planes right for the view. thread: draw */
void cp_scenery_draw(struct cp_render *render, const struct cp_view *view);

/* --- footage --- */

struct footage_frame {
    uint32_t *rgb; /* 10-bit, padded for whole vectors */
    uint8_t *plane[3];
    int64_t due_samples;
};
bool cp_footage_fits(const struct cp_footage *footage, int width, int height);
void cp_footage_size(const struct cp_footage *footage, int *ret_width, int *ret_height);
/* The newest frame that is due; the same until the next call. NULL when none was ever ready. thread: draw */
const struct footage_frame *cp_footage_frame(struct cp_footage *footage, int64_t at_samples);

#endif
