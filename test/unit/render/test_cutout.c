/* Frames with alpha: coverage is real, and no colour of the background is left at the edges. */
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t *pixel(const struct cp_cutout *c, int x, int y)
{
    return c->rgba + 4 * (y * c->width + x);
}

static int alpha_counts(const struct cp_cutout *c, int counts[3])
{
    memset(counts, 0, 3 * sizeof *counts);
    for (int i = 0; i < c->width * c->height; i++)
        counts[c->rgba[4 * i + 3] == 0 ? 0 : c->rgba[4 * i + 3] == 255 ? 2 : 1]++;
    return counts[1];
}

static void cut(struct stage *stage, struct cp_cutout *cutout)
{
    cp_render_cut_out(stage->render, cutout);
    stage_draw(stage, NULL, 1);
    cp_render_cut_out(stage->render, NULL);
}

/* The same character before green and in a room: with alpha they are the same. */
static void the_background_leaves_no_trace(void **state)
{
    for (int samples = 1; samples <= 4; samples += 3)
        for (int level = CP_SIMD_PORTABLE; level <= (int)cp_simd_best(); level++) {
            struct stage key = stage_open(scene_person(16), cp_simd_name(level), samples, "key", 318, 182);
            struct stage plain = stage_open(scene_person(16), cp_simd_name(level), samples, "key", 318, 182);
            struct cp_cutout *a = cp_cutout_create(318, 182), *b = cp_cutout_create(318, 182);
            const struct cp_scenery red = {.set = cp_render_find_set("key"), .color = "#ff0000"};
            assert_int_equal(cp_render_dress(plain.render, &red, NULL), 0);
            int counts[3], worst = 0;
            cut(&key, a);
            cut(&plain, b);
            assert_true(scene_psnr(key.picture, plain.picture) < 30); /* they were not before the same */
            assert_true(alpha_counts(a, counts) > 0 || samples == 1);
            assert_true(counts[0] > 5000 && counts[2] > 5000);
            for (int i = 0; i < 318 * 182; i++) {
                assert_int_equal(a->rgba[4 * i + 3], b->rgba[4 * i + 3]);
                for (int k = 0; k < 3 && a->rgba[4 * i + 3]; k++) {
                    int off = abs(a->rgba[4 * i + k] - b->rgba[4 * i + k]);
                    worst = off > worst ? off : worst;
                }
            }
            assert_true(worst <= 2);
            stage_close(&key);
            stage_close(&plain);
            cp_cutout_destroy(a);
            cp_cutout_destroy(b);
        }
}

static void what_is_left_laid_on_its_background_is_the_picture(void **state)
{
    struct stage stage = stage_open(scene_person(16), "auto", 4, "key", 320, 180);
    struct cp_cutout *c = cp_cutout_create(320, 180);
    cut(&stage, c);
    int x = 4, y = 4, green = scene_luma(stage.picture, x, y); /* a corner shows the key colour alone */
    double worst = 0;
    for (y = 0; y < 180; y++)
        for (x = 0; x < 320; x++) {
            const uint8_t *p = pixel(c, x, y);
            double own = 16 + 219 * (0.2126 * p[0] + 0.7152 * p[1] + 0.0722 * p[2]) / 255;
            double mixed = green + (own - green) * p[3] / 255, off = mixed - scene_luma(stage.picture, x, y);
            worst = off > worst ? off : -off > worst ? -off : worst;
        }
    assert_true(worst < 2);
    cp_cutout_destroy(c);
    stage_close(&stage);
}

static void a_card_stands_in_it_and_png_keeps_its_alpha(void **state)
{
    struct stage stage = stage_open(scene_person(16), "auto", 4, "key", 320, 180);
    struct cp_cutout *c = cp_cutout_create(320, 180);
    const struct cp_card_spec spec = {.title = "A mug", .price = "12.50"};
    struct cp_card_maker *maker;
    struct cp_card *card;
    int before[3], after[3];
    cut(&stage, c);
    alpha_counts(c, before);
    assert_int_equal(cp_card_maker_create(&maker, NULL), 0);
    assert_int_equal(cp_card_make(maker, &spec, NULL, 0, 320, 180, &card, NULL), 0);
    stage.view.card = card;
    stage.view.card_shown = 1;
    cut(&stage, c);
    alpha_counts(c, after);
    assert_true(after[2] > before[2] + 1000);
    float focus[2];
    cp_card_focus(card, focus);
    assert_int_equal(pixel(c, (int)focus[0], (int)focus[1])[3], 255);
    struct cp_buffer png = cp_buffer_make(1 << 20);
    assert_int_equal(cp_cutout_write_png(c, &png, NULL), 0);
    assert_int_equal(png.data[25], 6); /* colour type: RGB with alpha */
    cp_buffer_free(&png);
    cp_cutout_destroy(c);
    stage_close(&stage);
    cp_ref_drop(card);
    cp_card_maker_destroy(maker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_background_leaves_no_trace),
        cmocka_unit_test(what_is_left_laid_on_its_background_is_the_picture),
        cmocka_unit_test(a_card_stands_in_it_and_png_keeps_its_alpha),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
