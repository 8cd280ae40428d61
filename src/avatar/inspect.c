/* What acting will find in a foreign model, told to its owner. */
#include "avatar/acting.h"
#include "avatar/avatar.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void add_name(char *list, size_t bytes, const char *name)
{
    size_t n = strlen(list);
    snprintf(list + n, bytes - n, "%s%s", n ? ", " : "", name);
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

void cp_avatar_inspect(const struct cp_model *model, struct cp_avatar_report *ret_report)
{
    struct cp_avatar_report report = {0};
    bool shape[CP_SHAPE_COUNT] = {false}, bone[CP_BONE_COUNT] = {false};
    for (int t = 0; t < model->n_targets; t++)
        shape[model->targets[t].shape] = true;
    for (int j = 0; j < model->n_joints; j++)
        bone[model->joints[j].role] = true;
    for (int s = CP_SHAPE_UNSET + 1; s < CP_SHAPE_COUNT; s++) {
        if (s == CP_SHAPE_tongueUp)
            continue; /* our own, beyond ARKit's 52 */
        report.n_shapes += shape[s];
        if (!shape[s])
            add_name(report.missing_shapes, sizeof report.missing_shapes, cp_shape_name((enum cp_shape)s));
    }
    for (int b = CP_BONE_UNSET + 1; b < CP_BONE_COUNT; b++) {
        report.n_bones += bone[b];
        if (!bone[b])
            add_name(report.missing_bones, sizeof report.missing_bones, cp_bone_name((enum cp_bone)b));
    }
    report.n_visemes = count_visemes(model);
    if (!shape[CP_SHAPE_jawOpen])
        note(&report, "There is no jawOpen shape: the mouth will not open.\n");
    *ret_report = report;
}
