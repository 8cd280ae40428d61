/* Where the picture is taken from, and what stands over it. A plain value, one a frame. */
#ifndef CP_MEDIA_VIEW_H
#define CP_MEDIA_VIEW_H

#include <stdint.h>

struct cp_card;    /* a lower third or a product (render.h) */
struct cp_footage; /* a picture or a video (render.h) */

struct cp_view {
    float eye[3], target[3];    /* metres; up is +y */
    float fov_y_rad;            /* vertical field of view */
    int64_t at_samples;         /* the channel's sample clock: which frame of a video is due */
    const struct cp_card *card; /* to draw over the picture, or NULL. Borrowed for the frame */
    float card_shown;           /* 0 hidden .. 1 fully shown (slides and fades between) */
    struct cp_footage
        *screen;        /* on the set's screen; NULL: what the stage was made with. Borrowed for the frame */
    float screen_faded; /* 0: `screen` is seen wholly .. 1: what the stage was made with is seen through it */
};

#endif
