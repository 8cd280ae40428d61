#include "scene.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void free_model(void *object)
{
    struct cp_model *model = object;
    for (int i = 0; i < model->n_textures; i++)
        free(model->textures[i].rgba);
    free(model->vertices);
    free(model->triangles);
    free(model->parts);
    free(model->materials);
    free(model->textures);
    free(model->targets);
    free(model->rows);
    free(model->joints);
    free(model);
}

struct cp_model *scene_model(int max_vertices, int max_triangles, int n_materials)
{
    struct cp_model *model = calloc(1, sizeof *model);
    cp_ref_init(&model->ref, free_model);
    model->vertices = calloc((size_t)max_vertices, sizeof *model->vertices);
    model->triangles = calloc((size_t)max_triangles, sizeof *model->triangles);
    model->parts = calloc(64, sizeof *model->parts);
    model->materials = calloc((size_t)n_materials, sizeof *model->materials);
    model->textures = calloc(4, sizeof *model->textures);
    model->joints = calloc(1, sizeof *model->joints);
    model->n_materials = n_materials;
    model->n_joints = 1;
    model->eye_height_m = 1.5f;
    model->head_height_m = 0.22f;
    for (int i = 0; i < n_materials; i++)
        model->materials[i] = (struct cp_material){
            .surface = CP_SURFACE_PLAIN, .base_color = {1, 1, 1, 1}, .roughness = 0.8f, .texture = -1};
    return model;
}

static int add_vertex(struct cp_model *model, const float p[3], const float n[3], const float color[3],
                      float u, float v)
{
    struct cp_vertex *vertex = &model->vertices[model->n_vertices];
    *vertex = (struct cp_vertex){.occlusion = 1, .uv = {u, v}, .weight = {1, 0, 0, 0}, .tangent = {0, 1, 0}};
    memcpy(vertex->position, p, sizeof vertex->position);
    memcpy(vertex->normal, n, sizeof vertex->normal);
    memcpy(vertex->color, color, sizeof vertex->color);
    return model->n_vertices++;
}

static void add_triangle(struct cp_model *model, int a, int b, int c)
{
    uint32_t *t = model->triangles[model->n_triangles++];
    t[0] = (uint32_t)a;
    t[1] = (uint32_t)b;
    t[2] = (uint32_t)c;
    model->parts[model->n_parts - 1].n_triangles++;
}

static void open_part(struct cp_model *model, int material)
{
    model->parts[model->n_parts++] = (struct cp_part){
        .material = material, .first_vertex = model->n_vertices, .first_triangle = model->n_triangles};
}

void scene_add_sphere(struct cp_model *model, int material, const float center[3], float radius, int rings,
                      const float color[3])
{
    int first = model->n_vertices, columns = 2 * rings;
    open_part(model, material);
    for (int i = 0; i <= rings; i++)
        for (int j = 0; j <= columns; j++) {
            float a = (float)M_PI * (float)i / (float)rings, b = 2 * (float)M_PI * (float)j / (float)columns;
            float n[3] = {sinf(a) * sinf(b), cosf(a), sinf(a) * cosf(b)}, p[3];
            for (int k = 0; k < 3; k++)
                p[k] = center[k] + radius * n[k];
            add_vertex(model, p, n, color, 0.5f + 0.5f * n[0], 0.5f - 0.5f * n[1]);
        }
    for (int i = 0; i < rings; i++)
        for (int j = 0; j < columns; j++) {
            int a = first + i * (columns + 1) + j, b = a + columns + 1;
            add_triangle(model, a, b, b + 1);
            add_triangle(model, a, b + 1, a + 1);
        }
}

void scene_add_triangle(struct cp_model *model, int material, const float a[3], const float b[3],
                        const float c[3], const float color[3])
{
    const float n[3] = {0, 0, 1};
    open_part(model, material);
    int first = add_vertex(model, a, n, color, 0, 0);
    add_vertex(model, b, n, color, 1, 0);
    add_vertex(model, c, n, color, 0, 1);
    add_triangle(model, first, first + 1, first + 2);
}

void scene_add_quad(struct cp_model *model, int material, float x0, float y0, float x1, float y1, float z,
                    const float color[3])
{
    const float n[3] = {0, 0, 1}, p[4][3] = {{x0, y0, z}, {x1, y0, z}, {x1, y1, z}, {x0, y1, z}};
    open_part(model, material);
    int first = model->n_vertices;
    for (int i = 0; i < 4; i++)
        add_vertex(model, p[i], n, color, i == 1 || i == 2, i < 2);
    add_triangle(model, first, first + 1, first + 2);
    add_triangle(model, first, first + 2, first + 3);
}

struct cp_model *scene_person(int rings)
{
    struct cp_model *m =
        scene_model(40 * (rings + 1) * (2 * rings + 2), 60 * rings * rings, CP_SURFACE_COUNT);
    for (int i = 1; i < CP_SURFACE_COUNT; i++)
        m->materials[i].surface = i;
    const float skin[3] = {0.62f, 0.36f, 0.26f}, hair[3] = {0.10f, 0.05f, 0.03f},
                iris[3] = {0.15f, 0.08f, 0.03f};
    const float blue[3] = {0.02f, 0.03f, 0.09f}, white[3] = {0.8f, 0.8f, 0.78f}, red[3] = {0.4f, 0.1f, 0.1f};
    scene_add_sphere(m, CP_SURFACE_SKIN, (const float[3]){0, 1.48f, 0}, 0.10f, rings, skin);
    scene_add_sphere(m, CP_SURFACE_HAIR, (const float[3]){0, 1.51f, -0.03f}, 0.11f, rings, hair);
    scene_add_sphere(m, CP_SURFACE_EYE, (const float[3]){0.033f, 1.50f, 0.088f}, 0.0125f, rings / 2, iris);
    scene_add_sphere(m, CP_SURFACE_EYE, (const float[3]){-0.033f, 1.50f, 0.088f}, 0.0125f, rings / 2, iris);
    scene_add_sphere(m, CP_SURFACE_MOUTH, (const float[3]){0, 1.43f, 0.085f}, 0.015f, rings / 2, red);
    scene_add_sphere(m, CP_SURFACE_TEETH, (const float[3]){0, 1.437f, 0.094f}, 0.008f, rings / 2, white);
    scene_add_sphere(m, CP_SURFACE_LASH, (const float[3]){0.033f, 1.52f, 0.094f}, 0.006f, rings / 4 + 2,
                     hair);
    scene_add_sphere(m, CP_SURFACE_METAL, (const float[3]){0.1f, 1.45f, 0.01f}, 0.006f, rings / 4 + 2, white);
    scene_add_sphere(m, CP_SURFACE_PLAIN, (const float[3]){0, 1.375f, 0.02f}, 0.05f, rings / 2, white);
    scene_add_sphere(m, CP_SURFACE_CLOTH, (const float[3]){0, 1.13f, -0.02f}, 0.24f, rings, blue);
    /* One target: the head's lower half moves down. */
    const struct cp_part *head = &m->parts[0];
    int end = m->parts[1].first_vertex;
    m->targets = calloc(1, sizeof *m->targets);
    m->rows = calloc((size_t)end, sizeof *m->rows);
    m->n_targets = 1;
    for (int v = head->first_vertex; v < end; v++)
        if (m->vertices[v].position[1] < 1.46f)
            m->rows[m->n_rows++] =
                (struct cp_target_row){.vertex = v, .position = {0, -0.02f, 0}, .normal = {0, 0.1f, 0}};
    m->targets[0].n_rows = m->n_rows;
    return m;
}

struct cp_pose scene_rest(const struct cp_model *model)
{
    struct cp_pose pose = {.n_targets = model->n_targets, .n_joints = model->n_joints};
    for (int j = 0; j < pose.n_joints; j++)
        pose.skin[j][0] = pose.skin[j][5] = pose.skin[j][10] = 1;
    return pose;
}

struct stage stage_open(struct cp_model *model, const char *level, int samples, const char *set, int width,
                        int height)
{
    struct stage stage = {.model = model};
    struct cp_render_config config = {.samples = samples};
    struct cp_error error = {0};
    strcpy(config.level, level);
    const struct cp_stage_spec spec = {
        .models = {model}, .n_models = 1, .set = cp_render_find_set(set), .width = width, .height = height};
    int err = cp_render_create(&config, &spec, &stage.render, &error);
    if (err)
        fail_msg("%s", error.text);
    stage.pool = cp_picture_pool_create(width, height, 1);
    stage.picture = cp_picture_get(stage.pool, width, height);
    assert_true(cp_render_frame_camera(cp_render_find_set(set), "", model, width, height, &stage.view));
    return stage;
}

void stage_look(struct stage *stage, const float eye[3], const float target[3], float fov_deg)
{
    memcpy(stage->view.eye, eye, sizeof stage->view.eye);
    memcpy(stage->view.target, target, sizeof stage->view.target);
    stage->view.fov_y_rad = fov_deg * (float)M_PI / 180;
}

void stage_draw(struct stage *stage, const struct cp_pose *pose, int frames)
{
    struct cp_pose rest = scene_rest(stage->model);
    for (int i = 0; i < frames; i++)
        cp_render_draw(stage->render, (const struct cp_pose *const[]){pose ? pose : &rest}, &stage->view,
                       stage->picture);
}

void stage_close(struct stage *stage)
{
    cp_render_destroy(stage->render);
    cp_ref_drop(stage->picture);
    cp_pool_destroy(stage->pool);
    cp_ref_drop(stage->model);
}

double scene_psnr(const struct cp_picture *a, const struct cp_picture *b)
{
    double sum = 0;
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++) {
            double d = scene_luma(a, x, y) - scene_luma(b, x, y);
            sum += d * d;
        }
    sum /= (double)a->width * a->height;
    return sum > 0 ? 10 * log10(255 * 255 / sum) : 99;
}

double scene_worst_block(const struct cp_picture *a, const struct cp_picture *b)
{
    double worst = 0;
    for (int y = 0; y + 8 <= a->height; y += 8)
        for (int x = 0; x + 8 <= a->width; x += 8) {
            int sum = 0;
            for (int j = 0; j < 8; j++)
                for (int i = 0; i < 8; i++)
                    sum += scene_luma(a, x + i, y + j) - scene_luma(b, x + i, y + j);
            worst = fmax(worst, fabs(sum / 64.0));
        }
    return worst;
}

uint64_t scene_hash(const struct cp_picture *picture)
{
    uint64_t hash = 1469598103934665603u;
    for (int p = 0; p < 3; p++)
        for (int y = 0; y < picture->height >> (p > 0); y++)
            for (int x = 0; x < picture->width >> (p > 0); x++)
                hash = (hash ^ picture->plane[p][y * picture->stride[p] + x]) * 1099511628211u;
    return hash;
}
