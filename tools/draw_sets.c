/*
 * One sheet of every set by every camera, so that a change can be looked at:
 *
 *     draw_sets FILE.glb OUT.png [--size 1280x720] [--tile 480] [--sets a,b] [--cameras a,b] [--lights a,b]
 *               [--background FILE] [--screen FILE] [--card TEXT] [--beside FILE.glb]
 *
 * A row is a set (or, with more than one light, a set in a light), a column a camera.
 */
#include "avatar/avatar.h"
#include "base/clock.h"
#include "render/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NAMES = 16 };
/* Two stand as far apart, and turned as much towards each other, as on a channel. */
#define APART_M 0.34f
#define TURNED  0.22f

struct names {
    char text[400];
    const char *name[MAX_NAMES];
    int n;
};
struct options {
    const char *model, *beside, *out, *background, *screen, *card;
    struct names sets, cameras, lights;
    int width, height, tile;
};
struct sheet {
    struct cp_pool *pool;
    struct cp_picture *picture;
    int tile_width, tile_height;
};

static void split(struct names *names, const char *text)
{
    snprintf(names->text, sizeof names->text, "%s", text);
    names->n = 0;
    char *rest = names->text;
    for (char *name; (name = strsep(&rest, ",")) && names->n < MAX_NAMES;)
        names->name[names->n++] = name;
}

static bool parse(int argc, char **argv, struct options *o)
{
    *o = (struct options){.width = 1280, .height = 720, .tile = 480};
    split(&o->sets, "studio,newsroom,shop,classroom,plain,key");
    split(&o->cameras, "wide,medium,close,left,right");
    split(&o->lights, "");
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (argv[i][0] != '-') {
            *(o->model ? &o->out : &o->model) = argv[i];
            continue;
        }
        if (!strcmp(argv[i], "--size") && sscanf(value, "%dx%d", &o->width, &o->height) != 2)
            return false;
        else if (!strcmp(argv[i], "--tile"))
            o->tile = atoi(value);
        else if (!strcmp(argv[i], "--sets"))
            split(&o->sets, value);
        else if (!strcmp(argv[i], "--cameras"))
            split(&o->cameras, value);
        else if (!strcmp(argv[i], "--lights"))
            split(&o->lights, value);
        else if (!strcmp(argv[i], "--background"))
            o->background = value;
        else if (!strcmp(argv[i], "--screen"))
            o->screen = value;
        else if (!strcmp(argv[i], "--beside"))
            o->beside = value;
        else if (!strcmp(argv[i], "--card"))
            o->card = value;
        i++;
    }
    return o->model && o->out && o->tile >= 64 && o->tile <= o->width;
}

/* The mean of the source pixels under each pixel of the tile. */
static void place_plane(const struct cp_picture *from, const struct sheet *sheet, int plane, int column,
                        int row)
{
    int half = plane > 0, w = sheet->tile_width >> half, h = sheet->tile_height >> half;
    int fw = from->width >> half, fh = from->height >> half;
    uint8_t *to = sheet->picture->plane[plane] + row * h * sheet->picture->stride[plane] + column * w;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            int x0 = x * fw / w, x1 = (x + 1) * fw / w, y0 = y * fh / h, y1 = (y + 1) * fh / h, sum = 0;
            for (int j = y0; j < y1; j++)
                for (int i = x0; i < x1; i++)
                    sum += from->plane[plane][j * from->stride[plane] + i];
            to[y * sheet->picture->stride[plane] + x] = (uint8_t)(sum / ((x1 - x0) * (y1 - y0)));
        }
}

static int write_sheet(const struct sheet *sheet, const char *path)
{
    struct cp_buffer png = cp_buffer_make(64 << 20);
    struct cp_error error;
    FILE *file = fopen(path, "wb");
    int failed = !file || cp_picture_write_png(sheet->picture, &png, &error) ||
                 fwrite(png.data, 1, png.length, file) != png.length;
    if (file && fclose(file))
        failed = 1;
    cp_buffer_free(&png);
    return failed;
}

struct stage {
    struct cp_model *models[CP_STAGE_CHARACTERS];
    struct cp_actor *actors[CP_STAGE_CHARACTERS];
    struct cp_standing standing[CP_STAGE_CHARACTERS];
    int n; /* of them */
    struct cp_render *render;
    struct cp_pool *pool;
    struct cp_picture *picture;
    struct cp_footage *background, *screen;
    struct cp_card *card;
};

static int make_card(const struct options *o, struct stage *s, struct cp_error *error)
{
    struct cp_card_spec spec = {.title = ""};
    struct cp_card_maker *maker = NULL;
    snprintf(spec.title, sizeof spec.title, "%s", o->card);
    int err = cp_card_maker_create(&maker, error);
    if (!err)
        err = cp_card_make(maker, &spec, NULL, 0, o->width, o->height, &s->card, error);
    cp_card_maker_destroy(maker);
    return err;
}

static int open_stage(const struct options *o, struct stage *s, struct cp_error *error)
{
    struct cp_render_config config = {.level = "auto", .samples = 4};
    const struct cp_footage_spec behind = {.width = o->width, .height = o->height},
                                 small = {.width = CP_SCREEN_WIDTH, .height = CP_SCREEN_HEIGHT};
    const char *const file[] = {o->model, o->beside};
    struct cp_stage_spec spec = {.width = o->width, .height = o->height};
    int err = 0;
    for (int i = 0; !err && i < CP_STAGE_CHARACTERS && file[i]; i++) {
        float side = o->beside ? i ? 1 : -1 : 0;
        err = cp_avatar_load_file(file[i], &s->models[i], error);
        if (!err)
            err = cp_actor_create(s->models[i], (uint64_t)i + 1, &s->actors[i], error);
        if (!err)
            cp_actor_place(s->actors[i],
                           &(struct cp_place){.x_m = APART_M * side, .yaw_rad = -TURNED * side});
        spec.models[i] = s->models[i];
        s->standing[i] = (struct cp_standing){.model = s->models[i], .x_m = APART_M * side};
        spec.n_models = s->n = i + 1;
    }
    if (!err)
        err = cp_render_create(&config, &spec, &s->render, error);
    if (!err && o->background)
        err = cp_footage_open_file(o->background, &behind, &s->background, error);
    if (!err && o->screen)
        err = cp_footage_open_file(o->screen, &small, &s->screen, error);
    if (!err && o->card)
        err = make_card(o, s, error);
    s->pool = cp_picture_pool_create(o->width, o->height, 1);
    s->picture = s->pool ? cp_picture_get(s->pool, o->width, o->height) : NULL;
    return !err && !s->picture ? cp_fail(error, CP_ERR_NOMEM, "draw_sets", "out of memory") : err;
}

static void close_stage(struct stage *s)
{
    cp_render_destroy(s->render);
    for (int i = 0; i < s->n; i++) {
        cp_actor_destroy(s->actors[i]);
        cp_ref_drop(s->models[i]);
    }
    cp_ref_drop(s->background);
    cp_ref_drop(s->screen);
    cp_ref_drop(s->card);
    cp_ref_drop(s->picture);
    cp_pool_destroy(s->pool);
}

/* One row: a set in a light, by every camera. */
static int draw_row(const struct options *o, struct stage *s, const char *set_name, const char *light,
                    const struct sheet *sheet, int row, struct cp_error *error)
{
    static struct cp_pose pose[CP_STAGE_CHARACTERS];
    static const struct cp_pose *const poses[] = {&pose[0], &pose[1]};
    const struct cp_set *set = cp_render_find_set(set_name);
    if (!set)
        return cp_fail(error, CP_ERR_NOT_FOUND, "draw_sets", "there is no set \"%s\"", set_name);
    struct cp_scenery scenery = {
        .set = set, .light = light, .background = s->background, .screen = s->screen};
    int64_t start_ns = cp_clock_thread_cpu_ns();
    int err = cp_render_dress(s->render, &scenery, error);
    fprintf(stderr, "%-10s %-9s made in %.0f ms\n", set_name, light,
            (double)(cp_clock_thread_cpu_ns() - start_ns) / 1e6);
    for (int i = 0; !err && i < o->cameras.n; i++) {
        struct cp_view view;
        if (!cp_render_frame(set, o->cameras.name[i], s->standing, s->n, o->width, o->height, &view))
            return cp_fail(error, CP_ERR_NOT_FOUND, "draw_sets", "there is no camera \"%s\"",
                           o->cameras.name[i]);
        if (o->card) {
            view.card = s->card;
            view.card_shown = 1;
        }
        struct cp_moment moment = {.at_samples = 48000, .attention = CP_ATTENTION_IDLE, .gain = 1};
        struct cp_sight sight;
        memcpy(sight.camera_eye, view.eye, sizeof sight.camera_eye);
        for (int k = 0; k < s->n; k++)
            cp_actor_pose(s->actors[k], &moment, &sight, &pose[k]);
        if (s->background)
            cp_footage_wait(s->background, 0);
        if (s->screen)
            cp_footage_wait(s->screen, 0);
        cp_render_draw(s->render, poses, &view, s->picture);
        cp_render_draw(s->render, poses, &view, s->picture);
        for (int p = 0; p < 3; p++)
            place_plane(s->picture, sheet, p, i, row);
    }
    return err;
}

int main(int argc, char **argv)
{
    static struct options o;
    struct stage stage = {0};
    struct cp_error error = {.text = ""};
    if (!parse(argc, argv, &o)) {
        fprintf(stderr,
                "usage: draw_sets FILE.glb OUT.png [--size WxH] [--tile WIDTH] [--sets a,b] [--cameras a,b] "
                "[--lights a,b] [--background FILE] [--screen FILE] [--card TEXT] [--beside FILE.glb]\n");
        return 2;
    }
    struct sheet sheet = {.tile_width = o.tile & ~1, .tile_height = o.tile * o.height / o.width & ~1};
    int width = sheet.tile_width * o.cameras.n, rows = o.sets.n * o.lights.n,
        err = open_stage(&o, &stage, &error);
    sheet.pool = cp_picture_pool_create(width, sheet.tile_height * rows, 1);
    sheet.picture = sheet.pool ? cp_picture_get(sheet.pool, width, sheet.tile_height * rows) : NULL;
    for (int i = 0; !err && sheet.picture && i < rows; i++)
        err = draw_row(&o, &stage, o.sets.name[i / o.lights.n], o.lights.name[i % o.lights.n], &sheet, i,
                       &error);
    if (!err && (!sheet.picture || write_sheet(&sheet, o.out)))
        err = cp_fail(&error, CP_ERR_IO, "draw_sets", "cannot write %s", o.out);
    if (err)
        fprintf(stderr, "%s\n", error.text);
    close_stage(&stage);
    cp_ref_drop(sheet.picture);
    cp_pool_destroy(sheet.pool);
    return err ? 1 : 0;
}
