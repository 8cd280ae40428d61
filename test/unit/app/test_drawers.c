/* Frames drawn by several threads: the same bytes as by one, in order; and an end at any time. */
#include "../render/scene.h"
#include "app/film/drawers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WIDTH = 320, HEIGHT = 180, FRAMES = 4 * CP_DRAWERS_RUN + 5, STANDS = 2 };

static struct cp_model *the_model;

static void open_stand(struct cp_stand *stand, const char *set, int threads)
{
    const struct cp_render_config config = {.level = "auto", .samples = 4};
    const struct cp_stage_spec spec = {.models = {the_model},
                                       .n_models = 1,
                                       .set = cp_render_find_set(set),
                                       .width = WIDTH,
                                       .height = HEIGHT};
    memset(stand, 0, sizeof *stand);
    for (int i = 0; i < threads; i++)
        assert_int_equal(cp_render_create(&config, &spec, &stand->made[i].render, NULL), 0);
}

static void close_stand(struct cp_stand *stand)
{
    for (int i = 0; i < CP_DRAWERS_MAX; i++)
        cp_render_destroy(stand->made[i].render);
}

/* A head that nods and speaks, a camera that moves at first, a card that fades in on the screen. */
static void pose(int64_t n, const struct cp_set *set, struct cp_footage *card, struct cp_drawn_frame *frame)
{
    frame->number = n;
    frame->n_poses = 1;
    frame->poses[0] = scene_rest(the_model);
    frame->poses[0].weight[0] = 0.5f + 0.5f * (float)(n % 7 - 3) / 3;
    frame->poses[0].skin[0][3] = 0.01f * (float)(n % 11);
    frame->poses[0].skin[0][7] = 0.004f * (float)(n % 5);
    memset(&frame->view, 0, sizeof frame->view);
    cp_render_frame_camera(set, n < 30 ? "medium" : "wide", the_model, WIDTH, HEIGHT, &frame->view);
    if (n < 20)
        frame->view.eye[0] += 0.01f * (float)n;
    frame->view.at_samples = n * CP_SAMPLES_PER_FRAME;
    if (n >= 12 && n < 40) {
        frame->view.screen = frame->screen = cp_ref_take(card);
        frame->view.screen_faded = n < 20 ? (float)(20 - n) / 8 : 0;
    }
    frame->pcm[0] = (int16_t)n;
}

struct film {
    uint64_t hash[FRAMES];
    uint64_t alpha[FRAMES];
    bool wrong;
};

static uint64_t hash_of(const void *bytes, size_t n)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
    return hash;
}

static void *take_all(void *arg)
{
    struct cp_drawers **drawers = arg;
    struct film *film = calloc(1, sizeof *film);
    int64_t n = 0;
    for (struct cp_drawn_frame *frame; (frame = cp_drawers_take(*drawers)); n++) {
        /* In order, with what belongs to them. This is not the test's thread: told when the film is there. */
        film->wrong |= n >= FRAMES || frame->number != n || frame->picture->frame != n || frame->pcm[0] != n;
        if (film->wrong)
            continue;
        film->hash[n] = scene_hash(frame->picture);
        if (frame->cutout)
            film->alpha[n] = hash_of(frame->cutout->rgba, (size_t)WIDTH * HEIGHT * 4);
    }
    film->wrong |= n != FRAMES;
    return film;
}

static struct film *draw_film(int threads, bool with_alpha, struct cp_footage *card)
{
    static const char *const SET[STANDS] = {"studio", "shop"};
    struct cp_stand *stand = calloc(STANDS, sizeof *stand);
    struct cp_drawers *drawers;
    pthread_t taker;
    void *film;
    for (int i = 0; i < STANDS; i++)
        open_stand(&stand[i], SET[i], threads);
    assert_int_equal(cp_drawers_create(threads, WIDTH, HEIGHT, with_alpha, &drawers, NULL), 0);
    pthread_create(&taker, NULL, take_all, &drawers);
    for (int64_t n = 0; n < FRAMES; n++) {
        int on = n >= 25 && n < 45; /* another stage in the midst of a run */
        struct cp_drawn_frame *frame = cp_drawers_next(drawers, &stand[on]);
        assert_non_null(frame);
        pose(n, cp_render_find_set(SET[on]), card, frame);
    }
    cp_drawers_wait(drawers, &stand[1]); /* its renderers may go before the film ends */
    close_stand(&stand[1]);
    cp_drawers_finish(drawers);
    pthread_join(taker, &film);
    cp_drawers_destroy(drawers);
    close_stand(&stand[0]);
    free(stand);
    assert_false(((struct film *)film)->wrong);
    return film;
}

static void frames_are_the_same_whoever_draws_them(void **state)
{
    struct cp_footage *card = cp_render_create_kept();
    for (int alpha = 0; alpha < 2; alpha++) {
        struct film *one = draw_film(1, alpha, card);
        for (int threads = 2; threads <= 3; threads++) {
            struct film *more = draw_film(threads, alpha, card);
            for (int n = 0; n < FRAMES; n++)
                if (more->hash[n] != one->hash[n] || more->alpha[n] != one->alpha[n])
                    fail_msg("frame %d differs with %d threads", n, threads);
            free(more);
        }
        for (int n = 1; n < FRAMES; n++)
            assert_true(one->hash[n] != one->hash[n - 1]); /* things move */
        free(one);
    }
    cp_ref_drop(card);
}

static void who_takes_may_stop(void **state)
{
    struct cp_stand *stand = calloc(1, sizeof *stand);
    struct cp_drawers *drawers;
    struct cp_footage *card = cp_render_create_kept();
    open_stand(stand, "studio", 2);
    assert_int_equal(cp_drawers_create(2, WIDTH, HEIGHT, false, &drawers, NULL), 0);
    for (int64_t n = 0; n < CP_DRAWERS_RUN + 3; n++)
        pose(n, cp_render_find_set("studio"), card, cp_drawers_next(drawers, stand));
    assert_int_equal(cp_drawers_take(drawers)->number, 0);
    cp_drawers_stop(drawers);
    assert_null(cp_drawers_next(drawers, stand));
    assert_null(cp_drawers_take(drawers));
    cp_drawers_wait(drawers, stand); /* does not hang */
    cp_drawers_finish(drawers);
    cp_drawers_destroy(drawers);
    assert_int_equal(cp_ref_count(card), 1); /* what frames held is let go */
    cp_ref_drop(card);
    close_stand(stand);
    free(stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_the_same_whoever_draws_them),
        cmocka_unit_test(who_takes_may_stop),
    };
    the_model = scene_person(8);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cp_ref_drop(the_model);
    return failed;
}
