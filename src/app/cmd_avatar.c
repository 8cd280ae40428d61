/* `compere avatar check`: what a 3D character brings, what is missing, and what will be done instead. */
#include "app/app.h"

#include <stdio.h>
#include <string.h>

static void print_list(const char *title, const char *list)
{
    if (*list)
        printf("  %-16s %s\n", title, list);
}

/* A file that is no character: a motion, or nothing that can be used. Returns the exit code. */
static int tell_no_character(const char *path, const struct cp_error *why, bool as_json)
{
    struct cp_motion *motion = NULL;
    struct cp_error ignored;
    float seconds = 0;
    int bones = 0;
    bool moves = why->code == CP_ERR_UNSUPPORTED && !cp_motion_load_file(path, &motion, &ignored);
    if (moves)
        cp_motion_measure(motion, &seconds, &bones);
    cp_ref_drop(motion);
    if (as_json) {
        json_t *json =
            json_pack("{s:b, s:s, s:s, s:b, s:f, s:i}", "usable", 0, "error", cp_err_name(why->code),
                      "reason", why->text, "motion", moves, "seconds", (double)seconds, "bones", bones);
        json_dumpf(json, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(json);
    }
    fprintf(stderr, "compere: %s: %s\n", path, why->text);
    if (moves)
        fprintf(stderr, "  it lasts %.1f s and moves %d bones\n", (double)seconds, bones);
    return 1;
}

int cp_cmd_avatar(int argc, char **argv)
{
    bool as_json = argc == 3 && !strcmp(argv[2], "--json");
    if (argc < 2 || argc > 3 || strcmp(argv[0], "check") || (argc == 3 && !as_json)) {
        fputs("usage: compere avatar check FILE [--json]\n", stderr);
        return 2;
    }
    struct cp_error error;
    struct cp_model *model;
    if (cp_avatar_load_file(argv[1], &model, &error))
        return tell_no_character(argv[1], &error, as_json);
    struct cp_avatar_report report;
    cp_avatar_inspect(model, &report);
    if (as_json) {
        json_t *json = json_pack(
            "{s:b, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:s, s:s, s:s}", "usable", 1, "name",
            model->name, "vertices", model->n_vertices, "triangles", model->n_triangles, "parts",
            model->n_parts, "textures", model->n_textures, "joints", model->n_joints, "shapes",
            report.n_shapes, "visemes", report.n_visemes, "bones", report.n_bones, "missing_shapes",
            report.missing_shapes, "missing_bones", report.missing_bones, "notes", report.notes);
        json_dumpf(json, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(json);
    } else {
        printf("%s\n  %d triangles, %d vertices, %d parts, %d textures, %d joints\n"
               "  face shapes      %d of 52 (ARKit), visemes %d of 15, bones %d of %d\n",
               model->name, model->n_triangles, model->n_vertices, model->n_parts, model->n_textures,
               model->n_joints, report.n_shapes, report.n_visemes, report.n_bones, CP_BONE_COUNT - 1);
        print_list("missing shapes", report.missing_shapes);
        print_list("missing bones", report.missing_bones);
        for (char *note = report.notes, *end; *note; note = end) {
            end = note + strcspn(note, "\n");
            printf("  - %.*s\n", (int)(end - note), note);
            end += *end == '\n';
        }
    }
    cp_ref_drop(model);
    return 0;
}
