/*
 * Pictures by which a presenter is judged, drawn by our own renderer:
 *
 *     contact_sheet FOLDER FILE.glb...             FOLDER/contact-NAME-views.png and contact-NAME-faces.png
 *     contact_sheet --only TILE FOLDER FILE.glb... FOLDER/NAME-TILE.png alone, 960 pixels a side
 *
 * Views, row by row: front, from the left, from the right; close, profile, wide. Faces, row by row: the 15
 * visemes from sil to ou, the 7 emotions from neutral to thinking, eyes half shut and shut, gaze left, right,
 * up and down. The same file gives the same pictures.
 */
#include "avatar/avatar.h"
#include "render/render.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VIEW_SIZE = 480, VIEW_COLUMNS = 3, FACE_SIZE = 280, FACE_COLUMNS = 7, ALONE_SIZE = 960 };

enum kind { VIEW, VISEME, EMOTION, SHAPES };
struct tile {
    const char *name;
    enum kind kind;
    int number;         /* enum cp_viseme or cp_emotion */
    float yaw_deg;      /* the camera's, round the head */
    float height, drop; /* heads that the picture shows from top to bottom; how far below the eyes it aims */
    struct {            /* at most two pairs of shapes */
        enum cp_shape shape;
        float weight;
    } set[4];
    float gaze_deg[2]; /* yaw, pitch (down) */
};

#define FACE_FRAME .height = 1.55f, .drop = 0.16f
#define EYES_FRAME .height = 0.85f
static const struct tile TILES[] = {
    {"front", VIEW, .height = 2.3f, .drop = 0.35f},
    {"left", VIEW, .yaw_deg = 36, .height = 1.9f, .drop = 0.22f},
    {"right", VIEW, .yaw_deg = -36, .height = 1.9f, .drop = 0.22f},
    {"close", VIEW, .height = 1.25f, .drop = 0.15f},
    {"profile", VIEW, .yaw_deg = 88, .height = 1.9f, .drop = 0.22f},
    {"wide", VIEW, .height = 4.4f, .drop = 1.3f},
    {"sil", VISEME, CP_VISEME_SIL, FACE_FRAME},
    {"PP", VISEME, CP_VISEME_PP, FACE_FRAME},
    {"FF", VISEME, CP_VISEME_FF, FACE_FRAME},
    {"TH", VISEME, CP_VISEME_TH, FACE_FRAME},
    {"DD", VISEME, CP_VISEME_DD, FACE_FRAME},
    {"kk", VISEME, CP_VISEME_KK, FACE_FRAME},
    {"CH", VISEME, CP_VISEME_CH, FACE_FRAME},
    {"SS", VISEME, CP_VISEME_SS, FACE_FRAME},
    {"nn", VISEME, CP_VISEME_NN, FACE_FRAME},
    {"RR", VISEME, CP_VISEME_RR, FACE_FRAME},
    {"aa", VISEME, CP_VISEME_AA, FACE_FRAME},
    {"E", VISEME, CP_VISEME_E, FACE_FRAME},
    {"ih", VISEME, CP_VISEME_IH, FACE_FRAME},
    {"oh", VISEME, CP_VISEME_OH, FACE_FRAME},
    {"ou", VISEME, CP_VISEME_OU, FACE_FRAME},
    {"neutral", EMOTION, CP_EMOTION_NEUTRAL, FACE_FRAME},
    {"warm", EMOTION, CP_EMOTION_WARM, FACE_FRAME},
    {"happy", EMOTION, CP_EMOTION_HAPPY, FACE_FRAME},
    {"serious", EMOTION, CP_EMOTION_SERIOUS, FACE_FRAME},
    {"surprised", EMOTION, CP_EMOTION_SURPRISED, FACE_FRAME},
    {"sad", EMOTION, CP_EMOTION_SAD, FACE_FRAME},
    {"thinking", EMOTION, CP_EMOTION_THINKING, FACE_FRAME},
    {"half", SHAPES, EYES_FRAME, .set = {{CP_SHAPE_eyeBlinkLeft, 0.5f}, {CP_SHAPE_eyeBlinkRight, 0.5f}}},
    {"shut", SHAPES, EYES_FRAME, .set = {{CP_SHAPE_eyeBlinkLeft, 1}, {CP_SHAPE_eyeBlinkRight, 1}}},
    {"gaze-left", SHAPES, EYES_FRAME,
     .set = {{CP_SHAPE_eyeLookOutLeft, 0.7f}, {CP_SHAPE_eyeLookInRight, 0.7f}}, .gaze_deg = {20, 0}},
    {"gaze-right", SHAPES, EYES_FRAME,
     .set = {{CP_SHAPE_eyeLookInLeft, 0.7f}, {CP_SHAPE_eyeLookOutRight, 0.7f}}, .gaze_deg = {-20, 0}},
    {"gaze-up", SHAPES, EYES_FRAME, .set = {{CP_SHAPE_eyeLookUpLeft, 0.7f}, {CP_SHAPE_eyeLookUpRight, 0.7f}},
     .gaze_deg = {0, -15}},
    {"gaze-down", SHAPES, EYES_FRAME,
     .set = {{CP_SHAPE_eyeLookDownLeft, 0.7f}, {CP_SHAPE_eyeLookDownRight, 0.7f}}, .gaze_deg = {0, 20}},
};
enum { N_TILES = sizeof TILES / sizeof TILES[0], N_VIEWS = 6 };

static struct cp_pose pose;

static void put_shape(const struct cp_model *model, enum cp_shape shape, float weight)
{
    for (int i = 0; i < model->n_targets; i++)
        if (model->targets[i].shape == (int)shape)
            pose.weight[i] = weight;
}

static void rest(const struct cp_model *model)
{
    memset(&pose, 0, sizeof pose);
    pose.n_targets = model->n_targets;
    pose.n_joints = model->n_joints;
    for (int j = 0; j < model->n_joints; j++)
        pose.skin[j][0] = pose.skin[j][5] = pose.skin[j][10] = 1;
}

/* The middle of a viseme that is held for half a second. */
static void speak(const struct cp_model *model, enum cp_viseme viseme)
{
    float shapes[CP_SHAPE_COUNT];
    struct cp_utterance *utterance = cp_utterance_create(24000, 1, "");
    utterance->marks[0] = (struct cp_mark){
        .type = CP_MARK_VISEME, .length_samples = 24000, .viseme = viseme, .weight = 1, .stress = 1};
    utterance->n_marks = 1;
    cp_actor_mouth(utterance, 12000, shapes);
    for (int s = 1; s < CP_SHAPE_COUNT; s++)
        put_shape(model, s, shapes[s]);
    cp_ref_drop(utterance);
}

/* A second and a half into the feeling, and not in a blink. */
static int feel(struct cp_model *model, enum cp_emotion emotion, struct cp_error *error)
{
    struct cp_actor *actor;
    int err = cp_actor_create(model, 1, &actor, error);
    if (err)
        return err;
    struct cp_moment moment = {
        .attention = CP_ATTENTION_IDLE, .gain = 1, .emotion = emotion, .emotion_intensity = 1};
    const struct cp_sight sight = {{0, model->eye_height_m, 2}};
    bool blinking = true;
    for (int i = 0; i < 40 || (blinking && i < 80); i++) {
        moment.at_samples = (int64_t)i * CP_SAMPLES_PER_FRAME;
        cp_actor_pose(actor, &moment, &sight, &pose);
        blinking = false;
        for (int t = 0; t < model->n_targets; t++)
            blinking |= model->targets[t].shape == CP_SHAPE_eyeBlinkLeft && pose.weight[t] > 0.08f;
    }
    cp_actor_destroy(actor);
    return 0;
}

/* Turns an eye's joint about its own place. Its inverse bind matrix is the inverse of that place. */
static void turn_eye(const struct cp_model *model, enum cp_bone bone, const float deg[2])
{
    float yaw = deg[0] * (float)M_PI / 180, pitch = deg[1] * (float)M_PI / 180;
    float cy = cosf(yaw), sy = sinf(yaw), cp = cosf(pitch), sp = sinf(pitch);
    const float turn[9] = {cy, sy * sp, sy * cp, 0, cp, -sp, -sy, cy * sp, cy * cp};
    for (int j = 0; j < model->n_joints; j++) {
        if (model->joints[j].role != (int)bone)
            continue;
        const float *inverse = model->joints[j].inverse_bind;
        const float at[3] = {-inverse[3], -inverse[7], -inverse[11]};
        for (int r = 0; r < 3; r++) {
            float moved = 0;
            for (int k = 0; k < 3; k++) {
                pose.skin[j][r * 4 + k] = turn[r * 3 + k];
                moved += turn[r * 3 + k] * at[k];
            }
            pose.skin[j][r * 4 + 3] = at[r] - moved;
        }
    }
}

static int take_pose(struct cp_model *model, const struct tile *tile, struct cp_error *error)
{
    rest(model);
    if (tile->kind == EMOTION)
        return feel(model, tile->number, error);
    if (tile->kind == VIEW) /* with the smile that presenters have at rest */
        return feel(model, CP_EMOTION_NEUTRAL, error);
    if (tile->kind == VISEME)
        speak(model, tile->number);
    for (int i = 0; i < 4 && tile->set[i].shape; i++)
        put_shape(model, tile->set[i].shape, tile->set[i].weight);
    turn_eye(model, CP_BONE_LEFT_EYE, tile->gaze_deg);
    turn_eye(model, CP_BONE_RIGHT_EYE, tile->gaze_deg);
    return 0;
}

static struct cp_view view_of(const struct cp_model *model, const struct tile *tile)
{
    float head = model->head_height_m, yaw = tile->yaw_deg * (float)M_PI / 180;
    struct cp_view view = {.fov_y_rad = 20 * (float)M_PI / 180};
    float distance = tile->height * head / 2 / tanf(view.fov_y_rad / 2);
    view.target[1] = model->eye_height_m - tile->drop * head;
    view.eye[0] = sinf(yaw) * distance;
    view.eye[1] = view.target[1] + 0.05f * head;
    view.eye[2] = cosf(yaw) * distance;
    return view;
}

static void paste(const struct cp_picture *from, struct cp_picture *to, int x, int y)
{
    for (int p = 0; p < 3; p++)
        for (int row = 0; row < from->height >> (p > 0); row++)
            memcpy(to->plane[p] + (size_t)((y >> (p > 0)) + row) * (size_t)to->stride[p] + (x >> (p > 0)),
                   from->plane[p] + (size_t)row * (size_t)from->stride[p], (size_t)(from->width >> (p > 0)));
}

static int make_render(struct cp_model *model, int size, struct cp_render **render, struct cp_error *error)
{
    const struct cp_render_config config = {.level = "auto", .samples = 4};
    struct cp_stage_spec spec = {.models = {model}, .n_models = 1, .width = size, .height = size};
    cp_render_destroy(*render);
    *render = NULL;
    return cp_render_create(&config, &spec, render, error);
}

#define MAX_CAST 4 /* side by side */

/* Draws tiles in a grid and writes them: of one model, or the first tile of each of several (n_models > 1).
 * 0, or an error with its text. */
static int write_sheet(struct cp_model *const *models, int n_models, const struct tile *tiles, int n,
                       int size, int columns, const char *path, struct cp_error *error)
{
    int width = size * columns, height = size * ((n + columns - 1) / columns);
    struct cp_render *render = NULL;
    int err = 0;
    struct cp_pool *sheets = cp_picture_pool_create(width, height, 1),
                   *pictures = cp_picture_pool_create(size, size, 1);
    struct cp_picture *sheet = cp_picture_get(sheets, width, height),
                      *picture = cp_picture_get(pictures, size, size);
    for (int p = 0; p < 3; p++)
        memset(sheet->plane[p], p ? 128 : 16, (size_t)sheet->stride[p] * (size_t)(height >> (p > 0)));
    for (int i = 0; i < n && !err; i++) {
        struct cp_model *model = models[n_models > 1 ? i : 0];
        const struct tile *tile = &tiles[n_models > 1 ? 0 : i];
        struct cp_view view = view_of(model, tile);
        if (i < n_models)
            err = make_render(model, size, &render, error);
        if (!err)
            err = take_pose(model, tile, error);
        if (err)
            break;
        for (int frame = 0; frame < 2; frame++) /* shadows are drawn every second frame */
            cp_render_draw(render, (const struct cp_pose *const[]){&pose}, &view, picture);
        paste(picture, sheet, i % columns * size, i / columns * size);
    }
    struct cp_buffer png = cp_buffer_make(64u << 20);
    FILE *file = NULL;
    if (!err)
        err = cp_picture_write_png(sheet, &png, error);
    if (!err && (!(file = fopen(path, "wb")) || fwrite(png.data, 1, png.length, file) != png.length))
        err = cp_fail(error, CP_ERR_IO, "contact_sheet", "cannot write %s", path);
    if (file)
        fclose(file);
    cp_buffer_free(&png);
    cp_ref_drop(sheet);
    cp_ref_drop(picture);
    cp_pool_destroy(sheets);
    cp_pool_destroy(pictures);
    cp_render_destroy(render);
    return err;
}

/* The sheets of one presenter, or the one tile that is asked for. */
static int draw_presenter(const char *file, const char *folder, const char *only, struct cp_error *error)
{
    const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
    int name = (int)strcspn(base, "."), err;
    char path[1024];
    struct cp_model *model;
    if ((err = cp_avatar_load_file(file, &model, error)))
        return err;
    for (int i = 0; only && i < N_TILES && !err; i++)
        if (!strcmp(TILES[i].name, only) || !strcmp(only, "all")) {
            snprintf(path, sizeof path, "%s/%.*s-%s.png", folder, name, base, TILES[i].name);
            err = write_sheet(&model, 1, &TILES[i], 1, ALONE_SIZE, 1, path, error);
        }
    if (!only) {
        snprintf(path, sizeof path, "%s/contact-%.*s-views.png", folder, name, base);
        err = write_sheet(&model, 1, TILES, N_VIEWS, VIEW_SIZE, VIEW_COLUMNS, path, error);
    }
    if (!only && !err) {
        snprintf(path, sizeof path, "%s/contact-%.*s-faces.png", folder, name, base);
        err =
            write_sheet(&model, 1, TILES + N_VIEWS, N_TILES - N_VIEWS, FACE_SIZE, FACE_COLUMNS, path, error);
    }
    cp_ref_drop(model);
    return err;
}

/* All of them from the front, side by side. */
static int draw_cast(char **files, int n, const char *folder, struct cp_error *error)
{
    struct cp_model *models[MAX_CAST] = {NULL};
    char path[1024];
    int err = 0;
    for (int i = 0; i < n && !err; i++)
        err = cp_avatar_load_file(files[i], &models[i], error);
    snprintf(path, sizeof path, "%s/cast.png", folder);
    if (!err)
        err = write_sheet(models, n, TILES, n, VIEW_SIZE, n, path, error);
    for (int i = 0; i < n; i++)
        cp_ref_drop(models[i]);
    return err;
}

int main(int argc, char **argv)
{
    struct cp_error error = {0};
    const char *only = argc > 2 && !strcmp(argv[1], "--only") ? argv[2] : NULL;
    int first = only ? 3 : 1;
    if (argc < first + 2) {
        fprintf(stderr, "usage: contact_sheet [--only TILE] FOLDER FILE.glb...\n");
        return 2;
    }
    for (int i = first + 1; i < argc; i++)
        if (draw_presenter(argv[i], argv[first], only, &error)) {
            fprintf(stderr, "%s\n", error.text);
            return 1;
        }
    int n = argc - first - 1;
    if (!only && n > 1 && draw_cast(argv + first + 1, n < MAX_CAST ? n : MAX_CAST, argv[first], &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    return 0;
}
