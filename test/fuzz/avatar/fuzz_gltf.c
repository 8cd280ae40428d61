/* Any bytes as a character: load, look at it, and let it act for some frames; and as a motion, on a
 * character. */
#include "avatar/avatar.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cp_pose pose;
    static struct cp_avatar_report report;
    struct cp_model *model = NULL;
    struct cp_actor *actor = NULL;
    struct cp_error error;
    static struct cp_motion *last; /* moves the characters that come after it */
    struct cp_motion *motion = NULL;
    if (size <= 1 << 20 && !cp_motion_load(data, size, &motion, &error)) {
        cp_ref_drop(last);
        last = motion;
    }
    if (size > 1 << 20 || cp_avatar_load(data, size, "fuzz", &model, &error))
        return 0;
    cp_avatar_inspect(model, &report);
    /* What the renderer relies on. */
    for (int t = 0; t < model->n_triangles; t++)
        for (int c = 0; c < 3; c++)
            if (model->triangles[t][c] >= (uint32_t)model->n_vertices)
                abort();
    for (int v = 0; v < model->n_vertices; v++)
        for (int k = 0; k < 4; k++)
            if (model->vertices[v].joint[k] >= model->n_joints)
                abort();
    for (int j = 0; j < model->n_joints; j++)
        if (model->joints[j].parent >= j)
            abort();
    for (int r = 0; r < model->n_rows; r++)
        if (model->rows[r].vertex < 0 || model->rows[r].vertex >= model->n_vertices)
            abort();
    for (int p = 0; p < model->n_parts; p++)
        if (model->parts[p].material < 0 || model->parts[p].material >= model->n_materials ||
            model->materials[model->parts[p].material].texture >= model->n_textures)
            abort();
    for (int i = 0; i < model->n_springs; i++)
        if (model->springs[i].joint < 0 || model->springs[i].joint >= model->n_joints ||
            model->springs[i].center >= model->n_joints ||
            (i && model->springs[i].joint <= model->springs[i - 1].joint))
            abort();
    for (int i = 0; i < model->n_colliders; i++)
        if (model->colliders[i].joint < 0 || model->colliders[i].joint >= model->n_joints)
            abort();
    for (int i = 0; i < model->n_constraints; i++)
        if (model->constraints[i].joint < 0 || model->constraints[i].joint >= model->n_joints ||
            model->constraints[i].source < 0 || model->constraints[i].source >= model->n_joints)
            abort();
    if (model->n_joints > CP_MODEL_MAX_JOINTS)
        abort();
    if (cp_actor_create(model, 1, &actor, NULL) == 0) {
        const struct cp_sight sight = {.camera_eye = {0, 1.5f, 2}};
        struct cp_moment moment = {.gain = 1, .action = "greet"};
        if (last)
            cp_actor_add_motion(actor, "greet", last, NULL);
        for (int frame = 0; frame < 5; frame++, moment.at_samples += CP_SAMPLES_PER_FRAME) {
            if (frame == 3) /* one of our own takes over */
                moment.action[0] = 'n', moment.action[1] = 'o', moment.action[2] = 'd', moment.action[3] = 0;
            cp_actor_pose(actor, &moment, &sight, &pose);
        }
        cp_actor_destroy(actor);
    }
    cp_ref_drop(model);
    return 0;
}
