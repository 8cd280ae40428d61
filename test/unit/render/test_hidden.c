/* Hair that other things hide sits out frames, and is there when it comes to light. */
#include "render/render_int.h"
#include "scene.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LOCKS = 96, HAIR = 0, CURTAIN = 1, PERIOD = 8, SETTLED = 20 };
static const float BROWN[3] = {0.4f, 0.25f, 0.15f}, BLUE[3] = {0.1f, 0.2f, 0.5f};
static const float EYE[3] = {0, 1.5f, 3}, TARGET[3] = {0, 1.5f, 0};

/* A field of small locks, and a curtain before it that hangs on a joint of its own. */
static struct stage open_stage(void)
{
    struct cp_model *model = scene_model(4 * (LOCKS + 1), 2 * (LOCKS + 1), 2);
    model->materials[HAIR].surface = CP_SURFACE_HAIR;
    model->materials[CURTAIN].surface = CP_SURFACE_CLOTH;
    model->n_joints = 2;
    free(model->joints);
    model->joints = calloc(2, sizeof *model->joints);
    for (int i = 0; i < LOCKS / 2; i++) { /* parts are few: a strip is two locks */
        float x = -0.24f + 0.01f * (float)i;
        scene_add_quad(model, HAIR, x, 1.4f, x + 0.009f, 1.6f, 0, BROWN);
    }
    int first = model->n_vertices;
    scene_add_quad(model, CURTAIN, -0.3f, 1.3f, 0.3f, 1.7f, 0.1f, BLUE);
    for (int v = first; v < model->n_vertices; v++)
        model->vertices[v].joint[0] = 1;
    struct stage stage = stage_open(model, "auto", 4, "studio", 640, 360);
    stage_look(&stage, EYE, TARGET, 20);
    return stage;
}

static struct cp_pose curtain_at(const struct stage *stage, float x)
{
    struct cp_pose pose = scene_rest(stage->model);
    pose.skin[1][3] = x;
    return pose;
}

static int drawn(struct stage *stage, const struct cp_pose *pose)
{
    stage_draw(stage, pose, 1);
    return cp_render_stats(stage->render).triangles_drawn;
}

static void hidden_locks_take_turns(void **state)
{
    struct stage stage = open_stage();
    struct cp_pose closed = curtain_at(&stage, 0);
    int all = drawn(&stage, &closed), sum = 0;
    assert_int_equal(all, LOCKS + 2);
    stage_draw(&stage, &closed, SETTLED);
    for (int i = 0; i < PERIOD; i++) {
        int n = drawn(&stage, &closed);
        assert_in_range(n, 2, 2 + LOCKS / 2);
        sum += n - 2;
    }
    assert_int_equal(sum, LOCKS); /* each once */
    stage_close(&stage);
}

static void locks_in_sight_are_drawn_always(void **state)
{
    struct stage stage = open_stage();
    struct cp_pose open = curtain_at(&stage, 2);
    stage_draw(&stage, &open, SETTLED);
    int most = drawn(&stage, &open);
    for (int i = 0; i < PERIOD; i++)
        assert_int_equal(drawn(&stage, &open), most);
    assert_in_range(most, LOCKS, LOCKS + 2);
    stage_close(&stage);
}

static void what_comes_to_light_is_there_within_eight_frames(void **state)
{
    struct stage stage = open_stage(), fresh = open_stage();
    struct cp_pose closed = curtain_at(&stage, 0), open = curtain_at(&stage, 2);
    stage_draw(&stage, &closed, SETTLED);
    stage_draw(&fresh, &open, PERIOD + 2);
    stage_draw(&stage, &open, 1);
    assert_true(scene_worst_block(stage.picture, fresh.picture) > 8); /* some are still missing */
    stage_draw(&stage, &open, PERIOD + 1);
    assert_true(scene_worst_block(stage.picture, fresh.picture) < 1);
    stage_close(&stage);
    stage_close(&fresh);
}

static void a_cut_misses_nothing(void **state)
{
    static const float SIDE[3] = {-1.6f, 1.5f, 0.6f}; /* past the curtain's edge */
    struct stage stage = open_stage(), fresh = open_stage();
    struct cp_pose closed = curtain_at(&stage, 0.15f);
    stage_draw(&stage, &closed, SETTLED);
    stage_look(&stage, SIDE, TARGET, 20);
    stage_look(&fresh, SIDE, TARGET, 20);
    stage_draw(&stage, &closed, 1);
    stage_draw(&fresh, &closed, 2);
    assert_true(scene_worst_block(stage.picture, fresh.picture) < 1);
    stage_close(&stage);
    stage_close(&fresh);
}

static void the_camera_sets_the_period(void **state)
{
    struct cp_view a = {.eye = {0, 1.5f, 3}, .target = {0, 1.5f, 0}, .fov_y_rad = 0.4f}, b = a;
    assert_int_equal(cp_hidden_period(&a, &b), PERIOD);
    b.eye[0] += 0.005f;
    assert_int_equal(cp_hidden_period(&a, &b), 2);
    b.eye[0] += 0.5f;
    assert_int_equal(cp_hidden_period(&a, &b), 1);
    b = a;
    b.fov_y_rad = 0.41f;
    assert_int_equal(cp_hidden_period(&a, &b), 2);
    b.eye[1] = NAN;
    assert_int_equal(cp_hidden_period(&a, &b), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hidden_locks_take_turns),
        cmocka_unit_test(locks_in_sight_are_drawn_always),
        cmocka_unit_test(what_comes_to_light_is_there_within_eight_frames),
        cmocka_unit_test(a_cut_misses_nothing),
        cmocka_unit_test(the_camera_sets_the_period),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
