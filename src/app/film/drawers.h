/*
 * Drawers: threads that draw the frames of a film side by side, for `compere render`.
 *
 * Who acts poses one frame after another, since acting remembers what was before, and hands each in as a
 * plain value. Frames are drawn in runs that follow on each other: one drawer draws a run with a renderer of
 * its own, and each run begins anew, so that a frame comes out the same, bit by bit, whoever drew it and
 * however many they are. They are taken in order. Runs on a stage with a video go to the first drawer, for
 * whom alone it plays.
 *
 * Bounded: who poses waits for room, drawers for runs, who takes for the next frame.
 */
#ifndef CP_APP_DRAWERS_H
#define CP_APP_DRAWERS_H

#include "app/scene.h"

#define CP_DRAWERS_MAX 16
#define CP_DRAWERS_RUN 16 /* frames; fewer with alpha, whose pictures are large */

/* A stage on which frames are drawn: a renderer for each drawer. */
struct cp_stand {
    struct cp_stage_render made[CP_DRAWERS_MAX];
    int frames; /* that are handed in and not let go. The drawers' */
};

struct cp_drawn_frame {
    int64_t number;
    struct cp_view view; /* its card and screen are held until the frame is let go */
    int n_poses;
    struct cp_pose poses[CP_SCENE_PRESENTERS];
    int16_t pcm[CP_SAMPLES_PER_FRAME];
    struct cp_card *card;       /* a reference, or NULL */
    struct cp_footage *screen;  /* likewise */
    struct cp_picture *picture; /* the drawers'; its number is set */
    struct cp_cutout *cutout;   /* NULL unless with_alpha */
};

struct cp_drawers;
int cp_drawers_create(int threads, int width, int height, bool with_alpha, struct cp_drawers **ret_drawers,
                      struct cp_error *error);
/* Ends the drawing, wherever it is. NULL is fine. */
void cp_drawers_destroy(struct cp_drawers *drawers);

/* --- thread: the one who poses --- */

/* The next frame, to be filled in: number, view, poses, sound, and what the view shows taken as references.
 * NULL when who takes has stopped. It is handed in by the next call. */
struct cp_drawn_frame *cp_drawers_next(struct cp_drawers *drawers, struct cp_stand *stand);
void cp_drawers_finish(struct cp_drawers *drawers); /* no more frames */
/* Waits until no frame on the stand is left: its renderers can go. */
void cp_drawers_wait(struct cp_drawers *drawers, struct cp_stand *stand);

/* --- thread: the one who takes --- */

/* The next frame in order, drawn; the last one is let go. NULL: there are no more. */
struct cp_drawn_frame *cp_drawers_take(struct cp_drawers *drawers);
void cp_drawers_stop(struct cp_drawers *drawers); /* takes no more */

#endif
