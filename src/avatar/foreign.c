/*
 * Faces made for other sets of shapes: the five vowels and a blink of VRM, VRoid and MikuMikuDance, or the
 * visemes of Oculus. They are driven from the ARKit weights, only where the model lacks ARKit's own. More
 * sets are more rows of the table.
 */
#include "avatar/acting.h"
#include "avatar/transform.h"

static const struct {
    const char *name;
    enum drive drive;
} NAME[] = {
    {"Fcl_MTH_A", DRIVE_AA},
    {"Fcl_MTH_I", DRIVE_IH},
    {"Fcl_MTH_U", DRIVE_OU},
    {"Fcl_MTH_E", DRIVE_EE},
    {"Fcl_MTH_O", DRIVE_OH},
    {"Fcl_MTH_Fun", DRIVE_SMILE},
    {"Fcl_EYE_Close_L", DRIVE_BLINK_LEFT},
    {"Fcl_EYE_Close_R", DRIVE_BLINK_RIGHT},
    {"viseme_aa", DRIVE_AA},
    {"viseme_I", DRIVE_IH},
    {"viseme_U", DRIVE_OU},
    {"viseme_E", DRIVE_EE},
    {"viseme_O", DRIVE_OH},
    {"viseme_ih", DRIVE_IH},
    {"viseme_ou", DRIVE_OU},
    {"viseme_oh", DRIVE_OH},
    {"mouthOpen", DRIVE_AA}, /* Ready Player Me's small set */
    {"mouthSmile", DRIVE_SMILE},
    {"eyesClosed", DRIVE_BLINK},
    {"aa", DRIVE_AA},
    {"ih", DRIVE_IH},
    {"ou", DRIVE_OU},
    {"ee", DRIVE_EE},
    {"oh", DRIVE_OH},
    {"A", DRIVE_AA},
    {"I", DRIVE_IH},
    {"U", DRIVE_OU},
    {"E", DRIVE_EE},
    {"O", DRIVE_OH},
    {"\xe3\x81\x82", DRIVE_AA},
    {"\xe3\x81\x84", DRIVE_IH},
    {"\xe3\x81\x86", DRIVE_OU},
    {"\xe3\x81\x88", DRIVE_EE},
    {"\xe3\x81\x8a", DRIVE_OH},
    {"Blink_L", DRIVE_BLINK_LEFT},
    {"Blink_R", DRIVE_BLINK_RIGHT},
    {"blinkLeft", DRIVE_BLINK_LEFT},
    {"blinkRight", DRIVE_BLINK_RIGHT},
    {"Fcl_EYE_Close", DRIVE_BLINK},
    {"blink", DRIVE_BLINK},
    {"\xe3\x81\xbe\xe3\x81\xb0\xe3\x81\x9f\xe3\x81\x8d", DRIVE_BLINK},
};

static int find_target(const struct cp_model *model, const char *name)
{
    for (int t = 0; t < model->n_targets; t++)
        if (!strcasecmp(model->targets[t].name, name))
            return t;
    return -1;
}

void foreign_init(struct rig *rig)
{
    bool mouth = rig->target[CP_SHAPE_jawOpen] < 0, lids = rig->target[CP_SHAPE_eyeBlinkLeft] < 0;
    for (int d = 0; d < DRIVE_COUNT; d++)
        rig->driven[d] = -1;
    for (size_t i = 0; i < sizeof NAME / sizeof *NAME; i++) {
        enum drive d = NAME[i].drive;
        if (rig->driven[d] < 0 && (d < DRIVE_BLINK ? mouth : lids))
            rig->driven[d] = find_target(rig->model, NAME[i].name);
    }
    /* Both lids at once only where they have no shapes of their own. */
    if (rig->driven[DRIVE_BLINK_LEFT] >= 0 && rig->driven[DRIVE_BLINK_RIGHT] >= 0)
        rig->driven[DRIVE_BLINK] = -1;
}

void foreign_apply(const struct rig *rig, const float *face, float *weight)
{
    float open = clampf((face[CP_SHAPE_jawOpen] - face[CP_SHAPE_mouthClose]) / 0.55f, 0, 1);
    float round = clampf((face[CP_SHAPE_mouthPucker] + 0.6f * face[CP_SHAPE_mouthFunnel]) / 0.9f, 0, 1);
    float wide =
        clampf((face[CP_SHAPE_mouthStretchLeft] + 0.5f * face[CP_SHAPE_mouthUpperUpLeft]) / 0.5f, 0, 1);
    float spread = wide * (1 - round);
    const float value[DRIVE_COUNT] = {
        [DRIVE_AA] = open * (1 - round) * (1 - 0.7f * spread),
        [DRIVE_IH] = 0.7f * spread * (1 - open),
        [DRIVE_OU] = round * (1 - open),
        [DRIVE_EE] = spread * open,
        [DRIVE_OH] = round * open,
        [DRIVE_SMILE] = clampf(face[CP_SHAPE_mouthSmileLeft], 0, 1),
        [DRIVE_BLINK] = clampf(face[CP_SHAPE_eyeBlinkLeft], 0, 1),
        [DRIVE_BLINK_LEFT] = clampf(face[CP_SHAPE_eyeBlinkLeft], 0, 1),
        [DRIVE_BLINK_RIGHT] = clampf(face[CP_SHAPE_eyeBlinkRight], 0, 1),
    };
    for (int d = 0; d < DRIVE_COUNT; d++)
        if (rig->driven[d] >= 0)
            weight[rig->driven[d]] = value[d];
    /* One shape for all vowels: it opens with each. */
    if (rig->driven[DRIVE_AA] >= 0 && rig->driven[DRIVE_OH] < 0 && rig->driven[DRIVE_EE] < 0)
        weight[rig->driven[DRIVE_AA]] = open;
}
