/*
 * What was uploaded: avatars, media and motions, as objects with a record each. The object first, the record
 * last: a record never names what is not there. Foreign bytes are looked through on the "assets" thread, so
 * that neither a show nor another request waits for them.
 */
#include "app/scene.h"
#include "app/sniff.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/queue.h"
#include "base/thread.h"
#include "speech/decode.h"
#include "speech/music.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#define QUEUE            8
#define MAX_SIDE_PX      8192
#define PORTRAIT_W       192
#define PORTRAIT_H       192
#define PORTRAIT_KEEP_NS (INT64_C(7) * 86400 * CP_NS_PER_S)

struct work {
    enum cp_asset_kind kind; /* unset: a portrait is wanted */
    char name[96];           /* of the asset, or the presenter's id */
    struct cp_request *request;
};

struct cp_assets {
    struct cp_app *app;
    struct cp_queue *queue;
    pthread_t thread;
    bool started;
    struct cp_metric *kept, *refused;
};

static const char *partition_of(enum cp_asset_kind kind)
{
    return kind == CP_ASSET_AVATAR ? "avatars" : kind == CP_ASSET_MOTION ? "actions" : "media";
}

/* "avt_" or "med_" and 64 random bits. */
static void make_id(enum cp_asset_kind kind, char id[24])
{
    uint64_t random;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        abort(); /* Linux gives 8 bytes or the system is broken */
    snprintf(id, 24, "%s_%016llx", kind == CP_ASSET_AVATAR ? "avt" : "med", (unsigned long long)random);
}

/* --- records --- */

int cp_asset_get(struct cp_store *store, enum cp_asset_kind kind, const char *id, json_t **ret_asset,
                 struct cp_error *error)
{
    struct cp_record record;
    const char *what = kind == CP_ASSET_AVATAR   ? "avatar"
                       : kind == CP_ASSET_MOTION ? "uploaded action"
                                                 : "picture or video";
    if (!*id || strlen(id) > 24 || cp_store_get(store, partition_of(kind), id, &record, error))
        return cp_fail(error, CP_ERR_NOT_FOUND, "app", "there is no %s \"%.60s\"; GET /v1/%s lists them",
                       what, id, partition_of(kind));
    json_t *asset = json_loads(record.json, 0, NULL);
    cp_record_clear(&record);
    if (!asset)
        return cp_fail(error, CP_ERR_INTERNAL, "app", "the record of %s is damaged", id);
    *ret_asset = asset;
    return 0;
}

int cp_asset_list(struct cp_store *store, enum cp_asset_kind kind, json_t **ret_list, struct cp_error *error)
{
    struct cp_query query = {.partition = partition_of(kind), .limit = 1000};
    struct cp_query_result page;
    int result = cp_store_query(store, &query, &page, error);
    if (result)
        return result;
    json_t *list = json_array();
    for (int i = 0; i < page.n_records; i++) {
        json_t *asset = json_loads(page.records[i].json, 0, NULL);
        if (asset)
            json_array_append_new(list, asset);
    }
    cp_query_result_clear(&page);
    *ret_list = list;
    return 0;
}

static bool is_used(struct cp_app *app, const char *id)
{
    json_t *channels = NULL;
    char quoted[40];
    if (cp_show_channel_list(app->show, &channels, NULL))
        return true;
    char *text = json_dumps(channels, JSON_COMPACT);
    snprintf(quoted, sizeof quoted, "\"%s\"", id);
    bool used = text && strstr(text, quoted);
    free(text);
    json_decref(channels);
    return used;
}

static void object_key(const json_t *asset, enum cp_asset_kind kind, char key[96])
{
    snprintf(key, 96, "%s/%s.%s", partition_of(kind), json_string_value(json_object_get(asset, "id")),
             json_string_value(json_object_get(asset, "ending")));
}

int cp_asset_delete(struct cp_app *app, enum cp_asset_kind kind, const char *id, struct cp_error *error)
{
    json_t *asset;
    char key[96];
    int result = cp_asset_get(app->store, kind, id, &asset, error);
    if (result)
        return result;
    object_key(asset, kind, key);
    json_decref(asset);
    if (is_used(app, id))
        return cp_fail(error, CP_ERR_EXISTS, "app", "a channel or its rundown uses %s; change that first",
                       id);
    result = cp_store_delete_if(app->store, partition_of(kind), id, CP_STORE_ANY_VERSION, error);
    if (kind == CP_ASSET_MOTION)
        cp_motions_remove(app->motions, id);
    cp_store_object_delete(app->store, key, NULL);
    return result;
}

int cp_asset_read(struct cp_store *store, enum cp_asset_kind kind, const char *id, struct cp_buffer *out,
                  char *ret_type, struct cp_error *error)
{
    json_t *asset;
    char key[96];
    int result = cp_asset_get(store, kind, id, &asset, error);
    if (result)
        return result;
    object_key(asset, kind, key);
    if (ret_type)
        snprintf(ret_type, 64, "%s", json_string_value(json_object_get(asset, "type")));
    json_decref(asset);
    return cp_store_object_get(store, key, 0, -1, out, error);
}

/* --- looking through --- */

static int inspect_avatar(const uint8_t *bytes, size_t length, const char *name, json_t *asset,
                          struct cp_error *error)
{
    struct cp_model *model;
    struct cp_avatar_report report;
    int result = cp_avatar_load(bytes, length, name, &model, error);
    if (result)
        return result;
    cp_avatar_inspect(model, &report);
    json_object_set_new(asset, "type", json_string("model/gltf-binary"));
    json_object_set_new(asset, "ending", json_string("glb"));
    json_object_set_new(asset, "report",
                        json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:s, s:s, s:s}", "vertices",
                                  model->n_vertices, "triangles", model->n_triangles, "textures",
                                  model->n_textures, "joints", model->n_joints, "shapes", report.n_shapes,
                                  "visemes", report.n_visemes, "bones", report.n_bones, "missing_shapes",
                                  report.missing_shapes, "missing_bones", report.missing_bones, "notes",
                                  report.notes));
    cp_ref_drop(model);
    return 0;
}

static int inspect_sound(const uint8_t *bytes, size_t length, const struct cp_sniffed *found, json_t *asset,
                         struct cp_error *error)
{
    struct cp_decoded sound;
    int result = cp_sound_decode(bytes, length, CP_MUSIC_MAX_S, &sound, error);
    if (result)
        return result;
    free(sound.samples);
    double seconds = (double)sound.n / CP_SAMPLE_HZ;
    json_object_set_new(asset, "kind", json_string("sound"));
    json_object_set_new(asset, "type", json_string(found->type));
    json_object_set_new(asset, "ending", json_string(found->ending));
    json_object_set_new(asset, "seconds", json_real((double)(int)(seconds * 100 + 0.5) / 100));
    return 0;
}

static int inspect_media(const uint8_t *bytes, size_t length, json_t *asset, struct cp_error *error)
{
    struct cp_sniffed found = cp_sniff(bytes, length);
    if (!found.type)
        return cp_fail(error, CP_ERR_FORMAT, "app",
                       "this is no PNG, JPEG, WebP, MP4, WebM, WAV, MP3, Ogg or M4A file");
    if (found.sound)
        return inspect_sound(bytes, length, &found, asset, error);
    if (!found.video && (found.width < 1 || found.height < 1))
        return cp_fail(error, CP_ERR_FORMAT, "app", "the %s file is damaged: it has no size", found.ending);
    if (found.width > MAX_SIDE_PX || found.height > MAX_SIDE_PX)
        return cp_fail(error, CP_ERR_LIMIT, "app", "%d x %d pixels are too many; at most %d each way",
                       found.width, found.height, MAX_SIDE_PX);
    const struct cp_footage_spec small = {.width = 64, .height = 36};
    struct cp_footage *footage = NULL;
    int result = cp_footage_open(bytes, length, &small, &footage, error); /* does it decode? */
    if (result)
        return result;
    cp_ref_drop(footage);
    json_object_set_new(asset, "kind", json_string(found.video ? "video" : "picture"));
    json_object_set_new(asset, "type", json_string(found.type));
    json_object_set_new(asset, "ending", json_string(found.ending));
    json_object_set_new(asset, "width", json_integer(found.width));
    json_object_set_new(asset, "height", json_integer(found.height));
    return 0;
}

static int inspect_motion(const uint8_t *bytes, size_t length, json_t *asset, struct cp_motion **ret_motion,
                          struct cp_error *error)
{
    float seconds;
    int bones, result = cp_motion_load(bytes, length, ret_motion, error);
    if (result)
        return result;
    cp_motion_measure(*ret_motion, &seconds, &bones);
    json_object_set_new(asset, "type", json_string("model/gltf-binary"));
    json_object_set_new(asset, "ending", json_string("vrma"));
    json_object_set_new(asset, "seconds", json_real((double)(int)(seconds * 100 + 0.5f) / 100));
    json_object_set_new(asset, "bones", json_integer(bones));
    return 0;
}

static int inspect(const struct work *work, const uint8_t *bytes, size_t length, json_t *asset,
                   struct cp_motion **ret_motion, struct cp_error *error)
{
    switch (work->kind) {
    case CP_ASSET_AVATAR:
        return inspect_avatar(bytes, length, work->name, asset, error);
    case CP_ASSET_MOTION:
        return inspect_motion(bytes, length, asset, ret_motion, error);
    default:
        return inspect_media(bytes, length, asset, error);
    }
}

static int keep(struct cp_app *app, enum cp_asset_kind kind, const char *id, const json_t *asset,
                const void *bytes, size_t length, struct cp_error *error)
{
    char key[96];
    object_key(asset, kind, key);
    int result = cp_store_object_put(app->store, key, json_string_value(json_object_get(asset, "type")),
                                     bytes, length, 0, error);
    char *text = json_dumps(asset, JSON_COMPACT);
    if (!result && !text)
        result = cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    if (!result)
        result =
            cp_store_put_if(app->store, partition_of(kind), id, text, CP_STORE_MUST_BE_NEW, 0, NULL, error);
    free(text);
    return result;
}

static void do_upload(struct cp_assets *assets, struct work *work)
{
    struct cp_app *app = assets->app;
    struct cp_error error = {.text = ""};
    size_t length;
    const uint8_t *bytes = cp_request_body(work->request, &length);
    char id[24], created[32], location[64];
    struct cp_motion *motion = NULL;
    if (work->kind == CP_ASSET_MOTION) { /* its name is its id */
        if (cp_motions_check_new(app->motions, work->name, &error)) {
            cp_metric_add(assets->refused, 1);
            cp_request_fail(work->request, &error);
            return;
        }
        snprintf(id, sizeof id, "%.23s", work->name);
    } else {
        make_id(work->kind, id);
    }
    cp_clock_rfc3339(cp_clock_wall_ns(), created);
    json_t *asset = json_pack("{s:s, s:s, s:I, s:s}", "id", id, "name", *work->name ? work->name : id,
                              "bytes", (json_int_t)length, "created_at", created);
    int result = asset ? inspect(work, bytes, length, asset, &motion, &error)
                       : cp_fail(&error, CP_ERR_INVALID, "app", "the name is not UTF-8");
    bool understood = !result;
    if (!result)
        result = keep(app, work->kind, id, asset, bytes, length, &error);
    if (!result && motion)
        cp_motions_add(app->motions, id, motion);
    cp_ref_drop(motion);
    cp_metric_add(result ? assets->refused : assets->kept, 1);
    if (!result) {
        snprintf(location, sizeof location, "/v1/%s/%s", partition_of(work->kind), id);
        cp_request_add_header(work->request, "Location", location);
        cp_request_reply_json(work->request, 201, json_incref(asset));
    } else if (understood || result == CP_ERR_LIMIT || result == CP_ERR_NOMEM) {
        cp_request_fail(work->request, &error);
    } else {
        cp_request_fail_status(work->request, 422, NULL, error.text);
    }
    json_decref(asset);
}

/* --- portraits --- */

static int draw_portrait(struct cp_app *app, const char *presenter, struct cp_buffer *out,
                         struct cp_error *error)
{
    struct cp_troupe troupe = {.config = &app->config, .store = app->store};
    struct cp_scene_plan plan;
    struct cp_scene *scene = NULL;
    struct cp_moment moment = {
        .attention = CP_ATTENTION_IDLE, .gain = 1, .emotion = CP_EMOTION_WARM, .emotion_intensity = 0.7f};
    struct cp_performer *performer = calloc(1, sizeof *performer);
    struct cp_pool *pool = cp_picture_pool_create(PORTRAIT_W, PORTRAIT_H, 1);
    struct cp_picture *picture = pool ? cp_picture_get(pool, PORTRAIT_W, PORTRAIT_H) : NULL;
    int result = !performer || !picture ? cp_fail(error, CP_ERR_NOMEM, "app", "out of memory") : 0;
    cp_scene_plan_of(NULL, NULL, presenter, PORTRAIT_W, PORTRAIT_H, &plan);
    snprintf(plan.set, sizeof plan.set, "plain");
    if (!result)
        result = cp_scene_make(&troupe, &plan, &scene, error);
    for (int frame = 0; frame < CP_FRAME_HZ && !result; frame++) { /* until the smile is there */
        moment.at_samples = (int64_t)frame * CP_SAMPLES_PER_FRAME;
        cp_perform(performer, scene, &moment, "close");
    }
    if (!result) {
        cp_perform_draw(performer, picture, NULL);
        result = cp_picture_write_png(picture, out, error);
    }
    cp_scene_destroy(&troupe, scene);
    cp_ref_drop(picture);
    cp_pool_destroy(pool);
    free(performer);
    return result;
}

static void do_portrait(struct cp_assets *assets, struct work *work)
{
    struct cp_app *app = assets->app;
    struct cp_error error;
    struct cp_buffer png = cp_buffer_make(4 << 20);
    char key[96];
    snprintf(key, sizeof key, "portraits/%.20s.%.40s.png", app->epoch, work->name);
    int result = cp_app_find_presenter(&app->config, app->store, work->name, &error);
    if (!result && cp_store_object_get(app->store, key, 0, -1, &png, NULL)) {
        result = draw_portrait(app, work->name, &png, &error);
        if (!result)
            cp_store_object_put(app->store, key, "image/png", png.data, png.length,
                                cp_clock_wall_ns() + PORTRAIT_KEEP_NS, NULL);
    }
    if (result) {
        cp_request_fail(work->request, &error);
    } else {
        cp_request_add_header(work->request, "Cache-Control", "private, max-age=300");
        cp_request_reply_bytes(work->request, 200, "image/png", png.data, png.length);
    }
    cp_buffer_free(&png);
}

/* --- the thread --- */

static void *run_assets(void *arg)
{
    struct cp_assets *assets = arg;
    setpriority(PRIO_PROCESS, (id_t)gettid(), 5); /* this thread's only; frames come first */
    for (struct work *work; (work = cp_queue_pop(assets->queue, INT64_MAX));) {
        if (work->kind)
            do_upload(assets, work);
        else
            do_portrait(assets, work);
        free(work);
    }
    return NULL;
}

static void hand_in(struct cp_assets *assets, enum cp_asset_kind kind, const char *name,
                    struct cp_request *request)
{
    struct work *work = calloc(1, sizeof *work);
    if (!work) {
        cp_request_fail_status(request, 500, NULL, "out of memory");
        return;
    }
    work->kind = kind;
    work->request = request;
    snprintf(work->name, sizeof work->name, "%s", name);
    cp_request_hold(request, NULL, NULL);
    if (cp_queue_push(assets->queue, work))
        return;
    free(work);
    cp_request_add_header(request, "Retry-After", "2");
    cp_request_fail_status(request, 503, NULL,
                           "several uploads are being looked through; try again in a moment");
}

void cp_assets_upload(struct cp_assets *assets, enum cp_asset_kind kind, const char *name,
                      struct cp_request *request)
{
    hand_in(assets, kind, name, request);
}

void cp_assets_portrait(struct cp_assets *assets, const char *presenter, struct cp_request *request)
{
    hand_in(assets, CP_ASSET_UNSET, presenter, request);
}

int cp_assets_create(struct cp_app *app, struct cp_assets **ret_assets, struct cp_error *error)
{
    struct cp_assets *assets = calloc(1, sizeof *assets);
    if (!assets)
        return cp_fail(error, CP_ERR_NOMEM, "app", "out of memory");
    assets->app = app;
    assets->kept = cp_counter(app->observe, "compere_uploads_total", "result=\"kept\"", "Uploads by result");
    assets->refused =
        cp_counter(app->observe, "compere_uploads_total", "result=\"refused\"", "Uploads by result");
    assets->queue = cp_queue_create("assets", QUEUE, CP_FULL_REFUSE, free);
    if (!assets->queue || cp_thread_start(&assets->thread, "draw.assets", run_assets, assets)) {
        cp_assets_destroy(assets);
        return cp_fail(error, CP_ERR_NOMEM, "app", "cannot start the assets thread");
    }
    assets->started = true;
    *ret_assets = assets;
    return 0;
}

void cp_assets_destroy(struct cp_assets *assets)
{
    if (!assets)
        return;
    if (assets->queue)
        cp_queue_close(assets->queue);
    if (assets->started)
        pthread_join(assets->thread, NULL);
    cp_queue_destroy(assets->queue);
    free(assets);
}
