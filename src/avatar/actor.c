/* The actor: puts mouth, eyes, head, body and feelings together into one pose a frame. */
#include "avatar/acting.h"
#include "avatar/avatar.h"
#include "avatar/transform.h"

#include <stdlib.h>

struct cp_actor {
    struct rig rig;
    uint64_t seed;
};

int cp_actor_create(struct cp_model *model, uint64_t seed, struct cp_actor **ret_actor,
                    struct cp_error *error)
{
    struct cp_actor *actor = calloc(1, sizeof *actor);
    if (!actor)
        return cp_fail(error, CP_ERR_NOMEM, "avatar", "out of memory");
    rig_init(&actor->rig, cp_ref_take(model));
    actor->seed = seed;
    *ret_actor = actor;
    return 0;
}

void cp_actor_destroy(struct cp_actor *actor)
{
    if (!actor)
        return;
    cp_ref_drop(actor->rig.model);
    free(actor);
}

void cp_actor_pose(struct cp_actor *actor, const struct cp_moment *moment, const float camera_eye[3],
                   struct cp_pose *ret_pose)
{
    const struct rig *rig = &actor->rig;
    struct mouth mouth;
    struct stance stance;
    (void)camera_eye;
    mouth_at(moment->utterance, moment->offset_samples, &mouth);
    stance_clear(&stance);
    ret_pose->at_samples = moment->at_samples;
    ret_pose->n_targets = rig->model->n_targets;
    ret_pose->n_joints = rig->model->n_joints;
    memset(ret_pose->weight, 0, sizeof ret_pose->weight);
    for (int s = CP_SHAPE_UNSET + 1; s < CP_SHAPE_COUNT; s++)
        if (rig->target[s] >= 0)
            ret_pose->weight[rig->target[s]] = mouth.shape[s] * moment->gain;
    rig_skin(rig, &stance, ret_pose->skin);
}

const char *const *cp_actor_actions(void)
{
    static const char *const actions[] = {NULL};
    return actions;
}
