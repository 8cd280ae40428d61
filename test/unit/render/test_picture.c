/* Time codes in pictures, PNG, sets and cameras. */
#include "scene.h"

#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static struct cp_picture *gray_picture(struct cp_pool **ret_pool, int width, int height)
{
    *ret_pool = cp_picture_pool_create(width, height, 1);
    struct cp_picture *picture = cp_picture_get(*ret_pool, width, height);
    for (int p = 0; p < 3; p++)
        memset(picture->plane[p], 120, (size_t)picture->stride[p] * (size_t)(height >> (p > 0)));
    return picture;
}

static void code_comes_back(void **state)
{
    struct cp_pool *pool;
    struct cp_picture *picture = gray_picture(&pool, 512, 64);
    static const uint64_t VALUE[] = {0, 1, 0x123456789abc, 0xffffffffffff, 0xaaaaaaaaaaaa};
    for (size_t i = 0; i < sizeof VALUE / sizeof VALUE[0]; i++) {
        uint64_t got = 77;
        cp_picture_stamp_code(picture, VALUE[i]);
        assert_true(cp_picture_read_code(picture, &got));
        assert_true(got == VALUE[i]);
    }
    cp_ref_drop(picture);
    cp_pool_destroy(pool);
}

static void code_survives_coding_noise(void **state)
{
    /* What a lossy codec does at low rates: block means kept roughly, contrast squeezed, ringing, coarse
     * steps. */
    struct cp_pool *pool;
    struct cp_picture *picture = gray_picture(&pool, 640, 64);
    uint32_t random = 5;
    for (int i = 0; i < 200; i++) {
        uint64_t value = ((uint64_t)next_random(&random) << 24 | next_random(&random)) & 0xffffffffffff,
                 got = 0;
        cp_picture_stamp_code(picture, value);
        for (int y = 0; y < 32; y++)
            for (int x = 0; x < 512; x++) {
                uint8_t *p = picture->plane[0] + y * picture->stride[0] + x;
                int v = 40 + (*p - 16) * 3 / 4 + (int)(next_random(&random) % 81) - 40;
                v = v / 24 * 24;
                *p = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
            }
        assert_true(cp_picture_read_code(picture, &got));
        assert_true(got == value);
    }
    cp_ref_drop(picture);
    cp_pool_destroy(pool);
}

static void damaged_code_is_not_believed(void **state)
{
    struct cp_pool *pool;
    struct cp_picture *picture = gray_picture(&pool, 512, 64);
    uint64_t got = 77;
    assert_false(cp_picture_read_code(picture, &got)); /* none there */
    cp_picture_stamp_code(picture, 0x123456789abc);
    for (int y = 0; y < 16; y++) /* one bit turned */
        for (int x = 0; x < 16; x++)
            picture->plane[0][y * picture->stride[0] + 5 * 16 + x] ^= 0xff;
    assert_false(cp_picture_read_code(picture, &got));
    assert_int_equal(got, 77);
    cp_ref_drop(picture);
    cp_pool_destroy(pool);
}

struct reader {
    const uint8_t *at;
};

static void read_bytes(png_structp png, png_bytep out, png_size_t length)
{
    struct reader *reader = png_get_io_ptr(png);
    memcpy(out, reader->at, length);
    reader->at += length;
}

static void png_decodes_to_the_picture(void **state)
{
    struct cp_pool *pool;
    struct cp_picture *picture = gray_picture(&pool, 130, 70);
    /* BT.709 limited: Y 63, Cb 102, Cr 240 is pure red. */
    memset(picture->plane[0], 63, 130 * 70);
    memset(picture->plane[1], 102, 65 * 35);
    memset(picture->plane[2], 240, 65 * 35);
    struct cp_buffer buffer = cp_buffer_make(1 << 20);
    assert_int_equal(cp_picture_write_png(picture, &buffer, NULL), 0);
    assert_memory_equal(buffer.data, "\x89PNG\r\n\x1a\n", 8);

    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    struct reader reader = {buffer.data};
    png_set_read_fn(png, &reader, read_bytes);
    png_read_info(png, info);
    assert_int_equal(png_get_image_width(png, info), 130);
    assert_int_equal(png_get_image_height(png, info), 70);
    uint8_t row[130 * 3];
    for (int y = 0; y < 70; y++) {
        png_read_row(png, row, NULL);
        for (int x = 0; x < 130; x++) {
            assert_in_range(row[3 * x], 250, 255);
            assert_in_range(row[3 * x + 1], 0, 4);
            assert_in_range(row[3 * x + 2], 0, 4);
        }
    }
    png_destroy_read_struct(&png, &info, NULL);
    assert_int_equal((size_t)(reader.at - buffer.data) <= buffer.length, 1);
    cp_buffer_free(&buffer);
    cp_ref_drop(picture);
    cp_pool_destroy(pool);
}

static void png_over_its_maximum_fails(void **state)
{
    struct cp_pool *pool;
    struct cp_picture *picture = gray_picture(&pool, 512, 512);
    struct cp_buffer buffer = cp_buffer_make(100);
    struct cp_error error = {0};
    assert_int_equal(cp_picture_write_png(picture, &buffer, &error), CP_ERR_LIMIT);
    assert_true(error.text[0]);
    cp_buffer_free(&buffer);
    cp_ref_drop(picture);
    cp_pool_destroy(pool);
}

static void sets_have_names_and_cameras(void **state)
{
    int n;
    const struct cp_set *sets = cp_render_sets(&n);
    assert_true(n >= 3);
    assert_ptr_equal(cp_render_find_set(""), &sets[0]);
    assert_string_equal(sets[0].name, "studio");
    assert_null(cp_render_find_set("attic"));
    for (int i = 0; i < n; i++) {
        assert_ptr_equal(cp_render_find_set(sets[i].name), &sets[i]);
        assert_true(sets[i].n_cameras >= 3);
    }
}

static void camera_frames_the_eyes(void **state)
{
    struct cp_model *model = scene_person(8);
    const struct cp_set *set = cp_render_find_set("");
    for (int i = 0; i < set->n_cameras; i++) {
        const struct cp_camera *camera = &set->cameras[i];
        struct cp_view view;
        assert_true(cp_render_frame_camera(set, camera->name, model, 1280, 720, &view));
        float d = hypotf(view.eye[0] - view.target[0], view.eye[2] - view.target[2]);
        float visible = 2 * d * tanf(view.fov_y_rad / 2);
        assert_true(fabsf(visible - camera->heads_visible * model->head_height_m) < 0.01f);
        float eye_line = 0.5f - (model->eye_height_m - view.target[1]) / visible;
        assert_true(fabsf(eye_line - camera->eye_line) < 0.01f);
    }
    struct cp_view view;
    assert_false(cp_render_frame_camera(set, "ceiling", model, 1280, 720, &view));
    cp_ref_drop(model);
}

static void background_follows_the_view_smoothly(void **state)
{
    /* A slow move between cameras changes the picture a little every frame: nothing jumps. */
    struct stage stage = stage_open(scene_person(8), "auto", 1, "plain", 320, 180), last;
    struct cp_view from, to;
    last = stage_open(scene_person(8), "auto", 1, "plain", 320, 180);
    assert_true(cp_render_frame_camera(cp_render_find_set(""), "wide", stage.model, 320, 180, &from));
    assert_true(cp_render_frame_camera(cp_render_find_set(""), "close", stage.model, 320, 180, &to));
    for (int i = 0; i <= 60; i++) {
        float t = (float)i / 60;
        for (int k = 0; k < 3; k++) {
            stage.view.eye[k] = from.eye[k] + (to.eye[k] - from.eye[k]) * t;
            stage.view.target[k] = from.target[k] + (to.target[k] - from.target[k]) * t;
        }
        stage.view.fov_y_rad = from.fov_y_rad + (to.fov_y_rad - from.fov_y_rad) * t;
        stage_draw(&stage, NULL, 1);
        double sum = 0;
        for (int y = 0; y < 180; y++)
            for (int x = 0; x < 60; x++)
                sum += abs(scene_luma(stage.picture, x, y) - scene_luma(last.picture, x, y));
        if (i)
            assert_true(sum / (60 * 180) < 4);
        memcpy(last.picture->plane[0], stage.picture->plane[0], 320 * 180);
    }
    stage_close(&stage);
    stage_close(&last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_comes_back),
        cmocka_unit_test(code_survives_coding_noise),
        cmocka_unit_test(damaged_code_is_not_believed),
        cmocka_unit_test(png_decodes_to_the_picture),
        cmocka_unit_test(png_over_its_maximum_fails),
        cmocka_unit_test(sets_have_names_and_cameras),
        cmocka_unit_test(camera_frames_the_eyes),
        cmocka_unit_test(background_follows_the_view_smoothly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
