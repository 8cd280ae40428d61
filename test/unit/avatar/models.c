#include "models.h"

#include "base/buffer.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put_u32(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> 8 * i);
}

uint8_t *make_glb(const char *json, const void *bin, size_t bin_bytes, size_t *ret_length)
{
    size_t text = strlen(json), text_padded = (text + 3) & ~(size_t)3,
           bin_padded = (bin_bytes + 3) & ~(size_t)3;
    size_t length = 12 + 8 + text_padded + (bin_bytes ? 8 + bin_padded : 0);
    uint8_t *glb = calloc(1, length), *p = glb + 20 + text_padded;
    memcpy(glb, "glTF", 4);
    put_u32(glb + 4, 2);
    put_u32(glb + 8, (uint32_t)length);
    put_u32(glb + 12, (uint32_t)text_padded);
    memcpy(glb + 16, "JSON", 4);
    memset(glb + 20, ' ', text_padded);
    memcpy(glb + 20, json, text);
    if (bin_bytes) {
        put_u32(p, (uint32_t)bin_padded);
        memcpy(p + 4, "BIN\0", 4);
        memcpy(p + 8, bin, bin_bytes);
    }
    *ret_length = length;
    return glb;
}

int load_json(const char *json, const void *bin, size_t bin_bytes, struct cp_model **ret,
              struct cp_error *error)
{
    size_t length;
    uint8_t *glb = make_glb(json, bin, bin_bytes, &length);
    int err = cp_avatar_load(glb, length, "test", ret, error);
    free(glb);
    return err;
}

struct bone {
    enum cp_bone role;
    int parent;
    float place[3], place_out[3]; /* model space, arms hanging and arms out */
};

static const struct bone BONE[] = {
    {CP_BONE_HIPS, -1, {0, 0.95f, 0}, {0, 0.95f, 0}},
    {CP_BONE_SPINE, 0, {0, 1.05f, 0}, {0, 1.05f, 0}},
    {CP_BONE_CHEST, 1, {0, 1.25f, 0}, {0, 1.25f, 0}},
    {CP_BONE_NECK, 2, {0, 1.45f, 0}, {0, 1.45f, 0}},
    {CP_BONE_HEAD, 3, {0, 1.52f, 0.01f}, {0, 1.52f, 0.01f}},
    {CP_BONE_LEFT_EYE, 4, {0.03f, 1.6f, 0.08f}, {0.03f, 1.6f, 0.08f}},
    {CP_BONE_RIGHT_EYE, 4, {-0.03f, 1.6f, 0.08f}, {-0.03f, 1.6f, 0.08f}},
    {CP_BONE_LEFT_SHOULDER, 2, {0.04f, 1.4f, 0}, {0.04f, 1.4f, 0}},
    {CP_BONE_LEFT_UPPER_ARM, 7, {0.16f, 1.38f, 0}, {0.16f, 1.4f, 0}},
    {CP_BONE_LEFT_LOWER_ARM, 8, {0.19f, 1.12f, 0}, {0.42f, 1.4f, 0}},
    {CP_BONE_LEFT_HAND, 9, {0.2f, 0.88f, 0}, {0.66f, 1.4f, 0}},
    {CP_BONE_RIGHT_SHOULDER, 2, {-0.04f, 1.4f, 0}, {-0.04f, 1.4f, 0}},
    {CP_BONE_RIGHT_UPPER_ARM, 11, {-0.16f, 1.38f, 0}, {-0.16f, 1.4f, 0}},
    {CP_BONE_RIGHT_LOWER_ARM, 12, {-0.19f, 1.12f, 0}, {-0.42f, 1.4f, 0}},
    {CP_BONE_RIGHT_HAND, 13, {-0.2f, 0.88f, 0}, {-0.66f, 1.4f, 0}},
};
#define N_BONES (int)(sizeof BONE / sizeof *BONE)
#define N       (3 * N_BONES)

/* The binary chunk: positions, joints, weights, one moving vertex that all shapes share. */
struct figure_bytes {
    float position[N][3], weight[N][4], delta[3];
    uint32_t moved;
    uint8_t joint[N][4];
};

static void figure_nodes(struct cp_buffer *json, int arms_out)
{
    for (int b = 0; b < N_BONES; b++) {
        const float *at = arms_out ? BONE[b].place_out : BONE[b].place, none[3] = {0};
        const float *from = BONE[b].parent < 0 ? none
                            : arms_out         ? BONE[BONE[b].parent].place_out
                                               : BONE[BONE[b].parent].place;
        cp_buffer_printf(json, "{\"name\":\"%s\",\"translation\":[%g,%g,%g]", cp_bone_name(BONE[b].role),
                         at[0] - from[0], at[1] - from[1], at[2] - from[2]);
        int children = 0;
        for (int c = 0; c < N_BONES; c++)
            if (BONE[c].parent == b)
                cp_buffer_printf(json, "%s%d", children++ ? "," : ",\"children\":[", c);
        cp_buffer_text(json, children ? "]}," : "},");
    }
    cp_buffer_text(json, "{\"name\":\"face\",\"mesh\":0,\"skin\":0}");
}

uint8_t *make_figure_glb(int arms_out, size_t *ret_length)
{
    struct figure_bytes bytes = {.delta = {0, -0.01f, 0}, .moved = 12};
    struct cp_buffer json = cp_buffer_make(1 << 16);
    for (int i = 0; i < N; i++) {
        const float *at = arms_out ? BONE[i / 3].place_out : BONE[i / 3].place;
        for (int k = 0; k < 3; k++)
            bytes.position[i][k] = at[k] + (i % 3 == k ? 0.02f : 0);
        bytes.joint[i][0] = (uint8_t)(i / 3);
        bytes.weight[i][0] = 1;
    }
    cp_buffer_text(&json, "{\"asset\":{\"version\":\"2.0\"},\"nodes\":[");
    figure_nodes(&json, arms_out);
    cp_buffer_text(&json, "],\"skins\":[{\"joints\":[0");
    for (int b = 1; b < N_BONES; b++)
        cp_buffer_printf(&json, ",%d", b);
    cp_buffer_printf(&json,
                     "],\"inverseBindMatrices\":4}],\"materials\":[{\"name\":\"skin\"}],"
                     "\"buffers\":[{\"byteLength\":%zu}],\"bufferViews\":["
                     "{\"buffer\":0,\"byteOffset\":0,\"byteLength\":%zu},{\"buffer\":0,\"byteOffset\":%zu,"
                     "\"byteLength\":%zu},{\"buffer\":0,\"byteOffset\":%zu,\"byteLength\":%zu},"
                     "{\"buffer\":0,\"byteOffset\":%zu,\"byteLength\":4},"
                     "{\"buffer\":0,\"byteOffset\":%zu,\"byteLength\":12},"
                     "{\"buffer\":0,\"byteOffset\":%zu,\"byteLength\":%d}],",
                     sizeof bytes + 64 * N_BONES, sizeof bytes.position,
                     offsetof(struct figure_bytes, weight), sizeof bytes.weight,
                     offsetof(struct figure_bytes, joint), sizeof bytes.joint,
                     offsetof(struct figure_bytes, moved), offsetof(struct figure_bytes, delta), sizeof bytes,
                     64 * N_BONES);
    cp_buffer_printf(
        &json,
        "\"accessors\":[{\"bufferView\":0,\"componentType\":5126,\"type\":\"VEC3\",\"count\":%d},"
        "{\"bufferView\":1,\"componentType\":5126,\"type\":\"VEC4\",\"count\":%d},"
        "{\"bufferView\":2,\"componentType\":5121,\"type\":\"VEC4\",\"count\":%d},"
        "{\"componentType\":5126,\"type\":\"VEC3\",\"count\":%d,\"sparse\":{\"count\":1,"
        "\"indices\":{\"bufferView\":3,\"componentType\":5125},\"values\":{\"bufferView\":4}}},"
        "{\"bufferView\":5,\"componentType\":5126,\"type\":\"MAT4\",\"count\":%d}],",
        N, N, N, N, N_BONES);
    cp_buffer_text(&json, "\"meshes\":[{\"name\":\"face\",\"primitives\":[{\"material\":0,\"attributes\":{"
                          "\"POSITION\":0,\"WEIGHTS_0\":1,\"JOINTS_0\":2},\"targets\":[{\"POSITION\":3}");
    for (int s = 2; s < CP_SHAPE_COUNT; s++)
        cp_buffer_text(&json, ",{\"POSITION\":3}");
    for (int s = 1; s < CP_SHAPE_COUNT; s++)
        cp_buffer_printf(&json, "%s\"%s\"", s == 1 ? "]}],\"extras\":{\"targetNames\":[" : ",",
                         cp_shape_name((enum cp_shape)s));
    cp_buffer_text(&json, "]}}]}");
    struct {
        struct figure_bytes figure;
        float inverse[N_BONES][16];
    } all = {.figure = bytes};
    for (int b = 0; b < N_BONES; b++) {
        const float *at = arms_out ? BONE[b].place_out : BONE[b].place;
        for (int k = 0; k < 4; k++)
            all.inverse[b][5 * k] = 1;
        for (int k = 0; k < 3; k++)
            all.inverse[b][12 + k] = -at[k];
    }
    uint8_t *glb = make_glb(cp_buffer_string(&json), &all, sizeof all, ret_length);
    cp_buffer_free(&json);
    return glb;
}

struct cp_model *make_figure(int arms_out)
{
    size_t length;
    uint8_t *glb = make_figure_glb(arms_out, &length);
    struct cp_model *model = NULL;
    struct cp_error error;
    if (cp_avatar_load(glb, length, "figure", &model, &error))
        fprintf(stderr, "make_figure: %s\n", error.text);
    free(glb);
    return model;
}

const char *foreign_model(const char *name)
{
    static char path[PATH_MAX];
    char folder[PATH_MAX / 2];
    snprintf(folder, sizeof folder, "%s", SOURCE_ROOT);
    for (int up = 0; up < 6; up++) {
        snprintf(path, sizeof path, "%s/shared/avatars/%s", folder, name);
        if (!access(path, R_OK))
            return path;
        char *slash = strrchr(folder, '/');
        if (!slash)
            break;
        *slash = 0;
    }
    return NULL;
}
