#include "sculpt/bake.h"
#include "sculpt/character.h"
#include "sculpt/clothes.h"
#include "sculpt/head.h"
#include "sculpt/loft.h"
#include "sculpt/shapes.h"
#include "sculpt/skin.h"
#include "sculpt/weave.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static float ball(const struct character *c, vec3 p)
{
    (void)c;
    return sd_sphere(p, v3(1, 2, 3), 4);
}

static struct part ball_part(float zone_step)
{
    struct axis axes[3];
    for (int k = 0; k < 3; k++)
        axes[k] = (struct axis){-6, 8, 0.7f, {{3.5f, 6, zone_step}}, zone_step > 0};
    struct part part = {.surface = CP_SURFACE_PLAIN};
    part_add_surface(&part, ball, NULL, axes);
    return part;
}

static void part_free(struct part *part)
{
    free(part->vertices);
    free(part->indices);
}

static void net_puts_vertices_on_the_surface(void **state)
{
    (void)state;
    struct part part = ball_part(0);
    assert_true(part.n_vertices > 300);
    for (int i = 0; i < part.n_vertices; i++) {
        const struct vertex *v = &part.vertices[i];
        assert_float_equal(ball(NULL, v->position), 0, 2e-3);
        vec3 out = unit(sub(v->position, v3(1, 2, 3)));
        assert_true(dot(out, v->normal) > 0.999f);
    }
    part_free(&part);
}

static void net_closes_the_surface_outside_out(void **state)
{
    (void)state;
    struct part part = ball_part(0);
    /* Euler: a closed surface of genus 0 */
    assert_int_equal(part.n_vertices - part.n_indices / 6, 2);
    float volume = 0;
    for (int i = 0; i < part.n_indices; i += 3) {
        vec3 p[3];
        for (int k = 0; k < 3; k++)
            p[k] = sub(part.vertices[part.indices[i + k]].position, v3(1, 2, 3));
        volume += dot(p[0], cross(p[1], p[2])) / 6;
    }
    assert_float_equal(volume, 4.0f / 3 * 3.14159265f * 64, 8); /* positive: corners run counter-clockwise */
    part_free(&part);
}

static void net_is_finer_in_a_zone(void **state)
{
    (void)state;
    struct part coarse = ball_part(0), fine = ball_part(0.15f);
    assert_true(fine.n_vertices > 2 * coarse.n_vertices);
    part_free(&coarse);
    part_free(&fine);
}

static void mirror_turns_triangles_round(void **state)
{
    (void)state;
    struct part part = {.surface = CP_SURFACE_PLAIN};
    part_add_ball(&part, v3(5, 0, 0), v3(0, 1, 0), 1, 1, 6, 8);
    int n = part.n_indices;
    part_mirror(&part);
    assert_int_equal(part.n_indices, 2 * n);
    part_compute_normals(&part);
    for (int i = 0; i < part.n_vertices; i++) {
        vec3 p = part.vertices[i].position, center = v3(p.x > 0 ? 5 : -5, 0, 0);
        assert_true(dot(part.vertices[i].normal, sub(p, center)) > 0);
    }
    part_free(&part);
}

static void drop_keeps_what_an_unmarked_corner_holds(void **state)
{
    (void)state;
    struct part part = {.surface = CP_SURFACE_PLAIN};
    for (int i = 0; i < 5; i++)
        part_add_vertex(&part, &(struct vertex){.position = {(float)i, 0, 0}});
    part_add_triangle(&part, 0, 1, 2);
    part_add_triangle(&part, 2, 3, 4);
    const bool marked[] = {true, true, true, false, true};
    part_drop_marked(&part, marked);
    assert_int_equal(part.n_indices, 3);
    assert_int_equal(part.n_vertices, 3);
    assert_float_equal(part.vertices[part.indices[1]].position.x, 3, 0);
    part_free(&part);
}

static void sheet_lies_on_the_field_at_its_lift(void **state)
{
    (void)state;
    const struct sheet sheet = {
        .rows = {{{{-2, 3, 7}, {1, 3, 7}, {3, 3, 7}}, 0.2f}, {{{-2, 1, 7}, {1, 1, 7}, {3, 1, 7}}, 0.2f}},
        .n_rows = 2,
        .n_points = 3,
        .steps_along = 6,
        .steps_across = 1,
        .from_front = true,
    };
    struct part part = {.surface = CP_SURFACE_CLOTH};
    part_add_sheet(&part, ball, NULL, &sheet);
    part_compute_normals(&part);
    for (int i = 0; i < part.n_vertices; i++) {
        assert_float_equal(ball(NULL, part.vertices[i].position), 0.2f, 0.01);
        assert_true(part.vertices[i].normal.z > 0); /* faces out */
    }
    part_free(&part);
}

static void sheet_that_misses_from_the_front_still_lands(void **state)
{
    (void)state;
    const struct sheet sheet = {
        .rows = {{{{1, 8, 0}, {9, 8, 0}}, 0.1f}, {{{1, 3, 0}, {9, 3, 0}}, 0.1f}},
        .n_rows = 2,
        .n_points = 2,
        .steps_along = 4,
        .steps_across = 1,
        .from_front = true,
    };
    struct part part = {.surface = CP_SURFACE_CLOTH};
    part_add_sheet(&part, ball, NULL, &sheet);
    for (int i = 0; i < part.n_vertices; i++)
        assert_float_equal(ball(NULL, part.vertices[i].position), 0.1f, 0.05);
    part_free(&part);
}

static void character_reads_numbers_and_colours(void **state)
{
    (void)state;
    struct character c;
    char wrong[100];
    character_defaults(&c);
    assert_int_equal(character_parse(&c, "// somebody\nname = Bo\neye_apart=3.1 // cm\n\nhair = #ffffff\n",
                                     wrong, sizeof wrong),
                     0);
    assert_string_equal(c.name, "Bo");
    assert_float_equal(c.eye_apart, 3.1, 1e-6);
    assert_float_equal(c.color.hair.x, 1, 1e-6);
}

static void character_names_the_wrong_line(void **state)
{
    (void)state;
    struct character c;
    char wrong[100];
    character_defaults(&c);
    assert_int_equal(character_parse(&c, "name = Bo\neye_apart = wide\n", wrong, sizeof wrong), 2);
    assert_string_equal(wrong, "eye_apart needs a number");
    assert_int_equal(character_parse(&c, "nose = 1\n", wrong, sizeof wrong), 1);
    assert_string_equal(wrong, "nose is not a parameter");
    assert_int_equal(character_parse(&c, "hair = brown\n", wrong, sizeof wrong), 1);
    assert_int_equal(character_parse(&c, "hair\n", wrong, sizeof wrong), 1);
    assert_int_equal(character_parse(&c, "eye_apart = nan\n", wrong, sizeof wrong), 1);
}

static void variants_change_what_they_name_and_no_more(void **state)
{
    (void)state;
    static const char text[] = "variant evening: liner = 2, lip = #ffffff\nliner = 1.5\nfolds = 0.5\n"
                               "variant bun: hair_style = 2 // up\n";
    struct character c;
    char wrong[100], names[4][CHARACTER_VARIANT_BYTES];
    assert_int_equal(character_variants(text, names, 4), 2);
    assert_string_equal(names[0], "evening");
    assert_string_equal(names[1], "bun");
    assert_int_equal(character_variants(text, names, 1), 1);
    character_defaults(&c);
    assert_int_equal(character_parse(&c, text, wrong, sizeof wrong), 0);
    assert_float_equal(c.liner, 1.5, 0);
    assert_float_equal(c.hair_style, 0, 0);
    character_defaults(&c);
    assert_int_equal(character_parse_variant(&c, text, "evening", wrong, sizeof wrong), 0);
    assert_float_equal(c.liner, 2, 0); /* though the plain line comes later */
    assert_float_equal(c.folds, 0.5, 0);
    assert_float_equal(c.color.lip.x, 1, 1e-6);
    assert_float_equal(c.hair_style, 0, 0);
}

static void variants_that_are_wrong_are_named(void **state)
{
    (void)state;
    struct character c;
    char wrong[100];
    character_defaults(&c);
    assert_int_equal(character_parse_variant(&c, "liner = 1\n", "bun", wrong, sizeof wrong), 1);
    assert_string_equal(wrong, "there is no variant \"bun\"");
    /* checked though nobody asks for it */
    assert_int_equal(character_parse(&c, "liner = 1\nvariant a: liner = 1, nose = 2\n", wrong, sizeof wrong),
                     2);
    assert_string_equal(wrong, "nose is not a parameter");
    assert_int_equal(character_parse(&c, "variant ../a: liner = 1\n", wrong, sizeof wrong), 1);
    assert_int_equal(character_parse(&c, "variant a\n", wrong, sizeof wrong), 1);
}

/* The least of a garment's field on the level ray from `from` outwards, where it is outside of the body. */
static float least_outside(sdf_field *garment, const struct character *c, vec3 from, vec3 way)
{
    float least = 1e9f;
    for (float r = 3; r < 12; r += 0.1f) {
        vec3 p = along(from, way, r);
        if (sd_body(c, p) > 0)
            least = minf(least, garment(c, p));
    }
    return least;
}

/* Each kind of top leaves the neck bare above its edge and covers the chest below it. */
static void tops_end_at_their_neckline(void **state)
{
    (void)state;
    struct character c;
    character_defaults(&c);
    for (int jacket = 0; jacket <= 1; jacket++)
        for (int top = TOP_BLOUSE; top <= TOP_ROLL_NECK; top++) {
            c.top = (float)top;
            c.jacket = (float)jacket;
            struct neck_edge edge = neck_edge(&c);
            assert_true(edge.side_y > -16 && edge.side_y < -11);
            assert_float_equal(neck_edge_y(&edge, 0), edge.back_y, 1e-5);
            assert_float_equal(neck_edge_y(&edge, 3.14159265f), edge.front_y, 1e-4);
            for (float angle = -0.5f; angle <= 0.5f; angle += 0.25f) {
                vec3 way = v3(sinf(angle), 0, cosf(angle));
                float y = neck_edge_y(&edge, 3.14159265f - fabsf(angle));
                assert_true(least_outside(sd_top, &c, v3(0, y + 0.8f, NECK_AXIS_Z), way) > -0.05f);
                assert_true(least_outside(sd_top, &c, v3(0, y - 1.2f, NECK_AXIS_Z), way) < -0.2f);
            }
        }
}

static void jacket_opens_down_to_its_button(void **state)
{
    (void)state;
    struct character c;
    character_defaults(&c);
    for (c.jacket_button = -46; c.jacket_button <= -38; c.jacket_button += 4) {
        const vec3 ahead = v3(0, 0, 1), above = v3(0, c.jacket_button + 3, -2),
                   below = v3(0, c.jacket_button - 3, -2);
        assert_true(least_outside(sd_jacket, &c, above, ahead) > -0.1f);
        assert_true(least_outside(sd_jacket, &c, below, ahead) < -0.2f);
    }
}

/* What repeats must have no edge: the last column goes on in the first. */
static void weaves_are_pictures_that_repeat(void **state)
{
    (void)state;
    for (int weave = WEAVE_TWILL; weave < WEAVE_SKIN; weave++) {
        struct bytes png = {0};
        weave_png((enum weave)weave, &png);
        assert_true(png.length > 60 && memcmp(png.data, "\x89PNG", 4) == 0);
        free(png.data);
        assert_true(weave_mean((enum weave)weave) > 0.3f && weave_mean((enum weave)weave) < 1);
        assert_true(weave_tile_cm((enum weave)weave) > 0.3f);
    }
    assert_float_equal(weave_mean(WEAVE_NONE), 1, 0);
    assert_float_equal(weave_tile_cm(WEAVE_NONE), 1, 0);
}

/* Cloth at the armhole has doubles, and no triangle mixes the weave of the sleeve with the trunk's. */
static void weave_has_no_smear_at_the_armhole(void **state)
{
    (void)state;
    struct character c;
    struct part part = {.surface = CP_SURFACE_CLOTH};
    character_defaults(&c);
    for (int i = 0; i < 40; i++) /* a strip over the shoulder, from the neck to the elbow */
        for (int k = 0; k < 2; k++) {
            vec3 p = v3(6 + (float)i * 0.6f, -17 - (float)i * 0.35f, (float)k * 0.6f);
            part_add_vertex(&part, &(struct vertex){.position = sd_project(sd_body, &c, p, 1)});
        }
    for (int i = 0; i < 39; i++)
        part_add_quad(&part, i * 2, i * 2 + 1, i * 2 + 3, i * 2 + 2);
    finish_cloth(&part, &c, v3(1, 1, 1), WEAVE_TWILL);
    assert_true(part.n_vertices > 80);
    for (int i = 0; i < part.n_indices; i += 3)
        for (int k = 0; k < 3; k++) {
            const struct vertex *a = &part.vertices[part.indices[i + k]],
                                *b = &part.vertices[part.indices[i + (k + 1) % 3]];
            float apart = hypotf(a->u - b->u, a->v - b->v), real = length(sub(a->position, b->position));
            assert_true(apart < 2.5f * real + 0.3f);
        }
    part_free(&part);
}

static void skin_is_unrolled_without_overlap(void **state)
{
    (void)state;
    struct character c;
    struct part part = {.surface = CP_SURFACE_SKIN, .rig = RIG_FACE};
    character_defaults(&c);
    const struct axis axes[3] = {
        {-9, 9, 0.8f, {{0}}, 0}, {-13.5f, 11, 0.8f, {{0}}, 0}, {-11, 11, 0.8f, {{0}}, 0}};
    part_add_surface(&part, sd_head, &c, axes);
    int before = part.n_indices;
    uint8_t *picture = skin_unroll(&part, &c);
    assert_non_null(picture);
    assert_int_equal(part.n_indices, before);
    assert_memory_equal(picture, "\xff\xff\xff", 3); /* the strip for all other skin */
    int unrolled = 0;
    for (int i = 0; i < part.n_indices; i += 3) {
        const struct vertex *v[3];
        for (int k = 0; k < 3; k++) {
            v[k] = &part.vertices[part.indices[i + k]];
            assert_true(v[k]->u >= 0 && v[k]->u <= 1 && v[k]->v >= 0 && v[k]->v <= 1);
        }
        float area = (v[1]->u - v[0]->u) * (v[2]->v - v[0]->v) - (v[2]->u - v[0]->u) * (v[1]->v - v[0]->v);
        unrolled += area != 0;
        assert_true(area > -2e-5f); /* none is turned over, but for slivers */
    }
    assert_true(unrolled > before / 3 / 4);
    const uint8_t *brow = picture + ((size_t)600 * SKIN_SIDE + SKIN_SIDE / 2) * 3; /* is skin */
    assert_true(brow[0] > brow[1] && brow[1] > brow[2] && brow[0] > 150);
    free(picture);
    part_free(&part);
}

/* Numbers of the bones move what they name, and leave the eyeballs' middle alone. */
static void bones_change_silhouettes(void **state)
{
    (void)state;
    struct character plain, c;
    character_defaults(&plain);
    const struct {
        size_t at;
        float value;
        vec3 where, way;
    } cases[] = {
        {offsetof(struct character, nose_reach), 0.4f, {0, -3.6f, 10}, {0, 0, 1}},
        {offsetof(struct character, nose_length), 0.4f, {0, -3.8f, 10}, {0, -1, 0}},
        {offsetof(struct character, nose_bridge), 0.4f, {0, -0.9f, 8.2f}, {0, 0, 1}},
        {offsetof(struct character, chin_reach), 0.4f, {0, -9.6f, 8}, {0, 0, 1}},
        {offsetof(struct character, chin_drop), 0.4f, {0, -10, 8}, {0, -1, 0}},
        {offsetof(struct character, jaw_corner), 0.1f, {5.2f, -7, 1}, {1, 0, 0}},
        {offsetof(struct character, ear_size), 1.2f, {8, 0.6f, -1.4f}, {0, 1, 0}},
        {offsetof(struct character, skull_width), 1.1f, {7, 5, 0}, {1, 0, 0}},
        {offsetof(struct character, skull_depth), 1.1f, {0, 3, -9}, {0, 0, -1}},
        {offsetof(struct character, brow_ridge), 0.3f, {2.4f, 2.1f, 8}, {0, 0, 1}},
        {offsetof(struct character, lip_reach), 0.3f, {0, -7, 8.4f}, {0, 0, 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        c = plain;
        *(float *)((char *)&c + cases[i].at) = cases[i].value;
        vec3 move = sub(proportion(&c, cases[i].where), proportion(&plain, cases[i].where));
        assert_true(dot(move, cases[i].way) > 0.15f);
        vec3 eye = v3(plain.eye_apart, 0, plain.eye_depth);
        assert_true(length(sub(proportion(&c, eye), proportion(&plain, eye))) < 0.2f);
    }
}

static void weights_sum_to_one_everywhere(void **state)
{
    (void)state;
    struct character c;
    character_defaults(&c);
    for (int rig = RIG_HEAD; rig <= RIG_BODY; rig++)
        for (float y = -90; y < 12; y += 3)
            for (float x = -24; x <= 24; x += 2) {
                struct weights w = skin_weights(&c, (enum rig)rig, v3(x, y, 2));
                assert_float_equal(w.weight[0] + w.weight[1] + w.weight[2] + w.weight[3], 1, 1e-5);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(net_puts_vertices_on_the_surface),
        cmocka_unit_test(net_closes_the_surface_outside_out),
        cmocka_unit_test(net_is_finer_in_a_zone),
        cmocka_unit_test(mirror_turns_triangles_round),
        cmocka_unit_test(drop_keeps_what_an_unmarked_corner_holds),
        cmocka_unit_test(sheet_lies_on_the_field_at_its_lift),
        cmocka_unit_test(sheet_that_misses_from_the_front_still_lands),
        cmocka_unit_test(character_reads_numbers_and_colours),
        cmocka_unit_test(character_names_the_wrong_line),
        cmocka_unit_test(variants_change_what_they_name_and_no_more),
        cmocka_unit_test(variants_that_are_wrong_are_named),
        cmocka_unit_test(tops_end_at_their_neckline),
        cmocka_unit_test(jacket_opens_down_to_its_button),
        cmocka_unit_test(weaves_are_pictures_that_repeat),
        cmocka_unit_test(weave_has_no_smear_at_the_armhole),
        cmocka_unit_test(skin_is_unrolled_without_overlap),
        cmocka_unit_test(bones_change_silhouettes),
        cmocka_unit_test(weights_sum_to_one_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
