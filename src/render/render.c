#include "render/render_int.h"
#include "render/scenery.h"

#include "base/clock.h"
#include "base/thread.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHADOW_EVERY = 2 }; /* frames; hair and head move little in 33 ms */

const struct cp_option cp_render_options[] = {
    {.name = "level",
     .type = CP_OPTION_CHOICE,
     .fallback = "auto",
     .choices = "auto|avx512|avx2|portable",
     .help = "instruction set that draws; auto takes the best one here",
     .offset = offsetof(struct cp_render_config, level)},
    {.name = "samples",
     .type = CP_OPTION_INT,
     .fallback = "4",
     .min = 1,
     .max = 4,
     .help = "samples a pixel: 4 for smooth edges, 1 to save a third of the time",
     .offset = offsetof(struct cp_render_config, samples)},
};
const size_t cp_render_n_options = sizeof cp_render_options / sizeof cp_render_options[0];

/* --- levels --- */

const char *cp_simd_name(enum cp_simd level)
{
    static const char *const NAME[] = {"", "portable", "avx2", "avx512"};
    return level >= CP_SIMD_UNSET && level <= CP_SIMD_AVX512 ? NAME[level] : "";
}

enum cp_simd cp_simd_best(void)
{
#ifdef CP_RENDER_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return CP_SIMD_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return CP_SIMD_AVX2;
#endif
    return CP_SIMD_PORTABLE;
}

static const struct kernels *kernels_of(enum cp_simd level)
{
#ifdef CP_RENDER_X86
    if (level == CP_SIMD_AVX512)
        return &cp_kernels_avx512;
    if (level == CP_SIMD_AVX2)
        return &cp_kernels_avx2;
#endif
    return &cp_kernels_portable;
}

const struct kernels *cp_render_best_kernels(void)
{
    return kernels_of(cp_simd_best());
}

static int choose_level(const char *wanted, enum cp_simd *ret_level, struct cp_error *error)
{
    enum cp_simd best = cp_simd_best();
    if (!wanted[0] || !strcmp(wanted, "auto")) {
        *ret_level = best;
        return 0;
    }
    for (int level = CP_SIMD_PORTABLE; level <= CP_SIMD_AVX512; level++)
        if (!strcmp(wanted, cp_simd_name(level))) {
            if (level > (int)best)
                return cp_fail(error, CP_ERR_UNSUPPORTED, "render",
                               "This machine has no %s. Set render.level to auto or %s.", wanted,
                               cp_simd_name(best));
            *ret_level = level;
            return 0;
        }
    return cp_fail(error, CP_ERR_INVALID, "render",
                   "render.level is \"%s\"; it must be auto, avx512, avx2 or portable.", wanted);
}

/* --- create, destroy --- */

static float hash_noise(uint32_t x)
{
    x = (x ^ 61) ^ (x >> 16);
    x *= 9;
    x ^= x >> 4;
    x *= 0x27d4eb2d;
    x ^= x >> 15;
    return (float)(x & 0xffff) / 65535;
}

/* Three octaves of noise across the hair, box-filtered to the pixel's width. Four entries a strand. */
static void fill_strands(struct cp_render *render)
{
    static const int WIDTH[STRAND_LEVELS] = {3, 9, 33}, PERIOD[3] = {4, 11, 31};
    static const float WEIGHT[3] = {0.34f, 0.36f, 0.30f};
    float fine[STRAND_TABLE];
    for (int i = 0; i < STRAND_TABLE; i++) {
        fine[i] = 0;
        for (int k = 0; k < 3; k++) {
            int cells = STRAND_TABLE / PERIOD[k], cell = i / PERIOD[k] % cells;
            float t = (float)(i % PERIOD[k]) / (float)PERIOD[k];
            t = t * t * (3 - 2 * t);
            float a = hash_noise((uint32_t)(cell + 1000 * k)),
                  b = hash_noise((uint32_t)((cell + 1) % cells + 1000 * k));
            fine[i] += WEIGHT[k] * (a + (b - a) * t);
        }
    }
    for (int level = 0; level < STRAND_LEVELS; level++)
        for (int i = 0; i < STRAND_TABLE; i++) {
            float sum = 0;
            for (int j = 0; j < WIDTH[level]; j++)
                sum += fine[(i + j - WIDTH[level] / 2 + STRAND_TABLE) % STRAND_TABLE];
            render->strands[level][i] = sum / (float)WIDTH[level];
        }
}

static bool allocate(struct cp_render *r)
{
    const struct mesh *mesh = r->mesh;
    size_t nv = (size_t)mesh->n_vertices, nt = (size_t)mesh->n_triangles;
    size_t n_bins = 2 * (size_t)r->tiles_x * (size_t)r->tiles_y;
    const size_t shadow_bytes = (SHADOW_SIZE * SHADOW_SIZE + 64) * sizeof(uint16_t),
                 cell_bytes = SHADOW_SIZE / SHADOW_CELL * (SHADOW_SIZE / SHADOW_CELL) * sizeof(uint32_t);
    r->max_clip_triangles = r->max_clip_vertices = (int)nt + 4096;
    r->max_large = 2 * (int)nt + 4096;
    r->max_chunks = (int)(n_bins + nt / 2 + 4096);
    struct {
        void *where;
        size_t bytes;
    } const want[] = {
        {&r->screen, (nv + (size_t)r->max_clip_vertices) * sizeof *r->screen},
        {&r->attributes, (nv + (size_t)r->max_clip_vertices) * ROW_FLOATS * sizeof(float)},
        {&r->records, (nt + GROUP) * sizeof *r->records},
        {&r->large, (size_t)r->max_large * sizeof *r->large},
        {&r->irregular, 2 * nt * sizeof *r->irregular},
        {&r->seen, 2 * nt + 8192},
        {&r->hidden, 2 * nt + 8192},
        {&r->bins, n_bins * sizeof *r->bins},
        {&r->chunks, (size_t)r->max_chunks * sizeof *r->chunks},
        {&r->tile, sizeof *r->tile},
        {&r->lists, (size_t)mesh->n_surfaces * sizeof *r->lists},
        {&r->shadows[0].depth, shadow_bytes},
        {&r->shadows[0].cells, cell_bytes},
        {&r->shadows[1].depth, mesh->n_characters > 1 ? shadow_bytes : 0},
        {&r->shadows[1].cells, mesh->n_characters > 1 ? cell_bytes : 0},
        {&r->shadow_plane, SHADOW_STRIDE * SHADOW_SIZE * sizeof(float) + 64},
        {&r->vertex_light, nv * sizeof(float) + 64},
        {&r->strands[0], STRAND_TABLE * sizeof(float)},
        {&r->strands[1], STRAND_TABLE * sizeof(float)},
        {&r->strands[2], STRAND_TABLE * sizeof(float)},
    };
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        void *memory = cp_render_alloc(want[i].bytes);
        if (!memory)
            return false;
        memcpy(want[i].where, &memory, sizeof memory);
    }
    for (size_t i = 0; i < nv; i++)
        r->vertex_light[i] = 1;
    return true;
}

static int make_stage(struct cp_render *render, const struct cp_stage_spec *spec, struct cp_error *error)
{
    int err = cp_mesh_create(spec, &render->mesh, error);
    if (err)
        return err;
    if (!allocate(render))
        return cp_fail(error, CP_ERR_NOMEM, "render", "Out of memory for a picture of %d x %d.", spec->width,
                       spec->height);
    fill_strands(render);
    const struct cp_scenery scenery = {.set = spec->set,
                                       .light = spec->light,
                                       .color = spec->color,
                                       .background = spec->background,
                                       .screen = spec->screen};
    return cp_render_dress(render, &scenery, error);
}

int cp_render_create(const struct cp_render_config *config, const struct cp_stage_spec *spec,
                     struct cp_render **ret_render, struct cp_error *error)
{
    enum cp_simd level = CP_SIMD_UNSET;
    int width = spec->width, height = spec->height;
    int err = choose_level(config->level, &level, error);
    if (err)
        return err;
    if (width < 64 || height < 64 || width > 3840 || height > 2160 || width % 2 || height % 2)
        return cp_fail(error, CP_ERR_INVALID, "render",
                       "A picture of %d x %d cannot be drawn: sizes are even, 64 x 64 to 3840 x 2160.", width,
                       height);
    if (spec->n_models < 1 || spec->n_models > CP_STAGE_CHARACTERS)
        return cp_fail(error, CP_ERR_INVALID, "render", "%d characters cannot be drawn: 1 or 2 can.",
                       spec->n_models);
    struct cp_render *render = calloc(1, sizeof *render);
    if (!render)
        return cp_fail(error, CP_ERR_NOMEM, "render", "Out of memory.");
    for (int i = 0; i < spec->n_models; i++)
        render->models[i] = cp_ref_take(spec->models[i]);
    render->set = spec->set ? spec->set : cp_render_find_set("");
    render->kernels = kernels_of(level);
    render->width = width;
    render->height = height;
    render->stats.level = level;
    render->samples = config->samples >= 4 ? 4 : 1;
    render->tiles_x = (width + TILE - 1) / TILE;
    render->tiles_y = (height + TILE - 1) / TILE;
    if ((err = make_stage(render, spec, error))) {
        cp_render_destroy(render);
        return err;
    }
    *ret_render = render;
    return 0;
}

void cp_render_destroy(struct cp_render *render)
{
    if (!render)
        return;
    void *const owned[] = {
        render->screen,
        render->attributes,
        render->records,
        render->large,
        render->irregular,
        render->seen,
        render->hidden,
        render->bins,
        render->chunks,
        render->tile,
        render->lists,
        render->shadows[0].depth,
        render->shadows[0].cells,
        render->shadows[1].depth,
        render->shadows[1].cells,
        render->shadow_plane,
        render->vertex_light,
        render->strands[0],
        render->strands[1],
        render->strands[2],
    };
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        cp_render_free(owned[i]);
    cp_mesh_destroy(render->mesh);
    cp_scenery_destroy(render->scenery);
    for (int i = 0; i < CP_STAGE_CHARACTERS; i++)
        cp_ref_drop(render->models[i]);
    free(render);
}

struct cp_render_stats cp_render_stats(const struct cp_render *render)
{
    return render->stats;
}

/* --- a frame --- */

static float normalize(float *v)
{
    float length = sqrtf(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    for (int k = 0; k < 3 && length > 0; k++)
        v[k] /= length;
    return length;
}

static void cross(const float *a, const float *b, float *out)
{
    out[0] = a[1] * b[2] - a[2] * b[1];
    out[1] = a[2] * b[0] - a[0] * b[2];
    out[2] = a[0] * b[1] - a[1] * b[0];
}

static void aim_camera(struct cp_render *render, const struct cp_view *view)
{
    struct camera *c = &render->camera;
    const float up[3] = {0, 1, 0};
    for (int k = 0; k < 3; k++) {
        c->eye[k] = view->eye[k];
        c->forward[k] = view->target[k] - view->eye[k];
    }
    if (!(normalize(c->forward) > 1e-6f)) { /* nowhere to look: straight ahead */
        c->forward[0] = c->forward[1] = 0;
        c->forward[2] = -1;
    }
    cross(c->forward, up, c->right);
    if (!(normalize(c->right) > 1e-4f)) { /* straight up or down */
        c->right[0] = 1;
        c->right[1] = c->right[2] = 0;
    }
    cross(c->right, c->forward, c->up);
    float fov = view->fov_y_rad > 0.02f ? view->fov_y_rad < 2.8f ? view->fov_y_rad : 2.8f : 0.02f;
    c->focal_px = (float)render->height * 0.5f / tanf(fov * 0.5f);
}

static void apply_pose(struct cp_render *render, int character, const struct cp_pose *pose)
{
    static const float STILL[12] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0};
    struct mesh *mesh = render->mesh;
    const struct character *who = &mesh->characters[character];
    for (int i = 0; i < who->n_targets; i++) {
        struct morph_target *target = &mesh->targets[who->first_target + i];
        float w = i < pose->n_targets ? pose->weight[i] : 0;
        w = w > -2 ? w < 2 ? w : 2 : -2;
        int32_t weight = isfinite(w) ? (int32_t)lrintf(w * WEIGHT_UNIT) : 0;
        if (weight == target->weight)
            continue;
        render->kernels->add_rows(mesh->accumulated, mesh->morph_rows + target->first_row,
                                  mesh->row_vertex + target->first_row, target->n_rows,
                                  weight - target->weight);
        target->weight = weight;
    }
    float(*skin)[12] = render->skin + character * CP_MODEL_MAX_JOINTS;
    for (int j = 0; j < CP_MODEL_MAX_JOINTS; j++)
        memcpy(skin[j], j < pose->n_joints ? pose->skin[j] : STILL, sizeof STILL);
}

/* Characters take turns, so that frames cost alike. */
static void draw_shadows(struct cp_render *render)
{
    for (int i = 0; i < render->mesh->n_characters; i++)
        if (!render->frame || (render->frame + i) % SHADOW_EVERY == 0) {
            cp_shadow_aim(render, i);
            render->kernels->draw_shadow(render, i);
        }
    render->frame++;
}

/* Any width and height that are even: whole blocks by the kernel, the rest through a scratch block. */
void cp_render_convert(const struct kernels *kernels, const uint32_t *rgb, int rgb_stride,
                       uint8_t *const plane[3], const int stride[3], int width, int height)
{
    int whole = width & ~15, rest = width - whole;
    if (whole)
        kernels->convert(rgb, rgb_stride, plane, stride, whole, height);
    for (int y = 0; rest && y < height; y += 2) {
        uint32_t block[32] = {0};
        _Alignas(64) uint8_t luma[32], u[16], v[16];
        uint8_t *const to[3] = {luma, u, v};
        const int to_stride[3] = {16, 8, 8};
        for (int j = 0; j < 2; j++)
            memcpy(block + 16 * j, rgb + (y + j) * rgb_stride + whole, (size_t)rest * sizeof block[0]);
        kernels->convert(block, 16, to, to_stride, 16, 2);
        for (int j = 0; j < 2; j++)
            memcpy(plane[0] + (y + j) * stride[0] + whole, luma + 16 * j, (size_t)rest);
        memcpy(plane[1] + y / 2 * stride[1] + whole / 2, u, (size_t)rest / 2);
        memcpy(plane[2] + y / 2 * stride[2] + whole / 2, v, (size_t)rest / 2);
    }
}

struct region { /* of the picture, pixels */
    int x, y, width, height;
};

static void copy_background(const struct cp_render *render, struct region at, struct cp_picture *out)
{
    if (!render->planes_ready) {
        uint8_t *const plane[3] = {out->plane[0] + at.y * out->stride[0] + at.x,
                                   out->plane[1] + at.y / 2 * out->stride[1] + at.x / 2,
                                   out->plane[2] + at.y / 2 * out->stride[2] + at.x / 2};
        cp_render_convert(render->kernels, render->background + at.y * render->width + at.x, render->width,
                          plane, out->stride, at.width, at.height);
        return;
    }
    for (int p = 0; p < 3; p++) {
        int half = p > 0, from_stride = render->width >> half;
        for (int y = at.y >> half; y < (at.y + at.height) >> half; y++)
            memcpy(out->plane[p] + y * out->stride[p] + (at.x >> half),
                   render->background_plane[p] + y * from_stride + (at.x >> half),
                   (size_t)(at.width >> half));
    }
}

static bool is_empty(const struct cp_render *render, int tile_x, int tile_y)
{
    const struct bin *bins = &render->bins[2 * (tile_y * render->tiles_x + tile_x)];
    if (bins[0].first >= 0 || bins[1].first >= 0)
        return false;
    int x = tile_x * TILE, y = tile_y * TILE;
    for (int i = 0; i < render->n_large; i++) {
        const struct large_record *r = &render->large[i];
        if (r->x0 < x + TILE && r->x1 >= x && r->y0 < y + TILE && r->y1 >= y)
            return false;
    }
    return true;
}

static void draw_tile(struct cp_render *render, int tile_x, int tile_y, struct cp_picture *out)
{
    const struct kernels *k = render->kernels;
    struct region at = {tile_x * TILE, tile_y * TILE, TILE, TILE};
    at.width = render->width - at.x < TILE ? render->width - at.x : TILE;
    at.height = render->height - at.y < TILE ? render->height - at.y : TILE;
    if (is_empty(render, tile_x, tile_y)) {
        copy_background(render, at, out);
        if (render->cutout)
            cp_cutout_clear_tile(render->cutout, at.x, at.y, at.width, at.height);
        return;
    }
    int64_t t0 = cp_clock_now_ns();
    k->raster(render, tile_x, tile_y);
    int64_t t1 = cp_clock_now_ns();
    k->classify(render, tile_x, tile_y);
    k->shade(render, tile_x, tile_y);
    int64_t t2 = cp_clock_now_ns();
    if (render->cutout)
        cp_cutout_tile(render, render->cutout, at.x, at.y, at.width, at.height);
    uint8_t *const plane[3] = {out->plane[0] + at.y * out->stride[0] + at.x,
                               out->plane[1] + at.y / 2 * out->stride[1] + at.x / 2,
                               out->plane[2] + at.y / 2 * out->stride[2] + at.x / 2};
    cp_render_convert(k, render->tile->color, TILE, plane, out->stride, at.width, at.height);
    render->stats.raster_ns += t1 - t0;
    render->stats.shade_ns += t2 - t1;
    render->stats.convert_ns += cp_clock_now_ns() - t2;
}

/* Nanoseconds since *mark, which moves on to now. */
static int64_t lap(int64_t *mark)
{
    int64_t now = cp_clock_now_ns(), spent = now - *mark;
    *mark = now;
    return spent;
}

void cp_render_begin_anew(struct cp_render *render)
{
    CP_ASSERT_THREAD("draw");
    render->frame = 0; /* all shadows are drawn */
    memset(render->seen, 0, (size_t)render->mesh->n_triangles);
    memset(render->hidden, 0, (size_t)render->mesh->n_triangles);
    render->background_ready = false;
}

void cp_render_aim(struct cp_render *render, const struct cp_view *view)
{
    CP_ASSERT_THREAD("draw");
    aim_camera(render, view);
    render->view = *view;
    render->background_ready = false; /* it does not belong to this view */
    if (render->scenery->screen)
        cp_screen_aim(render, render->scenery->screen, render->scenery->shown_on_screen, view);
}

void cp_render_cut_out(struct cp_render *render, struct cp_cutout *cutout)
{
    CP_ASSERT_THREAD("draw");
    render->cutout = cutout;
}

void cp_render_draw(struct cp_render *render, const struct cp_pose *const *poses, const struct cp_view *view,
                    struct cp_picture *out)
{
    CP_ASSERT_THREAD("draw");
    const struct kernels *k = render->kernels;
    struct cp_render_stats *stats = &render->stats;
    int64_t start = cp_clock_now_ns(), mark = start;
    *stats = (struct cp_render_stats){.overflows = stats->overflows, .level = k->level};
    aim_camera(render, view);
    render->hidden_period = cp_hidden_period(&render->view, view);
    cp_scenery_draw(render, view);
    stats->convert_ns = lap(&mark);
    for (int i = 0; i < render->mesh->n_characters; i++)
        apply_pose(render, i, poses[i]);
    stats->morph_ns = lap(&mark);
    k->place_vertices(render);
    stats->skin_ns = lap(&mark);
    bool anew = !render->frame;
    draw_shadows(render);
    if (anew) /* vertices of hair carry the light that the last shadows left them, and there were none */
        k->place_vertices(render);
    stats->shadow_ns = lap(&mark);
    k->set_up(render);
    cp_bin_records(render);
    cp_clip_irregular(render);
    stats->setup_ns = lap(&mark);
    for (int y = 0; y < render->tiles_y; y++)
        for (int x = 0; x < render->tiles_x; x++)
            draw_tile(render, x, y, out);
    mark = cp_clock_now_ns();
    cp_card_draw(view->card, view->card_shown, out, render->cutout);
    stats->overlay_ns = lap(&mark);
    stats->total_ns = mark - start;
    stats->triangles_in = render->mesh->n_triangles;
    stats->triangles_drawn = render->n_records + render->n_large;
}
