/* Over what distance one point of skin may speak for the others. */
#include "render/render_int.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { TEXELS = 16 };

/* One triangle of even skin, its short sides SIDE_M long, to be spoiled. */
#define SIDE_M 0.01f
struct fixture {
    struct mesh mesh;
    struct draw_part part;
    struct surface surface;
    struct texture texture;
    uint32_t texels[TEXELS * TEXELS];
    float still[1][STILL_COLUMNS][GROUP];
    int32_t accumulated[3 * 8], corner[3];
    float even_m;
};

static void make(struct fixture *f)
{
    static const float UV[3][2] = {{0.1f, 0.1f}, {0.4f, 0.1f}, {0.1f, 0.4f}};
    memset(f, 0, sizeof *f);
    f->part = (struct draw_part){.first_triangle = 0, .n_triangles = 1, .surface = 0};
    f->surface =
        (struct surface){.kind = CP_SURFACE_SKIN, .texture = -1, .texels_per_m = 0.3f * TEXELS / SIDE_M};
    f->texture = (struct texture){.levels = 1, .width = {TEXELS}, .height = {TEXELS}, .texels = {f->texels}};
    for (int i = 0; i < TEXELS * TEXELS; i++)
        f->texels[i] = 0xff8090c0;
    for (int v = 0; v < 3; v++) {
        f->corner[v] = v;
        f->accumulated[8 * v + 6] = (int32_t)(1 / NORMAL_UNIT);
        for (int k = 0; k < 3; k++)
            f->still[0][STILL_COLOR + k][v] = 0.5f;
        f->still[0][STILL_OCCLUSION][v] = 0.8f;
        f->still[0][STILL_U][v] = UV[v][0];
        f->still[0][STILL_V][v] = UV[v][1];
    }
    f->accumulated[8 + 0] = f->accumulated[16 + 1] = 10000;
    f->mesh = (struct mesh){.n_parts = 1,
                            .unit_m = SIDE_M / 10000,
                            .n_surfaces = 1,
                            .n_triangles = 1,
                            .parts = &f->part,
                            .surfaces = &f->surface,
                            .textures = &f->texture,
                            .still = f->still,
                            .accumulated = f->accumulated,
                            .corner = {&f->corner[0], &f->corner[1], &f->corner[2]},
                            .even_m = &f->even_m};
}

static float even_mm(struct fixture *f)
{
    f->even_m = 2;
    cp_mesh_find_even(&f->mesh);
    return f->even_m * 1000;
}

static void plain_skin_is_even_everywhere(void **state)
{
    struct fixture f;
    make(&f);
    assert_true(even_mm(&f) > 10000);
    f.still[0][STILL_COLOR][1] = 0.49f; /* 2 % a side */
    assert_float_equal(even_mm(&f), 25, 0.1);
}

static void other_surfaces_are_not(void **state)
{
    struct fixture f;
    make(&f);
    f.surface.kind = CP_SURFACE_EYE;
    assert_float_equal(even_mm(&f), 0, 0);
}

static void paint_occlusion_and_folds_are_even_over_millimetres(void **state)
{
    struct fixture f;
    make(&f);
    f.still[0][STILL_COLOR + 1][2] = 0.4f; /* 20 % a side, of which 5 are allowed */
    assert_float_equal(even_mm(&f), 2.5, 0.01);
    for (int k = 0; k < 24; k++) /* twice as large: twice as far */
        f.accumulated[k] *= k % 8 < 3 ? 2 : 1;
    assert_float_equal(even_mm(&f), 5, 0.02);
    make(&f);
    f.still[0][STILL_OCCLUSION][0] = 0.6f; /* a quarter */
    assert_float_equal(even_mm(&f), 2, 0.01);
    make(&f);
    f.accumulated[8 + 4] = (int32_t)(0.6f / NORMAL_UNIT); /* 37 degrees from the others */
    f.accumulated[8 + 6] = (int32_t)(0.8f / NORMAL_UNIT);
    assert_float_equal(even_mm(&f), 10 * 0.12 / acos(0.8), 0.01);
}

static void a_picture_is_looked_at_where_it_is_shown(void **state)
{
    const float texel_mm = 1000 * SIDE_M / (0.3f * TEXELS);
    struct fixture f;
    make(&f);
    f.surface.texture = 0;
    assert_true(even_mm(&f) > 10000);
    f.texels[12 * TEXELS + 12] = 0xff000000; /* elsewhere */
    assert_true(even_mm(&f) > 10000);
    f.texels[3 * TEXELS + 3] = 0xff8090a0; /* 32 steps from its neighbours, of which 9 are allowed */
    assert_float_equal(even_mm(&f), texel_mm * 9 / 32, 0.01);
    make(&f);
    f.surface.texture = 0;
    for (int y = 0; y < TEXELS;
         y++) /* a slope, from row to row: the whole range differs, neighbours do not */
        for (int x = 0; x < TEXELS; x++)
            f.texels[y * TEXELS + x] = 0xff809000 + 8 * (uint32_t)y;
    assert_float_equal(even_mm(&f), texel_mm * 9 / 8, 0.01);
    make(&f);
    f.surface.texture = 0;
    f.still[0][STILL_U][1] = 1.2f; /* repeats: not looked at */
    assert_float_equal(even_mm(&f), 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_skin_is_even_everywhere),
        cmocka_unit_test(other_surfaces_are_not),
        cmocka_unit_test(paint_occlusion_and_folds_are_even_over_millimetres),
        cmocka_unit_test(a_picture_is_looked_at_where_it_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
