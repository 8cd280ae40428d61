/* Sets, light, framing, camera moves, the screen, and pictures as background. */
#include "scene.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static double mean_luma(const struct cp_picture *p, int x0, int y0, int x1, int y1)
{
    double sum = 0;
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++)
            sum += scene_luma(p, x, y);
    return sum / ((x1 - x0) * (y1 - y0));
}

static void dress(struct stage *stage, const struct cp_scenery *scenery)
{
    struct cp_error error = {0};
    if (cp_render_dress(stage->render, scenery, &error))
        fail_msg("%s", error.text);
}

/* A PNG: left half dark, right half bright; a stripe of middle grey along the top edge. */
static struct cp_buffer png_of(int width, int height)
{
    struct cp_pool *pool = cp_picture_pool_create(width, height, 1);
    struct cp_picture *picture = cp_picture_get(pool, width, height);
    struct cp_buffer png = cp_buffer_make(1 << 20);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            picture->plane[0][y * width + x] = y < height / 10 ? 126 : x < width / 2 ? 40 : 200;
    memset(picture->plane[1], 128, (size_t)width * (size_t)height / 4);
    memset(picture->plane[2], 128, (size_t)width * (size_t)height / 4);
    assert_int_equal(cp_picture_write_png(picture, &png, NULL), 0);
    cp_ref_drop(picture);
    cp_pool_destroy(pool);
    return png;
}

static struct cp_footage *footage_of(int width, int height, int to_width, int to_height)
{
    struct cp_buffer png = png_of(width, height);
    struct cp_footage_spec spec = {.width = to_width, .height = to_height};
    struct cp_footage *footage = NULL;
    struct cp_error error = {0};
    if (cp_footage_open(png.data, png.length, &spec, &footage, &error))
        fail_msg("%s", error.text);
    cp_buffer_free(&png);
    return footage;
}

static void key_colour_is_exact_everywhere(void **state)
{
    struct stage stage = stage_open(scene_person(8), "auto", 1, "key", 320, 180);
    stage_draw(&stage, NULL, 1);
    int first = scene_luma(stage.picture, 0, 0);
    for (int x = 0; x < 320; x++)
        assert_int_equal(scene_luma(stage.picture, x, 2), first);
    dress(&stage, &(struct cp_scenery){.set = cp_render_find_set("key"), .color = "#ffffff"});
    stage_draw(&stage, NULL, 1);
    assert_int_equal(scene_luma(stage.picture, 0, 0), 235);
    stage_close(&stage);
}

static void sets_look_different(void **state)
{
    static const char *const NAME[] = {"studio", "newsroom", "shop", "classroom", "plain", "key"};
    struct stage stage = stage_open(scene_person(8), "auto", 1, "", 320, 180);
    uint64_t seen[6];
    for (int i = 0; i < 6; i++) {
        dress(&stage, &(struct cp_scenery){.set = cp_render_find_set(NAME[i])});
        stage_draw(&stage, NULL, 1);
        seen[i] = scene_hash(stage.picture);
        for (int k = 0; k < i; k++)
            assert_true(seen[i] != seen[k]);
    }
    stage_close(&stage);
}

static void light_moods_change_room_and_person(void **state)
{
    struct stage stage = stage_open(scene_person(16), "auto", 1, "classroom", 320, 180);
    const struct cp_light_mood *const *moods;
    int n = cp_render_lights(&moods);
    assert_true(n >= 6);
    stage_draw(&stage, NULL, 1);
    double wall = mean_luma(stage.picture, 0, 0, 60, 100), face = mean_luma(stage.picture, 150, 60, 170, 80);
    dress(&stage, &(struct cp_scenery){.set = cp_render_find_set("classroom"), .light = "dramatic"});
    stage_draw(&stage, NULL, 2);
    assert_true(mean_luma(stage.picture, 0, 0, 60, 100) < wall - 15);
    assert_true(mean_luma(stage.picture, 150, 60, 170, 80) < face - 5);
    struct cp_error error = {0};
    assert_int_equal(cp_render_dress(stage.render, &(struct cp_scenery){.light = "disco"}, &error),
                     CP_ERR_NOT_FOUND);
    assert_true(cp_render_is_light("") && cp_render_is_light(moods[n - 1]->name) &&
                !cp_render_is_light("disco"));
    stage_close(&stage);
}

static void picture_covers_the_frame_without_borders(void **state)
{
    /* An upright picture in a wide frame: its top stripe is cut off, its middle stays in the middle. */
    struct stage stage = stage_open(scene_person(8), "auto", 1, "plain", 320, 180);
    struct cp_footage *footage = footage_of(200, 400, 320, 180);
    assert_false(cp_footage_is_video(footage));
    dress(&stage, &(struct cp_scenery){.background = footage});
    stage_draw(&stage, NULL, 1);
    for (int y = 0; y < 180; y += 179) {
        assert_in_range(scene_luma(stage.picture, 0, y), 36, 44);
        assert_in_range(scene_luma(stage.picture, 319, y), 196, 204);
    }
    cp_ref_drop(footage); /* the stage has its own reference */
    stage_draw(&stage, NULL, 1);
    /* A wide one: nothing is cut above, the stripe is there. */
    footage = footage_of(640, 360, 320, 180);
    dress(&stage, &(struct cp_scenery){.background = footage});
    stage_draw(&stage, NULL, 1);
    assert_in_range(scene_luma(stage.picture, 10, 5), 122, 130);
    assert_in_range(scene_luma(stage.picture, 10, 40), 36, 44);
    cp_ref_drop(footage);
    stage_close(&stage);
}

static void bad_footage_is_refused(void **state)
{
    struct cp_buffer png = png_of(64, 64);
    struct cp_footage_spec spec = {.width = 320, .height = 180}, odd = {.width = 321, .height = 180};
    struct cp_footage *footage = NULL;
    struct cp_error error = {0};
    assert_int_equal(cp_footage_open("GIF89a and more", 15, &spec, &footage, &error), CP_ERR_UNSUPPORTED);
    assert_int_equal(cp_footage_open(png.data, 60, &spec, &footage, &error), CP_ERR_FORMAT);
    assert_int_equal(cp_footage_open(png.data, png.length, &odd, &footage, &error), CP_ERR_INVALID);
    assert_int_equal(cp_footage_open("\0\0\0\x18"
                                     "ftypisom and nothing else",
                                     30, &spec, &footage, &error),
                     CP_ERR_FORMAT);
    assert_int_equal(cp_footage_open_file("/nowhere/at/all.png", &spec, &footage, &error), CP_ERR_NOT_FOUND);
    assert_true(error.text[0] && !footage);
    cp_buffer_free(&png);
}

static void screen_shows_what_it_is_given(void **state)
{
    struct stage stage = stage_open(scene_person(8), "auto", 1, "studio", 640, 360);
    struct cp_picture *picture = stage.picture;
    stage_draw(&stage, NULL, 2);
    double idle = mean_luma(picture, 430, 0, 640, 360);
    struct cp_footage *footage = footage_of(512, 288, CP_SCREEN_WIDTH, CP_SCREEN_HEIGHT);
    stage.view.screen = footage;
    stage_draw(&stage, NULL, 1);
    /* Its two halves stand right of the presenter: bright pixels end inside the picture. */
    int left = 640, right = 0, top = 360, bottom = 0;
    for (int y = 0; y < 360; y++)
        for (int x = 400; x < 640; x++)
            if (scene_luma(picture, x, y) >= 190 && scene_luma(picture, x, y) <= 206) {
                left = x < left ? x : left;
                right = x > right ? x : right;
                top = y < top ? y : top;
                bottom = y > bottom ? y : bottom;
            }
    assert_in_range(left, 480, 560);
    assert_in_range(right, 590, 636);
    assert_in_range(top, 60, 130);
    assert_in_range(bottom, 150, 220);
    stage.view.screen = NULL; /* and back: nothing of it is left */
    stage_draw(&stage, NULL, 2);
    assert_true(fabs(mean_luma(picture, 430, 0, 640, 360) - idle) < 0.001);
    cp_ref_drop(footage);
    stage_close(&stage);
}

/* Faded half, it is midway between what is shown and what lies under it, with no step on the way. */
static void a_screen_fades(void **state)
{
    struct stage stage = stage_open(scene_person(8), "auto", 1, "studio", 640, 360);
    struct cp_footage *footage = footage_of(512, 288, CP_SCREEN_WIDTH, CP_SCREEN_HEIGHT);
    struct cp_footage *kept = cp_render_create_kept();
    double luma[9];
    for (int i = 0; i <= 8; i++) {
        stage.view.screen = i < 8 ? footage : NULL;
        stage.view.screen_faded = (float)i / 8;
        stage_draw(&stage, NULL, 2);
        luma[i] = mean_luma(stage.picture, 520, 100, 620, 180);
        if (i == 4)
            assert_true(cp_render_keep_screen(stage.render, kept));
    }
    assert_true(luma[0] > luma[8] + 20);
    for (int i = 0; i < 8; i++) {
        double step = luma[i] - luma[i + 1], mean = (luma[0] - luma[8]) / 8;
        assert_true(step > 0.5 * mean && step < 1.5 * mean);
    }
    stage.view.screen = kept; /* what it showed in between can be shown again */
    stage.view.screen_faded = 0;
    stage_draw(&stage, NULL, 2);
    assert_true(fabs(mean_luma(stage.picture, 520, 100, 620, 180) - luma[4]) < 0.2);
    cp_ref_drop(kept);
    cp_ref_drop(footage);
    stage_close(&stage);
}

static void a_moved_camera_never_jumps(void **state)
{
    struct stage stage = stage_open(scene_person(8), "auto", 1, "studio", 320, 180);
    const struct cp_set *set = cp_render_find_set("");
    struct cp_view from, to;
    uint8_t *last = calloc(1, 320 * 180);
    assert_true(cp_render_frame_camera(set, "left", stage.model, 320, 180, &from));
    assert_true(cp_render_frame_camera(set, "close", stage.model, 320, 180, &to));
    double worst = 0;
    for (int i = 0; i <= 45; i++) {
        cp_render_move_camera(&from, &to, (float)i / 45, &stage.view);
        stage_draw(&stage, NULL, 1);
        double sum = 0;
        for (int k = 0; k < 320 * 180; k++)
            sum += abs(stage.picture->plane[0][k] - last[k]);
        worst = i && sum > worst ? sum : worst;
        memcpy(last, stage.picture->plane[0], 320 * 180);
    }
    assert_true(worst / (320 * 180) < 12);
    assert_memory_equal(stage.view.eye, to.eye, sizeof to.eye);
    cp_render_move_camera(&from, &to, 0.5f, &stage.view);
    float d = hypotf(stage.view.eye[0] - stage.view.target[0], stage.view.eye[2] - stage.view.target[2]);
    assert_true(d > 1.0f); /* round the presenter, not through */
    free(last);
    stage_close(&stage);
}

/* Where a place in the set is in the picture, 0..1 both ways. */
static void project(const struct cp_view *view, float aspect, const float at[3], float out[2])
{
    float f[3], length = 0, v[3];
    for (int k = 0; k < 3; k++) {
        f[k] = view->target[k] - view->eye[k];
        v[k] = at[k] - view->eye[k];
        length += f[k] * f[k];
    }
    for (int k = 0; k < 3; k++)
        f[k] /= sqrtf(length);
    float flat = hypotf(f[0], f[2]), right[3] = {-f[2] / flat, 0, f[0] / flat};
    float up[3] = {-right[2] * f[1], right[2] * f[0] - right[0] * f[2], right[0] * f[1]};
    float depth = v[0] * f[0] + v[1] * f[1] + v[2] * f[2], t = tanf(view->fov_y_rad / 2) * depth;
    out[0] = 0.5f + (v[0] * right[0] + v[2] * right[2]) / (2 * t * aspect);
    out[1] = 0.5f - (v[0] * up[0] + v[1] * up[1] + v[2] * up[2]) / (2 * t);
}

static void heads_stay_inside_every_shape_of_picture(void **state)
{
    static const int SIZE[][2] = {{1280, 720}, {1080, 1920}, {1080, 1080}};
    struct cp_model *model = scene_person(8);
    const struct cp_set *set = cp_render_find_set("");
    for (int s = 0; s < 3; s++)
        for (int i = 0; i < set->n_cameras; i++)
            for (int n = 1; n <= 2; n++) {
                struct cp_standing who[2] = {{model, n > 1 ? -0.32f : 0, 0}, {model, 0.32f, 0}};
                const char *camera = set->cameras[i].name;
                bool all = !strcmp(camera, "two") || !strcmp(camera, "wide");
                float aspect = (float)SIZE[s][0] / (float)SIZE[s][1];
                struct cp_view view;
                assert_true(cp_render_frame(set, camera, who, n, SIZE[s][0], SIZE[s][1], &view));
                for (int p = 0; p < (all ? n : 1); p++)
                    for (int corner = 0; corner < 4; corner++) {
                        float at[3] = {who[p].x_m + (corner & 1 ? 0.11f : -0.11f), corner & 2 ? 1.63f : 1.37f,
                                       0},
                              seen[2];
                        project(&view, aspect, at, seen);
                        assert_true(seen[0] > 0.02f && seen[0] < 0.98f && seen[1] > 0.02f && seen[1] < 0.98f);
                    }
            }
    cp_ref_drop(model);
}

struct seen { /* of the screen */
    int pixels, x0, x1, y0, y1;
};

/* What differs between two pictures, one with a white screen and one with a dark one. */
static struct seen find_screen(const struct cp_picture *white, const struct cp_picture *dark)
{
    struct seen seen = {0, white->width, 0, white->height, 0};
    for (int y = 0; y < white->height; y++)
        for (int x = 0; x < white->width; x++)
            if (scene_luma(white, x, y) - scene_luma(dark, x, y) > 60) {
                seen.pixels++;
                seen.x0 = x < seen.x0 ? x : seen.x0;
                seen.x1 = x > seen.x1 ? x : seen.x1;
                seen.y0 = y < seen.y0 ? y : seen.y0;
                seen.y1 = y > seen.y1 ? y : seen.y1;
            }
    return seen;
}

static struct cp_footage *even_footage(int luma)
{
    struct cp_pool *pool = cp_picture_pool_create(64, 36, 1);
    struct cp_picture *picture = cp_picture_get(pool, 64, 36);
    struct cp_buffer png = cp_buffer_make(1 << 20);
    struct cp_footage_spec spec = {.width = CP_SCREEN_WIDTH, .height = CP_SCREEN_HEIGHT};
    struct cp_footage *footage = NULL;
    memset(picture->plane[0], luma, 64 * 36);
    memset(picture->plane[1], 128, 64 * 36 / 4);
    memset(picture->plane[2], 128, 64 * 36 / 4);
    assert_int_equal(cp_picture_write_png(picture, &png, NULL), 0);
    assert_int_equal(cp_footage_open(png.data, png.length, &spec, &footage, NULL), 0);
    cp_buffer_free(&png);
    cp_ref_drop(picture);
    cp_pool_destroy(pool);
    return footage;
}

static void presenter_never_hides_the_screen(void **state)
{
    static const int SIZE[][2] = {{640, 360}, {360, 640}, {480, 480}};
    static const char *const CAMERA[] = {"wide", "medium", "left", "right"};
    struct cp_footage *white = even_footage(230), *dark = even_footage(20);
    for (int s = 0; s < 3; s++)
        for (int c = 0; c < 4; c++) {
            int width = SIZE[s][0], height = SIZE[s][1];
            struct stage stage = stage_open(scene_person(8), "auto", 1, "newsroom", width, height);
            struct cp_pool *pool = cp_picture_pool_create(width, height, 1);
            struct cp_picture *other = cp_picture_get(pool, width, height), *mine = stage.picture;
            assert_true(cp_render_frame_camera(cp_render_find_set("newsroom"), CAMERA[c], stage.model, width,
                                               height, &stage.view));
            stage.view.screen = white;
            stage_draw(&stage, NULL, 2);
            stage.view.screen = dark;
            stage.picture = other;
            stage_draw(&stage, NULL, 2);
            stage.picture = mine;
            struct seen seen = find_screen(mine, other);
            int box = (seen.x1 - seen.x0 + 1) * (seen.y1 - seen.y0 + 1);
            /* Big enough to be read, all of it in the picture, nothing in front of it but a little hair. */
            if (seen.pixels < width * height / 40 || seen.pixels < box * 8 / 10 || seen.x0 < 2 ||
                seen.x1 > width - 3 || seen.y0 < 2)
                fail_msg("%s in %d x %d: %d pixels of %d at %d..%d, %d..%d", CAMERA[c], width, height,
                         seen.pixels, box, seen.x0, seen.x1, seen.y0, seen.y1);
            cp_ref_drop(other);
            cp_pool_destroy(pool);
            stage_close(&stage);
        }
    cp_ref_drop(white);
    cp_ref_drop(dark);
}

static void a_resting_camera_shows_what_a_moving_one_did(void **state)
{
    /* A width of partial vectors and tiles. */
    struct stage stage = stage_open(scene_person(8), "auto", 1, "shop", 334, 190);
    struct cp_view there = stage.view;
    stage_draw(&stage, NULL, 4);
    uint64_t here = scene_hash(stage.picture);
    there.eye[0] += 0.2f;
    struct cp_view first = stage.view;
    stage.view = there;
    stage_draw(&stage, NULL, 1);
    uint64_t moving = scene_hash(stage.picture);
    assert_true(moving != here);
    stage_draw(&stage, NULL, 1);
    assert_true(scene_hash(stage.picture) == moving);
    stage_draw(&stage, NULL, 1);
    assert_true(scene_hash(stage.picture) == moving);
    stage.view = first;
    stage_draw(&stage, NULL, 1);
    assert_true(scene_hash(stage.picture) == here);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_colour_is_exact_everywhere),
        cmocka_unit_test(sets_look_different),
        cmocka_unit_test(light_moods_change_room_and_person),
        cmocka_unit_test(picture_covers_the_frame_without_borders),
        cmocka_unit_test(bad_footage_is_refused),
        cmocka_unit_test(screen_shows_what_it_is_given),
        cmocka_unit_test(a_screen_fades),
        cmocka_unit_test(a_moved_camera_never_jumps),
        cmocka_unit_test(presenter_never_hides_the_screen),
        cmocka_unit_test(a_resting_camera_shows_what_a_moving_one_did),
        cmocka_unit_test(heads_stay_inside_every_shape_of_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
