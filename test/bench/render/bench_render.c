/*
 * Milliseconds a frame and a step, for a character that idles and moves its jaw:
 *
 *     bench_render FILE.glb [--level auto] [--samples 4] [--size 1280x720] [--frames 200] [--set studio]
 * [--camera medium] [--move 1] [--characters 1] [--card 1] [--alpha 1]
 * [--png LAST_FRAME.png]
 *
 * Pinned to the core it starts on. Frame times are CPU time, so that a busy machine disturbs them little;
 * steps are wall time. Medians, and the 95th percentile of the frame.
 */
#include "avatar/avatar.h"
#include "base/clock.h"
#include "render/render.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_STEPS = 9, MAX_FRAMES = 5000, WARM_UP = 10 };
static const char *const STEP[N_STEPS] = {"morph", "skin",    "shadow",  "set-up", "raster",
                                          "shade", "convert", "overlay", "frame"};

struct options {
    const char *file, *set, *camera, *png;
    struct cp_render_config config;
    int width, height, frames, characters; /* two stand in the same place: the most that they can cost */
    bool move;                             /* the camera, so that the background is new in each frame */
    bool card, alpha;                      /* a product's card over the picture; each frame with alpha too */
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool parse(int argc, char **argv, struct options *o)
{
    *o = (struct options){
        .set = "studio", .camera = "medium", .width = 1280, .height = 720, .frames = 200, .characters = 1};
    strcpy(o->config.level, "auto");
    o->config.samples = 4;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (argv[i][0] != '-') {
            o->file = argv[i];
            continue;
        }
        if (!strcmp(argv[i], "--level"))
            snprintf(o->config.level, sizeof o->config.level, "%s", value);
        else if (!strcmp(argv[i], "--samples"))
            o->config.samples = atoi(value);
        else if (!strcmp(argv[i], "--size") && sscanf(value, "%dx%d", &o->width, &o->height) != 2)
            return false;
        else if (!strcmp(argv[i], "--frames"))
            o->frames = atoi(value);
        else if (!strcmp(argv[i], "--set"))
            o->set = value;
        else if (!strcmp(argv[i], "--camera"))
            o->camera = value;
        else if (!strcmp(argv[i], "--characters"))
            o->characters = atoi(value);
        else if (!strcmp(argv[i], "--png"))
            o->png = value;
        else if (!strcmp(argv[i], "--move"))
            o->move = atoi(value);
        else if (!strcmp(argv[i], "--card"))
            o->card = atoi(value);
        else if (!strcmp(argv[i], "--alpha"))
            o->alpha = atoi(value);
        i++;
    }
    return o->file && o->frames > 0 && o->frames <= MAX_FRAMES && cp_render_find_set(o->set);
}

static void open_mouth(const struct cp_model *model, int frame, struct cp_pose *pose)
{
    for (int i = 0; i < model->n_targets; i++) {
        if (model->targets[i].shape == CP_SHAPE_jawOpen)
            pose->weight[i] = 0.3f + 0.3f * sinf((float)frame * 0.9f);
        if (model->targets[i].shape == CP_SHAPE_mouthFunnel ||
            model->targets[i].shape == CP_SHAPE_mouthSmileLeft)
            pose->weight[i] = 0.3f + 0.3f * sinf((float)frame * 0.5f);
    }
}

/* A product without its picture, which would cost the same: a card is blended as it is. NULL when it fails.
 */
static struct cp_card *make_card(int width, int height)
{
    const struct cp_card_spec spec = {
        .title = "A mug", .text = "Blue, of stoneware, by hand", .price = "12.50", .side = CP_CARD_RIGHT};
    struct cp_card_maker *maker = NULL;
    struct cp_card *card = NULL;
    if (!cp_card_maker_create(&maker, NULL))
        cp_card_make(maker, &spec, NULL, 0, width, height, &card, NULL);
    cp_card_maker_destroy(maker);
    return card;
}

static void write_png(const struct cp_picture *picture, const char *path)
{
    struct cp_buffer buffer = cp_buffer_make(64 << 20);
    FILE *file = fopen(path, "wb");
    if (!file || cp_picture_write_png(picture, &buffer, NULL) ||
        fwrite(buffer.data, 1, buffer.length, file) != buffer.length)
        fprintf(stderr, "%s cannot be written\n", path);
    if (file)
        fclose(file);
    cp_buffer_free(&buffer);
}

int main(int argc, char **argv)
{
    static double ms[N_STEPS][MAX_FRAMES];
    static struct cp_pose pose;
    struct options o;
    struct cp_error error = {0};
    struct cp_model *model = NULL;
    struct cp_render *render = NULL;
    struct cp_actor *actor = NULL;
    if (!parse(argc, argv, &o)) {
        fprintf(stderr,
                "usage: bench_render FILE.glb [--level L] [--samples N] [--size WxH] [--frames N] [--set S] "
                "[--camera C] [--move 1] [--characters N] [--card 1] [--alpha 1] [--png FILE]\n");
        return 2;
    }
    cpu_set_t core;
    CPU_ZERO(&core);
    CPU_SET(sched_getcpu(), &core);
    sched_setaffinity(0, sizeof core, &core);
    const struct cp_set *set = cp_render_find_set(o.set);
    int64_t created_ns = 0;
    if (!cp_avatar_load_file(o.file, &model, &error) && !cp_actor_create(model, 1, &actor, &error)) {
        const struct cp_stage_spec spec = {.models = {model, model},
                                           .n_models = o.characters,
                                           .set = set,
                                           .width = o.width,
                                           .height = o.height};
        int64_t start = cp_clock_thread_cpu_ns();
        cp_render_create(&o.config, &spec, &render, &error);
        created_ns = cp_clock_thread_cpu_ns() - start;
    }
    if (!render) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    struct cp_pool *pool = cp_picture_pool_create(o.width, o.height, 1);
    struct cp_picture *picture = cp_picture_get(pool, o.width, o.height);
    struct cp_view view;
    if (!cp_render_frame_camera(set, o.camera, model, o.width, o.height, &view))
        return 2;
    struct cp_card *card = o.card ? make_card(o.width, o.height) : NULL;
    struct cp_cutout *cutout = o.alpha ? cp_cutout_create(o.width, o.height) : NULL;
    view.card = card;
    view.card_shown = 1;
    cp_render_cut_out(render, cutout);
    struct cp_moment moment = {.attention = CP_ATTENTION_IDLE, .gain = 1};
    struct cp_render_stats stats = {0};
    for (int i = -WARM_UP; i < o.frames; i++) {
        moment.at_samples = (int64_t)(i + WARM_UP) * CP_SAMPLES_PER_FRAME;
        struct cp_sight sight = {0};
        memcpy(sight.camera_eye, view.eye, sizeof sight.camera_eye);
        cp_actor_pose(actor, &moment, &sight, &pose);
        open_mouth(model, i, &pose);
        view.eye[0] += o.move ? 0.0005f : 0;
        int64_t start = cp_clock_thread_cpu_ns();
        cp_render_draw(render, (const struct cp_pose *const[]){&pose, &pose}, &view, picture);
        int64_t spent = cp_clock_thread_cpu_ns() - start;
        stats = cp_render_stats(render);
        if (i < 0)
            continue;
        const int64_t step[N_STEPS] = {stats.morph_ns,   stats.skin_ns,    stats.shadow_ns,
                                       stats.setup_ns,   stats.raster_ns,  stats.shade_ns,
                                       stats.convert_ns, stats.overlay_ns, spent};
        for (int k = 0; k < N_STEPS; k++)
            ms[k][i] = (double)step[k] / 1e6;
    }
    double shadow = 0; /* drawn every second frame: the mean says more than the median */
    for (int i = 0; i < o.frames; i++)
        shadow += ms[2][i] / o.frames;
    printf("%dx%d, %d samples, %s: ", o.width, o.height, (int)o.config.samples, cp_simd_name(stats.level));
    for (int k = 0; k < N_STEPS; k++) {
        qsort(ms[k], (size_t)o.frames, sizeof ms[k][0], by_value);
        printf("%s %.2f  ", STEP[k], k == 2 ? shadow : ms[k][o.frames / 2]);
    }
    printf("ms, p95 %.2f; %d triangles, %d drawn, %d overflows; made ready in %.0f ms\n",
           ms[N_STEPS - 1][o.frames * 95 / 100], stats.triangles_in, stats.triangles_drawn, stats.overflows,
           (double)created_ns / 1e6);
    if (o.png)
        write_png(picture, o.png);
    cp_render_destroy(render);
    cp_actor_destroy(actor);
    cp_cutout_destroy(cutout);
    cp_ref_drop(card);
    cp_ref_drop(picture);
    cp_pool_destroy(pool);
    cp_ref_drop(model);
    return 0;
}
