#include "app/stagehand.h"

#include "base/clock.h"
#include "base/thread.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MAX_JOBS      16
#define NICE          5                   /* making a stage may take longer; a frame may not */
#define LOOK_AGAIN_NS (20 * CP_NS_PER_MS) /* the draw thread does not tell when it has left a scene */

enum job_state { JOB_FREE, JOB_WAITING, JOB_MAKING, JOB_HOLDS };

struct job {
    enum job_state state;
    uint64_t id, order; /* order: waiting jobs are served first come, first served */
    bool struck;        /* while it is being made for it */
    struct cp_scene_plan plan;
    struct place *place; /* of the scene it holds */
};

struct place { /* a scene that lives */
    struct cp_scene *scene;
    struct cp_scene_plan plan;
    int holders;
    uint64_t used; /* when it was last held, in jobs */
};

struct cp_stagehand {
    struct cp_scene_maker maker;
    struct cp_stagehand_events events;
    pthread_t thread;
    pthread_mutex_t lock; /* guards all but the atomics */
    pthread_cond_t work;
    bool started, stopping;
    struct job jobs[MAX_JOBS];
    struct place places[CP_SCENES_ALIVE];
    struct place *own_place;
    uint64_t clock;
    /* The draw thread's: it says which scene it draws before it draws it, and looks again that own is still
     * the own. So one that is neither own, nor held, nor on_air can be destroyed (a hazard pointer). */
    _Atomic(struct cp_scene *) own, on_air, left; /* left: drawn in the frame before */
};

static struct job *find_job(struct cp_stagehand *hand, uint64_t id)
{
    for (int i = 0; i < MAX_JOBS; i++)
        if (hand->jobs[i].state != JOB_FREE && hand->jobs[i].id == id)
            return &hand->jobs[i];
    return NULL;
}

static struct job *next_job(struct cp_stagehand *hand)
{
    struct job *first = NULL;
    for (int i = 0; i < MAX_JOBS; i++)
        if (hand->jobs[i].state == JOB_WAITING && (!first || hand->jobs[i].order < first->order))
            first = &hand->jobs[i];
    return first;
}

static bool same_plan(const struct cp_scene_plan *a, const struct cp_scene_plan *b)
{
    return !memcmp(a, b, sizeof *a);
}

static struct place *find_place(struct cp_stagehand *hand, const struct cp_scene_plan *plan)
{
    for (int i = 0; i < CP_SCENES_ALIVE; i++)
        if (hand->places[i].scene && same_plan(&hand->places[i].plan, plan))
            return &hand->places[i];
    return NULL;
}

static bool is_needed(struct cp_stagehand *hand, const struct place *place)
{
    /* In this order: a scene is named as left before another is named as on air. */
    return place->holders || place == hand->own_place || atomic_load(&hand->on_air) == place->scene ||
           atomic_load(&hand->left) == place->scene;
}

/* A place for one more scene: an empty one, else that of the scene unneeded longest (*ret_old); NULL: none
 * now. */
static struct place *make_room(struct cp_stagehand *hand, struct cp_scene **ret_old)
{
    struct place *room = NULL;
    *ret_old = NULL;
    for (int i = 0; i < CP_SCENES_ALIVE; i++) {
        struct place *place = &hand->places[i];
        if (!place->scene)
            return place;
        if (!is_needed(hand, place) && (!room || place->used < room->used))
            room = place;
    }
    if (room) {
        *ret_old = room->scene;
        room->scene = NULL;
    }
    return room;
}

/* The job has its scene; its answer goes out without the lock. */
static void give(struct cp_stagehand *hand, struct job *job, struct place *place)
{
    uint64_t id = job->id;
    struct cp_scene *scene = place->scene;
    job->state = JOB_HOLDS;
    job->place = place;
    place->holders++;
    place->used = ++hand->clock;
    pthread_mutex_unlock(&hand->lock);
    hand->events.staged(hand->events.user, id, scene, 0, NULL);
    pthread_mutex_lock(&hand->lock);
}

static void refuse(struct cp_stagehand *hand, struct job *job, int result, const struct cp_error *error)
{
    uint64_t id = job->id;
    job->state = JOB_FREE;
    pthread_mutex_unlock(&hand->lock);
    hand->events.staged(hand->events.user, id, NULL, result, error);
    pthread_mutex_lock(&hand->lock);
}

/* Makes the job's scene in an empty place. Called with the lock, which is let go meanwhile. */
static void make(struct cp_stagehand *hand, struct job *job, struct place *place, struct cp_scene *old)
{
    struct cp_error error = {.text = ""};
    struct cp_scene *scene = NULL;
    job->state = JOB_MAKING;
    pthread_mutex_unlock(&hand->lock);
    if (old)
        hand->maker.destroy(hand->maker.user, old);
    int64_t began_ns = cp_clock_now_ns();
    int result = hand->maker.make(hand->maker.user, &job->plan, &scene, &error);
    if (hand->events.made)
        hand->events.made(hand->events.user, cp_clock_now_ns() - began_ns, result);
    pthread_mutex_lock(&hand->lock);
    if (!result) {
        place->scene = scene;
        place->plan = job->plan;
        place->holders = 0;
        place->used = ++hand->clock;
    }
    if (job->struck)
        job->state = JOB_FREE; /* nobody waits for it; what was made may serve the next */
    else if (result)
        refuse(hand, job, result, &error);
    else
        give(hand, job, place);
}

static void *run_stagehand(void *arg)
{
    struct cp_stagehand *hand = arg;
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* this thread's only, on Linux */
    pthread_mutex_lock(&hand->lock);
    while (!hand->stopping) {
        struct job *job = next_job(hand);
        struct place *place = job ? find_place(hand, &job->plan) : NULL;
        struct cp_scene *old = NULL;
        if (!job) {
            pthread_cond_wait(&hand->work, &hand->lock);
        } else if (place) {
            give(hand, job, place);
        } else if ((place = make_room(hand, &old))) {
            make(hand, job, place, old);
        } else {
            pthread_mutex_unlock(&hand->lock);
            cp_clock_sleep_until_ns(cp_clock_now_ns() + LOOK_AGAIN_NS);
            pthread_mutex_lock(&hand->lock);
        }
    }
    pthread_mutex_unlock(&hand->lock);
    return NULL;
}

int cp_stagehand_create(const struct cp_scene_maker *maker, const struct cp_stagehand_events *events,
                        struct cp_scene *own, const struct cp_scene_plan *own_plan,
                        struct cp_stagehand **ret_stagehand, struct cp_error *error)
{
    struct cp_stagehand *hand = calloc(1, sizeof *hand);
    if (!hand)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    hand->maker = *maker;
    hand->events = *events;
    pthread_mutex_init(&hand->lock, NULL);
    pthread_cond_init(&hand->work, NULL);
    hand->own_place = &hand->places[0];
    hand->places[0].scene = own;
    hand->places[0].plan = *own_plan;
    atomic_init(&hand->own, own);
    atomic_init(&hand->on_air, own);
    if (cp_thread_start(&hand->thread, "stage", run_stagehand, hand)) {
        hand->places[0].scene = NULL; /* still the caller's */
        cp_stagehand_destroy(hand);
        return cp_fail(error, CP_ERR_NOMEM, "app", "cannot start a thread");
    }
    hand->started = true;
    *ret_stagehand = hand;
    return 0;
}

void cp_stagehand_destroy(struct cp_stagehand *hand)
{
    if (!hand)
        return;
    pthread_mutex_lock(&hand->lock);
    hand->stopping = true;
    pthread_cond_signal(&hand->work);
    pthread_mutex_unlock(&hand->lock);
    if (hand->started)
        pthread_join(hand->thread, NULL);
    struct cp_error error;
    cp_fail(&error, CP_ERR_UNAVAILABLE, "app", "the channel went off the air");
    pthread_mutex_lock(&hand->lock);
    for (struct job *job; (job = next_job(hand));)
        refuse(hand, job, CP_ERR_UNAVAILABLE, &error);
    pthread_mutex_unlock(&hand->lock);
    for (int i = 0; i < CP_SCENES_ALIVE; i++)
        if (hand->places[i].scene)
            hand->maker.destroy(hand->maker.user, hand->places[i].scene);
    pthread_cond_destroy(&hand->work);
    pthread_mutex_destroy(&hand->lock);
    free(hand);
}

int cp_stagehand_prepare(struct cp_stagehand *hand, const struct cp_scene_plan *plan, uint64_t id,
                         struct cp_error *error)
{
    struct job *job = NULL;
    pthread_mutex_lock(&hand->lock);
    for (int i = 0; i < MAX_JOBS && !job; i++)
        if (hand->jobs[i].state == JOB_FREE)
            job = &hand->jobs[i];
    if (job) {
        *job = (struct job){.state = JOB_WAITING, .id = id, .order = ++hand->clock, .plan = *plan};
        pthread_cond_signal(&hand->work);
    }
    pthread_mutex_unlock(&hand->lock);
    return job ? 0
               : cp_fail(error, CP_ERR_BUSY, "app",
                         "%d changes of the stage wait already; try again in a moment", MAX_JOBS);
}

void cp_stagehand_strike(struct cp_stagehand *hand, uint64_t id)
{
    pthread_mutex_lock(&hand->lock);
    struct job *job = find_job(hand, id);
    if (job && job->state == JOB_MAKING) {
        job->struck = true;
    } else if (job) {
        if (job->place)
            job->place->holders--;
        job->state = JOB_FREE;
    }
    pthread_mutex_unlock(&hand->lock);
}

bool cp_stagehand_is_own(struct cp_stagehand *hand, const struct cp_scene_plan *plan)
{
    pthread_mutex_lock(&hand->lock);
    bool is_own = same_plan(&hand->own_place->plan, plan);
    pthread_mutex_unlock(&hand->lock);
    return is_own;
}

bool cp_stagehand_set_own(struct cp_stagehand *hand, uint64_t id)
{
    pthread_mutex_lock(&hand->lock);
    struct job *job = find_job(hand, id);
    bool holds = job && job->state == JOB_HOLDS;
    if (holds) {
        hand->own_place = job->place;
        atomic_store(&hand->own, job->place->scene);
    }
    pthread_mutex_unlock(&hand->lock);
    return holds;
}

struct cp_scene *cp_stagehand_enter(struct cp_stagehand *hand, struct cp_scene *wanted)
{
    struct cp_scene *scene = wanted;
    atomic_store(&hand->left, atomic_load(&hand->on_air));
    do {
        if (!wanted)
            scene = atomic_load(&hand->own);
        atomic_store(&hand->on_air, scene);
    } while (!wanted && atomic_load(&hand->own) != scene);
    return scene;
}

int cp_stagehand_alive(struct cp_stagehand *hand)
{
    int alive = 0;
    pthread_mutex_lock(&hand->lock);
    for (int i = 0; i < CP_SCENES_ALIVE; i++)
        alive += hand->places[i].scene != NULL;
    pthread_mutex_unlock(&hand->lock);
    return alive;
}
