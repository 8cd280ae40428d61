/*
 * Outputs as records (partition "outputs", key "<channel>/<id>"), and the connections that follow them. Keys
 * of streams lie in the record and in the connection; whatever leaves here for people is masked.
 */
#include "app/app.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char PARTITION[] = "outputs";
static const char REFERENCE[] = "env:COMPERE_STREAM_"; /* no other variable can be asked for over HTTP */

struct preset {
    const char *name;
    const char *schemes; /* "" for all */
    int max_long, max_short;
    int64_t max_kbps;
    double max_idr_s;
};

/* IVS low latency: RTMPS ingest, to 1080p and 8,500 kbit/s, key frames every 2 s (IVS User Guide, "Amazon IVS
 * streaming configuration"). IVS real time: RTMP(S) to 720p and 8,500 kbit/s, H.264 baseline without B-frames
 * (ours is), a key frame every 1 or 2 s (Real-Time User Guide, "IVS stream ingest"). YouTube: RTMP(S), H.264
 * to 35 Mbit/s for the largest picture, key frames at most 4 s apart
 * (support.google.com/youtube/answer/2853702).
 */
static const struct preset PRESETS[] = {
    {"custom", "", 4096, 4096, 100000, 60},
    {"ivs-low-latency", "rtmps://", 1920, 1080, 8500, 2},
    {"ivs-real-time", "rtmp", 1280, 720, 8500, 2},
    {"youtube", "rtmp", 3840, 2160, 35000, 4},
};

static const char *text_of(const json_t *record, const char *field)
{
    const char *text = json_string_value(json_object_get(record, field));
    return text ? text : "";
}

static bool is_enabled(const json_t *record)
{
    return !json_is_false(json_object_get(record, "enabled"));
}

/* width and height: of the channel's picture, or 0 while it is not on air. */
static int check_preset(struct cp_app *app, int width, int height, const json_t *record,
                        struct cp_error *error)
{
    const struct preset *preset = PRESETS;
    for (size_t i = 0; i < sizeof PRESETS / sizeof *PRESETS; i++)
        if (!strcmp(PRESETS[i].name, text_of(record, "preset")))
            preset = &PRESETS[i];
    const char *urls[] = {text_of(record, "url"), text_of(record, "backup_url")};
    for (int i = 0; i < 2; i++)
        if (*urls[i] && strncmp(urls[i], preset->schemes, strlen(preset->schemes)))
            return cp_fail(error, CP_ERR_INVALID, "outputs", "%s takes addresses that begin with %s",
                           preset->name, preset->schemes);
    const struct cp_encode_config *encode = &app->config.encode;
    if (encode->video_kbps > preset->max_kbps)
        return cp_fail(error, CP_ERR_INVALID, "outputs",
                       "%s takes %d kbit/s at most; the picture has %d (--encode-video-kbps)", preset->name,
                       (int)preset->max_kbps, (int)encode->video_kbps);
    if (encode->idr_s > preset->max_idr_s)
        return cp_fail(error, CP_ERR_INVALID, "outputs",
                       "%s wants a key frame every %g s; they come every %g s (--encode-idr-s)", preset->name,
                       preset->max_idr_s, encode->idr_s);
    int longer = width > height ? width : height, shorter = width > height ? height : width;
    if (longer > preset->max_long || shorter > preset->max_short)
        return cp_fail(error, CP_ERR_INVALID, "outputs",
                       "%s takes pictures to %dx%d; the channel's has %dx%d", preset->name, preset->max_long,
                       preset->max_short, width, height);
    return 0;
}

/* A stream key or what its reference names. */
static int resolve(const char *key, char *ret_key, size_t capacity, struct cp_error *error)
{
    if (!strncmp(key, REFERENCE, sizeof REFERENCE - 1))
        return cp_config_secret(key, ret_key, capacity, error);
    if (!strncmp(key, "env:", 4) || !strncmp(key, "file:", 5))
        return cp_fail(error, CP_ERR_INVALID, "outputs", "a key is referred to as %sNAME", REFERENCE);
    snprintf(ret_key, capacity, "%s", key);
    return 0;
}

static int make_spec(const json_t *record, struct cp_push_spec *spec, struct cp_error *error)
{
    char key[512] = "";
    memset(spec, 0, sizeof *spec);
    snprintf(spec->id, sizeof spec->id, "%s", text_of(record, "id"));
    int result = resolve(text_of(record, "key"), key, sizeof key, error);
    if (!result)
        result = cp_push_address(text_of(record, "url"), key, spec->address, error);
    if (!result && *text_of(record, "backup_url")) {
        if (*text_of(record, "backup_key"))
            result = resolve(text_of(record, "backup_key"), key, sizeof key, error);
        if (!result)
            result = cp_push_address(text_of(record, "backup_url"), key, spec->backup, error);
    }
    explicit_bzero(key, sizeof key);
    return result;
}

/* --- for people --- */

static json_t *status_json(const struct cp_push_status *status)
{
    int64_t live_ns = status->live_since_ns ? cp_clock_now_ns() - status->live_since_ns : 0;
    return json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:f, s:s?}", "state",
                     cp_push_state_name(status->state), "on_backup", status->on_backup, "bytes",
                     (json_int_t)status->bytes, "frames", (json_int_t)status->frames, "dropped",
                     (json_int_t)status->dropped, "connects", (json_int_t)status->connects, "failures",
                     (json_int_t)status->failures, "live_s", (double)live_ns / 1e9, "error",
                     *status->error ? status->error : NULL);
}

static void show_url(json_t *shown, const json_t *record, const char *field, const char *key)
{
    char masked[CP_PUSH_ADDRESS_BYTES];
    if (!*text_of(record, field))
        return;
    /* Where a key is given, the path is the ingest's and no secret, except for what is behind a ?. */
    cp_push_mask(text_of(record, field), masked);
    bool open = *text_of(record, key) && !strpbrk(text_of(record, field), "@?");
    json_object_set_new(shown, field, json_string(open ? text_of(record, field) : masked));
}

static json_t *for_people(struct cp_app *app, const char *channel, const json_t *record)
{
    struct cp_push_status status = {.state = CP_PUSH_IDLE};
    struct cp_onair *onair = cp_onair_hold(app, channel);
    if (onair)
        cp_push_status(cp_onair_push(onair), text_of(record, "id"), &status);
    cp_onair_release(onair);
    const char *preset = text_of(record, "preset");
    json_t *shown = json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:o}", "id", text_of(record, "id"), "channel",
                              channel, "name", text_of(record, "name"), "preset", *preset ? preset : "custom",
                              "enabled", is_enabled(record), "has_key", *text_of(record, "key") != 0,
                              "health", status_json(&status));
    show_url(shown, record, "url", "key");
    show_url(shown, record, "backup_url", "key");
    return shown;
}

void cp_outputs_tell(struct cp_app *app, const char *channel, const char *id,
                     const struct cp_push_status *status)
{
    bool broken = status->state == CP_PUSH_RETRYING || status->state == CP_PUSH_FAILED;
    json_t *event = status_json(status);
    json_object_set_new(event, "output", json_string(id));
    cp_gateway_publish(app->gateway, "output", channel, event);
    cp_log(broken ? CP_LOG_WARN : CP_LOG_INFO, "app", "output", "channel=%s output=%s state=%s error=\"%s\"",
           channel, id, cp_push_state_name(status->state), broken ? status->error : "");
}

/* --- records --- */

static void key_of(const char *channel, const char *id, char ret_key[CP_STORE_MAX_KEY_BYTES])
{
    snprintf(ret_key, CP_STORE_MAX_KEY_BYTES, "%.40s/%.40s", channel, id);
}

static int check_channel(struct cp_app *app, const char *channel, struct cp_error *error)
{
    json_t *spec;
    int result = cp_show_channel_get(app->show, channel, &spec, error);
    if (!result)
        json_decref(spec);
    return result;
}

static int read_record(struct cp_app *app, const char *channel, const char *id, json_t **ret_record,
                       struct cp_error *error)
{
    char key[CP_STORE_MAX_KEY_BYTES];
    struct cp_record record;
    key_of(channel, id, key);
    if (!*id || strlen(id) > 24 || cp_store_get(app->store, PARTITION, key, &record, NULL))
        return cp_fail(error, CP_ERR_NOT_FOUND, "outputs", "the channel has no output of this id");
    *ret_record = json_loads(record.json, 0, NULL);
    cp_record_clear(&record);
    return *ret_record ? 0 : cp_fail(error, CP_ERR_INTERNAL, "outputs", "the output's record is damaged");
}

/* All records of a channel; the caller drops the list. */
static int read_all(struct cp_app *app, const char *channel, json_t **ret_list, struct cp_error *error)
{
    char prefix[CP_STORE_MAX_KEY_BYTES];
    key_of(channel, "", prefix);
    const struct cp_query query = {.partition = PARTITION, .prefix = prefix, .limit = 1000};
    struct cp_query_result page;
    int result = cp_store_query(app->store, &query, &page, error);
    if (result)
        return result;
    *ret_list = json_array();
    for (int i = 0; i < page.n_records; i++) {
        json_t *record = json_loads(page.records[i].json, 0, NULL);
        if (record)
            json_array_append_new(*ret_list, record);
    }
    cp_query_result_clear(&page);
    return 0;
}

/* Stops what runs, and dials again when the record says so. */
static int follow(struct cp_app *app, const char *channel, const json_t *record, struct cp_error *error)
{
    struct cp_push_spec spec;
    struct cp_onair *onair = cp_onair_hold(app, channel);
    int result = 0;
    if (onair) {
        cp_push_stop(cp_onair_push(onair), text_of(record, "id"), NULL);
        if (is_enabled(record))
            result = make_spec(record, &spec, error);
        if (!result && is_enabled(record))
            result = cp_push_start(cp_onair_push(onair), &spec, error);
    }
    cp_onair_release(onair);
    explicit_bzero(&spec, sizeof spec);
    return result;
}

static int save(struct cp_app *app, const char *channel, const json_t *record, struct cp_error *error)
{
    char key[CP_STORE_MAX_KEY_BYTES];
    key_of(channel, text_of(record, "id"), key);
    char *text = json_dumps(record, JSON_COMPACT);
    int result = text
                     ? cp_store_put_if(app->store, PARTITION, key, text, CP_STORE_ANY_VERSION, 0, NULL, error)
                     : cp_fail(error, CP_ERR_NOMEM, "outputs", "out of memory");
    free(text);
    return result;
}

static int make_record(struct cp_app *app, const char *channel, json_t **ret_record, struct cp_error *error)
{
    uint64_t random;
    char id[24];
    json_t *list = NULL;
    int result = read_all(app, channel, &list, error);
    if (!result && json_array_size(list) >= CP_PUSH_MAX_OUTPUTS)
        result = cp_fail(error, CP_ERR_EXISTS, "outputs", "a channel has %d outputs at most: delete one",
                         CP_PUSH_MAX_OUTPUTS);
    json_decref(list);
    if (!result && getrandom(&random, sizeof random, 0) != sizeof random)
        result = cp_fail(error, CP_ERR_IO, "outputs", "no random numbers");
    if (result)
        return result;
    snprintf(id, sizeof id, "out_%016llx", (unsigned long long)random);
    *ret_record = json_pack("{s:s}", "id", id);
    return 0;
}

int cp_outputs_put(struct cp_app *app, const char *channel, const char *id, const json_t *fields,
                   json_t **ret_output, struct cp_error *error)
{
    struct cp_push_spec spec;
    json_t *record = NULL;
    int result = check_channel(app, channel, error), width = 0, height = 0;
    if (result)
        return result;
    struct cp_onair *onair = cp_onair_hold(app, channel);
    if (onair)
        cp_onair_size(onair, &width, &height);
    cp_onair_release(onair);
    pthread_mutex_lock(&app->outputs_lock);
    result = id ? read_record(app, channel, id, &record, error) : make_record(app, channel, &record, error);
    if (!result) {
        json_object_update(record, (json_t *)fields);
        result = make_spec(record, &spec, error);
        explicit_bzero(&spec, sizeof spec);
    }
    if (!result)
        result = check_preset(app, width, height, record, error);
    if (!result)
        result = save(app, channel, record, error);
    if (!result)
        result = follow(app, channel, record, error);
    pthread_mutex_unlock(&app->outputs_lock);
    if (!result)
        *ret_output = for_people(app, channel, record);
    json_decref(record);
    return result;
}

int cp_outputs_get(struct cp_app *app, const char *channel, const char *id, json_t **ret_output,
                   struct cp_error *error)
{
    json_t *record;
    int result = check_channel(app, channel, error);
    if (!result)
        result = read_record(app, channel, id, &record, error);
    if (result)
        return result;
    *ret_output = for_people(app, channel, record);
    json_decref(record);
    return 0;
}

int cp_outputs_list(struct cp_app *app, const char *channel, json_t **ret_list, struct cp_error *error)
{
    json_t *records = NULL, *record;
    size_t i;
    int result = check_channel(app, channel, error);
    if (!result)
        result = read_all(app, channel, &records, error);
    if (result)
        return result;
    *ret_list = json_array();
    json_array_foreach(records, i, record) json_array_append_new(*ret_list, for_people(app, channel, record));
    json_decref(records);
    return 0;
}

int cp_outputs_check_size(struct cp_app *app, const char *channel, int width, int height,
                          struct cp_error *error)
{
    json_t *records = NULL, *record;
    size_t i;
    int result = read_all(app, channel, &records, error);
    json_array_foreach(records, i, record)
    {
        struct cp_error why;
        if (!result && is_enabled(record) && (result = check_preset(app, width, height, record, &why)))
            cp_fail(error, result, "outputs", "the output \"%.60s\" would not go on: %s",
                    text_of(record, "name"), why.text);
    }
    json_decref(records);
    return result;
}

int cp_outputs_delete(struct cp_app *app, const char *channel, const char *id, struct cp_error *error)
{
    char key[CP_STORE_MAX_KEY_BYTES];
    json_t *record;
    pthread_mutex_lock(&app->outputs_lock);
    int result = read_record(app, channel, id, &record, error);
    if (!result) {
        json_object_set_new(record, "enabled", json_false());
        follow(app, channel, record, NULL);
        json_decref(record);
        key_of(channel, id, key);
        result = cp_store_delete_if(app->store, PARTITION, key, CP_STORE_ANY_VERSION, error);
    }
    pthread_mutex_unlock(&app->outputs_lock);
    return result;
}

void cp_outputs_forget(struct cp_app *app, const char *channel)
{
    json_t *records = NULL, *record;
    size_t i;
    if (read_all(app, channel, &records, NULL))
        return;
    json_array_foreach(records, i, record) cp_outputs_delete(app, channel, text_of(record, "id"), NULL);
    json_decref(records);
}

void cp_outputs_start(struct cp_app *app, const char *channel, struct cp_push *push)
{
    json_t *records = NULL, *record;
    size_t i;
    pthread_mutex_lock(&app->outputs_lock);
    read_all(app, channel, &records, NULL);
    json_array_foreach(records, i, record)
    {
        struct cp_error error;
        struct cp_push_spec spec;
        if (!is_enabled(record))
            continue;
        if (make_spec(record, &spec, &error) || cp_push_start(push, &spec, &error))
            cp_log(CP_LOG_ERROR, "app", "output not started", "channel=%s output=%s error=\"%s\"", channel,
                   text_of(record, "id"), error.text);
        explicit_bzero(&spec, sizeof spec);
    }
    pthread_mutex_unlock(&app->outputs_lock);
    json_decref(records);
}

void cp_outputs_collect(struct cp_app *app, const char *channel, struct cp_push *push)
{
    struct cp_push_status status;
    char ids[CP_PUSH_MAX_OUTPUTS][40];
    int n = cp_push_list(push, ids);
    for (int i = 0; i < n; i++) {
        char labels[200];
        if (!cp_push_status(push, ids[i], &status))
            continue;
        snprintf(labels, sizeof labels, "channel=\"%.40s\",output=\"%.39s\"", channel, ids[i]);
        const struct {
            const char *name, *help;
            double value;
        } gauges[] = {
            {"compere_output_live", "1 while the output is live", status.state == CP_PUSH_LIVE},
            {"compere_output_bytes", "Bytes handed to the connection", (double)status.bytes},
            {"compere_output_frames", "Pictures sent", (double)status.frames},
            {"compere_output_dropped", "Pictures left out as the peer was slow", (double)status.dropped},
            {"compere_output_failures", "Connections that failed or broke", (double)status.failures},
        };
        for (size_t g = 0; g < sizeof gauges / sizeof *gauges; g++)
            cp_metric_set(cp_gauge(app->observe, gauges[g].name, labels, gauges[g].help), gauges[g].value);
    }
}
