/* What is on the set's screen, frame by frame: cards and other stages fade in and out. */
#include "../render/scene.h"
#include "app/motions.h"
#include "app/scene.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- what it asks of others --- */

static const struct cp_card *the_card;
static struct cp_model *the_model;

const struct cp_card *cp_cards_find(struct cp_cards *cards, const struct cp_card_spec *spec)
{
    return the_card;
}

void cp_cards_keep(struct cp_cards *cards, const struct cp_card *card)
{
}

void cp_motions_teach(struct cp_motions *motions, struct cp_actor *actor, unsigned *known)
{
}

void cp_motions_heard(struct cp_motions *motions, const struct cp_moment *moment,
                      char ret_name[CP_MOTION_NAME_BYTES])
{
    *ret_name = 0;
}

int cp_scene_find_player(const struct cp_scene *scene, const char *presenter)
{
    return 0;
}

/* --- stages --- */

enum { WIDTH = 320, HEIGHT = 180 };

static struct cp_scene *make_scene(const char *set, const char *screen)
{
    const struct cp_render_config config = {.level = "auto", .samples = 1};
    struct cp_stage_spec spec = {.models = {the_model},
                                 .n_models = 1,
                                 .set = cp_render_find_set(set),
                                 .width = WIDTH,
                                 .height = HEIGHT};
    struct cp_scene *scene = calloc(1, sizeof *scene);
    struct cp_player *player = calloc(1, sizeof *player);
    scene->set = spec.set;
    scene->plan.width = WIDTH;
    scene->plan.height = HEIGHT;
    strcpy(scene->plan.screen, screen);
    scene->n_players = 1;
    scene->players[0] = player;
    player->model = the_model;
    assert_int_equal(cp_actor_create(the_model, 1, &player->actor, NULL), 0);
    assert_int_equal(cp_render_create(&config, &spec, &scene->render, NULL), 0);
    return scene;
}

static void free_scene(struct cp_scene *scene)
{
    cp_render_destroy(scene->render);
    cp_actor_destroy(scene->players[0]->actor);
    free(scene->players[0]);
    free(scene);
}

struct stage_show {
    struct cp_performer performer;
    struct cp_moment moment;
    struct cp_pool *pool;
    struct cp_picture *picture;
};

static void open_show(struct stage_show *show)
{
    memset(show, 0, sizeof *show);
    show->performer.kept = cp_render_create_kept();
    show->moment.gain = 1;
    show->pool = cp_picture_pool_create(WIDTH, HEIGHT, 1);
    show->picture = cp_picture_get(show->pool, WIDTH, HEIGHT);
}

static void close_show(struct stage_show *show)
{
    cp_ref_drop(show->performer.kept);
    cp_ref_drop(show->picture);
    cp_pool_destroy(show->pool);
}

static void next_frame(struct stage_show *show, struct cp_scene *scene)
{
    cp_perform(&show->performer, scene, &show->moment, "");
    cp_perform_draw(&show->performer, show->picture, NULL);
    show->moment.at_samples += CP_SAMPLES_PER_FRAME;
}

/* --- tests --- */

static void a_card_fades_in_and_out(void **state)
{
    struct stage_show show;
    struct cp_scene *scene = make_scene("studio", "");
    struct cp_card_maker *maker;
    struct cp_card *card;
    const struct cp_card_spec spec = {.title = "A mug", .on_screen = true};
    assert_int_equal(cp_card_maker_create(&maker, NULL), 0);
    assert_int_equal(cp_card_make(maker, &spec, NULL, 0, WIDTH, HEIGHT, &card, NULL), 0);
    the_card = card;
    open_show(&show);
    show.performer.cards = (struct cp_cards *)&show; /* only told from none */
    float last = 1;
    int steps = 0;
    for (int frame = 0; frame < 40; frame++) {
        show.moment.card = frame >= 5 && frame < 20 ? spec : (struct cp_card_spec){.title = ""};
        next_frame(&show, scene);
        const struct cp_view *view = &show.performer.view;
        float faded = view->screen ? view->screen_faded : 1;
        assert_true(fabsf(faded - last) < 0.25f); /* it never cuts */
        steps += faded != last;
        last = faded;
        if (frame == 19)
            assert_true(faded < 0.001f);
        assert_null(view->card);
    }
    assert_true(last > 0.999f);
    assert_in_range(steps, 12, 18); /* a quarter of a second each way */
    close_show(&show);
    cp_ref_drop(card);
    cp_card_maker_destroy(maker);
    free_scene(scene);
}

static void another_stage_fades_on_the_screen(void **state)
{
    struct stage_show show;
    struct cp_scene *one = make_scene("studio", "med_1"), *two = make_scene("studio", "med_2"),
                    *shop = make_scene("shop", "med_1");
    open_show(&show);
    next_frame(&show, one);
    assert_null(show.performer.view.screen); /* nothing to fade from */
    next_frame(&show, two);
    assert_ptr_equal(show.performer.view.screen, show.performer.kept);
    float last = 0;
    for (int frame = 0; frame < 10; frame++) {
        float faded = show.performer.view.screen ? show.performer.view.screen_faded : 1;
        assert_true(faded >= last && faded - last < 0.25f);
        last = faded;
        next_frame(&show, two);
    }
    assert_true(last >= 1);
    assert_null(show.performer.view.screen);
    next_frame(&show, shop); /* another set is a cut */
    assert_null(show.performer.view.screen);
    close_show(&show);
    free_scene(one);
    free_scene(two);
    free_scene(shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_fades_in_and_out),
        cmocka_unit_test(another_stage_fades_on_the_screen),
    };
    the_model = scene_person(8);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cp_ref_drop(the_model);
    return failed;
}
