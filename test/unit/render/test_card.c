/* Cards over the picture and on a set's screen. */
#include "scene.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct cp_card_maker *maker;

static int open_maker(void **state)
{
    return cp_card_maker_create(&maker, NULL);
}

static int close_maker(void **state)
{
    cp_card_maker_destroy(maker);
    return 0;
}

/* A green PNG. */
static struct cp_buffer green_picture(void)
{
    struct cp_buffer png = cp_buffer_make(1 << 20);
    struct cp_pool *pool = cp_picture_pool_create(64, 48, 1);
    struct cp_picture *picture = cp_picture_get(pool, 64, 48);
    for (int p = 0; p < 3; p++)
        memset(picture->plane[p], p ? 60 : 150, (size_t)(p ? 32 * 24 : 64 * 48));
    assert_int_equal(cp_picture_write_png(picture, &png, NULL), 0);
    cp_ref_drop(picture);
    cp_pool_destroy(pool);
    return png;
}

static struct cp_card *make(const struct cp_card_spec *spec, const struct cp_buffer *png, int width,
                            int height)
{
    struct cp_card *card = NULL;
    assert_int_equal(
        cp_card_make(maker, spec, png ? png->data : NULL, png ? png->length : 0, width, height, &card, NULL),
        0);
    return card;
}

struct box {
    int left, top, right, bottom; /* -1 right: nothing differs */
};

static struct box difference(const struct cp_picture *a, const struct cp_picture *b)
{
    struct box box = {1 << 20, 1 << 20, -1, -1};
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++)
            if (scene_luma(a, x, y) != scene_luma(b, x, y)) {
                box.left = x < box.left ? x : box.left;
                box.top = y < box.top ? y : box.top;
                box.right = x > box.right ? x : box.right;
                box.bottom = y > box.bottom ? y : box.bottom;
            }
    return box;
}

/* What a card covers in a picture of this size. */
static struct box cover(const struct cp_card *card, int width, int height, float shown)
{
    struct stage bare = stage_open(scene_person(8), "auto", 1, "plain", width, height);
    struct stage with = stage_open(scene_person(8), "auto", 1, "plain", width, height);
    stage_draw(&bare, NULL, 1);
    with.view.card = card;
    with.view.card_shown = shown;
    stage_draw(&with, NULL, 1);
    struct box box = difference(bare.picture, with.picture);
    stage_close(&bare);
    stage_close(&with);
    return box;
}

static void a_text_stands_in_the_lower_third(void **state)
{
    const struct cp_card_spec spec = {.title = "Ava Lindqvist", .text = "Host"},
                              longer = {.title = "Dr. Ava Maria Lindqvist-Sommerfeld", .text = "Host"},
                              other = {.title = "Ava Lindqvist", .text = "Host", .side = CP_CARD_RIGHT};
    struct cp_card *card = make(&spec, NULL, 640, 360), *wide = make(&longer, NULL, 640, 360),
                   *right = make(&other, NULL, 640, 360);
    assert_int_equal(cover(card, 640, 360, 0).right, -1); /* hidden */
    struct box box = cover(card, 640, 360, 1);
    assert_in_range(box.left, 10, 60);
    assert_in_range(box.top, 240, 340);
    assert_in_range(box.right, 100, 320);
    assert_in_range(box.bottom, 300, 359);
    assert_true(cover(wide, 640, 360, 1).right > box.right);
    assert_in_range(cover(right, 640, 360, 1).left, 320, 560);
    assert_int_equal(cover(card, 320, 180, 1).right, -1); /* made for another size: not drawn */
    cp_ref_drop(card);
    cp_ref_drop(wide);
    cp_ref_drop(right);
}

/* The share of pixels in the box whose chroma is the green picture's. */
static float greens(const struct cp_picture *p, struct box box)
{
    int n = 0, green = 0;
    for (int y = box.top / 2; y < box.bottom / 2; y++)
        for (int x = box.left / 2; x < box.right / 2; x++, n++)
            green += p->plane[1][y * p->stride[1] + x] < 80 && p->plane[2][y * p->stride[2] + x] < 80;
    return n ? (float)green / (float)n : 0;
}

static void a_product_has_its_picture_in_every_format(void **state)
{
    static const struct {
        int width, height;
        struct box least; /* it covers at least this, for side right */
    } FORMAT[] = {
        {640, 360, {480, 80, 600, 280}}, {360, 640, {40, 480, 320, 560}}, {400, 400, {40, 300, 360, 370}}};
    struct cp_buffer png = green_picture();
    for (size_t i = 0; i < 3; i++)
        for (int side = CP_CARD_LEFT; side <= CP_CARD_RIGHT; side++) {
            int w = FORMAT[i].width, h = FORMAT[i].height;
            const struct cp_card_spec spec = {
                .title = "A mug", .text = "Of stoneware", .price = "12.50", .picture = "x", .side = side};
            struct cp_card *card = make(&spec, &png, w, h);
            struct stage with = stage_open(scene_person(8), "auto", 1, "plain", w, h);
            struct box box = cover(card, w, h, 1), least = FORMAT[i].least;
            if (side == CP_CARD_RIGHT) {
                assert_true(box.left <= least.left && box.top <= least.top);
                assert_true(box.right >= least.right && box.bottom >= least.bottom);
            }
            assert_true(box.left >= 0 && box.right < w && box.bottom < h);
            with.view.card = card;
            with.view.card_shown = 1;
            stage_draw(&with, NULL, 1);
            assert_true(greens(with.picture, box) > 0.12f);
            float focus[2];
            cp_card_focus(card, focus);
            assert_true(side == CP_CARD_LEFT ? focus[0] < (float)w / 2 : focus[0] > (float)w / 2);
            int px = (int)focus[0] / 2, py = (int)focus[1] / 2;
            assert_true(with.picture->plane[1][py * with.picture->stride[1] + px] < 80); /* green is there */
            stage_close(&with);
            cp_ref_drop(card);
        }
    cp_buffer_free(&png);
}

static void a_picture_that_cannot_be_read_is_left_out(void **state)
{
    struct cp_buffer png = green_picture();
    const struct cp_card_spec spec = {.title = "A mug", .price = "12.50", .picture = "x"};
    png.length /= 2;
    struct cp_card *card = make(&spec, &png, 640, 360);
    assert_true(cover(card, 640, 360, 1).right > 0);
    cp_ref_drop(card);
    cp_buffer_free(&png);
}

static void any_text_makes_a_card(void **state)
{
    static const char *const TEXT[] = {
        "\n\n\n\n",
        "\xff\xfe\x80 broken",
        "\xe4\xbd\xa0\xe5\xa5\xbd",
        "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
        "a\nb\nc\nd\ne",
        "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW"
        "W"
        "WWWWWWWWWW",
    };
    static const int SIZE[][2] = {{64, 64}, {640, 360}, {360, 640}, {1600, 64}};
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 2 * sizeof TEXT / sizeof TEXT[0]; k++) {
            struct cp_card_spec spec = {.on_screen = true};
            strcpy(spec.title, TEXT[k / 2]);
            strcpy(spec.text, TEXT[k / 2]);
            strncpy(spec.price, TEXT[k / 2], k % 2 ? 24 : 0);
            struct cp_card *card = make(&spec, NULL, SIZE[i][0], SIZE[i][1]);
            assert_non_null(cp_card_screen(card));
            for (float shown = 0; shown <= 1; shown += 0.25f)
                cover(card, SIZE[i][0], SIZE[i][1], shown);
            cp_ref_drop(card);
        }
}

static void a_card_shows_on_the_screen_of_a_set(void **state)
{
    struct cp_buffer png = green_picture();
    const struct cp_card_spec spec = {.title = "A mug", .picture = "x", .on_screen = true};
    struct cp_card *card = make(&spec, &png, 640, 360);
    struct stage bare = stage_open(scene_person(8), "auto", 1, "studio", 640, 360);
    struct stage with = stage_open(scene_person(8), "auto", 1, "studio", 640, 360);
    float middle[2];
    stage_draw(&bare, NULL, 1);
    with.view.screen = cp_card_screen(card);
    stage_draw(&with, NULL, 1);
    struct box box = difference(bare.picture, with.picture);
    assert_true(box.right > 320 && greens(with.picture, box) > 0.15f);
    assert_true(cp_render_screen_middle(with.render, middle));
    assert_true(middle[0] > (float)box.left && middle[0] < (float)box.right);
    assert_true(middle[1] > (float)box.top && middle[1] < (float)box.bottom);
    with.view.screen = NULL;
    stage_draw(&with, NULL, 1);
    stage_draw(&bare, NULL, 1); /* as many frames: shadows are drawn in every second one */
    assert_int_equal(difference(bare.picture, with.picture).right, -1); /* idle again */
    stage_close(&bare);
    stage_close(&with);
    cp_ref_drop(card);
    cp_buffer_free(&png);
}

static void a_point_is_where_its_pixel_is(void **state)
{
    const struct cp_view view = {.eye = {0.5f, 1.5f, 3}, .target = {0, 1.4f, 0}, .fov_y_rad = 0.4f};
    const float middle[2] = {320, 180}, right[2] = {600, 180}, top[2] = {320, 20};
    float at[3], beside[3], above[3];
    cp_render_point(&view, 640, 360, middle, 0, at);
    for (int k = 0; k < 3; k++)
        assert_true(fabsf(at[k] - view.target[k]) < 1e-3f);
    cp_render_point(&view, 640, 360, middle, 0.5f, at);
    assert_true(fabsf(hypotf(hypotf(at[0] - view.target[0], at[1] - view.target[1]), at[2]) - 0.5f) < 1e-3f);
    cp_render_point(&view, 640, 360, right, 0, beside);
    cp_render_point(&view, 640, 360, top, 0, above);
    assert_true(beside[0] > 0.3f && fabsf(beside[1] - 1.4f) < 0.01f);
    assert_true(above[1] > 1.8f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_stands_in_the_lower_third),
        cmocka_unit_test(a_product_has_its_picture_in_every_format),
        cmocka_unit_test(a_picture_that_cannot_be_read_is_left_out),
        cmocka_unit_test(any_text_makes_a_card),
        cmocka_unit_test(a_card_shows_on_the_screen_of_a_set),
        cmocka_unit_test(a_point_is_where_its_pixel_is),
    };
    return cmocka_run_group_tests(tests, open_maker, close_maker);
}
