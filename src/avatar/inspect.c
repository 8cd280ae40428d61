/* What acting will find in a foreign model, told to its owner. */
#include "avatar/acting.h"
#include "avatar/avatar.h"

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

void cp_avatar_inspect(const struct cp_model *model, struct cp_avatar_report *ret_report)
{
    struct cp_avatar_report report = {0};
    struct rig rig;
    rig_init(&rig, (struct cp_model *)model); /* only read, and gone before we return */
    for (int s = CP_SHAPE_UNSET + 1; s < CP_SHAPE_COUNT; s++) {
        if (s == CP_SHAPE_tongueUp)
            continue; /* our own, beyond ARKit's 52 */
        report.n_shapes += rig.target[s] >= 0;
        if (rig.target[s] < 0)
            add_name(report.missing_shapes, sizeof report.missing_shapes, cp_shape_name((enum cp_shape)s));
    }
    for (int b = CP_BONE_UNSET + 1; b < CP_BONE_COUNT; b++) {
        report.n_bones += rig.joint[b] >= 0;
        if (rig.joint[b] < 0)
            add_name(report.missing_bones, sizeof report.missing_bones, cp_bone_name((enum cp_bone)b));
    }
    report.n_visemes = count_visemes(model);
    note_mouth(&report, &rig);
    note_eyes(&report, &rig);
    note_body(&report, &rig);
    note_springs(&report, model);
    note_mesh(&report, model);
    *ret_report = report;
}
