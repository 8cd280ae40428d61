/*
 * What a character is as a whole: its size, and whether it has a skeleton at all. One without gets a joint
 * that carries everything, so that it does not stand like a statue: a head (scans and avatars for face
 * trackers are often no more) turns as a head, any other figure sways as a spine does.
 */
#include "avatar/load.h"
#include "avatar/transform.h"

#include <stdlib.h>
#include <string.h>

#define PERSON_M   1.7f
#define FIGURE_MIN 100   /* vertices: less is no figure, and stays as it is */
#define HEAD_M     0.3f  /* with its neck */
#define EYES_UP_M  1.55f /* a head without a body is put so high */
#define FACE_SHARE 0.3f  /* of a head's height is moved by its face shapes; of a body's less */
#define NECK_SHARE 0.12f /* of a head's height lies below where it turns */
#define EYES_SHARE 0.47f

/* Every place p becomes factor * p, then goes up. */
static void move_model(struct cp_model *model, float factor, float up_m)
{
    const float shift[3] = {0, up_m, 0};
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < model->n_vertices; i++)
            model->vertices[i].position[k] = factor * model->vertices[i].position[k] + shift[k];
        for (int i = 0; i < model->n_rows; i++)
            model->rows[i].position[k] *= factor;
        for (int j = 0; j < model->n_joints; j++)
            model->joints[j].translation[k] =
                factor * model->joints[j].translation[k] + (model->joints[j].parent < 0 ? shift[k] : 0);
        for (int s = 0; s < model->n_springs; s++)
            model->springs[s].tail[k] = factor * model->springs[s].tail[k] + shift[k];
        for (int c = 0; c < model->n_colliders; c++)
            for (int end = 0; end < 2; end++)
                model->colliders[c].end[end][k] = factor * model->colliders[c].end[end][k] + shift[k];
    }
    for (int j = 0; j < model->n_joints; j++) {
        float *bind = model->joints[j].inverse_bind, down[3];
        mat_vector(bind, shift, down);
        for (int k = 0; k < 3; k++)
            bind[4 * k + 3] = factor * bind[4 * k + 3] - down[k];
    }
    for (int s = 0; s < model->n_springs; s++)
        model->springs[s].hit_m *= factor;
    for (int c = 0; c < model->n_colliders; c++)
        model->colliders[c].radius_m *= factor;
}

static void span(const struct cp_model *model, float *ret_low, float *ret_high)
{
    *ret_low = 1e9f;
    *ret_high = -1e9f;
    for (int i = 0; i < model->n_vertices; i++) {
        *ret_low = fminf(*ret_low, model->vertices[i].position[1]);
        *ret_high = fmaxf(*ret_high, model->vertices[i].position[1]);
    }
}

/* True when morph targets move so much of its height that it can only be a head. */
static bool is_head(const struct cp_model *model, float height)
{
    float low = 1e9f, high = -1e9f;
    for (int r = 0; r < model->n_rows; r++) {
        float y = model->vertices[model->rows[r].vertex].position[1];
        low = fminf(low, y);
        high = fmaxf(high, y);
    }
    return high - low > FACE_SHARE * height;
}

static bool has_role(const struct cp_model *model, enum cp_bone first, enum cp_bone last)
{
    for (int j = 0; j < model->n_joints; j++)
        if (model->joints[j].role >= (int)first && model->joints[j].role <= (int)last)
            return true;
    return false;
}

/* Puts a joint above all others. */
static int add_root(struct load *load, enum cp_bone role, const float at[3])
{
    struct cp_model *model = load->model;
    int n = model->n_joints;
    if (n == CP_MODEL_MAX_JOINTS)
        return 0; /* then it stays as it is */
    struct cp_joint *joints = realloc(model->joints, ((size_t)n + 1) * sizeof *joints);
    if (!joints)
        return gltf_fail(&load->doc, CP_ERR_NOMEM, "out of memory");
    model->joints = joints;
    memmove(joints + 1, joints, (size_t)n * sizeof *joints);
    joints[0] = (struct cp_joint){.parent = -1, .role = role, .rotation = {0, 0, 0, 1}, .scale = {1, 1, 1}};
    load_name(joints[0].name, sizeof joints[0].name, LOAD_OWN_JOINT);
    memcpy(joints[0].inverse_bind, MAT_IDENTITY, sizeof MAT_IDENTITY);
    for (int k = 0; k < 3; k++) {
        joints[0].translation[k] = at[k];
        joints[0].inverse_bind[4 * k + 3] = -at[k];
    }
    for (int j = 1; j <= n; j++) {
        if (joints[j].parent < 0)
            for (int k = 0; k < 3; k++)
                joints[j].translation[k] -= at[k];
        joints[j].parent++;
    }
    for (int v = 0; v < model->n_vertices; v++)
        for (int k = 0; k < 4; k++)
            model->vertices[v].joint[k]++;
    for (int s = 0; s < model->n_springs; s++) {
        model->springs[s].joint++;
        model->springs[s].center += model->springs[s].center >= 0;
    }
    for (int c = 0; c < model->n_colliders; c++)
        model->colliders[c].joint++;
    for (int c = 0; c < model->n_constraints; c++) {
        model->constraints[c].joint++;
        model->constraints[c].source++;
    }
    model->n_joints++;
    return 0;
}

/* The middle of everything, from above. */
static void middle(const struct cp_model *model, float ret[3])
{
    double sum[2] = {0, 0};
    for (int i = 0; i < model->n_vertices; i++) {
        sum[0] += model->vertices[i].position[0];
        sum[1] += model->vertices[i].position[2];
    }
    ret[0] = (float)(sum[0] / fmax(model->n_vertices, 1));
    ret[2] = (float)(sum[1] / fmax(model->n_vertices, 1));
}

static int fit_head(struct load *load, float low, float high)
{
    struct cp_model *model = load->model;
    float height = high - low, factor = height < 0.15f || height > 0.6f ? HEAD_M / height : 1, at[3];
    move_model(model, factor, EYES_UP_M - factor * (low + EYES_SHARE * height));
    load_note(model, "It is a head without a body: it turns and nods as a whole.\n");
    if (has_role(model, CP_BONE_HEAD, CP_BONE_HEAD))
        return 0;
    span(model, &low, &high);
    middle(model, at);
    at[1] = low + NECK_SHARE * (high - low);
    return add_root(load, CP_BONE_HEAD, at);
}

int load_fit_body(struct load *load)
{
    struct cp_model *model = load->model;
    float low, high, at[3];
    bool boneless = model->n_vertices >= FIGURE_MIN && !has_role(model, CP_BONE_HIPS, CP_BONE_UPPER_CHEST) &&
                    !has_role(model, CP_BONE_LEFT_SHOULDER, CP_BONE_COUNT - 1);
    span(model, &low, &high);
    float height = high - low;
    if (!(height > 1e-3f))
        return 0;
    if (boneless && is_head(model, height))
        return fit_head(load, low, high);
    /* Some tools work in centimetres or in blocks: what is far from a person's size is brought to it, so that
     * cameras find it. */
    if (height <= 0.3f || height >= 4) {
        move_model(model, PERSON_M / height, 0);
        load_note(model, "It is %.2f m high: it is drawn %.1f m high.\n", (double)height, (double)PERSON_M);
        span(model, &low, &high);
    }
    if (!boneless || has_role(model, CP_BONE_NECK, CP_BONE_HEAD))
        return 0;
    middle(model, at);
    at[1] = low;
    load_note(model, "It has no skeleton: it sways a little as a whole.\n");
    return add_root(load, CP_BONE_SPINE, at);
}
