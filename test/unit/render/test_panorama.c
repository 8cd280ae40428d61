/* How a set is painted: rays, the lens, and panoramas that stages share. */
#include "render/room.h"
#include "render/scenery.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WIDTH = 64, HEIGHT = 32 };
static const float EYE[3] = {0, 1, 0};
static float light[WIDTH * HEIGHT * 4];

/* A hall 4 m to each side with a white back wall at z = -4, and as much light from everywhere as a test
 * likes. */
static void build_hall(struct room *room, float ambient)
{
    memset(room, 0, sizeof *room);
    room->ambient = (struct rgb){ambient, ambient, ambient};
    room->exposure = 1;
    int white = cp_room_material(room, (struct material){.albedo = {1, 1, 1}});
    cp_room_box(room, white, -4, 4, 0, 3, -4, 4);
}

static float painted(const struct room *room, int x, int y)
{
    cp_room_paint(room, EYE, 1.2f, 0.4f, WIDTH, HEIGHT, light);
    return light[4 * (y * WIDTH + x)];
}

static void wall_shows_its_light(void **state)
{
    static struct room room;
    build_hall(&room, 0.5f);
    assert_float_equal(painted(&room, WIDTH / 2, HEIGHT / 2), 0.5 * 0.8, 1e-4); /* upright: 0.8 of ambient */
    /* A lamp 1 m in front of the wall's middle: facing (1 + 0.15) / 1.15, fall 1 / (d2 + 0.02). */
    build_hall(&room, 0);
    cp_room_lamp(&room, (struct rgb){1, 1, 1}, false, 0, 1, -3);
    assert_float_equal(painted(&room, WIDTH / 2, HEIGHT / 2), 1 / 1.02, 0.01);
}

static void nearest_thing_hides_the_others(void **state)
{
    static struct room room;
    build_hall(&room, 1);
    /* More boxes than fit in one four, the nearer the darker, in any order. */
    for (int n = 0; n < 7; n++) {
        int i = (3 * n + 6) % 7; /* the nearest comes first */
        float shade = 0.7f - 0.1f * (float)i, z = -3.5f + 0.3f * (float)i;
        int material = cp_room_material(&room, (struct material){.albedo = {shade, shade, shade}});
        cp_room_box(&room, material, -0.5f, 0.5f, 0.5f, 1.5f, z - 0.1f, z);
    }
    assert_float_equal(painted(&room, WIDTH / 2, HEIGHT / 2), 0.8 * 0.1, 1e-4);
    assert_float_equal(painted(&room, 1, HEIGHT / 2), 0.8, 1e-4); /* beside them: the wall */
    int bright = cp_room_material(&room, (struct material){.glow = {3, 3, 3}});
    cp_room_ball(&room, bright, 0, 1, -2.05f, 0.1f); /* between the first two: unseen */
    assert_float_equal(painted(&room, WIDTH / 2, HEIGHT / 2), 0.8 * 0.1, 1e-4);
    cp_room_ball(&room, bright, 0, 1, -1.2f, 0.2f);
    assert_float_equal(painted(&room, WIDTH / 2, HEIGHT / 2), 3, 1e-4);
}

static void a_thing_between_lamp_and_wall_casts_a_shadow(void **state)
{
    static struct room room;
    build_hall(&room, 0);
    cp_room_lamp(&room, (struct rgb){1, 1, 1}, true, 0, 2.6f, -2);
    float lit = painted(&room, WIDTH / 2, HEIGHT / 2);
    int dark = cp_room_material(&room, (struct material){.albedo = {0}});
    cp_room_box(&room, dark, -1, 1, 1.9f, 2, -3.5f, -2.5f); /* above the line of sight */
    assert_float_equal(painted(&room, WIDTH / 2, HEIGHT / 2), lit * 0.25f, lit * 0.02f);
    room.lamp[0].shadow = false;
    assert_float_equal(painted(&room, WIDTH / 2, HEIGHT / 2), lit, lit * 0.02f);
}

static void a_polished_floor_mirrors_what_stands_on_it(void **state)
{
    static struct room room;
    build_hall(&room, 0);
    int floor = cp_room_material(&room, (struct material){.gloss = 1});
    int glow = cp_room_material(&room, (struct material){.glow = {2, 2, 2}});
    cp_room_box(&room, floor, -4, 4, -0.1f, 0.6f, -4, 4);
    cp_room_box(&room, glow, -1, 1, 0.6f, 2, -3.9f, -3.8f);
    assert_true(painted(&room, WIDTH / 2, HEIGHT - 1) > 0.5f);
    assert_true(painted(&room, 1, HEIGHT - 1) < 0.01f); /* nothing glows there */
}

/* 18 % grey: 0.18 (1 + 0.02) / 1.18 = 0.1556, as sRGB 0.4325 of 1023. */
static void lens_leaves_an_even_picture_even(void **state)
{
    static uint32_t twice[4 * WIDTH * HEIGHT], same[WIDTH * HEIGHT];
    for (int i = 0; i < WIDTH * HEIGHT * 4; i++)
        light[i] = 0.09f;
    const float gain[3] = {2, 2, 1};
    const struct exposure exposures[] = {{3.2f, 2, twice}, {3.2f, 1, same}};
    assert_true(cp_lens_expose(light, WIDTH, HEIGHT, gain, exposures, 2));
    for (int i = 0; i < 4 * WIDTH * HEIGHT; i++) {
        assert_in_range(twice[i] & 1023, 440, 445);
        assert_int_equal(twice[i], same[i / 4]);
    }
    assert_true((same[0] >> 20) < (same[0] & 1023)); /* the third colour got half the light */
}

static void lens_makes_a_disc_of_a_point(void **state)
{
    static uint32_t out[WIDTH * HEIGHT];
    memset(light, 0, sizeof light);
    light[4 * (16 * WIDTH + 32)] = 30;
    const float gain[3] = {1, 1, 1};
    assert_true(cp_lens_expose(light, WIDTH, HEIGHT, gain, &(struct exposure){3, 1, out}, 1));
#define AT(x, y) ((int)(out[(16 + (y)) * WIDTH + 32 + (x)] & 1023))
    for (int d = 1; d < 6; d++) {
        /* Alike to all sides, but for the glow, which is coarse. */
        assert_true(abs(AT(d, 0) - AT(-d, 0)) <= 4);
        assert_true(abs(AT(0, d) - AT(d, 0)) <= 4);
    }
    assert_true(AT(2, 0) > AT(0, 0) - 20); /* flat inside */
    assert_true(AT(5, 0) < AT(2, 0) / 3);  /* and dark outside, but for the glow */
    assert_true(AT(5, 0) > 0);
#undef AT
}

static void stages_in_the_same_set_and_light_share(void **state)
{
    const struct cp_set *shop = cp_render_find_set("shop"), *plain = cp_render_find_set("plain");
    const struct mood *own = cp_mood_find(""), *evening = cp_mood_find("evening");
    struct panorama *a = cp_panorama_share(shop, own, 0), *b = cp_panorama_share(shop, own, 0);
    assert_ptr_equal(a, b);
    struct panorama *c = cp_panorama_share(shop, evening, 0);
    assert_ptr_not_equal(a, c);
    assert_memory_not_equal(a->owned[0], c->owned[0], 4096);
    struct panorama *red = cp_panorama_share(plain, own, 0xff0000),
                    *blue = cp_panorama_share(plain, own, 0xff);
    assert_ptr_not_equal(red, blue);
    cp_panorama_leave(a);
    assert_int_equal(b->users, 1); /* still there for the other */
    assert_ptr_equal(cp_panorama_share(shop, own, 0), b);
    struct panorama *const all[] = {b, b, c, red, blue, NULL};
    for (int i = 0; i < 6; i++)
        cp_panorama_leave(all[i]);
    /* Nobody uses one now: the next is painted anew, and alike. */
    a = cp_panorama_share(plain, own, 0x123456);
    assert_int_equal(a->users, 1);
    assert_null(a->next); /* the list holds no other */
    cp_panorama_leave(a);
}

static void lights_come_from_where_they_should(void **state)
{
    const struct cp_light_mood *const *moods;
    int n_sets, n_moods = cp_render_lights(&moods);
    const struct cp_set *sets = cp_render_sets(&n_sets);
    for (int i = 0; i < n_sets * n_moods; i++) {
        struct lights lights = *cp_set_lights(&sets[i / n_moods]);
        cp_mood_apply(cp_mood_find(moods[i % n_moods]->name), &lights);
        const struct light *const all[] = {&lights.key, &lights.fill, &lights.rim_left, &lights.rim_right};
        for (int k = 0; k < 4; k++) {
            const float *d = all[k]->direction;
            assert_float_equal(d[0] * d[0] + d[1] * d[1] + d[2] * d[2], 1, 2e-3);
        }
        assert_true(lights.key.direction[0] < 0 &&
                    lights.key.direction[2] > 0); /* all rooms are lit from there */
        assert_true(lights.rim_left.direction[2] < 0 && lights.rim_right.direction[2] < 0);
    }
    struct lights lights = *cp_set_lights(cp_render_find_set("studio")), evening = lights, dramatic = lights;
    cp_mood_apply(cp_mood_find("evening"), &evening);
    cp_mood_apply(cp_mood_find("dramatic"), &dramatic);
    assert_true(evening.key.direction[1] < 0.7f * lights.key.direction[1]);  /* lower */
    assert_true(dramatic.key.direction[0] < 1.4f * lights.key.direction[0]); /* more from the side */
    assert_true(evening.key.color[0] / evening.key.color[2] >
                1.3f * lights.key.color[0] / lights.key.color[2]);
    assert_true(dramatic.fill.color[1] < 0.3f * lights.fill.color[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wall_shows_its_light),
        cmocka_unit_test(nearest_thing_hides_the_others),
        cmocka_unit_test(a_thing_between_lamp_and_wall_casts_a_shadow),
        cmocka_unit_test(a_polished_floor_mirrors_what_stands_on_it),
        cmocka_unit_test(lens_leaves_an_even_picture_even),
        cmocka_unit_test(lens_makes_a_disc_of_a_point),
        cmocka_unit_test(stages_in_the_same_set_and_light_share),
        cmocka_unit_test(lights_come_from_where_they_should),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
