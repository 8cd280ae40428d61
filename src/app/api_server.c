/* What the server is and has: health, metrics, its interface, its presenters, voices, sets, gestures and
 * keys. */
#include "app/api.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

void cp_api_health(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    cp_request_reply_json(request, 200,
                          json_pack("{s:s, s:s, s:f}", "status", "ok", "version", CP_VERSION, "uptime_s",
                                    (double)(cp_clock_now_ns() - app->started_ns) / 1e9));
}

/* Ready: the store answers, and every channel draws pictures. */
void cp_api_ready(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    json_t *list = NULL, *channel, *waiting = json_array();
    size_t i;
    int result = cp_show_channel_list(app->show, &list, &error);
    json_array_foreach(list, i, channel)
    {
        const char *id = json_string_value(json_object_get(channel, "id"));
        struct cp_onair *onair = cp_onair_hold(app, id);
        json_t *stats = onair ? cp_onair_stats(onair) : NULL;
        if (!json_integer_value(json_object_get(stats, "encoded")))
            json_array_append_new(waiting, json_string(id));
        json_decref(stats);
        cp_onair_release(onair);
    }
    json_decref(list);
    struct cp_query query = {.partition = "channels", .limit = 1};
    struct cp_query_result page;
    if (!result && !(result = cp_store_query(app->store, &query, &page, &error)))
        cp_query_result_clear(&page);
    bool ready = !result && !json_array_size(waiting);
    cp_request_reply_json(request, ready ? 200 : 503,
                          json_pack("{s:s, s:o, s:s}", "status", ready ? "ready" : "not ready", "waiting_for",
                                    waiting, "store", result ? error.text : "ok"));
}

void cp_api_metrics(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_buffer text = cp_buffer_make(8 << 20);
    cp_observe_write(app->observe, &text);
    cp_request_reply_bytes(request, 200, "text/plain; version=0.0.4", text.data, text.length);
    cp_buffer_free(&text);
}

void cp_api_openapi(void *user, struct cp_request *request)
{
    cp_request_reply_json(request, 200, cp_gateway_openapi(cp_api_routes, cp_api_n_routes));
}

void cp_api_presenters(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    cp_request_reply_json(request, 200,
                          json_pack("{s:o}", "presenters", cp_app_list_presenters(&app->config, app->store)));
}

void cp_api_styles(void *user, struct cp_request *request)
{
    json_t *list = json_array();
    const struct cp_speech_style *style;
    for (int i = 0; (style = cp_speech_style(i)); i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", style->name, "title", style->title,
                                              "summary", style->summary));
    cp_request_reply_json(request, 200, json_pack("{s:o}", "styles", list));
}

void cp_api_voices(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    int n;
    const struct cp_voice *voices = cp_speech_voices(app->speech, &n);
    json_t *list = json_array();
    for (int i = 0; i < n; i++) {
        const struct cp_voice *v = &voices[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s}", "id", v->id, "name",
                                              v->name, "engine", v->engine, "language", v->language, "sex",
                                              v->sex, "age", *v->age ? v->age : "adult", "usable", v->usable,
                                              "why_not", v->why_not));
    }
    struct cp_speech_engine engines[16];
    int n_engines = cp_speech_engines(app->speech, engines, 16);
    json_t *states = json_array();
    for (int i = 0; i < n_engines; i++)
        json_array_append_new(states, json_pack("{s:s, s:s, s:i, s:i, s:s}", "name", engines[i].name,
                                                "summary", engines[i].summary, "voices", engines[i].voices,
                                                "usable", engines[i].usable, "breaker", engines[i].state));
    cp_request_reply_json(
        request, 200,
        json_pack("{s:o, s:o, s:s}", "voices", list, "engines", states, "default", app->config.speech.voice));
}

void cp_api_sets(void *user, struct cp_request *request)
{
    int n;
    const struct cp_set *sets = cp_render_sets(&n);
    const struct cp_light_mood *const *moods;
    int n_moods = cp_render_lights(&moods);
    json_t *list = json_array(), *lights = json_array();
    for (int i = 0; i < n_moods; i++)
        json_array_append_new(lights,
                              json_pack("{s:s, s:s}", "name", moods[i]->name, "title", moods[i]->title));
    for (int i = 0; i < n; i++) {
        json_t *cameras = json_array();
        for (int k = 0; k < sets[i].n_cameras; k++)
            json_array_append_new(cameras, json_pack("{s:s, s:s}", "name", sets[i].cameras[k].name, "title",
                                                     sets[i].cameras[k].title));
        json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:o, s:O}", "name", sets[i].name, "title",
                                              sets[i].title, "has_screen", sets[i].has_screen, "cameras",
                                              cameras, "lights", lights));
    }
    json_decref(lights);
    cp_request_reply_json(request, 200, json_pack("{s:o}", "sets", list));
}

void cp_api_actions(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    json_t *list = json_array(), *uploads = NULL, *upload;
    size_t i;
    for (const char *const *action = cp_actor_actions(); *action; action++)
        json_array_append_new(list, json_pack("{s:s, s:b}", "name", *action, "uploaded", 0));
    cp_asset_list(app->store, CP_ASSET_MOTION, &uploads, NULL);
    json_array_foreach(uploads, i, upload)
    {
        json_array_append_new(list, json_pack("{s:O, s:b, s:O, s:O}", "name", json_object_get(upload, "id"),
                                              "uploaded", 1, "seconds", json_object_get(upload, "seconds"),
                                              "bones", json_object_get(upload, "bones")));
    }
    json_decref(uploads);
    cp_request_reply_json(request, 200, json_pack("{s:o}", "actions", list));
}

/* --- keys --- */

void cp_api_keys_list(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    struct cp_query query = {.partition = "keys", .limit = 1000};
    struct cp_query_result page;
    if (cp_store_query(app->store, &query, &page, &error)) {
        cp_request_fail(request, &error);
        return;
    }
    json_t *list = json_array();
    for (int i = 0; i < page.n_records; i++) {
        json_t *record = json_loads(page.records[i].json, 0, NULL), *shown = json_object();
        static const char *const SHOWN[] = {"role", "name", "created_at"};
        json_object_set_new(shown, "id", json_string(page.records[i].key));
        for (size_t k = 0; k < sizeof SHOWN / sizeof SHOWN[0]; k++)
            if (json_object_get(record, SHOWN[k]))
                json_object_set(shown, SHOWN[k], json_object_get(record, SHOWN[k]));
        json_array_append_new(list, shown);
        json_decref(record);
    }
    cp_query_result_clear(&page);
    cp_request_reply_json(request, 200, json_pack("{s:o}", "keys", list));
}

void cp_api_keys_create(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    json_t *body = cp_request_json(request);
    const char *name = json_string_value(json_object_get(body, "name"));
    enum cp_role role = cp_role_from_name(json_string_value(json_object_get(body, "role")));
    char key[CP_KEY_BYTES], id[40];
    if (cp_key_create(app->store, role, name ? name : "", key, id, &error)) {
        cp_request_fail(request, &error);
        return;
    }
    cp_request_add_header(request, "Cache-Control", "no-store");
    cp_request_reply_json(request, 201,
                          json_pack("{s:s, s:s, s:s}", "id", id, "key", key, "role", cp_role_name(role)));
}

void cp_api_key_delete(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    if (cp_store_delete_if(app->store, "keys", cp_request_param(request, "key"), CP_STORE_ANY_VERSION,
                           &error))
        cp_request_fail(request, &error);
    else
        cp_request_reply_json(request, 204, NULL);
}
