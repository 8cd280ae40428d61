/*
 * VRM's expressions: which morph targets make the vowels and the blink. Such a target takes the expression's
 * name
 * ("aa", "blink"), by which acting finds it (foreign.c), unless it is one of ARKit's.
 */
#include "avatar/load.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *vrm1, *vrm0;
} PRESET[] = {{"aa", "a"},
              {"ih", "i"},
              {"ou", "u"},
              {"ee", "e"},
              {"oh", "o"},
              {"blink", "blink"},
              {"blinkLeft", "blink_l"},
              {"blinkRight", "blink_r"}};

static int find_target(const struct cp_model *model, const char *name)
{
    for (int t = 0; t < model->n_targets; t++)
        if (!strcmp(model->targets[t].name, name))
            return t;
    return -1;
}

#define MAX_BINDS 16

/* What one expression is made of: targets of the model and how much of each. */
struct recipe {
    int n, target[MAX_BINDS];
    float weight[MAX_BINDS];
};

static void add_bind(const struct load *load, const json_t *mesh, int64_t index, float weight,
                     struct recipe *r)
{
    const json_t *primitive = json_array_get(json_object_get(mesh, "primitives"), 0);
    char name[sizeof load->model->targets->name];
    if (!mesh || index < 0 || index >= CP_MODEL_MAX_TARGETS || r->n == MAX_BINDS || !(weight > 0))
        return;
    load_target_name(mesh, primitive, (size_t)index, name, sizeof name);
    int target = find_target(load->model, name);
    for (int i = 0; i < r->n; i++)
        if (r->target[i] == target)
            return; /* several meshes' targets of one name are one target of the model */
    if (target < 0)
        return;
    r->target[r->n] = target;
    r->weight[r->n++] = weight;
}

/* Adds up what the recipe's targets do: `sum` holds six numbers a vertex. Returns how many vertices move. */
static size_t mix_rows(const struct cp_model *model, const struct recipe *r, float *sum)
{
    size_t n = 0;
    for (int i = 0; i < r->n; i++) {
        const struct cp_target *target = &model->targets[r->target[i]];
        for (int k = 0; k < target->n_rows; k++) {
            const struct cp_target_row *row = &model->rows[target->first_row + k];
            float *to = sum + 6 * (size_t)row->vertex;
            n += to[0] == 0 && to[1] == 0 && to[2] == 0;
            for (int c = 0; c < 3; c++) {
                to[c] += r->weight[i] * row->position[c];
                to[3 + c] += r->weight[i] * row->normal[c];
            }
        }
    }
    return n;
}

/* A new target of that name does what the recipe's do together. */
static int add_mixed(struct load *load, const char *name, const struct recipe *r)
{
    struct cp_model *model = load->model;
    float *sum = calloc((size_t)model->n_vertices * 6 + 1, sizeof *sum);
    size_t most = sum ? mix_rows(model, r, sum) : 0;
    struct cp_target_row *rows =
        sum ? realloc(model->rows, ((size_t)model->n_rows + most + 1) * sizeof *rows) : NULL;
    if (!rows) {
        free(sum);
        return gltf_fail(&load->doc, CP_ERR_NOMEM, "out of memory");
    }
    model->rows = rows;
    struct cp_target *target = &model->targets[model->n_targets++];
    *target = (struct cp_target){.first_row = model->n_rows, .shape = shape_of_name(name)};
    load_name(target->name, sizeof target->name, name);
    for (int v = 0; v < model->n_vertices && (size_t)target->n_rows < most; v++) {
        const float *from = sum + 6 * (size_t)v;
        if (from[0] == 0 && from[1] == 0 && from[2] == 0)
            continue;
        struct cp_target_row *row = &rows[target->first_row + target->n_rows++];
        row->vertex = v;
        memcpy(row->position, from, sizeof row->position);
        memcpy(row->normal, from + 3, sizeof row->normal);
    }
    model->n_rows += target->n_rows;
    free(sum);
    return 0;
}

/* One whole target takes the expression's name; a mixture becomes a target of its own. */
static int cook(struct load *load, const char *name, const struct recipe *r)
{
    struct cp_model *model = load->model;
    if (!r->n || find_target(model, name) >= 0)
        return 0;
    struct cp_target *only = &model->targets[r->target[0]];
    if (r->n == 1 && r->weight[0] > 0.99f) {
        if (only->shape == CP_SHAPE_UNSET) {
            load_name(only->name, sizeof only->name, name);
            only->shape = shape_of_name(name);
        }
        return 0;
    }
    if (model->n_targets == CP_MODEL_MAX_TARGETS || gltf_work(&load->doc, 8 * (size_t)model->n_vertices))
        return 0;
    return add_mixed(load, name, r);
}

/* The name by which acting knows an expression: a preset's, or that of one of ARKit's shapes; else NULL. */
static const char *known_name(const char *name, bool vrm0)
{
    for (size_t i = 0; i < sizeof PRESET / sizeof *PRESET; i++)
        if (!strcasecmp(name, vrm0 ? PRESET[i].vrm0 : PRESET[i].vrm1))
            return PRESET[i].vrm1;
    enum cp_shape shape = shape_of_name(name);
    return shape != CP_SHAPE_UNSET ? cp_shape_name(shape) : NULL;
}

static int read_vrm1(struct load *load, json_t *expressions)
{
    const char *key;
    json_t *value;
    int err = 0;
    json_object_foreach(expressions, key, value)
    {
        const json_t *binds = json_object_get(value, "morphTargetBinds");
        struct recipe recipe = {0};
        const char *name = known_name(key, false);
        for (size_t i = 0; name && i < json_array_size(binds); i++) {
            const json_t *bind = json_array_get(binds, i),
                         *node = gltf_item(&load->doc, "nodes", gltf_int(bind, "node", -1));
            add_bind(load, gltf_item(&load->doc, "meshes", gltf_int(node, "mesh", -1)),
                     gltf_int(bind, "index", -1), gltf_float(bind, "weight", 1), &recipe);
        }
        if (!err && name)
            err = cook(load, name, &recipe);
    }
    return err;
}

static int read_vrm0(struct load *load, const json_t *groups)
{
    int err = 0;
    for (size_t g = 0; !err && g < json_array_size(groups); g++) {
        const json_t *group = json_array_get(groups, g), *binds = json_object_get(group, "binds");
        struct recipe recipe = {0};
        const char *name = known_name(gltf_text(group, "presetName"), true);
        if (!name) /* presets of the author's own are called "unknown" */
            name = known_name(gltf_text(group, "name"), true);
        for (size_t i = 0; name && i < json_array_size(binds); i++) {
            const json_t *bind = json_array_get(binds, i);
            add_bind(load, gltf_item(&load->doc, "meshes", gltf_int(bind, "mesh", -1)),
                     gltf_int(bind, "index", -1), gltf_float(bind, "weight", 100) / 100, &recipe);
        }
        if (name)
            err = cook(load, name, &recipe);
    }
    return err;
}

int load_expressions(struct load *load)
{
    const json_t *vrm1 = gltf_extension(load->doc.root, "VRMC_vrm"),
                 *vrm0 = gltf_extension(load->doc.root, "VRM");
    const json_t *expressions = json_object_get(vrm1, "expressions");
    int err = read_vrm1(load, json_object_get(expressions, "preset"));
    if (!err)
        err = read_vrm1(load, json_object_get(expressions, "custom"));
    if (!err && !vrm1)
        err = read_vrm0(load, json_object_get(json_object_get(vrm0, "blendShapeMaster"), "blendShapeGroups"));
    return err;
}
