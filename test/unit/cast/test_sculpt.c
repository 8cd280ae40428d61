#include "sculpt/bake.h"
#include "sculpt/character.h"
#include "sculpt/loft.h"

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
        cmocka_unit_test(weights_sum_to_one_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
