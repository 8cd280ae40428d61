/* Loading of a character: glTF document -> struct cp_model. */
#include "avatar/load.h"
#include "avatar/avatar.h"
#include "avatar/transform.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void load_name(char *ret, size_t bytes, const char *name)
{
    size_t n = strlen(name);
    if (n >= bytes) {
        n = bytes - 1;
        while (n && ((unsigned char)name[n] & 0xC0) == 0x80)
            n--; /* not inside a UTF-8 sequence */
    }
    memcpy(ret, name, n);
    ret[n] = 0;
}

void load_note(struct cp_model *model, const char *format, ...)
{
    size_t n = strlen(model->notes), room = sizeof model->notes - n;
    va_list args;
    va_start(args, format);
    int length = vsnprintf(model->notes + n, room, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= room)
        model->notes[n] = 0;
}

bool load_grow(void **array, size_t *capacity, size_t need, size_t item_bytes)
{
    if (need <= *capacity)
        return true;
    size_t room = *capacity + *capacity / 2;
    if (room < need)
        room = need + 16;
    void *grown = realloc(*array, room * item_bytes);
    if (!grown)
        return false;
    *array = grown;
    *capacity = room;
    return true;
}

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
    free(model->springs);
    free(model->colliders);
    free(model->constraints);
    free(model);
}

static int joint_with_role(const struct cp_model *model, enum cp_bone bone)
{
    for (int j = 0; j < model->n_joints; j++)
        if (model->joints[j].role == (int)bone)
            return j;
    return -1;
}

/* Where a joint stands at rest: the inverse bind matrix turned round. */
static bool joint_place(const struct cp_model *model, int joint, float ret[3])
{
    float world[12];
    if (joint < 0 || !mat_invert(model->joints[joint].inverse_bind, world))
        return false;
    for (int k = 0; k < 3; k++)
        ret[k] = world[4 * k + 3];
    return true;
}

/* Mean height of all vertices of one surface kind; false when there are none. */
static bool surface_height(const struct cp_model *model, enum cp_surface surface, float *ret)
{
    double sum = 0;
    int64_t n = 0;
    for (int p = 0; p < model->n_parts; p++) {
        const struct cp_part *part = &model->parts[p];
        if (model->materials[part->material].surface != surface)
            continue;
        for (int i = 0; i < part->n_vertices; i++, n++)
            sum += model->vertices[part->first_vertex + i].position[1];
    }
    if (n)
        *ret = (float)(sum / (double)n);
    return n > 0;
}

/* The head's own skin, by its joint: chin to crown. Below the chin the neck's weight takes over. */
static bool head_span(const struct cp_model *model, int head, float *ret_low, float *ret_high)
{
    float low = 1e9f, high = -1e9f;
    for (int p = 0; p < model->n_parts; p++) {
        const struct cp_part *part = &model->parts[p];
        if (model->materials[part->material].surface != CP_SURFACE_SKIN)
            continue;
        for (int i = 0; i < part->n_vertices; i++) {
            const struct cp_vertex *v = &model->vertices[part->first_vertex + i];
            for (int k = 0; k < 4; k++)
                if (v->joint[k] == head && v->weight[k] > 0.9f) {
                    low = fminf(low, v->position[1]);
                    high = fmaxf(high, v->position[1]);
                }
        }
    }
    *ret_low = low;
    *ret_high = high;
    return high - low > 0.05f;
}

#define TOY_EYES 0.66f /* of the height */
#define TOY_HEAD 0.30f

/* True when nothing in the file says where its head is. */
static bool is_faceless(const struct cp_model *model)
{
    for (int j = 0; j < model->n_joints; j++)
        if (model->joints[j].role != CP_BONE_UNSET && strcmp(model->joints[j].name, LOAD_OWN_JOINT) != 0)
            return false;
    return true;
}

/* Finds the eyes' height and the head's: joints first, then surfaces, then proportions of a standing body. */
static void measure(struct cp_model *model)
{
    float low = 1e9f, high = -1e9f, left[3], right[3], head[3], eyes, chin, crown;
    for (int i = 0; i < model->n_vertices; i++) {
        low = fminf(low, model->vertices[i].position[1]);
        high = fmaxf(high, model->vertices[i].position[1]);
    }
    if (model->n_vertices == 0)
        low = high = 0;
    int head_joint = joint_with_role(model, CP_BONE_HEAD);
    bool has_head = joint_place(model, head_joint, head);
    if (joint_place(model, joint_with_role(model, CP_BONE_LEFT_EYE), left) &&
        joint_place(model, joint_with_role(model, CP_BONE_RIGHT_EYE), right))
        eyes = (left[1] + right[1]) / 2;
    else if (surface_height(model, CP_SURFACE_EYE, &eyes))
        ;
    else
        eyes = has_head ? head[1] + 0.4f * (high - head[1]) : low + 0.93f * (high - low);
    model->eye_height_m = eyes;
    model->head_height_m = 0.23f; /* of an adult */
    if (has_head && head_span(model, head_joint, &chin, &crown) && crown - chin < 1.0f) {
        model->head_height_m = crown - chin;
    } else if (is_faceless(model) && has_head) { /* a head alone, with its neck */
        model->head_height_m = 0.8f * (high - low);
    } else if (is_faceless(model)) { /* figures without bones tend to be toys with large heads: show more */
        model->eye_height_m = low + TOY_EYES * (high - low);
        model->head_height_m = TOY_HEAD * (high - low);
    }
}

static void free_load(struct load *load)
{
    gltf_close(&load->doc);
    for (int i = 0; i < CP_MODEL_MAX_TARGETS; i++)
        free(load->rows[i].row);
    free(load->nodes);
    free(load->materials);
    if (load->model)
        cp_ref_drop(load->model);
    free(load);
}

static int load_all(struct load *load)
{
    int err = load_nodes(load);
    if (!err)
        err = load_materials(load);
    if (!err)
        err = load_meshes(load);
    if (!err)
        err = load_springs(load);
    if (!err)
        err = load_constraints(load);
    if (!err)
        err = load_fold_joints(load);
    if (!err && load->model->n_triangles == 0 && gltf_extension(load->doc.root, "VRMC_vrm_animation"))
        err = gltf_fail(&load->doc, CP_ERR_UNSUPPORTED,
                        "this is a VRM Animation, a motion and no character: use it as an action");
    if (!err && load->model->n_triangles == 0)
        err = gltf_fail(&load->doc, CP_ERR_FORMAT, "the file holds no mesh that can be drawn");
    if (!err)
        err = load_expressions(load);
    if (err)
        return err;
    err = load_fit_body(load);
    if (!err)
        measure(load->model);
    return err;
}

static int load_bytes(const void *bytes, size_t length, const char *name, const char *folder,
                      struct cp_model **ret_model, struct cp_error *error)
{
    struct load *load = calloc(1, sizeof *load);
    struct cp_model *model = calloc(1, sizeof *model);
    if (!load || !model) {
        free(load);
        free(model);
        return cp_fail(error, CP_ERR_NOMEM, "avatar", "out of memory");
    }
    cp_ref_init(&model->ref, free_model);
    load_name(model->name, sizeof model->name, name ? name : "");
    load->model = model;
    int err = gltf_open(&load->doc, bytes, length, folder, error);
    if (!err)
        err = load_all(load);
    if (!err) {
        *ret_model = model;
        load->model = NULL;
    }
    free_load(load);
    return err;
}

int cp_avatar_load(const void *bytes, size_t length, const char *name, struct cp_model **ret_model,
                   struct cp_error *error)
{
    return load_bytes(bytes, length, name, NULL, ret_model, error);
}

int load_file(const char *path, uint8_t **ret_bytes, size_t *ret_length, struct cp_error *error)
{
    struct stat info;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &info) || !S_ISREG(info.st_mode)) {
        if (file)
            fclose(file);
        return cp_fail(error, CP_ERR_NOT_FOUND, "avatar", "the model file %.200s cannot be opened", path);
    }
    size_t length = (size_t)info.st_size;
    if (length > GLTF_MAX_FILE_BYTES) {
        fclose(file);
        return cp_fail(error, CP_ERR_LIMIT, "avatar", "the model file has %zu MB; at most %zu are read",
                       length >> 20, GLTF_MAX_FILE_BYTES >> 20);
    }
    uint8_t *bytes = malloc(length + 1);
    size_t got = bytes ? fread(bytes, 1, length, file) : 0;
    fclose(file);
    if (!bytes)
        return cp_fail(error, CP_ERR_NOMEM, "avatar", "out of memory");
    if (got != length) {
        free(bytes);
        return cp_fail(error, CP_ERR_IO, "avatar", "the model file %.200s cannot be read", path);
    }
    *ret_bytes = bytes;
    *ret_length = length;
    return 0;
}

int cp_avatar_load_file(const char *path, struct cp_model **ret_model, struct cp_error *error)
{
    char folder[1024] = ".";
    const char *slash = strrchr(path, '/');
    uint8_t *bytes;
    size_t length;
    int err = load_file(path, &bytes, &length, error);
    if (err)
        return err;
    if (slash && slash - path + 2 < (ptrdiff_t)sizeof folder)
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path + 1), path);
    err = load_bytes(bytes, length, slash ? slash + 1 : path, folder, ret_model, error);
    free(bytes);
    return err;
}
