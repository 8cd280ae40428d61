/* Several models -> one: what the mesh is made from. */
#include "render/render_int.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static int check_model(const struct cp_model *model, struct cp_error *error)
{
    if (model->n_triangles < 1 || model->n_vertices < 3)
        return cp_fail(error, CP_ERR_INVALID, "render", "The model has no triangles.");
    if (model->n_joints > CP_MODEL_MAX_JOINTS || model->n_targets > CP_MODEL_MAX_TARGETS)
        return cp_fail(error, CP_ERR_LIMIT, "render", "The model has too many joints or morph targets.");
    for (int t = 0; t < model->n_triangles; t++)
        for (int k = 0; k < 3; k++)
            if (model->triangles[t][k] >= (uint32_t)model->n_vertices)
                return cp_fail(error, CP_ERR_INVALID, "render",
                               "Triangle %d names a vertex that is not there.", t);
    for (int p = 0; p < model->n_parts; p++) {
        const struct cp_part *part = &model->parts[p];
        if (part->first_triangle < 0 || part->n_triangles < 0 ||
            part->n_triangles > model->n_triangles - part->first_triangle ||
            part->material >= model->n_materials)
            return cp_fail(error, CP_ERR_INVALID, "render", "Part \"%s\" lies outside the model.",
                           part->name);
    }
    for (int i = 0; i < model->n_targets; i++) {
        const struct cp_target *target = &model->targets[i];
        if (target->first_row < 0 || target->n_rows < 0 || target->n_rows > model->n_rows - target->first_row)
            return cp_fail(error, CP_ERR_INVALID, "render", "Morph target \"%s\" lies outside the model.",
                           target->name);
    }
    return 0;
}

/* Adds to a count; false when the sum leaves an int. */
static bool grow(int *count, int by)
{
    return by >= 0 && !__builtin_add_overflow(*count, by, count);
}

static void append_vertices(const struct cp_model *from, int character, struct cp_model *to)
{
    struct cp_vertex *out = to->vertices + to->n_vertices;
    memcpy(out, from->vertices, (size_t)from->n_vertices * sizeof *out);
    for (int v = 0; v < from->n_vertices; v++)
        for (int k = 0; k < 4; k++) {
            if (out[v].joint[k] >= from->n_joints) { /* names a joint that is not there */
                out[v].joint[k] = 0;
                out[v].weight[k] = 0;
            }
            out[v].joint[k] = (uint16_t)(out[v].joint[k] + character * CP_MODEL_MAX_JOINTS);
        }
    for (int t = 0; t < from->n_triangles; t++)
        for (int k = 0; k < 3; k++)
            to->triangles[to->n_triangles + t][k] = from->triangles[t][k] + (uint32_t)to->n_vertices;
    for (int i = 0; i < from->n_rows; i++) {
        struct cp_target_row *row = &to->rows[to->n_rows + i];
        *row = from->rows[i];
        row->vertex = row->vertex >= 0 && row->vertex < from->n_vertices ? row->vertex + to->n_vertices : -1;
    }
}

/* Parts, with one material more for those that have none; a model without parts is one. */
static void append_parts(const struct cp_model *from, struct cp_model *to)
{
    static const struct cp_material PLAIN = {
        .surface = CP_SURFACE_PLAIN, .base_color = {1, 1, 1, 1}, .roughness = 0.8f, .texture = -1};
    const struct cp_part whole = {.material = -1, .n_triangles = from->n_triangles};
    int n = from->n_parts ? from->n_parts : 1;
    for (int p = 0; p < n; p++) {
        struct cp_part *part = &to->parts[to->n_parts + p];
        *part = from->n_parts ? from->parts[p] : whole;
        part->first_triangle += to->n_triangles;
        part->material = to->n_materials + (part->material < 0 ? from->n_materials : part->material);
    }
    to->n_parts += n;
    for (int i = 0; i <= from->n_materials; i++) {
        struct cp_material *material = &to->materials[to->n_materials + i];
        *material = i < from->n_materials ? from->materials[i] : PLAIN;
        bool known = material->texture >= 0 && material->texture < from->n_textures;
        material->texture = known ? material->texture + to->n_textures : -1;
    }
    to->n_materials += from->n_materials + 1;
}

static void append(const struct cp_model *from, int character, struct cp_model *to, struct character *ret)
{
    *ret = (struct character){
        .first_material = to->n_materials,
        .n_materials = from->n_materials + 1,
        .first_part = to->n_parts,
        .n_parts = from->n_parts ? from->n_parts : 1,
        .first_target = to->n_targets,
        .n_targets = from->n_targets,
        .eye_height_m = from->eye_height_m,
        .head_height_m = from->head_height_m,
    };
    append_vertices(from, character, to);
    append_parts(from, to);
    for (int i = 0; i < from->n_targets; i++) {
        to->targets[to->n_targets + i] = from->targets[i];
        to->targets[to->n_targets + i].first_row += to->n_rows;
    }
    for (int i = 0; i < from->n_textures; i++)
        to->textures[to->n_textures + i] = from->textures[i];
    to->n_vertices += from->n_vertices;
    to->n_triangles += from->n_triangles;
    to->n_targets += from->n_targets;
    to->n_rows += from->n_rows;
    to->n_textures += from->n_textures;
    to->n_joints = character * CP_MODEL_MAX_JOINTS + from->n_joints;
}

int cp_join_models(const struct cp_stage_spec *spec, struct cp_model *ret_joined,
                   struct character characters[CP_STAGE_CHARACTERS], struct cp_error *error)
{
    struct cp_model room = {0};
    bool fits = true;
    for (int i = 0; i < spec->n_models; i++) {
        const struct cp_model *m = spec->models[i];
        int err = check_model(m, error);
        if (err)
            return err;
        fits &= grow(&room.n_vertices, m->n_vertices) && grow(&room.n_triangles, m->n_triangles) &&
                grow(&room.n_parts, m->n_parts + 1) && grow(&room.n_materials, m->n_materials + 1) &&
                grow(&room.n_textures, m->n_textures) && grow(&room.n_targets, m->n_targets) &&
                grow(&room.n_rows, m->n_rows);
    }
    if (!fits)
        return cp_fail(error, CP_ERR_LIMIT, "render", "The characters are too big.");
    struct cp_model joined = {
        .vertices = malloc(((size_t)room.n_vertices + 1) * sizeof *joined.vertices),
        .triangles = malloc(((size_t)room.n_triangles + 1) * sizeof *joined.triangles),
        .parts = malloc(((size_t)room.n_parts + 1) * sizeof *joined.parts),
        .materials = malloc(((size_t)room.n_materials + 1) * sizeof *joined.materials),
        .textures = calloc((size_t)room.n_textures + 1, sizeof *joined.textures),
        .targets = calloc((size_t)room.n_targets + 1, sizeof *joined.targets),
        .rows = calloc((size_t)room.n_rows + 1, sizeof *joined.rows),
    };
    *ret_joined = joined;
    if (!joined.vertices || !joined.triangles || !joined.parts || !joined.materials || !joined.textures ||
        !joined.targets || !joined.rows)
        return cp_fail(error, CP_ERR_NOMEM, "render", "Out of memory for the characters.");
    for (int i = 0; i < spec->n_models; i++)
        append(spec->models[i], i, ret_joined, &characters[i]);
    return 0;
}

void cp_joined_clear(struct cp_model *joined)
{
    free(joined->vertices);
    free(joined->triangles);
    free(joined->parts);
    free(joined->materials);
    free(joined->textures);
    free(joined->targets);
    free(joined->rows);
}
