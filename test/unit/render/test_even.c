/* Where skin may be shaded once for 2x2 pixels. */
#include "render/render_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { TEXELS = 16 };

/* One triangle of even skin, to be spoiled. */
struct fixture {
    struct mesh mesh;
    struct draw_part part;
    struct surface surface;
    struct texture texture;
    uint32_t texels[TEXELS * TEXELS];
    float still[1][STILL_COLUMNS][GROUP];
    int32_t accumulated[3 * 8], corner[3];
    uint8_t even;
};

static void make(struct fixture *f)
{
    static const float UV[3][2] = {{0.1f, 0.1f}, {0.4f, 0.1f}, {0.1f, 0.4f}};
    memset(f, 0, sizeof *f);
    f->part = (struct draw_part){.first_triangle = 0, .n_triangles = 1, .surface = 0};
    f->surface = (struct surface){.kind = CP_SURFACE_SKIN, .texture = -1};
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
    f->mesh = (struct mesh){.n_parts = 1,
                            .n_surfaces = 1,
                            .n_triangles = 1,
                            .parts = &f->part,
                            .surfaces = &f->surface,
                            .textures = &f->texture,
                            .still = f->still,
                            .accumulated = f->accumulated,
                            .corner = {&f->corner[0], &f->corner[1], &f->corner[2]},
                            .even = &f->even};
}

static bool is_even(struct fixture *f)
{
    f->even = 2;
    cp_mesh_find_even(&f->mesh);
    return f->even != 0;
}

static void plain_skin_is_even(void **state)
{
    struct fixture f;
    make(&f);
    assert_true(is_even(&f));
    f.still[0][STILL_COLOR][1] = 0.47f; /* 6 % */
    assert_true(is_even(&f));
}

static void other_surfaces_are_not(void **state)
{
    struct fixture f;
    make(&f);
    f.surface.kind = CP_SURFACE_EYE;
    assert_false(is_even(&f));
}

static void paint_occlusion_and_folds_are_not(void **state)
{
    struct fixture f;
    make(&f);
    f.still[0][STILL_COLOR + 1][2] = 0.4f;
    assert_false(is_even(&f));
    make(&f);
    f.still[0][STILL_OCCLUSION][0] = 0.6f;
    assert_false(is_even(&f));
    make(&f);
    f.accumulated[8 + 4] = (int32_t)(0.6f / NORMAL_UNIT); /* 37 degrees from the others */
    f.accumulated[8 + 6] = (int32_t)(0.8f / NORMAL_UNIT);
    assert_false(is_even(&f));
}

static void a_picture_is_looked_at_where_it_is_shown(void **state)
{
    struct fixture f;
    make(&f);
    f.surface.texture = 0;
    assert_true(is_even(&f));
    f.texels[12 * TEXELS + 12] = 0xff000000; /* elsewhere */
    assert_true(is_even(&f));
    f.texels[3 * TEXELS + 3] = 0xff8090a0;
    assert_false(is_even(&f));
    make(&f);
    f.surface.texture = 0;
    f.still[0][STILL_U][1] = 1.2f; /* repeats: not looked at */
    assert_false(is_even(&f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_skin_is_even),
        cmocka_unit_test(other_surfaces_are_not),
        cmocka_unit_test(paint_occlusion_and_folds_are_not),
        cmocka_unit_test(a_picture_is_looked_at_where_it_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
