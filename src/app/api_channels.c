/* Channels, cues and interrupts. */
#include "app/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *field)
{
    const char *text = json_string_value(json_object_get(object, field));
    return text ? text : "";
}

static void tell_channel(struct cp_app *app, json_t *channel)
{
    cp_gateway_publish(app->gateway, "channel", text_of(channel, "id"), json_deep_copy(channel));
}

/* A stored speech's text goes with the lines that say it, so that people can read what they are. */
static void add_text(struct cp_app *app, json_t *line)
{
    const char *id = json_string_value(json_object_get(line, "speech"));
    json_t *speech = NULL;
    if (id && !json_object_get(line, "ssml") && !cp_library_get(app->library, id, &speech, NULL))
        json_object_set(line, "text", json_object_get(speech, "text"));
    json_decref(speech);
}

static void add_texts(struct cp_app *app, json_t *channel)
{
    size_t i;
    json_t *line;
    json_array_foreach(json_object_get(json_object_get(channel, "rundown"), "cues"), i, line)
        add_text(app, line);
}

void cp_api_channels_list(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    json_t *list = NULL;
    int result = cp_show_channel_list(app->show, &list, &error);
    cp_api_answer(request, result, 200, result ? NULL : json_pack("{s:o}", "channels", list), &error);
}

void cp_api_channels_create(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    json_t *channel = NULL, *spec = cp_request_json(request);
    add_texts(app, spec);
    int result = cp_app_check_channel(app, spec, &error);
    if (!result)
        result = cp_show_channel_create(app->show, spec, &channel, &error);
    if (!result) {
        result = cp_onair_start(app, text_of(channel, "id"), &error);
        if (result)
            cp_show_channel_delete(app->show, text_of(channel, "id"), NULL);
    }
    if (!result) {
        char location[96];
        json_t *on_air;
        if (!cp_show_channel_get(app->show, text_of(channel, "id"), &on_air, &error)) {
            json_decref(channel);
            channel = on_air;
        }
        tell_channel(app, channel);
        snprintf(location, sizeof location, "/v1/channels/%s", text_of(channel, "id"));
        cp_request_add_header(request, "Location", location);
    } else {
        json_decref(channel);
    }
    cp_api_answer(request, result, 201, channel, &error);
}

void cp_api_channel_get(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    json_t *channel = NULL;
    int result = cp_show_channel_get(app->show, cp_request_param(request, "channel"), &channel, &error);
    cp_api_answer(request, result, 200, channel, &error);
}

/* A field that neither has is the same; json_equal() would say that nothing is not equal to nothing. */
static bool is_same(const json_t *before, const json_t *after, const char *field)
{
    const json_t *a = json_object_get(before, field), *b = json_object_get(after, field);
    return a == b || json_equal(a, b);
}

/* Another size of picture needs a new way from the show to the viewers, who connect again. */
static bool is_resized(const json_t *before, const json_t *after)
{
    return !is_same(before, after, "width") || !is_same(before, after, "height");
}

static json_t *merge(const json_t *before, json_t *changes)
{
    json_t *merged = json_deep_copy(before);
    if (json_object_get(changes, "presenter"))
        json_object_del(merged, "presenters");
    else if (json_object_get(changes, "presenters"))
        json_object_del(merged, "presenter");
    json_object_update(merged, changes);
    return merged;
}

static void patch_now(struct cp_app *app, struct cp_request *request, const char *id, const json_t *changes,
                      bool restart)
{
    struct cp_error error;
    json_t *after = NULL;
    int result = cp_show_channel_patch(app->show, id, changes, &after, &error);
    if (!result && restart) {
        cp_onair_stop(app, id);
        result = cp_onair_start(app, id, &error);
    }
    if (!result) {
        struct cp_onair *onair = cp_onair_hold(app, id);
        if (onair) {
            cp_onair_set_camera(onair, text_of(after, "camera"));
            cp_onair_set_music(onair, after);
            cp_onair_set_access(onair, after);
            cp_onair_set_language(onair, after);
        }
        cp_onair_release(onair);
        tell_channel(app, after);
    } else {
        json_decref(after);
    }
    cp_api_answer(request, result, 200, after, &error);
}

void cp_api_channel_patch(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    const char *id = cp_request_param(request, "channel");
    json_t *before = NULL, *changes = cp_request_json(request);
    add_texts(app, changes);
    int result = cp_show_channel_get(app->show, id, &before, &error);
    json_t *after = result ? NULL : merge(before, changes);
    if (!result)
        result = cp_app_check_channel(app, after, &error);
    if (!result && is_resized(before, after))
        result = cp_outputs_check_size(app, id, (int)json_integer_value(json_object_get(after, "width")),
                                       (int)json_integer_value(json_object_get(after, "height")), &error);
    if (result) {
        cp_request_fail(request, &error);
    } else {
        struct cp_onair *onair = cp_onair_hold(app, id);
        bool resized = is_resized(before, after);
        if (onair && !resized && cp_onair_needs_stage(onair, after)) {
            cp_onair_change(onair, after, changes, request);
            cp_onair_release(onair);
        } else {
            cp_onair_release(onair);
            patch_now(app, request, id, changes, resized || !onair);
        }
    }
    json_decref(before);
    json_decref(after);
}

void cp_api_channel_delete(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    const char *id = cp_request_param(request, "channel");
    json_t *channel;
    int result = cp_show_channel_get(app->show, id, &channel, &error);
    if (!result) {
        json_decref(channel);
        cp_onair_stop(app, id);
        result = cp_show_channel_delete(app->show, id, &error);
        if (!result) {
            cp_lexicons_delete(app->lexicons, id, NULL);
            cp_outputs_forget(app, id);
        }
    }
    cp_api_answer(request, result, 204, NULL, &error);
}

/* --- cues --- */

void cp_api_cues_list(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    const char *limit = cp_request_query(request, "limit");
    json_t *page = NULL;
    int result =
        cp_show_cue_list(app->show, cp_request_param(request, "channel"), cp_request_query(request, "cursor"),
                         limit ? atoi(limit) : 50, &page, &error);
    cp_api_answer(request, result, 200, page, &error);
}

void cp_api_cues_create(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    const char *id = cp_request_param(request, "channel");
    json_t *channel, *cue = NULL, *spec = cp_request_json(request);
    add_text(app, spec);
    int result = cp_show_channel_get(app->show, id, &channel, &error);
    if (!result) {
        struct cp_warnings warnings = {.n = 0};
        result = cp_app_check_cue(app, spec, channel, &warnings, &error);
        cp_app_set_warnings(spec, &warnings);
        json_decref(channel);
    }
    if (!result)
        result = cp_show_cue_create(app->show, id, spec, cp_request_started_ns(request), &cue, &error);
    if (!result) {
        char location[160];
        snprintf(location, sizeof location, "/v1/channels/%s/cues/%s", id, text_of(cue, "id"));
        cp_request_add_header(request, "Location", location);
    }
    cp_api_answer(request, result, 202, cue, &error);
}

void cp_api_cue_get(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    json_t *cue = NULL;
    int result = cp_show_cue_get(app->show, cp_request_param(request, "channel"),
                                 cp_request_param(request, "cue"), &cue, &error);
    cp_api_answer(request, result, 200, cue, &error);
}

void cp_api_cue_patch(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    const char *channel_id = cp_request_param(request, "channel"), *cue_id = cp_request_param(request, "cue");
    json_t *channel = NULL, *before = NULL, *after = NULL, *changes = cp_request_json(request);
    int result = cp_show_channel_get(app->show, channel_id, &channel, &error);
    if (!result)
        result = cp_show_cue_get(app->show, channel_id, cue_id, &before, &error);
    if (!result) {
        add_text(app, changes);
        json_object_update(before, changes);
        cp_cue_keep_words(before, changes);
        struct cp_warnings warnings = {.n = 0};
        result = cp_app_check_cue(app, before, channel, &warnings, &error);
        cp_app_set_warnings(changes, &warnings);
        if (!warnings.n && json_object_get(before, "warnings"))
            json_object_set_new(changes, "warnings", json_array());
    }
    if (!result)
        result = cp_show_cue_patch(app->show, channel_id, cue_id, changes, &after, &error);
    json_decref(channel);
    json_decref(before);
    cp_api_answer(request, result, 200, after, &error);
}

void cp_api_cue_delete(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    int result = cp_show_cue_delete(app->show, cp_request_param(request, "channel"),
                                    cp_request_param(request, "cue"), &error);
    cp_api_answer(request, result, 204, NULL, &error);
}

static const char *policy_of(struct cp_request *request)
{
    const char *policy = json_string_value(json_object_get(cp_request_json(request), "policy"));
    return policy ? policy : "now";
}

void cp_api_cue_play(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    int result = cp_show_cue_play(app->show, cp_request_param(request, "channel"),
                                  cp_request_param(request, "cue"), policy_of(request), &error);
    cp_api_answer(request, result, 202, json_pack("{s:s}", "state", "queued"), &error);
}

void cp_api_interrupt(void *user, struct cp_request *request)
{
    struct cp_app *app = user;
    struct cp_error error;
    int result =
        cp_show_interrupt(app->show, cp_request_param(request, "channel"), policy_of(request), &error);
    cp_api_answer(request, result, 202, json_pack("{s:s}", "policy", policy_of(request)), &error);
}
