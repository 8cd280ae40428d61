/*
 * Vertices, triangles and morph targets. Every vertex is baked into the model's rest pose: for a skinned mesh
 * by its blended skinning matrix at rest, for a rigid one by its node's place (see load_nodes.c).
 */
#include "avatar/load.h"
#include "avatar/transform.h"

#include <stdio.h>
#include <stdlib.h>

enum mode { MODE_TRIANGLES = 4, MODE_STRIP = 5, MODE_FAN = 6 };

#define INFLUENCES 8 /* read up to two sets of four, keep the strongest four */

/* One skin: what its joints do at rest, and which of the model's joints they are. */
struct skin {
    size_t n;
    float (*bake)[12];
    uint16_t *joint;
};

/* One primitive on its way into the model. Arrays are the file's, by vertex. */
struct primitive {
    const json_t *json, *mesh;
    const struct load_node *node;
    const struct skin *skin; /* NULL: rigid */
    int material;
    size_t n, n_triangles;
    float *position, *normal, *tangent, *color, *uv, *weights[2];
    uint32_t *joints[2];
    uint32_t (*triangles)[3];
    float (*bake)[12]; /* by vertex; for a rigid primitive one for all */
    struct cp_vertex *out;
    uint32_t first; /* index of out[0] in the model */
};

static int out_of_memory(struct load *load)
{
    return gltf_fail(&load->doc, CP_ERR_NOMEM, "out of memory");
}

/* --- skins --- */

static int open_skin(struct load *load, int64_t index, struct skin *skin)
{
    const json_t *json = gltf_item(&load->doc, "skins", index), *joints = json_object_get(json, "joints");
    size_t n = json_array_size(joints);
    if (!n)
        return gltf_fail(&load->doc, CP_ERR_FORMAT, "skin %lld is missing or has no joints",
                         (long long)index);
    skin->n = n;
    skin->bake = calloc(n, sizeof *skin->bake);
    skin->joint = calloc(n, sizeof *skin->joint);
    float *inverse = NULL;
    if (!skin->bake || !skin->joint)
        return out_of_memory(load);
    int64_t accessor = gltf_int(json, "inverseBindMatrices", -1);
    if (accessor >= 0) {
        int err = gltf_read_floats(&load->doc, accessor, n, 16, 0, &inverse);
        if (err)
            return err;
    }
    for (size_t j = 0; j < n; j++) {
        const struct load_node *node = &load->nodes[json_integer_value(json_array_get(joints, j))];
        float bind[12];
        memcpy(bind, MAT_IDENTITY, sizeof bind);
        for (int r = 0; inverse && r < 3; r++)
            for (int c = 0; c < 4; c++)
                bind[4 * r + c] = inverse[16 * j + (size_t)(4 * c + r)];
        mat_multiply(node->world, bind, skin->bake[j]);
        skin->joint[j] = (uint16_t)node->joint;
    }
    free(inverse);
    return 0;
}

/* --- reading --- */

static int64_t attribute(const struct primitive *p, const char *name)
{
    return gltf_int(json_object_get(p->json, "attributes"), name, -1);
}

static int read_attribute(struct load *load, const struct primitive *p, const char *name, int width,
                          float fill, float **ret)
{
    int64_t accessor = attribute(p, name);
    return accessor < 0 ? 0 : gltf_read_floats(&load->doc, accessor, p->n, width, fill, ret);
}

static int read_attributes(struct load *load, struct primitive *p)
{
    char uv_name[24];
    snprintf(uv_name, sizeof uv_name, "TEXCOORD_%d", load->materials[p->material].uv_set);
    int err = read_attribute(load, p, "POSITION", 3, 0, &p->position);
    if (!err)
        err = read_attribute(load, p, "NORMAL", 3, 0, &p->normal);
    if (!err)
        err = read_attribute(load, p, "TANGENT", 4, 1, &p->tangent);
    if (!err)
        err = read_attribute(load, p, "COLOR_0", 4, 1, &p->color);
    if (!err)
        err = read_attribute(load, p, uv_name, 2, 0, &p->uv);
    for (int set = 0; !err && p->skin && set < INFLUENCES / 4; set++) {
        char joints[16], weights[16];
        snprintf(joints, sizeof joints, "JOINTS_%d", set);
        snprintf(weights, sizeof weights, "WEIGHTS_%d", set);
        if (attribute(p, joints) < 0 || attribute(p, weights) < 0)
            break;
        err = gltf_read_ints(&load->doc, attribute(p, joints), p->n, 4, &p->joints[set]);
        if (!err)
            err = read_attribute(load, p, weights, 4, 0, &p->weights[set]);
    }
    return err;
}

/* Turns a list, strip or fan of corners into triangles (section 3.7.2.1); drops those with equal corners. */
static void make_triangles(struct primitive *p, const uint32_t *corner, size_t n, int64_t mode)
{
    size_t count = mode == MODE_TRIANGLES ? n / 3 : n < 3 ? 0 : n - 2;
    for (size_t i = 0; i < count; i++) {
        size_t a = i, b = i + 1, c = i + 2;
        if (mode == MODE_TRIANGLES)
            a = 3 * i, b = a + 1, c = a + 2;
        else if (mode == MODE_FAN)
            a = 0;
        else if (i & 1)
            b = i + 2, c = i + 1;
        uint32_t *t = p->triangles[p->n_triangles];
        t[0] = corner ? corner[a] : (uint32_t)a;
        t[1] = corner ? corner[b] : (uint32_t)b;
        t[2] = corner ? corner[c] : (uint32_t)c;
        p->n_triangles += t[0] != t[1] && t[1] != t[2] && t[0] != t[2];
    }
}

static int read_triangles(struct load *load, struct primitive *p, int64_t mode)
{
    int64_t accessor = gltf_int(p->json, "indices", -1);
    uint32_t *corner = NULL;
    int64_t count = accessor >= 0 ? gltf_accessor_count(&load->doc, accessor) : (int64_t)p->n;
    if (count < 0 || count > 3 * (int64_t)GLTF_MAX_TRIANGLES)
        return gltf_fail(&load->doc, CP_ERR_LIMIT, "a mesh has %lld corners; at most %d are read",
                         (long long)count, 3 * GLTF_MAX_TRIANGLES);
    if (accessor >= 0) {
        int err = gltf_read_ints(&load->doc, accessor, (size_t)count, 1, &corner);
        if (err)
            return err;
    }
    for (int64_t i = 0; corner && i < count; i++)
        if (corner[i] >= p->n) {
            free(corner);
            return gltf_fail(&load->doc, CP_ERR_FORMAT,
                             "a triangle of the model names a vertex that is not there");
        }
    size_t room = (size_t)(mode == MODE_TRIANGLES ? count / 3 : count);
    p->triangles = calloc(room + 1, sizeof *p->triangles);
    if (p->triangles)
        make_triangles(p, corner, (size_t)count, mode);
    free(corner);
    return p->triangles ? 0 : out_of_memory(load);
}

/* --- baking --- */

/* The strongest four influences of a vertex, their sum 1, and the matrix they blend to. */
static int bind_vertex(struct load *load, const struct primitive *p, size_t i, struct cp_vertex *v,
                       float bake[12])
{
    float weight[4] = {0}, total = 0;
    uint32_t joint[4] = {0};
    for (int k = 0; k < INFLUENCES; k++) {
        if (!p->weights[k / 4])
            break;
        float w = p->weights[k / 4][4 * i + (size_t)(k % 4)];
        uint32_t j = p->joints[k / 4][4 * i + (size_t)(k % 4)];
        if (!(w > 0))
            continue;
        if (j >= p->skin->n)
            return gltf_fail(&load->doc, CP_ERR_FORMAT, "a vertex is bound to joint %u of a skin with %zu", j,
                             p->skin->n);
        int weakest = 0;
        for (int s = 1; s < 4; s++)
            if (weight[s] < weight[weakest])
                weakest = s;
        if (w > weight[weakest]) {
            weight[weakest] = w;
            joint[weakest] = j;
        }
    }
    for (int s = 0; s < 4; s++)
        total += weight[s];
    if (!(total > 0) || !isfinite(total))
        weight[0] = total = 1;
    memset(bake, 0, 12 * sizeof *bake);
    for (int s = 0; s < 4; s++) {
        v->weight[s] = weight[s] / total;
        v->joint[s] = p->skin->joint[joint[s]];
        for (int k = 0; k < 12; k++)
            bake[k] += v->weight[s] * p->skin->bake[joint[s]][k];
    }
    return 0;
}

static void fill_vertex(const struct load *load, const struct primitive *p, size_t i, const float bake[12],
                        struct cp_vertex *v)
{
    const struct load_material *material = &load->materials[p->material];
    float cofactor[12], mirror = mat_determinant(bake) < 0 ? -1 : 1;
    mat_point(bake, p->position + 3 * i, v->position);
    mat_cofactor(bake, cofactor);
    if (p->normal) {
        mat_vector(cofactor, p->normal + 3 * i, v->normal);
        for (int k = 0; k < 3; k++)
            v->normal[k] *= mirror;
        vec_normalize(v->normal);
    }
    if (p->tangent) {
        mat_vector(bake, p->tangent + 4 * i, v->tangent);
        vec_normalize(v->tangent);
    }
    v->occlusion = 1;
    for (int k = 0; k < 3; k++)
        v->color[k] = p->color ? clampf(p->color[4 * i + (size_t)k], 0, 1) : 1;
    if (p->color && material->occlusion)
        v->occlusion = clampf(p->color[4 * i + 3], 0, 1);
    if (p->uv) {
        const float *uv = p->uv + 2 * i, *m = material->uv;
        v->uv[0] = m[0] * uv[0] + m[1] * uv[1] + m[2];
        v->uv[1] = m[3] * uv[0] + m[4] * uv[1] + m[5];
    }
}

static int bake_vertices(struct load *load, struct primitive *p)
{
    bool mirrored = false;
    p->bake = calloc(p->skin ? p->n + 1 : 1, sizeof *p->bake);
    if (!p->bake)
        return out_of_memory(load);
    if (!p->skin)
        memcpy(p->bake[0], p->node->world, sizeof p->bake[0]);
    for (size_t i = 0; i < p->n; i++) {
        struct cp_vertex *v = &p->out[i];
        float *bake = p->bake[p->skin ? i : 0];
        if (p->skin) {
            int err = bind_vertex(load, p, i, v, bake);
            if (err)
                return err;
        } else {
            v->joint[0] = (uint16_t)p->node->joint;
            v->weight[0] = 1;
        }
        fill_vertex(load, p, i, bake, v);
        for (int k = 0; k < 3; k++)
            if (!(fabsf(v->position[k]) < 1e6f))
                return gltf_fail(&load->doc, CP_ERR_FORMAT, "a vertex of the model lies beyond 1000 km");
        if (i == 0)
            mirrored = mat_determinant(bake) < 0;
    }
    for (size_t t = 0; mirrored && t < p->n_triangles; t++) { /* keep the outside outside */
        uint32_t swap = p->triangles[t][1];
        p->triangles[t][1] = p->triangles[t][2];
        p->triangles[t][2] = swap;
    }
    return 0;
}

/* Normals and tangents that the file lacks; moves the triangles into the model. */
static int finish_vertices(struct load *load, struct primitive *p)
{
    const struct load_material *material = &load->materials[p->material];
    bool hair = load->model->materials[p->material].surface == CP_SURFACE_HAIR;
    if (!p->normal) {
        float(*position)[3] = calloc(p->n + 1, sizeof *position),
        (*normal)[3] = calloc(p->n + 1, sizeof *normal);
        if (position && normal) {
            for (size_t i = 0; i < p->n; i++)
                memcpy(position[i], p->out[i].position, sizeof position[i]);
            mesh_make_normals((const float(*)[3])position, p->n, (const uint32_t(*)[3])p->triangles,
                              p->n_triangles, NULL, normal);
            for (size_t i = 0; i < p->n; i++)
                memcpy(p->out[i].normal, normal[i], sizeof normal[i]);
        }
        bool failed = !position || !normal;
        free(position);
        free(normal);
        if (failed)
            return out_of_memory(load);
    }
    struct cp_model *model = load->model;
    for (size_t t = 0; t < p->n_triangles; t++)
        for (int c = 0; c < 3; c++)
            model->triangles[(size_t)model->n_triangles + t][c] = p->first + p->triangles[t][c];
    /* Foreign hair has tangents along u, as glTF wants them: strands run along v. */
    if (!p->tangent || (hair && !material->told))
        mesh_make_tangents(p->out, p->n, (const uint32_t(*)[3])(model->triangles + model->n_triangles),
                           p->n_triangles, p->first, hair);
    return 0;
}

/* --- morph targets --- */

/* The model's target of that name, made when it is new; -1 when there are too many. */
static int target_index(struct load *load, const char *name)
{
    struct cp_model *model = load->model;
    for (int i = 0; i < model->n_targets; i++)
        if (!strcmp(model->targets[i].name, name))
            return i;
    if (model->n_targets == CP_MODEL_MAX_TARGETS)
        return -1;
    struct cp_target *target = &model->targets[model->n_targets];
    load_name(target->name, sizeof target->name, name);
    target->shape = shape_of_name(name);
    return model->n_targets++;
}

/* The normals' change of a target that gives positions only: that of the faces around each moved vertex. */
static int make_normal_deltas(struct load *load, const struct primitive *p, const float *move, float *ret)
{
    float(*at)[3] = malloc((p->n + 1) * sizeof *at), (*before)[3] = malloc((p->n + 1) * sizeof *before),
    (*after)[3] = malloc((p->n + 1) * sizeof *after);
    uint8_t *touched = calloc(p->n + 1, 1);
    bool failed = !at || !before || !after || !touched;
    if (!failed) {
        for (size_t i = 0; i < p->n; i++) {
            const float *d = move + 3 * i;
            touched[i] = d[0] != 0 || d[1] != 0 || d[2] != 0;
            memcpy(at[i], p->position + 3 * i, sizeof at[i]);
        }
        mesh_make_normals((const float(*)[3])at, p->n, (const uint32_t(*)[3])p->triangles, p->n_triangles,
                          touched, before);
        for (size_t i = 0; i < 3 * p->n; i++)
            at[i / 3][i % 3] += move[i];
        mesh_make_normals((const float(*)[3])at, p->n, (const uint32_t(*)[3])p->triangles, p->n_triangles,
                          touched, after);
        for (size_t i = 0; i < 3 * p->n; i++)
            ret[i] = touched[i / 3] ? after[i / 3][i % 3] - before[i / 3][i % 3] : 0;
    }
    free(at);
    free(before);
    free(after);
    free(touched);
    return failed ? out_of_memory(load) : 0;
}

/* Adds the rows of one target: only vertices that move by more than a hundredth of a millimetre. */
static int add_rows(struct load *load, const struct primitive *p, int target, const float *move,
                    const float *turn)
{
    struct load_rows *rows = &load->rows[target];
    for (size_t i = 0; i < p->n; i++) {
        const float *bake = p->bake[p->skin ? i : 0];
        struct cp_target_row row = {.vertex = (int32_t)(p->first + i)};
        mat_vector(bake, move + 3 * i, row.position);
        float moved = vec_dot(row.position, row.position);
        if (!(moved > 1e-10f))
            continue;
        if (!(moved < 1e8f))
            return gltf_fail(&load->doc, CP_ERR_FORMAT, "morph target %.40s moves a vertex by over 10 km",
                             load->model->targets[target].name);
        float cofactor[12], mirror = mat_determinant(bake) < 0 ? -1 : 1;
        mat_cofactor(bake, cofactor);
        mat_vector(cofactor, turn + 3 * i, row.normal);
        float scale = cbrtf(fabsf(mat_determinant(bake))),
              factor = scale > 1e-6f ? mirror / (scale * scale) : 0;
        for (int k = 0; k < 3; k++)
            row.normal[k] *= factor;
        if (load->n_rows++ >= GLTF_MAX_ROWS)
            return gltf_fail(&load->doc, CP_ERR_LIMIT,
                             "the morph targets move more than %d vertices together", GLTF_MAX_ROWS);
        if (!load_grow((void **)&rows->row, &rows->capacity, rows->n + 1, sizeof row))
            return out_of_memory(load);
        rows->row[rows->n++] = row;
    }
    return 0;
}

static int read_target(struct load *load, const struct primitive *p, const json_t *json, int target)
{
    float *move = NULL, *turn = NULL;
    int64_t position = gltf_int(json, "POSITION", -1), normal = gltf_int(json, "NORMAL", -1);
    if (position < 0)
        return 0;
    int err = gltf_read_floats(&load->doc, position, p->n, 3, 0, &move);
    if (!err && normal >= 0)
        err = gltf_read_floats(&load->doc, normal, p->n, 3, 0, &turn);
    if (!err && !turn)
        err = gltf_work(&load->doc, 8 * p->n_triangles);
    if (!err && !turn) {
        turn = calloc(3 * p->n + 1, sizeof *turn);
        err = turn ? make_normal_deltas(load, p, move, turn) : out_of_memory(load);
    }
    if (!err)
        err = add_rows(load, p, target, move, turn);
    free(move);
    free(turn);
    return err;
}

void load_target_name(const json_t *mesh, const json_t *primitive, size_t index, char *ret, size_t bytes)
{
    const json_t *names = json_object_get(json_object_get(mesh, "extras"), "targetNames");
    if (!json_array_size(names)) /* some exporters name them on the primitive */
        names = json_object_get(json_object_get(primitive, "extras"), "targetNames");
    const char *name = json_string_value(json_array_get(names, index));
    char made[64];
    snprintf(made, sizeof made, "%.32s.%u", gltf_text(mesh, "name"), (unsigned)index);
    load_name(ret, bytes, name && *name ? name : made);
}

static int read_targets(struct load *load, const struct primitive *p)
{
    const json_t *targets = json_object_get(p->json, "targets");
    if (json_array_size(targets) > CP_MODEL_MAX_TARGETS)
        return gltf_fail(&load->doc, CP_ERR_LIMIT, "a mesh has more than %d morph targets",
                         CP_MODEL_MAX_TARGETS);
    for (size_t i = 0; i < json_array_size(targets); i++) {
        char name[sizeof load->model->targets->name];
        load_target_name(p->mesh, p->json, i, name, sizeof name);
        int target = target_index(load, name);
        if (target < 0)
            return gltf_fail(&load->doc, CP_ERR_LIMIT, "the model has more than %d morph targets",
                             CP_MODEL_MAX_TARGETS);
        int err = read_target(load, p, json_array_get(targets, i), target);
        if (err)
            return err;
    }
    return 0;
}

/* --- putting it together --- */

static int make_room(struct load *load, const struct primitive *p)
{
    struct cp_model *model = load->model;
    size_t vertices = (size_t)model->n_vertices + p->n,
           triangles = (size_t)model->n_triangles + p->n_triangles;
    if (vertices > GLTF_MAX_VERTICES || triangles > GLTF_MAX_TRIANGLES)
        return gltf_fail(&load->doc, CP_ERR_LIMIT,
                         "the model has more than %d vertices or %d triangles; simplify it",
                         GLTF_MAX_VERTICES, GLTF_MAX_TRIANGLES);
    if (!load_grow((void **)&model->vertices, &load->vertex_capacity, vertices, sizeof *model->vertices) ||
        !load_grow((void **)&model->triangles, &load->triangle_capacity, triangles,
                   sizeof *model->triangles) ||
        !load_grow((void **)&model->parts, &load->part_capacity, (size_t)model->n_parts + 1,
                   sizeof *model->parts))
        return out_of_memory(load);
    memset(model->vertices + model->n_vertices, 0, p->n * sizeof *model->vertices);
    return 0;
}

/* A material whose own name says nothing takes its kind from the first mesh that wears it. */
static void name_surface(struct load *load, const struct primitive *p)
{
    struct cp_material *material = &load->model->materials[p->material];
    if (material->surface == CP_SURFACE_UNSET)
        material->surface = surface_of_name(gltf_text(p->mesh, "name"));
    if (material->surface == CP_SURFACE_UNSET)
        material->surface = surface_of_name(p->node->name);
    if (material->surface == CP_SURFACE_UNSET)
        material->surface = CP_SURFACE_PLAIN;
}

static int add_primitive(struct load *load, struct primitive *p)
{
    struct cp_model *model = load->model;
    if (load->n_primitives++ >= GLTF_MAX_PRIMITIVES)
        return gltf_fail(&load->doc, CP_ERR_LIMIT, "the model has more than %d pieces; join them",
                         GLTF_MAX_PRIMITIVES);
    int64_t mode = gltf_int(p->json, "mode", MODE_TRIANGLES), position = attribute(p, "POSITION"),
            material = gltf_int(p->json, "material", load->default_material);
    if (mode < MODE_TRIANGLES || mode > MODE_FAN || position < 0)
        return 0; /* points and lines are not drawn */
    if (gltf_extension(p->json, "KHR_draco_mesh_compression"))
        return gltf_fail(&load->doc, CP_ERR_UNSUPPORTED,
                         "the model uses KHR_draco_mesh_compression, which is not read; export it without");
    int64_t n = gltf_accessor_count(&load->doc, position);
    if (n < 0 || material < 0 || material > load->default_material)
        return gltf_fail(&load->doc, CP_ERR_FORMAT, "mesh \"%.40s\" has no valid positions or material",
                         gltf_text(p->mesh, "name"));
    if (n > GLTF_MAX_VERTICES)
        return gltf_fail(&load->doc, CP_ERR_LIMIT, "a mesh has %lld vertices; at most %d are read",
                         (long long)n, GLTF_MAX_VERTICES);
    p->n = (size_t)n;
    p->material = (int)material;
    name_surface(load, p);
    int err = read_attributes(load, p);
    if (!err)
        err = read_triangles(load, p, mode);
    if (!err && p->n_triangles == 0)
        return 0;
    if (!err)
        err = make_room(load, p);
    if (err)
        return err;
    p->first = (uint32_t)model->n_vertices;
    p->out = model->vertices + p->first;
    err = bake_vertices(load, p);
    if (!err)
        err = finish_vertices(load, p);
    if (!err)
        err = read_targets(load, p);
    if (err)
        return err;
    struct cp_part *part = &model->parts[model->n_parts++];
    *part = (struct cp_part){.material = p->material,
                             .first_vertex = model->n_vertices,
                             .n_vertices = (int)p->n,
                             .first_triangle = model->n_triangles,
                             .n_triangles = (int)p->n_triangles};
    const char *name = gltf_text(p->mesh, "name");
    load_name(part->name, sizeof part->name, *name ? name : p->node->name);
    model->n_vertices += (int)p->n;
    model->n_triangles += (int)p->n_triangles;
    return 0;
}

static void free_primitive(struct primitive *p)
{
    free(p->position);
    free(p->normal);
    free(p->tangent);
    free(p->color);
    free(p->uv);
    for (int set = 0; set < INFLUENCES / 4; set++) {
        free(p->weights[set]);
        free(p->joints[set]);
    }
    free(p->triangles);
    free(p->bake);
}

static int add_node(struct load *load, const struct load_node *node)
{
    const json_t *mesh = gltf_item(&load->doc, "meshes", gltf_int(node->json, "mesh", -1));
    const json_t *primitives = json_object_get(mesh, "primitives");
    bool skinned = json_object_get(node->json, "skin");
    struct skin skin = {0};
    int err = 0;
    if (!mesh)
        return gltf_fail(&load->doc, CP_ERR_FORMAT, "node \"%.40s\" names a mesh that is not there",
                         node->name);
    if (skinned)
        err = open_skin(load, gltf_int(node->json, "skin", -1), &skin);
    for (size_t i = 0; !err && i < json_array_size(primitives); i++) {
        struct primitive p = {.json = json_array_get(primitives, i), .mesh = mesh, .node = node};
        p.skin = skinned ? &skin : NULL;
        err = add_primitive(load, &p);
        free_primitive(&p);
    }
    free(skin.bake);
    free(skin.joint);
    return err;
}

/* Brings the rows of all targets into one array, target after target. */
static int join_rows(struct load *load)
{
    struct cp_model *model = load->model;
    model->rows = calloc(load->n_rows + 1, sizeof *model->rows);
    if (!model->rows)
        return out_of_memory(load);
    for (int t = 0; t < model->n_targets; t++) {
        struct load_rows *rows = &load->rows[t];
        model->targets[t].first_row = model->n_rows;
        model->targets[t].n_rows = (int)rows->n;
        if (rows->n)
            memcpy(model->rows + model->n_rows, rows->row, rows->n * sizeof *rows->row);
        model->n_rows += (int)rows->n;
    }
    return 0;
}

int load_meshes(struct load *load)
{
    load->model->targets = calloc(CP_MODEL_MAX_TARGETS, sizeof *load->model->targets);
    if (!load->model->targets)
        return out_of_memory(load);
    int err = 0;
    for (int i = 0; !err && i < load->n_nodes; i++)
        if (load->nodes[i].drawn && json_object_get(load->nodes[i].json, "mesh"))
            err = add_node(load, &load->nodes[i]);
    for (int m = 0; m < load->model->n_materials; m++)
        if (load->model->materials[m].surface == CP_SURFACE_UNSET)
            load->model->materials[m].surface = CP_SURFACE_PLAIN;
    bool default_used = false;
    for (int p = 0; p < load->model->n_parts; p++)
        default_used |= load->model->parts[p].material == load->default_material;
    if (!default_used)
        load->model->n_materials--; /* it is the last */
    return err ? err : join_rows(load);
}
