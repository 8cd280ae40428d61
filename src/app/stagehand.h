/*
 * The stagehand: makes the stages of one channel ready while the show goes on, on a thread of its own.
 *
 * A scene is a stage made ready: who stands where, in which set and light, at one picture size. At most
 * CP_SCENES_ALIVE live at once on a channel: the channel's own, the one on air, and the next. One that nobody
 * needs any more stays for as long as there is room, since shows go back and forth; the one unused longest
 * goes first. A request that finds no room waits until a line has let go of its scene. A scene is made and
 * destroyed on the stagehand's thread, never on the draw thread, which only takes a pointer.
 */
#ifndef CP_APP_STAGEHAND_H
#define CP_APP_STAGEHAND_H

#include "base/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CP_SCENE_PRESENTERS 2
#define CP_SCENES_ALIVE     3

/* What a scene is made of. Equal plans make equal scenes. All zero beyond the strings. */
struct cp_scene_plan {
    int n_presenters;
    char presenter[CP_SCENE_PRESENTERS][256]; /* ids; when rendering offline, also the paths of files */
    char set[24], light[24];
    char background[256], screen[256]; /* of uploads, or paths of files; a background also "#rrggbb" */
    int width, height;
};

struct cp_scene;
struct cp_stagehand;

/* How scenes are made and destroyed: given by the owner. thread: stage */
struct cp_scene_maker {
    void *user;
    int (*make)(void *user, const struct cp_scene_plan *plan, struct cp_scene **ret_scene,
                struct cp_error *error);
    void (*destroy)(void *user, struct cp_scene *scene);
};

struct cp_stagehand_events { /* thread: stage; may block shortly */
    void *user;
    /* The answer to cp_stagehand_prepare: the scene is held for the job until it is struck. */
    void (*staged)(void *user, uint64_t job, struct cp_scene *scene, int result,
                   const struct cp_error *error);
    void (*made)(void *user, int64_t took_ns,
                 int result); /* a scene was made, or could not be; may be NULL */
};

/* `own`: the channel's own scene, made by the caller; destroyed with the stagehand, which also destroys all
 * others.
 */
int cp_stagehand_create(const struct cp_scene_maker *maker, const struct cp_stagehand_events *events,
                        struct cp_scene *own, const struct cp_scene_plan *own_plan,
                        struct cp_stagehand **ret_stagehand, struct cp_error *error);
/* The draw thread must have stopped. Requests that wait are answered with CP_ERR_UNAVAILABLE. */
void cp_stagehand_destroy(struct cp_stagehand *stagehand);

/* Has a scene made for a job (a number that names it, unique). CP_ERR_BUSY when too many wait. Any thread;
 * returns at once. */
int cp_stagehand_prepare(struct cp_stagehand *stagehand, const struct cp_scene_plan *plan, uint64_t job,
                         struct cp_error *error);
/* The job needs its scene no more, or no longer waits for it; an unknown job is ignored. Any thread. */
void cp_stagehand_strike(struct cp_stagehand *stagehand, uint64_t job);

/* Is this what the channel's own scene is made of? Any thread. */
bool cp_stagehand_is_own(struct cp_stagehand *stagehand, const struct cp_scene_plan *plan);
/* Makes the scene of a job the channel's own, at once. False when the job holds none. Any thread. */
bool cp_stagehand_set_own(struct cp_stagehand *stagehand, uint64_t job);

/* The scene to draw now: `wanted` (of the line being performed) or, when NULL, the channel's own. It stays
 * alive until the next call, and so does the one before. Never waits. thread: draw */
struct cp_scene *cp_stagehand_enter(struct cp_stagehand *stagehand, struct cp_scene *wanted);

int cp_stagehand_alive(struct cp_stagehand *stagehand); /* any thread */

#endif
