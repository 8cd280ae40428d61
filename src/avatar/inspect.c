/* What acting will find in a foreign model, told to its owner. */
#include "avatar/acting.h"
#include "avatar/avatar.h"
#include "avatar/load.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void add_name(char *list, size_t bytes, const char *name)
{
    size_t n = strlen(list);
    snprintf(list + n, bytes - n, "%s%s", n ? ", " : "", name); /* cut where it does not fit */
}

__attribute__((format(printf, 2, 3))) static void note(struct cp_avatar_report *report, const char *format,
                                                       ...)
{
    size_t n = strlen(report->notes);
    va_list args;
    va_start(args, format);
    vsnprintf(report->notes + n, sizeof report->notes - n, format, args);
    va_end(args);
}

static bool has_target(const struct cp_model *model, const char *name)
{
    for (int t = 0; t < model->n_targets; t++)
        if (!strcasecmp(model->targets[t].name, name))
            return true;
    return false;
}

/* Visemes as targets of their own: "viseme_aa" (Oculus, Ready Player Me: I, O, U for ih, oh, ou). */
static int count_visemes(const struct cp_model *model)
{
    static const char *const other[CP_VISEME_COUNT] = {
        [CP_VISEME_IH] = "viseme_I", [CP_VISEME_OH] = "viseme_O", [CP_VISEME_OU] = "viseme_U"};
    int n = 0;
    for (int v = CP_VISEME_UNSET + 1; v < CP_VISEME_COUNT; v++) {
        char name[24];
        snprintf(name, sizeof name, "viseme_%s", cp_viseme_name((enum cp_viseme)v));
        n += has_target(model, name) || (other[v] && has_target(model, other[v]));
    }
    return n;
}

static void note_mouth(struct cp_avatar_report *report, const struct rig *rig)
{
    static const char *const vowel[] = {"aa", "ih", "ou", "ee", "oh"};
    char driven[40] = "";
    for (int d = DRIVE_AA; d <= DRIVE_OH; d++)
        if (rig->driven[d] >= 0)
            add_name(driven, sizeof driven, vowel[d]);
    if (rig->target[CP_SHAPE_jawOpen] >= 0) {
        if (rig->target[CP_SHAPE_mouthClose] < 0)
            note(report, "There is no mouthClose: the lips close by shutting the jaw.\n");
    } else if (*driven) {
        note(report, "There is no jawOpen: the mouth is driven by vowel shapes (%s).\n", driven);
    } else if (rig->joint[CP_BONE_JAW] >= 0) {
        note(report, "There is no jawOpen: the jaw bone opens the mouth, the lips do not form sounds.\n");
    } else {
        note(report, "There are no mouth shapes: the mouth does not move.\n");
    }
}

static void note_eyes(struct cp_avatar_report *report, const struct rig *rig)
{
    bool joints = rig->joint[CP_BONE_LEFT_EYE] >= 0 && rig->joint[CP_BONE_RIGHT_EYE] >= 0;
    if (rig->eyes_by_shape)
        note(report, "The eyes turn by the eyeLook shapes (up to %.0f degrees outwards).\n",
             (double)rig->look[0][3] * 57.3);
    else if (joints)
        note(report, "The eyes turn by their bones.\n");
    else
        note(report, "There is nothing to turn the eyes by: only the head follows the gaze.\n");
    if (rig->target[CP_SHAPE_eyeBlinkLeft] >= 0 && rig->target[CP_SHAPE_eyeBlinkRight] >= 0)
        return;
    if (rig->driven[DRIVE_BLINK] >= 0 || rig->driven[DRIVE_BLINK_LEFT] >= 0)
        note(report, "There are no eyeBlink shapes: \"%s\" shuts the eyes.\n",
             rig->model->targets[rig->driven[rig->driven[DRIVE_BLINK] >= 0 ? DRIVE_BLINK : DRIVE_BLINK_LEFT]]
                 .name);
    else
        note(report, "There are no eyeBlink shapes: the eyes do not blink.\n");
}

static void note_body(struct cp_avatar_report *report, const struct rig *rig)
{
    if (rig->joint[CP_BONE_HEAD] < 0)
        note(report, "There is no head bone: the head does not move.\n");
    else if (rig->joint[CP_BONE_NECK] < 0)
        note(report, "There is no neck bone: the head does the neck's part.\n");
    if (rig->joint[CP_BONE_SPINE] < 0 && rig->joint[CP_BONE_CHEST] < 0)
        note(report, "There is no spine: breath and sway are not seen.\n");
    if (rig->arms_lowered)
        note(report, "It stands with its arms out: they are lowered.\n");
    if (!rig->has_arms)
        note(report, "There is no whole right arm: \"greet\" bows and smiles without a wave.\n");
}

static void note_springs(struct cp_avatar_report *report, const struct cp_model *model)
{
    if (model->n_springs)
        note(report, "%d joints swing by themselves (hair, cloth), with %d colliders.\n", model->n_springs,
             model->n_colliders);
    if (model->n_constraints)
        note(report, "%d joints turn by what others do (node constraints).\n", model->n_constraints);
    note(report, "%s", model->notes);
}

static void note_mesh(struct cp_avatar_report *report, const struct cp_model *model)
{
    int plain = 0, n = model->n_materials;
    for (int m = 0; m < n; m++)
        plain += model->materials[m].surface == CP_SURFACE_PLAIN;
    note(report, "%d vertices, %d triangles, %d textures, %d shapes in all.\n", model->n_vertices,
         model->n_triangles, model->n_textures, model->n_targets);
    if (model->n_triangles > 150000)
        note(report, "That is much to draw on a CPU: 60000 triangles look as good in a news framing.\n");
    if (plain == n && n > 1)
        note(report, "No material is named after skin, eyes or hair: all are drawn as plain surfaces.\n");
    if (model->eye_height_m > 2.5f || model->eye_height_m < 0.6f)
        note(report, "The eyes are %.2f m up: cameras expect a person of usual size, in metres.\n",
             (double)model->eye_height_m);
}

/* Bones that belong together are told in one word when none of them is there. */
static const struct {
    const char *words;
    uint8_t first, n;
} GROUP[] = {
    {"eyes", CP_BONE_LEFT_EYE, 2},
    {"left arm", CP_BONE_LEFT_SHOULDER, 4},
    {"right arm", CP_BONE_RIGHT_SHOULDER, 4},
    {"left leg", CP_BONE_LEFT_UPPER_LEG, 4},
    {"right leg", CP_BONE_RIGHT_UPPER_LEG, 4},
    {"left fingers", CP_BONE_LEFT_THUMB_METACARPAL, 15},
    {"right fingers", CP_BONE_RIGHT_THUMB_METACARPAL, 15},
};

/* How many bones from this one on are told as a group; 1 for one by itself. */
static int group_at(const struct rig *rig, int bone, const char **ret_words)
{
    *ret_words = cp_bone_name((enum cp_bone)bone);
    for (size_t g = 0; g < sizeof GROUP / sizeof *GROUP; g++) {
        int there = 0;
        if (GROUP[g].first != bone)
            continue;
        for (int i = 0; i < GROUP[g].n; i++)
            there += rig->joint[bone + i] >= 0;
        if (there)
            return 1;
        *ret_words = GROUP[g].words;
        return GROUP[g].n;
    }
    return 1;
}

static void list_missing_bones(struct cp_avatar_report *report, const struct rig *rig)
{
    for (int b = CP_BONE_UNSET + 1; b < CP_BONE_COUNT; b++)
        report->n_bones +=
            rig->joint[b] >= 0 && strcmp(rig->model->joints[rig->joint[b]].name, LOAD_OWN_JOINT) != 0;
    for (int b = CP_BONE_UNSET + 1; report->n_bones && b < CP_BONE_COUNT;) {
        const char *words;
        int n = group_at(rig, b, &words);
        if (rig->joint[b] < 0)
            add_name(report->missing_bones, sizeof report->missing_bones, words);
        b += n;
    }
    if (!report->n_bones)
        add_name(report->missing_bones, sizeof report->missing_bones, "all");
}

/* All 52 by one word; else by name, both sides in one: "mouthSmile" for Left and Right. */
static void list_missing_shapes(struct cp_avatar_report *report, const struct rig *rig)
{
    for (int s = CP_SHAPE_UNSET + 1; s < CP_SHAPE_COUNT; s++)
        report->n_shapes += s != CP_SHAPE_tongueUp && rig->target[s] >= 0; /* that one is our own */
    if (!report->n_shapes)
        add_name(report->missing_shapes, sizeof report->missing_shapes, "all");
    for (int s = CP_SHAPE_UNSET + 1; report->n_shapes && s < CP_SHAPE_COUNT; s++) {
        char name[48];
        snprintf(name, sizeof name, "%s", cp_shape_name((enum cp_shape)s));
        if (s == CP_SHAPE_tongueUp || rig->target[s] >= 0)
            continue;
        size_t n = strlen(name);
        bool pair = n > 4 && !strcmp(name + n - 4, "Left") && s + 1 < CP_SHAPE_COUNT &&
                    rig->target[s + 1] < 0 && !strncmp(cp_shape_name((enum cp_shape)(s + 1)), name, n - 4) &&
                    !strcmp(cp_shape_name((enum cp_shape)(s + 1)) + n - 4, "Right");
        if (pair)
            name[n - 4] = 0;
        add_name(report->missing_shapes, sizeof report->missing_shapes, name);
        s += pair;
    }
}

void cp_avatar_inspect(const struct cp_model *model, struct cp_avatar_report *ret_report)
{
    struct cp_avatar_report report = {0};
    struct rig rig;
    rig_init(&rig, (struct cp_model *)model); /* only read, and gone before we return */
    list_missing_shapes(&report, &rig);
    list_missing_bones(&report, &rig);
    report.n_visemes = count_visemes(model);
    note_mouth(&report, &rig);
    note_eyes(&report, &rig);
    note_body(&report, &rig);
    note_springs(&report, model);
    note_mesh(&report, model);
    *ret_report = report;
}
