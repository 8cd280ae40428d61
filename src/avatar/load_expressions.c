/*
 * VRM's expressions: which morph targets make the vowels and the blink. Such a target takes the expression's
 * name
 * ("aa", "blink"), by which acting finds it (foreign.c), unless it is one of ARKit's.
 */
#include "avatar/load.h"

#include <stdio.h>
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

/* The mesh's target of that number becomes `name`. */
static void name_target(struct load *load, const json_t *mesh, int64_t index, const char *name)
{
    struct cp_model *model = load->model;
    const json_t *primitive = json_array_get(json_object_get(mesh, "primitives"), 0);
    char before[sizeof model->targets->name];
    if (!mesh || index < 0 || index >= CP_MODEL_MAX_TARGETS)
        return;
    load_target_name(mesh, primitive, (size_t)index, before, sizeof before);
    int target = find_target(model, before);
    if (target >= 0 && model->targets[target].shape == CP_SHAPE_UNSET && find_target(model, name) < 0)
        load_name(model->targets[target].name, sizeof model->targets[target].name, name);
}

static void read_vrm1(struct load *load, const json_t *presets)
{
    for (size_t i = 0; i < sizeof PRESET / sizeof *PRESET; i++) {
        const json_t *binds = json_object_get(json_object_get(presets, PRESET[i].vrm1), "morphTargetBinds");
        const json_t *bind =
            json_array_get(binds, 0); /* further ones move the rest of the face along: rare */
        const json_t *node = gltf_item(&load->doc, "nodes", gltf_int(bind, "node", -1));
        const json_t *mesh = gltf_item(&load->doc, "meshes", gltf_int(node, "mesh", -1));
        name_target(load, mesh, gltf_int(bind, "index", -1), PRESET[i].vrm1);
    }
}

static void read_vrm0(struct load *load, const json_t *groups)
{
    for (size_t g = 0; g < json_array_size(groups); g++) {
        const json_t *group = json_array_get(groups, g);
        const json_t *bind = json_array_get(json_object_get(group, "binds"), 0);
        const json_t *mesh = gltf_item(&load->doc, "meshes", gltf_int(bind, "mesh", -1));
        for (size_t i = 0; i < sizeof PRESET / sizeof *PRESET; i++)
            if (!strcasecmp(gltf_text(group, "presetName"), PRESET[i].vrm0))
                name_target(load, mesh, gltf_int(bind, "index", -1), PRESET[i].vrm1);
    }
}

void load_expressions(struct load *load)
{
    const json_t *vrm1 = gltf_extension(load->doc.root, "VRMC_vrm"),
                 *vrm0 = gltf_extension(load->doc.root, "VRM");
    read_vrm1(load, json_object_get(json_object_get(vrm1, "expressions"), "preset"));
    if (!vrm1)
        read_vrm0(load, json_object_get(json_object_get(vrm0, "blendShapeMaster"), "blendShapeGroups"));
}
