/* Uploaded motions: places that are free again at once, whoever still plays what lay there. */
#include "../render/scene.h"
#include "app/app.h"
#include "app/motions.h"
#include "avatar/motion.h"

#include "base/clock.h"
#include "base/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The store is not asked here. */
int cp_asset_read(struct cp_store *store, enum cp_asset_kind kind, const char *id, struct cp_buffer *out,
                  char *ret_type, struct cp_error *error)
{
    return cp_fail(error, CP_ERR_NOT_FOUND, "test", "nothing here");
}

int cp_asset_list(struct cp_store *store, enum cp_asset_kind kind, json_t **ret_list, struct cp_error *error)
{
    return cp_fail(error, CP_ERR_NOT_FOUND, "test", "nothing here");
}

static atomic_int made, freed, freed_on_draw_thread;
static _Thread_local bool is_draw_thread;

static void free_motion(void *object)
{
    struct cp_motion *motion = object;
    atomic_fetch_add(&freed, 1);
    if (is_draw_thread)
        atomic_fetch_add(&freed_on_draw_thread, 1);
    free(motion->turn);
    free(motion->shift);
    free(motion->face);
    memset(motion, 0xee, sizeof *motion); /* who still looks at it sees it */
    free(motion);
}

static struct cp_motion *make_motion(int frames)
{
    struct cp_motion *m = calloc(1, sizeof *m);
    atomic_fetch_add(&made, 1);
    cp_ref_init(&m->ref, free_motion);
    m->n_frames = frames;
    m->turn = calloc((size_t)frames, sizeof *m->turn);
    m->shift = calloc((size_t)frames, sizeof *m->shift);
    m->face = calloc((size_t)frames, sizeof *m->face);
    for (int f = 0; f < frames; f++)
        for (int b = 0; b < CP_BONE_COUNT; b++)
            m->turn[f][b][3] = 1;
    return m;
}

static int add(struct cp_motions *motions, const char *name, int frames)
{
    struct cp_motion *motion = make_motion(frames);
    int result = cp_motions_add(motions, name, motion, NULL);
    cp_ref_drop(motion);
    return result;
}

static struct cp_motions *open_list(void)
{
    struct cp_motions *motions;
    made = freed = freed_on_draw_thread = 0;
    assert_int_equal(cp_motions_create(&motions, NULL), 0);
    return motions;
}

static void a_removed_motion_frees_its_place(void **state)
{
    struct cp_motions *motions = open_list();
    char name[24];
    for (int i = 0; i < CP_ACTOR_MOTIONS; i++) {
        snprintf(name, sizeof name, "motion-%d", i);
        assert_int_equal(add(motions, name, 30), 0);
    }
    assert_int_equal(add(motions, "one-more", 30), CP_ERR_LIMIT);
    for (int i = 0; i < 100; i++) { /* far more than there are places */
        cp_motions_remove(motions, "motion-7");
        assert_false(cp_motions_has(motions, "motion-7"));
        assert_int_equal(cp_motions_check_new(motions, "motion-7", NULL), 0);
        assert_int_equal(add(motions, "motion-7", 30), 0);
        assert_true(cp_motions_has(motions, "motion-7"));
    }
    assert_int_equal(cp_motions_check_new(motions, "motion-3", NULL), CP_ERR_EXISTS);
    assert_int_equal(cp_motions_check_new(motions, "greet", NULL), CP_ERR_EXISTS);
    assert_int_equal(cp_motions_check_new(motions, "No name", NULL), CP_ERR_INVALID);
    assert_int_equal(atomic_load(&freed), 101); /* none is kept when nobody plays it; one was refused */
    cp_motions_destroy(motions);
    assert_int_equal(atomic_load(&freed), atomic_load(&made));
}

static void who_knows_a_removed_motion_may_go_on(void **state)
{
    struct cp_model *model = scene_person(8);
    struct cp_motions *motions = open_list();
    struct cp_actor *actor;
    unsigned known = 0;
    assert_int_equal(cp_actor_create(model, 1, &actor, NULL), 0);
    assert_int_equal(add(motions, "swing", 30), 0);
    cp_motions_teach(motions, actor, &known);
    cp_motions_remove(motions, "swing");
    assert_int_equal(add(motions, "stretch", 30), 0); /* takes its place */
    assert_int_equal(atomic_load(&freed), 0);         /* the actor has not looked yet */
    is_draw_thread = true;
    cp_motions_teach(motions, actor, &known);
    is_draw_thread = false;
    assert_int_equal(atomic_load(&freed), 0);
    cp_motions_remove(motions, "nothing"); /* whoever comes next clears up */
    assert_int_equal(atomic_load(&freed), 1);
    cp_actor_destroy(actor);
    cp_motions_destroy(motions);
    assert_int_equal(atomic_load(&freed), 2);
    cp_ref_drop(model);
}

struct drawing {
    struct cp_motions *motions;
    struct cp_model *model;
    atomic_bool stop;
    atomic_int frames;
};

static void *draw(void *arg)
{
    struct drawing *drawing = arg;
    struct cp_actor *actor;
    struct cp_pose *pose = calloc(1, sizeof *pose);
    struct cp_moment moment = {.attention = CP_ATTENTION_IDLE, .gain = 1};
    const struct cp_sight sight = {.camera_eye = {0, 1.6f, 2.5f}};
    unsigned known = 0;
    cp_actor_create(drawing->model, 1, &actor, NULL);
    is_draw_thread = true;
    while (!atomic_load(&drawing->stop)) {
        snprintf(moment.action, sizeof moment.action, "motion-%d", atomic_load(&drawing->frames) / 4 % 4);
        cp_motions_teach(drawing->motions, actor, &known);
        cp_actor_pose(actor, &moment, &sight, pose);
        moment.at_samples += CP_SAMPLES_PER_FRAME;
        atomic_fetch_add(&drawing->frames, 1);
    }
    is_draw_thread = false;
    cp_actor_destroy(actor);
    free(pose);
    return NULL;
}

static void draw_threads_never_free_nor_miss_one(void **state)
{
    enum { THREADS = 2 };
    struct drawing drawing = {.motions = open_list(), .model = scene_person(8)};
    pthread_t thread[THREADS];
    char name[24];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(cp_thread_start(&thread[i], "draw", draw, &drawing), 0);
    for (int64_t end = cp_clock_now_ns() + CP_NS_PER_S, i = 0; cp_clock_now_ns() < end; i++) {
        snprintf(name, sizeof name, "motion-%d", (int)(i % 4));
        if (i % 8 < 4)
            add(drawing.motions, name, 6);
        else
            cp_motions_remove(drawing.motions, name);
    }
    atomic_store(&drawing.stop, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_true(atomic_load(&drawing.frames) > 20);
    assert_int_equal(atomic_load(&freed_on_draw_thread), 0);
    assert_true(atomic_load(&freed) > 0);
    cp_motions_destroy(drawing.motions);
    assert_int_equal(atomic_load(&freed), atomic_load(&made));
    cp_ref_drop(drawing.model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_removed_motion_frees_its_place),
        cmocka_unit_test(who_knows_a_removed_motion_may_go_on),
        cmocka_unit_test(draw_threads_never_free_nor_miss_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
