#include "app/film/drawers.h"

#include "base/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run { /* frames that one drawer draws */
    struct cp_stand *stand;
    int n, drawn;
    struct cp_drawn_frame frame[CP_DRAWERS_RUN];
};

struct drawer {
    struct cp_drawers *drawers;
    int index;
    pthread_t thread;
};

struct cp_drawers {
    int threads, started, n_runs;
    int run_frames;   /* of a whole run; the same however many drawers there are */
    struct run *runs; /* run i lies in runs[i % n_runs] */
    struct cp_pool *pictures;
    struct drawer drawer[CP_DRAWERS_MAX];
    pthread_mutex_t lock; /* guards all below, and the runs' counts */
    pthread_cond_t changed;
    int64_t handed_in, claimed, let_go; /* runs, ever; the one being filled in is runs[handed_in] */
    int taken;                          /* frames of the run let_go that were taken */
    bool finished, stopped;
};

static struct run *run_at(struct cp_drawers *d, int64_t i)
{
    return &d->runs[i % d->n_runs];
}

/* --- drawing --- */

static bool plays_video(const struct cp_stand *stand)
{
    return stand->made[0].played[0] || stand->made[0].played[1];
}

static void draw_frame(struct cp_stage_render *stage, struct cp_drawn_frame *frame, bool first)
{
    const struct cp_pose *poses[CP_SCENE_PRESENTERS];
    for (int i = 0; i < CP_SCENE_PRESENTERS; i++)
        poses[i] = &frame->poses[i];
    for (int i = 0; i < 2; i++)
        if (stage->played[i])
            cp_footage_wait(stage->played[i], frame->view.at_samples);
    if (first)
        cp_render_begin_anew(stage->render);
    frame->picture->frame = frame->number;
    cp_render_cut_out(stage->render, frame->cutout);
    cp_render_draw(stage->render, poses, &frame->view, frame->picture);
}

/* The next run that this drawer may draw; NULL at the end. */
static struct run *claim(struct cp_drawers *d, int drawer)
{
    struct run *run = NULL;
    pthread_mutex_lock(&d->lock);
    while (!run && !d->stopped && !(d->finished && d->claimed == d->handed_in)) {
        struct run *next = d->claimed < d->handed_in ? run_at(d, d->claimed) : NULL;
        if (next && (drawer == 0 || !plays_video(next->stand))) {
            run = next;
            d->claimed++;
            pthread_cond_broadcast(&d->changed);
        } else {
            pthread_cond_wait(&d->changed, &d->lock);
        }
    }
    pthread_mutex_unlock(&d->lock);
    return run;
}

static void *run_drawer(void *arg)
{
    struct drawer *drawer = arg;
    struct cp_drawers *d = drawer->drawers;
    for (struct run *run; (run = claim(d, drawer->index));) {
        const int n = run->n; /* with its last frame drawn, the run may be let go and filled anew */
        for (int i = 0; i < n; i++) {
            draw_frame(&run->stand->made[drawer->index], &run->frame[i], i == 0);
            pthread_mutex_lock(&d->lock);
            run->drawn = i + 1;
            pthread_cond_broadcast(&d->changed);
            pthread_mutex_unlock(&d->lock);
        }
    }
    return NULL;
}

/* --- handing in. thread: the one who poses --- */

/* Called with the lock. */
static void hand_in(struct cp_drawers *d)
{
    if (d->handed_in - d->let_go < d->n_runs && run_at(d, d->handed_in)->n) {
        d->handed_in++;
        pthread_cond_broadcast(&d->changed);
    }
}

struct cp_drawn_frame *cp_drawers_next(struct cp_drawers *d, struct cp_stand *stand)
{
    struct cp_drawn_frame *frame = NULL;
    pthread_mutex_lock(&d->lock);
    if (d->handed_in - d->let_go < d->n_runs) {
        struct run *filling = run_at(d, d->handed_in);
        if (filling->n == d->run_frames || (filling->n && filling->stand != stand))
            hand_in(d);
    }
    while (!d->stopped && d->handed_in - d->let_go == d->n_runs)
        pthread_cond_wait(&d->changed, &d->lock);
    if (!d->stopped) {
        struct run *run = run_at(d, d->handed_in);
        run->stand = stand;
        frame = &run->frame[run->n++];
        stand->frames++;
    }
    pthread_mutex_unlock(&d->lock);
    return frame;
}

void cp_drawers_finish(struct cp_drawers *d)
{
    pthread_mutex_lock(&d->lock);
    hand_in(d);
    d->finished = true;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

void cp_drawers_wait(struct cp_drawers *d, struct cp_stand *stand)
{
    pthread_mutex_lock(&d->lock);
    if (d->handed_in - d->let_go < d->n_runs && run_at(d, d->handed_in)->stand == stand)
        hand_in(d);
    while (stand->frames && !d->stopped)
        pthread_cond_wait(&d->changed, &d->lock);
    pthread_mutex_unlock(&d->lock);
}

/* --- taking --- */

static void let_go(struct cp_drawn_frame *frame)
{
    cp_ref_drop(frame->card);
    cp_ref_drop(frame->screen);
    frame->card = NULL;
    frame->screen = NULL;
}

/* The last frame that was taken goes, and with the last of its run the run. Called with the lock. */
static void let_last_go(struct cp_drawers *d)
{
    struct run *run = run_at(d, d->let_go);
    if (!d->taken)
        return;
    let_go(&run->frame[d->taken - 1]);
    run->stand->frames--;
    if (d->taken == run->n) {
        run->n = run->drawn = d->taken = 0;
        d->let_go++;
    }
    pthread_cond_broadcast(&d->changed);
}

struct cp_drawn_frame *cp_drawers_take(struct cp_drawers *d)
{
    struct cp_drawn_frame *frame = NULL;
    pthread_mutex_lock(&d->lock);
    let_last_go(d);
    while (!d->stopped && !(d->finished && d->let_go == d->handed_in)) {
        struct run *run = run_at(d, d->let_go);
        if (d->let_go < d->handed_in && run->drawn > d->taken) {
            frame = &run->frame[d->taken++];
            break;
        }
        pthread_cond_wait(&d->changed, &d->lock);
    }
    pthread_mutex_unlock(&d->lock);
    return frame;
}

void cp_drawers_stop(struct cp_drawers *d)
{
    pthread_mutex_lock(&d->lock);
    d->stopped = true;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

/* --- start and stop --- */

static bool allocate(struct cp_drawers *d, int width, int height, bool with_alpha)
{
    d->n_runs = d->threads + 2; /* one is filled in and one taken meanwhile */
    d->run_frames = with_alpha ? CP_DRAWERS_RUN / 4 : CP_DRAWERS_RUN;
    d->runs = calloc((size_t)d->n_runs, sizeof *d->runs);
    d->pictures = cp_picture_pool_create(width, height, d->n_runs * d->run_frames);
    if (!d->runs || !d->pictures)
        return false;
    for (int i = 0; i < d->n_runs * d->run_frames; i++) {
        struct cp_drawn_frame *frame = &d->runs[i / d->run_frames].frame[i % d->run_frames];
        frame->picture = cp_picture_get(d->pictures, width, height);
        frame->cutout = with_alpha ? cp_cutout_create(width, height) : NULL;
        if (!frame->picture || (with_alpha && !frame->cutout))
            return false;
    }
    return true;
}

int cp_drawers_create(int threads, int width, int height, bool with_alpha, struct cp_drawers **ret_drawers,
                      struct cp_error *error)
{
    struct cp_drawers *d = calloc(1, sizeof *d);
    char name[16];
    if (!d)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->changed, NULL);
    d->threads = threads < 1 ? 1 : threads < CP_DRAWERS_MAX ? threads : CP_DRAWERS_MAX;
    bool made = allocate(d, width, height, with_alpha);
    for (int i = 0; made && i < d->threads; i++) {
        d->drawer[i] = (struct drawer){.drawers = d, .index = i};
        snprintf(name, sizeof name, "draw.%d", i);
        made = !cp_thread_start(&d->drawer[i].thread, name, run_drawer, &d->drawer[i]);
        d->started += made;
    }
    if (!made) {
        cp_drawers_destroy(d);
        return cp_fail(error, CP_ERR_NOMEM, "app", "no memory or threads to draw with; try --threads 1");
    }
    *ret_drawers = d;
    return 0;
}

void cp_drawers_destroy(struct cp_drawers *d)
{
    if (!d)
        return;
    cp_drawers_stop(d);
    for (int i = 0; i < d->started; i++)
        pthread_join(d->drawer[i].thread, NULL);
    for (int i = 0; d->runs && i < d->n_runs * d->run_frames; i++) {
        struct cp_drawn_frame *frame = &d->runs[i / d->run_frames].frame[i % d->run_frames];
        let_go(frame);
        cp_ref_drop(frame->picture);
        cp_cutout_destroy(frame->cutout);
    }
    cp_pool_destroy(d->pictures);
    free(d->runs);
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->lock);
    free(d);
}
