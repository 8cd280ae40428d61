/* The whole renderer on small scenes: what must hold for every level, size and camera. */
#include "scene.h"

#include <malloc.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const float WHITE[3] = {1, 1, 1};

/* Levels differ by the rounding of 1/x and 1/sqrt(x) and by fused multiply-add. */
#define LEVELS_PSNR_DB    45.0
#define LEVELS_BLOCK_STEP 4.0

static void levels_agree(void **state)
{
    for (int samples = 1; samples <= 4; samples += 3) {
        struct stage reference = stage_open(scene_person(32), "portable", samples, "plain", 640, 360);
        struct cp_pose pose = scene_rest(reference.model);
        pose.weight[0] = 0.7f;
        stage_draw(&reference, &pose, 3);
        for (int level = CP_SIMD_AVX2; level <= (int)cp_simd_best(); level++) {
            struct stage other =
                stage_open(scene_person(32), cp_simd_name(level), samples, "plain", 640, 360);
            stage_draw(&other, &pose, 3);
            assert_true(scene_psnr(reference.picture, other.picture) >= LEVELS_PSNR_DB);
            assert_true(scene_worst_block(reference.picture, other.picture) <= LEVELS_BLOCK_STEP);
            stage_close(&other);
        }
        stage_close(&reference);
    }
}

static void same_inputs_give_same_bytes(void **state)
{
    for (int level = CP_SIMD_PORTABLE; level <= (int)cp_simd_best(); level++) {
        uint64_t hash[2];
        for (int i = 0; i < 2; i++) {
            struct stage stage = stage_open(scene_person(24), cp_simd_name(level), 4, "plain", 320, 180);
            struct cp_pose pose = scene_rest(stage.model);
            for (int frame = 0; frame < 5; frame++) {
                pose.weight[0] = (float)frame * 0.2f;
                stage_draw(&stage, &pose, 1);
            }
            hash[i] = scene_hash(stage.picture);
            stage_close(&stage);
        }
        assert_true(hash[0] == hash[1]);
    }
}

static void morphs_do_not_drift(void **state)
{
    struct stage stage = stage_open(scene_person(24), "auto", 4, "plain", 320, 180);
    struct cp_pose pose = scene_rest(stage.model);
    stage_draw(&stage, &pose, 4);
    uint64_t before = scene_hash(stage.picture);
    for (int i = 0; i < 301; i++) {
        pose.weight[0] = 0.5f + 0.5f * sinf((float)i * 0.37f);
        stage_draw(&stage, &pose, 1);
    }
    assert_false(scene_hash(stage.picture) == before);
    pose.weight[0] = 0;
    stage_draw(&stage, &pose, 5);
    assert_true(scene_hash(stage.picture) == before);
    stage_close(&stage);
}

static void camera_anywhere_is_survived(void **state)
{
    static const float EYES[][3] = {
        {0, 1.48f, 0},    {0, 1.48f, 0.09f}, {0, 1.48f, 0.1001f}, {0.05f, 1.13f, 0.1f}, {0, 1.48f, -0.5f},
        {0, 1.6f, 0.02f}, {1e6f, 0, 0},      {0, 1.4f, 0.06f},    {NAN, 0, 0},          {0, INFINITY, 0},
    };
    for (int level = CP_SIMD_PORTABLE; level <= (int)cp_simd_best(); level++) {
        struct stage stage = stage_open(scene_person(20), cp_simd_name(level), 4, "plain", 320, 180);
        for (size_t i = 0; i < sizeof EYES / sizeof EYES[0]; i++)
            for (int fov = 5; fov <= 155; fov += 50) {
                stage_look(&stage, EYES[i], (const float[3]){0, 1.48f, 0.3f}, (float)fov);
                stage_draw(&stage, NULL, 1);
                stage_look(&stage, EYES[i], EYES[i], (float)fov);
                stage_draw(&stage, NULL, 1);
            }
        assert_int_equal(cp_render_stats(stage.render).overflows, 0);
        stage_close(&stage);
    }
}

static void strange_poses_are_survived(void **state)
{
    for (int level = CP_SIMD_PORTABLE; level <= (int)cp_simd_best(); level++) {
        struct stage stage = stage_open(scene_person(16), cp_simd_name(level), 4, "plain", 320, 180);
        static const float ODD[] = {NAN, INFINITY, -INFINITY, 1e30f, -1e30f, 1e9f, 3e5f, 0, 1e-30f};
        for (size_t i = 0; i < sizeof ODD / sizeof ODD[0]; i++)
            for (int k = 0; k < 12; k += 3) {
                struct cp_pose pose = scene_rest(stage.model);
                pose.skin[0][k] = pose.weight[0] = ODD[i];
                stage_draw(&stage, &pose, 1);
            }
        stage_close(&stage);
    }
}

/* How far the plain set's own background is from what is drawn, to find uncovered pixels. */
static struct stage open_wall(const char *level, int samples, struct cp_model *model)
{
    struct stage stage = stage_open(model, level, samples, "plain", 640, 360);
    /* A flat grey: what is not covered is known. */
    cp_render_dress(stage.render, &(struct cp_scenery){.set = cp_render_find_set("key"), .color = "#808080"},
                    NULL);
    stage_look(&stage, (const float[3]){0, 0, 1}, (const float[3]){0, 0, 0}, 40);
    stage_draw(&stage, NULL, 2);
    return stage;
}

static void huge_triangle_covers_every_pixel(void **state)
{
    for (int level = CP_SIMD_PORTABLE; level <= (int)cp_simd_best(); level++)
        for (int samples = 1; samples <= 4; samples += 3) {
            struct cp_model *model = scene_model(8, 8, 1);
            model->materials[0].emissive[0] = 50;
            model->materials[0].emissive[1] = 50;
            model->materials[0].emissive[2] = 50;
            scene_add_triangle(model, 0, (const float[3]){-900, -700, -1}, (const float[3]){900, -700, -1},
                               (const float[3]){0, 1500, -1}, WHITE);
            struct stage stage = open_wall(cp_simd_name(level), samples, model);
            for (int y = 0; y < 360; y++)
                for (int x = 0; x < 640; x++)
                    assert_true(scene_luma(stage.picture, x, y) >= 230);
            stage_close(&stage);
        }
}

static void triangle_through_the_eye_plane_is_cut(void **state)
{
    struct cp_model *model = scene_model(8, 8, 1);
    for (int k = 0; k < 3; k++)
        model->materials[0].emissive[k] = 50;
    /* A floor that runs from far ahead to far behind the camera, 0.3 m under it. */
    scene_add_triangle(model, 0, (const float[3]){-50, -0.3f, 60}, (const float[3]){50, -0.3f, 60},
                       (const float[3]){0, -0.3f, -400}, WHITE);
    struct stage stage = open_wall("auto", 4, model);
    assert_true(scene_luma(stage.picture, 320, 350) >= 230); /* floor in front of our feet */
    assert_true(scene_luma(stage.picture, 40, 350) >= 230);
    assert_true(scene_luma(stage.picture, 320, 20) < 230); /* and none above the horizon */
    stage_close(&stage);
}

static void triangle_behind_the_camera_is_not_drawn(void **state)
{
    struct cp_model *model = scene_model(8, 8, 1);
    scene_add_triangle(model, 0, (const float[3]){-1, -1, 3}, (const float[3]){1, -1, 3},
                       (const float[3]){0, 1, 3}, WHITE);
    struct stage stage = open_wall("auto", 4, model);
    assert_int_equal(cp_render_stats(stage.render).triangles_drawn, 0);
    stage_close(&stage);
}

/* A fan of triangles that share edges at odd angles covers a square without gaps: no sample may show the
 * background and, each sample being drawn once, a half-transparent count would be 1 everywhere. */
static void shared_edges_leave_no_gap(void **state)
{
    for (int level = CP_SIMD_PORTABLE; level <= (int)cp_simd_best(); level++)
        for (float size = 0.05f; size < 400; size *= 20) { /* small, then large triangles */
            enum { SPOKES = 23 };
            struct cp_model *model = scene_model(3 * SPOKES, SPOKES, 1);
            for (int k = 0; k < 3; k++)
                model->materials[0].emissive[k] = 50;
            for (int i = 0; i < SPOKES; i++) {
                float a = (float)i * 6.2831853f / SPOKES, b = (float)((i + 1) % SPOKES) * 6.2831853f / SPOKES;
                const float hub[3] = {0.0013f, 0.0007f, 0}, p[3] = {size * cosf(a), size * sinf(a), 0};
                const float q[3] = {size * cosf(b), size * sinf(b), 0};
                scene_add_triangle(model, 0, hub, p, q, WHITE);
            }
            struct stage stage = open_wall(cp_simd_name(level), 4, model);
            double pixels_per_m = 180 / tan(20 * M_PI / 180);
            double reach = fmin((double)size * cos(M_PI / SPOKES) * pixels_per_m, 170) - 2;
            for (int y = 0; y < 360; y++)
                for (int x = 0; x < 640; x++)
                    if (hypot(x + 0.5 - 320, y + 0.5 - 180) < reach)
                        assert_true(scene_luma(stage.picture, x, y) >= 230);
            stage_close(&stage);
        }
}

/* Bright pixels of a square whose corners and diagonal lie exactly on pixel centres; `which`: 1 and 2 draw
 * one of its triangles, 3 both. */
static int count_square(const char *level, int half_px, int which)
{
    const float px = 1 / 360.0f, s = ((float)half_px + 0.5f) * px; /* a pixel at 1 m with the lens below */
    const float a[3] = {-s, -s, 0}, b[3] = {s, -s, 0}, c[3] = {s, s, 0}, d[3] = {-s, s, 0};
    struct cp_model *model = scene_model(8, 8, 1);
    for (int k = 0; k < 3; k++)
        model->materials[0].emissive[k] = 50;
    if (which & 1)
        scene_add_triangle(model, 0, a, b, c, WHITE);
    if (which & 2)
        scene_add_triangle(model, 0, a, c, d, WHITE);
    struct stage stage = stage_open(model, level, 1, "plain", 640, 360);
    stage_look(&stage, (const float[3]){0, 0, 1}, (const float[3]){0, 0, 0},
               53.1301024f); /* 2 atan(1/2): 360 px focal */
    stage_draw(&stage, NULL, 1);
    int n = 0;
    for (int y = 0; y < 360; y++)
        for (int x = 0; x < 640; x++)
            n += scene_luma(stage.picture, x, y) >= 230;
    stage_close(&stage);
    return n;
}

static void samples_on_a_shared_edge_are_drawn_once(void **state)
{
    static const int HALF[] = {50, 100, 160}; /* the last one takes the path of large triangles */
    for (int level = CP_SIMD_PORTABLE; level <= (int)cp_simd_best(); level++)
        for (size_t i = 0; i < sizeof HALF / sizeof HALF[0]; i++) {
            int side = 2 * HALF[i] + 1; /* left and top edges belong to the square, right and bottom do not */
            int first = count_square(cp_simd_name(level), HALF[i], 1),
                second = count_square(cp_simd_name(level), HALF[i], 2);
            assert_int_equal(first + second, side * side);
            assert_int_equal(count_square(cp_simd_name(level), HALF[i], 3), side * side);
        }
}

static void slivers_are_smooth_with_four_samples(void **state)
{
    /* A line 0.6 pixel wide at a slant: with 4 samples its luma adds up to nearly its area, without gaps. */
    struct cp_model *model = scene_model(8, 8, 1);
    for (int k = 0; k < 3; k++)
        model->materials[0].emissive[k] = 50;
    const float w = 0.6f * 0.0020f;
    scene_add_triangle(model, 0, (const float[3]){-0.5f, -0.10f, 0}, (const float[3]){0.5f, 0.10f, 0},
                       (const float[3]){-0.5f, -0.10f + w, 0}, WHITE);
    scene_add_triangle(model, 0, (const float[3]){0.5f, 0.10f, 0}, (const float[3]){0.5f, 0.10f + w, 0},
                       (const float[3]){-0.5f, -0.10f + w, 0}, WHITE);
    struct stage stage = open_wall("auto", 4, model);
    int touched = 0;
    for (int x = 120; x < 520; x++) {
        int best = 0;
        for (int y = 100; y < 260; y++)
            best = scene_luma(stage.picture, x, y) > best ? scene_luma(stage.picture, x, y) : best;
        touched += best > scene_luma(stage.picture, x, 100) + 12;
    }
    assert_int_equal(touched, 400);
    stage_close(&stage);
}

static void four_samples_count_coverage(void **state)
{
    /* A square whose left edge cuts pixels at a quarter: one sample says all or nothing, four say something
     * between. */
    double sum[2];
    for (int i = 0; i < 2; i++) {
        struct cp_model *model = scene_model(8, 8, 1);
        for (int k = 0; k < 3; k++)
            model->materials[0].emissive[k] = 50;
        scene_add_triangle(model, 0, (const float[3]){-0.31f, -0.2f, 0}, (const float[3]){0.3f, -0.17f, 0},
                           (const float[3]){0.02f, 0.22f, 0}, WHITE);
        struct stage stage = open_wall("auto", i ? 4 : 1, model);
        int between = 0;
        sum[i] = 0;
        for (int y = 20; y < 340; y++)
            for (int x = 20; x < 620; x++) {
                int luma = scene_luma(stage.picture, x, y);
                between += luma > 165 && luma < 228; /* the paper behind is darker than 150 */
                sum[i] += luma >= 230;
            }
        if (i)
            assert_true(between > 300);
        stage_close(&stage);
    }
    assert_true(fabs(sum[0] - sum[1]) < 0.05 * sum[0]);
}

static void odd_sizes_are_drawn_inside_their_picture(void **state)
{
    static const int SIZE[][2] = {{64, 64}, {66, 64}, {70, 98}, {322, 182}, {1000, 562}, {126, 1600}};
    for (int level = CP_SIMD_PORTABLE; level <= (int)cp_simd_best(); level++)
        for (size_t i = 0; i < sizeof SIZE / sizeof SIZE[0]; i++) {
            int w = SIZE[i][0], h = SIZE[i][1];
            struct stage stage = stage_open(scene_person(16), cp_simd_name(level), 4, "plain", w, h);
            stage_draw(&stage, NULL, 1);
            /* Chroma of the last row and column were written: the set is not pure grey everywhere. */
            int seen[256] = {0}, shades = 0;
            for (int y = 0; y < h; y++)
                for (int x = 0; x < w; x++)
                    shades += !seen[scene_luma(stage.picture, x, y)]++;
            assert_true(shades > 12);
            assert_int_equal(seen[0], 0); /* limited range: 0 would be a byte that nobody wrote */
            stage_close(&stage);
        }
}

static void many_triangles_do_not_overflow(void **state)
{
    struct stage stage = stage_open(scene_person(160), "auto", 4, "plain", 640, 360);
    stage_draw(&stage, NULL, 3);
    struct cp_render_stats stats = cp_render_stats(stage.render);
    assert_true(stats.triangles_in > 200000);
    assert_int_equal(stats.overflows, 0);
    stage_close(&stage);
}

static void draw_does_not_allocate(void **state)
{
    struct stage stage = stage_open(scene_person(24), "auto", 4, "plain", 320, 180);
    struct cp_pose pose = scene_rest(stage.model);
    const struct cp_card_spec spec = {.title = "Ava Lindqvist", .text = "Host"};
    struct cp_card_maker *maker;
    struct cp_card *card;
    assert_int_equal(cp_card_maker_create(&maker, NULL), 0);
    assert_int_equal(cp_card_make(maker, &spec, NULL, 0, 320, 180, &card, NULL), 0);
    stage.view.card = card;
    stage.view.card_shown = 1;
    stage_draw(&stage, &pose, 2);
    struct mallinfo2 before = mallinfo2();
    for (int i = 0; i < 50; i++) {
        pose.weight[0] = (float)(i % 7) / 7;
        stage.view.eye[0] = (float)i * 0.001f;
        stage.view.card_shown = (float)i / 50;
        stage_draw(&stage, &pose, 1);
    }
    struct mallinfo2 after = mallinfo2();
    assert_true(before.uordblks == after.uordblks && before.hblkhd == after.hblkhd);
    stage_close(&stage);
    cp_ref_drop(card);
    cp_card_maker_destroy(maker);
}

static void textures_are_perspective_correct(void **state)
{
    /* A floor with a checkerboard of 8 x 8: the rows seem to shorten with distance. */
    struct cp_model *model = scene_model(8, 8, 1);
    enum { N = 64 };
    model->n_textures = 1;
    model->textures[0] = (struct cp_texture){.width = N, .height = N, .rgba = malloc(4 * N * N)};
    for (int i = 0; i < N * N; i++)
        memset(model->textures[0].rgba + 4 * i, (i / N / 8 + i % N / 8) % 2 ? 255 : 8, 4);
    model->materials[0].texture = 0;
    model->materials[0].double_sided = true;
    const float n[3] = {0, 1, 0};
    scene_add_quad(model, 0, -1, 0, 1, 1, 0, WHITE);
    static const float FLOOR[4][3] = {
        {-1, -0.5f, 0.5f}, {1, -0.5f, 0.5f}, {1, -0.5f, -3.5f}, {-1, -0.5f, -3.5f}};
    for (int i = 0; i < 4; i++) {
        memcpy(model->vertices[i].position, FLOOR[i], sizeof FLOOR[i]);
        memcpy(model->vertices[i].normal, n, sizeof n);
    }
    struct stage stage = open_wall("auto", 4, model);
    /* Along the line above x = -0.125 m (inside one column of fields) fields change every 0.5 m of depth. */
    int wrong = 0, seen = 0;
    double pixels_per_m = 180 / tan(20 * M_PI / 180);
    for (int i = 0; i < 7; i++) {
        double z = 0.25 - 0.5 * i, depth = 1 - z; /* middle of field i */
        int x = (int)(320 - 0.125 * pixels_per_m / depth), y = (int)(180 + 0.5 * pixels_per_m / depth);
        if (y >= 360)
            continue;
        bool bright = scene_luma(stage.picture, x, y) > 110;
        static bool first;
        if (!seen++)
            first = bright != (i % 2);
        wrong += bright != (first != (i % 2));
    }
    assert_true(seen >= 5);
    assert_int_equal(wrong, 0);
    stage_close(&stage);
}

static void alpha_mask_opens_holes(void **state)
{
    for (int level = CP_SIMD_PORTABLE; level <= (int)cp_simd_best(); level++) {
        struct cp_model *model = scene_model(8, 8, 1);
        model->n_textures = 1;
        model->textures[0] = (struct cp_texture){.width = 2, .height = 1, .rgba = malloc(8)};
        memcpy(model->textures[0].rgba, "\xff\xff\xff\xff\xff\xff\xff\x00", 8); /* left opaque, right clear */
        model->materials[0].texture = 0;
        model->materials[0].alpha_cutoff = 0.5f;
        for (int k = 0; k < 3; k++)
            model->materials[0].emissive[k] = 50;
        scene_add_quad(model, 0, -0.3f, -0.3f, 0.3f, 0.3f, 0, WHITE);
        struct stage stage = open_wall(cp_simd_name(level), 4, model);
        assert_true(scene_luma(stage.picture, 250, 180) >= 230);
        assert_true(scene_luma(stage.picture, 390, 180) < 230);
        stage_close(&stage);
    }
}

static int try_create(const char *level, struct cp_stage_spec spec)
{
    struct cp_render_config config = {.samples = 4};
    struct cp_render *render = NULL;
    struct cp_error error = {0};
    strcpy(config.level, level);
    int err = cp_render_create(&config, &spec, &render, &error);
    assert_null(render);
    assert_true(error.text[0]);
    return err;
}

static void create_refuses_what_it_cannot_draw(void **state)
{
    struct cp_model *model = scene_person(8);
    const struct cp_stage_spec good = {.models = {model, model}, .n_models = 2, .width = 640, .height = 360};
    struct cp_stage_spec spec = good;
    spec.width = 63;
    assert_int_equal(try_create("auto", spec), CP_ERR_INVALID);
    spec.width = 641;
    assert_int_equal(try_create("auto", spec), CP_ERR_INVALID);
    spec.width = 3842;
    assert_int_equal(try_create("auto", spec), CP_ERR_INVALID);
    spec = good;
    spec.n_models = 0;
    assert_int_equal(try_create("auto", spec), CP_ERR_INVALID);
    spec.n_models = CP_STAGE_CHARACTERS + 1;
    assert_int_equal(try_create("auto", spec), CP_ERR_INVALID);
    assert_int_equal(try_create("quantum", good), CP_ERR_INVALID);
    model->triangles[3][1] = (uint32_t)model->n_vertices;
    assert_int_equal(try_create("auto", good), CP_ERR_INVALID);
    cp_ref_drop(model);
}

/* Moves the character by its skinning matrices, as the actor does. */
static struct cp_pose standing_at(const struct cp_model *model, float x, float z)
{
    struct cp_pose pose = scene_rest(model);
    for (int j = 0; j < pose.n_joints; j++) {
        pose.skin[j][3] = x;
        pose.skin[j][11] = z;
    }
    return pose;
}

static struct stage open_two(const char *level, struct cp_model *a, struct cp_model *b)
{
    struct stage stage = {.model = a};
    struct cp_render_config config = {.samples = 4};
    struct cp_error error = {0};
    struct cp_stage_spec spec = {.models = {a, b},
                                 .n_models = b ? 2 : 1,
                                 .set = cp_render_find_set("plain"),
                                 .width = 640,
                                 .height = 360};
    strcpy(config.level, level);
    assert_int_equal(cp_render_create(&config, &spec, &stage.render, &error), 0);
    stage.pool = cp_picture_pool_create(640, 360, 1);
    stage.picture = cp_picture_get(stage.pool, 640, 360);
    stage_look(&stage, (const float[3]){0, 1.3f, 4}, (const float[3]){0, 1.3f, 0}, 24);
    return stage;
}

/* Two characters in one picture: each half looks as if its character were alone, shadows too. */
static void two_on_stage_look_like_each_alone(void **state)
{
    for (int level = CP_SIMD_PORTABLE; level <= (int)cp_simd_best(); level++) {
        struct cp_model *model[2] = {scene_person(24), scene_person(32)};
        model[1]->materials[CP_SURFACE_CLOTH].base_color[0] = 9; /* somebody in red, with another mouth */
        const struct cp_pose at_left = standing_at(model[0], -0.6f, -0.2f),
                             at_right = standing_at(model[1], 0.7f, 0.3f);
        struct cp_pose right = at_right;
        right.weight[0] = 0.8f;
        const struct cp_pose *const poses[2] = {&at_left, &right};
        struct stage both = open_two(cp_simd_name(level), cp_ref_take(model[0]), model[1]);
        for (int frame = 0; frame < 4; frame++)
            cp_render_draw(both.render, poses, &both.view, both.picture);
        assert_int_equal(cp_render_stats(both.render).overflows, 0);
        for (int i = 0; i < 2; i++) {
            struct stage alone = open_two(cp_simd_name(level), cp_ref_take(model[i]), NULL);
            for (int frame = 0; frame < 4; frame++)
                cp_render_draw(alone.render, &poses[i], &alone.view, alone.picture);
            int worst = 0, drawn = 0;
            for (int y = 0; y < 360; y++)
                for (int x = 320 * i; x < 320 * (i + 1); x++) {
                    int d = abs(scene_luma(both.picture, x, y) - scene_luma(alone.picture, x, y));
                    worst = d > worst ? d : worst;
                    drawn += abs(scene_luma(alone.picture, x, y) - scene_luma(alone.picture, 320, 4)) > 24;
                }
            assert_true(drawn > 5000);
            assert_true(worst <= 3); /* shared units of the mesh round a little differently */
            stage_close(&alone);
        }
        cp_ref_drop(model[0]);
        cp_ref_drop(model[1]);
        stage_close(&both);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_agree),
        cmocka_unit_test(same_inputs_give_same_bytes),
        cmocka_unit_test(morphs_do_not_drift),
        cmocka_unit_test(camera_anywhere_is_survived),
        cmocka_unit_test(strange_poses_are_survived),
        cmocka_unit_test(huge_triangle_covers_every_pixel),
        cmocka_unit_test(triangle_through_the_eye_plane_is_cut),
        cmocka_unit_test(triangle_behind_the_camera_is_not_drawn),
        cmocka_unit_test(shared_edges_leave_no_gap),
        cmocka_unit_test(samples_on_a_shared_edge_are_drawn_once),
        cmocka_unit_test(slivers_are_smooth_with_four_samples),
        cmocka_unit_test(four_samples_count_coverage),
        cmocka_unit_test(odd_sizes_are_drawn_inside_their_picture),
        cmocka_unit_test(many_triangles_do_not_overflow),
        cmocka_unit_test(draw_does_not_allocate),
        cmocka_unit_test(textures_are_perspective_correct),
        cmocka_unit_test(alpha_mask_opens_holes),
        cmocka_unit_test(two_on_stage_look_like_each_alone),
        cmocka_unit_test(create_refuses_what_it_cannot_draw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
